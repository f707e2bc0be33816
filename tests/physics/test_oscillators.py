"""Oscillators against closed forms, conservation laws and orders of convergence."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dlphys.simulators import _oscillators_steps as steps
from dlphys.simulators import oscillators

PERIODS = {10: 1.0019072, 45: 1.0399733, 90: 1.1803406, 135: 1.5279476, 170: 2.4393627}
STARTS = {
    "spring": [[1.0, 0.5], [-0.3, 0.2]],
    "damped": [[1.0, 0.5], [-0.3, 0.2]],
    "pendulum": [[1.0, 0.5], [-2.0, 0.3], [0.4, 4.0], [0.4, -4.0], [7.0, 0.1]],
    "kepler": [[1.0, 0.0, 0.0, 1.0], [0.5, 0.2, -0.4, 1.2], [1.0, 0.3, 0.2, -0.7]],
}
EXACT = {
    "spring": oscillators.spring,
    "damped": oscillators.damped,
    "pendulum": oscillators.pendulum,
    "kepler": oscillators.kepler,
}


@pytest.mark.parametrize(("degrees", "ratio"), PERIODS.items())
def test_period_of_the_pendulum_is_the_elliptic_integral(degrees, ratio):
    """T / T0 = (2 / pi) K(sin(amplitude / 2)), table to 1e-6; the motion returns to its start after it."""
    amplitude = math.radians(degrees)
    period = float(oscillators.pendulum_period(amplitude, inertia=0.5, torque=3.0))
    assert period / (2 * math.pi * math.sqrt(0.5 / 3.0)) == pytest.approx(ratio, abs=1e-6)
    times = np.array([0.25, 0.5, 1.0, 7.0]) * period
    path = oscillators.pendulum(times, [[amplitude, 0.0]], inertia=0.5, torque=3.0)[0]
    np.testing.assert_allclose(path[:, 0], [0.0, -amplitude, amplitude, amplitude], atol=1e-8)


@pytest.mark.parametrize("system", EXACT)
def test_closed_forms_solve_the_equations_of_motion(system):
    """SciPy's DOP853 at a relative tolerance of 1e-12, over several periods, swings and turns in both directions."""
    times = np.linspace(0.0, 12.0, 40)
    ours = EXACT[system](times, STARTS[system])
    defaults = {"spring": {"mass": 1.0, "stiffness": 1.0}, "pendulum": {"inertia": 1.0, "torque": 1.0}}
    defaults["damped"] = {**defaults["spring"], "damping": 0.1}
    for start, path in zip(STARTS[system], ours, strict=True):

        def rates(_, state):
            return oscillators.vector_field(state, system=system, **defaults.get(system, {}))

        solution = solve_ivp(rates, (0.0, 12.0), start, t_eval=times, method="DOP853", rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(path, solution.y.T, atol=2e-8)


@pytest.mark.parametrize("damping", [0.0, 0.3, 1.0, 1.0 + 1e-9, 2.5])
def test_damped_spring_in_every_regime(damping):
    """Oscillation, aperiodic limit and creep against DOP853; no jump at the limit."""
    times = np.linspace(0.0, 8.0, 30)
    ours = oscillators.damped(times, [[1.0, -0.5]], mass=0.5, stiffness=2.0, damping=damping)[0]

    def rates(_, state):
        return oscillators.vector_field(state, system="damped", mass=0.5, stiffness=2.0, damping=damping or 0.0)

    solution = solve_ivp(rates, (0.0, 8.0), [1.0, -0.5], t_eval=times, method="DOP853", rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours, solution.y.T, atol=1e-9)


def test_energy_of_the_damped_spring_falls_with_twice_the_damping_rate():
    """Envelope E(t) = E(0) exp(-2 zeta w t), exactly after every period 2 pi / (w sqrt(1 - zeta^2))."""
    zeta, omega = 0.1, 2.0
    period = 2 * math.pi / (omega * math.sqrt(1 - zeta**2))
    times = period * np.arange(6)
    path = oscillators.damped(times, [[0.7, 0.2]], mass=0.5, stiffness=2.0, damping=zeta)
    energy = oscillators.hamiltonian(path, system="damped", mass=0.5, stiffness=2.0)[0]
    np.testing.assert_allclose(energy, energy[0] * np.exp(-2 * zeta * omega * times), rtol=1e-12)


@pytest.mark.parametrize("system", ["spring", "pendulum", "kepler", "double_pendulum"])
def test_vector_field_is_the_rotated_gradient_of_the_hamiltonian(system):
    """dq/dt = dH/dp and dp/dt = -dH/dq (the book's 14.31 lacks the sign), by central differences."""
    random = np.random.default_rng(1)
    width = 4 if system in ("kepler", "double_pendulum") else 2
    states = random.normal(size=(50, width)) + (1.5 if system == "kepler" else 0.0)
    h = 1e-5
    gradient = np.stack(
        [
            oscillators.hamiltonian(states + h * axis, system=system)
            - oscillators.hamiltonian(states - h * axis, system=system)
            for axis in np.eye(width)
        ],
        axis=-1,
    ) / (2 * h)
    half = width // 2
    flow = np.concatenate([gradient[:, half:], -gradient[:, :half]], axis=1)
    scale = 1 + np.abs(flow).max(1, keepdims=True)
    assert (np.abs(oscillators.vector_field(states, system=system) - flow) / scale).max() < 1e-7


def test_kepler_conserves_angular_momentum_and_the_runge_lenz_vector():
    """Both constant to 1e-10 over a hundred orbits and eccentricities up to 0.99."""
    e = np.linspace(0.0, 0.99, 34)
    starts = np.column_stack([1 - e, 0 * e, 0 * e, np.sqrt((1 + e) / (1 - e))])
    path = oscillators.kepler(np.linspace(0.0, 200 * math.pi, 201), starts)
    x, y, u, v = np.moveaxis(path, -1, 0)
    momentum = x * v - y * u
    np.testing.assert_allclose(momentum, np.sqrt(1 - e**2)[:, None] * np.ones(201), atol=1e-10)
    r = np.hypot(x, y)
    lenz = np.stack([v * momentum - x / r, -u * momentum - y / r], axis=-1)
    np.testing.assert_allclose(lenz, np.broadcast_to(lenz[:, :1], lenz.shape), atol=1e-10)
    np.testing.assert_allclose(lenz[:, 0, 0], e, atol=1e-12)


def test_third_law_of_kepler():
    """T^2 / a^3 = 4 pi^2 / mu: every orbit is back after its own period, the Earth after one year."""
    mu = 4 * math.pi**2
    for a, e in ((1.0, 0.0167), (1.524, 0.0934), (5.203, 0.0484), (2.0, 0.7)):
        start = np.array([[a * (1 - e), 0.0, 0.0, math.sqrt(mu / a * (1 + e) / (1 - e))]])
        path = oscillators.kepler([a**1.5, 11 * a**1.5], start, attraction=mu)[0]
        np.testing.assert_allclose(path, np.repeat(start, 2, axis=0), atol=1e-9)


@pytest.mark.parametrize(("method", "order"), [("verlet", 2), ("yoshida", 4)])
@pytest.mark.parametrize("system", ["spring", "pendulum", "kepler"])
def test_order_of_the_integrators(system, method, order):
    """Halving the step divides the largest error of the energy by 2^order: 4.0 +- 0.1 and 16 +- 1.6."""
    start = {"spring": [[1.0, 0.0]], "pendulum": [[1.5, 0.0]], "kepler": [[1.0, 0.0, 0.0, 1.1]]}[system]
    errors = []
    for halvings in (0, 1):
        step = 0.04 / 2**halvings
        path = oscillators.integrate(start, system=system, step=step, points=501, every=2**halvings, method=method)
        energy = oscillators.hamiltonian(path, system=system)[0]
        errors.append(np.abs(energy - energy[0]).max())
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.025 if order == 2 else 0.1)


