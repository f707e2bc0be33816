"""Numbers that judge a classification or a regression, each with its statistical error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, shown

__all__ = [
    "BinnedResolution",
    "accuracy_with_error",
    "area_under_roc",
    "correlation_with_error",
    "mean_with_error",
    "rayleigh_sigma",
    "resolution68",
    "resolution_in_bins",
]


def accuracy_with_error(correct: ArrayLike) -> tuple[float, float]:
    """Fraction of right answers.

    Parameters
    ----------
    correct : array of bool (or 0 and 1), any shape
        Whether each event was classified rightly, for example ``prediction == label``.

    Returns
    -------
    value, error : float

    Raises
    ------
    ValueError, TypeError
        If ``correct`` is empty or holds anything but truth values.

    Notes
    -----
    The usual error sqrt(a (1 - a) / n) is zero when all answers are right, as if nothing could be learnt from more
    events. The error here is the standard deviation of the posterior of the accuracy for a flat prior,
    sqrt((k + 1) (n - k + 1) / ((n + 2)^2 (n + 3))), with k right answers out of n: the same for large samples, and
    about 1 / n at the ends. The value is k / n. Ullrich and Xu, arXiv:physics/0701199.

    Examples
    --------
    >>> value, error = accuracy_with_error(np.arange(1000) < 973)
    >>> f"{value:.3f} +- {error:.3f}"
    '0.973 +- 0.005'
    """
    correct = check_array(correct=correct)
    if not np.isin(correct, (0.0, 1.0)).all():
        wrong = correct[~np.isin(correct, (0.0, 1.0))].flat[0]
        raise ValueError(f"correct must hold only True and False (or 1 and 0), got {wrong:g}")
    n, k = correct.size, correct.sum()
    return float(k / n), float(np.sqrt((k + 1) * (n - k + 1) / ((n + 2) ** 2 * (n + 3))))


def area_under_roc(score: ArrayLike, label: ArrayLike) -> tuple[float, float]:
    """Area under the ROC curve: the probability that an event of class 1 scores higher than one of class 0.

    Parameters
    ----------
    score : array, (n,)
        Any number that is larger for class 1; only the order counts.
    label : array, (n,)
        0 or 1; at least two of each.

    Returns
    -------
    value, error : float

    Raises
    ------
    ValueError, TypeError
        If the lengths differ, a score is not finite, or a class has fewer than two events.

    Notes
    -----
    All pairs are counted, ties as one half (Mann and Whitney 1947). For each event the share of the other class that
    it wins against is averaged; the error follows from the scatter of these shares in the two classes (E. DeLong,
    D. DeLong and D. Clarke-Pearson, Biometrics 44 (1988) 837).

    Examples
    --------
    >>> value, error = area_under_roc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> f"{value:.2f} +- {error:.2f}"
    '0.75 +- 0.35'
    """
    score = check_array(ndim=1, score=score)
    label = check_array(shape=(len(score),), label=label)
    if not np.isin(label, (0.0, 1.0)).all():
        wrong = label[~np.isin(label, (0.0, 1.0))].flat[0]
        raise ValueError(f"label must hold only 0 and 1, got {wrong:g}")
    low, high = np.sort(score[label == 0]), np.sort(score[label == 1])
    for name, events in (("0", low), ("1", high)):
        if len(events) < 2:
            raise ValueError(f"label must hold at least two events of class {name}, got {len(events)}")

    def wins(events: np.ndarray, others: np.ndarray) -> np.ndarray:
        below, up_to = (np.searchsorted(others, events, side) for side in ("left", "right"))
        return (below + up_to) / (2 * len(others))

    of_high, of_low = wins(high, low), wins(low, high)
    return float(of_high.mean()), float(np.sqrt(of_high.var(ddof=1) / len(high) + of_low.var(ddof=1) / len(low)))


def mean_with_error(x: ArrayLike) -> tuple[float, float]:
    """Mean of independent numbers; the error is s / sqrt(n) with s^2 the unbiased variance.

    Parameters
    ----------
    x : array, any shape, at least two numbers

    Returns
    -------
    value, error : float, unit of ``x``

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two numbers or one is not finite.

    Examples
    --------
    >>> mean_with_error([1.0, 2.0, 3.0, 4.0])
    (2.5, 0.6454972243679028)
    """
    x = check_array(x=x)
    _at_least(2, x=x)
    return float(x.mean()), float(x.std(ddof=1) / np.sqrt(x.size))


def rayleigh_sigma(distance: ArrayLike) -> tuple[float, float]:
    """Width of a Rayleigh distribution of distances in the plane, by maximum likelihood.

    If both coordinates of an error are Gaussian with the standard deviation sigma, the distance follows
    p(d) = d / sigma^2 exp(-d^2 / (2 sigma^2)), with mean sigma sqrt(pi / 2), median sigma sqrt(2 ln 2) and root mean
    square sigma sqrt(2).

    Parameters
    ----------
    distance : array, any shape, at least 0
        Distances between true and estimated positions.

    Returns
    -------
    value, error : float, unit of ``distance``

    Raises
    ------
    ValueError, TypeError
        If a distance is negative or not finite, or there is none.

    Notes
    -----
    The maximum is at sigma = sqrt(mean(d^2) / 2), with the error sigma / (2 sqrt(n)). A few large distances weigh
    heavily in it: where the distribution has a tail, a curve fitted to the peak of a histogram gives a smaller
    width, and neither is the mean distance (1.25 sigma). Say which of them a number is.

    Examples
    --------
    >>> value, error = rayleigh_sigma([0.05, 0.07, 0.09, 0.11])
    >>> round(value, 4), round(error, 4)
    (0.0587, 0.0147)
    """
    distance = check_array(minimum=0.0, distance=distance)
    sigma = np.sqrt((distance**2).mean() / 2.0)
    return float(sigma), float(sigma / (2.0 * np.sqrt(distance.size)))


def correlation_with_error(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Pearson's linear correlation coefficient of paired numbers.

    Parameters
    ----------
    a, b : arrays, (n,), at least four pairs

    Returns
    -------
    value, error : float
        In [-1, 1]; error (1 - r^2) / sqrt(n - 3).

    Raises
    ------
    ValueError, TypeError
        If the lengths differ, there are fewer than four pairs, or all numbers of one side are equal.

    Notes
    -----
    z = artanh(r) is nearly Gaussian with standard deviation 1 / sqrt(n - 3) for pairs from a two-dimensional normal
    distribution (Fisher 1921); the error is that one carried back to r. Close to -1 or 1 the distribution of r is
    lopsided, and an interval should be taken in z.

    Examples
    --------
    >>> value, error = correlation_with_error([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 3.0, 2.0, 5.0, 4.0])
    >>> round(value, 3), round(error, 3)
    (0.8, 0.255)
    """
    pair = check_array(ndim=1, a=a), check_array(ndim=1, b=b)
    n = len(pair[0])
    if n != len(pair[1]):
        raise ValueError(f"a and b must have the same length, got {n} and {len(pair[1])}")
    _at_least(4, a=pair[0])
    for name, x in zip("ab", pair, strict=True):
        if np.ptp(x) == 0.0:
            raise ValueError(f"{name} must hold different numbers, got {x[0]:g} in every entry: no correlation exists")
    # Scaled, so that very large or small numbers do not leave the range of float64 when squared.
    u, v = ((x - x.mean()) / np.ptp(x) for x in pair)
    r = np.clip((u @ v) / np.sqrt((u @ u) * (v @ v)), -1.0, 1.0)
    return float(r), float((1.0 - r**2) / np.sqrt(n - 3))


