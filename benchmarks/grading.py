"""What grading a class costs: seconds a notebook, processor time beside the student's own, gain from a second worker.

The class are right solutions of a chapter whose tasks need NumPy only. Processor time is that of the whole computer,
since a sandbox that is ended takes its account with it: run this alone.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import figure
from dlphys.course import cluster, grading, sandbox
from dlphys.course.records import HandedIn

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "solution" / "ch03_building_blocks.ipynb"
CLASS = 60
LIBRARIES = 5  # times that the imports are measured


def busy() -> float:
    """Processor seconds of the whole computer so far."""
    import psutil

    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq")))


def imports() -> float:
    """Processor seconds of a Python that imports what the students' code needs, and nothing else."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(LIBRARIES):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-c", "import numpy"], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / LIBRARIES


def graded(workers: int) -> tuple[float, float]:
    """Wall and processor seconds a notebook, once the workers have graded a few."""
    walls = not sandbox.why_not()
    with tempfile.TemporaryDirectory() as folder, cluster.connect(workers, None) as client:
        address = client.scheduler.address

        def grade(names: list[str]) -> None:
            found = [HandedIn(name, NOTEBOOK.stem, NOTEBOOK) for name in names]
            records = grading.grade(found, folder, scheduler=address, walls=walls)
            assert all(record.grade.points == record.grade.maximum > 0 for record in records)

        grade([f"warm-{number}" for number in range(3 * workers)])
        begin = time.perf_counter(), busy()
        grade([f"s{number}" for number in range(CLASS)])
        return (time.perf_counter() - begin[0]) / CLASS, (busy() - begin[1]) / CLASS


def rows() -> list[dict[str, Any]]:
    one, two = graded(1), graded(2)
    walls = "in sandboxes" if not sandbox.why_not() else f"without walls: {sandbox.why_not()}"
    return [
        figure("grading, a notebook, 1 worker", one[0], "s", note=f"{CLASS} of {NOTEBOOK.stem}, {walls}"),
        figure("grading, a notebook, 2 workers", two[0], "s"),
        figure("grading, beyond the imports", one[1] - imports(), "s CPU", goal=3.0, note="goal is a maximum"),
        figure("grading, 2 workers over 1", one[0] / two[0], "times", goal=1.7),
    ]
