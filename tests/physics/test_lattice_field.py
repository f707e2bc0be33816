"""Hybrid Monte Carlo of the lattice field against momentum sums, quadrature and exact identities."""

import itertools

import numpy as np
import pytest

from dlphys.simulators.lattice_field import (
    action,
    autocorrelation_time,
    force,
    free_log_partition,
    free_propagator,
    hmc_history,
    hmc_plain,
    leapfrog,
    log_density,
    simulate,
)


def pull(values, expected):
    return (values.mean(0) - expected) / (values.std(0, ddof=1) / np.sqrt(len(values)))


def exact_2x2(mass_squared, coupling, points=24):
    """ln Z, <phi^2> and <mean^2> of four sites by Gauss and Hermite quadrature."""
    node, weight = np.polynomial.hermite.hermgauss(points)
    fields = np.stack(np.meshgrid(*[0.8 * node] * 4, indexing="ij"), -1).reshape(-1, 2, 2)
    gauss = (fields**2).sum((1, 2)) / 0.64
    weights = np.prod(np.stack(np.meshgrid(*[0.8 * weight] * 4, indexing="ij"), -1).reshape(-1, 4), axis=1)
    weights *= np.exp(gauss - action(fields, mass_squared=mass_squared, coupling=coupling))
    z = weights.sum()
    return np.log(z), weights @ (fields**2).mean((1, 2)) / z, weights @ fields.mean((1, 2)) ** 2 / z


@pytest.mark.parametrize(("size", "mass_squared"), [(4, 1.0), (8, 0.5), (5, 2.0)])
def test_free_field_has_the_propagator_of_the_momentum_sum(size, mass_squared):
    """lambda = 0: <phi(0) phi(x)> at every distance, 4 sigma; Gaussian integral."""
    fields = simulate(3000, seed=1, size=size, mass_squared=mass_squared, coupling=0.0)
    spectrum = np.abs(np.fft.fft2(fields.field.astype(float))) ** 2
    correlation = np.fft.ifft2(spectrum).real / size**2
    deviation = pull(correlation, free_propagator(size, mass_squared=mass_squared))
    assert np.abs(deviation).max() < 4


def test_propagator_solves_the_lattice_klein_gordon_equation():
    """2 (m^2 - Laplacian) G = delta: the inverse of the quadratic form, built site by site."""
    propagator = free_propagator(6, mass_squared=0.3)
    neighbours = sum(np.roll(propagator, shift, axis) for shift in (1, -1) for axis in (0, 1))
    delta = 2.0 * ((4.0 + 0.3) * propagator - neighbours)
    expected = np.zeros((6, 6))
    expected[0, 0] = 1.0
    np.testing.assert_allclose(delta, expected, atol=1e-13)


def test_free_partition_function_is_the_gaussian_determinant():
    """Z = pi^(V/2) / sqrt(det K) for S = phi K phi, with K built from the action itself."""
    size, mass_squared = 4, 0.7
    sites = size * size
    basis = np.eye(sites).reshape(sites, size, size)
    parameters = {"mass_squared": mass_squared, "coupling": 0.0}
    single = action(basis, **parameters)
    matrix = np.array([[action(a + b, **parameters) for b in basis] for a in basis])
    matrix = 0.5 * (matrix - single[:, None] - single)
    expected = 0.5 * sites * np.log(np.pi) - 0.5 * np.linalg.slogdet(matrix)[1]
    assert free_log_partition(size, mass_squared=mass_squared) == pytest.approx(expected, rel=1e-12)
    assert exact_2x2(mass_squared, 0.0)[0] == pytest.approx(free_log_partition(2, mass_squared=mass_squared), abs=1e-4)


@pytest.mark.parametrize(("mass_squared", "coupling"), [(-4.0, 8.0), (-2.0, 1.0), (1.0, 3.0)])
def test_interacting_field_on_four_sites_agrees_with_quadrature(mass_squared, coupling):
    """<phi^2> and <mean^2> of the 2 x 2 torus by a 24^4-point quadrature, 4 sigma of 4000 chains."""
    _, square, magnetization = exact_2x2(mass_squared, coupling)
    fields = simulate(4000, seed=2, size=2, mass_squared=mass_squared, coupling=coupling)
    assert abs(pull((fields.field.astype(float) ** 2).mean((1, 2)), square)) < 4
    assert abs(pull(fields.magnetization.astype(float) ** 2, magnetization)) < 4


@pytest.mark.parametrize("coupling", [0.0, 2.0, 8.0])
def test_schwinger_dyson_equation(coupling):
    """<phi dS/dphi> = 1 at each site, for every coupling: integration by parts."""
    mass_squared = -4.0 if coupling else 1.0
    parameters = {"mass_squared": mass_squared, "coupling": coupling}
    fields = simulate(3000, seed=3, size=6, **parameters)
    phi = fields.field.astype(float)
    assert abs(pull(-(phi * force(phi, **parameters)).mean((1, 2)), 1.0)) < 4


