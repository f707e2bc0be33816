"""Particles followed step by step through matter: electrons, photons, and heavy charged particles (compiled).

An electromagnetic cascade is followed particle by particle down to a fifth of an MeV. Electrons lose the critical
energy in a radiation length by ionisation (Rossi's definition) and radiate with the screened spectrum
dn/dv = (4/3 (1 - v) + v^2) / v in a radiation length; photons make pairs or scatter after Klein and Nishina. All
charged particles scatter with Highland's width for one radiation length. Heavy particles lose energy after Bethe, with
delta rays one by one; muons decay where they stop. The energies of all steps add up to that of the particle.

Left out: annihilation photons (their energy stays where the pair was made), the photoelectric effect (photons below
0.2 MeV are absorbed on the spot), and all nuclear physics but the end of a hadron at an interaction.
"""

from __future__ import annotations

import numpy as np

from dlphys._numba import compiled
from dlphys.simulators._events_matter import (
    ELECTRON_MASS,
    MUON_MASS,
    PION_MASS,
    PROTON_MASS,
    SCATTERING_ENERGY,
    _bethe,
)

PHOTON, ELECTRON, MUON, HADRON, PROTON = 0.0, 1.0, 2.0, 3.0, 4.0
"""Kinds of particles. Floats, as they stand in the stack; for each constant integer that is an argument, Numba would
compile the function once more."""
STACK = 4096
"""Particles that wait to be followed. A cascade of 10 GeV needs a few hundred places."""
SOFT_PHOTON = 1.0  # MeV; softer bremsstrahlung is part of the continuous loss
SOFT_DELTA = 0.1  # MeV; softer delta rays are part of the continuous loss
SHOWER_DELTA = 5.0  # MeV; harder delta rays are electrons of their own, longer than two centimetres
ABSORBED = 0.2  # MeV; a photon or electron below is absorbed where it is
MICHEL_ENDPOINT = MUON_MASS / 2.0  # MeV, largest energy of an electron of muon decay

PIXELS, PLANES, DEPTH = 0.0, 1.0, 2.0
"""What `deposit` fills: pixels (z, x) in a channel for tracks and one for showers; planes across z that measure x and y
in turn; depth and radius."""


@compiled(nogil=True)
def deposit(
    image: np.ndarray,
    mode: float,
    along: float,
    across: float,
    channel: int,
    x: float,
    y: float,
    z: float,
    energy: float,
) -> None:
    """Add energy to the cell of the image (channels, cells along z, cells across) at a place, if it is inside."""
    if mode == PLANES:
        plane = int(np.floor(z / along))
        channel, row = plane % 2, plane // 2
        column = int(np.floor((x if channel == 0 else y) / across))
    elif mode == PIXELS:
        row, column = int(np.floor(z / along)), int(np.floor(x / across))
    else:
        row, column = int(np.floor(z / along)), int(np.sqrt(x * x + y * y) / across)
    if 0 <= row < image.shape[1] and 0 <= column < image.shape[2]:
        image[channel, row, column] += energy


@compiled(nogil=True)
def turned(ux: float, uy: float, uz: float, theta: float, phi: float) -> tuple[float, float, float]:
    """A direction turned by the angle ``theta`` towards the azimuth ``phi`` about itself."""
    sign = 1.0 if uz >= 0.0 else -1.0  # a basis without branches: Duff et al., J. Comput. Graph. Tech. 6 (2017) 1
    a = -1.0 / (sign + uz)
    b = ux * uy * a
    cos, sin = np.cos(theta), np.sin(theta)
    p, q = sin * np.cos(phi), sin * np.sin(phi)
    return (
        cos * ux + p * (1.0 + sign * ux * ux * a) + q * b,
        cos * uy + p * sign * b + q * (sign + uy * uy * a),
        cos * uz - p * sign * ux - q * uy,
    )


@compiled(nogil=True)
def isotropic(random: np.random.Generator) -> tuple[float, float, float]:
    """A direction of the sphere, all alike."""
    uz = 2.0 * random.random() - 1.0
    phi = 2.0 * np.pi * random.random()
    sin = np.sqrt(1.0 - uz * uz)
    return sin * np.cos(phi), sin * np.sin(phi), uz


@compiled(nogil=True)
def push(
    stack: np.ndarray,
    count: int,
    kind: float,
    place: tuple[float, float, float],
    direction: tuple[float, float, float],
    kinetic: float,
) -> int:
    """Put a particle on the stack of shape (places, 8); the new number of particles."""
    if count >= stack.shape[0]:
        raise ValueError("more particles wait to be followed than the stack has places")
    stack[count, 0] = kind
    stack[count, 1], stack[count, 2], stack[count, 3] = place
    stack[count, 4], stack[count, 5], stack[count, 6] = direction
    stack[count, 7] = kinetic
    return count + 1


@compiled(nogil=True)
def compton_cross_section(energy: float) -> float:
    """Klein and Nishina's cross section of an electron in units of r_e^2, for a photon of ``energy`` MeV."""
    k = energy / ELECTRON_MASS
    t = 1.0 + 2.0 * k
    log = np.log(t)
    return (
        2.0
        * np.pi
        * ((1.0 + k) / (k * k) * (2.0 * (1.0 + k) / t - log / k) + log / (2.0 * k) - (1.0 + 3.0 * k) / (t * t))
    )


