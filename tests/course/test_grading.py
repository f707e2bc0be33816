"""A whole class: each notebook ends as one record, whatever dies meanwhile, and nothing is done twice."""

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from dlphys import cli
from dlphys.course import _job, grading, records, sandbox, submissions
from dlphys.course.assignment import Asked, Assignment
from dlphys.course.grade import CREDIT, _grading
from dlphys.course.records import HandedIn
from dlphys.course.roster import Person

ROOT = Path(__file__).parents[2]
CHAPTER = "ch03_building_blocks"
IDS = ("M3.1a", "M3.1b", "3.2a", "3.2b", "3.2c", "3.2d")
LIMITS = sandbox.Limits(cpu=3.0, wall=3600.0)  # an endless loop ends by what it uses, however busy the computer is

pytestmark = [
    # Dask leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
walled = pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")

WRONG = """def correlations(x, y):
    return ((x - x.mean(axis=0)) * (y - y.mean())[:, np.newaxis]).mean(axis=0)
"""
LOOP = "def evaluate(truth, prediction, training_mean):\n    while True:\n        pass\n"
LEANS_ON_OTHERS = """def evaluate(truth, prediction, training_mean):
    return {
        "correlation": correlations(prediction[:, np.newaxis], truth)[0],
        "mse": np.mean((prediction - truth) ** 2),
        "baseline_mse": np.mean((training_mean - truth) ** 2),
    }
"""


def notebook(face="solution", **code):
    """A notebook of the course as text, with other code in some of its tasks."""
    content = json.loads((ROOT / f"notebooks/{face}/{CHAPTER}.ipynb").read_text(encoding="utf-8"))
    for cell in content["cells"]:
        name = cell["metadata"].get("dlphys", {}).get("task", "").replace(".", "_")
        cell["source"] = code.get(f"t{name}", cell["source"])
    return json.dumps(content)


CRASH = "def rank_features(correlation, names):\n    import os\n\n    os._exit(1)\n"
HALF = "def fit_linear(x, y):\n    raise NotImplementedError\n"

KINDS = {  # text, points, what the reason or a verdict says
    "right": (notebook(), 12.0, ""),
    "wrong": (notebook(t3_2a=WRONG), 11.0, "expected"),
    "untouched": (notebook("student"), 0.0, "NotImplementedError"),
    "half": (notebook(t3_2c=HALF), 9.0, "fit_linear still raises NotImplementedError"),
    "loop": (notebook(t3_2d=LOOP), 10.0, "it used more than 3 s of CPU time"),
    "crash": (notebook(t3_2b=CRASH), 11.0, "your code ended its process"),
    "broken": ('{"cells": [', 0.0, "the file is no notebook (JSONDecodeError)"),
    "empty": ("", 0.0, "the file is no notebook (JSONDecodeError)"),
    "no notebook": ("[]", 0.0, "the file is no notebook (TypeError)"),
}


def handed_in(folder, kind, student, text=None):
    path = folder / student / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(KINDS[kind][0] if text is None else text, encoding="utf-8")
    return HandedIn(student, CHAPTER, path)


def here(found, folder, **settings):
    """Graded in this process."""
    return grading.grade(found, folder, workers=0, **{"limits": LIMITS, **settings})


def stamps(folder):
    """When each record was written."""
    return {(path.parent.name, path.stem): path.stat().st_mtime_ns for path in Path(folder).glob("*/*.json")}


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(processes):
    """Those that still run; a dead one whose parent has died too may wait for long to be counted."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def sandboxes(key):
    """The sandboxes in which the code of a student runs now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "bwrap" and key in process.cmdline():
                found.append(process)
    return found


def workers_of(process):
    return [child for child in process.children() if "spawn_main" in " ".join(child.cmdline())]


@pytest.fixture(autouse=True)
def collected():
    """What Dask leaves is collected here, and not in another test."""
    yield
    gc.collect()


@pytest.fixture
def one(tmp_path):
    return [handed_in(tmp_path / "in", "right", "ada")]


def as_expected(record, kind):
    """Points and the reason, or what a verdict says."""
    _, points, said = KINDS[kind]
    grade = record.grade
    texts = [grade.reason, *(line for task in grade.tasks if task.status != "passed" for line in task.details)]
    judged = [task.id for task in grade.tasks] == ([] if grade.reason else list(IDS))
    return grade.points == points and judged and any(said in text for text in texts)


# --- a class -----------------------------------------------------------------------------------------------


@walled
def test_two_hundred_are_graded_once_each_though_a_worker_is_killed(tmp_path):
    """Two workers, one of them killed midway: none lost, none double, each as it deserves."""
    common = ["right", "wrong", "untouched", "half", "right", "crash", "broken", "wrong", "empty", "no notebook"]
    kinds = {f"s{number:03}": common[number % 10] for number in range(200)}
    kinds |= {"s050": "loop", "s150": "loop"}
    found = [handed_in(tmp_path / "in", kind, student) for student, kind in kinds.items()]
    out, graded = tmp_path / "out", []
    thread = threading.Thread(target=lambda: graded.extend(grading.grade(found, out, workers=2, limits=LIMITS)))
    thread.start()
    wait_for(lambda: len(stamps(out)) >= 60)
    workers = workers_of(psutil.Process())
    workers[0].kill()
    before = stamps(out)
    thread.join()
    assert len(workers) == 2
    assert len(before) < 190, "killed too late to prove anything"
    assert [record.handed_in for record in graded] == found
    assert {
        r.handed_in.student: kinds[r.handed_in.student] for r in graded if as_expected(r, kinds[r.handed_in.student])
    } == kinds
    assert Counter(len(record.history) for record in graded) == {0: 200}
    after = stamps(out)
    assert len(after) == 200
    assert before.items() <= after.items(), "a record was made twice"
    assert sorted(records.read_all(out).values(), key=lambda r: r.handed_in.student) == graded
    assert not alive(workers)
    assert grading.grade(found, out, workers=2) == graded
    assert stamps(out) == after, "nothing was left to do"


@walled
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_a_stopped_run_goes_on_where_it_was_and_leaves_no_process(how, tmp_path):
    """One notebook loops, so that it is being graded when the end comes."""
    key = f"loop-{tmp_path.name}-{os.getpid()}"
    for number in range(12):
        handed_in(tmp_path / "in", "loop" if number == 3 else "right", key if number == 3 else f"s{number:02}")
    table, out = tmp_path / "grades.csv", tmp_path / "grades.records"
    command = [sys.executable, "-m", "dlphys.cli", "grade", str(tmp_path / "in"), "--out", str(table), "--workers", "2"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: len(stamps(out)) >= 4 and sandboxes(key))
    own = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    os.killpg(running.pid, how) if how == signal.SIGINT else running.send_signal(how)
    _, error = running.communicate()
    wait_for(lambda: not alive(own) and not sandboxes(key))
    before = stamps(out)
    assert 4 <= len(before) < 12
    if how == signal.SIGINT:
        assert (running.returncode, error.strip()) == (
            130,
            "interrupted; the same command goes on with what is graded",
        )
    graded = here(submissions.find(tmp_path / "in"), out)
    assert before.items() <= stamps(out).items(), "a record was made twice"
    assert [record.grade.points for record in graded] == [10.0, *[12.0] * 11]


KILLER = """
import os
from dlphys.course import _job

def graded(job):
    if job.handed_in.student.startswith("killer"):
        with open(job.folder / f"{job.handed_in.student}.deaths", "a") as file:
            file.write("x")
        os._exit(9)
    return _job.graded(job)
"""


@walled
def test_who_kills_the_worker_three_times_is_marked_and_nobody_else(tmp_path, monkeypatch):
    """A sandboxed notebook cannot; this stands for one that makes the grader itself crash."""
    (tmp_path / "killer_for_test.py").write_text(KILLER)
    monkeypatch.syspath_prepend(tmp_path)
    import killer_for_test

    monkeypatch.setattr(grading, "graded", killer_for_test.graded)
    names = ["killer 1", "s1", "killer 2", "s2", "s3", "s4"]
    found = [handed_in(tmp_path / "in", "right", name) for name in names]
    out = tmp_path / "out"
    graded = dict(zip(names, grading.grade(found, out, workers=2), strict=True))
    for name in ("killer 1", "killer 2"):
        assert graded[name].grade.reason == "grading it ended the process of the grader 3 times; it is not tried again"
        assert (out / f"{name}.deaths").read_text() == "xxx"
    assert [graded[name].grade.points for name in names if name[0] == "s"] == [12.0] * 4
    before = stamps(out)
    assert list(graded.values()) == here(found, out)
    assert stamps(out) == before


@walled
def test_a_scheduler_that_runs_elsewhere_and_loses_a_nanny_with_its_worker(tmp_path):
    """Two workers of two threads each; their keys do not mix, since a process grades one at a time."""
    found = [handed_in(tmp_path / "in", "right", f"s{number:02}") for number in range(10)]
    found += [handed_in(tmp_path / "in", "loop", f"loop-{tmp_path.name}")]
    at = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    dask = [sys.executable, "-m", "dask"]
    commands = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(at)],
        *[
            [*dask, "worker", "--scheduler-file", str(at), "--nthreads", "2", "--no-dashboard", "--host", "127.0.0.1",
             "--local-directory", str(tmp_path / "dask")]
        ] * 2,
    ]  # fmt: skip
    out, graded = tmp_path / "out", []
    with contextlib.ExitStack() as stack:
        started = []
        for command in commands:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            started.append(subprocess.Popen(command, env=environment, cwd=tmp_path, **quiet))
            stack.callback(started[-1].wait)
            stack.callback(started[-1].terminate)
        wait_for(lambda: at.is_file() and at.read_text().strip().endswith("}"))
        address = json.loads(at.read_text())["address"]
        thread = threading.Thread(
            target=lambda: graded.extend(grading.grade(found, out, scheduler=address, limits=LIMITS))
        )
        thread.start()
        wait_for(lambda: len(stamps(out)) >= 2)
        nanny = psutil.Process(started[1].pid)
        own = [nanny, *nanny.children(recursive=True)]
        nanny.kill()
        wait_for(lambda: not alive(own))
        thread.join()
    assert [record.grade.points for record in graded] == [*[12.0] * 10, 10.0]
    assert Counter(len(record.history) for record in graded) == {0: 11}


