"""Spiral galaxies that turn to the left or to the right, as small black and white pictures.

An exponential disk carries logarithmic arms, r = r_0 exp(angle tan(pitch)), and a Sersic bulge; it is inclined, blurred
by the telescope, and noisy. Following an arm outwards one turns left (anticlockwise) or right (clockwise). All
orientations are equally likely, so the two kinds differ by nothing but a mirror: the mean pictures are equal, and the
best logistic regression of the pixels has no weights at all. Used in chapters 7 and 18.

`fourier_handedness` is the baseline: the pitch of the strongest logarithmic spiral in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, special

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number, shown
from dlphys.simulators import _galaxies_kernels as kernels
from dlphys.simulators._galaxies_kernels import EDGE, PIXELS, SOFTENING, WIDE
from dlphys.simulators._sample import Sample

__all__ = [
    "PIXELS",
    "SpiralGalaxies",
    "fourier_handedness",
    "mirror",
    "render_plain",
    "sersic_b",
    "simulate",
]

BLOCK = 256
SHAPE, NOISE = 0, 1
_NUMBERS = 16  # uniform random numbers of a galaxy

NOISE_OF = {"book": 0.04, "physics": 0.03}


@dataclass(frozen=True, repr=False, eq=False)
class SpiralGalaxies(Sample):
    """Pictures of galaxies; the first axis of every array is the galaxy.

    Attributes
    ----------
    images : array, (n, 32, 32), float32
        Brightness from 0 (black) to 1 (white); rows run downwards.
    left : array, (n,), int8
        1 if the arms turn to the left on the way outwards, 0 if to the right.
    pitch : array, (n,), float32, degrees
        Angle between an arm and a circle.
    arms : array, (n,), int8
    phase : array, (n,), float32, radians
        Of the arms at a radius of one pixel, times the number of arms: in [0, 2 pi).
    position_angle : array, (n,), float32, radians
        Direction of the long axis from the x axis, anticlockwise, in [0, pi).
    axis_ratio : array, (n,), float32
        Of the disk: the cosine of the inclination.
    scale_length : array, (n,), float32, pixels
        Of the exponential disk.
    contrast : array, (n,), float32
        Of the arms.
    bulge : array, (n,), float32
        Brightness of the bulge at its effective radius over that of the disk in its centre.
    bulge_radius : array, (n,), float32, pixels
        Effective radius.
    sersic_index : array, (n,), float32
        Of the bulge: 1 exponential, 4 de Vaucouleurs.
    psf : array, (n,), float32, pixels
        Standard deviation of the blur.
    """

    units: ClassVar = {
        "images": "",
        "left": "1 left, 0 right",
        "pitch": "degrees",
        "arms": "",
        "phase": "rad",
        "position_angle": "rad",
        "axis_ratio": "",
        "scale_length": "pixels",
        "contrast": "",
        "bulge": "",
        "bulge_radius": "pixels",
        "sersic_index": "",
        "psf": "pixels",
    }

    images: np.ndarray
    left: np.ndarray
    pitch: np.ndarray
    arms: np.ndarray
    phase: np.ndarray
    position_angle: np.ndarray
    axis_ratio: np.ndarray
    scale_length: np.ndarray
    contrast: np.ndarray
    bulge: np.ndarray
    bulge_radius: np.ndarray
    sersic_index: np.ndarray
    psf: np.ndarray


def sersic_b(index: ArrayLike) -> np.ndarray:
    """The number b(n) that makes the effective radius of a Sersic profile contain half of the light.

    I(r) = I_e exp(-b ((r / r_e)^(1 / n) - 1)), so gamma(2 n, b) = Gamma(2 n) / 2: the median of a gamma distribution.

    Parameters
    ----------
    index : array
        Sersic index n, 0.5 to 10.

    Returns
    -------
    array, shape of ``index``

    Raises
    ------
    ValueError, TypeError
        If ``index`` is out of range.

    References
    ----------
    L. Ciotti and G. Bertin, Astron. Astrophys. 352 (1999) 447.

    Examples
    --------
    >>> sersic_b([1.0, 4.0]).round(4)
    array([1.6783, 7.6692])
    """
    n = check_array(minimum=0.5, maximum=10.0, index=index)
    return np.asarray(special.gammaincinv(2.0 * n, 0.5))


def simulate(n: int, *, seed: Seed, preset: str = "book", noise: float | None = None) -> SpiralGalaxies:
    """Draw spiral galaxies, half of them left, half right.

    Two presets; the book shows one picture of each kind and gives no numbers, so both are ours:

    - ``"book"``: two clear arms with pitch angles from 10 to 30 degrees, seen more or less from above (axis ratio 0.6
      to 1).
    - ``"physics"``: two to four weaker arms, 8 to 35 degrees, seen from any side that still shows the arms (axis ratio
      0.4 to 1, uniform as for random directions), a wider blur, more noise.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    noise : float, optional
        Standard deviation of the Gaussian noise of a pixel over the brightest pixel, 0 to 1. Left out: 0.04 for the
        book, 0.03 for the physics preset. Brightness is clipped to [0, 1] afterwards.

    Returns
    -------
    SpiralGalaxies
        Frozen dataclass: images (n, 32, 32) float32 from 0 to 1, left (n,) int8, and the parameters of each galaxy.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    J. L. Sersic, Atlas de Galaxias Australes (1968); the book, section 7.3 and example 18.2.

    Examples
    --------
    >>> galaxies = simulate(200, seed=1)
    >>> galaxies.images.shape, bool(70 < galaxies.left.sum() < 130)
    ((200, 32, 32), True)
    """
    n = check_count(n=n)
    check_choice(choices=("book", "physics"), preset=preset)
    level = NOISE_OF[preset] if noise is None else check_number(minimum=0.0, maximum=1.0, noise=noise)
    stream = Streams.of(seed)
    numbers = set(SpiralGalaxies.units) - {"images", "left", "arms"}
    galaxies = SpiralGalaxies(
        images=np.empty((n, PIXELS, PIXELS), np.float32),
        left=np.empty(n, np.int8),
        arms=np.empty(n, np.int8),
        **{name: np.empty(n, np.float32) for name in numbers},
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        u = stream(SHAPE, block).random((BLOCK, _NUMBERS))[:m].T
        part = replace(galaxies, **{name: array[events] for name, array in galaxies.arrays().items()})
        _draw(part, u, book=preset == "book")
        kernels.render(*_numbers(part), part.images)
        if level:
            part.images[:] += np.float32(level) * stream(NOISE, block).standard_normal(part.images.shape, np.float32)
            np.clip(part.images, 0.0, 1.0, out=part.images)

    fill_blocks(fill, n, block=BLOCK, title="galaxies")
    return galaxies


def mirror(galaxies: SpiralGalaxies) -> SpiralGalaxies:
    """The same galaxies in a mirror: left becomes right.

    The picture is turned over, the position angle and the phase of the arms change sign with it. Without noise,
    `render_plain` of the result is the mirrored picture, to the rounding of the parameters.

    Parameters
    ----------
    galaxies : SpiralGalaxies

    Returns
    -------
    SpiralGalaxies

    Raises
    ------
    TypeError
        If ``galaxies`` is something else.

    Examples
    --------
    >>> galaxies = simulate(10, seed=1)
    >>> bool((mirror(galaxies).left == 1 - galaxies.left).all())
    True
    """
    _check_galaxies(galaxies)
    # with the long axis at pi minus its angle, the coordinate along it stays and the one across it changes sign
    return replace(
        galaxies,
        images=galaxies.images[:, :, ::-1],
        left=1 - galaxies.left,
        phase=np.mod(-galaxies.phase, np.float32(2.0 * np.pi)),
        position_angle=np.float32(np.pi) - galaxies.position_angle,
    )


def render_plain(galaxies: SpiralGalaxies) -> np.ndarray:
    """Pictures without noise, in twenty lines of NumPy: what `simulate` does, but slowly.

    Parameters
    ----------
    galaxies : SpiralGalaxies
        Only the parameters are used.

    Returns
    -------
    array, (n, 32, 32), float64

    Raises
    ------
    TypeError
        If ``galaxies`` is something else.

    Examples
    --------
    >>> galaxies = simulate(10, seed=1, noise=0.0)
    >>> bool(np.abs(render_plain(galaxies) - galaxies.images).max() < 1e-5)
    True
    """
    _check_galaxies(galaxies)
    g = {name: array.astype(float)[:, None, None] for name, array in galaxies.arrays().items() if name != "images"}
    middle = 0.5 * (WIDE - 1)
    row, column = np.indices((WIDE, WIDE))
    x, y = column - middle, middle - row
    major = np.cos(g["position_angle"]) * x + np.sin(g["position_angle"]) * y
    minor = np.cos(g["position_angle"]) * y - np.sin(g["position_angle"]) * x
    depth = minor / g["axis_ratio"]
    radius = np.sqrt(major**2 + depth**2 + SOFTENING**2)
    turn = np.where(g["left"] == 1, 1.0, -1.0)
    on_arm = np.arctan2(depth, major) - turn * np.log(radius) / np.tan(np.radians(g["pitch"]))
    wave = np.cos(g["arms"] * on_arm - g["phase"])
    disk = np.exp(-radius / g["scale_length"])
    disk *= 1.0 + g["contrast"] * (wave + 0.5 * g["contrast"] * (wave**2 - 0.5))
    flattened = np.sqrt(major**2 + (minor / _bulge_axis_ratio(g["axis_ratio"])) ** 2 + SOFTENING**2)
    profile = (flattened / g["bulge_radius"]) ** (1.0 / g["sersic_index"]) - 1.0
    image = disk + g["bulge"] * np.exp(-sersic_b(g["sersic_index"]) * profile)
    taps = _taps(galaxies.psf)
    kernel = np.concatenate([taps[:, :0:-1], taps], axis=1)  # symmetric, 2 EDGE + 1 long
    for axis in (1, 2):
        windows = np.lib.stride_tricks.sliding_window_view(image, 2 * EDGE + 1, axis=axis)
        image = np.einsum("nijk,nk->nij", windows, kernel)
    return image / image.max((1, 2), keepdims=True)


def fourier_handedness(images: ArrayLike) -> np.ndarray:
    """Baseline: how much more of the picture is in left spirals than in right ones.

    The second moments of the picture give its axis ratio and orientation; it is seen from above then, on a grid of
    ln r and angle. There the Fourier amplitudes A(m, k), the sums of I exp(-i m angle - i k ln r), are those of
    logarithmic spirals with m arms and tan(pitch) = -m / k: left for negative k. Compared are the largest powers on
    either side, for two to four arms.

    Parameters
    ----------
    images : array, (n, 32, 32) or (n, 32, 32, 1)
        At least 0.

    Returns
    -------
    array, (n,)
        In [-1, 1]; above 0 for a galaxy that is taken as left.

    Raises
    ------
    ValueError, TypeError
        If ``images`` has another shape or negative entries.

    Notes
    -----
    Right for 99.98 % of the galaxies of the book's preset and for 96.6 % of those of the physics preset.

    References
    ----------
    A. J. Kalnajs, in La Dynamique des Galaxies Spirales (1975) 103; B. L. Davis et al., Astrophys. J. Suppl. 199 (2012)
    33.

    Examples
    --------
    >>> galaxies = simulate(500, seed=1)
    >>> correct = (fourier_handedness(galaxies.images) > 0) == galaxies.left
    >>> bool(correct.mean() > 0.95)
    True
    """
    pictures = check_array(ndim=(3, 4), minimum=0.0, images=images)
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    if pictures.shape[1:] != (PIXELS, PIXELS):
        raise ValueError(f"images must have shape (n, 32, 32) or (n, 32, 32, 1), got {np.shape(images)}")
    parts = range(0, len(pictures), BLOCK)  # the grids of a part take some megabytes
    return np.concatenate([_handedness(pictures[i : i + BLOCK]) for i in parts])


_RADII = np.exp(np.linspace(np.log(4.0), np.log(14.5), 24))  # pixels; further in, the bulge and the blur hide the arms
_ANGLES = 2.0 * np.pi / 64 * np.arange(64)
_SPIRALS = 96  # values of k


def _handedness(pictures: np.ndarray) -> np.ndarray:
    middle = 0.5 * (PIXELS - 1)
    row, column = np.indices((PIXELS, PIXELS))
    x, y = (column - middle).ravel(), (middle - row).ravel()
    light = pictures.reshape(len(pictures), -1) * (np.hypot(x, y) < 15.0)
    xx, yy, xy = light @ (x * x), light @ (y * y), light @ (x * y)
    size, stretch = xx + yy, np.hypot(xx - yy, 2.0 * xy)
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    # bulge and blur make a galaxy look rounder than its disk is: hence the power 1.5 of the ratio of the axes
    flat = (np.maximum(size - stretch, 0.0) / np.maximum(size + stretch, 1e-30)) ** 0.75
    cos, sin = (f(angle)[:, None, None] for f in (np.cos, np.sin))
    major = _RADII[:, None] * np.cos(_ANGLES)
    minor = _RADII[:, None] * np.sin(_ANGLES) * flat[:, None, None]
    which = np.broadcast_to(np.arange(len(pictures))[:, None, None], minor.shape)
    place = [which, middle - (sin * major + cos * minor), middle + cos * major - sin * minor]
    from_above = ndimage.map_coordinates(pictures, place, order=1, mode="nearest")
    power = np.abs(np.fft.fft(np.fft.fft(from_above, axis=2)[:, :, 2:5], n=_SPIRALS, axis=1)) ** 2
    frequency = np.fft.fftfreq(_SPIRALS)
    steep = np.abs(frequency) < 0.4
    left = power[:, steep & (frequency < 0)].max((1, 2))
    right = power[:, steep & (frequency > 0)].max((1, 2))
    return (left - right) / np.maximum(left + right, 1e-30)


def _check_galaxies(galaxies: SpiralGalaxies) -> None:
    if not isinstance(galaxies, SpiralGalaxies):
        raise TypeError(f"galaxies must be a SpiralGalaxies, got {shown(galaxies)} ({type(galaxies).__name__})")


def _draw(part: SpiralGalaxies, u: np.ndarray, *, book: bool) -> None:
    """Parameters of each galaxy; none but ``left`` depends on the handedness."""
    part.left[:] = u[0] < 0.5
    part.phase[:] = 2.0 * np.pi * u[1]
    part.position_angle[:] = np.pi * u[2]
    part.arms[:] = 2 if book else np.where(u[3] < 0.7, 2, np.where(u[3] < 0.9, 3, 4))
    part.pitch[:] = 10.0 + 20.0 * u[4] if book else 8.0 + 27.0 * u[4]
    part.axis_ratio[:] = 0.6 + 0.4 * u[5] if book else 0.4 + 0.6 * u[5]
    part.scale_length[:] = 5.0 + 2.5 * u[6]
    part.contrast[:] = 0.5 + 0.5 * u[7] if book else 0.4 + 0.6 * u[7]
    part.bulge[:] = 0.1 + 0.4 * u[8]
    part.bulge_radius[:] = 1.2 + 1.3 * u[9]
    part.sersic_index[:] = 1.0 + 3.0 * u[10]
    part.psf[:] = 0.6 + 0.2 * u[11] if book else 0.7 + 0.3 * u[11]


def _bulge_axis_ratio(axis_ratio: np.ndarray) -> np.ndarray:
    """A bulge is a spheroid with axes 1, 1 and 0.6: seen from the side, less flat than a disk."""
    return np.sqrt(0.36 + 0.64 * axis_ratio**2)


def _taps(psf: np.ndarray) -> np.ndarray:
    """Weights of a Gaussian at 0 to EDGE pixels, normalised over both sides; (n, EDGE + 1)."""
    taps = np.exp(-0.5 * (np.arange(EDGE + 1) / psf.astype(float)[:, None]) ** 2)
    return taps / (2.0 * taps.sum(1, keepdims=True) - taps[:, :1])


def _numbers(part: SpiralGalaxies) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arguments of the compiled renderer, from the rounded parameters that the sample states."""
    p = {name: array.astype(float) for name, array in part.arrays().items() if name != "images"}
    turn = np.where(part.left == 1, 1.0, -1.0)
    cos, sin = np.cos(p["position_angle"]), np.sin(p["position_angle"])
    shape = [turn, 1.0 / np.tan(np.radians(p["pitch"])), p["arms"], p["phase"], cos, sin, p["axis_ratio"]]
    b, exponent = sersic_b(p["sersic_index"]), 1.0 / p["sersic_index"]
    light = [p["scale_length"], p["contrast"], p["bulge"], p["bulge_radius"], exponent, b]
    light.append(_bulge_axis_ratio(p["axis_ratio"]))
    return np.stack(shape, axis=1), np.stack(light, axis=1), _taps(part.psf)
