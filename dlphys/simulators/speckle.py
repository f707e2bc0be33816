"""Small-angle X-ray scattering of nanostructures, with and without the speckle of coherent light.

The light of an undulator is so coherent that the waves from all parts of a disordered sample interfere: the smooth
pattern I is covered with grains, I g, where g follows Gamma(M, 1 / M) with M the number of modes of the light: for
M = 1 the exponential distribution of fully developed speckle. Photons are then counted. Used in chapter 17.

`simulate` makes pairs with and without speckle for training, `measure` what a detector with a beam stop and gaps
records of partially coherent light, `speckle_patterns` the grains alone. `box_filter` and `wiener_filter` are the
baselines; `photon_probability` and `speckle_correlation` are exact. J. W. Goodman, Speckle Phenomena in Optics (2007).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import fft

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed, generator
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators import _speckle_kernels as kernels
from dlphys.simulators._sample import Sample
from dlphys.simulators._speckle_filters import box_filter, wiener_filter
from dlphys.simulators._speckle_kernels import PIXELS
from dlphys.simulators._speckle_physics import (
    cylinder_form_factor,
    film_form_factor,
    hard_sphere_structure_factor,
    kiessig_fringes,
    paracrystal_structure_factor,
    sphere_form_factor,
    vineyard_factor,
)
from dlphys.simulators._speckle_samples import KINDS, PIXEL, Scene, draw_scenes
from dlphys.simulators._speckle_statistics import (
    PERIOD,
    mode_weights,
    photon_probability,
    pupil_points,
    speckle_correlation,
)

__all__ = [
    "KINDS",
    "PIXEL",
    "PIXELS",
    "ScatteringImages",
    "SpecklePatterns",
    "box_filter",
    "cylinder_form_factor",
    "film_form_factor",
    "hard_sphere_structure_factor",
    "kiessig_fringes",
    "measure",
    "mode_weights",
    "paracrystal_structure_factor",
    "photon_probability",
    "simulate",
    "speckle_correlation",
    "speckle_pattern_plain",
    "speckle_patterns",
    "sphere_form_factor",
    "vineyard_factor",
    "wiener_filter",
]

BLOCK = 64  # events; the amplitudes of one mode take 3 MB
SCENE, COUNTS, DETECTOR, MODES, SPECKLE = 0, 1, 2, 3, 4  # SPECKLE + k is the stream of mode k


@dataclass(frozen=True, repr=False, eq=False)
class ScatteringImages(Sample):
    """Scattering patterns; the first axis of every array is the event.

    Attributes
    ----------
    speckled : array, (n, 64, 64), float32, photons
        What the coherent experiment records.
    clean : array, (n, 64, 64), float32, photons
        The same without speckle. Rows run downwards; see ``turned``.
    valid : array, (n, 64, 64), bool
        False where the beam stop, its holder, a gap between detector modules or a dead pixel hides the pattern; there
        ``speckled`` is 0.
    kind : array, (n,), int8
        Index in `KINDS`: film, sphere, cylinder.
    size : array, (n,), float32, nm
        Thickness of the film, mean radius of spheres or cylinders.
    height : array, (n,), float32, nm
        Thickness of the film, mean diameter of the spheres, mean height of the cylinders.
    spacing : array, (n,), float32, nm
        Mean spacing of the cylinders, 0 for the others.
    photons : array, (n,), float32
        Expected in the whole image, without the background.
    modes : array, (n,), float32
        M of the light; the contrast of the speckle is 1 / sqrt(M).
    turned : array, (n,), bool
        Under grazing incidence the normal of the surface points upwards, or to the left if True.
    """

    units: ClassVar = {
        "speckled": "photons",
        "clean": "photons",
        "valid": "",
        "kind": "index of film, sphere, cylinder",
        "size": "nm",
        "height": "nm",
        "spacing": "nm",
        "photons": "",
        "modes": "",
        "turned": "",
    }

    speckled: np.ndarray
    clean: np.ndarray
    valid: np.ndarray
    kind: np.ndarray
    size: np.ndarray
    height: np.ndarray
    spacing: np.ndarray
    photons: np.ndarray
    modes: np.ndarray
    turned: np.ndarray


@dataclass(frozen=True, repr=False, eq=False)
class SpecklePatterns(Sample):
    """Grains without a pattern.

    Attributes
    ----------
    intensity : array, (n, 64, 64), float32
        Relative intensity g, with mean 1 over the ensemble and variance 1 / M.
    """

    units: ClassVar = {"intensity": "relative to the mean"}

    intensity: np.ndarray


def speckle_patterns(n: int, *, seed: Seed, modes: float = 1.0, speckle_size: float = 2.0) -> SpecklePatterns:
    """Speckle on a uniform pattern: the sum over modes of |FT(pupil x complex Gaussian amplitudes)|^2.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    modes : float
        M, 1 to 64; see `mode_weights`.
    speckle_size : float, pixels
        Distance from the centre of a grain to the first zero of its correlation, 1 to 14.4. Pixels are
        uncorrelated at 1.

    Returns
    -------
    SpecklePatterns

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> g = speckle_patterns(64, seed=1).intensity
    >>> print(f"mean {g.mean():.2f}, contrast {g.std() / g.mean():.2f}")
    mean 1.00, contrast 1.00
    """
    n = check_count(n=n)
    check_number(minimum=1.0, maximum=64.0, modes=modes)
    points = pupil_points(speckle_size)
    stream, workplaces = Streams.of(seed), _Workplaces(points)
    intensity = np.empty((n, PIXELS, PIXELS), np.float32)

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        _speckle(stream, block, np.full(m, modes), workplaces, intensity[events])

    fill_blocks(fill, n, block=BLOCK, title="speckle")
    return SpecklePatterns(intensity)


def speckle_pattern_plain(seed: Seed, *, modes: int = 1, speckle_size: float = 2.0) -> np.ndarray:
    """One speckle pattern in ten lines of NumPy: what `speckle_patterns` does, but slowly.

    Parameters
    ----------
    seed : int or numpy.random.Generator
    modes : int
        1 to 64 modes of equal strength.
    speckle_size : float, pixels

    Returns
    -------
    array, (64, 64)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> speckle_pattern_plain(1).shape
    (64, 64)
    """
    random = generator(seed)
    modes = check_count(minimum=1, maximum=64, modes=modes)
    points = pupil_points(speckle_size)
    intensity = np.zeros((PIXELS, PIXELS))
    for _ in range(modes):
        amplitude = np.zeros((PERIOD, PERIOD), complex)
        real, imaginary = random.standard_normal((2, points, points))
        amplitude[:points, :points] = (real + 1j * imaginary) / np.sqrt(2.0 * points**2)
        field = np.fft.fft2(amplitude)[:PIXELS, :PIXELS]
        intensity += np.abs(field) ** 2 / modes
    return intensity


def simulate(
    n: int,
    *,
    seed: Seed,
    preset: str = "book",
    modes: float = 1.0,
    speckle_size: float = 2.0,
    photons: Sequence[float] = (5e3, 5e5),
) -> ScatteringImages:
    """Scattering patterns of random nanostructures, with and without speckle.

    A third each are thin films, buried spheres and upright cylinders. Two presets:

    - ``"book"``: photons are counted once, without speckle, and speckle multiplies the counts. So both images show
      the same counting noise, and a network can find the clean image but for the speckle. The pictures and the loss
      that are published for the book's set suggest it; its generator is not public.
    - ``"physics"``: speckle first, then counting, as in an experiment. ``clean`` is the expected number of photons,
      free of noise.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
    modes : float
        M of the light, 1 to 64.
    speckle_size : float, pixels
        1 to 14.4, rounded to 72 pixels over a whole number.
    photons : (float, float)
        Smallest and largest number expected in an image, 1 to 1e9; their logarithm is uniform. A background of 0.01 to
        0.3 photons a pixel comes on top.

    Returns
    -------
    ScatteringImages
        Frozen dataclass: speckled, clean (n, 64, 64) float32 photons, and the parameters of each event.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Neither image is scaled. The book's set has log10(1 + I) of both, divided by the maximum of the speckled one, and
    clipped at 1.1; `dlphys.datasets.load_speckles` does that.

    Mean squared errors in that scale, frozen, for ``"book"`` and ``"physics"``: of the image with speckle itself 0.0077
    and 0.0103, of `box_filter` 0.0048 and 0.0025, of `wiener_filter` 0.0034 and 0.0021.

    Examples
    --------
    >>> images = simulate(100, seed=1)
    >>> images.speckled.shape, images.kind[:5]
    ((100, 64, 64), array([0, 0, 1, 1, 1], dtype=int8))
    """
    check_choice(choices=("book", "physics"), preset=preset)
    modes = check_number(minimum=1.0, maximum=64.0, modes=modes)
    book = preset == "book"

    def expose(stream: Streams, block: int, scene: Scene, grains: np.ndarray, images: ScatteringImages) -> None:
        if book:
            _count(stream(COUNTS, block), scene.pattern, images.clean)
            np.multiply(images.clean, grains, out=images.speckled)
        else:
            _count(stream(COUNTS, block), _with_speckle(scene, grains), images.speckled)
            images.clean[:] = scene.pattern

    return _images(n, seed, (modes, modes), speckle_size, photons, expose)


def measure(
    n: int,
    *,
    seed: Seed,
    modes: Sequence[float] = (2.0, 8.0),
    speckle_size: float = 2.5,
    photons: Sequence[float] = (5e3, 5e5),
) -> ScatteringImages:
    """ "Experimental" patterns: partially coherent light on a real detector.

    As `simulate` with ``preset="physics"``, and in addition the light has another number of modes in each measurement,
    a beam stop on its holder protects the detector, one or two gaps run between its modules, and a few pixels are dead.
    An experiment does not know ``clean``: here it is known, for the judge only.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    modes : (float, float)
        Smallest and largest number of modes, 1 to 64; uniform.
    speckle_size : float, pixels
    photons : (float, float)
        As in `simulate`.

    Returns
    -------
    ScatteringImages
        ``speckled`` is 0 where ``valid`` is False.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> images = measure(100, seed=1)
    >>> bool((images.speckled[~images.valid] == 0).all()), bool(0.02 < 1 - images.valid.mean() < 0.12)
    (True, True)
    """

    def expose(stream: Streams, block: int, scene: Scene, grains: np.ndarray, images: ScatteringImages) -> None:
        _count(stream(COUNTS, block), _with_speckle(scene, grains), images.speckled)
        images.clean[:] = scene.pattern
        images.valid[:] = _valid_pixels(stream(DETECTOR, block), scene.beam)
        images.speckled[~images.valid] = 0.0

    return _images(n, seed, _interval(modes=modes, maximum=64.0), speckle_size, photons, expose)


def _images(
    n: int,
    seed: Seed,
    modes: tuple[float, float],
    speckle_size: float,
    photons: Sequence[float],
    expose: Callable[[Streams, int, Scene, np.ndarray, ScatteringImages], None],
) -> ScatteringImages:
    """Scenes, their speckle, and what ``expose`` makes of them."""
    n = check_count(n=n)
    points = pupil_points(speckle_size)
    flux = _interval(photons=photons, maximum=1e9)
    stream, workplaces = Streams.of(seed), _Workplaces(points)
    images = ScatteringImages(
        speckled=np.empty((n, PIXELS, PIXELS), np.float32),
        clean=np.empty((n, PIXELS, PIXELS), np.float32),
        valid=np.ones((n, PIXELS, PIXELS), bool),
        kind=np.empty(n, np.int8),
        **{name: np.empty(n, np.float32) for name in ("size", "height", "spacing", "photons", "modes")},
        turned=np.empty(n, bool),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        scene = draw_scenes(stream(SCENE, block), flux, BLOCK, workplaces.pattern[:m])
        number = modes[0] + (modes[1] - modes[0]) * stream(MODES, block).random(BLOCK)[:m]
        part = ScatteringImages(**{name: array[events] for name, array in images.arrays().items()})
        for name in ("kind", "size", "height", "spacing", "photons", "turned"):
            getattr(part, name)[:] = getattr(scene, name)
        part.modes[:] = number
        grains = workplaces.grains[:m]
        _speckle(stream, block, number, workplaces, grains)
        expose(stream, block, scene, grains, part)

    fill_blocks(fill, n, block=BLOCK, title="scattering")
    return images


class _Workplaces(threading.local):
    """Arrays that a thread uses for one block after the other: fresh memory would cost a quarter of the time."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.pattern, self.grains = np.empty((2, BLOCK, PIXELS, PIXELS), np.float32)
        self.pupils = np.empty((BLOCK, PERIOD, points), np.complex64)
        self.field = np.empty((BLOCK, PIXELS, PERIOD), np.complex64)


