"""Bayesian layers: moments and divergence in closed form, sampled; and what Keras asks of a layer."""

import keras
import numpy as np
import pytest
from scipy import stats

from dlphys.autodiff import compiled, gradient, value_and_gradients
from dlphys.layers import BayesianDense, MonteCarloDropout

RANDOM = np.random.default_rng(13)
X = RANDOM.normal(size=(6, 3)).astype("float32")
POLICIES = ["float32", "mixed_float16"]


def built(units=2, shape=X.shape, **keywords):
    """A layer with weights that differ from each other."""
    layer = BayesianDense(units, seed=1, **keywords)
    layer.build(shape)
    for weight in layer.weights:
        low, high = (-4.0, 0.5) if "rho" in weight.path else (-1.0, 1.0)
        weight.assign(RANDOM.uniform(low, high, size=weight.shape))
    return layer


def posterior(layer):
    """Means and widths of kernel and bias, w = mu + softplus(rho) eps."""
    kernel, kernel_rho, bias, bias_rho = (np.asarray(w, dtype="float64") for w in layer.get_weights())
    return kernel, np.log1p(np.exp(kernel_rho)), bias, np.log1p(np.exp(bias_rho))


@pytest.mark.parametrize("training", [True, False])
def test_outputs_have_the_mean_and_variance_of_sums_of_independent_weights(training):
    """E = x mu, Var = x^2 s^2; 20 000 draws, four standard errors, for both ways to draw."""
    layer = built()
    kernel, kernel_width, bias, bias_width = posterior(layer)
    mean, variance = X @ kernel + bias, X**2 @ kernel_width**2 + bias_width**2
    for found, expected in zip(layer.moments(X), (mean, variance), strict=True):
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)
    if training:  # every event draws for itself
        drawn = np.asarray(layer(np.repeat(X, 20_000, axis=0), training=True)).reshape(6, 20_000, 2).transpose(1, 0, 2)
    else:
        draw = compiled(layer)
        drawn = np.array([draw(X) for _ in range(2000)])
    count = len(drawn)
    assert (np.abs(drawn.mean(0) - mean) < 4.5 * np.sqrt(variance / count)).all()
    assert (np.abs(drawn.var(0) / variance - 1) < 4.5 * np.sqrt(2 / count)).all()
    assert stats.kstest(((drawn - mean) / np.sqrt(variance))[:, 0, 0], "norm").pvalue > 1e-3


def test_one_prediction_is_one_network_and_one_training_step_is_not():
    """Equal events give equal outputs in one call; in training each draws for itself. The next call draws anew."""
    layer = built()
    same = np.ones((4, 3), "float32")
    prediction, training = np.asarray(layer(same)), np.asarray(layer(same, training=True))
    assert np.ptp(prediction, axis=0).max() == 0
    assert len(np.unique(training[:, 0])) == 4
    assert np.abs(np.asarray(layer(same)) - prediction).max() > 0.01


def test_without_sampling_it_is_the_dense_layer_of_the_means():
    """keras.layers.Dense with the means as weights; switched while compiled."""
    layer = built(activation="tanh")
    model = keras.Sequential([keras.Input((3,)), layer])
    dense = keras.layers.Dense(2, "tanh")
    dense.build(X.shape)
    kernel, _, bias, _ = posterior(layer)
    dense.set_weights([kernel, bias])
    expected = np.asarray(dense(X))
    noisy = model.predict(X, verbose=0)
    layer.sampling = False
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(np.asarray(layer(X, training=True)), expected, atol=1e-6)
    layer.sampling = True
    again = model.predict(X, verbose=0)
    assert np.abs(noisy - expected).max() > 0.01
    assert np.abs(again - expected).max() > 0.01


@pytest.mark.parametrize("prior_width", [0.3, 1.0, 4.0])
def test_divergence_is_that_of_gaussians(prior_width):
    """ln(s_p / s) + (s^2 + mu^2) / (2 s_p^2) - 1/2, summed."""
    layer = built(prior_width=prior_width)
    kernel, kernel_width, bias, bias_width = posterior(layer)
    expected = 0.0
    for mu, s in ((kernel, kernel_width), (bias, bias_width)):
        expected += np.sum(np.log(prior_width / s) + (s**2 + mu**2) / (2 * prior_width**2) - 0.5)
    assert float(layer.divergence()) == pytest.approx(expected, rel=1e-5)


