"""What leaves for students: the two editions of a release, and the scan that finds a solution in one."""

import ast
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from building import CHAPTER, change, code, notebook, references, write

from dlphys.checks import engine
from dlphys.course import leaks
from dlphys.course.build import SourceError, build, release

ROOT = Path(__file__).parents[2]
CHECKS = '''\
"""Checks of a chapter made up for a test."""

from dlphys.checks.engine import task


@task("8.1a")
def weights_of(student, random):
    return None


weights_of.hints = (
    "count the bias, é",
    "one for each filter",
)  # two are enough
weights_of.mistakes = {"no bias": (lambda filters, size: filters * size * size, "bias")}
LIMIT = 3
'''


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one chapter, its check module and a little package."""
    root = tmp_path / "checkout"
    write(root / "notebooks/source/ch08_tiny.py", CHAPTER)
    write(root / "dlphys/__init__.py", "")
    write(root / "dlphys/checks/ch08_tiny.py", CHECKS)
    write(root / "dlphys/__pycache__/stale.py", "")
    write(root / "pyproject.toml", '[project]\nname = "dlphys"\n')
    return root


def test_a_release_holds_the_student_notebooks_the_package_and_a_page_to_begin_with(checkout):
    files = release(checkout, checkout / "out")
    assert [path.as_posix() for path in files] == [
        "README.md",
        "dlphys/__init__.py",
        "dlphys/checks/ch08_tiny.py",
        "dlphys/checks/references/ch08_tiny.dat",
        "notebooks/ch08_tiny.ipynb",
        "pyproject.toml",
    ]
    build(checkout)
    built = (checkout / "notebooks/student/ch08_tiny.ipynb").read_bytes()
    assert (checkout / "out/notebooks/ch08_tiny.ipynb").read_bytes() == built
    readme = (checkout / "out/README.md").read_text(encoding="utf-8")
    assert "| [Convolutions](notebooks/ch08_tiny.ipynb) | 60 | 5 |" in readme


def test_a_release_is_made_from_the_sources_and_not_from_stale_products(checkout):
    build(checkout)
    change(checkout, "a demonstration", "another demonstration")
    release(checkout, checkout / "out")
    assert "another demonstration" in (checkout / "out/notebooks/ch08_tiny.ipynb").read_text(encoding="utf-8")


def test_the_standard_edition_keeps_references_and_hints(checkout):
    release(checkout, checkout / "out")
    found = references(checkout / "out/dlphys/checks/references/ch08_tiny.dat")
    assert found["edition"] == "standard"
    assert "per_filter" in found["tasks"][0]["code"]


def test_the_standard_edition_runs_the_checks_but_does_not_show_them(checkout, monkeypatch):
    """The module of the release defines what the checkout's does."""
    monkeypatch.setattr(engine, "TASKS", {})  # the chapter made up for this test has a task of the course's name
    release(checkout, checkout / "out")
    path = checkout / "out/dlphys/checks/ch08_tiny.py"
    assert "bias" not in path.read_text(encoding="utf-8")
    space = runpy.run_path(str(path))
    assert space["LIMIT"] == 3
    assert space["weights_of"].hints == ("count the bias, é", "one for each filter")


