"""Derivatives against finite differences and closed forms; what the attributions promise about their sum."""

import keras
import numpy as np
import pytest
from explain.networks import NETWORKS, filled, image_network, inputs_of, logits, table_network
from keras import layers

from dlphys import explain
from dlphys.explain import _arguments

IMAGE = image_network()


def product():
    """S(x) = x_0 x_1, whose explanations are known."""
    x = keras.Input((2,))
    return keras.Model(x, layers.Multiply()([x[:, :1], x[:, 1:]]))


def summed(values):
    return values.reshape(len(values), -1).sum(1, dtype=np.float64)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_saliency_is_the_finite_difference(make):
    """Smooth activations in float64; max pooling is smooth but for ties."""
    model = make("float64", "tanh")
    x = inputs_of(model, 2).astype(np.float64)
    chosen = [0, model.outputs[0].shape[1] - 1]
    found = explain.saliency(model, x, output=chosen)
    assert found.shape == x.shape
    assert found.dtype == np.float32

    def score(x):
        y = logits(model, x)
        if y.shape[1] > 1 and np.allclose(np.exp(y).sum(1), 1):  # of a softmax only differences are known
            return y[range(2), chosen] - y[range(2), [c - 1 for c in chosen]]
        return y[range(2), chosen]

    expected = np.zeros(x.shape)
    for i in np.ndindex(x.shape[1:]):
        shift = np.zeros(x.shape)
        shift[(slice(None), *i)] = 1e-6
        expected[(slice(None), *i)] = (score(x + shift) - score(x - shift)) / 2e-6
    k = model.outputs[0].shape[1]
    if np.allclose(np.exp(logits(model, x)).sum(1), 1):
        found = found - explain.saliency(model, x, output=[(c - 1) % k for c in chosen])
    np.testing.assert_allclose(found, expected, atol=1e-6 * abs(expected).max() + 1e-7, rtol=1e-5)


def test_the_sign_of_the_saliency_says_where_brighter_means_more():
    x = inputs_of(IMAGE)
    chosen = np.zeros(len(x), int)
    slope = explain.saliency(IMAGE, x, output=chosen)
    base = explain.scores(IMAGE, x, output=chosen)
    assert (explain.scores(IMAGE, x + 1e-3 * np.maximum(slope, 0), output=chosen) > base).all()
    assert (explain.scores(IMAGE, x - 1e-3 * np.minimum(slope, 0), output=chosen) < base).all()
    assert (explain.scores(IMAGE, x - 1e-3 * slope, output=chosen) < base).all()


@pytest.mark.parametrize("make", [image_network, NETWORKS["torus"], table_network])
def test_gradient_times_input_sums_to_the_output_of_a_relu_network_without_biases(make):
    model = make(biases=False)
    x = inputs_of(model)
    parts = explain.gradient_times_input(model, x)
    np.testing.assert_array_equal(parts, explain.saliency(model, x) * x)
    np.testing.assert_allclose(summed(parts), explain.scores(model, x), rtol=1e-4)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("baseline", [0.0, "random"])
def test_integrated_gradients_are_complete_to_a_ten_thousandth(make, baseline):
    """For ReLU networks with biases and max pooling, with few steps."""
    model = make()
    x = inputs_of(model)
    start = np.zeros_like(x) if baseline == 0.0 else inputs_of(model, seed=9)
    parts = explain.integrated_gradients(model, x, baseline=0.0 if baseline == 0.0 else start, steps=10, output=0)
    change = explain.scores(model, x, output=0) - explain.scores(model, start, output=0)
    np.testing.assert_allclose(summed(parts), change, atol=1e-4 * abs(change).max())


def test_integrated_gradients_converge_without_the_correction_and_agree_with_it():
    """Smooth network: complete to 1e-4 and far better by quadrature alone."""
    model = image_network("float64", "tanh", pooling=layers.AveragePooling2D)
    x = inputs_of(model)
    plain = explain.integrated_gradients(model, x, steps=24, corrected=False, output=1)
    change = explain.scores(model, x, output=1) - explain.scores(model, 0 * x, output=1)
    np.testing.assert_allclose(summed(plain), change, atol=1e-5)
    np.testing.assert_allclose(explain.integrated_gradients(model, x, steps=24, output=1), plain, atol=1e-6)


def test_the_correction_is_small_and_moves_towards_the_limit():
    """ReLU network: the default is within two hundredths of the largest value of 2000 steps."""
    x = inputs_of(IMAGE, 4)
    limit = explain.integrated_gradients(IMAGE, x, steps=2000)
    found = explain.integrated_gradients(IMAGE, x)
    assert abs(found - limit).max() < 0.02 * abs(limit).max()
    few = {c: explain.integrated_gradients(IMAGE, x, steps=3, corrected=c) for c in (False, True)}
    error = {c: np.sqrt(((values - limit) ** 2).mean()) for c, values in few.items()}
    assert error[True] < 1.05 * error[False]