def test_gradings_in_one_process_do_not_see_each_others_student():
    seen = []

    def grade_as(student):
        for _ in range(20):
            with _grading(student):
                time.sleep(0.002)
                seen.append(os.environ["DLPHYS_STUDENT"] == student)

    threads = [threading.Thread(target=grade_as, args=(name,)) for name in ("ada", "emmy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 40
    assert os.environ.get("DLPHYS_STUDENT") not in ("ada", "emmy")


# --- what is done again --------------------------------------------------------------------------------------


@pytest.fixture
def checks(tmp_path, monkeypatch):
    """A copy of what the checks of the chapter are, which may be changed."""
    copy = tmp_path / "checks"
    for name in [*_job.COMMON, f"{CHAPTER}.py", f"references/{CHAPTER}.dat"]:
        (copy / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(_job.CHECKS / name, copy / name)
    monkeypatch.setattr(_job, "CHECKS", copy)
    return copy


def longer(path):
    path.write_bytes(path.read_bytes() + b"\n")


@walled
@pytest.mark.parametrize(
    "change",
    [
        lambda settings, found, checks: longer(found.path),
        lambda settings, found, checks: longer(checks / f"{CHAPTER}.py"),
        lambda settings, found, checks: longer(checks / f"references/{CHAPTER}.dat"),
        lambda settings, found, checks: longer(found.files / "helper.py"),
        lambda settings, found, checks: settings.update(people={"ada": Person("ada", key="other")}),
        lambda settings, found, checks: settings.update(credit={**CREDIT, "value": 0.4}),
        lambda settings, found, checks: settings.update(
            assignment=Assignment("one", (Asked(CHAPTER, CHAPTER, IDS[:2]),))
        ),
    ],
    ids=["notebook", "check", "reference", "file beside it", "key", "credit", "assignment"],
)
def test_a_grade_is_made_again_if_what_it_depends_on_has_changed(change, tmp_path, checks):
    found = handed_in(tmp_path / "in", "untouched", "ada")
    (found.path.parent / "helper.py").write_text("x = 1")
    found = replace(found, files=found.path.parent)
    settings = {}
    first = here([found], tmp_path / "out")[0]
    change(settings, found, checks)
    second = here([found], tmp_path / "out", **settings)[0]
    assert second.fingerprint != first.fingerprint
    assert second.history == (first.grade,)
    before = stamps(tmp_path / "out")
    assert here([found], tmp_path / "out", **settings) == [second]
    assert stamps(tmp_path / "out") == before


@walled
def test_another_date_is_noted_without_grading_again(tmp_path, one):
    first = here(one, tmp_path / "out")[0]
    later = replace(one[0], name="Ada Lovelace")
    second = here([later], tmp_path / "out")[0]
    assert second == replace(first, handed_in=later)
    assert list(records.read_all(tmp_path / "out").values()) == [second]


def spoilt(out, record):
    """As if an earlier check had given a tenth of a point for everything."""
    tasks = tuple(replace(task, points=0.1) for task in record.grade.tasks)
    changed = replace(record, grade=replace(record.grade, tasks=tasks))
    records.write(out, changed)
    return changed


@walled
def test_one_task_is_judged_again_and_the_others_stay(tmp_path, one):
    out = tmp_path / "out"
    old = spoilt(out, here(one, out)[0])
    new = here(one, out, tasks=["3.2a"])[0]
    assert {task.id: task.points for task in new.grade.tasks} == {id: 2.0 if id == "3.2a" else 0.1 for id in IDS}
    assert new.history == (old.grade,)
    assert here(one, out)[0] == new
    assert here(one, out, again=True)[0].grade.points == 12.0


@walled
def test_a_task_judged_again_is_lent_what_had_not_passed(tmp_path):
    text = notebook("student", t3_2d=LEANS_ON_OTHERS)
    found = [handed_in(tmp_path / "in", "", "ada", text)]
    for tasks in (None, ["3.2d"]):
        last = here(found, tmp_path / "out", tasks=tasks)[0].grade.tasks[-1]
        assert (last.status, last.lent) == ("passed", ("3.2a",))


@walled
def test_a_task_judged_again_in_a_changed_notebook_is_not_mixed_with_the_old_grade(tmp_path, one):
    out = tmp_path / "out"
    here(one, out)
    one[0].path.write_text(KINDS["untouched"][0])
    assert here(one, out, tasks=["3.2a"])[0].grade.points == 0.0


@walled
def test_a_repetition_that_was_stopped_goes_on(tmp_path, monkeypatch):
    found = [handed_in(tmp_path / "in", "untouched", f"s{number}") for number in range(4)]
    out = tmp_path / "out"
    here(found, out)
    done = []

    def stopped(job):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(job)
        return _job.graded(job)

    monkeypatch.setattr(grading, "graded", stopped)
    with pytest.raises(KeyboardInterrupt):
        here(found, out, tasks=["3.2a"])
    monkeypatch.undo()
    before = stamps(out)
    assert [len(record.history) for record in here(found, out, tasks=["3.2a"])] == [1] * 4
    assert sum(stamps(out)[name] == stamp for name, stamp in before.items()) == 2
    assert [len(record.history) for record in here(found, out, tasks=["3.2a"])] == [2] * 4, "a new repetition"


# --- reasons ---------------------------------------------------------------------------------------------------


@walled
def test_what_cannot_be_graded_has_a_reason(tmp_path, one):
    link = tmp_path / "in/eve" / f"{CHAPTER}.ipynb"
    link.parent.mkdir()
    link.symlink_to(one[0].path)
    found = [
        replace(one[0], student="problem", problem="nothing was handed in"),
        HandedIn("eve", CHAPTER, link),
        HandedIn("gone", CHAPTER, tmp_path / "in/gone.ipynb"),
        handed_in(tmp_path / "in", "", "other", json.dumps({"cells": [], "metadata": {}})),
    ]
    reasons = [record.grade.reason for record in here(found, tmp_path / "out")]
    assert reasons == [
        "nothing was handed in",
        "the file is a link to another one, which is not followed",
        "there is no file gone.ipynb",
        "the notebook does not say of which chapter it is, and no task was named",
    ]


@walled
def test_an_assignment_knows_a_notebook_by_its_name_or_by_what_it_says(tmp_path):
    assignment = Assignment("one", (Asked("week3", CHAPTER, IDS[2:3]), Asked("week4", "ch03_playground", ("3.3a",))))
    found = [
        replace(handed_in(tmp_path / "in", "right", "named"), notebook="week3"),
        replace(handed_in(tmp_path / "in", "right", "renamed"), notebook="final version (2)"),
        replace(handed_in(tmp_path / "in", "", "stranger", json.dumps({"cells": []})), notebook="poem"),
    ]
    named, renamed, stranger = (record.grade for record in here(found, tmp_path / "out", assignment=assignment))
    assert [task.id for task in named.tasks] == [task.id for task in renamed.tasks] == ["3.2a"]
    assert (stranger.tasks, stranger.reason) == ((), "the assignment has no notebook poem")


def test_a_grader_that_fails_is_a_reason_and_tried_again_by_the_next_call(tmp_path, one, monkeypatch):
    def broken(*arguments, **settings):
        raise KeyError("of the grader")

    monkeypatch.setattr(_job, "grade_notebook", broken)
    failed = here(one, tmp_path / "out", walls=False)[0]
    assert failed.grade.reason == "the grader failed: KeyError: 'of the grader'"
    monkeypatch.undo()
    assert here(one, tmp_path / "out", walls=False)[0].grade.points == 12.0


@walled
def test_an_answer_that_is_no_text_does_not_stop_the_class(tmp_path):
    """A lone surrogate, which no file of text can hold."""
    code = "def rank_features(correlation, names):\n    raise ValueError(chr(0xDC80))\n"
    found = [handed_in(tmp_path / "in", "", "eve", notebook(t3_2b=code))]
    assert here(found, tmp_path / "out")[0].grade.points == 11.0
    assert [record.grade.points for record in records.read_all(tmp_path / "out").values()] == [11.0]


@walled
@pytest.mark.parametrize("needed", ["", "keras.ops, "])
def test_of_the_setup_only_what_the_tasks_need_is_imported(needed, tmp_path):
    """The import of Keras takes ten times as long as all else."""
    code = f"""def rank_features(correlation, names):
    import sys
    raise ValueError({needed}"keras" in sys.modules)
"""
    found = [handed_in(tmp_path / "in", "", "ada", notebook("student", t3_2b=code))]
    details = here(found, tmp_path / "out", limits=None)[0].grade.tasks[3].details
    assert any(f"{bool(needed)}" in line for line in details), details


# --- before anything is graded ---------------------------------------------------------------------------------


def test_without_bubblewrap_nothing_is_graded(tmp_path, one, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(sandbox.Unavailable, match=r"bwrap.* not found: install .*`--no-sandbox`"):
        grading.grade(one, tmp_path / "out", workers=2)
    assert stamps(tmp_path / "out") == {}


@walled
def test_dask_is_needed_for_workers_only(tmp_path, one, monkeypatch):
    for name in ("dask", "dask.system", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError):
        grading.grade(one, tmp_path / "out")
    assert here(one, tmp_path / "out")[0].grade.points == 12.0


# --- the command -----------------------------------------------------------------------------------------------


@walled
def test_the_command_prints_a_line_a_student(tmp_path):
    handed_in(tmp_path / "in", "wrong", "Jörg Müller")
    handed_in(tmp_path / "in", "right", "ada")
    handed_in(tmp_path / "in", "broken", "eve")
    (tmp_path / "class.csv").write_text("student,name\nada,Ada Lovelace\n")
    words = ["grade", tmp_path / "in", "--out", tmp_path / "grades.csv", "--roster", tmp_path / "class.csv"]
    result = CliRunner().invoke(cli.app, [*map(str, words), "--workers", "0"])
    assert result.exit_code == 0, result.output
    assert result.output == (
        "who                 points  of  open  notes\n"
        "ada (Ada Lovelace)      12  12     0\n"
        "Jörg Müller             11  12     0  not in the roster; 3.2a not yet\n"
        "eve                      0  12     0  not in the roster; ch03_building_blocks could not be graded: "
        "the file is no notebook (JSONDecodeError)\n"
        f"written: {tmp_path / 'grades.csv'}\n"
    )


def test_the_command_says_what_is_missing(tmp_path, monkeypatch):
    handed_in(tmp_path / "in", "right", "ada")
    command = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "grades.csv")]
    for name in ("dask", "dask.system", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
    result = CliRunner().invoke(cli.app, [*command, "--no-sandbox"])
    assert (result.exit_code, result.stderr) == (
        2,
        "dlphys: dask is not installed; python -m pip install 'dlphys[cluster]'\n",
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 2
    assert "bwrap" in result.stderr
    assert "`--no-sandbox` runs the code without walls" in result.stderr
