"""Whose number it is: tasks on the student's own data have an answer that is right for one student only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from dlphys._validation import shown
from dlphys.course.grade import TaskGrade
from dlphys.course.records import Record

__all__ = ["marked"]

DIGITS = 3  # with fewer, numbers agree by chance


def marked(records: Iterable[Record]) -> list[Record]:
    """The records, with the owners of copied numbers in `TaskGrade.copied`.

    A number that is wrong for the data of who handed it in, and equal, in all the digits that were given, to one that
    is right for somebody else's, is that one's. Numbers with fewer than three digits accuse nobody. Where the digits
    fit several students, all of them are named.

    Parameters
    ----------
    records : iterable of Record
        Of the whole class.

    Returns
    -------
    list of Record
        In the same order; points are left as they are.

    Raises
    ------
    TypeError
        If one of them is no record.

    Examples
    --------
    >>> marked([])
    []
    """
    records = list(records)
    if strangers := [record for record in records if not isinstance(record, Record)]:
        raise TypeError(f"records must be records of grades, got {shown(strangers[0])}")
    owners: dict[str, list[tuple[str, tuple[float, ...]]]] = {}
    for record in records:
        for task in record.grade.tasks:
            if task.answer and task.status == "passed":
                owners.setdefault(task.id, []).append((record.handed_in.student, task.answer))
    return [_with_owners(record, owners) for record in records]


def _with_owners(record: Record, owners: dict[str, list[tuple[str, tuple[float, ...]]]]) -> Record:
    def named(task: TaskGrade) -> TaskGrade:
        if not task.answer or task.status == "passed":
            return replace(task, copied=())
        found = [who for who, right in owners.get(task.id, []) if _same(task.answer, right)]
        return replace(task, copied=tuple(sorted(set(found) - {record.handed_in.student})))

    tasks = tuple(named(task) for task in record.grade.tasks)
    return record if tasks == record.grade.tasks else replace(record, grade=replace(record.grade, tasks=tasks))


def _same(given: tuple[float, ...], right: tuple[float, ...]) -> bool:
    """Whether all numbers agree in the digits that were given."""
    if len(given) != len(right):
        return False
    for number, other in zip(given, right, strict=True):
        digits = Decimal(repr(number)).normalize()
        if len(digits.as_tuple().digits) < DIGITS or abs(Decimal(repr(other)) - digits) > Decimal(5).scaleb(
            int(digits.as_tuple().exponent) - 1
        ):
            return False
    return True
