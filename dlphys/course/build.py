"""Builds the notebooks of students and instructors, and the references of the checks, from the notebook sources.

| built                                     | from                                  |
|-------------------------------------------|---------------------------------------|
| notebooks/student/<name>.ipynb            | the source, its solutions cut out     |
| notebooks/solution/<name>.ipynb           | the source, with the expected verdicts|
| dlphys/checks/references/<stem>.dat       | the solution regions of the source    |

One pass, in memory, then written: a source with a problem leaves every product as it was. The same sources
always give the same bytes. ``python -m dlphys.course.build`` builds the checkout it stands in.
"""

from __future__ import annotations

import argparse
import ast
import base64
import binascii
import hashlib
import json
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import nbformat

from dlphys import __version__
from dlphys._validation import check_choice, shown
from dlphys.course import leaks
from dlphys.course._rules import solved, start_call, stub, validate
from dlphys.course._source import (
    SOURCES,
    Cell,
    Problem,
    Source,
    SourceError,
    check_calls,
    claims,
    first_literal,
    named,
    read,
    source_paths,
)
from dlphys.course.coverage import checked_root, table

__all__ = ["SourceError", "build", "encode_references", "release"]

STUDENT = Path("notebooks/student")
SOLUTION = Path("notebooks/solution")
REFERENCES = Path("dlphys/checks/references")
CHECKS = Path("dlphys/checks")
ANSWER = "*Your answer, in a few sentences:*"
# Colab has the large packages, with drivers that fit; --no-deps leaves them alone.
COLAB = """\
# Google Colab: installs the course, once a session. Elsewhere this cell does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", {address!r}], check=True)
    subprocess.run([*pip, "anywidget", "numba", "pooch", "typer"], check=True)"""
SHIPPED = (
    "pyproject.toml",
    "LICENSE",
    "LICENSE-TEXT",
    "requirements",
    "data",
)  # beside dlphys/ in a release, where there


def build(root: str | Path, *, check: bool = False, only: str | Sequence[str] | None = None) -> list[Path]:
    """Build all notebooks and references of a checkout.

    Parameters
    ----------
    root : path
        The checkout, with ``notebooks/source``.
    check : bool
        Write nothing; return what a build would write or remove.
    only : str or list of str, optional
        Stems of the sources to build, such as "ch08_convolutional". The other sources may then be broken,
        and nothing is removed.

    Returns
    -------
    list of Path
        Products that were written or removed (with ``check``: that are stale), relative to ``root``.

    Raises
    ------
    TypeError, ValueError
        If ``root`` is not a folder.
    SourceError
        With every problem of the sources, each with file and line; nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "notebooks/source").mkdir(parents=True)
    ...     build(folder)
    []
    """
    folder = checked_root(root)
    if not isinstance(check, bool):
        raise TypeError(f"check must be True or False, got {shown(check)}")
    sources = _sources(folder, only)
    changed = []
    for path, content in _products(sources).items():
        if not _same(folder / path, content):
            changed.append(path)
            if not check:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
    for path in _orphans(folder, sources) if only is None else []:
        changed.append(path)
        if not check:
            (folder / path).unlink()
    return changed


def release(
    root: str | Path, directory: str | Path, *, edition: str = "standard", colab: str | None = None
) -> list[Path]:
    """Make the folder that students get: notebooks, package, a page on how to begin.

    It is built from the sources, not from earlier products, and nothing leaves while the leak scan finds
    a line of a solution in it.

    Parameters
    ----------
    root : path
        The checkout.
    directory : path
        The folder to make; it must not exist yet, or be empty.
    edition : {"standard", "exam"}
        The standard edition holds the references and the checks, compressed as a spoiler guard. The exam edition
        holds no references, no hints and no known mistakes of the tasks.
    colab : str, optional
        Address of a wheel of this package, or ``git+https://...``, from which Google Colab can install it: then every
        notebook begins with a cell that does so there, and nothing elsewhere.

    Returns
    -------
    list of Path
        The files, relative to ``directory``.

    Raises
    ------
    TypeError, ValueError
        If ``root`` is not a folder, ``directory`` holds something, ``edition`` is unknown, or ``colab`` is no address.
    SourceError
        If the sources cannot be built, or a check module cannot be cut for the exam edition.
    LeakError
        If a solution line is found; ``directory`` is then not made.

    Examples
    --------
    >>> release(".", "exam", edition="easy")
    Traceback (most recent call last):
        ...
    ValueError: edition must be one of 'standard', 'exam', got 'easy'
    """
    folder = checked_root(root)
    check_choice(edition=edition, choices=("standard", "exam"))
    if not isinstance(directory, str | Path):
        raise TypeError(f"directory must be a path, got {shown(directory)} ({type(directory).__name__})")
    if colab is not None and not (isinstance(colab, str) and re.fullmatch(r"(git\+)?https://[!-~]+", colab)):
        raise ValueError(f"colab must be an address, https://... or git+https://..., got {shown(colab)}")
    target = Path(directory).resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"directory must be new or empty, got {str(directory)!r}, which holds something")
    sources = _sources(folder, None)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".release-") as scratch:
        made = Path(scratch) / "release"
        _fill(made, folder, sources, edition, colab)
        found = leaks.scan(folder, made)
        if found:
            raise leaks.LeakError(found)
        if target.exists():
            target.rmdir()
        made.rename(target)
    return sorted(path.relative_to(target) for path in target.rglob("*") if path.is_file())


