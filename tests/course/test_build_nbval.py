"""nbval with the course's sanitiser compares the verdict lines of a notebook, and nothing but these."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nbformat
import pytest

SANITIZER = Path(__file__).parents[1] / "nbval_sanitize.cfg"
EXPECTED = "passed  8.1a\nholds  X8.2\n"
CASES = {
    "as expected": ('print("passed  8.1a")\nprint("holds  X8.2")', True),
    "with details": (
        'print("a\\n")\nprint("passed  8.1a")\nprint("  0.98 right")\nprint("holds  X8.2\\n\\n  56")',
        True,
    ),
    "with progress": ('print("1 %\\r99 %\\rpassed  8.1a")\nprint("passed it seems")\nprint("holds  X8.2\\nend")', True),
    "not yet": ('print("not yet  8.1a")\nprint("holds  X8.2")', False),
    "not done": ('print("not done  8.1a")\nprint("holds  X8.2")', False),
    "claim fails": ('print("passed  8.1a")\nprint("fails  X8.2")', False),
    "another task": ('print("passed  8.1b")\nprint("holds  X8.2")', False),
    "claim missing": ('print("passed  8.1a")', False),
    "silent": ("", False),
    "said twice": ('print("passed  8.1a")\nprint("passed  8.1a")\nprint("holds  X8.2")', False),
    "not stored as run": ('print("a cell without an execution count is run, not compared")', True),
}


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    """For each case whether nbval lets its cell pass, from one real run of one notebook."""
    folder = tmp_path_factory.mktemp("nbval")
    cells = []
    for name, (code, _) in CASES.items():
        cell = nbformat.v4.new_code_cell(code)
        if name != "not stored as run":
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=EXPECTED)]
            cell.execution_count = 1
        cells.append(cell)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "cases.ipynb")
    (folder / "pytest.ini").write_text("[pytest]\n")
    nbval = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(SANITIZER)]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            "pytest.ini",
            "--rootdir=.",
            "--junitxml=report.xml",
            *nbval,
            "cases.ipynb",
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": "", "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    results = list(ElementTree.parse(folder / "report.xml").iter("testcase"))
    assert len(results) == len(CASES), run.stdout + run.stderr
    return dict(zip(CASES, (len(result) == 0 for result in results), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_nbval_compares_the_verdict_lines_and_no_others(same, name):
    """DESIGN section 7: the stored verdict is compared, the indented details are dropped by the sanitiser."""
    assert same[name] == CASES[name][1]


@pytest.mark.parametrize(("tag", "red"), [(1000, False), (20, True)])
def test_a_notebook_that_costs_more_than_twice_its_tag_turns_the_run_red(tmp_path, tag, red):
    """A kernel alone holds some 60 MiB, far below 2000 and above 40."""
    cells = [nbformat.v4.new_code_cell(code) for code in ("1", "2")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "ch99_dear.ipynb")
    price = {"chapter": 99, "title": "", "minutes": 1, "points": 0, "seconds": 5.0, "cpu_seconds": 5.0}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "prices.json").write_text(json.dumps({"ch99_dear": {**price, "memory_mib": tag}}))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    path = os.pathsep.join([str(SANITIZER.parent), os.environ.get("PYTHONPATH", "")])
    command = "-m pytest -c pytest.ini --rootdir=. -p nbval_prices --nbval --nbval-current-env ch99_dear.ipynb"
    run = subprocess.run(
        [sys.executable, *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONPATH": path, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode != 0) == red, run.stdout + run.stderr
    assert ("ch99_dear takes" in run.stdout) == red
    assert "2 passed" in run.stdout
