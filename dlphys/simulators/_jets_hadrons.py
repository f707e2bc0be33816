"""From partons to hadrons: every parton becomes a cluster that decays to pions, compiled.

Local parton-hadron duality in its simplest form: the cluster has the momentum vector of its parton and a small mass,
and decays in a chain of two-body steps, isotropic in the rest frame of each. Bottom and charm quarks become a B or D
hadron with most of the momentum; a B decays to a D and pions, a D to pions. Momentum and, given the masses, energy are
conserved in every step.

Whole numbers go to compiled functions as ``np.int64(...)``: for a literal Numba would compile the function once more.
"""

from __future__ import annotations

from math import exp, sqrt

import numpy as np

from dlphys._numba import compiled
from dlphys.simulators._jets_shower import BOTTOM, CHARM, GLUON

PION_MASS = 0.13957  # GeV; all hadrons of a light cluster are pions
D_MASS, B_MASS = 1.867, 5.279  # GeV
EXTRA_PIONS = 2.7  # mean number beyond the two that every cluster has
KINETIC = 0.25  # GeV of kinetic energy for each pion but one, in the rest frame of the cluster
B_SHARE, D_SHARE = 0.10, 0.20  # mean part of the momentum of a heavy quark that does not go to its hadron
PROMPT, FROM_B, FROM_D = 0, 1, 2

CHARGE, VERTEX, PRONG = 0, 1, 2  # columns of the tags


@compiled(nogil=True)
def two_body_momentum(mass: float, first: float, second: float) -> float:
    """Momentum of both particles in the rest frame of the decaying one."""
    square = (mass * mass - (first + second) ** 2) * (mass * mass - (first - second) ** 2)
    return sqrt(max(square, 0.0)) / (2.0 * mass)


@compiled(nogil=True)
def random_direction(rng: np.random.Generator) -> tuple[float, float, float]:
    """A unit vector, isotropic."""
    x, y, z = rng.standard_normal(), rng.standard_normal(), rng.standard_normal()
    scale = 1.0 / sqrt(x * x + y * y + z * z)
    return scale * x, scale * y, scale * z


@compiled(nogil=True)
def boosted(
    energy: float, x: float, y: float, z: float, mass: float, px: float, py: float, pz: float, total: float
) -> tuple[float, float, float, float]:
    """A four-vector of the rest frame of a particle (mass, p, total energy) as seen where that particle moves."""
    product = x * px + y * py + z * pz
    factor = (product / (total + mass) + energy) / mass
    return (energy * total + product) / mass, x + factor * px, y + factor * py, z + factor * pz


@compiled(nogil=True)
def decay_chain(
    rng: np.random.Generator,
    bodies: int,
    mass: float,
    last_mass: float,
    px: float,
    py: float,
    pz: float,
    hadrons: np.ndarray,
    count: int,
) -> tuple[int, float, float, float]:
    """``bodies`` - 1 pions appended to ``hadrons`` (capacity, 4: E, p) and the momentum of the last body.

    The masses between the steps are those of ordered uniform numbers; phase space would weight them, mildly.
    """
    kinetic = mass - (bodies - 1) * PION_MASS - last_mass
    energy = sqrt(mass * mass + px * px + py * py + pz * pz)
    for rest in range(bodies - 1, 0, -1):  # bodies after this pion
        # the largest of rest - 1 uniform numbers, u^(1 / (rest - 1)) with u = exp(-exponential)
        kinetic = 0.0 if rest == 1 else kinetic * exp(-rng.standard_exponential() / (rest - 1))
        next_mass = last_mass + (rest - 1) * PION_MASS + kinetic
        p = two_body_momentum(mass, PION_MASS, next_mass)
        x, y, z = random_direction(rng)
        own = sqrt(PION_MASS * PION_MASS + p * p)
        e, x, y, z = boosted(own, p * x, p * y, p * z, mass, px, py, pz, energy)
        hadrons[count, 0], hadrons[count, 1], hadrons[count, 2], hadrons[count, 3] = e, x, y, z
        count += 1
        mass, energy = next_mass, energy - e
        px, py, pz = px - x, py - y, pz - z
    return count, px, py, pz


@compiled(nogil=True)
def draw_charges(
    rng: np.random.Generator, tags: np.ndarray, begin: int, end: int, total: int, vertex: int, prong: int
) -> None:
    """Charges of at least two pions with the given sum: each of +1, 0, -1 with equal probability where possible."""
    left = total
    for i in range(begin, end):
        if i == end - 1:
            charge = left
        else:
            reach = end - 1 - i  # what the later pions can still make up
            charge = int(rng.random() * 3.0) - 1
            while abs(left - charge) > reach:
                charge = int(rng.random() * 3.0) - 1
        left -= charge
        tags[i, CHARGE], tags[i, VERTEX], tags[i, PRONG] = charge, vertex, prong


