"""The sets made with the toys."""

import numpy as np

from dlphys.datasets._toys import load_checkerboard, load_interpolation, load_planing
from dlphys.simulators import toys


def joined(data, kind, key=None):
    parts = [getattr(data, f"{kind}_{part}") for part in ("train", "validation", "test")]
    return np.concatenate([part if key is None else part[key] for part in parts])


def test_sizes_are_those_of_the_docstrings():
    sizes = {
        load.__name__: [len(x) for x in (data.x_train, data.x_validation, data.x_test)]
        for load in (load_checkerboard, load_interpolation, load_planing)
        for data in [load(seed=1)]
    }
    assert sizes == {
        "load_checkerboard": [250, 250, 2000],
        "load_interpolation": [8000, 2000, 10_000],
        "load_planing": [60_000, 20_000, 20_000],
    }


def test_checkerboard_is_that_of_the_simulator():
    data = load_checkerboard(100, seed=2, noise=0.5, test=300)
    points = toys.simulate(400, seed=2, noise=0.5)
    np.testing.assert_array_equal(joined(data, "x"), points.x)
    np.testing.assert_array_equal(joined(data, "y"), points.label)
    exact = toys.optimal_probability(points.x, noise=0.5)
    np.testing.assert_allclose(joined(data, "extra", "probability"), exact, rtol=1e-6)
    assert data.y_train.dtype == np.float32


def test_a_larger_training_set_is_asked_the_same_function():
    data = load_interpolation(500, seed=3, noise=0.0, test=100)
    np.testing.assert_allclose(data.y_test, toys.curve(data.x_test), rtol=1e-5)
    assert data.x_train.shape == (400, 1)
    assert data.y_train.dtype == data.x_train.dtype == np.float32


def test_planing_is_that_of_the_simulator_in_its_unit():
    data = load_planing(500, seed=4)
    table = toys.simulate_planing(500, seed=4)
    np.testing.assert_allclose(joined(data, "x") * ([100.0] + [1.0] * 7), table.x, rtol=1e-6)
    np.testing.assert_array_equal(joined(data, "y"), table.label)
    assert len(data.about.columns) == 8
