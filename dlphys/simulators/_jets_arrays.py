"""What the functions on constituents share: checks, four-momenta, and loops over jets in threads."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, sin, sinh, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import fill_blocks
from dlphys._numba import compiled
from dlphys._validation import check_array

BLOCK = 512  # jets


@compiled(nogil=True, fastmath={"reassoc"})  # adds in any order, several at a time
def all_valid(constituents: np.ndarray) -> bool:
    """Whether all entries are finite and no transverse momentum is negative, in one pass without copies."""
    flat = constituents.reshape(len(constituents), -1)
    for i in range(len(flat)):
        jet = flat[i]
        total, negative = 0.0, 0
        for k in range(len(jet)):
            total += abs(jet[k])
        for k in range(0, len(jet), 4):
            negative += jet[k] < 0.0
        if negative or not total < np.inf:
            return False
    return True


def check_constituents(constituents: ArrayLike) -> np.ndarray:
    """Constituents (n, k, 4) in their own precision: float32 or float64, no transverse momentum below zero."""
    if isinstance(constituents, np.ndarray) and constituents.dtype in (np.float32, np.float64):
        usual = constituents.ndim == 3 and constituents.shape[2] == 4 and constituents.flags.c_contiguous
        if usual and constituents.size and all_valid(constituents):
            return constituents  # otherwise the slower way, which says what is wrong
    array = check_array(shape=(None, None, 4), dtype=None, constituents=constituents)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if (array[..., 0] < 0.0).any():
        raise ValueError(f"constituents must have pt of at least 0 GeV, got {array[..., 0].min():g}")
    return array


def check_like_constituents(constituents: np.ndarray, **argument: Any) -> np.ndarray:
    """An array (n, k) with an entry for every constituent."""
    ((name, value),) = argument.items()
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.shape == constituents.shape[:2]:
        return value  # integers are finite
    return check_array(shape=constituents.shape[:2], dtype=None, **{name: value})


def over_blocks(work: Callable[[np.ndarray, slice], None], constituents: np.ndarray, title: str) -> None:
    """``work(jets, rows)`` for blocks of jets, which it gets as float64."""

    def fill(number: int, rows: slice) -> None:
        work(np.ascontiguousarray(constituents[rows], dtype=np.float64), rows)

    fill_blocks(fill, len(constituents), block=BLOCK, title=title)


@compiled(nogil=True)
def add_momenta(jets: np.ndarray, total: np.ndarray) -> None:
    """Add the four-momenta of all constituents of each jet, wherever its padding stands."""
    for j in range(len(jets)):
        for i in range(jets.shape[1]):
            pt, eta, phi, mass = jets[j, i, 0], jets[j, i, 1], jets[j, i, 2], jets[j, i, 3]
            if pt > 0.0:
                pz = pt * sinh(eta)
                total[j, 0] += sqrt(pt * pt + pz * pz + mass * mass)
                total[j, 1] += pt * cos(phi)
                total[j, 2] += pt * sin(phi)
                total[j, 3] += pz


def four_momenta(constituents: ArrayLike) -> np.ndarray:
    """Energies and momenta of constituents.

    E = sqrt(pt^2 cosh(eta)^2 + m^2), p_x = pt cos(phi), p_y = pt sin(phi), p_z = pt sinh(eta).

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; rows of padding have pt = 0.

    Returns
    -------
    array, (n, k, 4), of the type of ``constituents``, GeV
        E, p_x, p_y, p_z; zeros for padding.

    Raises
    ------
    ValueError, TypeError
        If the array has another shape, or a transverse momentum is negative.

    Examples
    --------
    >>> four_momenta(np.array([[[3.0, 0.0, 0.0, 4.0]]]))
    array([[[5., 3., 0., 0.]]])
    """
    array = check_constituents(constituents)
    pt, eta, phi, mass = np.moveaxis(array, -1, 0)
    mass = np.where(pt > 0, mass, 0)
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)
    return np.stack([energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)


def jet_momentum(constituents: ArrayLike) -> np.ndarray:
    """Four-momenta of the jets: the sum over the constituents, in float64.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0.

    Returns
    -------
    array, (n, 4), float64, GeV
        E, p_x, p_y, p_z.

    Raises
    ------
    ValueError, TypeError
        As for `four_momenta`.

    Examples
    --------
    >>> two = np.array([[[50.0, 0.0, 0.5, 0.0], [50.0, 0.0, -0.5, 0.0]]])
    >>> jet_momentum(two).round(2)
    array([[100.  ,  87.76,   0.  ,   0.  ]])
    """
    array = check_constituents(constituents)
    total = np.zeros((len(array), 4))
    over_blocks(lambda jets, rows: add_momenta(jets, total[rows]), array, "jet momenta")
    return total


def jet_mass(constituents: ArrayLike) -> np.ndarray:
    """Invariant masses of the jets, m^2 = (sum E)^2 - (sum p)^2. Infrared and collinear safe.

    Parameters
    ----------
    constituents : array, (n, k, 4), GeV and rad
        pt, eta, phi, mass; padding has pt = 0.

    Returns
    -------
    array, (n,), float64, GeV

    Raises
    ------
    ValueError, TypeError
        As for `four_momenta`.

    Examples
    --------
    >>> two = np.array([[[50.0, 0.0, 0.5, 0.0], [50.0, 0.0, -0.5, 0.0]]])
    >>> jet_mass(two).round(2)
    array([47.94])
    """
    total = jet_momentum(constituents)
    return np.sqrt(np.maximum(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1), 0.0))
