"""Brings a student's notebooks to a new release, or one task back to its beginning; nothing written is lost.

Every cell of a release has the hash of its own text as its id (`build`), so an edited cell is known by its id. Tasks
are found by their names in the metadata, and by the name of the function or class where those are gone.
"""

from __future__ import annotations

import copy
import re
import shutil
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from dlphys._validation import shown
from dlphys.checks import references
from dlphys.course.build import ANSWER, digest
from dlphys.course.run import write_whole

__all__ = ["Updated", "reset", "update"]

BACKUPS = "backups"


@dataclass(frozen=True)
class Updated:
    """What became of one notebook.

    Attributes
    ----------
    path : Path
    state : str
        "updated", "current" (nothing was to be done), "new" (copied from the release) or "not of the course".
    kept : tuple of str
        Tasks whose solution was kept.
    notes : tuple of str
        What a person should look at, a sentence each.
    backup : Path or None
        The notebook as it was before; None if nobody had written in it.
    """

    path: Path
    state: str
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    backup: Path | None = None

    def __str__(self) -> str:
        kept = f"; tasks kept: {', '.join(self.kept)}" if self.kept else ""
        backup = f"; as it was before: {self.backup}" if self.backup else ""
        return "\n".join([f"{self.state}  {self.path}{kept}{backup}", *(f"  {note}" for note in self.notes)])


def update(copies: str | Path, release: str | Path) -> list[Updated]:
    """Bring notebooks to a release, and add those that are missing.

    Solutions, answers, edited cells and cells of one's own are kept; where the release changed a cell that was
    edited, both texts stay. A notebook in which something was written is saved in ``backups/`` beside it first.

    Parameters
    ----------
    copies : path
        A notebook, or a folder of notebooks, also under other names than the release's.
    release : path
        A folder of released notebooks, or the one that ``dlphys build --release`` made.

    Returns
    -------
    list of Updated

    Raises
    ------
    ValueError, TypeError
        If a path does not exist, the release holds no notebook of the course, or a notebook cannot be read; then
        nothing has been written.
    """
    mine, theirs = _path("copies", copies), _path("release", release)
    if theirs.is_dir() and (theirs / "notebooks").is_dir():
        theirs = theirs / "notebooks"
    released = {source: (path, found) for path in _notebooks(theirs) if (source := _source(found := _read(path)))}
    if not released:
        raise ValueError(f"release must hold notebooks of the course, got {shown(str(release))}")
    before = {path: _read(path) for path in _notebooks(mine)}
    merged = {
        path: _merge(found, released[_source(found)][1]) for path, found in before.items() if _source(found) in released
    }

    done = [_write(path, before[path], *result) for path, result in merged.items()]
    done += [Updated(path, "not of the course") for path in before if path not in merged]
    if mine.is_dir():
        for source in sorted(set(released) - {_source(found) for found in before.values()}):
            path, found = released[source]
            target = mine / path.relative_to(theirs if theirs.is_dir() else theirs.parent)
            if target.exists():
                done.append(Updated(target, "not of the course", notes=(f"the release has a {source} of this name",)))
                continue
            write_whole(target, _text(found))
            done.append(Updated(target, "new"))
    return sorted(done, key=lambda entry: entry.path)


def reset(path: str | Path, id: str) -> Updated:
    """Put one task of a notebook back to its beginning.

    Parameters
    ----------
    path : path
        A notebook, or a folder with the notebook in it.
    id : str
        Such as "8.1a".

    Returns
    -------
    Updated
        Its backup holds what was there.

    Raises
    ------
    ValueError, TypeError
        If there is no such task or file, or no notebook, or more than one, with this task.
    """
    tasks = {task["id"]: task for stem in references.stems() for task in references.known(stem)}
    if not isinstance(id, str) or id not in tasks:
        raise ValueError(f"id must be a task of the course, such as '8.1a', got {shown(id)}")
    found = [(place, _read(place)) for place in _notebooks(_path("path", path))]
    having = [
        (place, one) for place, one in found if any(id in (_name(c, "task"), _name(c, "check")) for c in one.cells)
    ]
    if len(having) != 1:
        names = ", ".join(str(place) for place, _ in having) or "none"
        raise ValueError(f"exactly one notebook of '{path}' must have task {id}; have it: {names}")
    place, before = having[0]
    after = copy.deepcopy(before)
    own = next((cell for cell in after.cells if _name(cell, "task") == id), None)
    if own is None:  # the student removed the cell: its place is above its check
        own = nbformat.v4.new_code_cell(metadata={"dlphys": {"task": id, "points": tasks[id]["points"]}})
        after.cells.insert(next(k for k, cell in enumerate(after.cells) if _name(cell, "check") == id), own)
    if own.source == tasks[id]["stub"]:
        return Updated(place, "current")
    own.source, own.outputs, own.execution_count = tasks[id]["stub"], [], None
    return _write(place, before, after, (), ())


