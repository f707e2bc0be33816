"""Small worlds against closed forms and published tables."""

import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial.distance import jensenshannon
from sklearn import datasets as sklearn_datasets
from sklearn.metrics import roc_auc_score

from dlphys.simulators import _toys_beam, _toys_planes, toys

# points in the plane


@pytest.mark.parametrize(
    ("kind", "noise"),
    [("checkerboard", 0.5), ("checkerboard", 0.1), ("xor", None), ("moons", None), ("circles", None), ("rings", None),
     ("spirals", None), ("moons", 0.5)],
)  # fmt: skip
def test_the_optimal_classifier_reaches_the_accuracy_that_is_its_limit(kind, noise):
    """Accuracy of probability > 1/2 on 8000 points against the integral, 4 sigma."""
    points = toys.simulate(8000, kind=kind, noise=noise, seed=1)
    right = (toys.optimal_probability(points.x, kind=kind, noise=noise) > 0.5) == points.label
    limit = toys.optimal_accuracy(kind=kind, noise=noise)
    assert abs(right.mean() - limit) < 4 * np.sqrt(limit * (1 - limit) / len(points))


@pytest.mark.parametrize("kind", ["checkerboard", "moons", "spirals"])
def test_probabilities_are_calibrated(kind):
    """Among points of probability p a share p is of class 1: ten bins, 4 sigma each."""
    noise = 0.5 if kind == "checkerboard" else 0.6
    points = toys.simulate(10_000, kind=kind, noise=noise, seed=2)
    probability = toys.optimal_probability(points.x, kind=kind, noise=noise)
    group = np.minimum((probability * 10).astype(int), 9)
    for k in range(10):
        p, label = probability[group == k], points.label[group == k]
        assert abs(label.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum() + 1)


def test_the_density_of_a_noisy_circle_is_a_bessel_function():
    """Gaussian noise on a circle: p(r) ~ exp(-(r - R)^2 / 2 s^2) I0e(r R / s^2); XOR has four Gaussians."""
    x = np.random.default_rng(3).normal(0, 1, (500, 2))
    r, s = np.linalg.norm(x, axis=1), 0.3
    inner, outer = (special.i0e(r * R / s**2) * np.exp(-((r - R) ** 2) / (2 * s**2)) for R in (0.5, 1.0))
    np.testing.assert_allclose(
        toys.optimal_probability(x, kind="circles", noise=s), inner / (inner + outer), rtol=1e-7, atol=1e-12
    )
    assert toys.optimal_probability([[0.0, 0.0]], kind="xor")[0] == pytest.approx(0.5)
    density = {c: sum(stats.norm.pdf(x[:, 0], a, 0.4) * stats.norm.pdf(x[:, 1], b, 0.4) for a, b in corners)
               for c, corners in ((0, [(-1, -1), (1, 1)]), (1, [(-1, 1), (1, -1)]))}  # fmt: skip
    np.testing.assert_allclose(toys.optimal_probability(x, kind="xor"), density[1] / (density[0] + density[1]))


def test_moons_and_circles_lie_on_the_curves_of_scikit_learn():
    """make_moons and make_circles without noise: no point is farther than the quadrature step from our curve."""
    for kind, (x, label) in (
        ("moons", sklearn_datasets.make_moons(200, noise=None)),
        ("circles", sklearn_datasets.make_circles(200, noise=None, factor=0.5)),
    ):
        for c in (0, 1):
            curve, _ = _toys_planes._quadrature(kind, c)
            distance = np.linalg.norm(x[label == c][:, None] - curve, axis=2).min(1)
            assert distance.max() < 2 * np.pi / 800


def test_the_checkerboard_is_that_of_the_playground():
    """Points in 0.3 < abs(x) < 5.3, uniform; without noise the label is the sign of the product."""
    points = toys.simulate(50_000, seed=4)
    assert np.abs(points.x).min() >= 0.3 - 1e-6
    assert stats.kstest(np.abs(points.x).ravel() - 0.3, stats.uniform(0, 5).cdf).pvalue > 1e-4
    np.testing.assert_array_equal(points.label, points.x.prod(1) > 0)


# curves


def test_the_mean_squared_error_of_the_truth_is_the_noise_variance():
    """Bayes risk of the interpolation: sigma^2, with standard error sigma^2 sqrt(2 / n)."""
    points = toys.simulate_interpolation(100_000, noise=0.7, seed=5)
    error = ((points.y - toys.curve(points.x)) ** 2).mean()
    assert abs(error / 0.49 - 1) < 4 * np.sqrt(2 / 100_000)
    assert stats.kstest(points.x, stats.uniform(-10, 20).cdf).pvalue > 1e-4


