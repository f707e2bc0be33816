"""Baselines: direction from a fit of the shower front, core from the barycentre, core and energy from the signals."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from dlphys._numba import compiled
from dlphys._validation import check_array, check_choice, check_number
from dlphys.simulators import _airshower_kernels as kernels
from dlphys.simulators import _airshower_stations as stations
from dlphys.simulators._airshower_atmosphere import GROUND, atmospheric_height, depth_at, height_at
from dlphys.simulators._airshower_model import ARRAYS, station_positions

__all__ = ["barycentre", "energy_fit", "opening_angle", "plane_fit"]

_PRESETS = ("book", "physics", "footprint")
_PART = 8192  # events at a time
_TYPICAL_XMAX = 780.0  # g/cm^2
_ANGLE_STEPS = 2


def opening_angle(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Angle between directions, also for those that nearly agree.

    Parameters
    ----------
    a, b : arrays, (n, 3)
        Vectors of any length above 0, such as a predicted and a true shower axis.

    Returns
    -------
    array, (n,), degrees
        2 arctan(|a - b| / |a + b|) for unit vectors: unlike the arc cosine of their product, exact near 0.

    Raises
    ------
    ValueError, TypeError
        If the shapes differ or a vector is zero.

    Examples
    --------
    >>> opening_angle([[0.0, 0.0, 1.0]], [[0.0, 1.0, 1.0]]).round(6)
    array([45.])
    """
    first = check_array(shape=(None, 3), allow_nan=True, a=a)
    second = check_array(shape=(len(first), 3), allow_nan=True, b=b)
    for name, vectors in (("a", first), ("b", second)):
        zeros = int((vectors == 0.0).all(axis=1).sum())
        if zeros:
            raise ValueError(f"{name} must hold vectors of a length above 0, got {zeros} zeros")
    first = first / np.linalg.norm(first, axis=1, keepdims=True)
    second = second / np.linalg.norm(second, axis=1, keepdims=True)
    half = np.arctan2(np.linalg.norm(first - second, axis=1), np.linalg.norm(first + second, axis=1))
    return np.degrees(2.0 * half)


def _maps(array: str, **arguments: ArrayLike) -> list[np.ndarray]:
    """Maps (n, rows, columns), checked, as (n, stations)."""
    side = ARRAYS[check_choice(choices=tuple(ARRAYS), array=array)].side
    checked: list[np.ndarray] = []
    for name, value in arguments.items():
        given: dict[str, Any] = {name: value}
        values = check_array(shape=(None, side, side), allow_nan=True, **given)
        if checked and len(values) != len(checked[0]):
            raise ValueError(f"{name} must have {len(checked[0])} events, got {len(values)}")
        checked.append(values.reshape(len(values), -1))
    return checked


def _saturated(status: ArrayLike | None, array: str, events: int) -> np.ndarray:
    """Which stations (n, stations) are saturated; none if the status is not known."""
    if status is None:
        return np.zeros((events, ARRAYS[array].side ** 2), bool)
    (states,) = _maps(array, status=status)
    if len(states) != events:
        raise ValueError(f"status must have {events} events, got {len(states)}")
    return states == stations.SATURATED


def _particles(signal: np.ndarray, preset: str) -> np.ndarray:
    """Signal without pedestal; 0 for stations without one."""
    pedestal = stations.BOOK_SUM if preset == "book" else 0.0
    return np.maximum(np.nan_to_num(signal) - pedestal, 0.0)


