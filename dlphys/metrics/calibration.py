"""Whether a stated probability or uncertainty is what it says: reliability, temperature, coverage and pulls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtri, softmax

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.metrics.scores import accuracy_with_error, mean_with_error

__all__ = ["Pulls", "Reliability", "coverage", "pulls", "reliability", "temperature_scaling"]

ONE_SIGMA = 0.682689492137086  # the probability inside one standard deviation of a Gaussian


def temperature_scaling(logits: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """The temperature T by which logits must be divided so that softmax(logits / T) fits the labels best.

    T > 1: the network is too sure of itself; T < 1: too careful. The order of the classes, and so the accuracy, stays.

    Parameters
    ----------
    logits : array, (n, classes), or (n,) or (n, 1) for two classes
        What enters the softmax (or the sigmoid), of events that the network was not trained on.
    labels : array of int, (n,) or (n, 1)
        Number of the true class, from 0.

    Returns
    -------
    value, error : float

    Raises
    ------
    ValueError, TypeError
        If the lengths differ, a label is no class, every event has its largest logit at the true class (T would be 0),
        or the logits are no better than chance (T would be infinite).

    Notes
    -----
    Maximum likelihood in 1/T, where the cross-entropy is convex: the root of sum_i (<z>_i - z_i,true), the mean taken
    with softmax(z_i / T). The error follows from the curvature, 1 / sqrt(sum_i Var_i(z)) for 1/T. C. Guo et al.,
    arXiv:1706.04599.

    Examples
    --------
    >>> logits = np.log([[0.9, 0.1]] * 10)
    >>> labels = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    >>> value, error = temperature_scaling(logits, labels)
    >>> softmax(logits / value, axis=1)[0].round(3), f"T = {value:.1f} +- {error:.1f}"
    (array([0.7, 0.3]), 'T = 2.6 +- 2.1')
    """
    z = check_array(ndim=(1, 2), logits=logits)
    if z.ndim == 1 or z.shape[1] == 1:
        z = np.stack([np.zeros(len(z)), z.ravel()], axis=1)
    true = z[np.arange(len(z)), _classes(labels, *z.shape)]
    z, true = z - z.max(axis=1, keepdims=True), true - z.max(axis=1)
    if not (true < 0.0).any():
        raise ValueError("labels must differ from the largest logit at least once, got none wrong: T would be 0")
    if z.mean() >= true.mean():
        raise ValueError(
            "logits must be larger for the true class than for the others on average, got "
            f"{true.mean() - z.mean():g} above their mean: no temperature helps"
        )

    def excess(inverse: float) -> float:
        return float(((softmax(inverse * z, axis=1) * z).sum(axis=1) - true).mean())

    high = 1.0 / np.abs(z).max()
    while excess(high) < 0.0:
        high *= 2.0
    inverse = brentq(excess, 0.0, high, xtol=1e-14 * high, rtol=1e-12)
    p = softmax(inverse * z, axis=1)
    spread = (p * z**2).sum(axis=1) - (p * z).sum(axis=1) ** 2
    return float(1.0 / inverse), float(1.0 / (inverse**2 * np.sqrt(spread.sum())))


class Reliability(NamedTuple):
    """Stated probabilities against observed frequencies in bins, and the calibration error; without unit.

    Made by `reliability`. The arrays have one entry for each bin that holds events.
    """

    confidence: np.ndarray
    frequency: np.ndarray
    error: np.ndarray
    events: np.ndarray
    calibration_error: tuple[float, float]
    chance: float


def reliability(
    probabilities: ArrayLike,
    labels: ArrayLike,
    bins: int = 10,
    *,
    strategy: str = "uniform",
    seed: Seed = 0,
    resamples: int = 200,
) -> Reliability:
    """How often it is true what is said with probability p, and the expected calibration error.

    Parameters
    ----------
    probabilities : array, (n,) or (n, 1), or (n, classes)
        Of class 1 of two; or of all classes, of which the most probable one is judged.
    labels : array of int, (n,) or (n, 1)
        0 or 1; or the number of the true class.
    bins : int
    strategy : {"uniform", "quantile"}
        Bins of equal width in [0, 1], or with equal numbers of events.
    seed : int or numpy.random.Generator
        For the bootstrap of the error of the calibration error.
    resamples : int
        Number of bootstrap samples.

    Returns
    -------
    Reliability
        confidence: mean stated probability; frequency: share of events where it came true; error: of the frequency, as
        `accuracy_with_error` has it; events: their number in the bin (bins without any are left out).
        calibration_error: the mean of abs(frequency - confidence) over events, as (value, error); chance: what its
        value would be on average for a perfectly calibrated network with as many events, since it cannot be negative.

    Raises
    ------
    ValueError, TypeError
        If lengths differ, a probability is outside [0, 1], or a label is no class.

    Notes
    -----
    Compare the calibration error with ``chance``: below it, nothing has been seen. It depends on the binning, so state
    it. The bootstrap is shifted by the same chance, its spread is the error.

    Examples
    --------
    >>> stated = np.repeat([0.3, 0.8], 1000)
    >>> true = np.tile(np.arange(1000) < 300, 2)
    >>> result = reliability(stated, true, bins=10)
    >>> result.confidence.round(3), result.frequency, f"{result.calibration_error[0]:.2f}"
    (array([0.3, 0.8]), array([0.3, 0.3]), '0.25')
    """
    p = check_array(ndim=(1, 2), minimum=0.0, maximum=1.0, probabilities=probabilities)
    bins = check_count(bins=bins)
    check_choice(choices=("uniform", "quantile"), strategy=strategy)
    resamples = check_count(minimum=2, resamples=resamples)
    if p.ndim == 1 or p.shape[1] == 1:
        p = p.ravel()
        correct = _classes(labels, len(p), 2) == 1
    else:
        correct = _classes(labels, *p.shape) == p.argmax(axis=1)
        p = p.max(axis=1)
    inner = (
        np.linspace(0.0, 1.0, bins + 1)[1:-1] if strategy == "uniform" else np.quantile(p, np.arange(1, bins) / bins)
    )
    filled, place = np.unique(np.searchsorted(inner, p, side="right"), return_inverse=True)
    # of every bin: events, stated probabilities, right answers; of a bootstrap sample the same with weights
    count, stated, right = (np.bincount(place, weights=weights) for weights in (None, p, correct.astype(float)))
    random = generator(seed)
    errors = np.empty(resamples)
    for i in range(resamples):
        drawn = random.integers(len(p), size=len(p))
        gaps = np.bincount(place[drawn], weights=correct[drawn] - p[drawn], minlength=len(filled))
        errors[i] = np.abs(gaps).sum() / len(p)
    scatter = np.bincount(place, weights=p * (1.0 - p))  # variance of the number of right answers, if calibrated
    error = [accuracy_with_error(np.arange(n) < k)[1] for n, k in zip(count, right, strict=True)]
    return Reliability(
        stated / count,
        right / count,
        np.array(error),
        count,
        (float(np.abs(right - stated).sum() / len(p)), float(errors.std(ddof=1))),
        float(np.sqrt(2.0 / np.pi * scatter).sum() / len(p)),
    )


def coverage(truth: ArrayLike, mean: ArrayLike, sigma: ArrayLike, level: float = ONE_SIGMA) -> tuple[float, float]:
    """Share of events whose truth lies in the central interval of probability ``level`` of a predicted Gaussian.

    Parameters
    ----------
    truth, mean, sigma : arrays, any same shape; ``sigma`` may be one number
        True value, predicted mean and standard deviation, in the same unit; sigma above 0.
    level : float, in (0, 1)
        Default: that of one standard deviation, 0.683.

    Returns
    -------
    value, error : float
        To be compared with ``level``: above it the stated uncertainties are too large, below too small.

    Raises
    ------
    ValueError, TypeError
        If shapes differ, a sigma is not above 0, or ``level`` is outside (0, 1).

    Examples
    --------
    >>> value, error = coverage(np.linspace(-2, 2, 101), np.zeros(101), 1.0)
    >>> f"{value:.2f} +- {error:.2f}"
    '0.50 +- 0.05'
    """
    deviation = _standardised(truth, mean, sigma)
    level = check_number(minimum=0.0, maximum=1.0, exclusive=True, level=level)
    return accuracy_with_error(np.abs(deviation) <= ndtri(0.5 + 0.5 * level))


class Pulls(NamedTuple):
    """Pulls and their first two moments with errors, all without unit. Made by `pulls`."""

    values: np.ndarray
    mean: tuple[float, float]
    width: tuple[float, float]


def pulls(truth: ArrayLike, mean: ArrayLike, sigma: ArrayLike) -> Pulls:
    """Pulls (truth - mean) / sigma: their mean is 0 and their width 1, if the predicted uncertainties are right.

    Parameters
    ----------
    truth, mean, sigma : arrays, any same shape; ``sigma`` may be one number
        True value, predicted mean and standard deviation, in the same unit; sigma above 0. At least four events.

    Returns
    -------
    Pulls
        values: the pulls, in the shape of ``truth``; mean and width (their standard deviation) as
        (value, error).

    Raises
    ------
    ValueError, TypeError
        If shapes differ, a sigma is not above 0, or there are fewer than four events.

    Notes
    -----
    The error of the width is that of a standard deviation, sqrt((kurtosis - 1) / (4 n)) of it, with the kurtosis (3 for
    a Gaussian) of the sample: pulls with tails have a less certain width.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> result = pulls(random.normal(5.0, 2.0, 10_000), np.full(10_000, 5.0), 1.0)
    >>> width, error = result.width
    >>> f"{width:.2f} +- {error:.2f}: sigma is half of what it should be"
    '2.00 +- 0.01: sigma is half of what it should be'
    """
    values = _standardised(truth, mean, sigma)
    if values.size < 4:
        raise ValueError(f"truth must hold at least 4 numbers, got {values.size}")
    width = float(values.std(ddof=1))
    kurtosis = np.mean((values - values.mean()) ** 4) / values.var() ** 2 if width > 0.0 else 1.0
    return Pulls(values, mean_with_error(values), (width, width * float(np.sqrt((kurtosis - 1.0) / (4 * values.size)))))


def _standardised(truth: ArrayLike, mean: ArrayLike, sigma: ArrayLike) -> np.ndarray:
    truth, mean = check_array(truth=truth), check_array(mean=mean)
    if truth.shape != mean.shape:
        raise ValueError(f"truth and mean must have the same shape, got {truth.shape} and {mean.shape}")
    sigma = check_array(sigma=sigma)
    if sigma.shape not in (truth.shape, ()):
        raise ValueError(f"sigma must be one number or have the shape of truth, {truth.shape}, got {sigma.shape}")
    if not sigma.min() > 0.0:
        raise ValueError(f"sigma must be above 0, got {sigma.min():g}")
    return (truth - mean) / sigma


def _classes(labels: ArrayLike, n: int, classes: int) -> np.ndarray:
    """Labels as whole numbers of shape (n,), each a class."""
    given = check_array(ndim=(1, 2), labels=labels)
    if given.shape not in ((n,), (n, 1)):
        raise ValueError(f"labels must have shape ({n},), got {given.shape}")
    check_array(minimum=0, maximum=classes - 1, labels=given)
    whole = given.ravel().astype(np.int64)
    if (whole != given.ravel()).any():
        raise ValueError(f"labels must be whole numbers, got {given.ravel()[whole != given.ravel()][0]:g}")
    return whole
