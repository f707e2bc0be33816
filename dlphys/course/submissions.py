"""Finds what a class handed in: folders, nbgrader's folders, and the zip files of Moodle and ILIAS.

Known forms, each as a folder or as a zip file:

- ``STUDENT/ASSIGNMENT/*.ipynb`` with ``timestamp.txt``, as nbgrader collects;
- ``STUDENT/*.ipynb``, ``STUDENT.ipynb``, ``STUDENT_NOTEBOOK.ipynb``, ``STUDENT.zip``;
- ``Full Name_123_assignsubmission_file_/*`` and ``Full Name_123_assignsubmission_file_*``, as Moodle writes;
- ``Last_First_login_123/*``, perhaps in a folder of its team, as ILIAS writes.

Names are data. Nothing is executed, no link is followed, and whatever cannot be graded is listed with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from dlphys._validation import shown
from dlphys.course._unzip import Budget, Entry, safe_name, unpack, walk
from dlphys.course.assignment import Assignment
from dlphys.course.records import NO_NOTEBOOK, HandedIn
from dlphys.course.roster import Person, login_of

__all__ = ["find", "identify"]

WHOLE = (200_000, 64 << 30)  # entries and bytes of a whole class
ONE = (5_000, 512 << 20)  # of one student
NESTED = 3  # zip files in zip files
LARGEST = 64 << 20  # bytes of a notebook in which its source is looked for

MOODLE = re.compile(r"(?P<name>[^/]+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL)
ILIAS = re.compile(r"(?P<last>[^_/]+)_(?P<first>[^_/]+)_(?P<login>[^/]+)_(?P<number>\d+)", re.DOTALL)
SOURCE = re.compile(rb'"dlphys"\s{0,9}:\s{0,9}\{(?:[^{}]|\{[^{}]*\}){0,4000}?"source"\s{0,9}:\s{0,9}"([\w.-]{1,99})"')
STAMP = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.\d+)?\s*(?:([+-])(\d\d):?(\d\d)|([A-Za-z][\w/+-]*))?")


@dataclass
class _Student:
    """All that one student handed in."""

    student: str
    name: str = ""
    identifier: str = ""
    own: Path | None = None  # the folder that is this student's alone
    found: list[Entry] = field(default_factory=list)  # files and folders, with zip files as they are
    reasons: list[str] = field(default_factory=list)


def find(
    path: str | Path, *, assignment: Assignment | None = None, unpacked: str | Path | None = None
) -> list[HandedIn]:
    """Find the notebooks of a class.

    Parameters
    ----------
    path : path
        A folder or a zip file.
    assignment : Assignment, optional
        What was asked; it tells which notebook a file is, and which of nbgrader's assignments is meant.
    unpacked : path, optional
        A folder that stays, into which zip files are unpacked; needed if there are any.

    Returns
    -------
    list of HandedIn
        One for each student and notebook, ordered by student. Those with a ``problem`` cannot be graded; of two files
        that are the same notebook the newer one is taken, and the other is listed with its problem.

        ``student`` is the name of the folder or file; the login for ILIAS, the full name for Moodle, which tells no
        login. Times are those of ``timestamp.txt``, of the zip file (local time, unless it says otherwise) or of
        the file. What lies in a student's own zip file has the time of that zip file.

    Raises
    ------
    ValueError
        If there is no such folder or zip file, it cannot be read, or ``unpacked`` is needed.
    TypeError
        If an argument is of the wrong kind.

    Examples
    --------
    >>> find("no/such/folder")
    Traceback (most recent call last):
        ...
    ValueError: there are no submissions in 'no/such/folder'
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be a path, got {shown(path)}")
    if assignment is not None and not isinstance(assignment, Assignment):
        raise TypeError(f"assignment must be an Assignment, got {shown(assignment)}")
    if unpacked is not None and not isinstance(unpacked, str | Path):
        raise TypeError(f"unpacked must be a path, got {shown(unpacked)}")
    into = None if unpacked is None else Path(unpacked)
    result: list[HandedIn] = []
    for student in _students(_entries(Path(path), into, assignment), assignment):
        result += _handed_in(student, _opened(student, into), assignment)
    return sorted(result, key=lambda item: (item.student, bool(item.problem), item.notebook))


