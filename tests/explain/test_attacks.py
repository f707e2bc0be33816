"""Attacks: their size, their direction, and that they raise the loss."""

import keras
import numpy as np
import pytest
from explain.networks import image_network, inputs_of, sequence_network, table_network
from keras import layers

from dlphys import explain

IMAGE = image_network()
X = inputs_of(IMAGE, 20)
LABELS = np.asarray(IMAGE(X)).argmax(1)


def loss(x, labels=LABELS):
    return -np.log(np.asarray(IMAGE(x))[range(len(x)), labels] + 1e-30)


def test_the_step_is_the_sign_of_the_slope_of_the_loss():
    """Of a linear model with a sigmoid: -(y - p) w."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, activation="sigmoid")])
    model.set_weights([np.array([[1.0], [-2.0], [0.5], [0.0]]), np.zeros(1)])
    x = inputs_of(model)
    labels = np.arange(6) % 2
    found = explain.fast_gradient_sign(model, x, labels, strength=0.1)
    direction = np.where(labels == 1, -1, 1)[:, None] * [1, -1, 1, 0]
    np.testing.assert_allclose(found, x + 0.1 * direction, atol=1e-6)


def test_the_attack_raises_the_loss_far_more_than_random_signs_of_the_same_size():
    signs = np.random.default_rng(1).choice([-1.0, 1.0], X.shape)
    attacked = explain.fast_gradient_sign(IMAGE, X, LABELS, strength=0.05)
    assert abs(attacked - X).max() == pytest.approx(0.05, rel=1e-4)
    rise, random_rise = loss(attacked) - loss(X), loss(X + 0.05 * signs) - loss(X)
    assert rise.mean() > 5 * abs(random_rise.mean())
    assert (rise > 0).all()


def test_small_steps_find_a_larger_loss_within_the_same_bounds():
    fast = explain.fast_gradient_sign(IMAGE, X, LABELS, strength=0.3)
    projected = explain.projected_gradient(IMAGE, X, LABELS, strength=0.3, steps=20, seed=1)
    assert abs(projected - X).max() <= 0.3 + 1e-6
    assert loss(projected).mean() > loss(fast).mean()


def test_one_full_step_from_the_input_is_the_fast_attack():
    for bounds in (None, (-1.0, 1.0)):
        fast = explain.fast_gradient_sign(IMAGE, X.clip(-1, 1), LABELS, strength=0.1, bounds=bounds)
        options = {"strength": 0.1, "steps": 1, "step_size": 0.1, "random_start": False, "bounds": bounds}
        np.testing.assert_allclose(explain.projected_gradient(IMAGE, X.clip(-1, 1), LABELS, **options), fast, atol=1e-6)
    assert abs(fast).max() <= 1


def test_a_sure_network_is_attacked_too():
    """Its softmax rounds to one and zero; the loss is calculated before it."""
    model = table_network()
    sure = keras.Sequential([*model.layers[:-1], layers.Dense(3, activation="softmax")])
    sure.build((None, 6))
    sure.layers[-1].set_weights([1e4 * w for w in model.layers[-1].get_weights()])
    x = inputs_of(sure)
    probability = np.asarray(sure(x))
    assert (probability.max(1) == 1).all()
    attacked = explain.fast_gradient_sign(sure, x, probability.argmax(1), strength=0.1)
    np.testing.assert_allclose(abs(attacked - x), 0.1, atol=1e-6)


def test_a_regression_moves_away_from_the_true_value():
    model = table_network()
    x = inputs_of(model)
    truth = np.asarray(model(x)) + 0.5
    attacked = explain.fast_gradient_sign(model, x, truth, strength=0.01)
    before, after = (((np.asarray(model(at)) - truth) ** 2).sum(1) for at in (x, attacked))
    assert (after > before).all()


@pytest.mark.parametrize(
    "own", ["sparse_categorical_crossentropy", keras.losses.SparseCategoricalCrossentropy(), "mine"]
)
def test_a_loss_of_ones_own_is_used(own):
    def mine(labels, outputs):
        return -keras.ops.log(keras.ops.take_along_axis(outputs, labels[:, None], axis=1))

    found = explain.fast_gradient_sign(IMAGE, X, LABELS, strength=0.1, loss=mine if own == "mine" else own)
    np.testing.assert_allclose(found, explain.fast_gradient_sign(IMAGE, X, LABELS, strength=0.1), atol=1e-6)


def test_labels_may_be_probabilities_or_several_sigmoids():
    one_hot = np.eye(4)[LABELS]
    np.testing.assert_allclose(
        explain.fast_gradient_sign(IMAGE, X, one_hot, strength=0.1),
        explain.fast_gradient_sign(IMAGE, X, LABELS, strength=0.1),
        atol=1e-6,
    )
    sequence = sequence_network()
    x = inputs_of(sequence)
    for labels in (np.ones(6), np.ones((6, 1), int), np.ones(6, bool)):
        attacked = explain.fast_gradient_sign(sequence, x, labels, strength=0.1)
        assert (np.asarray(sequence(attacked)) < np.asarray(sequence(x))).all()


def test_a_random_start_comes_from_the_seed():
    options = {"strength": 0.1, "steps": 2}
    first = explain.projected_gradient(IMAGE, X, LABELS, seed=1, **options)
    np.testing.assert_array_equal(first, explain.projected_gradient(IMAGE, X, LABELS, seed=1, **options))
    assert abs(first - explain.projected_gradient(IMAGE, X, LABELS, seed=2, **options)).max() > 0.01
