"""The engine of the checks: tasks, verdicts, references, bars and quizzes.

A check is a function ``check(student, random)`` that asks a student's function (through a proxy) and
states what it expects, rung by rung; the first expectation that is not met decides the verdict.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlphys._validation import check_choice, check_count, shown
from dlphys.checks import references
from dlphys.checks.proxy import NotDone, Proxy, StudentError

__all__ = [
    "Failure",
    "Quiz",
    "Task",
    "Verdict",
    "bar",
    "drawn",
    "fast",
    "judge",
    "load",
    "own_data",
    "personal_seed",
    "quiz",
    "reference",
    "student_key",
    "task",
    "trained",
]

KEY_FILE = "student.txt"  # beside the notebook
OwnData = Callable[[np.random.Generator], tuple[tuple[Any, ...], Any]]
RUNGS = ("done", "signature", "shape", "known mistake", "physics", "value", "bar")


class Failure(Exception):
    """An expectation that was not met: which rung, what was seen, what was expected in kind."""

    def __init__(self, rung: str, because: str, seen: str = "") -> None:
        super().__init__(because)
        check_choice(rung=rung, choices=RUNGS)
        self.rung = rung
        self.because = because
        self.seen = seen


@dataclass(frozen=True)
class Verdict:
    """``status`` is "passed", "not yet" or "not done"; ``rung`` is where the ladder stopped."""

    task: str
    status: str
    details: tuple[str, ...] = ()
    rung: str = ""

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    def __str__(self) -> str:
        return "\n".join([f"{self.status}  {self.task}", *(f"  {line}" for line in self.details)])


@dataclass
class Task:
    """One task of a chapter: its check, its hints, and the wrong answers that test the check.

    ``own`` makes the data of a task whose answer is a number that each student finds in data of his or her own.
    """

    id: str
    name: str
    section: str
    check: Callable[[Any, np.random.Generator], str | Iterable[str] | None]
    own: OwnData | None = None
    hints: tuple[str, ...] = ()
    mistakes: dict[str, tuple[Any, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Quiz:
    """A question with numbered options; ``answer`` counts from 1."""

    id: str
    question: str
    options: tuple[str, ...]
    answer: int
    explanation: str


@dataclass(frozen=True)
class Bar:
    """How a performance bar is measured: ``measure(seed)`` trains the reference and returns its result."""

    id: str
    measure: Callable[[int], float]
    better: str
    unit: str
    source: str


TASKS: dict[str, Task] = {}
QUIZZES: dict[str, Quiz] = {}
TRAINED: dict[str, Callable[[], Any]] = {}
BARS: dict[tuple[str, str], Bar] = {}


def task(id: str, *, section: str = "", own: OwnData | None = None) -> Callable[[Callable[..., Any]], Task]:
    """Decorator of a check; the function's name is the name of the student's object.

    Parameters
    ----------
    id : str
        As in the notebook cell, such as "8.1a".
    section : str
        Where the book explains it, such as "8.1.2"; part of every "not yet".
    own : callable, optional
        Makes data and truth, ``(arrays, constants)``, from a generator that belongs to the student: see `own_data`.
    """
    _checked_id(id)

    def register(check: Callable[..., Any]) -> Task:
        TASKS[id] = Task(id, check.__name__, section, check, own)
        return TASKS[id]

    return register


def quiz(id: str, *, question: str, options: tuple[str, ...], answer: int, explanation: str) -> Quiz:
    """Register a quiz; ``answer`` is the number of the right option, counted from 1."""
    _checked_id(id)
    if len(options) < 2 or not all(isinstance(option, str) for option in options):
        raise ValueError(f"options of quiz {id} must be at least two strings, got {shown(options)}")
    check_count(answer=answer, maximum=len(options))
    QUIZZES[id] = Quiz(id, question, tuple(options), answer, explanation)
    return QUIZZES[id]


def trained(id: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Decorator of a function without arguments that returns a trained Keras model."""
    _checked_id(id)

    def register(train: Callable[[], Any]) -> Callable[[], Any]:
        TRAINED[id] = train
        return train

    return register


