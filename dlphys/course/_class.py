"""Who is in a class, who works with whom, who has more time, and who handed in what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dlphys.course import _tables, roster
from dlphys.course.records import HandedIn, Record
from dlphys.course.roster import Person

LARGEST_GROUP = 5  # a larger one is a tutorial, and not students who hand in together


class Class:
    """Who there is, who works with whom, and who handed in what."""

    def __init__(
        self, records: list[Record], people: Mapping[str, Person], groups: str | Path | Mapping[str, str] | None
    ) -> None:
        self.people = people
        self.records: dict[str, list[Record]] = {}
        self.called: dict[str, str] = {}
        for record in records:
            student = login(record.handed_in, people)
            self.records.setdefault(student, []).append(record)
            if student != record.handed_in.student:
                self.called[student] = record.handed_in.student
        self.group = {name: person.group for name, person in people.items() if person.group}
        if groups is not None:
            self.group = _groups(groups)
            if people and (strange := [name for name in self.group if name not in people and name not in self.records]):
                raise ValueError(f"groups: there is no student {strange[0]!r}")
        self.members: dict[str, list[str]] = {}
        for student, group in self.group.items():
            self.members.setdefault(group, []).append(student)
        if large := [group for group, members in self.members.items() if len(members) > LARGEST_GROUP]:
            raise ValueError(
                f"groups: {large[0]!r} has {len(self.members[large[0]])} students, and one hand-in would count for "
                f"all; a group has at most {LARGEST_GROUP} (groups={{}}: none work together)"
            )
        unknown = sorted({*self.records, *self.group} - people.keys())
        self.students = [*people, *unknown]

    def team(self, student: str) -> list[str]:
        """The student, and who works with them."""
        return self.members.get(self.group.get(student, ""), [student])


def login(handed_in: HandedIn, people: Mapping[str, Person]) -> str:
    """The student in the roster, by login, or else by an e-mail address or full name that only one has."""
    if handed_in.student in people:
        return handed_in.student
    return roster.login_of(people, handed_in.student, handed_in.name) or handed_in.student


def _groups(groups: str | Path | Mapping[str, str]) -> dict[str, str]:
    if isinstance(groups, Mapping):
        return {student: group for student, group in groups.items() if group}
    found: dict[str, str] = {}
    for where, row in _tables.rows(groups, ("student", "group"), what="groups"):
        if found.setdefault(row["student"], row["group"]) != row["group"]:
            raise ValueError(f"{where}: {row['student']} is in the group {found[row['student']]} already")
    return {student: group for student, group in found.items() if student and group}
