"""Points along a curve with noise: the interpolation of chapters 2, 4 and 5, and functions to compare models on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count, check_number
from dlphys.simulators._sample import Sample

RANGES = {"book": (-10.0, 10.0), "runge": (-1.0, 1.0), "sine": (0.0, 2.0 * np.pi), "step": (-1.0, 1.0)}

BLOCK = 8192  # events
PLACE, NOISE = range(2)


@dataclass(frozen=True, repr=False)
class CurvePoints(Sample):
    """Noisy points of a curve; the first axis of every array is the point.

    Attributes
    ----------
    x, y : array, (n,), float32
        Without unit.
    truth : array, (n,), float32
        The curve without noise at x.
    """

    units: ClassVar = {"x": "1", "y": "1", "truth": "1"}

    x: np.ndarray
    y: np.ndarray
    truth: np.ndarray


def curve(x: ArrayLike, *, kind: str = "book") -> np.ndarray:
    """A function of one variable that is to be learned from points.

    Parameters
    ----------
    x : array of any shape
    kind : str, default "book"
        "book": (sqrt(abs(x)) + 0.1 x + 0.01 x^2 + 1 - sin x + 0.5 exp(x / 10)) / (0.5 + abs(cos x)), that of the
        book's exercise 5.2, with a kink at 0 and peaks where the cosine vanishes; "runge": 1 / (1 + 25 x^2), on which
        polynomials through equidistant points fail (C. Runge, Z. Math. Phys. 46 (1901) 224); "sine": sin x;
        "step": 0 below 0, 1 above, which no continuous function fits.

    Returns
    -------
    array, same shape

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> curve([0.0, 7.85]).round(2), curve([0.2], kind="runge")
    (array([ 1.  , 10.51]), array([0.5]))
    """
    check_choice(choices=tuple(RANGES), kind=kind)
    x = check_array(minimum=-500.0, maximum=500.0, x=x)
    if kind == "runge":
        return 1.0 / (1.0 + 25.0 * x**2)
    if kind == "sine":
        return np.sin(x)
    if kind == "step":
        return np.where(x > 0, 1.0, 0.0)
    rising = np.sqrt(np.abs(x)) + 0.1 * x + 0.01 * x**2 + 1.0 - np.sin(x) + 0.5 * np.exp(x / 10.0)
    return rising / (0.5 + np.abs(np.cos(x)))


def simulate_interpolation(
    n: int,
    *,
    seed: Seed,
    kind: str = "book",
    noise: float = 1.0,
    low: float | None = None,
    high: float | None = None,
) -> CurvePoints:
    """Points of a curve at uniformly random places, with Gaussian noise.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    kind : str, default "book"
        As in `curve`.
    noise : float, default 1
        Standard deviation of the noise on y; 1 in the book's exercise. Its square is the smallest mean squared error
        that any model can have on new points (a limit).
    low, high : float, optional
        Range of x. Default: -10 to 10 for the book's function (as in its exercise; Fig. 2.4 shows about -10 to 15),
        -1 to 1, 0 to 2 pi, -1 to 1.

    Returns
    -------
    CurvePoints

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads; the first points do not depend on ``n``, nor the places on
    the noise. In the repository of the book the noise is added with a wrong shape, so that every place gets the noise
    of all points; here each point has its own.

    Examples
    --------
    >>> points = simulate_interpolation(1000, seed=1)
    >>> bool(abs((points.y - points.truth).std() - 1.0) < 0.1)
    True
    """
    n = check_count(n=n)
    check_choice(choices=tuple(RANGES), kind=kind)
    noise = check_number(minimum=0.0, noise=noise)
    first = check_number(minimum=-500.0, maximum=500.0, low=RANGES[kind][0] if low is None else low)
    last = check_number(minimum=first, maximum=500.0, high=RANGES[kind][1] if high is None else high)
    stream = Streams.of(seed)
    points = CurvePoints(*(np.empty(n, np.float32) for _ in range(3)))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        points.x[events] = first + (last - first) * stream(PLACE, block).random(BLOCK)[:m]
        truth = curve(points.x[events], kind=kind)
        points.truth[events] = truth
        points.y[events] = truth + noise * stream(NOISE, block).standard_normal(BLOCK)[:m]

    fill_blocks(fill, n, block=BLOCK, title="interpolation")
    return points
