"""`lightcourse check FILE.ipynb`: run a notebook's cells in their own process, then its checks."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightcourse.checks.book import book
from lightcourse.checks.chapters import chapter_numbers, outline
from lightcourse.errors import UserError

_LARGEST = 50_000_000  # bytes; a notebook with every figure in it has a few million


@dataclass(frozen=True)
class Verdict:
    """What the check of one exercise of a notebook said."""

    id: str
    title: str
    passed: bool
    mistake: str | None
    text: str


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
        title = outline()[self.chapter].title
        lines = [f"{self.chapter} {title}"]
        for verdict in self.verdicts:
            first, *rest = verdict.text.splitlines() or [""]
            lines.append(f"  {first}")
            if not verdict.passed:
                lines += [f"    {line}".rstrip() for line in rest] + [""]
        right = sum(v.passed for v in self.verdicts)
        lines.append(f"{right} of {len(self.verdicts)} right.")
        return "\n".join([*lines, self.stopped] if self.stopped else lines)


def check_notebook(path: Path, *, timeout: float = 300) -> int:
    """Check every exercise of a notebook, print the verdicts and note them in the progress file.

    Returns 0 when all are right, else 1. timeout: seconds for the whole notebook.

    Raises:
        UserError: there is no such file, or it is not a notebook of this course.
    """
    report = examine_notebook(path, timeout=timeout)
    for verdict in report.verdicts:
        book().record_check(verdict.id, passed=verdict.passed, mistake=verdict.mistake)
    print(report)
    return 0 if report.passed else 1


def examine_notebook(path: Path, *, timeout: float = 300) -> NotebookReport:
    """Run the cells of a notebook and check its exercises; prints and records nothing.

    Raises:
        UserError: there is no such file, or it is not a notebook of this course.
    """
    path = Path(path)
    cells = _read(path)
    chapter = _chapter_of(path, cells)
    order = {
        "cells": [c["source"] for c in cells["code"]],
        "targets": [
            {"id": id, "title": title, "expression": cells["checked"].get(id)}
            for id, title in outline()[chapter].exercises
        ],
    }
    events, ended = _run(order, path.resolve().parent, timeout)
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


def _cell(raw: dict[str, Any]) -> dict[str, Any]:
    source = raw["source"]
    source = "".join(source) if isinstance(source, list) else str(source)
    grader = raw.get("metadata", {}).get("nbgrader") or {}
    return {
        "code": raw["cell_type"] == "code",
        "source": source,
        "test": bool(grader.get("grade")) and not grader.get("solution"),
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


def _run(order: dict[str, Any], folder: Path, timeout: float) -> tuple[list[dict], str]:
    """Run the child process; returns its events and how it ended: 'done', 'time' or 'crash'."""
    with tempfile.TemporaryDirectory(prefix="lightcourse-") as scratch:
        asked, told = Path(scratch, "order.json"), Path(scratch, "events.jsonl")
        asked.write_text(json.dumps(order), encoding="utf-8")
        told.touch()
        command = [sys.executable, "-m", "lightcourse.checks.notebook_child", str(asked), str(told)]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=_environment(),
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            ended = "crash" if done.returncode else "done"
        except subprocess.TimeoutExpired:
            ended = "time"
        lines = told.read_text(encoding="utf-8").splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return events, "crash" if ended == "done" and "end" not in (events or [{}])[-1] else ended


def _environment() -> dict[str, str]:
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "LIGHTCOURSE_NO_RECORD": "1",  # the parent notes the verdicts
        "MPLBACKEND": "Agg",
    }
