"""Hexagonal convolution: its symmetry, against plain loops and against an ordinary convolution."""

import keras
import numpy as np
import pytest

from dlphys.autodiff import gradient
from dlphys.layers import HexConv2D
from dlphys.layers.hexagonal import (
    axial_to_offset,
    hexagon_mask,
    hexagonal_convolution,
    offset_to_axial,
    rotate_hexagon,
)
from dlphys.simulators import airshower

MAPS = np.random.default_rng(11).normal(size=(3, 9, 9, 2)).astype("float32")


def test_sixty_degrees_on_the_ground_are_a_turn_of_the_axial_array():
    """Positions of the stations, turned by the rotation matrix of 60 degrees, land on the positions of the stations."""
    places = offset_to_axial(airshower.station_positions("hexagonal")[np.newaxis])
    c, s = np.cos(np.pi / 3), np.sin(np.pi / 3)
    turned_places = places @ np.array([[c, s], [-s, c]])
    np.testing.assert_allclose(rotate_hexagon(turned_places, 1), places, atol=1e-9)
    np.testing.assert_allclose(places[0, 5, 4], [750.0, 1500 * np.sqrt(0.75)])  # one step along r: 60 degrees upwards


def test_turns_form_a_group_and_keep_every_cell():
    """Six turns are the identity; two and then four, or minus one and then one, as well."""
    inside = np.where(hexagon_mask(4)[..., np.newaxis], MAPS, 0)
    once = rotate_hexagon(MAPS)
    assert np.array_equal(np.sort(once[0, hexagon_mask(4), 0]), np.sort(MAPS[0, hexagon_mask(4), 0]))
    assert not np.array_equal(once, inside)
    for turns in [(6,), (2, 4), (-1, 1), (3, -3), (13, -1)]:
        result = MAPS
        for n in turns:
            result = rotate_hexagon(result, n)
        np.testing.assert_array_equal(result, inside)
    assert once.dtype == MAPS.dtype


def test_offset_and_axial_coordinates_are_inverse_to_each_other():
    """61 of the 81 cells lie in the hexagon."""
    numbers = np.arange(1, 82).reshape(1, 9, 9)
    axial = offset_to_axial(numbers)
    assert np.count_nonzero(axial) == hexagon_mask(4).sum() == 61
    np.testing.assert_array_equal(offset_to_axial(axial_to_offset(axial)), axial)
    np.testing.assert_array_equal(axial_to_offset(axial)[axial_to_offset(axial) > 0], np.sort(axial[axial > 0]))


@pytest.mark.parametrize("turns", [1, 2, 5])
@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 1), (0, 2)])
def test_turning_the_input_permutes_the_orientation_channels(turns, first, second):
    """The claim of p6: y_k(x) becomes y_(k-1)(R^-1 x), to 1e-5 in float32, through two layers and their biases."""
    layers = [
        HexConv2D(4, first, activation="relu"),
        HexConv2D(3, second, activation="sigmoid"),
    ]

    def channels(maps):
        for layer in layers:
            maps = layer(maps)
        return np.asarray(maps)

    channels(MAPS)
    for layer in layers:
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, np.linspace(-0.5, 0.5, len(bias))])
    expected = np.roll(rotate_hexagon(channels(MAPS), turns), turns, axis=3)
    np.testing.assert_allclose(channels(rotate_hexagon(MAPS, turns)), expected, atol=1e-5)
    assert np.abs(channels(MAPS) - expected).max() > 0.01
    assert np.ptp(channels(MAPS), axis=3).max() > 0.01  # the six channels differ


def test_the_plain_loops_agree():
    """`hexagonal_convolution`, on an image and on orientation channels."""
    layers = [HexConv2D(3, 1), HexConv2D(2, 2)]
    maps = MAPS[:, 1:-1, 1:-1]
    for layer in layers:
        fast = np.asarray(layer(maps))
        plain = hexagonal_convolution(maps[1], layer.get_weights()[0])
        np.testing.assert_allclose(plain, fast[1], atol=1e-5)
        maps = fast


def test_a_filter_equal_in_all_directions_is_an_ordinary_convolution():
    """keras.layers.Conv2D with a filter of 3 x 3 whose two corners are zero; all orientations agree."""
    layer = HexConv2D(1, domain="array")
    layer.build(MAPS.shape)
    kernel = np.ones((7, 2, 1))
    kernel[3] = 5.0  # the central cell
    layer.set_weights([kernel, np.array([0.3])])
    square = np.ones((3, 3, 2, 1))
    square[1, 1] = 5.0
    square[0, 0] = square[2, 2] = 0.0
    convolution = keras.layers.Conv2D(1, 3, padding="same")
    convolution.build(MAPS.shape)
    convolution.set_weights([square, np.array([0.3])])
    for k in range(6):
        np.testing.assert_allclose(np.asarray(layer(MAPS))[:, :, :, k], np.asarray(convolution(MAPS)), atol=1e-5)