def bar(id: str, *, better: str, unit: str = "", source: str = "simulated") -> Callable[..., Callable[[int], float]]:
    """Decorator of ``measure(seed)``, which trains the reference of a task and returns the result to judge.

    ``better`` is "higher" or "lower", ``source`` the data it is measured on: "simulated", "real" or "stand-in".
    """
    _checked_id(id)
    check_choice(better=better, choices=("higher", "lower"))
    check_choice(source=source, choices=("simulated", "real", "stand-in"))

    def register(measure: Callable[[int], float]) -> Callable[[int], float]:
        BARS[id, source] = Bar(id, measure, better, unit, source)
        return measure

    return register


def _checked_id(id: Any) -> None:
    if not isinstance(id, str):
        raise TypeError(f"id must be a string such as '8.1a', got {shown(id)} ({type(id).__name__})")
    if not re.fullmatch(r"[A-Z]?[0-9]+\.[0-9]+[a-z]?(-[a-z0-9]+)*", id):
        raise ValueError(f"id must look like '8.1a', 'X8.2a' or '8.1-q1', got {id!r}")


def load(id: str) -> None:
    """Import the check modules of the chapter to which an id belongs."""
    _checked_id(id)
    match = re.match(r"[A-Z]?([0-9]+)", id)
    assert match is not None
    for stem in references.stems():
        if stem.startswith(f"ch{int(match[1]):02d}_"):
            load_module(stem)


def load_module(stem: str) -> None:
    """Import ``dlphys.checks.<stem>`` if the chapter has checks."""
    name = f"dlphys.checks.{stem}"
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name)


def find(registry: dict[str, Any], id: str, what: str) -> Any:
    """An entry of a registry, after loading the chapter it belongs to."""
    if id not in registry:
        load(id)
    if id not in registry:
        known = ", ".join(sorted(registry)) or "none"
        raise ValueError(f"there is no {what} {id!r}; known: {known}")
    return registry[id]


def reference(id: str) -> Any:
    """The reference function or class of a task, from the solution that the build extracted.

    Raises
    ------
    ValueError
        If there is no such task.
    NotImplementedError
        In the exam edition, which has no references.
    """
    _checked_id(id)
    return references.load(id)


def student_key() -> str:
    """The key of the student's own data.

    ``DLPHYS_STUDENT``, or else the first line of a file ``student.txt`` beside the notebook, or else the course's own.

    >>> student_key() == student_key()
    True
    """
    if key := os.environ.get("DLPHYS_STUDENT"):
        return key
    try:
        with open(KEY_FILE, encoding="utf-8") as file:
            key = file.readline(200).strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    return key or "dlphys"


def own_data(id: str) -> tuple[tuple[Any, ...], Any]:
    """Data that belong to the student alone, and the constants that are hidden in them.

    Parameters
    ----------
    id : str
        A task whose check was registered with ``own=``.

    Returns
    -------
    arguments : tuple of arrays and numbers
        The arguments of the task's function; what ``check.own_data(id)`` gives to the notebook.
    constants : any
        What the function shall find.

    Raises
    ------
    ValueError
        If there is no such task, or everybody has the same data there.
    """
    own = find(TASKS, id, "task").own
    if own is None:
        raise ValueError(f"task {id} has no data of the student's own")
    return own(np.random.default_rng([personal_seed("own data"), *id.encode()]))