def test_divergence_is_the_mean_log_ratio_of_the_densities():
    """Monte Carlo: E_q[ln q(w) - ln p(w)] over 100 000 draws of all weights, SciPy's densities, four errors."""
    layer = built(prior_width=0.7)
    total, variance = 0.0, 0.0
    kernel, kernel_width, bias, bias_width = posterior(layer)
    for mu, s in ((kernel, kernel_width), (bias, bias_width)):
        w = mu + s * RANDOM.standard_normal((100_000, *mu.shape))
        ratio = (stats.norm.logpdf(w, mu, s) - stats.norm.logpdf(w, 0, 0.7)).reshape(100_000, -1).sum(axis=1)
        total, variance = total + ratio.mean(), variance + ratio.var() / 100_000
    assert abs(float(layer.divergence()) - total) < 4 * np.sqrt(variance)


def test_divergence_vanishes_at_the_prior_and_only_there():
    layer = BayesianDense(4, prior_width=0.5, initial_width=0.5)
    layer.build((None, 3))
    layer.kernel_mean.assign(np.zeros((3, 4)))
    assert float(layer.divergence()) == pytest.approx(0.0, abs=1e-5)
    layer.bias_mean.assign(np.full(4, 0.1))
    assert float(layer.divergence()) == pytest.approx(4 * 0.1**2 / (2 * 0.25), rel=1e-3)


def test_its_loss_is_the_weighted_divergence_and_the_weight_may_change_in_a_compiled_model():
    layer = built(kl_weight=0.5)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(loss=lambda y, p: 0.0 * p)
    kl = float(layer.divergence())
    assert model.evaluate(X, np.zeros((6, 2)), verbose=0) == pytest.approx(0.5 * kl, rel=1e-5)
    layer.kl_weight = 0.125
    assert model.evaluate(X, np.zeros((6, 2)), verbose=0) == pytest.approx(0.125 * kl, rel=1e-5)
    assert layer.get_config()["kl_weight"] == 0.125


def test_it_has_twice_the_parameters_of_a_dense_layer():
    """Example 13.1."""
    for use_bias in (True, False):
        dense, bayesian = keras.layers.Dense(7, use_bias=use_bias), BayesianDense(7, use_bias=use_bias)
        dense.build((None, 5)), bayesian.build((None, 5))
        assert bayesian.count_params() == 2 * dense.count_params()
        assert len(bayesian.trainable_variables) == 2 * len(dense.trainable_variables)


@pytest.mark.parametrize("width", [1e-4, 0.05, 3.0, 50.0])
def test_weights_start_with_the_initial_width(width):
    layer = BayesianDense(3, initial_width=width)
    layer.build((None, 4))
    for found in posterior(layer)[1::2]:
        assert found == pytest.approx(np.full_like(found, width), rel=1e-4)


def test_gradients_by_mean_and_width_are_those_of_the_drawn_output():
    """d out / d mu = x; d out / d rho has mean zero for a linear output and is finite also for events of zeros."""
    layer = built()
    zeros = np.zeros((2, 3), "float32")
    slope = np.asarray(gradient(lambda x: layer(x, training=True), zeros))
    assert np.isfinite(slope).all()
    layer = BayesianDense(1, use_bias=False)
    layer.build((None, 3))
    _, slopes = value_and_gradients(
        lambda: keras.ops.sum(layer(zeros, training=True)), [layer.kernel_mean, layer.kernel_rho]
    )
    assert np.isfinite(slopes[1]).all()
    _, (slope,) = value_and_gradients(lambda: keras.ops.sum(layer(X, training=True)), [layer.kernel_mean])
    np.testing.assert_allclose(np.asarray(slope)[:, 0], X.sum(0), rtol=1e-5)


