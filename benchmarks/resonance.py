"""Dijet, Higgs and ttH events a second beside the goal, and beside plain NumPy in the same run."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import resonance

GOAL = 10e6  # dijet events/s on two cores
EVENTS, PLAIN_EVENTS, DECAYS = 2_000_000, 200_000, 100_000


def plain(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same background by rejection from a power law, which needs no table; float64, one core."""
    random = np.random.default_rng(seed)
    masses: list[np.ndarray] = []
    while sum(map(len, masses)) < n:
        mass = 2.5 * (1.0 - random.random(n)) ** (-1.0 / 5.0)
        x = np.minimum(mass / 13.0, 1.0)
        weight = (1 - x) ** 8 / x ** (5 + 0.1 * np.log(x)) * (mass / 2.5) ** 6  # falls with the mass, from 525
        masses.append(mass[random.random(n) * 525.0 < weight])
    z = random.standard_normal((n, 2))
    features = np.column_stack([120.0 * np.exp(0.4 * z[:, 0]), 1.0 / (1.0 + np.exp(-0.6 - 0.7 * z[:, 1]))])
    return np.concatenate(masses)[:n].astype(np.float32), features.astype(np.float32)


def plain_decays(n: int, *, seed: int) -> None:
    """The eleven particles of H0 to W W b b by the readable functions, without detector or selection."""
    random = np.random.default_rng(seed)
    system = np.zeros((n, 4))
    system[:, 0] = 425.0
    angles = [(random.uniform(-1, 1, n), random.uniform(0, 2 * np.pi, n)) for _ in range(5)]
    charged, outer = resonance.two_body_decay(system, 325.0, 80.4, *angles[0])
    light, inner = resonance.two_body_decay(charged, 125.0, 80.4, *angles[1])
    for parent, mass, (cosine, azimuth) in zip((light, outer, inner), (4.7, 0.0, 0.0), angles[2:], strict=True):
        resonance.two_body_decay(parent, mass, mass, cosine, azimuth)


def rows() -> list[dict[str, Any]]:
    edges = np.linspace(2.5, 5.0, 26)
    counts = np.histogram(resonance.simulate(100_000, seed=1).mass, edges)[0]
    events = resonance.simulate_tth(4000, seed=1)
    compile_time = first_call(
        "from dlphys.simulators.resonance import simulate_higgs, simulate_tth\n"
        "simulate_higgs(10, seed=1); simulate_tth(10, seed=1)"
    )
    return [
        rate(
            "resonance, dijets",
            partial(resonance.simulate, EVENTS, seed=1),
            EVENTS,
            goal=GOAL,
            plain=(partial(plain, PLAIN_EVENTS, seed=1), PLAIN_EVENTS),
        ),
        rate("resonance, dijets, rho 0.5", partial(resonance.simulate, EVENTS, seed=1, rho=0.5), EVENTS, goal=GOAL),
        rate(
            "resonance, Higgs particles",
            partial(resonance.simulate_higgs_partons, DECAYS, signal_fraction=1.0, seed=1),
            DECAYS,
            plain=(partial(plain_decays, DECAYS, seed=1), DECAYS),
            note="before the detector",
        ),
        rate("resonance, Higgs events", partial(resonance.simulate_higgs, 50_000, seed=1), 50_000),
        rate("resonance, ttH events", partial(resonance.simulate_tth, 20_000, seed=1), 20_000, note="eight jets"),
        rate(
            "resonance, jet assignment",
            partial(resonance.assign_jets, events),
            len(events),
            note="2520 permutations an event; one core",
        ),
        rate("resonance, bump test", partial(resonance.bump_test, counts, edges), 1, unit="fits/s", note="25 bins"),
        figure("resonance, first call", compile_time, "s", note="compiles Higgs and ttH: empty cache"),
    ]
