"""A process for code that nobody has read: no network, nothing to see that it does not need, and an end to everything.

Bubblewrap builds the walls: namespaces of its own for processes, network, users and mounts, the system read-only, one
small folder in memory to write. Limits of the kernel hold single processes, a filter keeps them from what no limit
counts, and a watchdog holds all of them together.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import dlphys
from dlphys._validation import check_count, check_number, shown
from dlphys.checks import remote
from dlphys.checks.proxy import StudentError
from dlphys.checks.remote import Worker
from dlphys.course._syscalls import filter_program
from dlphys.course.meter import Meter

__all__ = ["ANSWERS", "Limits", "Sandboxed", "Unavailable", "ensure", "run", "start", "why_not", "worker"]

HOME = "/home/student"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf")
PACKAGE = Path(dlphys.__file__).parent
ANSWERS = tuple(
    path
    for pattern in ("checks/references/*.dat", "checks/ch*.py", "checks/lec_*.py", "checks/bars.json")
    for path in sorted(PACKAGE.glob(pattern))
)
MOST_FILES = 256  # that stand in the folder itself; each is a few words of a command
MOST_OPEN = 256  # files and sockets of a process
INTERVAL = 0.1  # s, between two looks of the watchdog
STRANGERS = range(200_000, 4_000_000)  # user numbers that no account has
MIB = 1 << 20


class Unavailable(RuntimeError):
    """No sandbox can be made here; the text says why, and what to do."""


@dataclass(frozen=True)
class Limits:
    """What a sandboxed run may use; a run that takes more of anything is ended.

    Attributes
    ----------
    wall, cpu : float, s
        CPU time is that of all processes together.
    resident : float, MiB
        Memory of all processes together.
    address_space : float, MiB
        Of each process. TensorFlow needs 4 GiB or more, most of which it never touches.
    processes : int
        Processes and threads together. TensorFlow starts some ten a core.
    file_size, disk : float, MiB
        Of one file; of all files in the folder that can be written.
    output : float, MiB
        What is printed.
    """

    wall: float = 600.0
    cpu: float = 600.0
    resident: float = 4096.0
    address_space: float = 32_768.0
    processes: int = 256
    file_size: float = 128.0
    disk: float = 256.0
    output: float = 1.0

    def __post_init__(self) -> None:
        check_count(processes=self.processes)
        for name, unit in [("wall", "s"), ("cpu", "s")]:
            check_number(minimum=0, exclusive=True, unit=unit, **{name: getattr(self, name)})
        for name in ("resident", "address_space", "file_size", "disk", "output"):
            check_number(minimum=0, exclusive=True, unit="MiB", **{name: getattr(self, name)})


class Sandboxed:
    """A running process, and what ended it; made by `start`.

    Attributes
    ----------
    process : subprocess.Popen
        Of the sandbox; its standard input, and output unless it is collected, are as they were asked for.
    reason : str
        Why it was ended, a sentence; "" if it was not, or ended by itself.
    """

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits, *, collect: bool) -> None:
        self.process = process
        self.reason = ""
        self._limits = limits
        self._output = bytearray()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._watch, daemon=True)]
        if collect:
            self._threads.append(threading.Thread(target=self._collect, daemon=True))
        for thread in self._threads:
            thread.start()

    def wait(self) -> int:
        """Until it has ended; returns its exit code, negative for a signal."""
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)  # its number stays its own until `stop`
        self.stop()
        return int(self.process.returncode)

    def stop(self) -> None:
        """End it with everything that it has started."""
        if self.process.returncode is None:
            self._kill()
            self.process.wait()
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _kill(self, reason: str = "") -> None:
        self.reason = self.reason or reason
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def output(self) -> str:
        """What it has printed, as far as allowed."""
        return bytes(self._output).decode("utf-8", errors="replace")

    def _watch(self) -> None:
        import psutil

        limits, begin, meter = self._limits, time.monotonic(), Meter()
        while not self._over.wait(INTERVAL):
            try:
                meter.sample(self.process.pid)
            except psutil.NoSuchProcess:
                return
            if time.monotonic() - begin > limits.wall:
                self._kill(f"it ran for more than {limits.wall:g} s")
            elif meter.cpu_seconds > limits.cpu:
                self._kill(f"it used more than {limits.cpu:g} s of CPU time")
            elif meter.peak_memory > limits.resident:
                self._kill(f"it used more than {limits.resident:g} MiB of memory")

    def _collect(self) -> None:
        assert self.process.stdout is not None
        descriptor, largest = self.process.stdout.fileno(), int(self._limits.output * MIB)
        while part := os.read(descriptor, 1 << 16):
            if len(self._output) + len(part) > largest:
                self._output += part[: largest - len(self._output)]
                self._kill(f"it printed more than {self._limits.output:g} MiB")
                return
            self._output += part


def why_not() -> str:
    """Why no sandbox can be made here; "" if one can.

    Examples
    --------
    >>> isinstance(why_not(), str)
    True
    """
    if not sys.platform.startswith("linux"):
        return f"bubblewrap needs Linux, and this is {sys.platform}"
    needed = ["bwrap", "prlimit", *(["setpriv"] if os.geteuid() == 0 else [])]
    missing = [name for name in needed if shutil.which(name) is None]
    if missing:
        packages = {"bwrap": "bubblewrap", "prlimit": "util-linux", "setpriv": "util-linux"}
        return f"{', '.join(missing)} not found: install {', '.join(sorted({packages[name] for name in missing}))}"
    return _trial(os.environ.get("PATH", ""))


def ensure() -> None:
    """Raise `Unavailable`, with the reason, if no sandbox can be made here."""
    if reason := why_not():
        raise Unavailable(f"{reason}; `--no-sandbox` runs the code without walls: it then can do what you can do")


@functools.cache
def _trial(path: str) -> str:
    """Why walls cannot be built with the programs of this PATH; tried once."""
    with _filter() as seccomp:
        words = [*_walls(Limits(), None, {}, (), seccomp), "true"]
        passed = () if seccomp is None else (seccomp,)
        trial = subprocess.run(words, capture_output=True, text=True, pass_fds=passed)
    return "" if trial.returncode == 0 else f"bubblewrap cannot build its walls here: {trial.stderr.strip()}"


def start(
    arguments: Sequence[str],
    *,
    files: str | Path | None = None,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
    hidden: Iterable[Path] = ANSWERS,
    walls: bool = True,
    stdin: int | IO[Any] = subprocess.DEVNULL,
    stdout: int | IO[Any] = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> Sandboxed:
    """Start a command in a sandbox of its own, as a user that owns nothing.

    Parameters
    ----------
    arguments : sequence of str
        The command. Python and its packages are where they are outside.
    files : path, optional
        A folder whose files and folders stand, read-only, in the working folder of the command. Symbolic links in it
        are left out.
    limits : Limits, optional
    environment : mapping, optional
        Variables beside PATH, HOME and the like; nothing else is inherited.
    hidden : iterable of Path
        Files that nobody can read inside; by default the references and checks of the course.
    walls : bool
        False: without bubblewrap, with limits only, nothing hidden, at home. For code that one trusts.
    stdin, stdout : as of subprocess.Popen
        ``stdout=subprocess.PIPE`` collects what is printed into ``output``, up to the limit.
    pass_fds : sequence of int
        File descriptors that stay open inside.

    Returns
    -------
    Sandboxed

    Raises
    ------
    Unavailable
        If there is no bubblewrap, or it may not be used; with the reason.
    ValueError, TypeError
        If an argument is wrong.
    """
    limits = limits or Limits()
    if isinstance(arguments, str) or not arguments or not all(isinstance(word, str) for word in arguments):
        raise TypeError(f"arguments must be the words of a command, got {shown(arguments)}")
    if files is not None and not Path(files).is_dir():
        raise ValueError(f"files must be a folder that exists, got {shown(str(files))}")
    if files is not None and sum(1 for _ in Path(files).iterdir()) > MOST_FILES:
        raise ValueError(f"files must hold at most {MOST_FILES} files and folders, got more in {shown(str(files))}")
    variables = _environment(environment or {})
    if walls:
        ensure()
    with _filter() if walls else contextlib.nullcontext() as seccomp:
        if walls:
            words = _walls(limits, Path(files) if files else None, variables, hidden, seccomp)
        else:
            words = [*_with_parent(), *_kernel_limits(limits)]
        process = subprocess.Popen(
            [*words, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT if stdout is not subprocess.DEVNULL else subprocess.DEVNULL,
            pass_fds=(*pass_fds, *([seccomp] if seccomp is not None else [])),
            start_new_session=True,
            cwd=None if walls else files,
            env={} if walls else {**variables, "HOME": str(Path.home())},
        )
    return Sandboxed(process, limits, collect=stdout == subprocess.PIPE)


@contextlib.contextmanager
def worker(cells: Sequence[str] = (), *, timeout: float = 120.0, **settings: Any) -> Iterator[tuple[Worker, Sandboxed]]:
    """As `dlphys.checks.remote.worker`, in a sandbox: the worker, and what tells why it was ended.

    ``settings`` are those of `start`, without stdin, stdout and pass_fds.
    """
    made: list[Sandboxed] = []

    def launch(words: Sequence[str], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
        made.append(start(words, stdin=subprocess.PIPE, pass_fds=descriptors, **settings))
        return made[0].process

    try:
        with remote.worker(cells, timeout=timeout, launch=launch) as student:
            try:
                yield student, made[0]
            finally:
                made[0].stop()
    except StudentError as error:
        raise StudentError(f"your code was stopped: {made[0].reason}" if made[0].reason else str(error)) from None


@contextlib.contextmanager
def run(arguments: Sequence[str], **settings: Any) -> Iterator[Sandboxed]:
    """As `start`; whatever happens in the ``with`` block, at its end nothing of the command is left running."""
    sandboxed = start(arguments, **settings)
    try:
        yield sandboxed
    finally:
        sandboxed.stop()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "agg",
        **more,
    }


@contextlib.contextmanager
def _filter() -> Iterator[int | None]:
    """A descriptor from which bubblewrap reads what may not be asked of the kernel; None on a machine without."""
    if not (program := filter_program()):
        yield None
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as file:  # far less than a pipe holds
            file.write(program)
        yield reading
    finally:
        os.close(reading)


def _hide(hidden: Iterable[Path]) -> list[str]:
    """Words that put nothing over files; also over what Python keeps of them in its cache, now or later."""
    names = {path: path.stem for path in hidden}
    words = [word for path in names for word in ("--ro-bind", "/dev/null", str(path))]
    for cache in sorted({path.parent / "__pycache__" for path in names if path.suffix == ".py"}):
        with contextlib.suppress(OSError):
            cache.mkdir(exist_ok=True)
        if cache.is_dir():
            words += ["--perms", "0755", "--tmpfs", str(cache)]
            for kept in sorted(cache.glob("*.pyc")):
                if kept.name.partition(".")[0] not in names.values():
                    words += ["--ro-bind-try", str(kept), str(kept)]
            words += ["--remount-ro", str(cache)]
    return words


def _copies(seen: Sequence[str | Path]) -> list[Path]:
    """Other installations of this package that could be seen, with all their answers."""
    found = {Path(entry).resolve() / "dlphys" for entry in sys.path} - {PACKAGE, PACKAGE.resolve()}
    visible = [Path(path).resolve() for path in (*seen, *SYSTEM)]
    return sorted(
        path for path in found if (path / "checks").is_dir() and any(path.is_relative_to(wall) for wall in visible)
    )


def _walls(
    limits: Limits, files: Path | None, variables: Mapping[str, str], hidden: Iterable[Path], seccomp: int | None
) -> list[str]:
    """The words before the command: bubblewrap, then an unprivileged user, then the limits of the kernel."""
    size = ["--size", str(int(limits.disk * MIB))]
    root = os.geteuid() == 0
    words = ["bwrap", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    if root:  # a user of its own outside, too: the kernel does not count the processes of root
        words += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-all"]
    words += ["--proc", "/proc", "--dev", "/dev"]  # before the others, which may lie in them
    words += ["--perms", "0755", "--dir", str(Path(HOME).parent)]  # otherwise only root could look into it
    for name in ("/tmp", "/dev/shm", HOME):
        words += ["--perms", "1777", *size, "--tmpfs", name]
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        else:
            words += ["--ro-bind-try", str(path), str(path)]
    seen = [path for path in (*SETTINGS, sys.base_prefix, sys.prefix, PACKAGE) if Path(path).exists()]
    for folder in sorted({folder for path in seen for folder in Path(path).parents} - {Path("/")}):
        words += ["--perms", "0755", "--dir", str(folder)]
    for visible in dict.fromkeys(map(str, seen)):
        words += ["--ro-bind", visible, visible]
    words += _hide(hidden)
    for path in _copies(seen):
        words += ["--perms", "0755", "--tmpfs", str(path)]
    for entry in sorted(files.iterdir()) if files else []:
        if not entry.is_symlink():
            words += ["--ro-bind", str(entry.resolve()), f"{HOME}/{entry.name}"]
    words += ["--remount-ro", "/", "--chdir", HOME]
    for name, value in variables.items():
        words += ["--setenv", name, value]
    if seccomp is not None:
        words += ["--seccomp", str(seccomp)]
    words.append("--")
    if root:
        nobody = str(random.SystemRandom().choice(STRANGERS))
        words += ["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups"]
        words += ["--no-new-privs", "--inh-caps=-all"]
    return [*words, *_kernel_limits(limits)]


def _with_parent() -> list[str]:
    """What ends a process without walls together with the one that started it, as bubblewrap does with walls."""
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


def _kernel_limits(limits: Limits) -> list[str]:
    if shutil.which("prlimit") is None:
        return []
    return [
        "prlimit",
        f"--as={int(limits.address_space * MIB)}",
        f"--cpu={2 * int(limits.cpu) + 5}",  # if the watchdog is gone; a virtual machine counts stolen time here
        f"--fsize={int(limits.file_size * MIB)}",
        f"--nproc={limits.processes}",
        f"--nofile={MOST_OPEN}",
        "--core=0",
        "--",
    ]
