"""Skies of 500 cosmic rays a second, beside the goal and beside plain NumPy in the same run."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators.cosmic_rays import (
    CHARGES,
    deflect,
    known_source_ratio,
    pair_counts,
    power_law_energy,
    simulate,
    von_mises_fisher,
)

GOAL = 25e3  # skies/s on two cores
SKIES, PLAIN_SKIES = 10_000, 1000


def plain(n: int, *, seed: int) -> np.ndarray:
    """Skies with one source written with the public functions: one array for everything, float64, one core."""
    random = np.random.default_rng(seed)
    energy = power_law_energy(random.random((n, 500)))
    charge = random.choice(CHARGES, (n, 500), p=(0.15, 0.45, 0.40))
    z, azimuth = random.uniform(-1, 1, (n, 500)), random.uniform(0, 2 * np.pi, (n, 500))
    across = np.sqrt(1 - z**2)
    directions = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), z], axis=-1)
    source = von_mises_fisher(np.tile([0.0, 0.0, 1.0], (n, 1)), 1e-9, seed=random)
    tangent = np.cross(source, random.normal(size=(n, 3)))
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    sky, arrival = np.nonzero(random.random((n, 500)) < 0.045 * (random.random((n, 1)) < 0.5))
    ratio = 40 * charge[sky, arrival] / energy[sky, arrival]
    mean = deflect(source[sky], tangent[sky], 6.0 * ratio)
    directions[sky, arrival] = von_mises_fisher(mean, 1 / np.radians(ratio) ** 2, seed=random)
    return np.concatenate([directions, np.log10(energy)[..., None] + 18], axis=-1).astype(np.float32)


def rows() -> list[dict[str, Any]]:
    skies = simulate(1000, seed=1)
    known = {name: getattr(skies, name) for name in ("source", "tangent", "deflection", "flux")}
    code = "from dlphys.simulators.cosmic_rays import simulate\nsimulate(10, seed=1)"
    return [
        rate(
            f"cosmic rays, {preset}",
            lambda preset=preset: simulate(SKIES, seed=1, preset=preset),
            SKIES,
            unit="skies/s",
            goal=GOAL,
            peer=(1.3e3, "astrotools"),
            plain=(lambda: plain(PLAIN_SKIES, seed=1), PLAIN_SKIES) if preset == "book" else None,
            note="500 arrivals",
        )
        for preset in ("book", "physics")
    ] + [
        rate(
            "cosmic rays, known sources",
            lambda: known_source_ratio(skies.directions, skies.energy, **known),
            len(skies),
            unit="skies/s",
            note="oracle",
        ),
        rate("cosmic rays, pairs", lambda: pair_counts(skies.directions), len(skies), unit="skies/s", note="baseline"),
        figure("cosmic rays, first call", first_call(code), "s", note="compiles: empty cache"),
    ]
