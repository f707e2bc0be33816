"""What holds for all tests: no network, stand-in data, a cache of their own, and no skip that nobody sees."""

import importlib.util
import os
from pathlib import Path

import pytest

DATA = os.environ.get("DLPHYS_DATA_DIR")
os.environ.setdefault("DLPHYS_STAND_IN", "1")
os.environ.setdefault("DLPHYS_CACHE_DIR", str(Path(__file__).parents[1] / ".work" / "cache"))
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SKIPPED: list[str] = []


def pytest_configure(config):
    if DATA and not Path(DATA).is_dir():
        raise pytest.UsageError(f"DLPHYS_DATA_DIR is no folder: {DATA}")


def left_out():
    """Marked tests that do not run here, each with the reason."""
    yield from () if DATA else [("real_data", "DLPHYS_DATA_DIR is not set")]
    yield from () if os.environ.get("DLPHYS_SLURM") else [("slurm", "DLPHYS_SLURM is not set")]
    yield from () if importlib.util.find_spec("fastjet") else [("fastjet", "fastjet is not installed")]


def pytest_collection_modifyitems(config, items):
    """Tests that need what not everybody has are left out; lines at the end say which and why."""
    out = [item for item in items if any(item.get_closest_marker(name) for name, _ in left_out())]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def pytest_runtest_logreport(report):
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        SKIPPED.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session, exitstatus):
    if SKIPPED and os.environ.get("CI") and exitstatus == 0 and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    where = f"real data from {DATA}" if DATA else "no real data (DLPHYS_DATA_DIR is not set): stand-ins only"
    terminalreporter.write_line(f"data: {where}")
    for name, reason in (pair for pair in left_out() if pair[0] != "real_data"):
        terminalreporter.write_line(f"left out: tests marked {name} ({reason})")
    for line in SKIPPED:
        terminalreporter.write_line(f"skipped: {line}", red=bool(os.environ.get("CI")))
