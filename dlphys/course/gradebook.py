"""nbgrader's gradebook: grades go into it on one path, whether nbgrader or `dlphys grade` asks for them.

`configure` makes `nbgrader autograde`, the formgrader and `write` do the same: `dlphys.course.autograde` reads each
notebook as text, judges it in the sandbox, and gives nbgrader the points. What a person has marked in the formgrader is
kept, and `marks` reads it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course.records import Record
from dlphys.course.roster import Person
from dlphys.course.submission import LARGEST

__all__ = ["configure", "marks", "write"]

PLACE = "dlphys.course.autograde"
HERE = "nbgrader.preprocessors"
FORBIDDEN = set("/\\\0\n+*?[]")  # in a student's name: of paths, of nbgrader's patterns


def configure(config: Any, *, walls: bool = True) -> None:
    """Make nbgrader grade in the sandbox, and show nothing that runs; for ``nbgrader_config.py``.

    Parameters
    ----------
    config : traitlets.config.Config
        As `get_config()` gives it.
    walls : bool
        False: without a sandbox, for code that one trusts.

    Raises
    ------
    TypeError
        If config is no configuration.

    Examples
    --------
    >>> from traitlets.config import Config
    >>> config = Config()
    >>> configure(config)
    >>> config.Autograde.autograde_preprocessors[0]
    'dlphys.course.autograde.Judge'
    """
    if not hasattr(config, "Autograde"):
        raise TypeError(f"config must be what get_config() gives, got {shown(config)}")
    if not isinstance(walls, bool):
        raise TypeError(f"walls must be True or False, got {shown(walls)}")
    config.Autograde.exporter_class = f"{PLACE}.Reader"
    config.Autograde.sanitize_preprocessors = [
        f"{PLACE}.Restore",
        *(f"{HERE}.{name}" for name in ("OverwriteKernelspec", "OverwriteCells", "CheckCellMetadata")),
    ]
    config.Autograde.autograde_preprocessors = [
        f"{PLACE}.Judge",
        f"{HERE}.LimitOutput",
        f"{HERE}.SaveAutoGrades",
        f"{PLACE}.Explain",
        *(f"{HERE}.{name}" for name in ("AssignLatePenalties", "CheckCellMetadata")),
    ]
    config.Judge.walls = walls
    config.HTMLExporter.sanitize_html = True  # of pages; `autograde` has cleaned the notebooks before


def write(
    course: str | Path,
    assignment_name: str,
    records: Iterable[Record],
    *,
    people: Mapping[str, Person] | None = None,
) -> tuple[str, ...]:
    """Put grades into nbgrader's gradebook, as `nbgrader autograde` does, without judging anything again.

    Parameters
    ----------
    course : path
        A course folder of nbgrader, in which the assignment was generated.
    assignment_name : str
    records : iterable of Record
        Of this assignment.
    people : mapping, login -> Person, optional
        Their names and addresses go into the gradebook.

    Returns
    -------
    tuple of str
        Students of whom something was written: whose grade, notebook or task has changed since the last time.

    Raises
    ------
    ValueError, TypeError
        If there is no such course or assignment, or a record is none, or a student's name cannot be that of a folder.
    RuntimeError
        If nbgrader refuses; with its words.
    """
    entries = list(records) if isinstance(records, Iterable) else [records]
    if wrong := [entry for entry in entries if not isinstance(entry, Record)]:
        raise TypeError(f"records must be Records, got {shown(wrong[0])}")
    if people is not None and not isinstance(people, Mapping):
        raise TypeError(f"people must be a mapping from logins to Person, got {shown(people)}")
    with _open(course, assignment_name) as (folders, gradebook):
        notebooks = {notebook.name for notebook in gradebook.find_assignment(assignment_name).notebooks}
        theirs: dict[str, list[Record]] = {}
        for entry in entries:
            if entry.handed_in.notebook in notebooks:
                theirs.setdefault(_checked(entry.handed_in.student), []).append(entry)
        for student in theirs:
            gradebook.update_or_create_student(student, **described((people or {}).get(student)))
        changed = [student for student, found in theirs.items() if _stage(folders, assignment_name, student, found)]
        kept = {student: _marked(folders, gradebook, assignment_name, student) for student in changed}
    grades = {(entry.handed_in.student, entry.handed_in.notebook): entry.grade for entry in entries}
    folders.config.Judge.grades = lambda student, notebook: grades.get((student, notebook))
    refused = []
    try:
        for student in changed:
            if reason := _autograde(folders, assignment_name, student):
                refused.append(f"{student}: {reason}")
    finally:
        with _open(course, assignment_name) as (_, gradebook):
            for student, texts in kept.items():
                _resolve(folders, gradebook, assignment_name, student, texts)
    if refused:
        raise RuntimeError(f"nbgrader could not write the grades of {'; '.join(refused)}")
    return tuple(changed)


def marks(course: str | Path, assignment_name: str) -> list[tuple[str, str, float | None, str]]:
    """What persons have given in the formgrader for the open questions.

    Parameters
    ----------
    course : path
    assignment_name : str

    Returns
    -------
    list of (student, question, points, comment)
        Points with extra credit; None where there is only a comment. A question that nobody has looked at is not in it.

    Raises
    ------
    ValueError, TypeError
        If there is no such course or assignment.
    """
    found = []
    with _open(course, assignment_name) as (_, gradebook):
        for submission in gradebook.assignment_submissions(assignment_name):
            for notebook in submission.notebooks:
                said = {comment.name: comment.manual_comment or "" for comment in notebook.comments}
                for entry in sorted(notebook.grades, key=lambda entry: entry.name):
                    given = entry.manual_score is not None
                    if entry.name in said and (given or said[entry.name]):
                        points = float(entry.score) if given else None
                        found.append((submission.student.id, entry.name, points, said[entry.name]))
    return sorted(found, key=lambda mark: mark[:2])


@contextlib.contextmanager
def _open(course: str | Path, assignment_name: str) -> Iterator[tuple[Any, Any]]:
    """nbgrader as the course folder configures it, and its gradebook, which has the assignment."""
    if not isinstance(course, str | Path):
        raise TypeError(f"course must be a path, got {shown(course)}")
    if not isinstance(assignment_name, str):
        raise TypeError(f"assignment_name must be a string, got {shown(assignment_name)}")
    root = Path(course).resolve()
    if not root.is_dir():
        raise ValueError(f"there is no course folder {str(course)!r}")
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config, PyFileConfigLoader

    config = Config()
    if (root / "nbgrader_config.py").is_file():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    configure(config, walls=config.Judge.get("walls", True))
    config.CourseDirectory.root = str(root)
    folders = CourseDirectory(config=config)
    file = folders.db_url.removeprefix("sqlite:///")
    if folders.db_url.startswith("sqlite:///") and not Path(file).is_file():
        raise ValueError(f"there is no gradebook in {str(course)!r}: run `nbgrader generate_assignment` there first")
    with Gradebook(folders.db_url, folders.course_id) as gradebook:
        try:
            gradebook.find_assignment(assignment_name)
        except MissingEntry:
            known = ", ".join(sorted(entry.name for entry in gradebook.assignments)) or "none"
            raise ValueError(f"assignment_name must be one of {known}, got {assignment_name!r}") from None
        yield folders, gradebook


def _checked(student: str) -> str:
    if not student or student in (".", "..") or student != student.strip() or set(student) & FORBIDDEN:
        raise ValueError(f"student must be a name that a folder can have, got {student!r}")
    return student


def described(person: Person | None) -> dict[str, str]:
    """nbgrader's columns of a student."""
    if person is None:
        return {}
    last, comma, first = person.name.partition(",")
    if not comma:
        first, _, last = person.name.rpartition(" ")
    named = {"first_name": first.strip(), "last_name": last.strip(), "email": person.email}
    return {name: value for name, value in named.items() if value}


