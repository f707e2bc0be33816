"""Gluon pseudo-data and energy-loss spectra against published values, quadrature and closure."""

import numpy as np
import pytest
from scipy import integrate, stats

from dlphys.simulators.spectra import (
    ENERGY_LOSS,
    chi_squared,
    coverage,
    energy_loss_image,
    gluon_momentum,
    gluon_uncertainty,
    log_ratio_thickness,
    momentum_grid,
    oracle_fit,
    reflected_tail,
    scaling_violation_matrix,
    scaling_violations,
    simulate,
    single_scattering,
    thickness_map,
    zero_loss_peak,
)

# x g(x) and its standard deviation, NNPDF3.1 NLO at 2 GeV, as evaluated for the reference of this project.
NNPDF = np.array(
    [
        (1e-6, 15.6, 32.4),
        (1e-5, 9.78, 12.6),
        (1e-4, 5.57, 2.30),
        (1e-3, 4.48, 0.524),
        (0.01, 3.52, 0.120),
        (0.1, 1.47, 0.050),
        (0.3, 0.29, 0.03),
        (0.5, 0.079, 0.019),
        (0.7, 0.007, 0.011),
    ]
)


def test_gluons_follow_the_published_set():
    """NNPDF3.1 at nine values of x: within 0.6 standard deviations, and those within 0.18 decades."""
    x, value, deviation = NNPDF.T
    assert np.abs((gluon_momentum(x) - value) / deviation).max() < 0.6
    assert np.abs(np.log10(gluon_uncertainty(x) / deviation)).max() < 0.18


def test_gluons_are_positive_and_carry_less_than_half_of_the_momentum():
    """Positivity, and the momentum sum rule: 0.42 above x = 0.001, the rest is the quarks'."""
    x = np.geomspace(1e-6, 1.0, 20_000)
    assert (gluon_momentum(x[:-1]) > 0).all()
    assert gluon_momentum(1.0) == 0.0
    above = integrate.quad(lambda x: float(gluon_momentum(x)), 1e-3, 1.0, limit=300)[0]
    assert above == pytest.approx(0.42, abs=0.005)
    grid, weight = momentum_grid(x_min=1e-6)
    assert 0.40 < weight @ gluon_momentum(grid) < 0.45


@pytest.mark.parametrize("x_min", [1e-6, 1e-3, 0.1])
def test_momentum_grid_integrates_like_adaptive_quadrature(x_min):
    """Gauss and Legendre in ln x against QUADPACK, 1e-9."""
    x, weight = momentum_grid(64, x_min=x_min)
    expected = integrate.quad(lambda t: np.exp(t) * float(gluon_momentum(np.exp(t))), np.log(x_min), 0, limit=400)[0]
    assert weight @ gluon_momentum(x) == pytest.approx(expected, rel=1e-7)
    assert weight.sum() == pytest.approx(1.0 - x_min, rel=1e-9)


def test_scaling_violation_is_the_altarelli_parisi_integral():
    """(alpha_s / pi) sum e^2 int du P_qg(u) G(x / u) by QUADPACK; linear interpolation in ln x of 1000 nodes: 1e-4."""
    nodes = np.geomspace(1e-3, 1.0, 1000)
    x = np.array([1e-3, 0.01, 0.1, 0.5])
    observable = scaling_violation_matrix(x, nodes) @ gluon_momentum(nodes)

    def exact(x):
        integral = integrate.quad(lambda u: 0.5 * (u**2 + (1 - u) ** 2) * float(gluon_momentum(x / u)), x, 1, limit=300)
        return 0.3 / np.pi * 10 / 9 * integral[0]

    np.testing.assert_allclose(observable, [exact(value) for value in x], rtol=2e-4)


