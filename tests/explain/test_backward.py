"""DeconvNet and guided backpropagation: the adjoint, unpooling with switches, and both methods written out in NumPy."""

import keras
import numpy as np
import pytest
from explain.networks import filled, image_network, inputs_of, pooled_network, sequence_network
from keras import layers

from dlphys import explain
from dlphys.explain._backward import transposed
from dlphys.explain._graph import Affine

RANDOM = np.random.default_rng(5)
IMAGE = image_network()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv1D(4, 3), (9, 2)),
        (layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (9, 2)),
        (layers.Conv2D(4, 3), (7, 6, 2)),
        (layers.Conv2D(4, (3, 2), padding="same", strides=2), (7, 6, 2)),
        (layers.Conv2D(4, 3, dilation_rate=2), (7, 6, 2)),
        (layers.Conv2D(4, 3, groups=2), (7, 6, 2)),
        (layers.Conv3D(3, 2), (4, 4, 4, 2)),
        (layers.Dense(4), (7,)),
        (layers.Dense(4), (7, 3)),
    ],
    ids=lambda value: value if isinstance(value, tuple) else type(value).__name__,
)
def test_what_goes_back_is_the_adjoint_of_what_went_forward(layer, shape):
    """<W x, y> = <x, W^T y>, the bias left out."""
    x = RANDOM.normal(size=(2, *shape)).astype(np.float32)
    layer(x)
    layer.set_weights([RANDOM.normal(size=w.shape) for w in layer.get_weights()])
    affine = Affine(layer)
    kernel, _ = affine.weights()
    forward = np.asarray(affine.apply(x, kernel))
    y = RANDOM.normal(size=forward.shape).astype(np.float32)
    back = np.asarray(transposed(affine, x, y))
    assert (forward * y).sum() == pytest.approx((x * back).sum(), rel=1e-4)
    np.testing.assert_allclose(np.asarray(affine(x)), layer(x), atol=1e-6)


def test_the_adjoint_of_a_convolution_is_the_transposed_convolution_with_its_kernel():
    """The layer that Keras has for it, with the same kernel."""
    layer = layers.Conv2D(4, 3, use_bias=False)
    x = RANDOM.normal(size=(2, 7, 6, 2)).astype(np.float32)
    y = RANDOM.normal(size=layer(x).shape).astype(np.float32)
    other = layers.Conv2DTranspose(2, 3, use_bias=False)
    other(y)
    other.set_weights(layer.get_weights())
    np.testing.assert_allclose(transposed(Affine(layer), x, y), other(y), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.MaxPooling1D(2), (8, 3)),
        (layers.MaxPooling2D(2), (8, 6, 3)),
        (layers.MaxPooling2D((3, 2), padding="same"), (8, 6, 3)),
        (layers.GlobalMaxPooling2D(), (8, 6, 3)),
    ],
)
def test_unpooling_with_switches_then_pooling_returns_the_pooled_map(layer, shape):
    x = RANDOM.uniform(0.1, 1.0, (2, *shape)).astype(np.float32)
    pooled = layer(x)
    unpooled = np.asarray(transposed(layer, x, pooled))
    np.testing.assert_array_equal(layer(unpooled), pooled)
    assert np.count_nonzero(unpooled) == np.size(pooled)
    np.testing.assert_array_equal(unpooled[unpooled > 0], x[unpooled > 0])


def by_hand(kernels, x, rectify):
    """A dense ReLU network without biases, backwards in plain NumPy; ``rectify(signal, z)`` at each ReLU."""
    values = [x]
    for kernel in kernels[:-1]:
        values.append(np.maximum(values[-1] @ kernel, 0))
    signal = np.tile(kernels[-1][:, 1], (len(x), 1))
    for kernel, before in zip(kernels[-2::-1], values[-2::-1], strict=True):
        signal = rectify(signal, before @ kernel) @ kernel.T
    return signal


RULES = {
    "saliency": (explain.saliency, lambda g, z: g * (z > 0)),
    "deconvnet": (explain.deconvnet, lambda g, z: g * (g > 0)),
    "guided_backpropagation": (explain.guided_backpropagation, lambda g, z: g * (g > 0) * (z > 0)),
}


