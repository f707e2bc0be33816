"""Is this computer ready for the course? A report that can be copied into a question, and what to do."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from dlphys._validation import shown

__all__ = ["Finding", "Report", "examine"]

PACKAGES = {
    "keras": "keras",
    "tensorflow": "tensorflow-cpu or tensorflow",
    "numpy": "numpy",
    "scipy": "scipy",
    "numba": "numba",
    "pandas": "pandas",
    "matplotlib": "matplotlib",
    "scikit-learn": "scikit-learn",
    "jupyterlab": "jupyterlab",
    "ipykernel": "ipykernel",
    "ipywidgets": "ipywidgets",
    "pooch": "pooch",
}
_SAME = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos")}
PYTHONS = ((3, 11), (3, 14))  # from, below
LEAST_MEMORY = 4.0  # GiB: a notebook of 2 GiB, the browser and the system
LEAST_DISK = 2.0  # GiB
SLOW_IMPORT = 20.0  # s
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NUMBA_NUM_THREADS")
_LOOK_AT_KERAS = (
    "import keras; from keras import ops; "
    "assert float(ops.sum(ops.ones((3, 3)) @ ops.ones((3, 3)))) == 27; "
    "print(keras.backend.backend(), keras.backend.image_data_format())"
)


class Finding(NamedTuple):
    """One line of the report: ``status`` is "ok", "warn" or "bad", ``fix`` is what to do."""

    name: str
    value: str
    status: str = "ok"
    fix: str = ""


@dataclass(frozen=True)
class Report:
    """All findings; ``str(report)`` is the text to copy."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is bad; a warning does not stop the course."""
        return all(finding.status != "bad" for finding in self.findings)

    def __str__(self) -> str:
        width = max((len(finding.name) for finding in self.findings), default=0)
        mark = {"ok": "    ", "warn": "warn", "bad": "BAD "}
        lines = [f"{mark[f.status]}  {f.name:{width}}  {f.value}" for f in self.findings]
        fixes = [f"- {f.name}: {f.fix}" for f in self.findings if f.status != "ok"]
        if not fixes:
            return "\n".join([*lines, "", "OK"])
        verdict = "OK, but:" if self.ok else "Not ready. What to do:"
        return "\n".join([*lines, "", verdict, *fixes])


def examine(root: str | Path = ".", *, keras: bool = True, say: Callable[[str], Any] | None = None) -> Report:
    """Look at Python, packages, processor, memory, disk, caches, data and notebooks.

    Parameters
    ----------
    root : path
        A checkout, if there is one: are its notebooks current?
    keras : bool
        Import Keras too, in a process of its own, which takes a while.
    say : callable, optional
        Told in one sentence what takes long.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        ``root`` is not a path.

    Examples
    --------
    >>> report = examine(keras=False)
    >>> report.findings[0].name
    'Python'
    """
    if not isinstance(root, str | Path):
        raise TypeError(f"root must be a path, got {shown(root)} ({type(root).__name__})")
    findings = [_python(), _system(), _dlphys(), *_packages()]
    processor = _processor()
    findings += [*_threads(), processor, _memory(), _cache(), _disk(), _numba()]
    if keras:
        if processor.status == "bad":
            findings.append(Finding("Keras", "not tried", "bad", "first the processor, see above"))
        else:
            (say or (lambda sentence: None))("importing Keras ...")
            findings.append(_keras())
    findings += [*_data(), _notebooks(Path(root)), *_environment()]
    return Report(tuple(findings))


def _python() -> Finding:
    value = f"{platform.python_version()} ({sys.executable})"
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    if not PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]:
        return Finding("Python", value, "bad", f"install Python from {low} to below {high}, make a new environment")
    return Finding("Python", value)


def _system() -> Finding:
    return Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")


def _dlphys() -> Finding:
    import dlphys

    return Finding("dlphys", f"{dlphys.__version__} ({Path(dlphys.__file__).parent})")