def test_splitting_into_quarks_conserves_a_constant():
    """G = 1 everywhere up to z = 1: int_x^1 P_qg = (1 - x) / 2 - x^0 ... in closed form, 1/3 for x -> 0."""
    nodes = np.geomspace(1e-6, 1.0, 50)
    value = scaling_violation_matrix([1e-6, 0.3], nodes, points=200) @ np.ones(50)
    closed = [0.3 / np.pi * 10 / 9 * ((1 - x) / 2 - (1 - x**2) / 2 + (1 - x**3) / 3) for x in (1e-6, 0.3)]
    np.testing.assert_allclose(value, closed, rtol=1e-9)


@pytest.mark.parametrize(("level", "expected"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_truth_has_the_chi_squared_of_its_level(level, expected):
    """Closure tests (NNPDF 2015): 0, 1 and 2 per point; at level 2 all replicas share the errors of the data."""
    data = simulate(400, seed=1, points=200, level=level)
    chi = chi_squared(data.truth, data.values, data.uncertainty)
    # the shared errors have a chi-squared of their own, with a variance of 2 / points
    error = np.sqrt(chi.var() / len(chi) + (2 / 200 if level == 2 else 0.0))
    assert abs(chi.mean() - expected) <= 4 * error + 1e-9
    if level == 1:
        total = 200 * chi
        assert stats.kstest(total, stats.chi2(200).cdf).pvalue > 1e-3


def test_replicas_scatter_about_the_data_and_not_about_the_truth():
    """Level 2 is level 1 with errors once more: the mean of many replicas is the first pseudo-experiment."""
    data = simulate(1, seed=2, points=300)
    replicas = simulate(2000, seed=2, points=300, level=2)
    deviation = (replicas.values.mean(0) - data.values[0]) / data.uncertainty[0] * np.sqrt(2000)
    assert stats.kstest(deviation, stats.norm.cdf).pvalue > 1e-3
    assert chi_squared(data.truth[0], replicas.values.mean(0), data.uncertainty[0]) > 0.5


def test_oracle_fit_closes():
    """Four coefficients: chi-squared (N - 4) / N at level 1, and 4 / N between fit and truth in units of the errors."""
    data = simulate(800, seed=3, points=100)
    fit = oracle_fit(data)
    for value, expected in (
        (chi_squared(fit, data.values, data.uncertainty), 0.96),
        (chi_squared(fit, data.truth, data.uncertainty), 0.04),
    ):
        assert abs(value.mean() - expected) < 4 * value.std() / np.sqrt(len(value))
    exact = simulate(1, seed=3, points=100, level=0)
    np.testing.assert_allclose(oracle_fit(exact), exact.truth, rtol=1e-4, atol=1e-5)


def test_replica_band_of_the_oracle_covers_the_truth_in_68_percent():
    """Gaussian errors and a linear fit: 0.683, averaged over 60 pseudo-experiments with 50 replicas each.

    The finite number of replicas makes the band's width uncertain by 10 %, which costs 0.003 of coverage.
    """
    covered = []
    for seed in range(60):
        replicas = simulate(50, seed=seed, points=100, level=2)
        covered.append(coverage(oracle_fit(replicas), replicas.truth[0]))
    assert abs(np.mean(covered) - 0.683) < 4 * np.std(covered) / np.sqrt(60) + 0.003
    assert np.std(covered) / np.sqrt(60) < 0.05


def test_scaling_violations_have_their_relative_errors():
    """Pulls are standard normal."""
    data = scaling_violations(100, seed=4, relative_error=0.1)
    pulls = (data.values - data.truth) / data.uncertainty
    assert stats.kstest(pulls.ravel(), stats.norm.cdf).pvalue > 1e-3
    np.testing.assert_allclose(data.uncertainty, 0.1 * data.truth, rtol=1e-5)


@pytest.mark.parametrize("resolution", [0.2, 0.45, 1.0])
def test_zero_loss_peak_has_unit_area_its_width_and_its_maximum_at_zero(resolution):
    """Definitions, numerically; and it reaches farther to the side of the losses."""
    energy = np.linspace(-60.0, 60.0, 240_001)
    peak = zero_loss_peak(energy, resolution=resolution)
    assert integrate.simpson(peak, x=energy) == pytest.approx(1.0, abs=1e-4 * resolution / 0.2)
    assert energy[peak.argmax()] == pytest.approx(0.0, abs=6e-4)
    assert np.ptp(energy[peak > peak.max() / 2]) == pytest.approx(resolution, abs=2e-3)
    assert zero_loss_peak(1.5 * resolution, resolution=resolution) > 2 * zero_loss_peak(
        -1.5 * resolution, resolution=resolution
    )


def test_plasmon_peak_is_that_of_a_drude_metal():
    """Im(-1 / eps) peaks near E_p = 22.5 eV with a width of 5.5 eV; nothing is lost below the band gap."""
    energy = np.linspace(-5, 130, 100_000)
    loss = single_scattering(energy)
    assert integrate.trapezoid(loss, energy) == pytest.approx(1.0, abs=1e-3)
    assert energy[loss.argmax()] == pytest.approx(22.5, abs=0.7)
    assert (loss[energy <= 1.9] == 0).all()
    assert (loss[(energy > 1.91) & (energy < 129)] > 0).all()


def test_spectra_are_the_poisson_series_of_multiple_scattering():
    """Egerton, eq. 4.9: Z * sum exp(-t) t^k / k! S*...*S, convolved one by one, against the transform."""
    image = energy_loss_image(400, seed=5, jitter=0.0)
    grid = ENERGY_LOSS[0] + 0.1 * np.arange(3000)
    one = 0.1 * single_scattering(grid - ENERGY_LOSS[0])
    for pixel in (300, 330, 345):
        t = float(image.thickness[pixel])
        term = 1e6 * np.exp(-t) * 0.1 * zero_loss_peak(grid)
        np.testing.assert_allclose(image.zero_loss[pixel], term[:768], rtol=1e-5, atol=1e-6)
        inelastic = np.zeros_like(grid)
        for k in range(1, 14):
            term = np.convolve(term, one)[:3000] * t / k
            inelastic += term
        np.testing.assert_allclose(image.inelastic[pixel], inelastic[:768], rtol=1e-4, atol=1e-3)
    assert len(set(image.thickness[[300, 330, 345]])) > 1


def test_counts_are_poisson_about_the_sum_of_both_parts():
    """Chi-squared of bright channels."""
    image = energy_loss_image(100, seed=6)
    expected = image.zero_loss.astype(float) + image.inelastic
    bright = expected > 50
    pulls = ((image.counts - expected) / np.sqrt(expected))[bright]
    assert abs(pulls.mean()) < 4 / np.sqrt(pulls.size)
    assert abs((pulls**2).mean() - 1) < 4 * np.sqrt(2.2 / pulls.size)


def test_log_ratio_finds_the_thickness_up_to_its_known_bias():
    """t = ln(I / I_0) (Malis et al. 1988): losses beyond the last channel make thick pixels look thinner."""
    image = energy_loss_image(1024, seed=7)
    bias = log_ratio_thickness(image.counts) - image.thickness
    vacuum = image.thickness == 0
    assert abs(bias[vacuum].mean()) < 0.003
    thin = (image.thickness > 0) & (image.thickness <= 0.5)
    assert -0.04 < bias[thin].mean() < 0.0
    assert -0.12 < bias[image.thickness == image.thickness.max()].mean() < -0.02
    np.testing.assert_array_equal(image.thickness, thickness_map(image.row, image.column).astype(np.float32))


def test_mirrored_tail_misses_the_asymmetry():
    """Baseline: right on the side without losses, too small at 0.6 eV, where field emission adds electrons."""
    image = energy_loss_image(64, seed=8, jitter=0.0)
    tail = reflected_tail(image.counts)
    below = (ENERGY_LOSS > -1) & (ENERGY_LOSS < 0)
    np.testing.assert_array_equal(tail[:, below], image.counts[:, below])
    shoulder = np.argmin(np.abs(ENERGY_LOSS - 0.6))
    assert (tail[:, shoulder] < 0.7 * image.zero_loss[:, shoulder]).all()