@pytest.mark.parametrize("edition", ["standard", "exam"])
def test_the_course_itself_can_be_released_and_nothing_of_its_solutions_is_in_it(edition, tmp_path):
    """The leak scan is part of the release; a student starts a chapter from the result."""
    files = release(ROOT, tmp_path / "out", edition=edition)
    assert Path("notebooks/ch08_convolutional.ipynb") in files
    code = (
        "from dlphys import checks; check = checks.start('ch08_convolutional');"
        "check.hint('8.1a');"
        "from dlphys.checks import references; print(references.signature('8.1b'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "out")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "x_validation" in done.stdout
    assert ("hint 1 of" in done.stdout) == (edition == "standard")


def test_the_exam_edition_has_no_reference_no_hint_and_no_known_mistake(checkout):
    release(checkout, checkout / "exam", edition="exam")
    release(checkout, checkout / "standard")
    exam = references(checkout / "exam/dlphys/checks/references/ch08_tiny.dat")
    standard = references(checkout / "standard/dlphys/checks/references/ch08_tiny.dat")
    assert exam["edition"] == "exam"
    assert [task.pop("code") for task in exam["tasks"]] == [None, None]
    for task in standard["tasks"]:
        task.pop("code")
    assert exam["tasks"] == standard["tasks"]
    text = (checkout / "exam/dlphys/checks/ch08_tiny.py").read_text(encoding="utf-8")
    assert "bias" not in text
    assert "two are enough" not in text
    names = [node.name if isinstance(node, ast.FunctionDef) else type(node).__name__ for node in ast.parse(text).body]
    assert names == ["Expr", "ImportFrom", "weights_of", "Assign"]


@pytest.mark.parametrize(
    "added",
    [
        "if LIMIT:\n    weights_of.hints = ('count twice',)\n",
        "weights_of.mistakes.update({})\n",
        "LIMIT = 4; weights_of.hints = ('count twice',)\n",
        "weights_of.mistakes['more'] = (None, 'x')\n",
        "setattr(weights_of, 'hints', ('count twice',))\n",
    ],
)
def test_the_exam_edition_refuses_help_that_it_cannot_cut(checkout, added):
    write(checkout / "dlphys/checks/ch08_tiny.py", CHECKS + added)
    with pytest.raises(SourceError, match=r"dlphys/checks/ch08_tiny\.py:\d+: .*(cannot cut this|lines of their own)"):
        release(checkout, checkout / "exam", edition="exam")
    assert not (checkout / "exam").exists()


def test_a_release_is_not_written_over_anything(checkout):
    write(checkout / "out/mine.txt", "kept")
    with pytest.raises(ValueError, match=r"directory must be new or empty, got .*out"):
        release(checkout, checkout / "out")
    assert [path.name for path in (checkout / "out").iterdir()] == ["mine.txt"]


# the leak scan

SECRET = "per_filter = size * size + 1  # with its bias"


@pytest.fixture
def handed_out(checkout):
    release(checkout, checkout / "out")
    return checkout / "out"


def test_a_release_leaks_nothing(checkout, handed_out):
    assert leaks.scan(checkout, handed_out) == []


def test_the_scan_looks_at_every_line_of_twelve_characters_or_more(checkout, handed_out):
    """Of solution regions, reference answers and instructor cells; what is shown elsewhere is no secret."""
    build(checkout)
    write(handed_out / "solved.txt", code(notebook(checkout, "solution")))
    assert {leak.secret for leak in leaks.scan(checkout, handed_out)} == {
        SECRET,
        "return filters * np.int64(per_filter)",
        "return weights_of(EPOCHS, self.size)",
        "The weights are shared, so there are fewer.",
        'print("ask the group for the receptive field")',
    }


def test_a_line_that_students_see_elsewhere_is_no_secret(checkout):
    change(checkout, "# %%\n# cat", "# %%\nif False:\n    return_value = 3\n# cat")
    change(
        checkout,
        "        return weights_of(EPOCHS, self.size)",
        "        return_value = 3\n        return return_value",
    )
    release(checkout, checkout / "out")
    write(checkout / "out/note.py", "return_value = 3\n")
    assert leaks.scan(checkout, checkout / "out") == []


def test_a_line_that_only_returns_a_name_is_no_secret(checkout):
    """Any code holds "return model"; the library would leak it without having seen a solution."""
    change(checkout, "        return weights_of(EPOCHS, self.size)", "        weights = EPOCHS\n        return weights")
    release(checkout, checkout / "out")
    write(checkout / "out/dlphys/model.py", "        return weights\n")
    assert leaks.scan(checkout, checkout / "out") == []


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("dlphys/helper.py", f"def f(size):\n    {SECRET}\n", 2),
        ("notes.md", f"Try this:\n\n> `{SECRET}`\n", 3),
        ("LICENSE", SECRET, 1),
        ("data/table.json", json.dumps({"a": ["x", {"b": f"1\n{SECRET}"}]}, indent=1), 5),
    ],
)
def test_a_planted_leak_is_found_with_its_file_and_line(checkout, handed_out, name, text, line):
    write(handed_out / name, text)
    (leak,) = leaks.scan(checkout, handed_out)
    assert (leak.path, leak.line, leak.secret) == (name, line, SECRET)
    assert str(leak) == f"{name}:{line}: holds a solution line of notebooks/source/ch08_tiny.py:34: {SECRET}"


@pytest.mark.parametrize("where", ["cell", "output", "result", "attachment"])
def test_a_leak_planted_in_a_notebook_is_found(checkout, handed_out, where):
    """In cells and outputs, where JSON splits texts into lists and escapes quotes."""
    secret = 'print("ask the group for the receptive field")'
    path = handed_out / "notebooks/ch08_tiny.ipynb"
    found = nbformat.read(path, as_version=4)
    cell = next(cell for cell in found.cells if cell.cell_type == "code")
    if where == "cell":
        cell.source += f"\nif True:\n    {secret}"
    elif where == "output":
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"one\n{secret}\n")]
    elif where == "result":
        cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": secret}, execution_count=1)]
    else:
        found.metadata["note"] = ["print(", '"ask the group', ' for the receptive field")']
    nbformat.write(found, path)
    (leak,) = leaks.scan(checkout, handed_out)
    assert (leak.path, leak.secret) == ("notebooks/ch08_tiny.ipynb", secret)
    if where != "attachment":
        assert "ask the group" in path.read_text(encoding="utf-8").splitlines()[leak.line - 1]


def test_a_release_with_a_leak_is_not_made(checkout):
    write(checkout / "dlphys/helper.py", f"{SECRET}\n")
    with pytest.raises(leaks.LeakError, match=r"dlphys/helper\.py:1: holds a solution line") as caught:
        release(checkout, checkout / "out")
    assert len(caught.value.leaks) == 1
    assert not (checkout / "out").exists()
    assert not list(checkout.glob(".release-*"))
