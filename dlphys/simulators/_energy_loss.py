"""Electron energy-loss spectra of a flake of WS2, pixel by pixel, with the true zero-loss peak beneath.

Most electrons pass the flake without loss; their peak, as wide as the resolution, has a tail that covers the
faint beginning of the losses. The losses are plasmons, interband transitions above the band gap, and an edge of
tungsten; an electron may suffer several. With t the thickness in mean free paths and Z and S the zero-loss peak and
the distribution of one loss, both with unit area,

    I = Z * sum over k of exp(-t) t^k / k! S*...*S,   in Fourier space  z exp(t (s - 1)).

R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope (2011), section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, optimize, special

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number, check_positive
from dlphys.simulators._sample import Sample

CHANNEL = 0.1  # eV
ENERGY_LOSS = np.round(-5.0 + CHANNEL * np.arange(768), 10)  # eV
ENERGY_LOSS.setflags(write=False)
BAND_GAP = 1.9  # eV

_PLASMON, _PLASMON_WIDTH = 22.5, 5.5  # eV
_EDGE = 38.0  # eV, tungsten O2,3
_LARGEST_LOSS = 130.0  # eV, of one collision
_PADDED = 4096  # channels of the transforms: losses up to 404 eV: only four collisions could enter again from below

_CORE, _DECAY, _TAIL, _TAIL_SHARE = 0.30, 0.25, 0.8, 0.1  # of the zero-loss peak, before it is scaled to a width of 1

BLOCK = 64
SHIFT, COUNTS = 0, 1


@dataclass(frozen=True, repr=False, eq=False)
class EnergyLossSpectra(Sample):
    """The pixels of a spectrum image, row by row; the first axis is the pixel.

    Attributes
    ----------
    counts : array, (n, 768), float32, electrons
        In the channels whose centres are `ENERGY_LOSS`.
    zero_loss : array, (n, 768), float32, electrons
        Expected number without any loss: the background of the losses.
    inelastic : array, (n, 768), float32, electrons
        Expected number with at least one loss.
    thickness : array, (n,), float32, mean free paths
        0 in the vacuum beside the flake.
    shift : array, (n,), float32, eV
        Where the zero-loss peak has its maximum.
    row, column : arrays, (n,), int32
        Place in the image.
    """

    units: ClassVar = {
        "counts": "electrons",
        "zero_loss": "electrons",
        "inelastic": "electrons",
        "thickness": "mean free paths",
        "shift": "eV",
        "row": "",
        "column": "",
    }

    counts: np.ndarray
    zero_loss: np.ndarray
    inelastic: np.ndarray
    thickness: np.ndarray
    shift: np.ndarray
    row: np.ndarray
    column: np.ndarray


def zero_loss_peak(energy_loss: ArrayLike, *, resolution: float = 0.45) -> np.ndarray:
    """Distribution of the electrons that lost no energy, with its maximum at 0 and unit area.

    A Gaussian folded with the exponential of field emission, which reaches to the side of the losses, and 10 % in a
    symmetric tail that falls with the third power.

    Parameters
    ----------
    energy_loss : array, eV
    resolution : float, eV
        Full width at half maximum.

    Returns
    -------
    array, shape of ``energy_loss``, 1/eV

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> peak = zero_loss_peak([-0.215, 0.0, 0.235])
    >>> (peak / peak[1]).round(2)
    array([0.5, 1. , 0.5])
    """
    energy = check_array(unit="eV", energy_loss=energy_loss)
    check_positive(unit="eV", resolution=resolution)
    scale = resolution / _WIDTH
    return _peak(energy / scale + _MAXIMUM) / scale


def single_scattering(energy_loss: ArrayLike) -> np.ndarray:
    """Distribution of the energy that an electron loses in one collision; unit area, 0 below the band gap.

    A Drude plasmon at 22.5 eV, E w E_p^2 / ((E^2 - E_p^2)^2 + (E w)^2), transitions that begin with the square root of
    the energy above a direct gap of 1.9 eV, a peak at 8 eV, and an edge at 38 eV that falls with the third power.

    Parameters
    ----------
    energy_loss : array, eV

    Returns
    -------
    array, shape of ``energy_loss``, 1/eV

    Raises
    ------
    ValueError, TypeError
        If ``energy_loss`` is not numeric.

    Notes
    -----
    The positions are those of WS2, the strengths are ours.

    Examples
    --------
    >>> energy = np.arange(0.05, 200.0, 0.1)
    >>> density = single_scattering(energy)
    >>> print(f"{0.1 * density.sum():.3f}, largest at {energy[density.argmax()]:.0f} eV")
    1.000, largest at 22 eV
    """
    energy = check_array(unit="eV", energy_loss=energy_loss)
    return _loss(energy) / _LOSS_AREA


def thickness_map(rows: ArrayLike, columns: ArrayLike, *, width: int = 32) -> np.ndarray:
    """Thickness of the flake at pixels of the image, in mean free paths: terraces, and vacuum to the left.

    Parameters
    ----------
    rows, columns : arrays of whole numbers that broadcast
    width : int
        Pixels in a row of the image; the flake scales with it.

    Returns
    -------
    array, 0 or 0.125 to 1

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> thickness_map(0, [0, 10, 20, 31])
    array([0.   , 0.875, 0.375, 0.125])
    """
    width = check_count(minimum=2, width=width)
    v = check_array(minimum=0, rows=rows) / width
    u = check_array(minimum=0, columns=columns) / width
    hill = (
        0.5 + 0.28 * np.sin(2.0 * np.pi * (0.8 * u + 0.3 * v)) + 0.2 * np.sin(2.0 * np.pi * (0.7 * v - 0.4 * u) + 1.0)
    )
    terraces = np.clip(np.round(8.0 * hill), 1.0, 8.0) / 8.0
    return np.where(u < 0.16 + 0.05 * np.sin(4.0 * np.pi * v), 0.0, terraces)


def energy_loss_image(
    n: int,
    *,
    seed: Seed,
    width: int = 32,
    electrons: float = 1e6,
    resolution: float = 0.45,
    jitter: float = 0.02,
) -> EnergyLossSpectra:
    """A spectrum image: the energy-loss spectra of the pixels of a flake, with Poisson noise.

    Parameters
    ----------
    n : int
        Pixels, row by row.
    seed : int or numpy.random.Generator
    width : int
        Pixels in a row.
    electrons : float
        Through each pixel, 1 to 1e9.
    resolution : float, eV
        Full width at half maximum of the zero-loss peak, 0.2 to 2.
    jitter : float, eV
        Standard deviation of the position of that peak, 0 to 1.

    Returns
    -------
    EnergyLossSpectra

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    L. I. Roest et al., Ultramicroscopy 222 (2021) 113202 (networks for the zero-loss peak).

    Examples
    --------
    >>> image = energy_loss_image(64, seed=1)
    >>> image.counts.shape, bool((image.counts.sum(1) < 1.005e6).all())
    ((64, 768), True)
    """
    n = check_count(n=n)
    width = check_count(minimum=2, width=width)
    electrons = check_number(minimum=1.0, maximum=1e9, electrons=electrons)
    resolution = check_number(minimum=0.2, maximum=2.0, unit="eV", resolution=resolution)
    jitter = check_number(minimum=0.0, maximum=1.0, unit="eV", jitter=jitter)
    stream = Streams.of(seed)
    channels = len(ENERGY_LOSS)
    spectra = EnergyLossSpectra(
        *(np.empty((n, channels), np.float32) for _ in range(3)),
        *(np.empty(n, np.float32) for _ in range(2)),
        *(index.astype(np.int32) for index in divmod(np.arange(n), width)),
    )
    spectra.thickness[:] = thickness_map(spectra.row, spectra.column, width=width)
    energy = ENERGY_LOSS[0] + CHANNEL * np.arange(_PADDED)
    one_loss = fft.rfft(CHANNEL * single_scattering(energy - ENERGY_LOSS[0]))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        shift = jitter * stream(SHIFT, block).standard_normal(BLOCK)[:m]
        spectra.shift[events] = shift
        thickness = spectra.thickness[events].astype(float)[:, None]
        none = CHANNEL * electrons * np.exp(-thickness) * zero_loss_peak(energy - shift[:, None], resolution=resolution)
        losses = fft.irfft(fft.rfft(none) * np.expm1(thickness * one_loss), n=_PADDED)[:, :channels]
        none, losses = none[:, :channels], np.maximum(losses, 0.0)  # rounding leaves -1e-10 where there is none
        spectra.zero_loss[events], spectra.inelastic[events] = none, losses
        spectra.counts[events] = stream(COUNTS, block).poisson(none + losses)

    fill_blocks(fill, n, block=BLOCK, title="spectra")
    return spectra


def log_ratio_thickness(counts: ArrayLike, *, cut: float = BAND_GAP) -> np.ndarray:
    """Baseline: thickness in mean free paths, the logarithm of all electrons over those below ``cut``.

    Exact if the zero-loss peak ended at the cut and the spectrum had no end; since it has, thickness is underestimated,
    by 0.02 at half a mean free path and by 0.08 at a whole one.

    Parameters
    ----------
    counts : array, (n, 768), electrons
    cut : float, eV
        Up to here, everything is counted as zero loss; 0.5 to 10.

    Returns
    -------
    array, (n,), mean free paths

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or a spectrum is empty below the cut.

    References
    ----------
    T. Malis, S. C. Cheng and R. F. Egerton, J. Electron Microsc. Tech. 8 (1988) 193.

    Examples
    --------
    >>> image = energy_loss_image(64, seed=1)
    >>> error = log_ratio_thickness(image.counts) - image.thickness
    >>> bool(error.min() > -0.12), bool(error.max() < 0.01)
    (True, True)
    """
    counts = _spectra(counts)
    cut = check_number(minimum=0.5, maximum=10.0, unit="eV", cut=cut)
    below = counts[:, cut >= ENERGY_LOSS].sum(1)
    if (below <= 0).any():
        raise ValueError(f"counts must hold electrons below {cut:g} eV in every spectrum")
    return np.log(counts.sum(1) / below)


def reflected_tail(counts: ArrayLike) -> np.ndarray:
    """Baseline for the background: the side without losses, mirrored at the maximum.

    Right for a symmetric peak; the real one reaches farther to the side of the losses. From 5 eV on, where there is
    nothing to mirror, the background is taken as 0.

    Parameters
    ----------
    counts : array, (n, 768), electrons

    Returns
    -------
    array, (n, 768), electrons

    Raises
    ------
    ValueError, TypeError
        If ``counts`` has another shape or negative entries.

    Examples
    --------
    >>> background = reflected_tail(energy_loss_image(64, seed=1).counts)
    >>> background.shape, float(background[0, -1])
    ((64, 768), 0.0)
    """
    counts = _spectra(counts)
    peak = counts.argmax(1)
    mirrored = 2 * peak[:, None] - np.arange(counts.shape[1])
    tail = np.take_along_axis(counts, np.clip(mirrored, 0, counts.shape[1] - 1), axis=1)
    tail = np.where(mirrored >= 0, tail, 0.0)
    return np.where(mirrored > peak[:, None], counts, tail)


def _spectra(counts: ArrayLike) -> np.ndarray:
    return check_array(shape=(None, len(ENERGY_LOSS)), minimum=0.0, unit="electrons", counts=counts)


def _peak(x: np.ndarray) -> np.ndarray:
    """The zero-loss peak in its own units: area 1, but neither centred nor of width 1."""
    argument = (_CORE / _DECAY - x / _CORE) / np.sqrt(2.0)
    # two forms of a Gaussian folded with an exponential, each where it neither overflows nor loses its digits
    left = np.exp(-0.5 * (np.minimum(x, 2.0) / _CORE) ** 2) * special.erfcx(np.maximum(argument, -4.0))
    right = np.exp(0.5 * (_CORE / _DECAY) ** 2 - np.maximum(x, -2.0) / _DECAY) * special.erfc(argument)
    folded = 0.5 / _DECAY * np.where(argument > 0.0, left, right)
    tail = (1.0 + (x / _TAIL) ** 2) ** -1.5 / (2.0 * _TAIL)
    return (1.0 - _TAIL_SHARE) * folded + _TAIL_SHARE * tail


def _loss(energy: np.ndarray) -> np.ndarray:
    """Single scattering before it is normalised, per eV."""
    above = np.maximum(energy - BAND_GAP, 0.0)
    safe = np.maximum(energy, 1e-3)
    drude = safe * _PLASMON_WIDTH * _PLASMON**2 / ((safe**2 - _PLASMON**2) ** 2 + (safe * _PLASMON_WIDTH) ** 2)
    collective = drude + 0.35 * np.exp(-0.5 * ((safe - 8.0) / 1.5) ** 2)
    collective = collective * -np.expm1(-above / 3.0)
    onset = 0.12 * np.sqrt(above) * np.exp(-above / 4.0)
    edge = 0.25 * (_EDGE / safe) ** 3 * special.expit((safe - _EDGE) / 0.5)
    inside = (energy > BAND_GAP) & (energy <= _LARGEST_LOSS)
    return np.where(inside, collective + onset + edge, 0.0)


def _calibrate() -> tuple[float, float, float]:
    """Position of the maximum and full width at half maximum of `_peak`, and the area under `_loss`."""
    place = optimize.minimize_scalar(lambda x: -_peak(np.array(x)), bounds=(-0.5, 1.0), options={"xatol": 1e-10}).x
    half = 0.5 * _peak(np.array(place))
    low = optimize.brentq(lambda x: float(_peak(np.array(x)) - half), place - 3.0, place)
    high = optimize.brentq(lambda x: float(_peak(np.array(x)) - half), place, place + 3.0)
    return float(place), float(high - low), float(CHANNEL * _loss(CHANNEL * np.arange(_PADDED)).sum())


_MAXIMUM, _WIDTH, _LOSS_AREA = _calibrate()
