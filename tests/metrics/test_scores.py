"""Values against SciPy and closed forms, errors by the pulls of many toy samples.

A pull is (value - truth) / error. If the error is right, pulls have mean 0 and width 1; from T toys the mean is known
to 1 / sqrt(T) and the width to 1 / sqrt(2 T).
"""

import numpy as np
import pytest
from scipy import stats

from dlphys.metrics import (
    accuracy_with_error,
    area_under_roc,
    correlation_with_error,
    mean_with_error,
    rayleigh_sigma,
    resolution68,
    resolution_in_bins,
)

TOYS = 2000
N = 500


def pulls(metric, draw, truth, seed):
    random = np.random.default_rng(seed)
    results = np.array([metric(draw(random)) for _ in range(TOYS)])
    return (results[:, 0] - truth) / results[:, 1]


def correlated(random):
    a, b = random.standard_normal((2, N))
    return a, 0.6 * a + 0.8 * b


@pytest.mark.parametrize(
    ("metric", "draw", "truth"),
    [
        pytest.param(accuracy_with_error, lambda random: random.random(N) < 0.8, 0.8, id="accuracy"),
        pytest.param(mean_with_error, lambda random: random.exponential(3.0, N), 3.0, id="mean"),
        pytest.param(rayleigh_sigma, lambda random: random.rayleigh(0.069, N), 0.069, id="rayleigh"),
        pytest.param(lambda pair: correlation_with_error(*pair), correlated, 0.6, id="correlation"),
        pytest.param(resolution68, lambda random: random.normal(0, 2, N), 2 * stats.norm.ppf(0.84), id="resolution68"),
    ],
)
def test_pulls_have_mean_zero_and_width_one(metric, draw, truth):
    """Toy samples of 500 events; skewness and bias of order 1 / n allow 0.05 more than statistics."""
    pull = pulls(metric, draw, truth, seed=1)
    assert abs(pull.mean()) < 4 / np.sqrt(TOYS) + 0.05
    assert abs(pull.std() - 1) < 4 / np.sqrt(2 * TOYS) + 0.05


@pytest.mark.parametrize(
    "result",
    [
        accuracy_with_error(np.array([True, False])),
        mean_with_error([1, 2]),
        rayleigh_sigma([1, 2]),
        correlation_with_error([1, 2, 3, 4], [1, 3, 2, 4]),
        resolution68([1, 2]),
    ],
)
def test_results_are_pairs_of_plain_floats(result):
    """Plain floats print as numbers everywhere."""
    assert isinstance(result, tuple)
    assert [type(x) for x in result] == [float, float]


def test_accuracy_is_the_fraction_and_its_error_the_posterior_width():
    """Beta(k + 1, n - k + 1), the posterior for a flat prior (SciPy)."""
    for k, n in ((0, 10), (3, 10), (10, 10), (973, 1000)):
        value, error = accuracy_with_error(np.arange(n) < k)
        assert value == k / n
        assert error == pytest.approx(stats.beta(k + 1, n - k + 1).std(), rel=1e-12)


def test_accuracy_error_is_binomial_for_large_samples_and_never_zero():
    """sqrt(a (1 - a) / n), and about 1 / n where all answers are right."""
    value, error = accuracy_with_error(np.arange(100_000) < 90_000)
    assert error == pytest.approx(np.sqrt(value * (1 - value) / 100_000), rel=1e-3)
    assert accuracy_with_error(np.ones(1000, bool))[1] == pytest.approx(1e-3, rel=0.01)


def test_accuracy_takes_any_shape_and_zeros_and_ones():
    """An image of right and wrong pixels counts pixels."""
    correct = np.random.default_rng(1).random((20, 5, 5)) < 0.7
    assert accuracy_with_error(correct) == accuracy_with_error(correct.ravel().astype(int))


def test_mean_and_error_agree_with_scipy():
    """scipy.stats.sem."""
    x = np.random.default_rng(2).normal(5, 2, (10, 30))
    value, error = mean_with_error(x)
    assert value == pytest.approx(x.mean(), rel=1e-14)
    assert error == pytest.approx(stats.sem(x, axis=None), rel=1e-12)


