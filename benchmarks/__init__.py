"""Speed, measured: each module has `rows()`, and `python -m benchmarks` prints all of them beside their goals.

A row is what `figure` or `rate` returns. A rate is the number of events over the wall time with all cores; beside it
stand the rate per second of processor time of one core, the goal, a peer's rate (from the reference, measured or
published on other machines), and how many times faster it is than plain NumPy measured in the same run.
"""

import os
import subprocess
import sys
import tempfile
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


def figure(name: str, value: float, unit: str, *, goal: float | None = None, note: str = "") -> dict[str, Any]:
    """A row that is no rate: seconds, a ratio."""
    return {"name": name, "value": value, "unit": unit, "goal": goal, "note": note}


def rate(
    name: str,
    call: Callable[[], Any],
    count: float,
    *,
    unit: str = "events/s",
    goal: float | None = None,
    peer: tuple[float, str] | None = None,
    plain: tuple[Callable[[], Any], float] | None = None,
    note: str = "",
    repeats: int = 3,
) -> dict[str, Any]:
    """Measure how many of something a second ``call`` makes.

    Parameters
    ----------
    name : str
        "module, what", as it stands in the table.
    call : callable
        Makes ``count`` of them with all cores. It is called once before the measurement, so that compilation and
        imports do not count.
    count : float
        In the unit of the numerator of ``unit``.
    goal : float, optional
        On two cores; from `reference/simulators.md`.
    peer : (float, str), optional
        Rate of another program, and its name.
    plain : (callable, float), optional
        A version in plain NumPy and how many it makes; one core.
    """
    call()
    wall, processor = best(call, repeats)
    row = figure(name, count / wall, unit, goal=goal, note=note)
    row["per_core"] = count / processor
    if peer is not None:
        row["peer"], row["peer_name"] = peer
    if plain is not None:
        slow, many = plain
        slow()
        row["over_plain"] = row["per_core"] * best(slow, repeats)[1] / many
    return row


def first_call(code: str) -> float:
    """Seconds of a statement in a new process with an empty cache of compiled code, imports not counted.

    ``code`` is two lines: the imports, and the call.
    """
    imports, call = code.strip().split("\n")
    timed = f"import time\n{imports}\nbegin = time.perf_counter()\n{call}\nprint(time.perf_counter() - begin)"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        output = subprocess.run(
            [sys.executable, "-c", timed], env=environment, check=True, capture_output=True, text=True
        )
    return float(output.stdout.splitlines()[-1])