def test_the_curve_of_the_book_has_the_values_of_its_formula():
    """By hand at 0 (1.5 / 1.5), at pi/2, where the cosine vanishes, and at pi (cosine -1)."""
    half = (np.sqrt(np.pi / 2) + 0.05 * np.pi + 0.0025 * np.pi**2 + 0.5 * np.exp(np.pi / 20)) / 0.5
    whole = (np.sqrt(np.pi) + 0.1 * np.pi + 0.01 * np.pi**2 + 1 + 0.5 * np.exp(np.pi / 10)) / 1.5
    np.testing.assert_allclose(toys.curve([0.0, np.pi / 2, np.pi]), [1.0, half, whole], rtol=1e-12)


# mixtures


@pytest.mark.parametrize("kind", toys.MIXTURES)
def test_the_density_of_a_mixture_has_the_entropy_that_its_points_show(kind):
    """-mean ln p over 50 000 points against the integral, 4 sigma; the density integrates to the same number."""
    shape = toys.mixture(kind)
    points = toys.simulate_mixture(50_000, kind=kind, seed=6)
    values = -toys.mixture_log_density(points.x, shape)
    assert abs(values.mean() - toys.mixture_entropy(shape)) < 4 * values.std() / np.sqrt(len(values)) + 1e-4
    right = toys.class_probabilities(points.x, shape).argmax(1) == points.label
    limit = toys.mixture_accuracy(shape)
    assert abs(right.mean() - limit) < 4 * np.sqrt(limit * (1 - limit) / len(right)) + 1e-4


def test_the_score_is_the_gradient_of_the_density():
    """Central differences, with and without noise; and E[score] = 0, E[score x^T] = -1."""
    shape, random = toys.mixture("cross"), np.random.default_rng(7)
    x, step = random.normal(0, 1, (200, 2)), 1e-5
    for noise in (0.0, 0.5):
        for c in range(2):
            shift = step * np.eye(2)[c]
            slope = (toys.mixture_log_density(x + shift, shape, noise=noise) -
                     toys.mixture_log_density(x - shift, shape, noise=noise)) / (2 * step)  # fmt: skip
            np.testing.assert_allclose(toys.mixture_score(x, shape, noise=noise)[:, c], slope, rtol=1e-5, atol=1e-6)
    points = toys.simulate_mixture(200_000, kind="cross", seed=8).x
    products = toys.mixture_score(points, shape)[:, :, None] * points[:, None]
    error = products.std(0) / np.sqrt(len(points))
    assert (np.abs(products.mean(0) + np.eye(2)) < 4 * error).all()


def test_equal_gaussians_have_the_textbook_limits():
    """Distance d in Mahalanobis' metric: accuracy Phi(d / 2); entropy of a Gaussian ln(2 pi e) + ln det / 2."""
    shape = toys.mixture("two classes")
    away = shape.means[1] - shape.means[0]
    d = np.sqrt(away @ np.linalg.inv(shape.covariances[0]) @ away)
    assert toys.mixture_accuracy(shape) == pytest.approx(stats.norm.cdf(d / 2), abs=1e-4)
    one = toys.mixture(means=[[0.0, 1.0]], covariances=[[[2.0, 0.5], [0.5, 1.0]]])
    assert toys.mixture_entropy(one) == pytest.approx(np.log(2 * np.pi * np.e) + 0.5 * np.log(1.75), abs=1e-4)


def test_histograms_of_one_variable_do_not_show_the_hidden_correlation():
    """Book, section 20.2: marginals of both classes are standard normal (KS), yet the optimal classifier works."""
    points = toys.simulate_mixture(200_000, kind="hidden correlation", seed=9)
    for label in (0, 1):
        for c in range(2):
            assert stats.kstest(points.x[points.label == label, c], "norm").pvalue > 1e-4
    score = toys.class_probabilities(points.x, toys.mixture("hidden correlation"))[:, 1]
    assert roc_auc_score(points.label, score) > 0.75


# labels that are wrong or known for groups


