"""Voltages of a superconducting magnet before a quench: spikes that come more and more often, then resistance."""

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
from dlphys.simulators._series_waves import _range

BLOCK = 256
QUENCH, SPIKES, NOISE = range(3)

SAMPLING = 0.4  # s between values, as logged at the LHC
NOISE_LEVEL = 1.0  # mV
SPIKE = 4.0  # mV, mean height of a spike, exponential
QUIET_RATE = 0.02  # 1/s
PRECURSORS, SOFTENING = 3.0, 2.0  # spikes, s: the rate rises by PRECURSORS / (time to quench + SOFTENING)
WARNING = 60.0  # s; from here on a value counts as precursor
GROWTH = 20.0  # mV/s^2, of the resistive voltage
RECORDER = 200.0  # mV, largest value that is recorded
QUIET, PRECURSOR, QUENCHED = range(3)
MOST_SPIKES = 8  # in one value, for the likelihood


@dataclass(frozen=True, repr=False)
class Quenches(Sample):
    """Simulated records of a magnet's voltage; the first axis of every array is the record.

    Attributes
    ----------
    voltage : array, (n, steps), float32, mV
        One value every 0.4 s.
    quench : array, (n,), int8
        1 if the magnet quenches, 0 if it stays superconducting.
    time_to_quench : array, (n, steps), float32, s
        Negative after the onset, NaN where there is no quench.
    stage : array, (n, steps), int8
        0 quiet, 1 less than 60 s before a quench, 2 quenched.
    """

    units: ClassVar = {
        "voltage": "mV",
        "quench": "1 quench, 0 none",
        "time_to_quench": "s",
        "stage": "0 quiet, 1 precursor, 2 quenched",
    }

    voltage: np.ndarray
    quench: np.ndarray
    time_to_quench: np.ndarray
    stage: np.ndarray


