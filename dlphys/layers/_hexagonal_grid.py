"""Hexagonal grids in square arrays: axial coordinates, their rotation, and the way from offset coordinates.

The cell (q, r) lies at x = q + r / 2, y = r sqrt(3) / 2 in units of the distance of neighbours, so that the q axis
points to the right and the r axis 60 degrees upwards. It stands in row R + r and column R + q of an array with
2 R + 1 rows and columns; a hexagon of radius R leaves two corners of the array unused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlphys._validation import check_array, check_count

__all__ = ["TURNS", "axial_to_offset", "cells", "hexagon_mask", "offset_to_axial", "rotate_hexagon", "turned"]

TURNS = 6  # of 60 degrees make a full rotation


def cells(radius: int) -> np.ndarray:
    """Axial coordinates (q, r) of all cells at most ``radius`` steps from (0, 0), shape (3 R (R + 1) + 1, 2)."""
    r, q = np.indices((2 * radius + 1, 2 * radius + 1)) - radius
    inside = np.abs(q + r) <= radius
    return np.stack([q[inside], r[inside]], axis=-1)


def turned(places: np.ndarray, turns: int) -> np.ndarray:
    """Axial coordinates (..., 2) after ``turns`` rotations by 60 degrees, counter-clockwise: (q, r) -> (-r, q + r)."""
    for _ in range(turns % TURNS):
        places = np.stack([-places[..., 1], places[..., 0] + places[..., 1]], axis=-1)
    return places


def hexagon_mask(radius: int) -> np.ndarray:
    """Which entries of a square array in axial coordinates belong to the hexagon.

    Parameters
    ----------
    radius : int
        Steps from the central cell to the border, at least 0.

    Returns
    -------
    array of bool, (2 radius + 1, 2 radius + 1)
        3 radius (radius + 1) + 1 entries are True.

    Raises
    ------
    ValueError, TypeError
        If ``radius`` is negative or not whole.

    Examples
    --------
    >>> hexagon_mask(1).astype(int)
    array([[0, 1, 1],
           [1, 1, 1],
           [1, 1, 0]])
    """
    radius = check_count(minimum=0, radius=radius)
    r, q = np.indices((2 * radius + 1, 2 * radius + 1)) - radius
    return np.asarray(np.abs(q + r) <= radius)


def rotate_hexagon(maps: ArrayLike, turns: int = 1) -> np.ndarray:
    """Rotate maps in axial coordinates about their central cell, by steps of 60 degrees counter-clockwise.

    Parameters
    ----------
    maps : array, (n, side, side) or (n, side, side, ...)
        With an odd side; first row, then column.
    turns : int
        Number of steps, also negative.

    Returns
    -------
    array, shape and type of ``maps``
        0 in the corners outside the hexagon.

    Raises
    ------
    ValueError, TypeError
        If the maps are not square with an odd side, or ``turns`` is not whole.

    Notes
    -----
    Exact: every cell of a hexagon lands on a cell. Six turns are the identity.

    Examples
    --------
    >>> row = np.zeros((1, 3, 3))
    >>> row[0, 1] = 1, 2, 3
    >>> rotate_hexagon(row)[0].astype(int)
    array([[0, 1, 0],
           [0, 2, 0],
           [0, 3, 0]])
    """
    maps, radius = _maps(maps)
    turns = check_count(minimum=-1_000_000, turns=turns)
    target = cells(radius)
    column, row = (turned(target, -turns) + radius).T
    result = np.zeros_like(maps)
    result[:, target[:, 1] + radius, target[:, 0] + radius] = maps[:, row, column]
    return result


def offset_to_axial(maps: ArrayLike) -> np.ndarray:
    """The central hexagon of maps in offset coordinates, as maps in axial coordinates.

    Parameters
    ----------
    maps : array, (n, side, side) or (n, side, side, ...)
        With an odd side. Rows an odd number of steps from the central one are shifted by half a step to the right, as
        in ``dlphys.simulators.airshower.station_positions("hexagonal")``.

    Returns
    -------
    array, shape and type of ``maps``
        0 outside the hexagon. Cells of ``maps`` outside it (20 of 81 for a side of 9) are left out.

    Raises
    ------
    ValueError, TypeError
        If the maps are not square with an odd side.

    Notes
    -----
    q = column - (row - (row mod 2)) / 2 and r = row, counted from the centre.

    Examples
    --------
    >>> offset_to_axial(np.arange(1, 10).reshape(1, 3, 3))[0]
    array([[0, 1, 2],
           [4, 5, 6],
           [7, 8, 0]])
    """
    maps, radius = _maps(maps)
    (q, r), column = cells(radius).T, _offset_columns(radius)
    result = np.zeros_like(maps)
    result[:, r + radius, q + radius] = maps[:, r + radius, column]
    return result


def axial_to_offset(maps: ArrayLike) -> np.ndarray:
    """Maps in axial coordinates as maps in offset coordinates: the way back from `offset_to_axial`.

    Parameters
    ----------
    maps : array, (n, side, side) or (n, side, side, ...)
        With an odd side; what stands outside the hexagon is left out.

    Returns
    -------
    array, shape and type of ``maps``
        0 for the cells outside the hexagon.

    Raises
    ------
    ValueError, TypeError
        If the maps are not square with an odd side.

    Examples
    --------
    >>> axial_to_offset(np.array([[[0, 1, 2], [4, 5, 6], [7, 8, 0]]]))[0]
    array([[1, 2, 0],
           [4, 5, 6],
           [7, 8, 0]])
    """
    maps, radius = _maps(maps)
    (q, r), column = cells(radius).T, _offset_columns(radius)
    result = np.zeros_like(maps)
    result[:, r + radius, column] = maps[:, r + radius, q + radius]
    return result


def _offset_columns(radius: int) -> np.ndarray:
    """Column of each cell of the hexagon in an array in offset coordinates."""
    q, r = cells(radius).T
    return np.asarray(q + (r - r % 2) // 2 + radius)


def _maps(maps: Any) -> tuple[np.ndarray, int]:
    """The maps as an array that keeps its type, and the radius of the hexagon."""
    given = check_array(allow_nan=True, dtype=None, maps=maps)
    if given.ndim < 3 or given.shape[1] != given.shape[2] or given.shape[1] % 2 == 0:
        raise ValueError(f"maps must have a shape (n, side, side, ...) with an odd side, got {given.shape}")
    return given, given.shape[1] // 2
