"""Two classes in the plane whose border is no line: checkerboard, XOR, moons, circles, rings, spirals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._sample import Sample

# noise that is used if none is given: a share of the half width (checkerboard) or a standard deviation
PLANES = {"checkerboard": 0.0, "xor": 0.4, "moons": 0.15, "circles": 0.1, "rings": 0.25, "spirals": 0.25}
HALF_WIDTH, GAP = 5.0, 0.3  # of the checkerboard: no point is closer than 0.3 to an axis
SMALLEST_NOISE = 0.02  # of curves whose density is asked for

QUADRATURE = 800  # points on a curve
BLOCK = 8192  # events
LABEL, PLACE, NOISE = range(3)


@dataclass(frozen=True, repr=False)
class PlanePoints(Sample):
    """Points of two classes; the first axis of every array is the point.

    Attributes
    ----------
    x : array, (n, 2), float32
        Coordinates, without unit.
    label : array, (n,), uint8
        0 or 1.
    """

    units: ClassVar = {"x": "1", "label": ""}

    x: np.ndarray
    label: np.ndarray


def simulate(n: int, *, seed: Seed, kind: str = "checkerboard", noise: float | None = None) -> PlanePoints:
    """Points of two classes in the plane.

    Parameters
    ----------
    n : int
        Number of points.
    seed : int or numpy.random.Generator
    kind : str, default "checkerboard"
        "checkerboard": four squares, class 1 where x1 x2 > 0 (exercises 3.3 and 5.1); "xor": four Gaussians at
        (+-1, +-1), class 1 where the signs differ; "moons": two half circles that interlock; "circles": radius 1 and
        0.5 (class 1); "rings": radius 1, 2 (class 1) and 3; "spirals": two arms of 1.75 turns to radius 5.
    noise : float, optional
        Checkerboard: a share of the half width 5, in [0, 1]; the label is that of a point moved by up to this much
        in either direction, which is what the slider of the TensorFlow playground does (50 % = 0.5). Else: standard
        deviation of a Gaussian shift of the point. Default: 0 (checkerboard), 0.4, 0.15, 0.1, 0.25, 0.25.

    Returns
    -------
    PlanePoints

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The classes are equally likely. Moons and circles lie on the curves of scikit-learn's ``make_moons`` and
    ``make_circles(factor=0.5)``, at independent random places instead of equal steps, so that the density, and with it
    the best possible classifier, is known: `optimal_probability`. Checkerboard and spirals are those of the
    TensorFlow playground (D. Smilkov et al., arXiv:1708.03788), with Gaussian noise on the spirals. One seed gives the
    same bits for any number of threads, and the first points do not depend on ``n``.

    Examples
    --------
    >>> points = simulate(1000, seed=1)
    >>> bool(((points.x[:, 0] * points.x[:, 1] > 0) == points.label).all())
    True
    """
    n = check_count(n=n)
    noise = _check_noise(kind, noise)
    stream = Streams.of(seed)
    points = PlanePoints(np.empty((n, 2), np.float32), np.empty(n, np.uint8))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        place = stream(PLACE, block).random((BLOCK, 2))[:m]
        if kind == "checkerboard":
            x = 2.0 * HALF_WIDTH * place - HALF_WIDTH
            x += np.where(x > 0, GAP, -GAP)
            shift = HALF_WIDTH * (2.0 * stream(NOISE, block).random((BLOCK, 2))[:m] - 1.0)
            label = (x + noise * shift).prod(1) > 0
        else:
            label = stream(LABEL, block).random(BLOCK)[:m] < 0.5
            x = np.where(label[:, None], _curve(kind, 1, *place.T), _curve(kind, 0, *place.T))
            x += noise * stream(NOISE, block).standard_normal((BLOCK, 2))[:m]
        points.x[events], points.label[events] = x, label

    fill_blocks(fill, n, block=BLOCK, title=kind)
    return points


def optimal_probability(x: ArrayLike, *, kind: str = "checkerboard", noise: float | None = None) -> np.ndarray:
    """Probability of class 1 at a point, exactly: the best that a classifier can say.

    Parameters
    ----------
    x : array, (n, 2)
    kind, noise
        As in `simulate`; the noise of a curve at least 0.02.

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Checkerboard: with p_i the probability that coordinate i stays positive, p1 p2 + (1 - p1) (1 - p2). Curves: the
    Gaussian is integrated along either curve at 800 points.

    Examples
    --------
    >>> optimal_probability([[1.0, 5.0], [0.5, 5.0]], kind="checkerboard", noise=0.5).round(2)
    array([0.7, 0.6])
    """
    x = check_array(shape=(None, 2), x=x)
    noise = _check_noise(kind, noise)
    if kind == "checkerboard":
        tilt = _tilt(x, noise)
        return 0.5 + 0.5 * tilt[:, 0] * tilt[:, 1]
    noise = check_number(minimum=SMALLEST_NOISE, noise=noise)
    answer = np.empty(len(x))
    for start in range(0, len(x), 1024):
        part = x[start : start + 1024]
        logarithms = [_log_density(part, kind, label, noise) for label in (0, 1)]
        answer[start : start + 1024] = expit(logarithms[1] - logarithms[0])
    return answer


def optimal_accuracy(*, kind: str = "checkerboard", noise: float | None = None) -> float:
    """The accuracy of the best possible classifier: a limit.

    Checkerboard: 1/2 + t^2 / 2 in closed form, with t the mean of abs(2 p_i - 1) over a coordinate. Others: the
    larger of both densities, integrated on a grid with an error below 0.0005.

    Parameters
    ----------
    kind, noise
        As in `optimal_probability`.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> round(optimal_accuracy(kind="checkerboard", noise=0.5), 4), round(optimal_accuracy(kind="moons"), 3)
    (0.8251, 0.991)
    """
    noise = _check_noise(kind, noise)
    if kind == "checkerboard":
        if noise == 0.0:
            return 1.0
        reach = noise * HALF_WIDTH  # abs(2 p - 1) = abs(x) / reach below it, abs(x) uniform in [0.3, 5.3]
        end = min(max(reach, GAP), HALF_WIDTH + GAP)
        mean = ((end**2 - GAP**2) / (2.0 * reach) + HALF_WIDTH + GAP - end) / HALF_WIDTH
        return 0.5 + 0.5 * mean**2
    noise = check_number(minimum=SMALLEST_NOISE, noise=noise)
    curves = [_quadrature(kind, label) for label in (0, 1)]
    nodes = np.concatenate([points for points, _ in curves])
    axes = []
    for c in range(2):
        low, high = nodes[:, c].min() - 6 * noise, nodes[:, c].max() + 6 * noise
        axes.append(np.linspace(low, high, int(np.ceil((high - low) / (noise / 4))) + 1))
    densities = []
    for points, weights in curves:  # a Gaussian is a product: the sum over the curve is a product of two matrices
        factors = [np.exp(-0.5 * ((axes[c][:, None] - points[:, c]) / noise) ** 2) for c in range(2)]
        densities.append((factors[0] * weights) @ factors[1].T / (2 * np.pi * noise**2))
    area = np.diff(axes[0])[0] * np.diff(axes[1])[0]
    return float(0.5 * np.maximum(*densities).sum() * area)


def _check_noise(kind: str, noise: float | None) -> float:
    check_choice(choices=tuple(PLANES), kind=kind)
    if noise is None:
        return PLANES[kind]
    return check_number(minimum=0.0, maximum=1.0 if kind == "checkerboard" else np.inf, noise=noise)


def _tilt(x: np.ndarray, noise: float) -> np.ndarray:
    """2 p - 1 for the probability p that a coordinate stays positive when the label is made."""
    if noise == 0.0:
        return np.sign(x)
    return np.clip(x / (noise * HALF_WIDTH), -1.0, 1.0)


def _curve(kind: str, label: int, s: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Points (n, 2) of a class without noise, at places s on its curve; ``choice`` picks among several curves."""
    if kind == "xor":
        first = np.where(s < 0.5, -1.0, 1.0)
        return np.stack([first, -first if label else first], axis=-1)
    if kind == "moons":
        x, y = np.cos(np.pi * s), np.sin(np.pi * s)
        return np.stack([1.0 - x, 0.5 - y] if label else [x, y], axis=-1)
    if kind == "spirals":
        angle = 2.0 * np.pi * (1.75 * s + 0.5 * label)
        return 5.0 * s[..., None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    if kind == "circles":
        radius = np.full_like(s, 0.5 if label else 1.0)
    else:  # rings: those of class 0 by their length, so that all rings are equally dense
        radius = np.full_like(s, 2.0) if label else np.where(choice < 0.25, 1.0, 3.0)
    return radius[..., None] * np.stack([np.cos(2.0 * np.pi * s), np.sin(2.0 * np.pi * s)], axis=-1)


def _quadrature(kind: str, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (k, 2) on the curves of a class, and their weights, which add up to 1."""
    s = (np.arange(QUADRATURE) + 0.5) / QUADRATURE
    if kind == "rings" and not label:
        points = np.concatenate([_curve(kind, label, s, np.full_like(s, choice)) for choice in (0.0, 1.0)])
        weights = np.repeat([0.25, 0.75], QUADRATURE) / QUADRATURE
        return points, weights
    return _curve(kind, label, s, np.zeros_like(s)), np.full(QUADRATURE, 1.0 / QUADRATURE)


def _log_density(x: np.ndarray, kind: str, label: int, noise: float) -> np.ndarray:
    """Logarithm of the density of a class, up to a constant; safe far away from the curve."""
    points, weights = _quadrature(kind, label)
    squares = ((x[:, None] - points) ** 2).sum(-1) / (2.0 * noise**2)
    least = squares.min(1)
    return np.log(np.exp(least[:, None] - squares) @ weights) - least
