"""Numbers that describe footprints and calorimeter images, and how far two samples of such a number are apart.

What a generator makes is judged by quantities that were not in its loss. All functions take any map whose signal falls
from one cell outwards: stations of an air shower, a layer of a calorimeter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ks_2samp, wasserstein_distance

from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_number
from dlphys.metrics.samples import _bootstrapped

__all__ = ["Comparison", "ShowerObservables", "compare_distributions", "radial_profile", "shower_observables"]


class ShowerObservables(NamedTuple):
    """What `shower_observables` finds, an array (n,) each.

    Attributes
    ----------
    total : array, (n,), unit of the images
        Sum over the loud cells.
    multiplicity : array of int, (n,)
        Number of loud cells.
    maximum : array, (n,), unit of the images
        The loudest cell.
    contrast : array, (n,), unit of the images
        The loudest cell minus the mean of its neighbours, at most eight.
    fluctuation : array, (n,)
        Scatter of the cells about the event's own radial profile, relative to the mean cell.
    """

    total: np.ndarray
    multiplicity: np.ndarray
    maximum: np.ndarray
    contrast: np.ndarray
    fluctuation: np.ndarray


class Comparison(NamedTuple):
    """What `compare_distributions` finds.

    Attributes
    ----------
    kolmogorov_smirnov : pair (value, error) of floats
        Largest difference of the cumulative distributions.
    wasserstein : pair (value, error) of floats
        Earth mover's distance W1, in standard deviations of the first sample.
    """

    kolmogorov_smirnov: tuple[float, float]
    wasserstein: tuple[float, float]


def shower_observables(images: ArrayLike, *, threshold: float = 0.0) -> ShowerObservables:
    """Total, multiplicity, maximum, contrast and fluctuation of every image.

    Parameters
    ----------
    images : array, (n, rows, columns) or (n, rows, columns, 1), at least 3 x 3 cells
        Signals or logarithms of signals, 0 where a cell is silent.
    threshold : float, unit of the images
        Only cells above it are loud; the others count as 0.

    Returns
    -------
    ShowerObservables

    Raises
    ------
    ValueError, TypeError
        If the images have another shape, are negative or not finite, or the threshold is negative.

    Notes
    -----
    For images lg(1 + signal) the contrast is, where signals are large, the logarithm of the ratio of the loudest
    signal to the geometric mean of its neighbours. The fluctuation is the root of the mean square of (cell - mean of
    its ring) over the rings 1, 2, ... of `radial_profile` about the loudest cell, over the mean of these cells; 0 for
    an image without a loud cell there. The first of equally loud cells counts as the loudest.

    Examples
    --------
    >>> image = np.zeros((1, 5, 5))
    >>> image[0, 2, 2], image[0, 2, 3] = 3.0, 1.6
    >>> found = shower_observables(image)
    >>> found.multiplicity, found.contrast  # 3 - 1.6 / 8
    (array([2]), array([2.8]))
    """
    values = _images(images)
    threshold = check_number(minimum=0.0, threshold=threshold)
    values = np.where(values > threshold, values, 0.0)
    n, rows, columns = values.shape
    row, column = _loudest(values)
    first = np.arange(n)
    maximum = values[first, row, column]
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)))
    around, number = np.zeros(n), np.zeros(n)
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            if (down, right) != (1, 1):
                around += padded[first, row + down, column + right]  # what lies outside is 0
                at_row, at_column = row + down - 1, column + right - 1
                number += (at_row >= 0) & (at_row < rows) & (at_column >= 0) & (at_column < columns)
    return ShowerObservables(
        total=values.sum(axis=(1, 2)),
        multiplicity=(values > 0.0).sum(axis=(1, 2)),
        maximum=maximum,
        contrast=maximum - around / number,
        fluctuation=_fluctuation(values, _rings(values.shape, row, column), min(rows, columns) // 2),
    )


def radial_profile(images: ArrayLike, *, centre: str = "middle") -> np.ndarray:
    """Mean signal in rings of one cell's width about the middle or the loudest cell, for every image.

    Parameters
    ----------
    images : array, (n, rows, columns) or (n, rows, columns, 1), at least 3 x 3 cells
    centre : {"middle", "loudest"}
        The cell (rows // 2, columns // 2), or each image's own loudest.

    Returns
    -------
    array, (n, rings), unit of the images
        Ring k holds the cells whose distance, in cells, rounds to k; k from 0 to min(rows, columns) // 2, so that
        every ring holds a cell wherever the centre is. Cells beyond the last ring are left out.

    Raises
    ------
    ValueError, TypeError
        If the images have another shape, are negative or not finite, or the centre is unknown.

    Notes
    -----
    The mean over events is the profile of a sample, the standard deviation over events its fluctuation, ring by ring.

    Examples
    --------
    >>> image = np.zeros((1, 5, 5))
    >>> image[0, 2, 2], image[0, 2, 3] = 3.0, 1.6
    >>> radial_profile(image)  # the second ring: 1.6 in one of eight cells
    array([[3. , 0.2, 0. ]])
    """
    values = _images(images)
    n, rows, columns = values.shape
    if check_choice(choices=("middle", "loudest"), centre=centre) == "middle":
        row, column = np.full(n, rows // 2), np.full(n, columns // 2)
    else:
        row, column = _loudest(values)
    return _profile(values, _rings(values.shape, row, column), min(rows, columns) // 2)[0]


def compare_distributions(first: ArrayLike, second: ArrayLike, *, seed: Seed = 0, resamples: int = 30) -> Comparison:
    """Kolmogorov-Smirnov and Wasserstein distance of two samples of one quantity.

    Parameters
    ----------
    first, second : arrays, (n,) and (m,)
        The first, of which some events must differ, is the simulation.
    seed : int or numpy.random.Generator
        For the bootstrap of the errors.
    resamples : int

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        If a sample is empty or not finite, or all events of the first are equal.

    Notes
    -----
    Neither is 0 for two samples of one distribution: the Kolmogorov-Smirnov distance is then about 0.87 sqrt(1 / n +
    1 / m) on average. Compare two simulated samples of the same size, too.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=4000)
    >>> found = compare_distributions(x, x + 0.5)
    >>> f"{found.kolmogorov_smirnov[0]:.2f} {found.wasserstein[0]:.2f}"  # exact: 0.197, 0.5
    '0.20 0.50'
    """
    simulated, other = check_array(ndim=1, first=first), check_array(ndim=1, second=second)
    width = float(simulated.std())
    if width == 0.0:
        raise ValueError(f"first must hold different numbers, got {simulated[0]:g} in all {len(simulated)} events")
    random = generator(seed)

    def largest_difference(x: np.ndarray, y: np.ndarray) -> float:
        return float(ks_2samp(x, y, method="asymp").statistic)

    def moved(x: np.ndarray, y: np.ndarray) -> float:
        return float(wasserstein_distance(x, y)) / width

    return Comparison(
        _bootstrapped(largest_difference, simulated, other, random, resamples),
        _bootstrapped(moved, simulated, other, random, resamples),
    )


def _images(images: ArrayLike) -> np.ndarray:
    """Images (n, rows, columns)."""
    values = check_array(ndim=(3, 4), minimum=0.0, images=images)
    if values.ndim == 4:
        if values.shape[-1] != 1:
            raise ValueError(f"images must have one channel, got shape {values.shape}: give one layer at a time")
        values = values[..., 0]
    if min(values.shape[1:]) < 3:
        raise ValueError(f"images must have at least 3 x 3 cells, got shape {values.shape}")
    return values


def _loudest(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the loudest cell of every image."""
    row, column = np.unravel_index(values.reshape(len(values), -1).argmax(axis=1), values.shape[1:])
    return row, column


