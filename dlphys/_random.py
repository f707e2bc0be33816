"""Random numbers: every draw comes from a seed that the caller gave."""

from __future__ import annotations

import numbers
from typing import TypeAlias

import numpy as np

from dlphys._validation import shown

Seed: TypeAlias = int | np.random.Generator


def generator(seed: Seed) -> np.random.Generator:
    """The generator of ``seed``: a whole number of at least 0, or a generator, which is used as it is."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, numbers.Integral):
        raise TypeError(
            f"seed must be a whole number or a numpy.random.Generator, got {shown(seed)} ({type(seed).__name__})"
        )
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    return np.random.default_rng(int(seed))


def words(seed: Seed, count: int) -> np.ndarray:
    """``count`` independent 64-bit words to start compiled random streams from; shape (count,), uint64."""
    return generator(seed).integers(0, 2**64, size=count, dtype=np.uint64)
