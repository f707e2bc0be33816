"""Pictures a second of every kind of detector, and first calls; beside plain NumPy where there is such a version."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import events
from dlphys.simulators._events_stm import DEFECTS, PIXEL, _defect, _lattice_waves

GOAL = 4e3  # pictures/s on two cores


def plain_hits(n: int) -> np.ndarray:
    """Hits of exact helices from the beam in NumPy: azimuths and arcs from the arcsine."""
    random = np.random.default_rng(1)
    transverse = 1.0 / (2.0 - 1.9 * random.random((n, 12, 1)))
    phi = random.uniform(-0.4, 0.4, (n, 12, 1)) + 2 * np.pi * random.random((n, 1, 1))
    slope = np.sinh(random.uniform(-1, 1, (n, 12, 1)))
    charge = random.choice([-1.0, 1.0], (n, 12, 1))
    radius = events.bending_radius(transverse)
    turn = np.arcsin(events.LAYERS / (2 * radius))
    azimuth, arc = phi - charge * turn, 2 * radius * turn
    return np.stack([events.LAYERS * np.cos(azimuth), events.LAYERS * np.sin(azimuth), slope * arc], axis=-1)


def plain_scans(n: int, size: int = 64) -> np.ndarray:
    """Topograph and gap in NumPy, a sum over defects of whole pictures."""
    random = np.random.default_rng(1)
    y, x = np.meshgrid(PIXEL * np.arange(size), PIXEL * np.arange(size), indexing="ij")
    waves = np.cos(np.einsum("wi,iab->wab", _lattice_waves(), np.stack([x, y]))).sum(0)
    scans = np.empty((n, 2, size, size), np.float32)
    side = size * PIXEL + 8.0
    for scan in scans:
        height, gap = 2.7 * waves, np.full((size, size), 17.0)
        for density, depth, width, triangle, change, gap_width in DEFECTS:
            for _ in range(random.poisson(density * side * side)):
                u, v = x - random.uniform(-4, side - 4), y - random.uniform(-4, side - 4)
                height += depth * _defect(u, v, width, triangle)
                gap += change * _defect(u, v, gap_width, 0.0)
        scan[0], scan[1] = height + random.normal(0, 1.5, height.shape), gap
    return scans


def plain_molecules(n: int, size: int = 12) -> np.ndarray:
    """Pictures of one molecule with the density at the middle of a pixel instead of its integral."""
    random = np.random.default_rng(1)
    place = 96.0 * random.uniform(2, size - 2, (n, 2, 1))
    widths = events.spot_widths(random.uniform(-500, 500, n))[..., None]
    spot = (
        np.exp(-0.5 * ((96.0 * (np.arange(size) + 0.5) - place) / widths) ** 2) * 96.0 / (np.sqrt(2 * np.pi) * widths)
    )
    return random.poisson(10.0 + 2000.0 * spot[:, 1, :, None] * spot[:, 0, None, :])


def rows() -> list[dict[str, Any]]:
    branching = "particles branch: no NumPy version"
    scans, molecules = events.stm_topographs(100, seed=1), events.single_molecules(400, seed=1)
    table = [
        rate(
            "events, neutrino displays", partial(events.neutrino_displays, 600, seed=1), 600, goal=GOAL, note=branching
        ),
        rate("events, argon pixels", partial(events.tpc_pixels, 600, seed=1), 600, goal=GOAL, note=branching),
        rate("events, scenes", partial(events.scenes, 400, seed=1), 400, goal=GOAL, note=branching),
        rate(
            "events, tracker",
            partial(events.tracker_hits, 4000, seed=1),
            4000,
            goal=GOAL,
            plain=(partial(plain_hits, 4000), 4000),
            note="12 helices; NumPy without sorting and edges",
        ),
        rate(
            "events, single molecules",
            partial(events.single_molecules, 20_000, seed=1),
            20_000,
            goal=GOAL,
            plain=(partial(plain_molecules, 5000), 5000),
        ),
        rate(
            "events, topographs",
            partial(events.stm_topographs, 400, seed=1),
            400,
            goal=GOAL,
            plain=(partial(plain_scans, 5), 5),
        ),
        rate("events, molecule fits", partial(events.fit_molecules, molecules.images), 400, unit="fits/s", repeats=1),
        rate("events, Wiener filter", partial(events.wiener_gap, scans.height), 100, unit="scans/s"),
    ]
    for name, call in (("displays", "neutrino_displays"), ("tracker", "tracker_hits")):
        seconds = first_call(f"from dlphys.simulators import events\nevents.{call}(2, seed=1)")
        table.append(figure(f"events, first call, {name}", seconds, "s", note="compiles: empty cache"))
    return table