def test_mean_of_exp_minus_the_energy_change_is_one():
    """Liouville and detailed balance: <exp(-dH)> = 1, and acceptance erfc(sqrt(<dH>) / 2) (Gupta et al. 1990)."""
    from math import erfc, sqrt

    fields = simulate(3000, seed=4, size=8)
    assert abs(pull(np.exp(-fields.energy_change), 1.0)) < 4
    change = fields.energy_change.mean()
    assert change > 0
    # the formula is for Gaussian dH of trajectories of one length; ours vary
    assert fields.acceptance.mean() == pytest.approx(erfc(sqrt(change) / 2), abs=0.02)


def test_leapfrog_is_reversible_and_of_second_order():
    """Turning the momentum round leads back to the start (1e-11); halving the step divides dH by 4."""
    random = np.random.default_rng(5)
    field, momentum = 0.4 * random.standard_normal((8, 8)), random.standard_normal((8, 8))

    def energy(phi, pi):
        return 0.5 * (pi**2).sum() + action(phi)

    there = leapfrog(field, momentum, step=0.05, steps=20)
    back = leapfrog(there[0], -there[1], step=0.05, steps=20)
    np.testing.assert_allclose(back[0], field, atol=1e-11)
    np.testing.assert_allclose(back[1], -momentum, atol=1e-11)
    changes = [
        energy(*leapfrog(field, momentum, step=h, steps=round(1 / h))) - energy(field, momentum)
        for h in (0.02, 0.01, 0.005)
    ]
    assert changes[0] / changes[1] == pytest.approx(4.0, abs=0.2)
    assert changes[1] / changes[2] == pytest.approx(4.0, abs=0.05)


def test_leapfrog_keeps_the_volume_of_phase_space():
    """Determinant of the Jacobian by central differences, four sites: 1."""
    random = np.random.default_rng(6)
    start = 0.5 * random.standard_normal(8)

    def flow(z):
        phi, pi = leapfrog(z[:4].reshape(2, 2), z[4:].reshape(2, 2), step=0.1, steps=10)
        return np.concatenate([phi.ravel(), pi.ravel()])

    h = 1e-5
    jacobian = np.stack([(flow(start + h * e) - flow(start - h * e)) / (2 * h) for e in np.eye(8)], axis=1)
    assert np.linalg.det(jacobian) == pytest.approx(1.0, abs=1e-6)


def test_force_is_minus_the_gradient_of_the_action():
    """Central differences at every site."""
    phi = np.random.default_rng(7).standard_normal((3, 3))
    h = 1e-5
    for i, j in itertools.product(range(3), range(3)):
        bump = np.zeros((3, 3))
        bump[i, j] = h
        slope = (action(phi + bump) - action(phi - bump)) / (2 * h)
        assert force(phi)[i, j] == pytest.approx(-slope, rel=1e-7)


def test_action_has_the_symmetries_of_the_torus():
    """Translations, reflections, the exchange of both directions, and phi -> -phi; log_density is its negative."""
    phi = np.random.default_rng(8).standard_normal((6, 6))
    for other in (np.roll(phi, (2, 3), (0, 1)), phi[::-1], phi.T, -phi):
        assert action(other) == pytest.approx(action(phi), rel=1e-13)
    np.testing.assert_array_equal(log_density(phi), -action(phi))


def test_signs_are_equally_likely_in_a_deep_well():
    """Z2: every chain stays in one well, sqrt(-m^2 / (2 lambda)) = 1.41 deep, but both signs come equally often."""
    fields = simulate(2000, seed=9, size=4, mass_squared=-8.0, coupling=2.0, step=0.05)
    assert np.abs(fields.magnetization).min() > 0.9
    assert abs((fields.magnetization > 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(2000)


def test_the_default_chain_forgets_its_start_long_before_it_ends():
    """100 trajectories against integrated autocorrelation times of about two; chain and ensemble agree."""
    history = hmc_history(12_000, seed=10)
    series = [history.action[200:], history.magnetization[200:], history.square[200:]]
    times = [autocorrelation_time(values) for values in series]
    assert max(times) < 4.0
    fields = simulate(2000, seed=11)
    ensemble = (fields.action, fields.magnetization, (fields.field.astype(float) ** 2).mean((1, 2)))
    for values, time, independent in zip(series, times, ensemble, strict=True):
        error = np.hypot(values.std() * np.sqrt(2 * time / len(values)), independent.std() / np.sqrt(len(independent)))
        assert abs(values.mean() - independent.mean()) < 4 * error
    assert 0.85 < history.accepted.mean() < 0.92


def test_autocorrelation_time_of_an_autoregressive_series():
    """x_t = a x_t-1 + noise has tau = (1 + a) / (2 (1 - a)): 4.5 for a = 0.8."""
    random = np.random.default_rng(12)
    noise = random.standard_normal(200_000)
    series = np.empty_like(noise)
    series[0] = noise[0]
    for t in range(1, len(noise)):
        series[t] = 0.8 * series[t - 1] + noise[t]
    assert autocorrelation_time(series) == pytest.approx(4.5, rel=0.06)


def test_plain_and_compiled_chains_sample_the_same_density():
    """<phi^2> of 1500 chains each, 4 sigma; different random numbers."""
    plain = hmc_plain(np.zeros((1500, 4, 4)), seed=13, trajectories=40)
    fast = simulate(1500, seed=14, size=4).field.astype(float)
    a, b = ((values**2).mean((1, 2)) for values in (plain, fast))
    assert abs(a.mean() - b.mean()) < 4 * np.sqrt((a.var() + b.var()) / 1500)
