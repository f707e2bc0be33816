"""Whole jets: what the initial particle is, its decay and showers, the detector, and the arrays of a sample, compiled.

A jet is made with its momentum along x. A coloured parton showers there; a resonance decays in its rest frame, where
its quarks shower. Showering gives the quarks a mass, so their momenta are scaled along their directions until the
energies add up to the mass of the resonance again, as in Herwig (Bahr et al., arXiv:0803.0883, section 6.4). So the
hadrons of a top jet add up to the four-momentum of the top. At last a jet is turned to its azimuth and boosted to its
rapidity.
"""

from __future__ import annotations

from math import asinh, atan2, cos, cosh, exp, hypot, log, pi, sin, sinh, sqrt
from typing import NamedTuple

import numpy as np

from dlphys._numba import compiled
from dlphys.simulators._jets_hadrons import (
    CHARGE,
    PION_MASS,
    PRONG,
    VERTEX,
    boosted,
    draw_poisson,
    hadronise,
    random_direction,
    two_body_momentum,
)
from dlphys.simulators._jets_shower import BOTTOM, CHARM, DOWN, GLUON, UP, shower

KINDS = ("gluon", "quark", "charm", "bottom", "w", "top", "zprime")  # in the order of their codes
QCD = len(KINDS)  # gluon or quark, drawn
_GLUON, _QUARK, _CHARM, _BOTTOM, _W, _TOP, _ZPRIME = range(len(KINDS))

TOP_MASS, W_MASS, BOTTOM_MASS = 172.5, 80.4, 4.8  # GeV

PARTONS, HADRONS = 1024, 2048
"""Room for one jet, several times what a gluon of 5 TeV needs."""

# a detector in numbers, of the order of those of ATLAS and CMS
TRACK_EFFICIENCY, TRACK_RESOLUTION, TRACK_ANGLE = 0.95, 0.01, 0.0005
CALORIMETER_STOCHASTIC, CALORIMETER_CONSTANT, CALORIMETER_ANGLE = 0.5, 0.05, 0.01
THRESHOLD = 0.5  # GeV of transverse momentum
PILE_UP_SCALE = 0.7  # GeV, mean transverse momentum above the threshold


class Physics(NamedTuple):
    """Everything that decides about a jet but its kind; momenta and masses in GeV."""

    pt_low: float
    pt_high: float
    rapidity: float
    radius: float
    kt_cut: float
    alpha: float
    slope: float
    gluon_fraction: float
    zprime_mass: float
    contained: bool
    detector: bool
    pile_up: float


class Workspace(NamedTuple):
    """Arrays for the making of one jet."""

    partons: np.ndarray  # (PARTONS, 3) p
    flavours: np.ndarray  # (PARTONS,)
    hadrons: np.ndarray  # (HADRONS, 4) E, p
    tags: np.ndarray  # (HADRONS, 3) charge, vertex, prong
    polar: np.ndarray  # (HADRONS, 3) pt, eta, phi
    keys: np.ndarray  # (HADRONS,) to sort by
    ranks: np.ndarray  # (HADRONS,)
    order: np.ndarray  # (HADRONS,)
    legs: np.ndarray  # (3, 4) directions and lengths of the quark momenta of a decay
    heavy: np.ndarray  # (2, 4) E, p of a B and a D


def workspace() -> Workspace:
    """New arrays, one set a block."""
    return Workspace(
        np.empty((PARTONS, 3)),
        np.empty(PARTONS, np.int64),
        np.empty((HADRONS, 4)),
        np.empty((HADRONS, 3), np.int64),
        np.empty((HADRONS, 3)),
        np.empty(HADRONS),
        np.empty(HADRONS, np.int64),
        np.empty(HADRONS, np.int64),
        np.empty((3, 4)),
        np.zeros((2, 4)),
    )


@compiled(nogil=True)
def rescale(
    hadrons: np.ndarray, begin: int, end: int, leg: np.ndarray, energy: float, mass: float, length: float
) -> None:
    """Boost hadrons along a leg (direction, length of their sum), so that the length becomes another one."""
    wanted = sqrt(length * length + mass * mass)
    gamma = (energy * wanted - leg[3] * length) / (mass * mass)
    gamma_beta = (length * energy - leg[3] * wanted) / (mass * mass)
    for i in range(begin, end):
        along = hadrons[i, 1] * leg[0] + hadrons[i, 2] * leg[1] + hadrons[i, 3] * leg[2]
        change = (gamma - 1.0) * along + gamma_beta * hadrons[i, 0]
        hadrons[i, 0] = gamma * hadrons[i, 0] + gamma_beta * along
        for k in range(3):
            hadrons[i, 1 + k] += change * leg[k]


