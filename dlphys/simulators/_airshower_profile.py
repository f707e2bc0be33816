"""Development of a shower along its axis: the Gaisser-Hillas profile and the depth of the shower maximum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, polygamma, psi

from dlphys._validation import check_array, check_choice, check_number, check_positive

__all__ = ["MODELS", "gaisser_hillas", "gaisser_hillas_integral", "xmax_moments", "xmax_parameters"]

# M. De Domenico, M. Settimo, S. Riggi, E. Bertin, JCAP 07 (2013) 050 (arXiv:1305.2331), table 1. Rows: powers of
# l = lg(E / 10 EeV); columns: powers of ln A. g/cm^2, except for the shape.
_GUMBEL = {
    "EPOS-LHC": (
        ((775.589, -7.047, -2.427), (57.589, -0.743, 0.214), (-0.820, -0.169, -0.027)),
        ((29.403, 13.553, -3.154), (0.096, -0.961, 0.150)),
        ((0.563, 0.711, 0.058), (0.039, 0.067, -0.004)),
    ),
    "QGSJetII-04": (
        ((761.383, -11.719, -1.372), (57.344, -1.731, 0.309), (-0.355, 0.273, -0.137)),
        ((35.221, 12.335, -2.889), (0.307, -1.147, 0.271)),
        ((0.673, 0.694, -0.007), (0.060, -0.019, 0.017)),
    ),
    "Sibyll2.1": (
        ((770.104, -15.873, -0.960), (58.668, -0.124, -0.023), (-1.423, 0.977, -0.191)),
        ((31.717, 1.335, -0.601), (-1.912, 0.007, 0.086)),
        ((0.683, 0.278, 0.012), (0.008, 0.051, 0.003)),
    ),
}
MODELS = tuple(_GUMBEL)


class GumbelParameters(NamedTuple):
    """Location (g/cm^2), scale (g/cm^2) and shape of a generalised Gumbel distribution."""

    location: np.ndarray
    scale: np.ndarray
    shape: np.ndarray


def gumbel_coefficients(mass: float, model: str) -> np.ndarray:
    """Polynomials in l = lg(E / 10 EeV) of location, scale and shape for one nucleus; (3, 3), constant term first."""
    log_mass = np.log(mass) ** np.arange(3)
    coefficients = np.zeros((3, 3))
    for i, polynomial in enumerate(_GUMBEL[model]):
        coefficients[i, : len(polynomial)] = np.array(polynomial) @ log_mass
    return coefficients


def xmax_parameters(log_energy: ArrayLike, *, mass: float = 1, model: str = "EPOS-LHC") -> GumbelParameters:
    """Parameters of the generalised Gumbel distribution of the depth of the shower maximum.

    Xmax = location - scale ln(g), where g is gamma distributed with the given shape and mean 1.

    Parameters
    ----------
    log_energy : float or array, any shape
        lg(E / eV) in [17, 21]. The fit of the reference covers 17 to 20.
    mass : float
        Number of nucleons, in [1, 56].
    model : {"EPOS-LHC", "QGSJetII-04", "Sibyll2.1"}
        Model of the hadronic interactions.

    Returns
    -------
    GumbelParameters
        location (g/cm^2), scale (g/cm^2), shape; each of the shape of ``log_energy``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    M. De Domenico et al., JCAP 07 (2013) 050, equation 3.1 and table 1.

    Examples
    --------
    >>> xmax_parameters(19.0).location
    array(775.589)
    """
    log_energy = check_array(minimum=17.0, maximum=21.0, log_energy=log_energy)
    mass = check_number(minimum=1.0, maximum=56.0, mass=mass)
    check_choice(choices=MODELS, model=model)
    powers = (log_energy[..., None] - 19.0) ** np.arange(3)
    values = powers @ gumbel_coefficients(mass, model).T
    return GumbelParameters(*(np.asarray(values[..., i]) for i in range(3)))


def xmax_moments(log_energy: ArrayLike, *, mass: float = 1, model: str = "EPOS-LHC") -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the depth of the shower maximum, in closed form.

    With location m, scale s, shape k: mean = m + s (ln k - psi(k)), standard deviation = s sqrt(psi'(k)).

    Parameters
    ----------
    log_energy : float or array, any shape
        lg(E / eV) in [17, 21].
    mass : float
        Number of nucleons, in [1, 56].
    model : {"EPOS-LHC", "QGSJetII-04", "Sibyll2.1"}

    Returns
    -------
    mean, deviation : arrays, shape of ``log_energy``, g/cm^2
        Of all showers; those that `simulate` keeps reach their maximum at least 200 m above the ground.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> mean, deviation = xmax_moments(19.0, mass=56)
    >>> print(mean.round(1), deviation.round(1))
    711.8 16.7
    """
    location, scale, shape = xmax_parameters(log_energy, mass=mass, model=model)
    mean = location + scale * (np.log(shape) - psi(shape))
    return np.asarray(mean), np.asarray(scale * np.sqrt(polygamma(1, shape)))


