"""nbgrader's gradebook gets the course's own grades, and nothing that was handed in runs on the way there."""

import dataclasses
import json
import shutil
from datetime import UTC, datetime

import coursefolder
import nbformat
import pytest
from coursefolder import NAME, NOTEBOOK, QUESTION, autograded, cell, hand_in, in_course, nbgrader, scores, solved

from dlphys.course import cleaning, gradebook, sandbox
from dlphys.course.grade import Grade, TaskGrade, grade_notebook
from dlphys.course.records import HandedIn, Record
from dlphys.course.roster import Person

POINTS = {"M3.1a": 2, "M3.1b": 2, "3.2a": 2, "3.2b": 1, "3.2c": 3, "3.2d": 2}
ALL = {f"check-{id.replace('.', '-')}": points for id, points in POINTS.items()}
COVARIANCE = "def correlations(x, y):\n    return np.array([np.cov(column, y)[0, 1] for column in x.T])"

# what nbgrader 0.9.6 does with SQLAlchemy 2 when it adds a submission; the entries are right
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted.*> not in session")
walled = pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    return coursefolder.course(tmp_path_factory.mktemp("generated") / "course")


@pytest.fixture
def course(generated, tmp_path):
    return shutil.copytree(generated, tmp_path / "course")


def record(path, student="ada", *, share=1.0, **more):
    """A grade as the course's own grader gives it, every task with this share of its points."""
    status = "passed" if share == 1 else "not yet"
    tasks = tuple(TaskGrade(id, share * most, most, status, "", ("seen: it",)) for id, most in POINTS.items())
    when = more.pop("when", datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC))
    grade = Grade(student, path.name, **{"tasks": tasks, **more})
    return Record(HandedIn(student, NOTEBOOK, path, when), grade, "fingerprint")


def mark(course, student, points=None, comment=None, name=QUESTION):
    """As a person does in the formgrader."""
    with coursefolder.gradebook(course) as book:
        if points is not None:
            entry = book.find_grade(name, NOTEBOOK, NAME, student)
            entry.manual_score, entry.needs_manual_grade = points, False
        if comment is not None:
            book.find_comment(name, NOTEBOOK, NAME, student).manual_comment = comment
        book.db.commit()


def waits(course, student):
    """The cells that a person has to look at."""
    with coursefolder.gradebook(course) as book:
        grades = book.find_submission_notebook(NOTEBOOK, NAME, student).grades
        return [entry.name for entry in grades if entry.needs_manual_grade]


@walled
def test_autograde_judges_in_the_sandbox_and_runs_nothing_of_the_notebook(course, tmp_path):
    target = tmp_path / "written_outside"
    evil = f"open({str(target)!r}, 'w').write('x'); print('passed  M3.1a')"
    notebook = solved(
        course,
        task_M3_1a=f"import numpy as np\ndef dense_layer(x, W, b, sigma=np.tanh):\n    {evil}\n    return 1",
        task_3_2a=COVARIANCE,
    )
    notebook.cells.insert(0, nbformat.v4.new_code_cell(evil))
    forged = cell(notebook, "check-M3-1a")
    forged.metadata.nbgrader.points = 100
    forged.source = "100"
    forged.outputs = [
        nbformat.v4.new_output("stream", text="passed  M3.1a\n"),
        nbformat.v4.new_output("execute_result", data={"text/plain": "1"}),
    ]
    hand_in(course, "ada", notebook)
    done = nbgrader(course).autograde(NAME, "ada")
    assert done["success"], done
    assert not target.exists()
    assert scores(course, "ada") == {**ALL, "check-M3-1a": 0, "check-3-2a": 1, QUESTION: 0}
    assert waits(course, "ada") == [QUESTION]
    outputs = cell(autograded(course, "ada"), "check-3-2a").outputs
    assert outputs[0].text.startswith("not yet  3.2a\n  seen: ")
    assert outputs[-1].data == {"text/plain": "1"}

    # one path: the grader's own record gives the same gradebook
    other = shutil.copytree(course, tmp_path / "other", ignore=shutil.ignore_patterns("autograded"))
    path = hand_in(tmp_path / "elsewhere", "eve", notebook)
    grade = grade_notebook(path, student="ada", tasks=list(POINTS))
    gradebook.write(other, NAME, [Record(HandedIn("eve", NOTEBOOK, path), grade, "")])
    assert scores(other, "eve") == scores(course, "ada")
    both = autograded(other, "eve").cells, autograded(course, "ada").cells
    for ours, theirs in zip(*both, strict=True):
        assert (ours.source, ours.metadata) == (theirs.source, theirs.metadata)
        assert str(ours.get("outputs"))[:80] == str(theirs.get("outputs"))[:80]  # the numbers that are seen differ


