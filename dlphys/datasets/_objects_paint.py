"""Colours and surfaces of objects, for `dlphys.datasets._objects`."""

from __future__ import annotations

import numpy as np

from dlphys.datasets._render import Canvas, column, smooth_noise

SIZE = 32
TINT = 0.13  # standard deviation of each colour about the one of its kind
STRAY = 0.15  # share of objects with a colour, and of scenes, of any kind

Colour = tuple[float, float, float]
WHITE, GREY, BLACK = (0.88, 0.88, 0.87), (0.5, 0.5, 0.52), (0.12, 0.12, 0.13)
RED, BLUE, GREEN, YELLOW = (0.7, 0.14, 0.12), (0.16, 0.27, 0.6), (0.25, 0.42, 0.2), (0.85, 0.7, 0.2)
TAN, BROWN, DARK_BROWN, CREAM = (0.68, 0.52, 0.34), (0.45, 0.3, 0.18), (0.25, 0.17, 0.11), (0.85, 0.77, 0.63)
GINGER, OLIVE = (0.72, 0.42, 0.18), (0.45, 0.43, 0.22)
EVERY = (WHITE, GREY, BLACK, RED, BLUE, GREEN, YELLOW, TAN, BROWN, DARK_BROWN, CREAM, GINGER, OLIVE)


def paint_of(random: np.random.Generator, n: int, kinds: tuple[Colour, ...]) -> np.ndarray:
    """Colours (n, 3) around one of a few, now and then around any."""
    own = np.array(kinds)[random.integers(0, len(kinds), n)]
    stray = np.array(EVERY)[random.integers(0, len(EVERY), n)]
    picked = np.where((random.random(n) < STRAY)[:, None], stray, own)
    shade = random.normal(0, TINT, (n, 1)) + random.normal(0, 0.3 * TINT, (n, 3))
    return np.clip(picked + shade, 0.02, 0.98)


def hide_of(canvas: Canvas, random: np.random.Generator, spotted: float) -> np.ndarray:
    """Light from above and patches of fur or paint: factors (n, 32, 32)."""
    n = canvas.n
    x, y = canvas.object_coordinates()
    slope, side = column(random.normal(0.22, 0.18, n)), column(random.normal(0, 0.15, n))
    patches = smooth_noise(random, n, SIZE, 8) > column(random.uniform(-0.5, 1.0, n))
    depth = column((random.random(n) < spotted) * random.uniform(0.2, 0.7, n))
    fur = smooth_noise(random, n, SIZE, 16) * column(random.uniform(0.02, 0.12, n))
    return np.clip(1 - slope * y + side * x - depth * patches + fur, 0.1, 1.7)
