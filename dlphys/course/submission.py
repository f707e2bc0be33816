"""Reads what a student handed in, as text: nothing of it is executed here.

A task is found by the name of its function or class, wherever it stands in the notebook. What it needs from the rest of
the notebook comes along, and nothing else: no demonstration, no training, no verdict.
"""

from __future__ import annotations

import ast
import builtins
import json
import symtable
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlphys._validation import shown

__all__ = ["Submission", "Unreadable", "read"]

LARGEST = 64 << 20  # bytes of a notebook file; one with many figures has a tenth
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
    problems: tuple[str, ...] = field(default=())

    def code_for(self, names: Collection[str]) -> list[str]:
        """The statements that define the names, and what these need, in the order of the notebook.

        A name that a function or class defines is that one, the last of several, wherever an empty copy of the task
        stands or a demonstration uses the name for something else.
        """
        wanted, chosen = set(names), set[int]()
        while True:
            found = {number for name in wanted for number in self._binding(name)} - chosen
            if not found:
                return [self.statements[number].code for number in sorted(chosen)]
            chosen |= found
            wanted = set().union(*(self.statements[number].uses for number in found))

    def needs(self, name: str) -> set[str]:
        """All names that a name needs, directly or through others."""
        needed, new = set[str](), {name}
        while new:
            needed |= new
            new = set().union(*(self.statements[k].uses for n in new for k in self._binding(n))) - needed
        return needed - {name}

    def _binding(self, name: str) -> list[int]:
        every = [number for number, statement in enumerate(self.statements) if name in statement.binds]
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
    if not isinstance(path, str | Path):
        raise TypeError(f"path must be a path, got {shown(path)}")
    file = Path(path)
    if not file.is_file():
        raise Unreadable(f"there is no file {file.name}")
    if file.stat().st_size > LARGEST:
        raise Unreadable(f"the file is larger than {LARGEST >> 20} MiB: clear its outputs")
    try:
        notebook = json.loads(file.read_bytes())
        cells = [_text(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable(f"the file is no notebook ({type(error).__name__})") from None
    statements: list[Statement] = []
    problems = []
    for number, cell in enumerate(cells, 1):
        try:
            statements += _statements(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            where = f"line {line}: " if line else ""
            problems.append(f"code cell {number} is no Python: {where}{getattr(error, 'msg', None) or error}")
    return Submission(_built_from(notebook), tuple(statements), tuple(problems))


def _text(source: Any) -> str:
    """A cell's text, which the format allows to be a string or a list of lines."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    if not isinstance(source, str):
        raise TypeError("a cell has no text")
    return source


def _built_from(notebook: Any) -> str:
    try:
        return str(notebook["metadata"]["dlphys"]["source"])
    except (KeyError, TypeError):
        return ""


def _statements(cell: str) -> Iterator[Statement]:
    """The statements of a cell, without those that speak to the checks, and without the notebook's magic lines."""
    lines = ["pass" if line.startswith(("%", "!")) else line for line in cell.splitlines()]
    if cell.lstrip().startswith("%%"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # style is the linter's business
        tree = ast.parse("\n".join(lines))
    for node in tree.body:
        code, binds = ast.unparse(node), _bound(node)
        uses = _used(symtable.symtable(code, "cell", "exec")) - set(dir(builtins))
        if binds and not uses & CHECKS:
            yield Statement(code, frozenset(binds), frozenset(uses), _defines(node))


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement at the top level defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names} - CHECKS
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}


def _used(scope: symtable.SymbolTable) -> set[str]:
    """The names that a piece of code takes from the top level."""
    top = scope.get_type() == "module"
    here = {
        symbol.get_name() for symbol in scope.get_symbols() if symbol.is_referenced() and (top or symbol.is_global())
    }
    return here.union(*map(_used, scope.get_children()))


def _defines(node: ast.stmt) -> bool:
    """A function or class in which no NotImplementedError is raised: not the release's empty one, not half done."""
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not any(
        isinstance(item, ast.Raise) and "NotImplementedError" in ast.unparse(item) for item in ast.walk(node)
    )
