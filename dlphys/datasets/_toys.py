"""Small worlds, ready to train on: the checkerboard, the interpolation, and the table of exercise 13.1."""

from __future__ import annotations

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce

LICENCE = "MIT, as this package"
BOOK = "Erdmann, Glombitza, Kasieczka and Klemradt, Deep Learning for Physics Research (2021)"


def load_checkerboard(n: int = 500, *, seed: Seed, noise: float = 0.0, test: int = 2000) -> Dataset:
    """Points on a board of four squares, class 1 where x1 x2 > 0 (exercises 3.3 and 5.1).

    Parameters
    ----------
    n : int, default 500
        Points for training and validation (half each), at least 2: as many as the TensorFlow playground has.
    seed : int or numpy.random.Generator
    noise : float, default 0
        Share of the half width of the board by which a point may be moved when its label is made, in [0, 1]; 0.5 is
        the slider at 50 % (exercise 5.1).
    test : int, default 2000
        Points to test, more than to train: the question is how well few points are generalised from.

    Returns
    -------
    Dataset
        x (n, 2) float32 in [-5.3, 5.3], without unit; y (n,) float32, 0 or 1; extra["probability"] (n,) float32: that
        of class 1 at the point, exactly.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    The best possible accuracy is `dlphys.simulators.toys.optimal_accuracy` (limit): 1 without noise, 0.8251 at 0.5.

    Examples
    --------
    >>> data = load_checkerboard(seed=1, noise=0.5)
    checkerboard: simulated
    >>> data.x_train.shape, data.x_validation.shape, data.x_test.shape
    ((250, 2), (250, 2), (2000, 2))
    """
    from dlphys.simulators import toys

    n, test = check_count(n=n, minimum=2), check_count(test=test)
    points = toys.simulate(n + test, seed=seed, kind="checkerboard", noise=noise)
    announce("checkerboard", "simulated")
    probability = toys.optimal_probability(points.x, kind="checkerboard", noise=noise).astype(np.float32)
    values = divided(
        points.x, points.label.astype(np.float32), {"probability": probability}, validation=n // 2, test=test
    )
    about = About(
        title="Checkerboard: four squares of two classes",
        source="simulated",
        units={"x1": "1", "x2": "1"},
        target_units={"class": "1 where x1 x2 > 0"},
        extra_units={"probability": "1"},
        made=f"dlphys.simulators.toys, noise {noise:g}, with the geometry of the TensorFlow playground",
        licence=LICENCE,
        citation=f"{BOOK}, exercises 3.3 and 5.1; D. Smilkov et al., arXiv:1708.03788",
        flaws=("with noise the labels near the axes are wrong: no classifier gets them all",) if noise else (),
        classes=("different signs", "equal signs"),
    )
    return Dataset(name="checkerboard", about=about, **values)


def load_interpolation(
    n: int = 10_000, *, seed: Seed, noise: float = 1.0, kind: str = "book", test: int = 10_000
) -> Dataset:
    """Noisy points of a function of one variable (exercise 5.2).

    Parameters
    ----------
    n : int, default 10 000
        Points for training and validation (one in five, at least one), at least 2.
    seed : int or numpy.random.Generator
    noise : float, default 1
        Standard deviation of the noise on y.
    kind : str, default "book"
        The function, as in `dlphys.simulators.toys.curve`.
    test : int, default 10 000
        Points to test; in the book's exercise they have no noise, here they are like those of training and
        extra["truth"] has the function.

    Returns
    -------
    Dataset
        x (n, 1) float32 and y (n, 1) float32, without unit and not scaled (for the book's function -10 to 10, and about
        1 to 11 with the noise of 1 on it); extra["truth"] (n, 1) float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    No model has a mean squared error below noise^2 on the test (limit), up to its statistical error
    sqrt(2 / n) noise^2.

    Examples
    --------
    >>> data = load_interpolation(1000, seed=1)
    interpolation: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((800, 1), (10000, 1))
    """
    from dlphys.simulators import toys

    n, test = check_count(n=n, minimum=2), check_count(test=test)
    points = toys.simulate_interpolation(n + test, seed=seed, noise=noise, kind=kind)
    announce("interpolation", "simulated")
    x, y, truth = (array[:, None] for array in (points.x, points.y, points.truth))
    values = divided(x, y, {"truth": truth}, validation=held_out(n, 0.2), test=test)
    about = About(
        title="Noisy points of a function of one variable",
        source="simulated",
        units={"x": "1"},
        target_units={"y": "1"},
        extra_units={"truth": "1"},
        made=f"dlphys.simulators.toys, function {kind}, noise {noise:g}",
        licence=LICENCE,
        citation=f"{BOOK}, exercise 5.2",
        flaws=("the points are uniform in x, as in the book; measured ones rarely are",),
    )
    return Dataset(name="interpolation", about=about, **values)


def load_planing(n: int = 100_000, *, seed: Seed) -> Dataset:
    """Eight features, of which the first one is a mass that a classifier should not shape (exercise 13.1).

    Parameters
    ----------
    n : int, default 100 000
        Number of events, at least 5: a fifth for validation, a fifth for the test, the rest for training.
    seed : int or numpy.random.Generator

    Returns
    -------
    Dataset
        x (n, 8) float32: feature 0 is a mass in units of 100 GeV, 1 to 7 are without unit, with means between 0 and 1
        and standard deviations about 1; y (n,) float32, 1 = signal, 0 = background, half each.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    What the result can be compared with, from `dlphys.simulators.toys` (masses in GeV there): the limits
    `planing_log_ratio` (all features: AUC 0.939), `planing_blind_log_ratio` (without the mass: 0.912, but shapes it)
    and `planing_flat_log_ratio` (does not shape it: 0.857); `planing_correlations`, `planing_information`.

    Examples
    --------
    >>> data = load_planing(1000, seed=1)
    planing: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((600, 8), (200,))
    """
    from dlphys.simulators import toys

    n = check_count(n=n, minimum=5)
    table = toys.simulate_planing(n, seed=seed)
    announce("planing", "simulated")
    x = table.x / np.array([100.0, *[1.0] * 7], np.float32)
    held = held_out(n, 0.2)
    values = divided(x, table.label.astype(np.float32), validation=held, test=held)
    about = About(
        title="A mass and seven features, three of which know the mass and the class",
        source="simulated",
        units={"feature_0": "100 GeV"} | {f"feature_{j}": "1" for j in range(1, 8)},
        target_units={"signal": "1 signal, 0 background"},
        made="dlphys.simulators.toys, a normal copula with known correlations",
        licence=LICENCE,
        citation=f"{BOOK}, exercise 13.1, which prescribes no numbers",
        flaws=("apart from the mass all features are Gaussian with linear relations, so a shallow network is enough",),
        classes=("background", "signal"),
    )
    return Dataset(name="planing", about=about, **values)
