"""Notebooks for an exam, where nothing is lent: what uses a task that is not done says so, and the rest runs on.

In the standard edition a cell below a task uses `check.catch_up`, so it runs whether or not the task is done. In an
exam a task that is not done raises NotImplementedError where it is used, and whatever would have come of it is missing
from then on. Each cell that would stumble over that begins with ``check.needs(layer)`` instead.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from dlphys.course._names import bound, changed_names, changing_functions, free_names
from dlphys.course._source import Cell, Source, first_literal


def guarded(source: Source) -> Source:
    """The source with a first line in each cell that uses what a task gives, in the task's own name."""
    needs: dict[str, tuple[str, ...]] = {}  # name -> what has to be done before it is there
    tasks = {cell.definition().name for cell in source.tasks}
    changing = changing_functions(source.cells)
    cells = []
    for cell in source.cells:
        if cell.kind != "code" or cell.tree is None:
            cells.append(cell)
            continue
        binds, used = bound(cell.source), free_names(cell.source)
        if cell.task is not None:
            needs |= {name: (name,) for name in binds}
            cells.append(cell)
            continue
        # a check speaks of its task itself, done or not
        asked = [name for name in sorted(used) if cell.check is None or name not in tasks]
        wanted = list(dict.fromkeys(word for name in asked for word in needs.get(name, ())))
        lent = _lent(cell)
        for name in binds | (changed_names(cell.source, changing) if wanted or lent else set()):
            needs[name] = (name,) if name in tasks else tuple(dict.fromkeys([*wanted, *lent]))
        if wanted:
            cell = replace(cell, source=f"check.needs({', '.join(wanted)})\n{cell.source}")
        cells.append(cell)
    return replace(source, cells=tuple(cells))


def _lent(cell: Cell) -> list[str]:
    """The references that a cell asks for, as literals; an exam has none of them."""
    assert cell.tree is not None
    calls = [node for node in ast.walk(cell.tree) if isinstance(node, ast.Call)]
    wanted = [call for call in calls if ast.unparse(call.func) in ("check.trained", "check.catch_up")]
    ids = [first_literal(call) for call in wanted if len(call.args) == 1]
    return [f'"{id}"' for id in ids if id is not None]
