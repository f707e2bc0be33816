"""Spiral galaxies as a set."""

import numpy as np

from dlphys.datasets._galaxies import load_spiral_galaxies
from dlphys.simulators import galaxies


def test_parts_shapes_types_and_labels(capsys):
    data = load_spiral_galaxies(420, seed=1)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [380, 20, 20]
    assert data.x_train.shape[1:] == (32, 32, 1)
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == np.int64
    assert data.about.classes == ("right", "left")
    assert capsys.readouterr().out == "spiral_galaxies: simulated\n"


def test_galaxies_are_those_of_the_simulator():
    data = load_spiral_galaxies(42, seed=2, preset="physics", noise=0.1)
    sample = galaxies.simulate(42, seed=2, preset="physics", noise=0.1)
    parts = ("train", "validation", "test")
    np.testing.assert_array_equal(np.concatenate([getattr(data, f"x_{p}") for p in parts])[..., 0], sample.images)
    np.testing.assert_array_equal(np.concatenate([getattr(data, f"y_{p}") for p in parts]), sample.left)
    pitch = np.concatenate([getattr(data, f"extra_{p}")["pitch"] for p in parts])
    np.testing.assert_array_equal(pitch, sample.pitch)


def test_every_parameter_is_beside_the_picture_for_a_look_at_the_latent_space():
    data = load_spiral_galaxies(21, seed=3)
    assert set(data.extra_train) == set(galaxies.SpiralGalaxies.units) - {"images", "left"}
    assert set(data.about.extra_units) == set(data.extra_train)
    assert {a.dtype for a in data.extra_train.values()} == {np.dtype(np.float32)}


def test_the_smallest_set_has_one_galaxy_in_each_part():
    data = load_spiral_galaxies(3, seed=4)
    assert len(data.x_train) == len(data.x_validation) == len(data.x_test) == 1