def personal_seed(stem: str) -> int:
    """The student's own seed for a chapter, from the `student_key`; 31 bits.

    >>> personal_seed("ch08_convolutional") == personal_seed("ch08_convolutional")
    True
    """
    if not isinstance(stem, str):
        raise TypeError(f"stem must be a string such as 'ch08_convolutional', got {shown(stem)}")
    if not stem:
        raise ValueError("stem must name a chapter, such as 'ch08_convolutional', got ''")
    digest = hashlib.sha256(f"{student_key()}/{stem}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def fast() -> bool:
    """Whether the notebook runs at its fast settings, where no performance bar is judged."""
    return os.environ.get("DLPHYS_FAST") == "1"


def grading() -> bool:
    """Whether verdicts count: checks raise on failure, and their inputs cannot be foreseen."""
    return os.environ.get("DLPHYS_GRADE") == "1"


def drawn(id: str) -> np.random.Generator:
    """The generator from which a check draws its inputs: the student's own, or unforeseeable when grading."""
    _checked_id(id)
    if grading():
        return np.random.default_rng(secrets.randbits(128))
    return np.random.default_rng([personal_seed("checks"), *id.encode()])


def judge(id: str, student: Any, random: np.random.Generator | None = None) -> Verdict:
    """Judge a student's object, given as a proxy.

    Parameters
    ----------
    id : str
        The task.
    student : Proxy
        Of the student's function or class; anything else is judged as not callable.
    random : numpy.random.Generator, optional
        For the inputs of the check; by default ``drawn(id)``.
    """
    subject: Task = find(TASKS, id, "task")
    if random is not None and not isinstance(random, np.random.Generator):
        raise TypeError(f"random must be a numpy.random.Generator, got {shown(random)}")
    try:
        _expect_signature(subject, student)
        said = _answer(subject, student, random if random is not None else drawn(id))
    except NotDone:
        explanation = f"{subject.name} still raises NotImplementedError: write its body first"
        return Verdict(id, "not done", (explanation,), "done")
    except Failure as failure:
        return _not_yet(subject, failure)
    except StudentError as error:
        return _not_yet(subject, Failure("shape", "a function that answers the check with data", str(error)))
    except NotImplementedError as error:  # a check that compares with a reference, in the exam edition
        return Verdict(id, "not yet", (f"not judged here: {error}",), "done")
    except Exception as error:  # the answer was of a kind that the check did not foresee: say so, no traceback
        seen = f"an answer that could not be judged ({type(error).__name__}: {error})"
        return _not_yet(subject, Failure("shape", "what the docstring of the task says", seen))
    lines = (said,) if isinstance(said, str) else tuple(said or ())
    return Verdict(id, "passed", lines)


def _answer(subject: Task, student: Any, random: np.random.Generator) -> str | Iterable[str] | None:
    """What the check says. A training below its bar is judged once more, anew: one correct training in 100 is there."""
    try:
        return subject.check(student, random)
    except Failure as failure:
        if failure.rung != "bar":
            raise
        below = failure
    try:
        return subject.check(student, random)
    except Failure:
        raise below from None


def _expect_signature(subject: Task, student: Any) -> None:
    if not isinstance(student, Proxy) or student.handle.kind != "callable":
        kind = student.handle.type_name if isinstance(student, Proxy) else type(student).__name__
        wanted = f"the function or class {subject.name} itself, without calling it"
        raise Failure("signature", wanted, f"an object of type {kind}")
    parameters = references.signature(subject.id)
    given = student.handle.signature
    if parameters is not None and given is not None and given != parameters:
        raise Failure(
            "signature",
            f"the parameters of the task as they were given: {subject.name}({', '.join(parameters)})",
            f"{subject.name}({', '.join(given)})",
        )


def _not_yet(subject: Task, failure: Failure) -> Verdict:
    lines = []
    if failure.seen:
        lines.append(f"seen: {failure.seen}")
    lines.append(f"expected: {failure.because}")
    places = [f"section {subject.section} of the book"] if subject.section else []
    if subject.hints:
        places.append(f'check.hint("{subject.id}")')
    if places:
        lines.append(f"look at: {' and '.join(places)}")
    return Verdict(subject.id, "not yet", tuple(lines), failure.rung)
