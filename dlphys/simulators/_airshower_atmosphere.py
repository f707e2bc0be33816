"""The atmosphere in five layers: how much air lies above a height, and at what height a depth is reached.

X(h) = a_i + b_i exp(-h / c_i) in the four lower layers and a_5 - b_5 h / c_5 in the top one: the U.S. standard
atmosphere as CORSIKA has it after Keilhauer. The Earth is flat: slant depth is vertical depth over cos(zenith).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_array

__all__ = ["GROUND", "TOP", "atmospheric_depth", "atmospheric_height", "depth_at", "height_at"]

GROUND = 1400.0  # m above sea level
TOP = 112_829.2  # m, where the depth is zero

# bottom (m), a (g/cm^2), b (g/cm^2), c (m) of each layer
_BOTTOM = (0.0, 7e3, 11.4e3, 37e3, 100e3)
_A = (-149.801663, -57.932486, 0.63631894, 4.35453690e-4, 0.01128292)
_B = (1183.6071, 1143.0425, 1322.9748, 655.67307, 1.0)
_C = (9542.4834, 8000.0534, 6295.6893, 7375.2177, 1e7)
_SURFACE = _A[0] + _B[0]  # g/cm^2 at sea level
# depth at the bottom of each layer; where two layers meet, the formulas differ by up to 1e-5 g/cm^2
_BOTTOM_DEPTH = (
    *(a + b * math.exp(-h / c) for h, a, b, c in zip(_BOTTOM[:4], _A[:4], _B[:4], _C[:4], strict=True)),
    _A[4] - _B[4] * _BOTTOM[4] / _C[4],
)


@compiled(nogil=True)
def depth_at(height: float) -> float:
    """Vertical depth (g/cm^2) above a height (m)."""
    layer = 0
    while layer < 4 and height >= _BOTTOM[layer + 1]:
        layer += 1
    if layer == 4:
        return _A[4] - _B[4] * height / _C[4]
    return _A[layer] + _B[layer] * math.exp(-height / _C[layer])


@compiled(nogil=True)
def height_at(depth: float) -> float:
    """Height (m) above which there is a vertical depth (g/cm^2): the inverse of `depth_at`."""
    layer = 0
    while layer < 4 and depth <= _BOTTOM_DEPTH[layer + 1]:
        layer += 1
    if layer == 4:
        return (_A[4] - depth) * _C[4] / _B[4]
    return -_C[layer] * math.log((depth - _A[layer]) / _B[layer])


@compiled(nogil=True)
def _each(invert: bool, values: np.ndarray) -> np.ndarray:
    result = np.empty_like(values)
    for i in range(len(values)):
        result[i] = height_at(values[i]) if invert else depth_at(values[i])
    return result


def atmospheric_depth(height: ArrayLike) -> np.ndarray:
    """Vertical depth: the mass of air above a square centimetre.

    Parameters
    ----------
    height : float or array, any shape, m above sea level
        In [0, 112 829].

    Returns
    -------
    array, shape of ``height``, g/cm^2

    Raises
    ------
    ValueError, TypeError
        If a height is outside the atmosphere or no number.

    References
    ----------
    CORSIKA user's guide, appendix on atmospheric parameters, "U.S. standard atmosphere, Keilhauer".

    Examples
    --------
    >>> atmospheric_depth([0.0, 1400.0, 10_000.0]).round(2)
    array([1033.81,  872.29,  269.56])
    """
    height = check_array(minimum=0.0, maximum=TOP, unit="m", height=height)
    return _each(False, height.ravel()).reshape(height.shape)


def atmospheric_height(depth: ArrayLike) -> np.ndarray:
    """Height at which a vertical depth is reached: the inverse of `atmospheric_depth`.

    Parameters
    ----------
    depth : float or array, any shape, g/cm^2
        In [0, 1033.8]. For a slant depth along a shower axis give depth * cos(zenith).

    Returns
    -------
    array, shape of ``depth``, m above sea level

    Raises
    ------
    ValueError, TypeError
        If a depth does not occur in the atmosphere or is no number.

    Examples
    --------
    >>> atmospheric_height([750.0, 870.0]).round(0)
    array([2616., 1421.])
    """
    depth = check_array(minimum=0.0, maximum=_SURFACE, unit="g/cm^2", depth=depth)
    return _each(True, depth.ravel()).reshape(depth.shape)
