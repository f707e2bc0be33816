"""The table of exercise 13.1: eight features, of which the first one is a mass that a classifier should not shape.

The mass m falls exponentially in the background and peaks in the signal. With t the normal score of m in the
background, feature j = 1 ... 7 is rho_j t + sqrt(1 - rho_j^2) e_j + delta_j for the signal: some features know the
mass, some the class, some both. So the correlations, the mutual information with the mass, and the likelihood ratios
with the mass, without it and at given mass are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, ndtr, ndtri

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._sample import Sample

CORRELATIONS = np.array([0.9, 0.8, 0.6, 0.4, 0.0, 0.0, 0.0])  # rho_j
SHIFTS = np.array([0.0, 0.3, 0.5, 0.0, 1.0, 0.8, 0.0])  # delta_j
CORRELATIONS.setflags(write=False)
SHIFTS.setflags(write=False)
LOWEST, SCALE = 50.0, 60.0  # GeV: the background's mass is 50 GeV + an exponential of mean 60 GeV
PEAK, PEAK_WIDTH = 125.0, 20.0  # GeV

BLOCK = 8192  # events
LABEL, MASS, FEATURES = range(3)


@dataclass(frozen=True, repr=False)
class PlaningTable(Sample):
    """Rows of the table; the first axis of every array is the event.

    Attributes
    ----------
    x : array, (n, 8), float32
        Mass in GeV, then seven features without unit.
    label : array, (n,), uint8
        1 = signal, 0 = background.
    """

    units: ClassVar = {"x": "GeV, then 1", "label": ""}

    x: np.ndarray
    label: np.ndarray


def simulate_planing(n: int, *, seed: Seed, signal_fraction: float = 0.5) -> PlaningTable:
    """Rows of the table of exercise 13.1.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    signal_fraction : float, default 0.5
        Probability of a row to be signal, in [0, 1].

    Returns
    -------
    PlaningTable

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The book prescribes no numbers; these are ours. One seed gives the same bits for any number of threads, and the
    first rows do not depend on ``n``.

    Examples
    --------
    >>> table = simulate_planing(1000, seed=1)
    >>> table.x.shape, bool(table.x[:, 0].min() >= 50)
    ((1000, 8), True)
    """
    n = check_count(n=n)
    check_number(minimum=0.0, maximum=1.0, signal_fraction=signal_fraction)
    stream = Streams.of(seed)
    table = PlaningTable(np.empty((n, 8), np.float32), np.empty(n, np.uint8))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        signal = stream(LABEL, block).random(BLOCK)[:m] < signal_fraction
        u = 1.0 - stream(MASS, block).random(BLOCK)[:m]  # in (0, 1]
        floor = ndtr((LOWEST - PEAK) / PEAK_WIDTH)
        peak = PEAK + PEAK_WIDTH * ndtri(np.minimum(floor + u * (1.0 - floor), 1.0 - 1e-16))
        mass = np.where(signal, peak, LOWEST - SCALE * np.log(u))
        noise = stream(FEATURES, block).standard_normal((BLOCK, 7))[:m]
        table.x[events, 0] = mass
        known = CORRELATIONS * _score_of_mass(mass)[:, None] + SHIFTS * signal[:, None]
        table.x[events, 1:] = known + np.sqrt(1.0 - CORRELATIONS**2) * noise
        table.label[events] = signal

    fill_blocks(fill, n, block=BLOCK, title="planing table")
    return table


def planing_correlations() -> np.ndarray:
    """Pearson's correlations of the eight features in the background; (8, 8).

    rho_i rho_j between features, and rho_j corr(m, t) = 0.903... rho_j with the mass, whose relation to t is curved.

    Examples
    --------
    >>> planing_correlations()[0].round(3)
    array([1.   , 0.813, 0.723, 0.542, 0.361, 0.   , 0.   , 0.   ])
    """
    scores = ndtri((np.arange(200_000) + 0.5) / 200_000)
    bend = float(np.mean(scores * -np.log(ndtr(-scores))))  # the exponential has variance 1, and so has t
    matrix = np.eye(8)
    matrix[1:, 1:] = np.outer(CORRELATIONS, CORRELATIONS)
    matrix[0, 1:] = matrix[1:, 0] = bend * CORRELATIONS
    np.fill_diagonal(matrix, 1.0)
    return matrix


def planing_information() -> np.ndarray:
    """Mutual information of each feature 1 to 7 with the mass in the background, -ln(1 - rho_j^2) / 2 nats; (7,).

    All seven together have ln(1 + sum_j rho_j^2 / (1 - rho_j^2)) / 2.

    Examples
    --------
    >>> planing_information().round(3)
    array([0.83 , 0.511, 0.223, 0.087, 0.   , 0.   , 0.   ])
    """
    return -0.5 * np.log1p(-(CORRELATIONS**2)) + 0.0


def planing_log_ratio(x: ArrayLike) -> np.ndarray:
    """Logarithm of the likelihood ratio of signal over background with all eight features: the limit.

    Parameters
    ----------
    x : array, (n, 8)
        Mass in GeV, above 50 GeV, then the features.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If the shape is another one, or a mass is not in the range of the background.

    Examples
    --------
    >>> planing_log_ratio(np.array([[125.0, 0, 0, 0, 0, 0, 0, 0]])).round(2)
    array([-0.35])
    """
    return planing_flat_log_ratio(x) + _log_mass_ratio(np.asarray(x, dtype=np.float64)[:, 0])


def planing_flat_log_ratio(x: ArrayLike) -> np.ndarray:
    """Logarithm of the likelihood ratio of the features at given mass: the best classifier that does not shape it.

    What planing (weights that make the mass of both classes equal) leads to: sum_j delta_j (x_j - rho_j t - delta_j /
    2) / (1 - rho_j^2). In the background it is normal with mean -D^2 / 2 and variance D^2 = sum_j delta_j^2 /
    (1 - rho_j^2) at every mass, so no cut on it changes the distribution of the mass. Parameters and errors as
    `planing_log_ratio`.

    Examples
    --------
    >>> planing_flat_log_ratio(np.array([[125.0, 0, 0, 0, 0, 0, 0, 0]])).round(2)
    array([-1.78])
    """
    x = check_array(shape=(None, 8), x=x)
    check_array(minimum=LOWEST, unit="GeV", mass=x[:, 0])
    rest = x[:, 1:] - CORRELATIONS * _score_of_mass(x[:, 0])[:, None] - 0.5 * SHIFTS
    return rest @ (SHIFTS / (1.0 - CORRELATIONS**2))


def planing_blind_log_ratio(x: ArrayLike) -> np.ndarray:
    """Logarithm of the likelihood ratio of the seven features without the mass: the limit of leaving it out.

    It still shapes the mass, which the features know. The signal is integrated over its mass.

    Parameters
    ----------
    x : array, (n, 8)
        The first column is not used.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If the shape is another one.

    Examples
    --------
    >>> planing_blind_log_ratio(np.array([[0.0, 0, 0, 0, 0, 0, 0, 0]])).round(2)
    array([-1.36])
    """
    x = check_array(shape=(None, 8), x=x)[:, 1:]
    precision = 1.0 / (1.0 - CORRELATIONS**2)
    scores, weights = _signal_scores()
    # p(x | t) of both classes, up to what they have in common; the mass of the background makes t standard normal
    grid = np.linspace(-7.0, 7.0, 71)  # the integrand is a Gaussian of width 0.36 or more: exact to rounding
    prior = -0.5 * grid**2 - logsumexp(-0.5 * grid**2)

    def averaged(values: np.ndarray, shift: np.ndarray, t: np.ndarray, weight: np.ndarray) -> np.ndarray:
        linear = (values - shift) @ (precision * CORRELATIONS)
        square = (((values - shift) ** 2) @ precision)[:, None]
        exponents = linear[:, None] * t - 0.5 * t**2 * (precision @ CORRELATIONS**2) - 0.5 * square
        return logsumexp(exponents + weight, axis=1)

    parts = np.array_split(x, -(-len(x) // 4096))
    nothing = np.zeros(7)
    return np.concatenate(
        [averaged(part, SHIFTS, scores, weights) - averaged(part, nothing, grid, prior) for part in parts]
    )


def planing_flat_auc() -> float:
    """Area under the ROC curve of the best classifier that does not shape the mass, Phi(D / sqrt(2)): a limit.

    For events of equal mass; see `planing_flat_log_ratio`. Over all masses the areas of the other two are
    `dlphys.metrics.area_under_roc` of their log ratios on a sample.

    Examples
    --------
    >>> round(planing_flat_auc(), 4)
    0.8572
    """
    return float(ndtr(np.sqrt((SHIFTS**2 / (1.0 - CORRELATIONS**2)).sum() / 2.0)))


def _score_of_mass(mass: np.ndarray) -> np.ndarray:
    """t: the normal score of the mass in the background, from the tail that keeps its digits."""
    return -ndtri(np.clip(np.exp(-(mass - LOWEST) / SCALE), 1e-16, 1.0 - 1e-16))


def _log_mass_ratio(mass: np.ndarray) -> np.ndarray:
    inside = ndtr((PEAK - LOWEST) / PEAK_WIDTH)
    signal = -0.5 * ((mass - PEAK) / PEAK_WIDTH) ** 2 - np.log(PEAK_WIDTH * np.sqrt(2 * np.pi) * inside)
    return signal + (mass - LOWEST) / SCALE + np.log(SCALE)


@lru_cache(maxsize=1)
def _signal_scores() -> tuple[np.ndarray, np.ndarray]:
    """Points t of the signal's masses and the logarithms of their weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    mass = PEAK + PEAK_WIDTH * nodes
    nodes, weights = _score_of_mass(mass[mass > LOWEST]), weights[mass > LOWEST]
    return nodes, np.log(weights / weights.sum())
