"""Radio traces a second, beside the goal and beside plain NumPy in the same run."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators.radio import (
    log_likelihood_ratio,
    log_likelihood_ratio_plain,
    matched_filter,
    posterior_mean,
    pulses,
    simulate,
)

GOAL = 150e3  # traces/s on two cores
TRACES, PLAIN_TRACES = 40_000, 2000


def plain(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same data written the short way: one array for everything, float64, one core."""
    random = np.random.default_rng(seed)
    spectrum = np.zeros((n, 251), complex)
    spectrum[:, 84:223] = random.normal(size=(n, 139)) + 1j * random.normal(size=(n, 139))
    noise = np.fft.irfft(spectrum, 500)
    noise *= 0.1 / np.sqrt((noise**2).mean())
    excess = 0.14 * np.cos(random.uniform(0, 2 * np.pi, n))
    shape = pulses(random.uniform(0.35, 2.4, n), ring_distance=random.uniform(0, 100, n), charge_excess=excess)
    sign = random.choice([-1, 0, 0, 1], (n, 1))
    signals = 2 * sign * np.sqrt((noise**2).mean(1, keepdims=True)) * shape
    return (noise + signals).astype(np.float32), signals.astype(np.float32)


def rows() -> list[dict[str, Any]]:
    sample = simulate(1000, seed=1)
    few = sample.traces[:3]
    code = "from dlphys.simulators.radio import simulate\nsimulate(10, seed=1)"
    table = [
        rate(
            f"radio, {preset}",
            lambda preset=preset: simulate(TRACES, seed=1, preset=preset),
            TRACES,
            unit="traces/s",
            goal=GOAL,
            plain=(lambda: plain(PLAIN_TRACES, seed=1), PLAIN_TRACES) if preset == "book" else None,
            note="500 samples, with and without noise",
        )
        for preset in ("book", "physics")
    ]
    table.append(
        rate(
            "radio, likelihood ratio",
            lambda: log_likelihood_ratio(sample.traces),
            len(sample),
            unit="traces/s",
            plain=(lambda: log_likelihood_ratio_plain(few), len(few)),
            note="limit",
        )
    )
    for name, method, note in (
        ("posterior mean", posterior_mean, "limit"),
        ("matched filter", matched_filter, "baseline"),
    ):
        table.append(rate(f"radio, {name}", lambda f=method: f(sample.traces), len(sample), unit="traces/s", note=note))
    table.append(figure("radio, first call", first_call(code), "s", note="compiles: empty cache"))
    return table
