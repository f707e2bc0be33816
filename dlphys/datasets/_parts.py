"""What the loaders of simulated sets share: dividing events, and keeping what took long to simulate."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from dlphys._random import Seed, generator
from dlphys.datasets import _cache
from dlphys.datasets._dataset import Arrays, count, take
from dlphys.datasets._source import announce


def divided(
    x: Arrays, y: Arrays, extra: dict[str, np.ndarray] | None = None, *, validation: int, test: int
) -> dict[str, Any]:
    """The fields of a `Dataset`: the last ``test`` events to test, those before for validation, the rest to train.

    For independent events in no order, such as simulated ones. No array is copied.
    """
    n = count(x, "x")
    cuts = {
        "train": slice(0, n - validation - test),
        "validation": slice(n - validation - test, n - test),
        "test": slice(n - test, n),
    }
    fields: dict[str, Any] = {}
    for part, chosen in cuts.items():
        fields[f"x_{part}"], fields[f"y_{part}"] = take(x, chosen), take(y, chosen)
        fields[f"extra_{part}"] = take(extra or {}, chosen)
    return fields


def held_out(n: int, share: float) -> int:
    """How many of ``n`` events a share is: at least one."""
    return max(1, round(n * share))


def simulated(
    name: str,
    seed: Seed,
    parameters: dict[str, Any],
    module: ModuleType,
    keys: tuple[str, ...],
    make: Callable[[], dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """The arrays of ``make()``, from the cache if they were simulated before, and the line that says so.

    For sets that take longer than a second or two to simulate. A generator has no name to keep them under.

    Parameters
    ----------
    name : str
    seed : int or numpy.random.Generator
    parameters : dict
        Everything beside the seed that decides what ``make`` returns, as JSON would hold it.
    module : module
        The simulator; its source code is part of the key.
    keys : tuple of str
        The keys of what ``make`` returns.
    make : callable
    """
    generator(seed)  # refused here, if it is wrong
    if isinstance(seed, np.random.Generator):
        announce(name, "simulated")
        return make()
    arrays, recalled = _cache.recall("simulated", name, {**parameters, "seed": int(seed)}, module, keys, make)
    announce(name, f"simulated{' before, from the cache' if recalled else ''}")
    return arrays
