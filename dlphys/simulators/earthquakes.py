"""Earthquakes along a plate border, seen by a small network of stations.

A P wave (speed v_p) and an S wave (v_s < v_p) leave the hypocentre at the origin time. A station at the straight
distance d registers them d / v_p and d / v_s later, by a clock that may be wrong. Four stations and two waves make
eight times, from which the epicentre is to be found. Used in chapters 2, 3, 4 and 7.

Next to the data stands what a network is to be compared with: least squares (`triangulate`, a baseline) and the
smallest covariance of any unbiased method (`cramer_rao`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, check_positive
from dlphys.simulators._sample import Sample

__all__ = [
    "CRUST_P_SPEED",
    "CRUST_S_SPEED",
    "HALF_WIDTH",
    "P_SPEED",
    "STATIONS",
    "STATION_OFFSETS",
    "S_SPEED",
    "Earthquakes",
    "cramer_rao",
    "plate_border",
    "simulate",
    "travel_times",
    "triangulate",
]

STATIONS = np.array([(-10.0, 10.0), (10.0, 10.0), (-10.0, -10.0), (10.0, -10.0)])  # km
STATION_OFFSETS = np.array([(0.104, 0.018), (-0.085, 0.043), (-0.209, -0.058), (0.005, -0.022)])  # s, (P, S)
STATIONS.setflags(write=False)
STATION_OFFSETS.setflags(write=False)
P_SPEED, S_SPEED = 7.0, 5.0  # km/s, the book's
CRUST_P_SPEED, CRUST_S_SPEED = 5.8, 3.36  # km/s, upper crust of the Earth model iasp91
HALF_WIDTH = 45.0  # km, the map is the square of +-45 km

BORDER_SCATTER = 4.0  # km
SEISMOGENIC_DEPTH = 20.0  # km
RECORD_START = 10.0  # s

STEPS = 200  # of a least-squares fit

BLOCK = 8192  # events; their arrays stay in the cache of one core
EPICENTRE, DEPTH, ORIGIN_TIME, NOISE = range(4)


@dataclass(frozen=True, repr=False)
class Earthquakes(Sample):
    """Simulated earthquakes; the first axis of every array is the event.

    Attributes
    ----------
    times : array, (n, 8), float32, s
        Arrival times in the order P and S of station 1, P and S of station 2, and so on.
    epicentres : array, (n, 2), float32, km
        x to the east, y to the north.
    depth : array, (n,), float32, km
    origin_time : array, (n,), float32, s
    """

    units: ClassVar = {"times": "s", "epicentres": "km", "depth": "km", "origin_time": "s"}

    times: np.ndarray
    epicentres: np.ndarray
    depth: np.ndarray
    origin_time: np.ndarray


def travel_times(
    epicentres: ArrayLike,
    stations: ArrayLike = STATIONS,
    *,
    v_p: float = P_SPEED,
    v_s: float = S_SPEED,
    depth: ArrayLike = 0.0,
) -> np.ndarray:
    """Travel times of the P and S waves to every station, t = sqrt(r^2 + depth^2) / v.

    Parameters
    ----------
    epicentres : array, (n, 2), km
    stations : array, (k, 2), km
    v_p, v_s : float, km/s
        Speeds of the two waves, v_s below v_p.
    depth : float or array, (n,), km
        Depth of the hypocentre below the epicentre, at least 0.

    Returns
    -------
    array, (n, k, 2), s
        Last axis: P, S.

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or a speed or depth is out of range.

    Notes
    -----
    Rays are straight: good for some tens of kilometres in a uniform crust. Book, example 2.1.

    Examples
    --------
    >>> travel_times([[0.0, 0.0]])[0, 0].round(3)
    array([2.02 , 2.828])
    """
    epicentres = check_array(shape=(None, 2), unit="km", epicentres=epicentres)
    stations = check_array(shape=(None, 2), unit="km", stations=stations)
    slowness = _slowness(v_p, v_s)
    depth = _depth_of_each(depth, len(epicentres))
    horizontal = np.linalg.norm(epicentres[:, None] - stations, axis=-1)
    return np.hypot(horizontal, depth[:, None])[..., None] * slowness


def plate_border(y: ArrayLike) -> np.ndarray:
    """East-west position of the border between the two plates at the north-south position ``y``.

    x = -3 km + 0.1 y + 10 km sin(2 pi (y + 11 km) / 75 km): a smooth curve from the southern to the northern edge of
    the map. Its shape is ours, since the book gives none; it passes within 5 km of the four events of the
    book's table 7.1. Epicentres scatter about it by 4 km (standard deviation, east-west).

    Parameters
    ----------
    y : float or array, any shape, km
        In [-45, 45] km.

    Returns
    -------
    array, shape of ``y``, km

    Raises
    ------
    ValueError, TypeError
        If ``y`` leaves the map or is not numeric.

    Examples
    --------
    >>> plate_border([-30.0, 0.0, 30.0]).round(1)
    array([-16. ,   5. ,  -2.9])
    """
    y = check_array(minimum=-HALF_WIDTH, maximum=HALF_WIDTH, unit="km", y=y)
    return _border(y)


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    timing_error: float = 0.0,
    depth: bool | None = None,
    origin_time: bool | None = None,
) -> Earthquakes:
    """Draw earthquakes along the plate border and the times at which the four stations register them.

    Two presets:

    - ``"book"`` has the content of the book's table 7.1. Its printed times are distances in the plane over 7 and
      5 km/s plus one constant error for each station and wave (`STATION_OFFSETS`), without noise from event to event.
      The speeds make a medium that no rock is: v_p / v_s = 1.4 belongs to a Poisson ratio of -0.02.
    - ``"physics"`` has the speeds of the upper crust, 5.8 and 3.36 km/s (Poisson ratio 0.25), clocks without constant
      errors, hypocentres below the surface and an unknown origin time.

    Parameters
    ----------
    n : int
        Number of earthquakes.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    timing_error : float, s
        Standard deviation of the Gaussian noise added to every time.
    depth : bool, optional
        With True depths have the density 6 u (1 - u), u = depth / 20 km, with False they are 0.
        Left out: False for the book, True for the physics preset.
    origin_time : bool, optional
        With True the origin time is uniform in [0, 10) s, with False it is 0. Left out: as for ``depth``.

    Returns
    -------
    Earthquakes
        Frozen dataclass of float32 arrays: times (n, 8) s, epicentres (n, 2) km, depth (n,) km, origin_time (n,) s.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads; the first events do not depend on ``n``, and the
    epicentres not on noise, depth or origin time. Needs 48 bytes an event and some megabytes more.

    Examples
    --------
    >>> quakes = simulate(1000, seed=1)
    >>> quakes.times.shape, quakes.epicentres.shape
    ((1000, 8), (1000, 2))
    >>> bool(np.abs(quakes.epicentres).max() <= HALF_WIDTH)
    True
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    timing_error = check_number(minimum=0.0, unit="s", timing_error=timing_error)
    check_choice(choices=(None, True, False), depth=depth)
    check_choice(choices=(None, True, False), origin_time=origin_time)
    book = preset == "book"
    slowness = _slowness(P_SPEED, S_SPEED) if book else _slowness(CRUST_P_SPEED, CRUST_S_SPEED)
    offsets = STATION_OFFSETS if book else np.zeros_like(STATION_OFFSETS)
    deep = not book if depth is None else bool(depth)
    delayed = not book if origin_time is None else bool(origin_time)
    stream = Streams.of(seed)

    quakes = Earthquakes(
        times=np.empty((n, 2 * len(STATIONS)), np.float32),
        epicentres=np.empty((n, 2), np.float32),
        depth=np.zeros(n, np.float32),
        origin_time=np.zeros(n, np.float32),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        x, y = _draw_epicentres(stream(EPICENTRE, block))
        quakes.epicentres[events, 0], quakes.epicentres[events, 1] = x[:m], y[:m]
        if deep:
            quakes.depth[events] = _draw_depths(stream(DEPTH, block))[:m]
        if delayed:
            start = np.float32(RECORD_START) * stream(ORIGIN_TIME, block).random(BLOCK, dtype=np.float32)
            quakes.origin_time[events] = start[:m]
        _write_times(quakes, events, slowness, offsets)
        if timing_error:
            noise = stream(NOISE, block).standard_normal((BLOCK, quakes.times.shape[1]), dtype=np.float32)
            quakes.times[events] += np.float32(timing_error) * noise[:m]

    fill_blocks(fill, n, block=BLOCK, title="earthquakes")
    return quakes


def triangulate(
    times: ArrayLike,
    *,
    v_p: float = P_SPEED,
    v_s: float = S_SPEED,
    stations: ArrayLike = STATIONS,
    offsets: ArrayLike | None = None,
    depth: ArrayLike = 0.0,
    fit_depth: bool = False,
    origin_time: bool = False,
) -> np.ndarray:
    """Epicentres by least squares: the baseline without machine learning.

    Minimises sum_k,w (t_kw - offset_kw - t_0 - d_k / v_w)^2 over stations k and waves w for each event, which is the
    maximum likelihood for equal Gaussian timing errors. The start is exact for times without errors.

    Parameters
    ----------
    times : array, (n, 2 k), s
        P and S of station 1, P and S of station 2, and so on.
    v_p, v_s : float, km/s
    stations : array, (k, 2), km
        At least three that do not lie on one line.
    offsets : array, (k, 2), s, optional
        Known constant errors of the clocks (P, S), for example `STATION_OFFSETS`. Without them the clocks are
        taken as right. On the book's data that textbook fit is wrong by 0.22 km in the median (0.47 km with P waves
        alone), ten times the error that 5 ms of noise make, while a network learns the offsets from the labels.
    depth : float or array, (n,), km
        Known depth of the hypocentres.
    fit_depth : bool
        With True the depth is a free parameter as well, and ``depth`` only where the fit begins.
    origin_time : bool
        With True the origin time is a free parameter as well; with False it is known to be 0.

    Returns
    -------
    array, (n, 2), km

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or the stations lie on one line.

    Warns
    -----
    RuntimeWarning
        If fits have not converged after 200 steps.

    Notes
    -----
    Gauss-Newton steps for all events at once, with the curvature of the wave fronts beside a station, and damped
    after Levenberg (1944) and Marquardt (1963) where a full step would make a fit worse.
    The free depth enters by its square, which may become negative under noise; so the epicentre stays unbiased.

    Examples
    --------
    >>> times = travel_times([[3.8, -7.7]]).reshape(1, 8)
    >>> triangulate(times).round(6)
    array([[ 3.8, -7.7]])
    """
    stations = check_array(shape=(None, 2), unit="km", stations=stations)
    if len(stations) < 3 or np.linalg.matrix_rank(stations - stations.mean(0)) < 2:
        raise ValueError(f"stations must be at least three that do not lie on one line, got {stations.tolist()}")
    arrivals = check_array(shape=(None, 2 * len(stations)), unit="s", times=times)
    slowness = _slowness(v_p, v_s)
    depth = _depth_of_each(depth, len(arrivals))
    check_choice(choices=(True, False), fit_depth=fit_depth)
    check_choice(choices=(True, False), origin_time=origin_time)
    if offsets is not None:
        arrivals = arrivals - check_array(shape=(len(stations), 2), unit="s", offsets=offsets).ravel()
    parts = range(0, len(arrivals), BLOCK)  # in parts, so that a million events need no gigabytes of matrices
    fitted = [
        _fit(arrivals[i : i + BLOCK], depth[i : i + BLOCK], stations, slowness, bool(fit_depth), bool(origin_time))
        for i in parts
    ]
    unfinished = sum(moving for _, moving in fitted)
    if unfinished:
        warnings.warn(f"{unfinished} of {len(arrivals)} fits have not converged", RuntimeWarning, stacklevel=2)
    return np.concatenate([epicentres for epicentres, _ in fitted])


def cramer_rao(
    epicentres: ArrayLike,
    *,
    timing_error: float,
    v_p: float = P_SPEED,
    v_s: float = S_SPEED,
    stations: ArrayLike = STATIONS,
    depth: ArrayLike = 0.0,
    fit_depth: bool = False,
    origin_time: bool = False,
) -> np.ndarray:
    """Smallest covariance an unbiased estimate of the epicentre can have (Cramer and Rao).

    The inverse of the Fisher information I = sum_k,w g g^T / timing_error^2 with g = d t_kw / d (x, y, ...). With the
    depth and the origin time known, I = (1 / v_p^2 + 1 / v_s^2) / timing_error^2 sum_k u_k u_k^T, where u_k is the
    derivative of the distance to station k. Parameters that have to be fitted as well are marginalised.

    It binds unbiased estimates only: a network that has learnt where earthquakes happen may be better.

    Parameters
    ----------
    epicentres : array, (n, 2), km
        True positions.
    timing_error : float, s
        Standard deviation of the Gaussian error of every time.
    v_p, v_s : float, km/s
    stations : array, (k, 2), km
    depth : float or array, (n,), km
        True depth of the hypocentres.
    fit_depth, origin_time : bool
        With True the depth or the origin time is unknown, as in `triangulate`.

    Returns
    -------
    array, (n, 2, 2), km^2

    Raises
    ------
    ValueError, TypeError
        If an epicentre at depth 0 lies on a station, where a time has no derivative, or if the stations
        cannot determine it (all in one direction).

    Examples
    --------
    >>> covariance = cramer_rao([[0.0, 0.0]], timing_error=0.010)
    >>> (1000 * np.sqrt(covariance[0].diagonal())).round(1)  # m in x and y
    array([28.8, 28.8])
    """
    epicentres = check_array(shape=(None, 2), unit="km", epicentres=epicentres)
    check_positive(unit="s", timing_error=timing_error)
    slowness = _slowness(v_p, v_s)
    stations = check_array(shape=(None, 2), unit="km", stations=stations)
    depth = _depth_of_each(depth, len(epicentres))
    check_choice(choices=(True, False), fit_depth=fit_depth)
    check_choice(choices=(True, False), origin_time=origin_time)
    parts = range(0, len(epicentres), BLOCK)
    return timing_error**2 * np.concatenate(
        [
            _inverse_information(
                epicentres[i : i + BLOCK],
                depth[i : i + BLOCK],
                stations,
                slowness,
                bool(fit_depth),
                bool(origin_time),
            )
            for i in parts
        ]
    )


def _slowness(v_p: float, v_s: float) -> np.ndarray:
    check_positive(unit="km/s", v_p=v_p)
    check_number(minimum=0.0, maximum=v_p, exclusive=True, unit="km/s", v_s=v_s)
    return np.array([1.0 / v_p, 1.0 / v_s])


def _depth_of_each(depth: ArrayLike, n: int) -> np.ndarray:
    depth = check_array(ndim=(0, 1), minimum=0.0, unit="km", depth=depth)
    if depth.ndim and len(depth) != n:
        raise ValueError(f"depth must be one number or one for each of the {n} events, got shape {depth.shape}")
    return np.broadcast_to(depth, (n,))


def _border(y: np.ndarray) -> np.ndarray:
    return -3.0 + 0.1 * y + 10.0 * np.sin(2.0 * np.pi / 75.0 * (y + 11.0))


def _draw_epicentres(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y = np.float32(2 * HALF_WIDTH) * random.random(BLOCK, dtype=np.float32) - np.float32(HALF_WIDTH)
    border = _border(y)
    x = border + np.float32(BORDER_SCATTER) * random.standard_normal(BLOCK, dtype=np.float32)
    # Seven standard deviations away from the border: almost never, but the map has an edge.
    while (outside := np.abs(x) > HALF_WIDTH).any():
        redrawn = random.standard_normal(np.count_nonzero(outside), dtype=np.float32)
        x[outside] = border[outside] + np.float32(BORDER_SCATTER) * redrawn
    return x, y


def _draw_depths(random: np.random.Generator) -> np.ndarray:
    a, b, c = random.random((3, BLOCK), dtype=np.float32)
    # The median of three uniform numbers has the density 6 u (1 - u).
    return np.float32(SEISMOGENIC_DEPTH) * np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _write_times(quakes: Earthquakes, events: slice, slowness: np.ndarray, offsets: np.ndarray) -> None:
    """The same as `travel_times` plus origin time and offsets, one station at a time, which is much faster."""
    x, y = quakes.epicentres[events].T.astype(np.float64)
    depth_squared = quakes.depth[events].astype(np.float64) ** 2
    origin_time = quakes.origin_time[events].astype(np.float64)
    for k, (station_x, station_y) in enumerate(STATIONS):
        distance = np.sqrt((x - station_x) ** 2 + (y - station_y) ** 2 + depth_squared)
        for w in range(2):
            quakes.times[events, 2 * k + w] = distance * slowness[w] + offsets[k, w] + origin_time


def _design(
    epicentres: np.ndarray,
    depth_squared: np.ndarray,
    stations: np.ndarray,
    slowness: np.ndarray,
    fit_depth: bool,
    origin_time: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (n, k) and derivatives (n, 2 k, p) of the times by x, y, depth squared and origin time."""
    horizontal = epicentres[:, None] - stations
    distance = np.sqrt(np.maximum((horizontal**2).sum(-1) + depth_squared[:, None], 1e-12))
    columns = [horizontal / distance[..., None]]
    if fit_depth:  # by the square, whose derivative does not vanish at the surface
        columns.append(0.5 / distance[..., None])
    by_distance = np.concatenate(columns, axis=-1)
    derivatives = by_distance[:, :, None] * slowness[:, None]
    if origin_time:
        derivatives = np.concatenate([derivatives, np.ones((*derivatives.shape[:3], 1))], axis=-1)
    return distance, derivatives.reshape(len(epicentres), 2 * len(stations), -1)


def _first_guess(
    times: np.ndarray,
    depth: np.ndarray,
    stations: np.ndarray,
    slowness: np.ndarray,
    fit_depth: bool,
    origin_time: bool,
) -> np.ndarray:
    """Parameters (n, p) from a linear problem: differences of squared distances are linear in the epicentre."""
    p, s = times[:, 0::2], times[:, 1::2]
    if origin_time:  # S minus P does not know when the earthquake happened
        distance = (s - p) / (slowness[1] - slowness[0])
    else:
        distance = (slowness[0] * p + slowness[1] * s) / (slowness**2).sum()
    squares = (stations**2).sum(-1) - distance**2
    centred = stations - stations.mean(0)
    epicentres = (squares - squares.mean(1, keepdims=True)) @ np.linalg.pinv(2 * centred).T
    parameters = [epicentres]
    if fit_depth:
        horizontal = ((epicentres[:, None] - stations) ** 2).sum(-1)
        # Noise may put the hypocentre above the ground; the caller's start is the shallowest.
        parameters.append(np.maximum((distance**2 - horizontal).mean(1), depth**2)[:, None])
    if origin_time:
        parameters.append((p - distance * slowness[0]).mean(1, keepdims=True))
    return np.concatenate(parameters, axis=1)


def _fit(
    times: np.ndarray,
    depth: np.ndarray,
    stations: np.ndarray,
    slowness: np.ndarray,
    fit_depth: bool,
    origin_time: bool,
) -> tuple[np.ndarray, int]:
    """Epicentres (n, 2) and how many of the fits have not converged."""

    def misfit(parameters: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Residuals (m, 2 k), their derivatives (m, 2 k, p) and half the second derivative of their squares."""
        depth_squared = parameters[:, 2] if fit_depth else depth[events] ** 2
        distance, derivatives = _design(parameters[:, :2], depth_squared, stations, slowness, fit_depth, origin_time)
        predicted = (distance[..., None] * slowness).reshape(len(events), -1)
        if origin_time:
            predicted = predicted + parameters[:, -1:]
        residual = times[events] - predicted
        curvature = np.einsum("nci,ncj->nij", derivatives, derivatives)
        # A wave front is curved. Beside a station that hears too early, full Gauss-Newton steps jump across it.
        early = np.maximum(-(residual.reshape(*distance.shape, 2) @ slowness), 0.0) / distance
        direction = derivatives[:, 0::2, :2] / slowness[0]
        curvature[:, :2, :2] += early.sum(1)[:, None, None] * np.eye(2)
        curvature[:, :2, :2] -= np.einsum("nk,nki,nkj->nij", early, direction, direction)
        return residual, derivatives, curvature

    fitted = _first_guess(times, depth, stations, slowness, fit_depth, origin_time)
    diagonal = np.arange(fitted.shape[1])
    # The loop keeps only the events that still move: most need five steps, one beside a station needs many.
    events = np.arange(len(times))
    parameters, damping = fitted, np.full(len(times), 1e-6)
    residual, derivatives, curvature = misfit(parameters, events)
    for _ in range(STEPS):
        damped = curvature.copy()
        damped[:, diagonal, diagonal] *= 1.0 + damping[:, None]
        damped[:, diagonal, diagonal] += 1e-15
        slope = np.einsum("nci,nc->ni", derivatives, residual)
        step = np.linalg.solve(damped, slope[..., None])[..., 0]
        new_residual, new_derivatives, new_curvature = misfit(parameters + step, events)
        better = (new_residual**2).sum(1) <= (residual**2).sum(1)
        parameters = np.where(better[:, None], parameters + step, parameters)
        residual = np.where(better[:, None], new_residual, residual)
        derivatives = np.where(better[:, None, None], new_derivatives, derivatives)
        curvature = np.where(better[:, None, None], new_curvature, curvature)
        damping = np.where(better, damping / 10.0, damping * 10.0)
        fitted[events] = parameters
        moving = np.abs(step[:, :2]).max(1) > 1e-6  # by more than a millimetre
        events, parameters, damping = events[moving], parameters[moving], damping[moving]
        residual, derivatives, curvature = residual[moving], derivatives[moving], curvature[moving]
        if not len(events):
            break
    return fitted[:, :2], len(events)


def _inverse_information(
    epicentres: np.ndarray,
    depth: np.ndarray,
    stations: np.ndarray,
    slowness: np.ndarray,
    fit_depth: bool,
    origin_time: bool,
) -> np.ndarray:
    """The covariance (n, 2, 2) of the epicentre for a timing error of one second."""
    on_station = ((epicentres[:, None] == stations).all(-1) & (depth[:, None] == 0.0)).any(1)
    if on_station.any():
        raise ValueError(
            "epicentres must not lie on a station unless depth is above 0 km, "
            f"got {epicentres[on_station][0].tolist()} km"
        )
    _, derivatives = _design(epicentres, depth**2, stations, slowness, fit_depth, origin_time)
    information = np.einsum("nci,ncj->nij", derivatives, derivatives)
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", information), 1e-300))
    information /= scale[:, :, None] * scale[:, None, :]  # so that one limit fits all units
    undetermined = np.linalg.eigvalsh(information)[:, 0] < 1e-10
    if undetermined.any():
        raise ValueError(
            f"stations must determine every epicentre, but {epicentres[undetermined][0].tolist()} km "
            f"stays undetermined with {len(stations)} stations"
        )
    inverse = np.linalg.inv(information) / (scale[:, :, None] * scale[:, None, :])
    return inverse[:, :2, :2]
