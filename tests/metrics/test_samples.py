"""Distances of samples: against SciPy, closed forms for Gaussians, and what samples of one distribution give."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from dlphys.metrics import (
    kullback_leibler,
    maximum_mean_discrepancy,
    mode_coverage,
    precision_recall,
    sliced_wasserstein,
    two_sample_test,
    wasserstein,
)


def gaussians(n, d, shift=0.0, seed=0):
    first, second = np.random.default_rng(seed).normal(size=(2, n, d))
    second[:, 0] += shift
    return first, second


def test_the_distance_of_points_is_the_way_between_them():
    assert wasserstein([0.0] * 5, [3.0] * 7)[0] == pytest.approx(3.0)
    x, y = np.random.default_rng(1).gamma(2.0, size=(2, 300))
    assert wasserstein(x, y)[0] == pytest.approx(np.abs(np.sort(x) - np.sort(y)).mean(), rel=1e-12)


def test_the_error_of_the_distance_is_the_spread_between_repetitions():
    found = [wasserstein(*(a[:, 0] for a in gaussians(400, 1, 1.0, seed))) for seed in range(40)]
    values, errors = np.array(found).T
    assert values.std() == pytest.approx(errors.mean(), rel=0.35)
    assert values.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("d", [2, 8])
def test_a_shift_is_seen_under_the_mean_cosine_of_the_directions(d):
    """E abs(cos) over the sphere in d dimensions times the shift, with more directions ever closer."""
    x = np.random.default_rng(2).normal(size=(500, d))
    shift = 10.0 * np.eye(d)[0]
    vectors = np.random.default_rng(3).normal(size=(200_000, d))
    cosine = np.abs(vectors[:, 0] / np.linalg.norm(vectors, axis=1)).mean()
    value, _ = sliced_wasserstein(x, x + shift, directions=2000, seed=4, resamples=2)
    assert value == pytest.approx(10.0 * cosine, rel=0.05)


def test_images_are_taken_pixel_by_pixel():
    first, second = gaussians(60, 12, 2.0)
    shaped = sliced_wasserstein(first.reshape(60, 3, 4), second.reshape(60, 3, 4), seed=1)
    assert shaped == sliced_wasserstein(first, second, seed=1)


def test_the_discrepancy_of_gaussians_has_a_closed_form():
    """E k for Gaussians: (1 + 2 / w^2)^(-d/2) exp(-shift^2 / (2 (w^2 + 2)))."""
    width, d, shift = 1.5, 3, 0.8
    same = (1 + 2 / width**2) ** (-d / 2)
    exact = 2 * same * (1 - np.exp(-(shift**2) / (2 * (width**2 + 2))))
    found = [maximum_mean_discrepancy(*gaussians(600, d, shift, seed), width=width) for seed in range(12)]
    values, errors = np.array(found).T
    assert abs(values.mean() - exact) < 4 * errors.mean() / np.sqrt(12)
    assert values.std() == pytest.approx(errors.mean(), rel=0.6)


def test_the_discrepancy_is_that_of_the_definition_and_zero_on_average_without_a_shift():
    x, y = gaussians(700, 2)
    kernel = [np.exp(-0.5 * ((a[:, None] - b) ** 2).sum(-1)) for a, b in ((x, x), (y, y), (x, y))]
    off = ~np.eye(700, dtype=bool)
    direct = kernel[0][off].mean() + kernel[1][off].mean() - 2 * kernel[2][off].mean()
    assert maximum_mean_discrepancy(x, y, width=1.0)[0] == pytest.approx(direct, rel=1e-9)
    pulls = [np.divide(*maximum_mean_discrepancy(*gaussians(200, 2, 0.0, seed))) for seed in range(60)]
    assert abs(np.mean(pulls)) < 4 * np.std(pulls) / np.sqrt(60)
    assert 0.6 < np.std(pulls) < 1.4


@pytest.mark.parametrize("d", [1, 2])
def test_the_divergence_of_shifted_gaussians_is_half_the_square_of_the_shift(d):
    found = [kullback_leibler(*gaussians(3000, d, 1.0, seed)) for seed in range(5)]
    values, errors = np.array(found).T
    assert abs(values.mean() - 0.5) < 4 * errors.mean() / np.sqrt(5) + 0.01  # the estimate has a bias of 1/n
    assert abs(kullback_leibler(*gaussians(3000, d))[0]) < 0.06


def test_the_classifier_reaches_the_best_possible_and_sees_nothing_where_there_is_nothing():
    """Neyman and Pearson: AUC = Phi(shift / sqrt 2) for unit Gaussians; a line is the best boundary."""
    best = stats.norm.cdf(1.0 / np.sqrt(2))
    value, error = two_sample_test(*gaussians(4000, 3, 1.0), classifier=LogisticRegression())
    assert abs(value - best) < 4 * error
    value, error = two_sample_test(*gaussians(4000, 3))
    assert abs(value - 0.5) < 4 * error
    assert two_sample_test(*gaussians(100, 3)) == two_sample_test(*gaussians(100, 3))


def test_a_collapsed_generator_covers_one_mode():
    angle = 2 * np.pi * np.arange(8) / 8
    centres = 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    random = np.random.default_rng(5)
    all_modes = np.repeat(centres, 50, axis=0) + 0.02 * random.normal(size=(400, 2))
    found = mode_coverage(all_modes, centres, radius=0.1)
    assert found.covered == 8
    assert found.good[0] == 1.0
    np.testing.assert_array_equal(found.counts, np.full(8, 50))
    one = centres[3] + 0.02 * random.normal(size=(400, 2))
    assert mode_coverage(one, centres, radius=0.1).covered == 1
    between = np.zeros((400, 2))
    assert mode_coverage(between, centres, radius=0.1)[0] == 0
    assert mode_coverage(between, centres, radius=0.1).good[0] == 0.0


def test_few_events_in_a_mode_do_not_cover_it():
    centres = np.array([[0.0], [10.0]])
    samples = np.array([[0.0]] * 90 + [[10.0]] * 10)
    assert mode_coverage(samples, centres, radius=1.0, least=0.3).covered == 1
    assert mode_coverage(samples, centres, radius=1.0, least=0.2).covered == 2


def test_precision_falls_for_events_nobody_has_seen_and_recall_for_those_that_are_missing():
    real, same = gaussians(800, 2, seed=6)
    precision, recall = precision_recall(real, same)
    assert precision[0] > 0.9
    assert recall[0] > 0.9
    half = same[same[:, 0] > 0]
    assert precision_recall(real, half)[1][0] == pytest.approx(0.55, abs=0.1)
    odd = np.concatenate([same[:400], same[:400] + 20])
    assert precision_recall(real, odd)[0][0] == pytest.approx(0.5 * precision[0], abs=0.05)
