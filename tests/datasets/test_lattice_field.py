"""Fields on a lattice as a set."""

import numpy as np

from dlphys.datasets._lattice_field import COUPLING, MASS_SQUARED, load_lattice_field
from dlphys.simulators import lattice_field


def test_parts_shapes_and_types(capsys):
    data = load_lattice_field(50, seed=1, size=4)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [40, 5, 5]
    assert data.x_train.shape[1:] == (4, 4, 1)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert capsys.readouterr().out == "lattice_field: simulated\n"
    again = load_lattice_field(50, seed=1, size=4)
    assert capsys.readouterr().out == "lattice_field: simulated before, from the cache\n"
    np.testing.assert_array_equal(data.x_train, again.x_train)


def test_targets_are_the_actions_of_the_fields():
    data = load_lattice_field(50, seed=2, size=4, mass_squared=-2.0, coupling=3.0)
    expected = lattice_field.action(data.x_train[..., 0], mass_squared=-2.0, coupling=3.0)
    np.testing.assert_allclose(data.y_train, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(data.extra_train["magnetization"], data.x_train.mean((1, 2, 3)), atol=1e-6)


def test_defaults_are_those_of_the_simulator():
    """Written twice, so that the loaders do not import compiled code."""
    assert (MASS_SQUARED, COUPLING) == (lattice_field.MASS_SQUARED, lattice_field.COUPLING)
