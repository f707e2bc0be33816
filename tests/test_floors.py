"""Who may import whom (DESIGN section 1), and what the first import costs."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import dlphys

PACKAGE = Path(dlphys.__file__).parent

# Each floor may import from the floors before it, and from itself.
FLOORS = [
    {"_validation", "_random", "_blocks", "_numba", "_keras", ""},
    {"simulators"},
    {"datasets"},
    {"metrics", "plotting", "autodiff"},
    {"layers"},
    {"explain"},
    {"playground"},  # its plain functions are what the checks of exercises 3.3 and 5.1 compare with
    {"checks"},
    {"course"},
    {"cli", "__main__"},
]
LIGHT = ("dlphys", "dlphys.simulators", "dlphys.datasets", "dlphys.metrics")
HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib")
BACKENDS = {"tensorflow", "jax", "torch"}


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


def imports(path: Path):
    """Full names of all modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names if node.module == "dlphys")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_from_a_higher_floor(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0].replace("__init__", "")
    for name in imports(path):
        if name == "dlphys" or name.startswith("dlphys."):
            part = [*name.split("."), ""][1]
            known = part if any(part in parts for parts in FLOORS) else ""
            assert floor_of(known) <= floor_of(own), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_autodiff_knows_the_backend(path):
    used = BACKENDS & {name.partition(".")[0] for name in imports(path)}
    assert not used or path.name == "autodiff.py", f"{path.name} imports {used}"


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_neither_keras_nor_matplotlib(module):
    code = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", code])))
    assert not loaded.intersection(HEAVY)


def test_importing_dlphys_costs_less_than_a_third_of_a_second():
    """CPU time of the import, without Python's own start; the median of five."""
    code = "import time; t = time.process_time(); import dlphys; print(time.process_time() - t)"
    times = sorted(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5))
    assert times[2] < 0.3
