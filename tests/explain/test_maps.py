"""Class activation maps against the output they make up, and Grad-CAM against them."""

import keras
import numpy as np
import pytest
from explain.networks import filled, image_network, inputs_of, pooled_network, sequence_network
from keras import layers

from dlphys import explain
from dlphys.explain._maps import enlarged

POOLED = pooled_network()


def pooled_sequence():
    return filled(
        keras.Sequential(
            [
                keras.Input((12, 3)),
                layers.Conv1D(5, 3, activation="relu", name="last"),
                layers.GlobalAveragePooling1D(),
                layers.Dropout(0.5),
                layers.BatchNormalization(),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
    )


def pooled_kept():
    """The pooled map keeps its axes, and two dense layers in a row are one linear function."""
    return filled(
        keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Conv2D(5, 3, activation="relu", name="last"),
                layers.GlobalAveragePooling2D(keepdims=True),
                layers.Conv2D(4, 1),
                layers.Flatten(),
                layers.Dense(3),
                layers.Activation("softmax"),
            ]
        )
    )


@pytest.mark.parametrize("make", [pooled_network, pooled_sequence, pooled_kept])
@pytest.mark.parametrize("output", [None, 0])
def test_the_mean_of_the_map_is_the_output_before_the_softmax(make, output):
    model = make()
    x = inputs_of(model)
    maps = explain.class_activation_map(model, x, output=output)
    assert maps.shape == explain.activations(model, x, layer="last").shape[:-1]
    np.testing.assert_allclose(
        maps.reshape(len(x), -1).mean(1), explain.scores(model, x, output=output), rtol=1e-4, atol=1e-5
    )


def test_the_map_is_the_weighted_sum_of_the_feature_maps_and_the_bias():
    """Equation (12.8) with the weights of the model."""
    x = inputs_of(POOLED)
    kernel, bias = POOLED.layers[-1].get_weights()
    expected = explain.activations(POOLED, x, layer="last") @ kernel[:, 1] + bias[1]
    np.testing.assert_allclose(explain.class_activation_map(POOLED, x, output=1), expected, atol=1e-5)


def test_images_of_any_size():
    x = np.random.default_rng(1).normal(size=(2, 12, 20, 1)).astype(np.float32)
    assert explain.class_activation_map(POOLED, x).shape == (2, 6, 10)
    assert explain.class_activation_map(POOLED, x, upsampled=True).shape == (2, 12, 20)
    assert explain.saliency(POOLED, x).shape == x.shape


def test_a_model_of_another_form_is_told_what_stands_in_the_way():
    image, sequence = image_network(), sequence_network()
    with pytest.raises(ValueError, match=r"must end in global average pooling .*, got layer 'wide' \(Dense with act"):
        explain.class_activation_map(image, inputs_of(image))
    with pytest.raises(ValueError, match=r"got layer 'global_max_pooling1d.*' \(GlobalMaxPooling1D\) before them"):
        explain.class_activation_map(sequence, inputs_of(sequence))
    linear = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="got the input before them"):
        explain.class_activation_map(linear, np.ones((1, 3)))


@pytest.mark.parametrize("make", [pooled_network, pooled_sequence])
def test_grad_cam_of_a_pooled_network_is_the_class_activation_map(make):
    """Without the rectification: (M - b) / number of places."""
    model = make()
    x = inputs_of(model)
    maps = explain.class_activation_map(model, x)
    found = explain.grad_cam(model, x, layer="last", rectified=False)
    constant = maps - maps[0].size * found
    np.testing.assert_allclose(constant - constant.mean(axis=tuple(range(1, maps.ndim)), keepdims=True), 0, atol=1e-4)
    np.testing.assert_allclose(explain.grad_cam(model, x), np.maximum(found, 0), atol=1e-7)


def test_grad_cam_by_its_definition():
    model = image_network()
    x = inputs_of(model)
    top = keras.Sequential([keras.Input((3, 3, 6)), *model.layers[5:]])
    maps = explain.activations(model, x, layer="last")
    slopes = explain.saliency(top, maps)
    expected = np.maximum((slopes.mean((1, 2), keepdims=True) * maps).sum(-1), 0)
    np.testing.assert_allclose(explain.grad_cam(model, x, layer="last"), expected, atol=1e-5)
    assert explain.grad_cam(model, x, layer="last", upsampled=True).shape == x.shape[:-1]


def test_grad_cam_needs_maps():
    model = image_network()
    with pytest.raises(ValueError, match=r"layer must put out maps \(n, ..., c\), got shape \(6, 7\) from 'wide'"):
        explain.grad_cam(model, inputs_of(model), layer="wide")
    table = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="the model must have a layer that puts out maps"):
        explain.grad_cam(table, np.ones((1, 3)))


@pytest.mark.parametrize("shape", [(8, 10), (5, 7), (4, 5), (3, 2)])
def test_enlarging_agrees_with_keras_and_keeps_constants(shape):
    maps = np.random.default_rng(1).normal(size=(2, 4, 5)).astype(np.float32)
    if shape[0] >= 4:
        expected = keras.ops.image.resize(maps[..., None], shape, interpolation="bilinear")[..., 0]
        np.testing.assert_allclose(enlarged(maps, shape), expected, atol=1e-6)
    np.testing.assert_allclose(enlarged(np.ones((1, 4, 5)), shape), 1.0, rtol=1e-6)
    np.testing.assert_allclose(enlarged(np.full((1, 1, 1), 2.0), shape), 2.0, rtol=1e-6)
