"""What `nbgrader autograde` runs in a course folder instead of the students' notebooks.

nbgrader executes a notebook where the instructor is logged in, and its pages show whatever is in it. Here a notebook
that was handed in is read as text and written anew, its tasks are judged in the sandbox, and the verdicts and points
become outputs of the check cells, in nbgrader's own form. `dlphys.course.gradebook.configure` puts these classes into
nbgrader's configuration; nothing here is called by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Any as AnyTrait
from traitlets import Bool, Float, Unicode

from dlphys._validation import shown
from dlphys.checks.engine import Verdict
from dlphys.course import assignment, cleaning, grading, roster
from dlphys.course.grade import Grade, TaskGrade
from dlphys.course.records import HandedIn
from dlphys.course.submission import Unreadable

__all__ = ["Explain", "Judge", "Reader", "Restore", "check_cell", "digest", "graded_as"]

VISIBLE = {".csv", ".gif", ".h5", ".jpeg", ".jpg", ".json", ".npy", ".npz", ".png", ".txt"}  # nothing a browser runs
NOT_JUDGED = "not judged: {reason}"


def check_cell(task: str) -> str:
    """The id that nbgrader knows a task's check by.

    Examples
    --------
    >>> check_cell("8.1a")
    'check-8-1a'
    """
    if not isinstance(task, str):
        raise TypeError(f"task must be an id such as '8.1a', got {shown(task)}")
    return f"check-{task.replace('.', '-')}"


def digest(grade: Grade, *files: Path) -> str:
    """Of a grade, without the time it took, and of the files it is about: the same if nothing has to be written again.

    Raises
    ------
    TypeError
        If grade is no Grade, or a file no path.
    """
    if not isinstance(grade, Grade):
        raise TypeError(f"grade must be a Grade, got {shown(grade)}")
    if wrong := [file for file in files if not isinstance(file, Path)]:
        raise TypeError(f"files must be paths, got {shown(wrong[0])}")
    tasks = [[t.id, t.points, t.maximum, t.status, t.details] for t in grade.tasks]
    content = hashlib.sha256(json.dumps([tasks, grade.reason, grade.problems]).encode())
    for file in files:
        content.update(hashlib.sha256(file.read_bytes() if file.is_file() else b"").digest())
    return content.hexdigest()


def graded_as(path: str | Path) -> str:
    """The `digest` that an autograded notebook was written for; "" where there is none.

    Examples
    --------
    >>> graded_as("no/such.ipynb")
    ''
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be a path, got {shown(path)}")
    try:
        return str(json.loads(Path(path).read_text(encoding="utf-8"))["metadata"]["dlphys"]["graded"])
    except (OSError, ValueError, KeyError):
        return ""


class Reader(NotebookExporter):
    """Reads what was handed in, whatever it is, and leaves beside it only files that are safe to look at."""

    def from_filename(self, filename: str, resources: Any = None, **keywords: Any) -> Any:
        """The notebook, cleaned; an empty one with the reason where the file is none."""
        where = resources["nbgrader"]
        folders = self.parent.coursedir
        student = where["student"], where["assignment"]
        shown_in = Path(folders.format_path(folders.autograded_directory, *student))
        if Path(filename).parent == shown_in:  # the second time: what was written the first time
            return super().from_filename(filename, resources=resources, **keywords)
        _remove_unsafe(shown_in, Path(filename).parent)
        try:
            notebook = cleaning.read(filename)
        except Unreadable as error:
            notebook = cleaning.empty(str(error))
        return self.from_notebook_node(notebook, resources=resources, **keywords)


def _remove_unsafe(shown_in: Path, handed_in: Path) -> None:
    """Of the files that nbgrader has copied: links would show others' files, pages would run in the grader's name."""
    for path in sorted(path for path in shown_in.rglob("*") if path.is_file() and path.suffix != ".ipynb"):
        if path.suffix.lower() not in VISIBLE or (handed_in / path.relative_to(shown_in)).is_symlink():
            path.unlink()


class Restore(NbGraderPreprocessor):
    """Puts back the cells that nbgrader knows: what they are, what they are worth, and the text of those to be read.

    nbgrader's OverwriteCells trusts a part of what a notebook says of its cells, and fails where two cells in a row
    were deleted; after this it finds nothing to do.
    """

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Each known cell once, in its place, with nbgrader's own words."""
        where = resources["nbgrader"]
        with Gradebook(where["db_url"]) as gradebook:
            known = list(_known_cells(gradebook.find_notebook(where["notebook"], where["assignment"])))
        own = {_id(cell): number for number, cell in enumerate(nb.cells)}  # the last of several
        cells = [cell for number, cell in enumerate(nb.cells) if own[_id(cell)] == number or not _id(cell)]
        ids = {role["grade_id"] for role, _, _ in known}
        place = 0 if ids & own.keys() else len(cells)
        for role, kind, source in known:
            number = next((n for n, cell in enumerate(cells) if _id(cell) == role["grade_id"]), None)
            if number is None:
                cells.insert(place, _new(kind, source))
                number = place
            elif cells[number].cell_type != kind:
                cells[number] = _new(kind, cells[number].source)
            if role["locked"]:
                cells[number].source = source
            cells[number].metadata = nbformat.from_dict({"nbgrader": role, "deletable": False})
            place = number + 1
        for cell in cells:
            if _id(cell) not in ids:
                cell.metadata.pop("nbgrader", None)
        nb.cells = cells
        return nb, resources


