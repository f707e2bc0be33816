"""What a class was asked to do: the notebooks of an assignment, their tasks and open questions.

It is read from the instructor's copies, ``COURSE/source/NAME/*.ipynb`` of an nbgrader course folder, never from what
was handed in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.checks import references

__all__ = ["Asked", "Assignment", "Question", "of_notebook", "read"]


@dataclass(frozen=True)
class Question:
    """An open question: a cell that the student fills with words, and a person marks.

    Attributes
    ----------
    id : str
        The ``grade_id`` of the cell, such as "answer-8-1".
    points : float
    text : str
        The question, Markdown.
    answer : str
        The reference answer, Markdown.
    """

    id: str
    points: float
    text: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Asked:
    """One notebook of an assignment.

    Attributes
    ----------
    notebook : str
        Name of the file without its ending.
    stem : str
        The chapter that it was built from, such as "ch08_convolutional".
    tasks : tuple of str
        Their ids, in order.
    questions : tuple of Question
    """

    notebook: str
    stem: str
    tasks: tuple[str, ...]
    questions: tuple[Question, ...] = ()

    @property
    def points(self) -> float:
        """Of all tasks and questions together."""
        return sum(references.entry(id)["points"] for id in self.tasks) + sum(q.points for q in self.questions)


@dataclass(frozen=True)
class Assignment:
    """Name and notebooks."""

    name: str
    notebooks: tuple[Asked, ...]


def of_notebook(document: Any, name: str) -> Asked:
    """What a notebook asks, by the words that the build and nbgrader write into its cells.

    Parameters
    ----------
    document : dict
        A notebook, as `json.load` reads it.
    name : str
        Of its file, without the ending.

    Raises
    ------
    ValueError
        If it is no notebook of the course.
    """
    try:
        stem = str(document["metadata"]["dlphys"]["source"]).removesuffix(".py")
        cells = [(cell, cell["metadata"].get("nbgrader") or {}) for cell in document["cells"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{name} is no notebook of the course") from None
    known = {task["id"] for task in references.known(stem)}
    tasks = [cell["metadata"].get("dlphys", {}).get("task") for cell, _ in cells]
    if unknown := [id for id in tasks if id and id not in known]:
        raise ValueError(f"{name} has a task that {stem} does not have: {', '.join(unknown)}")
    questions = []
    for cell, role in cells:
        if cell["cell_type"] == "markdown" and role.get("grade"):
            own = cell["metadata"].get("dlphys", {})
            questions.append(
                Question(str(role["grade_id"]), float(role["points"]), own.get("question", ""), own.get("answer", ""))
            )
    return Asked(name, stem, tuple(id for id in tasks if id), tuple(questions))


def read(folder: str | Path) -> Assignment:
    """Read an assignment.

    Parameters
    ----------
    folder : path
        ``COURSE/source/NAME``.

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        If there is no such folder, or it has no notebook of the course.
    TypeError
        If folder is no path.

    Examples
    --------
    >>> read("no/such/folder")
    Traceback (most recent call last):
        ...
    ValueError: there is no assignment in 'no/such/folder'
    """
    if not isinstance(folder, str | Path):
        raise TypeError(f"folder must be a path, got {shown(folder)}")
    paths = sorted(Path(folder).glob("*.ipynb"))
    if not paths:
        raise ValueError(f"there is no assignment in {str(folder)!r}")
    documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    return Assignment(Path(folder).name, tuple(of_notebook(document, name) for name, document in documents.items()))