def identify(handed_in: Sequence[HandedIn], people: Mapping[str, Person]) -> list[HandedIn]:
    """Put the logins of a roster in the place of full names, which are all that Moodle tells.

    Parameters
    ----------
    handed_in : sequence of HandedIn
    people : mapping, login -> Person
        As `dlphys.course.roster.read` gives it.

    Returns
    -------
    list of HandedIn
        Those whose student is in the roster as they are; those whose name or e-mail address one person of the roster
        has, and one student of the platform, with that person's login; the others as they are.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    """
    if isinstance(handed_in, str) or not all(isinstance(item, HandedIn) for item in handed_in):
        raise TypeError(f"handed_in must be a sequence of HandedIn, got {shown(handed_in)}")
    if not isinstance(people, Mapping):
        raise TypeError(f"people must map logins to persons, got {shown(people)}")
    logins = {item: login_of(people, item.student, item.name) for item in handed_in}
    bearers: dict[str, set[tuple[str, str]]] = {}
    for item, login in logins.items():
        bearers.setdefault(login, set()).add((item.student, item.identifier))
    taken = {item.student for item in handed_in}

    def known(item: HandedIn) -> HandedIn:
        login = logins[item]
        if item.student in people or not login or len(bearers[login]) != 1 or login in taken:
            return item
        return replace(item, student=login)

    return sorted(map(known, handed_in), key=lambda item: (item.student, bool(item.problem), item.notebook))


def _entries(path: Path, into: Path | None, assignment: Assignment | None) -> list[Entry]:
    is_folder = path.is_dir()
    if is_folder:
        inside = path / "submitted"  # the folder of an nbgrader course
        entries = list(walk(inside if inside.is_dir() and not inside.is_symlink() else path))
    elif path.is_file() and path.suffix.lower() == ".zip":
        entries = unpack(path, _needed(into, path), Budget(*WHOLE))
    else:
        raise ValueError(f"there are no submissions in {str(path)!r}")
    if len(entries) == 1 and not entries[0].parts:
        raise ValueError(f"there are no submissions in {str(path)!r}: {entries[0].reason}")
    entries = _without_wrapper(entries, assignment, is_folder=is_folder)
    if any(_of_platform(entry.parts[0]) for entry in entries):  # whose own tables lie beside the folders of students
        return [entry for entry in entries if len(entry.parts) > 1 or entry.is_folder or _of_platform(entry.parts[0])]
    return entries


def _needed(into: Path | None, archive: Path) -> Path:
    if into is None:
        raise ValueError(f"unpacked must be a folder for what is in zip files, such as {safe_name(archive.name)}")
    return into


def _of_platform(name: str) -> dict[str, str] | None:
    """What the name of a folder or file of Moodle or ILIAS says."""
    found = MOODLE.fullmatch(name) or ILIAS.fullmatch(name)
    return found.groupdict() if found else None


def _without_wrapper(entries: list[Entry], assignment: Assignment | None, *, is_folder: bool) -> list[Entry]:
    """Without the one folder around everything, such as the name of the exercise."""
    while True:
        folders = {entry.parts[0] for entry in entries if len(entry.parts) > 1}
        handed_in = [e for e in entries if len(e.parts) == 1 and e.path.suffix.lower() in (".ipynb", ".zip")]
        if len(folders) != 1 or handed_in or _of_platform(next(iter(folders))):
            return entries
        inside = [entry for entry in entries if len(entry.parts) > 1]
        if not any(_of_platform(part) for entry in inside for part in entry.parts[1:3]):
            own = any(len(entry.parts) == 2 and entry.path.suffix.lower() == ".ipynb" for entry in inside)
            nbgrader = any(entry.parts[2:] == ("timestamp.txt",) for entry in inside)
            asked = assignment and any(entry.parts[1] == assignment.name for entry in inside)
            if is_folder or own or nbgrader or asked:
                return entries
        entries = [entry._replace(parts=entry.parts[1:]) for entry in inside]


def _students(entries: list[Entry], assignment: Assignment | None) -> list[_Student]:
    """Entries by whose they are."""
    names = sorted((asked.notebook for asked in assignment.notebooks), key=len, reverse=True) if assignment else []
    students: dict[tuple[str, ...], _Student] = {}
    teams = _teams(entries)
    wanted = assignment.name if assignment and any(e.parts[1:2] == (assignment.name,) for e in entries) else None
    for entry in sorted(entries, key=lambda item: item.parts):
        if len(entry.parts) == 1 and entry.parts[0] in teams:
            continue
        key, found, depth = _owner(entry, names, depth=int(entry.parts[0] in teams))
        student = students.setdefault(key, found)
        student.own = student.own or found.own
        if wanted and depth == 1 and len(entry.parts) > 1 and entry.parts[1] != wanted:
            continue  # another assignment of this student
        if entry.reason:
            student.reasons.append(f"{_display(entry.parts)}: {entry.reason}")
        student.found.append(entry)
    logins = [student.student.casefold() for student in students.values()]
    taken: set[str] = set()
    for student in students.values():
        if student.identifier and logins.count(student.student.casefold()) > 1:
            student.student += f" {student.identifier}"
        student.student = _free(student.student, taken)
    return list(students.values())