def _rings(shape: tuple[int, ...], row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Number of the ring of every cell, (n, rows, columns)."""
    down = np.arange(shape[1])[None, :, None] - row[:, None, None]
    right = np.arange(shape[2])[None, None, :] - column[:, None, None]
    return np.rint(np.hypot(down, right)).astype(np.int64)


def _profile(values: np.ndarray, rings: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of the rings and numbers of their cells, (n, last + 1) each."""
    n = len(values)
    # one long list of bins: ring k of event i is bin i (last + 2) + k, and everything farther out is in the last one
    place = (np.arange(n)[:, None, None] * (last + 2) + np.minimum(rings, last + 1)).ravel()
    sums, cells = (
        np.bincount(place, weight, n * (last + 2)).reshape(n, last + 2)[:, :-1] for weight in (values.ravel(), None)
    )
    return sums / cells, cells


def _fluctuation(values: np.ndarray, rings: np.ndarray, last: int) -> np.ndarray:
    """Relative scatter about the profile, (n,)."""
    mean, cells = _profile(values, rings, last)
    square, _ = _profile(values**2, rings, last)
    variance = np.maximum(square - mean**2, 0.0)
    weight = cells[:, 1:] / cells[:, 1:].sum(axis=1, keepdims=True)
    level = (weight * mean[:, 1:]).sum(axis=1)
    scatter = np.sqrt((weight * variance[:, 1:]).sum(axis=1))
    return np.divide(scatter, level, out=np.zeros_like(level), where=level > 0.0)
