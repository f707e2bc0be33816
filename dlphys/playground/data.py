"""Points in the plane with a label or a target, and the features that a network may see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlphys._random import generator
from dlphys._validation import check_array, shown
from dlphys.playground.settings import Settings, _names
from dlphys.simulators import toys

__all__ = ["Points", "features", "points"]

RADIUS = 5.0  # of the circle
SQUARE = 6.0  # half the side of the square of the regressions, and of the pictures
HILLS = ((-4.0, 2.5, 1), (0.0, 2.5, -1), (4.0, 2.5, 1), (-4.0, -2.5, -1), (0.0, -2.5, 1), (4.0, -2.5, -1))


@dataclass(frozen=True, repr=False)
class Points:
    """Training and test points.

    Attributes
    ----------
    x_train, x_test : array, (n, 2), float64
        Coordinates, without unit, about -6 to 6.
    y_train, y_test : array, (n,), float64
        Labels -1 and 1 (classification) or targets (regression).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def __repr__(self) -> str:
        return f"Points({len(self.x_train)} for training, {len(self.x_test)} for the test)"


def points(settings: Settings) -> Points:
    """The points of some settings.

    Parameters
    ----------
    settings : Settings
        Its ``problem``, ``dataset``, ``noise``, ``points``, ``test_share`` and ``seed`` are used.

    Returns
    -------
    Points

    Raises
    ------
    TypeError
        If ``settings`` is something else.

    Notes
    -----
    The sets of the TensorFlow playground (D. Smilkov et al., arXiv:1708.03788). With noise s:

    - checkerboard (four squares of side 5, class 1 where x1 x2 > 0) and circle (class 1 within 2.5, class -1 from 3.5
      to 5): the label is that of a point moved by up to 5 s along each axis;
    - gauss: two clusters at (2, 2) and (-2, -2) with variance 0.5 + 7 s;
    - spiral: two arms of 1.75 turns, each point moved by a Gaussian of standard deviation s;
    - regression, plane: (x1 + x2) / 10, clipped to [-1, 1]; gauss: six hills and hollows of radius 2; the target is
      that of a point moved by up to 6 s along each axis.

    Examples
    --------
    >>> sample = points(Settings(points=200))
    >>> sample
    Points(100 for training, 100 for the test)
    >>> bool((np.sign(sample.x_test.prod(axis=1)) == sample.y_test).all())
    True
    """
    check_settings(settings)
    random = generator(settings.seed)
    n, noise = settings.points, settings.noise
    if settings.problem == "regression":
        x = random.uniform(-SQUARE, SQUARE, (n, 2))
        moved = x + noise * random.uniform(-SQUARE, SQUARE, (n, 2))
        y = _plane(moved) if settings.dataset == "plane" else _hills(moved)
    elif settings.dataset == "checkerboard":
        sample = toys.simulate(n, seed=random, kind="checkerboard", noise=noise)
        x, y = sample.x.astype(float), np.where(sample.label, 1.0, -1.0)
    elif settings.dataset == "spiral":
        sample = toys.simulate(n, seed=random, kind="spirals", noise=noise)
        x, y = sample.x.astype(float), np.where(sample.label, 1.0, -1.0)
    elif settings.dataset == "circle":
        inner = random.random(n) < 0.5
        radius = np.where(inner, random.uniform(0.0, 0.5, n), random.uniform(0.7, 1.0, n)) * RADIUS
        angle = random.uniform(0.0, 2.0 * np.pi, n)
        x = radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
        moved = x + noise * random.uniform(-RADIUS, RADIUS, (n, 2))
        y = np.where(np.hypot(*moved.T) < 0.5 * RADIUS, 1.0, -1.0)
    else:
        y = np.where(random.random(n) < 0.5, 1.0, -1.0)
        x = 2.0 * y[:, None] + np.sqrt(0.5 + 7.0 * noise) * random.standard_normal((n, 2))
    k = settings.n_train
    return Points(x[:k], y[:k], x[k:], y[k:])


def _plane(x: np.ndarray) -> np.ndarray:
    return np.clip(x.sum(1) / 10.0, -1.0, 1.0)


def _hills(x: np.ndarray) -> np.ndarray:
    """The hill or hollow that is strongest at each point; each falls linearly to zero over a distance of 2."""
    distance = np.stack([np.hypot(x[:, 0] - a, x[:, 1] - b) for a, b, _ in HILLS], axis=1)
    height = np.clip(1.0 - distance / 2.0, 0.0, 1.0) * [sign for _, _, sign in HILLS]
    return height[np.arange(len(x)), np.abs(height).argmax(1)]


def features(x: ArrayLike, names: Sequence[str]) -> np.ndarray:
    """What the network sees of points: one column a feature.

    Parameters
    ----------
    x : array, (n, 2)
    names : sequence of str
        Of "x1", "x2", "x1^2", "x2^2", "x1*x2", "sin x1", "sin x2".

    Returns
    -------
    array, (n, number of names), float64

    Raises
    ------
    ValueError, TypeError
        If ``x`` has another shape, or a name is unknown or comes twice.

    Examples
    --------
    >>> features([[2.0, -3.0]], ["x1", "x1*x2", "x2^2"])
    array([[ 2., -6.,  9.]])
    """
    x = check_array(shape=(None, 2), x=x)
    a, b = x.T
    columns = {"x1": a, "x2": b, "x1^2": a * a, "x2^2": b * b, "x1*x2": a * b, "sin x1": np.sin(a), "sin x2": np.sin(b)}
    return np.column_stack([columns[name] for name in _names(names)])


def check_settings(settings: Settings) -> Settings:
    """The settings, or an error that says what they must be."""
    if not isinstance(settings, Settings):
        raise TypeError(f"settings must be playground.Settings(...), got {shown(settings)} ({type(settings).__name__})")
    return settings
