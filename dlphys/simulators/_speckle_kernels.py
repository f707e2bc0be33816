"""Compiled parts of the speckle simulator: amplitudes in the pupil, the pattern on the detector, photon counts."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from dlphys._numba import compiled

PIXELS = 64
RADIAL = 140
"""Entries of a radial table, half a pixel apart: as far as the farthest corner from any beam."""

FEW = 64
"""Below this mean, photons are counted with tables."""

_TERMS = 192
"""Numbers of photons in a table; at a mean of 63 the chance of more is 5e-39."""

RECIPROCAL = np.concatenate([[0.0], 1.0 / np.arange(1, 41)])
"""1 / k; at a mean of 1 the chance of 37 photons is 3e-44."""

GROWTH = np.exp(np.arange(FEW))
"""exp(whole part of a mean), which turns exp(-mean) into that of the rest."""


def _alias_tables() -> tuple[np.ndarray, np.ndarray]:
    """Poisson numbers of the means 0, 1 ... as mixtures of pairs: A. J. Walker, ACM Trans. Math. Softw. 3 (1977) 253.

    Each of 192 equally likely cells holds its own number, with the probability of the first array, and one other.
    """
    share, other = np.ones((FEW, _TERMS), np.float32), np.zeros((FEW, _TERMS), np.uint8)
    number = np.arange(_TERMS)
    for mean in range(1, FEW):
        left = np.exp(number * np.log(mean) - mean - special.gammaln(number + 1.0)) * _TERMS
        poor, rich = [list(np.flatnonzero(side)) for side in (left < 1.0, left >= 1.0)]
        while poor and rich:
            taker, giver = poor.pop(), rich[-1]
            share[mean, taker], other[mean, taker] = left[taker], giver
            left[giver] -= 1.0 - left[taker]
            if left[giver] < 1.0:
                poor.append(rich.pop())
    return share, other


SHARE, OTHER = _alias_tables()


@compiled(nogil=True)
def draw_pupils(random: np.random.Generator, weight: np.ndarray, points: int, pupils: np.ndarray) -> None:
    """Complex Gaussian amplitudes in the pupil of each event, scaled so that the mean intensity is ``weight``.

    ``pupils`` is (events, period, points); rows beyond the pupil become zeros. An event of weight 0 draws nothing,
    which does not depend on how many events follow.
    """
    for i in range(len(weight)):
        pupils[i, points:] = 0.0
        if weight[i] == 0.0:
            pupils[i] = 0.0
            continue
        scale = np.sqrt(0.5 * weight[i]) / points
        for j in range(points):
            for k in range(points):
                pupils[i, j, k] = scale * complex(random.standard_normal(), random.standard_normal())


@compiled(nogil=True)
def copy_rows(half: np.ndarray, points: int, field: np.ndarray) -> None:
    """The rows that the detector sees, with zeros beyond the pupil, for the transform along the other axis."""
    for i in range(len(field)):
        for j in range(PIXELS):
            for k in range(points):
                field[i, j, k] = half[i, j, k]
            field[i, j, points:] = 0.0


@compiled(nogil=True)
def add_intensity(field: np.ndarray, intensity: np.ndarray) -> None:
    """Add |field|^2 of the pixels of the detector; ``field`` reaches beyond it."""
    for i in range(len(intensity)):
        for j in range(PIXELS):
            for k in range(PIXELS):
                value = field[i, j, k]
                intensity[i, j, k] += value.real * value.real + value.imag * value.imag


@compiled(nogil=True)
def _radial_image(table: np.ndarray, row: float, column: float, image: np.ndarray) -> float:
    """A table over the radius, in steps of half a pixel, about a centre; returns the sum of the image.

    Radii apart from the table, and a sum for each column, so that the processor can take several pixels at a time.
    """
    radius, total = np.empty(PIXELS), np.zeros(PIXELS)
    for i in range(PIXELS):
        for j in range(PIXELS):
            radius[j] = 2.0 * np.sqrt((i - row) ** 2 + (j - column) ** 2)
        for j in range(PIXELS):
            low = int(radius[j])
            part = radius[j] - low
            image[i, j] = (1.0 - part) * table[low] + part * table[low + 1]
            total[j] += image[i, j]
    return total.sum()


@compiled(nogil=True)
def _separable_image(across: np.ndarray, along: np.ndarray, diffuse: np.ndarray, image: np.ndarray) -> float:
    """across x along: rods along the surface normal; and scattering that is the same all along the surface."""
    for i in range(PIXELS):
        for j in range(PIXELS):
            image[i, j] = across[i] * along[j] + diffuse[i]
    return across.sum() * along.sum() + PIXELS * diffuse.sum()


@compiled(nogil=True)
def compose_patterns(
    radial: np.ndarray,
    table: np.ndarray,
    profiles: np.ndarray,
    centre: np.ndarray,
    halos: np.ndarray,
    light: np.ndarray,
    turned: np.ndarray,
    patterns: np.ndarray,
) -> None:
    """Share the photons between scattering and halo, add the background, and place it on the detector.

    ``profiles`` are across, along and diffuse, and ``halos`` the halo across and along, each over the pixels of one
    axis; ``light`` is photons, share of the halo, and background of a pixel. The first axis of an image is the surface
    normal, which points upwards, or to the left if ``turned``.
    """
    image = np.empty((PIXELS, PIXELS))
    for n in range(len(patterns)):
        if radial[n]:
            total = _radial_image(table[n], centre[n, 0], centre[n, 1], image)
        else:
            total = _separable_image(profiles[0, n], profiles[1, n], profiles[2, n], image)
        photons, halo, background = light[n]
        scale = photons * (1.0 - halo) / total
        for i in range(PIXELS):
            around = photons * halo * halos[0, n, i]
            for j in range(PIXELS):
                image[i, j] = scale * image[i, j] + around * halos[1, n, j] + background
        if turned[n]:
            for j in range(PIXELS):
                for i in range(PIXELS):
                    patterns[n, j, PIXELS - 1 - i] = image[i, j]
        else:
            for i in range(PIXELS):
                for j in range(PIXELS):
                    patterns[n, PIXELS - 1 - i, j] = image[i, j]


@compiled(nogil=True)
def shine(pattern: np.ndarray, background: np.ndarray, grains: np.ndarray) -> None:
    """Turn relative intensities into photons; the background of each event has no speckle."""
    for i in range(len(grains)):
        constant = np.float32(background[i])
        for j in range(PIXELS):
            for k in range(PIXELS):
                grains[i, j, k] = constant + grains[i, j, k] * (pattern[i, j, k] - constant)


@compiled(nogil=True)
def _whole_mean(random: np.random.Generator, mean: int) -> int:
    """A Poisson number from a table."""
    place = _TERMS * random.random()
    cell = int(place)
    return cell if place - cell < SHARE[mean, cell] else OTHER[mean, cell]


@compiled(nogil=True)
def _small_mean(left: float, mean: float, dark: float) -> int:
    """The Poisson number at which the distribution function exceeds a uniform number."""
    k, chance = 0, dark
    while left > chance and k < len(RECIPROCAL) - 1:
        left -= chance
        k += 1
        chance *= mean * RECIPROCAL[k]
    return k


@compiled(nogil=True)
def _first_terms(uniform: np.ndarray, mean: np.ndarray, dark: np.ndarray, numbers: np.ndarray) -> None:
    """As `_small_mean` for the fractional part of each mean, but 4 stands for all above 3.

    Without a branch, so that the processor takes several pixels at a time.
    """
    for i in range(len(numbers)):
        whole = int(min(mean[i], np.float32(FEW - 1)))
        rest = mean[i] - np.float64(whole)
        zero = dark[i] * GROWTH[whole]
        one = zero * rest
        two = one * rest * 0.5
        three = two * rest * (1.0 / 3.0)
        one += zero
        two += one
        three += two
        left = uniform[i]
        numbers[i] = np.int32(left > zero) + np.int32(left > one) + np.int32(left > two) + np.int32(left > three)


@compiled(nogil=True)
def _large_mean(random: np.random.Generator, mean: float) -> float:
    """A Poisson number by transformed rejection: W. Hoermann, Insurance Math. Econom. 12 (1993) 39, algorithm PTRS."""
    b = 0.931 + 2.53 * np.sqrt(mean)
    a = -0.059 + 0.02483 * b
    while True:
        u, v = random.random() - 0.5, random.random()
        edge = 0.5 - abs(u)
        k = np.floor((2.0 * a / edge + b) * u + mean + 0.43)
        if edge >= 0.07 and v * (b - 2.0) <= 0.9277 * (b - 2.0) - 3.6224:
            return k
        if k < 0.0 or (edge < 0.013 and v > edge):
            continue
        hat = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b)
        if k < 10.0:
            log_chance = k * np.log(mean) - mean - math.lgamma(k + 1.0)
        else:  # Stirling's series, right to 1e-8 here; its square root goes over to the other side
            hat *= np.sqrt(2.0 * np.pi * k)
            log_chance = k * np.log(mean / k) + k - mean - (1.0 - 1.0 / (30.0 * k * k)) / (12.0 * k)
        if np.log(hat) <= log_chance:
            return k


@compiled(nogil=True)
def count_photons(random: np.random.Generator, expected: np.ndarray, dark: np.ndarray, counts: np.ndarray) -> None:
    """A Poisson number for every pixel; ``dark`` is exp(-expected), and may be ``counts``.

    Below a mean of 64 it is the sum of one for the whole part of the mean, from a table, and one for the rest. No
    probability is off by more than 1e-6, and all together is three times as fast as ``random.poisson``, which starts
    with a logarithm or an exponential for every pixel.
    """
    flat, zero, drawn = expected.ravel(), dark.ravel(), counts.ravel()
    uniform, numbers = np.empty(PIXELS), np.empty(PIXELS, np.int32)
    for begin in range(0, len(flat), PIXELS):
        m = min(PIXELS, len(flat) - begin)
        for i in range(m):
            uniform[i] = random.random()
        _first_terms(uniform, flat[begin : begin + m], zero[begin : begin + m], numbers[:m])
        for i in range(m):
            mean = np.float64(flat[begin + i])
            if mean >= FEW:
                drawn[begin + i] = _large_mean(random, mean)
                continue
            whole, number = int(mean), numbers[i]
            if number == 4:
                number = _small_mean(uniform[i], mean - whole, zero[begin + i] * GROWTH[whole])
            if whole > 0:
                number += _whole_mean(random, whole)
            drawn[begin + i] = number