@compiled(nogil=True)
def photon_rates(energy: float, constants: np.ndarray) -> tuple[float, float]:
    """Pairs and Compton scatterings in a centimetre.

    Pairs: 7/9 in a radiation length with full screening; at lower energies Bethe and Heitler's unscreened
    28/9 ln(2 k) - 218/27, k = E / m_e, beside the screened 28/9 ln(183 Z^(-1/3)) - 2/27.
    """
    k = energy / ELECTRON_MASS
    pairs = 0.0
    if k > 2.0:
        pairs = min(1.0, max(0.0, (28.0 / 9.0 * np.log(2.0 * k) - 218.0 / 27.0) / constants[3]))
    return 7.0 / 9.0 * pairs / constants[0], constants[11] * compton_cross_section(energy)


@compiled(nogil=True)
def _scattering_angle(random: np.random.Generator, momentum_beta: float, depth: float) -> float:
    """Angle in space after ``depth`` radiation lengths: two Gaussian projections."""
    return SCATTERING_ENERGY / momentum_beta * np.sqrt(2.0 * depth * random.standard_exponential())


@compiled(nogil=True)
def _follow_photon(
    random: np.random.Generator,
    stack: np.ndarray,
    count: int,
    image: np.ndarray,
    mode: float,
    along: float,
    across: float,
    constants: np.ndarray,
) -> int:
    x, y, z, ux, uy, uz, energy = stack[count, 1:8]
    while True:
        if energy < ABSORBED:
            deposit(image, mode, along, across, 1, x, y, z, energy)
            return count
        pairs, compton = photon_rates(energy, constants)
        path = random.standard_exponential() / (pairs + compton)
        x, y, z = x + path * ux, y + path * uy, z + path * uz
        if random.random() * (pairs + compton) < pairs:
            share = random.random()
            while random.random() > 1.0 - 4.0 / 3.0 * share * (1.0 - share):
                share = random.random()
            kinetic = energy - 2.0 * ELECTRON_MASS
            deposit(image, mode, along, across, 1, x, y, z, 2.0 * ELECTRON_MASS)
            for part in (share, 1.0 - share):
                theta = ELECTRON_MASS / (part * kinetic + ELECTRON_MASS)
                direction = turned(ux, uy, uz, theta, 2.0 * np.pi * random.random())
                count = push(stack, count, ELECTRON, (x, y, z), direction, part * kinetic)
            return count
        # Compton: energy fraction from Klein and Nishina by rejection (Butcher and Messel 1960)
        k = energy / ELECTRON_MASS
        least = 1.0 / (1.0 + 2.0 * k)
        first, second = -np.log(least), 0.5 * (1.0 - least * least)
        while True:
            if random.random() * (first + second) < first:
                fraction = np.exp(-first * random.random())
            else:
                fraction = np.sqrt(least * least + (1.0 - least * least) * random.random())
            t = (1.0 - fraction) / (k * fraction)
            sin_squared = max(0.0, t * (2.0 - t))
            if random.random() < 1.0 - fraction * sin_squared / (1.0 + fraction * fraction):
                break
        theta = np.arccos(min(1.0, max(-1.0, 1.0 - t)))
        phi = 2.0 * np.pi * random.random()
        recoil = energy * (1.0 - fraction)
        momentum = np.sqrt(recoil * (recoil + 2.0 * ELECTRON_MASS))
        if momentum > 0.0:
            sin = min(1.0, energy * fraction * np.sin(theta) / momentum)
            electron = np.arcsin(sin)
            count = push(stack, count, ELECTRON, (x, y, z), turned(ux, uy, uz, electron, phi + np.pi), recoil)
        ux, uy, uz = turned(ux, uy, uz, theta, phi)
        energy *= fraction


@compiled(nogil=True)
def _follow_electron(
    random: np.random.Generator,
    stack: np.ndarray,
    count: int,
    image: np.ndarray,
    mode: float,
    along: float,
    across: float,
    constants: np.ndarray,
) -> int:
    x, y, z, ux, uy, uz, kinetic = stack[count, 1:8]
    radiation_length = constants[0]
    loss = (constants[1] + 4.0 / 3.0 * SOFT_PHOTON) / radiation_length
    longest = 0.5 * min(along, across)
    while kinetic > ABSORBED:
        step = min(longest, kinetic / loss)
        radiates = False
        if kinetic > SOFT_PHOTON:
            path = random.standard_exponential() * radiation_length / (4.0 / 3.0 * np.log(kinetic / SOFT_PHOTON))
            if path < step:
                step, radiates = path, True
        deposit(
            image, mode, along, across, 1, x + 0.5 * step * ux, y + 0.5 * step * uy, z + 0.5 * step * uz, loss * step
        )
        x, y, z = x + step * ux, y + step * uy, z + step * uz
        total = kinetic + ELECTRON_MASS
        momentum_beta = kinetic * (kinetic + 2.0 * ELECTRON_MASS) / total
        theta = _scattering_angle(random, momentum_beta, step / radiation_length)
        ux, uy, uz = turned(ux, uy, uz, theta, 2.0 * np.pi * random.random())
        kinetic -= loss * step
        if radiates and kinetic > SOFT_PHOTON:
            v = (SOFT_PHOTON / kinetic) ** random.random()  # 1/v, thinned to the spectrum
            if random.random() < 1.0 - v + 0.75 * v * v:
                direction = turned(ux, uy, uz, ELECTRON_MASS / total, 2.0 * np.pi * random.random())
                count = push(stack, count, PHOTON, (x, y, z), direction, v * kinetic)
                kinetic -= v * kinetic
    deposit(image, mode, along, across, 1, x, y, z, max(kinetic, 0.0))
    return count


