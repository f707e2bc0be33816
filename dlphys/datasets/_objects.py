"""Stand-in for CIFAR-10: ten kinds of object in colour, drawn from outlines before a scene.

Each picture has its own view, pose, size, colours, light, ground and clutter; something may stand in front, and part
of the object may lie outside. The four beasts are one drawing with other odds (neck, ears, tail, antlers, legs, coat),
as are car and lorry seen from the front. These odds overlap, and so do the scenes: the sky says aeroplane, ship or
bird, not which.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlphys._numba import compiled
from dlphys.datasets._objects_animals import CAT, DEER, DOG, HORSE, beast, bird, frog
from dlphys.datasets._objects_paint import EVERY, SIZE, STRAY, Colour, paint_of
from dlphys.datasets._objects_vehicles import aeroplane, road_vehicle, ship
from dlphys.datasets._render import Canvas, chosen, column, drawn_set, ellipse, outline, smooth_noise

TRAIN, TEST = 50_000, 10_000
SEED = 20090408

# Spread of what all pictures share, found by trial: a linear classifier, a small network and a small convolutional
# network are to be about as good as on the real set.
TURN = 0.12  # rad, standard deviation
SHIFT = 2.4  # pixels, standard deviation
STRETCH = 0.2  # standard deviation of the logarithm of the size
CLUTTER = 6  # things in the background, at most
HIDDEN = 0.4  # share of objects behind something
NOISE = 0.025  # of a pixel

# a scene: colours above and below the horizon, where that lies (0 top, 1 bottom), roughness of both
SCENES: dict[str, tuple[Colour, Colour, float, float, float]] = {
    "sky": ((0.5, 0.66, 0.88), (0.72, 0.82, 0.92), 0.6, 0.04, 0.04),
    "overcast": ((0.8, 0.82, 0.85), (0.88, 0.89, 0.9), 0.6, 0.04, 0.04),
    "airfield": ((0.62, 0.74, 0.88), (0.5, 0.51, 0.47), 0.7, 0.04, 0.1),
    "sea": ((0.66, 0.77, 0.88), (0.27, 0.42, 0.55), 0.6, 0.04, 0.14),
    "road": ((0.58, 0.62, 0.6), (0.45, 0.45, 0.46), 0.6, 0.2, 0.07),
    "street": ((0.5, 0.45, 0.4), (0.55, 0.53, 0.5), 0.6, 0.25, 0.08),
    "meadow": ((0.55, 0.66, 0.62), (0.4, 0.52, 0.25), 0.45, 0.15, 0.16),
    "wood": ((0.27, 0.34, 0.2), (0.42, 0.4, 0.24), 0.6, 0.28, 0.2),
    "leaves": ((0.33, 0.45, 0.23), (0.36, 0.44, 0.22), 0.5, 0.25, 0.25),
    "soil": ((0.5, 0.43, 0.33), (0.47, 0.39, 0.29), 0.4, 0.2, 0.22),
    "room": ((0.66, 0.6, 0.52), (0.56, 0.45, 0.35), 0.6, 0.1, 0.12),
    "sofa": ((0.44, 0.39, 0.34), (0.6, 0.51, 0.44), 0.5, 0.14, 0.16),
    "studio": ((0.92, 0.92, 0.92), (0.9, 0.9, 0.9), 0.6, 0.02, 0.02),
}


def make_stand_in(n_train: int = TRAIN, n_test: int = TEST) -> dict[str, np.ndarray]:
    """Images and labels in the layout of cifar10.npz.

    Returns
    -------
    dict
        "x_train" (50000, 32, 32, 3) uint8, "y_train" (50000,) uint8, "x_test", "y_test" with 10000. Every class has the
        same number of images, as in the real set.
    """
    return drawn_set(draw, (SIZE, SIZE, 3), {"train": n_train, "test": n_test}, SEED, "objects")


def draw(kind: int, n: int, random: np.random.Generator) -> np.ndarray:
    """``n`` pictures of one class, (n, 32, 32, 3) uint8."""
    drawing, scenes = _DRAWINGS[kind]
    canvas = _canvas(n, random)
    _scene(canvas, random, scenes)
    _clutter(canvas, random)
    drawing(canvas, random)
    _foreground(canvas, random)
    return _developed(canvas.images, random)


def _canvas(n: int, random: np.random.Generator) -> Canvas:
    """Pictures, each with a pose; half of them look the other way."""
    turn = random.normal(0, TURN, n)
    size = 15.0 * np.exp(random.normal(0, STRETCH, n))
    aspect = np.exp(random.normal(0, 0.1, n))
    flip = np.where(random.random(n) < 0.5, -1.0, 1.0)
    cosine, sine = np.cos(turn), np.sin(turn)
    linear = np.empty((n, 2, 2))
    linear[:, 0, 0], linear[:, 0, 1] = size * aspect * flip * cosine, -size * sine
    linear[:, 1, 0], linear[:, 1, 1] = size * aspect * flip * sine, size * cosine
    images = np.zeros((n, SIZE, SIZE, 3), np.float32)
    return Canvas(images, linear, SIZE / 2 + random.normal(0, SHIFT, (n, 2)), random.normal(0, 0.06, (n, 2)))


def _scene(canvas: Canvas, random: np.random.Generator, shares: dict[str, float]) -> None:
    n = canvas.n
    names = tuple(SCENES)
    odds = np.array([shares.get(name, 0.0) for name in names])
    odds = (1 - STRAY) * odds / odds.sum() + STRAY / len(names)
    picked = chosen(random, n, odds)
    upper, lower, level, rough_up, rough_down = (
        np.array([SCENES[name][i] for name in names])[picked] for i in range(5)
    )
    upper, lower = (
        colour + random.normal(0, 0.045, (n, 3)) + random.normal(0, 0.12, (n, 1)) for colour in (upper, lower)
    )
    horizon = (level + random.normal(0, 0.15, n)) * SIZE
    slant = random.normal(0, 0.06, n)
    down, right = np.mgrid[:SIZE, :SIZE].astype(np.float32) + np.float32(0.5)
    distance = down - column(horizon) - column(slant) * (right - SIZE / 2)
    below = 1 / (1 + np.exp(np.clip(-distance / column(random.uniform(0.2, 3.0, n)), -30, 30)))
    coarse, fine = smooth_noise(random, n, SIZE, 5), smooth_noise(random, n, SIZE, 16)
    rough = column(rough_up) + below * column(rough_down - rough_up)
    factor = 1 + rough * (coarse + np.float32(0.6) * fine) * column(random.uniform(0.5, 1.5, n))
    for i in range(3):
        canvas.images[..., i] = (column(upper[:, i]) + below * column(lower[:, i] - upper[:, i])) * factor


def _clutter(canvas: Canvas, random: np.random.Generator) -> None:
    """Trunks, houses, furniture, shadows: smooth blobs and boxes of any colour behind the object."""
    n = canvas.n
    many = random.integers(0, CLUTTER + 1, n)
    for i in range(CLUTTER):
        x, y = random.uniform(-1.3, 1.3, n), random.uniform(-1.2, 1.2, n)
        a, b = random.uniform(0.08, 0.7, n), random.uniform(0.08, 0.7, n)
        box = random.random(n) < 0.4
        square = outline((x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b))
        blob = ellipse(x, y, a, b, tilt=random.uniform(0, 3, n))
        blob = blob + random.normal(0, 0.05, blob.shape)
        ink = paint_of(random, n, EVERY)
        opacity = (many > i) * random.uniform(0.15, 0.75, n)
        canvas.fill(square, ink, opacity=opacity * box, smooth=False)
        canvas.fill(blob, ink, opacity=opacity * ~box)


def _foreground(canvas: Canvas, random: np.random.Generator) -> None:
    """Grass, posts and people's arms before the object."""
    n = canvas.n
    hidden = (random.random(n) < HIDDEN) * random.uniform(0.6, 1.0, n)
    side = np.where(random.random(n) < 0.5, -1.0, 1.0)
    reach = random.uniform(0.35, 1.0, n)
    edge = outline(
        (side * reach, random.normal(-1.5, 0.3, n)),
        (side * 2.5, -2 + 0 * side),
        (side * 2.5, 2 + 0 * side),
        (side * reach, random.normal(1.5, 0.3, n)),
    )
    post = outline(
        (side * reach - 0.1, -2.0), (side * reach + 0.1, -2.0), (side * reach + 0.1, 2.0), (side * reach - 0.1, 2.0)
    )
    low = outline((-2.5, 1.3 - reach), (0.0, 1.35 - reach), (2.5, 1.3 - reach), (2.5, 2.5), (-2.5, 2.5))
    which = chosen(random, n, (0.3, 0.3, 0.4))
    ink = paint_of(random, n, EVERY)
    for i, shape in enumerate((edge, post, low)):
        canvas.fill(shape, ink, opacity=hidden * (which == i), smooth=False)


