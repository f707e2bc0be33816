"""Fields and site updates a second, beside hybrid Monte Carlo in NumPy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import figure, first_call, rate
from dlphys.simulators import lattice_field

FIELDS, PLAIN = 2048, 256
UPDATES = 64 * 100 * 10 * 1e-6  # million site updates of a default chain: sites, trajectories, steps


def rows() -> list[dict[str, Any]]:
    slow = partial(lattice_field.hmc_plain, np.zeros((PLAIN, 8, 8)), seed=1, trajectories=5)
    first = first_call("from dlphys.simulators import lattice_field\nlattice_field.simulate(8, seed=1)")
    return [
        rate(
            "lattice field, 8 x 8 sites",
            partial(lattice_field.simulate, FIELDS, seed=1),
            FIELDS,
            unit="fields/s",
            plain=(slow, PLAIN * 5 / 100),
            note="independent chains of 100 trajectories",
        ),
        rate(
            "lattice field, updates",
            partial(lattice_field.simulate, FIELDS, seed=1),
            FIELDS * UPDATES,
            unit="Msites/s",
            note="leapfrog steps",
        ),
        figure("lattice field, first call", first, "s", note="compiles: empty cache"),
    ]
