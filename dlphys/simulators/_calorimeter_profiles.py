"""Mean shape of electromagnetic showers, along the axis and across it (Grindhammer and Peters, hep-ex/0001020)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc

from dlphys._validation import check_array, check_choice, check_number
from dlphys.simulators._calorimeter_detectors import DETECTORS, Detector, Medium

__all__ = ["GEOMETRIES", "containment", "lateral_profile", "longitudinal_profile", "shower_parameters"]

GEOMETRIES = tuple(DETECTORS)
LOWEST_ENERGY, HIGHEST_ENERGY = 1.0, 10_000.0  # GeV


def shower_parameters(energy: ArrayLike, *, geometry: str = "book") -> dict[str, np.ndarray]:
    """Mean and fluctuation of an electron's longitudinal profile.

    With y = E / E_c: T = ln y - 0.812, a = 0.81 + (0.458 + 2.26 / Z) ln y,
    sigma(ln T) = 1 / (-1.4 + 1.26 ln y), sigma(ln a) = 1 / (-0.58 + 0.86 ln y) and the correlation
    0.705 - 0.023 ln y (Grindhammer and Peters, hep-ex/0001020, appendix). ln T and ln a are Gaussian about the
    logarithms of these T and a.

    Parameters
    ----------
    energy : float or array, any shape, GeV
        In [1, 10 000] GeV.
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    dict of arrays in the shape of ``energy``
        "maximum_depth" T (X0), "profile_shape" a, "maximum_spread" sigma(ln T), "shape_spread" sigma(ln a),
        "correlation".

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> shower_parameters([32.0, 70.0, 90.0])["maximum_depth"].round(2)
    array([7.48, 8.26, 8.52])
    """
    energy = checked_energy(energy)
    return parameters_in(detector_of(geometry).medium, energy)


def longitudinal_profile(depth: ArrayLike, energy: float, *, geometry: str = "book") -> np.ndarray:
    """Share of an average electron shower's energy for each radiation length, f(t) (1/X0).

    Parameters
    ----------
    depth : float or array, any shape, X0
        At least 0.
    energy : float, GeV
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    array, shape of ``depth``, 1/X0

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> longitudinal_profile([2.8, 7.6, 16.2], 70.0).round(4)
    array([0.0163, 0.0961, 0.0288])
    """
    depth = check_array(minimum=0.0, unit="X0", depth=depth)
    energy = check_number(minimum=LOWEST_ENERGY, maximum=HIGHEST_ENERGY, unit="GeV", energy=energy)
    mean = shower_parameters(energy, geometry=geometry)
    a = float(mean["profile_shape"])
    b = (a - 1.0) / float(mean["maximum_depth"])
    with np.errstate(divide="ignore"):
        return b * np.exp((a - 1.0) * np.log(b * depth) - b * depth - math.lgamma(a))


def containment(depth: ArrayLike, energy: float, *, geometry: str = "book") -> np.ndarray:
    """Share of an average electron shower's energy in front of a depth, the incomplete gamma function P(a, b t).

    Parameters
    ----------
    depth : float or array, any shape, X0
        At least 0.
    energy : float, GeV
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    array, shape of ``depth``

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> [float(containment(16.2, energy).round(3)) for energy in (32.0, 70.0, 90.0)]
    [0.928, 0.901, 0.891]
    """
    depth = check_array(minimum=0.0, unit="X0", depth=depth)
    energy = check_number(minimum=LOWEST_ENERGY, maximum=HIGHEST_ENERGY, unit="GeV", energy=energy)
    mean = shower_parameters(energy, geometry=geometry)
    return gammainc(mean["profile_shape"], (mean["profile_shape"] - 1.0) / mean["maximum_depth"] * depth)


def lateral_profile(
    age: ArrayLike, energy: ArrayLike, *, geometry: str = "book"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radii of the core and of the tail, and the core's share of the energy.

    Within the radius r lies the share p r^2 / (r^2 + R_C^2) + (1 - p) r^2 / (r^2 + R_T^2) of the energy at that depth.

    Parameters
    ----------
    age : float or array, any shape
        Depth over the depth of the maximum, at least 0.
    energy : float or array, GeV
        Broadcast against ``age``.
    geometry : str
        One of `GEOMETRIES`.

    Returns
    -------
    core, tail : array, cm
    share : array

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Grindhammer and Peters, hep-ex/0001020: R_C = z1 + z2 age, R_T = k1 (exp(k3 (age - k2)) + exp(k4 (age - k2))),
    p = p1 exp(x - e^x) with x = (p2 - age) / p3, in Moliere radii.

    Examples
    --------
    >>> core, tail, share = lateral_profile(1.0, 70.0)
    >>> float(core.round(2)), float(tail.round(2)), float(share.round(2))
    (0.29, 1.59, 0.86)
    """
    age = check_array(minimum=0.0, age=age)
    log_energy = np.log(checked_energy(energy))
    medium = detector_of(geometry).medium
    Z = medium.atomic_number
    core = 0.0251 + 0.00319 * log_energy + (0.1162 - 0.000381 * Z) * age
    growth = 0.3585 + 0.0412 * log_energy
    tail = (0.659 - 0.00309 * Z) * (np.exp(-2.59 * (age - 0.645)) + np.exp(growth * (age - 0.645)))
    x = (0.401 + 0.00187 * Z - age) / (1.313 - 0.0686 * log_energy)
    share = np.clip((2.632 - 0.00094 * Z) * np.exp(x - np.exp(x)), 0.0, 1.0)
    return core * medium.moliere_radius, tail * medium.moliere_radius, share


def detector_of(geometry: str) -> Detector:
    """The detector of a name that a caller gave."""
    return DETECTORS[check_choice(choices=GEOMETRIES, geometry=geometry)]


def checked_energy(energy: ArrayLike, lowest: float = LOWEST_ENERGY) -> np.ndarray:
    """Energies for which the profiles are known, in GeV."""
    return check_array(minimum=lowest, maximum=HIGHEST_ENERGY, unit="GeV", energy=energy)


def parameters_in(medium: Medium, energy: np.ndarray) -> dict[str, np.ndarray]:
    """`shower_parameters` in any medium."""
    y = np.log(1000.0 * energy / medium.critical_energy)
    return {
        "maximum_depth": y - 0.812,
        "profile_shape": 0.81 + (0.458 + 2.26 / medium.atomic_number) * y,
        "maximum_spread": 1.0 / (-1.4 + 1.26 * y),
        "shape_spread": 1.0 / (-0.58 + 0.86 * y),
        "correlation": 0.705 - 0.023 * y,
    }


def fluctuated(mean: dict[str, np.ndarray], first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T and a of showers from two standard normal numbers each."""
    rho = mean["correlation"]
    both, apart = np.sqrt(0.5 * (1.0 + rho)), np.sqrt(0.5 * (1.0 - rho))
    maximum = mean["maximum_depth"] * np.exp(mean["maximum_spread"] * (both * first + apart * second))
    shape = mean["profile_shape"] * np.exp(mean["shape_spread"] * (both * first - apart * second))
    return maximum, np.maximum(shape, 1.1)  # below 1 there is no maximum: one shower in 2000 at 1 GeV
