"""Activation maximisation: the objective grows, and inputs of known models are found."""

import keras
import numpy as np
import pytest
from explain.networks import filled, image_network, inputs_of, pooled_network
from keras import layers, ops

from dlphys import explain

IMAGE = image_network()


def objective(x, layer="last", channel=None, unit=None):
    maps = explain.activations(IMAGE, x, layer=layer)
    if channel is None:
        return (maps**2).mean(axis=tuple(range(1, maps.ndim)))
    return maps[..., channel].mean(axis=(1, 2)) if unit is None else maps[(slice(None), *unit, channel)]


@pytest.mark.parametrize("part", ["map", "neuron", "layer"])
def test_small_raw_steps_raise_the_objective_every_time(part):
    x = inputs_of(IMAGE, 1)
    maps = explain.activations(IMAGE, x, layer="last")[0]
    *place, channel = (int(k) for k in np.unravel_index(maps.argmax(), maps.shape))  # one that is not silent
    options = {"map": {"channel": channel}, "neuron": {"channel": channel, "unit": tuple(place)}, "layer": {}}[part]
    values = [objective(x, **options)[0]]
    for _ in range(15):
        x = explain.maximise_activation(
            IMAGE, layer="last", start=x, steps=1, step_size=0.01, normalised=False, **options
        )
        values.append(objective(x, **options)[0])
    assert (np.diff(values) > 0).all()


def test_a_raw_step_is_the_derivative_times_the_step_size():
    x = inputs_of(IMAGE, 3)
    found = explain.maximise_activation(IMAGE, output=1, start=x, steps=1, step_size=0.25, normalised=False)
    np.testing.assert_allclose(found, x + 0.25 * explain.saliency(IMAGE, x, output=1), atol=1e-6)


def test_a_normalised_step_has_the_size_that_was_asked_for():
    x = inputs_of(IMAGE, 3)
    change = explain.maximise_activation(IMAGE, output=1, start=x, steps=1, step_size=0.25) - x
    np.testing.assert_allclose(np.sqrt((change**2).mean(axis=(1, 2, 3))), 0.25, rtol=1e-5)


def test_from_noise_the_activation_is_far_above_that_of_noise():
    noise = np.random.default_rng(1).standard_normal((200, 8, 8, 2))
    found = explain.maximise_activation(IMAGE, layer="last", channel=range(6), steps=50, seed=1)
    assert found.shape == (6, 8, 8, 2)
    for channel in range(6):
        typical = objective(noise, channel=channel)
        assert objective(found[channel : channel + 1], channel=channel)[0] > typical.mean() + 10 * typical.std()


def test_the_image_of_a_class_is_taken_for_that_class():
    """A network that has learned to tell stripes in one direction from those in the other."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 400)
    rows = np.sign(np.sin(np.pi / 2 * np.arange(8) + random.uniform(0, 6, (400, 1))))[:, :, None] + np.zeros((1, 1, 8))
    images = np.where(labels[:, None, None] == 0, rows, rows.swapaxes(1, 2)) + random.normal(size=(400, 8, 8))
    keras.utils.set_random_seed(1)
    stack = [layers.Conv2D(8, 3, activation="relu"), layers.GlobalMaxPooling2D(), layers.Dense(2, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *stack])
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(images[..., None], labels, epochs=10, batch_size=40, verbose=0)
    found = explain.maximise_activation(model, output=[0, 1], seed=1)
    assert (np.diag(np.asarray(model(found))) > 0.99).all()


def test_the_result_starts_where_it_was_told_and_noise_comes_from_the_seed():
    kept = inputs_of(IMAGE, 2)
    np.testing.assert_array_equal(explain.maximise_activation(IMAGE, output=0, start=kept, step_size=0.0), kept)
    still = explain.maximise_activation(IMAGE, output=0, step_size=0.0, seed=3)
    np.testing.assert_allclose(still[0], np.random.default_rng(3).standard_normal((8, 8, 2)), rtol=1e-6)
    one = explain.maximise_activation(IMAGE, layer="last", channel=[1, 4], start=kept[0], steps=2)
    two = [explain.maximise_activation(IMAGE, layer="last", channel=c, start=kept[:1], steps=2)[0] for c in (1, 4)]
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_channels_in_batches_are_those_climbed_together():
    options = {"layer": "last", "channel": range(5), "steps": 4, "seed": 1}
    together = explain.maximise_activation(IMAGE, **options)
    np.testing.assert_allclose(explain.maximise_activation(IMAGE, batch_size=2, **options), together, atol=1e-4)


def test_bounds_hold():
    found = explain.maximise_activation(IMAGE, output=0, bounds=(-0.5, 1.0), seed=1)
    assert found.min() == -0.5
    assert found.max() == 1.0


def test_a_silent_neuron_is_climbed_before_its_activation():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, activation="relu", name="hidden"), layers.Dense(1)])
    model.set_weights([np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([-3.0, 0.0]), np.ones((2, 1)), np.zeros(1)])
    found = explain.maximise_activation(model, layer="hidden", channel=0, start=[0.0, 0.0], steps=4)
    assert explain.activations(model, found, layer="hidden")[0, 0] > 2
    assert found[0, 1] == 0


def test_any_size_of_image_needs_a_start():
    model = pooled_network()
    with pytest.raises(ValueError, match="start must be given for a model that takes inputs of any size"):
        explain.maximise_activation(model, output=0, seed=1)
    found = explain.maximise_activation(model, output=0, start=np.zeros((1, 10, 12, 1)), steps=2)
    assert found.shape == (1, 10, 12, 1)


def test_the_best_input_of_a_quadratic_is_found():
    """S = -(x - a)^2: fifty small raw steps lead to a."""
    x = keras.Input((3,))
    target = np.array([1.0, -2.0, 0.5], np.float32)
    model = filled(keras.Model(x, ops.sum(-((x - target) ** 2), axis=1, keepdims=True)))
    found = explain.maximise_activation(model, output=0, start=np.zeros(3), steps=60, step_size=0.1, normalised=False)
    np.testing.assert_allclose(found, [target], atol=1e-4)
