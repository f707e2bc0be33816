"""Dependence of two quantities, the difference of two histograms, and weights that make two classes alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_count, shown

__all__ = ["distance_correlation", "jensen_shannon", "planing_weights"]


def distance_correlation(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> tuple[float, float]:
    """Distance correlation of paired numbers: 0 only if x and y are independent, 1 for a line.

    Parameters
    ----------
    x, y : arrays, (n,), at least four pairs
    weights : array, (n,), at least 0, optional
        A weight for each pair. A weight of 2 is a pair that is there twice; weights of 0 leave out, for example the
        signal.

    Returns
    -------
    value, error : float
        In [0, 1].

    Raises
    ------
    ValueError, TypeError
        If lengths differ, a weight is negative, fewer than four pairs have a weight, or all numbers of one side are
        equal.

    Notes
    -----
    With a_ij = abs(x_i - x_j), b_ij = abs(y_i - y_j) and A, B the same after the means of rows and columns are taken
    off, dCov^2(x, y) = sum_ij w_i w_j A_ij B_ij with sum_i w_i = 1, and dCorr = dCov(x, y) / sqrt(dCov(x, x)
    dCov(y, y)) (G. Szekely, M. Rizzo and N. Bakirov, Ann. Statist. 35 (2007) 2769). The sums over pairs are taken
    after sorting, in O(n log^2 n) steps, and agree with the definition to rounding.

    The error comes from the change of dCorr with the weight of each pair (infinitesimal jackknife). For finite samples
    dCorr is above 0 also where x and y are independent, by an amount that falls as n^-1/2; there the error says little.
    The value with one side shuffled shows how much is chance.

    Examples
    --------
    >>> x = np.linspace(-1.0, 1.0, 201)
    >>> value, error = distance_correlation(x, x**2)
    >>> f"{value:.2f} +- {error:.2f}; Pearson {abs(np.corrcoef(x, x**2)[0, 1]):.2f}"
    '0.49 +- 0.02; Pearson 0.00'
    """
    x, y = check_array(ndim=1, x=x), check_array(ndim=1, y=y)
    if len(x) != len(y):
        raise ValueError(f"x and y must have the same length, got {len(x)} and {len(y)}")
    w = np.ones(len(x)) if weights is None else check_array(shape=(len(x),), minimum=0.0, weights=weights)
    used = w > 0.0
    if used.sum() < 4:
        raise ValueError(f"x must hold at least 4 numbers with a weight above 0, got {used.sum()}")
    x, y, w = x[used], y[used], w[used] / w[used].sum()
    for name, values in (("x", x), ("y", y)):
        if np.ptp(values) == 0.0:
            raise ValueError(f"{name} must hold different numbers, got {values[0]:g} in every entry")
    u, v = ((values - w @ values) / np.ptp(values) for values in (x, y))
    (xy, d_xy), (xx, d_xx), (yy, d_yy) = (_squared_covariance(a, b, w) for a, b in ((u, v), (u, u), (v, v)))
    square = max(xy, 0.0) / np.sqrt(xx * yy)
    # change of dCorr^2 = xy / sqrt(xx yy) with the logarithm of the weight of each pair
    change = w * (d_xy / np.sqrt(xx * yy) - 0.5 * square * (d_xx / xx + d_yy / yy))
    change -= w * change.sum()
    value = min(float(np.sqrt(square)), 1.0)
    error = float(np.sqrt((change**2).sum()))
    # where dCorr is near 0 its square is better known than itself
    return value, min(0.5 * error / value, float(np.sqrt(error))) if value > 0.0 else float(np.sqrt(error))


def _squared_covariance(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
    """dCov^2 = sum_ij w_i w_j a_ij b_ij - 2 sum_i w_i a_i b_i + a b, and its derivative by each weight.

    a_i = sum_j w_j a_ij and a = sum_i w_i a_i; the weights add up to 1.
    """
    a, b = _mean_distance(x, x, w), _mean_distance(y, y, w)
    ab = _mean_square(x, w) if x is y else _mean_product_of_distances(x, y, w)
    mean_a, mean_b = w @ a, w @ b
    value = w @ ab - 2.0 * w @ (a * b) + mean_a * mean_b
    slope = 2.0 * (ab - a * b + a * mean_b + b * mean_a)
    slope -= 2.0 * (_mean_distance(x, x, w * b) + _mean_distance(y, y, w * a))
    return float(value), slope


def _mean_distance(at: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """sum_j w_j abs(at_i - x_j) for every i."""
    order = np.argsort(x, kind="stable")
    below = np.concatenate([np.zeros((2, 1)), np.cumsum([w[order], (w * x)[order]], axis=1)], axis=1)
    number, total = below[:, np.searchsorted(x[order], at, side="right")]
    return at * (2.0 * number - below[0, -1]) + below[1, -1] - 2.0 * total


def _mean_square(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """sum_j w_j (x_i - x_j)^2 for every i."""
    return x**2 - 2.0 * x * (w @ x) + w @ x**2


def _mean_product_of_distances(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """sum_j w_j abs(x_i - x_j) abs(y_i - y_j) for every i, without a table of all pairs.

    A pair is concordant if the event with the larger x has the larger y: there the product of distances is the product
    of differences, elsewhere its negative. Events are sorted in x; like a merge sort in y, blocks of 1, 2, 4 ... events
    are joined, and each event collects the sums over those events of the other half that are concordant with it.
    """
    n = len(x)
    back = np.argsort(x, kind="stable")
    x, y, w = x[back], y[back], w[back]
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(y, kind="stable")] = np.arange(n)
    terms = np.stack([w, w * x, w * y, w * x * y])
    concordant = np.zeros((4, n))
    size = 1
    place = np.arange(n)
    while size < n:
        block = place // (2 * size)
        order = np.argsort(block * n + rank, kind="stable")
        left = (order // size) % 2 == 0
        # a left event is concordant with the right ones after it in y, a right event with the left ones before it
        before = np.cumsum(np.where(left, terms[:, order], 0.0), axis=1)
        after = np.cumsum(np.where(left, 0.0, terms[:, order]), axis=1)
        start = np.searchsorted(block, block, side="left")  # blocks stay in place: positions in x and in order agree
        stop = np.searchsorted(block, block, side="right") - 1
        offset = np.where(start > 0, before[:, start - 1], 0.0)
        concordant[:, order] += np.where(left, after[:, stop] - after, before - offset)
        size *= 2

    def product(number: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, of_xy: np.ndarray) -> np.ndarray:
        """sum_j w_j (x_i - x_j) (y_i - y_j) over the events in the sums."""
        return x * y * number - y * of_x - x * of_y + of_xy

    result = np.empty(n)
    result[back] = 2.0 * product(*concordant) - product(*terms.sum(axis=1))
    return result


def jensen_shannon(p: ArrayLike, q: ArrayLike, *, seed: Seed = 0, resamples: int = 200) -> tuple[float, float]:
    """Jensen-Shannon divergence of two histograms in bits: 0 for the same shape, 1 if they do not overlap.

    Parameters
    ----------
    p, q : arrays, (bins,), at least 0; or (2, bins)
        Events in the same bins, with any sums. For weighted events give two rows: the sum of the weights and the sum of
        their squares in each bin.
    seed : int or numpy.random.Generator
        For the bootstrap of the error.
    resamples : int

    Returns
    -------
    value, error : float, bits

    Raises
    ------
    ValueError, TypeError
        If the numbers of bins differ, an entry is negative, or a histogram is empty.

    Notes
    -----
    JS = H[(p + q) / 2] - (H[p] + H[q]) / 2 with the entropy H of the histograms scaled to 1; the square of
    `scipy.spatial.distance.jensenshannon` with base 2. The error is the spread when every bin is drawn again from a
    Poisson distribution (of the effective number of events, if weighted).

    Two samples of the same distribution have a JS above 0 by chance: (bins - 1) / (8 ln 2) * (1 / n_p + 1 / n_q) bits
    on average for n_p and n_q events, as long as no bin is nearly empty. Compare with it after a cut that leaves few
    events.

    Examples
    --------
    >>> value, error = jensen_shannon([100, 300], [300, 100])
    >>> f"{value:.3f} +- {error:.3f} bits"
    '0.189 +- 0.023 bits'
    """
    resamples = check_count(minimum=2, resamples=resamples)
    (sum_p, squares_p), (sum_q, squares_q) = _histogram(p=p), _histogram(q=q)
    if len(sum_p) != len(sum_q):
        raise ValueError(f"p and q must have the same bins, got {len(sum_p)} and {len(sum_q)}")
    random = generator(seed)

    def drawn(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
        size = np.divide(squares, sums, out=np.ones_like(sums), where=sums > 0.0)
        again = random.poisson(sums / size, size=(resamples, len(sums))) * size
        return np.where(again.sum(axis=1, keepdims=True) > 0.0, again, sums)

    def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        p, q = (entries / entries.sum(axis=-1, keepdims=True) for entries in (p, q))
        middle = 0.5 * (p + q)
        bits = (rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=-1) / np.log(4.0)
        return np.maximum(bits, 0.0)  # where p = q, rounding leaves -1e-17

    spread = divergence(drawn(sum_p, squares_p), drawn(sum_q, squares_q))
    return float(divergence(sum_p, sum_q)), float(spread.std(ddof=1))


def _histogram(**argument: Any) -> np.ndarray:
    """Sums of weights and of squared weights, (2, bins)."""
    ((name, value),) = argument.items()
    array = check_array(ndim=(1, 2), minimum=0.0, **{name: value})
    if array.ndim == 1:
        array = np.stack([array, array])
    if len(array) != 2:
        raise ValueError(f"{name} must have shape (bins,) or (2, bins), got {array.shape}")
    if not array[0].any() or ((array[0] > 0.0) & (array[1] == 0.0)).any():
        raise ValueError(f"{name} must hold events, got a histogram with none, or with weights but no squares")
    return array


def planing_weights(
    feature: ArrayLike, labels: ArrayLike, bins: int | ArrayLike = 50, *, like: str = "flat"
) -> np.ndarray:
    """Weights of events that give a feature the same distribution in both classes.

    Parameters
    ----------
    feature : array, (n,)
    labels : array of int, (n,) or (n, 1)
        0 or 1.
    bins : int or array of edges, (bins + 1,), increasing
        A number stands for bins of equal width from the smallest to the largest feature; the last edge belongs to the
        last bin.
    like : {"flat", "class 0", "class 1"}
        The common distribution: constant in the feature, or that of one of the classes.

    Returns
    -------
    array, (n,)
        Weights for ``fit(sample_weight=)``, at least 0. In each class they add up to its number of events, so that the
        balance of the classes and the size of the loss stay.

    Raises
    ------
    ValueError, TypeError
        If lengths differ, a label is neither 0 nor 1, the edges do not increase, or no bin holds both classes.

    Notes
    -----
    In a bin the weight is the wanted content over the content of the class. A bin that one of the classes leaves empty
    cannot be made equal: its events, and those outside the edges, get the weight 0. So choose the range where both
    classes live, and look at how many weights are 0 and how large the largest is: rare events with large weights cost
    statistics. The distributions are equal between bins, not inside them. Planing: S. Chang, T. Cohen and B. Ostdiek,
    arXiv:1709.10106.

    Examples
    --------
    >>> planing_weights([0.5, 1.5, 1.5, 1.5, 0.5, 0.5, 1.5, 2.5], [0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 2, 3]).round(3)
    array([2.   , 0.667, 0.667, 0.667, 1.   , 1.   , 2.   , 0.   ])
    """
    feature = check_array(ndim=1, feature=feature)
    label = check_array(ndim=(1, 2), labels=labels)
    if label.shape not in (feature.shape, (len(feature), 1)):
        raise ValueError(f"labels must have shape {feature.shape}, got {label.shape}")
    label = label.ravel()
    if not np.isin(label, (0.0, 1.0)).all():
        raise ValueError(f"labels must hold only 0 and 1, got {label[~np.isin(label, (0.0, 1.0))][0]:g}")
    check_choice(choices=("flat", "class 0", "class 1"), like=like)
    edges = _edges(bins, feature)
    place = np.where(feature == edges[-1], len(edges) - 2, np.searchsorted(edges, feature, side="right") - 1)
    inside = (place >= 0) & (place < len(edges) - 1)
    content = np.stack([np.bincount(place[inside & (label == k)], minlength=len(edges) - 1) for k in (0, 1)])
    both = (content > 0).all(axis=0)
    if not both.any():
        raise ValueError("bins must have at least one that holds both classes, got none: make them wider")
    wanted = np.where(both, {"flat": np.diff(edges), "class 0": content[0], "class 1": content[1]}[like], 0.0)
    weights = np.zeros(len(feature))
    for k in (0, 1):
        events = inside & (label == k)
        per_event = np.divide(wanted, content[k], out=np.zeros_like(wanted), where=both)
        weights[events] = per_event[place[events]] * (np.sum(label == k) / wanted.sum())
    return weights


def _edges(bins: int | ArrayLike, feature: np.ndarray) -> np.ndarray:
    if np.ndim(bins) == 0:
        if np.ptp(feature) == 0.0:
            raise ValueError(f"feature must hold different numbers, got {feature[0]:g} in every entry")
        return np.linspace(feature.min(), feature.max(), check_count(bins=bins) + 1)
    edges = check_array(ndim=1, bins=bins)
    if len(edges) < 2 or not (np.diff(edges) > 0.0).all():
        raise ValueError(f"bins must be a number of bins or increasing edges, got {shown(edges.tolist())}")
    return edges
