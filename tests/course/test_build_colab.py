"""The first cell of a notebook that runs on Google Colab."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
from building import CHAPTER, write

from dlphys.course import build, submission

ROOT = Path(__file__).parents[2]
WHEEL = "https://example.org/a'b/dlphys-0.1.0-py3-none-any.whl"


@pytest.fixture
def first(tmp_path):
    """The first cell of a release for Colab, and the notebook."""
    root = tmp_path / "checkout"
    write(root / "notebooks/source/ch08_tiny.py", CHAPTER)
    write(root / "dlphys/__init__.py", "")
    build.release(root, tmp_path / "plain")
    build.release(root, tmp_path / "colab", colab=WHEEL)
    plain, colab = (
        json.loads((tmp_path / name / "notebooks/ch08_tiny.ipynb").read_text()) for name in ("plain", "colab")
    )
    assert colab["cells"][1:] == plain["cells"]
    return "".join(colab["cells"][0]["source"]), tmp_path / "colab/notebooks/ch08_tiny.ipynb"


def commands(code, monkeypatch):
    """What the cell would execute."""
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda command, **settings: asked.append(command))
    exec(compile(ast.parse(code), "cell", "exec"), {})
    return asked


def test_it_does_nothing_elsewhere(first, monkeypatch):
    assert commands(first[0], monkeypatch) == []


def test_on_colab_it_installs_the_wheel_and_small_packages_that_the_course_needs(first, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    wheel, others = commands(first[0], monkeypatch)
    assert wheel == [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", WHEEL]
    packages = set(others[5:])
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.match(r"[a-z0-9-]+", entry)[0] for entry in wanted}
    assert packages <= names
    large = {"keras", "tensorflow", "tensorflow-cpu", "numpy", "pandas", "matplotlib", "scikit-learn", "scipy"}
    assert not packages & large  # Colab's own fit its drivers


def test_a_grader_passes_over_it(first):
    task = "weights_of"
    assert task in first[1].read_text()
    assert not any("google" in code for code in submission.read(first[1]).code_for([task]))


def test_an_address_is_asked_for(tmp_path):
    for wrong in ("dlphys", "http://example.org/a.whl", "https://a b", 'https://a"\n', "", 3):
        with pytest.raises(ValueError, match="colab must be an address"):
            build.release(ROOT, tmp_path / "out", colab=wrong)


def test_the_command_line_makes_it_and_says_what_it_belongs_to(first):
    root = first[1].parents[2] / "checkout"
    command = [sys.executable, "-m", "dlphys.cli", "build", "--root", str(root), "--colab", WHEEL]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "dlphys: --colab needs --release DIR\n")
    done = subprocess.run([*command, "--release", str(root / "out")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (root / "out/notebooks/ch08_tiny.ipynb").read_bytes() == first[1].read_bytes()


def test_the_course_has_no_cell_for_colab_without_an_address():
    notebooks = [path.read_text(encoding="utf-8") for path in (ROOT / "notebooks/student").glob("*.ipynb")]
    assert notebooks
    assert not any("google.colab" in text for text in notebooks)
