"""Checks of the calorimeter example of chapter 18: what cells register, and what is measured of a shower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlphys.checks import expect
from dlphys.checks.engine import quiz, task

CELLS = (15, 15, 7)

# --- X18.8a -------------------------------------------------------------------------------------------------


def _decades(ln_share: Any, noise: Any, E: Any, floor: float, *, base: float = np.log(10.0)) -> np.ndarray:
    """log10(deposit / threshold) before the ReLU; another base makes a known mistake."""
    ln = np.asarray(ln_share, float) + np.log(np.asarray(E, float)) - np.log(floor)
    return ln / base + np.asarray(noise, float)


@task("X18.8a", section="18.4")
def register(student: Any, random: np.random.Generator) -> str:
    n, threshold = 3, 0.006
    ln_share = random.normal(-8.0, 2.5, (n, *CELLS)).astype(np.float32)
    noise = random.normal(0.0, 0.4, (n, *CELLS)).astype(np.float32)
    energy = np.array([32.0, 70.0, 90.0], np.float32).reshape(n, 1, 1, 1)
    answer = student(ln_share, noise, energy, threshold)
    expect.shape(answer, (n, *CELLS), name="the signals")
    expect.finite(answer, name="the signals")
    right = _decades(ln_share, noise, energy, threshold)
    mixed = np.asarray(ln_share, float) + np.log10(energy / threshold) + noise
    known = {
        "decimal logarithms: log_softmax gives natural ones": _decades(ln_share, noise, energy, threshold, base=1.0),
        "both logarithms in decades: that of the shares is a natural one, too": mixed,
        "a ReLU: a cell below the threshold registers nothing, not a negative number": right,
        "the noise before the ReLU: it decides whether a cell is above the threshold": np.maximum(right - noise, 0)
        + noise,
        "the noise inside the ReLU, so that empty cells stay empty or not by chance": np.maximum(right - noise, 0),
        "the energy of the particle: a share is not a deposit": _decades(
            ln_share, noise, np.ones_like(energy), threshold
        ),
        "the deposit in units of the threshold": _decades(ln_share, noise, energy, 1.0),
        "the threshold in GeV, as the energy": _decades(ln_share, noise, energy, 1000 * threshold),
        "noise in decades, added on the logarithmic scale": (right - noise) * (1 + noise),
    }
    for because, wrong in known.items():
        for candidate in (wrong, np.maximum(wrong, 0)) if wrong is not right else (wrong,):
            expect.differs(answer, candidate, because=because, rtol=1e-4, atol=1e-4)
    below = np.full((1, *CELLS), np.log(0.5 * threshold / 70.0), np.float32)
    expect.close(
        student(below, np.zeros_like(below), energy[1:2], threshold),
        np.zeros((1, *CELLS)),
        atol=1e-6,
        name="the signal of cells at half the threshold",
        because="exactly 0 below the threshold",
        rung="physics",
    )
    quiet = np.zeros_like(noise)
    once = np.asarray(student(ln_share, quiet, energy, threshold), float)
    tenfold = np.asarray(student(ln_share, quiet, 10 * energy, threshold), float)
    if once.shape == tenfold.shape:
        expect.close(
            (tenfold - once)[right - noise > 1e-3],
            np.ones(int((right - noise > 1e-3).sum())),
            rtol=1e-3,
            name="what ten times the energy adds to a cell that was hit",
            because="one decade, when the energy is ten times as large",
            rung="physics",
        )
    expect.close(
        answer, np.maximum(right, 0), rtol=1e-4, atol=1e-4, because="ReLU(log10(share energy / threshold) + noise)"
    )
    return "ten times the energy adds one decade, and half the threshold gives nothing"


def _registered(change: Callable[..., Any]) -> Callable[..., Any]:
    """A wrong register(), from decades without noise, the noise, ln share and energy / threshold."""

    def register(log_shares: Any, noise: Any, energy: Any, threshold: Any) -> Any:
        ln, n, E = (np.asarray(part, float) for part in (log_shares, noise, energy))
        return change(_decades(ln, 0.0, E, threshold), n, ln, E / threshold).astype(np.float32)

    return register


register.hints = (
    "The logarithm of a product is a sum: ln s + ln(energy / threshold).",
    "Natural logarithms divided by ln 10 are decimal ones. Add the noise, then ops.relu.",
    "relu((log_shares + log(energy / threshold)) / log(10) + noise), with functions of ops.",
)
register.mistakes = {
    "natural logarithm": (_registered(lambda d, n, ln, r: np.maximum(d * np.log(10.0) + n, 0)), "log_softmax gives"),
    "mixed logarithms": (_registered(lambda d, n, ln, r: np.maximum(ln + np.log10(r) + n, 0)), "both logarithms in"),
    "no ReLU": (_registered(lambda d, n, ln, r: d + n), "not a negative number"),
    "noise after the ReLU": (_registered(lambda d, n, ln, r: np.maximum(d, 0) + n), "the noise before the ReLU"),
    "no noise": (_registered(lambda d, n, ln, r: np.maximum(d, 0)), "inside the ReLU"),
    "no energy": (
        lambda log_shares, noise, energy, threshold: np.maximum(
            _decades(log_shares, noise, np.ones_like(energy), threshold), 0
        ),
        "a share is not a deposit",
    ),
    "no threshold": (
        lambda log_shares, noise, energy, threshold: np.maximum(_decades(log_shares, noise, energy, 1.0), 0),
        "in units of the threshold",
    ),
    "threshold in MeV": (
        lambda log_shares, noise, energy, threshold: np.maximum(
            _decades(log_shares, noise, energy, 1000 * threshold), 0
        ),
        "the threshold in GeV",
    ),
    "noise as a factor": (_registered(lambda d, n, ln, r: np.maximum(d * (1 + n), 0)), "noise in decades"),
    "softplus": (_registered(lambda d, n, ln, r: np.logaddexp(0.0, d + n)), "exactly 0 below the threshold"),
    "root of the energy": (
        _registered(lambda d, n, ln, r: np.maximum(d - 0.5 * np.log10(r) + n, 0)),
        "one decade, when the energy",
    ),
    "summed": (_registered(lambda d, n, ln, r: np.maximum(d + n, 0).sum(axis=(1, 2))), "shape (3, 15, 15, 7)"),
}

# --- X18.8b -------------------------------------------------------------------------------------------------


def _depth(e: np.ndarray, *, first: float = 1.0) -> np.ndarray:
    layers = e.sum((1, 2))
    return (layers * (np.arange(7) + first)).sum(1) / layers.sum(1)


def _spread(e: np.ndarray, *, axis: int = 2, layer: int = 1, centre: bool = False, square: bool = False) -> np.ndarray:
    """Width in one layer; the keywords make the known mistakes."""
    line = e[..., layer].sum(3 - axis)
    total = np.where(line.sum(1) > 0, line.sum(1), 1.0)
    place = np.arange(15.0) - 7.0
    mean = np.zeros(len(e)) if centre else (line * place).sum(1) / total
    variance = (line * (place - mean[:, None]) ** 2).sum(1) / total
    return variance if square else np.sqrt(variance)


def _some_showers(random: np.random.Generator, n: int) -> np.ndarray:
    """Showers off the centre, wider in x than in y, deeper ones among them; in GeV."""
    grid = np.arange(15.0)
    x0, y0 = random.uniform(4, 10, (2, n, 1, 1, 1))
    depth = random.uniform(2.0, 4.5, (n, 1, 1, 1))
    x, y, layer = grid[:, None, None], grid[None, :, None], np.arange(7.0)
    mean = np.exp(-np.abs(x - x0) / 1.8 - np.abs(y - y0) / 0.9 - (layer - depth) ** 2 / 3.0)
    return mean * random.gamma(2.0, 0.5, (n, *CELLS))


@task("X18.8b", section="18.4")
def depth_and_spread(student: Any, random: np.random.Generator) -> str:
    n = 6
    e = _some_showers(random, n)
    answer = student(e)
    expect.is_tuple(answer, 2, name="depth and spread")
    depth, spread = answer
    for name, value in (("the depth", depth), ("the spread", spread)):
        expect.shape(value, (n,), name=name)
        expect.finite(value, name=name)
    hit = (e > 0.05).astype(float)
    known_depth = {
        "layers counted from 1, not from 0": _depth(e, first=0.0),
        "a mean weighted with the energy, not the layer with the largest energy": e.sum((1, 2)).argmax(1) + 1.0,
        "the energies as weights, not their logarithms": _depth(np.log10(1 + 1000 * e)),
        "one depth for each shower, not that of all together": np.full(n, _depth(e.sum(0, keepdims=True))[0]),
        "energies as weights: a hit cell does not count once": _depth(hit),
        "the energy of the whole layer, not of its largest cell": _depth(e.max((1, 2))[:, None, None]),
    }
    for because, wrong in known_depth.items():
        expect.differs(depth, wrong, because=because)
    known_spread = {
        "layer 2, the second: its index is 1": _spread(e, layer=2),
        "the second layer, not the first": _spread(e, layer=0),
        "the spread along y, the third axis of the array": _spread(e, axis=1),
        "about the centre of the shower itself, not of the sensor": _spread(e, centre=True),
        "the root of the variance": _spread(e, square=True),
        "the spread in layer 2, not in all layers together": _spread(e.sum(3, keepdims=True), layer=0),
    }
    for because, wrong in known_spread.items():
        expect.differs(spread, wrong, because=because)
    point = np.zeros((7, *CELLS))
    for layer in range(7):
        point[layer, 3, 8, layer] = 2.0
        point[layer, 3, 10, layer] = 2.0
    there, width = student(point)
    expect.close(
        there,
        np.arange(1.0, 8.0),
        name="the depth of showers in one layer each",
        because="that layer, when all energy is in one layer",
        rung="physics",
    )
    expect.finite(np.asarray(width), name="the spread where layer 2 is empty (0 there, not 0/0)")
    expect.close(
        width,
        np.eye(7)[1],
        atol=1e-5,
        name="the spread of two equal cells, two cells apart, in one layer each",
        because="1 in layer 2, and 0 where layer 2 is empty",
        rung="physics",
    )
    for scaled, value, name in zip(student(7.0 * e), answer, ("the depth", "the spread"), strict=True):
        expect.close(
            scaled,
            value,
            rtol=1e-5,
            atol=1e-6,
            name=f"{name} for seven times the energy",
            because="the same, when all deposits are scaled",
            rung="physics",
        )
    expect.close(depth, _depth(e), rtol=1e-6, name="the depth", because="the energy-weighted mean of the layers")
    expect.close(
        spread, _spread(e), rtol=1e-5, atol=1e-6, name="the spread", because="the root of the weighted variance"
    )
    return "one layer gives its number, and the energy scale drops out"


def _measured(depth: Callable[..., Any] = _depth, spread: Callable[..., Any] = _spread) -> Callable[..., Any]:
    def depth_and_spread(deposits: np.ndarray) -> Any:
        e = np.asarray(deposits, float)
        return depth(e), spread(e)

    return depth_and_spread


def _empty_divided(e: np.ndarray) -> np.ndarray:
    line = e[..., 1].sum(1)
    with np.errstate(all="ignore"):
        weight = line / line.sum(1, keepdims=True)
        return np.sqrt(np.maximum(weight @ np.arange(15.0) ** 2 - (weight @ np.arange(15.0)) ** 2, 0))


depth_and_spread.hints = (
    "Energies of the layers: the sum over x and y, axes 1 and 2. Weights: these, over their sum in each shower.",
    "For the spread: the layer with index 1, summed over x (axis 1), gives 15 numbers a shower along y.",
    "Variance: mean of y^2 minus the square of the mean of y, both with these weights. Divide by at least 1e-12.",
)
depth_and_spread.mistakes = {
    "layers from 0": (_measured(lambda e: _depth(e, first=0.0)), "not from 0"),
    "layer of the maximum": (_measured(lambda e: e.sum((1, 2)).argmax(1) + 1.0), "not the layer with the largest"),
    "logarithms as weights": (_measured(lambda e: _depth(np.log10(1 + 1000 * e))), "not their logarithms"),
    "all showers together": (
        _measured(lambda e: np.full(len(e), _depth(e.sum(0, keepdims=True))[0])),
        "not that of all together",
    ),
    "hits": (_measured(lambda e: _depth((e > 0.05).astype(float))), "does not count once"),
    "largest cell": (_measured(lambda e: _depth(e.max((1, 2))[:, None, None])), "not of its largest cell"),
    "index 2": (_measured(spread=lambda e: _spread(e, layer=2)), "its index is 1"),
    "first layer": (_measured(spread=lambda e: _spread(e, layer=0)), "not the first"),
    "along x": (_measured(spread=lambda e: _spread(e, axis=1)), "the third axis"),
    "about the sensor": (_measured(spread=lambda e: _spread(e, centre=True)), "not of the sensor"),
    "variance": (_measured(spread=lambda e: _spread(e, square=True)), "the root of the variance"),
    "all layers": (_measured(spread=lambda e: _spread(e.sum(3, keepdims=True), layer=0)), "not in all layers"),
    "empty layer": (_measured(spread=_empty_divided), "0 there, not 0/0"),
    "with an offset": (
        _measured(lambda e: ((e.sum((1, 2)) + 1.0) * np.arange(1.0, 8.0)).sum(1) / (e.sum((1, 2)) + 1.0).sum(1)),
        "that layer, when all energy",
    ),
    "one array": (lambda deposits: _depth(np.asarray(deposits, float)), "2 results"),
}

# --- questions ----------------------------------------------------------------------------------------------

quiz(
    "18.8-q1",
    question="Why does the energy stand as a factor at the end of the generator, and not only at its input?",
    options=(
        "Because a network cannot multiply.",
        "Because with two energies in the training any curve through them is as good for the loss; the factor leaves "
        "only a small, smooth rest to be interpolated.",
        "Because the critic cannot see the energy.",
        "Because the ReLU would cut off showers of high energy.",
    ),
    answer=2,
    explanation="The loss never sees 70 GeV. What is right there comes from what was built in: the proportionality, "
    "and a network that is smooth in ln E.",
)
quiz(
    "18.8-q2",
    question="A generator was trained with 8000 showers and then makes ten million. How well is the mean depth known "
    "from these?",
    options=(
        "As from ten million simulated showers.",
        "Better than from the simulation, since a network has no fluctuations.",
        "At best about as from the 8000 of the training: its own errors do not shrink with the number it makes.",
        "Not at all.",
    ),
    answer=3,
    explanation="The statistical error of ten million is tiny, but the generator has learnt the mean of its 8000 "
    "showers with theirs. Only what it interpolates with knowledge (smoothness, the factor E) goes beyond them.",
)
