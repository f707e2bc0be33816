"""The doctor names what is wrong and what to do, on every system, and never answers with a traceback."""

import builtins
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlphys.course import doctor


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Importing Keras takes seconds: here another program says what Keras would say."""
    monkeypatch.setattr(doctor, "_LOOK_AT_KERAS", "print('tensorflow channels_last')")
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def finding(report, name):
    (found,) = [finding for finding in report.findings if finding.name == name]
    return found


def test_a_sound_computer_is_ok_and_every_finding_has_a_value():
    said = []
    report = doctor.examine(say=said.append)
    assert report.ok
    assert str(report).splitlines()[0].split()[:2] == ["Python", platform.python_version()]
    assert "OK" in str(report)
    assert all(f.value and f.status in ("ok", "warn", "bad") for f in report.findings)
    assert all(bool(f.fix) == (f.status != "ok") for f in report.findings)
    assert said == ["importing Keras ..."]
    assert {
        "numba",
        "AVX",
        "memory",
        "disk",
        "cache",
        "Numba cache",
        "Keras",
        "data",
        "notebooks",
        "thread limits",
    } <= {f.name for f in report.findings}


def test_a_missing_package_is_named_with_its_fix(monkeypatch):
    real = metadata.version

    def version(name):
        if name.startswith("tensorflow"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    report = doctor.examine(keras=False)
    assert not report.ok
    assert finding(report, "tensorflow").value == "missing"
    assert str(report).rstrip().endswith(finding(report, "tensorflow").fix)
    assert "Not ready. What to do:" in str(report)


def test_packages_that_cannot_be_imported_do_not_stop_the_report(monkeypatch):
    real = builtins.__import__
    broken = ("psutil", "pooch", "numba", "nbformat", "dlphys.datasets", "dlphys.course.build")

    def refuse(name, *arguments, **keywords):
        if name in broken:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delenv("DLPHYS_CACHE_DIR")
    Path("notebooks/source").mkdir(parents=True)
    report = doctor.examine()
    assert {f.name for f in report.findings if f.status == "bad"} == {"Numba cache", "data"}
    assert finding(report, "notebooks").status == "warn"
    assert finding(report, "memory").value.endswith("GiB")


@pytest.mark.parametrize(
    ("program", "status", "phrase"),
    [
        ("import os; os.abort()", "bad", "crashed"),
        ("raise ImportError('no module named keras')", "bad", "no module named keras"),
        ("print('jax channels_last')", "warn", "backend jax"),
        ("print('tensorflow channels_first')", "bad", "channels_first"),
    ],
)
def test_each_fault_of_keras_is_a_finding(monkeypatch, program, status, phrase):
    """The import runs in a process of its own: a crash there is told, not suffered."""
    monkeypatch.setattr(doctor, "_LOOK_AT_KERAS", program)
    found = finding(doctor.examine(), "Keras")
    assert found.status == status
    assert phrase in found.value
    assert found.fix


def test_without_avx_keras_is_not_tried(monkeypatch):
    """TensorFlow's wheels end the process with an illegal instruction there."""
    monkeypatch.setattr(doctor, "_has_avx", lambda: False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(doctor, "_LOOK_AT_KERAS", "raise SystemExit(9)")
    report = doctor.examine()
    assert not report.ok
    assert "use another computer" in finding(report, "AVX").fix
    assert finding(report, "Keras").value == "not tried"


@pytest.mark.parametrize(("flags", "avx"), [("flags\t\t: fpu sse2 avx", True), ("flags : fpu avx2", False), ("", None)])
def test_avx_is_read_from_the_flags_of_linux(monkeypatch, flags, avx):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(Path, "read_text", lambda self, *_, **__: f"processor : 0\n{flags}\n")
    assert doctor._has_avx() is avx


def test_avx_is_asked_of_the_system_on_windows_and_macs(monkeypatch):
    import ctypes

    monkeypatch.setattr(platform, "system", lambda: "Windows")
    kernel32 = SimpleNamespace(IsProcessorFeaturePresent=lambda feature: int(feature == 39))
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
    assert doctor._has_avx() is True
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    told = SimpleNamespace(stdout="FPU SSE4.2 AVX1.0\n")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: told)
    assert doctor._has_avx() is True


def test_a_mac_with_its_own_processor_and_without_affinity_is_fine(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    report = doctor.examine(keras=False)
    assert finding(report, "AVX").value == "not needed on arm64"
    assert finding(report, "processor cores").value == str(os.cpu_count())


def test_a_cache_that_cannot_be_written_is_a_warning(monkeypatch, tmp_path):
    """Nothing needs the cache for correct results. A file in the way, since root can write on any folder."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLPHYS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    report = doctor.examine(keras=False)
    assert report.ok
    assert finding(report, "cache").status == "warn"
    assert "DLPHYS_CACHE_DIR" in finding(report, "cache").fix


@pytest.mark.parametrize(("version", "status"), [((3, 10), "bad"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "bad")])
def test_the_versions_of_python_are_those_of_the_package(monkeypatch, version, status):
    """requires-python of pyproject.toml."""
    monkeypatch.setattr(sys, "version_info", (*version, 1))
    assert doctor._python().status == status


def test_little_memory_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor, "_memory_bytes", lambda: (2 * 2**30, 2**30))
    assert doctor._memory().status == "warn"
    monkeypatch.setattr(doctor, "_memory_bytes", lambda: (None, None))
    assert doctor._memory().value == "unknown"


def test_stale_notebooks_are_told(monkeypatch):
    """A source that was never built."""
    pytest.importorskip("jupytext")
    Path("notebooks/source").mkdir(parents=True)
    assert finding(doctor.examine(keras=False), "notebooks").value == "current"
    Path("notebooks/source/ch08_x.py").write_text("# %%\n1\n")
    assert finding(doctor.examine(keras=False), "notebooks").status == "warn"


def test_a_students_key_is_not_copied(monkeypatch):
    """The report is made to be pasted into a forum."""
    monkeypatch.setenv("DLPHYS_STUDENT", "secret-key")
    text = str(doctor.examine(keras=False))
    assert "DLPHYS_STUDENT=(set)" in text
    assert "secret-key" not in text