def test_integrated_gradients_of_a_product_share_it_equally():
    x = np.array([[2.0, 3.0], [-1.0, 4.0]], np.float32)
    for corrected in (False, True):
        parts = explain.integrated_gradients(product(), x, steps=2, corrected=corrected)
        np.testing.assert_allclose(parts, 0.5 * np.repeat(x.prod(1, keepdims=True), 2, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(explain.integrated_gradients(product(), x, baseline=x), 0)


def test_a_baseline_may_be_a_number_an_event_or_an_event_each():
    x = inputs_of(IMAGE)
    number = explain.integrated_gradients(IMAGE, x, baseline=0.5)
    np.testing.assert_array_equal(number, explain.integrated_gradients(IMAGE, x, baseline=np.full((8, 8, 2), 0.5)))
    np.testing.assert_array_equal(number, explain.integrated_gradients(IMAGE, x, baseline=np.full(x.shape, 0.5)))


def test_expected_gradients_of_a_product_are_the_mean_over_baselines():
    """R_0 = <(x_0 - b_0) (x_1 + b_1) / 2>, within five standard errors of the sampling."""
    x = np.array([[2.0, 3.0]], np.float32)
    background = np.random.default_rng(3).normal(size=(20, 2)).astype(np.float32)
    exact = ((x - background) * (x + background)[:, ::-1]).mean(0) / 2
    runs = [explain.expected_gradients(product(), x, background, samples=200, seed=seed)[0] for seed in range(10)]
    error = np.std(runs, axis=0, ddof=1) / np.sqrt(10)
    np.testing.assert_array_less(abs(np.mean(runs, axis=0) - exact), 5 * error + 1e-6)
    assert (error < 0.02).all()


def test_expected_gradients_are_complete_within_their_error():
    x, background = inputs_of(IMAGE), inputs_of(IMAGE, 10, seed=4)
    change = explain.scores(IMAGE, x, output=0) - explain.scores(IMAGE, background, output=0).mean()
    runs = [summed(explain.expected_gradients(IMAGE, x, background, samples=400, output=0, seed=s)) for s in range(5)]
    error = np.std(runs, axis=0, ddof=1)
    assert (abs(np.mean(runs, axis=0) - change) < 5 * np.maximum(error, error.mean()) / np.sqrt(5)).all()
    assert error.mean() < 0.2 * change.std()


def test_expected_gradients_use_every_baseline_equally_often():
    draws = _arguments.even_draws(np.random.default_rng(1), 3, 12, 4)
    for row in draws:
        np.testing.assert_array_equal(np.bincount(row), 3)
    assert not np.array_equal(draws[0], draws[1])


def test_smooth_grad_without_noise_is_the_saliency():
    x = inputs_of(IMAGE)
    found = explain.smooth_grad(IMAGE, x, noise=0.0, samples=3, seed=1)
    np.testing.assert_allclose(found, explain.saliency(IMAGE, x), atol=1e-6)


def test_smooth_grad_is_the_mean_over_gaussian_noise_in_units_of_the_range():
    """The mean step function is the Gaussian integral: dS/dx of ReLU(x_0) at 0.5 with a noise of 0.25 times 2."""
    from scipy.stats import norm

    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, activation="relu", use_bias=False)])
    model.set_weights([np.array([[1.0], [0.0]])])
    x = np.array([[0.5, 2.5]], np.float32)
    found = explain.smooth_grad(model, x, noise=0.25, samples=40_000, output=0, seed=1)
    np.testing.assert_allclose(found, [[norm.cdf(1.0), 0.0]], atol=5 * 0.37 / 200)


def test_one_seed_gives_the_same_result_and_another_one_does_not():
    x = inputs_of(IMAGE)
    for method in (
        lambda seed, **o: explain.smooth_grad(IMAGE, x, samples=5, seed=seed, **o),
        lambda seed, **o: explain.expected_gradients(IMAGE, x, x, samples=5, seed=seed, **o),
    ):
        np.testing.assert_array_equal(method(1), method(1))
        np.testing.assert_array_equal(method(1), method(np.random.default_rng(1)))
        np.testing.assert_allclose(method(1, batch_size=7), method(1), atol=1e-5)
        assert abs(method(1) - method(2)).max() > 1e-3


def test_the_compiled_way_and_the_direct_way_agree(monkeypatch):
    x = inputs_of(IMAGE, 10)
    direct = explain.integrated_gradients(IMAGE, x, steps=6)
    monkeypatch.setattr(_arguments, "WORTH_COMPILING", 1)
    np.testing.assert_allclose(explain.integrated_gradients(IMAGE, x, steps=6), direct, atol=2e-6)
    np.testing.assert_allclose(explain.integrated_gradients(IMAGE, x, steps=6, batch_size=7), direct, atol=2e-6)


def test_one_by_one_gives_the_same():
    model = filled(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))
    x = inputs_of(model)
    together = explain.saliency(model, x)
    np.testing.assert_array_equal(together, np.concatenate([explain.saliency(model, x[k : k + 1]) for k in range(6)]))