def _packages() -> Iterator[Finding]:
    for name, install in PACKAGES.items():
        version = next((v for v in map(_version, _SAME.get(name, (name,))) if v), "")
        if version:
            yield Finding(name, version)
        else:
            yield Finding(name, "missing", "bad", f"install {install}: python -m pip install dlphys brings it")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _threads() -> Iterator[Finding]:
    count = os.cpu_count() or 1
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only: a container may get fewer
    usable = len(affinity(0)) if affinity else count
    value = f"{usable} of {count} usable" if usable != count else str(count)
    if usable < 2:
        yield Finding("processor cores", value, "warn", "notebooks take about twice as long as their price tags say")
    else:
        yield Finding("processor cores", value)
    limits = {name: os.environ[name] for name in _THREADS if name in os.environ}
    yield Finding("thread limits", ", ".join(f"{name}={value}" for name, value in limits.items()) or "none")


def _processor() -> Finding:
    """TensorFlow's wheels for x86-64 stop the process with "illegal instruction" where AVX is missing."""
    machine = platform.machine().lower()
    if machine not in ("x86_64", "amd64", "i386", "i686", "x86"):
        return Finding("AVX", f"not needed on {machine or 'this processor'}")
    avx = _has_avx()
    if avx is None:
        return Finding("AVX", "unknown", "warn", "if importing Keras ends with 'illegal instruction', AVX is missing")
    if avx:
        return Finding("AVX", "yes")
    fix = (
        "TensorFlow needs a processor with AVX (from about 2012 on; a virtual machine must pass it through): "
        "use another computer, or JupyterHub or Binder, or install torch and set KERAS_BACKEND=torch"
    )
    return Finding("AVX", "no", "bad", fix)


def _has_avx() -> bool | None:
    system = platform.system()
    try:
        if system == "Linux":
            flags = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")]
            return " avx " in f"{flags[0]} " if flags else None
        if system == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.features"]
            told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
            return "AVX" in told.upper()
        if system == "Windows":
            import ctypes

            windll: Any = getattr(ctypes, "windll")  # noqa: B009  # mypy on other systems does not know it
            return bool(windll.kernel32.IsProcessorFeaturePresent(39))  # PF_AVX_INSTRUCTIONS_AVAILABLE
    except (OSError, subprocess.SubprocessError, AttributeError):
        return None
    return None


def _memory() -> Finding:
    total, free = _memory_bytes()
    if total is None:
        return Finding("memory", "unknown", "warn", f"notebooks need up to 2 GiB; have {LEAST_MEMORY:.0f} GiB")
    value = f"{total / 2**30:.1f} GiB" + (f", {free / 2**30:.1f} GiB free" if free is not None else "")
    if total / 2**30 < LEAST_MEMORY - 0.5:
        return Finding("memory", value, "warn", "notebooks need up to 2 GiB: run one at a time, close other programs")
    if free is not None and free < 2 * 2**30:
        return Finding("memory", value, "warn", "notebooks need up to 2 GiB: close other programs or kernels")
    return Finding("memory", value)


def _memory_bytes() -> tuple[int | None, int | None]:
    """Memory in all and free, in bytes; what a container may use, where there is such a limit."""
    try:
        import psutil

        memory = psutil.virtual_memory()
        total, free = int(memory.total), int(memory.available)
    except ImportError:
        try:
            total, free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
        except (AttributeError, ValueError, OSError):
            return None, None
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue
    return total, None if free is None else min(free, total)


