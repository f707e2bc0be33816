"""nbgrader, as a course folder is set up for it: its configuration, and the course's own steps in its pipeline.

Only ``nbgrader_config.py`` of a course folder and `dlphys.course.assign` import this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    NbGraderPreprocessor,
    SaveCells,
)
from traitlets.config.loader import PyFileConfigLoader

from dlphys.course.gradebook import described
from dlphys.course.roster import Person

CONFIG = "nbgrader_config.py"
STUB = "raise NotImplementedError"
PRIVATE = {"instructor", "solution-only"}  # tags of cells that students do not get


class ForStudents(NbGraderPreprocessor):
    """Takes out what is the instructor's: cells, and the reference answers of open questions; names the open tasks."""

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        notebook.cells = [cell for cell in notebook.cells if not PRIVATE & set(cell.metadata.get("tags", []))]
        for cell in notebook.cells:
            own = cell.metadata.get("dlphys", {})
            own.pop("answer", None)
            if cell.cell_type == "code" and "task" in own:
                named = rf'\g<0>("task {own["task"]}")'
                cell.source = re.sub(rf"^\s*{STUB}$", named, cell.source, flags=re.MULTILINE)
        return notebook, resources


GENERATE = [
    LockCells,
    ClearSolutions,
    ForStudents,  # when the solutions are gone, and before anything is stored
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    CheckCellMetadata,
]


def generate(course: Path, name: str) -> None:
    """Let nbgrader make the release of an assignment; ValueError with its words if it cannot."""
    result = _api(course).generate_assignment(name, force=True, create=True)
    if not result["success"]:
        said = [line for line in (result.get("error") or result.get("log") or "").splitlines() if line.strip()]
        raise ValueError(f"nbgrader cannot generate {name}: {' / '.join(said[-3:])}")


def enter(course: Path, people: Iterable[Person]) -> None:
    """Put students into nbgrader's database; what it knows of others stays."""
    directory = _api(course).coursedir
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        for person in people:
            gradebook.update_or_create_student(person.student, **described(person))


def _api(course: Path) -> NbGraderAPI:
    return NbGraderAPI(config=PyFileConfigLoader(CONFIG, path=str(course)).load_config())


def config(course_id: str, exchange: str | None) -> str:
    """Text of the configuration of a new course."""
    return TEMPLATE.format(course_id=re.sub(r"[^\w.-]", "-", course_id), exchange=exchange)


TEMPLATE = """\
# nbgrader for this course. Written once by `dlphys assign`; edit it, it stays as it is.
import os
from pathlib import Path

from dlphys.course import _nbgrader, build, gradebook

c = get_config()  # noqa: F821
root = Path(__file__).resolve().parent
c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = os.environ.get("DLPHYS_COURSE_ID") or {course_id!r}

# The folder through which assignments go out and come back; everybody must be able to write there.
exchange = os.environ.get("DLPHYS_EXCHANGE") or {exchange!r}
if exchange:
    c.Exchange.root = exchange

# What students get: without solutions, reference answers, and cells for instructors.
c.ClearSolutions.code_stub = {{"python": _nbgrader.STUB}}
c.ClearSolutions.text_stub = build.ANSWER
c.GenerateAssignment.preprocessors = _nbgrader.GENERATE

# `nbgrader autograde` and the formgrader judge in the sandbox; nbgrader runs nothing of it itself.
gradebook.configure(c)
"""
