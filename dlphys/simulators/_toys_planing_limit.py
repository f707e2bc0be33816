"""How accurate a selection can be that shapes the mass of the table of exercise 13.1 by a given amount: the limit.

At a given mass m the best selection cuts on the likelihood ratio of the other features, whose logarithm is normal with
the variance D^2 and the mean +- D^2 / 2 in signal and background (`planing_flat_log_ratio`). So a selection is a share
e(m) of the background that it keeps, and the most accurate one under a bound on the Jensen-Shannon divergence is a
convex problem in e(m).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import root
from scipy.special import ndtr

from dlphys._validation import check_array, shown
from dlphys.simulators._toys_planing import CORRELATIONS, LOWEST, PEAK, PEAK_WIDTH, SCALE, SHIFTS

CELL, HIGHEST = 0.25, 500.0  # GeV: cells fine enough for the ratio of the masses to be constant in one
DISTANCE = float(np.sqrt((SHIFTS**2 / (1.0 - CORRELATIONS**2)).sum()))  # D


def planing_tradeoff(edges: ArrayLike, prices: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Largest accuracy of any selection of signal against how much it shapes the mass of the background: a limit.

    Parameters
    ----------
    edges : array, (k,), GeV
        Boundaries of the k + 1 bins of the mass in which the shapes are compared, rising, above 50 GeV and up to
        490 GeV: the first bin ends at the first one, the last bin has no end.
    prices : array, (m,)
        Accuracy that is given up for a nat less of divergence, at least 0; each price gives a point of the curve. Zero
        is the likelihood ratio of all features.

    Returns
    -------
    divergence : array, (m,), bit
        Jensen-Shannon divergence between the mass of all background and of the selected background, in these bins.
    accuracy : array, (m,)
        Share of right decisions, with as much signal as background.

    Raises
    ------
    ValueError, TypeError
        If the edges do not rise or lie outside, or a price is negative.

    Notes
    -----
    With p and q the shares of all and of the selected background in a bin, the divergence has the derivative
    g = ln(2 q / (p + q)) / 2 by q. At the optimum the last event kept in a bin has the likelihood ratio
    1 + 2 price (g - <g>_q) / e, where e is the share kept of the whole background. So only two numbers, e and <g>_q,
    remain to be found. The set of all selections with a divergence up to a bound is convex, and the accuracy is
    concave in them, so there is no second optimum.

    Examples
    --------
    >>> divergence, accuracy = planing_tradeoff(np.arange(60, 310, 10), [0.0, 0.3, 10.0])
    >>> divergence.round(3), accuracy.round(3)
    (array([0.35 , 0.091, 0.001]), array([0.864, 0.845, 0.785]))
    """
    edges = check_array(ndim=1, minimum=LOWEST + CELL, maximum=HIGHEST - 10.0, unit="GeV", edges=edges)
    if not (np.diff(edges) > 0).all():
        raise ValueError(f"edges must rise, got {shown(edges)}")
    prices = check_array(ndim=1, minimum=0.0, prices=prices)
    masses = np.concatenate([np.arange(LOWEST, HIGHEST, CELL), [np.inf]])
    background = -np.diff(np.exp(-(masses - LOWEST) / SCALE))
    signal = np.diff(ndtr((masses - PEAK) / PEAK_WIDTH)) / ndtr((PEAK - LOWEST) / PEAK_WIDTH)
    ratio = np.log(np.maximum(signal, 1e-300) / background)
    bins = np.digitize(masses[:-1] + CELL / 2, edges)
    shares = np.bincount(bins, background)

    def inside(ratio_of_last: np.ndarray) -> np.ndarray:
        """Kept share of the background in every bin, for the log likelihood ratio of the last event kept there."""
        return np.bincount(bins, background * ndtr((ratio - ratio_of_last[bins]) / DISTANCE - DISTANCE / 2)) / shares

    def solved(price: float, kept: float, mean: float) -> np.ndarray:
        """Log likelihood ratio of the last event kept in every bin: a logarithm, as the tail has hardly any signal."""
        low, high = np.full(len(shares), -800.0), np.full(len(shares), 50.0)
        for _ in range(60):
            middle = (low + high) / 2
            slope = _slope(np.log(np.maximum(inside(middle), 1e-300) / kept))
            low, high = np.where(
                np.exp(middle) < 1.0 + 2.0 * price / kept * (slope - mean), (middle, high), (low, middle)
            )
        return (low + high) / 2

    def off(unknown: np.ndarray, price: float) -> list[float]:
        kept, mean = np.exp(unknown[0]), unknown[1]
        relative = np.log(np.maximum(inside(solved(price, kept, mean)), 1e-300) / kept)
        selected = shares * np.exp(relative)
        return [selected.sum() - 1.0, selected @ _slope(relative) - mean]

    found = np.empty((2, len(prices)))
    start = np.array([np.log(0.16), 0.1])
    reached = 0.01
    for i in np.argsort(prices):  # the answer for one price is the start for the next, at most twice as high
        while reached < prices[i]:
            reached = min(2.0 * reached, prices[i])
            start = root(off, start, args=(reached,), tol=1e-9).x
        start = root(off, start, args=(prices[i],), tol=1e-9).x
        last = solved(prices[i], np.exp(start[0]), start[1])
        relative = np.log(np.maximum(inside(last), 1e-300) / (shares @ inside(last)))
        divergence = np.log(2.0) - np.logaddexp(0.0, relative) + 2.0 * np.exp(relative) * _slope(relative)
        caught = signal @ ndtr((ratio - last[bins]) / DISTANCE + DISTANCE / 2)
        found[0, i] = shares @ divergence / (2.0 * np.log(2.0))
        found[1, i] = 0.5 * (caught + 1.0 - shares @ inside(last))
    return found[0], found[1]


def _slope(relative: np.ndarray) -> np.ndarray:
    """Derivative of the divergence, in nats, by a bin's share of the selected background: ln(2 q / (p + q)) / 2."""
    return np.asarray(0.5 * (np.log(2.0) + relative - np.logaddexp(0.0, relative)))
