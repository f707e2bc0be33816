"""The list of what the course must contain, and which notebook shows it."""

import csv
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from building import CHAPTER

from dlphys.course.coverage import coverage, text

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one chapter, which covers exercise 8.1 (by two tasks and an answer), X8.2 and M8.3."""
    path = tmp_path / "notebooks/source/ch08_tiny.py"
    path.parent.mkdir(parents=True)
    path.write_text(CHAPTER, encoding="utf-8")
    return tmp_path


def lines(name):
    with files("dlphys.course").joinpath(name).open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_what_is_owed_is_exactly_what_no_notebook_covers():
    """The promise of the handbook: the list of what is missing is never out of date."""
    uncovered = {row.id for row in coverage(ROOT) if not row.covered}
    assert {line["id"] for line in lines("owed.csv")} == uncovered


def test_every_debt_names_a_step_and_stands_once():
    owed = lines("owed.csv")
    assert max(Counter(line["id"] for line in owed).values()) == 1
    assert {line["step"] for line in owed} <= {"step 3", "step 4", "step 5", "after step 6"}
    assert {line["id"] for line in owed} <= {line["id"] for line in lines("coverage.csv")}


def test_the_table_lists_the_206_systems_and_62_parts_of_the_course():
    """DESIGN: 206 systems and 62 numbered parts of exercises."""
    table = lines("coverage.csv")
    ids = [line["id"] for line in table]
    assert len(set(ids)) == len(ids)
    assert Counter("part" if "/" in id else "system" for id in ids) == {"system": 206, "part": 62}
    assert all((line["kind"] == "part") == ("/" in line["id"]) for line in table)
    assert {line["kind"] for line in table} == {"exercise", "part", "example", "method", "lecture"}
    assert {id.split("/")[0] for id in ids if "/" in id} <= {line["id"] for line in table if line["kind"] == "exercise"}


def test_a_cell_covers_what_it_names(checkout):
    rows = {row.id: row for row in coverage(checkout)}
    assert {id: row.covered_by for id, row in rows.items() if row.covered and not id.startswith("E8.1")} == {
        "X8.2": ("ch08_tiny: claim X8.2",),
        "M8.3": ("ch08_tiny: claim M8.3",),
    }
    assert rows["E8.1/1"].covered_by == ("ch08_tiny: task 8.1a",)
    assert rows["E8.1/3"].covered_by[0].startswith("ch08_tiny: answer in line ")


def test_an_exercise_is_covered_when_all_of_its_parts_are(checkout):
    rows = {row.id: row for row in coverage(checkout)}
    assert rows["E8.1"].covered_by == tuple(rows[f"E8.1/{n}"].covered_by[0] for n in (1, 2, 3))
    path = checkout / "notebooks/source/ch08_tiny.py"
    path.write_text(CHAPTER.replace("E8.1/2", ""), encoding="utf-8")
    rows = {row.id: row for row in coverage(checkout)}
    assert rows["E8.1/1"].covered
    assert not rows["E8.1"].covered


def test_an_example_is_not_covered_without_its_claim(checkout):
    path = checkout / "notebooks/source/ch08_tiny.py"
    path.write_text(CHAPTER.replace('check.claim("X8.2"', 'print("X8.2"'), encoding="utf-8")
    rows = {row.id: row for row in coverage(checkout)}
    assert not rows["X8.2"].covered
    assert rows["M8.3"].covered


def test_the_printed_table_has_a_line_for_every_system_and_says_who_owes_it(checkout):
    rows = coverage(checkout)
    printed = text(rows).splitlines()
    assert len(printed) == len(rows) + 1
    assert printed[-1] == f"6 of {len(rows)} covered"
    by_id = {line.split()[0]: line for line in printed[:-1]}
    assert "owed by after step 6" in by_id["L30"]
    assert "ch08_tiny: claim X8.2" in by_id["X8.2"]
    assert by_id["L30"].endswith("Flows, autoregressive and diffusion models")