def _merge(mine: NotebookNode, new: NotebookNode) -> tuple[NotebookNode, tuple[str, ...], tuple[str, ...]]:
    """A notebook in the order of the release, the tasks whose solutions were kept, what a person should look at.

    What has no place in the release stands below the cell that it stood below.
    """
    merged = copy.deepcopy(new)
    homes = _homes(mine.cells, merged.cells)
    counts = _counting(mine.cells, homes)
    below = defaultdict[int, list[NotebookNode]](list)  # number of a cell of the release: what is to stand under it
    kept, notes, above = [], [], -1
    for number, (cell, home) in enumerate(zip(mine.cells, homes, strict=True)):
        above = above if home is None else home
        target = None if home is None else merged.cells[home]
        if target is not None and target.source == cell.source:
            _show_outputs_of(cell, target)
        elif not _written(cell):
            continue
        elif target is None and _released(cell):
            below[above].append(
                _as_text(cell, "You had edited a cell that the release has changed or left out. Yours was")
            )
            notes.append(
                f"the release has changed or left out a cell you edited; yours is kept as text: {_first_line(cell)}"
            )
        elif target is None:
            below[above].append(_own(cell))
        elif check := _name(target, "check"):
            below[above].append(_as_text(cell, f"Your version of the check of task {check} was"))
        elif counts[home] != number:
            below[above].append(_as_text(cell, "You had this cell twice. The other version was"))
            notes.append(
                f"a cell was there twice; the last version counts, the other is kept as text: {_first_line(cell)}"
            )
        else:
            if task := _name(target, "task"):
                kept.append(task)
                if _heading(cell) != _heading(target):
                    notes.append(f"task {task}: the release begins with '{_heading(target)}'; yours is kept")
            target.source = cell.source
            _show_outputs_of(cell, target)
    merged.cells = below[-1] + [cell for home, given in enumerate(merged.cells) for cell in (given, *below[home])]
    _make_ids_unique(merged.cells)
    return merged, tuple(kept), tuple(dict.fromkeys(notes))


def _homes(mine: Sequence[NotebookNode], new: Sequence[NotebookNode]) -> list[int | None]:
    """For each of the student's cells the number of the cell of the release that it is, or was."""
    kinds = ("task", "check")
    numbers = {kind: {name: k for k, cell in enumerate(new) if (name := _name(cell, kind))} for kind in kinds}
    ids = {cell.id: number for number, cell in enumerate(new) if not _is_answer(cell)}
    answers = {new[number - 1].id: number for number, cell in enumerate(new) if number and _is_answer(cell)}
    there = {_name(cell, "task") for cell in mine}
    lost = {_object(new[number]): number for task, number in numbers["task"].items() if task not in there}
    homes: list[int | None] = []
    for number, cell in enumerate(mine):
        if _is_answer(cell):  # these are alike: the question above tells them apart
            homes.append(answers.get(mine[number - 1].get("id", "")) if number else None)
            continue
        named = [numbers[kind].get(_name(cell, kind)) for kind in kinds]
        candidates = [*named, ids.get(cell.get("id")), lost.get(_object(cell))]
        alike = (home for home in candidates if home is not None and new[home].cell_type == cell.cell_type)
        homes.append(next(alike, None))
    return homes


def _counting(cells: Sequence[NotebookNode], homes: Sequence[int | None]) -> dict[int | None, int]:
    """Of several cells with one home the last one that was written in: it is what a run ends with."""
    return {home: number for number, home in enumerate(homes) if _written(cells[number])}


def _name(cell: NotebookNode, what: str) -> str:
    """The task or the check that a cell is, "" if it is none."""
    return str(cell.metadata.get("dlphys", {}).get(what, ""))


