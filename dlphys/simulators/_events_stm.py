"""Scanning tunnelling microscopy of a magnetic topological insulator: the topograph and the map of the band gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._sample import Sample

BLOCK = 64
CRYSTAL, TIP, SPECTRA = range(3)

PIXEL = 0.125  # nm
LATTICE_CONSTANT = 0.424  # nm, of the hexagonal tellurium surface of MnSb2Te4
ORIENTATION = 0.2  # rad, of the crystal to the scan
CORRUGATION = 12.0  # pm, from hollow to atom
MEAN_GAP = 17.0  # meV

# shallow and deep manganese: density (1/nm^2), height (pm) and width (nm) in the topograph, triangular share of the
# height, change of the gap (meV) and its width (nm)
DEFECTS = np.array(
    [
        (0.25, -22.0, 0.40, 0.35, 5.0, 0.60),
        (0.25, 14.0, 0.95, 0.0, -4.0, 0.80),
    ]
)
DEFECTS.setflags(write=False)
REACH = 3.5  # widths at which a defect ends
MARGIN = 4.0  # nm beyond the picture in which defects are drawn


@dataclass(frozen=True, repr=False)
class STMTopographs(Sample):
    """Simulated scans; the first axis of every array is the event.

    Attributes
    ----------
    height : array, (n, size, size), float32, pm
        Topograph: height of the tip at constant current; lines are scanned along the last axis.
    gap : array, (n, size, size), float32, meV
        Local band gap.
    measured_gap : array, (n, size, size), float32, meV
        The same with the error of a spectrum.
    defects : array, (n, 2), int16
        Number of shallow and of deep defects whose centre is in the picture.
    """

    units: ClassVar = {"height": "pm", "gap": "meV", "measured_gap": "meV", "defects": "shallow, deep"}

    height: np.ndarray
    gap: np.ndarray
    measured_gap: np.ndarray
    defects: np.ndarray


def stm_topographs(
    n: int,
    *,
    seed: Seed,
    size: int = 64,
    tip_noise: float = 1.5,
    line_noise: float = 1.5,
    gap_error: float = 0.5,
) -> STMTopographs:
    """Draw topographs of MnSb2Te4 with defects below the surface, and the band gap at every place.

    The topograph shows the atoms (three plane waves), shallow manganese on antimony sites as triangular hollows and
    deeper manganese as broad hills. Both kinds change the gap, by bumps of another sign and width.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    size : int
        Pixels of 0.125 nm along an edge, at least 16.
    tip_noise, line_noise : float, pm
        Standard deviations of the noise in every pixel and of the offset of every scanned line.
    gap_error : float, meV
        Standard deviation of the gap from a spectrum, in every pixel.

    Returns
    -------
    STMTopographs
        Frozen dataclass: height, gap, measured_gap (n, size, size) float32 pm and meV, defects (n, 2) int16.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    After the book's example 8.6 and S. Wimmer et al., Adv. Mater. 33 (2021) 2102935, where the gap of a film varies
    about 17 meV over nanometres (recalled, not verified). Shapes, densities and the relation between height and gap
    are our choice. Height and gap are linear in the density of defects, Poisson points: the best linear filter is known
    (`wiener_gap`). A gap never falls below 0.

    Examples
    --------
    >>> scans = stm_topographs(2, seed=1)
    >>> scans.height.shape, bool(abs(scans.gap.mean() - 17.0) < 5.0)
    ((2, 64, 64), True)
    """
    n = check_count(n=n)
    size = check_count(minimum=16, maximum=1024, size=size)
    tip = check_number(minimum=0.0, unit="pm", tip_noise=tip_noise)
    line = check_number(minimum=0.0, unit="pm", line_noise=line_noise)
    error = check_number(minimum=0.0, unit="meV", gap_error=gap_error)
    stream = Streams.of(seed)
    block_size = max(1, BLOCK * 64 * 64 // max(64, size) ** 2)
    shape = (n, size, size)
    scans = STMTopographs(
        height=np.empty(shape, np.float32),
        gap=np.empty(shape, np.float32),
        measured_gap=np.empty(shape, np.float32),
        defects=np.empty((n, 2), np.int16),
    )
    waves, mean_change = _lattice_waves(), _mean_change()

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        height, gap = np.zeros((m, size, size)), np.full((m, size, size), MEAN_GAP - mean_change)
        _grow(stream(CRYSTAL, block), height, gap, scans.defects[events], waves, DEFECTS)
        np.maximum(gap, 0.0, out=gap)
        noise = stream(TIP, block)
        height += line * noise.standard_normal((block_size, size, 1), np.float32)[:m]
        height += tip * noise.standard_normal((block_size, size, size), np.float32)[:m]
        scans.height[events], scans.gap[events] = height, gap
        scans.measured_gap[events] = (
            gap + error * stream(SPECTRA, block).standard_normal((block_size, size, size), np.float32)[:m]
        )

    fill_blocks(fill, n, block=block_size, title="scans")
    return scans


def wiener_gap(height: ArrayLike, *, tip_noise: float = 1.5, line_noise: float = 1.5) -> np.ndarray:
    """The gap by the best linear filter (Wiener): a baseline that knows the shapes of all defects.

    The waves of the atoms are fitted and subtracted; each wave of the rest is then weighted by
    S_hg / (S_hh + noise), the spectra of height and gap being those of Poisson points.

    Parameters
    ----------
    height : array, (n, size, size), pm
    tip_noise, line_noise : float, pm
        As in `stm_topographs`.

    Returns
    -------
    array, (n, size, size), meV

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    N. Wiener (1949). The best of all linear methods far from the edges, where the periodic filter joins the two sides
    of a picture; a network may do better, since defects are points and not Gaussian waves.

    Examples
    --------
    >>> scans = stm_topographs(20, seed=1)
    >>> error = wiener_gap(scans.height) - scans.gap
    >>> bool(error[:, 12:-12, 12:-12].std() < 0.6 * scans.gap.std())
    True
    """
    height = check_array(ndim=3, unit="pm", height=height)
    if height.shape[1] != height.shape[2] or height.shape[1] < 16:
        raise ValueError(f"height must have shape (n, size, size) with size at least 16, got {height.shape}")
    tip = check_number(minimum=0.0, unit="pm", tip_noise=tip_noise)
    line = check_number(minimum=0.0, unit="pm", line_noise=line_noise)
    size = height.shape[1]
    across, along = np.meshgrid(PIXEL * np.arange(size), PIXEL * np.arange(size))
    phase = np.einsum("wi,iab->wab", _lattice_waves(), np.stack([across, along])).reshape(3, -1)
    waves = np.concatenate([np.ones((1, size * size)), np.cos(phase), np.sin(phase)])
    flat = height.reshape(len(height), -1)
    rest = flat - flat @ np.linalg.pinv(waves) @ waves
    offset = (np.arange(size) - size // 2) * PIXEL
    y, x = np.meshgrid(offset, offset, indexing="ij")
    power, cross = np.zeros((size, size)), np.zeros((size, size), complex)
    for density, depth, width, triangle, change, gap_width in DEFECTS:
        shape = np.fft.fft2(depth * _defect(x, y, width, triangle))
        bump = np.fft.fft2(change * _defect(x, y, gap_width, 0.0))
        power += density * PIXEL**2 * np.abs(shape) ** 2
        cross += density * PIXEL**2 * np.conj(shape) * bump
    power += tip**2 + 1e-9
    power[:, 0] += size * line**2  # an offset of a line is in all pixels along it
    weight = cross / power
    weight[0, 0] = 0.0  # the mean height is unknown
    spectrum = np.fft.fft2(rest.reshape(height.shape), axes=(1, 2))
    return MEAN_GAP + np.fft.ifft2(spectrum * weight, axes=(1, 2)).real


def _lattice_waves() -> np.ndarray:
    """The three shortest reciprocal vectors of the hexagonal lattice, (3, 2), rad/nm, in x and y."""
    angle = ORIENTATION + np.pi / 3.0 * np.arange(3)
    return 4.0 * np.pi / (np.sqrt(3.0) * LATTICE_CONSTANT) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _mean_change() -> float:
    """What the defects change the gap by on average, in meV: Campbell's theorem."""
    return float((DEFECTS[:, 0] * DEFECTS[:, 4] * 2.0 * np.pi * DEFECTS[:, 5] ** 2).sum())


