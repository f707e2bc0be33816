"""Single fluorescent molecules on a camera: photons in pixels, and how well their place can be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number, check_positive
from dlphys.simulators._sample import Sample

BLOCK = 512
MOLECULE, PHOTONS = range(2)

PIXEL = 96.0  # nm in the sample; four voxels of the book's 24 nm
FOCUS_WIDTH = 130.0  # nm, standard deviation of the spot in focus: 0.21 wavelength / NA for 680 nm, NA 1.1
FOCAL_DEPTH = 400.0  # nm
FOCAL_SHIFT = 250.0  # nm between the foci of x and y, halved: a weak cylindrical lens
DEPTH_RANGE = 500.0  # nm on either side
VOXEL = (24.0, 24.0, 50.0)  # nm, of the book's example 8.11
STEPS = 30
LARGEST_STEP = np.array([100.0, 100.0, 150.0, 1e9, 1e9])  # nm in x, y, z; photons and background are free
STARTS = np.linspace(-400.0, 400.0, 9)  # nm; depths from which a fit begins


@dataclass(frozen=True, repr=False)
class SingleMolecules(Sample):
    """Simulated camera pictures of blinking molecules; the first axis of every array is the event.

    Attributes
    ----------
    images : array, (n, size, size), float32, photons
        Counts by row (y) and column (x).
    positions : array, (n, molecules, 3), float32, nm
        x, y from the corner of the picture, z from the focus; NaN where there is no molecule.
    photons : array, (n, molecules), float32
        Mean number of detected photons of each; NaN where there is none.
    background : array, (n,), float32, photons per pixel
        Mean.
    """

    units: ClassVar = {
        "images": "photons",
        "positions": "nm",
        "photons": "photons",
        "background": "photons per pixel",
    }

    images: np.ndarray
    positions: np.ndarray
    photons: np.ndarray
    background: np.ndarray


def spot_widths(depth: ArrayLike, *, astigmatism: float = FOCAL_SHIFT) -> np.ndarray:
    """Standard deviations of the spot of a molecule out of focus, s(z) = s_0 sqrt(1 + ((z -+ c) / d)^2).

    Parameters
    ----------
    depth : float or array, any shape, nm
    astigmatism : float, nm
        c, half the distance between the foci of x and y. With 0 a molecule above the focus looks like one below.

    Returns
    -------
    array, (..., 2), nm
        In x (focus at +c) and in y (focus at -c).

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    s_0 = 130 nm, d = 400 nm, c = 250 nm; the curve of a Gaussian beam, as in B. Huang et al., Science 319 (2008) 810,
    without their corrections of third and fourth order. A Gaussian of 0.21 wavelength / NA is closest to Airy's disk
    (B. Zhang, J. Zerubia and J.-C. Olivo-Marin, Appl. Opt. 46 (2007) 1819).

    Examples
    --------
    >>> spot_widths([0.0, 250.0]).round(0)
    array([[153., 153.],
           [130., 208.]])
    """
    depth = check_array(unit="nm", depth=depth)
    shift = check_number(minimum=0.0, maximum=2e3, unit="nm", astigmatism=astigmatism)
    return _widths(depth, shift)


def single_molecules(
    n: int,
    *,
    seed: Seed,
    size: int = 12,
    molecules: int = 1,
    photons: float = 2000.0,
    photon_spread: float = 0.3,
    background: float = 10.0,
    astigmatism: float = FOCAL_SHIFT,
) -> SingleMolecules:
    """Draw molecules at random places and the photons that a camera counts.

    Every pixel holds a Poisson number about background + sum over molecules of N E_x E_y, where E is the Gaussian
    spot integrated over the pixel. Above the focus the spot is wider in y, below in x: its shape tells the depth.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    size : int
        Pixels along an edge, at least 6; a pixel is 96 nm.
    molecules : int
        Largest number of molecules in a picture, up to 10; every number from 1 on is equally likely.
    photons : float
        Median number of photons of a molecule.
    photon_spread : float
        Standard deviation of its logarithm, which is Gaussian.
    background : float, photons per pixel
    astigmatism : float, nm
        As in `spot_widths`.

    Returns
    -------
    SingleMolecules
        Frozen dataclass: images (n, size, size) float32, positions (n, molecules, 3) float32 nm, and more.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Places are uniform, at least two pixels from the edges, depths uniform in +-500 nm. Camera noise and the gain of
    an electron multiplier are left out; the smallest possible errors are those of `localisation_bound`.

    Examples
    --------
    >>> pictures = single_molecules(3, seed=1)
    >>> pictures.images.shape, pictures.positions.shape
    ((3, 12, 12), (3, 1, 3))
    """
    n = check_count(n=n)
    size = check_count(minimum=6, maximum=256, size=size)
    molecules = check_count(maximum=10, molecules=molecules)
    check_positive(unit="photons", photons=photons)
    check_number(minimum=0.0, maximum=3.0, photon_spread=photon_spread)
    check_number(minimum=0.0, maximum=1e6, unit="photons per pixel", background=background)
    shift = check_number(minimum=0.0, maximum=2e3, unit="nm", astigmatism=astigmatism)
    stream = Streams.of(seed)
    block_size = max(1, BLOCK * 12 * 12 // max(12, size) ** 2)
    pictures = SingleMolecules(
        images=np.empty((n, size, size), np.float32),
        positions=np.empty((n, molecules, 3), np.float32),
        photons=np.empty((n, molecules), np.float32),
        background=np.full(n, background, np.float32),
    )

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        random = stream(MOLECULE, block)
        u = random.random((block_size, molecules, 3))
        brightness = photons * np.exp(photon_spread * random.standard_normal((block_size, molecules)))
        absent = np.arange(molecules) >= random.integers(1, molecules + 1, (block_size, 1))
        places = np.empty((block_size, molecules, 3))
        places[..., :2] = PIXEL * (2.0 + (size - 4.0) * u[..., :2])
        places[..., 2] = DEPTH_RANGE * (2.0 * u[..., 2] - 1.0)
        mean = np.full((block_size, size, size), float(background))
        profiles = _spots(places, size, shift)[0]
        mean += np.einsum("nk,nki,nkj->nij", np.where(absent, 0.0, brightness), profiles[1], profiles[0])
        places[absent], brightness[absent] = np.nan, np.nan
        pictures.positions[events], pictures.photons[events] = places[:m], brightness[:m]
        pictures.images[events] = stream(PHOTONS, block).poisson(mean)[:m]

    fill_blocks(fill, n, block=block_size, title="molecules")
    return pictures


def localisation_bound(
    positions: ArrayLike, photons: ArrayLike, background: ArrayLike, *, size: int = 12, astigmatism: float = FOCAL_SHIFT
) -> np.ndarray:
    """Smallest covariance of an unbiased estimate of a molecule's place (Cramer and Rao), nothing else being known.

    The inverse of Fisher's information for Poisson counts, I_ab = sum over pixels (d mu / d a) (d mu / d b) / mu,
    with a and b among x, y, z, the number of photons and the background.

    Parameters
    ----------
    positions : array, (n, 3), nm
        x, y from the corner, z from the focus.
    photons : array, (n,) or float
        Mean number of photons.
    background : array, (n,) or float, photons per pixel
        Above 0.
    size : int
    astigmatism : float, nm
        Above 0: without, the depth cannot be known in focus.

    Returns
    -------
    array, (n, 3, 3), nm^2

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    K. I. Mortensen et al., Nature Methods 7 (2010) 377; C. S. Smith et al., Nature Methods 7 (2010) 373. The bound
    holds for one molecule in the picture and for estimates without bias; a network that has learnt where molecules
    may be can do better where there are few photons.

    Examples
    --------
    >>> covariance = localisation_bound([[576.0, 576.0, 0.0]], 2000.0, 10.0)
    >>> np.sqrt(covariance[0].diagonal()).round(1)  # nm
    array([ 4.4,  4.4, 15.5])
    """
    places = check_array(shape=(None, 3), unit="nm", positions=positions)
    size = check_count(minimum=6, maximum=256, size=size)
    n = len(places)
    counts = check_array(ndim=(0, 1), minimum=1e-3, unit="photons", photons=photons)
    level = check_array(ndim=(0, 1), minimum=1e-6, unit="photons per pixel", background=background)
    for name, array in (("photons", counts), ("background", level)):
        if array.ndim and len(array) != n:
            raise ValueError(f"{name} must be one number or one for each of the {n} positions, got {array.shape}")
    shift = check_number(minimum=0.0, exclusive=True, unit="nm", astigmatism=astigmatism)
    covariance = np.empty((n, 3, 3))
    for start in range(0, n, 4096):
        some = slice(start, start + 4096)
        parameters = np.empty((len(places[some]), 5))
        parameters[:, :3] = places[some]
        parameters[:, 3], parameters[:, 4] = np.broadcast_to(counts, n)[some], np.broadcast_to(level, n)[some]
        mean, slopes = _model(parameters, size, shift)
        covariance[some] = np.linalg.inv(_information(mean, slopes))[:, :3, :3]
    return covariance


def fit_molecules(images: ArrayLike, *, astigmatism: float = FOCAL_SHIFT) -> np.ndarray:
    """Places of single molecules by maximum likelihood: the baseline without machine learning.

    Fisher scoring in x, y, z, the number of photons and the background, from several depths; the most likely end wins.
    With enough photons its errors reach the `localisation_bound`.

    Parameters
    ----------
    images : array, (n, size, size), photons
        One molecule in each.
    astigmatism : float, nm

    Returns
    -------
    array, (n, 3), nm

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> pictures = single_molecules(200, seed=1, photons=5000.0)
    >>> error = fit_molecules(pictures.images) - pictures.positions[:, 0]
    >>> bool(np.median(np.abs(error[:, 0])) < 5.0)
    True
    """
    images = check_array(shape=(None, None, None), minimum=0.0, unit="photons", images=images)
    if images.shape[1] != images.shape[2] or images.shape[1] < 6:
        raise ValueError(f"images must have shape (n, size, size) with size at least 6, got {images.shape}")
    shift = check_number(minimum=0.0, exclusive=True, unit="nm", astigmatism=astigmatism)
    parts = [_fit(images[i : i + 1024], shift) for i in range(0, len(images), 1024)]
    return np.concatenate(parts)


def voxel_targets(
    positions: ArrayLike, *, size: int = 12, voxel: tuple[float, float, float] = VOXEL
) -> tuple[np.ndarray, np.ndarray]:
    """Which voxels hold a molecule, and where in its voxel each one is: the two targets of the book's example 8.11.

    Parameters
    ----------
    positions : array, (n, molecules, 3), nm
        As of `single_molecules`; NaN where there is none.
    size : int
        Pixels along an edge of the picture.
    voxel : (float, float, float), nm
        Edges in x, y, z; those of the picture, 96 nm times ``size`` and 1000 nm, must be multiples of them.

    Returns
    -------
    occupied : array, (n, rows, columns, depths), uint8
        1 where a molecule is; y by row and x by column as in the picture, depths from -500 nm up.
    inside : array, (n, molecules, 3), float32
        Place in the voxel in x, y, z, in [0, 1) of its edges; NaN where there is none.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range or the voxels do not fit.

    Examples
    --------
    >>> occupied, inside = voxel_targets([[[576.0, 582.0, -500.0]]])
    >>> occupied.shape, np.argwhere(occupied[0]).tolist(), inside[0, 0].tolist()
    ((1, 48, 48, 20), [[24, 24, 0]], [0.0, 0.25, 0.0])
    """
    places = check_array(shape=(None, None, 3), unit="nm", allow_nan=True, positions=positions)
    size = check_count(minimum=6, maximum=256, size=size)
    edges = check_array(shape=(3,), minimum=1.0, unit="nm", voxel=voxel)
    extent = np.array([PIXEL * size, PIXEL * size, 2.0 * DEPTH_RANGE])
    cells = np.rint(extent / edges).astype(int)
    if not np.allclose(cells * edges, extent, rtol=1e-9):
        raise ValueError(f"voxel must divide the extent {extent.tolist()} nm of the picture, got {edges.tolist()} nm")
    scaled = (places + np.array([0.0, 0.0, DEPTH_RANGE])) / edges
    index = np.floor(scaled)
    there = np.isfinite(scaled).all(-1) & (index >= 0).all(-1) & (index < cells).all(-1)
    event, molecule = np.nonzero(there)
    column, row, depth = index[event, molecule].astype(int).T
    occupied = np.zeros((len(places), cells[1], cells[0], cells[2]), np.uint8)
    occupied[event, row, column, depth] = 1
    return occupied, (scaled - index).astype(np.float32)


def _widths(depth: np.ndarray, shift: float) -> np.ndarray:
    offset = np.stack([depth - shift, depth + shift], axis=-1)
    return FOCUS_WIDTH * np.sqrt(1.0 + (offset / FOCAL_DEPTH) ** 2)


def _spots(places: np.ndarray, size: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of the light in the columns and rows, (2, ..., size), and its derivatives by place and by width."""
    widths = np.moveaxis(_widths(places[..., 2], shift), -1, 0)[..., None]
    centres = np.moveaxis(places[..., :2], -1, 0)[..., None]
    edge = (PIXEL * np.arange(size + 1) - centres) / widths
    density = np.exp(-0.5 * edge**2) / np.sqrt(2.0 * np.pi)
    share = 0.5 * np.diff(erf(edge / np.sqrt(2.0)))
    return share, -np.diff(density) / widths, -np.diff(edge * density) / widths


