"""The reference solutions, which the build cuts out of the notebooks' sources.

Each chapter has one file ``<stem>.dat``: compressed, so that a solution is not read by accident, and
without code in the exam edition. Nothing here is edited by hand (`dlphys build` writes it).
"""

from __future__ import annotations

import ast
import base64
import functools
import json
import linecache
import zlib
from importlib import resources
from typing import Any

NO_REFERENCES = "this is the exam edition: it has no references (task {id})"


@functools.cache
def stems() -> tuple[str, ...]:
    """File stems of all chapters that have tasks."""
    files = resources.files(__package__).iterdir()
    return tuple(sorted(file.name.removesuffix(".dat") for file in files if file.name.endswith(".dat")))


@functools.cache
def payload(stem: str) -> dict[str, Any]:
    """What the build stored for one source file: setup, parameters and tasks, in order."""
    data = resources.files(__package__).joinpath(f"{stem}.dat").read_bytes()
    return dict(json.loads(zlib.decompress(base64.b64decode(data))))


@functools.cache
def _index() -> dict[str, tuple[str, int]]:
    return {task["id"]: (stem, n) for stem in stems() for n, task in enumerate(payload(stem)["tasks"])}


def known(stem: str) -> list[dict[str, Any]]:
    """Tasks of one chapter: id, name, kind, points and stub (and code, but for the exam edition)."""
    return list(payload(stem)["tasks"]) if stem in stems() else []


def _entry(id: str) -> tuple[str, int]:
    if id not in _index():
        raise ValueError(f"there is no task {id!r}; known: {', '.join(sorted(_index())) or 'none (run dlphys build)'}")
    return _index()[id]


def is_known(id: str) -> bool:
    """Whether there is such a task."""
    return id in _index()


def stem_of(id: str) -> str:
    """File stem of the chapter that has a task."""
    return _entry(id)[0]


def entry(id: str) -> dict[str, Any]:
    """What is stored of one task."""
    stem, number = _entry(id)
    return dict(payload(stem)["tasks"][number])


def signature(id: str) -> tuple[str, ...] | None:
    """Parameter names of the task's function, read from its stub; None for a class without __init__."""
    task = entry(id)
    for node in ast.parse(task["stub"]).body:
        if isinstance(node, ast.FunctionDef) and node.name == task["name"]:
            return tuple(argument.arg for argument in _arguments(node))
        if isinstance(node, ast.ClassDef) and node.name == task["name"]:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    return tuple(argument.arg for argument in _arguments(item))[1:]
    return None


def _arguments(node: ast.FunctionDef) -> list[ast.arg]:
    every = node.args
    starred = [every.vararg] if every.vararg else []
    named = [every.kwarg] if every.kwarg else []
    return [*every.posonlyargs, *every.args, *starred, *every.kwonlyargs, *named]


def stub(id: str) -> Any:
    """The function or class as the student's copy has it, which raises NotImplementedError when used."""
    stem, number = _entry(id)
    space = _space(stem, number)
    task = payload(stem)["tasks"][number]
    _run(task["stub"], f"<stub of task {id}>", space)
    return space[task["name"]]


def load(id: str) -> Any:
    """The reference function or class of a task."""
    stem, number = _entry(id)
    task = payload(stem)["tasks"][number]
    if not task.get("code"):
        raise NotImplementedError(NO_REFERENCES.format(id=id))
    return _space(stem, number + 1)[task["name"]]


_SPACES: dict[str, list[dict[str, Any]]] = {}


def _space(stem: str, number: int) -> dict[str, Any]:
    """Setup, parameters and the first ``number`` references of a chapter, executed once and kept."""
    content = payload(stem)
    spaces = _SPACES.setdefault(stem, [])
    if not spaces:
        space: dict[str, Any] = {"__name__": f"reference_{stem}"}
        for code in content["setup"]:
            _run(_without_start(code), f"<setup of {stem}>", space)
        _run(content["parameters"], f"<parameters of {stem}>", space)
        spaces.append(space)
    while len(spaces) <= number:
        task = content["tasks"][len(spaces) - 1]
        space = dict(spaces[-1])
        if task.get("code"):
            _run(task["code"], f"<reference of task {task['id']}>", space)
        spaces.append(space)
    return dict(spaces[number])


def _without_start(code: str) -> str:
    """The setup cell without the statements that use ``check``: loading a reference starts and seeds nothing."""
    tree = ast.parse(code)
    tree.body = [
        node
        for node in tree.body
        if not any(isinstance(item, ast.Name) and item.id in ("check", "checks") for item in ast.walk(node))
    ]
    return ast.unparse(tree)


def _run(code: str, filename: str, space: dict[str, Any]) -> None:
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    exec(compile(code, filename, "exec"), space)
