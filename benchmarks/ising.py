"""Spin updates a nanosecond beside the goal, and beside NumPy's roll in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from benchmarks import best
from dlphys.simulators import ising

GOAL = 6.0  # updates/ns on two cores
LATTICES, SWEEPS = 8192, 1000
COMPILE = """
import time
from dlphys.simulators import ising
begin = time.perf_counter()
ising.simulate(26, size=32, sweeps=1, seed=1)
print(time.perf_counter() - begin)
"""


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


def first_call() -> float:
    """Seconds of the first call in a new process with an empty cache of compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        output = subprocess.run(
            [sys.executable, "-c", COMPILE], env=environment, check=True, capture_output=True, text=True
        )
    return float(output.stdout)


def rows() -> list[dict[str, Any]]:
    """Measured numbers as dictionaries of name, value, unit, goal (or None) and note."""
    table: list[dict[str, Any]] = []

    def add(name: str, value: float, unit: str, goal: float | None, note: str) -> None:
        table.append({"name": name, "value": value, "unit": unit, "goal": goal, "note": note})

    for algorithm in ("metropolis", "swendsen-wang"):
        ising.simulate(26, size=4, sweeps=1, algorithm=algorithm, seed=1)  # compiled, or read from the cache
    # a batch of the size at which NumPy is fastest
    start = np.ones((64, 32, 32), np.int8)
    random = np.random.default_rng(1)
    _, processor = best(lambda: roll(start, 2.2, 50, random), repeats=5)
    plain = 50 * start.size / processor * 1e-9

    flips = LATTICES * 1024 * SWEEPS * 1e-9
    wall, processor = best(lambda: ising.simulate(LATTICES, sweeps=SWEEPS, seed=1))
    note = f"32 x 32, course temperatures; {flips / processor:.2f} per nanosecond of processor time"
    add("Ising, Metropolis", flips / wall, "updates/ns", GOAL, note)
    add("Ising, NumPy roll", plain, "updates/ns", None, "one core, processor time")
    ratio = flips / processor / plain
    note = f"core by core, processor time, same run; {flips / wall / plain:.0f} with all cores over one"
    add("Ising, Metropolis over NumPy roll", ratio, "times", 100.0, note)
    wall, processor = best(lambda: ising.simulate(26_000, seed=1))
    add("Ising, course set", wall, "s", 5.0, f"26 000 lattices; {processor:.2f} s of processor time; goal is a maximum")
    wall, processor = best(lambda: ising.simulate(1024, algorithm="swendsen-wang", seed=1), repeats=2)
    sites = 1024 * 1024 * 60 * 1e-6
    note = f"{sites / processor:.0f} million sites per second of processor time"
    add("Ising, Swendsen-Wang", sites / wall, "Msites/s", 60.0, note)
    add("Ising, first call", first_call(), "s", None, "compiles: empty cache")
    return table
