"""Sums over everything about a pulse that a trace does not tell: the likelihood ratio and the posterior mean.

The noise is Gaussian and independent from frequency to frequency, and times are shifted around the end of the trace, so
all times of a pulse come from one Fourier transform. Times are taken eight to a sample: the likelihood of a visible
pulse is about 0.4 ns wide, and 5.6 ns lie between two samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft

from dlphys._blocks import fill_blocks
from dlphys.simulators._radio_kernels import gather_all
from dlphys.simulators._radio_setting import (
    BINS,
    FREQUENCIES,
    HIGH,
    IN_BAND,
    PULSE_TIMES,
    SAMPLES,
    SAMPLING,
    Setting,
    emission_spectrum,
)

GRID = 8  # times in a sample
SHAPES, EXCESSES = 4, 2  # nodes for the distance from the ring and for the charge excess
RATIOS = 6  # nodes for a range of the signal-to-noise ratio, for each unit
BLOCK = 32  # traces
FIRST, LAST = (round(time * SAMPLING) * GRID for time in PULSE_TIMES)
HALF_STEP = np.exp(2j * np.pi * FREQUENCIES[IN_BAND] * 0.5 / (GRID * SAMPLING))


def shapes(setting: Setting, nodes: int = SHAPES, excesses: int = EXCESSES) -> list[tuple[float, float, float]]:
    """(prior probability, distance from the ring in m, charge excess): nodes of a Gaussian quadrature."""
    distances, shares = _legendre(*setting.ring_distance, nodes)
    # q = a cos(psi) with psi uniform: nodes of Gauss and Chebyshev, which weigh the same
    count = excesses if setting.charge_excess else 1
    q = setting.charge_excess * np.cos((np.arange(count) + 0.5) * np.pi / count)
    return [(share / count, d, value) for d, share in zip(distances, shares, strict=True) for value in q]


def ratios(setting: Setting, per_unit: int = RATIOS) -> tuple[np.ndarray, np.ndarray]:
    """Signal-to-noise ratios in rising order and their prior probabilities."""
    low, high = setting.snr
    return _legendre(low, high, max(2, math.ceil(per_unit * (high - low))))


def _legendre(low: float, high: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and shares of a uniform quantity; one of each if it is fixed."""
    if low == high:
        return np.array([low]), np.ones(1)
    x, w = np.polynomial.legendre.leggauss(nodes)
    return 0.5 * (low + high) + 0.5 * (high - low) * x, 0.5 * w


def template(setting: Setting, ring_distance: float, excess: float) -> np.ndarray:
    """Spectrum of a pulse at time zero in the band, any scale; (bins,) complex128."""
    emitted = emission_spectrum(FREQUENCIES[IN_BAND], ring_distance=ring_distance, charge_excess=excess)
    return emitted * setting.antenna_response()


