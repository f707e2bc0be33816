"""Brightness, folds and patterns of garments, for `dlphys.datasets._garments`."""

from __future__ import annotations

import numpy as np

from dlphys.datasets._render import Canvas, chosen, smooth_noise

SIZE = 28

# found by trial, as the spreads in `dlphys.datasets._garments`
GRAIN = 0.035  # of the cloth, relative brightness
FOLDS = 0.13  # relative brightness


def tone_of(random: np.random.Generator, n: int) -> np.ndarray:
    """Brightness in the picture: white garments are faint, since the pictures are inverted."""
    return np.clip(np.where(random.random(n) < 0.3, random.uniform(0.2, 0.5, n), random.uniform(0.45, 1.0, n)), 0, 1)


def light(canvas: Canvas, random: np.random.Generator) -> np.ndarray:
    """Folds, grain and a light from one side: factors (n, 28, 28) about 1."""
    n = canvas.n
    folds = smooth_noise(random, n, SIZE, 7) * random.uniform(0.3, 1.5, n)[:, None, None] * FOLDS
    grain = random.standard_normal((n, SIZE, SIZE), dtype=np.float32)
    grain += np.roll(grain, 1, axis=1) + np.roll(grain, 1, axis=2)
    grain *= (GRAIN * random.uniform(0.2, 1.7, n) ** 2)[:, None, None]
    x, y = canvas.object_coordinates()
    slope = random.normal(0, 0.1, (2, n))[..., None, None]
    return np.clip(1 + folds + grain + slope[0] * x + slope[1] * y - 0.1 * x**2, 0.15, 1.9)


def pattern_of(canvas: Canvas, random: np.random.Generator, share: float) -> np.ndarray:
    """Stripes, checks and prints on a share of the garments, as factors (n, 28, 28); 1 on plain cloth."""
    n = canvas.n
    x, y = canvas.object_coordinates()
    period = random.uniform(0.16, 0.5, n)[:, None, None]
    phase = random.uniform(0, 2 * np.pi, n)[:, None, None]
    depth = random.uniform(0.12, 0.5, n)[:, None, None]
    kind = chosen(random, n, (1 - share, 0.35 * share, 0.2 * share, 0.2 * share, 0.25 * share))[:, None, None]
    lying, standing = np.sin(2 * np.pi * y / period + phase), np.sin(2 * np.pi * x / period + phase)
    print_ = 0.7 * smooth_noise(random, n, SIZE, 12)
    wave = np.select([kind == 1, kind == 2, kind == 3, kind == 4], [lying, standing, 0.7 * (lying + standing), print_])
    return np.where(kind == 0, 1.0, 1 - depth * (0.5 + np.clip(1.5 * wave, -1, 1)))
