"""The oscillators' face: shapes, presets, edges, and the compiled integrators against the readable one."""

import dataclasses

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import oscillators

POINTS = {"spring": 30, "damped": 50, "pendulum": 45, "double_pendulum": 100, "kepler": 50}
FIELDS = [field.name for field in dataclasses.fields(oscillators.Trajectories)]


@pytest.mark.parametrize("preset", ["book", "physics"])
@pytest.mark.parametrize("system", oscillators.SYSTEMS)
def test_shapes_and_types(system, preset):
    motions = oscillators.simulate(4, seed=1, system=system, preset=preset)
    width = 4 if system in ("kepler", "double_pendulum") else 2
    if preset == "book":
        assert motions.states.shape == (4, POINTS[system], width)
    assert motions.states.shape == motions.observed.shape == motions.derivatives.shape
    assert motions.energy.shape == motions.time.shape == motions.states.shape[:2]
    for name in FIELDS:
        assert getattr(motions, name).dtype == np.float32
        assert np.isfinite(getattr(motions, name)).all()
    assert (motions.time[:, 0] == 0).all()


@pytest.mark.parametrize("system", ["pendulum", "kepler"])
def test_threads_number_and_noise_change_nothing_else(system, monkeypatch):
    """Same bits from one thread and from four; the first motions do not depend on n, nor any on the noise."""
    many = oscillators.simulate(2500, seed=3, system=system, noise=0.1)
    few = oscillators.simulate(700, seed=3, system=system, noise=0.1)
    quiet = oscillators.simulate(700, seed=3, system=system)
    monkeypatch.setattr(_blocks, "thread_count", lambda: 4)
    threaded = oscillators.simulate(2500, seed=3, system=system, noise=0.1)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(many, name)[:700], getattr(few, name))
        np.testing.assert_array_equal(getattr(many, name), getattr(threaded, name))
    np.testing.assert_array_equal(quiet.states, few.states)
    np.testing.assert_array_equal(quiet.observed, quiet.states)


def test_points_and_duration_are_those_asked_for():
    motions = oscillators.simulate(3, seed=1, points=7, duration=1.5)
    np.testing.assert_allclose(motions.time[0], np.linspace(0, 1.5, 7), rtol=1e-6)


@pytest.mark.parametrize(
    ("system", "force"), [("spring", lambda q: -2.0 * q), ("pendulum", lambda q: -3.0 * np.sin(q))]
)
def test_compiled_and_readable_verlet_agree(system, force):
    """Rounding only, also for a number of motions that does not fill the lanes."""
    starts = np.random.default_rng(1).normal(size=(11, 2))
    path = oscillators.integrate(starts, system=system, step=0.01, points=4, every=50)
    for record in range(4):
        q, p = oscillators.verlet_plain(*starts.T, force, step=0.01, steps=50 * record, mass=0.5)
        np.testing.assert_allclose(path[:, record], np.column_stack([q, p]), atol=1e-12)


def test_compiled_and_readable_verlet_agree_for_planets():
    starts = np.array([[1.0, 0.0, 0.1, 1.1], [0.7, 0.3, -0.2, 0.9]])
    path = oscillators.integrate(starts, system="kepler", step=0.01, points=2, every=200)

    def pull(q):
        return -q / np.linalg.norm(q, axis=-1, keepdims=True) ** 3

    q, p = oscillators.verlet_plain(starts[:, :2], starts[:, 2:], pull, step=0.01, steps=200)
    np.testing.assert_allclose(path[:, -1], np.concatenate([q, p], axis=1), atol=1e-12)


def test_integrate_leaves_its_argument_alone():
    starts = np.array([[1.0, 0.5]])
    oscillators.integrate(starts, system="pendulum", step=0.1, points=5)
    np.testing.assert_array_equal(starts, [[1.0, 0.5]])


def test_pendulum_at_rest_stays_at_rest_and_turns_are_kept():
    at_rest = oscillators.pendulum([0.0, 1.0, 100.0], [[0.0, 0.0], [2 * np.pi, 0.0]])
    np.testing.assert_allclose(at_rest[0], 0.0, atol=1e-12)
    np.testing.assert_allclose(at_rest[1, :, 0], 2 * np.pi, rtol=1e-12)


def test_pendulum_is_continuous_over_many_turns():
    path = oscillators.pendulum(np.linspace(0, 50, 5001), [[0.3, 2.5], [0.3, -2.5]])
    assert (np.diff(path[0, :, 0]) > 0).all()
    assert (np.diff(path[1, :, 0]) < 0).all()
    assert np.abs(np.diff(path[..., 0])).max() < 0.03


def test_negative_times_are_the_past():
    for motion, start in (
        (oscillators.spring, [[1.0, 0.2]]),
        (oscillators.pendulum, [[1.0, 0.2]]),
        (oscillators.kepler, [[1.0, 0.0, 0.1, 1.1]]),
    ):
        later = motion([3.0], start)[:, 0]
        np.testing.assert_allclose(motion([-3.0], later)[:, 0], start, atol=1e-10)


def test_physics_planets_stay_between_perihelion_and_aphelion():
    states = oscillators.simulate(500, seed=1, system="kepler", preset="physics").states.astype(float)
    r = np.hypot(states[..., 0], states[..., 1])
    assert r.min() >= 0.3 - 1e-5
    assert r.max() <= 3.0 * 1.7 + 1e-4