def shifted(spectrum: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Traces (n, 500) of a pulse at each time in us, any scale."""
    full = np.zeros((len(time), len(FREQUENCIES)), complex)
    full[:, IN_BAND] = spectrum * np.exp(-2j * np.pi * FREQUENCIES[IN_BAND] * time[:, None])
    return scipy.fft.irfft(full, SAMPLES)


def grid_times(grid: int = GRID) -> np.ndarray:
    """The times of the sums, in us: the middles of equal steps, so that each stands for the same probability."""
    first, last = PULSE_TIMES[0] * SAMPLING * grid, PULSE_TIMES[1] * SAMPLING * grid
    return (np.arange(round(first), round(last)) + 0.5) / (grid * SAMPLING)


def scales(spectrum: np.ndarray, grid: int = GRID) -> np.ndarray:
    """What makes the largest sample 1, for each place of the pulse between two samples; (grid,)."""
    return 1.0 / np.abs(shifted(spectrum, (np.arange(grid) + 0.5) / (grid * SAMPLING))).max(1)


def correlate(spectra: np.ndarray, spectrum: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum_k weight_k Re(X_k conj(P_k(t))) for all times of the grid; (n, times)."""
    product = np.zeros((len(spectra), HIGH + 1), complex)
    product[:, IN_BAND] = spectra * (spectrum.conj() * weight * HALF_STEP)
    steps = GRID * SAMPLES
    return scipy.fft.irfft(product, steps)[:, FIRST:LAST] * (0.5 * steps)


@dataclass(frozen=True)
class Shape:
    """A pulse of one shape, for all traces.

    Attributes
    ----------
    share : float
        Prior probability.
    spectrum : array, (bins,), complex128
        Any scale.
    unit, square, whitened : array, (GRID,)
        For each place between two samples: the factor that makes the largest sample 1, and with it the mean square of
        the pulse and its sum of |spectrum|^2 over the noise power.
    """

    share: float
    spectrum: np.ndarray
    unit: np.ndarray
    square: np.ndarray
    whitened: np.ndarray


def prepare(setting: Setting) -> list[Shape]:
    """All shapes of the quadrature; refuses signal-to-noise ratios for which the amplitude is not unique."""
    prepared = []
    for share, distance, excess in shapes(setting):
        spectrum = template(setting, distance, excess)
        unit = scales(spectrum)
        energy = np.abs(spectrum) ** 2
        square = 2.0 / SAMPLES**2 * energy.sum() * unit**2
        prepared.append(Shape(share, spectrum, unit, square, (energy / setting.noise_power()).sum() * unit**2))
    most = 1.0 / np.sqrt(max(shape.square.max() for shape in prepared))
    if setting.snr[1] >= most:
        raise ValueError(
            f"snr must be below {most:.3g} for pulses of this length, so that trace and pulse determine the noise, "
            f"got {setting.snr[1]:g}"
        )
    return prepared


def evaluate(traces: np.ndarray, setting: Setting, *, mean: bool) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood ratios (n,) and, with ``mean``, the posterior mean of the pulse if there is one, (n, 500)."""
    nodes = ratios(setting)
    prepared = prepare(setting)
    by_sample, by_power = np.full(BINS, 2.0 / SAMPLES**2), 1.0 / setting.noise_power()
    evidence = np.empty(len(traces))
    means = np.zeros(traces.shape if mean else (0, SAMPLES))

    def sums(spectra: np.ndarray, shape: Shape, given: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Log likelihood ratios for one shape, and the weights of the times if the evidence is given and not NaN."""
        plain, whitened = (correlate(spectra, shape.spectrum, weight) for weight in (by_sample, by_power))
        mean_square = (np.abs(spectra) ** 2 @ by_sample).real
        logs = np.empty(len(spectra))
        scale = (shape.unit, shape.square, shape.whitened)
        gather_all(plain, whitened, mean_square, *scale, *nodes, given, weights, logs)
        return logs

    def fill(_: int, events: slice) -> None:
        spectra = scipy.fft.rfft(traces[events])[:, IN_BAND]
        unknown, unused = np.full(len(spectra), np.nan), np.empty((len(spectra), 0))
        logs = [math.log(shape.share) + sums(spectra, shape, unknown, unused) for shape in prepared]
        evidence[events] = np.logaddexp.reduce(logs)
        if not mean:
            return
        expected = np.zeros((len(spectra), len(FREQUENCIES)), complex)
        for shape in prepared:
            weights = np.zeros((len(spectra), GRID * SAMPLES))
            sums(spectra, shape, evidence[events], weights[:, FIRST:LAST])
            # the pulse at every time with its weight: a product of spectra
            placed = scipy.fft.rfft(weights)[:, IN_BAND] * HALF_STEP.conj()
            expected[:, IN_BAND] += shape.share / (2.0 * (LAST - FIRST)) * placed * shape.spectrum
        means[events] = scipy.fft.irfft(expected, SAMPLES)

    fill_blocks(fill, len(traces), block=BLOCK, title="radio likelihood")
    return evidence, means
