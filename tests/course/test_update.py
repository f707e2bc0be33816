"""A student's notebooks meet a new release: what was written stays, and what was not written is the release's."""

import nbformat
import pytest
from building import CHAPTER, change, write
from typer.testing import CliRunner

from dlphys.cli import app
from dlphys.course import update
from dlphys.course.build import build

NAME = "ch08_tiny.ipynb"
SOLVED = "def weights_of(filters, size):\n    return filters * (size**2 + 1)"


@pytest.fixture
def course(tmp_path):
    """A checkout with a chapter, and the notebook as a student got it from there."""
    write(tmp_path / "checkout/notebooks/source/ch08_tiny.py", CHAPTER)
    build(tmp_path / "checkout")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / NAME).write_bytes((tmp_path / "checkout/notebooks/student" / NAME).read_bytes())
    return tmp_path


@pytest.fixture
def mine(course):
    return course / "mine" / NAME


def read(path):
    found = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(found)
    return found


def cell_of(found, task):
    return next(cell for cell in found.cells if cell.metadata.get("dlphys", {}).get("task") == task)


def with_text(found, text):
    """Numbers of the cells that hold a text."""
    return [number for number, cell in enumerate(found.cells) if text in cell.source]


def edit(path, change_notebook):
    found = read(path)
    change_notebook(found)
    path.write_text(nbformat.writes(found), encoding="utf-8")


def solve(path, task="8.1a", text=SOLVED):
    edit(path, lambda found: cell_of(found, task).update(source=text))


def released(course, *changes):
    """The next release, with some texts of its source replaced."""
    for old, new in changes:
        change(course / "checkout", old, new)
    build(course / "checkout")
    return course / "checkout/notebooks/student"


MORE_TEXT = ("A filter of size $k$ has", "Without its bias a filter of size $k$ has")


def test_a_notebook_of_the_same_release_is_current(course, mine):
    solve(mine)
    before = mine.read_bytes()
    (entry,) = update.update(course / "mine", released(course))
    assert (entry.state, entry.kept, entry.backup) == ("current", ("8.1a",), None)
    assert mine.read_bytes() == before


def test_a_solution_stays_and_the_text_around_it_is_new(course, mine):
    solve(mine)
    before = mine.read_bytes()
    (entry,) = update.update(mine, released(course, MORE_TEXT, ("EPOCHS = 8", "EPOCHS = 9")))
    found = read(mine)
    assert cell_of(found, "8.1a").source == SOLVED
    assert with_text(found, MORE_TEXT[1])
    assert with_text(found, "EPOCHS = 9")
    assert not with_text(found, "EPOCHS = 8")
    assert (entry.state, entry.kept) == ("updated", ("8.1a",))
    assert entry.backup.read_bytes() == before


def test_an_open_task_gets_the_new_text_of_the_release(course, mine):
    (entry,) = update.update(
        mine, released(course, ('"""Number of weights."""', '"""Number of weights and biases."""'))
    )
    assert entry.backup is None, "nobody had written in it"
    assert "and biases" in cell_of(read(mine), "8.1a").source


def test_a_second_update_finds_nothing_to_do_and_every_backup_is_kept(course, mine):
    solve(mine)
    release = released(course, MORE_TEXT)
    update.update(mine, release)
    once = mine.read_bytes()
    assert update.update(mine, release)[0].state == "current"
    assert mine.read_bytes() == once
    update.update(mine, released(course, (MORE_TEXT[1], "A filter has")))
    assert sorted(path.name for path in (course / "mine/backups").iterdir()) == [f"ch08_tiny.{k}.ipynb" for k in (1, 2)]


def test_a_notebook_and_a_cell_under_other_names_are_found(course, mine):
    """The file has another name, and the cell has lost what told which task it is."""

    def forget(found):
        cell = cell_of(found, "8.1a")
        cell.metadata, cell.id = nbformat.from_dict({}), "pasted"

    solve(mine)
    edit(mine, forget)
    renamed = mine.rename(mine.with_name("my homework.ipynb"))
    (entry,) = update.update(course / "mine", released(course, MORE_TEXT))
    assert (entry.path, entry.state, entry.kept) == (renamed, "updated", ("8.1a",))
    assert cell_of(read(renamed), "8.1a").source == SOLVED
    assert len(with_text(read(renamed), "def weights_of")) == 1


