"""Which names a piece of notebook code takes from the code above it, binds, and changes.

A change is seen where code writes into an object, calls a method known for it, or hands the object to a function that
does. One is not seen: a function that changes an object which it was not given.
"""

from __future__ import annotations

import ast
import functools
import symtable
from collections.abc import Collection

from dlphys.course._rules import bound_names
from dlphys.course._source import Cell, parsed
from dlphys.course.submission import taken_names

# methods after which an object is another
CHANGES = {"adapt", "add", "append", "assign", "build", "clear", "compile", "extend", "fit", "insert", "load_weights"}
CHANGES |= {"pop", "remove", "set_weights", "setdefault", "shuffle", "sort", "train_on_batch", "update"}


@functools.cache
def bound(code: str) -> frozenset[str]:
    """The names that the top level of a piece of code binds."""
    return frozenset(bound_names(Cell("code", code, {}, 1)))


def free_names(code: str) -> frozenset[str]:
    """The names that a piece of code takes from code before it.

    >>> sorted(free_names("y = f(x); y += 1; [z for z in y]"))
    ['f', 'x']
    """
    return frozenset().union(*taken(code))


@functools.cache
def taken(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that code takes at once, and those that its functions take when they are called."""
    walk = _Names()
    walk.visit(parsed(code))
    return frozenset(walk.free), frozenset(walk.later - walk.bound - walk.free)


class _Names(ast.NodeVisitor):
    """Walks code in the order in which it is executed, and notes what is used before it is bound."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.free: set[str] = set()
        self.later: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.free |= {node.id} - self.bound
            else:
                self.bound.add(node.id)
        elif isinstance(node, ast.Assign):
            self._in_order(node.value, *node.targets)
        elif isinstance(node, ast.AugAssign):
            self.free |= {node.target.id} - self.bound if isinstance(node.target, ast.Name) else set()
            self._in_order(node.value, node.target)
        elif isinstance(node, ast.For):
            self._in_order(node.iter, node.target, *node.body, *node.orelse)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            self.free |= _globals(node) - self.bound
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            name = getattr(node, "name", "")
            self.later |= _globals(node) - {name}
            self.bound.add(name)
        else:
            self.generic_visit(node)

    def _in_order(self, *nodes: ast.AST) -> None:
        for node in nodes:
            self.visit(node)


def _globals(node: ast.AST) -> set[str]:
    """What a piece of code with a scope of its own takes from the top level."""
    return taken_names(symtable.symtable(ast.unparse(node), "cell", "exec"))


def changed_names(code: str, functions: Collection[str]) -> set[str]:
    """The names whose objects a piece of code changes without binding them; ``functions`` change their arguments.

    >>> sorted(changed_names("model.fit(x); losses[0] = 1; train(network)", {"train"}))
    ['losses', 'model', 'network']
    """
    names, calls = _changes(code)
    return set(names).union(*(arguments for function, arguments in calls if function in functions))


@functools.cache
def _changes(code: str) -> tuple[frozenset[str], tuple[tuple[str, frozenset[str]], ...]]:
    """The names whose objects are changed by themselves, and every call of a function with the names it is given."""
    names, calls = set[str](), []
    for node in ast.walk(parsed(code)):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(_root(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            names.add(_root(node.func))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = frozenset(argument.id for argument in node.args if isinstance(argument, ast.Name))
            calls.append((node.func.id, given))
    return frozenset(names - {""}), tuple(calls)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def changing_functions(cells: Collection[Cell]) -> set[str]:
    """The functions of a notebook that change what they are given, by themselves or through others."""
    definitions = {
        node.name: (
            ast.unparse(node),
            {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)},
        )
        for cell in cells
        for node in (cell.tree.body if cell.tree is not None else [])
        if isinstance(node, ast.FunctionDef)
    }
    found: set[str] = set()
    while True:
        more = {name for name, (code, given) in definitions.items() if changed_names(code, found) & given}
        if more <= found:
            return found
        found |= more