def _teams(entries: list[Entry]) -> set[str]:
    """Folders of ILIAS's teams, with nothing in them but folders of students; none if others stand beside them."""
    inside: dict[str, set[str]] = {}
    for entry in entries:
        if len(entry.parts) > 1 and not _of_platform(entry.parts[0]):
            inside.setdefault(entry.parts[0], set()).add(entry.parts[1])
    return set(inside) if all(ILIAS.fullmatch(name) for names in inside.values() for name in names) else set()


def _owner(entry: Entry, names: list[str], depth: int) -> tuple[tuple[str, ...], _Student, int]:
    """Whose an entry is: a key, the student, and how many folders lead to what is the student's own."""
    name = entry.parts[depth]
    if len(entry.parts) > depth + 1 or entry.is_folder:
        up = len(entry.parts) - depth - 1
        own = None if entry.reason else entry.path.parents[up - 1] if up else entry.path
        said = _of_platform(name)
        key, student = _named(said) if said else (("plain", name), _Student(_login(name)))
        student.own = own
        return key, student, depth + 1
    if found := MOODLE.fullmatch(name):
        return *_named(found.groupdict()), 0
    stem = re.sub(r"\.(ipynb|zip)$", "", name, flags=re.IGNORECASE)
    for notebook in names or ([source] if (source := _source(entry)) else []):
        if stem.casefold().endswith(f"_{notebook}".casefold()):
            stem = stem[: -len(notebook) - 1]
            break
    return ("plain", stem), _Student(_login(stem)), 0


def _named(said: dict[str, str]) -> tuple[tuple[str, ...], _Student]:
    number = said["number"][:40]
    if "login" in said:
        name = safe_name(f"{said['first']} {said['last']}")
        return ("ilias", said["login"], number), _Student(_login(said["login"]), name, number)
    name = safe_name(said["name"])
    return ("moodle", said["name"], number), _Student(_login(name), name, number)


def _login(name: str) -> str:
    """A name that can be a folder anywhere: no hidden folder, no option of a command."""
    return safe_name(name, 100).lstrip(".-~ ") or "_"


def _display(parts: tuple[str, ...]) -> str:
    return "/".join(safe_name(part, 60) for part in parts[-3:])


def _opened(student: _Student, into: Path | None) -> list[Entry]:
    """All files of a student, with those in zip files."""
    budget, files = Budget(*ONE), list[Entry]()
    todo = [(entry, 1) for entry in student.found if not entry.is_folder and not entry.reason]
    while todo:
        entry, depth = todo.pop(0)
        if entry.path.suffix.lower() != ".zip":
            files.append(entry)
            continue
        if depth > NESTED:
            student.reasons.append(f"{_display(entry.parts)}: zip files in zip files, more than {NESTED} deep")
            continue
        inside = unpack(entry.path, _needed(into, entry.path), budget)
        where = (*entry.parts[:-1], entry.path.stem)
        for item in inside:
            here = (*where, *item.parts)
            if item.reason:
                student.reasons.append(f"{_display(here)}: {item.reason}")
            elif not item.is_folder:
                todo.append((item._replace(parts=here, when=entry.when), depth + 1))
        if not inside:
            student.reasons.append(f"{_display(entry.parts)}: the zip file is empty")
    return files


