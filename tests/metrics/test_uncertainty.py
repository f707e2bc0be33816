"""Parts of uncertainty: the law of total variance and the chain rule of entropy, by simulation."""

import numpy as np
import pytest

from dlphys.metrics import entropy_parts, uncertainty_parts

RANDOM = np.random.default_rng(20)


def test_the_total_is_the_spread_of_the_mixture():
    """Values drawn from N(mean_i, variance_i) with i at random: 400 000 draws, five standard errors."""
    means = RANDOM.normal(size=(7, 3))
    variances = RANDOM.uniform(0.1, 2, size=(7, 3))
    parts = uncertainty_parts(means, variances)
    i = RANDOM.integers(7, size=400_000)
    y = means[i] + np.sqrt(variances[i]) * RANDOM.normal(size=(400_000, 3))
    assert (np.abs(y.mean(0) - parts.mean) < 5 * parts.total / np.sqrt(len(y))).all()
    assert y.std(0) == pytest.approx(parts.total, rel=5 / np.sqrt(len(y)))


def test_the_parts_are_those_of_figure_13_1():
    """sigma_pred^2 = mean (<p> - <p>_i)^2, sigma_stoch^2 = mean sigma_i^2; total in quadrature; any further axes."""
    means, variances = RANDOM.random((2, 5, 10, 4, 2))
    parts = uncertainty_parts(means, variances)
    assert parts.total.shape == (10, 4, 2)
    np.testing.assert_allclose(parts.epistemic**2, ((means - means.mean(0)) ** 2).mean(0), rtol=1e-12)
    np.testing.assert_allclose(parts.aleatoric**2, variances.mean(0), rtol=1e-12)
    np.testing.assert_allclose(parts.total, np.hypot(parts.epistemic, parts.aleatoric), rtol=1e-12)


def test_networks_that_agree_have_no_epistemic_part_and_sure_ones_no_aleatoric_part():
    same = np.tile(RANDOM.normal(size=(1, 6)), (4, 1))
    assert (uncertainty_parts(same, np.ones((4, 6))).epistemic == 0).all()
    parts = uncertainty_parts(RANDOM.normal(size=(4, 6)), np.zeros((4, 6)))
    assert (parts.aleatoric == 0).all()
    np.testing.assert_array_equal(parts.epistemic, parts.total)


def test_entropies_add_up_and_are_those_of_the_definition():
    """H[mean p] = mean H[p_i] + mean KL(p_i || mean p), in bits."""
    p = RANDOM.dirichlet([0.3, 1.0, 2.0], size=(6, 20))
    parts = entropy_parts(p)
    mean = p.mean(0)
    divergence = (p * np.log2(p / mean)).sum(-1).mean(0)
    np.testing.assert_allclose(parts.epistemic, divergence, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.total, -(mean * np.log2(mean)).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(parts.total, parts.aleatoric + parts.epistemic, rtol=1e-12)
    assert (parts.total <= np.log2(3)).all()


def test_one_column_is_the_probability_of_class_1():
    p = RANDOM.random((4, 9, 1))
    for one, two in zip(entropy_parts(p), entropy_parts(np.concatenate([1 - p, p], axis=-1)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_certainty_has_no_entropy():
    """0 log 0 = 0, and no part is below 0."""
    p = np.tile(np.eye(3)[None, [0, 2, 1]], (5, 1, 1))
    for part in entropy_parts(p):
        assert (part == 0).all()
        assert not np.signbit(part).any()
