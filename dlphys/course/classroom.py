"""From what a class handed in to its grades: the steps of ``dlphys grade`` in their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from dlphys.course import assignment as asking
from dlphys.course import copies, grading, report, results, submissions
from dlphys.course import marks as by_hand
from dlphys.course import roster as class_list
from dlphys.course.assignment import Assignment
from dlphys.course.late import LateRule
from dlphys.course.marks import Mark
from dlphys.course.records import Record
from dlphys.course.results import Result
from dlphys.course.roster import Person

__all__ = ["grade"]


def grade(
    handed_in: str | Path,
    out: str | Path,
    *,
    assignment: str | Path | None = None,
    roster: str | Path | None = None,
    groups: str | Path | None = None,
    deadline: datetime | str | None = None,
    extensions: str | Path | None = None,
    late: LateRule | float | None = None,
    marks: str | Path | None = None,
    pages: str | Path | None = None,
    moodle: str | Path | None = None,
    records: str | Path | None = None,
    **settings: Any,
) -> list[Result]:
    """Grade a class, and write its grades.

    Parameters
    ----------
    handed_in : path
        As `submissions.find` reads it.
    out : path
        CSV file of the grades.
    assignment : path, optional
        ``COURSE/source/NAME``. Where COURSE is a course folder of nbgrader, its gradebook gets the grades as well, and
        the marks that were given in the formgrader count.
    roster, groups, deadline, extensions, late
        As of `results.combine`; the roster as a file.
    marks : path, optional
        CSV file of marks given by hand; they count before those of the formgrader.
    pages, moodle : path, optional
        Folder of the report (`report.write`), CSV file for Moodle.
    records : path, optional
        Folder of the records: by default ``COURSE/records/NAME``, or without a course beside the grades.
    **settings
        As of `grading.grade`.

    Returns
    -------
    list of Result
        One a student.

    Raises
    ------
    ValueError, TypeError
        If an argument, or a file, is wrong.
    sandbox.Unavailable
        If no sandbox can be made here.
    """
    table = Path(out)
    asked = None if assignment is None else asking.read(assignment)
    people = None if roster is None else class_list.read(roster)
    course = None if assignment is None else _course(Path(assignment))
    given = [] if marks is None else by_hand.read(marks)
    rule: dict[str, Any] = {"deadline": deadline, "late": late}
    results.combine([], **rule)  # what is wrong with them is said before anything is graded
    found = submissions.find(handed_in, assignment=asked, unpacked=table.with_suffix(".unpacked"))
    if not found:
        raise ValueError(f"there is no notebook in {str(handed_in)!r}")
    if people is not None:
        found = submissions.identify(found, people)
    beside = course / "records" / asked.name if course and asked else table.with_suffix(".records")
    graded = copies.marked(grading.grade(found, records or beside, assignment=asked, people=people, **settings))
    if course is not None and asked is not None:
        given = _with_formgrader(given, course, asked, graded, people)
    every = results.combine(
        graded, assignment=asked, people=people, groups=groups, extensions=extensions, marks=given, **rule
    )
    report.write_grades(every, table)
    if moodle is not None:
        report.write_moodle(every, moodle)
    if pages is not None:
        report.write(every, pages, assignment=asked)
    return every


def _course(assignment: Path) -> Path | None:
    """The course folder of nbgrader to which an assignment belongs, if it does."""
    folder = assignment.resolve().parent.parent
    return folder if (folder / "nbgrader_config.py").is_file() else None


def _with_formgrader(
    given: list[Mark],
    course: Path,
    asked: Assignment,
    graded: Sequence[Record],
    people: dict[str, Person] | None,
) -> list[Mark]:
    """Grades go into nbgrader's gradebook; the marks, with those from there that are not given already."""
    from dlphys.course import gradebook

    gradebook.write(course, asked.name, [record for record in graded if not record.handed_in.problem], people=people)
    students = {record.handed_in.student for record in graded} | set(people or {})
    taken = {(mark.student, mark.question) for mark in given}
    theirs = [Mark(*mark) for mark in gradebook.marks(course, asked.name)]
    return [*given, *(mark for mark in theirs if mark[:2] not in taken and mark.student in students)]
