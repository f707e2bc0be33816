"""Skies of cosmic rays at the highest energies: isotropic, or with sources seen through the magnetic field.

A nucleus of charge number Z and energy E has the rigidity R = E / Z. A field deflects it by an angle proportional to
1 / R: the coherent part orders the arrivals of one source along a street, the highest rigidities next to the source,
and the turbulent part blurs it, again by 1 / R. Used in chapter 10: does a sky of 500 arrivals hold a street?

Beside the skies stand an *oracle* (`known_source_ratio`, which knows where the sources are and how they are deflected)
and a *baseline* (`pair_counts`, the two-point autocorrelation). The optimum for unknown sources lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_count, check_number, check_positive
from dlphys.simulators._cosmic_rays_kernels import count_pairs, draw_skies, draw_sources, source_ratio
from dlphys.simulators._cosmic_rays_setting import CHARGES, LOG_UNIT, MINIMUM_ENERGY, REFERENCE_RIGIDITY, checked
from dlphys.simulators._sample import Sample

__all__ = [
    "CHARGES",
    "LOG_UNIT",
    "MINIMUM_ENERGY",
    "REFERENCE_RIGIDITY",
    "CosmicRaySkies",
    "deflect",
    "field_deflection",
    "known_source_ratio",
    "pair_counts",
    "power_law_energy",
    "simulate",
    "von_mises_fisher",
]

GYRORADIUS = 1.0810  # kpc, of 1 EV in 1 microgauss: R / (c B)

BLOCK = 64  # skies
LABEL, SOURCES, PROPERTIES, ISOTROPIC, SIGNAL = range(5)


@dataclass(frozen=True, repr=False)
class CosmicRaySkies(Sample):
    """Simulated skies of N arrivals; the first axis of every array is the sky.

    Attributes
    ----------
    data : array, (n, N, 4), float32
        Unit vector to where the particle came from, and log10(E / eV) / 20.5, the arrivals in no order.
    label : array, (n,), int8
        1 with sources, 0 for an isotropic sky.
    charge : array, (n, N), int8
        Charge number of the nucleus.
    origin : array, (n, N), int8
        Which source the particle comes from, counted from 0; -1: none.
    source, tangent : array, (n, k, 3), float32
        Unit vectors to the sources, and at right angles the way their particles are deflected. An isotropic sky has
        them as well: there they are dark.
    deflection : array, (n, k), float32, deg
        Coherent deflection at a rigidity of 40 EV.
    flux : array, (n, k), float32
        Shares of the sources in the arrivals that come from sources.
    """

    units: ClassVar = {
        "data": "x, y, z, log10(E/eV)/20.5",
        "label": "",
        "charge": "",
        "origin": "",
        "source": "",
        "tangent": "",
        "deflection": "deg",
        "flux": "",
    }

    data: np.ndarray
    label: np.ndarray
    charge: np.ndarray
    origin: np.ndarray
    source: np.ndarray
    tangent: np.ndarray
    deflection: np.ndarray
    flux: np.ndarray

    @property
    def directions(self) -> np.ndarray:
        """Unit vectors (n, N, 3), a view."""
        return self.data[..., :3]

    @property
    def energy(self) -> np.ndarray:
        """Energies (n, N) in EeV, float64."""
        return 10.0 ** (LOG_UNIT * self.data[..., 3].astype(np.float64) - 18.0)


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    arrivals: int = 500,
    sources: int | None = None,
    signal_share: float | None = None,
    deflection: float | Sequence[float] | None = None,
    blur: float | None = None,
    composition: Sequence[float] | None = None,
    spectral_index: float | None = None,
    maximum_energy: float | None = None,
    source_skies: float = 0.5,
) -> CosmicRaySkies:
    """Draw skies of cosmic rays, isotropic ones and ones with sources.

    Two presets, and every keyword that is given replaces the preset's value:

    - ``"book"`` has the shape, the range of energies and about the difficulty of the book's set: one source, which
      sends 4.5 % of the arrivals, always deflected by 6 degrees at 40 EV.
    - ``"physics"`` has ten sources that fill space evenly, so that a few outshine the others (fluxes with the integral
      distribution S^(-3/2)), deflections between 3 and 9 degrees, and practically no largest energy.

    Parameters
    ----------
    n : int
        Number of skies.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    arrivals : int
        Particles in a sky.
    sources : int
        Sources in a sky, at most 100; equally bright in the book's preset. Book: 1; physics: 10.
    signal_share : float
        Probability that an arrival of a sky with sources comes from one of them. Book: 0.045; physics: 0.12.
    deflection : float or (low, high), deg
        Coherent deflection D at 40 EV, uniform in a range; at the rigidity R it is D (40 EV / R). Book: 6;
        physics: (3, 9).
    blur : float, deg
        Turbulent blur delta at 40 EV; arrivals scatter about the deflected direction by the von Mises-Fisher
        distribution of kappa = 1 / (delta 40 EV / R)^2, for small angles a Gaussian of this width in each of two
        directions. Book: 1; physics: 1.5.
    composition : three floats
        Shares of hydrogen, helium and nitrogen (Z = 1, 2, 7), the same at all energies. Default (0.15, 0.45, 0.40).
    spectral_index : float
        gamma of dN/dE ~ E^-gamma above 40 EeV, above 1. Default 5.4.
    maximum_energy : float, EeV
        Book: 155; physics: 1000.
    source_skies : float
        Probability of a sky with sources. Default 0.5.

    Returns
    -------
    CosmicRaySkies
        Frozen dataclass: data (n, N, 4) float32, label (n,) int8, and which particle comes from where.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Directions and energies are continuous: no pixels, no grid. The composition is near what Auger finds at these
    energies, light to intermediate, but the shares are ours, as are the size of the deflection (6 degrees at 40 EV is
    4.5 microgauss kpc, `field_deflection`) and the signal shares. One composition for all skies, isotropic exposure, no
    error of measurement. The book's exercise after T. Bister et al., Astropart. Phys. 126 (2021) 102527,
    arXiv:2003.13038.

    One seed gives the same bits for any number of threads, and the first skies do not depend on ``n``. Isotropic
    arrivals, energies and charges do not depend on the sources. Needs 9 kB a sky of 500 and some megabytes more.

    Examples
    --------
    >>> skies = simulate(100, seed=1)
    >>> skies.data.shape
    (100, 500, 4)
    >>> bool(((skies.origin >= 0).any(axis=1) == skies.label).all())
    True
    """
    n = check_count(n=n)
    arrivals = check_count(arrivals=arrivals)
    source_skies = check_number(minimum=0.0, maximum=1.0, source_skies=source_skies)
    setting = checked(
        preset,
        sources=sources,
        signal_share=signal_share,
        deflection=deflection,
        blur=blur,
        composition=composition,
        spectral_index=spectral_index,
        maximum_energy=maximum_energy,
    )
    k = setting.sources
    exponent = 1.0 / (1.0 - setting.spectral_index)
    kept = 1.0 - (setting.maximum_energy / MINIMUM_ENERGY) ** (1.0 / exponent)
    cumulated = np.cumsum(setting.shares)
    cumulated[np.flatnonzero(setting.shares)[-1] :] = 2.0  # rounding must not leave a gap below 1
    stream = Streams.of(seed)
    skies = CosmicRaySkies(
        data=np.empty((n, arrivals, 4), np.float32),
        label=np.empty(n, np.int8),
        charge=np.empty((n, arrivals), np.int8),
        origin=np.empty((n, arrivals), np.int8),
        source=np.empty((n, k, 3), np.float32),
        tangent=np.empty((n, k, 3), np.float32),
        deflection=np.empty((n, k), np.float32),
        flux=np.empty((n, k), np.float32),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        label = (stream(LABEL, block).random(BLOCK)[:m] < source_skies).astype(np.int8)
        source, tangent = np.empty((2, m, k, 3))
        deflection, flux = np.empty((2, m, k))
        draw_sources(source, tangent, deflection, flux, *setting.deflection, preset == "book", stream(SOURCES, block))
        draw_skies(
            skies.data[events],
            label,
            skies.charge[events],
            skies.origin[events],
            source,
            tangent,
            deflection,
            flux,
            CHARGES,
            cumulated,
            exponent,
            kept,
            np.log10(MINIMUM_ENERGY) + 18.0,
            LOG_UNIT,
            setting.signal_share,
            REFERENCE_RIGIDITY,
            setting.blur,
            stream(PROPERTIES, block),
            stream(ISOTROPIC, block),
            stream(SIGNAL, block),
        )
        skies.label[events], skies.source[events], skies.tangent[events] = label, source, tangent
        skies.deflection[events], skies.flux[events] = np.degrees(deflection), flux

    fill_blocks(fill, n, block=BLOCK, title="cosmic-ray skies")
    return skies


def power_law_energy(
    u: ArrayLike,
    *,
    spectral_index: float = 5.4,
    minimum_energy: float = MINIMUM_ENERGY,
    maximum_energy: float = 155.0,
) -> np.ndarray:
    """Energies of a power law from uniform numbers, by the inverse of its distribution function.

    E = E_min (1 - u (1 - (E_max / E_min)^(1 - gamma)))^(1 / (1 - gamma)).

    Parameters
    ----------
    u : float or array, any shape
        In [0, 1].
    spectral_index : float
        gamma of dN/dE ~ E^-gamma, above 1.
    minimum_energy, maximum_energy : float, EeV

    Returns
    -------
    array, shape of ``u``, EeV

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> power_law_energy([0.0, 0.5, 1.0]).round(1)
    array([ 40. ,  46.8, 155. ])
    """
    u = check_array(minimum=0.0, maximum=1.0, u=u)
    check_number(minimum=1.0, exclusive=True, spectral_index=spectral_index)
    check_positive(unit="EeV", minimum_energy=minimum_energy)
    check_number(minimum=minimum_energy, exclusive=True, unit="EeV", maximum_energy=maximum_energy)
    kept = 1.0 - (maximum_energy / minimum_energy) ** (1.0 - spectral_index)
    return minimum_energy * (1.0 - u * kept) ** (1.0 / (1.0 - spectral_index))


def field_deflection(rigidity: ArrayLike, *, field: float, length: float) -> np.ndarray:
    """Small-angle deflection in a uniform field across the way, L / r_L with r_L = R / (c B).

    Parameters
    ----------
    rigidity : float or array, EV
        Energy in EeV over charge number.
    field : float, microgauss
    length : float, kpc

    Returns
    -------
    array, shape of ``rigidity``, deg

    Raises
    ------
    ValueError, TypeError
        If an argument is not above zero.

    Notes
    -----
    The gyroradius of 1 EV in 1 microgauss is 1e18 V / (299 792 458 m/s * 1e-10 T) = 1.0810 kpc.

    Examples
    --------
    >>> float(field_deflection(100.0, field=1.0, length=1.0).round(2))
    0.53
    >>> float(field_deflection(40.0, field=3.0, length=1.5).round(1))
    6.0
    """
    rigidity = check_array(unit="EV", rigidity=rigidity)
    if (rigidity <= 0.0).any():
        raise ValueError(f"rigidity must be above 0 EV, got {rigidity.min():g}")
    check_positive(unit="microgauss", field=field)
    check_positive(unit="kpc", length=length)
    return np.degrees(length * field / (GYRORADIUS * rigidity))


def deflect(source: ArrayLike, tangent: ArrayLike, angle: ArrayLike) -> np.ndarray:
    """Directions on the great circle that leaves ``source`` along ``tangent``: cos(angle) s + sin(angle) t.

    Parameters
    ----------
    source, tangent : array, (3,) or (n, 3)
        Unit vectors at right angles.
    angle : float or array, (n,), deg

    Returns
    -------
    array, (3,) or (n, 3)

    Raises
    ------
    ValueError, TypeError
        If the vectors are no unit vectors at right angles (to 1e-5), or shapes do not fit.

    Examples
    --------
    >>> deflect([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [30.0, 90.0]).round(3)
    array([[0.5  , 0.   , 0.866],
           [1.   , 0.   , 0.   ]])
    """
    s, t = _unit_vectors(source=source), _unit_vectors(tangent=tangent)
    radians = np.radians(check_array(ndim=(0, 1), unit="deg", angle=angle))[..., None]
    try:
        np.broadcast_shapes(s.shape, t.shape, radians.shape)
    except ValueError:
        raise ValueError(
            f"source, tangent and angle must have the same number of entries, got {s.shape}, {t.shape} and "
            f"{radians.shape[:-1]}"
        ) from None
    if (np.abs((s * t).sum(-1)) > 1e-5).any():
        largest = np.abs((s * t).sum(-1)).max()
        raise ValueError(f"tangent must be at right angles to source, got a cosine of {largest:g}")
    return np.cos(radians) * s + np.sin(radians) * t


def von_mises_fisher(mean: ArrayLike, kappa: ArrayLike, *, seed: Seed) -> np.ndarray:
    """Directions scattered about ``mean`` with the density kappa / (4 pi sinh kappa) exp(kappa cos).

    Parameters
    ----------
    mean : array, (n, 3)
        Unit vectors.
    kappa : float or array, (n,)
        Concentration, above 0; for large kappa the width is 1 / sqrt(kappa) rad in each of two directions.
    seed : int or numpy.random.Generator

    Returns
    -------
    array, (n, 3)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Exact by inversion: 1 - cos = -ln(u + (1 - u) exp(-2 kappa)) / kappa with u uniform. R. Fisher, Proc. R. Soc. A 217
    (1953) 295. The mean of cos is coth(kappa) - 1 / kappa.

    Examples
    --------
    >>> scattered = von_mises_fisher(np.tile([0.0, 0.0, 1.0], (100_000, 1)), 10.0, seed=1)
    >>> float(scattered[:, 2].mean().round(2))
    0.9
    """
    mean = _unit_vectors(mean=np.atleast_2d(check_array(ndim=2, mean=mean)))
    kappa = check_array(ndim=(0, 1), kappa=kappa)
    if (kappa <= 0.0).any():
        raise ValueError(f"kappa must be above 0, got {kappa.min():g}")
    if kappa.ndim and len(kappa) != len(mean):
        raise ValueError(f"kappa must be one number or one for each of the {len(mean)} directions, got {len(kappa)}")
    random = generator(seed)
    u, azimuth = 1.0 - random.random(len(mean)), 2.0 * np.pi * random.random(len(mean))
    away = np.minimum(-np.log(u + (1.0 - u) * np.exp(-2.0 * kappa)) / kappa, 2.0)
    across = np.sqrt(away * (2.0 - away))
    # the axis to which a mean is farthest from parallel gives the first direction across
    first = np.cross(mean, np.eye(3)[np.abs(mean).argmin(1)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(mean, first)
    around = np.cos(azimuth)[:, None] * first + np.sin(azimuth)[:, None] * second
    return (1.0 - away)[:, None] * mean + across[:, None] * around


def known_source_ratio(
    directions: ArrayLike,
    energy: ArrayLike,
    *,
    source: ArrayLike,
    tangent: ArrayLike,
    deflection: ArrayLike,
    flux: ArrayLike,
    preset: str = "book",
    signal_share: float | None = None,
    blur: float | None = None,
    composition: Sequence[float] | None = None,
) -> np.ndarray:
    """log p(sky | these sources) / p(sky | isotropic): the oracle, which knows where the sources are.

    sum_i ln(1 - f + f sum_s w_s sum_Z c_Z 4 pi vMF(x_i; m(E_i / Z), kappa(E_i / Z))) with the signal share f, fluxes w,
    composition c and the deflected direction m. Charges are not known to it. No network knows the sources, so this is
    above what can be reached; it shows that the rest is the search for them.

    Parameters
    ----------
    directions : array, (n, N, 3)
        Unit vectors.
    energy : array, (n, N), EeV
    source, tangent : array, (n, k, 3)
    deflection : array, (n, k), deg
    flux : array, (n, k)
        As in `CosmicRaySkies`, for isotropic skies as well.
    preset, signal_share, blur, composition
        As in `simulate`, with the values of the simulation.

    Returns
    -------
    array, (n,)
        Above log((1 - source_skies) / source_skies) the sky more probably holds the sources than not.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit or an argument is out of range.

    Examples
    --------
    >>> skies = simulate(200, seed=1)
    >>> known = {name: getattr(skies, name) for name in ("source", "tangent", "deflection", "flux")}
    >>> found = known_source_ratio(skies.directions, skies.energy, **known) > 0.0
    >>> bool((found == skies.label).mean() > 0.99)
    True
    """
    directions = check_array(shape=(None, None, 3), directions=directions)
    n, arrivals, _ = directions.shape
    energy = check_array(shape=(n, arrivals), unit="EeV", energy=energy)
    if (energy <= 0.0).any():
        raise ValueError(f"energy must be above 0 EeV, got {energy.min():g}")
    source = check_array(shape=(n, None, 3), source=source)
    k = source.shape[1]
    tangent = check_array(shape=(n, k, 3), tangent=tangent)
    deflection = check_array(shape=(n, k), unit="deg", deflection=deflection)
    flux = check_array(shape=(n, k), minimum=0.0, flux=flux)
    setting = checked(preset, signal_share=signal_share, blur=blur, composition=composition)
    result = np.empty(n)

    def fill(_: int, events: slice) -> None:
        source_ratio(
            directions[events],
            energy[events],
            source[events],
            tangent[events],
            np.radians(deflection[events]),
            flux[events],
            CHARGES,
            setting.shares,
            setting.signal_share,
            REFERENCE_RIGIDITY,
            setting.blur,
            result[events],
        )

    fill_blocks(fill, n, block=BLOCK, title="known sources")
    return result


def pair_counts(directions: ArrayLike, *, angle: float = 6.0) -> np.ndarray:
    """Pairs of arrivals closer than ``angle``, the two-point autocorrelation: the baseline without machine learning.

    Parameters
    ----------
    directions : array, (n, N, 3)
        Unit vectors.
    angle : float, deg
        In (0, 180). The book's skies are told apart best at about 6 degrees, with 370 pairs as threshold.

    Returns
    -------
    array, (n,), int64
        For isotropic skies N (N - 1) / 2 (1 - cos(angle)) / 2 on average. A source is claimed above a threshold, which
        training skies fix.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> sky = [[[1.0, 0.0, 0.0], [0.999, 0.04471, 0.0], [0.0, 0.0, 1.0]]]
    >>> int(pair_counts(sky)[0])
    1
    """
    array = check_array(shape=(None, None, 3), minimum=-1.001, maximum=1.001, directions=directions, dtype=np.float32)
    angle = check_number(minimum=0.0, maximum=180.0, exclusive=True, unit="deg", angle=angle)
    result = np.empty(len(array), np.int64)

    def fill(_: int, events: slice) -> None:
        # coordinates one after the other, so that the inner loop uses vector instructions
        count_pairs(np.ascontiguousarray(array[events].transpose(0, 2, 1)), np.cos(np.radians(angle)), result[events])

    fill_blocks(fill, len(array), block=BLOCK, title="pairs")
    return result


def _unit_vectors(**argument: Any) -> np.ndarray:
    ((name, _),) = argument.items()
    array = check_array(ndim=(1, 2), **argument)
    if array.shape[-1] != 3 or (np.abs((array**2).sum(-1) - 1.0) > 1e-5).any():
        raise ValueError(f"{name} must be unit vectors in space, got shape {array.shape} or another length than 1")
    return array
