"""Cuts single exercises out of a notebook source, so that what is left still runs from its first cell to its last.

A section ("## ...") belongs to an exercise if its heading names it ("Exercise 8.1"), or if it holds one of its tasks
or a cell that says it covers the exercise. Where a section holds tasks of several exercises, its subsections
("### ...") are chosen in the same way.

The code that is kept uses names of code that is not. For each, the last statement above that binds it is taken along,
with the statements between that change the object (train a network, fill a list), and what these need in turn. The
rules of the build make this work for tasks: a task uses nothing but the setup and parameters cells and earlier tasks,
so a task that is needed and not asked is one line, ``name = check.catch_up("8.1a")``, where the student would have
written it or caught up on it. The exam edition has no references, so there such a task has to be asked as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from dlphys.course._names import bound, changed_names, changing_functions, taken
from dlphys.course._source import Cell, Source, SourceError

NEEDED = "### From another part of the chapter\n\nThe cells below use these lines."
LENT = re.compile(r'check\.catch_up\("([^"]+)"\)')
CATCH_UP = re.compile(r'^(?P<name>\w+) = check\.catch_up\("(?P<id>[^"]+)", (?P=name)\)$', re.MULTILINE)


def exercise_of(task: str) -> str:
    """The exercise, method or example of a task.

    >>> exercise_of("8.1a"), exercise_of("M1.2"), exercise_of("X18.8b")
    ('8.1', 'M1.2', 'X18.8')
    """
    return task.rstrip("abcdefghijklmnopqrstuvwxyz")


def exercises(source: Source) -> list[str]:
    """All exercises of a source that have tasks, in order."""
    return list(dict.fromkeys(exercise_of(str(cell.task)) for cell in source.tasks))


def cut(source: Source, asked: Collection[str], *, lend: bool = True) -> Source:
    """The source with nothing but these exercises and what they need.

    Parameters
    ----------
    source : Source
    asked : collection of str
        Exercises, such as "8.1".
    lend : bool
        Whether a task that is needed and not asked may come as its reference; False for an exam.

    Raises
    ------
    SourceError
        If such a task is needed, and nothing may be lent.
    """
    cells = [_lent(cell, asked) for cell in _split(source.cells)]
    own = _belonging(cells, asked) | {n for n, cell in enumerate(cells) if {"setup", "parameters"} & set(cell.tags)}
    code = _closed(cells, own)
    lines = {number: LENT.findall(text) for number, text in sorted(code.items())}
    missing = [
        (number, id) for number, ids in lines.items() for id in ids if id in {cell.task for cell in source.tasks}
    ]
    if missing and not lend:
        more = ", ".join(dict.fromkeys(exercise_of(id) for _, id in missing))
        reason = f"{', '.join(asked)} needs {missing[0][1]}; an exam lends nothing, so ask {more} too"
        raise SourceError([source.problem(cells[missing[0][0]].line, reason)])
    return replace(source, cells=tuple(_told(source, cells, own, code, asked)))


def _split(cells: Collection[Cell]) -> Iterator[Cell]:
    """The cells; a text that goes over the heading of a section becomes two."""
    for cell in cells:
        if cell.kind != "markdown" or "answer" in cell.tags:
            yield cell
            continue
        for number, text in enumerate(re.split(r"^(?=#{2,3} )", cell.source, flags=re.MULTILINE)):
            if text.strip():
                yield replace(cell, source=text.strip("\n"), attributes=cell.attributes if number == 0 else {})


def _lent(cell: Cell, asked: Collection[str]) -> Cell:
    """A task that is not asked becomes a line that lends it; so does its lending further down."""
    if cell.task is not None and exercise_of(cell.task) not in asked:
        line = f'{cell.definition().name} = check.catch_up("{cell.task}")'
        return replace(cell, source=line, attributes={"lent": cell.task})

    def short(found: re.Match[str]) -> str:
        mine = exercise_of(found["id"]) in asked
        return found[0] if mine else f'{found["name"]} = check.catch_up("{found["id"]}")'

    code = CATCH_UP.sub(short, cell.source) if cell.kind == "code" else cell.source
    return replace(cell, source=code)


def _belonging(cells: list[Cell], asked: Collection[str]) -> set[int]:
    """Numbers of the cells that belong to the exercises."""
    kept: set[int] = set()
    for section in _parts(range(len(cells)), cells, "## "):
        if not _covers(section, cells, asked):
            continue
        if not any("lent" in cells[number].attributes for number in section):
            kept.update(section)
            continue
        head, *parts = _parts(section, cells, "### ")
        kept.update(*(part for part in [head, *parts] if part is head or _covers(part, cells, asked)))
    return {number for number in kept if _mine(cells[number], asked)}


def _parts(numbers: Collection[int], cells: list[Cell], heading: str) -> list[list[int]]:
    parts: list[list[int]] = [[]]
    for number in numbers:
        if cells[number].kind == "markdown" and cells[number].source.startswith(heading):
            parts.append([])
        parts[-1].append(number)
    return [part for part in parts if part] or [[]]


def _covers(numbers: Collection[int], cells: list[Cell], asked: Collection[str]) -> bool:
    """Whether some of these cells have a task of an exercise, or a heading with its name, or say that they cover it."""
    for number in numbers:
        cell = cells[number]
        heading = cell.source.partition("\n")[0] if cell.kind == "markdown" and cell.source.startswith("#") else ""
        if any(_names(heading, id) for id in asked):
            return True
        if cell.task is not None or any(id.partition("/")[0].removeprefix("E") in asked for id in cell.covers):
            return True
    return False


def _names(heading: str, id: str) -> bool:
    """Whether a heading names an exercise, method or example.

    >>> _names("## Examples 8.1 and 8.2: counting", "X8.2"), _names("## Exercise 8.11: a sky", "8.1")
    (True, False)
    """
    kind = {"X": "Example", "M": "Method", "L": "Lecture"}.get(id[0], "Exercise")
    return bool(re.search(rf"\b{kind}s?\b.*\b{re.escape(id.lstrip('XML'))}\b", heading))


def _mine(cell: Cell, asked: Collection[str]) -> bool:
    """Whether a cell of a section that is kept is kept: not the tasks, checks and sums of what is not asked."""
    if cell.check is not None:
        return exercise_of(cell.check) in asked
    return "lent" not in cell.attributes and "check.summary()" not in cell.source


@dataclass(frozen=True)
class _Piece:
    """What is taken as a whole: a cell that belongs, or one statement of another."""

    cell: int
    code: str

    @property
    def binds(self) -> frozenset[str]:
        return bound(self.code)


def _pieces(cells: list[Cell], own: Collection[int]) -> Iterator[_Piece]:
    for number, cell in enumerate(cells):
        if cell.kind != "code" or cell.tree is None or (cell.check is not None and number not in own):
            continue
        if number in own:
            yield _Piece(number, cell.source)
            continue
        for node in cell.tree.body:
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
            yield _Piece(number, "\n".join(cell.lines[first - 1 : node.end_lineno]))


def _closed(cells: list[Cell], own: Collection[int]) -> dict[int, str]:
    """The code that belongs and the code that it needs, by the numbers of the cells."""
    pieces = list(_pieces(cells, own))
    changing = changing_functions(cells)
    kept, waiting = set[int](), [n for n, piece in enumerate(pieces) if piece.cell in own]
    while waiting:
        number = waiting.pop()
        if number in kept:
            continue
        kept.add(number)
        at_once, later = taken(pieces[number].code)
        for name in at_once | later:
            binding = [other for other, piece in enumerate(pieces) if other != number and name in piece.binds]
            before = [other for other in binding if other < number]
            after = [other for other in binding if other > number] if name in later else []
            if after and (not before or pieces[after[0]].cell == pieces[number].cell):
                waiting.append(after[0])
            elif before:
                between = range(before[-1] + 1, number)
                waiting.append(before[-1])
                waiting += [other for other in between if name in changed_names(pieces[other].code, changing)]
    code: dict[int, list[str]] = {}
    for number in sorted(kept):
        code.setdefault(pieces[number].cell, []).append(pieces[number].code)
    return {number: "\n".join(parts) for number, parts in code.items()}


def _told(
    source: Source, cells: list[Cell], own: Collection[int], code: Mapping[int, str], asked: Collection[str]
) -> Iterator[Cell]:
    """The cells in their order, behind a title, with a word before those that are there because they are needed."""
    yield Cell("markdown", _title(source, asked), {}, 1)
    needed = False
    for number in sorted(set(own) | set(code)):
        cell = cells[number]
        if number not in own and not needed:
            yield Cell("markdown", NEEDED, {}, cell.line)
        needed = number not in own
        yield replace(cell, source=code[number], attributes={}) if needed else cell


def _title(source: Source, asked: Collection[str]) -> str:
    mine = [cell for cell in source.tasks if exercise_of(str(cell.task)) in asked]
    points = sum(cell.points for cell in mine)
    tasks = "one task" if len(mine) == 1 else f"{len(mine)} tasks"
    found = re.search(r"(\*\*You need\*\*.*?)(?:\*\*Time:\*\*|\n\n)", source.cells[0].source + "\n\n", re.DOTALL)
    lines = [f"# {source.header['title']}: {', '.join(asked)}", f"{tasks}, {points} points."]
    return "\n\n".join([*lines, *([found[1].strip()] if found else [])])
