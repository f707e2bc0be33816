"""Performance bars: measured with seeds, stored with their spread, never guessed.

A bar is the one-sided tolerance limit that a correct solution passes in 99 % of runs, with 95 %
confidence, given the mean and standard deviation of n runs (W. A. Wallis 1951; the factor comes from
the noncentral t distribution: 3.98 for 10 runs, 3.30 for 20).
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlphys._validation import check_count
from dlphys.checks import references

__all__ = ["Stored", "fingerprint", "measure", "stored", "tolerance_factor"]

FILE = Path(__file__).with_name("bars.json")


@dataclass(frozen=True)
class Stored:
    """A measured bar; ``values`` are the results of the runs it comes from, in the order of the seeds."""

    bar: float
    mean: float
    standard_deviation: float
    runs: int
    better: str
    unit: str
    values: tuple[float, ...]
    fingerprint: str
    command: str


def tolerance_factor(runs: int, *, share: float = 0.99, confidence: float = 0.95) -> float:
    """Factor k of the one-sided tolerance limit mean - k s for a normal distribution.

    >>> round(tolerance_factor(10), 2), round(tolerance_factor(20), 2)
    (3.98, 3.3)
    """
    from scipy import stats

    check_count(runs=runs, minimum=2)
    for name, value in (("share", share), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie in (0, 1), got {value!r}")
    root = math.sqrt(runs)
    return float(stats.nct.ppf(confidence, runs - 1, stats.norm.ppf(share) * root) / root)


@functools.cache
def _all() -> dict[str, dict[str, Any]]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


def stored(id: str, source: str = "simulated") -> Stored:
    """The bar of a task for one source of data ("simulated", "real" or "stand-in").

    Raises
    ------
    LookupError
        If it was never measured.
    """
    if not isinstance(id, str) or not isinstance(source, str):
        raise TypeError(f"id and source must be strings, got {id!r} and {source!r}")
    try:
        entry = _all()[id][source]
    except KeyError:
        raise LookupError(f"no bar of {id!r} on {source} data was measured: run `dlphys bars`") from None
    return Stored(**{**entry, "values": tuple(entry["values"])})


def fingerprint(id: str, source: str = "simulated") -> str:
    """Hash of what the measurement depends on: the chapter's parameters and references, and the measuring code."""
    from dlphys.checks import engine

    engine.load(id)
    if (id, source) not in engine.BARS:
        raise LookupError(f"no bar of {id!r} is defined on {source} data")
    measuring = engine.BARS[id, source]
    content = references.payload(references.stem_of(id))
    code = [
        content["parameters"],
        *(task.get("code", "") for task in content["tasks"]),
        inspect.getsource(measuring.measure),
    ]
    text = "".join("".join(code).split())  # a line break asks for no new measurement
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def measure(stem: str, *, seeds: int = 10, only: str | None = None) -> Iterator[tuple[str, str, Stored]]:
    """Measure every bar of a chapter and store it; yields (task, source, bar) as each is done.

    Parameters
    ----------
    stem : str
        The chapter, such as "ch08_convolutional".
    seeds : int
        Number of runs, at least 5.
    only : str, optional
        Measure the bar of this task alone.
    """
    from dlphys.checks import engine

    check_count(seeds=seeds, minimum=5)
    if stem not in references.stems():
        raise ValueError(f"there is no chapter {stem!r}; known: {', '.join(references.stems())}")
    engine.load_module(stem)
    mine = {task["id"] for task in references.known(stem)}
    for (id, source), bar in sorted(engine.BARS.items()):
        if id not in mine or (only is not None and id != only):
            continue
        values = []
        for seed in range(1, seeds + 1):
            values.append(float(bar.measure(seed)))
            print(f"  {id} ({source}) seed {seed}: {values[-1]:.6g}", file=sys.stderr, flush=True)
        mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
        sign = -1 if bar.better == "higher" else 1
        result = Stored(
            bar=float(f"{mean + sign * tolerance_factor(seeds) * spread:.6g}"),
            mean=float(f"{mean:.6g}"),
            standard_deviation=float(f"{spread:.3g}"),
            runs=seeds,
            better=bar.better,
            unit=bar.unit,
            values=tuple(float(f"{value:.6g}") for value in values),
            fingerprint=fingerprint(id, source),
            command=f"dlphys bars {stem} --seeds {seeds}",
        )
        _store(id, source, result)
        yield id, source, result


def _store(id: str, source: str, result: Stored) -> None:
    everything = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    everything.setdefault(id, {})[source] = asdict(result)
    text = json.dumps(everything, indent=1, sort_keys=True) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=FILE.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, FILE)
    _all.cache_clear()
