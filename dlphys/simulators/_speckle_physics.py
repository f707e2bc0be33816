"""Form factors and structure factors of small-angle scattering: the library behind the scattering images.

All are functions of a momentum transfer q = 4 pi sin(angle / 2) / wavelength in nm^-1; lengths are in nm. A form
factor is 1 at q = 0, a structure factor 1 far away from its peaks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import j1

from dlphys._validation import check_array

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def sphere_form_factor(q: ArrayLike, *, radius: ArrayLike, spread: ArrayLike = 0.1) -> np.ndarray:
    """Intensity scattered by spheres whose radii follow a Schulz (gamma) distribution.

    One sphere has F(q) = 3 (sin x - x cos x) / x^3 with x = q R: rings, the first dark one at x = 4.493. The mean of
    R^6 F^2 over the radii has a closed form, since that of R^m exp(2 i q R) has one.

    Parameters
    ----------
    q : array, nm^-1
    radius : array that broadcasts with ``q``, nm
        Mean radius.
    spread : array that broadcasts with ``q``
        Standard deviation of the radii over their mean, 0.01 to 1.

    Returns
    -------
    array
        <R^6 F^2> / <R^6>.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    M. Kotlarchyk and S.-H. Chen, J. Chem. Phys. 79 (1983) 2461.

    Examples
    --------
    >>> sphere_form_factor([0.0, 0.3, 0.4493], radius=10.0, spread=0.01).round(4)
    array([1.    , 0.1192, 0.    ])
    """
    q = check_array(allow_empty=True, minimum=0.0, unit="nm^-1", q=q)
    radius = check_array(allow_empty=True, minimum=1e-3, unit="nm", radius=radius)
    spread = check_array(allow_empty=True, minimum=0.01, maximum=1.0, spread=spread)
    shape = 1.0 / spread**2
    x = np.maximum(q * radius, 0.05)  # below, the difference of large terms would lose all its digits
    # moments of r = R / radius and of r^m exp(2 i x r), r ~ Gamma(shape, spread^2)
    # the last is b^-m-shape with b = 1 - 2 i x spread^2; in real numbers, which are faster: |b|^-shape and its phase
    slope = 2.0 * x * spread**2
    square = 1.0 + slope**2
    size, phase = np.exp(-0.5 * shape * np.log1p(slope**2)), shape * np.arctan(slope)
    cos, sin = size * np.cos(phase), size * np.sin(phase)
    second = 1.0 + spread**2
    sixth, eighth = (np.prod([1.0 + k * spread**2 for k in range(m)], axis=0) for m in (6, 8))
    mean = 0.5 * (1.0 - cos) - x * (sin + slope * cos) / square
    mean = mean + 0.5 * x**2 * second * (1.0 + ((1.0 - slope**2) * cos - 2.0 * slope * sin) / square**2)
    guinier = np.exp(-((q * radius) ** 2) * 0.2 * eighth / sixth)
    return np.where(q * radius < 0.05, guinier, np.maximum(9.0 * mean / ((x * x * x) ** 2 * sixth), 0.0))


def hard_sphere_structure_factor(q: ArrayLike, *, radius: ArrayLike, fraction: ArrayLike) -> np.ndarray:
    """Structure factor of hard spheres that fill a fraction of the volume, after Percus and Yevick.

    Parameters
    ----------
    q : array, nm^-1
    radius : array that broadcasts with ``q``, nm
        Half the distance of closest approach.
    fraction : array that broadcasts with ``q``
        Volume fraction, 0 to 0.5.

    Returns
    -------
    array
        S(q); S(0) = (1 - f)^4 / (1 + 2 f)^2.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    M. S. Wertheim, Phys. Rev. Lett. 10 (1963) 321; J. K. Percus and G. J. Yevick, Phys. Rev. 110 (1958) 1.

    Examples
    --------
    >>> hard_sphere_structure_factor([0.0, 0.32, 5.0], radius=10.0, fraction=0.3).round(3)
    array([0.094, 1.513, 1.001])
    """
    q = check_array(allow_empty=True, minimum=0.0, unit="nm^-1", q=q)
    radius = check_array(allow_empty=True, minimum=1e-3, unit="nm", radius=radius)
    f = check_array(allow_empty=True, minimum=0.0, maximum=0.5, fraction=fraction)
    x = np.maximum(2.0 * q * radius, 0.05)  # series below are not needed: S is flat there to 1e-4
    # direct correlation function -c(r) = a + b r + d r^3 inside the diameter, r in diameters
    a = (1.0 + 2.0 * f) ** 2 / (1.0 - f) ** 4
    b = -6.0 * f * (1.0 + 0.5 * f) ** 2 / (1.0 - f) ** 4
    d = 0.5 * f * a
    sin, cos = np.sin(x), np.cos(x)
    second = x * x  # powers above the second are slow
    fourth = second * second
    linear = (sin - x * cos) / (second * x)
    quadratic = (2.0 * x * sin - (second - 2.0) * cos - 2.0) / fourth
    quartic = (4.0 * x * (second - 6.0) * sin - (fourth - 12.0 * second + 24.0) * cos + 24.0) / (fourth * second)
    return 1.0 / (1.0 + 24.0 * f * (a * linear + b * quadratic + d * quartic))


def cylinder_form_factor(q_lateral: ArrayLike, *, radius: ArrayLike, spread: ArrayLike = 0.1) -> np.ndarray:
    """Lateral form factor of upright cylinders: (2 J1(x) / x)^2, x = q R, averaged over Gaussian radii.

    The dependence on the momentum transfer along the axis is that of a film, `film_form_factor`.

    Parameters
    ----------
    q_lateral : array, nm^-1
        Momentum transfer across the axis.
    radius : array that broadcasts with ``q_lateral``, nm
    spread : array that broadcasts with ``q_lateral``
        Standard deviation of the radii over their mean, 0 to 0.3.

    Returns
    -------
    array
        <R^4 F^2> / <R^4>.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The mean over radii is a Gauss-Hermite sum of five terms: exact to 1 % of the value at q = 0 as far as
    q R spread < 2, where less than 1e-4 of the intensity is left.

    Examples
    --------
    >>> cylinder_form_factor([0.0, 0.1, 0.38317], radius=10.0, spread=0.0).round(4)
    array([1.    , 0.7746, 0.    ])
    """
    q = np.abs(check_array(allow_empty=True, unit="nm^-1", q_lateral=q_lateral))
    radius = check_array(allow_empty=True, minimum=1e-3, unit="nm", radius=radius)
    spread = check_array(allow_empty=True, minimum=0.0, maximum=0.3, spread=spread)
    total, fourth = np.zeros(()), np.zeros(())
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        size = 1.0 + spread * node
        x = np.maximum(q * radius * size, 1e-6)
        total = total + weight * size**4 * (2.0 * j1(x) / x) ** 2
        fourth = fourth + weight * size**4
    return total / fourth


def film_form_factor(q_normal: ArrayLike, *, thickness: ArrayLike, roughness: ArrayLike = 0.0) -> np.ndarray:
    """Form factor across a layer: (sin(q d / 2) / (q d / 2))^2, whose fringes fade with the spread of d.

    Gaussian thicknesses of mean d and standard deviation s: <sin^2(q d / 2)> = (1 - exp(-q^2 s^2 / 2) cos q d) / 2.

    Parameters
    ----------
    q_normal : array, nm^-1
    thickness : array that broadcasts with ``q_normal``, nm
        Of a film, or the height of cylinders.
    roughness : array that broadcasts with ``q_normal``, nm
        Standard deviation s of the thickness.

    Returns
    -------
    array

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> film_form_factor([0.0, np.pi / 20, 2 * np.pi / 20], thickness=20.0).round(4)
    array([1.    , 0.4053, 0.    ])
    """
    q = check_array(allow_empty=True, unit="nm^-1", q_normal=q_normal)
    thickness = check_array(allow_empty=True, minimum=1e-3, unit="nm", thickness=thickness)
    roughness = check_array(allow_empty=True, minimum=0.0, unit="nm", roughness=roughness)
    x = np.maximum(np.abs(q * thickness), 1e-4)
    # 1 - e cos = (1 - cos) + (1 - e) cos, without the loss of digits at small q
    fringes = 2.0 * np.sin(0.5 * x) ** 2 - np.expm1(-0.5 * (q * roughness) ** 2) * np.cos(x)
    return 2.0 * fringes / (x**2 * (1.0 + (roughness / thickness) ** 2))


def kiessig_fringes(
    q_normal: ArrayLike, *, thickness: ArrayLike, roughness: ArrayLike, contrast: ArrayLike = 1.0
) -> np.ndarray:
    """Interference of the waves scattered by the two rough faces of a film.

    |exp(-q^2 s^2 / 2) (1 + c exp(i q d))|^2 / (1 + c)^2: bright at q = 2 pi k / d.

    Parameters
    ----------
    q_normal : array, nm^-1
    thickness : array that broadcasts with ``q_normal``, nm
    roughness : array that broadcasts with ``q_normal``, nm
        Standard deviation s of the height of each face.
    contrast : array that broadcasts with ``q_normal``
        Amplitude of the lower face over that of the upper one, 0 to 1.

    Returns
    -------
    array

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    H. Kiessig, Ann. Phys. 402 (1931) 769.

    Examples
    --------
    >>> kiessig_fringes([0.0, np.pi / 20, 2 * np.pi / 20], thickness=20.0, roughness=0.0).round(6)
    array([1., 0., 1.])
    """
    q = check_array(allow_empty=True, unit="nm^-1", q_normal=q_normal)
    thickness = check_array(allow_empty=True, minimum=1e-3, unit="nm", thickness=thickness)
    roughness = check_array(allow_empty=True, minimum=0.0, unit="nm", roughness=roughness)
    c = check_array(allow_empty=True, minimum=0.0, maximum=1.0, contrast=contrast)
    faces = 1.0 + c**2 + 2.0 * c * np.cos(q * thickness)
    return np.exp(-((q * roughness) ** 2)) * faces / (1.0 + c) ** 2


def paracrystal_structure_factor(q_lateral: ArrayLike, *, spacing: ArrayLike, disorder: ArrayLike) -> np.ndarray:
    """Structure factor of a row of objects whose spacings vary: peaks at q = 2 pi k / spacing that broaden outwards.

    S(q) = (1 - p^2) / (1 + p^2 - 2 p cos(q D)), p = exp(-q^2 w^2 / 2). Along the surface normal each peak
    is a truncation rod.

    Parameters
    ----------
    q_lateral : array, nm^-1
    spacing : array that broadcasts with ``q_lateral``, nm
        Mean spacing D.
    disorder : array that broadcasts with ``q_lateral``, nm
        Standard deviation w of the spacing, above 0.

    Returns
    -------
    array

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    At q = 0 the limit (w / D)^2 is returned: the fluctuation of the number of objects.

    References
    ----------
    R. Hosemann, Z. Phys. 128 (1950) 465.

    Examples
    --------
    >>> paracrystal_structure_factor([0.1 * np.pi, 0.2 * np.pi, 3.0], spacing=20.0, disorder=2.0).round(3)
    array([10.165,  2.663,  1.   ])
    """
    q = check_array(allow_empty=True, unit="nm^-1", q_lateral=q_lateral)
    spacing = check_array(allow_empty=True, minimum=1e-3, unit="nm", spacing=spacing)
    disorder = check_array(allow_empty=True, minimum=1e-6, unit="nm", disorder=disorder)
    q = np.maximum(np.abs(q), 1e-6)
    half = 0.5 * (q * disorder) ** 2
    p = np.exp(-half)
    # 1 + p^2 - 2 p cos = (1 - p)^2 + 4 p sin^2, positive to the last digit
    return -np.expm1(-2.0 * half) / (np.expm1(-half) ** 2 + 4.0 * p * np.sin(0.5 * q * spacing) ** 2)


def vineyard_factor(k_normal: ArrayLike, *, k_critical: ArrayLike, absorption: float = 0.0) -> np.ndarray:
    """|t|^2, the intensity at the surface for a wave that leaves it: the Yoneda line stands where it is largest.

    t = 2 k / (k + k'), k'^2 = k^2 - k_c^2 (1 - i a): 4 at the critical angle without absorption, 1 far above, and
    0 at and below the horizon.

    Parameters
    ----------
    k_normal : array, nm^-1
        Normal component of the wave vector, k sin(exit angle); negative below the horizon.
    k_critical : array that broadcasts with ``k_normal``, nm^-1
        Its value at the critical angle.
    absorption : float
        a, beta over delta of the refractive index 1 - delta + i beta.

    Returns
    -------
    array

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    G. H. Vineyard, Phys. Rev. B 26 (1982) 4146; Y. Yoneda, Phys. Rev. 131 (1963) 2010.

    Examples
    --------
    >>> vineyard_factor([-0.1, 0.0, 0.1, 0.2, 1e3], k_critical=0.2).round(3)
    array([0., 0., 1., 4., 1.])
    """
    k = check_array(allow_empty=True, unit="nm^-1", k_normal=k_normal)
    critical = check_array(allow_empty=True, minimum=1e-6, unit="nm^-1", k_critical=k_critical)
    a = float(check_array(ndim=0, minimum=0.0, maximum=10.0, absorption=absorption))
    k = np.maximum(k, 0.0)
    # in real numbers, which are faster: |k + k'|^2 = k^2 + |k'|^2 + 2 k Re k', and Re k' from k'^2 = real + i a k_c^2
    real = k**2 - critical**2
    square = np.hypot(real, a * critical**2)
    inside = np.sqrt(np.maximum(0.5 * (square + real), 0.0))
    return 4.0 * k**2 / (k**2 + square + 2.0 * k * inside)
