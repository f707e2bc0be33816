"""A term's week by nbgrader's own commands: from the source to the exported grades."""

import csv
import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from dlphys.course.assign import assign

ROOT = Path(__file__).parents[2]
NOTEBOOK = "ch03_building_blocks_M3-1.ipynb"

pytest.importorskip("nbgrader")


@pytest.fixture(scope="module")
def class_room(tmp_path_factory):
    """A course with one assignment, an exchange, and a student's desk; nothing of this machine's user is touched."""
    room = tmp_path_factory.mktemp("class room")
    for name in ("exchange", "desk", "home"):
        (room / name).mkdir()
    (room / "exchange").chmod(0o777)
    (room / "class.csv").write_text(f"student,key\n{getpass.getuser()},k-1\nabsent,k-2\n", encoding="utf-8")
    assign(ROOT, ["M3.1"], room / "course", name="week1", exchange=room / "exchange", roster=room / "class.csv")
    return room


def nbgrader(room, where, *words):
    jupyter = {f"JUPYTER_{name}_DIR": str(room / "home" / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"HOME": str(room / "home"), "IPYTHONDIR": str(room / "home/ipython"), "PYTHONPATH": path, "DLPHYS_FAST": "1"}
    own |= {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    own |= {"DLPHYS_CACHE_DIR": str(room / "home/cache"), "DLPHYS_COURSE_ID": "", "DLPHYS_EXCHANGE": ""}
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(
        command, cwd=room / where, env={**os.environ, **jupyter, **own}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def solve(handed_out, source):
    """A student who writes what the instructor wrote."""
    notebook = nbformat.read(handed_out, as_version=nbformat.NO_CONVERT)
    solved = {cell.metadata.nbgrader.grade_id: cell.source for cell in source.cells if "nbgrader" in cell.metadata}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = solved[cell.metadata.nbgrader.grade_id]
    nbformat.write(notebook, handed_out)


def test_the_whole_way_by_nbgraders_own_commands(class_room):
    room, course = class_room, class_room / "course"
    released = (course / "release/week1" / NOTEBOOK).read_bytes()

    nbgrader(room, "course", "generate_assignment", "week1", "--create", "--force")
    assert (course / "release/week1" / NOTEBOOK).read_bytes() == released
    nbgrader(room, "course", "release_assignment", "week1")

    me = getpass.getuser()
    there = ("--course", "course", f"--Exchange.root={room / 'exchange'}")
    nbgrader(room, "desk", "fetch_assignment", "week1", *there)
    source = nbformat.read(course / "source/week1" / NOTEBOOK, as_version=nbformat.NO_CONVERT)
    solve(room / "desk/week1" / NOTEBOOK, source)
    nbgrader(room, "desk", "submit", "week1", *there)
    nbgrader(room, "course", "collect", "week1")
    untouched = course / "submitted/idle/week1"
    untouched.mkdir(parents=True)
    shutil.copy(course / "release/week1" / NOTEBOOK, untouched)

    nbgrader(room, "course", "autograde", "week1")
    nbgrader(room, "course", "generate_feedback", "week1")
    nbgrader(room, "course", "export", "--to", str(room / "grades.csv"))

    with (room / "grades.csv").open(newline="", encoding="utf-8") as lines:
        grades = {line["student_id"]: line for line in csv.DictReader(lines)}
    assert set(grades) == {me, "idle", "absent"}
    scores = {who: (float(line["score"]), float(line["max_score"])) for who, line in grades.items()}
    assert scores == {me: (4, 4), "idle": (0, 4), "absent": (0, 4)}
    for who, verdict in ((me, "passed  M3.1a"), ("idle", "not done  M3.1a")):
        page = (course / "feedback" / who / "week1" / NOTEBOOK).with_suffix(".html").read_text(encoding="utf-8")
        assert verdict in page
