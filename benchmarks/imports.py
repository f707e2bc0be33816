"""CPU seconds of imports, each in a process of its own."""

import subprocess
import sys

from benchmarks import figure

GOALS = {"dlphys": 0.3, "dlphys.checks": 1.0, "dlphys.simulators.ising": 2.0, "dlphys.datasets": 2.0, "keras": 8.0}


def seconds(module: str) -> float:
    code = f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
    command = [sys.executable, "-c", code]
    times = sorted(float(subprocess.check_output(command, stderr=subprocess.DEVNULL)) for _ in range(3))
    return times[1]


def rows() -> list[dict]:
    return [
        figure(f"import {module}", seconds(module), "s CPU", goal=goal, note="median of 3; goal is a maximum")
        for module, goal in GOALS.items()
    ]