@compiled(nogil=True)
def boost_hadrons(hadrons: np.ndarray, begin: int, end: int, mass: float, px: float, py: float, pz: float) -> None:
    """Take hadrons from the rest frame of a particle of this mass to where it has momentum p."""
    total = sqrt(mass * mass + px * px + py * py + pz * pz)
    for i in range(begin, end):
        e, x, y, z = boosted(hadrons[i, 0], hadrons[i, 1], hadrons[i, 2], hadrons[i, 3], mass, px, py, pz, total)
        hadrons[i, 0], hadrons[i, 1], hadrons[i, 2], hadrons[i, 3] = e, x, y, z


@compiled(nogil=True)
def inside(x: float, y: float, z: float, mass: float, pt: float, radius: float) -> bool:
    """Whether a massless quark with this momentum at rest points, in the lab, to within ``radius`` of the jet axis."""
    energy = sqrt(x * x + y * y + z * z)
    _, x, y, z = boosted(energy, x, y, z, mass, pt, 0.0, 0.0, sqrt(pt * pt + mass * mass))
    return hypot(asinh(z / hypot(x, y)), atan2(y, x)) < radius


@compiled(nogil=True)
def draw_legs(rng: np.random.Generator, kind: int, mass: float, pt: float, physics: Physics, legs: np.ndarray) -> None:
    """Isotropic decays. Legs 0 and 1: the quarks in the rest frame of the W or Z'; leg 2: the b in that of the top.

    With ``contained`` until all quarks lie inside the radius of the jet.
    """
    pair_mass = W_MASS if kind != _ZPRIME else mass
    half = 0.5 * pair_mass
    p = two_body_momentum(TOP_MASS, W_MASS, BOTTOM_MASS)
    while True:
        x, y, z = random_direction(rng)
        bx, by, bz = random_direction(rng)
        if not physics.contained:
            break
        ux, uy, uz = half * x, half * y, half * z
        vx, vy, vz = -ux, -uy, -uz
        if kind == _TOP:
            energy = sqrt(p * p + W_MASS * W_MASS)
            _, ux, uy, uz = boosted(half, ux, uy, uz, W_MASS, -p * bx, -p * by, -p * bz, energy)
            vx, vy, vz = -p * bx - ux, -p * by - uy, -p * bz - uz
            if not inside(bx, by, bz, mass, pt, physics.radius):
                continue
        if inside(ux, uy, uz, mass, pt, physics.radius) and inside(vx, vy, vz, mass, pt, physics.radius):
            break
    legs[0, 0], legs[0, 1], legs[0, 2], legs[0, 3] = x, y, z, half
    legs[1, 0], legs[1, 1], legs[1, 2], legs[1, 3] = -x, -y, -z, half
    legs[2, 0], legs[2, 1], legs[2, 2], legs[2, 3] = bx, by, bz, p


@compiled(nogil=True)
def draw_flavours(rng: np.random.Generator, kind: int) -> tuple[int, int, int]:
    """Flavours of the first parton, and in decays of the second and of the quark beside the W."""
    if kind == _GLUON:
        return GLUON, 0, 0
    sign = 1 if rng.random() < 0.5 else -1
    if kind in (_CHARM, _BOTTOM):
        return sign * (CHARM if kind == _CHARM else BOTTOM), 0, 0
    up = rng.random() < 0.5
    first = UP if up else DOWN
    second = first if kind == _ZPRIME else UP + DOWN - first  # u ubar from a Z', u dbar from a W
    return sign * first, -sign * second, (BOTTOM if up else -BOTTOM) * sign  # a top has a W+ and a b


