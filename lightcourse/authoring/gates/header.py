"""Gates on what stands in headers: the chapter's own and nbgrader's on each cell."""

import re
from collections.abc import Iterator
from typing import Any

from lightcourse.authoring.gates.base import Draft, Problem

MAX_BUDGET_SECONDS = 120
MAX_EXERCISES = 5
FIELDS: dict[str, type | tuple[type, ...]] = {
    "chapter": str,
    "title": str,
    "question": str,
    "minutes": int,
    "budget_seconds": (int, float),
    "exercises": list,
}
# the one right value of every nbgrader field but grade_id and points, by role
EXPECTED: dict[str, dict[str, Any]] = {
    "solution": {"grade": False, "locked": False, "solution": True},
    "check": {"grade": True, "locked": True, "solution": False},
    "explain": {"grade": True, "locked": False, "solution": True},
}
COMMON = {"schema_version": 3, "task": False}


def gate_header(draft: Draft) -> Iterator[Problem]:
    """The chapter's header has exactly the agreed fields, of the right types and sizes."""
    chapter = draft.chapter
    header = chapter.header
    line = 1 + next(
        (i for i, text in enumerate(chapter.text.split("\n")) if "lightcourse:" in text), 0
    )
    say = _sayer(draft, "header", line)
    for name in sorted(FIELDS.keys() - header.keys()):
        yield say(f"the header lacks '{name}': add it to the lightcourse line.")
    for name in sorted(header.keys() - FIELDS.keys()):
        yield say(f"the header has an unknown field '{name}': take it out.")
    for name, kind in FIELDS.items():
        value = header.get(name)
        if name in header and (not isinstance(value, kind) or isinstance(value, bool) or not value):
            yield say(f"the header's '{name}' is {value!r}: see another chapter for its form.")
    if header.get("chapter") not in (None, chapter.number):
        yield say(f"the header says chapter {header['chapter']!r}: write '{chapter.number}'.")
    budget = header.get("budget_seconds")
    if isinstance(budget, int | float) and not 0 < budget <= MAX_BUDGET_SECONDS:
        yield say(f"budget_seconds is {budget}: it must be 1 to {MAX_BUDGET_SECONDS}.")
    if chapter.kernel != "python3":
        yield say(f"the header's kernel is {chapter.kernel!r}: every machine has 'python3'.")


def gate_nbgrader_fields(draft: Draft) -> Iterator[Problem]:
    """Each nbgrader header has exactly its role's fields and values, and an id of its own."""
    seen: dict[str, int] = {}
    pattern = re.compile(rf"{draft.chapter.number}-[a-z][a-z0-9_-]*")
    for cell in draft.chapter.cells:
        if cell.nbgrader is None:
            continue
        say = _sayer(draft, "nbgrader", cell.line)
        if cell.role == "unknown":
            yield say(
                f"{cell} has an nbgrader header of no known kind: only solution and check cells "
                "(code) and explain cells (markdown) have one."
            )
            continue
        wanted = {**COMMON, **EXPECTED[cell.role]}
        named = {"grade_id", "points"} if cell.role != "solution" else {"grade_id"}
        for name in sorted((wanted.keys() | named) - cell.nbgrader.keys() - {"points"}):
            yield say(f"{cell} lacks the nbgrader field '{name}': add it.")
        for name in sorted(cell.nbgrader.keys() - wanted.keys() - named):
            yield say(f"{cell} has the nbgrader field '{name}', which does not belong: delete it.")
        for name, value in wanted.items():
            have = cell.nbgrader.get(name, value)
            if have != value or type(have) is not type(value):
                yield say(f"{cell} has {name} = {have!r}: it must be {value!r}.")
        if not pattern.fullmatch(cell.grade_id):
            yield say(
                f"{cell} has grade_id {cell.grade_id!r}: write '{draft.chapter.number}-name'."
            )
        if cell.grade_id in seen:
            yield say(
                f"{cell} repeats the grade_id of cell {seen[cell.grade_id]}: give it its own."
            )
        seen.setdefault(cell.grade_id, cell.number)


def gate_points(draft: Draft) -> Iterator[Problem]:
    """Every graded cell is worth at least one point."""
    for cell in draft.chapter.role("check", "explain"):
        points = (cell.nbgrader or {}).get("points")
        if isinstance(points, bool) or not isinstance(points, int | float) or points < 1:
            yield draft.problem(
                "points",
                cell.line,
                f'{cell} has points {points!r}: write a number of at least 1, as in "points": 2.',
            )


def _sayer(draft: Draft, gate: str, line: int):
    return lambda message: draft.problem(gate, line, message)
