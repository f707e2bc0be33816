"""Relativistic kinematics of decays: readable functions for arrays, and the compiled ones that the events use.

Four-momenta are (E, px, py, pz) in GeV, with c = 1.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from dlphys._numba import compiled
from dlphys._validation import check_array, check_positive

W_MASS, W_WIDTH = 80.4, 2.085  # GeV
TOP_MASS, TOP_WIDTH = 172.5, 1.4
HIGGS_MASS = 125.0
BOTTOM_MASS = 4.7

TAGS = np.array([(0.945, 0.040, 0.015), (0.74, 0.14, 0.12), (0.26, 0.14, 0.60)])  # none, loose, tight; see draw_tag
TAGS.setflags(write=False)

WIDEST = 10.0  # widths from its mass that an unstable particle may have
GLUON_SLOPE, GLUON_POWER = 0.6, 6.0  # x g(x) ~ x^-0.6 (1 - x)^6, gluons at a scale of some 100 GeV
KICK, LARGEST_KICK = 36.0, 300.0  # GeV, transverse momentum of radiation of the initial state


def two_body_momentum(mass: ArrayLike, first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Momentum of either product of a decay, in the rest frame of the parent.

    p* = sqrt((M^2 - (m1 + m2)^2) (M^2 - (m1 - m2)^2)) / 2 M.

    Parameters
    ----------
    mass, first, second : array of shapes that go together, GeV
        Parent and products; the parent at least as heavy as both together.

    Returns
    -------
    array, GeV

    Raises
    ------
    ValueError, TypeError
        If a mass is negative or the decay impossible.

    Examples
    --------
    >>> two_body_momentum([172.5], 80.4, 4.7).round(2)  # t to W b
    array([67.41])
    """
    mass = check_array(minimum=0.0, unit="GeV", mass=mass)
    first, second = check_array(minimum=0.0, first=first), check_array(minimum=0.0, second=second)
    if (mass == 0).any() or (mass < first + second).any():
        raise ValueError("mass must be above 0 GeV and at least first + second, got a decay that is impossible")
    product = (mass**2 - (first + second) ** 2) * (mass**2 - (first - second) ** 2)
    return np.sqrt(np.maximum(product, 0.0)) / (2.0 * mass)


def boost(momenta: ArrayLike, parent: ArrayLike) -> np.ndarray:
    """Four-momenta seen from where ``parent`` has the momentum that it has, given those in its rest frame.

    Parameters
    ----------
    momenta : array, (n, 4), GeV
        E, px, py, pz in the rest frame of the parent.
    parent : array, (n, 4) or (4,), GeV
        With a positive mass.

    Returns
    -------
    array, (n, 4), GeV

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or a parent is not massive.

    Examples
    --------
    >>> boost([[2.0, 0.0, 0.0, 0.0]], [5.0, 0.0, 0.0, 3.0])
    array([[2.5, 0. , 0. , 1.5]])
    """
    momenta = check_array(shape=(None, 4), unit="GeV", momenta=momenta)
    parent = np.broadcast_to(check_array(ndim=(1, 2), unit="GeV", parent=parent), momenta.shape)
    squared = parent[:, 0] ** 2 - (parent[:, 1:] ** 2).sum(1)
    if (squared <= 0).any() or (parent[:, 0] <= 0).any():
        raise ValueError(f"parent must have a positive mass and energy, got {parent[squared.argmin()].tolist()} GeV")
    mass = np.sqrt(squared)
    along = (momenta[:, 1:] * parent[:, 1:]).sum(1)
    energy = (parent[:, 0] * momenta[:, 0] + along) / mass
    factor = (along / (parent[:, 0] + mass) + momenta[:, 0]) / mass
    return np.column_stack([energy, momenta[:, 1:] + factor[:, None] * parent[:, 1:]])