@compiled(nogil=True)
def jet_hadrons(rng: np.random.Generator, kind: int, pt: float, physics: Physics, work: Workspace) -> int:
    """Hadrons of one jet with momentum (pt, 0, 0); returns their number."""
    hadrons, legs = work.hadrons, work.legs
    first, second, third = draw_flavours(rng, kind)
    number, angle, prong = 1, physics.radius, 0
    legs[0, 0], legs[0, 1], legs[0, 2], legs[0, 3] = 1.0, 0.0, 0.0, pt
    mass = TOP_MASS if kind == _TOP else (W_MASS if kind == _W else physics.zprime_mass)
    if kind >= _W:
        number, angle, prong = (3 if kind == _TOP else 2), 0.5 * pi, 1
        draw_legs(rng, kind, mass, pt, physics, legs)
    e0, e1, e2, m0, m1, m2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    start = int(np.int64(0))
    end0, end1, count = start, start, start
    while True:
        count = start
        for leg in range(number):
            p = legs[leg, 3]
            flavour = first if leg == 0 else (second if leg == 1 else third)
            partons = shower(
                rng, flavour, p * legs[leg, 0], p * legs[leg, 1], p * legs[leg, 2], angle,
                physics.kt_cut, physics.alpha, physics.slope, work.partons, work.flavours,
            )  # fmt: skip
            begin = count
            count = hadronise(
                rng, work.partons, work.flavours, partons, prong + leg, hadrons, work.tags, count, work.heavy
            )
            energy = 0.0
            for i in range(begin, count):
                energy += hadrons[i, 0]
            m = sqrt(energy * energy - p * p)
            if leg == 0:
                end0, e0, m0 = count, energy, m
            elif leg == 1:
                end1, e1, m1 = count, energy, m
            else:
                e2, m2 = energy, m
        # hard emissions may leave no room for the decay: drawn again
        if number == 1 or (m0 + m1 < legs[0, 3] + legs[1, 3] and (number == 2 or W_MASS + m2 < TOP_MASS)):
            break
    if number == 1:
        return count
    p = two_body_momentum(legs[0, 3] + legs[1, 3], m0, m1)
    rescale(hadrons, start, end0, legs[0], e0, m0, p)
    rescale(hadrons, end0, end1, legs[1], e1, m1, p)
    if number == 3:
        p = two_body_momentum(TOP_MASS, W_MASS, m2)
        rescale(hadrons, end1, count, legs[2], e2, m2, p)
        boost_hadrons(hadrons, start, end1, W_MASS, -p * legs[2, 0], -p * legs[2, 1], -p * legs[2, 2])
    boost_hadrons(hadrons, start, count, mass, pt, 0.0, 0.0)
    return count


@compiled(nogil=True)
def to_polar(hadrons: np.ndarray, number: int, stretch: float, polar: np.ndarray) -> None:
    """(pt, eta, phi) after a boost along z by the rapidity ln(stretch); phi about the x axis."""
    gamma, gamma_beta = 0.5 * (stretch + 1.0 / stretch), 0.5 * (stretch - 1.0 / stretch)
    for i in range(number):
        pt = sqrt(hadrons[i, 1] * hadrons[i, 1] + hadrons[i, 2] * hadrons[i, 2])
        along = gamma * hadrons[i, 3] + gamma_beta * hadrons[i, 0]
        sine = abs(along) / pt
        eta = log(sine + sqrt(1.0 + sine * sine))  # asinh, without its care for small arguments
        polar[i, 0], polar[i, 1] = pt, eta if along > 0.0 else -eta
        polar[i, 2] = atan2(hadrons[i, 2], hadrons[i, 1])


@compiled(nogil=True)
def add_pile_up(rng: np.random.Generator, physics: Physics, axis: float, work: Workspace, count: int) -> int:
    """Append soft neutral particles, uniform in the disc of the jet; prong -1. Returns the new number."""
    for _ in range(min(draw_poisson(rng, physics.pile_up), HADRONS - count)):
        r, angle = physics.radius * sqrt(rng.random()), 2.0 * pi * rng.random()
        work.polar[count, 0] = THRESHOLD + PILE_UP_SCALE * rng.standard_exponential()
        work.polar[count, 1], work.polar[count, 2] = axis + r * cos(angle), r * sin(angle)
        work.tags[count, CHARGE], work.tags[count, VERTEX], work.tags[count, PRONG] = 0, 0, -1
        count += 1
    return count


@compiled(nogil=True)
def measure(rng: np.random.Generator, work: Workspace, count: int) -> None:
    """What the detector makes of hadrons; a transverse momentum of 0 where one is lost."""
    for i in range(count):
        pt, eta = work.polar[i, 0], work.polar[i, 1]
        resolution, angle = TRACK_RESOLUTION, TRACK_ANGLE
        if work.tags[i, CHARGE] == 0:
            stochastic = CALORIMETER_STOCHASTIC / sqrt(pt * cosh(eta))
            resolution = sqrt(stochastic * stochastic + CALORIMETER_CONSTANT * CALORIMETER_CONSTANT)
            angle = CALORIMETER_ANGLE
        elif rng.random() > TRACK_EFFICIENCY:
            resolution, pt = 0.0, 0.0
        pt *= 1.0 + resolution * rng.standard_normal()
        work.polar[i, 0] = pt if pt > THRESHOLD else 0.0
        work.polar[i, 1] = eta + angle * rng.standard_normal()
        work.polar[i, 2] += angle * rng.standard_normal()


