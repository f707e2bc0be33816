"""Grades one notebook: the student's code runs in a sandbox, the checks run here, and only data cross between them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlphys._validation import check_number, shown
from dlphys.checks import engine, references
from dlphys.checks.proxy import StudentError
from dlphys.checks.remote import Worker
from dlphys.course import sandbox, submission
from dlphys.course.submission import Submission

__all__ = ["CREDIT", "Grade", "TaskGrade", "grade_notebook"]

# The share of its points that a task gets by the rung of the ladder that it did not pass.
CREDIT = {"done": 0.0, "signature": 0.0, "shape": 0.0, "known mistake": 0.25, "physics": 0.5, "value": 0.5, "bar": 0.75}
MOST_DEATHS = 3  # starts of a notebook's code that may fail


@dataclass(frozen=True)
class TaskGrade:
    """One task: what was judged, and what it is worth.

    Attributes
    ----------
    id : str
    points, maximum : float
    status : str
        "passed", "not yet" or "not done".
    rung : str
        The rung of the ladder on which the check stopped; "" if it passed.
    details : tuple of str
        The lines of the verdict.
    lent : tuple of str
        Earlier tasks whose reference was lent, since they had not passed.
    """

    id: str
    points: float
    maximum: float
    status: str
    rung: str
    details: tuple[str, ...]
    lent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grade:
    """A notebook: its tasks, or the reason why there are none.

    Attributes
    ----------
    student, notebook : str
    tasks : tuple of TaskGrade
    reason : str
        Why nothing could be judged; "" otherwise.
    problems : tuple of str
        Cells that could not be read.
    seconds : float
        How long it took.
    """

    student: str
    notebook: str
    tasks: tuple[TaskGrade, ...] = ()
    reason: str = ""
    problems: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def points(self) -> float:
        return sum(task.points for task in self.tasks)

    @property
    def maximum(self) -> float:
        return sum(task.maximum for task in self.tasks)


def grade_notebook(
    path: str | Path,
    *,
    student: str,
    tasks: Sequence[str] | None = None,
    timeout: float = 300.0,
    limits: sandbox.Limits | None = None,
    walls: bool = True,
    files: str | Path | None = None,
    credit: Mapping[str, float] = CREDIT,
) -> Grade:
    """Judge the tasks of one notebook.

    Parameters
    ----------
    path : path
        The notebook, in whatever state; it is read as text.
    student : str
        The key of the student's own data, as in ``DLPHYS_STUDENT``.
    tasks : sequence of str, optional
        Tasks to judge, such as "8.1a"; by default all of the chapter that the notebook was built from.
    timeout : float, s
        For each answer of the student's code.
    limits : sandbox.Limits, optional
    walls : bool
        False: without a sandbox.
    files : path, optional
        A folder that the code may read.
    credit : mapping
        Share of the points by the rung that was not passed.

    Returns
    -------
    Grade
        Always; a notebook that cannot be judged has a reason.

    Raises
    ------
    sandbox.Unavailable
        If no sandbox can be made here.
    ValueError, TypeError
        If an argument is wrong.
    """
    check_number(minimum=0, exclusive=True, unit="s", timeout=timeout)
    if not isinstance(student, str) or not student:
        raise TypeError(f"student must be the key of a student, got {shown(student)}")
    if set(credit) != set(CREDIT):
        raise ValueError(f"credit must have the rungs {', '.join(CREDIT)}, got {', '.join(map(str, credit))}")
    asked = [] if tasks is None else _checked(tasks)
    begin, name = time.monotonic(), Path(path).name

    def grade(**content: Any) -> Grade:
        return Grade(student, name, **content, seconds=time.monotonic() - begin)

    try:
        handed_in = submission.read(path)
    except submission.Unreadable as error:
        return grade(reason=str(error))
    ids = asked or [task["id"] for task in references.known(handed_in.source.removesuffix(".py"))]
    if not ids:
        return grade(reason="the notebook does not say of which chapter it is, and no task was named")
    settings = {"limits": limits, "walls": walls, "files": files, "environment": {"DLPHYS_STUDENT": student}}
    with _grading(student):
        return grade(tasks=tuple(_judged(handed_in, ids, timeout, settings, credit)), problems=handed_in.problems)


def _checked(tasks: Sequence[str]) -> list[str]:
    if isinstance(tasks, str) or not tasks or not all(isinstance(id, str) for id in tasks):
        raise TypeError(f"tasks must be a sequence of ids such as '8.1a', got {shown(tasks)}")
    if len({references.stem_of(id) for id in tasks}) > 1:
        raise ValueError(f"tasks must be of one notebook, got {', '.join(tasks)}")
    return list(tasks)


def _judged(
    handed_in: Submission, ids: Sequence[str], timeout: float, settings: dict[str, Any], credit: Mapping[str, float]
) -> Iterator[TaskGrade]:
    """All tasks in order. One that fails, and needs earlier ones that failed, is judged again with their references."""
    stem = references.stem_of(ids[0])
    names = {task["name"]: task["id"] for task in references.known(stem)}
    failed: set[str] = set()
    with contextlib.ExitStack() as workers:
        bench = _Bench(workers, handed_in, stem, timeout, settings)
        for id in ids:
            entry = references.entry(id)
            verdict = bench.judge(id)
            needed = {names[name] for name in handed_in.needs(entry["name"]) & names.keys()}
            lent = tuple(sorted(earlier for earlier in needed & failed if references.entry(earlier).get("code")))
            if verdict.status == "not yet" and lent:
                verdict = bench.judge(id, lent)
            else:
                lent = ()
            if not verdict.passed:
                failed.add(id)
            share = 1.0 if verdict.passed else credit[verdict.rung or "done"]
            points = round(share * entry["points"], 2)
            yield TaskGrade(id, points, entry["points"], verdict.status, verdict.rung, verdict.details, lent)


class _Bench:
    """The student's code in a sandbox, which is made anew where the code has ended it."""

    def __init__(
        self,
        workers: contextlib.ExitStack,
        handed_in: Submission,
        stem: str,
        timeout: float,
        settings: dict[str, Any],
    ) -> None:
        self._workers = workers
        self._handed_in = handed_in
        self._stem = stem
        self._timeout = timeout
        self._settings = settings
        self._running: tuple[Worker, sandbox.Sandboxed] | None = None
        self._deaths: list[str] = []

    def judge(self, id: str, lent: Collection[str] = ()) -> engine.Verdict:
        name = references.entry(id)["name"]
        if len(self._deaths) == MOST_DEATHS:
            return engine.Verdict(id, "not yet", (f"not tried again: {self._deaths[-1]}",), "done")
        try:
            if lent:
                self._stop()
            if self._running is None:
                self._start(lent)
            assert self._running is not None
            worker, sandboxed = self._running
            student = worker.get(name)
        except StudentError as error:  # it did not even live until it was asked
            self._stop()
            self._deaths.append(str(error))
            return engine.Verdict(id, "not yet", (str(error),), "done")
        if student is None:
            return engine.Verdict(id, "not done", (f"there is no {name} in the notebook that could be loaded",), "done")
        verdict = engine.judge(id, student)
        lives = _answers(worker)
        if not lives and sandboxed.reason:
            verdict = engine.Verdict(id, "not yet", (f"your code was stopped: {sandboxed.reason}",), "done")
        if not lives or lent:
            self._stop()
        return verdict

    def _start(self, lent: Collection[str]) -> None:
        content = references.payload(self._stem)
        trusted = [references._without_start(code) for code in content["setup"]] + [content["parameters"]]
        tasks = references.known(self._stem)
        own = self._handed_in.code_for([task["name"] for task in tasks])
        borrowed = [task["code"] for task in tasks if task["id"] in lent]
        context = sandbox.worker([*trusted, *own, *borrowed], timeout=self._timeout, **self._settings)
        self._running = self._workers.enter_context(context)

    def _stop(self) -> None:
        self._workers.close()
        self._running = None


def _answers(worker: Worker) -> bool:
    try:
        worker.get("")
    except StudentError:
        return False
    return True


@contextlib.contextmanager
def _grading(student: str) -> Iterator[None]:
    """The checks ask as for this student, and with inputs that cannot be foreseen."""
    variables = {"DLPHYS_STUDENT": student, "DLPHYS_GRADE": "1"}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
