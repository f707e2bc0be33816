"""A week of a course: assigned, handed in, graded by the command, marked by hand, and nothing done twice."""

import csv
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from dlphys import cli
from dlphys.checks import engine
from dlphys.course import gradebook, sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")

NAME = "ch01_examples"  # all its tasks are asked
ROOT = Path(__file__).parents[2]
FIT = "def own_deceleration(times, positions):\n    return -2 * np.polyfit(times - times[0], positions, 2)[0]"
SIGN = """def deceleration(times, positions):
    return np.array([2 * np.polyfit(run - run[0], positions, 2)[0] for run in times])"""


def called(*words):
    result = CliRunner().invoke(cli.app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """A course folder with exercise M1.2, which has data of the student's own, and a class of four."""
    folder = tmp_path_factory.mktemp("week")
    (folder / "class.csv").write_text("student,name,group\nada,Ada,\nemmy,Emmy,\nlise,Lise,A\notto,Otto,A\n")
    words = ["M1.2", "--root", ROOT, "--out", folder / "course", "--name", "week1", "--roster", folder / "class.csv"]
    called("assign", *words)
    return folder


def hand_in(week, student, when="2026-11-29 10:00:00", **code):
    source = nbformat.read(week / f"course/source/week1/{NAME}.ipynb", as_version=4)
    for cell in source.cells:
        task = cell.metadata.get("dlphys", {}).get("task", "").replace(".", "_")
        lines = code.get(task, cell.source).splitlines()
        cell.source = "\n".join(line for line in lines if not line.strip().startswith("### "))
    folder = week / f"course/submitted/{student}/week1"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(source, folder / f"{NAME}.ipynb")
    (folder / "timestamp.txt").write_text(f"{when} UTC\n")


def own_number(student, monkeypatch):
    monkeypatch.setenv("DLPHYS_STUDENT", student)
    return engine.own_data("M1.2b")[1]


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_week_of_a_course(week, monkeypatch):
    """Own data, a copied number, a group, a late hand-in, a known mistake, the gradebook: all by the commands."""
    copied = f"def own_deceleration(times, positions):\n    return {own_number('emmy', monkeypatch):.5f}"
    monkeypatch.delenv("DLPHYS_STUDENT")
    hand_in(week, "ada", M1_2b=FIT)
    hand_in(week, "emmy", M1_2b=copied, when="2026-12-01 10:00:00")
    hand_in(week, "lise", M1_2a=SIGN, M1_2b=copied)
    (week / "course/submitted/otto/week1").mkdir(parents=True)
    command = ["grade", week / "course/submitted", "--assignment", week / "course/source/week1"]
    command += ["--roster", week / "class.csv", "--deadline", "2026-11-30T23:59+00:00", "--late", "0.2"]
    command += ["--out", week / "grades.csv", "--report", week / "report", "--moodle", week / "moodle.csv"]
    command += ["--workers", "0"]
    output = called(*command)

    graded = rows(week / "grades.csv")
    assert list(graded) == ["ada", "emmy", "lise", "otto"]
    assert {student: float(row["points"]) for student, row in graded.items()} == {
        "ada": 3,
        "emmy": 2.4,  # all of 3 points, half a day late
        "lise": 1,  # the sign, which the check knows: half of 2 points; the number of somebody else: nothing
        "otto": 1,  # of the same group
    }
    assert graded["emmy"]["late"] == "10 h 1 min"
    assert "the answer is that of emmy" in graded["lise"]["notes"]
    assert "graded with the hand-in of lise (group A)" in graded["otto"]["notes"]
    assert "lise (Lise)" in output
    assert "it belongs to your name" in (week / "report/feedback/lise.html").read_text(encoding="utf-8")
    assert "emmy" not in (week / "report/feedback/lise.html").read_text(encoding="utf-8")
    assert rows(week / "report/grades.csv") == graded
    with Gradebook(f"sqlite:///{week}/course/gradebook.db", "course") as book:
        scores = {one.student.id: one.score for one in book.assignment_submissions("week1")}
    assert scores == {"ada": 3, "emmy": 3, "lise": 1}

    records = {path: path.stat().st_mtime_ns for path in (week / "course/records/week1").glob("*/*.json")}
    assert len(records) == 4, "the folder without a notebook has one, too"
    called(*command)
    assert {path: path.stat().st_mtime_ns for path in records} == records
    assert rows(week / "grades.csv") == graded


def test_marks_from_a_file_count_before_those_of_the_formgrader(week, monkeypatch):
    """M1.2 has no open question: one is made up, and nbgrader is asked what it knows."""
    from dlphys.course import classroom
    from dlphys.course.assignment import Asked, Assignment, Question

    asked = Assignment("week1", (Asked(NAME, "ch01_examples", ("M1.2a", "M1.2b"), (Question("answer-1-2", 2.0),)),))
    monkeypatch.setattr(classroom.asking, "read", lambda folder: asked)
    theirs = [("ada", "answer-1-2", 1.0, "formgrader"), ("emmy", "answer-1-2", 1.5, ""), ("eve", "answer-1-2", 2.0, "")]
    monkeypatch.setattr(gradebook, "marks", lambda course, name: theirs)
    (week / "marks.csv").write_text("student,question,points,comment\nada,answer-1-2,0.5,by hand\n")
    settings = {"assignment": week / "course/source/week1", "roster": week / "class.csv", "workers": 0}
    every = classroom.grade(week / "course/submitted", week / "other.csv", marks=week / "marks.csv", **settings)
    given = {result.student: [(answer.points, answer.comment) for answer in result.answers] for result in every}
    assert given == {"ada": [(0.5, "by hand")], "emmy": [(1.5, "")], "lise": [(None, "")], "otto": [(None, "")]}
    assert [result.open for result in every] == [0, 0, 2, 2]
