"""The instructor's pages agree with the notebooks, and their example of a new exercise works as it is printed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dlphys.course import handbook

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/instructors.md").read_text(encoding="utf-8")


def test_the_pages_are_those_of_the_present_notebooks():
    assert handbook.write(ROOT, check=True) == [], "run `dlphys handbook`"


def test_a_term_holds_every_notebook_once():
    named = [stem for week in handbook.TERM for stem in (*week.all, *week.choice)]
    assert len(handbook.TERM) == 14
    assert sorted(named) == sorted(path.stem for path in (ROOT / "notebooks/source").glob("ch*.py"))


def test_the_new_exercise_of_the_handbook_works(tmp_path):
    """Its files are written and its commands given as printed, in a copy of the checkout."""
    pytest.importorskip("jupytext")
    for name in ("dlphys", "tests", "notebooks/source", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    files = re.findall(r"^`([^`\n]+)`:\n\n```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in files] == ["notebooks/source/ch03_decay.py", "dlphys/checks/ch03_decay.py"]
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    (commands,) = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PATH": path, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b6 passed", done.stdout), done.stdout
    assert (tmp_path / "notebooks/student/ch03_decay.ipynb").is_file()
