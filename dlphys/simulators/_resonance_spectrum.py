"""The falling dijet spectrum: density, distribution function, its inverse, and counts in bins."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from dlphys._validation import check_array, check_number

COLLISION_ENERGY = 13.0  # TeV
LOWEST_MASS = 2.5  # TeV, where a trigger on jets has become fully efficient
SHAPE = (8.0, 5.0, 0.1)  # p1, p2, p3

CELLS = 8192  # of the table; the distribution function between its nodes is right to 3e-7
EDGE = 1e-16  # normal scores are those of probabilities in [EDGE, 1 - EDGE]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)


def dijet_spectrum(mass: ArrayLike) -> np.ndarray:
    """Density of the background's dijet mass, p0 (1 - x)^p1 / x^(p2 + p3 ln x) with x = mass / 13 TeV.

    The three parameters ``SHAPE`` are chosen such that the spectrum falls like that of the LHC, by m^-7.7 at 3.5 TeV;
    they are no fit to data. p0 normalises the density on 2.5 to 13 TeV.

    Parameters
    ----------
    mass : array of any shape, TeV
        In [2.5, 13] TeV.

    Returns
    -------
    array, same shape, 1/TeV

    Raises
    ------
    ValueError, TypeError
        If a mass is outside the range.

    References
    ----------
    The form is that of CDF, Phys. Rev. D 79 (2009) 112002, as used by ATLAS and CMS since.

    Examples
    --------
    >>> (dijet_spectrum([3.5]) / dijet_spectrum([7.0])).round(0)  # twice the mass
    array([1106.])
    """
    mass = check_array(minimum=LOWEST_MASS, maximum=COLLISION_ENERGY, unit="TeV", mass=mass)
    return np.exp(_log_shape(mass)) / _table()[2]


def mass_quantile(probability: ArrayLike) -> np.ndarray:
    """The dijet mass (TeV) below which a share ``probability`` of the background lies; any shape."""
    nodes, distribution, _ = _table()
    return np.interp(np.asarray(probability, dtype=np.float64), distribution, nodes)


def mass_distribution(mass: ArrayLike) -> np.ndarray:
    """The share of the background below a dijet mass (TeV); the inverse of `mass_quantile`."""
    nodes, distribution, _ = _table()
    return np.interp(np.asarray(mass, dtype=np.float64), nodes, distribution)


def normal_score(probability: ArrayLike) -> np.ndarray:
    """The number below which a standard normal variable has this probability, finite at 0 and 1."""
    return ndtri(np.clip(probability, EDGE, 1.0 - EDGE))


def window_shares(low: float, high: float, *, resonance: float = 3.5, width: float = 0.1) -> tuple[float, float]:
    """Shares of all signal events and of all background events in a window of the dijet mass.

    Parameters
    ----------
    low, high : float, TeV
        In [2.5, 13] TeV, low below high.
    resonance, width : float, TeV
        Mean and standard deviation of the signal's Gaussian mass.

    Returns
    -------
    (float, float)
        Signal, background. With n events of which a share f is signal, one expects S = f n times the first and
        B = (1 - f) n times the second.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> signal, background = window_shares(3.3, 3.7)
    >>> round(signal, 4), round(background, 4)
    (0.9545, 0.0926)
    """
    low = check_number(minimum=LOWEST_MASS, maximum=COLLISION_ENERGY, unit="TeV", low=low)
    high = check_number(minimum=low, maximum=COLLISION_ENERGY, unit="TeV", high=high)
    check_peak(resonance, width)
    below, above = mass_distribution([low, high])
    floor = ndtr((LOWEST_MASS - resonance) / width)  # the signal's range begins there, too
    inside = ndtr((high - resonance) / width) - ndtr((low - resonance) / width)
    return float(inside / (1.0 - floor)), float(above - below)


def check_peak(resonance: float, width: float) -> None:
    """Refuse a resonance that does not lie on the spectrum."""
    check_number(minimum=LOWEST_MASS, maximum=COLLISION_ENERGY - 3.0, unit="TeV", resonance=resonance)
    check_number(minimum=0.01, maximum=0.5, unit="TeV", width=width)


def shape_basis(mass: np.ndarray) -> np.ndarray:
    """The functions whose linear combination is the logarithm of the spectrum: 1, ln(1 - x), -ln x, -(ln x)^2."""
    x = np.minimum(mass / COLLISION_ENERGY, 1.0 - 1e-15)
    logarithm = np.log(x)
    return np.stack([np.ones_like(x), np.log1p(-x), -logarithm, -(logarithm**2)], axis=-1)


def quadrature(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points and weights (bins, 8) of each bin."""
    centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return centre[:, None] + half[:, None] * NODES, half[:, None] * WEIGHTS


def _log_shape(mass: np.ndarray) -> np.ndarray:
    return shape_basis(mass) @ np.array([0.0, *SHAPE])


@lru_cache(maxsize=1)
def _table() -> tuple[np.ndarray, np.ndarray, float]:
    """Masses (TeV), the distribution function there, and the norm 1 / p0."""
    nodes = np.geomspace(LOWEST_MASS, COLLISION_ENERGY, CELLS + 1)
    points, weights = quadrature(nodes)
    inside = (np.exp(_log_shape(points)) * weights).sum(1)
    distribution = np.concatenate([[0.0], np.cumsum(inside)])
    return nodes, distribution / distribution[-1], float(distribution[-1])