@compiled(nogil=True)
def sort_by_momentum(polar: np.ndarray, keys: np.ndarray, ranks: np.ndarray, order: np.ndarray, count: int) -> None:
    """Indices in falling order of transverse momentum.

    Each entry's rank is how many come before it: all pairs, but no branch to mispredict, and so faster than a sort for
    up to some hundred entries.
    """
    for i in range(count):
        keys[i] = polar[i, 0]
    for i in range(count):
        before = 0
        for j in range(i):
            larger = int(keys[j] >= keys[i])
            before += larger
            ranks[j] += 1 - larger
        ranks[i] = before
    for i in range(count):
        order[ranks[i]] = i


@compiled(nogil=True)
def turn(vector: np.ndarray, rapidity: float, azimuth: float) -> None:
    """Boost (E, p) along z and turn it about z, in place."""
    e, x, y, z = vector[0], vector[1], vector[2], vector[3]
    gamma, gamma_beta, cosine, sine = cosh(rapidity), sinh(rapidity), cos(azimuth), sin(azimuth)
    vector[0], vector[3] = e * gamma + z * gamma_beta, z * gamma + e * gamma_beta
    vector[1], vector[2] = x * cosine - y * sine, x * sine + y * cosine


@compiled(nogil=True)
def fill_jets(
    rng: np.random.Generator,
    kinds: np.ndarray,
    physics: Physics,
    work: Workspace,
    constituents: np.ndarray,
    charge: np.ndarray,
    prong: np.ndarray,
    vertex: np.ndarray,
    count: np.ndarray,
    kind: np.ndarray,
    label: np.ndarray,
    parent: np.ndarray,
    heavy: np.ndarray,
) -> None:
    """Jets one after the other into the arrays of a block, which begin as zeros.

    ``constituents`` (n, k, 4) receives the hadrons with the largest transverse momenta, in falling order, ``heavy``
    (n, 2, 4) the momenta of a B and a D.
    """
    n, room = constituents.shape[:2]
    for jet in range(n):
        label[jet] = int(rng.random() * len(kinds))
        code = kinds[label[jet]]
        if code == QCD:
            code = _GLUON if rng.random() < physics.gluon_fraction else _QUARK
        kind[jet] = code
        pt = physics.pt_low + (physics.pt_high - physics.pt_low) * rng.random()
        rapidity = physics.rapidity * (2.0 * rng.random() - 1.0)
        azimuth = pi * (2.0 * rng.random() - 1.0)
        number = 0
        while number == 0 or work.polar[work.order[0], 0] == 0.0:  # again, if the detector sees nothing of the jet
            number = jet_hadrons(rng, code, pt, physics, work)
            energy = 0.0
            for i in range(number):
                energy += work.hadrons[i, 0]
            to_polar(work.hadrons, number, exp(rapidity), work.polar)
            if physics.pile_up > 0.0:
                number = add_pile_up(rng, physics, rapidity, work, number)
            if physics.detector:
                measure(rng, work, number)
            sort_by_momentum(work.polar, work.keys, work.ranks, work.order, number)
        parent[jet, 0], parent[jet, 1] = energy, pt
        turn(parent[jet], rapidity, azimuth)
        if code in (_CHARM, _BOTTOM):
            for i in range(0 if code == _BOTTOM else 1, 2):
                for c in range(4):
                    heavy[jet, i, c] = work.heavy[i, c]
                turn(heavy[jet, i], rapidity, azimuth)
        stored = 0
        while stored < min(room, number) and work.polar[work.order[stored], 0] > 0.0:
            i = work.order[stored]
            phi = work.polar[i, 2] + azimuth
            phi = phi - 2.0 * pi if phi > pi else (phi + 2.0 * pi if phi < -pi else phi)
            constituents[jet, stored, 0], constituents[jet, stored, 1] = work.polar[i, 0], work.polar[i, 1]
            constituents[jet, stored, 2], constituents[jet, stored, 3] = phi, PION_MASS
            charge[jet, stored], prong[jet, stored] = work.tags[i, CHARGE], work.tags[i, PRONG]
            vertex[jet, stored] = work.tags[i, VERTEX]
            stored += 1
        count[jet] = stored
