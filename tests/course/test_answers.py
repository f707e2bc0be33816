"""Answers are found where students write them, and what is no notebook does no harm."""

import base64
import json

import pytest
from classroom import notebook

from dlphys.course import answers
from dlphys.course.answers import Written, read

COURSE = {"cell_type": "markdown", "id": "0123456789ab-1", "metadata": {}, "source": "The next exercise."}
EMPTY = "*Your answer, in a few sentences:*"
BELOW = "with cells that the student added below"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ([("q1", f"{EMPTY}\n\nBecause."), COURSE], Written("Because.")),
        ([COURSE, ("", "notes"), ("q1", "Because.")], Written("Because.")),
        ([("q1", EMPTY), ("", "Because."), ("", "And so."), COURSE], Written("Because.\n\nAnd so.", BELOW)),
        ([("q1", EMPTY), COURSE, ("", "not an answer")], Written("")),
        ([("q1", "YOUR ANSWER HERE"), ("q2", "other")], Written("")),
        ([("q1", "Because."), ("q2", ""), ("q1", "Because."), ("q1", "Or not.")], Written("Because.\n\nOr not.")),
        ([("q1", ["Be\n", "cause."])], Written("Be\ncause.")),
        (
            [COURSE, ("", "Because.")],
            Written("Because.", "the cell of this question is gone; these are all text cells of the student's own"),
        ),
    ],
    ids=["in it", "moved", "below", "only the course below", "another question below", "copied", "lines", "gone"],
)
def test_where_an_answer_is_looked_for(tmp_path, cells, found):
    assert read(notebook(tmp_path / "a.ipynb", cells), ["q1"]) == {"q1": found}


def test_pictures_in_the_cell_are_kept_and_nothing_else_that_is_attached(tmp_path):
    good = base64.b64encode(b"\x89PNG picture").decode()
    attached = {
        "a.png": {"image/png": good, "text/html": "<script>"},
        "b.svg": {"image/svg+xml": good},
        "c.png": {"image/png": '"><script>'},
        "d.png": {"image/jpeg": [good]},
        "e.png": {"image/png": 7},
    }
    cell = {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": "q1"}}, "source": EMPTY}
    (found,) = read(notebook(tmp_path / "a.ipynb", [cell | {"attachments": attached}]), ["q1"]).values()
    assert found == Written("", "", (f"data:image/png;base64,{good}", f"data:image/jpeg;base64,{good}"))


def test_a_flood_is_cut_and_that_is_said(tmp_path):
    (found,) = read(notebook(tmp_path / "a.ipynb", [("q1", "x" * 30_000)]), ["q1"]).values()
    assert (len(found.text), found.note) == (20_000, "only the first 20000 of 30000 characters")


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"cell_type": "markdown"}]}', "[" * 10**5]
)
def test_what_is_no_notebook_is_said(tmp_path, content):
    (tmp_path / "a.ipynb").write_text(content)
    (found,) = read(tmp_path / "a.ipynb", ["q1"]).values()
    assert found.note.startswith("the file is no notebook (")


def test_links_are_not_followed_and_large_files_not_read(tmp_path, monkeypatch):
    (tmp_path / "a.ipynb").symlink_to(notebook(tmp_path / "secret.ipynb", [("q1", "secret")]))
    assert read(tmp_path / "a.ipynb", ["q1"]) == {"q1": Written("", "there is no file a.ipynb")}
    monkeypatch.setattr(answers.submission, "LARGEST", 10)
    assert "larger" in read(tmp_path / "secret.ipynb", ["q1"])["q1"].note


def test_metadata_of_any_kind_does_no_harm(tmp_path):
    cells = [{"cell_type": "markdown", "id": 3, "metadata": None, "source": "x", "attachments": None}]
    cells += [{"cell_type": "markdown", "metadata": {"nbgrader": None}, "source": "y"}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    assert read(tmp_path / "a.ipynb", ["q1"])["q1"].text == "x\n\ny"
