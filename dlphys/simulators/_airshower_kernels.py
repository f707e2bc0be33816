"""Compiled parts of the air-shower simulator: showers, and what a station may expect of them.

Lengths in m, depths in g/cm^2, energies in EeV, times in ns (the arrival times of the maps in s).
"""

from __future__ import annotations

import math

import numpy as np

from dlphys._numba import compiled
from dlphys.simulators._airshower_atmosphere import GROUND, depth_at

BINS, BIN_WIDTH = 80, 25.0  # a trace: 2000 ns at 40 MHz
LIGHT = 0.299792458  # m/ns
LN_10 = math.log(10.0)
CLEARANCE = 200.0  # m, the smallest height of the shower maximum above the ground

TIME_SPREAD = 0.7  # of ln(time)
MOST_PARTICLES = 1e7  # in a station

# physics: signal at 1000 m from a proton of 10 EeV at a zenith angle of 38 degrees (VEM), and its two parts
S38 = 47.7
MUON_SHARE, MUON_GROWTH, MUON_MASS = 0.40, 0.93, 0.07
EM_GROWTH = 0.96  # deeper maxima add 0.03
EM_PEAK, EM_BEGIN, EM_MAXIMUM, EM_LENGTH = 0.7135, 0.0, 187.0, 212.5
MUON_SLOPE, EM_SLOPE, EM_AGE = -2.0, -2.75, 0.8
MUON_SCATTER, MUON_SCATTER_MASS = 0.16, -0.35


@compiled(nogil=True)
def primaries(
    geometry: np.random.Generator,
    development: np.random.Generator,
    book: bool,
    energies: tuple,
    cos2_min: float,
    core_radius: float,
    masses: np.ndarray,
    gumbel: np.ndarray,
    energy: np.ndarray,
    axis: np.ndarray,
    core: np.ndarray,
    mass: np.ndarray,
    xmax: np.ndarray,
    muons: np.ndarray,
) -> None:
    """Draw energy, direction, core, mass, depth of the maximum and relative number of muons of each shower."""
    low, high, index = energies
    lowest = depth_at(GROUND + CLEARANCE)
    for i in range(len(energy)):
        u = geometry.random()
        if index == 1.0:
            energy[i] = low * (high / low) ** u
        else:
            a, b = low ** (1.0 - index), high ** (1.0 - index)
            energy[i] = (a + (b - a) * u) ** (1.0 / (1.0 - index))
        cos_zenith = math.sqrt(1.0 - geometry.random() * (1.0 - cos2_min))
        sin_zenith = math.sqrt(1.0 - cos_zenith * cos_zenith)
        azimuth = 2.0 * math.pi * geometry.random()
        axis[i, 0] = sin_zenith * math.cos(azimuth)
        axis[i, 1] = sin_zenith * math.sin(azimuth)
        axis[i, 2] = cos_zenith
        distance = core_radius * math.sqrt(geometry.random())
        azimuth = 2.0 * math.pi * geometry.random()
        core[i, 0], core[i, 1] = distance * math.cos(azimuth), distance * math.sin(azimuth)

        kind = min(int(development.random() * len(masses)), len(masses) - 1)
        mass[i] = masses[kind]
        lg = math.log10(energy[i] / 10.0)
        location = gumbel[kind, 0, 0] + lg * (gumbel[kind, 0, 1] + lg * gumbel[kind, 0, 2])
        scale = gumbel[kind, 1, 0] + lg * (gumbel[kind, 1, 1] + lg * gumbel[kind, 1, 2])
        shape = gumbel[kind, 2, 0] + lg * (gumbel[kind, 2, 1] + lg * gumbel[kind, 2, 2])
        while True:
            xmax[i] = location - scale * math.log(development.standard_gamma(shape) / shape)
            if xmax[i] > 0.0 and xmax[i] * cos_zenith <= lowest:
                break
        spread = MUON_SCATTER * mass[i] ** MUON_SCATTER_MASS
        fluctuation = math.exp(spread * development.standard_normal() - 0.5 * spread * spread)
        muons[i] = 1.0 if book else fluctuation


@compiled(nogil=True)
def em_slope(book: bool, xmax: float, cos_zenith: float) -> float:
    """Exponent of the electromagnetic lateral distribution; older showers are flatter."""
    if book:
        return -6.1
    depth = depth_at(GROUND) / cos_zenith
    age = 3.0 * depth / (depth + 2.0 * xmax)
    return EM_SLOPE + EM_AGE * (age - 1.05)


@compiled(nogil=True)
def sizes(book: bool, energy: float, mass: float) -> tuple[float, float]:
    """Signals of muons and of electrons and photons, at 1000 m; their other factors are in `signals`."""
    if book:
        light = 0.3 * mass**0.15
        total = 900.0 * energy / 10.0
        return total * light / (light + 0.7), total * 0.7 / (light + 0.7)
    relative = energy / 10.0
    return S38 * MUON_SHARE * relative**MUON_GROWTH * mass**MUON_MASS, S38 * EM_PEAK * relative**EM_GROWTH


