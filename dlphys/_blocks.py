"""Work in blocks of events: each block has random streams of its own and may be done by any thread.

So one seed gives the same bits for any number of threads, the first events do not depend on how many follow, and
memory stays bounded by the blocks in work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from dlphys._random import Seed, words


@dataclass(frozen=True)
class Streams:
    """Independent random generators, one for each quantity and block of events.

    With a stream a quantity, switching one effect on (noise, say) leaves all other quantities of a seed unchanged.
    """

    key: tuple[int, ...]

    @classmethod
    def of(cls, seed: Seed) -> Streams:
        """The streams of a seed; a generator is advanced by two words."""
        return cls(tuple(int(word) for word in words(seed, 2)))

    def __call__(self, quantity: int, block: int) -> np.random.Generator:
        """The generator of one quantity in one block. Compiled functions take it as an argument."""
        sequence = np.random.SeedSequence(self.key, spawn_key=(quantity, block))
        return np.random.Generator(np.random.SFC64(sequence))


def thread_count() -> int:
    """Processors that a container or batch system grants, at most eight, and ``OMP_NUM_THREADS`` if that is fewer."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(8, granted, int(limit) if limit.isdigit() and int(limit) > 0 else granted)


def fill_blocks(fill: Callable[[int, slice], None], n: int, *, block: int, title: str) -> None:
    """Call ``fill(number, events)`` for every block of ``block`` events; the last one may be shorter.

    Parameters
    ----------
    fill : callable
        Writes the events of one block into arrays of the caller. Called from threads if there are at least four
        blocks; it should spend its time in NumPy or in functions compiled with ``nogil=True``.
    n : int
        Number of events.
    block : int
        Events in a block: enough that Python's share is small, few enough for a processor's cache.
    title : str
        Stands beside the progress bar, which appears after two seconds.
    """
    events = slices(n, block)
    if len(events) < 4:
        for number, chosen in enumerate(events):
            fill(number, chosen)
        return
    from tqdm.auto import tqdm  # here: importing it takes longer than a small sample

    pool = ThreadPoolExecutor(min(thread_count(), len(events)))
    try:
        done = pool.map(fill, range(len(events)), events)
        for _ in tqdm(done, total=len(events), delay=2, desc=title, unit="block"):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def slices(n: int, block: int) -> list[slice]:
    """The events of each block."""
    return [slice(first, min(first + block, n)) for first in range(0, n, block)]