@pytest.mark.parametrize(("a0", "a1"), [(0.0, 0.0), (0.1, 0.3), (0.45, 0.45)])
def test_contaminated_samples_have_the_documented_shares(a0, a1):
    """Eqs. (16.3) and (16.4), 4 sigma; the AUC of true labels stays Phi(d / sqrt 2), that of observed ones shrinks.

    AUC(observed) - 1/2 = (1 - a0 - a1) (AUC(true) - 1/2) exactly.
    """
    points = toys.simulate_contaminated(100_000, a0=a0, a1=a1, seed=10)
    for observed, share in ((0, a0), (1, 1 - a1)):
        labels = points.label[points.observed == observed]
        assert abs(labels.mean() - share) < 4 * np.sqrt(share * (1 - share) / len(labels)) + 1e-12
    exact = toys.separation_auc(1.5)
    assert abs(roc_auc_score(points.label, points.x[:, 0]) - exact) < 4 * np.sqrt(0.25 / 40_000)
    expected = 0.5 + (1 - a0 - a1) * (exact - 0.5)
    assert abs(roc_auc_score(points.observed, points.x[:, 0]) - expected) < 4 * np.sqrt(0.25 / 50_000)


@pytest.mark.parametrize("mu", [0.3, 1.0, 2.0])
def test_the_corrected_cut_selects_the_same_points(mu):
    """The contaminated ratio of exact densities; the printed form of eq. (16.6) selects others (a0 = 0.1, a1 = 0.3)."""
    x = np.linspace(-4, 6, 100_001)
    p0, p1 = stats.norm.pdf(x), stats.norm.pdf(x, 1.5)
    ratio = (0.9 * p0 + 0.1 * p1) / (0.7 * p1 + 0.3 * p0)
    np.testing.assert_array_equal(ratio > toys.contaminated_cut([mu], a0=0.1, a1=0.3), p0 / p1 > mu)
    printed = (0.3 + mu * 0.7) / (0.9 + mu * 0.1)
    assert ((ratio > printed) != (p0 / p1 > mu)).any() == (mu != 1.0)


def test_bags_have_binomial_numbers_of_class_one():
    """Mean and variance of the numbers in groups of 20, 4 sigma; a group is positive if it has one."""
    bags = toys.simulate_bags(20_000, size=20, proportions=[0.0, 0.1], seed=11)
    np.testing.assert_array_equal(bags.positive, bags.label.any(1))
    numbers = bags.label[bags.proportion > 0].sum(1)
    assert abs(numbers.mean() - 2.0) < 4 * np.sqrt(1.8 / len(numbers))
    assert abs(bags.positive[bags.proportion > 0].mean() - (1 - 0.9**20)) < 4 * np.sqrt(0.107 / len(numbers))
    assert not bags.label[bags.proportion == 0].any()


# the table of exercise 13.1


@pytest.fixture(scope="module")
def table():
    return toys.simulate_planing(80_000, seed=12)


def test_correlations_in_the_background_are_the_known_ones(table):
    """Pearson's r of all 28 pairs: Fisher's z, 4 sigma."""
    x = table.x[table.label == 0].astype(float)
    difference = np.arctanh(np.corrcoef(x.T) - np.eye(8)) - np.arctanh(toys.planing_correlations() - np.eye(8))
    assert np.abs(difference).max() * np.sqrt(len(x)) < 4


def test_mutual_information_with_the_mass_is_the_known_one(table):
    """Normal copula: -ln(1 - r^2) / 2 of normal scores; standard error r / sqrt(n)."""
    x = table.x[table.label == 0]
    scores = stats.norm.ppf((stats.rankdata(x, axis=0) - 0.5) / len(x))
    for j, exact in enumerate(toys.planing_information(), start=1):
        r = np.corrcoef(scores[:, 0], scores[:, j])[0, 1]
        found = -0.5 * np.log1p(-(r**2))
        assert abs(found - exact) < 4 * abs(r) / np.sqrt(len(x)) + 8 / len(x)


def test_the_flat_classifier_does_not_shape_the_mass_and_the_others_do(table):
    """KS of background masses before and after a cut at 10 %: none for the flat ratio; AUC Phi(D / sqrt 2)."""
    background = table.label == 0
    mass = table.x[background, 0]
    for ratio, flat in (
        (toys.planing_flat_log_ratio, True), (toys.planing_log_ratio, False), (toys.planing_blind_log_ratio, False),
    ):  # fmt: skip
        score = ratio(table.x)
        chosen = score[background] > np.quantile(score[background], 0.9)
        p_value = stats.ks_2samp(mass[chosen], mass[~chosen]).pvalue
        assert (p_value > 1e-4) if flat else (p_value < 1e-50)
    score = toys.planing_flat_log_ratio(table.x)
    exact = toys.planing_flat_auc()
    # equal masses: the score of the signal is shifted by D^2 at every mass, so the AUC over all masses is the same
    assert abs(roc_auc_score(table.label, score) - exact) < 4 * np.sqrt(exact * (1 - exact) / 40_000)