def _model(parameters: np.ndarray, size: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean counts (n, size, size) and their derivatives (n, 5, size, size) by x, y, z, photons, background."""
    share, by_place, by_width = _spots(parameters[:, :3], size, shift)
    photons = parameters[:, 3, None, None]
    spot = share[1][:, :, None] * share[0][:, None, :]
    offset = np.stack([parameters[:, 2] - shift, parameters[:, 2] + shift])
    widening = FOCUS_WIDTH**2 * offset / FOCAL_DEPTH**2 / np.moveaxis(_widths(parameters[:, 2], shift), -1, 0)
    by_depth = by_width * widening[..., None]
    slopes = np.stack(
        [
            photons * share[1][:, :, None] * by_place[0][:, None, :],
            photons * by_place[1][:, :, None] * share[0][:, None, :],
            photons * (share[1][:, :, None] * by_depth[0][:, None, :] + by_depth[1][:, :, None] * share[0][:, None, :]),
            spot,
            np.ones_like(spot),
        ],
        axis=1,
    )
    return photons * spot + parameters[:, 4, None, None], slopes


def _information(mean: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    flat = slopes.reshape(*slopes.shape[:2], -1)
    return (flat / mean.reshape(len(mean), 1, -1)) @ flat.transpose(0, 2, 1)


def _fit(images: np.ndarray, shift: float) -> np.ndarray:
    n, size = images.shape[:2]
    level = np.maximum(np.quantile(images, 0.2, axis=(1, 2)), 0.1)
    light = np.maximum(images - level[:, None, None], 0.0)
    total = np.maximum(light.sum((1, 2)), 1.0)
    centre = PIXEL * (np.arange(size) + 0.5)
    best, likelihood = np.empty((n, 3)), np.full(n, -np.inf)
    for depth in STARTS:
        parameters = np.empty((n, 5))
        parameters[:, 0] = light.sum(1) @ centre / total
        parameters[:, 1] = light.sum(2) @ centre / total
        parameters[:, 2], parameters[:, 3], parameters[:, 4] = depth, total, level
        moving = np.arange(n)
        for _ in range(STEPS):
            mean, slopes = _model(parameters[moving], size, shift)
            score = ((images[moving] / mean - 1.0)[:, None] * slopes).sum((2, 3))
            information = _information(mean, slopes)
            scale = np.sqrt(np.einsum("nii->ni", information))
            information /= scale[:, :, None] * scale[:, None, :]
            information += 1e-9 * np.eye(5)
            step = np.linalg.solve(information, (score / scale)[..., None])[..., 0] / scale
            step = np.clip(step, -LARGEST_STEP, LARGEST_STEP)
            parameters[moving] += step
            np.clip(parameters[:, :2], 0.0, PIXEL * size, out=parameters[:, :2])
            np.clip(parameters[:, 2], -2.0 * DEPTH_RANGE, 2.0 * DEPTH_RANGE, out=parameters[:, 2])
            np.maximum(parameters[:, 3:], [1.0, 1e-3], out=parameters[:, 3:])
            moving = moving[np.abs(step[:, :3]).max(1) > 0.01]
            if not len(moving):
                break
        mean = _model(parameters, size, shift)[0]
        value = (images * np.log(mean) - mean).sum((1, 2))
        better = value > likelihood
        best[better], likelihood[better] = parameters[better, :3], value[better]
    return best
