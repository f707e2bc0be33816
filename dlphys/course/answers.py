"""What students wrote to open questions, read from their notebooks as text.

An answer is the cell that bears the question's ``grade_id``, wherever it has been moved to, all of them if it was
copied, and the student's own cells directly below, since many leave the cell as it is and write into a new one. If the
cell is gone, all text cells are shown that are not the course's.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course import submission

__all__ = ["Written", "read"]

# What stands in the cell before anybody has answered.
EMPTY = re.compile(r"\*?Your answer, in a few sentences:\*?|YOUR ANSWER HERE")
COURSE_CELL = re.compile(r"[0-9a-f]{12}-\d+")  # the ids that the build gives; other programs write others
LONGEST = 20_000  # characters of an answer that are shown
BELOW = 6  # cells below an answer that are looked at
PICTURES = ("image/png", "image/jpeg")
LARGEST_PICTURE = 4 << 20  # characters in base64


@dataclass(frozen=True)
class Written:
    """An answer as it was handed in.

    Attributes
    ----------
    text : str
        "" if nothing was written.
    note : str
        Where it was found, if not where it was asked for, or why it could not be read.
    pictures : tuple of str
        Pictures that were put into the cell, as data URLs.
    """

    text: str
    note: str = ""
    pictures: tuple[str, ...] = ()


def read(path: str | Path, questions: Sequence[str]) -> dict[str, Written]:
    """The answers of one notebook.

    Parameters
    ----------
    path : path
        What was handed in; nothing of it is executed, and no link is followed.
    questions : sequence of str
        The ``grade_id`` of each.

    Returns
    -------
    dict, question -> Written

    Raises
    ------
    TypeError
        If path is no path, or questions no sequence of strings.

    Examples
    --------
    >>> read("no/such.ipynb", ["answer-8-1"])
    {'answer-8-1': Written(text='', note='there is no file such.ipynb', pictures=())}
    """
    if isinstance(questions, str) or not all(isinstance(question, str) for question in questions):
        raise TypeError(f"questions must be a sequence of grade_ids, got {shown(questions)}")
    try:
        cells = _cells(path)
    except submission.Unreadable as error:
        return {question: Written("", str(error)) for question in questions}
    return {question: _written(cells, question) for question in questions}


@dataclass(frozen=True)
class _Cell:
    kind: str
    id: str  # of the cell
    grade_id: str
    text: str
    pictures: tuple[str, ...]

    @property
    def own(self) -> bool:
        """Whether the student has made it."""
        return not self.grade_id and not COURSE_CELL.fullmatch(self.id)


def _cells(path: str | Path) -> list[_Cell]:
    with submission.opened(path) as file:
        try:
            return [_cell(cell) for cell in json.loads(file.read())["cells"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise submission.Unreadable(f"the file is no notebook ({type(error).__name__})") from None


def _cell(cell: dict[str, Any]) -> _Cell:
    metadata = cell.get("metadata") or {}
    role = metadata.get("nbgrader") or {}
    attached = cell.get("attachments") or {}
    pictures = [
        f"data:{kind};base64,{data}"
        for bundle in attached.values()
        for kind, content in bundle.items()
        if kind in PICTURES and (data := _base64(content))
    ]
    return _Cell(
        str(cell["cell_type"]),
        str(cell.get("id", "")),
        str(role.get("grade_id", "")),
        submission._text(cell["source"]),
        tuple(pictures),
    )


def _base64(content: Any) -> str:
    """Checked base64 on one line; "" if it is none, or too large to show."""
    text = "".join("".join(content).split()) if isinstance(content, str | list) else ""
    try:
        return text if len(text) <= LARGEST_PICTURE and base64.b64decode(text, validate=True) else ""
    except (binascii.Error, ValueError):
        return ""


def _written(cells: Sequence[_Cell], question: str) -> Written:
    found = [number for number, cell in enumerate(cells) if cell.grade_id == question]
    own, notes = [cells[number] for number in found], []
    if not found:
        own = [cell for cell in cells if cell.own and cell.kind == "markdown"]
        notes.append("the cell of this question is gone; these are all text cells of the student's own")
    for number in found:
        below = []
        for cell in cells[number + 1 : number + 1 + BELOW]:
            if not cell.own:
                break
            below.append(cell)
        if any(_words(cell) for cell in below):
            notes.append("with cells that the student added below")
        own += [cell for cell in below if cell not in own]
    texts = list(dict.fromkeys(filter(None, map(_words, own))))
    text = "\n\n".join(texts)
    if len(text) > LONGEST:
        notes.append(f"only the first {LONGEST} of {len(text)} characters")
    pictures = tuple(dict.fromkeys(picture for cell in own for picture in cell.pictures))
    if not text and not pictures:
        notes = notes if not found else []
    return Written(text[:LONGEST], "; ".join(dict.fromkeys(notes)), pictures)


def _words(cell: _Cell) -> str:
    return EMPTY.sub("", cell.text).strip()
