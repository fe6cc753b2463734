"""`lightcourse check FILE.ipynb`: run a notebook's cells in their own process, then its checks."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightcourse.checks.book import book
from lightcourse.checks.chapters import chapter_numbers, find_exercise, outline
from lightcourse.checks.needed import names_in, needed_cells
from lightcourse.errors import UserError

_LOOK = 0.1  # seconds between two looks at what the process has told
_LARGEST = 50_000_000  # bytes; a notebook with every figure in it has a few million


@dataclass(frozen=True)
class Verdict:
    """What the check of one exercise of a notebook said."""

    id: str
    title: str
    passed: bool
    mistake: str | None
    text: str

    def __str__(self) -> str:
        first, *rest = self.text.splitlines() or [""]
        more = [] if self.passed else [f"    {line}".rstrip() for line in rest] + [""]
        return "\n".join([f"  {first}", *more])


@dataclass(frozen=True)
class NotebookReport:
    """The verdicts on a notebook, and what kept it from running to its end ('' when nothing)."""

    chapter: str
    verdicts: tuple[Verdict, ...]
    stopped: str = ""

    @property
    def passed(self) -> bool:
        return not self.stopped and all(v.passed for v in self.verdicts)

    def __str__(self) -> str:
        title = f"{self.chapter} {outline()[self.chapter].title}"
        return "\n".join([title, *map(str, self.verdicts), self.total()])

    def total(self) -> str:
        """The last lines: how many are right, and what stopped the notebook."""
        right = sum(v.passed for v in self.verdicts)
        line = f"{right} of {len(self.verdicts)} right."
        return f"{line}\n{self.stopped}" if self.stopped else line


def check_notebook(path: Path, *, timeout: float = 300) -> int:
    """Check every exercise of a notebook, print the verdicts and note them in the progress file.

    Returns 0 when all are right, else 1. timeout: seconds for the whole notebook.

    Raises:
        UserError: there is no such file, or it is not a notebook of this course.
    """
    report = examine_notebook(path, timeout=timeout, tell=_say)
    for verdict in report.verdicts:
        book().record_check(verdict.id, passed=verdict.passed, mistake=verdict.mistake)
    print(report.total())
    return 0 if report.passed else 1


def examine_notebook(
    path: Path, *, timeout: float = 300, tell: Callable[[object], None] = lambda said: None
) -> NotebookReport:
    """Run the cells that the exercises need, then check each exercise; prints, records nothing.

    tell: gets the title, then each Verdict as soon as it is there.

    Raises:
        UserError: there is no such file, or it is not a notebook of this course.
    """
    path = Path(path)
    cells = _read(path)
    chapter = _chapter_of(path, cells)
    order = {
        "cells": _cells_to_run(cells, chapter),
        "targets": [
            {"id": id, "title": title, "expression": cells["checked"].get(id)}
            for id, title in outline()[chapter].exercises
        ],
    }
    tell(f"{chapter} {outline()[chapter].title}")
    tell(f"  running {len(order['cells'])} of {len(cells['code'])} cells: those the exercises need")
    events, ended = _run(order, path.resolve().parent, timeout, tell)
    verdicts = tuple(Verdict(**event["verdict"]) for event in events if "verdict" in event)
    if len(verdicts) == len(order["targets"]):
        return NotebookReport(chapter, verdicts)
    where = next((f"cell {e['cell']}" for e in reversed(events) if "cell" in e), "its start")
    said = {
        "time": f"The notebook was still running after {timeout:g} seconds, in {where};"
        " --timeout allows more.",
        "crash": f"The notebook's process stopped in {where}, so the rest could not be checked.",
    }
    return NotebookReport(chapter, verdicts, said[ended])


def _read(path: Path) -> dict[str, Any]:
    """The code cells to run, the expressions that its check cells check, and the metadata."""
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}; give the path of your notebook.")
    if path.stat().st_size > _LARGEST:
        raise UserError(f"{path.name} is too large; clear its outputs and save it again.")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        cells = [_cell(raw) for raw in content["cells"]]
        metadata = dict(content.get("metadata", {}))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"{path.name} is no readable notebook; open it in JupyterLab and save it again."
        ) from None
    code = [c for c in cells if c["code"]]
    checked: dict[str, str] = {}
    for cell in code:
        checked.update(_checked(cell["source"]))
    return {
        "code": [c for c in code if not c["test"]],
        "checked": checked,
        "grade_ids": [c["grade_id"] for c in cells if c["grade_id"]],
        "metadata": metadata,
    }


def _cells_to_run(cells: dict[str, Any], chapter: str) -> list[tuple[int, str]]:
    """(number, source) of the cells that the exercises need, numbered among all code cells."""
    goals = set()
    for id, _ in outline()[chapter].exercises:
        # without a check cell the exercise's own name is looked for, when the checks are loaded
        goals |= names_in(cells["checked"].get(id) or find_exercise(id).target)
    sources = [c["source"] for c in cells["code"]]
    marked = {i for i, c in enumerate(cells["code"]) if c["solution"]}
    return [(i + 1, sources[i]) for i in needed_cells(sources, goals, marked)]


def _say(said: object) -> None:
    print(said, flush=True)


def _cell(raw: dict[str, Any]) -> dict[str, Any]:
    source = raw["source"]
    source = "".join(source) if isinstance(source, list) else str(source)
    grader = raw.get("metadata", {}).get("nbgrader") or {}
    return {
        "code": raw["cell_type"] == "code",
        "source": source,
        "test": bool(grader.get("grade")) and not grader.get("solution"),
        "solution": bool(grader.get("solution")),
        "grade_id": str(grader.get("grade_id", "")),
    }


def _checked(source: str) -> dict[str, str]:
    """{exercise id: expression} of each check("id", expression) in a cell."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    return {
        str(node.args[0].value): ast.unparse(node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "check"
        and len(node.args) >= 2
        and isinstance(node.args[0], ast.Constant)
    }


