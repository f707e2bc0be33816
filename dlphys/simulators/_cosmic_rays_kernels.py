"""Compiled loops over the arrivals of a sky: drawing them, and the sums that oracle and baseline need."""

from __future__ import annotations

import math

import numpy as np

from dlphys._numba import compiled

TWO_PI = 2.0 * math.pi
LOG_10 = math.log(10.0)


@compiled(nogil=True)
def draw_direction(random: np.random.Generator) -> tuple[float, float, float]:
    """A unit vector, equally likely in every direction: z and the azimuth are uniform (Archimedes)."""
    z = 2.0 * random.random() - 1.0
    azimuth = TWO_PI * random.random()
    across = math.sqrt(1.0 - z * z)
    return across * math.cos(azimuth), across * math.sin(azimuth), z


@compiled(nogil=True)
def tangents(x: float, y: float, z: float) -> tuple[float, float, float, float, float, float]:
    """Two unit vectors at right angles to (x, y, z) and to each other (Duff et al., JCGT 6 (2017) 1)."""
    sign = math.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    return 1.0 + sign * x * x * a, sign * b, -sign * x, b, sign + y * y * a, -y


@compiled(nogil=True)
def scatter(x: float, y: float, z: float, kappa: float, random: np.random.Generator) -> tuple[float, float, float]:
    """A direction from the von Mises-Fisher distribution about (x, y, z), by exact inversion.

    With v = 1 - cos: v = -ln(u + (1 - u) exp(-2 kappa)) / kappa, which keeps all digits of a small angle.
    """
    u = 1.0 - random.random()  # in (0, 1]
    azimuth = TWO_PI * random.random()
    v = min(-math.log(u + (1.0 - u) * math.exp(-2.0 * kappa)) / kappa, 2.0)
    across = math.sqrt(v * (2.0 - v))
    first, second, along = across * math.cos(azimuth), across * math.sin(azimuth), 1.0 - v
    ax, ay, az, bx, by, bz = tangents(x, y, z)
    return (
        along * x + first * ax + second * bx,
        along * y + first * ay + second * by,
        along * z + first * az + second * bz,
    )


@compiled(nogil=True)
def draw_sources(
    source: np.ndarray,
    tangent: np.ndarray,
    deflection: np.ndarray,
    flux: np.ndarray,
    low: float,
    high: float,
    equal: bool,
    random: np.random.Generator,
) -> None:
    """Sources of a block of skies.

    Parameters
    ----------
    source, tangent : array, (n, k, 3)
        Written: directions of the sources, and of the deflection at each of them.
    deflection : array, (n, k)
        Written: uniform in [low, high].
    flux : array, (n, k)
        Written: shares that add up to 1, equal or those of sources that fill space evenly.
    """
    n, k, _ = source.shape
    for i in range(n):
        total = 0.0
        for s in range(k):
            x, y, z = draw_direction(random)
            angle = TWO_PI * random.random()
            c, d = math.cos(angle), math.sin(angle)
            ax, ay, az, bx, by, bz = tangents(x, y, z)
            source[i, s, 0], source[i, s, 1], source[i, s, 2] = x, y, z
            tangent[i, s, 0], tangent[i, s, 1], tangent[i, s, 2] = c * ax + d * bx, c * ay + d * by, c * az + d * bz
            deflection[i, s] = low + (high - low) * random.random()
            # distances r with a density r^2: brightness r^-2 has the integral distribution S^(-3/2)
            u = 1.0 - random.random()
            flux[i, s] = 1.0 if equal else u ** (-2.0 / 3.0)
            total += flux[i, s]
        for s in range(k):
            flux[i, s] /= total