@pytest.mark.parametrize("method", ["verlet", "yoshida"])
@pytest.mark.parametrize("system", ["spring", "pendulum", "kepler"])
def test_integrators_are_reversible(system, method):
    """2000 steps forwards and 2000 backwards return to the start to 1e-10."""
    start = np.array({"spring": [[1.0, 0.3]], "pendulum": [[1.5, 0.3]], "kepler": [[1.0, 0.0, 0.1, 1.1]]}[system])
    options = {"system": system, "points": 2, "every": 2000, "method": method}
    there = oscillators.integrate(start, step=0.01, **options)[:, -1]
    back = oscillators.integrate(there, step=-0.01, **options)[:, -1]
    assert np.abs(there - start).max() > 0.1
    np.testing.assert_allclose(back, start, atol=1e-10)


def test_energy_does_not_drift_in_a_million_verlet_steps():
    """Symplectic: the largest energy error of the second half is that of the first, to 1 %."""
    path = oscillators.integrate([[1.5, 0.0]], system="pendulum", step=0.05, points=10_001, every=100)
    error = np.abs(
        oscillators.hamiltonian(path, system="pendulum")[0] - oscillators.hamiltonian([1.5, 0.0], system="pendulum")
    )
    assert error[5000:].max() == pytest.approx(error[:5000].max(), rel=0.01)


