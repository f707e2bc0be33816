"""Distance correlation against its definition and published values; planing weights; Jensen-Shannon divergence."""

import numpy as np
import pytest
from scipy.spatial import distance

from dlphys.metrics import distance_correlation, jensen_shannon, planing_weights
from dlphys.simulators import toys

RANDOM = np.random.default_rng(22)


def definition(x, y, w=None):
    """Szekely, Rizzo and Bakirov 2007, with tables of all pairs."""
    w = np.ones(len(x)) / len(x) if w is None else w / w.sum()

    def centred(values):
        distance = np.abs(values[:, None] - values)
        mean = distance @ w
        return distance - mean - mean[:, None] + w @ mean

    def covariance(a, b):
        return w @ (a * b) @ w

    a, b = centred(np.asarray(x, float)), centred(np.asarray(y, float))
    return np.sqrt(max(covariance(a, b), 0) / np.sqrt(covariance(a, a) * covariance(b, b)))


@pytest.mark.parametrize("n", [4, 5, 8, 17, 64, 100, 333])
@pytest.mark.parametrize("ties", [False, True])
def test_it_agrees_with_the_definition_with_and_without_weights_and_ties(n, ties):
    x = RANDOM.normal(size=n)
    y = x**2 + RANDOM.normal(size=n)
    if ties:
        x, y = np.round(x) + np.arange(n) % 2, np.round(y) + np.arange(n) % 2
    w = RANDOM.random(n)
    assert distance_correlation(x, y)[0] == pytest.approx(definition(x, y), abs=1e-12)
    assert distance_correlation(x, y, w)[0] == pytest.approx(definition(x, y, w), abs=1e-12)


def test_published_values():
    """The documentation of the package dcor: 0.52664 for four equidistant points and (1, 0, 0, 1)."""
    assert distance_correlation([1, 5, 9, 13], [1, 0, 0, 1])[0] == pytest.approx(0.5266403878479265, rel=1e-12)


@pytest.mark.parametrize("rho", [0.2, 0.5, 0.9])
def test_of_a_normal_distribution_it_is_the_published_function_of_rho(rho):
    """Theorem 7 of the paper of 2007; 100 000 pairs, four errors and the bias of 1/n."""
    x, e = RANDOM.normal(size=(2, 100_000))
    value, error = distance_correlation(x, rho * x + np.sqrt(1 - rho**2) * e)
    above = rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - rho * np.arcsin(rho / 2) - np.sqrt(4 - rho**2) + 1
    expected = np.sqrt(above / (1 + np.pi / 3 - np.sqrt(3)))
    assert abs(value - expected) < 4 * error + 1e-4
    assert error < 0.005


@pytest.mark.parametrize("kind", ["linear", "square", "weighted"])
def test_the_error_is_the_spread_of_new_samples(kind):
    """300 samples of 300 pairs; the spread is known to 4 %, and the weights of a sample are drawn with it."""
    results = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        x, e = random.normal(size=(2, 300))
        w = random.random(300) if kind == "weighted" else None
        results.append(distance_correlation(x, x**2 + e if kind == "square" else 0.5 * x + e, w))
    value, error = np.array(results).T
    assert error.mean() == pytest.approx(value.std(), rel=4 / np.sqrt(600) + 0.05)


def test_a_line_gives_one_and_shifts_scales_and_order_change_nothing():
    x, y = RANDOM.normal(size=(2, 200))
    assert distance_correlation(x, -3e150 * x + 1e150) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-6))
    y = y + np.abs(x)
    expected = distance_correlation(x, y)
    order = RANDOM.permutation(200)
    assert distance_correlation(1e-200 * x[order], 7 - y[order]) == pytest.approx(expected, rel=1e-9)
    assert distance_correlation(y, x) == pytest.approx(expected, rel=1e-9)


def test_a_weight_of_two_is_a_pair_twice_and_zero_leaves_out():
    x, y = RANDOM.normal(size=(2, 50))
    y = y + x
    w = RANDOM.integers(0, 4, size=50)
    value = distance_correlation(x, y, w)[0]
    assert value == pytest.approx(distance_correlation(np.repeat(x, w), np.repeat(y, w))[0], rel=1e-10)
    y[w == 0] = 1e9
    assert distance_correlation(x, y, 10.0 * w)[0] == pytest.approx(value, rel=1e-10)


def test_without_dependence_it_falls_with_the_root_of_n():
    """16 times as many pairs, a quarter of the value; with x^2 and a symmetric x it stays, though Pearson's is zero."""
    few, many = (
        np.mean([distance_correlation(*RANDOM.normal(size=(2, n)))[0] for _ in range(count)])
        for n, count in ((250, 100), (4000, 40))
    )
    assert few / many == pytest.approx(4, rel=0.15)
    x = np.linspace(-1, 1, 2001)
    assert abs(np.corrcoef(x, x**2)[0, 1]) < 1e-12
    assert distance_correlation(x, x**2)[0] > 0.45


def test_a_hundred_thousand_pairs_need_no_table_of_pairs():
    """Such a table would have 80 GB."""
    x, y = RANDOM.normal(size=(2, 100_000))
    assert distance_correlation(x, y)[0] < 0.02


def content(feature, label, weights, edges):
    return [np.histogram(feature[label == k], edges, weights=weights[label == k])[0] for k in (0, 1)]


