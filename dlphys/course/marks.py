"""Points that a person gave: a CSV file with one line a student and open question."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dlphys._validation import check_number, shown
from dlphys.course import _tables

__all__ = ["COLUMNS", "Mark", "read"]

COLUMNS = ("student", "question", "points", "comment")


class Mark(NamedTuple):
    """The points of one student for one open question, and what the student is told."""

    student: str
    question: str
    points: float | None = None
    comment: str = ""


def read(path: str | Path) -> list[Mark]:
    """Read marks, as the page of the open questions saves them.

    Parameters
    ----------
    path : path
        A CSV file with the columns ``student``, ``question``, ``points`` and ``comment``. Without points a question
        stays open, and its comment is kept.

    Returns
    -------
    list of Mark

    Raises
    ------
    ValueError
        If there is no such file, a column is missing, a line has no student or no question, points that are no
        number from 0 upwards, or marks what another line has marked.
    TypeError
        If path is no path.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = "student,question,points,comment\\nada,answer-8-1,1.5,Why a mean?\\n"
    ...     _ = Path(folder, "marks.csv").write_text(table)
    ...     read(Path(folder, "marks.csv"))
    [Mark(student='ada', question='answer-8-1', points=1.5, comment='Why a mean?')]
    """
    found: dict[tuple[str, str], Mark] = {}
    for where, row in _tables.rows(path, COLUMNS, what="marks"):
        student, question = row["student"], row["question"]
        if not student or not question:
            raise ValueError(f"{where}: a mark needs a student and a question")
        if (student, question) in found:
            raise ValueError(f"{where}: {student} has a mark for {question} already")
        try:
            points = float(row["points"].replace(",", ".")) if row["points"] else None
            checked = None if points is None else check_number(minimum=0, points=points)
        except ValueError:
            raise ValueError(f"{where}: points must be a number from 0 upwards, got {row['points']!r}") from None
        found[student, question] = Mark(student, question, checked, row["comment"])
    return list(found.values())


def given(marks: str | Path | Iterable[Mark] | None) -> dict[tuple[str, str], Mark]:
    """Marks from a file, or from elsewhere as (student, question, points, comment): (student, question) -> Mark."""
    if marks is None:
        return {}
    if isinstance(marks, str | Path):
        marks = read(marks)
    try:
        every = [Mark(*mark) for mark in marks]
    except TypeError:
        raise TypeError(
            f"marks must be a file or a list of (student, question, points, comment), got {shown(marks)}"
        ) from None
    for mark in every:
        if mark.points is not None:
            check_number(minimum=0, points=mark.points)
    return {(mark.student, mark.question): mark for mark in every}