@pytest.mark.parametrize(("method", "rectify"), RULES.values(), ids=RULES)
def test_the_three_ways_through_a_relu_as_written_in_numpy(method, rectify):
    widths = (6, 9, 8, 3)
    stack = [layers.Dense(n, activation="relu", use_bias=False) for n in widths[1:-1]]
    model = filled(keras.Sequential([keras.Input((6,)), *stack, layers.Dense(3, use_bias=False)]))
    x = inputs_of(model)
    expected = by_hand(model.get_weights(), x, rectify)
    np.testing.assert_allclose(method(model, x, output=1), expected, atol=1e-5)


def test_without_activations_all_three_are_the_derivative():
    model = sequence_network(activation="linear")
    x = inputs_of(model)
    for method, _ in RULES.values():
        np.testing.assert_allclose(method(model, x), explain.saliency(model, x), atol=1e-6)


def test_only_the_strongest_activation_of_the_channel_is_mapped_back():
    """The trace stays inside what this neuron sees, and is the derivative of that neuron if the kernel is positive."""
    model = pooled_network()
    model.layers[1].set_weights([abs(w) for w in model.layers[1].get_weights()])
    x = abs(inputs_of(model))
    first = model.layers[1].name
    maps = explain.activations(model, x, layer=first)[..., 2]
    trace = explain.deconvnet(model, x, layer=first, channel=2)[..., 0]
    kernel = model.layers[1].get_weights()[0][:, :, 0, 2]
    for image, back in zip(maps, trace, strict=True):
        row, column = np.unravel_index(image.argmax(), image.shape)
        expected = np.zeros((8, 8))
        for i, j in np.ndindex(3, 3):
            expected[(row + i - 1) % 8, (column + j - 1) % 8] = kernel[i, j] * image.max()
        np.testing.assert_allclose(back, expected, atol=1e-5)


def test_a_place_can_be_chosen_and_the_whole_layer_has_the_strongest_of_its_channels():
    x = inputs_of(IMAGE)
    maps = explain.activations(IMAGE, x, layer="last")
    every = np.stack([explain.deconvnet(IMAGE, x, layer="last", channel=c) for c in range(6)], axis=1)
    best = maps.max(axis=(1, 2)).argmax(1)
    np.testing.assert_array_equal(explain.deconvnet(IMAGE, x, layer="last"), every[np.arange(6), best])
    place = np.unravel_index(maps[0, ..., 3].argmax(), maps.shape[1:3])
    chosen = explain.deconvnet(IMAGE, x[:1], layer="last", channel=3, unit=[int(k) for k in place])
    np.testing.assert_allclose(chosen, every[:1, 3], atol=1e-6)
    dense = explain.guided_backpropagation(IMAGE, x, layer="wide", channel=3)
    silent = explain.activations(IMAGE, x, layer="wide")[:, 3] == 0
    assert not dense[silent].any()
    assert dense[~silent].any(axis=(1, 2, 3)).all()


def test_without_switches_a_value_is_spread_over_its_window():
    model = keras.Sequential([keras.Input((4, 1)), layers.MaxPooling1D(2), layers.Flatten(), layers.Dense(1)])
    model.set_weights([np.array([[3.0], [-1.0]]), np.zeros(1)])
    found = explain.deconvnet(model, np.arange(4.0).reshape(1, 4, 1), switches=False)
    np.testing.assert_allclose(found.ravel(), [1.5, 1.5, -0.5, -0.5])
    for other in (IMAGE, sequence_network()):
        x = inputs_of(other)
        spread = explain.deconvnet(other, x, switches=False)
        assert spread.shape == x.shape
        assert np.isfinite(spread).all()
        assert not np.allclose(spread, explain.deconvnet(other, x))


def test_guided_backpropagation_uses_the_derivative_of_smooth_rectifiers():
    model = filled(keras.Sequential([keras.Input((5,)), layers.Dense(7, activation="elu"), layers.Dense(1)]))
    x = inputs_of(model)
    kernel, bias, last, _ = model.get_weights()
    z = x @ kernel + bias
    signal = np.maximum(last[:, 0], 0) * np.where(z > 0, 1.0, np.exp(z))
    np.testing.assert_allclose(explain.guided_backpropagation(model, x), signal @ kernel.T, atol=1e-5)
