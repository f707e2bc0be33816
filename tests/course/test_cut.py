"""A single exercise, cut out of its chapter, keeps what it needs, and runs to its end."""

import builtins
from pathlib import Path

import pytest
from building import write

from dlphys.course import _cut, _exam
from dlphys.course._names import bound, free_names
from dlphys.course._source import SourceError, read, source_paths
from dlphys.course.assign import assign
from dlphys.course.run import execute

ROOT = Path(__file__).parents[2]

CHAPTER = '''\
# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 8, title: Waves, level: 2, minutes: 60, sections: "8.1", data: []}
# ---
# %% [markdown]
r"""
# Waves

**You will** see waves.

**You need** a sine. **Time:** an hour.
"""

# %% tags=["setup"]
from dlphys import checks

check = checks.start("ch08_waves")
import numpy as np

# %% [markdown]
r"""
## The first exercise
"""

# %%
x = np.linspace(0, 1, 5)
found = []
figure = "a figure of all waves"

# %% task="8.1a" points=2 covers="E8.1/1"
def wave(x):
    ### BEGIN SOLUTION
    return np.sin(x)
    ### END SOLUTION

# %% check="8.1a"
check("8.1a", wave)

# %%
wave = check.catch_up("8.1a", wave)
for name in ["one", "two"]:
    found.append(wave(x))
title = "many waves"

# %% [markdown]
r"""
That was the first exercise.

## The second exercise

An energy.
"""

# %% task="8.2a" points=3 covers="E8.2/1"
def energy(x):
    ### BEGIN SOLUTION
    return (wave(x) ** 2).sum()
    ### END SOLUTION

# %% check="8.2a"
check("8.2a", energy)

# %%
energy = check.catch_up("8.2a", energy)
values = [energy(y) for y in found]
for name in ["one"]:
    print(name, values)

# %% [markdown] tags=["answer"] covers="E8.2/2"
r"""
It is the square.
"""

# %% [markdown]
r"""
## Key points
"""

# %%
check.summary()
print(values)
'''


@pytest.fixture
def waves(tmp_path):
    path = write(tmp_path / "notebooks/source/ch08_waves.py", CHAPTER)
    return read(tmp_path, path)


def code(source):
    return [cell.source for cell in source.cells if cell.kind == "code"]


def test_the_sections_of_an_exercise_are_kept_and_no_others(waves):
    first = _cut.cut(waves, ["8.1"])
    assert [cell.task for cell in first.tasks] == ["8.1a"]
    shown = "\n".join(cell.source for cell in first.cells)
    assert "That was the first exercise." in shown  # the end of a text that goes on into the next section
    assert "second exercise" not in shown
    assert "summary" not in shown
    assert first.cells[0].source == "# Waves: 8.1\n\none task, 2 points.\n\n**You need** a sine."


def test_a_section_that_names_the_exercise_is_kept_though_its_tasks_stand_further_down():
    graphs = _cut.cut(read(ROOT, ROOT / "notebooks/source/ch10_graphs.py"), ["10.1"])
    headings = [cell.source.split("\n")[0] for cell in graphs.cells if cell.source.startswith("## ")]
    assert headings[:2] == ["## Exercise 10.1: a street in the sky", "## The edge convolution, by hand"]
    assert "## A graph on a sphere" not in headings  # the method, which is lent
    assert 'nearest_on_sphere = check.catch_up("M10.1")' in "\n".join(code(graphs))


def test_lines_that_are_needed_come_along_and_the_rest_of_their_cells_does_not(waves):
    """`found` is made in one cell and filled in another, by a task that is not asked; titles and figures are not."""
    second = _cut.cut(waves, ["8.2"])
    assert code(second)[1:] == [
        "x = np.linspace(0, 1, 5)\nfound = []",
        'wave = check.catch_up("8.1a")\nfor name in ["one", "two"]:\n    found.append(wave(x))',
        waves.tasks[1].source,
        'check("8.2a", energy)',
        waves.cells[-4].source,
    ]
    assert [cell.tags for cell in second.cells if "answer" in cell.tags] == [("answer",)]