def _defect(x: np.ndarray, y: np.ndarray, width: float, triangle: float) -> np.ndarray:
    """Shape of a defect: a Gaussian, with corners in three directions."""
    u, v = x / width, y / width
    return np.exp(-0.5 * (u * u + v * v)) * (1.0 + triangle * (u**3 - 3.0 * u * v * v))


@compiled(nogil=True)
def _grow(
    random: np.random.Generator,
    height: np.ndarray,
    gap: np.ndarray,
    counts: np.ndarray,
    waves: np.ndarray,
    defects: np.ndarray,
) -> None:
    size = height.shape[1]
    extent = size * PIXEL
    side = extent + 2.0 * MARGIN
    cos_x, sin_x, cos_y, sin_y = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for event in range(height.shape[0]):
        shift_x, shift_y = random.random(), random.random()
        # the scan begins somewhere in the unit cell; cos(a + b) from cos and sin of the two
        for k in range(3):
            for i in range(size):
                a, b = waves[k, 0] * (i * PIXEL + shift_x), waves[k, 1] * (i * PIXEL + shift_y)
                cos_x[i], sin_x[i], cos_y[i], sin_y[i] = np.cos(a), np.sin(a), np.cos(b), np.sin(b)
            for row in range(size):
                for column in range(size):
                    wave = cos_x[column] * cos_y[row] - sin_x[column] * sin_y[row]
                    height[event, row, column] += CORRUGATION / 4.5 * wave
        for kind in range(defects.shape[0]):
            inside = 0
            for _ in range(random.poisson(defects[kind, 0] * side * side)):
                x, y = side * random.random() - MARGIN, side * random.random() - MARGIN
                if 0.0 <= x < extent and 0.0 <= y < extent:
                    inside += 1
                _add(height[event], x, y, defects[kind, 1], defects[kind, 2], defects[kind, 3])
                _add(gap[event], x, y, defects[kind, 4], defects[kind, 5], 0.0)
            counts[event, kind] = inside


@compiled(nogil=True)
def _add(picture: np.ndarray, x: float, y: float, height: float, width: float, triangle: float) -> None:
    size = picture.shape[0]
    left, right = max(0, int((x - REACH * width) / PIXEL)), min(size, int((x + REACH * width) / PIXEL) + 2)
    top, bottom = max(0, int((y - REACH * width) / PIXEL)), min(size, int((y + REACH * width) / PIXEL) + 2)
    if left >= right or top >= bottom:
        return
    factor = np.empty(right - left)
    for column in range(left, right):
        u = (column * PIXEL - x) / width
        factor[column - left] = np.exp(-0.5 * u * u)
    for row in range(top, bottom):
        v = (row * PIXEL - y) / width
        scale = height * np.exp(-0.5 * v * v)
        for column in range(left, right):
            u = (column * PIXEL - x) / width
            picture[row, column] += scale * factor[column - left] * (1.0 + triangle * u * (u * u - 3.0 * v * v))