def two_body_decay(
    parent: ArrayLike, first: float, second: float, cosine: ArrayLike, azimuth: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Both products of a decay, given the direction of the first one in the rest frame of the parent.

    Parameters
    ----------
    parent : array, (n, 4), GeV
    first, second : float, GeV
        Masses of the products.
    cosine, azimuth : array, (n,), 1 and rad
        Polar direction of the first product; for an isotropic decay both are uniform.

    Returns
    -------
    (array, array), each (n, 4), GeV

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or the decay is impossible.

    Examples
    --------
    >>> higgs = [[125.0, 0.0, 0.0, 0.0]]
    >>> b, anti_b = two_body_decay(higgs, 4.7, 4.7, [0.0], [0.0])
    >>> b.round(2), (b + anti_b).round(2)
    (array([[62.5 , 62.32,  0.  ,  0.  ]]), array([[125.,   0.,   0.,   0.]]))
    """
    parent = check_array(shape=(None, 4), unit="GeV", parent=parent)
    cosine = check_array(shape=(len(parent),), minimum=-1.0, maximum=1.0, cosine=cosine)
    azimuth = check_array(shape=(len(parent),), unit="rad", azimuth=azimuth)
    momentum = two_body_momentum(invariant_mass(parent), first, second)
    sine = np.sqrt(1.0 - cosine**2)
    direction = np.column_stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    products = [
        np.column_stack([np.hypot(momentum, mass), sign * momentum[:, None] * direction])
        for mass, sign in ((first, 1.0), (second, -1.0))
    ]
    return boost(products[0], parent), boost(products[1], parent)


def invariant_mass(momenta: ArrayLike) -> np.ndarray:
    """The invariant mass of four-momenta, m^2 = E^2 - p^2; 0 where rounding makes the square negative.

    Parameters
    ----------
    momenta : array, (..., 4), GeV
        E, px, py, pz; sums of them for the mass of several particles.

    Returns
    -------
    array, (...), GeV

    Raises
    ------
    ValueError, TypeError
        If the last axis does not have four entries.

    Examples
    --------
    >>> invariant_mass([[5.0, 0.0, 3.0, 0.0]])
    array([4.])
    """
    momenta = check_array(momenta=momenta)
    if momenta.ndim == 0 or momenta.shape[-1] != 4:
        raise ValueError(f"momenta must have four entries along the last axis, got shape {momenta.shape}")
    return np.sqrt(np.maximum(momenta[..., 0] ** 2 - (momenta[..., 1:] ** 2).sum(-1), 0.0))


def neutrino_pz(lepton: ArrayLike, missing: ArrayLike, *, mass: float = W_MASS) -> np.ndarray:
    """Momentum of a neutrino along the beam, if it and the lepton come from a W boson.

    (l + nu)^2 = m_W^2 is quadratic in it: with a = m_W^2 / 2 + lT . nuT,
    pz = (a lz +- E sqrt(a^2 - lT^2 nuT^2)) / lT^2 for a massless lepton. The solution with the smaller absolute value
    is taken, and where there is none (the missing momentum is mismeasured or the W off its mass shell), a lz / lT^2.

    Parameters
    ----------
    lepton : array, (n, 4), GeV
        Four-momentum, taken as massless, not along the beam.
    missing : array, (n, 2), GeV
        Transverse momentum of the neutrino.
    mass : float, GeV
        Of the W boson.

    Returns
    -------
    array, (n,), GeV

    Raises
    ------
    ValueError, TypeError
        If an array has another shape or a lepton no transverse momentum.

    Examples
    --------
    >>> neutrino_pz([[50.0, 30.0, 0.0, 40.0]], [[-30.0, 0.0]]).round(2)
    array([-15.88])
    """
    lepton = check_array(shape=(None, 4), unit="GeV", lepton=lepton)
    missing = check_array(shape=(len(lepton), 2), unit="GeV", missing=missing)
    check_positive(unit="GeV", mass=mass)
    across = (lepton[:, 1:3] ** 2).sum(1)
    if (across == 0).any():
        raise ValueError("lepton must have a transverse momentum above 0 GeV, got one along the beam")
    a = mass**2 / 2 + (lepton[:, 1:3] * missing).sum(1)
    root = np.sqrt(across + lepton[:, 3] ** 2) * np.sqrt(np.maximum(a**2 - across * (missing**2).sum(1), 0.0))
    middle = a * lepton[:, 3]
    return (middle - np.copysign(root, middle)) / across


def top_pair_cross_section(energy: ArrayLike, *, mass: float = TOP_MASS) -> np.ndarray:
    """Cross section of two gluons to a pair of top quarks at leading order, in units of alpha_s^2 / mass^2.

    f(rho) = pi beta rho / 192 [ln((1 + beta) / (1 - beta)) (rho^2 + 16 rho + 16) / beta - 28 - 31 rho] with
    rho = 4 mass^2 / energy^2 and beta = sqrt(1 - rho).

    Parameters
    ----------
    energy : array of any shape, GeV
        Of the two gluons in their centre-of-mass frame.
    mass : float, GeV

    Returns
    -------
    array, same shape
        0 below the threshold.

    Raises
    ------
    ValueError, TypeError
        If an energy is not positive.

    References
    ----------
    P. Nason, S. Dawson and R. K. Ellis, Nucl. Phys. B 303 (1988) 607.

    Examples
    --------
    >>> top_pair_cross_section([300.0, 400.0, 1000.0]).round(3)
    array([0.   , 0.072, 0.063])
    """
    energy = check_array(minimum=1e-9, unit="GeV", energy=energy)
    check_positive(unit="GeV", mass=mass)
    rho = np.minimum((2.0 * mass / energy) ** 2, 1.0)
    beta = np.maximum(np.sqrt(1.0 - rho), 1e-9)
    logarithm = np.log((1.0 + beta) ** 2 / rho)  # (1 + beta) / (1 - beta), without the cancellation
    bracket = logarithm * (rho**2 + 16.0 * rho + 16.0) / beta - 28.0 - 31.0 * rho
    return np.where(rho < 1.0, np.pi * beta * rho / 192.0 * bracket, 0.0)


@lru_cache(maxsize=4)
def top_pair_masses(collision_energy: float) -> tuple[np.ndarray, np.ndarray]:
    """Table of the inverse distribution of the mass of a top quark pair (GeV): probabilities and masses.

    The cross section above times the luminosity of two gluons, integrated over the rapidity.
    """
    mass = np.linspace(2.0 * TOP_MASS, min(3000.0, 0.9 * collision_energy), 4001)
    tau = (mass / collision_energy) ** 2
    rapidity = -0.5 * np.log(tau)[:, None] * np.linspace(-1.0, 1.0, 201)
    x = np.sqrt(tau)[:, None] * np.exp(rapidity)
    product = ((1.0 - np.minimum(x, 1.0)) * (1.0 - np.minimum(tau[:, None] / x, 1.0))) ** GLUON_POWER
    luminosity = tau ** (-1.0 - GLUON_SLOPE) * np.trapezoid(product, rapidity, axis=1)
    density = top_pair_cross_section(mass) * luminosity * mass
    distribution = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return distribution / distribution[-1], mass


@compiled(nogil=True)
def interpolated(u: float, probability: np.ndarray, value: np.ndarray) -> float:
    """The value at probability u of a table of an inverse distribution."""
    i = min(max(int(np.searchsorted(probability, u)) - 1, 0), len(value) - 2)
    share = (u - probability[i]) / (probability[i + 1] - probability[i])
    return value[i] + share * (value[i + 1] - value[i])


@compiled(nogil=True)
def draw_mass(random: np.random.Generator, mass: float, width: float) -> float:
    """A mass from the Breit-Wigner distribution, at most ten widths away."""
    edge = math.atan(2.0 * WIDEST)
    return mass + 0.5 * width * math.tan(edge * (2.0 * random.random() - 1.0))


@compiled(nogil=True)
def momentum_of(mass: float, first: float, second: float) -> float:
    """As `two_body_momentum`; 0 if the decay is impossible."""
    product = (mass * mass - (first + second) ** 2) * (mass * mass - (first - second) ** 2)
    return math.sqrt(max(product, 0.0)) / (2.0 * mass)


@compiled(nogil=True)
def put_decay(
    parent: np.ndarray, first: float, second: float, cosine: float, azimuth: float, a: np.ndarray, b: np.ndarray
) -> None:
    """Write both products of a decay into ``a`` and ``b``; as `two_body_decay`."""
    mass = math.sqrt(parent[0] ** 2 - parent[1] ** 2 - parent[2] ** 2 - parent[3] ** 2)
    momentum = momentum_of(mass, first, second)
    sine = math.sqrt(1.0 - cosine * cosine)
    x, y, z = momentum * sine * math.cos(azimuth), momentum * sine * math.sin(azimuth), momentum * cosine
    along = x * parent[1] + y * parent[2] + z * parent[3]
    for energy, sign, out in (
        (math.sqrt(momentum**2 + first**2), 1.0, a),
        (math.sqrt(momentum**2 + second**2), -1.0, b),
    ):
        factor = (sign * along / (parent[0] + mass) + energy) / mass
        out[0] = (parent[0] * energy + sign * along) / mass
        out[1] = sign * x + factor * parent[1]
        out[2] = sign * y + factor * parent[2]
        out[3] = sign * z + factor * parent[3]


@compiled(nogil=True)
def put_isotropic(
    random: np.random.Generator, parent: np.ndarray, first: float, second: float, a: np.ndarray, b: np.ndarray
) -> None:
    """Write the products of a decay with equal probability in all directions."""
    put_decay(parent, first, second, 2.0 * random.random() - 1.0, 2.0 * math.pi * random.random(), a, b)


@compiled(nogil=True)
def draw_rapidity(random: np.random.Generator, mass: float, collision_energy: float) -> float:
    """Rapidity of a system that two gluons make: uniform times (1 - x1)^6 (1 - x2)^6, by rejection."""
    root = mass / collision_energy
    largest = -math.log(root)
    while True:
        y = largest * (2.0 * random.random() - 1.0)
        product = (1.0 - root * math.exp(y)) * (1.0 - root * math.exp(-y))
        if random.random() < (product / (1.0 - root) ** 2) ** GLUON_POWER:
            return y


@compiled(nogil=True)
def put_radiation(random: np.random.Generator, out: np.ndarray) -> None:
    """Write a gluon radiated before the collision: pT / (pT^2 + 36^2 GeV^2)^2, below 300 GeV, all over the detector."""
    pt = LARGEST_KICK
    while pt >= LARGEST_KICK:
        pt = KICK * math.sqrt(1.0 / (1.0 - random.random()) - 1.0)
    put_massless(pt, 2.0 * random.standard_normal(), math.pi * (2.0 * random.random() - 1.0), out)


@compiled(nogil=True)
def put_system(random: np.random.Generator, mass: float, collision_energy: float, recoil: np.ndarray) -> None:
    """Write radiation to the rows 1 and 2 of ``recoil`` and the system that recoils against it to row 0."""
    put_radiation(random, recoil[1])
    put_radiation(random, recoil[2])
    x, y = -recoil[1, 1] - recoil[2, 1], -recoil[1, 2] - recoil[2, 2]
    rapidity = draw_rapidity(random, mass, collision_energy)
    transverse = math.sqrt(mass * mass + x * x + y * y)
    recoil[0, 0], recoil[0, 3] = transverse * math.cosh(rapidity), transverse * math.sinh(rapidity)
    recoil[0, 1], recoil[0, 2] = x, y


@compiled(nogil=True)
def top_angle_weight(cosine: float, rho: float) -> float:
    """Angular distribution of top quarks made by two gluons at leading order, not normalised.

    (1 / (6 t u) - 3 / 8) (t^2 + u^2 + rho - rho^2 / (4 t u)) with t, u = (1 -+ beta cosine) / 2 (Nason et al. 1988).
    """
    swing = math.sqrt(1.0 - rho) * cosine
    t, u = 0.5 * (1.0 - swing), 0.5 * (1.0 + swing)
    return (1.0 / (6.0 * t * u) - 0.375) * (t * t + u * u + rho - rho * rho / (4.0 * t * u))


@compiled(nogil=True)
def draw_top_angle(random: np.random.Generator, energy: float) -> float:
    """Cosine of the top quark's angle in the frame of a pair of this mass (GeV), by rejection."""
    rho = min((2.0 * TOP_MASS / energy) ** 2, 1.0)
    highest = max(top_angle_weight(0.0, rho), top_angle_weight(1.0, rho))
    while True:
        cosine = 2.0 * random.random() - 1.0
        if random.random() * highest < top_angle_weight(cosine, rho):
            return cosine


@compiled(nogil=True)
def pseudorapidity(x: float, y: float, z: float) -> float:
    """asinh(pz / pT), within +-20."""
    return math.asinh(z / max(math.hypot(x, y), 1e-9 * abs(z) + 1e-300))


@compiled(nogil=True)
def azimuth_between(first: float, second: float) -> float:
    """The angle from one azimuth to another, in (-pi, pi]."""
    turn = first - second
    return turn - 2.0 * math.pi * math.ceil((turn - math.pi) / (2.0 * math.pi))


@compiled(nogil=True)
def pair_mass_squared(a: np.ndarray, b: np.ndarray) -> float:
    """Twice the product of two massless momenta given by their (pT, eta, phi)."""
    return 2.0 * a[0] * b[0] * (math.cosh(a[1] - b[1]) - math.cos(a[2] - b[2]))


@compiled(nogil=True)
def put_massless(pt: float, eta: float, phi: float, out: np.ndarray) -> None:
    """Write the four-momentum of a massless particle."""
    out[0], out[1] = pt * math.cosh(eta), pt * math.cos(phi)
    out[2], out[3] = pt * math.sin(phi), pt * math.sinh(eta)


@compiled(nogil=True)
def mass_of(a: np.ndarray) -> float:
    """Invariant mass of one four-momentum."""
    return math.sqrt(max(a[0] ** 2 - a[1] ** 2 - a[2] ** 2 - a[3] ** 2, 0.0))


@compiled(nogil=True)
def solve_neutrino(lepton: np.ndarray, x: float, y: float) -> float:
    """As `neutrino_pz`, for one event."""
    across = lepton[1] ** 2 + lepton[2] ** 2
    a = 0.5 * W_MASS**2 + lepton[1] * x + lepton[2] * y
    root = math.sqrt(across + lepton[3] ** 2) * math.sqrt(max(a * a - across * (x * x + y * y), 0.0))
    middle = a * lepton[3]
    return (middle - math.copysign(root, middle)) / across


@compiled(nogil=True)
def smear_jet(random: np.random.Generator, parton: np.ndarray, jet: np.ndarray) -> None:
    """Write (pT, eta, phi) of the jet of a parton: energy to sqrt(0.8^2 E + 0.05^2 E^2) GeV, directions to 0.03.

    The resolution is that of a hadron calorimeter at the LHC. The response has a lower tail, since part of the energy
    leaves the cone of the jet: it is multiplied by 1 - 0.08 e with an exponential e, and calibrated to be 1 on average.
    """
    energy = parton[0]
    spread = math.sqrt(0.64 / energy + 0.0025)
    response = -1.0
    while response < 0.1:
        response = (1.08 - 0.08 * random.standard_exponential()) * (1.0 + spread * random.standard_normal())
    jet[0] = math.hypot(parton[1], parton[2]) * response
    jet[1] = pseudorapidity(parton[1], parton[2], parton[3]) + 0.03 * random.standard_normal()
    jet[2] = azimuth_between(math.atan2(parton[2], parton[1]) + 0.03 * random.standard_normal(), 0.0)


@compiled(nogil=True)
def draw_tag(random: np.random.Generator, flavour: int) -> int:
    """A b-tag: 0 none, 1 loose, 2 tight, for a jet of a light quark or gluon (0), a charm (1) or bottom quark (2)."""
    u = random.random()
    return 0 if u < TAGS[flavour, 0] else (1 if u < TAGS[flavour, 0] + TAGS[flavour, 1] else 2)
