"""Reads what a student handed in, as text: nothing of it is executed here.

A task is found by the name of its function or class, wherever it stands in the notebook. What it needs from the rest of
the notebook comes along, and nothing else: no demonstration, no training, no verdict.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import subprocess
import symtable
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from dlphys._validation import shown

__all__ = ["Submission", "Unreadable", "of_code", "read", "read_apart"]

LARGEST = 64 << 20  # bytes of a notebook file; one with many figures has a tenth
MOST_CODE = 1 << 20  # letters of all code cells together; the longest notebook of the course has a tenth
MOST_CELLS = 10_000
MOST_PROBLEMS = 20
READING: dict[str, Any] = {
    "wall": 60.0,
    "cpu": 30.0,
    "resident": 2048.0,
    "address_space": 8192.0,
    "output": 64.0,
}  # as sandbox.Limits
ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # NumPy is imported, and idle
CHECKS = {"check", "checks"}  # what belongs to the notebook's own feedback


class Unreadable(ValueError):
    """A file that is no notebook; the text says why."""


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell."""

    code: str
    binds: frozenset[str]
    uses: frozenset[str]
    defines: bool  # a function or class, and not an empty one of the release


@dataclass(frozen=True)
class Submission:
    """The code of a notebook.

    Attributes
    ----------
    source : str
        The source that the notebook says it was built from, such as "ch08_convolutional.py"; "" if it does not say.
    statements : tuple of Statement
        In the order of the notebook.
    problems : tuple of str
        Cells that are no Python, a sentence each.
    """

    source: str
    statements: tuple[Statement, ...] = ()
    problems: tuple[str, ...] = ()

    def code_for(self, names: Collection[str]) -> list[str]:
        """The statements that define the names, and what these need, in the order of the notebook.

        A name that a function or class defines is that one, the last of several, wherever an empty copy of the task
        stands or a demonstration uses the name for something else.
        """
        every = set(names).union(*map(self.needs, names))
        return [self.statements[number].code for number in sorted({k for name in every for k in self._binding(name)})]

    def defines(self, name: str) -> bool:
        """Whether there is code for a name, be it an empty one of the release."""
        return bool(self._binding(name))

    def needs(self, name: str) -> set[str]:
        """All names that a name needs, directly or through others."""
        needed, new = set[str](), {name}
        while new:
            needed |= new
            new = set().union(*(self.statements[k].uses for n in new for k in self._binding(n))) - needed
        return needed - {name}

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """Which statements bind a name."""
        numbers: dict[str, list[int]] = {}
        for number, statement in enumerate(self.statements):
            for name in statement.binds:
                numbers.setdefault(name, []).append(number)
        return numbers

    def _binding(self, name: str) -> list[int]:
        every = self._numbers.get(name, [])
        return [number for number in every if self.statements[number].defines] or every


def read(path: str | Path) -> Submission:
    """Read a notebook.

    Parameters
    ----------
    path : path

    Returns
    -------
    Submission

    Raises
    ------
    Unreadable
        If there is no such file, or it is no notebook, or larger than 64 MiB.
    TypeError
        If path is no path.

    Examples
    --------
    >>> read("no/such.ipynb")
    Traceback (most recent call last):
        ...
    dlphys.course.submission.Unreadable: there is no file such.ipynb
    """
    with opened(path) as file:
        return _read(file)


