"""Showers a second beside the goal, and beside the readable NumPy version in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import calorimeter

PEER = (1.0, "Geant4, recalled")


def plain(n: int, geometry: str, energies: np.ndarray) -> np.ndarray:
    """Exact means and their spots in NumPy and SciPy."""
    return calorimeter.deposit(calorimeter.expected_voxels(energies[:n], geometry=geometry), seed=1, geometry=geometry)


def rows() -> list[dict[str, Any]]:
    settings = [("book", 4096, 60e3, 60), ("calogan", 4096, None, 60), ("calochallenge", 2048, 10e3, 40)]
    table = []
    for geometry, n, goal, few in settings:
        energies = calorimeter.simulate(few, seed=1, geometry=geometry).energy
        shape = " x ".join(map(str, calorimeter.voxel_shape(geometry)))
        table.append(
            rate(
                f"calorimeter, {geometry}",
                partial(calorimeter.simulate, n, seed=1, geometry=geometry),
                n,
                unit="showers/s",
                goal=goal,
                peer=PEER,
                plain=(partial(plain, few, geometry, energies), few),
                note=f"{shape} voxels",
            )
        )
    protons = partial(calorimeter.simulate, 4096, seed=1, particle="proton")
    table.append(rate("calorimeter, book, protons", protons, 4096, unit="showers/s"))
    compile_time = first_call("from dlphys.simulators import calorimeter\ncalorimeter.simulate(3, seed=1)")
    table.append(figure("calorimeter, first call", compile_time, "s", note="compiles: empty cache"))
    return table
