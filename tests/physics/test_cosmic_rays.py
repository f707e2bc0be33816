"""Cosmic-ray skies against exact results about isotropy, scattering on the sphere, spectra and magnetic deflection."""

import numpy as np
import pytest
from scipy import constants, special, stats

from dlphys.simulators.cosmic_rays import (
    field_deflection,
    known_source_ratio,
    pair_counts,
    power_law_energy,
    simulate,
    von_mises_fisher,
)


@pytest.fixture(scope="module")
def isotropic():
    """A million arrivals."""
    return simulate(2000, seed=1, source_skies=0.0).directions.astype(float)


def oracle(skies, **settings):
    names = ("source", "tangent", "deflection", "flux")
    known = {name: getattr(skies, name) for name in names}
    return known_source_ratio(skies.directions, skies.energy, **known, **settings)


def auc(statistic, label):
    """Probability that a sky with sources has the larger statistic."""
    return stats.mannwhitneyu(statistic[label == 1], statistic[label == 0]).statistic / (
        (label == 1).sum() * (label == 0).sum()
    )


def test_isotropic_directions_have_no_dipole_and_no_quadrupole(isotropic):
    """Uniform on the sphere: <v> = 0 with variance 1/3, <v_i v_j> = delta_ij / 3; var(z^2) = 4/45, var(xy) = 1/15."""
    v = isotropic.reshape(-1, 3)
    n = len(v)
    assert np.abs(v.mean(0)).max() < 4 / np.sqrt(3 * n)
    assert np.abs((v**2).mean(0) - 1 / 3).max() < 4 * np.sqrt(4 / 45 / n)
    assert np.abs((v * np.roll(v, 1, 1)).mean(0)).max() < 4 * np.sqrt(1 / 15 / n)