def _handed_in(student: _Student, files: list[Entry], assignment: Assignment | None) -> Iterator[HandedIn]:
    """The notebooks of one student, and what is to be said of the rest."""
    stamps = _stamps(student)
    notebooks = [entry for entry in files if entry.path.suffix.lower() == ".ipynb"]
    said = "; ".join(_shortened(student.reasons))
    when_all = max((when for entry in files if (when := stamps.get(entry.parts[:2]) or entry.when)), default=None)
    where = student.own or (files[0].path.parent if files else Path())

    def made(notebook: str, problem: str = "", entry: Entry | None = None) -> HandedIn:
        path, when, beside = where, when_all, None
        if entry is not None:
            path, when = entry.path, stamps.get(entry.parts[:2]) or entry.when
            beside = path.parent if len(entry.parts) > 1 else None  # flat files lie among those of the others
        return HandedIn(student.student, notebook, path, when, beside, student.name, student.identifier, problem)

    chosen: dict[str, Entry] = {}
    others: list[tuple[Entry, str]] = []
    for entry in sorted(notebooks, key=_age, reverse=True):
        name, problem = _which(entry, assignment, alone=len(notebooks) == 1)
        if problem or name in chosen:
            others.append((entry, problem or f"not graded: {_display(chosen[name].parts)} was taken for this notebook"))
        else:
            chosen[name] = entry
            yield made(name, entry=entry)
    taken = {name.casefold() for name in chosen}
    for entry, problem in others:
        yield made(_free(safe_name(entry.path.stem, 100), taken), problem, entry)
    if not notebooks:
        listed = ", ".join(_shortened([_display(entry.parts) for entry in files]))
        problem = f"no notebook was handed in, only {listed}" if files else "nothing was handed in"
        for name in [asked.notebook for asked in assignment.notebooks] if assignment else [NO_NOTEBOOK]:
            yield made(name, f"{problem}; {said}" if said else problem)
    elif said:
        yield made(_free("left out", taken), said)


def _shortened(texts: list[str]) -> list[str]:
    return texts[:5] + ([f"and {len(texts) - 5} more"] if texts[5:] else [])


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken, also where case does not count."""
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free.casefold())
    return free


def _age(entry: Entry) -> tuple[datetime, int, tuple[str, ...]]:
    """The newest file; of files of the same time the one with the shortest name, which has no "(1)" in it."""
    return entry.when or datetime.min.replace(tzinfo=UTC), -len(entry.parts[-1]), entry.parts


def _which(entry: Entry, assignment: Assignment | None, *, alone: bool) -> tuple[str, str]:
    """Which notebook a file is: by its name, by what it was built from, or since it is the only one."""
    stem = safe_name(re.sub(r"\.ipynb$", "", entry.parts[-1], flags=re.IGNORECASE), 100)
    if moodle := MOODLE.fullmatch(stem):
        stem = moodle["file"] or stem
    source = _source(entry)
    if assignment is None:
        return (source if source and (len(entry.parts) == 1 or _holds(stem, source)) else stem), ""
    asked = assignment.notebooks
    named = [each for each in asked if each.notebook.casefold() == stem.casefold()]
    named = named or [each for each in asked if _holds(stem, each.notebook)]
    if len(named) > 1:  # ch05 and ch05_examples: the longer name says more
        named = [max(named, key=lambda each: len(each.notebook))]
    built = [each for each in asked if each.stem == source]
    for found in (named, built if len(built) == 1 else [], asked if alone and len(asked) == 1 and not source else []):
        if found:
            return found[0].notebook, ""
    of = f", it is of {source}" if source else ""
    return "", f"it is none of the notebooks of {assignment.name}{of}"


def _holds(stem: str, name: str) -> bool:
    """Whether a file's name has a notebook's name in it, as in "ada_ch03_building_blocks (1)"."""
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", stem, re.IGNORECASE) is not None


def _source(entry: Entry) -> str:
    """The source that a notebook says it was built from, found as text."""
    if entry.reason or entry.path.suffix.lower() != ".ipynb" or entry.is_folder:
        return ""
    try:
        if entry.path.stat().st_size > LARGEST:
            return ""
        found = SOURCE.search(entry.path.read_bytes())
    except OSError:
        return ""
    return found[1].decode("ascii", "ignore").removesuffix(".py") if found else ""


def _stamps(student: _Student) -> dict[tuple[str, ...], datetime]:
    """The times in nbgrader's timestamp.txt; on a learning platform such a file would be the student's own."""
    stamps: dict[tuple[str, ...], datetime] = {}
    for entry in student.found if not student.identifier else ():
        if len(entry.parts) == 3 and entry.parts[2] == "timestamp.txt" and not entry.reason and not entry.is_folder:
            with entry.path.open("rb") as file:
                found = STAMP.match(file.read(200).decode("ascii", "replace").strip())
            if found and (when := _zoned(*found.groups())):
                stamps[entry.parts[:2]] = when
    return stamps


def _zoned(time: str, sign: str | None, hours: str, minutes: str, zone: str | None) -> datetime | None:
    """With its zone, UTC where none stands there, as nbgrader reads it; None if there is no such time or zone."""
    try:
        naive = datetime.fromisoformat(time)
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            return naive.replace(tzinfo=timezone(offset if sign == "+" else -offset))
        return naive.replace(tzinfo=UTC if zone in (None, "UTC", "Z") else ZoneInfo(str(zone)))
    except (ValueError, OSError):
        return None
