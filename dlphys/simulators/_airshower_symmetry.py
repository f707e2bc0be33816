"""The symmetries of a square array: four quarter turns, each with its mirror image.

Showers come from all directions alike and their cores lie in a disc, so on a square grid a turned or mirrored map is as
good a shower as the original: same energy, same depth of the maximum, the direction turned or mirrored with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlphys._random import Seed, generator

__all__ = ["random_views", "square_views"]


def square_views(maps: ArrayLike) -> np.ndarray:
    """The eight views of each map of a square array: four quarter turns, and the same of its mirror image.

    Parameters
    ----------
    maps : array, (n, k, k) or (n, k, k, channels)
        Square maps; NaN stay what they are.

    Returns
    -------
    array, (8, n, k, k) or (8, n, k, k, channels)
        The first entry is the original.

    Raises
    ------
    ValueError, TypeError
        If ``maps`` has another shape or holds no numbers.

    Examples
    --------
    >>> square_views(np.array([[[1.0, 2.0], [3.0, 4.0]]]))[:, 0].astype(int).tolist()[:2]
    [[[1, 2], [3, 4]], [[2, 4], [1, 3]]]
    """
    square = _square(maps)
    both = (square, square.swapaxes(1, 2))
    return np.stack([np.rot90(one, quarter, axes=(1, 2)) for one in both for quarter in range(4)])


def random_views(maps: ArrayLike, *, seed: Seed) -> np.ndarray:
    """Each map in one of its eight views, drawn by lot: for training, anew in each epoch.

    Parameters
    ----------
    maps : array, (n, k, k) or (n, k, k, channels)
    seed : int or numpy.random.Generator

    Returns
    -------
    array, shape and type of ``maps``

    Raises
    ------
    ValueError, TypeError
        If ``maps`` has another shape or holds no numbers.

    Examples
    --------
    >>> maps = np.arange(8.0).reshape(2, 2, 2)
    >>> views = random_views(maps, seed=1)
    >>> views.shape, views.sum(axis=(1, 2)).tolist()
    ((2, 2, 2), [6.0, 22.0])
    """
    square = _square(maps)
    lot = generator(seed).integers(8, size=len(square))
    result = np.empty_like(square)
    for view in range(8):
        drawn = lot == view
        part = square[drawn]
        result[drawn] = np.rot90(part.swapaxes(1, 2) if view > 3 else part, view % 4, axes=(1, 2))
    return result


def _square(maps: ArrayLike) -> np.ndarray:
    """The array itself in its own type: a copy in double precision of many maps would be large."""
    array = np.asarray(maps)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"maps must be an array of numbers, got type {array.dtype}")
    if array.ndim not in (3, 4) or array.shape[1] != array.shape[2]:
        raise ValueError(f"maps must have shape (n, k, k) or (n, k, k, channels), got {array.shape}")
    return array
