"""An assignment: what the instructor gets, what students get, and that nothing of the one is in the other."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from building import CHAPTER, change, write
from typer.testing import CliRunner

from dlphys import cli
from dlphys.checks import references
from dlphys.course import assignment, leaks
from dlphys.course.assign import assign

ROOT = Path(__file__).parents[2]
CLASS = "student;name;email;key\nada;Ada King Lovelace;ada@uni.example;k-1\nmüller;Müller;;k-2\n"

pytest.importorskip("nbgrader")


def cells(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT).cells


def texts(path):
    return "\n".join(cell.source for cell in cells(path))


def call(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """One assignment of two exercises of different chapters, for two students."""
    folder = tmp_path_factory.mktemp("assign") / "Kurs für Physik"
    roster = write(folder.parent / "class.csv", CLASS)
    words = ["M3.1", "3.3", "--name", "week1", "--question-points", "3", "--roster", roster]
    done = call("assign", *words, "--out", folder, "--root", ROOT)
    assert done.exit_code == 0, done.output
    assert "week1: solved in " in done.output
    return folder


def test_what_is_asked_is_read_from_the_source(course):
    found = assignment.read(course / "source/week1")
    blocks, playground = found.notebooks
    assert (found.name, blocks.notebook, blocks.stem) == ("week1", "ch03_building_blocks_M3-1", "ch03_building_blocks")
    assert (blocks.tasks, blocks.questions, blocks.points) == (("M3.1a", "M3.1b"), (), 4)
    assert playground.notebook == "ch03_playground"  # 3.3 is all that it asks, so it is not cut
    assert playground.tasks == ("3.3a", "3.3b", "3.3c", "3.3d", "3.3e")
    (question,) = playground.questions
    assert (question.id, question.points) == ("answer-3-3", 3)
    assert question.answer.startswith("**Reference answer to part 2.**")
    before = texts(course / "release/week1/ch03_playground.ipynb")
    assert question.text in before


def test_the_source_is_solved_between_nbgraders_markers_and_keeps_what_is_for_instructors(course):
    found = cells(course / "source/week1/ch03_building_blocks_M3-1.ipynb")
    tasks = [cell for cell in found if cell.metadata.get("nbgrader", {}).get("solution")]
    assert [cell.source.count("### BEGIN SOLUTION") for cell in tasks] == [1, 1]
    assert "np.tanh(y)" in tasks[0].source
    assert any("instructor" in cell.metadata.get("tags", []) for cell in found)


def test_students_get_the_stubs_of_the_build_and_nothing_of_the_instructors(course):
    release = course / "release/week1"
    found = cells(release / "ch03_building_blocks_M3-1.ipynb")
    tasks = {cell.metadata.dlphys.task: cell.source for cell in found if "task" in cell.metadata.get("dlphys", {})}
    assert tasks == {id: references.entry(id)["stub"] for id in ("M3.1a", "M3.1b")}
    assert not any("instructor" in cell.metadata.get("tags", []) for cell in found)
    (answer,) = [c for c in cells(release / "ch03_playground.ipynb") if "answer" in c.metadata.get("tags", [])]
    assert answer.source == "*Your answer, in a few sentences:*"
    assert answer.metadata.nbgrader.grade
    assert answer.metadata.nbgrader.solution
    assert set(answer.metadata.dlphys) == {"covers", "question"}


def test_no_line_of_a_solution_or_of_a_reference_answer_is_released(course):
    """The same scan finds them in the instructor's copy: in cells, and in the answer that the metadata hold."""
    found = leaks.scan(ROOT, course)
    assert {Path(leak.path).parent.as_posix() for leak in found} == {"source/week1"}
    secrets = {leak.secret for leak in found}
    assert any(line.startswith("**Reference answer") for line in secrets)
    assert "return second_weights @ weights, second_weights @ bias + second_bias" in secrets


