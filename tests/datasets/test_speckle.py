"""Scattering patterns as a set: the book's normalisation, the split, the mask."""

import numpy as np
import pytest

from dlphys.datasets._speckle import load_speckles, scaled
from dlphys.simulators import speckle


def everything(data, kind):
    return np.concatenate([getattr(data, f"{kind}_{part}") for part in ("train", "validation", "test")])


def test_parts_shapes_and_types(capsys):
    data = load_speckles(48, seed=1)
    assert [len(part) for part in (data.x_train, data.x_validation, data.x_test)] == [40, 4, 4]
    assert data.x_train.shape[1:] == data.y_train.shape[1:] == data.extra_train["valid"].shape[1:] == (64, 64, 1)
    assert data.x_train.dtype == data.y_train.dtype == data.extra_train["scale"].dtype == np.float32
    assert capsys.readouterr().out == "speckles: simulated\n"
    assert data.about.source == "simulated"


@pytest.mark.parametrize("preset", ["book", "physics"])
def test_images_are_scaled_as_in_the_book(preset):
    """log10(1 + I) over the maximum of the image with speckle, clipped at 1.1."""
    data = load_speckles(24, seed=2, preset=preset)
    images = speckle.simulate(24, seed=2, preset=preset)
    logarithm = np.log10(1.0 + images.speckled.astype(float))
    scale = logarithm.max((1, 2), keepdims=True)
    np.testing.assert_allclose(everything(data, "x")[..., 0], logarithm / scale, rtol=1e-5, atol=1e-6)
    target = np.minimum(np.log10(1.0 + images.clean.astype(float)) / scale, 1.1)
    np.testing.assert_allclose(everything(data, "y")[..., 0], target, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(data.extra_train["scale"], scale[:20, 0, 0], rtol=1e-6)
    np.testing.assert_array_equal(data.extra_train["kind"], images.kind[:20])


def test_photons_can_be_recovered_from_the_scale():
    data = load_speckles(24, seed=3, preset="physics")
    images = speckle.simulate(24, seed=3, preset="physics")
    photons = 10.0 ** (data.x_test[..., 0] * data.extra_test["scale"][:, None, None]) - 1.0
    np.testing.assert_allclose(photons, images.speckled[-2:], rtol=1e-4, atol=1e-3)


def test_experimental_images_have_the_layout_of_the_others():
    """So that a trained network can be tried on them; the mask is in extra."""
    data, other = load_speckles(24, seed=4, experimental=True), load_speckles(24, seed=4)
    assert data.x_test.shape == other.x_test.shape
    assert set(data.extra_test) == set(other.extra_test)
    hidden = ~data.extra_train["valid"]
    assert 0.01 < hidden.mean() < 0.2
    assert (data.x_train[hidden] == 0).all()
    assert other.extra_train["valid"].all()
    assert (data.extra_train["modes"] >= 2).all()


def test_an_image_without_photons_stays_empty():
    x, y, scale = scaled(np.zeros((1, 4, 4), np.float32), np.ones((1, 4, 4), np.float32))
    assert (x == 0).all()
    assert np.isfinite(y).all()
    assert scale == 0


def test_baselines_leave_room_for_a_network():
    """Numbers of the docstring of simulate, in the loader's scale."""
    data = load_speckles(600, seed=5)
    raw = ((data.x_train - data.y_train) ** 2).mean()
    assert raw == pytest.approx(0.0077, rel=0.06)
