"""What a notebook source must keep to, so that what is built from it can be trusted.

Each rule is a generator of problems; `validate` collects them all, so that an author sees every line to
repair at once. A rule that needs parsed code passes over cells that do not parse: those have been
reported already.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlphys.course._source import (
    ATTRIBUTES,
    BEGIN,
    END,
    TAGS,
    Cell,
    Problem,
    Source,
    SourceError,
    check_calls,
    claims,
    first_literal,
    parsed,
)

TASK_ID = re.compile(r"[A-Z]?[0-9]+\.[0-9]+[a-z]?")
CLAIMED_KINDS = ("example", "method", "lecture")
# "begin" or "end" next to "solution", however it is spelt or joined
NEARLY_A_MARKER = re.compile(r"#.*?(?:\b(?:begin|end)[\W_]*solut|\bsolut\w*?[\W_]*(?:begin|end)\b)", re.IGNORECASE)
KINDS = {"task": "code", "check": "code", "setup": "code", "parameters": "code", "answer": "markdown"}
LONGEST = 90  # minutes of a student's time in one file
MODULE_NAMES = {"__name__", "__doc__", "__file__", "__builtins__"}


def validate(sources: Sequence[Source], table: Mapping[str, Any]) -> None:
    """Raise SourceError with every problem of the sources; ``table`` maps each coverage id to its row."""
    problems: list[Problem] = []
    for source in sources:
        for rule in (header, attributes, python, markers, setup, parameters, tasks, checks, free_names):
            problems.extend(rule(source))
        problems.extend(coverage(source, table))
    problems.extend(unique(sources))
    if problems:
        raise SourceError(sorted(set(problems), key=lambda problem: (problem.path, problem.line)))


def header(source: Source) -> Iterator[Problem]:
    """The header says what the notebook is; every key has its type."""
    line, given = source.header_line, source.header
    if not isinstance(given, dict):
        yield source.problem(
            line,
            "there is no header that can be read: the file begins with '# ---', '# jupyter:', '#   dlphys: {chapter: "
            "..., title: ..., level: ..., minutes: ..., sections: ..., data: [...]}', '# ---'",
        )
        return
    wanted: dict[str, tuple[str, Any]] = {
        "chapter": ("a whole number from 1 to 21", lambda v: _whole(v, 21)),
        "title": ("text", _text),
        "level": ("1, 2 or 3", lambda v: _whole(v, 3)),
        "minutes": (f"a whole number from 1 to {LONGEST}", lambda v: _whole(v, LONGEST)),
        "sections": ('text in quotes, such as "8.1-8.7"', _text),
        "data": ("a list of names, such as [ising]", lambda v: isinstance(v, list) and all(map(_text, v))),
    }
    optional: dict[str, tuple[str, Any]] = {
        "fast": ("a mapping such as {EPOCHS: 1}", lambda v: isinstance(v, dict) and all(map(_text, v))),
        "objectives": ("text or a list of texts", lambda v: _text(v) or (isinstance(v, list) and all(map(_text, v)))),
    }
    if source.stem.startswith("lec_"):
        optional["chapter"] = wanted.pop("chapter")
    for key, (kind, right) in (wanted | optional).items():
        if key not in given:
            if key in wanted:
                yield source.problem(line, f"the header has no {key!r}: {kind}")
        elif not right(given[key]):
            yield source.problem(line, f"{key!r} in the header must be {kind}, got {given[key]!r}")
    for key in given.keys() - wanted.keys() - optional.keys():
        yield source.problem(line, f"the header has an unknown key {key!r}; known: {', '.join([*wanted, *optional])}")
    numbered = re.match(r"ch([0-9]{2})_", source.stem)
    if numbered is None and not source.stem.startswith("lec_"):
        yield source.problem(1, f"the file name must begin with chNN_ or lec_, got {source.path.name!r}")
    if numbered and _whole(given.get("chapter"), 21) and given["chapter"] != int(numbered[1]):
        yield source.problem(line, f"the header says chapter {given['chapter']}, the file name {int(numbered[1])}")


def _whole(value: Any, maximum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= maximum


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def attributes(source: Source) -> Iterator[Problem]:
    """Attributes are spelt right, have their types, and give a cell one role."""
    for cell in source.cells:
        given = cell.attributes
        if cell.kind == "raw":
            yield source.problem(cell.line, "raw cells are not used: is this a header whose YAML cannot be read?")
            continue
        for key in given.keys() - set(ATTRIBUTES):
            yield source.problem(cell.line, f"unknown attribute {key!r} on a cell; known: {', '.join(ATTRIBUTES)}")
        tags = given.get("tags", [])
        if not isinstance(tags, list) or any(tag not in TAGS for tag in tags):
            yield source.problem(cell.line, f"tags must be a list of {', '.join(TAGS)}, got {tags!r}")
        for key in ("task", "check", "covers"):
            if key in given and not isinstance(given[key], str):
                yield source.problem(cell.line, f"{key} must be text in quotes, got {given[key]!r}")
        for key in ("task", "check"):
            if isinstance(given.get(key), str) and not TASK_ID.fullmatch(given[key]):
                yield source.problem(cell.line, f"{key} must look like '8.1a' or 'X8.2a', got {given[key]!r}")
        if cell.task is not None and not _whole(cell.points, 100):
            yield source.problem(cell.line, f"task {cell.task} needs points, a whole number from 1 to 100")
        if cell.task is None and "points" in given:
            yield source.problem(cell.line, "points belong on a task cell")
        roles: list[str] = [key for key in ("task", "check") if key in given]
        roles += [tag for tag in cell.tags if tag in ("setup", "parameters", "answer", "instructor", "solution-only")]
        if len(roles) > 1:
            yield source.problem(cell.line, f"a cell has one role, this one has {len(roles)}: {', '.join(roles)}")
        for role in roles:
            if cell.kind != KINDS.get(role, cell.kind):
                yield source.problem(cell.line, f"a cell with the role {role!r} must be a {KINDS[role]} cell")


def python(source: Source) -> Iterator[Problem]:
    """Every code cell is plain Python: sources are linted, imported from and run without IPython."""
    for cell in source.cells:
        if cell.kind == "code":
            try:
                parsed(cell.source)
            except SyntaxError as error:
                line = cell.line + (error.lineno or 1) - 1
                yield source.problem(
                    line, f"this is not valid Python: {error.msg} (magics and shell lines are not used)"
                )


def markers(source: Source) -> Iterator[Problem]:
    """Each task cell holds exactly one region, between two exactly spelt markers; no other cell has any."""
    for cell in source.cells:
        opened, regions = None, 0
        for number, text in enumerate(cell.lines, cell.line):
            line = text.strip()
            if line == BEGIN:
                if opened is not None:
                    yield source.problem(
                        number, f"a region inside a region: the one of line {opened} has no '{END}' yet"
                    )
                opened, regions = number, regions + 1
            elif line == END:
                if opened is None:
                    yield source.problem(number, f"'{END}' without '{BEGIN}' above it")
                opened = None
            elif cell.kind == "code" and line.startswith("###"):
                yield source.problem(
                    number, f"a line that begins with ### must be exactly '{BEGIN}' or '{END}', got {line!r}"
                )
            elif NEARLY_A_MARKER.search(text):
                yield source.problem(
                    number, f"this looks like a marker; write exactly '{BEGIN}' or '{END}', got {line!r}"
                )
        if opened is not None:
            yield source.problem(opened, f"'{BEGIN}' without '{END}' below it in the same cell")
        if regions and cell.task is None:
            yield source.problem(cell.line, 'a solution region outside a task cell: only cells with task="..." are cut')
        if cell.task is not None and regions != 1:
            yield source.problem(
                cell.line, f"task {cell.task} must hold exactly one solution region, it holds {regions}"
            )


def setup(source: Source) -> Iterator[Problem]:
    """One setup cell starts the checks, before the first task."""
    cells = source.tagged("setup")
    if not cells:
        yield source.problem(
            source.header_line,
            f'there is no setup cell: # %% tags=["setup"] with the imports and check = checks.start("{source.stem}")',
        )
        return
    wanted = f'check = checks.start("{source.stem}")'
    calls = [(cell, start_call(cell)) for cell in source.cells if start_call(cell) is not None]
    if len(calls) != 1 or "setup" not in calls[0][0].tags:
        line = calls[1][0].line if len(calls) > 1 else cells[0].line
        yield source.problem(line, f"{wanted} must stand once, in the setup cell, it stands {len(calls)} times")
        return
    cell, call = calls[0]
    assert call is not None
    one_line = call.lineno == call.end_lineno
    if first_literal(call) != source.stem or len(call.args) != 1 or call.keywords or not one_line:
        yield source.problem(cell.line + call.lineno - 1, f"write {wanted}, the stem of this file, on one line")
    first_task = min((task.line for task in source.tasks), default=None)
    for other in [*cells, *source.tagged("parameters")]:
        if first_task is not None and other.line > first_task:
            yield source.problem(other.line, f"setup and parameters stand before the first task (line {first_task})")


def start_call(cell: Cell) -> ast.Call | None:
    """The call in ``check = checks.start("ch08")``, a statement at the top level of a cell."""
    for node in cell.tree.body if cell.tree is not None else []:
        if (
            isinstance(node, ast.Assign)
            and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["check"]
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == "checks.start"
        ):
            return node.value
    return None


def parameters(source: Source) -> Iterator[Problem]:
    """One cell of UPPERCASE sizes; fast mode overrides only what is assigned there."""
    cells = source.tagged("parameters")
    for cell in cells[1:]:
        yield source.problem(
            cell.line, f"there is one parameters cell in a file, the first stands at line {cells[0].line}"
        )
    names = bound_names(cells[0]) if cells else set()
    for name in sorted(names):
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            line = cells[0].line + _line_of(cells[0], name) - 1
            yield source.problem(line, f"the parameters cell holds UPPERCASE sizes only, got {name!r}")
    fast = source.header.get("fast") if isinstance(source.header, dict) else None
    for name in sorted(map(str, fast)) if isinstance(fast, dict) else []:
        if name not in names:
            where = (
                f"the parameters cell assigns {', '.join(sorted(names))}" if names else "there is no parameters cell"
            )
            yield source.problem(source.header_line, f"fast: overrides {name!r}, which is not assigned: {where}")


def tasks(source: Source) -> Iterator[Problem]:
    """A task is one function or class, and what is left to the student can be defined without error."""
    for cell in source.tasks:
        if cell.tree is None:
            continue
        body = cell.tree.body
        if len(body) != 1 or not isinstance(body[0], ast.FunctionDef | ast.ClassDef):
            kinds = ", ".join(type(node).__name__ for node in body) or "nothing"
            yield source.problem(
                cell.line,
                f"task {cell.task} must define exactly one function or class and nothing else, it holds: {kinds}",
            )
            continue
        try:
            left = ast.parse(stub(cell))
        except SyntaxError as error:
            yield source.problem(cell.line, f"without its solution task {cell.task} is not valid Python: {error.msg}")
            continue
        if _stubs(left) and not any(_stubs(node) for node in ast.walk(left) if isinstance(node, ast.FunctionDef)):
            yield source.problem(
                cell.line,
                f"the region of task {cell.task} must stand inside a function or method: its stub could not be defined",
            )


def _stubs(tree: ast.AST) -> bool:
    """Whether a piece of code contains the stub of a task."""
    raised = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    return any(text.startswith("raise NotImplementedError('task ") for text in raised)


def stub(cell: Cell) -> str:
    """What is left of a task for the student: the region becomes one raise, at its own indentation."""
    lines = []
    for line, inside in zip(cell.lines, cell.in_region(), strict=True):
        if not inside:
            lines.append(line)
        elif line.strip() == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f'{indent}raise NotImplementedError("task {cell.task}")')
    return "\n".join(lines)


def solved(cell: Cell) -> str:
    """The cell with its solution, without the two marker lines."""
    return "\n".join(line for line in cell.lines if line.strip() not in (BEGIN, END))


def checks(source: Source) -> Iterator[Problem]:
    """Every task has one check cell below it, which checks that task's object; nothing else calls check()."""
    tasks = {cell.task: cell for cell in source.tasks}
    seen: dict[str, Cell] = {}
    for cell in source.cells:
        calls = check_calls(cell)
        if cell.check is None:
            for call, _ in calls:
                yield source.problem(
                    cell.line + call.lineno - 1,
                    f'check(...) is called in a cell that is no check cell: add check="{first_literal(call)}"',
                )
            continue
        if cell.check in seen:
            yield source.problem(
                cell.line, f"task {cell.check} has a check cell already, at line {seen[cell.check].line}"
            )
        seen[cell.check] = cell
        task = tasks.get(cell.check)
        if task is None:
            yield source.problem(cell.line, f"check {cell.check} has no task in this file")
        elif task.line > cell.line:
            yield source.problem(cell.line, f"check {cell.check} must stand below its task (line {task.line})")
        if cell.tree is None:
            continue
        if not calls:
            yield source.problem(cell.line, f'the check cell of {cell.check} must call check("{cell.check}", ...)')
        for call, top in calls:
            line = cell.line + call.lineno - 1
            if first_literal(call) != cell.check or not top:
                yield source.problem(
                    line,
                    f'the check cell of {cell.check} must call check("{cell.check}", ...) as a statement of its own',
                )
            elif task is not None and _defines(task) not in (None, _second_name(call)):
                yield source.problem(
                    line, f"check {cell.check} must be given {_defines(task)}, the object that its task defines"
                )
    for cell in source.tasks:
        if cell.task not in seen:
            yield source.problem(cell.line, f'task {cell.task} has no check: # %% check="{cell.task}" below it')


