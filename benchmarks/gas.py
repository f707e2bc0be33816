"""Gases a second, and estimates of their temperature."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks import rate
from dlphys.simulators import gas


def plain(n: int) -> np.ndarray:
    """The short way in NumPy: float64, one core."""
    random = np.random.default_rng(1)
    scale = np.sqrt(random.uniform(100.0, 1000.0, n) * gas.BOLTZMANN / (gas.ATOMS["helium"] * gas.DALTON))
    return np.linalg.norm(random.normal(size=(n, 100, 3)) * scale[:, None, None], axis=-1)


def rows() -> list[dict[str, Any]]:
    speeds = gas.simulate(4096, seed=1).speeds
    return [
        rate("gas, 100 atoms", partial(gas.simulate, 20_000, seed=1), 20_000, plain=(partial(plain, 5000), 5000)),
        rate("gas, maximum likelihood", partial(gas.maximum_likelihood, speeds), 4096, unit="estimates/s"),
        rate("gas, posterior mean", partial(gas.posterior_mean, speeds), 4096, unit="estimates/s", note="limit"),
    ]
