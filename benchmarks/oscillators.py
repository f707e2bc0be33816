"""Integration steps and exact motions a second beside their goals, and beside NumPy in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import oscillators

MOTIONS, STEPS = 512, 4000


def rows() -> list[dict[str, Any]]:
    starts = np.random.default_rng(1).normal(size=(MOTIONS, 2))
    options = {"system": "pendulum", "step": 0.01, "points": 2, "every": STEPS, "inertia": 1.0, "torque": 1.0}
    readable = partial(oscillators.verlet_plain, *starts.T, lambda q: -np.sin(q), step=0.01, steps=200)
    table = [
        rate(
            f"oscillators, {method}",
            partial(oscillators.integrate, starts, method=method, **options),
            MOTIONS * STEPS * 1e-6,
            unit="Msteps/s",
            goal=60.0 if method == "verlet" else None,
            plain=(readable, MOTIONS * 200 * 1e-6) if method == "verlet" else None,
            note="pendulum, one core",
        )
        for method in ("verlet", "yoshida")
    ]
    for system in ("pendulum", "kepler", "spring"):
        motions = partial(oscillators.simulate, 8192, seed=1, system=system, points=45)
        table.append(
            rate(f"oscillators, exact {system}", motions, 8192, unit="motions/s", goal=20e3, note="45 times each")
        )
    compile_time = first_call(
        "from dlphys.simulators import oscillators\noscillators.simulate(3, seed=1, system='kepler')"
    )
    table.append(figure("oscillators, first call", compile_time, "s", note="Kepler; compiles: empty cache"))
    return table