def test_training_finds_the_exact_posterior_of_a_linear_model():
    """y = w x + noise with known sigma and the prior N(0, 1): posterior variance 1 / (1 + sum x^2 / sigma^2)."""
    x = RANDOM.normal(size=(200, 1)).astype("float32")
    sigma = 0.5
    y = (1.3 * x + sigma * RANDOM.normal(size=x.shape)).astype("float32")
    keras.utils.set_random_seed(1)
    layer = BayesianDense(1, kl_weight=1 / 200, use_bias=False, initial_width=0.2)
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.02, 1500)),
        loss=lambda t, p: 0.5 * keras.ops.square((t - p) / sigma),
        steps_per_execution=100,
    )
    model.fit(np.tile(x, (100, 1)), np.tile(y, (100, 1)), batch_size=200, epochs=15, verbose=0)
    precision = 1 + (x**2).sum() / sigma**2
    mean, width = float(layer.kernel_mean[0, 0]), float(keras.ops.softplus(layer.kernel_rho)[0, 0])
    assert mean == pytest.approx(float((x * y).sum() / sigma**2 / precision), abs=float(0.15 / np.sqrt(precision)))
    assert width == pytest.approx(float(1 / np.sqrt(precision)), rel=0.1)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
@pytest.mark.parametrize("policy", POLICIES)
def test_it_trains_in_a_model_with_any_batch_and_survives_saving(tmp_path, policy):
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            BayesianDense(8, "relu", kl_weight=1e-3, dtype=policy, seed=4),
            MonteCarloDropout(0.2, dtype=policy, seed=5),
            BayesianDense(1, prior_width=2.0, kl_weight=1e-3, use_bias=False, dtype=policy),
            keras.layers.Activation("linear", dtype="float32"),
        ]
    )
    model.compile("adam", "mse")
    data = RANDOM.normal(size=(10, 5, 3)).astype("float32")
    losses = model.fit(data, np.ones((10, 5, 1)), batch_size=4, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert model(data[:1, :2]).shape == (1, 2, 1)
    model.layers[0].sampling = model.layers[1].sampling = model.layers[2].sampling = False
    model.layers[0].kl_weight = 0.25
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.sampling for layer in again.layers[:3]] == [False] * 3
    assert again.layers[0].kl_weight == 0.25
    assert again.layers[2].prior_width == 2.0
    np.testing.assert_array_equal(np.asarray(again(data)), np.asarray(model(data)))


def test_half_precision_agrees_with_single():
    """Widths of 0.001, whose squares are below the steps of half precision."""
    full, half = (BayesianDense(4, initial_width=1e-3, dtype=policy) for policy in POLICIES)
    full(X), half(X)
    half.set_weights(full.get_weights())
    assert half(X).dtype == "float16"
    for found, expected in zip(half.moments(X), full.moments(X), strict=True):
        np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-2, atol=1e-3)
    np.testing.assert_allclose(np.asarray(half.moments(X)[1]), np.asarray(full.moments(X)[1]), rtol=1e-4)


@pytest.mark.parametrize("policy", POLICIES)
def test_dropout_is_active_in_prediction_and_keeps_mean_and_variance(policy):
    """Each input is 0 or 1 / (1 - rate) times itself: mean x, variance x^2 rate / (1 - rate); four errors."""
    layer = MonteCarloDropout(0.25, seed=2, dtype=policy)
    outputs = np.asarray(layer(np.full((2000, 50), 3.0, "float32"), training=False), dtype="float64")
    assert np.unique(outputs) == pytest.approx([0.0, 4.0])
    assert abs(outputs.mean() - 3.0) < 4 * np.sqrt(9 * (1 / 3) / outputs.size)
    assert len({tuple(row) for row in outputs}) > 1990, "each event has its own"
    layer.sampling = False
    assert (np.asarray(layer(np.full((2, 5), 3.0))) == 3.0).all()


def test_dropout_shares_its_decision_along_axes_of_length_one():
    layer = MonteCarloDropout(0.5, noise_shape=(1, None), seed=3)
    outputs = np.asarray(layer(np.ones((20, 100), "float32")))
    assert np.ptp(outputs, axis=0).max() == 0
    assert np.ptp(outputs, axis=1).max() == 2


def test_dropout_of_rate_zero_is_the_identity():
    np.testing.assert_array_equal(np.asarray(MonteCarloDropout(0.0)(X)), X)


def test_seeds_decide():
    """Two layers with one seed draw alike; so do two without, after one keras.utils.set_random_seed."""
    one, two = (np.asarray(MonteCarloDropout(0.5, seed=7)(np.ones((3, 50)))) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        results.append(np.asarray(BayesianDense(3)(X)))
    np.testing.assert_array_equal(*results)
