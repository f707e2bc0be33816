"""Grades one notebook: the student's code runs in a sandbox, the checks run here, and only data cross between them."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlphys._validation import check_number, shown
from dlphys.checks import engine, references
from dlphys.checks.proxy import StudentError
from dlphys.checks.remote import Worker
from dlphys.course import sandbox, submission
from dlphys.course.submission import Submission

__all__ = ["CREDIT", "Grade", "TaskGrade", "grade_notebook"]

# The share of its points that a task gets by the rung of the ladder that it did not pass. Only what proves work counts:
# a mistake that the check knows by name, a network that has learnt. Any constant comes as far as physics and value.
CREDIT = {"done": 0.0, "signature": 0.0, "shape": 0.0, "known mistake": 0.5, "physics": 0.0, "value": 0.0, "bar": 0.75}
MOST_DEATHS = 3  # starts of a notebook's code that may fail
MOST_TIME = 3  # times the wall time of one sandbox, for all tasks of a notebook that ends its sandbox again and again
LONGEST, MOST_LINES = 1000, 20  # of what is said about a task
ONE_AT_A_TIME = threading.Lock()  # the environment, which the checks read, is the process's


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
        Tasks whose reference was lent, since they had not passed, or were not asked.
    answer : tuple of float
        The numbers given for the student's own data, where the task has such data.
    copied : tuple of str
        Students for whose data this answer is right; see `dlphys.course.copies`.
    """

    id: str
    points: float
    maximum: float
    status: str
    rung: str
    details: tuple[str, ...]
    lent: tuple[str, ...] = ()
    answer: tuple[float, ...] = ()
    copied: tuple[str, ...] = ()


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
    failed: Collection[str] = (),
) -> Grade:
    """Judge the tasks of one notebook; in one process one after another, since the checks read the environment.

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
    failed : collection of str
        Tasks that are not judged now and are known not to have passed; their references may be lent.

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
    check_credit(credit)
    asked = [] if tasks is None else _checked(tasks)
    begin, name = time.monotonic(), Path(path).name

    def grade(**content: Any) -> Grade:
        return Grade(student, name, **content, seconds=time.monotonic() - begin)

    try:
        handed_in = submission.read_apart(path, walls=walls)
    except submission.Unreadable as error:
        return grade(reason=str(error))
    if files is not None and sum(1 for _ in Path(files).iterdir()) > sandbox.MOST_FILES:
        return grade(reason=f"more than {sandbox.MOST_FILES} files lie beside the notebook")
    ids = asked or [task["id"] for task in references.known(handed_in.source.removesuffix(".py"))]
    if not ids:
        return grade(reason="the notebook does not say of which chapter it is, and no task was named")
    threads = {name: value for name, value in os.environ.items() if name.endswith("_THREADS")}
    environment = {**threads, "DLPHYS_STUDENT": student}
    settings = {"limits": limits, "walls": walls, "files": files, "environment": environment}
    with _grading(student):
        judged = tuple(_judged(handed_in, ids, timeout, settings, credit, set(failed) - set(ids)))
    return grade(tasks=judged, problems=_plain(handed_in.problems))


def check_credit(credit: Mapping[str, float]) -> None:
    """Refuse a table of shares that leaves out a rung, or has one that there is not."""
    if not isinstance(credit, Mapping):
        raise TypeError(f"credit must be a mapping, got {shown(credit)}")
    if set(credit) != set(CREDIT):
        raise ValueError(f"credit must have the rungs {', '.join(CREDIT)}, got {', '.join(map(str, credit))}")


def _checked(tasks: Sequence[str]) -> list[str]:
    if isinstance(tasks, str) or not tasks or not all(isinstance(id, str) for id in tasks):
        raise TypeError(f"tasks must be a sequence of ids such as '8.1a', got {shown(tasks)}")
    if len({references.stem_of(id) for id in tasks}) > 1:
        raise ValueError(f"tasks must be of one notebook, got {', '.join(tasks)}")
    return list(tasks)


def _judged(
    handed_in: Submission,
    ids: Sequence[str],
    timeout: float,
    settings: dict[str, Any],
    credit: Mapping[str, float],
    failed: set[str],
) -> Iterator[TaskGrade]:
    """All tasks in order. One that fails, and needs earlier ones that failed, is judged again with their references."""
    stem = references.stem_of(ids[0])
    names = {task["name"]: task["id"] for task in references.known(stem)}
    # a task that is not in the notebook at all, such as one that was not asked, can only be lent
    failed = failed | {id for name, id in names.items() if not handed_in.defines(name)}
    with contextlib.closing(_Bench(handed_in, stem, timeout, settings)) as bench:
        for id in ids:
            entry = references.entry(id)
            verdict = bench.judge(id)
            needed = {names[name] for name in handed_in.needs(entry["name"]) & names.keys()}
            lent = tuple(sorted(other for other in needed & failed - {id} if references.entry(other).get("code")))
            if not verdict.passed and lent:
                verdict = bench.judge(id, lent)
            else:
                lent = ()
            if not verdict.passed:
                failed.add(id)
            share = 1.0 if verdict.passed else credit[verdict.rung or "done"]
            points = round(share * entry["points"], 2)
            said = (verdict.status, verdict.rung, _plain(verdict.details))
            yield TaskGrade(id, points, entry["points"], *said, lent, bench.answers.get(id, ()))


def _plain(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines as any terminal, file and page can show them: what a student's code said may be in them."""
    return tuple(
        "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line[:LONGEST])
        for line in lines
    )[:MOST_LINES]