def test_without_a_sandbox_nothing_is_graded(course, monkeypatch):
    monkeypatch.setattr(sandbox, "why_not", lambda: "bwrap not found")
    hand_in(course, "ada", solved(course))
    done = nbgrader(course).autograde(NAME, "ada")
    assert not done["success"]
    assert "bwrap not found" in done["log"]
    assert not in_course(course, "autograded", "ada").exists()


def test_a_student_s_own_data_are_those_of_the_roster(course, monkeypatch):
    asked = []

    def judge(path, **settings):
        asked.append(settings["student"])
        return record(path).grade

    monkeypatch.setattr("dlphys.course._job.grade_notebook", judge)
    (course / "roster.csv").write_text("student,key\nada,k-17\n")
    for student in ("ada", "bob"):
        hand_in(course, student, solved(course))
    assert nbgrader(course).autograde(NAME, "*")["success"]
    assert asked == ["k-17", "bob"]


def without(notebook, *grade_ids):
    gone = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") in grade_ids]
    notebook.cells = [c for c in notebook.cells if c not in gone]


def edited(notebook):
    for c in notebook.cells:
        if "nbgrader" in c.metadata and c.metadata.nbgrader.grade:
            c.metadata.nbgrader.update(grade=False, solution=True, locked=False, points=0, schema_version=1, task=True)
            c.metadata.nbgrader.update(cell_type="markdown", checksum="none")
            if c.cell_type == "code":
                c.source = "print('passed')"


def of_another_type(notebook):
    found = cell(notebook, "check-3-2a")
    notebook.cells[notebook.cells.index(found)] = nbformat.v4.new_raw_cell("x", metadata=found.metadata)


def twice(notebook):
    notebook.cells += [nbformat.from_dict({**c, "id": f"again-{n}"}) for n, c in enumerate(notebook.cells)]
    made_up = {"grade": True, "grade_id": "check-9-9", "points": 50, "schema_version": 3, "locked": True}
    notebook.cells.append(nbformat.v4.new_code_cell("50", metadata={"nbgrader": made_up}))


@pytest.mark.parametrize(
    "change",
    [
        lambda notebook: without(notebook, "check-3-2a"),
        lambda notebook: without(notebook, "task-3-2a", "check-3-2a", "task-3-2b", "check-3-2b"),
        lambda notebook: notebook.cells.clear(),
        lambda notebook: notebook.cells.reverse(),
        edited,
        of_another_type,
        twice,
    ],
    ids=["a check deleted", "cells in a row deleted", "all deleted", "reversed", "edited", "another type", "twice"],
)
def test_cells_that_nbgrader_knows_are_restored(course, tmp_path, change):
    notebook = solved(course)
    change(notebook)
    path = hand_in(tmp_path / "elsewhere", "ada", notebook)
    gradebook.write(course, NAME, [record(path)])
    found = autograded(course, "ada")
    nbformat.validate(found)
    release = nbformat.read(in_course(course, "release", "."), as_version=4)
    for known in (c for c in release.cells if "nbgrader" in c.metadata):
        restored = cell(found, known.metadata.nbgrader.grade_id)
        assert restored.metadata.nbgrader == known.metadata.nbgrader
        assert restored.cell_type == known.cell_type
        if known.metadata.nbgrader.locked:
            assert restored.source == known.source
    assert {name: points for name, points in scores(course, "ada").items() if name != QUESTION} == ALL


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "the file is no notebook"), ('{"cells": [{}]}', "the file is no notebook"), (None, "there is no file")],
    ids=["broken", "no cells", "missing"],
)
def test_a_notebook_that_cannot_be_judged_says_why(course, tmp_path, content, reason):
    path = tmp_path / f"{NOTEBOOK}.ipynb"
    if content is not None:
        path.write_text(content)
    without_tasks = record(path, tasks=(), reason=f"{reason} <b>")
    gradebook.write(course, NAME, [without_tasks, record(hand_in(tmp_path, "bob", solved(course)), "bob")])
    assert set(scores(course, "ada").values()) == {0}
    assert sum(scores(course, "bob").values()) == 12
    with coursefolder.gradebook(course) as book:
        comment = book.find_comment("task-M3-1a", NOTEBOOK, NAME, "ada").comment
    assert comment == f"This notebook was not judged: {reason} &lt;b&gt;."
    assert autograded(course, "ada").cells[0].source.startswith("Nothing could be read: ")
    assert "not judged" in cell(autograded(course, "ada"), "check-3-2a").outputs[0].text


