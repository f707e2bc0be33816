"""Toys a second: no goals, but nobody should wait for them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, rate
from dlphys.simulators import toys

EVENTS = 500_000


def plain_mixture(n: int) -> np.ndarray:
    """The ring written the short way, one core."""
    random = np.random.default_rng(1)
    angle = 2 * np.pi * random.integers(8, size=n) / 8
    return 2 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.1 * random.standard_normal((n, 2))


def rows() -> list[dict[str, Any]]:
    points = toys.simulate(2000, kind="moons", seed=1).x
    rewards = toys.simulate_bandit(5000, seed=1).reward
    world = toys.gridworld()
    table = [
        rate(f"toys, {kind}", partial(toys.simulate, EVENTS, kind=kind, seed=1), EVENTS, unit="points/s")
        for kind in ("checkerboard", "spirals")
    ]
    table += [
        rate(
            "toys, mixture",
            partial(toys.simulate_mixture, EVENTS, seed=1),
            EVENTS,
            unit="points/s",
            plain=(partial(plain_mixture, EVENTS), EVENTS),
        ),
        rate("toys, interpolation", partial(toys.simulate_interpolation, EVENTS, seed=1), EVENTS, unit="points/s"),
        rate("toys, planing table", partial(toys.simulate_planing, EVENTS, seed=1), EVENTS, unit="rows/s"),
        rate("toys, chain", partial(toys.simulate_chain, EVENTS, seed=1), EVENTS),
        rate("toys, beam lines", partial(toys.simulate_beam, 100_000, seed=1), 100_000),
        rate("toys, grid steps", partial(toys.simulate_gridworld, 4000, seed=1), 200_000, unit="steps/s"),
        rate("toys, optimal classifier", partial(toys.optimal_probability, points, kind="moons"), 2000),
        rate("toys, UCB1", partial(toys.play_upper_bound, rewards), 5000, unit="rounds/s", note="one core"),
        rate("toys, value iteration", partial(toys.value_iteration, *world), 1, unit="grids/s"),
    ]
    exact = toys.value_iteration(*world)[1].max() - 10 / (1 - 0.9**5)
    table.append(figure("toys, error of the grid's best value", abs(exact), "", note="closed form 24.419"))
    return table