def _id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _new(kind: str, source: str) -> Any:
    made = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return made.get(kind, nbformat.v4.new_raw_cell)(source)


def _known_cells(notebook: Any) -> Iterator[tuple[dict[str, Any], str, str]]:
    """(nbgrader's metadata, kind of the cell, its text in the release), in the order of the notebook."""
    points = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    graded = {cell.name for cell in notebook.grade_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    for cell in notebook.source_cells:
        role = {
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
            "grade": cell.name in graded,
            "grade_id": cell.name,
            "locked": bool(cell.locked),
            "schema_version": 3,
            "solution": cell.name in solutions,
            "task": cell.name in tasks,
        }
        yield role | ({"points": points[cell.name]} if cell.name in points else {}), cell.cell_type, cell.source


class Judge(NbGraderPreprocessor):
    """In the place of nbgrader's Execute: judges the tasks in the sandbox, and writes verdicts into the check cells."""

    grades = AnyTrait(None, allow_none=True, help="(student, notebook) -> Grade, where it is known").tag(config=True)
    roster = Unicode("roster.csv", help="CSV file of the class, in the course folder; may be missing").tag(config=True)
    records = Unicode("records", help="folder of the grades, in the course folder").tag(config=True)
    walls = Bool(True, help="False: student code runs without a sandbox, and can do what you can do").tag(config=True)
    timeout = Float(300.0, help="seconds for each answer of student code").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """The notebook with its verdicts."""
        where = resources["nbgrader"]
        folders = self.parent.parent.coursedir
        source = Path(folders.format_path(folders.source_directory, ".", where["assignment"]))
        source /= f"{where['notebook']}.ipynb"
        handed_in = Path(folders.format_path(folders.submitted_directory, where["student"], where["assignment"]))
        handed_in /= f"{where['notebook']}.ipynb"
        asked = assignment.of_notebook(json.loads(source.read_text(encoding="utf-8")), where["notebook"])
        grade = self.grades and self.grades(where["student"], where["notebook"])
        if grade is None:
            grade = self._grade(handed_in, where["student"], asked, Path(folders.root), where["assignment"])
        _write_verdicts(nb, grade, asked.tasks)
        nb.metadata["dlphys"] = {"source": f"{asked.stem}.py", "graded": digest(grade, handed_in, source)}
        where["grade"] = grade
        return nb, resources

    def _grade(self, path: Path, student: str, asked: assignment.Asked, course: Path, name: str) -> Grade:
        if not asked.tasks:
            return Grade(student, path.name)
        (record,) = grading.grade(
            [HandedIn(student, asked.notebook, path, files=path.parent)],
            course / self.records / name,
            assignment=assignment.Assignment(name, (asked,)),
            people=roster.read(course / self.roster) if (course / self.roster).is_file() else None,
            workers=0,
            walls=self.walls,
            timeout=self.timeout,
        )
        return record.grade


def _write_verdicts(nb: Any, grade: Grade, asked: tuple[str, ...]) -> None:
    """Verdict and points become the outputs of the check cells; nothing else that a notebook shows is worth points."""
    judged = {check_cell(task.id): task for task in grade.tasks}
    told = False
    for cell in nb.cells:
        role = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code" or not role.get("grade") or role.get("solution"):
            continue
        task = judged.get(role["grade_id"])
        text = _words(task) if task else NOT_JUDGED.format(reason=grade.reason or "mark it by hand")
        if task and grade.problems and not told:
            text, told = "\n".join([text, *(f"  {problem}" for problem in grade.problems)]), True
        points = task.points / task.maximum * role["points"] if task and task.maximum else 0.0
        cell.outputs = [
            nbformat.v4.new_output("stream", name="stdout", text=f"{cleaning.plain(text)}\n"),
            nbformat.v4.new_output("execute_result", data={"text/plain": f"{points:g}"}, execution_count=1),
        ]
        cell.execution_count = 1


def _words(task: TaskGrade) -> str:
    lent = (f"judged with the reference of {', '.join(task.lent)}",) if task.lent else ()
    return str(Verdict(task.id, task.status, (*task.details, *lent)))


class Explain(NbGraderPreprocessor):
    """After SaveAutoGrades: a notebook without a grade says why, and checks that nobody judged wait for a person."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Changes the gradebook alone."""
        where: Mapping[str, Any] = resources["nbgrader"]
        grade: Grade = where["grade"]
        judged = {check_cell(task.id) for task in grade.tasks}
        with Gradebook(where["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(where["notebook"], where["assignment"], where["student"])
            for entry in found.grades:
                automatic = entry.cell_type == "code" and entry.auto_score is not None
                if automatic and entry.name not in judged and not grade.reason and entry.manual_score is None:
                    entry.needs_manual_grade = True
            order = [cell.name for cell in found.notebook.source_cells]
            if grade.reason and found.comments:
                first = min(found.comments, key=lambda comment: order.index(comment.name))
                first.auto_comment = cleaning.as_markdown(f"This notebook was not judged: {grade.reason}.")
            gradebook.db.commit()
        return nb, resources
