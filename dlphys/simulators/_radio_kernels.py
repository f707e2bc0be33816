"""Compiled loops over radio traces: their spectra, the scale of the pulses, and sums over unknown times."""

from __future__ import annotations

import math

import numpy as np

from dlphys._numba import compiled

TWO_PI = 2.0 * math.pi


@compiled(nogil=True)
def draw_noise(spectrum: np.ndarray, deviation: np.ndarray, low: int, random: np.random.Generator) -> None:
    """Independent Gaussian real and imaginary parts in the band, so Rayleigh amplitudes and random phases.

    Parameters
    ----------
    spectrum : array, (n, 251), complex64
        Written in the band only.
    deviation : array, (bins,)
        Standard deviation of each of the two parts.
    low : int
        First bin of the band.
    """
    for i in range(spectrum.shape[0]):
        for k in range(deviation.shape[0]):
            real = deviation[k] * random.standard_normal()
            spectrum[i, low + k] = complex(real, deviation[k] * random.standard_normal())


@compiled(nogil=True)
def draw_pulses(
    spectrum: np.ndarray,
    label: np.ndarray,
    time: np.ndarray,
    polarity: np.ndarray,
    snr: np.ndarray,
    ring_distance: np.ndarray,
    excess: np.ndarray,
    antenna: np.ndarray,
    low: int,
    step: float,
    times: tuple[float, float],
    ratios: tuple[float, float],
    distances: tuple[float, float],
    charge_excess: float,
    slope_rise: float,
    delay: float,
    share: float,
    random: np.random.Generator,
) -> None:
    """What belongs to the pulse of each trace, and its spectrum; traces without a pulse get NaN and zeros.

    Parameters
    ----------
    spectrum : array, (n, 251), complex64
        Written in the band only; the scale is arbitrary.
    label, polarity : array, (n,), int8
    time, snr, ring_distance, excess : array, (n,)
        Written: us, peak over noise, m, charge excess along the antenna.
    antenna : array, (bins,), complex128
    step : float, MHz
        Between two frequencies.
    """
    for i in range(spectrum.shape[0]):
        # always seven numbers, so that a trace does not depend on what the others are
        label[i] = 1 if random.random() < share else 0
        time[i] = times[0] + (times[1] - times[0]) * random.random()
        polarity[i] = 1 if random.random() < 0.5 else -1
        snr[i] = ratios[0] + (ratios[1] - ratios[0]) * random.random()
        ring_distance[i] = distances[0] + (distances[1] - distances[0]) * random.random()
        excess[i] = charge_excess * math.cos(TWO_PI * random.random())
        if label[i] == 0:
            time[i] = ring_distance[i] = excess[i] = math.nan
            polarity[i] = 0
            snr[i] = 0.0
            for k in range(antenna.shape[0]):
                spectrum[i, low + k] = 0.0
            continue
        # exp(-b f), exp(-2 pi i f t) and exp(-2 pi i f delay): each is multiplied on from bin to bin
        b = slope_rise * ring_distance[i]
        first = low * step
        angle, lag = TWO_PI * time[i], TWO_PI * delay
        here = math.exp(-b * first) * complex(math.cos(angle * first), -math.sin(angle * first))
        turn = math.exp(-b * step) * complex(math.cos(angle * step), -math.sin(angle * step))
        late = excess[i] * complex(math.cos(lag * first), -math.sin(lag * first))
        late_turn = complex(math.cos(lag * step), -math.sin(lag * step))
        for k in range(antenna.shape[0]):
            spectrum[i, low + k] = antenna[k] * here * (1.0 + late)
            here *= turn
            late *= late_turn


@compiled(nogil=True)
def scale_and_add(
    noise: np.ndarray, pulse: np.ndarray, polarity: np.ndarray, snr: np.ndarray, traces: np.ndarray, signals: np.ndarray
) -> None:
    """Scale each pulse so that its largest sample is ``snr`` times the RMS of the noise of its trace; add the two."""
    samples = noise.shape[1]
    for i in range(traces.shape[0]):
        peak = 0.0
        square = 0.0
        for j in range(samples):
            peak = max(peak, abs(float(pulse[i, j])))
            square += float(noise[i, j]) ** 2
        scale = polarity[i] * snr[i] * math.sqrt(square / samples) / peak if polarity[i] != 0 else 0.0
        for j in range(samples):
            signals[i, j] = scale * pulse[i, j]
            traces[i, j] = noise[i, j] + signals[i, j]


