"""The parton shower: angular-ordered emissions by the veto algorithm, compiled.

A parton of momentum p radiates at ever smaller angles theta. Instead of the angle the shower keeps
``u = ln(theta p / kt_cut)``, the logarithm of the largest transverse momentum that is left to an emission. In the plane
of ``u`` and ``ln(1 / z)`` soft emissions are uniform (the Lund plane), so that the next trial needs one square root; it
is then accepted with the ratio of the splitting function and the running coupling to their ceilings.

A splitting shares the momentum vector: (1 - z) p - kt n and z p + kt n with kt = z (1 - z) theta |p| and n at a random
azimuth. The sum of the momenta of all partons is therefore exactly that of the first one.
"""

from __future__ import annotations

from math import exp, log, log1p, pi, sqrt

import numpy as np

from dlphys._numba import compiled

QUARK_COLOUR, GLUON_COLOUR = 4.0 / 3.0, 3.0  # C_F, C_A
FLAVOURS = 5
TRACE = 0.5  # T_R
Z_MASS = 91.19  # GeV

GLUON, DOWN, UP, CHARM, BOTTOM = 0, 1, 2, 4, 5  # negative: the antiquark
QUARK_MASSES = (0.0, 0.0, 0.0, 0.0, 1.5, 4.8)  # GeV, by flavour; an emission below the angle m / p is suppressed

_STACK = 256


def coupling_at_cut(alpha_s: float, running: bool, kt_cut: float) -> tuple[float, float]:
    """Coupling at the cut, and the slope b in alpha_s(kt) = alpha_s(cut) / (1 + b ln(kt / cut)); one loop.

    With ``running`` the argument ``alpha_s`` is the coupling at the mass of the Z, otherwise the coupling everywhere.
    """
    if not running:
        return alpha_s, 0.0
    beta = (33.0 - 2.0 * FLAVOURS) / (6.0 * pi)
    at_cut = alpha_s / (1.0 + beta * alpha_s * log(kt_cut / Z_MASS))
    return at_cut, beta * at_cut


@compiled(nogil=True)
def emission_weight(z: float, gluon: bool) -> tuple[float, float]:
    """z P(z) / 2C, at most 1, and the part of it that is a gluon splitting to quarks."""
    if not gluon:
        return 0.5 * (1.0 + (1.0 - z) * (1.0 - z)), 0.0
    pair = z * FLAVOURS * TRACE * (z * z + (1.0 - z) * (1.0 - z)) / (2.0 * GLUON_COLOUR)
    return (1.0 - z) * (1.0 + 0.5 * z * z) + pair, pair


@compiled(nogil=True)
def next_emission(
    rng: np.random.Generator, u: float, floor: float, gluon: bool, alpha: float, slope: float
) -> tuple[float, float, float, float, bool]:
    """The next emission below ``u``: its u, z, ln z, ln(1 - z), and whether a gluon split to quarks; u = -1: none.

    ``floor`` is the smallest u, above zero for a heavy quark, which does not radiate at angles below m / p.
    """
    rate = 2.0 * alpha * (GLUON_COLOUR if gluon else QUARK_COLOUR) / pi
    while True:
        square = u * u - 2.0 * rng.standard_exponential() / rate
        if square <= floor * floor:
            return -1.0, 0.0, 0.0, 0.0, False
        u = sqrt(square)
        log_z = -u * rng.random()
        z = exp(log_z)
        weight, pair = emission_weight(z, gluon)
        threshold = rng.random()
        if threshold >= weight:
            continue
        log_rest = log1p(-z)
        log_kt = u + log_z + log_rest
        if log_kt > 0.0 and threshold * (1.0 + slope * log_kt) < weight:
            return u, z, log_z, log_rest, pair > 0.0 and rng.random() * weight < pair


@compiled(nogil=True)
def perpendicular(
    rng: np.random.Generator, px: float, py: float, pz: float, length: float
) -> tuple[float, float, float]:
    """A vector of the given length at a random azimuth about p: a normal one without its part along p."""
    x, y, z = rng.standard_normal(), rng.standard_normal(), rng.standard_normal()
    along = (x * px + y * py + z * pz) / (px * px + py * py + pz * pz)
    x, y, z = x - along * px, y - along * py, z - along * pz
    scale = length / sqrt(x * x + y * y + z * z)
    return scale * x, scale * y, scale * z


@compiled(nogil=True)
def shower(
    rng: np.random.Generator,
    flavour: int,
    px: float,
    py: float,
    pz: float,
    largest_angle: float,
    kt_cut: float,
    alpha: float,
    slope: float,
    momenta: np.ndarray,
    flavours: np.ndarray,
) -> int:
    """Shower one parton into ``momenta`` (capacity, 3) and ``flavours`` (capacity,); returns the number of partons.

    The tail of both arrays serves as the stack of partons that have not radiated yet.
    """
    capacity = len(flavours)
    limits = np.empty(_STACK)
    momenta[capacity - 1, 0], momenta[capacity - 1, 1], momenta[capacity - 1, 2] = px, py, pz
    flavours[capacity - 1] = flavour
    limits[0] = log(largest_angle * sqrt(px * px + py * py + pz * pz) / kt_cut)
    waiting, done = 1, 0
    while waiting > 0:
        place = capacity - waiting
        waiting -= 1
        x, y, z_component, kind = momenta[place, 0], momenta[place, 1], momenta[place, 2], flavours[place]
        u = limits[waiting]
        heavy = abs(kind) >= CHARM
        floor = max(0.0, log(QUARK_MASSES[abs(kind)] / kt_cut)) if heavy else 0.0
        while u > floor:
            u, z, log_z, log_rest, pair = next_emission(rng, u, floor, kind == GLUON, alpha, slope)
            if u < 0.0:
                break
            kx, ky, kz = perpendicular(rng, x, y, z_component, kt_cut * exp(u + log_z + log_rest))
            if waiting + done + 2 > capacity or waiting + 1 > _STACK:
                raise RuntimeError("a jet has more partons than the shower has room for")
            waiting += 1
            place = capacity - waiting
            momenta[place, 0], momenta[place, 1], momenta[place, 2] = z * x + kx, z * y + ky, z * z_component + kz
            limits[waiting - 1] = u + log_z
            x, y, z_component = x - momenta[place, 0], y - momenta[place, 1], z_component - momenta[place, 2]
            u += log_rest
            flavours[place] = GLUON
            if pair:
                kind = UP if rng.random() < 0.4 else DOWN  # two of the five flavours have charge 2/3
                kind = kind if rng.random() < 0.5 else -kind
                flavours[place] = -kind
        momenta[done, 0], momenta[done, 1], momenta[done, 2] = x, y, z_component
        flavours[done] = kind
        done += 1
    return done


@compiled(nogil=True)
def lund_plane_of_soft_emissions(
    rng: np.random.Generator, rates: np.ndarray, height: float, emissions: np.ndarray, counts: np.ndarray
) -> None:
    """Emissions of the double-logarithmic limit: no recoil, none of the emissions radiates, P(z) = 2 C / z.

    ``emissions`` (n, k, 2) receives ln(1 / theta), with the largest angle as unit, and ln(kt / cut).
    """
    n, room = emissions.shape[:2]
    for i in range(n):
        u, number = height, 0
        while True:
            square = u * u - 2.0 * rng.standard_exponential() / rates[i]
            if square <= 0.0:
                break
            u = sqrt(square)
            if number < room:
                emissions[i, number, 0] = height - u
                emissions[i, number, 1] = u * (1.0 - rng.random())
            number += 1
        counts[i] = number
