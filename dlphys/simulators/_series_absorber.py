"""Objects that fall on an absorber, heard by vibration sensors below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._sample import Sample

BLOCK = 64
OBJECT, NOISE = range(2)

GRAVITY = 9.81  # m/s^2
THICKNESS, LAYERS = 0.6, 12  # m; the object is scattered in layers
RING = 6  # pieces in a layer, on a ring as wide as the lateral extent there
PITCH = 0.15  # m between sensors
SOUND, DAMPING_LENGTH = 300.0, 0.5  # m/s, m, in a soft solid
SAMPLING = 1e-3  # s
RESONANCE, RATIO = 150.0, 0.08  # Hz and damping ratio of a sensor
MASSES, HEIGHTS = (1.0, 10.0), (2.0, 20.0)  # kg, m
LOUDNESS = 1.0  # noise of a sensor for the root of a joule at 1 m


@dataclass(frozen=True, repr=False)
class Absorbers(Sample):
    """Simulated impacts; the first axis of every array is the impact.

    Attributes
    ----------
    traces : array, (n, sensors, sensors, steps), float32
        Vibration of each sensor of the square below the absorber, in units of the noise of a sensor (1 by default).
    energy : array, (n,), float32, J
        m g h.
    extent : array, (n,), float32, m
        Largest lateral extent Y.
    depth : array, (n,), float32, m
        Depth X at which it is reached.
    mass : array, (n,), float32, kg
    height : array, (n,), float32, m
    """

    units: ClassVar = {
        "traces": "noise of a sensor",
        "energy": "J",
        "extent": "m",
        "depth": "m",
        "mass": "kg",
        "height": "m",
    }

    traces: np.ndarray
    energy: np.ndarray
    extent: np.ndarray
    depth: np.ndarray
    mass: np.ndarray
    height: np.ndarray


def absorbers(n: int, *, seed: Seed, sensors: int = 4, steps: int = 128, noise: float = 1.0) -> Absorbers:
    """Draw objects that fall from a tower on an absorber, and the traces of sensors x sensors vibration sensors.

    An object of mass m hits with the energy E = m g h. It breaks up, and its pieces lose their energy layer by layer
    within a lateral extent y(x) = Y (x / X) exp(1 - x / X), largest at the depth X. Every piece strikes the material
    when it arrives in a layer; the blow spreads as sound, and each sensor answers as a damped oscillator.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    sensors : int
        Along an edge of the square, 0.15 m apart; up to 16.
    steps : int
        Values of a trace, 1 ms apart, at least 16.
    noise : float
        Standard deviation of the noise on each value.

    Returns
    -------
    Absorbers
        Frozen dataclass: traces (n, sensors, sensors, steps), energy (n,) J, extent (n,) m, depth (n,) m; float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The thought experiment of the book's example 11.1; the material is ours. Masses of 1-10 kg and heights of 2-20 m
    are uniform in the logarithm. X = 0.12 m + 0.04 m ln(E / 20 J), with 12 % scatter; Y = 0.08 m (E / 200 J)^(1/4),
    with 20 % scatter. A layer takes a share of x / X exp(1 - x / X) of the energy; an object slows down as its energy
    is used up. A blow has an amplitude of the root of its energy, falling with the distance d as exp(-d / 0.5 m) / d.
    The sum over blows is exact: sums of damped oscillations of one frequency are one oscillation between two blows.

    Examples
    --------
    >>> impacts = absorbers(2, seed=1)
    >>> impacts.traces.shape, bool(np.allclose(impacts.energy, 9.81 * impacts.mass * impacts.height))
    ((2, 4, 4, 128), True)
    """
    n = check_count(n=n)
    sensors = check_count(maximum=16, sensors=sensors)
    steps = check_count(minimum=16, maximum=10_000, steps=steps)
    noise = check_number(minimum=0.0, noise=noise)
    stream = Streams.of(seed)
    block_size = max(1, BLOCK * 16 * 128 // max(16 * 128, sensors * sensors * steps))
    impacts = Absorbers(
        traces=np.empty((n, sensors, sensors, steps), np.float32),
        **{name: np.empty(n, np.float32) for name in ("energy", "extent", "depth", "mass", "height")},
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        random = stream(OBJECT, block)
        u, scatter = random.random((block_size, 2))[:m], random.standard_normal((block_size, 2))[:m]
        turns = 2.0 * np.pi * random.random((block_size, LAYERS))[:m]
        mass = MASSES[0] * (MASSES[1] / MASSES[0]) ** u[:, 0]
        height = HEIGHTS[0] * (HEIGHTS[1] / HEIGHTS[0]) ** u[:, 1]
        energy = mass * GRAVITY * height
        depth = (0.12 + 0.04 * np.log(energy / 20.0)) * np.exp(0.12 * scatter[:, 0])
        extent = 0.08 * (energy / 200.0) ** 0.25 * np.exp(0.20 * scatter[:, 1])
        traces = np.empty((m, sensors * sensors, steps))
        _vibrate(energy, np.sqrt(2.0 * GRAVITY * height), depth, extent, turns, sensors, traces)
        if noise:
            traces += noise * stream(NOISE, block).standard_normal((block_size, *traces.shape[1:]), np.float32)[:m]
        impacts.traces[events] = traces.reshape(m, sensors, sensors, steps)
        impacts.energy[events], impacts.extent[events], impacts.depth[events] = energy, extent, depth
        impacts.mass[events], impacts.height[events] = mass, height

    fill_blocks(fill, n, block=block_size, title="impacts")
    return impacts


def loudness(traces: ArrayLike, *, noise: float = 1.0) -> np.ndarray:
    """Sum of the squares of all traces, less what noise adds: proportional to the energy, a baseline for it.

    Parameters
    ----------
    traces : array, (n, sensors, sensors, steps)
    noise : float
        Standard deviation of the noise in the traces.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> impacts = absorbers(300, seed=1)
    >>> ratio = np.log(loudness(impacts.traces) / impacts.energy)
    >>> bool(ratio.std() < np.log(impacts.energy).std())
    True
    """
    traces = check_array(ndim=4, traces=traces, dtype=None)
    noise = check_number(minimum=0.0, noise=noise)
    values = traces.shape[1] * traces.shape[2] * traces.shape[3]
    total = np.einsum("nijt,nijt->n", traces, traces, dtype=np.float64, optimize=False)
    return np.maximum(total - values * noise**2, 1.0)


@compiled(nogil=True)
def _blows(energy: float, speed: float, depth: float, extent: float, turns: np.ndarray, blows: np.ndarray) -> None:
    """Blows (layers * pieces, 5): x, y, depth (m), time (s) and root of the energy of each piece in each layer."""
    thick = THICKNESS / LAYERS
    shares = np.empty(LAYERS)
    for layer in range(LAYERS):
        x = (layer + 0.5) * thick / depth
        shares[layer] = x * np.exp(1.0 - x)
    shares /= shares.sum()
    time, left = 0.0, 1.0
    for layer in range(LAYERS):
        x = (layer + 0.5) * thick
        time += thick / (speed * np.sqrt(max(left, 0.01)))
        left -= shares[layer]
        radius = extent * x / depth * np.exp(1.0 - x / depth)
        for piece in range(RING):
            angle = turns[layer] + 2.0 * np.pi * piece / RING
            row = layer * RING + piece
            blows[row, 0], blows[row, 1], blows[row, 2] = radius * np.cos(angle), radius * np.sin(angle), x
            blows[row, 3], blows[row, 4] = time, np.sqrt(energy * shares[layer] / RING)


@compiled(nogil=True)
def _vibrate(
    energy: np.ndarray,
    speed: np.ndarray,
    depth: np.ndarray,
    extent: np.ndarray,
    turns: np.ndarray,
    sensors: int,
    traces: np.ndarray,
) -> None:
    """Answers of all sensors: between two blows a damped oscillation is a complex number that turns and shrinks."""
    steps = traces.shape[2]
    angular = 2.0 * np.pi * RESONANCE
    exponent = complex(-RATIO * angular, angular * np.sqrt(1.0 - RATIO * RATIO))
    turn = np.exp(exponent * SAMPLING)
    blows = np.empty((LAYERS * RING, 5))
    arriving = np.empty(steps, np.complex128)
    for event in range(energy.size):
        _blows(energy[event], speed[event], depth[event], extent[event], turns[event], blows)
        for sensor in range(sensors * sensors):
            x = (sensor // sensors - 0.5 * (sensors - 1)) * PITCH
            y = (sensor % sensors - 0.5 * (sensors - 1)) * PITCH
            arriving[:] = 0.0
            for k in range(blows.shape[0]):
                distance = np.sqrt((blows[k, 0] - x) ** 2 + (blows[k, 1] - y) ** 2 + (blows[k, 2] - THICKNESS) ** 2)
                arrival = blows[k, 3] + distance / SOUND
                step = int(np.ceil(arrival / SAMPLING))
                if step < steps:
                    amplitude = LOUDNESS * blows[k, 4] * np.exp(-distance / DAMPING_LENGTH) / distance
                    arriving[step] += amplitude * np.exp(exponent * (step * SAMPLING - arrival))
            state = 0.0 + 0.0j
            for step in range(steps):
                state = state * turn + arriving[step]
                traces[event, sensor, step] = state.imag


def _vibrate_plain(
    energy: float, speed: float, depth: float, extent: float, turns: np.ndarray, sensors: int, steps: int
) -> np.ndarray:
    """The same for one object, as it stands in the formula: a sum over blows of exp(-d w t) sin(w_d t)."""
    blows = np.empty((LAYERS * RING, 5))
    _blows(energy, speed, depth, extent, turns, blows)
    place = (np.arange(sensors) - 0.5 * (sensors - 1)) * PITCH
    x, y = (grid.reshape(-1, 1) for grid in np.meshgrid(place, place, indexing="ij"))
    distance = np.sqrt((blows[:, 0] - x) ** 2 + (blows[:, 1] - y) ** 2 + (blows[:, 2] - THICKNESS) ** 2)
    amplitude = LOUDNESS * blows[:, 4] * np.exp(-distance / DAMPING_LENGTH) / distance
    since = SAMPLING * np.arange(steps)[:, None, None] - (blows[:, 3] + distance / SOUND)
    angular = 2.0 * np.pi * RESONANCE
    answer = np.exp(-RATIO * angular * since) * np.sin(angular * np.sqrt(1.0 - RATIO**2) * since)
    return (amplitude * np.where(since >= 0.0, answer, 0.0)).sum(-1).T