def test_rayleigh_sigma_is_the_maximum_of_the_likelihood():
    """scipy.stats.rayleigh.fit with the position fixed at 0; the error is the inverse root of the curvature."""
    distance = np.random.default_rng(3).rayleigh(0.069, 1000)
    value, error = rayleigh_sigma(distance)
    assert value == pytest.approx(stats.rayleigh.fit(distance, floc=0)[1], rel=1e-6)
    step = 1e-5

    def log_likelihood(sigma):
        return stats.rayleigh(scale=sigma).logpdf(distance).sum()

    centre, sides = log_likelihood(value), log_likelihood(value - step) + log_likelihood(value + step)
    assert error == pytest.approx(1 / np.sqrt((2 * centre - sides) / step**2), rel=1e-3)


def test_rayleigh_sigma_relates_to_mean_and_root_mean_square():
    """Book, section 7.2: sigma 0.069 km belongs to a mean of 0.0865 km and a rms of 0.0976 km."""
    distance = np.random.default_rng(4).rayleigh(0.069, 40_000)
    value, error = rayleigh_sigma(distance)
    assert abs(value - 0.069) < 4 * error
    mean, mean_error = mean_with_error(distance)
    assert abs(mean - 0.0865) < 4 * mean_error
    assert value * np.sqrt(2) == pytest.approx(0.0976, abs=4 * np.sqrt(2) * error)


def test_correlation_agrees_with_scipy():
    """scipy.stats.pearsonr; its 68.27 % interval in Fisher's z is about as wide as two errors."""
    a, b = correlated(np.random.default_rng(5))
    value, error = correlation_with_error(a, b)
    expected = stats.pearsonr(a, b)
    assert value == pytest.approx(expected.statistic, rel=1e-12)
    interval = expected.confidence_interval(confidence_level=0.6827)
    assert error == pytest.approx((interval.high - interval.low) / 2, rel=0.01)


def test_correlation_knows_signs_shifts_and_scales():
    """r(a, -c b + d) = -r(a, b), and 1 for a line, also where the squares would leave the range of float64."""
    a, b = correlated(np.random.default_rng(6))
    value, _ = correlation_with_error(a, b)
    assert correlation_with_error(a, -3e200 * b + 1e200)[0] == pytest.approx(-value, rel=1e-12)
    assert correlation_with_error(a, 1e-200 * b)[0] == pytest.approx(value, rel=1e-12)
    assert correlation_with_error(a, 2 * a + 1) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))


@pytest.mark.parametrize("n", [2, 7, 25, 50, 100, 1001])
def test_resolution_is_the_smallest_radius_that_holds_68_percent(n):
    """NumPy's quantile by the inverted distribution function, and the definition."""
    residual = np.random.default_rng(n).normal(size=n)
    value, _ = resolution68(residual)
    assert value == np.quantile(np.abs(residual), 0.68, method="inverted_cdf")
    size = np.abs(residual)
    assert 100 * np.count_nonzero(size <= value) >= 68 * n
    assert 100 * np.count_nonzero(size < value) < 68 * n


def test_resolution_error_is_that_of_resampling():
    """2000 samples drawn with replacement; both are known to 1 / sqrt(4000)."""
    random = np.random.default_rng(7)
    residual = random.normal(size=300)
    plain = [resolution68(random.choice(residual, residual.size))[0] for _ in range(2000)]
    _, error = resolution68(residual, seed=8, resamples=2000)
    assert error == pytest.approx(np.std(plain, ddof=1), rel=4 * np.sqrt(2 / 4000))


def test_resolution_error_is_the_exact_bootstrap_of_maritz_and_jarrett():
    """scipy.stats.mstats.mjci, with a probability that names the same rank: its weights are the same beta function."""
    residual = np.random.default_rng(9).normal(size=1000)
    _, error = resolution68(residual, seed=10, resamples=100_000)
    assert error == pytest.approx(stats.mstats.mjci(np.abs(residual), prob=[0.68])[0], rel=0.02)


def test_resolution_repeats_with_its_seed_and_only_the_error_depends_on_it():
    """Design: no global state."""
    residual = np.random.default_rng(11).normal(size=200)
    assert resolution68(residual, seed=1) == resolution68(residual, seed=1)
    assert resolution68(residual, seed=1)[0] == resolution68(residual, seed=2)[0]
    assert resolution68(residual, seed=1)[1] != resolution68(residual, seed=2)[1]


