"""Drawing many small pictures at once: outlines, lines and patterns, with exact coverage of every pixel.

The garments and objects that stand in for real photographs are drawn with this. All pictures of a canvas get the same
kinds of shapes, each picture with its own coordinates: one call draws one shape on every picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dlphys._blocks import Streams, fill_blocks
from dlphys._numba import compiled

CURVE = 4  # straight pieces between two points of a smooth outline
BLOCK = 1000  # pictures, a tenth of each class


def drawn_set(
    draw: Callable[[int, int, np.random.Generator], np.ndarray],
    shape: tuple[int, ...],
    sizes: dict[str, int],
    seed: int,
    title: str,
) -> dict[str, np.ndarray]:
    """Pictures of ten classes in random order, every class equally often in each thousand.

    Parameters
    ----------
    draw : callable
        ``draw(kind, n, random)`` gives ``n`` pictures of one class, uint8.
    shape : tuple
        Of a picture.
    sizes : dict
        How many pictures of each part, "train" and "test"; every part has a seed of its own.
    seed : int
    title : str
        Stands beside the progress bar.

    Returns
    -------
    dict
        "x_train" (n, ...) and "y_train" (n,), uint8; the same for the other parts. The first pictures do not depend on
        how many follow.
    """
    made = {}
    for i, (part, n) in enumerate(sizes.items()):
        images, labels = np.empty((n, *shape), np.uint8), np.empty(n, np.uint8)
        fill_blocks(partial(_draw_block, draw, Streams.of(seed + i), images, labels), n, block=BLOCK, title=title)
        made[f"x_{part}"], made[f"y_{part}"] = images, labels
    return made


def _draw_block(
    draw: Callable[[int, int, np.random.Generator], np.ndarray],
    stream: Streams,
    images: np.ndarray,
    labels: np.ndarray,
    number: int,
    rows: slice,
) -> None:
    random = stream(0, number)
    order = random.permutation(BLOCK)[: rows.stop - rows.start]
    images[rows] = np.concatenate([draw(kind, BLOCK // 10, random) for kind in range(10)])[order]
    labels[rows] = order // (BLOCK // 10)


@dataclass
class Canvas:
    """Pictures being drawn, and the pose in which each one shows its object.

    Attributes
    ----------
    images : array, (n, size, size, channels) float32
        Brightness from 0 to 1; drawn over in place.
    linear, shift : array, (n, 2, 2) and (n, 2)
        From the coordinates of the object (x to the right, y down, about -1 to 1) to pixels.
    bend : array, (n, 2)
        How much x bows with y^2, and y with x^2: nothing in a photograph is straight.
    """

    images: np.ndarray
    linear: np.ndarray
    shift: np.ndarray
    bend: np.ndarray

    @property
    def n(self) -> int:
        """Number of pictures."""
        return len(self.images)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Object coordinates (n, k, 2) in pixels."""
        bowed = points + self.bend[:, None] * points[..., ::-1] ** 2
        return bowed @ self.linear.transpose(0, 2, 1) + self.shift[:, None]

    def object_coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """Object coordinates x and y of every pixel centre, (n, size, size) float32; the bend is left out."""
        size = self.images.shape[1]
        row, column = np.mgrid[:size, :size].astype(np.float32) + np.float32(0.5)
        inverse = np.linalg.inv(self.linear).astype(np.float32)
        shift = self.shift.astype(np.float32)
        across = column - shift[:, 0, None, None]
        down = row - shift[:, 1, None, None]
        x = inverse[:, 0, 0, None, None] * across + inverse[:, 0, 1, None, None] * down
        y = inverse[:, 1, 0, None, None] * across + inverse[:, 1, 1, None, None] * down
        return x, y

    def fill(
        self,
        outline: np.ndarray,
        colour: np.ndarray,
        *,
        opacity: Any = 1.0,
        texture: np.ndarray | None = None,
        smooth: bool = True,
    ) -> None:
        """Fill a closed outline.

        Parameters
        ----------
        outline : array, (n, k, 2)
            Object coordinates.
        colour : array, (n,) or (n, channels)
        opacity : float or array, (n,)
            0 leaves a picture as it is.
        texture : array, (n, size, size), optional
            Multiplies the colour.
        smooth : bool
            Whether a curve runs through the points, or straight lines.
        """
        shape = self.pixels(outline)
        if smooth:
            shape = curve(shape)
        n, channels = self.n, self.images.shape[-1]
        ink = np.empty((n, channels), np.float32)
        ink[:] = colour if np.ndim(colour) == 2 else np.broadcast_to(colour, n)[:, None]
        cover = np.ascontiguousarray(np.broadcast_to(np.asarray(opacity, np.float32), n))
        if texture is None:
            texture = np.ones((n, 1, 1), np.float32)
        _fill(self.images, shape, ink, cover, np.ascontiguousarray(texture, np.float32))

    def line(self, path: np.ndarray, width: Any, colour: np.ndarray, *, opacity: Any = 1.0, **options: Any) -> None:
        """Draw a line of a width in object coordinates; ``path`` as ``outline`` of `fill`, but open."""
        self.fill(ribbon(path, width), colour, opacity=opacity, smooth=False, **options)