def _speckle(stream: Streams, block: int, modes: np.ndarray, workplaces: _Workplaces, intensity: np.ndarray) -> None:
    """Speckle of the events of a block.

    The transforms are done axis by axis, without the rows that would be zero or that no pixel sees: half of the work.
    """
    m = len(modes)
    pupils, field = workplaces.pupils[:m], workplaces.field[:m]
    intensity[:] = 0.0
    for k, weight in enumerate(mode_weights(modes).T):
        kernels.draw_pupils(stream(SPECKLE + k, block), weight, workplaces.points, pupils)
        half = fft.fft(pupils, axis=1, overwrite_x=True)
        kernels.copy_rows(half, workplaces.points, field)
        kernels.add_intensity(fft.fft(field, axis=2, overwrite_x=True), intensity)


def _with_speckle(scene: Scene, grains: np.ndarray) -> np.ndarray:
    """Expected photons, in the place of ``grains``: the background is no light of the sample and has no speckle."""
    kernels.shine(scene.pattern, scene.background, grains)
    return grains


def _count(random: np.random.Generator, expected: np.ndarray, counts: np.ndarray) -> None:
    """Poisson numbers; ``counts`` holds the chance of none in between."""
    np.exp(np.negative(expected, out=counts), out=counts)
    kernels.count_photons(random, expected, counts, counts)


