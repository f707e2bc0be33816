"""A page on which a person marks the open questions: opened from the disk, question by question, saved as a table.

Answers are shown as the text that was written, formulas and all, never rendered: so a page cannot do what a student
wants, and nothing is lost that a half-finished formula means. Pictures that were put into the cell are shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course import _tables, answers
from dlphys.course._html import page
from dlphys.course.results import Part, Result, checked

__all__ = ["write"]


def write(results: Iterable[Result], file: str | Path, *, title: str = "Open questions") -> Path:
    """Write the page.

    Parameters
    ----------
    results : iterable of Result
        As `results.combine` returns them for an assignment with open questions; marks that they have are on the page.
    file : path
        The page. It saves ``marks.csv``, which `results.combine` reads.
    title : str
        Name of the assignment. A browser keeps what was typed under this name.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If an argument is of another kind.
    ValueError
        If there is no open question.

    Examples
    --------
    >>> write([], "questions.html")
    Traceback (most recent call last):
        ...
    ValueError: results must have open questions to mark, got none
    """
    every = checked(results)
    if not isinstance(file, str | Path):
        raise TypeError(f"file must be a path, got {shown(file)}")
    if not isinstance(title, str):
        raise TypeError(f"title must be a text, got {shown(title)}")
    asked: dict[str, dict[str, Any]] = {}
    hand_ins: dict[tuple[str, str], Part] = {}
    members: dict[tuple[str, str], list[Result]] = {}
    for result in every:
        for part in result.parts:
            for answer in part.answers:
                asked.setdefault(answer.question.id, {"question": answer.question, "answers": []})
            if part.handed_in is not None and part.answers:
                key = (part.notebook, part.author)
                if key not in hand_ins or result.student == part.author:
                    hand_ins[key] = part
                members.setdefault(key, []).append(result)
    if not asked:
        raise ValueError("results must have open questions to mark, got none")
    for key, part in hand_ins.items():
        assert part.handed_in is not None
        written = answers.read(part.handed_in.path, [answer.question.id for answer in part.answers])
        for answer in part.answers:
            found = written[answer.question.id]
            names = [result.name or result.student for result in members[key]]
            text = f"{found.text}{found.pictures}".encode("utf-8", "replace")
            asked[answer.question.id]["answers"].append(
                {
                    "student": part.author,
                    "names": names,
                    "written": found,
                    "mark": answer,
                    "print": hashlib.sha256(text).hexdigest()[:16],
                }
            )
    store = f"dlphys marks {title} {' '.join(asked)}"
    content = page("questions.html", script="questions.js", title=title, questions=list(asked.values()), store=store)
    return _tables.save(file, content)