@compiled(nogil=True)
def _follow_heavy(
    random: np.random.Generator,
    stack: np.ndarray,
    count: int,
    image: np.ndarray,
    mode: float,
    along: float,
    across: float,
    constants: np.ndarray,
) -> int:
    kind = stack[count, 0]
    x, y, z, ux, uy, uz, kinetic = stack[count, 1:8]
    mass = PION_MASS if kind == HADRON else (PROTON_MASS if kind == PROTON else MUON_MASS)
    longest = 0.5 * min(along, across)
    to_go = np.inf if kind == MUON else constants[2] * random.standard_exponential()
    while kinetic > ABSORBED:
        loss, beta_squared, largest = _bethe(kinetic, mass, constants, SOFT_DELTA)
        # near the end the loss grows quickly: short steps
        step = min(longest, max(0.2 * kinetic / loss, 0.02))
        step = min(step, kinetic / loss, to_go)
        spent = loss * step
        middle = (x + 0.5 * step * ux, y + 0.5 * step * uy, z + 0.5 * step * uz)
        if largest > SOFT_DELTA:
            scale = constants[12] / beta_squared
            for _ in range(random.poisson(scale * step * (1.0 / SOFT_DELTA - 1.0 / largest))):
                delta = 1.0 / (1.0 / SOFT_DELTA - random.random() * (1.0 / SOFT_DELTA - 1.0 / largest))
                if random.random() > 1.0 - beta_squared * delta / largest or delta + spent > kinetic:
                    continue
                if delta > SHOWER_DELTA:
                    cos = np.sqrt(delta * (largest + 2.0 * ELECTRON_MASS) / (largest * (delta + 2.0 * ELECTRON_MASS)))
                    direction = turned(ux, uy, uz, np.arccos(min(cos, 1.0)), 2.0 * np.pi * random.random())
                    count = push(stack, count, ELECTRON, middle, direction, delta)
                    kinetic -= delta
                else:
                    spent += delta
        deposit(image, mode, along, across, 0, middle[0], middle[1], middle[2], spent)
        x, y, z = x + step * ux, y + step * uy, z + step * uz
        theta = _scattering_angle(random, kinetic * (kinetic + 2.0 * mass) / (kinetic + mass), step / constants[0])
        ux, uy, uz = turned(ux, uy, uz, theta, 2.0 * np.pi * random.random())
        kinetic -= spent
        to_go -= step
        if to_go <= 0.0:
            # a nucleus is hit: two protons share half of the energy, neutrons carry the rest away unseen
            share = random.random()
            for part in (share, 1.0 - share):
                count = push(stack, count, PROTON, (x, y, z), isotropic(random), 0.5 * part * kinetic)
            return count
    deposit(image, mode, along, across, 0, x, y, z, max(kinetic, 0.0))
    if kind in (MUON, HADRON):  # a pion at rest becomes a muon of less than two millimetres
        fraction = random.random()
        while random.random() > fraction * fraction * (3.0 - 2.0 * fraction):
            fraction = random.random()
        count = push(stack, count, ELECTRON, (x, y, z), isotropic(random), fraction * MICHEL_ENDPOINT)
    return count


@compiled(nogil=True)
def follow(
    random: np.random.Generator,
    stack: np.ndarray,
    count: int,
    image: np.ndarray,
    mode: float,
    along: float,
    across: float,
    constants: np.ndarray,
) -> None:
    """Follow the first ``count`` particles of the stack and all they make, the last first."""
    while count > 0:
        count -= 1
        kind = stack[count, 0]
        if kind == PHOTON:
            count = _follow_photon(random, stack, count, image, mode, along, across, constants)
        elif kind == ELECTRON:
            count = _follow_electron(random, stack, count, image, mode, along, across, constants)
        else:
            count = _follow_heavy(random, stack, count, image, mode, along, across, constants)


@compiled(nogil=True)
def profiles(
    random: np.random.Generator,
    kind: float,
    kinetic: float,
    image: np.ndarray,
    along: float,
    across: float,
    constants: np.ndarray,
) -> None:
    """Deposits (n, 2, depths, radii) of n particles that start at the origin along z, for the certification."""
    stack = np.empty((STACK, 8))
    for event in range(image.shape[0]):
        count = 0
        count = push(stack, count, kind, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), kinetic)
        follow(random, stack, count, image[event], DEPTH, along, across, constants)
