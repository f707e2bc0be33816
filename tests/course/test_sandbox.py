"""A sandbox lets code do what a solution needs, and nothing else; every limit is exceeded once."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from dlphys.checks.proxy import StudentError
from dlphys.course import sandbox
from dlphys.course._syscalls import filter_program
from dlphys.course.sandbox import Limits

pytestmark = pytest.mark.skipif(bool(sandbox.why_not()), reason=f"no sandbox here: {sandbox.why_not()}")


def ended(code, limits=None, **settings):
    """What became of a Python program: exit code, reason, output."""
    words = [sys.executable, "-c", code]
    with sandbox.run(words, limits=limits or Limits(wall=60), stdout=subprocess.PIPE, **settings) as sandboxed:
        exit_code = sandboxed.wait()
    return exit_code, sandboxed.reason, sandboxed.output


def printed(code, **settings):
    exit_code, reason, output = ended(code, **settings)
    assert (exit_code, reason) == (0, ""), output
    return output.strip()


@pytest.mark.parametrize(
    ("code", "limits", "reason"),
    [
        ("while True: pass", Limits(wall=1.0), "it ran for more than 1 s"),
        ("import time; time.sleep(60)", Limits(wall=1.0), "it ran for more than 1 s"),
        ("while True: pass", Limits(cpu=1.0, wall=60.0), "it used more than 1 s of CPU time"),
        (
            "import os\nfor _ in range(3): os.fork()\nwhile True: pass",
            Limits(cpu=3.0, wall=60.0),
            "it used more than 3 s of CPU time",
        ),
        (
            "import time; x = b'a' * (900 << 20); time.sleep(60)",
            Limits(resident=400.0, wall=60.0),
            "it used more than 400 MiB of memory",
        ),
        (
            "import os, time\nfor _ in range(3): os.fork()\nx = b'a' * (100 << 20)\ntime.sleep(60)",
            Limits(resident=400.0, wall=60.0),
            "it used more than 400 MiB of memory",
        ),
        ("while True: print('a' * 1000)", Limits(output=0.5, wall=60.0), "it printed more than 0.5 MiB"),
    ],
    ids=["loop", "sleep", "CPU", "CPU of all", "memory", "memory of all", "output"],
)
def test_who_takes_more_than_allowed_is_ended_and_told_why(code, limits, reason):
    exit_code, told, output = ended(code, limits)
    assert (exit_code, told) == (-9, reason)
    assert len(output) <= limits.output * sandbox.MIB


@pytest.mark.parametrize(
    ("code", "limits", "error"),
    [
        ("x = b'a' * (600 << 20)", Limits(address_space=300.0), "MemoryError"),
        ("open('big', 'wb').write(b'a' * (11 << 20))", Limits(file_size=10.0), "File too large"),
        (
            "for k in range(30): open(f'file{k}', 'wb').write(b'a' * (1 << 20))",
            Limits(disk=20.0),
            "No space left on device",
        ),
        ("for k in range(30): open(f'/dev/shm/{k}', 'wb').write(b'a' * (1 << 20))", Limits(disk=20.0), "No space left"),
        ("import os\nwhile True: os.fork() or os.pause()", Limits(processes=50), "temporarily unavailable"),
    ],
    ids=["address space", "file size", "disk", "shared memory", "processes"],
)
def test_the_kernel_refuses_more_than_allowed(code, limits, error):
    exit_code, reason, output = ended(code.replace("os.pause()", "__import__('time').sleep(60)"), limits)
    assert exit_code != 0
    assert error in output, reason


def test_nothing_of_a_fork_bomb_is_left():
    code = "import os, time\nfor _ in range(20):\n    if not os.fork(): time.sleep(599)\ntime.sleep(599)"
    words = [sys.executable, "-c", code]
    with sandbox.run(words, limits=Limits(wall=60.0)) as sandboxed:
        tree = psutil.Process(sandboxed.process.pid)
        deadline = time.monotonic() + 30
        while len(tree.children(recursive=True)) < 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        started = tree.children(recursive=True)
        assert len(started) >= 20
    assert psutil.wait_procs(started, timeout=30)[1] == [], "alive"


def test_there_is_no_network_not_even_to_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()  # it answers outside
        exit_code, _, output = ended(f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)")
    assert exit_code == 1
    assert "Connection refused" in output


def test_nothing_is_inherited_and_nobody_else_is_seen(monkeypatch, tmp_path):
    """Variables, processes, files of others, the references of the checks."""
    monkeypatch.setenv("GRADER_TOKEN", "secret")
    secret = tmp_path / "gradebook.db"
    secret.write_text("secret")
    secret.chmod(0o666)
    assert "GRADER_TOKEN" not in printed("import os; print(sorted(os.environ))")
    assert int(printed("import os; print(sum(name.isdecimal() for name in os.listdir('/proc')))")) <= 5
    assert "FileNotFoundError" in ended(f"open({str(secret)!r})")[2]
    hidden = str(sandbox.ANSWERS[0])
    assert "PermissionError" in ended(f"print(open({hidden!r}, 'rb').read())")[2]


def test_it_runs_as_a_user_who_owns_nothing_and_cannot_write():
    user = int(printed("import os; print(os.getuid())"))
    assert user not in (0, os.getuid()) or os.getuid() != 0
    for path in ("/usr/x", "/x", "/etc/x", sandbox.PACKAGE / "x", sys.prefix + "/x"):
        assert "Read-only file system" in ended(f"open({str(path)!r}, 'w')")[2]


def test_a_checkout_in_a_folder_for_temporary_files_is_seen(monkeypatch, tmp_path):
    """The sandbox has such a folder of its own, which must not cover it."""
    package = tmp_path / "dlphys"
    package.mkdir()
    (package / "here.txt").write_text("here")
    monkeypatch.setattr(sandbox, "PACKAGE", package)
    assert printed(f"print(open({str(package / 'here.txt')!r}).read())", hidden=()) == "here"


def test_its_files_are_there_read_only_and_links_out_of_the_folder_are_not(tmp_path):
    """A link to the gradebook in a submission would otherwise be followed outside."""
    folder = tmp_path / "submission"
    (folder / "deeper").mkdir(parents=True)
    (folder / "data.txt").write_text("42")
    (folder / "deeper/link").symlink_to(tmp_path / "gradebook.db")
    (folder / "link").symlink_to(tmp_path / "gradebook.db")
    (tmp_path / "gradebook.db").write_text("secret")
    assert printed("print(open('data.txt').read(), sorted(__import__('os').listdir('.')))", files=folder) == (
        "42 ['data.txt', 'deeper']"
    )
    assert "Read-only file system" in ended("open('data.txt', 'w')", files=folder)[2]
    assert "FileNotFoundError" in ended("open('deeper/link')", files=folder)[2]
    assert printed("open('mine.txt', 'w').write('1'); print(open('mine.txt').read())", files=folder) == "1"
    assert not (folder / "mine.txt").exists()


def test_a_worker_in_a_sandbox_answers_like_any_other():
    with sandbox.worker(["def double(x):\n    return 2 * x"]) as (student, _):
        np.testing.assert_array_equal(student.get("double")(np.arange(3.0)), [0.0, 2.0, 4.0])


def test_a_network_is_trained_in_a_sandbox():
    """TensorFlow starts with the limits as they are by default."""
    cell = (
        "import keras, numpy as np\n"
        "def trained():\n"
        "    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"
        "    model.compile('sgd', 'mse')\n"
        "    model.fit(np.ones((8, 1)), np.ones((8, 1)), verbose=0)\n"
        "    return model.predict(np.ones((3, 1)), verbose=0)\n"
    )
    with sandbox.worker([cell], timeout=300.0) as (student, sandboxed):
        assert student.get("trained")().shape == (3, 1), sandboxed.reason


def test_a_worker_that_takes_too_much_is_ended_and_the_reason_kept():
    with sandbox.worker(["def hog():\n    return b'a' * (900 << 20)"], limits=Limits(resident=400.0)) as (
        student,
        sandboxed,
    ):
        with pytest.raises(StudentError, match="ended its process"):
            student.get("hog")()
        sandboxed.wait()
    assert sandboxed.reason == "it used more than 400 MiB of memory"


def test_a_worker_that_takes_too_long_is_ended():
    with (
        sandbox.worker(["def loop():\n    while True: pass"], timeout=1.0) as (student, _),
        pytest.raises(StudentError, match="longer than 1 s"),
    ):
        student.get("loop")()


def test_without_bubblewrap_it_refuses_and_says_why(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        sandbox.Unavailable, match=r"bwrap, .*not found: install bubblewrap, util-linux; `--no-sandbox`"
    ):
        sandbox.start(["true"])


def test_without_walls_the_limits_hold_all_the_same():
    assert ended("while True: pass", Limits(wall=1.0), walls=False)[1] == "it ran for more than 1 s"
    assert "MemoryError" in ended("x = b'a' * (600 << 20)", Limits(address_space=300.0), walls=False)[2]


def test_another_copy_of_the_package_is_not_seen(monkeypatch, tmp_path):
    """Its references would be the same."""
    (tmp_path / "dlphys/checks").mkdir(parents=True)
    (tmp_path / "dlphys/checks/answers.dat").write_text("secret")
    tmp_path.chmod(0o755)
    monkeypatch.setattr(sandbox, "SETTINGS", (*sandbox.SETTINGS, str(tmp_path)))
    look = f"import os; print(os.path.exists({str(tmp_path / 'dlphys/checks/answers.dat')!r}))"
    assert printed(look) == "True"
    monkeypatch.syspath_prepend(tmp_path)
    assert printed(look) == "False"


def test_a_folder_of_too_many_files_is_refused(tmp_path):
    for k in range(sandbox.MOST_FILES + 1):
        (tmp_path / str(k)).touch()
    with pytest.raises(ValueError, match="files must hold at most 256 files and folders"):
        sandbox.start(["true"], files=tmp_path)


def answered(program, number, architecture, argument=0):
    """What the kernel would do: the filter's few instructions, one after another."""
    steps = list(struct.iter_unpack("<HBBI", program))
    at, value = 0, 0
    while True:
        code, if_true, if_false, k = steps[at]
        if code == 0x06:
            return k
        if code == 0x20:
            value, at = {0: number, 4: architecture, 16: argument}[k], at + 1
        else:
            true = {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[code]
            at += 1 + (if_true if true else if_false)


@pytest.mark.parametrize(
    ("machine", "architecture", "read", "clone", "clone3", "open_socket", "mount"),
    [("x86_64", 0xC000003E, 0, 56, 435, 41, 165), ("aarch64", 0xC00000B7, 63, 220, 435, 198, 40)],
)
def test_the_filter_refuses_what_no_limit_counts(machine, architecture, read, clone, clone3, open_socket, mount):
    program = filter_program(machine)
    allow, refuse, kill = 0x7FFF0000, 0x00050001, 0x80000000
    assert answered(program, read, architecture) == answered(program, clone, architecture, 0x11) == allow
    assert answered(program, read, 0x40000003) == kill, "calls of 32 bits have other numbers"
    assert answered(program, mount, architecture) == refuse
    assert answered(program, clone, architecture, 0x10000011) == refuse
    assert answered(program, clone3, architecture) == 0x00050026, "not there, so that clone is taken"
    sockets = {family: answered(program, open_socket, architecture, family) for family in range(46)}
    assert [family for family, answer in sockets.items() if answer == allow] == [1, 2, 10, 16]
    assert sockets[40] == 0x00050061, "the way from a virtual machine to its host"


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv (util-linux) here")
def test_without_walls_too_a_process_ends_with_who_has_started_it():
    code = """
import sys, time
from dlphys.course import sandbox
started = sandbox.start([sys.executable, "-c", "while True: pass"], walls=False)
print(started.process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as grader:
        process = psutil.Process(int(grader.stdout.readline()))
        grader.kill()
    end = time.monotonic() + 60
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "it is left over"
        time.sleep(0.05)
