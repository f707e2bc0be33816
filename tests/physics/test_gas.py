"""The gas thermometer against the kinetic theory and the theory of estimation."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from dlphys.simulators import gas

HELIUM = 4.002602 * 1.66053906660e-27 / 1.380649e-23  # m / k in K s^2/m^2


def test_most_likely_speeds_of_helium_are_those_of_the_figure():
    """Figure 14.1: maxima at 645, 1116, 2038 m/s of 1.29, 0.74, 0.41 s/km for 100, 300, 1000 K."""
    v = np.arange(0.0, 4000.0)
    for T, speed, height in ((100.0, 645, 1.29), (300.0, 1116, 0.74), (1000.0, 2038, 0.41)):
        density = gas.maxwell_boltzmann(v, T)
        assert abs(v[density.argmax()] - speed) <= 1
        assert 1000 * density.max() == pytest.approx(height, abs=0.0051)


@pytest.mark.parametrize("name", gas.ATOMS)
def test_density_is_normalised_with_the_moments_of_kinetic_theory(name):
    """Integral 1, <v> = sqrt(8 k T / (pi m)), <v^2> = 3 k T / m."""
    ratio = gas.BOLTZMANN * 300.0 / (gas.ATOMS[name] * gas.DALTON)
    top = 15 * np.sqrt(ratio)
    exact = (1.0, np.sqrt(8 * ratio / np.pi), 3 * ratio)
    for power, moment in enumerate(exact):
        area, _ = integrate.quad(
            lambda v, p=power: v**p * float(gas.maxwell_boltzmann(v, 300.0, gas=name)), 0.0, top, epsabs=0
        )
        assert area == pytest.approx(moment, rel=1e-7)


def test_speeds_follow_the_density():
    """Kolmogorov-Smirnov with the Maxwell distribution of the scale sqrt(k T / m)."""
    speeds = gas.simulate(500, seed=1, temperature=300.0).speeds
    scale = np.sqrt(300.0 / HELIUM)
    assert stats.kstest(speeds.ravel().astype(float), "maxwell", args=(0, scale)).pvalue > 1e-3


def test_velocities_are_isotropic_gaussians_and_speeds_are_their_lengths():
    """Three independent components of the variance k T / m; the same seed gives the same gases."""
    vectors = gas.simulate_velocities(500, seed=1, temperature=300.0)
    speeds = gas.simulate(500, seed=1, temperature=300.0).speeds
    np.testing.assert_allclose(np.linalg.norm(vectors.velocities, axis=-1), speeds, rtol=1e-5)
    components = vectors.velocities.reshape(-1, 3).astype(float) / np.sqrt(300.0 / HELIUM)
    for component in components.T:
        assert stats.kstest(component, "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(components.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(len(components))


@pytest.mark.parametrize(
    ("preset", "quantile"), [("book", lambda T: (T - 100) / 900), ("physics", lambda T: np.log10(T / 100))]
)
def test_temperatures_follow_the_prior(preset, quantile):
    """Uniform in T or in ln T: Kolmogorov-Smirnov."""
    T = gas.simulate(20_000, seed=2, atoms=1, preset=preset).temperature.astype(float)
    assert stats.kstest(quantile(T), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("atoms", [1, 10, 100])
def test_maximum_likelihood_is_unbiased_and_reaches_the_cramer_rao_bound(atoms):
    """Relative error sqrt(2 / (3 N)): 8.16 % for 100 atoms. Mean and variance within 4 sigma."""
    n = 40_000
    found = gas.maximum_likelihood(gas.simulate(n, seed=3, atoms=atoms, temperature=300.0).speeds)
    bound = float(gas.cramer_rao(300.0, atoms=atoms))
    assert abs(found.mean() - 300.0) < 4 * bound / np.sqrt(n)
    kurtosis = 3 + 6 / (1.5 * atoms)
    assert abs(found.var() / bound**2 - 1) < 4 * np.sqrt((kurtosis - 1) / n)
    if atoms == 100:
        assert bound / 300.0 == pytest.approx(0.0816, abs=5e-5)


def test_maximum_likelihood_is_the_maximum_of_the_likelihood():
    """No temperature within 20 % is more likely."""
    speeds = gas.simulate(20, seed=4, atoms=50).speeds
    found = gas.maximum_likelihood(speeds)
    factors = np.linspace(0.8, 1.2, 41)
    likelihood = np.log(gas.maxwell_boltzmann(speeds[:, :, None], found[:, None, None] * factors)).sum(1)
    np.testing.assert_array_equal(likelihood.argmax(1), 20)


def test_posterior_mean_of_the_uniform_prior_is_a_ratio_of_incomplete_gamma_functions():
    """E[T] = S (Q(a - 1, S / T2) - Q(a - 1, S / T1)) Gamma(a - 1) / the same with a, a = 3 N / 2 - 1."""
    for atoms in (2, 10, 60):
        speeds = gas.simulate(50, seed=5, atoms=atoms).speeds.astype(float)
        S = HELIUM * (speeds**2).sum(1) / 2
        a = 1.5 * atoms - 1

        def between(shape, S=S):
            return special.gammaincc(shape, S / 1000.0) - special.gammaincc(shape, S / 100.0)

        exact = S * between(a - 1) / between(a) / (a - 1)
        # where S fits no temperature of the range, the difference of the functions loses digits
        safe = np.abs(between(a)) > 1e-6
        assert safe.sum() > 30
        np.testing.assert_allclose(gas.posterior_mean(speeds)[safe], exact[safe], rtol=1e-8)


def test_posterior_mean_stays_in_the_range_for_any_speeds():
    """Far beyond the prior it goes to the nearer end, without under- or overflow."""
    speeds = np.geomspace(1.0, 1e6, 40)[:, None] * np.ones((1, 200))
    for prior in gas.PRIORS:
        T = gas.posterior_mean(speeds, prior=prior)
        assert (np.diff(T) > -1e-9).all()
        assert 100.0 <= T[0] < 101.0
        assert 990.0 < T[-1] <= 1000.0


@pytest.mark.parametrize("prior", gas.PRIORS)
@pytest.mark.parametrize("atoms", [1, 10, 100])
def test_limit_is_what_the_posterior_mean_reaches(prior, atoms):
    """Mean squared error of 30 000 gases within 4 sigma of the integral; maximum likelihood is worse."""
    n = 30_000
    gases = gas.simulate(n, seed=6, atoms=atoms, prior=prior)
    square = (gas.posterior_mean(gases.speeds, prior=prior) - gases.temperature) ** 2
    limit = gas.limit_rmse(atoms=atoms, prior=prior)
    assert abs(square.mean() - limit**2) < 4 * square.std() / np.sqrt(n)
    likelihood = (gas.maximum_likelihood(gases.speeds) - gases.temperature) ** 2
    assert (likelihood - square).mean() > 4 * (likelihood - square).std() / np.sqrt(n)


def test_limit_approaches_the_cramer_rao_bound_for_many_atoms_but_for_the_ends_of_the_range():
    """1 - limit^2 / bound^2 is the gain at the two ends, where the prior cuts the Gaussian error s = T sqrt(2 / (3 N)).

    For a location with a Gaussian error of width 1 and a flat prior on a half line, the posterior mean saves
    C = integral of 1 - risk = 0.903 over the distance to its end; so sum C s^3 / integral s^2 over both ends. To 1 %.
    """
    distance = np.linspace(0.0, 12.0, 2401)
    z, weight = np.polynomial.hermite_e.hermegauss(200)
    x = distance[:, None] + z
    safe = np.maximum(x, -30.0)
    found = np.where(x > -30.0, x + np.exp(stats.norm.logpdf(safe) - stats.norm.logcdf(safe)), -1.0 / x)
    risk = (found - distance[:, None]) ** 2 @ (weight / np.sqrt(2 * np.pi))
    saved = np.trapezoid(1.0 - risk, distance)
    atoms = 160_000
    width = np.sqrt(2 / (3 * atoms))
    gain = saved * width * (1000.0**3 + 100.0**3) / 900.0 / 370_000.0
    bound = np.sqrt(370_000.0) * width
    assert 1.0 - (gas.limit_rmse(atoms=atoms) / bound) ** 2 == pytest.approx(gain, rel=0.01)


def test_posterior_mean_is_the_right_temperature_on_average():
    """E[T | speeds] = T on average in bins of the estimate itself: calibration, 4 sigma in ten bins."""
    gases = gas.simulate(40_000, seed=7, atoms=20)
    found = gas.posterior_mean(gases.speeds)
    for part in np.array_split(np.argsort(found), 10):
        apart = found[part] - gases.temperature[part]
        assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(len(part))
