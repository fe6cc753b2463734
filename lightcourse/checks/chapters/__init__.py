"""The exercises of each chapter, found by the two digits their ids begin with.

A chapter module `chNN.py` defines TITLE, EXERCISES and PREDICTIONS. `outline()` reads ids and
titles without importing it (so without torch); therefore they are written as plain strings.
"""

from __future__ import annotations

import ast
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lightcourse.checks.exercise import Exercise, Prediction
from lightcourse.errors import UserError

_HERE = Path(__file__).parent


class Outline(NamedTuple):
    """A chapter's title and the (id, title) of its exercises, in order."""

    title: str
    exercises: tuple[tuple[str, str], ...]


def chapter_numbers() -> list[str]:
    """The chapters that have checks: ["00", "02", …]."""
    return sorted(path.stem[2:] for path in _HERE.glob("ch[0-9][0-9].py"))


def load_chapter(number: str) -> ModuleType:
    """The module of a chapter.

    Raises:
        UserError: no chapter has this number.
    """
    if number not in chapter_numbers():
        have = ", ".join(chapter_numbers())
        raise UserError(f"there is no chapter {number!r} with exercises; there are {have}.")
    return import_module(f"{__name__}.ch{number}")


def find_exercise(id: str) -> Exercise:
    """The exercise with this id, e.g. "02.chain".

    Raises:
        UserError: there is none; the message names the closest ones.
    """
    return _find(id, "EXERCISES", "exercise")


def find_prediction(id: str) -> Prediction:
    """The prediction with this id, e.g. "02.p1".

    Raises:
        UserError: there is none; the message names the closest ones.
    """
    return _find(id, "PREDICTIONS", "prediction")


def _find(id: str, table: str, word: str) -> Any:
    if not isinstance(id, str):
        raise UserError(f'the id of the {word} comes first, in quotes: "02.chain"; got {id!r}.')
    number = id.split(".", 1)[0]
    if number in chapter_numbers():
        for item in getattr(load_chapter(number), table, ()):
            if item.id == id:
                return item
        numbers = [number]
    else:
        numbers = chapter_numbers()
    known = [item.id for n in numbers for item in getattr(load_chapter(n), table, ())]
    near = get_close_matches(id, known, n=3, cutoff=0.5) or known
    instead = f"; did you mean {' or '.join(near[:5])}?" if near else "."
    raise UserError(f"there is no {word} {id!r}{instead}")


@cache
def outline() -> dict[str, Outline]:
    """Title and exercises of every chapter, read from the source: fast, and without torch."""
    return {number: _read(_HERE / f"ch{number}.py") for number in chapter_numbers()}


def _read(path: Path) -> Outline:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    title = f"Chapter {path.stem[2:]}"
    exercises = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise":
            named = {k.arg: k.value for k in node.keywords}
            values = [
                named.get(key, node.args[i] if i < len(node.args) else None)
                for i, key in enumerate(("id", "title"))
            ]
            exercises.append((node.lineno, *(ast.literal_eval(v) for v in values if v)))
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "TITLE":
            title = ast.literal_eval(node.value)
    return Outline(title, tuple((row[1], row[2]) for row in sorted(exercises)))
