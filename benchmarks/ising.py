"""Spin updates a nanosecond beside the goal, and beside NumPy's roll in the same run."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import best, figure, first_call, rate
from dlphys.simulators import ising

GOAL = 6.0  # updates/ns on two cores
LATTICES, SWEEPS = 8192, 1000


def roll(spins: np.ndarray, temperature: float, sweeps: int, random: np.random.Generator) -> np.ndarray:
    """The usual NumPy version, with what makes it fast: one byte a spin, 32-bit random numbers."""
    row, column = np.indices(spins.shape[1:])
    for _ in range(sweeps):
        for colour in (0, 1):
            neighbours = np.roll(spins, 1, 1) + np.roll(spins, -1, 1) + np.roll(spins, 1, 2) + np.roll(spins, -1, 2)
            accepted = random.random(spins.shape, np.float32) < np.exp(
                -2 * spins * neighbours / np.float32(temperature)
            )
            spins = np.where(accepted & ((row + column) % 2 == colour), -spins, spins)
    return spins


def rows() -> list[dict[str, Any]]:
    # a batch of the size at which NumPy is fastest
    start = np.ones((64, 32, 32), np.int8)
    random = np.random.default_rng(1)
    wall, processor = best(lambda: ising.simulate(26_000, seed=1))
    compile_time = first_call("from dlphys.simulators import ising\nising.simulate(26, size=32, sweeps=1, seed=1)")
    return [
        rate(
            "Ising, Metropolis",
            lambda: ising.simulate(LATTICES, sweeps=SWEEPS, seed=1),
            LATTICES * 1024 * SWEEPS * 1e-9,
            unit="updates/ns",
            goal=GOAL,
            peer=(0.026, "peapods"),
            plain=(lambda: roll(start, 2.2, 50, random), 50 * start.size * 1e-9),
            note="32 x 32, course temperatures",
        ),
        rate(
            "Ising, Swendsen-Wang",
            lambda: ising.simulate(1024, algorithm="swendsen-wang", seed=1),
            1024 * 1024 * 60 * 1e-6,
            unit="Msites/s",
            goal=60.0,
            peer=(7.4, "peapods"),
        ),
        figure("Ising, course set", wall, "s", goal=5.0, note=f"26 000 lattices; {processor:.2f} s of processor time"),
        figure("Ising, first call", compile_time, "s", note="compiles: empty cache"),
    ]
