"""Which cells of a notebook its exercises need: no drawing, no training, nothing after the last."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

# calls that draw, tell, ask or train; a cell with one of them runs only for a name that it makes
_FOR_READERS = ("plt", "viz", "hint", "solution", "predict", "reveal", "progress", "check")
_FOR_READERS += ("analyze", "demo", "figure", "axes", "train", "train_once", "train_all", "fit")


@dataclass(frozen=True)
class _Names:
    """What a cell binds or changes, what it reads, and what it calls."""

    made: frozenset[str]
    read: frozenset[str]
    called: frozenset[str]


def needed_cells(sources: Sequence[str], goals: set[str], marked: set[int]) -> list[int]:
    """The places of the cells to run, in order; all of them where no goal is found.

    goals: the names that are checked. marked: the places of the solution cells.
    A cell that cannot be parsed (a magic, an error) is kept: nobody knows what it does.

    >>> needed_cells(["a = 1", "plt.plot(a)", "def f():\\n    return a", "train(f)"], {"f"}, set())
    [0, 2]
    """
    cells = [_names(source) for source in sources]
    aims = {i for i, cell in enumerate(cells) if i in marked or (cell and cell.made & goals)}
    # a name that no cell makes: run all, so that the error which ate it is found
    if not goals <= {name for cell in cells if cell for name in cell.made}:
        return list(range(len(cells)))
    kept: list[int] = []
    wanted: set[str] = set(goals)
    for i in reversed(range(max(aims) + 1)):
        cell = cells[i]
        if cell is None:
            kept.append(i)
        elif i in aims or not cell.called & set(_FOR_READERS) or cell.made & wanted:
            kept.append(i)
            wanted |= cell.read
    return kept[::-1]


def names_in(expression: str) -> set[str]:
    """The names that an expression reads; none where it cannot be parsed."""
    found = _names(expression)
    return set(found.read) if found else set()


def _names(source: str) -> _Names | None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    made, read, called = set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        ):
            made.add(_root(node))
        elif isinstance(node, ast.Call):
            called.add(_root(node.func))
    return _Names(frozenset(made), frozenset(read), frozenset(called))


def _root(node: ast.AST) -> str:
    """The name at the beginning of a chain such as plt.figure().add_subplot."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
