"""The build: what students, instructors and the checks get from a source.

The authority is the design of the source format (DESIGN section 5); the chapter is a small one made up for
the purpose, in a checkout of its own.
"""

import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from building import CHAPTER, change, code, notebook, references, write

import dlphys
from dlphys.course.build import SourceError, build, encode_references, release

LECTURE = """\
# ---
# jupyter:
#   dlphys: {title: Jets, level: 3, minutes: 30, sections: "L13", data: []}
# ---
# %% tags=["setup"]
from dlphys import checks

check = checks.start("lec_jets")
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one chapter."""
    write(tmp_path / "checkout/notebooks/source/ch08_tiny.py", CHAPTER)
    return tmp_path / "checkout"


def files_of(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_build_writes_both_faces_and_the_references(checkout):
    changed = build(checkout)
    assert sorted(path.as_posix() for path in changed) == [
        "dlphys/checks/references/ch08_tiny.dat",
        "notebooks/solution/ch08_tiny.ipynb",
        "notebooks/student/ch08_tiny.ipynb",
    ]
    assert all((checkout / path).is_file() for path in changed)


def test_the_student_face_holds_stubs_in_place_of_solutions(checkout):
    build(checkout)
    found = notebook(checkout, "student")
    tasks = [cell.source for cell in found.cells if "task" in cell.metadata.get("dlphys", {})]
    assert tasks[0] == (
        'def weights_of(filters, size):\n    """Number of weights."""\n    raise NotImplementedError("task 8.1a")'
    )
    assert tasks[1].endswith('    def weights(self):\n        raise NotImplementedError("task 8.1b")')
    for secret in ("per_filter", "SOLUTION", "self.size)", "weights are shared", "receptive field"):
        assert secret not in code(found)


def test_the_student_face_has_no_outputs_and_no_counts(checkout):
    build(checkout)
    cells = [cell for cell in notebook(checkout, "student").cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_the_solution_face_is_solved_and_keeps_the_instructor_cells(checkout):
    build(checkout)
    text = code(notebook(checkout, "solution"))
    assert "per_filter = size * size + 1" in text
    assert "SOLUTION" not in text
    assert "weights are shared" in text
    assert "receptive field" in text


def test_the_solution_face_stores_the_expected_verdicts_and_nothing_else(checkout):
    build(checkout)
    stored = {}
    for cell in notebook(checkout, "solution").cells:
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None):
            assert cell.execution_count == 1
            (output,) = cell.outputs
            assert (output.output_type, output.name) == ("stream", "stdout")
            stored[cell.source.splitlines()[0]] = output.text
    assert stored == {
        'check("8.1a", weights_of)': "passed  8.1a\n",
        'check("8.1b", Convolution)': "passed  8.1b\n",
        'check.claim("X8.2", weights_of(1, 7) + 6, 56, tolerance=0, wrong=6146)': "holds  X8.2\nholds  M8.3\n",
    }


@pytest.mark.parametrize("face", ["student", "solution"])
def test_the_setup_cell_says_for_which_version_it_was_built(checkout, face):
    build(checkout)
    line = f'check = checks.start("ch08_tiny", built_for="{dlphys.__version__}")  # once'
    assert line in code(notebook(checkout, face)).splitlines()


@pytest.mark.parametrize("face", ["student", "solution"])
def test_tasks_and_checks_carry_the_metadata_of_nbgrader(checkout, face):
    """nbgrader's cell schema, version 3."""
    build(checkout)
    found = {
        c.metadata.nbgrader.grade_id: c.metadata for c in notebook(checkout, face).cells if "nbgrader" in c.metadata
    }
    assert list(found) == ["task-8-1a", "check-8-1a", "task-8-1b", "check-8-1b"]
    common = {"schema_version": 3, "task": False, "cell_type": "code"}
    task = {"grade": False, "solution": True, "locked": False, "grade_id": "task-8-1a"}
    check = {"grade": True, "solution": False, "locked": True, "grade_id": "check-8-1b", "points": 3}
    assert found["task-8-1a"].nbgrader == common | task
    assert found["check-8-1b"].nbgrader == common | check
    assert found["task-8-1a"].dlphys == {"task": "8.1a", "points": 2, "covers": ["E8.1/1"]}
    assert found["check-8-1b"].dlphys == {"check": "8.1b", "points": 3}


@pytest.mark.parametrize("face", ["student", "solution"])
def test_no_metadata_of_jupytext_and_no_empty_cell_is_left(checkout, face):
    build(checkout)
    found = notebook(checkout, face)
    assert found.metadata.keys() == {"kernelspec", "language_info", "dlphys"}
    assert found.metadata.dlphys.chapter == 8
    assert found.metadata.dlphys.version == dlphys.__version__
    assert {key for cell in found.cells for key in cell.metadata} <= {"tags", "nbgrader", "dlphys"}
    assert found.cells[0].source.startswith("# Convolutions\n### Weights\n")
    assert all(cell.source.strip() for cell in found.cells)


def test_a_comment_that_names_a_shell_command_stays_a_comment(checkout):
    """jupytext would otherwise read "# cat ..." as a magic command."""
    build(checkout)
    assert "# cat filter.txt shows no file: this is a comment" in code(notebook(checkout, "student"))


def test_a_rebuild_changes_nothing(checkout):
    build(checkout)
    before = files_of(checkout)
    assert build(checkout) == []
    for path in before:
        if path.suffix in (".ipynb", ".dat"):
            path.unlink()
    build(checkout)
    assert files_of(checkout) == before


def test_cell_ids_are_unique_and_survive_an_edit_elsewhere(checkout):
    change(checkout, "# %%\n# cat", "# %%\nEPOCHS\n\n# %%\nEPOCHS\n\n# %%\n# cat")
    build(checkout)
    first = [cell.id for cell in notebook(checkout, "solution").cells]
    assert len(set(first)) == len(first)
    change(checkout, "a demonstration", "another demonstration")
    build(checkout)
    second = [cell.id for cell in notebook(checkout, "solution").cells]
    assert sum(a != b for a, b in zip(first, second, strict=True)) == 1


def test_lectures_are_built_into_their_own_folder(checkout):
    write(checkout / "notebooks/source/lectures/lec_jets.py", LECTURE)
    build(checkout)
    assert notebook(checkout, "student", "lectures/lec_jets").metadata.dlphys.title == "Jets"
    assert references(checkout / "dlphys/checks/references/lec_jets.dat")["tasks"] == []


def test_the_references_define_every_task_without_the_notebook(checkout):
    """They are run on their own here, as the checks do."""
    build(checkout)
    path = checkout / "dlphys/checks/references/ch08_tiny.dat"
    found = references(path)
    assert found["stem"] == "ch08_tiny"
    assert found["version"] == dlphys.__version__
    assert [(t["id"], t["name"], t["kind"], t["points"]) for t in found["tasks"]] == [
        ("8.1a", "weights_of", "function", 2),
        ("8.1b", "Convolution", "class", 3),
    ]
    space: dict = {}
    exec("import numpy as np\n" + found["parameters"], space)
    for task in found["tasks"]:
        exec(task["code"], space)
    assert space["Convolution"](7).weights() == 8 * 50
    exec(found["tasks"][1]["stub"], space)
    with pytest.raises(NotImplementedError, match=r"task 8\.1b"):
        space["Convolution"](7).weights()
    assert len(found["setup"]) == 1
    assert b"per_filter" not in path.read_bytes()


def test_references_are_compared_by_what_they_say(checkout):
    """The bytes of zlib differ between its versions; a product must not look stale for that."""
    build(checkout)
    path = checkout / "dlphys/checks/references/ch08_tiny.dat"
    loose = base64.encodebytes(zlib.compress(json.dumps(references(path)).encode(), 1))
    path.write_bytes(loose)
    assert build(checkout) == []
    assert path.read_bytes() == loose
    path.write_bytes(b"broken")
    assert build(checkout) == [path.relative_to(checkout)]


def test_encoded_references_are_lines_of_ascii_that_decode_to_the_payload():
    payload = {"stem": "ch08", "tasks": [{"code": "σ = 1\n" * 100}]}
    encoded = encode_references(payload)
    assert max(map(len, encoded.decode("ascii").splitlines())) <= 76
    assert json.loads(zlib.decompress(base64.b64decode(encoded))) == payload


def test_a_check_writes_nothing_and_names_what_is_stale(checkout):
    build(checkout)
    change(checkout, "a demonstration", "another demonstration")
    before = files_of(checkout)
    assert build(checkout, check=True) == [
        Path("notebooks/student/ch08_tiny.ipynb"),
        Path("notebooks/solution/ch08_tiny.ipynb"),
    ]
    assert files_of(checkout) == before


def test_products_without_a_source_are_removed_and_other_notebooks_are_not(checkout):
    write(checkout / "notebooks/source/lectures/lec_jets.py", LECTURE)
    build(checkout)
    copy = checkout / "notebooks/student/ch08_tiny-Copy1.ipynb"
    copy.write_bytes((checkout / "notebooks/student/ch08_tiny.ipynb").read_bytes())
    (checkout / "notebooks/source/lectures/lec_jets.py").unlink()
    expected = [
        Path("dlphys/checks/references/lec_jets.dat"),
        Path("notebooks/student/lectures/lec_jets.ipynb"),
        Path("notebooks/solution/lectures/lec_jets.ipynb"),
    ]
    assert build(checkout, check=True) == expected
    assert build(checkout) == expected
    assert copy.exists()
    assert not any((checkout / path).exists() for path in expected)


def test_the_build_never_writes_to_the_sources(checkout):
    before = files_of(checkout / "notebooks/source")
    build(checkout)
    release(checkout, checkout / "out")
    assert files_of(checkout / "notebooks/source") == before


def test_one_source_builds_while_another_is_broken(checkout):
    write(checkout / "notebooks/source/ch09_broken.py", "def (")
    with pytest.raises(SourceError, match=r"ch09_broken\.py"):
        build(checkout)
    assert not (checkout / "notebooks/student").exists()
    assert len(build(checkout, only="ch08_tiny")) == 3
    assert build(checkout, only=["ch08_tiny"], check=True) == []


def test_the_command_line_fails_on_stale_products_and_on_broken_sources(checkout):
    def run(*arguments):
        command = [sys.executable, "-m", "dlphys.course.build", "--root", str(checkout), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    stale = run("--check")
    assert stale.returncode == 1
    assert "stale notebooks/student/ch08_tiny.ipynb" in stale.stdout
    assert run("--only", "ch08_tiny").returncode == 0
    assert run("--check").returncode == 0
    change(checkout, "### END SOLUTION", "### END OF SOLUTION")
    broken = run()
    assert broken.returncode == 1
    assert "notebooks/source/ch08_tiny.py:36: a line that begins with ### must be exactly" in broken.stderr
    assert "Traceback" not in broken.stderr
