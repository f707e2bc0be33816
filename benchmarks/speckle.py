"""Scattering patterns a second beside the goal, and beside NumPy's transforms in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import speckle

GOAL = 15e3  # pairs/s on two cores
PAIRS = 1280
PLAIN = 128


def plain(n: int, *, photons: bool) -> np.ndarray:
    """The short way: whole transforms in double precision, and NumPy's Poisson numbers of a given pattern."""
    random = np.random.default_rng(1)
    amplitude = np.zeros((n, 72, 72), complex)
    amplitude[:, :36, :36] = (random.standard_normal((2, n, 36, 36)) * [[[[1]]], [[[1j]]]]).sum(0) / np.sqrt(2 * 36**2)
    grains = np.abs(np.fft.fft2(amplitude)[:, :64, :64]) ** 2
    if not photons:
        return grains
    clean = speckle.simulate(1, seed=1, preset="physics").clean
    return random.poisson(clean * grains)


def rows() -> list[dict[str, Any]]:
    first = first_call("from dlphys.simulators import speckle\nspeckle.simulate(64, seed=1)")
    return [
        rate(
            "speckle, pairs of the book",
            partial(speckle.simulate, PAIRS, seed=1),
            PAIRS,
            unit="pairs/s",
            goal=GOAL,
            plain=(partial(plain, PLAIN, photons=True), PLAIN),
        ),
        rate(
            "speckle, pairs, physics",
            partial(speckle.simulate, PAIRS, seed=1, preset="physics"),
            PAIRS,
            unit="pairs/s",
            goal=GOAL,
        ),
        rate(
            "speckle, patterns alone",
            partial(speckle.speckle_patterns, PAIRS, seed=1),
            PAIRS,
            unit="images/s",
            peer=(97, "pyspeckle"),
            plain=(partial(plain, PLAIN, photons=False), PLAIN),
        ),
        rate(
            "speckle, measured, 2 to 8 modes",
            partial(speckle.measure, PAIRS // 4, seed=1),
            PAIRS // 4,
            unit="images/s",
            repeats=2,
        ),
        figure("speckle, first call", first, "s", note="compiles: empty cache; 64 pairs"),
    ]
