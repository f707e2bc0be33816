"""Sine waves to continue, and damped oscillators that are struck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, check_positive
from dlphys.simulators._sample import Sample

BLOCK = 4096
WAVE, NOISE, FORCE = range(3)

BOOK_STEP = 100.0 / 9999.0  # s between the book's 10 000 points
BOOK_FREQUENCY = 0.5  # Hz: sin(pi t)
STEP = 0.05  # s


@dataclass(frozen=True, repr=False)
class Sines(Sample):
    """Pieces of sine waves; the first axis of every array is the piece.

    Attributes
    ----------
    windows : array, (n, window), float32
        Consecutive values.
    target : array, (n,), float32
        The next value, without noise.
    time : array, (n,), float32, s
        Of the first value.
    frequency : array, (n,), float32, Hz
    amplitude, phase : array, (n,), float32
        amplitude sin(2 pi frequency time + phase).
    """

    units: ClassVar = {
        "windows": "",
        "target": "",
        "time": "s",
        "frequency": "Hz",
        "amplitude": "",
        "phase": "rad",
    }

    windows: np.ndarray
    target: np.ndarray
    time: np.ndarray
    frequency: np.ndarray
    amplitude: np.ndarray
    phase: np.ndarray


@dataclass(frozen=True, repr=False)
class Oscillations(Sample):
    """Damped oscillators driven by blows; the first axis of every array is the oscillator.

    Attributes
    ----------
    force : array, (n, steps), float32, m/s
        Change of speed by the blow at each step; mostly 0.
    displacement : array, (n, steps), float32, m
    frequency : array, (n,), float32, Hz
        Undamped.
    damping : array, (n,), float32
        Damping ratio, 1 where it no longer oscillates.
    """

    units: ClassVar = {"force": "m/s", "displacement": "m", "frequency": "Hz", "damping": "1 is critical"}

    force: np.ndarray
    displacement: np.ndarray
    frequency: np.ndarray
    damping: np.ndarray


def sines(n: int, *, seed: Seed, preset: str = "book", window: int = 20, noise: float = 0.0) -> Sines:
    """Draw pieces of sine waves, each with the value that follows.

    Two presets: "book" cuts sin(pi t), taken at 10 000 points of [0, 100] s, into overlapping pieces, the first at
    t = 0 and each next one a point later (as in the book's exercise 9.1). "physics" draws a new wave for each piece.

    Parameters
    ----------
    n : int
        Number of pieces; of the book's 10 000 points, 9980 with a window of 20.
    seed : int or numpy.random.Generator
        Of the noise, and of the waves of the physics preset.
    preset : {"book", "physics"}
        "physics": frequencies uniform in the logarithm in 0.1-2 Hz, amplitudes uniform in 0.5-1.5, any phase,
        points 0.05 s apart.
    window : int
        Values in a piece, at least 2.
    noise : float
        Standard deviation of the noise on each value of a piece; the target has none.

    Returns
    -------
    Sines
        Frozen dataclass: windows (n, window), target (n,), time (n,) s, frequency (n,) Hz, amplitude, phase; float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    All pieces of the book's wave are alike: one period is 200 points, so pieces 200 apart are the same numbers but for
    0.02 steps, and a test set from later times tests nothing new.
    Without noise `continuation` of the last two values is exact.

    Examples
    --------
    >>> pieces = sines(9980, seed=1)
    >>> wave = np.sin(np.pi * BOOK_STEP * np.arange(10_000))
    >>> pieces.windows.shape, bool(np.allclose(pieces.target, wave[20:], atol=1e-6))
    ((9980, 20), True)
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    window = check_count(minimum=2, maximum=100_000, window=window)
    noise = check_number(minimum=0.0, noise=noise)
    stream = Streams.of(seed)
    book = preset == "book"
    step = BOOK_STEP if book else STEP
    pieces = Sines(
        windows=np.empty((n, window), np.float32),
        target=np.empty(n, np.float32),
        time=np.empty(n, np.float32),
        frequency=np.empty(n, np.float32),
        amplitude=np.empty(n, np.float32),
        phase=np.empty(n, np.float32),
    )
    block_size = _block(window)

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        if book:
            start = step * np.arange(events.start, events.stop)
            frequency, amplitude, phase = np.full(m, BOOK_FREQUENCY), np.ones(m), np.zeros(m)
        else:
            u = stream(WAVE, block).random((block_size, 3))[:m]
            start = np.zeros(m)
            frequency, amplitude, phase = 0.1 * 20.0 ** u[:, 0], 0.5 + u[:, 1], 2.0 * np.pi * u[:, 2]
        time = start[:, None] + step * np.arange(window + 1)
        values = amplitude[:, None] * np.sin(2.0 * np.pi * frequency[:, None] * time + phase[:, None])
        pieces.target[events] = values[:, -1]
        pieces.windows[events] = values[:, :-1]
        if noise:
            draws = stream(NOISE, block).standard_normal((block_size, window), np.float32)
            pieces.windows[events] += np.float32(noise) * draws[:m]
        pieces.time[events], pieces.frequency[events] = start, frequency
        pieces.amplitude[events], pieces.phase[events] = amplitude, phase

    fill_blocks(fill, n, block=block_size, title="sines")
    return pieces


def oscillations(
    n: int,
    *,
    seed: Seed,
    steps: int = 100,
    blows: float = 1.0,
    frequency: tuple[float, float] = (0.5, 2.0),
    damping: tuple[float, float] = (0.02, 0.2),
    noise: float = 0.0,
) -> Oscillations:
    """Draw damped oscillators at rest, blows at random times, and how they swing: x'' + 2 d w x' + w^2 x = force.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    steps : int
        Values 0.05 s apart, at least 2.
    blows : float
        Mean number of blows after the first, which always comes at step 0; each changes the speed by a Gaussian of
        1 m/s, the first by 1 m/s.
    frequency : (float, float), Hz
        Range of w / (2 pi), uniform.
    damping : (float, float)
        Range of the damping ratio d, uniform; in [0, 1).
    noise : float, m
        Standard deviation of the noise on each displacement.

    Returns
    -------
    Oscillations
        Frozen dataclass: force and displacement (n, steps), frequency (n,) Hz, damping (n,); float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The sum of the exact responses to all blows (`impulse_response`), by its recursion: the complex amplitude turns and
    shrinks by exp((-d w + i w sqrt(1 - d^2)) dt) in a step. A blow moves nothing at its own step.

    Examples
    --------
    >>> struck = oscillations(2, seed=1, blows=0.0)
    >>> expected = impulse_response(0.05 * np.arange(100), struck.frequency[0], struck.damping[0])
    >>> bool(np.abs(struck.displacement[0] - expected).max() < 1e-6)
    True
    """
    n = check_count(n=n)
    steps = check_count(minimum=2, maximum=100_000, steps=steps)
    blows = check_number(minimum=0.0, maximum=1e4, blows=blows)
    slow, fast = _range(frequency, "frequency", 1e-3, 10.0, "Hz")
    weak, strong = _range(damping, "damping", 0.0, 0.999, "")
    noise = check_number(minimum=0.0, unit="m", noise=noise)
    stream = Streams.of(seed)
    made = Oscillations(
        force=np.empty((n, steps), np.float32),
        displacement=np.empty((n, steps), np.float32),
        frequency=np.empty(n, np.float32),
        damping=np.empty(n, np.float32),
    )
    block_size = _block(steps)

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        u = stream(WAVE, block).random((block_size, 2), np.float32)[:m]
        # the parameters that are handed out are those of the motion, to the last bit
        made.frequency[events] = np.float32(slow) + np.float32(fast - slow) * u[:, 0]
        made.damping[events] = np.float32(weak) + np.float32(strong - weak) * u[:, 1]
        random = stream(FORCE, block)
        struck = random.random((block_size, steps), np.float32)[:m] < blows / (steps - 1)
        force = np.where(struck, random.standard_normal((block_size, steps), np.float32)[:m], np.float32(0))
        force[:, 0] = 1.0
        made.force[events] = force
        angular = 2.0 * np.pi * made.frequency[events].astype(np.float64)
        ratio = made.damping[events].astype(np.float64)
        damped = angular * np.sqrt(1.0 - ratio**2)
        turn = np.exp((-ratio * angular + 1j * damped) * STEP)
        amplitude = np.zeros(m, complex)
        for k in range(steps):
            made.displacement[events, k] = amplitude.imag / damped
            amplitude = (amplitude + force[:, k]) * turn
        if noise:
            draws = stream(NOISE, block).standard_normal((block_size, steps), np.float32)
            made.displacement[events] += np.float32(noise) * draws[:m]

    fill_blocks(fill, n, block=block_size, title="oscillations")
    return made


def impulse_response(time: ArrayLike, frequency: float, damping: float) -> np.ndarray:
    """Displacement of a damped oscillator after a blow of 1 m/s at time 0: exp(-d w t) sin(w_d t) / w_d.

    w = 2 pi ``frequency``, w_d = w sqrt(1 - d^2); 0 before the blow.

    Parameters
    ----------
    time : float or array, any shape, s
    frequency : float, Hz
    damping : float
        Damping ratio d in [0, 1).

    Returns
    -------
    array, shape of ``time``, m

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> impulse_response([-1.0, 0.0, 0.25], 1.0, 0.0).round(4)
    array([0.    , 0.    , 0.1592])
    """
    time = check_array(unit="s", time=time)
    check_positive(unit="Hz", frequency=frequency)
    ratio = check_number(minimum=0.0, maximum=0.999999, damping=damping)
    angular = 2.0 * np.pi * float(frequency)
    damped = angular * np.sqrt(1.0 - ratio**2)
    after = np.maximum(time, 0.0)
    return np.exp(-ratio * angular * after) * np.sin(damped * after) / damped


def transfer_function(driving: ArrayLike, frequency: float, damping: float) -> np.ndarray:
    """Displacement for a force exp(2 pi i f t): 1 / (w^2 - W^2 + 2 i d w W), W = 2 pi f.

    Parameters
    ----------
    driving : float or array, any shape, Hz
        f, frequency of the force.
    frequency : float, Hz
        Of the oscillator, undamped.
    damping : float
        Damping ratio, above 0.

    Returns
    -------
    array, shape of ``driving``, complex, m per m/s^2

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> float(np.abs(transfer_function(1.0, 1.0, 0.1)).round(4))  # resonance: 1 / (2 d w^2)
    0.1267
    """
    driving = check_array(unit="Hz", driving=driving)
    check_positive(unit="Hz", frequency=frequency)
    ratio = check_number(minimum=0.0, maximum=10.0, exclusive=True, damping=damping)
    angular, drive = 2.0 * np.pi * float(frequency), 2.0 * np.pi * driving
    return 1.0 / (angular**2 - drive**2 + 2j * ratio * angular * drive)


def continuation(
    windows: ArrayLike, frequency: ArrayLike, *, damping: ArrayLike = 0.0, step: float = STEP, ahead: int = 1
) -> np.ndarray:
    """The value that follows, for a wave whose frequency is known: an oracle for noisy waves, exact for clean ones.

    Least squares of exp(-d w t) times a cosine and a sine in the window, continued: the best linear unbiased estimate
    for white noise, and the posterior mean if nothing is known about amplitude and phase.

    Parameters
    ----------
    windows : array, (n, window)
        At least two values each.
    frequency : float or array, (n,), Hz
        Undamped.
    damping : float or array, (n,)
        Damping ratio in [0, 1).
    step : float, s
        Between values; 100 / 9999 for the book's sines.
    ahead : int
        How many steps after the last value.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> pieces = sines(5, seed=1, preset="physics")
    >>> bool(np.abs(continuation(pieces.windows, pieces.frequency) - pieces.target).max() < 1e-4)
    True
    """
    windows = check_array(ndim=2, windows=windows)
    n, length = windows.shape
    if length < 2:
        raise ValueError(f"windows must have at least 2 values each, got shape {windows.shape}")
    hertz = check_array(ndim=(0, 1), minimum=1e-9, unit="Hz", frequency=frequency)
    ratio = check_array(ndim=(0, 1), minimum=0.0, maximum=0.999999, damping=damping)
    for name, array in (("frequency", hertz), ("damping", ratio)):
        if array.ndim and len(array) != n:
            raise ValueError(f"{name} must be one number or one for each of the {n} windows, got shape {array.shape}")
    check_positive(unit="s", step=step)
    ahead = check_count(ahead=ahead)
    angular = 2.0 * np.pi * np.broadcast_to(hertz, n)[:, None]
    ratio = np.broadcast_to(ratio, n)[:, None]
    time = step * (np.arange(length + ahead) - 0.5 * (length - 1))
    decay = np.exp(-ratio * angular * time)
    damped = angular * np.sqrt(1.0 - ratio**2) * time
    basis = np.stack([decay * np.cos(damped), decay * np.sin(damped)], axis=-1)
    seen = basis[:, :length]
    normal = np.einsum("nti,ntj->nij", seen, seen)
    moments = np.einsum("nti,nt->ni", seen, windows)
    amplitudes = np.linalg.solve(normal, moments[..., None])[..., 0]
    return np.einsum("ni,ni->n", basis[:, -1], amplitudes)


def _block(length: int) -> int:
    """Events in a block, fewer where they are long."""
    return max(16, BLOCK * 20 // max(20, length))


def _range(value: tuple[float, float], name: str, minimum: float, maximum: float, unit: str) -> tuple[float, float]:
    """A pair of numbers, the first not above the second."""
    argument: dict[str, Any] = {name: value}
    pair = check_array(shape=(2,), minimum=minimum, maximum=maximum, unit=unit, **argument)
    if pair[0] > pair[1]:
        raise ValueError(f"{name} must be a smaller and a larger number, got {pair.tolist()} {unit}".rstrip())
    return float(pair[0]), float(pair[1])
