"""Gluon pseudo-data and energy-loss spectra as sets."""

import numpy as np
import pytest

from dlphys.datasets._spectra import load_eels, load_gluon
from dlphys.simulators import spectra

PARTS = ("train", "validation", "test")


def together(data, name):
    return np.concatenate([getattr(data, f"extra_{part}")[name] for part in PARTS])


def test_gluon_table_is_divided_as_in_the_tutorial(capsys):
    """800 to fit, of which 160 look back, and 200 to test."""
    data = load_gluon(seed=1)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [640, 160, 200]
    assert data.x_train.shape[1:] == (1,)
    assert data.y_train.shape == (640,)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert capsys.readouterr().out == "gluon: simulated\n"


def test_gluon_points_are_those_of_the_simulator_in_another_order():
    data = load_gluon(100, seed=2, x_min=1e-4)
    sample = spectra.simulate(1, seed=2, points=100, x_min=1e-4)
    x = np.concatenate([getattr(data, f"x_{part}") for part in PARTS])[:, 0]
    order = np.argsort(x)
    assert (np.diff(order) != 1).sum() > 50, "shuffled"
    np.testing.assert_array_equal(x[order], sample.x[0])
    y = np.concatenate([getattr(data, f"y_{part}") for part in PARTS])
    np.testing.assert_array_equal(y[order], sample.values[0])
    np.testing.assert_array_equal(together(data, "truth")[order], sample.truth[0])


def test_replicas_share_the_points_and_their_division():
    first, second = (load_gluon(100, seed=3, level=2, replica=k) for k in (0, 1))
    np.testing.assert_array_equal(first.x_train, second.x_train)
    assert (first.y_train != second.y_train).any()
    np.testing.assert_array_equal(first.y_train, load_gluon(100, seed=3, level=2).y_train)
    exact = load_gluon(100, seed=3, level=0)
    np.testing.assert_array_equal(exact.y_train, exact.extra_train["truth"])


def test_eels_parts_hold_every_pixel_once(capsys):
    data = load_eels(256, seed=1)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [192, 32, 32]
    assert data.x_train.shape[1:] == (768, 1)
    assert data.y_train.shape[1:] == (768,)
    assert data.x_train.dtype == data.y_train.dtype == np.float32
    assert capsys.readouterr().out == "eels: simulated\n"
    pixels = together(data, "row") * 32 + together(data, "column")
    assert sorted(pixels) == list(range(256))
    image = spectra.energy_loss_image(256, seed=1)
    np.testing.assert_array_equal(together(data, "thickness"), image.thickness[pixels])
    np.testing.assert_array_equal(together(data, "counts"), image.counts[pixels])


def test_eels_inputs_and_targets_are_logarithms():
    data = load_eels(64, seed=2)
    np.testing.assert_allclose(10.0 ** data.x_test[..., 0] - 1, data.extra_test["counts"], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(10.0**data.y_test - 1, data.extra_test["zero_loss"], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("n", [8, 9, 33])
def test_small_spectrum_images_have_pixels_in_every_part(n):
    data = load_eels(n, seed=3)
    assert min(len(part) for part in (data.x_train, data.x_validation, data.x_test)) >= 1
