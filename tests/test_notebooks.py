"""Student copies run to their end; chapters work for every student and on real data; price tags are complete."""

import os
import re
from pathlib import Path

import nbformat
import pytest

from dlphys.course import prices, run

ROOT = Path(__file__).parents[1]
CHOSEN = os.environ.get("DLPHYS_TEST_STEMS")  # set by `make test FAST=1`


def notebooks(folder: str, pattern: str = "") -> list[Path]:
    """Notebooks of one kind whose names match, of all chapters or of the chosen ones."""
    found = sorted((ROOT / "notebooks" / folder).rglob("*.ipynb"))
    chosen = [path for path in found if CHOSEN is None or path.stem in CHOSEN.split()]
    return [path for path in chosen if re.match(pattern, path.stem)]


def stem(path: Path) -> str:
    return path.stem


def passed(result: run.RunResult) -> bool:
    return not result.errors and {verdict.word for verdict in result.verdicts} <= {"passed", "holds"}


def test_every_student_copy_has_its_solution():
    student = {path.name for path in (ROOT / "notebooks" / "student").rglob("*.ipynb")}
    assert len(student) >= 8
    assert student == {path.name for path in (ROOT / "notebooks" / "solution").rglob("*.ipynb")}


@pytest.mark.parametrize("path", notebooks("solution"), ids=stem)
def test_a_cell_with_a_verdict_draws_no_figure(path):
    """nbval compares the outputs of such a cell kind by kind, and a figure is a kind that no build can foresee."""
    cells = nbformat.read(path, as_version=4).cells
    judged = [cell.source for cell in cells if cell.cell_type == "code" and cell.outputs]
    assert [source for source in judged if re.search(r"\bplotting\.|\bplt\.", source)] == []


@pytest.mark.notebooks
@pytest.mark.parametrize("path", notebooks("student"), ids=stem)
def test_a_student_copy_runs_to_its_end(path):
    """With every task still open nothing but NotImplementedError is raised, and no verdict is worse than `not done`."""
    result = run.execute(path, fast=True, allow=("NotImplementedError",), environment={"DLPHYS_STUDENT": "emmy"})
    assert {error.name for error in result.errors} <= {"NotImplementedError"}
    assert {verdict.word for verdict in result.verdicts} <= {"not done", "holds"}, result.verdicts


@pytest.mark.notebooks
@pytest.mark.parametrize("path", notebooks("solution", r"ch\d\d_(?!examples)"), ids=stem)
def test_a_chapter_works_with_the_data_of_another_student(path):
    """At fast settings. At full settings every solution runs with the course's own data, under nbval (tests/run.sh).

    What is shown in the collections of examples runs with a student's data above, in the students' copies, and their
    tasks with those of two students in checks/test_self.py.
    """
    result = run.execute(path, fast=True, environment={"DLPHYS_STUDENT": "ada"}, threads=1)
    assert passed(result), [verdict for verdict in result.verdicts if verdict.word not in ("passed", "holds")]


@pytest.mark.notebooks
@pytest.mark.real_data
@pytest.mark.parametrize("path", notebooks("solution", "ch0[35]_|ch04_optimization|ch12_interpretability"), ids=stem)
def test_chapters_with_wine_photographs_and_digits_work_on_the_real_ones(path):
    """Wine of chapters 3 to 5; CIFAR-10 and MNIST of chapter 12, whose checks then ask for the book's 70 % and 98 %."""
    mirror = str(Path(os.environ["DLPHYS_DATA_DIR"]).resolve())
    result = run.execute(path, environment={"DLPHYS_DATA_DIR": mirror, "DLPHYS_STAND_IN": ""}, threads=1)
    assert passed(result), [verdict for verdict in result.verdicts if verdict.word not in ("passed", "holds")]


def test_price_tags_are_complete_and_within_the_limits():
    """DESIGN section 7: each file at most 240 s and 2 GiB, all together at most 45 minutes."""
    tags = prices.read(ROOT)
    assert sorted(tags) == sorted(path.stem for path in (ROOT / "notebooks" / "solution").rglob("*.ipynb"))
    assert prices.limits(tags) == []


def test_the_table_of_the_readme_is_current():
    assert prices.update_readme(ROOT, check=True) is False
