"""Which known mistake a failed task is, and what a class got wrong together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlphys._validation import shown
from dlphys.checks import engine, references
from dlphys.course.grade import TaskGrade
from dlphys.course.results import Result

__all__ = ["Mistake", "TaskSummary", "diagnosis", "known_mistake", "summary"]

CERTAIN = "known mistake"  # the rung on which an answer is compared with what a mistake gives
STOPPED = "a function that answers the check with data"  # what the engine expects of code that raised an error


@dataclass(frozen=True)
class Mistake:
    """What several did wrong.

    Attributes
    ----------
    text : str
        Its name, where the check knows it; else what the check expected.
    count : int
        Hand-ins with it.
    known : bool
        Whether the answer is what a mistake gives that the check knows by name; else several things may lead to it.
    hint : str
        What to discuss: what the check expected, and where the book explains it.
    """

    text: str
    count: int
    known: bool
    hint: str = ""


@dataclass(frozen=True)
class TaskSummary:
    """One task in the whole class; each hand-in counts once, however many worked on it.

    Attributes
    ----------
    id, name, notebook : str
    passed, not_yet, not_done : int
    mean, maximum : float
        Points.
    mistakes : tuple of Mistake
        The most common first.
    """

    id: str
    name: str
    notebook: str
    passed: int
    not_yet: int
    not_done: int
    mean: float
    maximum: float
    mistakes: tuple[Mistake, ...] = ()

    @property
    def hand_ins(self) -> int:
        return self.passed + self.not_yet + self.not_done


def known_mistake(task: TaskGrade) -> str:
    """The name of the mistake that a verdict fits; "" if the check knows none that does.

    On the rung "known mistake" the answer was what this mistake gives. On the others the verdict is the one that this
    mistake gets, and perhaps not this one alone.

    Parameters
    ----------
    task : TaskGrade

    Raises
    ------
    TypeError
        If task is no TaskGrade.

    Examples
    --------
    >>> said = ("expected: the bias of each node is part of its sum (3.1)",)
    >>> known_mistake(TaskGrade("M3.1a", 0.5, 2, "not yet", "known mistake", said))
    'bias forgotten'
    """
    if not isinstance(task, TaskGrade):
        raise TypeError(f"task must be a TaskGrade, got {shown(task)}")
    if task.status != "not yet":
        return ""
    try:
        engine.load_module(references.stem_of(task.id))
    except ValueError:  # a task that this version of the course does not have
        return ""
    mistakes = engine.TASKS[task.id].mistakes if task.id in engine.TASKS else {}
    said, expected = "\n".join((*task.details, "")), f"{_line(task, 'expected')}\n"  # a phrase may end with the line
    fits = [(phrase in expected, len(phrase), name) for name, (_, phrase) in mistakes.items() if phrase in said]
    return max(fits)[2] if fits else ""  # what was seen may have the words of another mistake


def diagnosis(task: TaskGrade) -> str:
    """What is wrong with an answer, in a few words; "" if nothing is.

    Parameters
    ----------
    task : TaskGrade

    Returns
    -------
    str
        The name of a known mistake, with "perhaps" if its verdict fits but the answer was not compared with it; else
        what the check expected, or "not done".

    Raises
    ------
    TypeError
        If task is no TaskGrade.

    Examples
    --------
    >>> diagnosis(TaskGrade("M3.1a", 0, 2, "not yet", "value", ("seen: 3", "expected: a row for each event")))
    'a row for each event'
    """
    if name := known_mistake(task):
        return name if task.rung == CERTAIN else f"perhaps {name}"
    if task.status != "not yet":
        return "" if task.status == "passed" else task.status
    expected = _line(task, "expected")
    if expected == STOPPED and (seen := _line(task, "seen")):
        return f"the code stopped: {seen}"
    return expected or " ".join(task.details) or task.status


def summary(results: Iterable[Result]) -> list[TaskSummary]:
    """What the class did, task by task, in the order of the notebooks.

    Parameters
    ----------
    results : iterable of Result
        As `results.combine` returns them.

    Returns
    -------
    list of TaskSummary

    Raises
    ------
    TypeError
        If results has anything else.

    Examples
    --------
    >>> summary([])
    []
    """
    every = list(results)
    if wrong := [result for result in every if not isinstance(result, Result)]:
        raise TypeError(f"results must be those of results.combine, got {shown(wrong[0])}")
    answers: dict[tuple[str, str], dict[str, TaskGrade]] = {}
    for part in (part for result in every for part in result.parts):
        for task in part.tasks:
            answers.setdefault((part.notebook, task.id), {})[part.author] = task
    notebooks = list(dict.fromkeys(part.notebook for result in every for part in result.parts))
    order = {id: number for result in every for number, id in enumerate(task.id for task in result.tasks)}
    keys = sorted(answers, key=lambda key: (notebooks.index(key[0]), order[key[1]]))
    return [_summary(notebook, id, list(answers[notebook, id].values())) for notebook, id in keys]


def _summary(notebook: str, id: str, tasks: Sequence[TaskGrade]) -> TaskSummary:
    count = Counter(task.status for task in tasks)
    failed = [task for task in tasks if task.status == "not yet"]
    found = Counter(map(_kind, failed))
    example = {_kind(task): task for task in reversed(failed)}
    mistakes = tuple(_mistake(example[kind], count) for kind, count in found.most_common())
    mean = sum(task.points for task in tasks) / len(tasks)
    name = references.entry(id)["name"] if _in_course(id) else ""
    passed, not_yet, not_done = (count[status] for status in ("passed", "not yet", "not done"))
    return TaskSummary(id, name, notebook, passed, not_yet, not_done, mean, tasks[0].maximum, mistakes)


def _kind(task: TaskGrade) -> tuple[str, bool]:
    """What several verdicts have in common: the mistake, or their words without the numbers; errors are all alike."""
    if task.rung == CERTAIN and (name := known_mistake(task)):
        return name, True
    expected = _line(task, "expected") or diagnosis(task)
    return re.sub(r"-?\d[\d.,e+-]*", "#", expected), False


def _mistake(task: TaskGrade, count: int) -> Mistake:
    expected, name = _line(task, "expected"), known_mistake(task)
    section = engine.TASKS[task.id].section if task.id in engine.TASKS else ""
    hint = [f"section {section} of the book"] if section else []
    if expected == STOPPED:
        return Mistake(
            "the code stopped with an error", count, False, "; ".join([f"for example {_line(task, 'seen')}", *hint])
        )
    if _kind(task)[1]:
        return Mistake(name, count, True, "; ".join([expected, *hint]))
    return Mistake(expected or diagnosis(task), count, False, "; ".join([f"perhaps {name}", *hint] if name else hint))


def _line(task: TaskGrade, begin: str) -> str:
    return next((line[len(begin) + 2 :] for line in task.details if line.startswith(f"{begin}: ")), "")


def _in_course(id: str) -> bool:
    try:
        references.stem_of(id)
    except ValueError:
        return False
    return True