def read_apart(path: str | Path, *, walls: bool = True) -> Submission:
    """As `read`, in a process of its own: what breaks it, or takes for ever, does not break who asks.

    Parameters
    ----------
    path : path
    walls : bool
        False: without a sandbox around it, with its limits only.

    Raises
    ------
    Unreadable
        As `read`, and if the file cannot be read within 60 s and 2 GiB of memory.
    sandbox.Unavailable
        If no sandbox can be made here.
    """
    from dlphys.course import sandbox

    limits = sandbox.Limits(**READING)
    words = [sys.executable, "-m", __name__]
    with (
        opened(path) as file,
        sandbox.run(words, stdin=file, stdout=subprocess.PIPE, limits=limits, walls=walls, environment=ALONE) as reader,
    ):
        reader.wait()
        answer = reader.output
    try:
        content = json.loads(answer.rpartition("\n")[2])  # before it may stand what Python had to say
        statements = [Statement(code, frozenset(b), frozenset(u), d) for code, b, u, d in content["statements"]]
        reason = content["unreadable"]
        found = Submission(content["source"], tuple(statements), tuple(content["problems"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        what = f": {reader.reason}" if reader.reason else ""
        raise Unreadable(f"the file cannot be read, though it may be a notebook{what}") from None
    if reason:
        raise Unreadable(reason)
    return found


def _main() -> None:
    """Read standard input, and write what was found."""
    found, reason = Submission(""), ""
    try:
        found = _read(sys.stdin.buffer)
    except Unreadable as error:
        reason = str(error)
    statements = [[item.code, sorted(item.binds), sorted(item.uses), item.defines] for item in found.statements]
    content = {"source": found.source, "statements": statements, "problems": found.problems, "unreadable": reason}
    sys.stdout.write("\n" + json.dumps(content))


def opened(path: str | Path) -> IO[bytes]:
    """The file, if it is one of a possible size: no link, no pipe, no device."""
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be a path, got {shown(path)}")
    file = Path(path)
    if file.is_symlink() or not file.is_file():
        raise Unreadable(f"there is no file {file.name}")
    if file.stat().st_size > LARGEST:
        raise Unreadable(f"the file is larger than {LARGEST >> 20} MiB: clear its outputs")
    try:
        return os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
    except OSError as error:
        raise Unreadable(f"the file {file.name} cannot be opened ({type(error).__name__})") from None


def _read(file: IO[bytes]) -> Submission:
    try:
        notebook = json.loads(file.read(LARGEST + 1))
        cells = [_text(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise Unreadable(f"the file is no notebook ({type(error).__name__})") from None
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"the notebook has more than {MOST_CELLS} code cells")
    if sum(map(len, cells)) > MOST_CODE:
        raise Unreadable(f"the notebook has more than {MOST_CODE >> 20} MiB of code")
    statements: list[Statement] = []
    problems = []
    for number, cell in enumerate(cells, 1):
        try:
            statements += _statements(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            where = f"line {line}: " if line else ""
            problems.append(f"code cell {number} is no Python: {where}{getattr(error, 'msg', None) or error}"[:300])
    if len(problems) > MOST_PROBLEMS:
        problems[MOST_PROBLEMS:] = [f"and {len(problems) - MOST_PROBLEMS} more cells"]
    return Submission(_built_from(notebook), tuple(statements), tuple(problems))


def of_code(cells: Iterable[str]) -> tuple[Statement, ...]:
    """The statements of cells that are known to be Python.

    Parameters
    ----------
    cells : iterable of str

    Raises
    ------
    SyntaxError
        If one is no Python.

    Examples
    --------
    >>> [statement.code for statement in of_code(["import numpy as np, scipy", "N = 3"])]
    ['import numpy as np', 'import scipy', 'N = 3']
    """
    return tuple(statement for cell in cells for statement in _statements(cell))


def _text(source: Any) -> str:
    """A cell's text, which the format allows to be a string or a list of lines."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    if not isinstance(source, str):
        raise TypeError("a cell has no text")
    return source


def _built_from(notebook: Any) -> str:
    try:
        source = notebook["metadata"]["dlphys"]["source"]
    except (KeyError, TypeError):
        return ""
    return source[:200] if isinstance(source, str) else ""


def _statements(cell: str) -> Iterator[Statement]:
    """The statements of a cell, without those that speak to the checks, and without the notebook's magic lines."""
    lines = ["pass" if line.startswith(("%", "!")) else line for line in cell.splitlines()]
    if cell.lstrip().startswith("%%"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # style is the linter's business
        tree = ast.parse("\n".join(lines))
    for node in (part for whole in tree.body for part in _parts(whole)):
        code, binds = ast.unparse(node), _bound(node)
        uses = taken_names(symtable.symtable(code, "cell", "exec")) - set(dir(builtins))
        if binds and not uses & CHECKS:
            yield Statement(code, frozenset(binds), frozenset(uses), _defines(node))


def _parts(node: ast.stmt) -> list[ast.stmt]:
    """An import of several names as so many imports, of which each is needed or not."""
    if isinstance(node, ast.Import):
        return [ast.Import([alias]) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]
    return [node]


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement at the top level defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names} - CHECKS
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}


def taken_names(scope: symtable.SymbolTable) -> set[str]:
    """The names that a piece of code takes from the top level."""
    top = scope.get_type() == "module"
    here = {
        symbol.get_name() for symbol in scope.get_symbols() if symbol.is_referenced() and (top or symbol.is_global())
    }
    return here.union(*map(taken_names, scope.get_children()))


def _defines(node: ast.stmt) -> bool:
    """A function or class in which no NotImplementedError is raised: not the release's empty one, not half done."""
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not any(
        isinstance(item, ast.Raise) and "NotImplementedError" in ast.unparse(item) for item in ast.walk(node)
    )


if __name__ == "__main__":
    _main()
