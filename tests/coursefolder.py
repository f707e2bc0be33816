"""A course folder of nbgrader with one assignment, and notebooks that students hand in there."""

from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
NOTEBOOK = "ch03_building_blocks"
NAME = "week3"
QUESTION = "answer-3-1"
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "physics"
from dlphys.course.gradebook import configure
configure(c)
"""


def course(folder):
    """A course with one assignment, generated: the tasks of chapter 3, 12 points, and an open question of 4 points."""
    from dlphys.course import _source, build

    source = _source.read(ROOT, ROOT / f"notebooks/source/{NOTEBOOK}.py")
    points = {cell.task: cell.points for cell in source.tasks}
    cells = []
    for cell in source.cells:
        make = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
        cells.append(make(cell.source, metadata=build._cell_metadata(cell, points)))
    role = {"cell_type": "markdown", "grade": True, "solution": True, "locked": False, "task": False}
    role |= {"grade_id": QUESTION, "points": 4, "schema_version": 3}
    cells.append(nbformat.v4.new_markdown_cell("**Why** does a network need an activation?"))
    cells.append(nbformat.v4.new_markdown_cell("Without one it is one affine map.", metadata={"nbgrader": role}))
    metadata = {"dlphys": {"source": source.path.name}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    (folder / "source" / NAME).mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), in_course(folder, "source", "."))
    (folder / "nbgrader_config.py").write_text(CONFIG)
    done = nbgrader(folder).generate_assignment(NAME)
    assert done["success"], done
    return folder


def in_course(folder, step, student, name=f"{NOTEBOOK}.ipynb"):
    return folder / step / student / NAME / name


def nbgrader(folder):
    """nbgrader, with the configuration of the folder."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    config.CourseDirectory.root = str(folder)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def gradebook(folder):
    from nbgrader.api import Gradebook

    return Gradebook(f"sqlite:///{folder}/gradebook.db", "physics")


def solved(folder, **cells):
    """What a diligent student hands in; ``cells`` are other texts, by nbgrader's id with _ for -."""
    found = nbformat.read(ROOT / f"notebooks/solution/{NOTEBOOK}.ipynb", as_version=4)
    right = {cell.metadata.nbgrader.grade_id: cell.source for cell in found.cells if "nbgrader" in cell.metadata}
    texts = {**right, QUESTION: "It would be one affine map.", **{id.replace("_", "-"): s for id, s in cells.items()}}
    notebook = nbformat.read(in_course(folder, "release", "."), as_version=4)
    for cell in notebook.cells:
        role = cell.metadata.get("nbgrader", {})
        if role.get("solution"):
            cell.source = texts[role["grade_id"]]
    return notebook


def hand_in(folder, student, notebook):
    """Put a notebook, or whatever it is, where nbgrader collects it."""
    path = in_course(folder, "submitted", student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
    return path


def scores(folder, student):
    """id -> points that nbgrader counts."""
    with gradebook(folder) as found:
        notebook = found.find_submission_notebook(NOTEBOOK, NAME, student)
        return {entry.name: entry.score for entry in notebook.grades}


def autograded(folder, student):
    return nbformat.read(in_course(folder, "autograded", student), as_version=4)


def cell(notebook, grade_id):
    (found,) = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id]
    return found


HACK = "window.hacked = 1"
MARKDOWN = [
    f"<script>{HACK}</script>",
    f'An answer <img src="x" onerror="{HACK}"> with a figure.',
    f"[click me](javascript:{HACK.replace(' ', '')})",
    f"```mermaid\n</pre><script>{HACK}</script>\n```",
    f"```&#109;ermaid\n</pre><script>{HACK}</script>\n```",
    f"$$ a\n\n    $$ <script>{HACK}</script> $$\n\n$$ b",
    f"\\begin{{a}}</p><script>{HACK}</script>\\end{{a}}",
    f"# <svg onload='{HACK}'>",
]
OUTPUTS = [
    ("display_data", {"text/html": f"<script>{HACK}</script>"}),
    ("execute_result", {"text/html": f"<img src=x onerror='{HACK}'>", "text/plain": "<table>"}),
    ("display_data", {"text/markdown": f"<script>{HACK}</script>"}),
    ("display_data", {"application/javascript": HACK}),
    ("display_data", {"image/svg+xml": f"<svg onload='{HACK}'/>"}),
    ("display_data", {"image/png": f'"><script>{HACK}</script>'}),
    ("display_data", {f'text/plain"><script>{HACK}</script>': "x"}),
    ("display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": f"</script><script>{HACK}</script>"}}),
]


def hostile(course):
    """A notebook with everything in it that a page could be made to run."""
    notebook = solved(course, answer_3_1=f'It would be linear: $a<b$. <img src="x" onerror="{HACK}">')
    notebook.cells += [nbformat.v4.new_markdown_cell(text) for text in MARKDOWN]
    notebook.cells.append(nbformat.v4.new_raw_cell(f"<script>{HACK}</script>", metadata={"raw_mimetype": "text/html"}))
    outputs = [{"output_type": kind, "data": data, "metadata": {"image/png": {"width": f"1 onerror={HACK}"}}}
               for kind, data in OUTPUTS]  # fmt: skip
    outputs += [{"output_type": "stream", "name": "stdout", "text": f"<script>{HACK}</script>"}]
    code = nbformat.v4.new_code_cell(f"'<script>{HACK}</script>'")
    document = nbformat.from_dict({**notebook, "cells": [*notebook.cells, {**code, "outputs": outputs}]})
    document.metadata["title"] = document.metadata["widgets"] = f"<script>{HACK}</script>"
    return document