@compiled(nogil=True)
def signals(
    book: bool, muon_size: float, em_size: float, slope: float, distance: float, beyond: float
) -> tuple[float, float]:
    """Expected signals of muons and of electrons and photons.

    ``distance`` is that to the shower axis; ``beyond`` the slant depth from the shower maximum to the station.
    """
    if book:
        lateral = math.log(max(distance, 150.0) / 1000.0)
        old = math.log(max(beyond, 1e-9) / 100.0)
        muon = muon_size * math.exp(-4.7 * lateral + min(-0.1 * old, LN_10))
        em = em_size * math.exp(slope * lateral + min(-0.4 * old, LN_10))
        if muon + em > MOST_PARTICLES:
            muon, em = MOST_PARTICLES * muon / (muon + em), MOST_PARTICLES * em / (muon + em)
        return muon, em
    near = max(distance, 50.0)
    lateral = math.log(near * (near + 700.0) / 1.7e6)
    grown = max((beyond - EM_BEGIN) / (EM_MAXIMUM - EM_BEGIN), 1e-9)
    longitudinal = (EM_MAXIMUM - EM_BEGIN) / EM_LENGTH * (math.log(grown) + 1.0 - grown)
    return muon_size * math.exp(MUON_SLOPE * lateral), em_size * math.exp(slope * lateral + longitudinal)


@compiled(nogil=True)
def depth_beyond(above: float, height: float, x: float, y: float) -> float:
    """Slant depth from the shower maximum to a station, on the straight line between them.

    ``above`` is the vertical depth between them, ``height`` that of the maximum above the ground, x and y its
    horizontal distance from the station. Particles of a late station have crossed more air.
    """
    return above * math.sqrt(x * x + y * y + height * height) / height


@compiled(nogil=True)
def quantum(book: bool, cos_zenith: float) -> float:
    """Signal of one effective particle: 1 in the book; else such that the scatter is (0.34 + 0.46 sec z) sqrt(S)."""
    return 1.0 if book else (0.34 + 0.46 / cos_zenith) ** 2


@compiled(nogil=True)
def medians(distance: float, beyond: float) -> tuple[float, float, float]:
    """Median delays (ns) behind the front of muons and of electrons, and by how much the latter begin later."""
    wide = (distance / 750.0) ** 1.4
    muon = 50.0 + 140.0 * wide * (1.0 - 0.0002 * beyond)
    em = 80.0 + 200.0 * wide * (1.0 - 0.0001 * beyond)
    return muon, em, (em - muon) / 1.5


@compiled(nogil=True)
def arrived(time: float, median: float) -> float:
    """Share of the particles that have arrived until ``time``: log-normal."""
    if time <= 0.0:
        return 0.0
    return 0.5 * math.erfc(-math.log(time / median) / (TIME_SPREAD * math.sqrt(2.0)))


@compiled(nogil=True)
def normal_quantile(p: float) -> float:
    """Quantile of the normal distribution, to 1.2e-9 relative: P. J. Acklam's rational approximation."""
    if p < 0.02425 or p > 0.97575:
        q = math.sqrt(-2.0 * math.log(p if p < 0.5 else 1.0 - p))
        x = (
            (
                (
                    ((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q
                    - 2.549732539343734e00
                )
                * q
                + 4.374664141464968e00
            )
            * q
            + 2.938163982698783e00
        ) / (
            (
                ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e00) * q
                + 3.754408661907416e00
            )
            * q
            + 1.0
        )
        return x if p < 0.5 else -x
    q = p - 0.5
    r = q * q
    return (
        (
            (
                (
                    ((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
                    + 1.383577518672690e02
                )
                * r
                - 3.066479806614716e01
            )
            * r
            + 2.506628277459239e00
        )
        * q
    ) / (
        (
            (((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r + 6.680131188771972e01)
            * r
            - 1.328068155288572e01
        )
        * r
        + 1.0
    )


@compiled(nogil=True)
def first_particle(random: np.random.Generator, muon: float, em: float, delays: tuple) -> float:
    """Delay of the first particle behind the front, or infinity if there is none.

    ``muon`` and ``em`` are expected numbers. Until time t a station expects muon F(t) muons, and in a Poisson process
    the expectation at the first one is exponentially distributed: t = F^-1(e / muon). Given N particles in all, that
    is F^-1(1 - u^(1/N)).
    """
    median, em_median, shift = delays
    first = np.inf
    e = random.standard_exponential()
    if e < muon:
        first = median * math.exp(TIME_SPREAD * normal_quantile(e / muon))
    e = random.standard_exponential()
    if e < em:
        first = min(first, shift + em_median * math.exp(TIME_SPREAD * normal_quantile(e / em)))
    return first


@compiled(nogil=True)
def squared_bins(muon: float, em: float, delays: tuple) -> float:
    """Sum over bins of the squared expected number of particles: the integral of the squared density, times a bin."""
    median, em_median, _ = delays
    s = TIME_SPREAD
    apart = math.log(em_median / median) / (2.0 * s)
    crossed = 2.0 * muon * em / math.sqrt(median * em_median) * math.exp(-apart * apart)
    squares = muon * muon / median + em * em / em_median + crossed
    return BIN_WIDTH * math.exp(0.25 * s * s) / (2.0 * math.sqrt(math.pi) * s) * squares
