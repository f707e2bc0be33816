"""The skies of chapter 10 as a set to train on."""

import numpy as np

from dlphys.datasets._cosmic_rays import load_cosmic_ray_skies
from dlphys.simulators import cosmic_rays

PARTS = ("train", "validation", "test")


def whole(data, kind, key=None):
    parts = [getattr(data, f"{kind}_{part}") for part in PARTS]
    return np.concatenate([part if key is None else part[key] for part in parts])


def test_shapes_types_and_units(capsys):
    data = load_cosmic_ray_skies(100, seed=1)
    assert capsys.readouterr().out == "cosmic_ray_skies: simulated\n"
    assert [len(data.x_train), len(data.x_validation), len(data.x_test)] == [80, 10, 10]
    assert data.x_train.shape[1:] == (500, 4)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert data.about.columns == ("x", "y", "z", "log_energy")
    assert set(data.extra_test) == set(data.about.extra_units)


def test_the_set_is_that_of_the_simulator():
    data = load_cosmic_ray_skies(60, seed=2, preset="physics", arrivals=50, blur=2.0)
    skies = cosmic_rays.simulate(60, seed=2, preset="physics", arrivals=50, blur=2.0)
    np.testing.assert_array_equal(whole(data, "x")[..., :3], skies.directions)
    np.testing.assert_allclose(40 * 10.0 ** whole(data, "x")[..., 3], skies.energy, rtol=1e-6)
    np.testing.assert_array_equal(whole(data, "y"), skies.label)
    for key in data.extra_train:
        np.testing.assert_array_equal(whole(data, "extra", key), getattr(skies, key))


def test_the_energy_column_has_the_size_of_distances_between_neighbours():
    """Docstring: between 0 and 0.6."""
    energy = load_cosmic_ray_skies(100, seed=3).x_train[..., 3]
    assert energy.min() > -1e-6
    assert energy.max() < 0.6


def test_the_oracle_works_on_the_set():
    """Docstring: x and extra hold all that known_source_ratio needs; energies are 40 EeV times ten to the column."""
    data = load_cosmic_ray_skies(1000, seed=4)
    names = ("source", "tangent", "deflection", "flux")
    known = {name: data.extra_test[name] for name in names}
    ratio = cosmic_rays.known_source_ratio(data.x_test[..., :3], 40 * 10.0 ** data.x_test[..., 3], **known)
    assert ((ratio > 0) == data.y_test).mean() > 0.95


def test_seeds_decide():
    first, same, other = (load_cosmic_ray_skies(10, seed=seed).x_train for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
