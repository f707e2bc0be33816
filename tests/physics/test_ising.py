"""The Ising model against exact results: enumeration, Onsager, Yang, Kaufman, Beale."""

import numpy as np
import pytest
from scipy.stats import chi2, ks_2samp

from dlphys.simulators import ising
from dlphys.simulators._ising_exact import log_energy_distribution, numbers_of_states
from dlphys.simulators.ising import COURSE_TEMPERATURES, CRITICAL_TEMPERATURE

FERROMAGNETIC = COURSE_TEMPERATURES < 2.27


def pull(values, expected, axis=0):
    """Mean minus expectation in standard errors of independent values."""
    return (values.mean(axis) - expected) * np.sqrt(values.shape[axis]) / values.std(axis, ddof=1)


def difference(a, b):
    """Difference of two means in standard errors."""
    return (a.mean() - b.mean()) / np.sqrt(a.var() / len(a) + b.var() / len(b))


def all_lattices(size):
    """Every state of a small torus: energy in J and magnetisation per spin."""
    sites = size * size
    states = 1 - 2 * (np.arange(2**sites)[:, None] >> np.arange(sites) & 1).reshape(-1, size, size)
    bonds = np.roll(states, 1, 1) + np.roll(states, 1, 2)
    return -(states * bonds).sum((1, 2)), states.mean((1, 2))


@pytest.fixture(scope="module")
def course_set():
    """The course set: 1000 lattices of 32 x 32 spins at each of 26 temperatures."""
    return ising.simulate(26_000, seed=20260)