def barycentre(signal: ArrayLike, *, array: str = "hexagonal", preset: str = "book") -> np.ndarray:
    """Shower cores as the mean position of the loud stations, weighted by a power of the signal: a baseline.

    Parameters
    ----------
    signal : array, (n, rows, columns), VEM
        NaN for stations without a signal.
    array : {"hexagonal", "cartesian", "footprint", "cluster"}
    preset : {"book", "physics", "footprint"}
        The book's signals are freed from their pedestal and weighted with the power 0.2, since they fall six
        powers of ten over the array; the others with the power 0.5.

    Returns
    -------
    array, (n, 2), m
        The centre of the array where no station is loud.

    Raises
    ------
    ValueError, TypeError
        If the map has another shape, or is infinite.

    Examples
    --------
    >>> signal = np.full((1, 9, 9), np.nan)
    >>> signal[0, 4, 4:6] = 100.0
    >>> barycentre(signal, preset="physics")
    array([[750.,   0.]])
    """
    (values,) = _maps(array, signal=signal)
    check_choice(choices=_PRESETS, preset=preset)
    return _barycentre(_particles(values, preset), station_positions(array).reshape(-1, 2), preset)


def _barycentre(particles: np.ndarray, positions: np.ndarray, preset: str) -> np.ndarray:
    weights = np.where(particles > 0.0, particles, 0.0) ** (0.2 if preset == "book" else 0.5)
    return (weights @ positions) / np.maximum(weights.sum(1, keepdims=True), 1e-300)


def plane_fit(
    time: ArrayLike,
    signal: ArrayLike,
    *,
    status: ArrayLike | None = None,
    array: str = "hexagonal",
    preset: str = "book",
) -> np.ndarray:
    """Arrival directions from the times, by weighted least squares: the baseline.

    A plane front that moves with the speed of light reaches the station at (x, y) at t0 - (u x + v y) / c, where u, v
    are the first components of the axis. For the book's data, a plane with Gaussian errors 312 ns / (1 + lg(1 +
    particles)), this is the maximum of the likelihood of the times. It uses nothing but times and weights: signals,
    too, depend on the direction, and a network may be better.

    For the other presets the times are first freed from what makes the front no plane: the mean curvature around
    the core that `energy_fit` finds, and the median delay of the first particle. Stations that miss the front by more
    than 1 us and five standard deviations are left out.

    Parameters
    ----------
    time : array, (n, rows, columns), s
    signal : array, (n, rows, columns), VEM
        NaN for stations without a signal, in both maps.
    status : array, (n, rows, columns), optional
        As `AirShowers.status`; used for the core. Signals of saturated stations are then lower limits.
    array : {"hexagonal", "cartesian", "footprint", "cluster"}
    preset : {"book", "physics", "footprint"}
        Decides about errors and shape of the front.

    Returns
    -------
    array, (n, 3)
        Unit vectors towards the arrival direction. NaN where fewer than three stations are loud, or all on one line.

    Raises
    ------
    ValueError, TypeError
        If a map has another shape, or an infinite value.

    Warns
    -----
    RuntimeWarning
        If events have too few stations.

    Examples
    --------
    >>> from dlphys.simulators import airshower
    >>> showers = airshower.simulate(2000, seed=1)
    >>> angle = opening_angle(plane_fit(showers.time, showers.signal), showers.axis)
    >>> bool(0.7 < np.quantile(angle, 0.68) < 1.0)
    True
    """
    times, signals = _maps(array, time=time, signal=signal)
    saturated = _saturated(status, array, len(signals))
    check_choice(choices=_PRESETS, preset=preset)
    positions = station_positions(array).reshape(-1, 2)
    axes = np.concatenate(
        [
            _fit_front(1e9 * times[part], signals[part], saturated[part], positions, preset)
            for part in (slice(i, i + _PART) for i in range(0, len(times), _PART))
        ]
    )
    lost = int(np.isnan(axes[:, 0]).sum())
    if lost:
        warnings.warn(f"{lost} of {len(axes)} events have no three stations off one line", RuntimeWarning, stacklevel=2)
    return axes


