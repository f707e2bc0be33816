"""Does a folder meant for students hold a line of a solution?

A secret is a line of 12 or more characters from a solution region, a reference answer or a cell for
instructors that is written nowhere in the part of the sources that students see. It is looked for in every
text file: in notebooks within the decoded cells and outputs, elsewhere in the text itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course._source import BEGIN, END, Source, read, source_paths
from dlphys.course.coverage import checked_root

__all__ = ["Leak", "LeakError", "scan"]

SHORTEST = 12  # characters; shorter lines ("return a", ")") say nothing
NOTHING = re.compile(r"(return|yield) [A-Za-z_][A-Za-z0-9_]*")  # nor does "return model", which any code holds


@dataclass(frozen=True)
class Leak:
    """A solution line in a file for students: the file (relative to the folder), its line, the secret, its source."""

    path: str
    line: int
    secret: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: holds a solution line of {self.source}: {self.secret}"


class LeakError(ValueError):
    """A release would hold solution lines; ``leaks`` names them all."""

    def __init__(self, leaks: Iterable[Leak]) -> None:
        self.leaks = tuple(leaks)
        super().__init__("\n".join(str(leak) for leak in self.leaks))


def scan(root: str | Path, directory: str | Path) -> list[Leak]:
    """Look for solution lines in all text files of a folder.

    Parameters
    ----------
    root : path
        The checkout, whose ``notebooks/source`` holds the solutions.
    directory : path
        The folder to be given to students.

    Returns
    -------
    list of Leak
        By file and line; empty if nothing leaks.

    Raises
    ------
    TypeError, ValueError
        If ``root`` or ``directory`` is not a folder.
    SourceError
        If a source cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "notebooks/source").mkdir(parents=True)
    ...     scan(folder, folder)
    []
    """
    folder = checked_root(root)
    if not isinstance(directory, str | Path):
        raise TypeError(f"directory must be a path, got {shown(directory)} ({type(directory).__name__})")
    if not Path(directory).is_dir():
        raise ValueError(f"directory must be an existing folder, got {str(directory)!r}")
    secrets = _secrets(read(folder, path) for path in source_paths(folder))
    leaks = []
    for path in sorted(Path(directory).rglob("*")):
        text = _text(path)
        if text is not None:
            leaks += [
                Leak(path.relative_to(directory).as_posix(), line, secret, secrets[secret])
                for line, secret in sorted(_found(text, path.suffix, secrets))
            ]
    return leaks


def _secrets(sources: Iterable[Source]) -> dict[str, str]:
    """Every secret line, with the place where it is written."""
    secrets: dict[str, str] = {}
    visible: list[str] = []
    for source in sources:
        visible.append(json.dumps(source.header, ensure_ascii=False))
        for cell in source.cells:
            concealed = cell.instructor_only or "answer" in cell.tags
            for number, (line, inside) in enumerate(zip(cell.lines, cell.in_region(), strict=True), cell.line):
                if not concealed and not inside:
                    visible.append(line)
                elif len(line.strip()) >= SHORTEST and line.strip() not in (BEGIN, END):
                    secrets.setdefault(line.strip(), f"{source.shown}:{number}")
    seen = "\n".join(visible)
    return {secret: place for secret, place in secrets.items() if secret not in seen and not NOTHING.fullmatch(secret)}


def _text(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:  # pictures, arrays
        return None


def _found(text: str, suffix: str, secrets: Iterable[str]) -> set[tuple[int, str]]:
    """(line, secret) for every secret in a text; JSON is searched decoded as well, where no character is escaped."""
    found = set(_lines_with(text, secrets))
    if suffix in (".ipynb", ".json"):
        try:
            strings = "\n".join(_strings(json.loads(text)))
        except ValueError:
            return found
        known = {secret for _, secret in found}
        for _, secret in _lines_with(strings, [secret for secret in secrets if secret not in known]):
            escaped = re.escape(json.dumps(secret, ensure_ascii=False)[1:-1])
            match = re.search(escaped, text)
            found.add((text.count("\n", 0, match.start()) + 1 if match else 1, secret))
    return found


def _lines_with(text: str, secrets: Iterable[str]) -> Iterator[tuple[int, str]]:
    for secret in secrets:
        start = text.find(secret)
        while start >= 0:
            yield text.count("\n", 0, start) + 1, secret
            start = text.find(secret, start + len(secret))


def _strings(node: Any) -> Iterator[str]:
    """All texts in a JSON document; a list of strings is one text, as notebooks split theirs."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list) and node and all(isinstance(item, str) for item in node):
        yield "".join(node)
    elif isinstance(node, list | dict):
        for item in node.values() if isinstance(node, dict) else node:
            yield from _strings(item)
