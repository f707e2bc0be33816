"""A number that is right for somebody else is found, and chance accuses nobody."""

from pathlib import Path

import nbformat
import pytest

from dlphys.course import sandbox
from dlphys.course.copies import marked
from dlphys.course.grade import Grade, TaskGrade, grade_notebook
from dlphys.course.records import HandedIn, Record


def record(student, answer, status, task="M1.2b"):
    grade = Grade(student, "ch01_examples.ipynb", (TaskGrade(task, 0, 1, status, "value", (), (), answer),))
    return Record(HandedIn(student, "ch01_examples", Path("ch01_examples.ipynb")), grade, "")


def owners(*records):
    return [found.grade.tasks[0].copied for found in marked(records)]


EMMY = record("emmy", (0.314159,), "passed")


@pytest.mark.parametrize(
    ("given", "whose"),
    [
        ((0.314159,), ("emmy",)),
        ((0.3142,), ("emmy",)),
        ((0.314,), ("emmy",)),
        ((0.3141,), ()),
        ((0.31,), ()),
        ((0.31416, 1.0), ()),
        ((-0.314159,), ()),
        ((), ()),
    ],
)
def test_the_digits_that_were_given_decide(given, whose):
    assert owners(EMMY, record("ada", given, "not yet")) == [(), whose]


def test_a_number_that_is_right_is_nobody_else_s():
    assert owners(EMMY, record("ada", (0.314159,), "passed")) == [(), ()]


def test_a_wrong_number_of_somebody_else_accuses_nobody():
    assert owners(record("emmy", (0.314159,), "not yet"), record("ada", (0.314159,), "not yet")) == [(), ()]


def test_all_who_may_be_the_owner_are_named_and_other_tasks_are_not_compared():
    others = [record("emmy", (0.31412,), "passed"), record("lise", (0.31408,), "passed")]
    apart = record("otto", (0.3141,), "passed", task="M21.4b")
    assert owners(*others, apart, record("ada", (0.3141,), "not yet"))[-1] == ("emmy", "lise")


def test_two_numbers_must_both_agree():
    pair = record("emmy", (9.812, 0.4321), "passed")
    assert owners(pair, record("ada", (9.812, 0.432), "not yet"))[1] == ("emmy",)
    assert owners(pair, record("ada", (9.812, 0.433), "not yet"))[1] == ()


@pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")
def test_each_student_has_a_number_of_her_own_and_a_copied_one_is_found(tmp_path):
    """Two right notebooks whose numbers differ both pass; the number of one, written by a third, does not."""
    own = "def own_deceleration(times, positions):\n    return {}"
    fit = "-2 * np.polyfit(times - times[0], positions, 2)[0]"
    graded = []
    for student, code in [("ada", fit), ("emmy", fit), ("lise", "emmy's")]:
        if student == "lise":
            code = f"{graded[1].grade.tasks[0].answer[0]:.5f}"
        path = tmp_path / f"{student}.ipynb"
        cells = [nbformat.v4.new_code_cell(own.format(code))]
        built_from = {"dlphys": {"source": "ch01_examples.py"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=built_from), path)
        grade = grade_notebook(path, student=student, tasks=["M1.2b"])
        graded.append(Record(HandedIn(student, "ch01_examples", path), grade, ""))
    assert [found.grade.tasks[0].status for found in graded] == ["passed", "passed", "not yet"]
    ada, emmy, lise = (found.grade.tasks[0] for found in marked(graded))
    assert abs(ada.answer[0] - emmy.answer[0]) > 0.01
    assert (ada.copied, emmy.copied, lise.copied) == ((), (), ("emmy",))
    assert "no one else's is right" in "".join(lise.details)
