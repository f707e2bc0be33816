"""Gradient penalty against slopes known in closed form; the batch's spread against NumPy."""

import keras
import numpy as np
import pytest

from dlphys.autodiff import compiled, value_and_gradients
from dlphys.layers import MinibatchStandardDeviation, gradient_penalty

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("slope", "target", "expected"), [(3.0, 1.0, 4.0), (1.0, 1.0, 0.0), (0.0, 1.0, 1.0), (2, 0, 4)]
)
def test_a_linear_critic_has_the_same_slope_everywhere(slope, target, expected):
    """|grad (a . x)| = |a|."""
    a = np.array([0.6, 0.8], "float32") * slope
    real, generated = RANDOM.normal(size=(2, 50, 2)).astype("float32")
    penalty = gradient_penalty(lambda u: keras.ops.sum(u * a, axis=-1), real, generated, target=target)
    assert float(penalty) == pytest.approx(expected, abs=1e-4)


def test_points_lie_between_real_and_generated_events():
    seen = []

    def critic(u):
        seen.append(np.asarray(u))
        return keras.ops.sum(u, axis=(1, 2))

    real, generated = np.zeros((200, 3, 1), "float32"), np.ones((200, 3, 1), "float32")
    gradient_penalty(critic, real, generated)
    (points,) = seen
    np.testing.assert_array_equal(points[:, 0], points[:, 2])  # one share for the whole event
    assert points.min() >= 0
    assert points.max() <= 1
    assert points[:, 0, 0].std() == pytest.approx(12**-0.5, abs=0.05)


def test_it_trains_a_critic_in_a_compiled_step():
    keras.utils.set_random_seed(0)
    critic = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    optimizer = keras.optimizers.SGD(0.1)
    real, generated = RANDOM.normal(size=(2, 64, 2)).astype("float32")

    @compiled
    def step():
        loss, gradients = value_and_gradients(
            lambda: gradient_penalty(critic, real, generated), critic.trainable_variables
        )
        optimizer.apply(gradients, critic.trainable_variables)
        return loss

    losses = [float(step()) for _ in range(30)]
    assert losses[0] == pytest.approx((np.sqrt(2) - 1) ** 2, rel=1e-4)
    assert losses[-1] < 1e-4
    assert np.linalg.norm(critic.get_weights()[0]) == pytest.approx(1.0, abs=0.01)


def test_a_batch_of_equal_events_has_no_spread_and_others_have_theirs():
    layer = MinibatchStandardDeviation()
    x = RANDOM.normal(size=(16, 4, 4, 3)).astype("float32")
    y = np.asarray(layer(x))
    np.testing.assert_array_equal(y[..., :3], x)
    np.testing.assert_allclose(y[..., 3], x.std(axis=0).mean(), rtol=1e-5)
    assert np.asarray(layer(np.repeat(x[:1], 16, axis=0)))[..., 3].max() < 1e-3


def test_groups_are_compared_among_themselves():
    x = RANDOM.normal(size=(8, 5)).astype("float32") * np.repeat([1, 10], 4)[:, None].astype("float32")
    y = np.asarray(MinibatchStandardDeviation(4)(x))
    np.testing.assert_allclose(y[:, 5], np.repeat([x[:4].std(axis=0).mean(), x[4:].std(axis=0).mean()], 4), rtol=1e-5)


def test_it_stands_in_a_saved_critic(tmp_path):
    critic = keras.Sequential([keras.layers.Input((4, 4, 1)), MinibatchStandardDeviation(), keras.layers.Flatten()])
    critic.save(tmp_path / "critic.keras")
    x = RANDOM.normal(size=(6, 4, 4, 1))
    again = keras.saving.load_model(tmp_path / "critic.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), critic.predict(x, verbose=0))
    assert critic.output_shape == (None, 32)