@compiled(nogil=True)
def draw_poisson(rng: np.random.Generator, mean: float) -> int:
    """A Poisson number as the arrivals before ``mean``: for the small means here as fast, and quickly compiled."""
    number, time = 0, rng.standard_exponential()
    while time < mean:
        number += 1
        time += rng.standard_exponential()
    return number


@compiled(nogil=True)
def cluster_decay(
    rng: np.random.Generator,
    flavour: int,
    px: float,
    py: float,
    pz: float,
    prong: int,
    hadrons: np.ndarray,
    tags: np.ndarray,
    count: int,
) -> int:
    """The pions of a light parton. The charge of a quark is that of its cluster on average."""
    bodies = 2 + min(10, draw_poisson(rng, EXTRA_PIONS))
    mass = bodies * PION_MASS
    for _ in range(bodies - 1):
        mass += KINETIC * rng.standard_exponential()
    begin = count
    count, px, py, pz = decay_chain(rng, bodies, mass, PION_MASS, px, py, pz, hadrons, count)
    hadrons[count, 0] = sqrt(PION_MASS * PION_MASS + px * px + py * py + pz * pz)
    hadrons[count, 1], hadrons[count, 2], hadrons[count, 3] = px, py, pz
    count += 1
    total = 0
    if flavour != GLUON:
        up_type = abs(flavour) % 2 == 0
        total = int(rng.random() < (2.0 if up_type else 1.0) / 3.0) * (1 if up_type == (flavour > 0) else -1)
    draw_charges(rng, tags, begin, count, total, int(np.int64(PROMPT)), prong)
    return count


@compiled(nogil=True)
def heavy_hadron(
    rng: np.random.Generator,
    flavour: int,
    px: float,
    py: float,
    pz: float,
    prong: int,
    hadrons: np.ndarray,
    tags: np.ndarray,
    count: int,
    heavy: np.ndarray,
) -> int:
    """A B or D hadron, what it decays to, and a light cluster with the rest of the momentum.

    ``heavy`` (2, 4) receives E and p of the B (zeros for charm) and of the D.
    """
    share = min(0.9, (B_SHARE if abs(flavour) == BOTTOM else D_SHARE) * rng.standard_exponential())
    count = cluster_decay(rng, int(np.int64(GLUON)), share * px, share * py, share * pz, prong, hadrons, tags, count)
    px, py, pz = (1.0 - share) * px, (1.0 - share) * py, (1.0 - share) * pz
    d_charge = int(rng.random() < 0.4) * (1 if flavour > 0 else -1)  # D+ or D0
    if abs(flavour) == BOTTOM:
        heavy[0, 0] = sqrt(B_MASS * B_MASS + px * px + py * py + pz * pz)
        heavy[0, 1], heavy[0, 2], heavy[0, 3] = px, py, pz
        bodies = 3 + int(4.0 * rng.random() ** 1.5)  # a D and two to five pions
        begin = count
        count, px, py, pz = decay_chain(rng, bodies, B_MASS, D_MASS, px, py, pz, hadrons, count)
        b_charge = int(rng.random() < 0.45) * (-1 if flavour > 0 else 1)
        charge = max(1 - bodies, min(bodies - 1, b_charge - d_charge))
        draw_charges(rng, tags, begin, count, charge, int(np.int64(FROM_B)), prong)
    heavy[1, 0] = sqrt(D_MASS * D_MASS + px * px + py * py + pz * pz)
    heavy[1, 1], heavy[1, 2], heavy[1, 3] = px, py, pz
    begin, bodies = count, 3 + int(3.0 * rng.random() ** 1.5)
    count, px, py, pz = decay_chain(rng, bodies, D_MASS, PION_MASS, px, py, pz, hadrons, count)
    hadrons[count, 0] = sqrt(PION_MASS * PION_MASS + px * px + py * py + pz * pz)
    hadrons[count, 1], hadrons[count, 2], hadrons[count, 3] = px, py, pz
    count += 1
    draw_charges(rng, tags, begin, count, d_charge, int(np.int64(FROM_D)), prong)
    return count


@compiled(nogil=True)
def hadronise(
    rng: np.random.Generator,
    partons: np.ndarray,
    flavours: np.ndarray,
    number: int,
    prong: int,
    hadrons: np.ndarray,
    tags: np.ndarray,
    count: int,
    heavy: np.ndarray,
) -> int:
    """Turn ``number`` partons into hadrons, appended from ``count`` on; returns the new count."""
    for i in range(number):
        if count + 40 > len(hadrons):
            raise RuntimeError("a jet has more hadrons than the simulation has room for")
        px, py, pz = partons[i, 0], partons[i, 1], partons[i, 2]
        if abs(flavours[i]) >= CHARM:
            count = heavy_hadron(rng, flavours[i], px, py, pz, prong, hadrons, tags, count, heavy)
        else:
            count = cluster_decay(rng, flavours[i], px, py, pz, prong, hadrons, tags, count)
    return count
