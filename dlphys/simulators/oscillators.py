"""Springs, pendulums and planets: motions with a known Hamiltonian.

Hamilton's equations dq/dt = dH/dp, dp/dt = -dH/dq move a state (q, p) through phase space and keep H. The spring, the
pendulum and Kepler's orbit are known in closed form, so every state here is exact; only the double pendulum is
integrated. Used in chapter 14 (networks that learn H) and chapter 21 (laws of motion read off data).

Next to the data stand the law itself (`hamiltonian`, `vector_field`: an oracle, it knows what the network has to learn)
and integrators that keep the structure of phase space (`integrate`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, check_positive, shown
from dlphys.simulators._oscillators_exact import damped, kepler, pendulum, pendulum_period, spring
from dlphys.simulators._oscillators_steps import (
    PENDULUM,
    SPRING,
    runge_kutta_double_pendulum,
    verlet_orbit,
    verlet_swing,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "SYSTEMS",
    "Trajectories",
    "damped",
    "hamiltonian",
    "integrate",
    "kepler",
    "pendulum",
    "pendulum_period",
    "simulate",
    "spring",
    "vector_field",
    "verlet_plain",
]


@dataclass(frozen=True)
class _Setting:
    """Constants, times and starts of one system in one preset."""

    constants: dict[str, float]
    duration: float
    points: int
    start: tuple[float, float]  # range of the quantity that `_draw_starts` names


SYSTEMS = ("spring", "damped", "pendulum", "double_pendulum", "kepler")
SETTINGS = {
    "book": {
        "spring": _Setting({"mass": 0.5, "stiffness": 2.0}, 3.0, 30, (0.1, 1.0)),
        "damped": _Setting({"mass": 0.5, "stiffness": 2.0, "damping": 0.1}, 10.0, 50, (0.1, 1.0)),
        "pendulum": _Setting({"inertia": 0.5, "torque": 3.0}, 3.0, 45, (1.3, 2.3)),
        "double_pendulum": _Setting({"length": 1.0, "gravity": 1.0}, 20.0, 100, (0.0, np.pi / 2)),
        "kepler": _Setting({"attraction": 1.0}, 20.0, 50, (0.5, 1.5)),
    },
    "physics": {
        "spring": _Setting({"mass": 0.25, "stiffness": 10.0}, 3.0, 60, (0.02, 0.10)),
        "damped": _Setting({"mass": 0.25, "stiffness": 10.0, "damping": 0.05}, 6.0, 120, (0.02, 0.10)),
        "pendulum": _Setting({"inertia": 1.0, "torque": 9.81}, 5.0, 100, (np.radians(10), np.radians(150))),
        "double_pendulum": _Setting({"length": 1.0, "gravity": 9.81}, 10.0, 200, (0.0, np.radians(120))),
        "kepler": _Setting({"attraction": 4.0 * np.pi**2}, 5.0, 100, (1.0, 3.0)),
    },
}
DOUBLE_PENDULUM_STEP = 1e-3  # s; the energy then holds to 1e-9

BLOCK = 512  # trajectories
START, NOISE = range(2)


@dataclass(frozen=True, repr=False)
class Trajectories(Sample):
    """Simulated motions; the first axis of every array is the motion.

    Attributes
    ----------
    states : array, (n, points, d), float32
        Coordinates, then momenta: (q, p) with d = 2; (angle 1, angle 2, momentum 1, momentum 2) or (x, y, p_x, p_y)
        with d = 4.
    observed : array, (n, points, d), float32
        The same with Gaussian noise.
    derivatives : array, (n, points, d), float32
        Exact time derivatives of ``states``, without noise.
    time : array, (n, points), float32
        From 0 to the duration.
    energy : array, (n, points), float32
        The Hamiltonian of ``states``.
    """

    units: ClassVar = {
        "states": "q, p; SI or AU and years in the physics preset",
        "observed": "as states",
        "derivatives": "as states, a time unit",
        "time": "",
        "energy": "",
    }

    states: np.ndarray
    observed: np.ndarray
    derivatives: np.ndarray
    time: np.ndarray
    energy: np.ndarray


def hamiltonian(states: ArrayLike, *, system: str, **constants: float) -> np.ndarray:
    """Energy of a state.

    Spring and damped spring p^2 / (2 m) + k q^2 / 2; pendulum p^2 / (2 I) + M (1 - cos q); Kepler p^2 / 2 - mu / |q|;
    double pendulum (two masses of 1 kg on rods of length l)
    (p1^2 + 2 p2^2 - 2 p1 p2 cos(a - b)) / (2 l^2 (1 + sin^2(a - b))) + g l (3 - 2 cos a - cos b).

    Parameters
    ----------
    states : array, (..., d)
        Coordinates and momenta, d = 2 or 4, as in `Trajectories`.
    system : str
        One of `SYSTEMS`.
    **constants : float
        mass, stiffness (spring, damped), damping (damped), inertia, torque (pendulum), length, gravity (double
        pendulum), attraction (kepler). Left out: those of the book preset.

    Returns
    -------
    array, (...)

    Raises
    ------
    ValueError, TypeError
        If the shape does not fit the system, or a constant is unknown or out of range.

    Examples
    --------
    >>> hamiltonian([[1.0, 0.0], [0.0, 1.0]], system="spring", mass=0.5, stiffness=2.0)
    array([1., 1.])
    """
    c = _constants(system, constants)
    x = _checked_states(states, system)
    if system in ("spring", "damped"):
        return x[..., 1] ** 2 / (2.0 * c["mass"]) + 0.5 * c["stiffness"] * x[..., 0] ** 2
    if system == "pendulum":
        # 2 sin^2(q / 2) for 1 - cos q, which loses digits near the bottom
        return x[..., 1] ** 2 / (2.0 * c["inertia"]) + 2.0 * c["torque"] * np.sin(0.5 * x[..., 0]) ** 2
    if system == "kepler":
        kinetic = 0.5 * (x[..., 2] ** 2 + x[..., 3] ** 2)
        return kinetic - c["attraction"] / np.hypot(x[..., 0], x[..., 1])
    a, b, p, q = np.moveaxis(x, -1, 0)
    length = c["length"]
    kinetic = (p**2 + 2 * q**2 - 2 * p * q * np.cos(a - b)) / (2 * length**2 * (1 + np.sin(a - b) ** 2))
    return kinetic + c["gravity"] * length * (3 - 2 * np.cos(a) - np.cos(b))


def vector_field(states: ArrayLike, *, system: str, **constants: float) -> np.ndarray:
    """Time derivatives of a state: Hamilton's equations, and friction for the damped spring. An oracle for networks.

    Parameters
    ----------
    states : array, (..., d)
    system : str
        One of `SYSTEMS`.
    **constants : float
        As in `hamiltonian`.

    Returns
    -------
    array, (..., d)
        dq/dt, then dp/dt.

    Raises
    ------
    ValueError, TypeError
        As in `hamiltonian`.

    Examples
    --------
    >>> vector_field([1.0, 2.0], system="spring", mass=0.5, stiffness=2.0)
    array([ 4., -2.])
    """
    c = _constants(system, constants)
    x = _checked_states(states, system)
    if system in ("spring", "damped"):
        velocity = x[..., 1] / c["mass"]
        friction = 2.0 * c.get("damping", 0.0) * np.sqrt(c["stiffness"] / c["mass"]) * x[..., 1]
        return np.stack([velocity, -c["stiffness"] * x[..., 0] - friction], axis=-1)
    if system == "pendulum":
        return np.stack([x[..., 1] / c["inertia"], -c["torque"] * np.sin(x[..., 0])], axis=-1)
    if system == "kepler":
        pull = -c["attraction"] / np.hypot(x[..., 0], x[..., 1]) ** 3
        return np.stack([x[..., 2], x[..., 3], pull * x[..., 0], pull * x[..., 1]], axis=-1)
    a, b, p, q = np.moveaxis(x, -1, 0)
    length, gravity = c["length"], c["gravity"]
    cosine, sine = np.cos(a - b), np.sin(a - b)
    below = length**2 * (1 + sine**2)
    a_dot, b_dot = (p - cosine * q) / below, (2 * q - cosine * p) / below
    coupling = length**2 * a_dot * b_dot * sine
    weights = gravity * length * np.stack([2 * np.sin(a), np.sin(b)])
    return np.stack([a_dot, b_dot, -coupling - weights[0], coupling - weights[1]], axis=-1)


def integrate(
    states: ArrayLike,
    *,
    system: str,
    step: float,
    points: int,
    every: int = 1,
    method: str | None = None,
    **constants: float,
) -> np.ndarray:
    """Follow motions in small steps.

    Stormer-Verlet: half a step of q, a step of p, half a step of q. It is of second order, reversible and symplectic:
    the energy oscillates by O(step^2) but does not drift. Yoshida's method (Phys. Lett. A 150 (1990) 262) is three such
    steps of the lengths 1.3512, -1.7024 and 1.3512 and of fourth order. The double pendulum, whose energy is no sum
    T(p) + V(q), takes classical Runge-Kutta steps.

    Parameters
    ----------
    states : array, (n, d)
        At time 0.
    system : str
        "spring", "pendulum", "kepler" or "double_pendulum".
    step : float, s
        May be negative: backwards in time.
    points : int
        States to return, the first one included.
    every : int
        Steps between two of them.
    method : str, optional
        "verlet" (left out) or "yoshida"; "runge-kutta" for the double pendulum only.
    **constants : float
        As in `hamiltonian`.

    Returns
    -------
    array, (n, points, d)
        At the times 0, every step, 2 every step, ...

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range or the method does not fit the system.

    Notes
    -----
    `verlet_plain` is the readable version.

    Examples
    --------
    >>> path = integrate([[1.0, 0.0]], system="spring", step=0.01, points=101, mass=1.0, stiffness=1.0)
    >>> bool(abs(path[0, -1, 0] - np.cos(1.0)) < 1e-4)
    True
    """
    check_choice(choices=("spring", "pendulum", "kepler", "double_pendulum"), system=system)
    c = _constants(system, constants)
    start = np.ascontiguousarray(_checked_states(states, system))
    if start.ndim != 2:
        raise ValueError(f"states must have shape (n, {start.shape[-1]}), got {start.shape}")
    h = check_number(unit="s", step=step)
    points, every = check_count(points=points, minimum=1), check_count(every=every)
    allowed = ("runge-kutta",) if system == "double_pendulum" else ("verlet", "yoshida")
    chosen = check_choice(choices=(None, *allowed), method=method) or allowed[0]
    fourth_order = chosen == "yoshida"
    result = np.empty((len(start), points, start.shape[1]))
    if system == "double_pendulum":
        runge_kutta_double_pendulum(start, c["length"], c["gravity"], h, points, every, result)
    elif system == "kepler":
        verlet_orbit(start, c["attraction"], h, points, every, fourth_order, result)
    else:
        law, inverse_mass, strength = (
            (SPRING, 1.0 / c["mass"], c["stiffness"])
            if system == "spring"
            else (PENDULUM, 1.0 / c["inertia"], c["torque"])
        )
        verlet_swing(start, law, inverse_mass, strength, h, points, every, fourth_order, result)
    return result


def verlet_plain(
    q: ArrayLike, p: ArrayLike, force: Callable[[np.ndarray], np.ndarray], *, step: float, steps: int, mass: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Stormer-Verlet for any force: the readable version of `integrate`.

    Parameters
    ----------
    q, p : float or array
    force : callable
        Force at q, -dV/dq, in the shape of q.
    step : float, s
    steps : int
    mass : float

    Returns
    -------
    q, p : array
        After ``steps`` steps.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range or ``force`` cannot be called.

    Examples
    --------
    >>> q, p = verlet_plain(1.0, 0.0, lambda q: -q, step=0.01, steps=314)
    >>> float(q.round(4)), float(p.round(2))
    (-1.0, -0.0)
    """
    if not callable(force):
        raise TypeError(f"force must be a function of q, got {shown(force)} ({type(force).__name__})")
    h = check_number(unit="s", step=step)
    check_positive(mass=mass)
    q, p = check_array(q=q), check_array(p=p)
    for _ in range(check_count(steps=steps, minimum=0)):
        q = q + 0.5 * h * p / mass
        p = p + h * force(q)
        q = q + 0.5 * h * p / mass
    return np.asarray(q), np.asarray(p)