@compiled(nogil=True)
def draw_skies(
    data: np.ndarray,
    label: np.ndarray,
    charge: np.ndarray,
    origin: np.ndarray,
    source: np.ndarray,
    tangent: np.ndarray,
    deflection: np.ndarray,
    flux: np.ndarray,
    charges: np.ndarray,
    cumulated: np.ndarray,
    exponent: float,
    kept: float,
    log_minimum: float,
    log_unit: float,
    signal_share: float,
    reference: float,
    blur: float,
    properties: np.random.Generator,
    isotropic: np.random.Generator,
    signal: np.random.Generator,
) -> None:
    """Arrivals of a block of skies.

    Parameters
    ----------
    data : array, (n, N, 4), float32
        Written: unit vector, and log10 of the energy in eV divided by ``log_unit``.
    label : array, (n,)
        0 for an isotropic sky: its sources stay dark.
    charge, origin : array, (n, N), int8
        Written: the charge number, and the source or -1.
    exponent, kept : float
        E = minimum (1 - kept u)^exponent with u uniform.
    log_minimum : float
        log10 of the smallest energy in eV.
    reference : float
        Rigidity in EV at which ``deflection`` and ``blur`` are given.
    blur : float, rad
    properties, isotropic, signal : Generator
        Energies and charges, directions without sources, and the scatter of arrivals from sources.
    """
    n, arrivals, _ = data.shape
    for i in range(n):
        for j in range(arrivals):
            log_energy = exponent * math.log(1.0 - kept * properties.random()) / LOG_10 + log_minimum
            u = properties.random()
            kind = 0
            while u >= cumulated[kind]:
                kind += 1
            number = charges[kind]
            u = properties.random() / signal_share if signal_share > 0.0 else 2.0
            x, y, z = draw_direction(isotropic)
            s = -1
            if u < 1.0 and label[i] == 1:
                s = 0
                while s < flux.shape[1] - 1 and u >= flux[i, s]:
                    u -= flux[i, s]
                    s += 1
                ratio = reference * number / 10.0 ** (log_energy - 18.0)  # reference rigidity over E / Z
                angle = deflection[i, s] * ratio
                c, d = math.cos(angle), math.sin(angle)
                x = c * source[i, s, 0] + d * tangent[i, s, 0]
                y = c * source[i, s, 1] + d * tangent[i, s, 1]
                z = c * source[i, s, 2] + d * tangent[i, s, 2]
                x, y, z = scatter(x, y, z, 1.0 / (blur * ratio) ** 2, signal)
            data[i, j, 0], data[i, j, 1], data[i, j, 2] = x, y, z
            data[i, j, 3] = log_energy / log_unit
            charge[i, j] = number
            origin[i, j] = s


@compiled(nogil=True)
def source_ratio(
    directions: np.ndarray,
    energy: np.ndarray,
    source: np.ndarray,
    tangent: np.ndarray,
    deflection: np.ndarray,
    flux: np.ndarray,
    charges: np.ndarray,
    shares: np.ndarray,
    signal_share: float,
    reference: float,
    blur: float,
    result: np.ndarray,
) -> None:
    """Log likelihood ratio of each sky for its own sources; arrays as in `draw_skies`, energy in EeV."""
    n, arrivals, _ = directions.shape
    for i in range(n):
        total = 0.0
        for j in range(arrivals):
            density = 0.0  # relative to that of an isotropic sky
            for s in range(flux.shape[1]):
                along, across = 0.0, 0.0
                for k in range(3):
                    along += directions[i, j, k] * source[i, s, k]
                    across += directions[i, j, k] * tangent[i, s, k]
                for z in range(charges.shape[0]):
                    ratio = reference * charges[z] / energy[i, j]
                    angle = deflection[i, s] * ratio
                    kappa = 1.0 / (blur * ratio) ** 2
                    away = 1.0 - along * math.cos(angle) - across * math.sin(angle)
                    if kappa * away < 700.0:
                        peak = 2.0 * kappa / -math.expm1(-2.0 * kappa)
                        density += flux[i, s] * shares[z] * peak * math.exp(-kappa * away)
            total += math.log(1.0 - signal_share + signal_share * density)
        result[i] = total


@compiled(nogil=True)
def count_pairs(directions: np.ndarray, cosine: float, result: np.ndarray) -> None:
    """Pairs of arrivals with a larger cosine of their separation; ``directions`` is (n, 3, N) float32."""
    n, _, arrivals = directions.shape
    for i in range(n):
        x, y, z = directions[i, 0], directions[i, 1], directions[i, 2]
        total = 0
        for j in range(arrivals):
            a, b, c = x[j], y[j], z[j]
            for k in range(j):
                total += a * x[k] + b * y[k] + c * z[k] > cosine
        result[i] = total
