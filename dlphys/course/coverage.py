"""Which systems of the course are shown by which notebook, and which are still owed.

``coverage.csv`` lists what the course must contain (exercises with their parts, examples, methods,
lectures); ``owed.csv`` lists what no notebook covers yet, with the step of the project that owes it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from dlphys._validation import shown
from dlphys.course._source import Source, claims, first_literal, read, source_paths

__all__ = ["Row", "coverage", "text"]


@dataclass(frozen=True)
class Entry:
    """A line of coverage.csv: one system of the course, or one numbered part of an exercise."""

    id: str
    source: str
    home: str
    tier: str
    kind: str
    title: str
    target: str


@dataclass(frozen=True)
class Row:
    """One system of the course and where it stands.

    ``covered_by`` names each place ("ch08_convolutional: task 8.1a"), ``step`` the step of the project that owes it.
    An exercise with parts has the places of its parts, and none while one of them has none.
    """

    id: str
    source: str
    home: str
    tier: str
    kind: str
    title: str
    covered_by: tuple[str, ...]
    step: str

    @property
    def covered(self) -> bool:
        return bool(self.covered_by)


def coverage(root: str | Path) -> list[Row]:
    """Every system of the course, with the cells that cover it.

    Parameters
    ----------
    root : path
        The checkout, with ``notebooks/source``.

    Returns
    -------
    list of Row
        In the order of coverage.csv.

    Raises
    ------
    TypeError, ValueError
        If ``root`` is not a folder.
    SourceError
        If a source cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "notebooks/source").mkdir(parents=True)
    ...     rows = coverage(folder)
    >>> rows[0].id, rows[0].covered
    ('E3.2', False)
    """
    folder = checked_root(root)
    places: dict[str, list[str]] = {}
    for path in source_paths(folder):
        for id, place in _places(read(folder, path)):
            places.setdefault(id, []).append(place)
    entries, steps = table(), owed()
    for id in entries:
        parts = [part for part in entries if part.startswith(f"{id}/")]
        if parts:
            complete = all(part in places for part in parts)
            places[id] = [place for part in parts for place in places[part]] if complete else []
    return [
        Row(
            e.id,
            e.source,
            e.home,
            e.tier,
            e.kind,
            e.title,
            tuple(dict.fromkeys(places.get(e.id, ()))),
            steps.get(e.id, ""),
        )
        for e in entries.values()
    ]


def text(rows: Iterable[Row]) -> str:
    """The table of coverage as text: one line a system, a count at the end.

    Examples
    --------
    >>> row = Row("X8.2", "book", "ch08", "example", "example", "56 parameters", ("ch08_examples: claim X8.2",), "")
    >>> print(text([row]))
    X8.2     ch08  ch08_examples: claim X8.2  56 parameters
    1 of 1 covered
    """
    listed = list(rows)
    for row in listed:
        if not isinstance(row, Row):
            raise TypeError(f"rows must hold the rows that coverage(root) returns, got {shown(row)}")
    states = ["; ".join(row.covered_by) or (f"owed by {row.step}" if row.step else "missing") for row in listed]
    width, home = max(map(len, states), default=0), max((len(row.home) for row in listed), default=0)
    lines = [
        f"{row.id:8} {row.home:{home}}  {state:{width}}  {row.title}" for row, state in zip(listed, states, strict=True)
    ]
    return "\n".join([*lines, f"{sum(row.covered for row in listed)} of {len(listed)} covered"])


def checked_root(root: str | Path) -> Path:
    """The folder of a checkout, or an error that names it."""
    if not isinstance(root, str | Path):
        raise TypeError(f"root must be the path of a checkout, got {shown(root)} ({type(root).__name__})")
    if not Path(root).is_dir():
        raise ValueError(f"root must be an existing folder, got {str(root)!r}")
    return Path(root).resolve()


def table() -> dict[str, Entry]:
    """coverage.csv by id."""
    with files("dlphys.course").joinpath("coverage.csv").open(encoding="utf-8") as lines:
        return {line["id"]: Entry(**line) for line in csv.DictReader(lines)}


def owed() -> dict[str, str]:
    """owed.csv: the step of the project that owes an id."""
    with files("dlphys.course").joinpath("owed.csv").open(encoding="utf-8") as lines:
        return {line["id"]: line["step"] for line in csv.DictReader(lines)}


def _places(source: Source) -> list[tuple[str, str]]:
    """(id, place) for everything a source covers; an example, method or lecture counts by its claim."""
    claimed = {first_literal(call) for cell in source.cells for call, _ in claims(cell)}
    found = []
    for cell in source.cells:
        for id in cell.covers:
            if cell.task is not None:
                found.append((id, f"{source.name}: task {cell.task}"))
            elif "answer" in cell.tags:
                found.append((id, f"{source.name}: answer in line {cell.line}"))
            elif id in claimed:
                found.append((id, f"{source.name}: claim {id}"))
    return found