def test_reordered_cells_return_to_the_order_of_the_release(course, mine):
    solve(mine)
    edit(mine, lambda found: found.cells.reverse())
    release = released(course, MORE_TEXT)
    update.update(mine, release)
    assert [cell.source for cell in read(mine).cells] == [
        SOLVED if "def weights_of" in cell.source else cell.source for cell in read(release / NAME).cells
    ]


def test_cells_of_ones_own_stay_where_they_were(course, mine):
    """With their outputs, below the cell they stood below, and at the very top."""

    def add(found):
        cell = nbformat.v4.new_code_cell("1 + 1", outputs=[nbformat.v4.new_output("stream", text="2")])
        found.cells.insert(found.cells.index(cell_of(found, "8.1b")) + 1, cell)
        found.cells.insert(0, nbformat.v4.new_markdown_cell("my notes"))

    edit(mine, add)
    update.update(mine, released(course, MORE_TEXT))
    found = read(mine)
    assert found.cells[0].source == "my notes"
    (number,) = with_text(found, "1 + 1")
    assert found.cells[number - 1] == cell_of(found, "8.1b")
    assert found.cells[number].outputs[0].text == "2"


def test_an_edited_cell_that_the_release_has_not_changed_stays_edited(course, mine):
    edit(mine, lambda found: found.cells[with_text(found, "EPOCHS = 8")[0]].update(source="EPOCHS = 3"))
    (entry,) = update.update(mine, released(course, MORE_TEXT))
    assert entry.notes == ()
    assert with_text(read(mine), "EPOCHS = 3")
    assert not with_text(read(mine), "EPOCHS = 8")


def test_where_both_have_changed_a_cell_both_texts_stay_and_one_runs(course, mine):
    edit(mine, lambda found: found.cells[with_text(found, "EPOCHS = 8")[0]].update(source="EPOCHS = 3"))
    (entry,) = update.update(mine, released(course, ("EPOCHS = 8", "EPOCHS = 9")))
    found = read(mine)
    new, old = with_text(found, "EPOCHS = 9") + with_text(found, "EPOCHS = 3")
    assert abs(old - new) == 1
    assert [found.cells[k].cell_type for k in (new, old)] == ["code", "markdown"]
    assert entry.notes == (
        "the release has changed or left out a cell you edited; yours is kept as text: 'EPOCHS = 3'",
    )


def test_an_edited_check_is_the_releases_again(course, mine):
    check = 'check("8.1a", weights_of)'
    edit(mine, lambda found: found.cells[with_text(found, check)[0]].update(source="print('passed')"))
    update.update(mine, released(course, MORE_TEXT))
    found = read(mine)
    assert [found.cells[k].cell_type for k in with_text(found, check)] == ["code"]
    assert [found.cells[k].cell_type for k in with_text(found, "print('passed')")] == ["markdown"]


def test_of_two_versions_of_a_task_the_last_counts_and_none_is_lost(course, mine):
    def copy_cell(found):
        other = {**cell_of(found, "8.1a"), "id": "copied", "source": "def weights_of():\n    return 1"}
        found.cells.insert(4, nbformat.from_dict(other))

    solve(mine)
    edit(mine, copy_cell)
    (entry,) = update.update(mine, released(course, MORE_TEXT))
    found = read(mine)
    assert cell_of(found, "8.1a").source == SOLVED
    assert [found.cells[k].cell_type for k in with_text(found, "return 1")] == ["markdown"]
    assert "there twice" in entry.notes[0]


def test_a_changed_signature_is_told(course, mine):
    solve(mine)
    (entry,) = update.update(
        mine, released(course, ("def weights_of(filters, size):", "def weights_of(size, filters=1):"))
    )
    assert cell_of(read(mine), "8.1a").source == SOLVED
    assert entry.notes == ("task 8.1a: the release begins with 'def weights_of(size, filters=1)'; yours is kept",)


