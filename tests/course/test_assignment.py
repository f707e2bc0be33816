"""What an assignment asks is read from the instructor's copies."""

import json
from pathlib import Path

import pytest

from dlphys.course.assignment import of_notebook, read

ROOT = Path(__file__).parents[2]


@pytest.fixture
def document():
    return json.loads((ROOT / "notebooks/solution/ch08_convolutional.ipynb").read_text(encoding="utf-8"))


def test_tasks_and_open_questions_of_a_notebook(tmp_path, document):
    role = {"grade": True, "grade_id": "answer-8-1", "points": 2, "solution": True}
    own = {"question": "Why?", "answer": "Because."}
    document["cells"].append({"cell_type": "markdown", "metadata": {"nbgrader": role, "dlphys": own}, "source": ""})
    (tmp_path / "week6").mkdir()
    (tmp_path / "week6/phases.ipynb").write_text(json.dumps(document), encoding="utf-8")
    assignment = read(tmp_path / "week6")
    (asked,) = assignment.notebooks
    assert (assignment.name, asked.notebook, asked.stem) == ("week6", "phases", "ch08_convolutional")
    assert asked.tasks == ("8.1a", "8.1b", "8.1c", "8.1d", "8.1e")
    assert [(q.id, q.points, q.text, q.answer) for q in asked.questions] == [("answer-8-1", 2.0, "Why?", "Because.")]
    assert asked.points == 13


def test_a_strange_notebook_and_a_strange_task_are_refused(document):
    with pytest.raises(ValueError, match="notes is no notebook of the course"):
        of_notebook({"cells": []}, "notes")
    document["cells"][1]["metadata"]["dlphys"] = {"task": "9.9z"}
    with pytest.raises(ValueError, match=r"has a task that ch08_convolutional does not have: 9\.9z"):
        of_notebook(document, "phases")