def outline(*points: tuple[Any, Any]) -> np.ndarray:
    """Points of every picture, (n, k, 2), from pairs of numbers or arrays (n,)."""
    coordinates = np.broadcast_arrays(*(value for point in points for value in point))
    stacked = np.stack(coordinates, axis=-1).astype(float)
    return np.atleast_2d(stacked).reshape(-1, len(points), 2)


def mirrored(half: np.ndarray) -> np.ndarray:
    """A closed outline that is its own mirror image, from its right half, top to bottom."""
    return np.concatenate([half, half[:, ::-1] * (-1.0, 1.0)], axis=1)


def ribbon(path: np.ndarray, width: Any) -> np.ndarray:
    """The outline of a line along a path (n, k, 2), with the width (n,) or one width for all."""
    along = np.gradient(path, axis=1)
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9
    half = 0.5 * np.broadcast_to(width, len(path))[:, None, None] * along[..., ::-1] * (-1.0, 1.0)
    return np.concatenate([path + half, (path - half)[:, ::-1]], axis=1)


def ellipse(x: Any, y: Any, a: Any, b: Any, *, tilt: Any = 0.0, points: int = 10) -> np.ndarray:
    """An ellipse about (x, y) with half axes a and b; each a number or an array (n,)."""
    x, y, a, b, tilt = (np.asarray(value, float)[..., None] for value in (x, y, a, b, tilt))
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    u, v = a * np.cos(angle), b * np.sin(angle)
    turned = (x + u * np.cos(tilt) - v * np.sin(tilt), y + u * np.sin(tilt) + v * np.cos(tilt))
    return np.atleast_3d(np.stack(np.broadcast_arrays(*turned), axis=-1)).reshape(-1, points, 2)


def curve(points: np.ndarray, pieces: int = CURVE) -> np.ndarray:
    """Points on the closed Catmull-Rom curve through (n, k, 2): (n, k * pieces, 2)."""
    t = np.arange(pieces)[:, None] / pieces
    weights = 0.5 * np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2])
    neighbours = np.stack([np.roll(points, shift, axis=1) for shift in (1, 0, -1, -2)])
    return np.einsum("pw,wnkc->nkpc", weights, neighbours).reshape(len(points), -1, 2)


