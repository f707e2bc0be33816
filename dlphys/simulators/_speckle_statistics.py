"""Exact statistics of speckle: its modes, the size of its grains, and the photons counted in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from dlphys._validation import check_array, check_number

PERIOD = 72  # pixels after which a pattern would repeat; eight more than the detector has


def mode_weights(modes: ArrayLike) -> np.ndarray:
    """Shares of the light in its modes, for a number of modes that need not be whole.

    M = 1 / sum of the squared shares. All modes are equally strong but the last, which fills up: for
    M = 1.5 the shares are 0.789 and 0.211.

    Parameters
    ----------
    modes : float or array (n,)
        1 to 64.

    Returns
    -------
    array, (n, K) or (K,)
        K is the largest of ``modes``, rounded up. Each row has the sum 1.

    Raises
    ------
    ValueError, TypeError
        If ``modes`` is out of range.

    Examples
    --------
    >>> mode_weights(1.5).round(3), mode_weights(2.0)
    (array([0.789, 0.211]), array([0.5, 0.5]))
    """
    number = check_array(ndim=(0, 1), minimum=1.0, maximum=64.0, modes=modes)[..., None]
    count = np.ceil(number)
    # with k - 1 shares of s and one of 1 - (k - 1) s, the sum of squares is 1 / M for the smaller of two s
    strong = np.where(count > 1, (1.0 + np.sqrt((count / number - 1.0) / np.maximum(count - 1.0, 1.0))) / count, 0.0)
    index = np.arange(int(count.max()))
    last = np.maximum(1.0 - (count - 1.0) * strong, 0.0)
    return np.where(index < count - 1, strong, np.where(index == count - 1, last, 0.0))


def speckle_correlation(shift: ArrayLike, *, speckle_size: float = 2.0, modes: float = 1.0) -> np.ndarray:
    """Covariance of the relative intensities of two pixels of one row or column: |FT(pupil)|^2 / M.

    The pupil is a square, so with N = 72 pixels and P = N / speckle_size points along its edge it is
    (sin(pi P d / N) / (P sin(pi d / N)))^2 / M, nearly sinc^2: zero one speckle away. For a shift along both axes the
    two factors multiply.

    Parameters
    ----------
    shift : array, pixels
    speckle_size : float, pixels
        As in `simulate`; N / speckle_size is rounded to a whole number there and here.
    modes : float

    Returns
    -------
    array

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> speckle_correlation([0, 1, 2, 3]).round(4)
    array([1.    , 0.4055, 0.    , 0.0453])
    """
    shift = check_array(unit="pixels", shift=shift)
    points = pupil_points(speckle_size)
    check_number(minimum=1.0, maximum=64.0, modes=modes)
    angle = np.pi * shift / PERIOD
    there = np.abs(np.sin(angle)) > 1e-12
    ratio = np.sin(points * angle) / np.where(there, points * np.sin(angle), 1.0)
    return np.where(there, ratio, 1.0) ** 2 / modes


def photon_probability(counts: ArrayLike, *, mean: float, modes: float = 1.0) -> np.ndarray:
    """Probability to count a number of photons in a pixel: the negative binomial distribution.

    P(n) = Gamma(n + M) / (n! Gamma(M)) (1 + M / mean)^-n (1 + mean / M)^-M, Poisson averaged over Gamma(M, 1 / M).
    Exact for a whole number of modes of equal strength.

    Parameters
    ----------
    counts : array of whole numbers
    mean : float, photons
    modes : float
        1 to 1e6.

    Returns
    -------
    array, shape of ``counts``

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    L. Mandel, Proc. Phys. Soc. 74 (1959) 233; J. W. Goodman, Statistical Optics (1985), section 9.2.

    Examples
    --------
    >>> photon_probability([0, 1], mean=1.0), photon_probability(0, mean=1.0, modes=4.0).round(4)
    (array([0.5 , 0.25]), np.float64(0.4096))
    """
    n = check_array(minimum=0.0, unit="photons", counts=counts)
    mean = check_number(minimum=0.0, exclusive=True, unit="photons", mean=mean)
    m = check_number(minimum=1.0, maximum=1e6, modes=modes)
    log = special.gammaln(n + m) - special.gammaln(n + 1.0) - special.gammaln(m)
    return np.exp(log - n * np.log1p(m / mean) - m * np.log1p(mean / m))


def pupil_points(speckle_size: float) -> int:
    """Points along the edge of the square pupil that makes grains of this size."""
    check_number(minimum=1.0, maximum=14.4, unit="pixels", speckle_size=speckle_size)
    return round(PERIOD / speckle_size)
