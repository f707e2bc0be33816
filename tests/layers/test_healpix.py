"""HEALPix: against published pixel centres and exact properties; the convolution against the matrix and rotations."""

import keras
import numpy as np
import pytest

from dlphys import autodiff
from dlphys.layers import (
    ChebyshevConvolution,
    HealpixConvolution,
    healpix_centres,
    healpix_graph,
    laplacian,
)

RANDOM = np.random.default_rng(13)
MAPS = RANDOM.normal(size=(3, 192, 2)).astype("float32")


def angles(nside):
    x, y, z = healpix_centres(nside).T
    return np.degrees(np.arccos(z)), np.degrees(np.arctan2(y, x)) % 360


def test_the_twelve_base_pixels():
    """Gorski et al. 2005: z = 2/3, 0, -2/3; azimuths from 45, 0 and 45 degrees in steps of 90."""
    _, azimuth = angles(1)
    np.testing.assert_allclose(healpix_centres(1)[:, 2], np.repeat([2 / 3, 0, -2 / 3], 4), atol=1e-15)
    np.testing.assert_allclose(azimuth, [45, 135, 225, 315, 0, 90, 180, 270, 45, 135, 225, 315], atol=1e-9)


def test_rings_of_nside_two():
    """4 pixels at z = 11/12, then belts of 8 at z = 2/3, 1/3, 0, alternately shifted by half a pixel."""
    _, azimuth = angles(2)
    z = healpix_centres(2)[:, 2]
    rings = np.split(z, np.cumsum([4, 8, 8, 8, 8, 8]))
    expected = [11 / 12, 2 / 3, 1 / 3, 0, -1 / 3, -2 / 3, -11 / 12]
    for ring, height in zip(rings, expected, strict=True):
        np.testing.assert_allclose(ring, height, atol=1e-14)
    np.testing.assert_allclose(azimuth[[0, 4, 12, 20, 28, 36, 44]], [45, 22.5, 0, 22.5, 0, 22.5, 45], atol=1e-9)


@pytest.mark.parametrize("nside", [1, 2, 3, 4, 8, 16])
def test_pixels_of_equal_area_average_as_the_sphere_does(nside):
    """Unit vectors; <x> = 0, and <x_a x_b> = delta_ab / 3 up to terms of 1 / nside^2."""
    centres = healpix_centres(nside)
    assert centres.shape == (12 * nside**2, 3)
    np.testing.assert_allclose((centres**2).sum(1), 1)
    np.testing.assert_allclose(centres.mean(0), 0, atol=1e-14)
    moments = centres.T @ centres / len(centres)
    np.testing.assert_allclose(moments, np.eye(3) / 3, atol=0.06 / nside**2)


@pytest.mark.parametrize("nside", [2, 4, 8])
def test_the_graph_is_symmetric_connected_and_local(nside):
    graph = healpix_graph(nside)
    centres = healpix_centres(nside)
    joined = graph > 0
    assert (graph == graph.T).all()
    assert not np.diag(graph).any()
    assert joined.sum(1).min() >= 8
    assert joined.sum(1).max() <= 14
    distance = np.linalg.norm(centres[:, None] - centres, axis=-1)[joined]
    assert distance.max() < 2.2 * np.sqrt(4 * np.pi / len(centres))
    assert np.linalg.eigvalsh(laplacian(graph))[1] > 1e-4  # one connected part


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_gathered_product_is_the_chebyshev_convolution_with_the_matrix(order):
    layer = HealpixConvolution(5, nside=4, order=order, activation="tanh")
    layer(MAPS)
    layer.set_weights([RANDOM.normal(size=weight.shape) for weight in layer.weights])
    dense = ChebyshevConvolution(5, order=order, activation="tanh")
    matrix = laplacian(healpix_graph(4)) - np.eye(192)
    dense(MAPS, matrix)
    dense.set_weights(layer.get_weights())
    np.testing.assert_allclose(np.asarray(layer(MAPS)), np.asarray(dense(MAPS, matrix)), atol=2e-5)
    assert layer.compute_output_shape(MAPS.shape) == (3, 192, 5)


TURN = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])  # about the axis
FLIP = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1.0]])  # a half turn that exchanges the poles


def moved(nside, matrix):
    """For each pixel the pixel to which a rotation carries it."""
    centres = healpix_centres(nside)
    order = np.linalg.norm((centres @ matrix)[:, None] - centres, axis=-1).argmin(1)
    np.testing.assert_allclose(centres[order], centres @ matrix, atol=1e-12)
    return order


@pytest.mark.parametrize("matrix", [TURN, FLIP], ids=["turn", "flip"])
@pytest.mark.parametrize("nside", [1, 2, 4, 8])
def test_the_graph_has_the_symmetries_of_the_pixels(nside, matrix):
    """Neighbours at equal distances must not be chosen by their numbers."""
    graph, order = healpix_graph(nside), moved(nside, matrix)
    np.testing.assert_allclose(graph[np.ix_(order, order)], graph, atol=1e-9)


def test_a_quarter_turn_about_the_axis_is_an_exact_symmetry():
    """The pixels map onto pixels, so the result turns with the map."""
    order = moved(4, TURN)
    layer = HealpixConvolution(3, nside=4)
    np.testing.assert_allclose(np.asarray(layer(MAPS[:, order])), np.asarray(layer(MAPS))[:, order], atol=1e-4)


def test_a_spot_looks_nearly_the_same_everywhere():
    """A filtered Gaussian spot at 40 places: the sum of squares varies by less than three per cent."""
    centres = healpix_centres(8)
    places = RANDOM.normal(size=(40, 3))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    spots = np.exp((places @ centres.T - 1) / 0.3**2)[..., None].astype("float32")
    layer = HealpixConvolution(1, nside=8, order=4, use_bias=False)
    layer(spots)
    layer.set_weights([np.array([[0.3], [-0.5], [0.4], [0.2]])])
    power = (np.asarray(layer(spots)) ** 2).sum(axis=(1, 2))
    assert power.std() / power.mean() < 0.03


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_it_trains_and_survives_saving(tmp_path, policy):
    layers = [HealpixConvolution(4, nside=4, activation="relu", dtype=policy), keras.layers.GlobalAveragePooling1D()]
    model = keras.Sequential([keras.Input((192, 2)), *layers, keras.layers.Dense(1, dtype="float32")])
    model.compile("adam", "mse")
    model.fit(MAPS, np.ones(3), batch_size=2, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert model(MAPS[:1]).shape == (1, 1)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(MAPS)), np.asarray(model(MAPS)))
    slope = np.asarray(autodiff.gradient(model, MAPS))
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0


def test_another_number_of_pixels_is_refused():
    with pytest.raises(ValueError, match=r"maps must have shape \(n, 768, c\) for nside=8"):
        HealpixConvolution(2, nside=8)(MAPS)