def test_what_is_kept_as_a_whole_is_kept_as_it_is(waves):
    both = _cut.cut(waves, ["8.1", "8.2"])
    assert both.tasks == waves.tasks
    assert code(both) == code(waves)[:-1]


def test_an_exam_lends_nothing(waves):
    with pytest.raises(SourceError, match=r"ch08_waves\.py:\d+: 8\.2 needs 8\.1a; an exam lends nothing, so ask 8\.1"):
        _cut.cut(waves, ["8.2"], lend=False)


def test_in_an_exam_a_cell_says_which_task_it_needs(waves):
    guarded = _exam.guarded(_cut.cut(waves, ["8.1", "8.2"], lend=False))
    first = [text.split("\n")[0] for text in code(guarded)]
    assert first[1:] == [
        "x = np.linspace(0, 1, 5)",
        "def wave(x):",
        'check("8.1a", wave)',
        "check.needs(wave)",
        "def energy(x):",
        'check("8.2a", energy)',
        "check.needs(energy, wave)",  # also the list that was filled
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = x + 1", {"x"}),
        ("x = 1; x += 1", set()),
        ("x += 1", {"x"}),
        ("for a, b in pairs: print(a, b)", {"pairs", "print"}),
        ("y = [f(a) for a in b]", {"f", "b"}),
        ("def f(a, b=c): return a + g + f(b)", {"c", "g"}),
        ("def f(): return late\nlate = 1", set()),
        ("class A(B):\n    def m(self): return other", {"B", "other"}),
        ("import a.b as c, d.e\nc, d", set()),
        ("with open(p) as file: t = file.read()", {"open", "p"}),
        ("f = lambda a: a + k", {"k"}),
        ("x: int = y", {"int", "y"}),
        ("x.a[i] = 1", {"x", "i"}),
        ("if (n := f()) > 1: print(n)", {"f", "print"}),
    ],
)
def test_the_names_that_code_takes_from_above(text, names):
    assert free_names(text) == names


def test_every_exercise_of_the_course_can_be_cut_with_all_names_it_uses():
    count = 0
    for path in source_paths(ROOT):
        source = read(ROOT, path)
        for exercise in _cut.exercises(source):
            known = set(dir(builtins)) | {"__name__"}
            part = _exam.guarded(_cut.cut(source, [exercise]))
            assert [cell.task for cell in part.tasks] == [cell.check for cell in part.cells if cell.check]
            for text in code(part):
                assert not free_names(text) - known, (source.stem, exercise, text)
                known |= bound(text)
            count += 1
    assert count > 100


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Two exercises of different chapters; one lends a task of another exercise."""
    folder = tmp_path_factory.mktemp("cut")
    assign(ROOT, ["3.2", "M1.4"], folder, name="week")
    return folder


@pytest.mark.parametrize(
    ("name", "tasks", "claims"),
    [
        ("ch03_building_blocks_3-2", ["3.2a", "3.2b", "3.2c", "3.2d"], []),
        ("ch01_scope_M1-4", ["M1.4a"], ["M1.4"]),
    ],
)
def test_a_cut_notebook_runs_to_its_end_solved_and_untouched(course, name, tasks, claims):
    solved = execute(course / f"source/week/{name}.ipynb", fast=True, timeout=600)
    assert solved.problems() == []
    assert [v.id for v in solved.verdicts if v.word == "passed"] == tasks
    assert [v.id for v in solved.verdicts if v.word == "holds"] == claims
    untouched = execute(course / f"release/week/{name}.ipynb", fast=True, timeout=600, allow=["NotImplementedError"])
    assert untouched.problems(student=True) == []
    assert [v.id for v in untouched.verdicts if v.word == "not done"] == tasks
