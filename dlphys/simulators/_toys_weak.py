"""Two classes with labels that are wrong for some, or known for groups only (chapter 16).

Both classes are Gaussian with unit covariance in two dimensions, class 0 at the origin and class 1 at (separation, 0),
so that the optimal classifier is the first coordinate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._sample import Sample

BLOCK, BAGS = 8192, 1024  # events in a block
OBSERVED, WRONG, POINT = range(3)


@dataclass(frozen=True, repr=False)
class Contaminated(Sample):
    """Points with true and with observed labels; the first axis of every array is the point.

    Attributes
    ----------
    x : array, (n, 2), float32
        Without unit.
    label : array, (n,), uint8
        The true class.
    observed : array, (n,), uint8
        The label that a network is trained with.
    """

    units: ClassVar = {"x": "1", "label": "", "observed": ""}

    x: np.ndarray
    label: np.ndarray
    observed: np.ndarray


@dataclass(frozen=True, repr=False)
class Bags(Sample):
    """Groups of points; the first axis of every array is the group.

    Attributes
    ----------
    x : array, (n, size, 2), float32
        Without unit.
    label : array, (n, size), uint8
        The true class of each point, which learning from groups does not see.
    proportion : array, (n,), float32
        Expected share of class 1 in the group.
    positive : array, (n,), uint8
        1 if the group has at least one point of class 1.
    """

    units: ClassVar = {"x": "1", "label": "", "proportion": "1", "positive": ""}

    x: np.ndarray
    label: np.ndarray
    proportion: np.ndarray
    positive: np.ndarray


def simulate_contaminated(
    n: int, *, seed: Seed, a0: float = 0.1, a1: float = 0.3, separation: float = 1.5
) -> Contaminated:
    """Two classes of which some points carry the label of the other one.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    a0, a1 : float, defaults 0.1 and 0.3
        Share of class 1 among the points labelled 0, and of class 0 among those labelled 1 (book, eqs. 16.3 and 16.4).
        Classification without labels with signal shares f1 and f2 of two samples is a1 = 1 - f1, a0 = f2.
    separation : float, default 1.5
        Distance of the two means in standard deviations.

    Returns
    -------
    Contaminated

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> points = simulate_contaminated(10_000, seed=1)
    >>> points.label[points.observed == 1].mean().round(1)  # 1 - a1
    np.float64(0.7)
    """
    n = check_count(n=n)
    a0, a1 = check_number(minimum=0.0, maximum=1.0, a0=a0), check_number(minimum=0.0, maximum=1.0, a1=a1)
    separation = check_number(minimum=0.0, separation=separation)
    stream = Streams.of(seed)
    points = Contaminated(np.empty((n, 2), np.float32), np.empty(n, np.uint8), np.empty(n, np.uint8))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        observed = stream(OBSERVED, block).random(BLOCK)[:m] < 0.5
        wrong = stream(WRONG, block).random(BLOCK)[:m] < np.where(observed, a1, a0)
        points.observed[events], points.label[events] = observed, observed ^ wrong
        points.x[events] = stream(POINT, block).standard_normal((BLOCK, 2))[:m]
        points.x[events, 0] += np.float32(separation) * points.label[events]

    fill_blocks(fill, n, block=BLOCK, title="contaminated labels")
    return points


def simulate_bags(
    n: int, *, seed: Seed, size: int = 20, proportions: Sequence[float] = (0.2, 0.8), separation: float = 1.5
) -> Bags:
    """Groups of points with a known share of class 1, or known to have at least one such point.

    Parameters
    ----------
    n : int
        Number of groups.
    seed : int or numpy.random.Generator
    size : int, default 20
        Points in a group.
    proportions : sequence of float, default (0.2, 0.8)
        Each group has one of these expected shares, at random. With (0, 0.1) or so it is multiple-instance learning:
        groups without and with a few points of class 1. If all are equal nothing can be learned from them.
    separation : float, default 1.5
        Distance of the two means in standard deviations.

    Returns
    -------
    Bags

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> bags = simulate_bags(100, seed=1)
    >>> bags.x.shape, np.unique(bags.proportion)
    ((100, 20, 2), array([0.2, 0.8], dtype=float32))
    """
    n = check_count(n=n)
    size = check_count(size=size, maximum=1000)
    shares = check_array(ndim=1, minimum=0.0, maximum=1.0, proportions=proportions)
    separation = check_number(minimum=0.0, separation=separation)
    stream = Streams.of(seed)
    bags = Bags(
        np.empty((n, size, 2), np.float32),
        np.empty((n, size), np.uint8),
        np.empty(n, np.float32),
        np.empty(n, np.uint8),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        chosen = shares[stream(OBSERVED, block).integers(len(shares), size=BAGS)[:m]]
        label = stream(WRONG, block).random((BAGS, size))[:m] < chosen[:, None]
        bags.x[events] = stream(POINT, block).standard_normal((BAGS, size, 2), dtype=np.float32)[:m]
        bags.x[events, :, 0] += np.float32(separation) * label
        bags.label[events], bags.proportion[events], bags.positive[events] = label, chosen, label.any(1)

    fill_blocks(fill, n, block=BAGS, title="bags")
    return bags


def separation_auc(separation: float) -> float:
    """Area under the ROC curve of the optimal classifier of the two classes, Phi(separation / sqrt(2)): a limit.

    Wrong labels do not lower it (the ratio of the contaminated densities rises with that of the pure ones) as long as
    a0 + a1 < 1; they make it take more data to reach.

    Parameters
    ----------
    separation : float
        Distance of the means in standard deviations, at least 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If it is negative.

    Examples
    --------
    >>> round(separation_auc(1.5), 4)
    0.8556
    """
    return float(ndtr(check_number(minimum=0.0, separation=separation) / np.sqrt(2.0)))


def contaminated_cut(cut: ArrayLike, *, a0: float, a1: float) -> np.ndarray:
    """The cut on the ratio of contaminated densities that selects the same points as a cut on the pure ones.

    The points with p0 / p1 > mu are those with p~0 / p~1 > (a0 + mu (1 - a0)) / (1 - a1 + mu a1), where
    p~0 = (1 - a0) p0 + a0 p1 and p~1 = (1 - a1) p1 + a1 p0. In the book's eq. (16.6) the indices 0 and 1 are exchanged.

    Parameters
    ----------
    cut : array of any shape
        mu, at least 0.
    a0, a1 : float
        With a0 + a1 < 1; beyond it the order of the points is reversed.

    Returns
    -------
    array, same shape

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> contaminated_cut([2.0], a0=0.1, a1=0.3).round(4)
    array([1.4615])
    """
    cut = check_array(minimum=0.0, cut=cut)
    a0 = check_number(minimum=0.0, maximum=1.0, a0=a0)
    a1 = check_number(minimum=0.0, maximum=1.0, a1=a1)
    if a0 + a1 >= 1.0:
        raise ValueError(f"a0 + a1 must be below 1, got {a0 + a1:g}")
    return (a0 + cut * (1.0 - a0)) / (1.0 - a1 + cut * a1)