def _folder(folders: Any, step: str, student: str, assignment_name: str) -> Path:
    return Path(folders.format_path(getattr(folders, f"{step}_directory"), student, assignment_name))


def _stage(folders: Any, assignment_name: str, student: str, records: Sequence[Record]) -> bool:
    """Put what was handed in where nbgrader looks for it; returns whether there is something to write."""
    from dlphys.course.autograde import digest, graded_as

    folder, changed = _folder(folders, "submitted", student, assignment_name), False
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        target, path = folder / f"{record.handed_in.notebook}.ipynb", record.handed_in.path
        if not (target.is_file() and path.exists() and path.samefile(target)):
            readable = path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST
            _replace(target, path.read_bytes() if readable else b"")  # nbgrader wants a file; the record says why
        source = _folder(folders, "source", ".", assignment_name) / target.name
        shown_as = _folder(folders, "autograded", student, assignment_name) / target.name
        changed |= graded_as(shown_as) != digest(record.grade, target, source)
    times = [record.handed_in.when for record in records if record.handed_in.when]
    if times:
        changed |= _replace(folder / "timestamp.txt", f"{_utc(max(times)):%Y-%m-%d %H:%M:%S.%f} UTC\n".encode())
    return changed


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC)


def _replace(path: Path, content: bytes) -> bool:
    """Write a file whole, unless it is the same already."""
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return False
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    os.replace(beside, path)
    return True