def _check_profile(x_max: float, x_0: float, attenuation: float) -> None:
    check_positive(unit="g/cm^2", attenuation=attenuation)
    x_max = check_number(unit="g/cm^2", x_max=x_max)
    check_number(maximum=x_max, exclusive=True, unit="g/cm^2", x_0=x_0)


def gaisser_hillas(
    depth: ArrayLike, *, x_max: float, x_0: float = -121.0, attenuation: float = 61.0, n_max: float = 1.0
) -> np.ndarray:
    """Number of particles, or energy deposit, along the shower axis.

    N(X) = n_max ((X - x_0) / (x_max - x_0))^((x_max - x_0) / L) exp((x_max - X) / L) with L the attenuation length,
    and 0 for X below x_0.

    Parameters
    ----------
    depth : float or array, any shape, g/cm^2
        Slant depth X.
    x_max, x_0 : float, g/cm^2
        Depth of the maximum, and where the profile begins; x_0 is a parameter of shape and mostly negative.
    attenuation : float, g/cm^2
    n_max : float
        Value at the maximum, in any unit.

    Returns
    -------
    array, shape of ``depth``, unit of ``n_max``

    Raises
    ------
    ValueError, TypeError
        If x_0 is not below x_max, or an argument is out of range.

    References
    ----------
    T. K. Gaisser and A. M. Hillas, Proc. 15th ICRC (1977) 8, 353.

    Examples
    --------
    >>> gaisser_hillas([-200.0, 750.0, 1000.0], x_max=750.0).round(3)
    array([0.   , 1.   , 0.609])
    """
    depth = check_array(unit="g/cm^2", depth=depth)
    _check_profile(x_max, x_0, attenuation)
    check_positive(n_max=n_max)
    xi = (x_max - x_0) / attenuation
    relative = np.maximum((depth - x_0) / (x_max - x_0), 0.0)
    with np.errstate(divide="ignore"):  # ln 0 = -inf is right: no particle
        return n_max * np.exp(xi * (np.log(relative) + 1.0 - relative))


def gaisser_hillas_integral(
    *, x_max: float, x_0: float = -121.0, attenuation: float = 61.0, n_max: float = 1.0
) -> float:
    """Integral of the profile over all depths: n_max L e^xi xi^-xi Gamma(xi + 1), with xi = (x_max - x_0) / L.

    For a profile of the energy deposit this is the calorimetric energy of the shower.

    Parameters
    ----------
    x_max, x_0, attenuation, n_max : float
        As in `gaisser_hillas`.

    Returns
    -------
    float, unit of ``n_max`` times g/cm^2

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> round(gaisser_hillas_integral(x_max=750.0), 7)
    581.1632535
    """
    _check_profile(x_max, x_0, attenuation)
    check_positive(n_max=n_max)
    xi = (x_max - x_0) / attenuation
    return float(n_max * attenuation * np.exp(xi - xi * np.log(xi) + gammaln(xi + 1.0)))
