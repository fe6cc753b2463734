"""What a gate gets and what it gives: a Draft in, Problems out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

from lightcourse.authoring.source import Cell, Chapter


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it is, and the way out.

    >>> print(Problem("solutions/02_x.py", 7, "points", "cell 3 has no points: give it some."))
    solutions/02_x.py:7: cell 3 has no points: give it some. [points]
    """

    file: str
    line: int
    gate: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} [{self.gate}]"


@dataclass(frozen=True)
class Facts:
    """What lightcourse.checks knows of a chapter: hint texts by exercise id, prediction ids."""

    hints: dict[str, tuple[str, ...]]
    predictions: frozenset[str]


def load_facts(number: str) -> Facts | None:
    """Import the chapter's checks (and with them torch); None when there is no such module."""
    name = f"lightcourse.checks.chapters.ch{number}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise
    hints = {one.id: tuple(hint.text for hint in one.hints) for one in module.EXERCISES}
    return Facts(hints, frozenset(one.id for one in module.PREDICTIONS))


@dataclass(frozen=True)
class Draft:
    """A chapter, the student's cells made from it, and what the checks know."""

    chapter: Chapter
    student: tuple[str, ...] = ()
    load: Callable[[str], Facts | None] = load_facts

    @cached_property
    def facts(self) -> Facts | None:
        return self.load(self.chapter.number)

    @property
    def pairs(self) -> Iterable[tuple[Cell, str]]:
        """Each cell as written with the source that a student gets."""
        return zip(self.chapter.cells, self.student, strict=True)

    def problem(self, gate: str, line: int, message: str) -> Problem:
        return Problem(self.chapter.label, line, gate, message)


Gate = Callable[[Draft], Iterable[Problem]]