# exact results


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_numbers_of_states_are_those_of_enumeration(size):
    """All states of the small torus, one by one."""
    energy, _ = all_lattices(size)
    counted = np.bincount((energy + 2 * size**2) // 4, minlength=size**2 + 1)
    assert numbers_of_states(size) == tuple(counted.tolist())


@pytest.mark.parametrize("size", [2, 3, 4])
def test_kaufman_is_the_enumeration(size):
    """Energy and specific heat over all states, on both sides of the critical temperature and at it."""
    t = np.array([0.5, 1.0, 2.0, CRITICAL_TEMPERATURE, 2.4, 3.0, 20.0])
    energy, _ = all_lattices(size)
    weight = np.exp(-(energy - energy.min()) / t[:, None])
    weight /= weight.sum(1, keepdims=True)
    mean, square = weight @ energy, weight @ energy**2
    assert np.allclose(ising.kaufman_energy(t, size), mean / size**2, rtol=0, atol=1e-12)
    assert np.allclose(ising.kaufman_specific_heat(t, size), (square - mean**2) / (t * size) ** 2, rtol=0, atol=1e-12)


def test_kaufman_gives_the_tabulated_values_of_the_32_torus():
    """Table computed independently of this package (an enumeration-checked evaluation of Kaufman's formula)."""
    t = [1.0, 1.5, 2.0, 2.1, 2.2, CRITICAL_TEMPERATURE, 2.3, 2.4, 2.5, 3.0, 3.5]
    energy = [-1.9971602, -1.9511166, -1.7455645, -1.6620768, -1.5465863, -1.4336585]
    energy += [-1.3754658, -1.2126013, -1.1072917, -0.8173097, -0.6601217]
    heat = [0.02338, 0.19728, 0.72487, 0.96297, 1.40107, 1.84677, 1.90082, 1.28359, 0.88581, 0.40138, 0.24775]
    # half a unit of the last digit, and a little: 0.197275 was rounded up
    assert np.allclose(ising.kaufman_energy(t, 32), energy, rtol=0, atol=0.6e-7)
    assert np.allclose(ising.kaufman_specific_heat(t, 32), heat, rtol=0, atol=0.6e-5)


def test_the_density_of_states_of_the_32_torus_is_complete_and_gives_kaufmans_energy():
    """All 2**1024 states; both signs of J; one, two flipped spins; Kaufman's energy and heat."""
    states = numbers_of_states(32)
    assert sum(states) == 2**1024
    assert states == states[::-1]
    assert states[:4] == (2, 0, 2 * 1024, 2 * 2048)
    t = np.r_[COURSE_TEMPERATURES, CRITICAL_TEMPERATURE, 0.5, 50.0]
    probability = np.exp(log_energy_distribution(t, 32))
    energy, log_states = ising.log_density_of_states(32)
    assert np.exp(log_states[2]) == pytest.approx(2048, rel=1e-12)
    mean = probability @ energy
    assert np.allclose(mean, ising.kaufman_energy(t, 32), rtol=0, atol=1e-9)
    heat = ((energy - mean[:, None]) ** 2 * probability).sum(1) * 1024 / t**2
    assert np.allclose(heat, ising.kaufman_specific_heat(t, 32), rtol=0, atol=1e-7)


@pytest.mark.parametrize("size", [5, 8, 9])
def test_the_density_of_states_of_other_sizes_is_complete(size):
    """2**(size**2) states, and Kaufman's energy; odd sizes have no states with all bonds broken."""
    states = numbers_of_states(size)
    assert sum(states) == 2 ** (size * size)
    assert min(states) == 0
    assert (states[-1] == 0) == (size % 2 == 1)
    energy, _ = ising.log_density_of_states(size)
    mean = np.exp(log_energy_distribution(COURSE_TEMPERATURES, size)) @ energy
    assert np.allclose(mean, ising.kaufman_energy(COURSE_TEMPERATURES, size), rtol=0, atol=1e-10)


def test_onsagers_and_yangs_values():
    """Energy -sqrt 2 at the critical temperature; tabulated values of the infinite lattice."""
    assert pytest.approx(2.269185314, abs=1e-9) == CRITICAL_TEMPERATURE
    assert ising.onsager_energy(CRITICAL_TEMPERATURE) == pytest.approx(-np.sqrt(2), abs=1e-12)
    t = [1.0, 1.5, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 3.0, 3.5]
    energy = [-1.9971602, -1.9511166, -1.7455646, -1.6620824, -1.5464891, -1.3428664, -1.2039745, -1.1060792]
    assert np.allclose(ising.onsager_energy(t), [*energy, -0.8173096, -0.6601217], rtol=0, atol=0.6e-7)
    magnetization = [0.9992758, 0.9864996, 0.9113194, 0.8687476, 0.7847551, 0, 0, 0, 0, 0]
    assert np.allclose(ising.onsager_magnetization(t), magnetization, rtol=0, atol=0.6e-7)


@pytest.mark.parametrize("t", [0.1, 0.5, 1.5, 2.2, 2.4, 5.0, 1000.0])
def test_kaufman_tends_to_onsager(t):
    """Away from the critical temperature the finite lattice differs by exp(-size / correlation length)."""
    assert ising.kaufman_energy(t, 1024) == pytest.approx(float(ising.onsager_energy(t)), abs=1e-8)


@pytest.mark.parametrize("size", [32, 128])
def test_kaufmans_specific_heat_is_the_slope_of_the_energy(size):
    """Central difference over 2e-4 J/k, whose own error is 1e-8 times the third derivative of the energy."""
    t = np.array([0.7, 1.5, 2.2, CRITICAL_TEMPERATURE, 2.3, 3.5, 50.0])
    slope = (ising.kaufman_energy(t + 1e-4, size) - ising.kaufman_energy(t - 1e-4, size)) / 2e-4
    assert np.allclose(ising.kaufman_specific_heat(t, size), slope, rtol=1e-5, atol=1e-8)


# simulated lattices


@pytest.mark.parametrize("algorithm", ["metropolis", "swendsen-wang"])
@pytest.mark.parametrize("t", [CRITICAL_TEMPERATURE, 3.0])
def test_small_lattices_have_the_enumerated_distribution(algorithm, t):
    """The 65 536 states of the 4 x 4 torus: every pair of energy and |magnetisation|, by chi-squared."""
    energy, magnetization = all_lattices(4)
    weight = np.exp(-(energy - energy.min()) / t)
    sample = ising.simulate(50_000, size=4, temperature=t, algorithm=algorithm, seed=11)

    def cell(e, m):
        return ((np.rint(e) + 32) // 4 * 17 + np.rint(16 * np.abs(m))).astype(int)

    expected = np.bincount(cell(energy, magnetization), weight / weight.sum(), minlength=289) * 50_000
    seen = np.bincount(cell(16 * sample.energy, sample.magnetization), minlength=289)
    common = expected >= 10
    assert seen[expected == 0].sum() == 0
    expected = np.append(expected[common], expected[~common].sum())
    seen = np.append(seen[common], seen[~common].sum())
    assert chi2.sf(((seen - expected) ** 2 / expected).sum(), len(seen) - 1) > 1e-4


def test_the_course_set_has_kaufmans_energy_at_all_26_temperatures(course_set):
    """Kaufman's energy, and his specific heat as the variance of the energy, of the 32 x 32 torus."""
    energy = course_set.energy.reshape(1000, 26)
    pulls = pull(energy, ising.kaufman_energy(COURSE_TEMPERATURES, 32))
    assert np.abs(pulls).max() < 4
    assert 0.4 < np.mean(pulls**2) < 1.9
    squares = (energy - energy.mean(0)) ** 2
    variance = ising.kaufman_specific_heat(COURSE_TEMPERATURES, 32) * COURSE_TEMPERATURES**2 / 1024
    # at 1.0 J/k few lattices have an excited spin: the mean of the squares is as Gaussian as their count of 160 is
    assert np.abs(pull(squares, variance * 0.999)).max() < 4.5


def test_the_magnetization_of_cold_lattices_is_yangs_and_its_sign_is_random(course_set):
    """Yang's formula; up to 2.0 J/k the 32 x 32 lattice differs from the infinite one by less than 1e-3."""
    m = course_set.magnetization.reshape(1000, 26)[:, COURSE_TEMPERATURES < 2.05]
    expected = ising.onsager_magnetization(COURSE_TEMPERATURES[COURSE_TEMPERATURES < 2.05])
    error = np.abs(m).std(0) / np.sqrt(1000)
    assert np.all(np.abs(np.abs(m).mean(0) - expected) < 4 * error + 1e-3)
    up = (m > 0).mean(0)
    assert np.abs(up - 0.5).max() < 4 * 0.5 / np.sqrt(1000)


def test_all_64_lanes_of_a_word_are_alike():
    """Kaufman's energy in each lane: chi-squared over the lanes, whose random bits differ in quality if any do."""
    sample = ising.simulate(64 * 256, size=16, temperature=2.5, seed=6)
    pulls = pull(sample.energy.reshape(256, 64), ising.kaufman_energy(2.5, 16))
    assert 1e-4 < chi2.sf(np.sum(pulls**2), 64) < 1 - 1e-4


@pytest.mark.parametrize(("size", "t"), [(5, 2.0), (7, 2.6), (32, 2.1), (32, CRITICAL_TEMPERATURE), (32, 2.4)])
def test_swendsen_wang_has_kaufmans_energy(size, t):
    """Kaufman's torus, odd sizes too."""
    n = 20_000 if size < 10 else 1000
    sample = ising.simulate(n, size=size, temperature=t, algorithm="swendsen-wang", seed=21)
    assert abs(pull(sample.energy, ising.kaufman_energy(t, size))) < 4


@pytest.mark.parametrize("t", [2.2, 2.3])
def test_swendsen_wang_and_metropolis_agree_where_metropolis_is_slowest(t):
    """Two algorithms with nothing in common but the model: a lattice that were not yet in equilibrium would show."""
    clusters = ising.simulate(1500, temperature=t, algorithm="swendsen-wang", seed=31)
    spins = ising.simulate(8000, temperature=t, seed=32)
    assert abs(difference(clusters.energy, spins.energy)) < 4
    assert abs(difference(np.abs(clusters.magnetization), np.abs(spins.magnetization))) < 4
    assert abs(difference(clusters.magnetization**2, spins.magnetization**2)) < 4


@pytest.mark.parametrize("t", [1.5, 2.2, 3.5])
def test_the_plain_version_and_the_kernel_agree(t):
    """The readable version is the definition: means of energy and |m| within 4 sigma, distributions by Kolmogorov."""
    start = np.ones((1000, 12, 12), np.int8)
    spins = ising.metropolis_sweeps_plain(start, t, 200, seed=41)
    sample = ising.simulate(20_000, size=12, temperature=t, seed=42)
    for plain, kernel in (
        (ising.energy(spins), sample.energy),
        (np.abs(ising.magnetization(spins)), np.abs(sample.magnetization)),
    ):
        assert abs(difference(plain, kernel)) < 4
        assert ks_2samp(plain, kernel).pvalue > 1e-4


# replicas must not know of each other


def mean_overlaps(groups):
    """Mean |q| over the pairs of each group."""
    return np.array([np.abs(ising.replica_overlap(group)).mean() for group in groups])


@pytest.mark.parametrize("t", [2.3, 3.0])
def test_lattices_of_one_word_overlap_as_much_as_lattices_of_independent_runs(t):
    """Independent runs; a shared random number would drive the 64 lattices of a word together."""
    words = ising.simulate(64 * 64, size=16, temperature=t, seed=51).spins.reshape(64, 64, 16, 16)
    runs = np.stack([ising.simulate(64, size=16, temperature=t, seed=100 + run).spins for run in range(64)])
    independent = mean_overlaps(runs.swapaxes(0, 1))  # one lattice of each run
    assert abs(difference(mean_overlaps(words), independent)) < 4
    assert abs(difference(mean_overlaps(words.swapaxes(0, 1)), independent)) < 4


def test_the_overlap_finds_lattices_that_share_random_numbers():
    """The defect of a published multi-spin code: one random number a site for all replicas."""

    class Shared(np.random.Generator):
        def random(self, shape):
            return np.broadcast_to(super().random(shape[1:]), shape)

    start = ising.simulate(64, size=16, temperature=3.0, seed=61).spins
    own = ising.metropolis_sweeps_plain(start, 3.0, 300, seed=62)
    shared = ising.metropolis_sweeps_plain(start, 3.0, 300, seed=Shared(np.random.PCG64(63)))
    assert mean_overlaps([shared])[0] > 1.3 * mean_overlaps([own])[0]


# what a classifier can reach


def test_the_exact_limit_is_reached_by_the_energy_and_is_98_6_percent(course_set):
    """The optimal classifier of the exact distribution, applied to simulated lattices, at every temperature."""
    accuracy = ising.bayes_accuracy()
    assert accuracy.shape == (26,)
    assert accuracy.mean() == pytest.approx(0.986367, abs=1e-6)
    # posterior odds are a falling function of the energy, so the optimum is a cut; found here by trying all
    exact = np.exp(log_energy_distribution(COURSE_TEMPERATURES, 32))
    below = np.cumsum(exact, axis=1)
    cuts = np.where(FERROMAGNETIC[:, None], below, 1 - below).mean(0)
    assert accuracy.mean() == pytest.approx(cuts.max(), abs=1e-12)
    threshold = ising.log_density_of_states(32)[0][cuts.argmax()] + 1e-9
    right = ((course_set.energy.reshape(1000, 26) < threshold) == FERROMAGNETIC).mean(0)
    error = np.sqrt(accuracy * (1 - accuracy) / 1000)
    assert np.all(np.abs(right - accuracy) < 4 * error + 1.5e-3)
    assert abs(right.mean() - accuracy.mean()) < 4 * np.sqrt(np.sum(error**2)) / 26


def test_the_limit_of_a_lattice_of_four_spins_is_the_enumerated_one():
    """The best of all labellings of the energies of the 2 x 2 torus, over its 16 states."""
    energy, _ = all_lattices(2)
    weight = np.exp(-energy / COURSE_TEMPERATURES[:, None])
    weight /= weight.sum(1, keepdims=True)
    best = np.maximum(weight[FERROMAGNETIC].sum(0), weight[~FERROMAGNETIC].sum(0)).sum() / 26
    assert ising.bayes_accuracy(size=2).mean() == pytest.approx(best, abs=1e-12)


def test_the_magnetization_cut_labels_98_32_percent_of_the_course_set(course_set):
    """Its certified accuracy of 98.32 +- 0.01 % (2.08 million lattices), to the binomial error of 26 000."""
    labels = ising.magnetization_cut(course_set.spins)
    assert labels.dtype == np.int8
    right = (labels == np.resize(FERROMAGNETIC, 26_000)).mean()
    assert abs(right - 0.9832) < 4 * np.sqrt(0.9832 * 0.0168 / 26_000)