def encode_references(payload: Mapping[str, Any]) -> bytes:
    """Compress the references of a chapter: JSON, zlib, base64. A guard against spoilers, not a secret.

    Parameters
    ----------
    payload : mapping
        ``{"stem", "version", "edition", "setup": [code], "parameters": code, "tasks": [{"id", "name",
        "kind", "points", "code", "stub"}]}``; in the exam edition "code" is None.

    Returns
    -------
    bytes
        Lines of ASCII.

    Raises
    ------
    TypeError
        If ``payload`` is not a mapping of things that JSON can hold.

    Examples
    --------
    >>> json.loads(zlib.decompress(base64.b64decode(encode_references({"stem": "ch08_convolutional"}))))
    {'stem': 'ch08_convolutional'}
    """
    if not isinstance(payload, Mapping):
        raise TypeError(f"payload must be a mapping, got {shown(payload)} ({type(payload).__name__})")
    try:
        document = json.dumps(dict(payload), sort_keys=True, ensure_ascii=False)
    except TypeError as error:
        raise TypeError(f"payload must hold only what JSON can: {error}") from None
    return base64.encodebytes(zlib.compress(document.encode(), 9))


def _sources(folder: Path, only: str | Sequence[str] | None) -> list[Source]:
    """The validated sources: all of them, or those named."""
    if only is None:
        paths = source_paths(folder)
    else:
        names = [only] if isinstance(only, str) else only
        if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
            raise TypeError(f"only must be the stem of a source or a list of stems, got {shown(only)}")
        paths = named(folder, names)
    sources: list[Source] = []
    unreadable: list[Problem] = []
    for path in paths:
        try:
            sources.append(read(folder, path))
        except SourceError as error:
            unreadable += error.problems
    try:
        validate(sources, table())
    except SourceError as error:
        raise SourceError([*unreadable, *error.problems]) from None
    if unreadable:
        raise SourceError(unreadable)
    return sources


def _products(sources: Iterable[Source]) -> dict[Path, bytes]:
    products = {}
    for source in sources:
        products[STUDENT / f"{source.name}.ipynb"] = _notebook(source, solution=False)
        products[SOLUTION / f"{source.name}.ipynb"] = _notebook(source, solution=True)
        products[REFERENCES / f"{source.stem}.dat"] = encode_references(_references(source, "standard"))
    return products


def _notebook(source: Source, *, solution: bool, colab: str | None = None) -> bytes:
    """One face of a source, as the bytes of a notebook file."""
    points = {cell.task: cell.points for cell in source.tasks}
    cells, counts = [], dict[str, int]()
    if colab is not None:
        content = COLAB.format(address=colab)
        folded = {"tags": ["colab"], "jupyter": {"source_hidden": True}}
        cells.append(nbformat.v4.new_code_cell(content, id=f"{digest('code', content)}-1", metadata=folded))
    for cell in source.cells:
        if cell.instructor_only and not solution:
            continue
        content = _content(cell, source, solution=solution)
        name = digest(cell.kind, content)
        counts[name] = counts.get(name, 0) + 1
        fields: dict[str, Any] = {"id": f"{name}-{counts[name]}", "metadata": _cell_metadata(cell, points)}
        if cell.kind == "markdown":
            cells.append(nbformat.v4.new_markdown_cell(content, **fields))
            continue
        verdicts = _verdicts(cell) if solution else ""
        if verdicts:
            outputs = [nbformat.v4.new_output("stream", name="stdout", text=verdicts)]
            fields |= {"outputs": outputs, "execution_count": 1}
        cells.append(nbformat.v4.new_code_cell(content, **fields))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "dlphys": {**source.header, "source": source.path.name, "version": __version__},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    return (nbformat.writes(notebook) + "\n").encode()


