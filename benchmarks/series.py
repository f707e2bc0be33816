"""Series a second of every kind, the exact limits, and the first call; beside plain NumPy in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import _series_absorber as absorber
from dlphys.simulators import series

GOAL = 1e5  # pulses/s on two cores
TRACES = 4e3  # impacts/s on two cores


def plain_sines(n: int) -> np.ndarray:
    """Waves with random frequency in one expression."""
    random = np.random.default_rng(1)
    frequency, phase = 0.1 * 20.0 ** random.random((n, 1)), 2 * np.pi * random.random((n, 1))
    return np.sin(2 * np.pi * frequency * 0.05 * np.arange(21) + phase).astype(np.float32)


def plain_quenches(n: int) -> np.ndarray:
    """Compound Poisson spikes as gamma numbers, noise, one array each."""
    random = np.random.default_rng(1)
    remaining = random.uniform(-20, 40, (n, 1)) + 0.4 * np.arange(255, -1, -1.0)
    rate_of = 0.02 + np.where(remaining >= 0, 3.0 / (np.maximum(remaining, 0) + 2.0), 0.0)
    return random.normal(0.0, 1.0, remaining.shape) + random.gamma(random.poisson(0.4 * rate_of), 4.0)


def plain_impacts(n: int) -> np.ndarray:
    """The sum over blows as it stands in the formula."""
    turns = np.zeros(absorber.LAYERS)
    return np.stack([absorber._vibrate_plain(200.0, 12.0, 0.2, 0.08, turns, 4, 128) for _ in range(n)])


def plain_pulses(n: int) -> np.ndarray:
    """Poisson counts of two exponentials in one expression."""
    random = np.random.default_rng(1)
    shapes = np.stack([series.pulse_shape(64, slow_share=share) for share in (0.26, 0.14)])
    light = 50.0 * 10.0 ** random.random((n, 1))
    return random.poisson(light * shapes[random.integers(0, 2, n)]).astype(np.float32)


def rows() -> list[dict[str, Any]]:
    records, tests = series.quenches(500, seed=1, lead=(2.0, 40.0)), series.cracks(1000, seed=1)
    return [
        rate(
            "series, sines",
            partial(series.sines, 200_000, seed=1, preset="physics"),
            200_000,
            plain=(partial(plain_sines, 50_000), 50_000),
        ),
        rate("series, oscillations", partial(series.oscillations, 20_000, seed=1), 20_000),
        rate(
            "series, quenches",
            partial(series.quenches, 5000, seed=1),
            5000,
            plain=(partial(plain_quenches, 2000), 2000),
            note="256 values",
        ),
        rate("series, cracks", partial(series.cracks, 20_000, seed=1), 20_000),
        rate("series, cracks in a plate", partial(series.cracks, 4000, seed=1, preset="physics"), 4000),
        rate(
            "series, absorbers",
            partial(series.absorbers, 1000, seed=1),
            1000,
            goal=TRACES,
            plain=(partial(plain_impacts, 10), 10),
            note="16 traces of 128 values",
        ),
        rate(
            "series, pulses",
            partial(series.pulses, 50_000, seed=1),
            50_000,
            goal=GOAL,
            plain=(partial(plain_pulses, 20_000), 20_000),
        ),
        rate("series, quench evidence", partial(series.quench_evidence, records.voltage), 500, note="exact likelihood"),
        rate(
            "series, expected life", partial(series.expected_life, tests.measured[:, :12]), 1000, note="posterior mean"
        ),
        figure(
            "series, first call, absorbers",
            first_call("from dlphys.simulators import series\nseries.absorbers(2, seed=1)"),
            "s",
            note="compiles: empty cache",
        ),
    ]
