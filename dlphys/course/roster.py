"""Who is in the class: a CSV file with one line a student."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlphys._validation import shown
from dlphys.course import _tables

__all__ = ["COLUMNS", "Person", "login_of", "read"]

COLUMNS = ("student", "name", "email", "group", "key")
LOGIN = re.compile(r"[\w][\w.@+-]*")


@dataclass(frozen=True)
class Person:
    """One student.

    Attributes
    ----------
    student : str
        The login: name of the folder that is handed in, of the user of the hub, of the student in nbgrader.
    name, email, group : str
        "" where the roster does not say.
    key : str
        Of the student's own data, as in ``DLPHYS_STUDENT``; the login where the roster does not say.
    """

    student: str
    name: str = ""
    email: str = ""
    group: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", self.student)


def read(path: str | Path) -> dict[str, Person]:
    """Read a roster.

    Parameters
    ----------
    path : path
        A CSV file with a header: ``student`` and, where wanted, ``name``, ``email``, ``group``, ``key``. Other columns
        are left alone. Separated by commas or semicolons, as spreadsheets write them.

    Returns
    -------
    dict, login -> Person
        In the order of the file.

    Raises
    ------
    ValueError
        If there is no such file, no column ``student``, or a line without a login, with one that no folder can have,
        with one that stands there already, or with another student's key.
    TypeError
        If path is no path.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "class.csv").write_text("student,name\\nada,Ada Lovelace\\n")
    ...     read(Path(folder, "class.csv"))
    {'ada': Person(student='ada', name='Ada Lovelace', email='', group='', key='ada')}
    """
    people: dict[str, Person] = {}
    keys: dict[str, str] = {}
    for where, row in _tables.rows(path, COLUMNS[:1], what="roster"):
        person = Person(**{name: row.get(name, "") for name in COLUMNS})
        if not LOGIN.fullmatch(person.student):
            raise ValueError(f"{where}: student must be a login, got {person.student!r}")
        if person.student in people:
            raise ValueError(f"{where}: {person.student} stands there twice")
        if person.key in keys:
            raise ValueError(f"{where}: {person.student} has the key of {keys[person.key]}")
        people[person.student] = person
        keys[person.key] = person.student
    return people


def login_of(people: Mapping[str, Person], *said: str) -> str:
    """The login of the one person who has one of these names or e-mail addresses; "" if nobody has, or several.

    Parameters
    ----------
    people : mapping, login -> Person
    *said : str
        Names with their parts in any order.

    Raises
    ------
    TypeError
        If one of them is no string.

    Examples
    --------
    >>> login_of({"ada": Person("ada", "Ada Lovelace")}, "Lovelace, Ada")
    'ada'
    """
    if wrong := [text for text in said if not isinstance(text, str)]:
        raise TypeError(f"said must be names, got {shown(wrong[0])}")
    folded = {_folded(text) for text in said} - {""}
    same = [login for login, person in people.items() if folded & {_folded(person.email), _folded(person.name)}]
    return same[0] if len(same) == 1 else ""


def _folded(text: str) -> str:
    """A name with its parts in one order: "Lovelace, Ada" and "ada  lovelace" are the same."""
    return " ".join(sorted(text.casefold().replace(",", " ").replace("_", " ").split()))
