"""Earthquakes a second, beside the goal and beside plain NumPy in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import rate
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
    settings: list[tuple[str, dict[str, Any], float | None]] = [
        ("book", {}, 0.0),
        ("book, 10 ms noise", {"timing_error": 0.01}, 0.01),
        ("physics, 10 ms noise", {"preset": "physics", "timing_error": 0.01}, None),
    ]
    table = [
        rate(
            f"earthquakes, {name}",
            partial(simulate, EVENTS, seed=1, **options),
            EVENTS,
            goal=GOAL,
            peer=(85, "TauP calls"),
            plain=None if noise is None else (partial(plain, PLAIN_EVENTS, seed=1, timing_error=noise), PLAIN_EVENTS),
        )
        for name, options, noise in settings
    ]
    quakes = simulate(50_000, seed=1, timing_error=0.01)
    fit = partial(triangulate, quakes.times, offsets=STATION_OFFSETS)
    bound = partial(cramer_rao, quakes.epicentres, timing_error=0.01)
    table.append(rate("earthquakes, least squares", fit, len(quakes), unit="fits/s", note="offsets known, 10 ms noise"))
    table.append(rate("earthquakes, Cramer-Rao bound", bound, len(quakes)))
    return table