def _fit_front(
    times: np.ndarray, signals: np.ndarray, saturated: np.ndarray, positions: np.ndarray, preset: str
) -> np.ndarray:
    """Axes (n, 3) from times in ns and signals (n, stations)."""
    loud = np.isfinite(times) & np.isfinite(signals)
    times = np.where(loud, times, 0.0)
    particles = np.where(loud, _particles(signals, preset), 0.0)
    if preset == "book":
        weights = loud * ((1.0 + np.log10(1.0 + particles)) / stations.BOOK_TIME_ERROR) ** 2
        return _plane(times, weights, positions)[0]
    weights = particles
    axis, _ = _plane(times, weights, positions)
    for _ in range(_ANGLE_STEPS):
        core, _ = _core_and_energy(particles, saturated, axis, positions, preset, 1.0)
        delay, error = _front_shape(particles, positions, core, axis)
        weights = loud / error**2
        axis, residual = _plane(times - delay, weights, positions)
        far = np.abs(residual) > np.maximum(1000.0, 5.0 * error)
        enough = (weights * ~far > 0.0).sum(1, keepdims=True) >= 3
        axis, _ = _plane(times - delay, np.where(far & enough, 0.0, weights), positions)
    return axis


def _front_shape(
    particles: np.ndarray, positions: np.ndarray, core: np.ndarray, axis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How much later than a plane (ns) the first particle comes to each station, and how much that scatters."""
    axis = np.where(np.isnan(axis), [0.0, 0.0, 1.0], axis)
    apart = positions - core[:, None]
    along = np.einsum("nki,ni->nk", apart, axis[:, :2])
    distance = np.sqrt(np.maximum((apart**2).sum(-1) - along**2, 0.0))
    cos_zenith = np.clip(axis[:, 2:], 0.4, 1.0)
    centre = (atmospheric_height(stations.ORIGIN * _TYPICAL_XMAX * cos_zenith) - GROUND) / cos_zenith
    curvature = (np.sqrt((centre - along) ** 2 + distance**2) - (centre - along)) / kernels.LIGHT
    beyond = depth_at(GROUND) / cos_zenith - _TYPICAL_XMAX
    median = 50.0 + 140.0 * (distance / 750.0) ** 1.4 * (1.0 - 0.0002 * beyond)
    number = np.maximum(0.7 * particles, 1.0)  # muons, and those electrons that come as early
    first = median * np.exp(kernels.TIME_SPREAD * ndtri(-np.expm1(-math.log(2.0) / number)))
    return curvature + first, np.hypot(20.0, 0.4 * first)


def _plane(times: np.ndarray, weights: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes (n, 3) of plane fronts, and the residuals of the times (n, stations)."""
    km = positions / 1000.0
    design = np.column_stack([np.ones(len(km)), km])
    normal = np.einsum("nk,ki,kj->nij", weights, design, design, optimize=True)
    right = np.einsum("nk,ki->ni", weights * times, design)
    spread = np.linalg.det(normal) / np.maximum(normal[:, 0, 0] ** 3, 1e-300)  # km^4
    good = ((weights > 0.0).sum(1) >= 3) & (spread > 1e-6)
    normal[~good] = np.eye(3)
    fitted = np.linalg.solve(normal, right[..., None])[..., 0]
    residual = np.where(weights > 0.0, times - fitted @ design.T, 0.0)
    flat = -kernels.LIGHT * fitted[:, 1:] / 1000.0
    length = np.maximum(np.linalg.norm(flat, axis=1), 1e-300)
    flat *= np.minimum(1.0, 0.999 / length)[:, None]  # noise may make a front faster than light
    axis = np.column_stack([flat, np.sqrt(1.0 - (flat**2).sum(1))])
    axis[~good] = np.nan
    return axis, residual


def energy_fit(
    signal: ArrayLike,
    axis: ArrayLike,
    *,
    status: ArrayLike | None = None,
    array: str = "hexagonal",
    preset: str = "book",
    mass: float = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Core and energy from the signals, with the lateral distribution that the simulation has: a baseline.

    Least squares in the logarithm of the signals of the loud stations, with core, energy and depth of the maximum
    as parameters; the latter is held near its mean for protons by their scatter. Knows the model, but neither uses
    silent stations nor times.

    Parameters
    ----------
    signal : array, (n, rows, columns), VEM
        NaN for stations without a signal.
    axis : array, (n, 3)
        Arrival directions, for example from `plane_fit`; rows of NaN are taken as vertical.
    status : array, (n, rows, columns), optional
        As `AirShowers.status`. Signals of saturated stations are then lower limits; without it they are believed.
    array : {"hexagonal", "cartesian", "footprint", "cluster"}
    preset : {"book", "physics", "footprint"}
    mass : float
        Number of nucleons that is assumed, in [1, 56].

    Returns
    -------
    core : array, (n, 2), m
    energy : array, (n,), EeV

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or an argument is out of range.

    Notes
    -----
    Levenberg-Marquardt steps with numerical derivatives. A station's error is that of its number of particles, 10 %
    for what the model does not know, and 30 % within 200 m of the core, where saturation begins.

    Examples
    --------
    >>> from dlphys.simulators import airshower
    >>> showers = airshower.simulate(500, seed=1)
    >>> core, energy = energy_fit(showers.signal, showers.axis)
    >>> bool(np.median(np.abs(energy / showers.energy - 1.0)) < 0.1)
    True
    """
    (signals,) = _maps(array, signal=signal)
    axis = check_array(shape=(len(signals), 3), allow_nan=True, axis=axis)
    check_choice(choices=_PRESETS, preset=preset)
    mass = check_number(minimum=1.0, maximum=56.0, mass=mass)
    saturated = _saturated(status, array, len(signals))
    positions = station_positions(array).reshape(-1, 2)
    return _core_and_energy(_particles(signals, preset), saturated, axis, positions, preset, mass)


def _core_and_energy(
    particles: np.ndarray, saturated: np.ndarray, axis: np.ndarray, positions: np.ndarray, preset: str, mass: float
) -> tuple[np.ndarray, np.ndarray]:
    axis = np.ascontiguousarray(np.where(np.isnan(axis), [0.0, 0.0, 1.0], axis))
    parameters = np.zeros((len(particles), 4))
    parameters[:, :2] = _barycentre(particles, positions, preset)
    noise = stations.BOOK_SUM_SCATTER if preset == "book" else 0.5
    _fit_signals(preset == "book", noise, float(mass), positions, particles, saturated, axis, parameters)
    return parameters[:, :2].copy(), 10.0 * np.exp(parameters[:, 2])


@compiled(nogil=True)
def _expect(
    book: bool,
    mass: float,
    positions: np.ndarray,
    loud: np.ndarray,
    axis: np.ndarray,
    values: np.ndarray,
    result: np.ndarray,
) -> None:
    """ln of the expected signals for core x, y, ln(E / 10 EeV) and the depth of the maximum in units of 60 g/cm^2."""
    cos_zenith = max(axis[2], 0.3)
    ground = depth_at(GROUND)
    xmax = 806.0 + 24.0 * values[2] + 60.0 * values[3]
    xmax = max(min(xmax, depth_at(GROUND + kernels.CLEARANCE) / cos_zenith), 300.0)
    muon_size, em_size = kernels.sizes(book, 10.0 * math.exp(values[2]), mass)
    slope = kernels.em_slope(book, xmax, cos_zenith)
    height = height_at(xmax * cos_zenith) - GROUND
    above = ground - xmax * cos_zenith
    for j in range(len(positions)):
        if not loud[j]:
            continue
        x, y = positions[j, 0] - values[0], positions[j, 1] - values[1]
        along = x * axis[0] + y * axis[1]
        distance = math.sqrt(max(x * x + y * y - along * along, 0.0))
        beyond = kernels.depth_beyond(
            above, height, height * axis[0] / cos_zenith - x, height * axis[1] / cos_zenith - y
        )
        muon, em = kernels.signals(book, muon_size, em_size, slope, distance, beyond)
        result[j] = math.log(muon + em)


@compiled(nogil=True)
def _misfit(
    measured: np.ndarray,
    expected: np.ndarray,
    variance: np.ndarray,
    loud: np.ndarray,
    limit: np.ndarray,
    depth: float,
    residual: np.ndarray,
) -> float:
    """Sum of squares, and the residuals; where a measurement is a lower limit, 0 if more is expected."""
    total = depth * depth
    for j in range(len(measured)):
        residual[j] = 0.0
        if loud[j] and not (limit[j] and expected[j] > measured[j]):
            residual[j] = measured[j] - expected[j]
            total += residual[j] * residual[j] / variance[j]
    return total


@compiled(nogil=True)
def _solve(matrix: np.ndarray, vector: np.ndarray) -> None:
    """Solve a small system with a positive matrix by Gauss's elimination; the solution replaces the vector."""
    n = len(vector)
    for i in range(n):
        for k in range(i + 1, n):
            factor = matrix[k, i] / matrix[i, i]
            for j in range(i, n):
                matrix[k, j] -= factor * matrix[i, j]
            vector[k] -= factor * vector[i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            vector[i] -= matrix[i, j] * vector[j]
        vector[i] /= matrix[i, i]


@compiled(nogil=True)
def _fit_signals(
    book: bool,
    noise: float,
    mass: float,
    positions: np.ndarray,
    particles: np.ndarray,
    saturated: np.ndarray,
    axis: np.ndarray,
    parameters: np.ndarray,
) -> None:
    """Improve the parameters (n, 4) of each event in place, by steps after Levenberg and Marquardt."""
    number = len(positions)
    steps = np.array([5.0, 5.0, 0.02, 0.05])
    measured, variance, residual = np.empty(number), np.empty(number), np.empty(number)
    expected, shifted, remaining = np.empty(number), np.empty(number), np.empty(number)
    derivatives, curvature = np.empty((4, number)), np.empty((4, 4))
    change, other = np.empty(4), np.empty(4)
    for i in range(len(particles)):
        loud, limit, values = particles[i] > 0.0, saturated[i], parameters[i]
        unit = kernels.quantum(book, max(axis[i, 2], 0.3))
        count = mean = 0.0
        _expect(book, mass, positions, loud, axis[i], values, expected)
        for j in range(number):
            if loud[j]:
                measured[j] = math.log(particles[i, j])
                variance[j] = 0.01 + unit / particles[i, j] + (noise / particles[i, j]) ** 2
                mean += measured[j] - expected[j]
                count += 1.0
        if count == 0.0:
            continue
        values[2] = min(max(mean / count, -3.0), 3.0)  # the energy, if the core were right
        _expect(book, mass, positions, loud, axis[i], values, expected)
        misfit = _misfit(measured, expected, variance, loud, limit, values[3], residual)
        damping = 0.1
        for _ in range(40):
            for p in range(4):
                other[:] = values
                other[p] += steps[p]
                _expect(book, mass, positions, loud, axis[i], other, shifted)
                for j in range(number):
                    used = loud[j] and not (limit[j] and expected[j] > measured[j])
                    derivatives[p, j] = (shifted[j] - expected[j]) / steps[p] if used else 0.0
            for p in range(4):
                change[p] = 0.0
                for q in range(4):
                    curvature[p, q] = 0.0
                for j in range(number):
                    if loud[j]:
                        change[p] += derivatives[p, j] * residual[j] / variance[j]
                        for q in range(4):
                            curvature[p, q] += derivatives[p, j] * derivatives[q, j] / variance[j]
            curvature[3, 3] += 1.0
            change[3] -= values[3]
            for p in range(4):
                curvature[p, p] = (1.0 + damping) * curvature[p, p] + 1e-9
            _solve(curvature, change)
            for p in range(4):
                other[p] = values[p] + change[p]
            _expect(book, mass, positions, loud, axis[i], other, shifted)
            new = _misfit(measured, shifted, variance, loud, limit, other[3], remaining)
            if new < misfit and abs(other[0]) < 2e4 and abs(other[1]) < 2e4 and abs(other[2]) < 4.0:
                done = misfit - new < 1e-3
                values[:], expected[:], residual[:] = other, shifted, remaining
                misfit = new
                damping = max(0.1 * damping, 1e-6)
                if done:
                    break
            else:
                damping *= 10.0
                if damping > 1e8:
                    break
