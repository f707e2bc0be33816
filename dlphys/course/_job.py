"""One notebook of a class: on what its grade depends, and how it comes to a record. What a worker of `grading` does."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import dlphys
from dlphys.checks import references
from dlphys.course import records, sandbox, submission
from dlphys.course.assignment import Asked
from dlphys.course.grade import Grade, grade_notebook
from dlphys.course.records import HandedIn, Record

CHECKS = Path(dlphys.__file__).parent / "checks"
COMMON = ("engine.py", "expect.py", "proxy.py", "bars.json")  # what the checks of every chapter stand on
HASHED = submission.LARGEST + 1  # bytes of a notebook; a larger one is not read by anybody
HASHED_BESIDE = 1 << 20  # bytes of each file beside it
MOST_FILES = 1000


@dataclass(frozen=True)
class Job:
    """A notebook to grade: all that a worker must know."""

    handed_in: HandedIn
    folder: Path
    base: Path  # what relative paths begin at
    key: str
    asked: tuple[Asked, ...] | None  # None: all tasks of the notebook's chapter
    settings: dict[str, Any] = field(default_factory=dict)  # of grade_notebook
    redo: frozenset[str] = frozenset()  # tasks to judge again; none: all
    before: int | None = None  # grades that the record had, if it is to be made again whatever it is

    @property
    def name(self) -> tuple[str, str]:
        return self.handed_in.student, self.handed_in.notebook

    @property
    def path(self) -> Path:
        return self.base / self.handed_in.path

    @property
    def files(self) -> Path | None:
        return None if self.handed_in.files is None else self.base / self.handed_in.files


def record_of(job: Job) -> Record | None:
    try:
        return records.read(records.file_of(job.folder, job.handed_in))
    except ValueError:
        return None


def current(job: Job, old: Record) -> bool:
    """Whether there is nothing to do."""
    if job.before is None:
        return old.fingerprint == _fingerprint(job, old.grade)
    if len(old.history) >= job.before:
        return True
    return bool(old.grade.tasks) and _unchanged(job, old) and bool(job.redo) and not job.redo & _ids(old.grade)


def _ids(grade: Grade) -> set[str]:
    return {task.id for task in grade.tasks}


# --- on what a grade depends ---------------------------------------------------------------------------------


def _fingerprint(job: Job, grade: Grade) -> str:
    """Of all that a grade depends on: what was handed in and asked, and how it is judged."""
    known = [task.id for task in grade.tasks if references.is_known(task.id)]
    stem = references.stem_of(known[0]) if known else ""
    judged = [dlphys.__version__, stem, _checks(stem), sorted(job.settings["credit"].items())]
    return f"{_given(job)}-{_digest(judged)}"


def _unchanged(job: Job, old: Record) -> bool:
    """Whether the same was handed in and asked when the record was made, however it was judged."""
    return old.fingerprint.partition("-")[0] == _given(job)


def _given(job: Job) -> str:
    asked: Any = None
    if job.asked is not None:
        named = [each.tasks for each in job.asked if each.notebook == job.handed_in.notebook]
        asked = named or [(each.stem, each.tasks) for each in job.asked]
    beside = [] if job.files is None else list(_beside(job.files))
    return _digest([_content(job.path, HASHED), beside, asked, job.key, job.handed_in.problem])


def _beside(folder: Path) -> Iterator[tuple[str, Any]]:
    """What stands beside a notebook, without following links, and not all of it if it is too much."""
    paths = (Path(at, name) for at, folders, names in os.walk(folder) if not folders.sort() for name in sorted(names))
    own = (path for path in paths if path.suffix != ".ipynb" and path.name != "timestamp.txt")
    for path in islice(own, MOST_FILES):
        yield str(path.relative_to(folder)), _content(path, HASHED_BESIDE)


def _content(path: Path, largest: int) -> tuple[int, str] | str:
    """Size and hash of a file; of one that is larger, of its beginning."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        return type(error).__name__
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return "no file"
        with open(descriptor, "rb", closefd=False) as file:
            return status.st_size, hashlib.sha256(file.read(largest)).hexdigest()
    finally:
        os.close(descriptor)


def _checks(stem: str) -> list[Any]:
    """The checks and references of a chapter."""
    names = [*COMMON, f"{stem}.py", f"references/{stem}.dat"] if stem else []
    return [_content(CHECKS / name, 1 << 30) for name in names]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


# --- what a worker does --------------------------------------------------------------------------------------


def graded(job: Job) -> Record:
    """Grade a notebook and write its record."""
    old = record_of(job)
    if old is not None and current(job, old):  # a worker may have died after it wrote the record
        return old
    try:
        grade = _judged(job, old)
        fingerprint = _fingerprint(job, grade)
    except sandbox.Unavailable:
        raise
    except Exception as error:  # the grader's own, and no reason to stop the class; tried again by the next call
        grade, fingerprint = _reason(job, f"the grader failed: {type(error).__name__}: {error}"), ""
    history = () if old is None else (*old.history, old.grade)
    record = Record(job.handed_in, replace(grade, student=job.handed_in.student), fingerprint, history)
    records.write(job.folder, record)
    return record


def _reason(job: Job, reason: str) -> Grade:
    return Grade(job.handed_in.student, job.path.name, reason=reason)


def _judged(job: Job, old: Record | None) -> Grade:
    if job.handed_in.problem:
        return _reason(job, job.handed_in.problem)
    if job.path.is_symlink():
        return _reason(job, "the file is a link to another one, which is not followed")
    judge = functools.partial(grade_notebook, job.path, student=job.key, files=job.files, **job.settings)
    if job.redo and old is not None and old.grade.tasks and _unchanged(job, old):
        redo = [task.id for task in old.grade.tasks if task.id in job.redo]
        failed = [task.id for task in old.grade.tasks if task.status != "passed"]
        new = {task.id: task for task in judge(tasks=redo, failed=failed).tasks}
        return replace(old.grade, tasks=tuple(new.get(task.id, task) for task in old.grade.tasks))
    if job.asked is None:
        return judge()
    try:
        ids = _asked(job)
    except submission.Unreadable as error:
        return _reason(job, str(error))
    if ids is None:
        return _reason(job, f"the assignment has no notebook {job.handed_in.notebook}")
    return judge(tasks=ids) if ids else _reason(job, "the notebook has no task that is graded here")


def _asked(job: Job) -> tuple[str, ...] | None:
    """The tasks of a notebook: by its name, else by what it says of itself."""
    asked = job.asked or ()
    found = [each for each in asked if each.notebook == job.handed_in.notebook]
    if not found:
        source = submission.read(job.path).source
        found = [each for each in asked if f"{each.stem}.py" == source]
    return found[0].tasks if len(found) == 1 else None


def given_up(job: Job, deaths: int) -> Record:
    old = record_of(job)
    grade = _reason(job, f"grading it ended the process of the grader {deaths} times; it is not tried again")
    history = () if old is None else (*old.history, old.grade)
    record = Record(job.handed_in, grade, _fingerprint(job, grade), history)
    records.write(job.folder, record)
    return record
