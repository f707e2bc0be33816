"""How well one sample follows the distribution of another: for generated, refined and unfolded events.

None of these numbers is 0 (or 0.5) for two samples of the same distribution: compare with the value that two
independent samples of the simulation give at the same size.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, check_number, check_positive
from dlphys.metrics.scores import accuracy_with_error, area_under_roc

__all__ = [
    "ModeCoverage",
    "kullback_leibler",
    "maximum_mean_discrepancy",
    "mode_coverage",
    "precision_recall",
    "sliced_wasserstein",
    "two_sample_test",
    "wasserstein",
]

_BLOCK = 512  # rows of a table of pairs held at a time


def wasserstein(first: ArrayLike, second: ArrayLike, *, seed: Seed = 0, resamples: int = 100) -> tuple[float, float]:
    """Earth mover's distance W1 of two samples of one quantity.

    Parameters
    ----------
    first, second : arrays, (n,) and (m,)
    seed : int or numpy.random.Generator
        For the bootstrap of the error.
    resamples : int

    Returns
    -------
    value, error : float, unit of the quantity

    Raises
    ------
    ValueError, TypeError
        If a sample is empty or holds numbers that are not finite.

    Notes
    -----
    The mean distance that the events of one sample must move to become the other: for n = m the mean of
    abs(sorted differences) (`scipy.stats.wasserstein_distance`).

    Examples
    --------
    >>> x = np.linspace(-1, 1, 400)
    >>> value, error = wasserstein(x, x + 0.3)
    >>> f"{value:.2f} +- {error:.2f}"
    '0.30 +- 0.04'
    """
    first, second = check_array(ndim=1, first=first), check_array(ndim=1, second=second)
    return _bootstrapped(wasserstein_distance, first, second, seed, resamples)


def sliced_wasserstein(
    first: ArrayLike, second: ArrayLike, *, directions: int = 50, seed: Seed = 0, resamples: int = 20
) -> tuple[float, float]:
    """Mean W1 of two samples of vectors, projected on random directions.

    Parameters
    ----------
    first, second : arrays, (n, d) and (m, d), or with more axes, which are flattened
        Scale the columns to comparable widths first.
    directions : int
        Number of unit vectors, uniform on the sphere.
    seed : int or numpy.random.Generator
        For the directions and the bootstrap of the error.
    resamples : int

    Returns
    -------
    value, error : float
        The error is that of the finite samples, for these directions.

    Raises
    ------
    ValueError, TypeError
        If the events of the samples have different shapes.

    Notes
    -----
    N. Bonneel et al., J. Math. Imaging Vis. 51 (2015) 22. A difference along one of d directions alone is diluted: the
    value of a shift by a is 2 a / pi for d = 2 and about a sqrt(2 / (pi d)) for large d.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(1000, 2))
    >>> value, error = sliced_wasserstein(x, x + [1.0, 0.0], directions=200, seed=2)
    >>> abs(value - 2 / np.pi) < 0.1
    True
    """
    directions = check_count(directions=directions)
    first, second = _events(first=first, second=second)
    random = generator(seed)
    vectors = random.normal(size=(first.shape[1], directions))
    vectors /= np.linalg.norm(vectors, axis=0)

    def distance(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean([wasserstein_distance(u, v) for u, v in zip(x.T, y.T, strict=True)]))

    return _bootstrapped(distance, first @ vectors, second @ vectors, random, resamples)


def maximum_mean_discrepancy(first: ArrayLike, second: ArrayLike, *, width: float | None = None) -> tuple[float, float]:
    """Squared maximum mean discrepancy with a Gaussian kernel, without bias: 0 on average for the same distribution.

    Parameters
    ----------
    first, second : arrays, (n, d) and (n, d), (n,), or with more axes, which are flattened
        The same number n of events, at least 3. Takes n^2 distances: 5000 events are some seconds.
    width : float, optional
        Standard deviation of the kernel, unit of the data. By default the median distance between the events of both.

    Returns
    -------
    value, error : float
        The value may be negative.

    Raises
    ------
    ValueError, TypeError
        If the samples differ in shape, or the width is not positive.

    Notes
    -----
    MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y) with k = exp(-abs(x - y)^2 / (2 width^2)), over pairs of different
    events; A. Gretton et al., J. Mach. Learn. Res. 13 (2012) 723. The error is that of a U statistic,
    sqrt(4 Var(h_i) / n + 2 Var(h_ij) / n^2).

    Examples
    --------
    >>> x, y = np.random.default_rng(1).normal(size=(2, 500))
    >>> value, error = maximum_mean_discrepancy(x, y + 1)
    >>> value > 5 * error, abs(maximum_mean_discrepancy(x, y)[0]) < 5 * error
    (True, True)
    """
    first, second = _events(first=first, second=second)
    n = len(first)
    if len(second) != n or n < 3:
        raise ValueError(f"first and second must hold the same number of events, at least 3, got {n} and {len(second)}")
    if width is None:
        both = np.concatenate([first, second])[:: max(1, n // 500)]
        width = float(np.median(cdist(both, both)[np.triu_indices(len(both), 1)]))
        if width == 0.0:
            raise ValueError("width must be given where most events are equal: their median distance is 0")
    check_positive(width=width)
    rows, squares = np.empty(n), 0.0
    for start in range(0, n, _BLOCK):
        here = slice(start, start + _BLOCK)

        def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return np.exp(-0.5 * cdist(x, y, "sqeuclidean") / width**2)

        table = kernel(first[here], first) + kernel(second[here], second)
        table -= kernel(first[here], second) + kernel(second[here], first)
        table[np.arange(len(table)), start + np.arange(len(table))] = 0.0
        rows[here] = table.sum(axis=1) / (n - 1)
        squares += float((table**2).sum())
    value = float(rows.mean())
    variance = 4.0 * rows.var() / n + 2.0 * max(squares / (n * (n - 1)) - value**2, 0.0) / n**2
    return value, float(np.sqrt(variance))


def kullback_leibler(first: ArrayLike, second: ArrayLike, *, neighbours: int = 5) -> tuple[float, float]:
    """Kullback-Leibler divergence of two samples, estimated from distances to nearest neighbours.

    Parameters
    ----------
    first, second : arrays, (n, d) and (m, d), or (n,) and (m,)
        D(first || second): how much the events of the first tell that they are not from the second.
    neighbours : int
        Number k of neighbours; more make it steadier and less local.

    Returns
    -------
    value, error : float, nats
        The value may be slightly negative.

    Raises
    ------
    ValueError, TypeError
        If a sample has too few events, or holds so many equal ones that a distance is 0.

    Notes
    -----
    d / n sum ln(nu_k / rho_k) + ln(m / (n - 1)), with the distances rho_k and nu_k of an event of the first sample to
    its k-th neighbour in the first and in the second; Q. Wang et al., IEEE Trans. Inf. Theory 55 (2009) 2392. For a few
    dimensions; in many the estimate is biased towards 0. `jensen_shannon` is for histograms.

    Examples
    --------
    >>> x, y = np.random.default_rng(1).normal(size=(2, 4000))
    >>> value, error = kullback_leibler(x, y + 1)  # exact: 0.5
    >>> abs(value - 0.5) < 3 * error
    True
    """
    from sklearn.neighbors import NearestNeighbors

    k = check_count(neighbours=neighbours)
    first, second = _events(first=first, second=second)
    n, m = len(first), len(second)
    if n < k + 1 or m < k:
        raise ValueError(f"first and second must hold more than {k} events each, got {n} and {m}")
    own = NearestNeighbors(n_neighbors=k + 1).fit(first).kneighbors(first)[0][:, k]
    other = NearestNeighbors(n_neighbors=k).fit(second).kneighbors(first)[0][:, k - 1]
    if not (own.all() and other.all()):
        raise ValueError(f"first and second must hold different events: more than {k} of them are equal")
    terms = first.shape[1] * np.log(other / own)
    return float(terms.mean() + np.log(m / (n - 1))), float(terms.std() / np.sqrt(n))


def two_sample_test(
    first: ArrayLike, second: ArrayLike, *, classifier: Any = None, seed: Seed = 0
) -> tuple[float, float]:
    """AUC of a classifier trained to tell two samples apart: 0.5 where it cannot, 1 where it always can.

    Parameters
    ----------
    first, second : arrays, (n, d) and (m, d), (n,), or with more axes, which are flattened
        At least 20 events each.
    classifier : scikit-learn classifier, optional
        Anything with ``fit`` and ``predict_proba``. By default gradient-boosted trees.
    seed : int or numpy.random.Generator
        For the split in two halves, and the trees.

    Returns
    -------
    value, error : float
        Mean over both halves, each judged by a classifier trained on the other. It may fall below 0.5 by chance.

    Raises
    ------
    ValueError, TypeError
        If the events of the samples have different shapes, or there are too few.

    Notes
    -----
    D. Lopez-Paz and M. Oquab, arXiv:1610.06545. A stronger classifier may see what this one does not: 0.5 proves no
    equality.

    Examples
    --------
    >>> x, y = np.random.default_rng(1).normal(size=(2, 1000, 2))
    >>> value, error = two_sample_test(x, y + [1.0, 0.0])
    >>> 0.7 < value < 0.8, error < 0.02  # the best possible is 0.760
    (True, True)
    """
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingClassifier

    first, second = _events(first=first, second=second)
    if min(len(first), len(second)) < 20:
        raise ValueError(f"first and second must hold at least 20 events each, got {len(first)} and {len(second)}")
    random = generator(seed)
    if classifier is None:
        classifier = HistGradientBoostingClassifier(
            max_iter=100, max_leaf_nodes=15, early_stopping=False, random_state=int(random.integers(2**31))
        )
    x, label = np.concatenate([first, second]), np.repeat([0, 1], [len(first), len(second)])
    half = np.concatenate([random.permutation(len(sample)) % 2 for sample in (first, second)])
    found = []
    for test in (0, 1):
        trained = clone(classifier).fit(x[half != test], label[half != test])
        found.append(area_under_roc(trained.predict_proba(x[half == test])[:, 1], label[half == test]))
    values, errors = np.array(found).T
    return float(values.mean()), float(np.sqrt((errors**2).sum()) / 2.0)


class ModeCoverage(NamedTuple):
    """What `mode_coverage` found.

    covered : int, number of modes that have their share; good : (value, error), fraction of the events near any mode;
    counts : array of int, (modes,), events near each.
    """

    covered: int
    good: tuple[float, float]
    counts: np.ndarray


def mode_coverage(samples: ArrayLike, centres: ArrayLike, *, radius: float, least: float = 0.2) -> ModeCoverage:
    """How many modes of a known mixture a generator covers, and how many of its events belong to one.

    Parameters
    ----------
    samples : array, (n, d)
    centres : array, (modes, d)
        Of equally probable modes.
    radius : float
        An event belongs to its nearest mode if it is not farther than this, for example three widths of a mode.
    least : float, default 0.2
        A mode is covered if it has at least this fraction of its fair share n / modes of the events.

    Returns
    -------
    ModeCoverage

    Raises
    ------
    ValueError, TypeError
        If the columns differ, the radius is not positive, or ``least`` is not in (0, 1).

    Examples
    --------
    >>> found = mode_coverage([[0.0, 0.1], [0.0, 0.0], [5.0, 5.0]], [[0.0, 0.0], [1.0, 1.0]], radius=0.3)
    >>> found.covered, found.counts
    (1, array([2, 0]))
    """
    samples = check_array(ndim=2, samples=samples)
    centres = check_array(shape=(None, samples.shape[1]), centres=centres)
    check_positive(radius=radius)
    least = check_number(minimum=0.0, maximum=1.0, exclusive=True, least=least)
    distance, nearest = cKDTree(centres).query(samples)
    good = distance <= radius
    counts = np.bincount(nearest[good], minlength=len(centres))
    return ModeCoverage(int((counts >= least * len(samples) / len(centres)).sum()), accuracy_with_error(good), counts)


def precision_recall(
    real: ArrayLike, generated: ArrayLike, *, neighbours: int = 3
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Precision: how many generated events look real. Recall: how many real events the generator could have made.

    Parameters
    ----------
    real, generated : arrays, (n, d) and (m, d), or with more axes, which are flattened
        Features in which distances mean something.
    neighbours : int
        Each event claims the ball that reaches to its k-th neighbour in its own sample.

    Returns
    -------
    precision, recall : pairs (value, error) of floats
        Fraction of generated events in the ball of a real one, and the reverse.

    Raises
    ------
    ValueError, TypeError
        If the events of the samples have different shapes, or there are too few.

    Notes
    -----
    T. Kynkaanniemi et al., arXiv:1904.06991. Two samples of one distribution do not reach 1: compare with them.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> real, collapsed = random.normal(size=(500, 2)), 0.1 * random.normal(size=(500, 2))
    >>> precision, recall = precision_recall(real, collapsed)
    >>> f"{precision[0]:.2f} {recall[0]:.2f}"
    '0.99 0.07'
    """
    k = check_count(neighbours=neighbours)
    real, generated = _events(first=real, second=generated, names=("real", "generated"))
    if min(len(real), len(generated)) <= k:
        raise ValueError(
            f"real and generated must hold more than {k} events each, got {len(real)} and {len(generated)}"
        )
    return accuracy_with_error(_claimed(real, generated, k)), accuracy_with_error(_claimed(generated, real, k))