def test_the_ratios_of_the_planing_table_are_likelihood_ratios(table):
    """E_B[p_S / p_B] = 1, and the order of the three limits: all features, without the mass, flat.

    The integral is over the signal's mass range, where the background lives as well.
    """
    background = table.x[table.label == 0]
    for ratio in (toys.planing_log_ratio, toys.planing_blind_log_ratio, toys.planing_flat_log_ratio):
        values = np.exp(ratio(background))
        assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(values))
    areas = [
        roc_auc_score(table.label, ratio(table.x))
        for ratio in (toys.planing_log_ratio, toys.planing_blind_log_ratio, toys.planing_flat_log_ratio)
    ]
    assert areas[0] > areas[1] + 0.02 > areas[2] + 0.04


def _accuracy_and_shaping(table, selected, edges):
    background = table.label == 0
    before, after = (
        np.bincount(np.digitize(table.x[chosen, 0], edges), minlength=len(edges) + 1)
        for chosen in (background, background & selected)
    )
    divergence = jensenshannon(before, after, base=2) ** 2
    return 0.5 * (selected[~background].mean() + 1 - selected[background].mean()), divergence


def test_the_tradeoff_of_the_planing_table_ends_at_the_two_likelihood_ratios(table):
    """Price 0: the ratio of all features, 4 sigma. A high price: the flat ratio, whose accuracy is Phi(D / 2)."""
    edges = np.arange(60.0, 310.0, 10.0)
    divergence, accuracy = toys.planing_tradeoff(edges, [0.0, 1000.0])
    found, shaping = _accuracy_and_shaping(table, toys.planing_log_ratio(table.x) > 0, edges)
    assert abs(found - accuracy[0]) < 4 * np.sqrt(0.25 / len(table.x))
    assert abs(shaping - divergence[0]) < 0.01
    flat = stats.norm.cdf(stats.norm.ppf(toys.planing_flat_auc()) / np.sqrt(2))
    assert divergence[1] < 1e-6
    assert flat < accuracy[1] < flat + 2e-3  # inside a bin the mass may still be used


def test_no_mixture_of_the_likelihood_ratios_is_above_the_tradeoff(table):
    """Scores flat + a (all - flat) + b with other cuts: below the limit by 4 standard errors at most, and near it."""
    edges = np.arange(60.0, 310.0, 10.0)
    divergence, accuracy = toys.planing_tradeoff(edges, np.geomspace(3e-3, 100, 20))
    flat = toys.planing_flat_log_ratio(table.x)
    rest = toys.planing_log_ratio(table.x) - flat
    above = []
    for share in (0.0, 0.1, 0.3, 0.6, 1.0):
        for cut in (-0.5, 0.0, 0.5):
            for most in (2.0, 20.0):  # how strongly the mass may count
                selected = flat + share * np.clip(rest, -most, most) > cut
                found, shaping = _accuracy_and_shaping(table, selected, edges)
                above.append(found - np.interp(shaping, divergence[::-1], accuracy[::-1], left=accuracy[-1]))
    assert max(above) < 4 * np.sqrt(0.25 / len(table.x))
    assert max(above) > -0.02


# the chain


@pytest.fixture(scope="module")
def chain():
    return toys.simulate_chain(200_000, seed=13)


@pytest.mark.parametrize("stage", ["theta", "parton", "shower"])
def test_the_posterior_is_calibrated(chain, stage):
    """Residuals of the true values: mean 0, the stated covariance, uncorrelated with x; 4 sigma each."""
    mean, covariance = toys.chain_posterior(chain.x, of=stage)
    away = getattr(chain, stage) - mean
    n, d = away.shape
    chi2 = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
    assert abs(chi2.mean() - d) < 4 * np.sqrt(2 * d / n)
    assert stats.kstest(chi2[:20_000], stats.chi2(d).cdf).pvalue > 1e-4
    correlation = np.corrcoef(np.concatenate([away, chain.x], axis=1).T)[:d, d:]
    assert np.abs(correlation).max() * np.sqrt(n) < 4.5