def _valid_pixels(random: np.random.Generator, beam: np.ndarray) -> np.ndarray:
    """Pixels that see the sample; (m, 64, 64) bool."""
    u = random.random((BLOCK, 16))[: len(beam)]
    row, column = np.indices((PIXELS, PIXELS))
    valid = np.ones((len(beam), PIXELS, PIXELS), bool)
    for pixels, (beam_row, beam_column), x in zip(valid, beam, u, strict=True):
        holder = np.abs(column - beam_column) < 1.0 if x[0] < 0.5 else np.abs(row - beam_row) < 1.0
        outside = row > beam_row if x[0] < 0.5 else column > beam_column
        stop = (row - beam_row) ** 2 + (column - beam_column) ** 2 < (2.5 + 2.5 * x[1]) ** 2
        gap = np.abs(row - (6.0 + 52.0 * x[2])) < 0.5 + x[3]
        if x[4] < 0.5:
            gap |= np.abs(column - (6.0 + 52.0 * x[5])) < 0.5 + x[3]
        pixels[(holder & outside) | stop | gap] = False
        dead = (PIXELS * PIXELS * x[6:10]).astype(int)
        pixels.ravel()[dead] = False
    return valid


def _interval(*, maximum: float, **argument: Sequence[float]) -> tuple[float, float]:
    ((name, _),) = argument.items()
    pair: dict[str, Any] = {**argument}
    low, high = check_array(shape=(2,), minimum=1.0, maximum=maximum, **pair)
    if low > high:
        raise ValueError(f"{name} must be the smallest and the largest value, got {low:g} and {high:g}")
    return float(low), float(high)