def test_an_answer_stays_below_its_question(course, mine):
    """Empty answers are alike: only the question above tells to which an answer belongs."""
    question = (
        '\n\n# %% [markdown]\n"""\nWhy is it fast?\n"""\n\n# %% [markdown] tags=["answer"]\n"""\nFew products.\n"""\n'
    )
    path = course / "checkout/notebooks/source/ch08_tiny.py"
    text = path.read_text()
    answered = with_text(read(mine), "Your answer")
    edit(mine, lambda found: found.cells[answered[0]].update(source="Because."))
    path.write_text(text.replace('# %% tags=["parameters"]', f'{question}\n# %% tags=["parameters"]'))
    update.update(mine, released(course))
    found = read(mine)
    assert with_text(found, "Because.") > with_text(found, "Your answer") > with_text(found, "Why is it fast?")
    assert found.cells[with_text(found, "Because.")[0] - 1].source.startswith("check")


def test_a_solution_of_a_task_that_is_gone_is_kept_as_text(course, mine):
    solve(mine, "8.1b", "class Convolution:\n    size = 3")
    path = course / "checkout/notebooks/source/ch08_tiny.py"
    text = path.read_text()
    begin, end = text.index('# %% task="8.1b"'), text.index('# %% [markdown] tags=["answer"]')
    path.write_text(text[:begin] + text[end:])
    update.update(mine, released(course))
    found = read(mine)
    assert [found.cells[k].cell_type for k in with_text(found, "class Convolution")] == ["markdown"]


def test_new_notebooks_come_and_those_of_others_are_left_alone(course, mine):
    stranger = write(course / "mine/notes.ipynb", nbformat.writes(nbformat.v4.new_notebook()))
    text = stranger.read_bytes()
    second = CHAPTER[: CHAPTER.index('# %% task="8.1a"')].replace("ch08_tiny", "ch08_more")
    write(course / "checkout/notebooks/source/ch08_more.py", second)
    entries = update.update(course / "mine", released(course))
    assert [(entry.path.name, entry.state) for entry in entries] == [
        ("ch08_more.ipynb", "new"),
        (NAME, "current"),
        ("notes.ipynb", "not of the course"),
    ]
    assert stranger.read_bytes() == text


def test_a_broken_notebook_stops_before_anything_is_written(course, mine):
    write(course / "mine/broken.ipynb", "{")
    before = mine.read_bytes()
    with pytest.raises(ValueError, match=r"broken\.ipynb cannot be read as a notebook"):
        update.update(course / "mine", released(course, MORE_TEXT))
    assert mine.read_bytes() == before


def test_a_notebook_without_cell_ids_keeps_its_solutions(course, mine):
    """As programs save it that know only the older format."""

    def old_format(found):
        found.nbformat_minor = 4
        for cell in found.cells:
            del cell["id"]

    solve(mine)
    edit(mine, old_format)
    update.update(mine, released(course, MORE_TEXT))
    assert cell_of(read(mine), "8.1a").source == SOLVED


def test_the_command_says_what_it_did(course, mine):
    solve(mine)
    release = released(course, MORE_TEXT)
    result = CliRunner().invoke(app, ["update", str(mine), "--release", str(release)])
    assert result.exit_code == 0
    assert result.stdout == (
        f"updated  {mine}; tasks kept: 8.1a; as it was before: {mine.parent / 'backups/ch08_tiny.1.ipynb'}\n"
    )


def test_a_reset_task_is_its_stub_again_and_the_rest_is_left(tmp_path):
    from test_notebooks import ROOT

    released = read(ROOT / "notebooks/student/ch08_convolutional.ipynb")
    path = write(tmp_path / "ch08.ipynb", nbformat.writes(released))
    solve(path, text="def build_cnn():\n    return 1")
    solved = path.read_bytes()
    result = CliRunner().invoke(app, ["reset", "8.1a", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert read(path) == released
    assert (tmp_path / "backups/ch08.1.ipynb").read_bytes() == solved
    assert update.reset(path, "8.1a").state == "current"


def test_a_reset_task_whose_cell_is_gone_stands_above_its_check_again(tmp_path):
    from test_notebooks import ROOT

    released = read(ROOT / "notebooks/student/ch08_convolutional.ipynb")
    path = write(tmp_path / "ch08.ipynb", nbformat.writes(released))
    edit(path, lambda found: found.cells.remove(cell_of(found, "8.1a")))
    update.reset(path, "8.1a")
    assert [cell.source for cell in read(path).cells] == [cell.source for cell in released.cells]


def test_a_task_that_no_notebook_has_is_not_reset(course):
    with pytest.raises(ValueError, match=r"exactly one notebook of '.+' must have task 8\.2a; have it: none"):
        update.reset(course / "mine", "8.2a")