@compiled(nogil=True)
def gather(
    correlation: np.ndarray,
    whitened: np.ndarray,
    mean_square: float,
    unit: np.ndarray,
    unit_square: np.ndarray,
    unit_whitened: np.ndarray,
    ratios: np.ndarray,
    shares: np.ndarray,
    evidence: float,
    weights: np.ndarray,
) -> float:
    """Log of the likelihood ratio of one trace, averaged over time, polarity and signal-to-noise ratio.

    Parameters
    ----------
    correlation, whitened : array, (times,)
        Mean of trace times pulse, and sum over the bins of their product over the noise power, for a pulse of the
        scale of the spectrum; times are one after the other on a grid of 1 / len(unit) samples.
    mean_square : float
        Mean square of the trace.
    unit, unit_square, unit_whitened : array, (grid,)
        For each position between two samples: the factor that makes the pulse's largest sample 1, and with it the
        pulse's mean square and its sum of |spectrum|^2 over the noise power.
    ratios, shares : array, (nodes,)
        Rising signal-to-noise ratios and their prior probabilities.
    evidence : float
        Terms below exp(evidence - 40) are left out; NaN: relative to the largest term so far.
    weights : array, (times,)
        If not empty: the mean amplitude of the pulse times exp(-evidence) is added, with its sign.

    Returns
    -------
    float
        log of the sum over all times, divided by their number.

    Notes
    -----
    If the pulse has the amplitude A p with A = s rms(n), and x = n + A p, then rms(n)^2 = x^2 - 2 A C + A^2 P gives
    A, and the Jacobian of n -> x at fixed pulse is |1 + s^2 (C - A P) / A| = s^2 sqrt(C^2 + (1/s^2 - P) x^2) / A.
    """
    best = -math.inf
    total = 0.0
    keep = weights.shape[0] > 0
    for t in range(correlation.shape[0]):
        j = t % unit.shape[0]
        scale = unit[j]
        square, norm = unit_square[j], unit_whitened[j]
        c, w = scale * correlation[t], scale * whitened[t]
        for sign in (1.0, -1.0):
            for q in range(ratios.shape[0]):
                g = 1.0 / ratios[q] ** 2 - square
                root = math.sqrt(c * c + g * mean_square)
                # the positive solution of g A^2 + 2 C A - x^2 = 0, without loss of digits for either sign of C
                amplitude = mean_square / (root + sign * c) if sign * c > 0.0 else (root - sign * c) / g
                exponent = amplitude * (2.0 * sign * w - amplitude * norm)
                reference = best if math.isnan(evidence) else evidence
                if exponent < reference - 40.0:
                    if amplitude * norm > sign * w:
                        break  # larger ratios are farther from the best amplitude
                    continue
                jacobian = ratios[q] ** 2 * root / amplitude
                if math.isnan(evidence):
                    if exponent > best:
                        total *= math.exp(best - exponent)
                        best = exponent
                    total += shares[q] * math.exp(exponent - best) / jacobian
                else:
                    part = shares[q] * math.exp(exponent - evidence) / jacobian
                    total += part
                    if keep:
                        weights[t] += sign * amplitude * scale * part
    if not math.isnan(evidence):
        best = evidence
    # the two polarities are equally likely
    return best + math.log(total / (2.0 * correlation.shape[0])) if total > 0.0 else -math.inf


@compiled(nogil=True)
def gather_all(
    correlation: np.ndarray,
    whitened: np.ndarray,
    mean_square: np.ndarray,
    unit: np.ndarray,
    unit_square: np.ndarray,
    unit_whitened: np.ndarray,
    ratios: np.ndarray,
    shares: np.ndarray,
    evidence: np.ndarray,
    weights: np.ndarray,
    result: np.ndarray,
) -> None:
    """`gather` for a block of traces: arrays with a first axis of traces, ``result`` (n,) is written."""
    for i in range(result.shape[0]):
        result[i] = gather(
            correlation[i],
            whitened[i],
            mean_square[i],
            unit,
            unit_square,
            unit_whitened,
            ratios,
            shares,
            evidence[i],
            weights[i],
        )