def _defines(cell: Cell) -> str | None:
    if cell.tree is None or len(cell.tree.body) != 1:
        return None
    return getattr(cell.tree.body[0], "name", None)


def _second_name(call: ast.Call) -> str | None:
    return call.args[1].id if len(call.args) > 1 and isinstance(call.args[1], ast.Name) else None


def free_names(source: Source) -> Iterator[Problem]:
    """A task uses nothing but builtins, the setup and parameters cells, and earlier tasks.

    References are loaded without starting the checks, so nothing may come from ``check`` either.
    """
    known = set(dir(builtins)) | MODULE_NAMES
    setup_names: set[str] = set()
    for cell in source.tagged("setup"):
        setup_names |= bound_names(cell)
        known |= _without_check(cell)
    for cell in [*source.tagged("parameters"), *source.tasks]:
        if cell.tree is None:
            continue
        defined = bound_names(cell)
        what = f"task {cell.task}" if cell.task is not None else "the parameters cell"
        for name in sorted(used_names(cell) - known - defined):
            why = "neither the setup or parameters cell nor earlier tasks define"
            if name in setup_names:
                why = "is not there where references are loaded, without checks.start: hand it over as an argument"
            yield source.problem(cell.line + _line_of(cell, name) - 1, f"{what} uses {name!r}, which {why}")
        known |= defined


