"""Heads that predict densities: against SciPy, by normalisation, and by what they learn."""

import keras
import numpy as np
import pytest
from scipy import special, stats

from dlphys.autodiff import gradient
from dlphys.layers import MixtureDensity, gaussian_negative_log_likelihood, mixture_density_loss, mixture_parameters

RANDOM = np.random.default_rng(16)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_the_gaussian_loss_is_minus_the_logarithm_of_the_density(dimensions):
    """scipy.stats.norm, double precision."""
    y, mean = RANDOM.normal(size=(2, 20, dimensions))
    log_variance = RANDOM.normal(size=(20, dimensions))
    found = np.asarray(gaussian_negative_log_likelihood(y, np.concatenate([mean, log_variance], axis=1)))
    np.testing.assert_allclose(found, -stats.norm.logpdf(y, mean, np.exp(log_variance / 2)).sum(axis=1), rtol=1e-12)


def test_a_target_without_a_second_axis_and_one_with_are_the_same():
    outputs = RANDOM.normal(size=(20, 2))
    y = RANDOM.normal(size=20)
    first, second = (np.asarray(gaussian_negative_log_likelihood(target, outputs)) for target in (y, y[:, None]))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (20,)
    mixture = RANDOM.normal(size=(20, 6))
    first, second = (np.asarray(mixture_density_loss(target, mixture)) for target in (y, y[:, None]))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_beta_weights_the_gradient_by_the_variance(beta):
    """d/d mean = -(y - mean) sigma^(2 beta - 2): with beta = 1 that of half the square error."""
    y = RANDOM.normal(size=(20, 1))
    outputs = RANDOM.normal(size=(20, 2))
    slope = np.asarray(gradient(lambda z: gaussian_negative_log_likelihood(y, z, beta=beta), outputs))
    variance = np.exp(outputs[:, 1])
    residual = y[:, 0] - outputs[:, 0]
    np.testing.assert_allclose(slope[:, 0], -residual * variance ** (beta - 1), rtol=1e-10)
    np.testing.assert_allclose(slope[:, 1], 0.5 * variance**beta * (1 - residual**2 / variance), rtol=1e-10)


def test_the_minimum_is_at_the_mean_and_variance_of_the_data():
    y = RANDOM.normal(3.0, 2.0, size=(1000, 1))

    def loss(mean, log_variance):
        outputs = np.tile([mean, log_variance], (1000, 1))
        return float(np.mean(gaussian_negative_log_likelihood(y, outputs)))

    best = loss(y.mean(), np.log(y.var()))
    assert best == pytest.approx(0.5 * np.log(2 * np.pi * np.e * y.var()), rel=1e-12)
    for step in (-0.1, 0.1):
        assert loss(y.mean() + step, np.log(y.var())) > best
        assert loss(y.mean(), np.log(y.var()) + step) > best


def outputs_of(components, dimensions, n=15):
    layer = MixtureDensity(components, dimensions)
    inputs = RANDOM.normal(size=(n, 4)).astype("float32")
    layer(inputs)
    layer.set_weights([RANDOM.normal(size=w.shape) for w in layer.get_weights()])
    return np.asarray(layer(inputs), dtype="float64")


@pytest.mark.parametrize(("components", "dimensions"), [(1, 1), (3, 1), (2, 3)])
def test_the_mixture_loss_is_minus_the_logarithm_of_the_sum_of_gaussians(components, dimensions):
    """scipy.stats.norm, term by term."""
    outputs = outputs_of(components, dimensions)
    weights, means, widths = mixture_parameters(outputs, dimensions)
    assert weights.shape == (15, components)
    assert means.shape == widths.shape == (15, components, dimensions)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-6)
    assert (widths >= 1e-3).all()
    y = RANDOM.normal(size=(15, dimensions))
    terms = np.log(weights) + stats.norm.logpdf(y[:, None], means, widths).sum(axis=2)
    expected = -special.logsumexp(terms, axis=1)
    np.testing.assert_allclose(np.asarray(mixture_density_loss(y, outputs)), expected, rtol=1e-9)


def test_the_density_is_normalised_and_has_the_moments_of_its_parameters():
    """Integral over a fine grid; mean sum a m, variance sum a (s^2 + m^2) - mean^2."""
    outputs = outputs_of(3, 1, n=1)
    grid = np.linspace(-60, 60, 240_001)
    density = np.exp(-np.asarray(mixture_density_loss(grid[:, None], np.tile(outputs, (len(grid), 1)))))
    weights, means, widths = (array[0].reshape(3) for array in mixture_parameters(outputs))
    assert np.trapezoid(density, grid) == pytest.approx(weights.sum(), rel=1e-6)
    mean = weights @ means
    assert np.trapezoid(grid * density, grid) == pytest.approx(mean, rel=1e-5)
    assert np.trapezoid((grid - mean) ** 2 * density, grid) == pytest.approx(
        weights @ (widths**2 + means**2) - mean**2, rel=1e-5
    )