def simulate(
    n: int,
    *,
    seed: Seed,
    system: str = "spring",
    preset: str = "book",
    points: int | None = None,
    duration: float | None = None,
    noise: float = 0.0,
) -> Trajectories:
    """Draw motions with random starts, recorded at equal times.

    Two presets:

    - ``"book"`` has the systems to which the book's figure 14.3 goes back (Greydanus, Dzamba and Yosinski,
      arXiv:1906.01563), in natural units. Spring: H = p^2 + q^2, starts with a radius in [0.1, 1] of the (q, p) plane,
      30 times to 3. Pendulum: H = p^2 + 3 (1 - cos q), radius in [1.3, 2.3], 45 times to 3. Kepler: mu = 1, a circle of
      radius 0.5 to 1.5 with 5 % noise on both components of the velocity, 50 times to 20; here as one body about a
      fixed centre, there two bodies. Damped spring (zeta = 0.1, to 10) and double pendulum (at rest, angles within 90
      degrees, l = g = 1, to 20) are ours.
    - ``"physics"`` is a laboratory in SI units. Spring: 0.25 kg, 10 N/m, amplitude 2 to 10 cm (damped: zeta = 0.05).
      Pendulum: 1 kg, 1 m, 9.81 m/s^2, released from 10 to 150 degrees. Double pendulum: 1 kg and 1 m each, released
      within 120 degrees. Kepler: the Sun, in astronomical units and years, mu = 4 pi^2; semi-major axis 1 to 3,
      eccentricity 0 to 0.7, starting at the perihelion.

    Parameters
    ----------
    n : int
        Number of motions.
    seed : int or numpy.random.Generator
    system : str
        One of `SYSTEMS`.
    preset : {"book", "physics"}
    points : int, optional
        Times of each motion, at least 2.
    duration : float, s, optional
        Time of the last one (years for Kepler in the physics preset).
    noise : float
        Standard deviation of the Gaussian noise on every coordinate and momentum of ``observed``, in their units.

    Returns
    -------
    Trajectories
        Frozen dataclass of float32 arrays: states, observed, derivatives (n, points, d), time, energy (n, points).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    All motions but the double pendulum's are exact; that one takes Runge-Kutta steps of at most 1 ms (times
    sqrt(l / g) in units of 1 s). The motions do not depend on the noise, and the first ones not on ``n``.

    Examples
    --------
    >>> motions = simulate(100, seed=1, system="pendulum")
    >>> motions.states.shape, motions.energy.shape
    ((100, 45, 2), (100, 45))
    >>> bool((np.ptp(motions.energy, axis=1) < 1e-5).all())
    True
    """
    n = check_count(n=n)
    check_choice(choices=SYSTEMS, system=system)
    setting = SETTINGS[check_choice(choices=tuple(SETTINGS), preset=preset)][system]
    points = setting.points if points is None else check_count(points=points, minimum=2)
    length = setting.duration if duration is None else check_number(minimum=1e-6, unit="s", duration=duration)
    noise = check_number(minimum=0.0, noise=noise)
    stream = Streams.of(seed)
    width = 4 if system in ("double_pendulum", "kepler") else 2
    times = np.linspace(0.0, length, points)

    motions = Trajectories(
        states=np.empty((n, points, width), np.float32),
        observed=np.empty((n, points, width), np.float32),
        derivatives=np.empty((n, points, width), np.float32),
        time=np.empty((n, points), np.float32),
        energy=np.empty((n, points), np.float32),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        start = _draw_starts(stream(START, block), system, preset, setting)[:m]
        states = _move(times, start, system, setting.constants)
        motions.states[events] = states
        motions.observed[events] = states
        if noise:
            random = stream(NOISE, block).standard_normal((BLOCK, points, width), dtype=np.float32)
            motions.observed[events] += np.float32(noise) * random[:m]
        motions.derivatives[events] = vector_field(states, system=system, **setting.constants)
        motions.energy[events] = hamiltonian(states, system=system, **setting.constants)
        motions.time[events] = times

    fill_blocks(fill, n, block=BLOCK, title="motions")
    return motions


def _move(times: np.ndarray, start: np.ndarray, system: str, constants: dict[str, float]) -> np.ndarray:
    exact: dict[str, Callable[..., np.ndarray]] = {
        "spring": spring,
        "damped": damped,
        "pendulum": pendulum,
        "kepler": kepler,
    }
    if system in exact:
        return exact[system](times, start, **constants)
    gap = times[1]
    every = int(np.ceil(gap / DOUBLE_PENDULUM_STEP))
    return integrate(start, system=system, step=gap / every, points=len(times), every=every, **constants)  # type: ignore[arg-type]


def _draw_starts(random: np.random.Generator, system: str, preset: str, setting: _Setting) -> np.ndarray:
    low, high = setting.start
    size = low + (high - low) * random.random(BLOCK)
    angle = 2.0 * np.pi * random.random(BLOCK)
    zero = np.zeros(BLOCK)
    if system == "kepler":
        mu = setting.constants["attraction"]
        if preset == "book":
            speed = np.sqrt(mu / size)
            radial, along = np.clip(0.05 * random.standard_normal((2, BLOCK)), -0.2, 0.2) * speed
            along += speed
        else:
            eccentricity = 0.7 * random.random(BLOCK)
            axis, size = size, size * (1.0 - eccentricity)
            radial, along = zero, np.sqrt(mu / axis * (1.0 + eccentricity) / (1.0 - eccentricity))
        c, s = np.cos(angle), np.sin(angle)
        return np.column_stack([size * c, size * s, radial * c - along * s, radial * s + along * c])
    if system == "double_pendulum":
        angles = high * (2.0 * random.random((BLOCK, 2)) - 1.0)
        return np.column_stack([angles, zero, zero])
    if preset == "book":
        return np.column_stack([size * np.cos(angle), size * np.sin(angle)])
    if system == "pendulum":
        return np.column_stack([np.where(angle < np.pi, size, -size), zero])
    impedance = np.sqrt(setting.constants["mass"] * setting.constants["stiffness"])
    return np.column_stack([size * np.cos(angle), impedance * size * np.sin(angle)])


def _constants(system: str, given: dict[str, Any]) -> dict[str, float]:
    """The constants of a system: those given, the rest from the book preset."""
    defaults = SETTINGS["book"][check_choice(choices=SYSTEMS, system=system)].constants
    for name, value in given.items():
        if name not in defaults:
            raise TypeError(f"{system} has the constants {', '.join(defaults)}, got {name}={shown(value)}")
        if name == "damping":
            check_number(minimum=0.0, damping=value)
        else:
            check_positive(**{name: value})
    return {**defaults, **given}


def _checked_states(states: ArrayLike, system: str) -> np.ndarray:
    width = 4 if system in ("double_pendulum", "kepler") else 2
    array = check_array(states=states)
    if array.ndim == 0 or array.shape[-1] != width:
        raise ValueError(f"states of a {system} must have {width} numbers on their last axis, got shape {array.shape}")
    return array