def _without_check(cell: Cell) -> set[str]:
    """The names that a setup cell binds in statements that do not mention ``check``."""
    names: set[str] = set()
    for node in cell.tree.body if cell.tree is not None else []:
        if not any(isinstance(n, ast.Name) and n.id in ("check", "checks") for n in ast.walk(node)):
            names |= _bound(ast.unparse(node))
    return names


def bound_names(cell: Cell) -> set[str]:
    """The names that the top level of a cell binds: assignments, imports, definitions."""
    return set() if cell.tree is None else _bound(cell.source)


def _bound(code: str) -> set[str]:
    symbols = symtable.symtable(code, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def used_names(cell: Cell) -> set[str]:
    """The names that a cell takes from outside: read at its top level, or global in any of its functions."""
    names: set[str] = set()

    def visit(scope: symtable.SymbolTable) -> None:
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or scope.get_type() == "module"):
                names.add(symbol.get_name())
        for child in scope.get_children():
            visit(child)

    visit(symtable.symtable(cell.source, "cell", "exec"))
    return names


def _line_of(cell: Cell, name: str) -> int:
    """The line within a cell, from 1, on which a name first occurs."""
    assert cell.tree is not None
    found = [node.lineno for node in ast.walk(cell.tree) if isinstance(node, ast.Name) and node.id == name]
    found += [
        node.lineno for node in ast.walk(cell.tree) if getattr(node, "name", None) == name and hasattr(node, "lineno")
    ]
    return min(found, default=1)


