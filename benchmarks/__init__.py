"""Speed, measured: each module has `rows()`, and `python -m benchmarks` prints all of them beside their goals."""

import time
from collections.abc import Callable
from typing import Any


def best(call: Callable[[], Any], repeats: int = 5) -> tuple[float, float]:
    """Shortest wall time, and shortest processor time of all threads, in seconds."""
    runs = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        call()
        runs.append((time.perf_counter() - wall, time.process_time() - processor))
    walls, processors = zip(*runs, strict=True)
    return min(walls), min(processors)