def _developed(pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Bytes, with a camera's exposure, contrast, white balance, blur and noise."""
    n = len(pictures)
    blur = random.uniform(0, 1, n)
    contrast = np.exp(random.normal(0, 0.18, n))
    bright = random.normal(0, 0.08, (n, 1)) + random.normal(0, 0.02, (n, 3))
    noise = NOISE * random.uniform(0.2, 1.6, n)
    exposed = np.empty(pictures.shape, np.uint8)
    _expose(pictures, blur, contrast, bright, noise, random, exposed)
    return exposed


@compiled(nogil=True)
def _expose(
    pictures: np.ndarray,
    blur: np.ndarray,
    contrast: np.ndarray,
    bright: np.ndarray,
    noise: np.ndarray,
    random: np.random.Generator,
    exposed: np.ndarray,
) -> None:
    """Each pixel takes the share ``blur`` of the weighted mean (1, 2, 1) x (1, 2, 1) / 16 around it."""
    n, size, _, channels = pictures.shape
    for k in range(n):
        for i in range(size):
            above, below = max(i - 1, 0), min(i + 1, size - 1)
            for j in range(size):
                left, right = max(j - 1, 0), min(j + 1, size - 1)
                for c in range(channels):
                    p = pictures[k, :, :, c]
                    sides = p[above, j] + p[below, j] + p[i, left] + p[i, right]
                    corners = p[above, left] + p[above, right] + p[below, left] + p[below, right]
                    mean = (4.0 * p[i, j] + 2.0 * sides + corners) / 16.0
                    value = p[i, j] + blur[k] * (mean - p[i, j])
                    value = 0.5 + contrast[k] * (value - 0.5) + bright[k, c] + noise[k] * random.standard_normal()
                    exposed[k, i, j, c] = np.uint8(255.0 * min(max(value, 0.0), 1.0) + 0.5)


Drawing = Callable[[Canvas, np.random.Generator], None]
_DRAWINGS: tuple[tuple[Drawing, dict[str, float]], ...] = (
    (aeroplane, {"sky": 5, "overcast": 2, "airfield": 3}),
    (road_vehicle(truck=False), {"road": 4, "street": 3, "meadow": 1, "studio": 2}),
    (bird, {"sky": 2, "overcast": 1, "leaves": 3, "wood": 2, "meadow": 2, "sea": 1, "soil": 1}),
    (beast(CAT), {"room": 4, "sofa": 4, "meadow": 1, "studio": 1}),
    (beast(DEER), {"meadow": 4, "wood": 5, "soil": 1}),
    (beast(DOG), {"room": 3, "sofa": 2, "meadow": 3, "soil": 1, "studio": 1}),
    (frog, {"soil": 3, "leaves": 4, "wood": 1, "studio": 1}),
    (beast(HORSE), {"meadow": 5, "soil": 2, "wood": 1, "street": 1}),
    (ship, {"sea": 8, "sky": 1, "overcast": 1}),
    (road_vehicle(truck=True), {"road": 5, "street": 3, "meadow": 1, "sky": 1}),
)