def smooth_noise(random: np.random.Generator, n: int, size: int, knots: int) -> np.ndarray:
    """Random fields (n, size, size) float32 of mean 0 and deviation about 1, smooth between ``knots`` x ``knots``."""
    place = np.linspace(0, knots - 1, size)[:, None] - np.arange(knots)
    weights = np.exp(-0.5 * (place / 0.7) ** 2)
    weights[weights < 1e-9] = 0  # numbers too small for float32 would slow the products down
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    weights = weights.astype(np.float32)
    # two products of large matrices, which is faster than a product for every picture
    along = random.standard_normal((n * knots, knots), dtype=np.float32) @ weights.T
    across = along.reshape(n, knots, size).transpose(0, 2, 1).reshape(n * size, knots) @ weights.T
    return across.reshape(n, size, size).transpose(0, 2, 1)


def column(values: np.ndarray) -> np.ndarray:
    """A number for each picture, (n,), as (n, 1, 1) float32: it multiplies fields."""
    return values.astype(np.float32)[:, None, None]


def some(random: np.random.Generator, n: int, share: Any) -> np.ndarray:
    """1.0 for a share of ``n`` pictures, 0.0 for the others: an opacity."""
    return (random.random(n) < share).astype(float)


def chosen(random: np.random.Generator, n: int, shares: Sequence[float]) -> np.ndarray:
    """``n`` draws of 0, 1, ... with these shares."""
    return np.searchsorted(np.cumsum(shares)[:-1] / np.sum(shares), random.random(n), side="right")


@compiled(nogil=True)
def _fill(
    images: np.ndarray, outlines: np.ndarray, colours: np.ndarray, opacity: np.ndarray, texture: np.ndarray
) -> None:
    """Blend the colour into each pixel by the exact share of its area that the outline covers.

    An edge changes the covered area to its right. Each edge is cut where it crosses a row or a column; a piece of
    height h whose middle lies at the share s of its pixel adds h (1 - s) to that pixel and h to all further ones.
    """
    n, size, _, channels = images.shape
    change = np.empty((size, size + 2))
    corners = outlines.shape[1]
    wide = texture.shape[1] > 1
    for k in range(n):
        if opacity[k] <= 0:
            continue
        change[:] = 0.0
        first, last = size, 0
        for c in range(corners):
            x0, y0 = outlines[k, c, 0], outlines[k, c, 1]
            x1, y1 = outlines[k, (c + 1) % corners, 0], outlines[k, (c + 1) % corners, 1]
            if y0 == y1:
                continue
            sign = 1.0
            if y0 > y1:
                x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
            if y1 <= 0 or y0 >= size:
                continue
            slope = (x1 - x0) / (y1 - y0)
            if y0 < 0:
                x0, y0 = x0 - slope * y0, 0.0
            y1 = min(y1, float(size))
            first, last = min(first, int(y0)), max(last, min(int(y1), size - 1))
            y, x = y0, x0
            while y < y1:
                row = min(int(y), size - 1)
                bottom = min(row + 1.0, y1)
                while y < bottom:
                    # the column that the edge is about to cross, whatever rounding did to x on its border
                    column = int(np.floor(x + 1e-9)) if slope > 0 else int(np.ceil(x - 1e-9)) - 1
                    lower = bottom
                    if slope > 0:
                        lower = min(bottom, y + (column + 1 - x) / slope)
                    elif slope < 0:
                        lower = min(bottom, y + (column - x) / slope)
                    if lower <= y:
                        lower = bottom
                    height = lower - y
                    middle = x + 0.5 * slope * height - column
                    if column < 0:
                        change[row, 0] += sign * height
                    elif column < size:
                        change[row, column] += sign * height * (1 - middle)
                        change[row, column + 1] += sign * height * middle
                    x += slope * height
                    y = lower
        for i in range(first, last + 1):
            covered = 0.0
            for j in range(size):
                covered += change[i, j]
                share = min(abs(covered), 1.0) * opacity[k]
                if share > 1e-4:
                    factor = texture[k, i, j] if wide else texture[k, 0, 0]
                    for c in range(channels):
                        images[k, i, j, c] += share * (min(colours[k, c] * factor, 1.0) - images[k, i, j, c])
