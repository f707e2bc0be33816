"""Notebooks that mean harm: right solutions of a chapter with one thing added. `python tests/hostile.py` lists them.

What a body finds that it must not find goes into ``loot`` and is raised, so that it stands in what is said of the task.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/hostile.md"
CHAPTER = "ch03_playground"  # the chapter whose code loads fastest
TARGET, NEXT = "3.3b", "3.3d"
SIGNATURE = "def smallest_network(losses, limit, share):\n"
RIGHT = """
for neurons in sorted(losses):
    if np.mean(losses[neurons] < limit) >= share:
        return neurons
return None
"""
TELL = "raise RuntimeError(f'loot: {loot}')\n"
NOTHING = "RuntimeError: loot: []"


@dataclass(frozen=True)
class Attack:
    """One notebook: what is added to it, and what must come of it.

    ``came`` stands in the verdict of the task; ``points`` are those of the task, 2 if its answers are right; ``right``:
    it goes on and answers as it should; ``spoils``: the next task of the same notebook suffers as well. ``{NAME}`` in
    the code is a place of the test.
    """

    name: str
    tries: str
    came: str
    body: str
    before: str = ""
    right: bool = False
    points: float = 0.0
    spoils: bool = False
    limits: dict = field(default_factory=dict)
    timeout: float = 60.0

    def notebook(self, **places):
        """The notebook, as text."""
        body = dedent(self.body) + (RIGHT if self.right else "")
        code = f"{dedent(self.before)}\n\n{SIGNATURE}{indent(body, '    ')}"
        for place, value in places.items():
            code = code.replace("{" + place + "!r}", repr(str(value))).replace("{" + place + "}", str(value))
        return with_code(code)


def solution():
    return json.loads((ROOT / f"notebooks/solution/{CHAPTER}.ipynb").read_text(encoding="utf-8"))


def with_code(code):
    """The solved notebook with other code in the cell of the task."""
    notebook = solution()
    for cell in notebook["cells"]:
        if cell["metadata"].get("dlphys", {}).get("task") == TARGET:
            cell["source"] = code
    return json.dumps(notebook)


TOO_MUCH = [
    Attack(
        "endless loop",
        "never ends, inside a task",
        "it used more than 8 s of CPU time",
        "while True:\n    pass\n",
        limits={"cpu": 8.0},
    ),
    Attack(
        "endless loop at the start",
        "never ends while the notebook is loaded",
        "it used more than 8 s of CPU time",
        "return START",
        before="START = sum(1 for _ in iter(int, 1))",
        spoils=True,
        limits={"cpu": 8.0},
    ),
    Attack(
        "a kernel that never starts",
        "waits for ever while the notebook is loaded",
        "your code took longer than 10 s",
        "return START",
        before="import threading\nSTART = threading.Event().wait()",
        spoils=True,
        timeout=10.0,
    ),
    Attack(
        "time bomb",
        "is right when asked for the first time, then sleeps",
        "your code took longer than 20 s",
        "CALLS.append(1)\nif len(CALLS) > 2:\n    import time\n    time.sleep(999)\n",
        right=True,
        before="CALLS = []",
        timeout=20.0,
    ),
    Attack(
        "fork bomb",
        "starts processes as fast as it can",
        "it used more than 8 s of CPU time",
        """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """,
        limits={"cpu": 8.0, "processes": 40, "resident": 30_000.0},
    ),
    Attack(
        "memory",
        "fills memory, in many processes",
        "it used more than 700 MiB of memory",
        """
        import os, time
        os.fork(), os.fork()
        kept = []
        while True:
            kept.append(b"a" * (20 << 20))
            time.sleep(0.02)
        """,
        limits={"resident": 700.0},
    ),
    Attack(
        "memory of nobody",
        "fills memory that no process owns: memory files, System V segments, file systems of its own",
        NOTHING,
        """
        import ctypes, os
        libc, loot = ctypes.CDLL(None, use_errno=True), []
        try:
            loot.append(("file", os.memfd_create("x")))
        except OSError:
            pass
        if libc.shmget(0, 1 << 30, 0o1600) >= 0:
            loot.append("segment")
        if libc.unshare(0x10020000) == 0 or libc.mount(b"x", b"/tmp", b"tmpfs", 0, b"size=99g") == 0:
            loot.append("file system")
        pid = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        if pid > 0:
            loot.append("user namespace")
        """
        + TELL,
    ),
    Attack(
        "full disk",
        "fills every folder that it can write",
        "No space left on device",
        """
        import os
        for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
            for k in range(99):
                try:
                    open(f"{folder}/{k}", "wb").write(bytes(10 << 20))
                except OSError as error:
                    last = error
                    break
        raise last
        """,
        limits={"disk": 30.0},
    ),
    Attack(
        "huge file",
        "writes one file without end",
        "File too large",
        "with open('/tmp/x', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))\n",
        limits={"file_size": 5.0},
    ),
    Attack(
        "output flood",
        "prints 200 MB, to all that takes output",
        "passed",
        "import os\nfor _ in range(1000):\n    os.write(1, b'a' * 100_000)\n    os.write(2, b'a' * 100_000)\n",
        right=True,
        points=2.0,
    ),
    Attack(
        "endless answer",
        "announces an answer of 1 EiB",
        "the answer is larger than 256 MiB",
        "import struct\nforge(struct.pack('<QQ', 10, 1 << 60) + b'a' * 1000)\n",
        right=True,
        before="""
        def forge(message):
            import os
            for k in range(3, 256):
                try:
                    os.write(k, message)
                except OSError:
                    pass
        """,
    ),
    Attack(
        "answer of nothing",
        "answers with an array of 10^15 rows without columns, which whoever walks through it never ends",
        "an array of nothing, very often",
        "return np.empty((10**15, 0))",
    ),
]

FILES = [
    Attack(
        "deletes everything",
        "deletes its folder, the package and the environment",
        "passed",
        """
        import os, shutil, sys
        for folder in (".", os.path.expanduser("~"), {PACKAGE!r}, sys.prefix + "/bin", {SUBMITTED!r}, "/tmp"):
            shutil.rmtree(folder, ignore_errors=True)
        """,
        right=True,
        points=2.0,
    ),
    Attack(
        "submissions of others",
        "reads another submission, the gradebook, the notebooks with the solutions",
        NOTHING,
        """
        import glob, os
        loot = []
        places = [{SUBMITTED!r}, {GRADEBOOK!r}, {SECRET!r}, {ROOT!r} + "/notebooks", "/etc/passwd", "/etc/shadow"]
        for place in places:
            loot += glob.glob(place + "*") + glob.glob(place + "/**")
        for climb in range(12):
            loot += glob.glob("../" * climb + {SECRET!r}[1:])
        os.makedirs("/tmp/links")
        os.symlink({SECRET!r}, "/tmp/links/one")
        os.symlink("/proc/1/root" + {SECRET!r}, "/tmp/links/two")
        for link in ("/tmp/links/one", "/tmp/links/two"):
            try:
                loot.append(open(link).read())
            except OSError:
                pass
        """
        + TELL,
    ),
    Attack(
        "hidden answers",
        "reads the references, the checks, what Python keeps of them compiled, and asks the package for them",
        NOTHING,
        """
        import glob, importlib
        loot = []
        for place in glob.glob({PACKAGE!r} + "/checks/**", recursive=True):
            name = place.rpartition("/")[2]
            if name.startswith("ch") or name.endswith((".dat", "bars.json")):
                try:
                    loot.append(open(place, "rb").read()[:9])
                except OSError:
                    pass
        from dlphys.checks import engine, references
        for ask in (
            lambda: references.load("3.3b"),
            lambda: engine.reference("3.3b"),
            lambda: importlib.import_module("dlphys.checks.ch03_playground").by_hand,
        ):
            try:
                loot.append(ask())
            except Exception:
                pass
        """
        + TELL,
    ),
    Attack(
        "tokens",
        "reads the variables of the environment, its own and those of all processes that it sees",
        NOTHING,
        """
        import glob, os
        loot = [name for name in os.environ if "{MARK}" in os.environ[name]]
        for place in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
            try:
                loot += [place] * (b"{MARK}" in open(place, "rb").read())
            except OSError:
                pass
        """
        + TELL,
    ),
    Attack(
        "writes outside",
        "writes into the folder of the test, the package, the environment, the system, the home of the user",
        NOTHING,
        """
        import os, sys
        loot = []
        for folder in ({OUTSIDE!r}, {PACKAGE!r}, sys.prefix, "/etc", "/usr", "/root", "/proc/sys/kernel", "/var/tmp"):
            for path in (folder + "/{MARK}", "../" * 9 + folder[1:] + "/{MARK}"):
                try:
                    open(path, "w").write("x")
                    loot.append(path)
                except OSError:
                    pass
        open("/tmp/{MARK}", "w").write("x")
        """
        + TELL,
    ),
]

OTHERS = [
    Attack(
        "network",
        "connects to the internet, to a server on this machine, to a socket in a file and an abstract one",
        NOTHING,
        """
        import socket
        loot = []
        for family, address in (
            (socket.AF_INET, ("127.0.0.1", {PORT})),
            (socket.AF_INET, ("1.1.1.1", 53)),
            (socket.AF_INET6, ("::1", {PORT})),
            (socket.AF_UNIX, {SOCKET!r}),
            (socket.AF_UNIX, "\\0{MARK}"),
            (40, (2, 1)),
        ):
            try:
                with socket.socket(family) as one:
                    one.settimeout(3)
                    one.connect(address)
                    loot.append(address)
            except OSError:
                pass
        """
        + TELL,
    ),
    Attack(
        "kills",
        "sends signals to its parent, to every process number, to its group and to all",
        "passed",
        """
        import os, signal
        for pid in [os.getppid(), *range(2, 4_200_000, 997), *{PIDS}]:
            if pid not in (os.getpid(), 0):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
        for many in (lambda: os.kill(-1, signal.SIGTERM), lambda: os.killpg(1, signal.SIGKILL)):
            try:
                many()
            except OSError:
                pass
        """,
        right=True,
        points=2.0,
    ),
    Attack(
        "outlives its answer",
        "leaves a process in a session of its own, and a thread, which go on when it is done",
        "passed",
        """
        import subprocess, threading, time
        for _ in range(2):
            subprocess.Popen(["setsid", "sh", "-c", "sleep {MARK}"], start_new_session=True)
        threading.Thread(target=time.sleep, args=(999,)).start()
        """,
        right=True,
        points=2.0,
    ),
    Attack(
        "the rights of others",
        "traces processes, reads their memory, mounts, changes its user, types into a terminal, leaves core files",
        NOTHING,
        """
        import ctypes, fcntl, glob, os, resource, subprocess
        libc, loot = ctypes.CDLL(None, use_errno=True), []
        for pid in (1, os.getppid()):
            if libc.ptrace(16, pid, 0, 0) == 0:
                loot.append("traced")
        for place in glob.glob("/proc/1/mem") + glob.glob("/proc/1/environ") + ["/dev/mem", "/proc/kcore", "/dev/vda"]:
            try:
                loot.append(open(place, "rb").read(9))
            except OSError:
                pass
        for user in (0, 1, 1000):
            if libc.setuid(user) == 0 or libc.setgid(user) == 0:
                loot.append(user)
        for program in ("su", "sudo", "mount"):
            try:
                done = subprocess.run([program, "-c", "id"], capture_output=True, timeout=9, stdin=subprocess.DEVNULL)
                loot += [program] * (b"uid=0" in done.stdout)
            except OSError:
                pass
        for terminal in (0, 1, 2):
            try:
                loot.append(fcntl.ioctl(terminal, 0x5412, b"x"))
            except OSError:
                pass
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
            loot.append("core files")
        except (ValueError, OSError):
            pass
        """
        + TELL,
    ),
]

LIES = [
    Attack(
        "prints a verdict",
        "prints 'passed', and an error of control characters, lines and half letters",
        "your code raised ValueError",
        "print('passed  3.3b')\nraise ValueError('\\x1b[2J\\ud800\\n\\npassed  3.3b\\u202e\\0')\n",
    ),
    Attack(
        "patches everything",
        "replaces parts of the checks, of NumPy, of the package and of Python itself",
        "not yet",
        """
        import builtins, json, numpy, dlphys.checks.engine as engine, dlphys.checks.expect as expect
        import dlphys.checks.remote as remote
        engine.judge = lambda *a: engine.Verdict("3.3b", "passed")
        for module in (numpy, expect):
            for name in ("allclose", "isclose", "array_equal", "equal", "holds", "close"):
                setattr(module, name, lambda *a, **k: True)
        builtins.all = builtins.any = builtins.isinstance = lambda *a: True
        json.dumps = lambda *a: '{"tuple": ["answer", true]}'
        remote._described = lambda *a: True
        return -1
        """,
    ),
    Attack(
        "objects that lie",
        "answers with an object that is equal to everything",
        "not yet",
        """
        class Liar(float):
            def __eq__(self, other):
                return True
            __lt__ = __gt__ = __le__ = __ge__ = __eq__
            __hash__ = float.__hash__
            def __index__(self):
                return 2
            def __array__(self, *a, **k):
                raise SystemExit
        return Liar("nan")
        """,
    ),
    Attack(
        "forges the answer",
        "writes messages of its own into the pipe while the notebook is loaded: no list, no text, wrong lengths",
        "the answer is no readable message",
        "return FORGED",
        spoils=True,
        before="""
        def forge():
            import os, struct
            from dlphys.checks.remote import encode
            for k in range(3, 256):
                try:
                    os.write(k, encode(("answer", 5)) + encode((np.zeros(3), 1)) + struct.pack("<QQ", 9, 9) + b"x" * 18)
                except OSError:
                    pass

        FORGED = forge()
        """,
    ),
    Attack(
        "sends a model",
        "answers with what only a check may send: a model with code in it, to be built there",
        "the answer is no readable message",
        """
        import json, os
        code = {"code": "open('{OUTSIDE}/{MARK}', 'w')"}
        config = json.dumps({"module": "builtins", "class_name": "exec", "config": code})
        text = json.dumps({"tuple": ["answer", {"model": [config, {"list": []}]}]}).encode()
        for k in range(3, 256):
            try:
                os.write(k, len(text).to_bytes(8, "little") + bytes(8) + text)
            except OSError:
                pass
        """,
        right=True,
    ),
    Attack(
        "looks into the checker",
        "searches frames and all objects for the inputs of the check and for references",
        NOTHING,
        """
        import gc, linecache, sys
        loot, frame = [], sys._getframe()
        while frame:
            loot += [name for name in frame.f_locals if name in ("random", "expected", "subject", "verdict")]
            frame = frame.f_back
        for thing in gc.get_objects():
            if callable(thing) and getattr(thing, "__name__", "") in ("smallest_network", "by_hand", "dead_neurons"):
                loot += [thing] * ("dlphys.checks" in str(getattr(thing, "__module__", "")))
        loot += [name for name in linecache.cache if "reference" in name and not name.endswith(".py")]
        """
        + TELL,
    ),
    Attack(
        "leaves",
        "ends its process without a word",
        "your code ended its process",
        "import os\nos._exit(0)\n",
    ),
    Attack(
        "decorators",
        "hides behind a decorator that replaces the functions of other tasks and the function that asks",
        "not yet",
        "return 'three'",
        before="""
        def evil(function):
            import __main__, dlphys.checks.proxy as proxy
            __main__.dead_neurons = function
            proxy._guarded = lambda *a, **k: "three"
            proxy.Workbench.export = lambda *a: "three"
            return function

        @evil
        """,
        spoils=True,
    ),
]

ATTACKS = [*TOO_MUCH, *FILES, *OTHERS, *LIES]

# What is no notebook, or one that costs its reader: name, what it tries, what the reason or the problem says.
TEXTS = [
    ("broken", "JSON that ends too early", "the file is no notebook"),
    ("zeros", "NULs in JSON", "the file is no notebook"),
    ("deep", "lists in lists, 100 000 deep", "the file is no notebook"),
    ("200 MB", "a file of 200 MB", "the file is larger than 64 MiB"),
    ("many parts", "a million objects in JSON, for a reader with little memory", "MiB of memory"),
    ("100 000 cells", "more cells than anybody reads", "more than 10000 code cells"),
    ("a line of 10 MB", "one line of 10 MB", "more than 1 MiB of code"),
    ("deep code", "code in brackets, 5000 deep", "is no Python"),
    ("long chain", "a sum of 100 000 terms", "is no Python"),
    ("huge number", "a number of 400 000 digits", "is no Python"),
    ("half letters", "code with letters that are none", "is no Python"),
    ("a pipe", "a pipe instead of a file, which is never written", "there is no file"),
    ("a link", "a link to the gradebook", "there is no file"),
]
BESIDE = [
    ("start-up files", "sitecustomize.py, usercustomize.py, a .pth and a configuration of Keras beside it", "passed"),
    ("pickles", "data.pkl and data.npy with code in them, beside it", "passed"),
    ("modules of the same name", "numpy.py and a package dlphys beside it", "ended its process"),
    ("too many files", "300 files beside it", "more than 256 files lie beside the notebook"),
]


def table():
    """All of them, in Markdown; the tests hold what it says."""
    rows = ["| notebook | what it tries | what comes of it |", "|---|---|---|"]
    came = {
        "passed": "nothing; its answers are judged as they are",
        "not yet": "its answers are judged as wrong",
        NOTHING: "it finds and gets nothing",
    }
    for name, tries, said in [*((each.name, each.tries, each.came) for each in ATTACKS), *TEXTS, *BESIDE]:
        rows.append(f"| {name} | {tries} | {came.get(said, f'told: {said}')} |")
    return "\n".join(rows)


if __name__ == "__main__":
    from dlphys.course._pages import fill

    sys.stdout.write("written\n" if fill(PAGE, "hostile", table(), check=False) else "as it was\n")
