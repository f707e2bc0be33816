"""Every public function refuses wrong input with an error that names it (DESIGN section 2)."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import dlphys

CASES = [
    (path.stem, *case)
    for path in sorted((Path(__file__).parent / "bad_input").glob("*.py"))
    for case in importlib.import_module(f"bad_input.{path.stem}").CASES
]
APART = ("dlphys.checks.ch", "dlphys.cli")  # chapters' checks and the command line have tests of their own


def public_modules():
    for module in pkgutil.walk_packages(dlphys.__path__, "dlphys."):
        hidden = any(part.startswith("_") for part in module.name.split("."))
        if not hidden and not module.name.startswith(APART):
            yield module.name


def public_functions():
    """(module, function) for every function that a public module lists."""
    seen = set()
    for name in public_modules():
        module = importlib.import_module(name)
        for entry in getattr(module, "__all__", ()):
            value = getattr(module, entry, None)  # a package may list modules that load when asked for
            if inspect.isfunction(value) and value not in seen and inspect.signature(value).parameters:
                seen.add(value)
                yield f"{value.__module__}.{value.__qualname__}", value


@pytest.mark.parametrize(("where", "function", "arguments", "keywords", "error", "message"), CASES)
def test_wrong_input_is_refused_by_name(where, function, arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        function(*arguments, **keywords)


@pytest.mark.parametrize(
    ("name", "function"), list(public_functions()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_public_function_has_a_case(name, function):
    tried = {inspect.unwrap(case[1]) for case in CASES if inspect.isfunction(case[1])}
    lambdas = "\n".join(inspect.getsource(case[1]) for case in CASES if getattr(case[1], "__name__", "") == "<lambda>")
    assert function in tried or f"{function.__name__}(" in lambdas, f"no wrong input was tried on {name}"


@pytest.mark.parametrize("name", list(public_modules()))
def test_every_public_module_says_what_is_public(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert set(getattr(module, "__all__", ())) <= set(dir(module)), "listed, but not there"
