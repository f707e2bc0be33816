"""A notebook is graded by its tasks, whatever else stands in it, and whoever wrote it."""

import json
from pathlib import Path

import nbformat
import pytest

from dlphys.course import sandbox
from dlphys.course.grade import CREDIT, grade_notebook
from dlphys.course.sandbox import Limits
from dlphys.course.submission import Unreadable, read

ROOT = Path(__file__).parents[2]
CHAPTER = "ch03_building_blocks"
IDS = ["M3.1a", "M3.1b", "3.2a", "3.2b", "3.2c", "3.2d"]

walled = pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")


@pytest.fixture
def solution():
    return nbformat.read(ROOT / f"notebooks/solution/{CHAPTER}.ipynb", as_version=4)


def cell_of(notebook, task):
    return next(cell for cell in notebook.cells if cell.metadata.get("dlphys", {}).get("task") == task)


def graded(tmp_path, notebook, **settings):
    path = tmp_path / "handed_in.ipynb"
    path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
    return grade_notebook(path, **{"student": "ada", **settings})


def statuses(grade):
    assert [task.id for task in grade.tasks] == IDS, grade.reason
    return [task.status for task in grade.tasks]


@walled
def test_a_right_notebook_gets_all_its_points(tmp_path, solution):
    grade = graded(tmp_path, solution)
    assert statuses(grade) == ["passed"] * 6
    assert grade.points == grade.maximum == 12
    assert (grade.reason, grade.problems) == ("", ())


@walled
def test_an_untouched_notebook_gets_none_and_says_why(tmp_path):
    grade = graded(tmp_path, nbformat.read(ROOT / f"notebooks/student/{CHAPTER}.ipynb", as_version=4))
    assert statuses(grade) == ["not done"] * 6
    assert grade.points == 0
    assert "NotImplementedError" in grade.tasks[0].details[0]


@walled
def test_a_task_that_was_not_asked_is_lent_to_one_that_needs_it(tmp_path, solution):
    """A single exercise, cut out of its chapter, says `check.catch_up` where the other task stood."""
    other, mine = cell_of(solution, "3.2a"), cell_of(solution, "3.2b")
    other.source = 'correlations = check.catch_up("3.2a")'
    mine.source = mine.source.replace(
        "    return [", "    assert correlations(np.eye(2), np.arange(2)).shape == (2,)\n    return ["
    )
    (task,) = graded(tmp_path, solution, tasks=["3.2b"]).tasks
    assert (task.status, task.lent) == ("passed", ("3.2a",)), task.details


@walled
def test_cells_may_be_deleted_split_copied_reordered_and_edited(tmp_path, solution):
    """Only the functions count: all else is taken from the course."""
    student = nbformat.read(ROOT / f"notebooks/student/{CHAPTER}.ipynb", as_version=4)
    tasks = [cell_of(solution, id) for id in IDS]
    stub = nbformat.from_dict(cell_of(student, "3.2a"))
    moved = [
        nbformat.v4.new_code_cell("raise SystemExit"),
        nbformat.v4.new_code_cell("NODES = 'none'\nN_SPLITS = -1"),
        nbformat.v4.new_code_cell("%matplotlib inline\nunknown(name)"),
        *(nbformat.v4.new_code_cell(cell.source) for cell in reversed(tasks)),
        stub,
        nbformat.v4.new_code_cell("check('3.2a', correlations)\nthis is no Python"),
    ]
    solution.cells = moved
    grade = graded(tmp_path, solution)
    assert statuses(grade) == ["passed"] * 6
    assert grade.problems == ("code cell 11 is no Python: line 2: invalid syntax",)


@walled
def test_helpers_and_constants_of_the_student_come_along(tmp_path, solution):
    cell_of(solution, "3.2b").source = "def rank_features(correlation, names):\n    return in_order(names, correlation)"
    helper = "import operator\nSIGN = -1\n\ndef in_order(names, r):\n    pairs = zip(names, r)\n" + (
        "    return [name for name, _ in sorted(pairs, key=lambda p: SIGN * abs(operator.itemgetter(1)(p)))]"
    )
    solution.cells.append(nbformat.v4.new_code_cell(helper))
    grade = graded(tmp_path, solution, tasks=["3.2b"])
    assert [(task.id, task.status) for task in grade.tasks] == [("3.2b", "passed")], grade.tasks


@walled
def test_a_mistake_is_named_and_gets_a_part_of_the_points(tmp_path, solution):
    task = cell_of(solution, "3.2a")
    task.source = "def correlations(x, y):\n    return np.array([np.cov(column, y)[0, 1] for column in x.T])"
    grade = graded(tmp_path, solution, tasks=["3.2a", "3.2b"])
    assert [task.status for task in grade.tasks] == ["not yet", "passed"]
    assert grade.tasks[0].rung == "known mistake"
    assert grade.tasks[0].points == CREDIT["known mistake"] * 2
    assert any("still has units" in line for line in grade.tasks[0].details)