class _Bench:
    """The student's code in a sandbox, which is made anew where the code has ended it."""

    def __init__(self, handed_in: Submission, stem: str, timeout: float, settings: dict[str, Any]) -> None:
        self._handed_in = handed_in
        self._stem = stem
        self._timeout = timeout
        self._settings = settings
        self._open = contextlib.ExitStack()
        self._running: tuple[Worker, sandbox.Sandboxed] | None = None
        self._deaths: list[str] = []
        self.answers: dict[str, tuple[float, ...]] = {}
        self._allowed = MOST_TIME * (settings["limits"] or sandbox.Limits()).wall
        self._end = time.monotonic() + self._allowed

    def judge(self, id: str, lent: Collection[str] = ()) -> engine.Verdict:
        """Judge a task; with references lent, in a sandbox that is for this task alone."""
        if len(self._deaths) == MOST_DEATHS:
            return engine.Verdict(id, "not yet", (f"not tried again: {self._deaths[-1]}",), "done")
        if time.monotonic() > self._end:
            return engine.Verdict(id, "not yet", (f"not tried: the others took {self._allowed:g} s",), "done")
        if lent:
            self.close()
        try:
            return self._judge(id, lent)
        except StudentError as error:  # it did not even live until it was asked
            self.close()
            self._deaths.append(str(error))
            return engine.Verdict(id, "not yet", (str(error),), "done")
        finally:
            if lent:
                self.close()

    def _judge(self, id: str, lent: Collection[str]) -> engine.Verdict:
        worker, sandboxed = self._running = self._running or self._start(lent)
        name = references.entry(id)["name"]
        student = worker.get(name)
        if student is None:
            return engine.Verdict(id, "not done", (f"there is no {name} in the notebook that could be loaded",), "done")
        verdict = engine.judge(id, student)
        if _answers(worker):
            if engine.TASKS[id].own is not None and verdict.status != "not done":
                self.answers[id] = _numbers(student, id)
            return verdict
        self.close()
        if sandboxed.reason:
            return engine.Verdict(id, "not yet", (f"your code was stopped: {sandboxed.reason}",), "done")
        return verdict

    def _start(self, lent: Collection[str]) -> tuple[Worker, sandbox.Sandboxed]:
        content, tasks = references.payload(self._stem), references.known(self._stem)
        trusted = submission.of_code([*content["setup"], content["parameters"]])
        borrowed = submission.of_code(task["code"] for task in tasks if task["id"] in lent)
        # of the setup, too, only what is needed: a chapter that imports Keras has tasks that never use it
        together = Submission("", (*trusted, *self._handed_in.statements, *borrowed))
        cells = together.code_for([task["name"] for task in tasks])
        if any("keras" in cell for cell in cells):  # the checks need it, too: imported here, it says nothing
            importlib.import_module("dlphys._keras")
        return self._open.enter_context(sandbox.worker(cells, timeout=self._timeout, **self._settings))

    def close(self) -> None:
        """End the code; the next task starts it anew."""
        self._open.close()
        self._running = None


def _numbers(student: Any, id: str) -> tuple[float, ...]:
    """What the student's function says of the student's own data; nothing where that is not a few numbers."""
    arguments, constants = engine.own_data(id)
    try:
        answer = np.asarray(student(*arguments), float).ravel()
    except (StudentError, TypeError, ValueError):
        return ()
    return tuple(answer.tolist()) if answer.size == np.size(constants) and np.isfinite(answer).all() else ()


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
    with ONE_AT_A_TIME:
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
