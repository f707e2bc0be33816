"""Calibration: values against SciPy and scikit-learn, errors by the pulls of toy samples."""

import numpy as np
import pytest
from scipy import optimize, special, stats
from sklearn.calibration import calibration_curve

from dlphys.metrics import accuracy_with_error, coverage, pulls, reliability, temperature_scaling

RANDOM = np.random.default_rng(21)
TOYS = 400


def draw(logits, random):
    """Labels that follow softmax(logits)."""
    below = special.softmax(logits, axis=1).cumsum(1)[:, :-1] < random.random((len(logits), 1))
    return below.sum(1)


@pytest.mark.parametrize(("classes", "temperature"), [(2, 2.5), (5, 0.6), (10, 1.0)])
def test_the_temperature_is_found_with_its_error(classes, temperature):
    """Labels follow softmax(z / T); pulls of ln T over 400 toy samples of 500 events."""
    found = []
    for seed in range(TOYS):
        random = np.random.default_rng(seed)
        true = 2 * random.normal(size=(500, classes))
        found.append(temperature_scaling(temperature * true, draw(true, random)))
    value, error = np.array(found).T
    pull = (np.log(value) - np.log(temperature)) / (error / value)
    assert abs(pull.mean()) < 4 / np.sqrt(TOYS) + 0.1
    assert abs(pull.std() - 1) < 4 / np.sqrt(2 * TOYS) + 0.03


def test_the_temperature_minimises_the_cross_entropy():
    """scipy.optimize on the cross-entropy itself; the error is the inverse root of its curvature."""
    logits = 3 * RANDOM.normal(size=(300, 4))
    labels = draw(logits / 2, RANDOM)

    def entropy(t):
        return -special.log_softmax(logits / t, axis=1)[np.arange(300), labels].sum()

    value, error = temperature_scaling(logits, labels)
    best = optimize.minimize_scalar(entropy, bracket=(1, 2), options={"xtol": 1e-10}).x
    assert value == pytest.approx(best, rel=1e-6)
    step = 1e-3
    curvature = (entropy(value + step) + entropy(value - step) - 2 * entropy(value)) / step**2
    assert error == pytest.approx(1 / np.sqrt(curvature), rel=1e-4)


def test_one_logit_is_that_of_class_1_and_shifts_and_scales_do_what_they_should():
    z = RANDOM.normal(size=200)
    labels = (RANDOM.random(200) < special.expit(z)).astype(int)
    expected = temperature_scaling(np.stack([np.zeros(200), z], axis=1), labels)
    assert temperature_scaling(z, labels) == pytest.approx(expected)
    assert temperature_scaling(z[:, None], labels[:, None]) == pytest.approx(expected)
    shifted = np.stack([np.zeros(200), z], axis=1) + 1000 * RANDOM.normal(size=(200, 1))
    assert temperature_scaling(1e6 * shifted, labels) == pytest.approx((1e6 * expected[0], 1e6 * expected[1]), rel=1e-6)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_frequencies_are_those_of_scikit_learn(strategy):
    """sklearn.calibration.calibration_curve."""
    p = RANDOM.beta(0.5, 0.8, size=3000)
    labels = (RANDOM.random(3000) < p**1.3).astype(int)
    result = reliability(p, labels, 12, strategy=strategy)
    frequency, confidence = calibration_curve(labels, p, n_bins=12, strategy=strategy)
    np.testing.assert_allclose(result.frequency, frequency, rtol=1e-12)
    np.testing.assert_allclose(result.confidence, confidence, rtol=1e-12)
    assert result.events.sum() == 3000
    for k, n, error in zip(result.frequency * result.events, result.events, result.error, strict=True):
        assert error == accuracy_with_error(np.arange(n) < round(k))[1]


