"""What an examinee gets holds no reference, no hint and no answer, and runs with what is handed out alone."""

import ast
import base64
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from dlphys import checks
from dlphys.course import assignment
from dlphys.course.assign import assign
from dlphys.course.run import execute

ROOT = Path(__file__).parents[2]
NAMES = ["ch03_building_blocks_3-2.ipynb", "ch03_playground.ipynb"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    pytest.importorskip("nbgrader")
    folder = tmp_path_factory.mktemp("exam") / "course"
    assign(ROOT, ["3.2", "3.3"], folder, name="exam1", edition="exam")
    return folder


@pytest.fixture(scope="module")
def handout(course):
    return course / "handout/exam1"


def test_the_handout_is_the_release_and_a_package(course, handout):
    for name in NAMES:
        assert (handout / "notebooks" / name).read_bytes() == (course / "release/exam1" / name).read_bytes()
    assert sorted(path.name for path in (handout / "notebooks").iterdir()) == NAMES
    assert {"README.md", "pyproject.toml", "dlphys"} <= {path.name for path in handout.iterdir()}
    assert "no hints" in (handout / "README.md").read_text(encoding="utf-8")


def test_no_reference_no_hint_and_no_answer_is_handed_out(course, handout):
    stored = list((handout / "dlphys/checks/references").glob("*.dat"))
    assert len(stored) == len(list((ROOT / "dlphys/checks/references").glob("*.dat")))
    for path in stored:
        content = json.loads(zlib.decompress(base64.b64decode(path.read_bytes())))
        assert content["edition"] == "exam"
        assert [task["code"] for task in content["tasks"]] == [None] * len(content["tasks"])
    for path in (handout / "dlphys/checks").glob("ch*.py"):
        attributes = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not attributes & {"hints", "mistakes"}, path
    (question,) = assignment.read(course / "source/exam1").notebooks[1].questions
    everything = b"".join(path.read_bytes() for path in handout.rglob("*") if path.is_file())
    assert question.answer.splitlines()[0].encode() not in everything


def test_a_task_of_the_source_is_solved_and_of_the_handout_is_not(course, handout):
    for folder, solved in ((course / "source/exam1", True), (handout / "notebooks", False)):
        text = (folder / NAMES[0]).read_text(encoding="utf-8")
        assert ("np.linalg.lstsq(with_ones, y, rcond=None)" in text) == solved


def test_an_untouched_exam_runs_to_its_end_with_nothing_but_not_implemented(handout):
    """With the package that is handed out, which has nothing to lend; a cell that needs a task says which."""
    run = execute(
        handout / "notebooks" / NAMES[0],
        fast=True,
        timeout=600,
        allow=["NotImplementedError"],
        environment={"PYTHONPATH": str(handout)},
    )
    assert run.problems(student=True) == []
    assert [verdict.word for verdict in run.verdicts] == ["not done"] * 4
    said = [out["evalue"] for cell in run.notebook.cells for out in cell.get("outputs", []) if "evalue" in out]
    assert "this cell needs correlations, which is not done" in said
    assert len(said) > 4


def test_the_handout_gives_no_reference_and_no_hint_when_asked(handout):
    program = (
        "from dlphys import checks\n"
        "from dlphys.checks import engine\n"
        "check = checks.start('ch03_playground')\n"
        "check.hint('3.3a')\n"
        "try: check.catch_up('3.3a')\n"
        "except NotImplementedError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=handout, capture_output=True, text=True, env={"PATH": "", "HOME": str(handout)})
    shutil.rmtree(handout / "dlphys/__pycache__", ignore_errors=True)
    assert done.stdout.splitlines() == [
        "3.3a has no hints",
        "this is the exam edition: it has no references (task 3.3a)",
    ], done.stderr


# --- check.needs ---------------------------------------------------------------------------------------------


def undone(x):
    """Left as it was."""
    raise NotImplementedError("task 3.3a")


class Undone:
    def first(self):
        return 1

    def second(self):
        raise NotImplementedError("task 3.3b")


def test_a_cell_that_needs_what_is_not_done_stops():
    check = checks.start("ch03_playground")
    for task in (undone, Undone):
        with pytest.raises(NotImplementedError, match=f"this cell needs {task.__name__}, which is not done"):
            check.needs(len, task)


def test_a_cell_goes_on_when_all_it_needs_is_there():
    """An answer that is wrong, or that cannot do everything, is one; a reference is there in the standard edition."""

    def partly(x):
        if x < 0:
            raise NotImplementedError("only for positive numbers")
        return x

    checks.start("ch03_playground").needs(len, partly, "7.1")