def _claimed(owners: np.ndarray, events: np.ndarray, k: int) -> np.ndarray:
    """Whether each event lies in the ball of any owner."""
    from sklearn.neighbors import NearestNeighbors

    radius = NearestNeighbors(n_neighbors=k + 1).fit(owners).kneighbors(owners)[0][:, k]
    claimed = np.empty(len(events), dtype=bool)
    for start in range(0, len(events), _BLOCK):
        here = slice(start, start + _BLOCK)
        claimed[here] = (cdist(events[here], owners) <= radius).any(axis=1)
    return claimed


def _events(
    *, first: ArrayLike, second: ArrayLike, names: tuple[str, str] = ("first", "second")
) -> tuple[np.ndarray, np.ndarray]:
    """Both samples with one row an event."""
    given: list[Any] = [first, second]
    arrays = [check_array(**{name: values}) for name, values in zip(names, given, strict=True)]
    for name, array in zip(names, arrays, strict=True):
        if array.ndim == 0:
            raise ValueError(f"{name} must have an axis of events, got one number")
    if arrays[0].shape[1:] != arrays[1].shape[1:]:
        raise ValueError(
            f"{names[0]} and {names[1]} must have events of one shape, got {arrays[0].shape} and {arrays[1].shape}"
        )
    return arrays[0].reshape(len(arrays[0]), -1), arrays[1].reshape(len(arrays[1]), -1)


def _bootstrapped(
    distance: Any, first: np.ndarray, second: np.ndarray, seed: Seed, resamples: int
) -> tuple[float, float]:
    """A distance of two samples, and its spread when the events of both are drawn again with replacement."""
    resamples = check_count(minimum=2, resamples=resamples)
    random = generator(seed)
    again = [
        distance(*(sample[random.integers(len(sample), size=len(sample))] for sample in (first, second)))
        for _ in range(resamples)
    ]
    return float(distance(first, second)), float(np.std(again, ddof=1))