def test_bayes_theorem_holds(chain):
    """ln p(x | theta) + ln p(theta) - ln p(x) is the logarithm of the posterior density, to rounding."""
    x, theta = chain.x[:200].astype(float), chain.theta[:200].astype(float)
    prior = stats.multivariate_normal(np.zeros(2)).logpdf(theta)
    left = toys.chain_log_likelihood(x, theta) + prior - toys.chain_log_evidence(x)
    mean, covariance = toys.chain_posterior(x)
    right = stats.multivariate_normal(np.zeros(2), covariance).logpdf(theta - mean)
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


def test_scores_are_derivatives_and_their_covariance_is_the_information(chain):
    """PDG eq. (41.26): t = d ln p / d theta, I = E[t t^T]; the joint score averages to it (41.29, 41.30)."""
    x, theta, step = chain.x[:100].astype(float), chain.theta[:100].astype(float), 1e-5
    for c in range(2):
        shift = step * np.eye(2)[c]
        slope = (toys.chain_log_likelihood(x, theta + shift) - toys.chain_log_likelihood(x, theta - shift)) / (2 * step)
        np.testing.assert_allclose(toys.chain_score(x, theta)[:, c], slope, rtol=1e-5, atol=1e-6)
    score = toys.chain_score(chain.x, chain.theta)
    products = score[:, :, None] * score[:, None]
    assert (np.abs(products.mean(0) - toys.chain_information()) < 4 * products.std(0) / np.sqrt(len(score))).all()
    rest = chain.joint_score - score  # has no mean at given x and theta, so no correlation with the score
    crossed = rest[:, :, None] * score[:, None]
    assert (np.abs(crossed.mean(0)) < 4 * crossed.std(0) / np.sqrt(len(score))).all()


# decisions

# Sutton and Barto, 2nd edition, Figures 3.5 (optimal values) and 3.2 (random moves), discount 0.9.
OPTIMAL = [22.0, 24.4, 22.0, 19.4, 17.5, 19.8, 22.0, 19.8, 17.8, 16.0, 17.8, 19.8, 17.8, 16.0, 14.4, 16.0, 17.8, 16.0,
           14.4, 13.0, 14.4, 16.0, 14.4, 13.0, 11.7]  # fmt: skip
RANDOM = [3.3, 8.8, 4.4, 5.3, 1.5, 1.5, 3.0, 2.3, 1.9, 0.5, 0.1, 0.7, 0.7, 0.4, -0.4, -1.0, -0.4, -0.4, -0.6, -1.2,
          -1.9, -1.3, -1.2, -1.4, -2.0]  # fmt: skip


def test_values_of_the_grid_are_those_of_the_textbook():
    """Sutton and Barto: both tables to their printed digit, and v*(A) = 10 / (1 - 0.9^5) in closed form."""
    world = toys.gridworld()
    values = toys.value_iteration(*world)
    np.testing.assert_allclose(values.max(1), OPTIMAL, atol=0.051)
    np.testing.assert_allclose(toys.policy_values(np.full((25, 4), 0.25), *world), RANDOM, atol=0.051)
    assert values[1].max() == pytest.approx(10 / (1 - 0.9**5), abs=1e-8)


@pytest.mark.parametrize("slip", [0.0, 0.3])
def test_the_best_policy_has_the_values_of_value_iteration(slip):
    """Bellman: the greedy policy's exact values are the optimal ones, and no random policy has larger ones."""
    world = toys.gridworld(slip=slip)
    values = toys.value_iteration(*world)
    greedy = np.eye(4)[values.argmax(1)]
    np.testing.assert_allclose(toys.policy_values(greedy, *world), values.max(1), atol=1e-8)
    for policy in np.random.default_rng(14).dirichlet(np.ones(4), (20, 25)):
        assert (toys.policy_values(policy, *world) <= values.max(1) + 1e-9).all()


@pytest.mark.parametrize("slip", [0.0, 0.4])
def test_walks_follow_the_transitions(slip):
    """Counts of every (room, move, next room) against the probabilities: chi-square; rewards on average."""
    transitions, rewards = toys.gridworld(slip=slip)
    walks = toys.simulate_gridworld(4000, slip=slip, seed=15)
    counts = np.zeros((25, 4, 25))
    np.add.at(counts, (walks.state, walks.action, walks.following), 1)
    expected = counts.sum(2, keepdims=True) * transitions
    assert (counts[transitions == 0] == 0).all()
    possible = (transitions > 0) & (transitions < 1)
    if slip:
        chi2 = ((counts - expected)[possible] ** 2 / expected[possible]).sum()
        freedom = possible.sum() - (possible.any(2)).sum()
        assert 1e-4 < stats.chi2.sf(chi2, freedom) < 1 - 1e-4
    sums = np.zeros((25, 4))
    np.add.at(sums, (walks.state, walks.action), walks.reward)
    assert np.abs(sums / counts.sum(2) - rewards).max() < 4.5 * 3 / np.sqrt(counts.sum(2).min()) * (slip > 0) + 1e-6


