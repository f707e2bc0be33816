"""Radio pulses of air showers in the noise of the Galaxy and of transmitters.

The electrons and positrons of an air shower drift apart in the magnetic field of the Earth and collect a negative
excess on their way; both make a radio pulse of some nanoseconds. An antenna for 30 to 80 MHz stretches it, and records
500 samples at 180 MHz. Used in chapter 9 (is there a pulse?), chapter 17 (what did it look like?) and chapter 21.

The ratio of peak to noise does not say how visible a pulse is: its energy does (`pulse_energy`), and that grows with
the spread of the antenna's group delay. For the recognition stand here the *limit* (`log_likelihood_ratio`, which knows
all distributions but neither time, shape nor sign of the pulse) and a *baseline* (`matched_filter`); for removing
the noise the *limit* of the mean squared error (`posterior_mean`) and a *baseline* (`wiener_filter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Unpack

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count
from dlphys.simulators import _radio_likelihood as likelihood
from dlphys.simulators._radio_kernels import draw_noise, draw_pulses, scale_and_add
from dlphys.simulators._radio_setting import (
    BAND,
    CHARGE_EXCESS_DELAY,
    FREQUENCIES,
    IN_BAND,
    LOW,
    PULSE_TIMES,
    RFI_FREQUENCIES,
    SAMPLES,
    SAMPLING,
    SLOPE_RISE,
    Settings,
    antenna_response,
    checked,
    emission_spectrum,
    noise_spectrum,
)
from dlphys.simulators._sample import Sample

__all__ = [
    "BAND",
    "FREQUENCIES",
    "PULSE_TIMES",
    "RFI_FREQUENCIES",
    "SAMPLES",
    "SAMPLING",
    "RadioTraces",
    "antenna_response",
    "emission_spectrum",
    "log_likelihood_ratio",
    "log_likelihood_ratio_plain",
    "matched_filter",
    "noise_spectrum",
    "posterior_mean",
    "pulse_energy",
    "pulses",
    "simulate",
    "wiener_filter",
]

BLOCK = 128  # traces
NOISE, PULSE = range(2)


@dataclass(frozen=True, repr=False)
class RadioTraces(Sample):
    """Simulated traces; the first axis of every array is the trace.

    Attributes
    ----------
    traces : array, (n, 500), float32, mV
        Pulse and noise, at 180 MHz.
    signals : array, (n, 500), float32, mV
        The pulse without noise; zeros where there is none.
    label : array, (n,), int8
        1 with a pulse, 0 without; the same as ``signals.std(axis=1) != 0``.
    snr : array, (n,), float32
        Largest |signal| over the root mean square of the noise in the same trace; 0 without a pulse.
    time : array, (n,), float32, us
        When the pulse arrives, after the start of the trace; NaN without a pulse.
    polarity : array, (n,), int8
        1 or -1; 0 without a pulse.
    ring_distance : array, (n,), float32, m
        From the Cherenkov ring; NaN without a pulse.
    charge_excess : array, (n,), float32
        Its part along the antenna, relative to the geomagnetic emission; NaN without a pulse.
    """

    units: ClassVar = {
        "traces": "mV",
        "signals": "mV",
        "label": "",
        "snr": "",
        "time": "us",
        "polarity": "",
        "ring_distance": "m",
        "charge_excess": "",
    }

    traces: np.ndarray
    signals: np.ndarray
    label: np.ndarray
    snr: np.ndarray
    time: np.ndarray
    polarity: np.ndarray
    ring_distance: np.ndarray
    charge_excess: np.ndarray


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    snr: float | Sequence[float] | None = None,
    delay_spread: float | None = None,
    antenna: str | None = None,
    noise: str | None = None,
    noise_rms: float | None = None,
    rfi: float | None = None,
    ring_distance: float | Sequence[float] | None = None,
    charge_excess: float | None = None,
    pulse_share: float | None = None,
) -> RadioTraces:
    """Draw traces of an antenna, with and without the pulse of an air shower.

    Two presets, and every keyword that is given replaces the preset's value:

    - ``"book"`` has the size and the difficulty of the book's set: noise that is white in the band, pulses of twice its
      RMS, an antenna whose group delay spreads over 370 ns.
    - ``"physics"`` has the noise of the Galaxy with transmitters in it, a log-periodic antenna with a spread of 100 ns,
      and signal-to-noise ratios from 2 to 6.

    Parameters
    ----------
    n : int
        Number of traces.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    snr : float or (low, high)
        Largest |signal| over the root mean square of the noise, in each trace exactly; uniform in a range.
        Book: 2; physics: (2, 6).
    delay_spread : float, ns
        As in `antenna_response`. Book: 370; physics: 100.
    antenna : {"linear", "log-periodic"}
        As in `antenna_response`. Book: linear; physics: log-periodic.
    noise : {"white", "galactic"}
        As in `noise_spectrum`. Book: white; physics: galactic.
    noise_rms : float, mV
        Default 0.1; a single trace deviates by 6 %.
    rfi : float
        Share of the noise power from transmitters, as in `noise_spectrum`. Book: 0; physics: 0.2.
    ring_distance : float or (low, high), m
        Distance of the antenna from the Cherenkov ring, uniform in a range. Default (0, 100).
    charge_excess : float
        Strength a of the charge-excess emission relative to the geomagnetic one, in [0, 0.9]. Default 0.14; along the
        antenna it counts with the cosine of a random angle.
    pulse_share : float
        Probability of a pulse. Default 0.5.

    Returns
    -------
    RadioTraces
        Frozen dataclass: traces, signals (n, 500) float32 mV, label (n,) int8, and what the pulse was.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The noise has Gaussian Fourier coefficients, independent and zero outside the band; the pulse arrives at a time that
    is uniform in [0.35, 2.4) us, on no grid, with either sign. Both are periodic in the trace, which makes the
    likelihood exact: what rings beyond one end, at most 8 % of the peak for the presets, enters again at the other.

    One seed gives the same bits for any number of threads, and the first traces do not depend on ``n``. The noise does
    not depend on the pulses. Needs 4 kB a trace and some megabytes more.

    Examples
    --------
    >>> sample = simulate(1000, seed=1)
    >>> sample.traces.shape
    (1000, 500)
    >>> noise = sample.traces - sample.signals
    >>> ratio = np.abs(sample.signals).max(1) / noise.std(1)
    >>> ratio[sample.label == 1][:3].round(4)
    array([2., 2., 2.], dtype=float32)
    """
    n = check_count(n=n)
    setting = checked(
        preset,
        snr=snr,
        delay_spread=delay_spread,
        antenna=antenna,
        noise=noise,
        noise_rms=noise_rms,
        rfi=rfi,
        ring_distance=ring_distance,
        charge_excess=charge_excess,
        pulse_share=pulse_share,
    )
    response = setting.antenna_response()
    deviation = np.sqrt(setting.noise_power() / 2.0)
    stream = Streams.of(seed)
    numbers = {"snr": np.float32, "time": np.float32, "ring_distance": np.float32, "charge_excess": np.float32}
    sample = RadioTraces(
        traces=np.empty((n, SAMPLES), np.float32),
        signals=np.empty((n, SAMPLES), np.float32),
        label=np.empty(n, np.int8),
        polarity=np.empty(n, np.int8),
        **{name: np.empty(n, kind) for name, kind in numbers.items()},
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        spectra = np.zeros((2, BLOCK, len(FREQUENCIES)), np.complex64)
        label, polarity = np.empty((2, BLOCK), np.int8)
        ratio, time, distance, excess = np.empty((4, BLOCK))
        draw_noise(spectra[0], deviation, LOW, stream(NOISE, block))
        draw_pulses(
            spectra[1],
            label,
            time,
            polarity,
            ratio,
            distance,
            excess,
            response,
            LOW,
            SAMPLING / SAMPLES,
            PULSE_TIMES,
            setting.snr,
            setting.ring_distance,
            setting.charge_excess,
            SLOPE_RISE,
            CHARGE_EXCESS_DELAY,
            setting.pulse_share,
            stream(PULSE, block),
        )
        # always whole blocks: the last bits of a transform depend on how many are done together
        noise_trace, pulse_trace = scipy.fft.irfft(spectra, SAMPLES, overwrite_x=True)
        scale_and_add(noise_trace, pulse_trace, polarity, ratio, sample.traces[events], sample.signals[events])
        sample.label[events], sample.polarity[events] = label[:m], polarity[:m]
        sample.snr[events], sample.time[events] = ratio[:m], time[:m]
        sample.ring_distance[events], sample.charge_excess[events] = distance[:m], excess[:m]

    fill_blocks(fill, n, block=BLOCK, title="radio traces")
    return sample


def pulses(
    time: ArrayLike,
    *,
    ring_distance: ArrayLike = 0.0,
    charge_excess: ArrayLike = 0.0,
    delay_spread: float = 370.0,
    antenna: str = "linear",
) -> np.ndarray:
    """Pulses without noise, with a largest |sample| of 1.

    Parameters
    ----------
    time : array, (n,), us
        Arrival times in [0, 2.78].
    ring_distance : float or array, (n,), m
    charge_excess : float or array, (n,)
        As in `emission_spectrum`.
    delay_spread : float, ns
    antenna : {"linear", "log-periodic"}
        As in `antenna_response`.

    Returns
    -------
    array, (n, 500), float64

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> trace = pulses([1.0], delay_spread=0.0)[0]
    >>> int(trace.argmax()), round(float(trace.max()), 6)
    (180, 1.0)
    """
    time = check_array(ndim=1, minimum=0.0, maximum=SAMPLES / SAMPLING, unit="us", time=time)
    frequency = FREQUENCIES[IN_BAND]
    distance = check_array(ndim=(0, 1), minimum=0.0, unit="m", ring_distance=ring_distance)
    excess = check_array(ndim=(0, 1), minimum=-1.0, maximum=1.0, charge_excess=charge_excess)
    for name, column in {"ring_distance": distance, "charge_excess": excess}.items():
        if column.ndim and len(column) != len(time):
            raise ValueError(f"{name} must be one number or one for each of the {len(time)} times, got {len(column)}")
    emitted = emission_spectrum(frequency, ring_distance=distance[..., None], charge_excess=excess[..., None])
    spectrum = emitted * antenna_response(frequency, delay_spread=delay_spread, antenna=antenna)
    traces = likelihood.shifted(spectrum, time)
    return traces / np.abs(traces).max(1, keepdims=True)


def pulse_energy(traces: ArrayLike) -> np.ndarray:
    """Sum of the squared samples of a pulse over the square of its largest: what makes it visible.

    Parameters
    ----------
    traces : array, (n, samples)
        Pulses without noise, in any unit.

    Returns
    -------
    array, (n,)
        1.80 = 500 / (2 * 139) for a pulse that is as short as the band allows and sits on a sample.

    Raises
    ------
    ValueError, TypeError
        If a trace is zero or the array has another shape.

    Notes
    -----
    In white noise a pulse of the signal-to-noise ratio s is separated from nothing by d^2 = s^2 (2 * 139 / 500)
    pulse_energy standard deviations squared, if its time and shape are known.

    Examples
    --------
    >>> float(pulse_energy(pulses([1.0], delay_spread=0.0))[0].round(3))
    1.799
    """
    array = check_array(ndim=2, traces=traces)
    peak = np.abs(array).max(1)
    if (peak == 0.0).any():
        raise ValueError(f"traces must hold a pulse each, got {np.count_nonzero(peak == 0.0)} that are zero")
    return (array**2).sum(1) / peak**2


def matched_filter(traces: ArrayLike, **settings: Unpack[Settings]) -> np.ndarray:
    """Largest |output| of the matched filter: the baseline without machine learning.

    The trace is compared with the mean pulse (middle of the range of ring distances, no charge excess) at all times, in
    noise of the known spectrum: z(t) = sum_k Re(X_k conj(P_k(t))) / S_k / sqrt(sum_k |P_k|^2 / (2 S_k)).

    Parameters
    ----------
    traces : array, (n, 500), mV
    **settings
        The physics keywords of `simulate`, with the values of the simulation.

    Returns
    -------
    array, (n,)
        max over t of |z(t)| in standard deviations of the noise. A pulse is claimed above a threshold, which
        training traces fix: about 4.6 on the book's.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> sample = simulate(2000, seed=1)
    >>> found = matched_filter(sample.traces) > 4.6
    >>> bool((found == sample.label).mean() > 0.97)
    True
    """
    array, setting = _traces(traces), checked(**settings)
    spectrum = likelihood.template(setting, float(np.mean(setting.ring_distance)), 0.0)
    power = setting.noise_power()
    norm = np.sqrt((np.abs(spectrum) ** 2 / (2.0 * power)).sum())
    largest = np.empty(len(array))

    def fill(_: int, events: slice) -> None:
        spectra = scipy.fft.rfft(array[events])[:, IN_BAND]
        largest[events] = np.abs(likelihood.correlate(spectra, spectrum, 1.0 / power)).max(1) / norm

    fill_blocks(fill, len(array), block=likelihood.BLOCK, title="matched filter")
    return largest


def log_likelihood_ratio(traces: ArrayLike, **settings: Unpack[Settings]) -> np.ndarray:
    """log p(trace | pulse) / p(trace | noise), the limit: no method tells the two apart better on average.

    The likelihood with a pulse is the mean over its time, shape, sign and signal-to-noise ratio as `simulate` draws
    them; all else is known. The best classifier says "pulse" above log((1 - pulse_share) / pulse_share).

    Parameters
    ----------
    traces : array, (n, 500), mV
    **settings
        The physics keywords of `simulate`, with the values of the simulation.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or the signal-to-noise ratio so large that it would exceed that of the pulse
        alone (about 4 for the book's pulses, 8 for those of the physics preset).

    Notes
    -----
    Since the amplitude is a multiple of the noise of the same trace, it follows from trace and pulse by a quadratic
    equation, and the likelihood holds a Jacobian. The sum over times is exact to some parts in a thousand of the ratio
    (eight times to a sample, from one Fourier transform); `log_likelihood_ratio_plain` is the readable version.

    Examples
    --------
    >>> sample = simulate(500, seed=1)
    >>> found = log_likelihood_ratio(sample.traces) > 0.0
    >>> bool((found == sample.label).mean() > 0.97)
    True
    """
    return likelihood.evaluate(_traces(traces), checked(**settings), mean=False)[0]


def log_likelihood_ratio_plain(traces: ArrayLike, **settings: Unpack[Settings]) -> np.ndarray:
    """The same as `log_likelihood_ratio`, term by term: 0.1 s a trace.

    Parameters
    ----------
    traces : array, (n, 500), mV
    **settings
        The physics keywords of `simulate`.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> sample = simulate(1, seed=1, pulse_share=1.0)
    >>> bool(abs(log_likelihood_ratio_plain(sample.traces) - log_likelihood_ratio(sample.traces))[0] < 1e-6)
    True
    """
    setting = checked(**settings)
    likelihood.prepare(setting)  # refuses settings for which the amplitude is not unique
    noise_power = setting.noise_power()
    terms, shares = [], []
    array = _traces(traces)
    for x in array:
        X = scipy.fft.rfft(x)[IN_BAND]
        for share, distance, excess in likelihood.shapes(setting):
            p = pulses(
                likelihood.grid_times(),
                ring_distance=distance,
                charge_excess=excess,
                delay_spread=setting.delay_spread,
                antenna=setting.antenna,
            )
            P = scipy.fft.rfft(p)[:, IN_BAND]
            for snr, probability in zip(*likelihood.ratios(setting), strict=True):
                for sign in (1, -1):
                    # rms(x - A p) = A / snr is a quadratic equation for the amplitude A
                    a, b, c = 1 / snr**2 - (p**2).mean(1), (sign * p * x).mean(1), -(x**2).mean()
                    A = (-b + np.sqrt(b**2 - a * c)) / a
                    residual = np.abs(X - sign * A[:, None] * P) ** 2
                    log_ratio = ((np.abs(X) ** 2 - residual) / noise_power).sum(1)
                    noise = x - sign * A[:, None] * p
                    jacobian = 1 + snr**2 * (noise * sign * p).mean(1) / A
                    terms.append(log_ratio - np.log(jacobian))
                    shares.append(share * probability / (2 * len(p)))
    log_terms = np.reshape(terms, (len(array), -1, len(likelihood.grid_times())))
    weights = np.reshape(shares, (len(array), -1, 1))
    largest = log_terms.max((1, 2))
    return largest + np.log((weights * np.exp(log_terms - largest[:, None, None])).sum((1, 2)))


def posterior_mean(traces: ArrayLike, **settings: Unpack[Settings]) -> np.ndarray:
    """Mean of the pulse over all that it can be, given the trace: the limit of the mean squared error.

    Parameters
    ----------
    traces : array, (n, 500), mV
    **settings
        The physics keywords of `simulate`, with the values of the simulation.

    Returns
    -------
    array, (n, 500), mV

    Raises
    ------
    ValueError, TypeError
        As `log_likelihood_ratio`.

    Notes
    -----
    E[signal | trace] minimises the mean squared error of any function of the trace. A trace that may hold no pulse
    counts with its posterior probability of one.

    Examples
    --------
    >>> sample = simulate(300, seed=1, pulse_share=1.0)
    >>> error = ((posterior_mean(sample.traces, pulse_share=1.0) - sample.signals) ** 2).mean()
    >>> bool(error < 0.5 * (sample.signals**2).mean())
    True
    """
    setting = checked(**settings)
    evidence, means = likelihood.evaluate(_traces(traces), setting, mean=True)
    if setting.pulse_share < 1.0:
        with np.errstate(divide="ignore", over="ignore"):
            odds = setting.pulse_share / (1.0 - setting.pulse_share) * np.exp(evidence)
            means *= (1.0 / (1.0 + 1.0 / odds))[:, None]
    return means


def wiener_filter(traces: ArrayLike, **settings: Unpack[Settings]) -> np.ndarray:
    """Remove the noise with the Wiener filter, the best linear one for pulses at any time: the baseline.

    Each Fourier coefficient is multiplied by P_k / (P_k + S_k), mean powers of pulses and noise. Pulses at random times
    have no phases in common, so a linear filter can do no more than weigh frequencies.

    Parameters
    ----------
    traces : array, (n, 500), mV
    **settings
        The physics keywords of `simulate`, with the values of the simulation.

    Returns
    -------
    array, (n, 500), mV

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series (1949); in the language of
    information field theory, m = (S^-1 + N^-1)^-1 N^-1 d with both covariances diagonal in frequency.

    Examples
    --------
    >>> sample = simulate(300, seed=1, pulse_share=1.0)
    >>> error = ((wiener_filter(sample.traces, pulse_share=1.0) - sample.signals) ** 2).mean()
    >>> bool(error < (sample.signals**2).mean())
    True
    """
    array, setting = _traces(traces), checked(**settings)
    power = setting.noise_power()
    ratio, shares = likelihood.ratios(setting)
    amplitude_square = (shares * ratio**2).sum() * setting.noise_rms**2
    pulse_power = np.zeros(len(power))
    for share, distance, excess in likelihood.shapes(setting):
        spectrum = likelihood.template(setting, distance, excess)
        pulse_power += share * (likelihood.scales(spectrum) ** 2).mean() * np.abs(spectrum) ** 2
    pulse_power *= setting.pulse_share * amplitude_square
    spectra = scipy.fft.rfft(array)
    filtered = np.zeros_like(spectra)
    filtered[:, IN_BAND] = spectra[:, IN_BAND] * pulse_power / (pulse_power + power)
    return scipy.fft.irfft(filtered, SAMPLES)


def _traces(traces: ArrayLike) -> np.ndarray:
    return check_array(shape=(None, SAMPLES), unit="mV", traces=traces)