def test_points_follow_the_assignment_where_it_gives_others_than_the_chapter(course, tmp_path):
    source = in_course(course, "source", ".")
    notebook = nbformat.read(source, as_version=4)
    cell(notebook, "check-3-2c").metadata.nbgrader.points = 30
    nbformat.write(notebook, source)
    assert nbgrader(course).generate_assignment(NAME, force=True)["success"]
    path = hand_in(tmp_path, "ada", solved(course))
    gradebook.write(course, NAME, [record(path, share=0.25)])
    assert scores(course, "ada")["check-3-2c"] == 7.5


def test_files_beside_a_notebook_show_nothing_of_others_and_are_no_pages(course, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the grades of all")
    beside = hand_in(course, "ada", solved(course)).parent
    (beside / "link.txt").symlink_to(secret)
    (beside / "page.html").write_text("<script>alert(1)</script>")
    (beside / "figure.svg").write_text("<svg onload='alert(1)'/>")
    (beside / "data").mkdir()
    (beside / "data" / "mine.csv").write_text("1,2")
    gradebook.write(course, NAME, [record(in_course(course, "submitted", "ada"))])
    shown = in_course(course, "autograded", "ada").parent
    names = {path.relative_to(shown).as_posix() for path in shown.rglob("*") if path.is_file()}
    assert names == {f"{NOTEBOOK}.ipynb", "timestamp.txt", "data/mine.csv"}


def test_an_assignment_may_have_several_notebooks_one_of_them_without_tasks(course, tmp_path):
    source = in_course(course, "source", ".")
    notebook = nbformat.read(source, as_version=4)
    notebook.cells = notebook.cells[-2:]
    notebook.cells[-1].metadata.nbgrader.grade_id = "answer-3-2"
    nbformat.write(notebook, source.with_name("words.ipynb"))
    assert nbgrader(course).generate_assignment(NAME, force=True)["success"]
    path = hand_in(course, "ada", solved(course))
    notebook.cells[-1].source = "My words."
    nbformat.write(notebook, path.with_name("words.ipynb"))
    (path.parent / "zebra.html").write_text("x")

    words = HandedIn("ada", "words", path.with_name("words.ipynb"))
    found = [record(path), Record(words, Grade("ada", "words.ipynb"), "")]
    assert gradebook.write(course, NAME, found) == ("ada",)
    assert gradebook.write(course, NAME, found) == ()
    shown = {path.name for path in in_course(course, "autograded", "ada").parent.iterdir()}
    assert shown == {f"{NOTEBOOK}.ipynb", "words.ipynb", "timestamp.txt"}
    with coursefolder.gradebook(course) as book:
        (answer,) = book.find_submission_notebook("words", NAME, "ada").grades
        assert answer.needs_manual_grade


def test_what_a_person_has_marked_stays(course, tmp_path):
    path = hand_in(tmp_path / "elsewhere", "ada", solved(course))
    assert gradebook.write(course, NAME, [record(path, share=0.5)]) == ("ada",)
    assert gradebook.marks(course, NAME) == []
    mark(course, "ada", 3.5, "Good. Which <map>?")
    assert gradebook.marks(course, NAME) == [("ada", QUESTION, 3.5, "Good. Which <map>?")]

    assert gradebook.write(course, NAME, [record(path, share=0.5)]) == (), "nothing has changed"
    assert gradebook.write(course, NAME, [record(path)]) == ("ada",)
    assert scores(course, "ada") == {**ALL, QUESTION: 3.5}
    assert waits(course, "ada") == [], "the answer is the same: no second look is needed"

    hand_in(tmp_path / "elsewhere", "ada", solved(course, answer_3_1="Another answer."))
    assert gradebook.write(course, NAME, [record(path)]) == ("ada",)
    assert scores(course, "ada") == {**ALL, QUESTION: 3.5}
    assert waits(course, "ada") == [QUESTION]
    assert gradebook.marks(course, NAME) == [("ada", QUESTION, 3.5, "Good. Which <map>?")]


def test_a_comment_alone_is_a_mark_without_points(course, tmp_path):
    gradebook.write(course, NAME, [record(hand_in(tmp_path, "ada", solved(course)))])
    mark(course, "ada", comment="See me.")
    mark(course, "ada", 1, name="check-3-2a")
    assert gradebook.marks(course, NAME) == [("ada", QUESTION, None, "See me.")]


def test_the_class_is_in_the_gradebook_and_in_nbgrader_s_table(course, tmp_path):
    people = {
        "jürgen m": Person("jürgen m", "Jürgen von Müller", "j@example.org"),
        "kim 1": Person("kim 1", "Lee, Kim"),
        "kim2": Person("kim2", "Kim Lee"),
    }
    when = datetime.fromisoformat("2026-11-20T23:30:00+02:00")
    found = [record(hand_in(tmp_path, name, solved(course)), name, when=when) for name in people]
    others = dataclasses.replace(found[0], handed_in=dataclasses.replace(found[0].handed_in, notebook="another"))
    assert gradebook.write(course, NAME, [*found, others], people=people) == tuple(people)
    table = tmp_path / "grades.csv"
    from nbgrader.plugins import CsvExportPlugin

    with coursefolder.gradebook(course) as book:
        CsvExportPlugin(to=str(table)).export(book)
    lines = table.read_text().splitlines()[1:]
    assert sorted(line.split(",")[2:7] + line.split(",")[-1:] for line in lines) == [
        ["2026-11-20 21:30:00", "jürgen m", "Müller", "Jürgen von", "j@example.org", "16.0"],
        ["2026-11-20 21:30:00", "kim 1", "Lee", "Kim", "", "16.0"],
        ["2026-11-20 21:30:00", "kim2", "Lee", "Kim", "", "16.0"],
    ]


def test_checks_that_are_not_the_course_s_wait_for_a_person(course, tmp_path):
    """A cell with a test of the instructor's own is worth nothing by itself: nothing executes it here."""
    found = record(hand_in(tmp_path, "ada", solved(course)))
    grade = dataclasses.replace(found.grade, tasks=found.grade.tasks[1:])
    gradebook.write(course, NAME, [dataclasses.replace(found, grade=grade)])
    assert scores(course, "ada") == {**ALL, "check-M3-1a": 0, QUESTION: 0}
    assert sorted(waits(course, "ada")) == [QUESTION, "check-M3-1a"]


@pytest.mark.parametrize("name", ["..", "../eve", "a[1]*", "a/b", "", " ", "a\nb"])
def test_a_student_is_no_path(course, tmp_path, name):
    path = hand_in(tmp_path, "ada", solved(course))
    with pytest.raises(ValueError, match="student must be a name that a folder can have"):
        gradebook.write(course, NAME, [record(path, name)])
    assert not (course / "submitted").exists()


def test_nbgrader_s_refusal_is_told(course, tmp_path):
    path = hand_in(tmp_path, "ada", solved(course))
    source = in_course(course, "source", ".")
    source.write_text(json.dumps({"cells": []}))
    with pytest.raises(RuntimeError, match=r"could not write the grades of ada: .*no notebook of the course"):
        gradebook.write(course, NAME, [record(path)])


def test_an_interrupted_write_goes_on_with_the_same_call(course, tmp_path, monkeypatch):
    found = [record(hand_in(tmp_path, name, solved(course)), name) for name in ("ada", "bob", "eve")]
    gradebook.write(course, NAME, found[:1])
    mark(course, "ada", 2)
    once = [dataclasses.replace(found[0], grade=dataclasses.replace(found[0].grade, problems=("one",))), *found[1:]]

    def interrupted(path, read=cleaning.read):
        if "bob" in str(path):
            raise KeyboardInterrupt
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(cleaning, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gradebook.write(course, NAME, once)
    assert waits(course, "ada") == []
    assert gradebook.write(course, NAME, once) == ("bob", "eve")
    assert scores(course, "ada")[QUESTION] == 2
    assert "one" in cell(autograded(course, "ada"), "check-M3-1a").outputs[0].text