def _autograde(folders: Any, assignment_name: str, student: str) -> str:
    """As `nbgrader autograde --force` does; why it failed, or ""."""
    from nbgrader.converters import Autograde
    from nbgrader.utils import capture_log

    folders.assignment_id, folders.student_id = assignment_name, student
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Object of type <Submitted")  # of SQLAlchemy; the entries are right
        done = capture_log(Autograde(coursedir=folders, config=folders.config, force=True))
    if done["success"]:
        return ""
    if done["error"].rstrip().endswith("KeyboardInterrupt"):  # nbgrader takes it for a failure like others
        raise KeyboardInterrupt
    errors = re.findall(r"^\s+([\w.]+: .+)$", done.get("log", ""), re.MULTILINE)  # last lines of tracebacks
    return str([*done["error"].splitlines(), *errors][-1])


def _marked(folders: Any, gradebook: Any, assignment_name: str, student: str) -> dict[tuple[str, str], str]:
    """(notebook, cell) -> its text, of all cells that a person has marked and that wait for nobody."""
    marked = {
        (notebook.name, entry.name)
        for notebook in _notebooks(gradebook, assignment_name, student)
        for entry in notebook.grades
        if entry.manual_score is not None and not entry.needs_manual_grade
    }
    texts = _texts(folders, assignment_name, student, {notebook for notebook, _ in marked})
    return {place: texts[place] for place in marked & texts.keys()}


def _resolve(folders: Any, gradebook: Any, assignment_name: str, student: str, marked: Mapping[Any, str]) -> None:
    """nbgrader asks for another look at every mark; where the text is the same, the mark stands."""
    texts = _texts(folders, assignment_name, student, {notebook for notebook, _ in marked})
    for notebook in _notebooks(gradebook, assignment_name, student):
        for entry in notebook.grades:
            place = notebook.name, entry.name
            if place in marked and texts.get(place) == marked[place]:
                entry.needs_manual_grade = False
    gradebook.db.commit()


def _notebooks(gradebook: Any, assignment_name: str, student: str) -> list[Any]:
    from nbgrader.api import MissingEntry

    try:
        return list(gradebook.find_submission(assignment_name, student).notebooks)
    except MissingEntry:
        return []


def _texts(folders: Any, assignment_name: str, student: str, notebooks: Iterable[str]) -> dict[tuple[str, str], str]:
    found = {}
    for notebook in notebooks:
        path = _folder(folders, "autograded", student, assignment_name) / f"{notebook}.ipynb"
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []:
            if grade_id := cell["metadata"].get("nbgrader", {}).get("grade_id"):
                found[notebook, grade_id] = "".join(cell["source"])
    return found