def test_double_pendulum_conserves_its_energy():
    """Runge-Kutta with 1 ms: |dE / E| below 1e-6 over 20 s for large swings."""
    random = np.random.default_rng(2)
    starts = np.column_stack([random.uniform(-2, 2, (20, 2)), np.zeros((20, 2))])
    path = oscillators.integrate(
        starts, system="double_pendulum", step=1e-3, points=21, every=1000, length=1.0, gravity=9.81
    )
    energy = oscillators.hamiltonian(path, system="double_pendulum", length=1.0, gravity=9.81)
    assert np.abs(energy / energy[:, :1] - 1).max() < 1e-6


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_small_double_pendulum_swings_in_its_normal_modes(sign):
    """w^2 = (2 +- sqrt 2) g / l with the angles in the ratio 1 : -+ sqrt 2; back after a period to 1e-6."""
    small = 1e-4
    omega = math.sqrt((2 + sign * math.sqrt(2)) * 9.81)
    period = 2 * math.pi / omega
    start = np.array([[small, -sign * math.sqrt(2) * small, 0.0, 0.0]])
    path = oscillators.integrate(
        start, system="double_pendulum", step=period / 4000, points=5, every=1000, length=1.0, gravity=9.81
    )[0]
    np.testing.assert_allclose(path[4, :2], start[0, :2], atol=1e-6 * small)
    np.testing.assert_allclose(path[2, :2], -start[0, :2], atol=1e-6 * small)
    np.testing.assert_allclose(path[1, :2], 0.0, atol=1e-6 * small)


def test_branch_free_sine_is_the_sine():
    """The standard library to 4e-16, far beyond the first turn as well."""
    x = np.concatenate([np.linspace(-4, 4, 4001), np.linspace(-1000, 1000, 4001)])
    ours = np.array([steps.sine(value) for value in x])
    assert np.abs(ours - np.sin(x)).max() < 4e-16


@pytest.mark.parametrize("preset", ["book", "physics"])
@pytest.mark.parametrize("system", oscillators.SYSTEMS)
def test_simulated_energy_is_constant_where_there_is_no_friction(system, preset):
    """Float32 energies: 1e-6 of the largest term; the damped spring's only falls."""
    motions = oscillators.simulate(300, seed=3, system=system, preset=preset)
    if system == "damped":
        assert (np.diff(motions.energy, axis=1) <= 1e-7 * motions.energy[:, :1]).all()
        assert (motions.energy[:, -1] < 0.5 * motions.energy[:, 0]).all()
    else:
        scale = np.abs(motions.energy).max() if system == "double_pendulum" else np.abs(motions.energy[:, :1])
        assert (np.ptp(motions.energy, axis=1, keepdims=True) < 1e-6 * scale + 1e-9).all()


@pytest.mark.parametrize("system", oscillators.SYSTEMS)
def test_simulated_derivatives_are_the_slopes_of_the_states(system):
    """Central differences of a densely recorded motion."""
    motions = oscillators.simulate(20, seed=4, system=system, points=4001, duration=2.0)
    slope = (motions.states[:, 2:].astype(float) - motions.states[:, :-2]) / 0.001
    scale = 1 + np.abs(motions.derivatives).max()
    np.testing.assert_allclose(slope / scale, motions.derivatives[:, 1:-1] / scale, atol=1e-3)


def test_book_starts_lie_in_the_rings_of_the_reference():
    """arXiv:1906.01563: radius 0.1 to 1 (spring), 1.3 to 2.3 (pendulum), uniform; every pendulum swings."""
    for system, low, high in (("spring", 0.1, 1.0), ("pendulum", 1.3, 2.3)):
        states = oscillators.simulate(4000, seed=5, system=system).states[:, 0].astype(float)
        radius = np.hypot(*states.T)
        assert low - 1e-6 < radius.min() < radius.max() < high + 1e-6
        assert abs(radius.mean() - (low + high) / 2) < 4 * (high - low) / np.sqrt(12 * 4000)
    assert oscillators.simulate(4000, seed=5, system="pendulum").energy.max() < 6.0


def test_noise_is_gaussian_and_independent():
    """Width within 4 sigma, neighbours uncorrelated."""
    motions = oscillators.simulate(2000, seed=6, system="pendulum", noise=0.1)
    noise = (motions.observed - motions.states).astype(float) / 0.1
    assert abs(noise.mean()) < 4 / np.sqrt(noise.size)
    assert abs(noise.var() - 1) < 4 * np.sqrt(2 / noise.size)
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 4 / np.sqrt(noise.size)
    assert abs((noise[..., 0] * noise[..., 1]).mean()) < 4 / np.sqrt(noise.size / 2)
