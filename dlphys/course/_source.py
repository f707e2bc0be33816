"""Reading a notebook source: one py:percent file becomes a header and a list of cells that know their lines.

jupytext does the parsing; what is added here is the place of each cell in the file, so that a message
about a cell can point at the line to edit, and the meaning of the few attributes that the course uses.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

try:
    import jupytext
except ImportError as error:  # part of the extra that instructors install
    raise ImportError("building notebooks needs jupytext: pip install 'dlphys[course]'") from error

SOURCES = Path("notebooks/source")
BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
TAGS = ("setup", "parameters", "instructor", "solution-only", "answer", "hide-input")
ATTRIBUTES = ("tags", "task", "points", "check", "covers")
JUPYTEXT_OWN = ("cell_marker", "lines_to_next_cell", "lines_to_end_of_cell_marker")


@dataclass(frozen=True)
class Problem:
    """One thing to repair in a source: the file (relative to the root), the line, and what to do."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class SourceError(ValueError):
    """The sources cannot be built; ``problems`` holds every reason with its file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def parsed(code: str) -> ast.Module:
    """The syntax tree of code that also compiles (a return outside a function parses, but does not)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # style of strings and comparisons is for the linter
        compile(code, "cell", "exec", dont_inherit=True)
        return ast.parse(code)


@dataclass(frozen=True)
class Cell:
    """A cell as it is written, with the line of the file on which its text begins."""

    kind: str  # "markdown", "code" or "raw"
    source: str
    attributes: dict[str, Any]
    line: int

    @property
    def lines(self) -> list[str]:
        return self.source.split("\n")

    @property
    def tags(self) -> tuple[str, ...]:
        tags = self.attributes.get("tags", [])
        return tuple(tags) if isinstance(tags, list) else ()

    @property
    def task(self) -> str | None:
        return self.attributes.get("task")

    @property
    def check(self) -> str | None:
        return self.attributes.get("check")

    @property
    def points(self) -> Any:
        return self.attributes.get("points")

    @property
    def covers(self) -> tuple[str, ...]:
        return tuple(str(self.attributes.get("covers", "")).split())

    @property
    def instructor_only(self) -> bool:
        return "instructor" in self.tags or "solution-only" in self.tags

    @cached_property
    def tree(self) -> ast.Module | None:
        """The parsed code; None for text and for code that is not valid Python."""
        if self.kind != "code":
            return None
        try:
            return parsed(self.source)
        except SyntaxError:
            return None

    def in_region(self) -> list[bool]:
        """For every line whether it belongs to a solution region (its two marker lines included)."""
        inside, flags = False, []
        for line in self.lines:
            if line.strip() == BEGIN:
                inside = True
            flags.append(inside)
            if line.strip() == END:
                inside = False
        return flags

    def definition(self) -> ast.FunctionDef | ast.ClassDef:
        """The function or class of a task cell."""
        assert self.tree is not None
        node = self.tree.body[0]
        assert isinstance(node, ast.FunctionDef | ast.ClassDef)
        return node


@dataclass(frozen=True)
class Source:
    """A notebook source: where it is, its header, its cells."""

    path: Path
    name: str  # below notebooks/source, without the suffix: "ch08_convolutional", "lectures/lec_jets"
    shown: str  # the path as messages name it
    metadata: dict[str, Any]
    header_line: int
    cells: tuple[Cell, ...]

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def header(self) -> Any:
        return self.metadata.get("dlphys")

    @property
    def tasks(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.task is not None]

    @property
    def points(self) -> int:
        """Of all tasks together."""
        return sum(cell.points or 0 for cell in self.tasks)

    def tagged(self, tag: str) -> list[Cell]:
        return [cell for cell in self.cells if tag in cell.tags]

    def problem(self, line: int, reason: str) -> Problem:
        return Problem(self.shown, line, reason)


def claims(cell: Cell) -> list[tuple[ast.Call, bool]]:
    """Every ``check.claim(...)`` of a cell, in order, with whether it is a statement of its own at top level."""
    return _calls(cell, lambda f: isinstance(f, ast.Attribute) and f.attr == "claim" and _is_name(f.value, "check"))