def test_of_several_classes_the_most_probable_one_is_judged():
    p = RANDOM.dirichlet(np.ones(4), size=500)
    labels = draw(np.log(p), RANDOM)
    result = reliability(p, labels)
    again = reliability(p.max(axis=1), p.argmax(axis=1) == labels)
    for one, two in zip(result, again, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_calibration_error_is_the_mean_distance_from_the_diagonal():
    """By hand: bins [0, 0.5) and [0.5, 1]."""
    result = reliability([0.1, 0.3, 0.7, 0.9, 0.9], [0, 1, 1, 1, 0], 2)
    assert result.confidence == pytest.approx([0.2, 2.5 / 3])
    assert result.frequency == pytest.approx([0.5, 2 / 3])
    assert result.calibration_error[0] == pytest.approx((2 * 0.3 + 3 * (2.5 / 3 - 2 / 3)) / 5)
    assert result.chance == pytest.approx(np.sqrt(2 / np.pi) * (np.sqrt(0.3) + np.sqrt(0.39)) / 5)


def test_a_calibrated_network_has_the_calibration_error_of_chance():
    """Mean over 300 samples; four standard errors."""
    results = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        p = random.random(1000)
        results.append(reliability(p, random.random(1000) < p, resamples=2))
    values = np.array([result.calibration_error[0] for result in results])
    chance = np.mean([result.chance for result in results])
    assert abs(values.mean() - chance) < 4 * values.std() / np.sqrt(300)


def test_the_error_of_the_calibration_error_is_that_of_new_samples():
    """A network that is far too sure, so that chance does not matter."""
    results = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        p = random.random(1000)
        results.append(reliability(p, random.random(1000) < 0.5 + 0.3 * (p - 0.5)).calibration_error)
    value, error = np.array(results).T
    assert error.mean() == pytest.approx(value.std(), rel=4 / np.sqrt(400) + 0.05)


def test_empty_bins_are_left_out_and_the_ends_belong_to_the_outer_bins():
    result = reliability([0.0, 0.02, 1.0, 1.0], [0, 0, 1, 1], 10)
    assert result.events.tolist() == [2, 2]
    assert result.frequency.tolist() == [0, 1]
    assert (result.error > 0).all()


def test_reliability_repeats_with_its_seed():
    p, labels = RANDOM.random(100), RANDOM.integers(0, 2, size=100)
    first, again, other = (reliability(p, labels, seed=seed).calibration_error for seed in (1, 1, 2))
    assert first == again
    assert first[0] == other[0]
    assert first[1] != other[1]


@pytest.mark.parametrize("level", [0.5, 0.6827, 0.95])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_coverage_is_the_probability_inside_the_interval(level, ratio):
    """erf for a stated sigma that is wrong by a factor; four errors."""
    mean, true_sigma = RANDOM.normal(size=20_000), RANDOM.uniform(0.5, 2, size=20_000)
    truth = mean + true_sigma * RANDOM.normal(size=20_000)
    value, error = coverage(truth, mean, ratio * true_sigma, level)
    expected = special.erf(ratio * stats.norm.ppf(0.5 + level / 2) / np.sqrt(2))
    assert abs(value - expected) < 4 * error


def test_coverage_has_one_sigma_by_default_and_takes_one_sigma_for_all():
    truth = RANDOM.normal(size=(50, 4))
    assert coverage(truth, 0 * truth, 1.0)[0] == np.mean(np.abs(truth) <= 1)
    assert coverage(truth, 0 * truth, np.ones((50, 4))) == coverage(truth, 0 * truth, 1.0)


@pytest.mark.parametrize(
    ("draw", "width"),
    [(lambda r: r.normal(0.2, 1.5, 400), 1.5), (lambda r: 0.2 + r.uniform(-1, 1, 400), np.sqrt(1 / 3))],
)
def test_pulls_have_their_mean_and_width_with_errors(draw, width):
    """Pulls of the pulls over 1000 samples, for a Gaussian and for a box, whose width is better known."""
    results = [pulls(draw(np.random.default_rng(seed)), np.zeros(400), 1.0) for seed in range(1000)]
    for found, true in (([r.mean for r in results], 0.2), ([r.width for r in results], width)):
        value, error = np.array(found).T
        pull = (value - true) / error
        assert abs(pull.mean()) < 4 / np.sqrt(1000) + 0.05
        assert abs(pull.std() - 1) < 4 / np.sqrt(2000) + 0.05


def test_pulls_keep_the_shape_and_the_sign():
    result = pulls([[3.0, 1.0], [2.0, 2.0]], [[1.0, 2.0], [2.0, 2.0]], [[1.0, 0.5], [1.0, 1.0]])
    assert result.values.tolist() == [[2.0, -2.0], [0.0, 0.0]]
    assert result.mean[0] == 0
    assert result.width[0] == pytest.approx(np.sqrt(8 / 3))
