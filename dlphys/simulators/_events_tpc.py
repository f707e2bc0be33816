"""Liquid-argon pictures with the truth of every pixel, and scenes of several objects with boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._events_cascade import (
    ELECTRON,
    HADRON,
    MUON,
    PHOTON,
    PIXELS,
    PROTON,
    STACK,
    follow,
    isotropic,
    push,
)
from dlphys.simulators._events_matter import LIQUID_ARGON
from dlphys.simulators._sample import Sample

BLOCK = 64
EVENT, NOISE = range(2)

PIXEL = 1.0  # cm
BACKGROUND, TRACK, SHOWER = range(3)
NOISE_ENERGY = 1.0  # MeV, mean of a hit of noise
VISIBLE = 0.4  # MeV, what a pixel of an object must hold to be in its box
SMALLEST = 8  # pixels of an object
TRIES = 50
INTERACTION = 2


@dataclass(frozen=True, repr=False)
class TPCPixels(Sample):
    """Simulated pictures of a liquid-argon chamber; the first axis of every array is the event.

    Attributes
    ----------
    energy : array, (n, size, size), float32, MeV
        What is measured in pixels of 1 cm; 0 below threshold.
    truth : array, (n, size, size), uint8
        0 noise or nothing, 1 track, 2 shower: what deposited most in the pixel; 0 where nothing is measured.
    vertex : array, (n, 2), float32, pixels
        Where the particles start.
    track_energy, shower_energy : array, (n,), float32, MeV
        Deposited inside the picture, before noise and threshold.
    """

    units: ClassVar = {
        "energy": "MeV",
        "truth": "0 noise or nothing, 1 track, 2 shower",
        "vertex": "pixels",
        "track_energy": "MeV",
        "shower_energy": "MeV",
    }

    energy: np.ndarray
    truth: np.ndarray
    vertex: np.ndarray
    track_energy: np.ndarray
    shower_energy: np.ndarray


@dataclass(frozen=True, repr=False)
class Scenes(Sample):
    """Simulated pictures with several objects; the first axis of every array is the event.

    Attributes
    ----------
    images : array, (n, size, size), float32, MeV
    boxes : array, (n, objects, 4), float32, pixels
        First row, first column, last row + 1, last column + 1 of each object; NaN where there is none.
    kind : array, (n, objects), int8
        0 track, 1 shower, 2 interaction, -1 none.
    count : array, (n,), int8
        Number of objects.
    """

    units: ClassVar = {
        "images": "MeV",
        "boxes": "pixels",
        "kind": "0 track, 1 shower, 2 interaction, -1 none",
        "count": "",
    }

    images: np.ndarray
    boxes: np.ndarray
    kind: np.ndarray
    count: np.ndarray


def tpc_pixels(
    n: int,
    *,
    seed: Seed,
    size: int = 64,
    electronics_noise: float = 0.1,
    noise_hits: float = 20.0,
    threshold: float = 0.4,
) -> TPCPixels:
    """Draw particles from one point in a liquid-argon time projection chamber: tracks, showers, and noise.

    One or two tracks (muon, pion or proton) and one or two showers (electron or photon) start at a vertex in any
    direction; the picture is their projection on a plane, drift time along and wires across. Muons that stop decay,
    photons fly on before they convert, and hard delta rays count as showers.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    size : int
        Pixels along an edge, at least 16; a pixel is 1 cm.
    electronics_noise : float, MeV
        Standard deviation in every pixel.
    noise_hits : float
        Mean number of isolated hits in a picture, of 1 MeV on average.
    threshold : float, MeV
        Smaller signals are set to 0.

    Returns
    -------
    TPCPixels
        Frozen dataclass: energy (n, size, size) float32 MeV, truth (n, size, size) uint8, and more.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    After the book's example 8.10 and MicroBooNE, Phys. Rev. D 99 (2019) 092001. The particles are those of a gun, in
    equal shares, kinetic energies flat in 50-400 MeV (muon, pion), 40-250 MeV (proton), 50-500 MeV (electron,
    photon). Recombination, diffusion and the response of the wires are left out: a pixel holds the deposited energy.

    Examples
    --------
    >>> pictures = tpc_pixels(3, seed=1)
    >>> pictures.energy.shape, sorted(set(pictures.truth.ravel().tolist()))
    ((3, 64, 64), [0, 1, 2])
    """
    n = check_count(n=n)
    size = check_count(minimum=16, maximum=1024, size=size)
    electronics = check_number(minimum=0.0, unit="MeV", electronics_noise=electronics_noise)
    hits = check_number(minimum=0.0, maximum=1e4, noise_hits=noise_hits)
    threshold = check_number(minimum=0.0, unit="MeV", threshold=threshold)
    stream, block_size = Streams.of(seed), _block(size)
    pictures = TPCPixels(
        energy=np.empty((n, size, size), np.float32),
        truth=np.empty((n, size, size), np.uint8),
        vertex=np.empty((n, 2), np.float32),
        track_energy=np.empty(n, np.float32),
        shower_energy=np.empty(n, np.float32),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        deposits = np.zeros((m, 2, size, size))
        _shoot(stream(EVENT, block), deposits, pictures.vertex[events], LIQUID_ARGON.constants)
        pictures.track_energy[events], pictures.shower_energy[events] = deposits.sum((2, 3)).T
        _measure(
            stream(NOISE, block),
            deposits,
            pictures.energy[events],
            pictures.truth[events],
            electronics,
            hits,
            threshold,
        )

    fill_blocks(fill, n, block=block_size, title="argon pictures")
    return pictures


def scenes(n: int, *, seed: Seed, size: int = 96, objects: int = 3, electronics_noise: float = 0.1) -> Scenes:
    """Draw pictures with one to ``objects`` objects anywhere: tracks, showers and interactions, each with its box.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    size : int
        Pixels of 1 cm along an edge, at least 32.
    objects : int
        Largest number of objects in a picture, up to 16; every number from 1 on is equally likely.
    electronics_noise : float, MeV
        Standard deviation in every pixel; signals below 0.4 MeV are set to 0.

    Returns
    -------
    Scenes
        Frozen dataclass: images (n, size, size) float32 MeV, boxes (n, objects, 4) float32, kind (n, objects) int8.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    A track is a muon or a proton, a shower an electron, an interaction three particles from one point. A box holds the
    pixels in which the object alone deposits more than 0.4 MeV and which hang together with its brightest pixel
    (a photon that converts far away does not widen it); an object with fewer than 8 such pixels is drawn again.

    Examples
    --------
    >>> pictures = scenes(5, seed=1)
    >>> pictures.boxes.shape, bool((np.isfinite(pictures.boxes[..., 0]).sum(1) == pictures.count).all())
    ((5, 3, 4), True)
    """
    n = check_count(n=n)
    size = check_count(minimum=32, maximum=1024, size=size)
    objects = check_count(minimum=1, maximum=16, objects=objects)
    electronics = check_number(minimum=0.0, unit="MeV", electronics_noise=electronics_noise)
    stream, block_size = Streams.of(seed), _block(size)
    pictures = Scenes(
        images=np.zeros((n, size, size), np.float32),
        boxes=np.full((n, objects, 4), np.nan, np.float32),
        kind=np.full((n, objects), -1, np.int8),
        count=np.empty(n, np.int8),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        deposits = np.zeros((m, 2, size, size))
        _arrange(
            stream(EVENT, block),
            deposits,
            pictures.boxes[events],
            pictures.kind[events],
            pictures.count[events],
            LIQUID_ARGON.constants,
        )
        unused = np.empty((m, size, size), np.uint8)
        _measure(stream(NOISE, block), deposits, pictures.images[events], unused, electronics, 0.0, VISIBLE)

    fill_blocks(fill, n, block=block_size, title="scenes")
    return pictures


def overlap(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Intersection over union of boxes: 1 if they are the same, 0 if they do not touch.

    Parameters
    ----------
    first, second : array, (..., 4), pixels
        First row, first column, last row + 1, last column + 1; their shapes must fit together. A box of NaN has
        overlap 0 with everything.

    Returns
    -------
    array, (...)

    Raises
    ------
    ValueError, TypeError
        If the last axis is not of length 4, or the shapes do not fit together.

    Examples
    --------
    >>> float(overlap([0, 0, 2, 2], [0, 1, 2, 3]).round(3))
    0.333
    """
    a = check_array(allow_nan=True, first=first)
    b = check_array(allow_nan=True, second=second)
    for name, array in (("first", a), ("second", b)):
        if array.ndim == 0 or array.shape[-1] != 4:
            raise ValueError(f"{name} must have shape (..., 4), got {array.shape}")
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"first and second must fit together, got shapes {a.shape} and {b.shape}") from None
    inside = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.prod(np.maximum(inside, 0.0), axis=-1)
    areas = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = common / (areas - common)
    return np.where(np.isfinite(share), share, 0.0)


