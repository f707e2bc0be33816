"""Earthquakes a second, beside the goal and beside plain NumPy in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import best
from dlphys.simulators.earthquakes import (
    STATION_OFFSETS,
    STATIONS,
    cramer_rao,
    plate_border,
    simulate,
    travel_times,
    triangulate,
)

GOAL = 5e6  # events/s on two cores
EVENTS = 2_000_000
PLAIN_EVENTS = 500_000


def plain(n: int, *, seed: int, timing_error: float) -> tuple[np.ndarray, np.ndarray]:
    """The same data written the short way: one array for everything, float64, one core."""
    random = np.random.default_rng(seed)
    y = random.uniform(-45.0, 45.0, n)
    epicentres = np.column_stack([plate_border(y) + random.normal(0.0, 4.0, n), y])
    times = travel_times(epicentres, STATIONS) + STATION_OFFSETS
    times += random.normal(0.0, timing_error, times.shape) if timing_error else 0.0
    return times.reshape(n, 8).astype(np.float32), epicentres.astype(np.float32)


def rows() -> list[dict[str, Any]]:
    """Measured numbers as dictionaries of name, value, unit, goal (or None) and note."""
    table: list[dict[str, Any]] = []

    def add(name: str, value: float, unit: str, goal: float | None, note: str) -> None:
        table.append({"name": name, "value": value, "unit": unit, "goal": goal, "note": note})

    settings: list[tuple[str, dict[str, Any], float | None]] = [
        ("book", {}, 0.0),
        ("book, 10 ms noise", {"timing_error": 0.01}, 0.01),
        ("physics, 10 ms noise", {"preset": "physics", "timing_error": 0.01}, None),
    ]
    for name, options, plain_noise in settings:
        wall, processor = best(partial(simulate, EVENTS, seed=1, **options))
        note = f"{EVENTS / processor / 1e6:.1f} M events per second of processor time"
        add(f"earthquakes, {name}", EVENTS / wall, "events/s", GOAL, note)
        if plain_noise is not None:
            plain_wall, _ = best(partial(plain, PLAIN_EVENTS, seed=1, timing_error=plain_noise), repeats=3)
            ratio = plain_wall / PLAIN_EVENTS * EVENTS / wall
            add(f"earthquakes, {name}, over plain NumPy", ratio, "times", None, "same run, all cores against one")
    quakes = simulate(50_000, seed=1, timing_error=0.01)
    wall, _ = best(lambda: triangulate(quakes.times, offsets=STATION_OFFSETS), repeats=3)
    add("earthquakes, least squares", len(quakes.times) / wall, "fits/s", None, "offsets known, 10 ms noise")
    wall, _ = best(lambda: cramer_rao(quakes.epicentres, timing_error=0.01), repeats=3)
    add("earthquakes, Cramer-Rao bound", len(quakes.times) / wall, "events/s", None, "")
    return table