def digest(kind: str, text: str) -> str:
    """The id of a cell, without its number among cells of the same text: whoever edits the text no longer has it."""
    return hashlib.sha256(f"{kind}\n{text}".encode()).hexdigest()[:12]


def _content(cell: Cell, source: Source, *, solution: bool) -> str:
    if cell.task is not None:
        return solved(cell) if solution else stub(cell)
    if "answer" in cell.tags and not solution:
        return ANSWER
    call = start_call(cell)
    return cell.source if call is None else _built_for(cell, call)


def _built_for(cell: Cell, call: ast.Call) -> str:
    """The setup cell, telling the checks for which version of the package the notebook was built."""
    lines = cell.lines
    line = lines[call.lineno - 1].encode()  # ast counts columns in bytes
    end = (call.end_col_offset or len(line)) - 1
    lines[call.lineno - 1] = (line[:end] + f', built_for="{__version__}"'.encode() + line[end:]).decode()
    return "\n".join(lines)


def _cell_metadata(cell: Cell, points: Mapping[str | None, int]) -> dict[str, Any]:
    """nbgrader's words for tasks and checks; the course's own attributes under "dlphys"."""
    metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
    own: dict[str, Any] = {"covers": list(cell.covers)} if cell.covers else {}
    for role, id in (("task", cell.task), ("check", cell.check)):
        if id is not None:
            own |= {role: id, "points": points[id]}
            metadata["nbgrader"] = {
                "cell_type": "code",
                "grade": role == "check",
                "grade_id": f"{role}-{id.replace('.', '-')}",
                "locked": role == "check",
                "schema_version": 3,
                "solution": role == "task",
                "task": False,
            }
            if role == "check":
                metadata["nbgrader"]["points"] = points[id]
    return metadata | ({"dlphys": own} if own else {})


def _verdicts(cell: Cell) -> str:
    """The lines that the checks and claims of a cell must print, in order."""
    calls = [(call, "passed") for call, _ in check_calls(cell)] + [(call, "holds") for call, _ in claims(cell)]
    calls.sort(key=lambda pair: (pair[0].lineno, pair[0].col_offset))
    return "".join(f"{word}  {first_literal(call)}\n" for call, word in calls)


def _references(source: Source, edition: str) -> dict[str, Any]:
    """What the checks know of a chapter: enough to define every reference, without the notebook."""
    tasks = []
    for cell in source.tasks:
        node = cell.definition()
        tasks.append(
            {
                "id": cell.task,
                "name": node.name,
                "kind": "class" if isinstance(node, ast.ClassDef) else "function",
                "points": cell.points,
                "code": solved(cell) if edition == "standard" else None,
                "stub": stub(cell),
            }
        )
    return {
        "stem": source.stem,
        "version": __version__,
        "edition": edition,
        "setup": [cell.source for cell in source.tagged("setup")],
        "parameters": "\n".join(cell.source for cell in source.tagged("parameters")),
        "tasks": tasks,
    }


def _same(path: Path, content: bytes) -> bool:
    """Whether a product is current; references by what they say, since zlib's bytes differ between versions."""
    if not path.is_file():
        return False
    old = path.read_bytes()
    return old == content or (path.suffix == ".dat" and _decoded(old) == _decoded(content))


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(zlib.decompress(base64.b64decode(content)))
    except (binascii.Error, zlib.error, ValueError):
        return None


def _orphans(folder: Path, sources: Sequence[Source]) -> list[Path]:
    """Products whose source is gone. A notebook that a person saved beside them is not a product: its name tells."""
    names = {source.name for source in sources}
    stems = {source.stem for source in sources}
    orphans = [path for path in sorted((folder / REFERENCES).glob("*.dat")) if path.stem not in stems]
    for face in (STUDENT, SOLUTION):
        for path in sorted((folder / face).rglob("*.ipynb")):
            name = path.relative_to(folder / face).with_suffix("").as_posix()
            if name not in names and _built_from(path) == f"{path.stem}.py":
                orphans.append(path)
    return [path.relative_to(folder) for path in orphans]


