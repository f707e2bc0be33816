"""Locally connected layer: against the convolution that it becomes when all places have the same filter."""

import keras
import numpy as np
import pytest

from dlphys.autodiff import gradient
from dlphys.layers import LocallyConnected2D

IMAGES = np.random.default_rng(8).normal(size=(3, 9, 8, 2)).astype("float32")


@pytest.mark.parametrize(("kernel", "strides"), [(3, 1), ((2, 4), (1, 3)), (1, 2), ((9, 8), 1)])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_with_the_same_filter_everywhere_it_is_a_convolution(kernel, strides, activation):
    """keras.layers.Conv2D with padding "valid"."""
    convolution = keras.layers.Conv2D(5, kernel, strides=strides, activation=activation, bias_initializer="normal")
    expected = np.asarray(convolution(IMAGES))
    layer = LocallyConnected2D(5, kernel, strides=strides, activation=activation)
    layer.build(IMAGES.shape)
    filters, bias = convolution.get_weights()
    places = expected.shape[1:3]
    layer.set_weights(
        [np.broadcast_to(filters.reshape(-1, 5), (*places, filters.size // 5, 5)), np.broadcast_to(bias, (*places, 5))]
    )
    np.testing.assert_allclose(np.asarray(layer(IMAGES)), expected, atol=1e-5)
    assert layer.compute_output_shape(IMAGES.shape) == expected.shape


def test_each_place_uses_its_own_filter_and_bias():
    """Changing the weights of one place changes the output there and nowhere else."""
    layer = LocallyConnected2D(1, 3)
    before = np.asarray(layer(IMAGES))
    kernel, bias = layer.get_weights()
    kernel[2, 4] += 1.0
    bias[5, 1] += 2.0
    layer.set_weights([kernel, bias])
    changed = np.argwhere(np.abs(np.asarray(layer(IMAGES)) - before).max(axis=(0, 3)) > 1e-6)
    assert changed.tolist() == [[2, 4], [5, 1]]


def test_the_number_of_parameters_is_that_of_a_convolution_at_every_output_pixel():
    """(nc nw nh nf + nf) per place, from (8.4) without sharing."""
    layer = LocallyConnected2D(16, 3)
    layer.build((None, 32, 32, 3))
    assert layer.count_params() == 30 * 30 * (3 * 3 * 3 * 16 + 16)
    without = LocallyConnected2D(16, 3, use_bias=False)
    without.build((None, 32, 32, 3))
    assert without.count_params() == 30 * 30 * 3 * 3 * 3 * 16


def test_outputs_depend_on_their_patch_only():
    """Support of the gradient of one output pixel."""
    layer = LocallyConnected2D(1, 3, strides=2)
    slope = np.asarray(gradient(lambda x: layer(x)[:, 1, 2, 0], IMAGES))
    assert np.argwhere(slope[0, :, :, 0]).min(0).tolist() == [2, 4]
    assert np.argwhere(slope[0, :, :, 0]).max(0).tolist() == [4, 6]


def test_weights_start_with_the_spread_of_a_convolution():
    """Glorot uniform: variance 2 / (fan in + fan out) with the fans of one place; 4 standard errors."""
    layer = LocallyConnected2D(8, 3)
    layer.build((None, 20, 20, 4))
    kernel = layer.get_weights()[0]
    variance = 2 / (9 * (4 + 8))
    assert abs(kernel.var() / variance - 1) < 4 * np.sqrt(0.8 / kernel.size)


def test_an_open_or_too_small_input_is_refused():
    """The number of weights depends on the size of the image."""
    with pytest.raises(ValueError, match="fixed height"):
        LocallyConnected2D(2, 3).build((None, None, 8, 1))
    with pytest.raises(ValueError, match="kernel_size must be at most the 8 x 2 pixels"):
        LocallyConnected2D(2, 3).build((None, 8, 2, 1))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
def test_it_trains_inside_a_model_and_survives_saving(tmp_path):
    """The loss falls, and the same output comes from the file."""
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [keras.Input((9, 8, 2)), LocallyConnected2D(2, 3, strides=2, activation="relu"), keras.layers.Flatten()]
    )
    target = np.ones(model(IMAGES).shape)
    model.compile("adam", "mse")
    losses = model.fit(IMAGES, target, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(IMAGES)), np.asarray(model(IMAGES)))