def test_an_output_sees_the_seven_cells_around_it():
    """Support of the gradient of the channels of one cell."""
    layer = HexConv2D(1)
    layer.build(MAPS.shape)
    slope = np.asarray(gradient(lambda maps: layer(maps)[:, 4, 5, 2, 0], MAPS))
    seen = np.abs(slope[0]).max(-1) > 0
    assert np.argwhere(seen).tolist() == [[3, 5], [3, 6], [4, 4], [4, 5], [4, 6], [5, 4], [5, 5]]


def test_what_stands_in_the_corners_is_ignored_and_stays_empty():
    """Also NaN, and with an activation that is not 0 at 0."""
    layer = HexConv2D(2, activation="sigmoid")
    broken = np.where(hexagon_mask(4)[..., np.newaxis], MAPS, np.nan)
    np.testing.assert_array_equal(np.asarray(layer(broken)), np.asarray(layer(MAPS)))
    assert not np.asarray(layer(MAPS))[:, ~hexagon_mask(4)].any()
    assert np.asarray(layer(MAPS))[:, hexagon_mask(4)].min() > 0


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_half_and_single_precision_and_any_batch(dtype):
    """The same weights give the same output; a batch of one agrees with its part of a larger one."""
    precise = HexConv2D(3)
    precise.build(MAPS.shape)
    layer = HexConv2D(3, dtype=dtype)
    layer.build(MAPS.shape)
    layer.set_weights(precise.get_weights())
    output = np.asarray(layer(MAPS))
    assert output.dtype == dtype
    tolerance = 0.02 if dtype == "float16" else 1e-6
    np.testing.assert_allclose(output, np.asarray(precise(MAPS)), atol=tolerance)
    np.testing.assert_allclose(np.asarray(layer(MAPS[1:2])), output[1:2], atol=tolerance)


def test_arrays_of_any_size_in_an_open_model():
    """domain="array" with open height and width gives what a model of fixed size gives."""
    model = keras.Sequential([keras.Input((None, None, 2)), HexConv2D(2, domain="array"), HexConv2D(1, domain="array")])
    fixed = keras.Sequential([keras.Input((9, 9, 2)), HexConv2D(2, domain="array"), HexConv2D(1, domain="array")])
    fixed.set_weights(model.get_weights())
    np.testing.assert_allclose(np.asarray(model(MAPS)), np.asarray(fixed(MAPS)), atol=1e-6)
    assert model(MAPS[:, :5, :8]).shape == (3, 5, 8, 6, 1)


def test_weights_start_with_the_spread_of_a_convolution():
    """Glorot uniform over 7 cells and 6 orientations; 4 standard errors."""
    layer = HexConv2D(8)
    layer.build((None, 9, 9, 6, 4))
    kernel = layer.get_weights()[0]
    assert kernel.shape == (42, 4, 8)
    assert abs(kernel.var() / (2 / (42 * 12)) - 1) < 4 * np.sqrt(0.8 / kernel.size)


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (None, 9, 8, 1), "square with an odd side"),
        ({}, (None, 8, 8, 1), "square with an odd side"),
        ({}, (None, None, None, 1), "square with an odd side"),
        ({"domain": "array"}, (None, 9, 9, 4, 2), "rows, columns, 6, channels"),
        ({"domain": "array"}, (None, 9, 9), "rows, columns, channels"),
    ],
)
def test_inputs_without_a_hexagon_are_refused(options, shape, message):
    """The symmetry needs a hexagon, or the user's word that every entry is a cell."""
    with pytest.raises(ValueError, match=message):
        HexConv2D(2, **options).build(shape)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
def test_it_trains_inside_a_model_and_survives_saving(tmp_path):
    """The loss falls, the mean over cells and orientations is invariant, and the same output comes from the file."""
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [
            keras.Input((9, 9, 2)),
            HexConv2D(3, activation="relu"),
            HexConv2D(2, 2, activation="relu", use_bias=False),
            keras.layers.GlobalAveragePooling3D(),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    losses = model.fit(MAPS, np.ones((3, 2)), epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(np.asarray(model(rotate_hexagon(MAPS, 2))), np.asarray(model(MAPS)), atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(MAPS)), np.asarray(model(MAPS)))