def resolution68(residual: ArrayLike, *, seed: Seed = 0, resamples: int = 1000) -> tuple[float, float]:
    """Resolution as the 68 % quantile: the smallest |residual| that at least 68 % of the events do not exceed.

    For angles or distances it is the radius that holds 68 % of the events. For signed residuals it contains the
    bias; subtract the mean first to get the spread alone (0.994 sigma for a Gaussian).

    Parameters
    ----------
    residual : array, any shape
    seed : int or numpy.random.Generator
        For the bootstrap of the error.
    resamples : int
        Number of bootstrap samples; the error itself is known to 1 / sqrt(2 resamples).

    Returns
    -------
    value, error : float, unit of ``residual``

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two residuals or one is not finite.

    Notes
    -----
    A few outliers hardly change it, unlike the standard deviation. The bootstrap (Efron 1979) needs no resampled
    data: the j-th smallest of n events drawn with replacement is the one whose rank is n times the j-th smallest of
    n uniform numbers, rounded down, and that is beta distributed.

    Examples
    --------
    >>> value, error = resolution68(np.linspace(-1.0, 1.0, 2001), seed=1)
    >>> f"{value:.2f} +- {error:.2f}"
    '0.68 +- 0.01'
    """
    residual = check_array(residual=residual)
    _at_least(2, residual=residual)
    resamples = check_count(minimum=2, resamples=resamples)
    ordered = np.sort(np.abs(residual), axis=None)
    n = ordered.size
    j = -(-68 * n // 100)  # in whole numbers, since 0.68 n may be rounded up past one
    ranks = np.floor(n * generator(seed).beta(j, n - j + 1, size=resamples)).astype(np.int64)
    return float(ordered[j - 1]), float(ordered[np.minimum(ranks, n - 1)].std(ddof=1))


class BinnedResolution(NamedTuple):
    """Bias and resolution of relative deviations in bins, with their errors; arrays (bins,), all without unit.

    Made by `resolution_in_bins`.
    """

    bias: np.ndarray
    bias_error: np.ndarray
    resolution: np.ndarray
    resolution_error: np.ndarray


def resolution_in_bins(
    estimate: ArrayLike, truth: ArrayLike, edges: ArrayLike, *, seed: Seed = 0, resamples: int = 200
) -> BinnedResolution:
    """Relative bias and resolution of an estimate, in bins of the true value.

    Of the relative deviations d = estimate / truth - 1 of the events in a bin, the bias is the mean and the resolution
    the standard deviation (with n - 1).

    Parameters
    ----------
    estimate, truth : arrays, (n,)
        In the same unit; the truth above 0.
    edges : array, (bins + 1,), increasing
        Events outside are left out; the last edge belongs to the last bin.
    seed : int or numpy.random.Generator
        For the bootstrap of the errors.
    resamples : int
        Number of bootstrap samples; the errors themselves are known to 1 / sqrt(2 resamples).

    Returns
    -------
    BinnedResolution
        bias, bias_error, resolution, resolution_error: arrays (bins,).

    Raises
    ------
    ValueError, TypeError
        If lengths differ, a truth is not above 0, the edges do not increase, or a bin holds fewer than two events.

    Notes
    -----
    The bootstrap (Efron 1979) draws as many events of a bin as there are, with replacement, and takes the spread of the
    results. Unlike sigma / sqrt(2 n) it holds for distributions with tails. In a wide bin a bias that changes with the
    true value widens the distribution: such a resolution holds for the spectrum of the sample.

    Examples
    --------
    >>> truth = np.linspace(1.0, 3.0, 401)
    >>> estimate = truth * (1.02 + 0.1 * np.sin(1000.0 * truth))
    >>> result = resolution_in_bins(estimate, truth, [1.0, 2.0, 3.0])
    >>> result.bias.round(2), result.resolution.round(2)
    (array([0.02, 0.02]), array([0.07, 0.07]))
    """
    estimates, truths = check_array(ndim=1, estimate=estimate), check_array(ndim=1, truth=truth)
    if len(estimates) != len(truths):
        raise ValueError(f"estimate and truth must have the same length, got {len(estimates)} and {len(truths)}")
    if not truths.min() > 0.0:
        raise ValueError(f"truth must be above 0, got {truths.min():g}")
    limits = check_array(ndim=1, edges=edges)
    _at_least(2, edges=limits)
    if not (np.diff(limits) > 0.0).all():
        raise ValueError(f"edges must increase, got {shown(limits.tolist())}")
    resamples = check_count(minimum=2, resamples=resamples)
    random = generator(seed)
    deviation = estimates / truths - 1.0
    place = np.where(truths == limits[-1], len(limits) - 2, np.searchsorted(limits, truths, side="right") - 1)
    columns = []
    for k in range(len(limits) - 1):
        inside = deviation[place == k]
        if len(inside) < 2:
            raise ValueError(f"every bin must hold at least 2 events, got {len(inside)} in bin {k} of edges")
        columns.append(_bias_and_resolution(inside, random, resamples))
    return BinnedResolution(*np.array(columns).T)


def _bias_and_resolution(deviation: np.ndarray, random: np.random.Generator, resamples: int) -> tuple[float, ...]:
    """Mean and standard deviation, each with its bootstrap error."""
    n = len(deviation)
    means, spreads = np.empty(resamples), np.empty(resamples)
    for i in range(resamples):
        drawn = deviation[random.integers(n, size=n)]
        means[i], spreads[i] = drawn.mean(), drawn.std(ddof=1)
    return float(deviation.mean()), float(means.std(ddof=1)), float(deviation.std(ddof=1)), float(spreads.std(ddof=1))


def _at_least(minimum: int, **argument: np.ndarray) -> None:
    ((name, array),) = argument.items()
    if array.size < minimum:
        raise ValueError(f"{name} must hold at least {minimum} numbers, got {array.size}")