def _chapter_of(path: Path, cells: dict[str, Any]) -> str:
    """The chapter from the notebook's metadata, else from the ids of its graded cells."""
    said = cells["metadata"].get("lightcourse")
    found = [str(said.get("chapter"))] if isinstance(said, dict) else []
    found += [id[:2] for id in cells["grade_ids"] if re.fullmatch(r"\d\d-.+", id)]
    for number in found:
        if number in chapter_numbers():
            return number
    raise UserError(
        f"{path.name} is not a notebook of this course; its chapters are in course/,"
        " as course/00_start_here/00_start_here.ipynb."
    )


def _run(
    order: dict[str, Any], folder: Path, timeout: float, tell: Callable[[object], None]
) -> tuple[list[dict], str]:
    """Run the child process; returns its events and how it ended: 'done', 'time' or 'crash'."""
    with tempfile.TemporaryDirectory(prefix="lightcourse-") as scratch:
        asked, told = Path(scratch, "order.json"), Path(scratch, "events.jsonl")
        asked.write_text(json.dumps(order), encoding="utf-8")
        told.touch()
        command = [sys.executable, "-m", "lightcourse.checks.notebook_child", str(asked), str(told)]
        nothing = subprocess.DEVNULL
        with subprocess.Popen(
            command, cwd=folder, env=_environment(), stdin=nothing, stdout=nothing, stderr=nothing
        ) as child:
            try:
                ended = _follow(child, told, time.monotonic() + timeout, tell)
            finally:
                child.kill()  # does nothing when it has ended
        events = _events(told)
        return events, "crash" if ended == "done" and "end" not in (events or [{}])[-1] else ended


def _follow(
    child: subprocess.Popen, told: Path, until: float, tell: Callable[[object], None]
) -> str:
    """Pass verdicts on as they come; returns how the process ended: 'done', 'time' or 'crash'."""
    passed_on = 0
    while True:
        code = child.poll()
        verdicts = [e["verdict"] for e in _events(told) if "verdict" in e]
        for verdict in verdicts[passed_on:]:
            tell(Verdict(**verdict))
        passed_on = len(verdicts)
        if code is not None:
            return "crash" if code else "done"
        if time.monotonic() > until:
            return "time"
        time.sleep(_LOOK)


def _events(told: Path) -> list[dict]:
    lines = told.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _environment() -> dict[str, str]:
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "LIGHTCOURSE_NO_RECORD": "1",  # the parent notes the verdicts
        "MPLBACKEND": "Agg",
    }
