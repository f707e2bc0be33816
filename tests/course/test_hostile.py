"""Notebooks that mean harm do none, get no points that they did not earn, and the grader goes on (docs/hostile.md)."""

import json
import os
import pickle
import py_compile
import secrets
import socket
import subprocess
import sys

import hostile
import numpy as np
import psutil
import pytest
from hostile import ATTACKS, BESIDE, NEXT, TARGET, TEXTS

from dlphys.checks import engine, remote
from dlphys.checks.proxy import StudentError
from dlphys.course import sandbox, submission
from dlphys.course._pages import fill
from dlphys.course.grade import grade_notebook

pytestmark = pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")


@pytest.fixture
def world(tmp_path, monkeypatch):
    """All that a notebook could harm or learn; at the end it must be as it was, and nobody may have called."""
    mark = str(secrets.randbelow(10**11) + 10**11)
    outside, submitted, gradebook = tmp_path / "outside", tmp_path / "submitted", tmp_path / "gradebook.db"
    for folder in (outside, submitted / "bob"):
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    for path in (gradebook, submitted / "bob/notebook.ipynb", tmp_path / "secret.txt"):
        path.write_text(f"secret {mark}")
        path.chmod(0o666)
    monkeypatch.setenv("GRADER_TOKEN", f"secret {mark}")
    py_compile.compile(str(sandbox.PACKAGE / f"checks/{hostile.CHAPTER}.py"))  # as Python does by itself
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    before = sorted(path for path in sandbox.PACKAGE.rglob("*.py"))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as in_file,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        in_file.bind(str(outside / "s"))
        os.chmod(outside / "s", 0o777)
        abstract.bind(f"\0{mark}")
        for listener in (server, in_file, abstract):
            listener.listen()
            listener.setblocking(False)
        yield {
            "MARK": mark,
            "OUTSIDE": outside,
            "SUBMITTED": submitted,
            "GRADEBOOK": gradebook,
            "SECRET": tmp_path / "secret.txt",
            "PORT": server.getsockname()[1],
            "SOCKET": outside / "s",
            "PACKAGE": sandbox.PACKAGE,
            "ROOT": hostile.ROOT,
            "PIDS": [os.getpid(), os.getppid(), bystander.pid],
        }
        for listener in (server, in_file, abstract):
            with pytest.raises(BlockingIOError):
                listener.accept()
    assert bystander.poll() is None, "killed"
    bystander.communicate(b"\n")
    assert [path.name for path in outside.iterdir()] == ["s"]
    assert (submitted / "bob/notebook.ipynb").read_text() == gradebook.read_text() == f"secret {mark}"
    assert sorted(path for path in sandbox.PACKAGE.rglob("*.py")) == before
    assert not [folder for folder in ("/tmp", "/var/tmp", sys.prefix) if os.path.exists(f"{folder}/{mark}")]
    left = [process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"])]
    assert not [words for words in left if any(mark in word for word in words)], "a process lives on"


def graded(tmp_path, text, **settings):
    path = tmp_path / "handed_in.ipynb"
    path.write_text(text, encoding="utf-8")
    settings = {"student": "eve", "tasks": [TARGET, NEXT], "timeout": 60.0, **settings}
    return grade_notebook(path, **settings)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_a_notebook_that_means_harm(tmp_path, world, attack):
    limits = sandbox.Limits(**{"cpu": 60.0, "wall": 120.0, **attack.limits})
    grade = graded(tmp_path, attack.notebook(**world), limits=limits, timeout=attack.timeout)
    target, following = grade.tasks
    said = "\n".join([target.status, *target.details])
    assert attack.came in said
    assert (target.points, target.maximum) == (attack.points, 2)
    assert (following.status == "passed") is not attack.spoils, following
    for line in (*target.details, *following.details, *grade.problems, grade.reason):
        assert line.isprintable()
        assert len(line) <= 1000
        assert world["MARK"] not in line.replace(str(world["OUTSIDE"]), "")
    json.dumps(grade.tasks[0].details, ensure_ascii=False).encode()


def test_after_all_of_them_a_right_notebook_gets_its_points(tmp_path):
    grade = graded(tmp_path, json.dumps(hostile.solution()))
    assert (grade.points, grade.maximum) == (3, 3)


def test_every_start_that_fails_is_limited_in_number_and_time(tmp_path, monkeypatch):
    """Six tasks that each sleep until the wall time of their sandbox would cost hours in a class."""
    code = "def smallest_network(losses, limit, share):\n    import time\n    time.sleep(999)"
    grade = graded(tmp_path, hostile.with_code(code), limits=sandbox.Limits(wall=4.0), tasks=[TARGET] * 6)
    assert ["ran for more than 4 s" in task.details[0] for task in grade.tasks][:3] == [True] * 3
    assert "not tried" in grade.tasks[-1].details[0]
    assert grade.seconds < 40


def text_of(name):
    cell = {"cell_type": "code", "metadata": {}, "source": "y = 1"}
    codes = {
        "a line of 10 MB": "x = [" + "1," * (5 << 20) + "]",
        "deep code": "x = " + "(" * 5000,
        "long chain": "x = 1" + " + 1" * 100_000,
        "huge number": "x = 0x" + "f" * 400_000,
        "half letters": "x = '\ud800'",
    }
    match name:
        case "broken":
            return '{"cells": ['
        case "zeros":
            return '{"cells": [\0]}'
        case "deep":
            return '{"cells": ' + "[" * 100_000
        case "many parts":
            return '{"cells": [], "x": [' + "{}," * 4_000_000 + "{}]}"
        case "100 000 cells":
            return json.dumps({"cells": [cell] * 100_000})
    return json.dumps({"cells": [cell, {**cell, "source": codes[name]}], "metadata": {}})


@pytest.mark.parametrize(("name", "came"), [(name, came) for name, _, came in TEXTS], ids=[name for name, *_ in TEXTS])
def test_a_file_that_is_no_notebook_or_costs_its_reader(tmp_path, monkeypatch, name, came):
    path = tmp_path / "handed_in.ipynb"
    if name == "200 MB":
        with path.open("wb") as file:
            file.truncate(200 << 20)
    elif name == "a pipe":
        os.mkfifo(path)
    elif name == "a link":
        (tmp_path / "gradebook.ipynb").write_text(json.dumps(hostile.solution()))
        path.symlink_to(tmp_path / "gradebook.ipynb")
    else:
        path.write_text(text_of(name))
    if name == "many parts":
        monkeypatch.setitem(submission.READING, "resident", 150.0)
    if came == "is no Python":
        found = submission.read_apart(path)
        assert [came in problem for problem in found.problems] == [True]
        assert [statement.code for statement in found.statements] == ["y = 1"]
    else:
        grade = grade_notebook(path, student="eve", tasks=[TARGET])
        assert came in grade.reason
        assert grade.tasks == ()


@pytest.mark.parametrize(("name", "came"), [(name, came) for name, _, came in BESIDE], ids=[n for n, *_ in BESIDE])
def test_files_beside_a_notebook_are_only_seen_in_its_sandbox(tmp_path, world, name, came):
    """They would write a file outside if anything but the sandbox ran or unpickled them."""
    beside = tmp_path / "beside"
    beside.mkdir()
    harm = f"open({str(world['OUTSIDE'] / 'harm')!r}, 'w').write('x')\n"
    code = f"import os\ntry:\n    {harm}except OSError:\n    pass\n"

    class Harm:
        def __reduce__(self):
            return exec, (harm,)

    def put(path, content):
        (beside / path).parent.mkdir(parents=True, exist_ok=True)
        (beside / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    match name:
        case "start-up files":
            for path in (
                "sitecustomize.py",
                "usercustomize.py",
                ".local/lib/python3.11/site-packages/usercustomize.py",
            ):
                put(path, code)
            put(".local/lib/python3.11/site-packages/x.pth", f"import os; exec({code!r})")
            put(".keras/keras.json", '{"floatx": "float16"}')
        case "pickles":
            put("data.pkl", pickle.dumps(Harm()))
            np.save(beside / "data.npy", np.array([Harm()], dtype=object), allow_pickle=True)
        case "modules of the same name":
            put("numpy.py", code + "raise SystemExit")
            put("dlphys/checks/remote.py", code)
            for path in ("dlphys/__init__.py", "dlphys/checks/__init__.py"):
                put(path, "")
        case "too many files":
            for k in range(300):
                put(f"{k}.txt", "")
    grade = graded(tmp_path, json.dumps(hostile.solution()), files=beside, tasks=[TARGET])
    if came == "passed":
        assert [task.status for task in grade.tasks] == [came]
    else:
        assert any(came in line for line in [grade.reason, *(line for task in grade.tasks for line in task.details)])


def message(described, raw=b""):
    text = json.dumps(described).encode()
    return remote.HEADER.pack(len(text), len(raw)) + text + raw


@pytest.mark.parametrize(
    "forged",
    [
        message({"array": ["<f8", [10**15, 0]]}),
        message({"array": ["<f8", [0, 10**40]]}),
        message({"array": ["<U0", [10**15]]}),
        message({"array": ["O", [1]]}, bytes(8)),
        message({"array": ["<M8[s]", [1]]}, bytes(8)),
        message({"array": ["f8,f8", [1]]}, bytes(16)),
        message({"array": [["f8"], [1]]}, bytes(8)),
        message({"array": ["<U1", [1]]}, b"\xff\xff\xff\xff"),
        message({"array": ["<f8", [-1]]}),
        message({"dict": [[{"list": []}, 1]]}),
        message({"dict": [[1, 2, 3]]}),
        message({"list": "text"}),
        message({"list": {"a": 1}}),
        message({"float": "0x1p999999999"}),
        message({"float": 3}),
        message({"complex": ["0x1p0"] * 3}),
        message({"handle": ["x", "callable", "f", None]}),
        message({"handle": [1, "module", "f", None]}),
        message({"model": ["{}", {"list": []}]}),
        message({"exec": "x"}),
        message(10**200),
        message({"list": [1]}, b"left over"),
        remote.HEADER.pack(5000, 0) + b"9" * 5000,
        remote.HEADER.pack(2, 0) + b"\xff\xfe",
        remote.HEADER.pack(100_000, 0) + b"[" * 100_000,
    ],
)
def test_a_forged_message_is_an_error_of_the_student(forged):
    with pytest.raises(StudentError, match="no readable message"):
        remote.decode(forged)


def test_a_message_of_many_parts_is_not_even_parsed():
    text = b"[" + b"{}," * (6 << 20) + b"{}]"
    with pytest.raises(StudentError, match="too many parts"):
        remote.decode(remote.HEADER.pack(len(text), 0) + text)


def test_truth_values_are_true_or_false():
    """A byte of 2 would be true, and yet not equal to true."""
    found = remote.decode(message({"array": ["|b1", [3]]}, b"\0\2\xff"))
    assert found.view(np.uint8).tolist() == [0, 1, 1]


def test_a_process_that_never_reads_does_not_hold_up_the_checker():
    """The pipe to it is full after 64 KiB."""
    cell = """
def deaf():
    import os, time
    from dlphys.checks.remote import encode
    for k in range(3, 256):
        try:
            os.write(k, encode(("answer", 1)))
        except OSError:
            pass
    time.sleep(99)
"""
    with remote.worker([cell], timeout=10.0) as student:
        deaf = student.get("deaf")
        assert deaf() == 1
        with pytest.raises(StudentError, match="took longer than 10 s"):
            deaf(np.zeros(1 << 20))


def test_a_judge_survives_any_answer():
    """Whatever comes back instead of a number is a verdict, never an error."""
    for answer in (
        None,
        10**70,
        float("nan"),
        "text" * 1000,
        {},
        [],
        (),
        {"a": [1]},
        np.zeros((3, 0)),
        np.array("x"),
        1j,
    ):

        class Bench:
            def call(self, handle, arguments, keywords, answer=answer):
                return answer

        function = remote.wrapped(Bench(), remote.Handle(0, "callable", "f", None))
        for id in (TARGET, NEXT, "3.3c"):
            assert engine.judge(id, function).status == "not yet"


def test_the_page_lists_all_of_them():
    assert len(ATTACKS) + len(TEXTS) + len(BESIDE) >= 20
    assert not fill(hostile.PAGE, "hostile", hostile.table(), check=True), "run `python tests/hostile.py`"