def _block(size: int) -> int:
    """Pictures in a block, fewer if they are large."""
    return max(1, BLOCK * 64 * 64 // max(64, size) ** 2)


@compiled(nogil=True)
def _push_track(random: np.random.Generator, stack: np.ndarray, count: int, place: tuple[float, float, float]) -> int:
    which = int(3.0 * random.random())
    kind = MUON if which == 0 else (HADRON if which == 1 else PROTON)
    energy = 40.0 + 210.0 * random.random() if kind == PROTON else 50.0 + 350.0 * random.random()
    return push(stack, count, kind, place, isotropic(random), energy)


@compiled(nogil=True)
def _push_shower(random: np.random.Generator, stack: np.ndarray, count: int, place: tuple[float, float, float]) -> int:
    kind = ELECTRON if random.random() < 0.5 else PHOTON
    return push(stack, count, kind, place, isotropic(random), 50.0 + 450.0 * random.random())


@compiled(nogil=True)
def _shoot(random: np.random.Generator, images: np.ndarray, vertex: np.ndarray, constants: np.ndarray) -> None:
    stack = np.empty((STACK, 8))
    size = images.shape[2]
    for event in range(images.shape[0]):
        row, column = size * (0.25 + 0.5 * random.random()), size * (0.25 + 0.5 * random.random())
        place = (column * PIXEL, 0.0, row * PIXEL)
        count = 0
        for _ in range(1 + int(2.0 * random.random())):
            count = _push_track(random, stack, count, place)
        for _ in range(1 + int(2.0 * random.random())):
            count = _push_shower(random, stack, count, place)
        follow(random, stack, count, images[event], PIXELS, PIXEL, PIXEL, constants)
        vertex[event, 0], vertex[event, 1] = row, column


@compiled(nogil=True)
def _measure(
    random: np.random.Generator,
    deposits: np.ndarray,
    energy: np.ndarray,
    truth: np.ndarray,
    electronics: float,
    noise_hits: float,
    threshold: float,
) -> None:
    size = deposits.shape[2]
    noise = np.zeros((size, size))
    for event in range(deposits.shape[0]):
        noise[:] = 0.0
        for _ in range(random.poisson(noise_hits)):
            noise[int(size * random.random()), int(size * random.random())] += (
                NOISE_ENERGY * random.standard_exponential()
            )
        for row in range(size):
            for column in range(size):
                track, shower = deposits[event, 0, row, column], deposits[event, 1, row, column]
                noise_here = noise[row, column]
                measured = track + shower + noise_here + electronics * random.standard_normal()
                most = SHOWER if shower > track else TRACK
                if measured <= threshold:
                    measured, most = 0.0, BACKGROUND
                elif max(track, shower) <= max(noise_here, measured - track - shower):
                    most = BACKGROUND
                energy[event, row, column], truth[event, row, column] = measured, most


@compiled(nogil=True)
def _particle_of(random: np.random.Generator, kind: int) -> tuple[float, float]:
    """A particle of an object and its energy (MeV): one makes a track or a shower, three an interaction."""
    if kind == 1:
        return ELECTRON, 100.0 + 300.0 * random.random()
    if kind == INTERACTION:
        return (MUON if random.random() < 0.5 else PROTON), 60.0 + 140.0 * random.random()
    if random.random() < 0.3:
        return PROTON, 150.0 + 100.0 * random.random()
    return MUON, 50.0 + 100.0 * random.random()


@compiled(nogil=True)
def _arrange(
    random: np.random.Generator,
    images: np.ndarray,
    boxes: np.ndarray,
    kinds: np.ndarray,
    counts: np.ndarray,
    constants: np.ndarray,
) -> None:
    stack = np.empty((STACK, 8))
    size = images.shape[2]
    own = np.zeros((2, size, size))
    most = boxes.shape[1]
    waiting = np.empty((size * size, 2), np.int64)
    for event in range(images.shape[0]):
        counts[event] = 1 + int(most * random.random())
        for k in range(counts[event]):
            kind = int(3.0 * random.random())
            pixels = 0
            for _ in range(TRIES):
                own[:] = 0.0
                place = (size * random.random() * PIXEL, 0.0, size * random.random() * PIXEL)
                count = 0
                for _ in range(3 if kind == INTERACTION else 1):
                    particle, energy = _particle_of(random, kind)
                    count = push(stack, count, particle, place, isotropic(random), energy)
                follow(random, stack, count, own, PIXELS, PIXEL, PIXEL, constants)
                pixels = _box(own, waiting, boxes[event, k])
                if pixels >= SMALLEST:
                    break
            kinds[event, k] = kind
            images[event] += own


@compiled(nogil=True)
def _box(own: np.ndarray, waiting: np.ndarray, box: np.ndarray) -> int:
    """Write the box of the pixels that hang together with the brightest; the number of these pixels."""
    size = own.shape[1]
    total = own[0] + own[1]
    brightest = int(np.argmax(total))
    row, column = brightest // size, brightest % size
    box[0], box[1], box[2], box[3] = row, column, row + 1, column + 1
    if total[row, column] <= VISIBLE:
        return 0
    waiting[0, 0], waiting[0, 1] = row, column
    total[row, column] = 0.0
    count, pixels = 1, 0
    while count > 0:
        count -= 1
        row, column = waiting[count]
        pixels += 1
        box[0], box[1] = min(box[0], row), min(box[1], column)
        box[2], box[3] = max(box[2], row + 1), max(box[3], column + 1)
        for i in range(max(row - 2, 0), min(row + 3, size)):  # a gap of one pixel does not part an object
            for j in range(max(column - 2, 0), min(column + 3, size)):
                if total[i, j] > VISIBLE:
                    waiting[count, 0], waiting[count, 1] = i, j
                    total[i, j] = 0.0
                    count += 1
    return pixels
