"""Stand-in for MNIST: scikit-learn's 1797 real digits of 8 x 8 pixels, enlarged to 28 x 28 and deformed.

Each original serves many images. Every image has its own small rotation, shear, size, shift, smooth (elastic)
deformation and pen width. Originals of training and test images are different, and training images are ordered by
original, so that a validation part cut off at the end has originals of its own too.
"""

from __future__ import annotations

import numpy as np
from tqdm.auto import tqdm

from dlphys._numba import compiled

TRAIN, TEST = 60_000, 10_000
TRAIN_ORIGINALS = 1200  # of 1797: 50 images each; 597 are left for the test

# Spread of the deformations, found by trial: a linear classifier and a small convolutional network are to be about as
# good as on the real set.
ROTATION = 0.1  # rad, uniform to both sides
SHEAR = 0.1  # standard deviation
SCALE = 0.06  # standard deviation of the logarithm, each axis
SHIFT = 0.8  # pixels, uniform to both sides
ELASTIC = 0.55  # pixels, standard deviation of the displacement along each axis
PEN = (0.33, 0.58)  # grey level of the original that becomes the edge of the line: high means a thin pen
SHARPNESS = 3.5  # of that edge

ENLARGED = 32  # pixels across an enlarged original; BOX of the 28 pixels of an image show it
BOX = 21.0
BORDER = 2
KNOTS = 4
PIECE = 5000


def make_stand_in(n_train: int = TRAIN, n_test: int = TEST) -> dict[str, np.ndarray]:
    """Images and labels in the layout of mnist.npz.

    Returns
    -------
    dict
        "x_train" (60000, 28, 28) uint8, "y_train" (60000,) uint8, "x_test", "y_test" with 10000,
        "original_train", "original_test": which of the 1797 digits an image was made from.
    """
    from scipy import ndimage  # with scikit-learn 2 s, needed only to make the set
    from sklearn.datasets import load_digits

    digits = load_digits()
    enlarged = ndimage.zoom(
        digits.images / 16.0, (1, ENLARGED / 8, ENLARGED / 8), order=3, mode="grid-constant", grid_mode=True
    )
    enlarged = np.pad(enlarged, ((0, 0), (BORDER, BORDER), (BORDER, BORDER))).astype(np.float32)
    random = np.random.default_rng(19980728)
    order = random.permutation(len(enlarged))
    made = {}
    for part, n, originals in (("train", n_train, order[:TRAIN_ORIGINALS]), ("test", n_test, order[TRAIN_ORIGINALS:])):
        original = originals[np.arange(n) * len(originals) // n]
        made[f"x_{part}"] = _deform(enlarged, original, random)
        made[f"y_{part}"] = digits.target[original].astype(np.uint8)
        made[f"original_{part}"] = original.astype(np.int16)
    return made


def _deform(enlarged: np.ndarray, original: np.ndarray, random: np.random.Generator) -> np.ndarray:
    n = len(original)
    angle = random.uniform(-ROTATION, ROTATION, n)
    shear = random.normal(0.0, SHEAR, n)
    size = np.exp(random.normal(0.0, SCALE, (2, n))) * ENLARGED / BOX
    cosine, sine = np.cos(angle), np.sin(angle)
    # rows: from the column and the row of a pixel to those of the enlarged original
    linear = np.empty((n, 2, 2))
    linear[:, 0, 0], linear[:, 0, 1] = size[0] * cosine, size[0] * (shear * cosine - sine)
    linear[:, 1, 0], linear[:, 1, 1] = size[1] * sine, size[1] * (shear * sine + cosine)
    shift = random.uniform(-SHIFT, SHIFT, (n, 2))
    knots = random.normal(0.0, ELASTIC, (n, 2, KNOTS, KNOTS))
    edge = random.uniform(*PEN, n)
    # smooth interpolation between the knots along one axis
    place = np.linspace(0.0, KNOTS - 1.0, 28)[:, None] - np.arange(KNOTS)
    weights = np.exp(-0.5 * (place / 0.7) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    images = np.empty((n, 28, 28), np.uint8)
    # in pieces, so that the bar moves and an interrupt is heard; delay: nothing is shown for less than 2 s
    for start in tqdm(range(0, n, PIECE), desc="digits", delay=2, leave=False):
        rows = slice(start, start + PIECE)
        _draw(enlarged, original[rows], linear[rows], shift[rows], knots[rows], weights, edge[rows], images[rows])
    return images


@compiled(nogil=True)
def _draw(enlarged, original, linear, shift, knots, weights, edge, images):  # type: ignore[no-untyped-def]
    centre = 0.5 * (ENLARGED - 1) + BORDER
    last = ENLARGED + 2 * BORDER - 1.001
    along = np.empty((2, 28, KNOTS))
    for k in range(len(images)):
        source = enlarged[original[k]]
        for c in range(2):
            for i in range(28):
                for b in range(KNOTS):
                    total = 0.0
                    for a in range(KNOTS):
                        total += weights[i, a] * knots[k, c, a, b]
                    along[c, i, b] = total
        for i in range(28):
            for j in range(28):
                x = j - 13.5 + shift[k, 0]
                y = i - 13.5 + shift[k, 1]
                for b in range(KNOTS):
                    x += along[0, i, b] * weights[j, b]
                    y += along[1, i, b] * weights[j, b]
                u = min(max(linear[k, 0, 0] * x + linear[k, 0, 1] * y + centre, 0.0), last)
                v = min(max(linear[k, 1, 0] * x + linear[k, 1, 1] * y + centre, 0.0), last)
                column, row = int(u), int(v)
                s, t = u - column, v - row
                upper = source[row, column] * (1.0 - s) + source[row, column + 1] * s
                lower = source[row + 1, column] * (1.0 - s) + source[row + 1, column + 1] * s
                grey = (upper * (1.0 - t) + lower * t - edge[k]) * SHARPNESS + 0.35
                images[k, i, j] = np.uint8(255.0 * min(max(grey, 0.0), 1.0) + 0.5)