def test_isotropic_directions_are_uniform_in_z_and_azimuth(isotropic):
    """Archimedes: equal areas for equal heights. Kolmogorov-Smirnov."""
    v = isotropic.reshape(-1, 3)
    assert stats.kstest(v[:, 2], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(np.arctan2(v[:, 1], v[:, 0]), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3


def test_angular_power_of_isotropic_skies_is_flat(isotropic):
    """Shot noise: C_l = N / (4 pi) for every l above 0, with the variance 2 C_l^2 / (2 l + 1) of each sky."""
    v = isotropic[:200]
    skies, arrivals, _ = v.shape
    polar, azimuth = np.arccos(np.clip(v[..., 2], -1, 1)), np.arctan2(v[..., 1], v[..., 0])
    for degree in (1, 2, 3, 5, 8):
        a = np.stack([special.sph_harm_y(degree, m, polar, azimuth).sum(1) for m in range(degree + 1)])
        power = (np.abs(a[0]) ** 2 + 2 * (np.abs(a[1:]) ** 2).sum(0)) / (2 * degree + 1)
        expected = arrivals / (4 * np.pi)
        assert abs(power.mean() / expected - 1) < 4 * np.sqrt(2 / (2 * degree + 1) / skies)


@pytest.mark.parametrize("kappa", [0.5, 2.0, 10.0, 100.0, 1e5])
def test_scatter_has_the_exact_mean_and_distribution_of_von_mises_and_fisher(kappa):
    """<cos> = coth kappa - 1 / kappa; P(cos < w) = (e^(kappa (w - 1)) - e^(-2 kappa)) / (1 - e^(-2 kappa))."""
    n = 200_000
    random = np.random.default_rng(2)
    mean = random.normal(size=(n, 3))
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    away = 0.5 * ((von_mises_fisher(mean, kappa, seed=random) - mean) ** 2).sum(1)  # 1 - cos
    exact = 1 - (1 / np.tanh(kappa) - 1 / kappa)
    assert abs(away.mean() - exact) < 4 * away.std() / np.sqrt(n)
    assert stats.kstest(away, lambda v: -np.expm1(-kappa * v) / -np.expm1(-2 * kappa)).pvalue > 1e-3


def test_compiled_scatter_about_the_deflected_direction_is_von_mises_and_fisher():
    """One element, so one kappa for each energy: the probability integral of 1 - cos is uniform."""
    skies = simulate(20, seed=3, source_skies=1.0, signal_share=0.999, composition=[0, 0, 1], deflection=4.0, blur=3.0)
    signal = skies.origin == 0
    ratio = 40.0 * 7 / skies.energy
    angle = np.radians(4.0 * ratio)[..., None]
    mean = np.cos(angle) * skies.source[:, None, 0] + np.sin(angle) * skies.tangent[:, None, 0]
    away = 0.5 * ((skies.directions - mean) ** 2).sum(-1)
    kappa = 1 / np.radians(3.0 * ratio) ** 2
    integral = (np.expm1(-kappa * away) / np.expm1(-2 * kappa))[signal]
    assert len(integral) > 9000
    assert stats.kstest(integral, stats.uniform.cdf).pvalue > 1e-3


def test_energies_follow_the_power_law():
    """Mean (g - 1) / (g - 2) E_0 = 4.4 / 3.4 * 40 EeV without a largest energy; Kolmogorov-Smirnov with the book's."""
    skies = simulate(2000, seed=4, preset="physics", maximum_energy=1e7, source_skies=0.0)
    mean = skies.energy.mean()
    assert abs(mean - 4.4 / 3.4 * 40.0) < 4 * skies.energy.std() / np.sqrt(skies.energy.size)
    book = simulate(200, seed=4, source_skies=0.0).energy.ravel()

    def distribution(energy):
        return (1 - (energy / 40.0) ** -4.4) / (1 - (155.0 / 40.0) ** -4.4)

    assert stats.kstest(book, distribution).pvalue > 1e-3
    u = np.linspace(0, 1, 11)
    np.testing.assert_allclose(distribution(power_law_energy(u)), u, atol=1e-12)


def test_energies_are_continuous():
    """No grid: of 100 000 energies in float32 more than half differ (a grid of 0.001 in log10 E has 589 values)."""
    energies = simulate(200, seed=5).data[..., 3]
    # float32 itself leaves (0.985 - 0.956) 2^24 = 480 000 values, most of them rarely taken by a steep spectrum
    assert len(np.unique(energies)) > 50_000


def test_deflection_is_inversely_proportional_to_energy():
    """Lorentz force on one element: the log-log slope of angle against energy is -1, here without visible blur."""
    skies = simulate(20, seed=6, source_skies=1.0, signal_share=0.5, composition=[0, 1, 0], deflection=6.0, blur=0.01)
    signal = skies.origin == 0
    angle = np.arccos(np.einsum("nik,nk->ni", skies.directions.astype(float), skies.source[:, 0]))[signal]
    slope, intercept = np.polyfit(np.log(skies.energy[signal]), np.log(angle), 1)
    # scatter of the log of the angle: 0.01 / 6
    error = (0.01 / 6) / np.sqrt(signal.sum()) / np.log(skies.energy[signal]).std()
    assert abs(slope + 1) < 4 * error
    assert np.degrees(np.exp(intercept + slope * np.log(80.0))) == pytest.approx(6.0, rel=1e-3)


def test_the_street_lies_on_one_great_circle():
    """Without blur the arrivals of a source have no part along source x tangent."""
    skies = simulate(20, seed=7, preset="physics", sources=1, source_skies=1.0, signal_share=0.5, blur=0.01)
    normal = np.cross(skies.source[:, 0], skies.tangent[:, 0]).astype(float)
    off = np.degrees(np.arcsin(np.einsum("nik,nk->ni", skies.directions.astype(float), normal)))[skies.origin == 0]
    assert np.abs(off).max() < 0.01 * 7 * 6  # six standard deviations at the smallest rigidity


def test_rare_bright_sources_follow_the_euclidean_counts():
    """N(> S) ~ S^(-3/2): the ratio of two fluxes of a sky, r = S_1 / S_2, has P(r > x) = x^(-3/2) / 2 for x > 1."""
    flux = simulate(20_000, seed=8, preset="physics", sources=2, arrivals=1).flux.astype(float)
    ratio = flux[:, 0] / flux[:, 1]
    for x in (1.0, 2.0, 5.0, 20.0):
        expected = 0.5 * x**-1.5
        assert abs((ratio > x).mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / len(ratio))


def test_small_angle_deflection_in_a_uniform_field():
    """L / r_L with r_L = R / (c B) from the constants of nature; 0.53 degrees for 100 EV, 1 microgauss, 1 kpc."""
    metre_per_kpc = 1000 * constants.parsec
    radius = 100e18 / (constants.c * 1e-10) / metre_per_kpc
    assert float(field_deflection(100.0, field=1.0, length=1.0)) == pytest.approx(np.degrees(1 / radius), rel=1e-4)
    assert float(field_deflection(100.0, field=1.0, length=1.0)) == pytest.approx(0.53, abs=0.005)
    np.testing.assert_allclose(field_deflection([10.0, 20.0], field=2.0, length=3.0), [31.80, 15.90], atol=0.01)


def test_pairs_of_isotropic_skies_have_the_exact_mean():
    """N (N - 1) / 2 pairs, each closer than an angle with probability (1 - cos) / 2; pairs are uncorrelated."""
    skies = simulate(2000, seed=9, source_skies=0.0)
    for angle in (2.0, 5.0, 20.0):
        count, p = 500 * 499 / 2, (1 - np.cos(np.radians(angle))) / 2
        mean = pair_counts(skies.directions, angle=angle).mean()
        assert abs(mean - count * p) < 4 * np.sqrt(count * p * (1 - p) / 2000)


def test_the_oracle_is_a_likelihood_ratio():
    """E[exp(LR) | isotropic] = E[exp(-LR) | sources] = 1 exactly; weak sources, so that the means converge."""
    settings = {"signal_share": 0.02, "blur": 6.0}
    skies = simulate(20_000, seed=10, arrivals=20, **settings)
    ratio = oracle(skies, **settings)
    for values in (np.exp(ratio[skies.label == 0]), np.exp(-ratio[skies.label == 1])):
        assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(values))
        assert values.std() > 0.1


def test_the_oracle_with_wrong_sources_knows_nothing():
    """Sources of the next sky: the probability of a right order is 1/2."""
    skies = simulate(3000, seed=11)
    names = ("source", "tangent", "deflection", "flux")
    wrong = {name: np.roll(getattr(skies, name), 1, 0) for name in names}
    ratio = known_source_ratio(skies.directions, skies.energy, **wrong)
    assert abs(auc(ratio, skies.label) - 0.5) < 4 * np.sqrt(1 / (12 * 1500) * 2)


def test_shuffled_labels_cannot_be_told_apart():
    """AUC 1/2, with the error of the Mann-Whitney statistic."""
    skies = simulate(3000, seed=12)
    label = np.random.default_rng(1).permutation(skies.label)
    assert abs(auc(pair_counts(skies.directions), label) - 0.5) < 4 * np.sqrt(1 / (12 * 1500) * 2)


def test_the_difficulty_of_the_book_set_is_frozen():
    """Oracle above 0.998, autocorrelation at 0.908 (12 000 skies): changing the set needs a reason in writing."""
    skies = simulate(6000, seed=13)
    label = skies.label
    right = ((oracle(skies) > 0) == label).mean()
    assert right > 0.998
    count = pair_counts(skies.directions, angle=6.0)
    threshold = np.median(count[:3000][label[:3000] == 0])
    threshold = max(range(int(threshold), int(threshold) + 100), key=lambda t: ((count > t) == label)[:3000].mean())
    accuracy = ((count > threshold) == label)[3000:].mean()
    assert abs(accuracy - BASELINE) < 4 * np.sqrt(BASELINE * (1 - BASELINE) / 3000)


BASELINE = 0.908