def _built_from(path: Path) -> Any:
    """The source that a notebook file says it was built from."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"]["dlphys"]["source"]
    except (ValueError, KeyError, TypeError):
        return None


def _fill(made: Path, folder: Path, sources: Sequence[Source], edition: str, colab: str | None) -> None:
    """Write a release into an empty folder."""
    fill_package(made, folder, sources, edition)
    for source in sources:
        notebook = made / "notebooks" / f"{source.name}.ipynb"
        notebook.parent.mkdir(parents=True, exist_ok=True)
        notebook.write_bytes(_notebook(source, solution=False, colab=colab))
    (made / "README.md").write_text(_readme(sources, edition), encoding="utf-8")


def fill_package(made: Path, folder: Path, sources: Sequence[Source], edition: str) -> None:
    """Write the package that students install into an empty folder."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*.dat")
    shutil.copytree(folder / "dlphys", made / "dlphys", ignore=ignored)
    for name in SHIPPED:
        if (folder / name).is_dir():
            shutil.copytree(folder / name, made / name, ignore=ignored)
        elif (folder / name).is_file():
            shutil.copy(folder / name, made / name)
    for source in sources:
        references = made / REFERENCES / f"{source.stem}.dat"
        references.parent.mkdir(parents=True, exist_ok=True)
        references.write_bytes(encode_references(_references(source, edition)))
    for path in sorted((made / CHECKS).rglob("*.py")):
        if path.name.startswith(("ch", "lec_")):
            code = path.read_text(encoding="utf-8")
            shown_code = _guarded(code) if edition == "standard" else _without_help(code, path.relative_to(made))
            path.write_text(shown_code, encoding="utf-8")


GUARDED = '''\
"""Checks of a chapter, compressed like its references, so that no solution is read by accident."""

import base64
import zlib

exec(compile(zlib.decompress(base64.b64decode({code!r})), __file__, "exec"))
'''


def _guarded(code: str) -> str:
    """A check module that cannot be read in passing: what a check expects, and its last hint, are near the solution."""
    return GUARDED.format(code=base64.b64encode(zlib.compress(code.encode(), 9)).decode())


def _without_help(code: str, path: Path) -> str:
    """A check module without its hints and known mistakes: both would tell an examinee too much."""
    kept = code.encode().splitlines(keepends=True)
    body = ast.parse(code).body
    for node in body:
        if isinstance(node, ast.Assign) and all(_is_help(target) for target in node.targets):
            lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if any(other is not node and {other.lineno, other.end_lineno} & lines for other in body):
                raise SourceError([Problem(path.as_posix(), node.lineno, "hints and mistakes need lines of their own")])
            for number in lines:
                kept[number - 1] = b""
            continue
        for child in ast.walk(node):
            if _is_help(child):
                reason = "the exam edition cannot cut this: assign hints and mistakes in a statement at the top level"
                raise SourceError([Problem(path.as_posix(), child.lineno, reason)])
    return b"".join(kept).decode()


def _is_help(node: ast.AST) -> TypeGuard[ast.Attribute | ast.Constant]:
    """Whether a piece of code names the hints or the mistakes of a task."""
    name = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
    return name in ("hints", "mistakes")


def _readme(sources: Sequence[Source], edition: str) -> str:
    chapters = "\n".join(
        f"| [{source.header['title']}](notebooks/{source.name}.ipynb) | {source.header['minutes']} | {source.points} |"
        for source in sources
    )
    help_line = (
        '`check.hint("8.1a")` gives a hint, `check.catch_up("8.1a")` lets you go on without having solved the task.'
        if edition == "standard"
        else "This is the exam edition: it holds no hints and no references."
    )
    return f"""# Deep learning in physics: the notebooks

Install once, in this folder (Python 3.11 to 3.13), and begin:

```
python -m pip install .
jupyter lab notebooks
```

Each task is a function or class to write; the cell below it checks it and says what to look at. {help_line}

| Notebook | Minutes | Points |
|---|---|---|
{chapters}
"""


def _main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m dlphys.course.build", description="Build the notebooks from their sources."
    )
    parser.add_argument("--root", default=".", help="the checkout (default: here)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a product is stale")
    parser.add_argument("--only", action="append", metavar="STEM", help="build this source only (may be repeated)")
    arguments = parser.parse_args()
    try:
        changed = build(arguments.root, check=arguments.check, only=arguments.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path in changed:
        print(
            "stale" if arguments.check else "built" if (Path(arguments.root) / path).exists() else "removed",
            path.as_posix(),
        )
    if not changed:
        print(f"everything built from {SOURCES.as_posix()} is current")
    return int(arguments.check and bool(changed))


if __name__ == "__main__":
    sys.exit(_main())
