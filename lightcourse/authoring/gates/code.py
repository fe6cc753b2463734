"""Gates on code cells, by their syntax trees: plain Python, names in order, tests that can fail."""

import ast
import builtins
import symtable
from collections.abc import Iterator

from lightcourse.authoring.gates.base import Draft, Problem
from lightcourse.authoring.source import Cell

# what an IPython kernel adds to the builtins
KERNEL_NAMES = {"display", "get_ipython", "In", "Out", "exit", "quit", "_", "__name__", "__file__"}
HARMLESS = {"print", "display", "hint", "progress", "predict", "reveal", "plt"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def gate_syntax(draft: Draft) -> Iterator[Problem]:
    """Every code cell is Python without magics, as written and as the student gets it."""
    for cell, student in draft.pairs:
        if cell.kind != "code":
            continue
        for source in (cell.source, student):
            try:
                tree = ast.parse(source)
            except SyntaxError as error:
                first = error.text.strip() if error.text else ""
                said = f"({error.msg}): fix it"
                if first.startswith(("%", "!", "?")):
                    said = "is a magic: write Python"
                message = f"{cell}: the line {first!r} {said}."
                yield draft.problem("syntax", cell.body + (error.lineno or 1) - 1, message)
                break
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                    message = f"{cell} imports * from {node.module}: name what it needs."
                    yield draft.problem("syntax", cell.body + node.lineno - 1, message)
            if source == student:
                break


def gate_names_in_order(draft: Draft) -> Iterator[Problem]:
    """A cell uses only names that it or an earlier cell binds, solved and untouched alike."""
    seen: set[tuple[int, str]] = set()
    for version in ("source", "student"):
        known = set(dir(builtins)) | KERNEL_NAMES
        code = [
            (cell, cell.source if version == "source" else student)
            for cell, student in draft.pairs
            if cell.kind == "code"
        ]
        later = set().union(*(_names(source)[0] for _, source in code))
        for cell, source in code:
            bound, used = _names(source)
            known |= bound
            for name in sorted(used - known):
                if (cell.number, name) in seen:
                    continue
                seen.add((cell.number, name))
                said = "is defined only later: move it up" if name in later else "is never defined"
                message = f"{cell}: '{name}' {said}."
                yield draft.problem("names-in-order", _line_of(cell, source, name), message)


def gate_stub_in_function(draft: Draft) -> Iterator[Problem]:
    """The untouched stub raises only when called, so that a fresh notebook runs to its checks."""
    for cell, student in draft.pairs:
        if cell.role != "solution":
            continue
        for node in _outside_functions(_tree(student)):
            if isinstance(node, ast.Raise):
                message = (
                    f"{cell}: the solution region is not inside a function, so the untouched cell "
                    "would crash: put it in a function or a method."
                )
                yield draft.problem("stub-in-function", cell.line, message)


def gate_checks_can_fail(draft: Draft) -> Iterator[Problem]:
    """A check cell calls check on its exercise and hides another test, both unconditionally."""
    for cell, student in draft.pairs:
        if cell.role != "check":
            continue
        exercise = cell.grade_id.removesuffix("-check").replace("-", ".", 1)
        visible, whole = _tree(student).body, _tree(cell.source).body
        if not any(_calls_check(node, exercise) for node in visible):
            message = f"{cell} does not check the exercise: add check('{exercise}', name)."
            yield draft.problem("checks-can-fail", cell.line, message)
        shown = [ast.dump(node) for node in visible]
        hidden = [node for node in whole if ast.dump(node) not in shown]
        if not any(_can_fail(node) for node in hidden):
            message = (
                f"{cell} has no hidden test that can fail: call hidden_check or assert in it, "
                "outside any try, if, loop or function."
            )
            yield draft.problem("checks-can-fail", cell.line, message)


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:  # the syntax gate names it
        return ast.Module([], [])


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return (names that a cell binds, global names that it reads at any depth)."""
    try:
        top = symtable.symtable(source, "cell", "exec")
    except SyntaxError:
        return set(), set()
    bound, used = set(), set()
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            here = table is top or symbol.is_global()
            if here and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                bound.add(symbol.get_name())
            if here and symbol.is_referenced():
                used.add(symbol.get_name())
    return bound, used


def _line_of(cell: Cell, source: str, name: str) -> int:
    """The line in the chapter's file where a name is first read."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Name) and node.id == name:
            text = source.split("\n")[node.lineno - 1]
            return next((line for line, other in cell.lines() if other == text), cell.body)
    return cell.line


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, FUNCTIONS):
            yield node
            yield from _outside_functions(node)


def _calls_check(node: ast.stmt, exercise: str) -> bool:
    return (
        isinstance(node, ast.Expr | ast.Assign)
        and isinstance(call := node.value, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "check"
        and len(call.args) >= 2
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value == exercise
    )


def _can_fail(node: ast.stmt) -> bool:
    """Whether a top-level statement of a test always runs and may raise on purpose."""
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    if isinstance(node, ast.With):
        return any(isinstance(item.context_expr, ast.Call) for item in node.items) and not any(
            "suppress" in ast.dump(item.context_expr) for item in node.items
        )
    if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
        func = node.value.func
        return not (isinstance(func, ast.Name) and func.id in HARMLESS)
    return False
