"""Baselines against speckle: filters that know its statistics, but nothing of the patterns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, special

from dlphys._validation import check_array, check_count, check_number


def box_filter(speckled: ArrayLike, *, width: int = 3) -> np.ndarray:
    """Baseline: the mean over a square of pixels around each pixel.

    Parameters
    ----------
    speckled : array, (n, 64, 64) or any (n, rows, columns), photons
    width : int, pixels
        Odd, 1 to 31.

    Returns
    -------
    array, shape of ``speckled``, photons

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> from dlphys.simulators.speckle import simulate
    >>> images = simulate(50, seed=1)
    >>> raw, filtered = (np.log10(1 + i) - np.log10(1 + images.clean)
    ...                  for i in (images.speckled, box_filter(images.speckled)))
    >>> bool((filtered**2).mean() < (raw**2).mean())
    True
    """
    image = check_array(ndim=3, minimum=0.0, unit="photons", speckled=speckled)
    return ndimage.uniform_filter(image, size=(1, *_window(width)), mode="nearest")


def wiener_filter(speckled: ArrayLike, *, modes: float = 1.0, width: int = 5) -> np.ndarray:
    """Baseline: the Wiener filter of the logarithm, with mean and variance of the signal from the neighbourhood.

    Where the counts are large, the logarithm turns speckle into additive noise of known mean, psi(M) - ln M, and
    variance, psi'(M); where photons are few both are smaller, by I / (1 + I) and its square. A pixel is pulled towards
    the mean of its neighbours by the share of their variance that is noise.

    Parameters
    ----------
    speckled : array, (n, 64, 64) or any (n, rows, columns), photons
    modes : float
        M of the light, 1 to 64.
    width : int, pixels
        Of the neighbourhood; odd, 1 to 31.

    Returns
    -------
    array, shape of ``speckled``, photons

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    J.-S. Lee, IEEE Trans. Pattern Anal. Mach. Intell. 2 (1980) 165; H. H. Arsenault and G. April, J. Opt. Soc. Am. 66
    (1976) 1160 (speckle in logarithms).

    Examples
    --------
    >>> from dlphys.simulators.speckle import simulate
    >>> images = simulate(50, seed=1)
    >>> raw, filtered = (np.log10(1 + i) - np.log10(1 + images.clean)
    ...                  for i in (images.speckled, wiener_filter(images.speckled)))
    >>> bool((filtered**2).mean() < 0.6 * (raw**2).mean())
    True
    """
    image = np.log1p(check_array(ndim=3, minimum=0.0, unit="photons", speckled=speckled))
    modes = check_number(minimum=1.0, maximum=64.0, modes=modes)
    window = (1, *_window(width))
    mean = ndimage.uniform_filter(image, size=window, mode="nearest")
    spread = np.maximum(ndimage.uniform_filter(image**2, size=window, mode="nearest") - mean**2, 1e-12)
    signal = -np.expm1(-mean)  # I / (1 + I)
    noise = special.polygamma(1, modes) * signal**2
    trust = np.maximum(spread - noise, 0.0) / spread
    bias = (special.digamma(modes) - np.log(modes)) * signal
    return np.expm1(np.maximum(mean + trust * (image - mean) - bias, 0.0))


def _window(width: int) -> tuple[int, int]:
    width = check_count(minimum=1, maximum=31, width=width)
    if width % 2 == 0:
        raise ValueError(f"width must be odd, so that it has a middle, got {width}")
    return width, width