def test_the_class_is_in_nbgraders_gradebook_and_in_the_roster_of_the_course(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        people = [(p.id, p.first_name, p.last_name, p.email) for p in gradebook.students]
        notebook = gradebook.find_notebook("ch03_playground", "week1")
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    assert people == [("ada", "Ada King", "Lovelace", "ada@uni.example"), ("müller", None, "Müller", None)]
    assert points == {f"check-3-3{part}": references.entry(f"3.3{part}")["points"] for part in "abcde"} | {
        "answer-3-3": 3
    }
    assert (course / "roster.csv").read_text(encoding="utf-8").splitlines()[1:] == [
        "ada,Ada King Lovelace,ada@uni.example,,k-1",
        "müller,Müller,,,k-2",
    ]


def test_every_student_has_a_copy_with_a_key_of_their_own(course):
    released = {path.name: path.read_bytes() for path in (course / "release/week1").iterdir()}
    for student, key in (("ada", b"k-1\n"), ("müller", b"k-2\n")):
        own = {path.name: path.read_bytes() for path in (course / "personal" / student / "week1").iterdir()}
        assert own == released | {"student.txt": key}


# --- a course of one small chapter: what happens to the folder -----------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A checkout with one chapter; it can be assigned, but not run."""
    write(tmp_path / "checkout/notebooks/source/ch08_tiny.py", CHAPTER)
    return tmp_path / "checkout"


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_another_name_adds_and_the_same_name_refuses_unless_forced(small, tmp_path):
    course = tmp_path / "course"
    first = assign(small, ["8"], course)
    assert first == course.resolve() / "source/8"
    write(course / "nbgrader_config.py", (course / "nbgrader_config.py").read_text() + "# mine\n")
    (first / "notes.txt").write_text("mine")
    assign(small, ["ch08_tiny"], course, name="again")
    assert {path.name for path in (course / "release").iterdir()} == {"8", "again"}
    before = files(course)
    with pytest.raises(ValueError, match=r"name must be new, but .* has an assignment '8'; force"):
        assign(small, ["ch08"], course, name="8")
    assert files(course) == before
    assign(small, ["ch08"], course, name="8", force=True)
    (earlier,) = (course / "earlier").iterdir()
    assert (earlier / "source/notes.txt").read_text() == "mine"
    assert (earlier / "release/ch08_tiny.ipynb").read_bytes() == before[Path("release/8/ch08_tiny.ipynb")]
    assert (course / "nbgrader_config.py").read_text().endswith("# mine\n")
    assert not (course / "source/8/notes.txt").exists()


def test_an_assignment_that_is_interrupted_leaves_the_earlier_one(small, tmp_path, monkeypatch):
    from dlphys.course import _nbgrader

    course = tmp_path / "course"
    assign(small, ["ch08"], course, name="week")
    before = {name: files(course / name) for name in ("source", "release")}

    def interrupted(*_):
        shutil.rmtree(course / "release/week", ignore_errors=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(_nbgrader, "generate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        assign(small, ["ch08"], course, name="week", force=True)
    assert {name: files(course / name) for name in ("source", "release")} == before
    assert list((course / "earlier").iterdir()) == []


def test_a_configuration_that_would_release_a_reference_answer_is_found_out(small, tmp_path):
    """An instructor may edit the configuration; what students get is scanned whatever it says."""
    course = tmp_path / "course"
    assign(small, ["ch08"], course, name="week")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "c.GenerateAssignment.preprocessors = _nbgrader.GENERATE[:2]\n")
    with pytest.raises(leaks.LeakError, match="The weights are shared, so there are fewer"):
        assign(small, ["ch08"], course, name="other")
    assert not (course / "release/other").exists()
    assert not (course / "source/other").exists()


def test_two_answers_below_one_question_have_the_same_question(small, tmp_path):
    """Not the first answer: what is a question reaches the students."""
    source = small / "notebooks/source/ch08_tiny.py"
    asked = '# %% [markdown]\nr"""\nWhy fewer, and how many?\n"""\n\n'
    second = '# %% [markdown] tags=["answer"]\nr"""\nOne set for all places.\n"""\n\n'
    text = source.read_text(encoding="utf-8")
    text = text.replace('# %% [markdown] tags=["answer"]', asked + '# %% [markdown] tags=["answer"]')
    write(source, text.replace('# %% tags=["instructor"]', second + '# %% tags=["instructor"]'))
    made = assign(small, ["8.1"], tmp_path / "course", name="week", question_points=1.5)
    (path,) = made.glob("*.ipynb")
    about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["dlphys"]
    assert (path.name, about["source"], about["edition"]) == ("ch08_tiny.ipynb", "ch08_tiny.py", "standard")
    answers = [cell.metadata for cell in cells(path) if "answer" in cell.metadata.get("tags", [])]
    assert [a.nbgrader.grade_id for a in answers] == ["answer-8-1", "answer-8-1-2"]
    assert [a.nbgrader.points for a in answers] == [1.5, 1.5]
    assert [a.dlphys.question for a in answers] == ["Why fewer, and how many?"] * 2
    assert [a.dlphys.answer for a in answers] == [
        "The weights are shared, so there are fewer.",
        "One set for all places.",
    ]


def test_a_chapter_that_nbgrader_refuses_is_refused_in_one_sentence(small, tmp_path):
    course = tmp_path / "course"
    assign(small, ["ch08"], course, name="week")
    (course / "nbgrader_config.py").write_text("c.NoSuch = 1/0\n")
    told = call("assign", "ch08", "--name", "other", "--out", course, "--root", small)
    assert told.exit_code == 2
    assert len(told.output.splitlines()) == 1
    assert not (course / "source/other").exists()


def test_the_course_remembers_its_class(small, tmp_path):
    """Everybody is graded with the key that stands in the roster of the course, so everybody has a copy with it."""
    course = tmp_path / "course"
    assign(small, ["8.1"], course, name="one", roster=write(tmp_path / "a.csv", "student,key\nada,k-1\nbob,k-2\n"))
    assign(small, ["8.1"], course, name="two", roster=write(tmp_path / "b.csv", "student,key\nbob,k-3\ncleo,k-4\n"))
    copies = {path.parent.parent.name: path.read_text() for path in course.glob("personal/*/two/student.txt")}
    assert copies == {"ada": "k-1\n", "bob": "k-3\n", "cleo": "k-4\n"}
    twice = write(tmp_path / "c.csv", "student,key\ndora,k-1\n")
    with pytest.raises(ValueError, match="roster must give everybody a key of their own: dora has ada's"):
        assign(small, ["8.1"], course, name="three", roster=twice)


def test_what_is_not_there_is_named_with_what_is(small, tmp_path):
    told = call("assign", "22.1", "--out", tmp_path / "course", "--root", small)
    assert told.exit_code == 2
    assert "got '22.1'; chapters: ch08_tiny; exercises: 8.1" in told.output
    assert not (tmp_path / "course").exists()


def test_a_chapter_that_cannot_be_built_is_not_assigned(small, tmp_path):
    change(small, "### END SOLUTION", "### end of solution")
    with pytest.raises(ValueError, match=r"ch08_tiny\.py:\d+: "):
        assign(small, ["ch08"], tmp_path / "course")
    assert not (tmp_path / "course").exists()