def test_resolution_ignores_the_sign_and_hardly_feels_outliers():
    """The quantile of |residual|: one outlier in a thousand moves it by less than its error."""
    residual = np.random.default_rng(12).normal(size=1000)
    value, error = resolution68(residual)
    assert resolution68(-residual)[0] == value
    assert abs(resolution68(np.where(np.arange(1000) == 0, 1e6, residual))[0] - value) < error


def test_area_under_roc_counts_all_pairs_and_ties_as_one_half():
    """scipy.stats.mannwhitneyu: U over the number of pairs."""
    random = np.random.default_rng(13)
    score, label = random.integers(0, 8, size=300), random.integers(0, 2, size=300)
    value, _ = area_under_roc(score, label)
    u = stats.mannwhitneyu(score[label == 1], score[label == 0]).statistic
    assert value == pytest.approx(u / (np.sum(label == 1) * np.sum(label == 0)), rel=1e-12)
    assert area_under_roc(-score, label)[0] == pytest.approx(1 - value, rel=1e-12)


def test_area_under_roc_and_its_error_for_two_gaussians():
    """Phi(d / sqrt(2)) for unit Gaussians at distance d; the error is the scatter of toy samples."""
    random = np.random.default_rng(14)
    label = np.repeat([0, 1], [200, 300])
    results = np.array([area_under_roc(random.normal(size=500) + 1.5 * label, label) for _ in range(TOYS)])
    assert abs(results[:, 0].mean() - stats.norm.cdf(1.5 / np.sqrt(2))) < 4 * results[:, 0].std() / np.sqrt(TOYS)
    assert results[:, 1].mean() == pytest.approx(results[:, 0].std(), rel=4 / np.sqrt(2 * TOYS) + 0.01)


def test_resolution_in_bins_finds_mean_and_spread_of_each_bin():
    """Gaussian deviations of known bias and width; four errors of the bootstrap itself."""
    random = np.random.default_rng(13)
    truth = np.repeat([2.0, 20.0], 4000)
    bias, sigma = np.repeat([0.03, -0.01], 4000), np.repeat([0.1, 0.02], 4000)
    result = resolution_in_bins(truth * (1 + bias + sigma * random.normal(size=8000)), truth, [1, 10, 100])
    assert (np.abs(result.bias - [0.03, -0.01]) < 4 * result.bias_error).all()
    assert (np.abs(result.resolution - [0.1, 0.02]) < 4 * result.resolution_error).all()
    assert result.bias_error == pytest.approx(np.array([0.1, 0.02]) / np.sqrt(4000), rel=4 / np.sqrt(400))
    assert result.resolution_error == pytest.approx(np.array([0.1, 0.02]) / np.sqrt(8000), rel=4 / np.sqrt(400))


@pytest.mark.parametrize(("column", "truth"), [(0, 0.0), (2, np.sqrt(0.6))])
def test_errors_in_bins_are_those_of_new_samples(column, truth):
    """Deviations with a tail (Student's t with 5 degrees of freedom, scaled), where sigma / sqrt(2 n) is too small."""

    def metric(deviation):
        result = resolution_in_bins(1 + 0.01 * deviation, np.ones(N), [0.5, 2.0], resamples=100)
        return result[column][0], result[column + 1][0]

    pull = pulls(metric, lambda random: 0.6 * random.standard_t(5, N), 0.01 * truth, seed=14)
    assert abs(pull.mean()) < 0.35  # a sample with few events in the tail has a small value and a small error
    assert abs(pull.std() - 1) < 0.15


def test_resolution_in_bins_leaves_out_events_beyond_the_edges_and_keeps_the_last_edge():
    truth = np.array([0.5, 1.0, 2.0, 3.0, 9.0])
    inside = resolution_in_bins(1.1 * truth, truth, [1.0, 3.0])
    assert inside.bias == pytest.approx([0.1])
    assert inside.resolution == pytest.approx([0.0], abs=1e-12)
    two = resolution_in_bins(np.array([1.0, 1.0, 2.2, 3.3]), np.array([1.0, 1.0, 2.0, 3.0]), [1.0, 2.0, 3.0])
    assert two.bias == pytest.approx([0.0, 0.1])  # an event on an inner edge belongs to the bin above


def test_resolution_in_bins_repeats_with_its_seed():
    truth = np.linspace(1, 2, 50)
    estimate = truth * (1 + 0.1 * np.sin(np.arange(50)))
    first, again, other = (resolution_in_bins(estimate, truth, [1, 2], seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.resolution == other.resolution
    assert first.resolution_error != other.resolution_error