def _cache_folder() -> Path:
    chosen = os.environ.get("DLPHYS_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    try:
        import pooch

        return Path(pooch.os_cache("dlphys"))
    except ImportError:
        return Path.home() / ".cache" / "dlphys"


def _cache() -> Finding:
    folder = _cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        fix = "set DLPHYS_CACHE_DIR to a folder that can be written; without it nothing is kept between sessions"
        return Finding("cache", f"{folder} cannot be written", "warn", fix)
    return Finding("cache", f"{folder} can be written")


def _disk() -> Finding:
    folder = _cache_folder()
    existing = next((place for place in (folder, *folder.parents) if place.exists()), Path.cwd())
    free = shutil.disk_usage(existing).free / 2**30
    value = f"{free:.1f} GiB free where the cache is"
    if free < LEAST_DISK:
        return Finding("disk", value, "warn", f"make room: data and trained networks take up to {LEAST_DISK:.0f} GiB")
    return Finding("disk", value)


def _numba() -> Finding:
    try:
        import numba

        compiled = numba.njit(cache=True)(_cache_folder)  # nothing is compiled before the first call
        return Finding("Numba cache", str(compiled.stats.cache_path))
    except ImportError:
        return Finding("Numba cache", "Numba cannot be imported", "bad", "install numba: python -m pip install numba")
    except RuntimeError:
        fix = "set NUMBA_CACHE_DIR to a folder that can be written; without it simulators compile in each session"
        return Finding("Numba cache", "no folder can be written", "warn", fix)


def _keras() -> Finding:
    """In a process of its own: an import that crashes must not take the report with it."""
    start = time.perf_counter()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        told = subprocess.run(
            [sys.executable, "-c", _LOOK_AT_KERAS], capture_output=True, text=True, timeout=300, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("Keras", "not imported within 300 s", "bad", "make a new environment, install dlphys again")
    seconds = time.perf_counter() - start
    if told.returncode < 0 or told.returncode > 255:
        fix = "the backend does not fit this processor or system: make a new environment, install dlphys again"
        return Finding("Keras", f"import crashed (code {told.returncode})", "bad", fix)
    if told.returncode:
        reason = (told.stderr.strip().splitlines() or ["no reason given"])[-1]
        fix = "install what is missing, or make a new environment: python -m pip install dlphys"
        return Finding("Keras", f"import failed: {reason[:120]}", "bad", fix)
    backend, data_format = (told.stdout.split() or ["?"])[-2:]
    value = f"backend {backend}, {data_format}, imported in {seconds:.0f} s"
    if data_format != "channels_last":
        fix = "the notebooks expect channels_last: remove image_data_format from ~/.keras/keras.json"
        return Finding("Keras", value, "bad", fix)
    if backend != "tensorflow":
        return Finding("Keras", value, "warn", "the course is tested with TensorFlow: unset KERAS_BACKEND")
    if seconds > SLOW_IMPORT:
        fix = f"compile once, it saves that at every start: {Path(sys.executable).name} -m compileall -q {_site()}"
        return Finding("Keras", value, "warn", fix)
    return Finding("Keras", value)


def _site() -> str:
    import sysconfig

    return sysconfig.get_path("purelib")


def _data() -> Iterator[Finding]:
    try:
        from dlphys.datasets import manage

        rows = manage.list_data()
    except ImportError as error:
        yield Finding("data", f"cannot be listed: {error}", "bad", "install dlphys again: python -m pip install dlphys")
        return
    except (ValueError, OSError) as error:
        yield Finding("data", f"cannot be listed: {error}", "warn", "see DLPHYS_DATA_DIR")
        return
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(row.source, []).append(row.name)
    value = "; ".join(f"{source}: {', '.join(names)}" for source, names in places.items())
    yield Finding("data", value)


def _state(root: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells whether anything that is built, or from which it is built, has changed."""
    paths = [*(root / "notebooks").rglob("*.*"), *(root / "dlphys" / "checks" / "references").glob("*.dat")]
    return tuple((str(path), found.st_mtime_ns, found.st_size) for path in sorted(paths) for found in [path.stat()])


@functools.lru_cache(maxsize=1)
def _stale(root: Path, state: object) -> int:
    """Number of files that a build would change; building all takes seconds, so the same state is not built twice."""
    from dlphys.course.build import build

    return len(build(root, check=True))


def _notebooks(root: Path) -> Finding:
    if not (root / "notebooks" / "source").is_dir():
        return Finding("notebooks", "no checkout here")
    try:
        old = _stale(root, _state(root))
    except ImportError as error:
        fix = "only needed to change the course: python -m pip install 'dlphys[course]'"
        return Finding("notebooks", f"cannot be checked: {error}", "warn", fix)
    except (ValueError, OSError) as error:
        reason = (str(error).splitlines() or [""])[0][:160]
        return Finding("notebooks", f"cannot be built: {reason}", "warn", "dlphys build shows every problem")
    if old:
        return Finding("notebooks", f"{old} files are older than their sources", "warn", "dlphys build")
    return Finding("notebooks", "current")


def _environment() -> Iterator[Finding]:
    own = sorted(name for name in os.environ if name.startswith("DLPHYS_") or name == "KERAS_BACKEND")
    # a student's key stays out of a text that is made to be copied
    told = [f"{name}={'(set)' if name == 'DLPHYS_STUDENT' else os.environ[name]}" for name in own]
    yield Finding("environment", ", ".join(told) or "nothing set")