def test_one_component_is_the_gaussian_head():
    outputs = outputs_of(1, 2)
    y = RANDOM.normal(size=(15, 2))
    gaussian = np.concatenate([outputs[:, 1:3], 2 * outputs[:, 3:5]], axis=1)
    np.testing.assert_allclose(
        np.asarray(mixture_density_loss(y, outputs)),
        np.asarray(gaussian_negative_log_likelihood(y, gaussian)),
        rtol=1e-9,
    )


def test_far_targets_give_finite_losses_and_gradients():
    """Where every density underflows: 1000 widths away."""
    outputs = outputs_of(3, 1).astype("float32")
    y = np.full((15, 1), 1e3, "float32")
    assert np.isfinite(np.asarray(mixture_density_loss(y, outputs))).all()
    assert np.isfinite(np.asarray(gradient(lambda z: mixture_density_loss(y, z), outputs))).all()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, when it saves
def test_a_mixture_learns_two_branches_and_survives_saving(tmp_path):
    """y = +-x with probabilities 0.3 and 0.7 and sigma 0.1; the entropy is the smallest loss there is."""
    keras.utils.set_random_seed(2)
    x = RANDOM.uniform(1, 2, size=(4000, 1))
    y = np.where(RANDOM.random((4000, 1)) < 0.3, x, -x) + 0.1 * RANDOM.normal(size=(4000, 1))
    model = keras.Sequential([keras.Input((1,)), MixtureDensity(2)])
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 480)
    model.compile(keras.optimizers.Adam(schedule), mixture_density_loss, steps_per_execution=16)
    model.fit(x, y, batch_size=250, epochs=30, verbose=0)
    loss = model.evaluate(x, y, batch_size=2000, verbose=0)
    entropy = -0.3 * np.log(0.3) - 0.7 * np.log(0.7) + np.log(0.1 * np.sqrt(2 * np.pi * np.e))
    assert loss == pytest.approx(entropy, abs=0.06)
    mixture = mixture_parameters(model.predict(x[:1000], verbose=0))
    upper = mixture.means[:, :, 0].argmax(axis=1)
    assert np.take_along_axis(mixture.weights, upper[:, None], 1).mean() == pytest.approx(0.3, abs=0.05)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(model(x)))
    assert again.evaluate(x, y, batch_size=2000, verbose=0) == pytest.approx(loss, rel=1e-6)


def test_the_gaussian_loss_learns_a_width_that_depends_on_the_input():
    """sigma = exp(a x + b) is in reach of a linear network: a and b are found."""
    keras.utils.set_random_seed(3)
    x = RANDOM.uniform(-1, 1, size=(8000, 1))
    y = 2 * x + np.exp(0.8 * x - 1) * RANDOM.normal(size=x.shape)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    schedule = keras.optimizers.schedules.CosineDecay(0.03, 960)
    model.compile(keras.optimizers.Adam(schedule), gaussian_negative_log_likelihood, steps_per_execution=32)
    model.fit(x, y, batch_size=250, epochs=30, verbose=0)
    kernel, bias = model.get_weights()
    assert kernel[0] == pytest.approx([2, 2 * 0.8], abs=0.1)  # of the mean, and of ln sigma^2
    assert bias == pytest.approx([0, -2], abs=0.1)


def test_half_precision_agrees_with_single():
    """The loss itself is always taken in single precision."""
    inputs = RANDOM.normal(size=(15, 4)).astype("float32")
    full, half = (MixtureDensity(3, 2, dtype=policy) for policy in ("float32", "mixed_float16"))
    full(inputs), half(inputs)
    half.set_weights(full.get_weights())
    assert half(inputs).dtype == "float16"
    y = RANDOM.normal(size=(15, 2))
    found, expected = (mixture_density_loss(y, layer(inputs)) for layer in (half, full))
    assert found.dtype == "float32"
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0.01, atol=0.01)
    outputs = RANDOM.normal(size=(15, 4)).astype("float16")
    single = np.asarray(gaussian_negative_log_likelihood(y, outputs.astype("float32")))
    np.testing.assert_allclose(np.asarray(gaussian_negative_log_likelihood(y, outputs)), single, rtol=1e-6)