def coverage(source: Source, table: Mapping[str, Any]) -> Iterator[Problem]:
    """What a cell says it covers exists, and is shown: exercises by a task or an answer, the rest by a claim."""
    parents = {id.split("/")[0] for id in table if "/" in id}
    covered = {id for cell in source.cells for id in cell.covers}
    claimed: set[str] = set()
    for cell in source.cells:
        for call, top in claims(cell):
            line, id = cell.line + call.lineno - 1, first_literal(call)
            if id is None or not top:
                yield source.problem(
                    line,
                    'a claim is a statement of its own at the top level, with its id as text: check.claim("X8.2", ...)',
                )
            elif id not in covered:
                yield source.problem(
                    line,
                    f'check.claim("{id}", ...) claims what no cell of this file covers: add covers="{id}" to the cell',
                )
            else:
                claimed.add(id)
    for cell in source.cells:
        for id in cell.covers:
            if id not in table:
                yield source.problem(cell.line, f"covers {id!r}, which is not in the coverage table")
            elif id in parents:
                parts = ", ".join(other for other in table if other.startswith(f"{id}/"))
                yield source.problem(cell.line, f"covers {id!r}, which has parts: name the part ({parts})")
            elif table[id].kind in CLAIMED_KINDS:
                if id not in claimed:
                    wanted = f'check.claim("{id}", value, expected, ...)'
                    yield source.problem(cell.line, f"covers {table[id].kind} {id}, which needs {wanted} in this file")
            elif cell.task is None and "answer" not in cell.tags:
                yield source.problem(
                    cell.line,
                    f'covers exercise {id}, which needs a task (if it asks for words, a markdown cell tagged "answer")',
                )


def unique(sources: Sequence[Source]) -> Iterator[Problem]:
    """A stem and a task id are used once in the course, the name of a task's object once in a file."""
    seen: dict[str, str] = {}
    stems: dict[str, str] = {}
    for source in sources:
        if source.stem in stems:
            yield source.problem(1, f"another source has the same file name: {stems[source.stem]}")
        stems.setdefault(source.stem, source.shown)
        names: dict[str, int] = {}
        for cell in source.tasks:
            where = f"{source.shown}:{cell.line}"
            if cell.task in seen:
                yield source.problem(cell.line, f"task {cell.task} exists already, at {seen[str(cell.task)]}")
            seen.setdefault(str(cell.task), where)
            name = _defines(cell)
            if name in names:
                yield source.problem(
                    cell.line, f"{name!r} is already defined by the task at line {names[name]}: give it another name"
                )
            if name is not None:
                names.setdefault(name, cell.line)