def _released(cell: NotebookNode) -> bool:
    """Whether a release made the cell, whatever has become of its text."""
    return re.fullmatch(r"[0-9a-f]{12}-\d+", cell.get("id", "")) is not None


def _written(cell: NotebookNode) -> bool:
    """Whether a person has written something in a cell."""
    as_released = _released(cell) and cell.id.startswith(digest(cell.cell_type, cell.source))
    return bool(cell.source.strip()) and not as_released


def _is_answer(cell: NotebookNode) -> bool:
    return cell.get("id", "").startswith(digest("markdown", ANSWER))


def _heading(cell: NotebookNode) -> str:
    """The line that begins the function or class of a task, such as ``def weights(self, n)``."""
    found = re.search(r"^(?:def|class) [^:\n]*", cell.source, re.MULTILINE) if cell.cell_type == "code" else None
    return found[0].strip() if found else ""


def _object(cell: NotebookNode) -> str:
    """As `_heading`, without arguments and bases."""
    return _heading(cell).partition("(")[0]


def _first_line(cell: NotebookNode) -> str:
    return shown(cell.source.strip().splitlines()[0])


def _show_outputs_of(cell: NotebookNode, target: NotebookNode) -> None:
    if cell.cell_type == target.cell_type == "code":
        target.outputs, target.execution_count = copy.deepcopy(cell.outputs), cell.execution_count


def _own(cell: NotebookNode) -> NotebookNode:
    """A cell of one's own: no grader looks for it."""
    own = copy.deepcopy(cell)
    for key in ("nbgrader", "dlphys"):
        own.metadata.pop(key, None)
    return own


def _as_text(cell: NotebookNode, sentence: str) -> NotebookNode:
    """What is kept to be read: it does not run, so it cannot undo what the release says."""
    text = cell.source
    if cell.cell_type == "code":
        fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
        text = f"{fence}python\n{text}\n{fence}"
    return nbformat.v4.new_markdown_cell(f"*{sentence}:*\n\n{text}")


def _make_ids_unique(cells: Sequence[NotebookNode]) -> None:
    taken: set[str] = set()
    for cell in sorted(cells, key=_released, reverse=True):  # the release's cells keep theirs
        if cell.get("id") in taken or "id" not in cell:
            cell.id = uuid.uuid4().hex
        taken.add(cell.id)


def _path(name: str, path: str | Path) -> Path:
    if not isinstance(path, str | Path):
        raise TypeError(f"{name} must be a path, got {shown(path)}")
    if not Path(path).exists():
        raise ValueError(f"{name} must be a notebook or a folder that exists, got {shown(str(path))}")
    return Path(path)


def _notebooks(place: Path) -> list[Path]:
    """One notebook, or all below a folder: no checkpoints, no backups."""
    if place.is_file():
        return [place]
    found = sorted(place.rglob("*.ipynb"))
    return [path for path in found if not any(_hidden(part) for part in path.relative_to(place).parts)]


def _hidden(part: str) -> bool:
    return part.startswith(".") or part == BACKUPS


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # whatever a broken file makes nbformat raise
        raise ValueError(f"{path} cannot be read as a notebook: {type(error).__name__}: {error}") from None


def _source(found: NotebookNode) -> str:
    return str(found.metadata.get("dlphys", {}).get("source", ""))


def _write(path: Path, before: NotebookNode, after: NotebookNode, kept: Sequence[str], notes: Sequence[str]) -> Updated:
    """Save a notebook if it changed, and first what it was, if somebody has written in it."""
    if after == before:
        return Updated(path, "current", tuple(kept), tuple(notes))
    backup = _back_up(path) if any(_written(cell) for cell in before.cells) else None
    write_whole(path, _text(after))
    return Updated(path, "updated", tuple(kept), tuple(notes), backup)


def _back_up(path: Path) -> Path:
    number = 1
    while (backup := path.parent / BACKUPS / f"{path.stem}.{number}.ipynb").exists():
        number += 1
    backup.parent.mkdir(exist_ok=True)
    shutil.copy2(path, backup)
    return backup


def _text(notebook: NotebookNode) -> str:
    return str(nbformat.writes(notebook)) + "\n"