def test_upper_bounds_keep_the_regret_logarithmic():
    """Auer et al. (2002), Theorem 1: UCB1's regret is below sum (8 ln n / gap + (1 + pi^2 / 3) gap) on average.

    Lai and Robbins bind uniformly good players for large n: UCB1 lies above their rate.
    """
    means, n = np.array([0.3, 0.5, 0.7]), 4000
    best = means.max()
    regrets = []
    for seed in range(10):
        rounds = toys.simulate_bandit(n, means=means, seed=seed)
        regrets.append((best - means[toys.play_upper_bound(rounds.reward)]).sum())
    gaps = best - means[means < best]
    assert np.mean(regrets) < (8 * np.log(n) / gaps + (1 + np.pi**2 / 3) * gaps).sum()
    assert np.mean(regrets) > toys.regret_rate(means) * np.log(n)
    assert np.mean(regrets) < 0.25 * n * (best - means.mean())  # far better than random play


def test_arms_pay_with_their_probabilities():
    """Binomial, 4 sigma."""
    rounds = toys.simulate_bandit(100_000, seed=16)
    means = np.array(toys.ARMS)
    assert (np.abs(rounds.reward.mean(0) - means) < 4 * np.sqrt(means * (1 - means) / 100_000)).all()


# the beam


def test_the_response_is_that_of_courant_and_snyder():
    """beta sin(k mu) over k cells, with sin(mu / 2) = L / 4 f and beta = L (1 + sin(mu / 2)) / sin mu."""
    length, focal = _toys_beam.CELL_LENGTH, _toys_beam.FOCAL_LENGTH
    mu = 2 * np.arcsin(length / (4 * focal))
    beta = length * (1 + np.sin(mu / 2)) / np.sin(mu)
    apart = np.subtract.outer(np.arange(8), np.arange(8))
    np.testing.assert_allclose(toys.beam_response(), np.where(apart > 0, beta * np.sin(apart * mu), 0.0), atol=1e-6)


def test_no_setting_of_the_correctors_costs_less_than_the_optimum():
    """A convex quadratic: random steps from the optimum in any direction raise the cost, and its gradient vanishes."""
    lines = toys.simulate_beam(50, seed=17)
    orbit = lines.orbit.astype(float)
    best = toys.beam_optimum(orbit)
    cost = toys.beam_cost(toys.beam_positions(orbit, best), best)
    random = np.random.default_rng(18)
    for size in (1e-3, 0.1):
        other = best + size * random.standard_normal(best.shape)
        assert (toys.beam_cost(toys.beam_positions(orbit, other), other) > cost).all()
    for c in range(8):
        step = 1e-4 * np.eye(8)[c]
        up, down = (toys.beam_cost(toys.beam_positions(orbit, best + s), best + s) for s in (step, -step))
        assert np.abs(up - down).max() < 1e-9
    np.testing.assert_allclose(lines.best_kicks, best, atol=1e-6)


def test_the_orbit_has_the_spread_of_many_kicks():
    """Courant and Snyder: variance (displacement / f)^2 beta sum_k beta_k sin^2(phase) over the lenses before.

    The phase from a focusing to a defocusing lens, half a cell on, is mu / 2 by symmetry of the cell.
    """
    lines = toys.simulate_beam(50_000, displacement=0.2, seed=19)
    length, focal = _toys_beam.CELL_LENGTH, _toys_beam.FOCAL_LENGTH
    mu = 2 * np.arcsin(length / (4 * focal))
    large, small = (length * (1 + sign * np.sin(mu / 2)) / np.sin(mu) for sign in (1, -1))
    expected = np.array([
        sum(large**2 * np.sin((m - k) * mu) ** 2 + large * small * np.sin((m - k - 0.5) * mu) ** 2 for k in range(m))
        for m in range(8)
    ]) * (0.2 / focal) ** 2  # fmt: skip
    found = lines.orbit.astype(float).var(0)
    assert (np.abs(found / np.maximum(expected, 1e-12) - 1)[1:] < 4 * np.sqrt(2 / 50_000)).all()