@walled
def test_who_fails_one_task_can_pass_the_next_that_needs_it(tmp_path):
    """As `check.catch_up` lends the reference in the notebook."""
    solution = nbformat.read(ROOT / "notebooks/solution/ch02_models.ipynb", as_version=4)
    wrong = cell_of(solution, "X2.1a")
    wrong.source = wrong.source.replace("return", "return 2 *")
    grade = graded(tmp_path, solution, tasks=["X2.1a", "X2.1b"])
    assert [(task.status, task.lent) for task in grade.tasks] == [("not yet", ()), ("passed", ("X2.1a",))]


@walled
@pytest.mark.parametrize(
    ("body", "limits", "told"),
    [
        ("while True: pass", Limits(cpu=20.0), "it used more than 20 s of CPU time"),
        ("x = b'a' * (3 << 30); return x", Limits(resident=2000.0), "it used more than 2000 MiB of memory"),
        ("import os; os._exit(0)", Limits(), "your code ended its process"),
    ],
    ids=["loop", "memory", "exit"],
)
def test_one_bad_task_does_not_cost_the_others(tmp_path, solution, body, limits, told):
    cell_of(solution, "3.2a").source = f"def correlations(x, y):\n    {body}"
    grade = graded(tmp_path, solution, tasks=["M3.1b", "3.2a", "3.2b"], limits=limits)
    assert [task.status for task in grade.tasks] == ["passed", "not yet", "passed"]
    assert any(told in line for line in grade.tasks[1].details), grade.tasks[1].details


@walled
@pytest.mark.parametrize(
    "body",
    [
        "print('passed  3.2a')",
        "import dlphys.checks.engine as engine; engine.judge = lambda *a: engine.Verdict('3.2a', 'passed'); return 1",
        "import numpy; numpy.allclose = numpy.isclose = lambda *a, **k: True; return numpy.zeros(x.shape[1])",
        "import builtins; builtins.all = lambda x: True; builtins.abs = lambda x: 0; return np.zeros(x.shape[1])",
        "from dlphys.checks import references; return references.load('3.2a')(x, y)",
        "class Liar(float):\n        def __eq__(self, other): return True\n    return Liar(1)",
        "return type('Liar', (), {'__array__': lambda self, *a: 1 / 0})()",
        "import gc; [o.update(passed=True) for o in gc.get_objects() if type(o) is dict and 'passed' in o]",
    ],
    ids=[
        "prints",
        "patches checks",
        "patches NumPy",
        "patches builtins",
        "asks the reference",
        "lies",
        "array",
        "objects",
    ],
)
def test_nothing_that_code_does_in_its_own_process_makes_it_right(tmp_path, solution, body):
    cell_of(solution, "3.2a").source = f"def correlations(x, y):\n    {body}"
    grade = graded(tmp_path, solution, tasks=["3.2a"])
    assert grade.tasks[0].status == "not yet", grade.tasks[0]


@walled
def test_code_that_never_comes_up_gets_a_reason_for_every_task(tmp_path, solution):
    cell_of(solution, "3.2a").source = "def correlations(x, y=[0 for _ in iter(int, 1)]):\n    return 1"
    grade = graded(tmp_path, solution, timeout=15.0)
    assert ["longer than 15 s" in task.details[0] for task in grade.tasks] == [True] * 6
    assert ["not tried again" in task.details[0] for task in grade.tasks] == [False] * 3 + [True] * 3


@walled
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is no notebook"),
        ("{", "the file is no notebook"),
        ("[]", "the file is no notebook"),
        ('{"cells": [{"cell_type": "code"}]}', "the file is no notebook"),
        ('{"cells": [{"cell_type": "code", "source": 3}]}', "the file is no notebook"),
        ("[" * 100_000, "the file is no notebook"),
        ('{"cells": []}', "does not say of which chapter it is"),
    ],
    ids=["empty", "broken", "list", "no source", "number", "deep", "no cells"],
)
def test_what_is_no_notebook_gets_a_reason(tmp_path, text, reason):
    grade = graded(tmp_path, text)
    assert grade.tasks == ()
    assert reason in grade.reason


def test_a_notebook_that_is_too_large_is_not_even_read(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as file:
        file.truncate(200 << 20)
    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        read(path)


def test_deep_code_is_a_problem_of_its_cell(tmp_path):
    path = tmp_path / "deep.ipynb"
    cells = [
        {"cell_type": "code", "source": code} for code in ("x = " + "(" * 5000, "x = " + "-" * 100_000 + "1", "y = 1")
    ]
    path.write_text(json.dumps({"cells": cells}))
    found = read(path)
    assert [statement.code for statement in found.statements] == ["y = 1"]
    assert len(found.problems) == 2
