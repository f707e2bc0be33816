"""What installs: the lock, Binder's image, the wheel, the Makefile."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements/lock.txt").read_text(encoding="utf-8")
BINDER = (ROOT / "binder/requirements.txt").read_text(encoding="utf-8")
PINNED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\\n]+))?", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version, _ in PINNED.findall(text):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("text", [LOCK, BINDER], ids=["lock", "binder"])
def test_every_pinned_package_has_a_hash_and_no_address(text):
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert len(blocks) > 80
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


def test_every_dependency_is_pinned():
    wanted = [
        *PROJECT["dependencies"],
        *(entry for extra in PROJECT["optional-dependencies"].values() for entry in extra),
    ]
    names = {re.match(r"[A-Za-z0-9_.-]+", entry)[0].lower() for entry in wanted} - {"dlphys"}
    assert names <= set(pins(LOCK))


def test_binder_runs_the_locked_versions():
    lock = pins(LOCK)
    assert all(versions <= lock[name] for name, versions in pins(BINDER).items() if name in lock)


def test_binder_builds_from_these_files():
    """repo2docker reads binder/ without an error and uses each file (nothing is built)."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--no-run", "--debug", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    dockerfile = done.stdout + done.stderr
    python = (ROOT / "binder/runtime.txt").read_text().strip().removeprefix("python-")
    assert f"python={python}" in dockerfile
    for name in ("requirements.txt", "postBuild", "start"):
        assert f"binder/{name}" in dockerfile


def test_the_base_install_stays_small():
    """DESIGN section 1: the course's own packages (SciPy comes with scikit-learn) and at most six more."""
    course = {
        "tensorflow-cpu",
        "tensorflow",
        "keras",
        "numpy",
        "pandas",
        "matplotlib",
        "scikit-learn",
        "jupyterlab",
        "ipywidgets",
        "scipy",
    }
    names = {re.match(r"[A-Za-z0-9_.-]+", entry)[0].lower() for entry in PROJECT["dependencies"]}
    assert course <= names
    assert len(names - course) <= 6


def test_the_wheel_holds_what_the_installed_course_reads(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "dlphys/datasets/registry.toml",
        "dlphys/datasets/cards/ising.md",
        "dlphys/checks/bars.json",
        "dlphys/checks/references/ch08_convolutional.dat",
        "dlphys/course/coverage.csv",
        "dlphys/playground/widget.js",
        "dlphys/playground/widget.css",
    } <= names
    assert not any(name.startswith(("tests", "notebooks", "benchmarks")) for name in names)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_lists_every_target_and_a_wrong_python_is_named():
    text = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "build", "bench", "prices", "clean", "help"):
        assert f"make {target} " in text
    command = ["make", "-C", str(ROOT), "PYTHON=", "VENV=/nonexistent/venv", "/nonexistent/venv/ready"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13" in done.stdout


def test_no_path_of_a_machine_is_in_the_project():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png", ".dat", ".npz"):
            assert not re.search(r"(?<![\w.])/(work|root)/\w", path.read_text(encoding="utf-8")), name