@pytest.mark.parametrize("like", ["flat", "class 0", "class 1"])
@pytest.mark.parametrize("edges", [np.linspace(60, 180, 25), np.geomspace(60, 180, 13)])
def test_planing_makes_the_classes_equal_in_the_feature(like, edges):
    """Contents of all bins, to rounding; the class that is the model keeps weights of 1 inside."""
    table = toys.simulate_planing(20_000, seed=1, signal_fraction=0.3)
    mass, label = table.x[:, 0], table.label
    weights = planing_weights(mass, label, edges, like=like)
    background, signal = content(mass, label, weights, edges)
    np.testing.assert_allclose(background / background.sum(), signal / signal.sum(), rtol=1e-9)
    assert weights[label == 1].sum() == pytest.approx((label == 1).sum())
    assert weights[label == 0].sum() == pytest.approx((label == 0).sum())
    assert (weights[(mass < 60) | (mass > 180)] == 0).all()
    if like == "flat":
        np.testing.assert_allclose(background / np.diff(edges), background.sum() / 120, rtol=1e-9)
    else:
        inside = (label == int(like[-1])) & (mass >= 60) & (mass <= 180)
        assert np.ptp(weights[inside]) < 1e-9


def test_planed_events_have_no_divergence_left():
    """jensen_shannon of the weighted histograms; before it is large."""
    table = toys.simulate_planing(20_000, seed=2)
    mass, label = table.x[:, 0], table.label
    edges = np.linspace(60, 200, 29)
    before = jensen_shannon(*content(mass, label, np.ones(20_000), edges))[0]
    weights = planing_weights(mass, label, edges)
    squares = content(mass, label, weights**2, edges)
    after = jensen_shannon(*np.stack([content(mass, label, weights, edges), squares], axis=1))[0]
    assert before > 0.1
    assert after < 1e-12


def test_bins_that_one_class_leaves_empty_get_no_weight_and_the_last_edge_is_inside():
    feature = np.array([0.5, 1.5, 2.5, 0.6, 2.6, 3.0])
    label = np.array([0, 0, 0, 1, 1, 1])
    weights = planing_weights(feature, label, [0, 1, 2, 3])
    assert weights == pytest.approx([1.5, 0.0, 1.5, 1.5, 0.75, 0.75])
    assert planing_weights(feature, label[:, None], 1) == pytest.approx(np.ones(6))


def entropy(p):
    return -(p[p > 0] * np.log2(p[p > 0])).sum()


def test_the_divergence_is_that_of_the_entropies():
    """H[(p + q) / 2] - (H[p] + H[q]) / 2; symmetric, without regard to the sums, also with empty bins; and SciPy's."""
    p, q = RANDOM.integers(0, 50, size=(2, 30)) * RANDOM.integers(0, 2, size=(2, 30))
    a, b = p / p.sum(), q / q.sum()
    expected = entropy((a + b) / 2) - (entropy(a) + entropy(b)) / 2
    value, error = jensen_shannon(p, q)
    assert value == pytest.approx(expected, rel=1e-12)
    assert value == pytest.approx(distance.jensenshannon(p, q, base=2) ** 2, rel=1e-12)
    assert jensen_shannon(7 * q, p)[0] == pytest.approx(expected, rel=1e-12)
    assert error > 0


def test_equal_histograms_have_no_divergence_and_disjoint_ones_one_bit():
    assert jensen_shannon([5, 3, 2], [50, 30, 20])[0] == 0
    assert jensen_shannon([5, 3, 0], [0, 0, 2]) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))


def test_its_error_is_the_spread_of_new_samples():
    results = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        p, q = (np.histogram(random.normal(m, 1, 2000), np.linspace(-4, 5, 19))[0] for m in (0, 1))
        results.append(jensen_shannon(p, q))
    value, error = np.array(results).T
    assert error.mean() == pytest.approx(value.std(), rel=4 / np.sqrt(600) + 0.05)


def test_the_error_of_weighted_histograms_is_the_spread_of_new_samples():
    results = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        both = []
        for mean in (0, 1):
            x = random.normal(mean, 1, 4000)
            w = random.exponential(size=4000)
            both.append([np.histogram(x, np.linspace(-4, 5, 19), weights=u)[0] for u in (w, w**2)])
        results.append(jensen_shannon(*both))
    value, error = np.array(results).T
    assert error.mean() == pytest.approx(value.std(), rel=4 / np.sqrt(600) + 0.05)


def test_samples_of_one_distribution_have_the_divergence_of_chance():
    """(bins - 1) / (8 ln 2) (1 / n_p + 1 / n_q), over 400 pairs; four standard errors and 3 % of higher order."""
    p = RANDOM.multinomial(1000, np.full(20, 0.05), size=400)
    q = RANDOM.multinomial(3000, np.full(20, 0.05), size=400)
    values = np.array([jensen_shannon(a, b, resamples=2)[0] for a, b in zip(p, q, strict=True)])
    expected = 19 / (8 * np.log(2)) * (1 / 1000 + 1 / 3000)
    assert values.mean() == pytest.approx(expected, abs=4 * values.std() / 20 + 0.03 * expected)


def test_the_error_repeats_with_its_seed():
    first, again, other = (jensen_shannon([5, 9], [9, 5], seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first[0] == other[0]
    assert first[1] != other[1]
