"""Galaxies a second beside the goal, and beside the same formulas in NumPy."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks import figure, first_call, rate
from dlphys.simulators import galaxies

GOAL = 20e3  # galaxies/s on two cores
GALAXIES, PLAIN = 4096, 512


def rows() -> list[dict[str, Any]]:
    sample = galaxies.simulate(PLAIN, seed=1)
    first = first_call("from dlphys.simulators import galaxies\ngalaxies.simulate(64, seed=1)")
    return [
        rate(
            f"galaxies, {preset}",
            partial(galaxies.simulate, GALAXIES, seed=1, preset=preset),
            GALAXIES,
            goal=GOAL,
            plain=(partial(galaxies.render_plain, sample), PLAIN) if preset == "book" else None,
        )
        for preset in ("book", "physics")
    ] + [
        rate("galaxies, Fourier baseline", partial(galaxies.fourier_handedness, sample.images), PLAIN),
        figure("galaxies, first call", first, "s", note="compiles: empty cache; 64 galaxies"),
    ]
