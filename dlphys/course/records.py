"""What is known of each notebook that was handed in: a JSON file each, written when it is graded."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course.grade import Grade, TaskGrade
from dlphys.course.run import write_whole

__all__ = ["HandedIn", "Record", "read", "read_all", "write"]

NO_NOTEBOOK = "no notebook"  # in the place of its name, where a student handed in none and nobody says what was asked


@dataclass(frozen=True)
class HandedIn:
    """One notebook of one student, as it was found.

    Attributes
    ----------
    student : str
        The login, or whatever names the student where it was found.
    notebook : str
        Name of the file without its ending: which notebook of the assignment it is.
    path : Path
        The file.
    when : datetime, optional
        With its time zone; None where nothing tells.
    files : Path, optional
        Folder of what was handed in beside it.
    name, identifier : str
        What a learning platform says of the student: full name, number of the participant.
    problem : str
        Why there is nothing to grade; "" otherwise.
    """

    student: str
    notebook: str
    path: Path
    when: datetime | None = None
    files: Path | None = None
    name: str = ""
    identifier: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Record:
    """A notebook that was handed in, and its grade.

    Attributes
    ----------
    handed_in : HandedIn
    grade : Grade
    fingerprint : str
        Of all that the grade depends on; if it is the same, nothing has to be done again.
    history : tuple of Grade
        Earlier grades of this notebook, oldest first.
    """

    handed_in: HandedIn
    grade: Grade
    fingerprint: str
    history: tuple[Grade, ...] = ()


def file_of(folder: str | Path, handed_in: HandedIn) -> Path:
    """Where the record of a notebook is, or will be."""
    return Path(folder) / handed_in.student / f"{handed_in.notebook}.json"


def write(folder: str | Path, record: Record) -> Path:
    """Write a record, whole or not at all, as ``folder/STUDENT/NOTEBOOK.json``; returns the file."""
    if not isinstance(record, Record):
        raise TypeError(f"record must be a Record, got {shown(record)}")
    path = file_of(folder, record.handed_in)
    path.parent.mkdir(parents=True, exist_ok=True)
    # ASCII: what students' code says, or a name from a zip file, may be no text that UTF-8 can hold
    write_whole(path, json.dumps(dataclasses.asdict(record), default=str, indent=1) + "\n")
    return path


def read(path: str | Path) -> Record:
    """Read one record; ValueError if the file is none."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        found = content["handed_in"]
        found["path"] = Path(found["path"])
        found["files"] = None if found["files"] is None else Path(found["files"])
        found["when"] = None if found["when"] is None else datetime.fromisoformat(found["when"])
        grade, *history = (_grade(item) for item in [content["grade"], *content["history"]])
        return Record(HandedIn(**found), grade, str(content["fingerprint"]), tuple(history))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{Path(path).name} is no record of a grade ({type(error).__name__})") from None


def _grade(content: dict[str, Any]) -> Grade:
    tasks = tuple(TaskGrade(**{name: _frozen(value) for name, value in task.items()}) for task in content["tasks"])
    return Grade(**{**content, "tasks": tasks, "problems": tuple(content["problems"])})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def read_all(folder: str | Path) -> dict[tuple[str, str], Record]:
    """All records below a folder, (student, notebook) -> Record; what is no record is left out."""
    if not isinstance(folder, str | Path):
        raise TypeError(f"folder must be a path, got {shown(folder)}")
    found = {}
    for path in sorted(Path(folder).glob("*/*.json")):
        try:
            record = read(path)
        except ValueError:
            continue
        found[record.handed_in.student, record.handed_in.notebook] = record
    return found