def check_calls(cell: Cell) -> list[tuple[ast.Call, bool]]:
    """Every ``check(...)`` of a cell, in order, with whether it is a statement of its own at top level."""
    return _calls(cell, lambda f: _is_name(f, "check"))


def first_literal(call: ast.Call) -> str | None:
    """The first argument of a call if it is a literal string."""
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        return call.args[0].value
    return None


def _calls(cell: Cell, wanted: Any) -> list[tuple[ast.Call, bool]]:
    if cell.tree is None:
        return []
    top = {id(node.value) for node in cell.tree.body if isinstance(node, ast.Expr)}
    found = [node for node in ast.walk(cell.tree) if isinstance(node, ast.Call) and wanted(node.func)]
    return [(call, id(call) in top) for call in sorted(found, key=lambda call: (call.lineno, call.col_offset))]


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def source_paths(root: Path) -> list[Path]:
    """All notebook sources of a checkout, in order."""
    if not (root / SOURCES).is_dir():
        raise SourceError([Problem(SOURCES.as_posix(), 1, f"there is no such folder in {root}: is it a checkout?")])
    return sorted((root / SOURCES).rglob("*.py"))


def named(root: Path, names: Iterable[str]) -> list[Path]:
    """The sources with these names or stems; a name without a source is a SourceError."""
    known = {path.stem: path for path in source_paths(root)}
    paths = []
    for name in names:
        stem = name.rsplit("/", 1)[-1].removesuffix(".py")
        if stem not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise SourceError(
                [Problem(f"{SOURCES.as_posix()}/{name}", 1, f"there is no such source; there are: {listed}")]
            )
        paths.append(known[stem])
    return paths


def read(root: Path, path: Path) -> Source:
    """Read one source; raises SourceError when the file is missing or is not text."""
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError([Problem(shown, 1, "there is no such file")]) from None
    except UnicodeDecodeError as error:
        raise SourceError([Problem(shown, 1, f"is not UTF-8 text: {error}")]) from None
    lines = text.split("\n")
    header_line = next((i for i, line in enumerate(lines, 1) if line.lstrip("# ").startswith("dlphys:")), 1)
    try:
        # comment_magics off: a comment such as "# cat filter" stays a comment and does not become a shell command
        notebook = jupytext.reads(text, {"extension": ".py", "format_name": "percent", "comment_magics": False})
    except Exception as error:  # jupytext lets the errors of its YAML reader through
        reason = f"this header cannot be read: {' '.join(str(error).split())}"
        raise SourceError([Problem(shown, header_line, reason)]) from None
    name = path.with_suffix("").relative_to(root / SOURCES).as_posix()
    return Source(path, name, shown, dict(notebook.metadata), header_line, tuple(_cells(notebook.cells, lines)))


def _cells(cells: Sequence[Any], lines: Sequence[str]) -> list[Cell]:
    """The cells with text, each with its place; comments before the first cell are for tools, not for readers."""
    first = next((i for i, line in enumerate(lines) if line.startswith("# %%")), len(lines))
    placed, cursor = [], 0
    for cell in cells:
        wanted = cell.source.split("\n")
        start = _find(lines, wanted, cursor)
        if cell.source.strip() and not (start < first and _only_comments(cell.source)):
            attributes = {key: value for key, value in cell.metadata.items() if key not in JUPYTEXT_OWN}
            placed.append(Cell(cell.cell_type, cell.source, attributes, start + 1))
        cursor = min(start + len(wanted), len(lines))
    return placed


def _find(lines: Sequence[str], wanted: Sequence[str], cursor: int) -> int:
    """Index of the first line of a cell's text; of the cell's header where the text is written in another form."""
    for i in range(cursor, len(lines) - len(wanted) + 1):
        if lines[i : i + len(wanted)] == wanted:
            return i
    return next((i for i in range(cursor, len(lines)) if lines[i].startswith("# %%")), cursor)


def _only_comments(source: str) -> bool:
    return all(
        not line.strip() or (line.startswith("#") and not line.startswith("# ---")) for line in source.split("\n")
    )