def quenches(
    n: int, *, seed: Seed, steps: int = 256, lead: tuple[float, float] = (-20.0, 40.0), share: float = 0.5
) -> Quenches:
    """Draw voltage records of superconducting magnets, some of which quench.

    Small movements of the conductor make spikes. They come at 0.02 /s in a quiet magnet, and at a rate that grows as
    3 / (t + 2 s) at the time t before a quench. From the quench on a normal zone grows and with it the voltage,
    20 mV/s^2 t^2 / 2, until the recorder ends at 200 mV.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    steps : int
        Values in a record, 0.4 s apart, at least 8.
    lead : (float, float), s
        Range of the time from the end of the record to the quench, uniform; negative if the quench is in the record.
    share : float
        Share of records with a quench, in [0, 1].

    Returns
    -------
    Quenches
        Frozen dataclass: voltage (n, steps) float32 mV, quench (n,) int8, time_to_quench and stage (n, steps).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or the quench would lie before the record.

    Notes
    -----
    After the book's example 9.1 (M. Wielgosz, A. Skoczen and M. Mertik, Nucl. Instrum. Meth. A 867 (2017) 40), where
    24 h before each of 425 quenches were studied with a value every 0.4 s. Its data are not public: the growing rate
    is that of foreshocks and of crackling before failure, and all numbers are our choice.
    Each value is the noise of 1 mV plus a Poisson number of spikes of exponential height, 4 mV on average, independent
    of the other values; so for records that end before the quench the best possible test is known (`quench_evidence`).

    Examples
    --------
    >>> records = quenches(4, seed=1)
    >>> records.voltage.shape, records.stage.shape
    ((4, 256), (4, 256))
    """
    n = check_count(n=n)
    steps = check_count(minimum=8, maximum=1_000_000, steps=steps)
    shortest, longest = _range(lead, "lead", -SAMPLING * steps, 1e5, "s")
    share = check_number(minimum=0.0, maximum=1.0, share=share)
    stream = Streams.of(seed)
    records = Quenches(
        voltage=np.empty((n, steps), np.float32),
        quench=np.empty(n, np.int8),
        time_to_quench=np.empty((n, steps), np.float32),
        stage=np.empty((n, steps), np.int8),
    )
    block_size = max(1, BLOCK * 256 // max(256, steps))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        u = stream(QUENCH, block).random((block_size, 2))[:m]
        records.quench[events] = u[:, 0] < share
        end = np.where(u[:, 0] < share, shortest + (longest - shortest) * u[:, 1], np.nan)
        remaining = end[:, None] + SAMPLING * np.arange(steps - 1, -1, -1.0)
        records.time_to_quench[events] = remaining
        stage = np.where(remaining < WARNING, PRECURSOR, QUIET)
        records.stage[events] = np.where(remaining < 0.0, QUENCHED, stage)
        voltage = NOISE_LEVEL * stream(NOISE, block).standard_normal((block_size, steps))[:m]
        _add_spikes(stream(SPIKES, block), remaining, voltage)
        after = np.maximum(-np.nan_to_num(remaining, nan=1.0), 0.0)
        records.voltage[events] = np.minimum(voltage + 0.5 * GROWTH * after**2, RECORDER)

    fill_blocks(fill, n, block=block_size, title="quenches")
    return records


def spike_rate(time_to_quench: ArrayLike) -> np.ndarray:
    """Spikes in a second at a time before a quench: 0.02 /s + 3 / (t + 2 s).

    Parameters
    ----------
    time_to_quench : float or array, any shape, s
        At least 0; NaN for a magnet that stays quiet.

    Returns
    -------
    array, shape of ``time_to_quench``, 1/s

    Raises
    ------
    ValueError, TypeError
        If a time is negative.

    Examples
    --------
    >>> spike_rate([0.0, 58.0, np.nan]).round(3)
    array([1.52, 0.07, 0.02])
    """
    times = check_array(minimum=0.0, allow_nan=True, unit="s", time_to_quench=time_to_quench)
    return QUIET_RATE + np.nan_to_num(PRECURSORS / (times + SOFTENING), nan=0.0)


def quench_evidence(voltage: ArrayLike, *, lead: tuple[float, float] = (2.0, 40.0), leads: int = 40) -> np.ndarray:
    """Logarithm of the likelihood ratio of a quench ahead: the limit of every classifier of such records.

    The ratio of the densities of the record for a magnet that will quench and for a quiet one. Values are independent,
    each with the density sum over k of Poisson(k; rate 0.4 s) times that of noise plus k exponential heights; the
    unknown time of the quench is averaged over.

    Parameters
    ----------
    voltage : array, (n, steps), mV
        Records that end before the quench.
    lead : (float, float), s
        Range of the time from the end of the record to the quench, as in `quenches`; at least 0.
    leads : int
        Points of the average over it.

    Returns
    -------
    array, (n,)
        Above 0 if a quench is more likely than not, both being equally frequent.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    J. Neyman and E. S. Pearson, Phil. Trans. R. Soc. A 231 (1933) 289. `quench_evidence` knows the rates and
    heights of `quenches`.

    Examples
    --------
    >>> records = quenches(400, seed=1, lead=(2.0, 40.0))
    >>> right = (quench_evidence(records.voltage) > 0) == (records.quench == 1)
    >>> bool(right.mean() > 0.75)
    True
    """
    voltage = check_array(ndim=2, unit="mV", voltage=voltage)
    shortest, longest = _range(lead, "lead", 0.0, 1e5, "s")
    leads = check_count(leads=leads)
    steps = voltage.shape[1]
    ends = shortest + (longest - shortest) * (np.arange(leads) + 0.5) / leads
    remaining = ends[:, None] + SAMPLING * np.arange(steps - 1, -1, -1.0)
    expected = SAMPLING * spike_rate(remaining)
    grid, densities = _densities()
    evidence = np.empty(len(voltage))
    _average_likelihood(voltage, expected, SAMPLING * QUIET_RATE, grid[0], grid[1] - grid[0], densities, evidence)
    return evidence


def _densities() -> tuple[np.ndarray, np.ndarray]:
    """Density of the voltage with k spikes in it, (k, grid), on a grid in mV: Erlang heights and Gaussian noise."""
    from scipy.stats import gamma

    width = 0.02
    grid = np.arange(-8.0, 160.0, width)
    heights = np.arange(0.5 * width, 168.0, width)
    kernel = np.exp(-0.5 * (np.arange(-8.0, 8.0 + width / 2, width) / NOISE_LEVEL) ** 2)
    kernel /= kernel.sum() * width
    densities = np.empty((MOST_SPIKES + 1, grid.size))
    densities[0] = np.exp(-0.5 * (grid / NOISE_LEVEL) ** 2) / (NOISE_LEVEL * np.sqrt(2.0 * np.pi))
    from scipy.signal import fftconvolve

    for k in range(1, MOST_SPIKES + 1):
        share = np.diff(gamma.cdf(np.append(heights - 0.5 * width, heights[-1] + 0.5 * width), k, scale=SPIKE))
        spread = fftconvolve(share, kernel)  # begins at heights[0] - 8 mV
        at = heights[0] - 8.0 + width * np.arange(spread.size)
        densities[k] = np.interp(grid, at, np.maximum(spread, 0.0))
    return grid, densities


@compiled(nogil=True)
def _add_spikes(random: np.random.Generator, remaining: np.ndarray, voltage: np.ndarray) -> None:
    for record in range(voltage.shape[0]):
        for step in range(voltage.shape[1]):
            rate = QUIET_RATE
            if remaining[record, step] >= 0.0:
                rate += PRECURSORS / (remaining[record, step] + SOFTENING)
            for _ in range(random.poisson(rate * SAMPLING)):
                voltage[record, step] += SPIKE * random.standard_exponential()


@compiled(nogil=True)
def _average_likelihood(
    voltage: np.ndarray,
    expected: np.ndarray,
    quiet: float,
    first: float,
    width: float,
    densities: np.ndarray,
    evidence: np.ndarray,
) -> None:
    leads, steps = expected.shape
    most = densities.shape[0]
    weights = np.empty((leads, steps, most))
    for i in range(leads):
        for step in range(steps):
            weight = np.exp(-expected[i, step])
            for k in range(most):
                weights[i, step, k] = weight
                weight *= expected[i, step] / (k + 1)
    logs, value = np.empty(leads), np.empty(most)
    for record in range(voltage.shape[0]):
        logs[:] = 0.0
        for step in range(steps):
            place = min(max((voltage[record, step] - first) / width, 0.0), densities.shape[1] - 1.001)
            left = int(place)
            none, weight = 0.0, np.exp(-quiet)
            for k in range(most):
                value[k] = densities[k, left] + (place - left) * (densities[k, left + 1] - densities[k, left])
                none += weight * value[k]
                weight *= quiet / (k + 1)
            for i in range(leads):
                some = 0.0
                for k in range(most):
                    some += weights[i, step, k] * value[k]
                logs[i] += np.log(some / none)
        largest = logs.max()
        evidence[record] = largest + np.log(np.exp(logs - largest).mean())
