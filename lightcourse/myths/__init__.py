"""Claims that circulate about light networks: what is right, and code that shows it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Literal

from lightcourse.errors import UserError

Verdict = Literal["true", "half true", "false", "mix-up", "opinion"]

# the claims that code can decide, and where their demonstrations are
_HOMES = {
    "pictures": (2, 3, 8, 9, 10, 11, 49, 51),
    "costs": (1, 4, 6, 7, 19, 20, 23, 24, 25, 26, 33, 35, 37, 38, 39),
    "networks": (12, 27, 28, 29, 30, 31, 44, 46, 47, 53),
    "operators": (32, 34, 41),
}
_HOME = {f"myth_{n:02d}": home for home, numbers in _HOMES.items() for n in numbers}


@dataclass(frozen=True)
class Demonstration:
    """What the code found: rows of (what, value), and whether the correction holds."""

    rows: tuple[tuple[str, str], ...]
    holds: bool

    def __str__(self) -> str:
        width = max(len(what) for what, _ in self.rows)
        return "\n".join(f"{what:<{width}}  {value}" for what, value in self.rows)

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in self.rows)
        return f"<table>{cells}</table>"


@dataclass(frozen=True)
class Myth:
    """A claim, whether it is right, and where that can be read or computed."""

    id: str
    chapter: str
    verdict: Verdict
    claim: str
    zh: str
    right: str
    evidence: str

    @property
    def decided_by_code(self) -> bool:
        """Whether `demonstrate` has something to compute."""
        return self.id in _HOME

    def demonstrate(self) -> Demonstration:
        """Compute the numbers that decide the claim.

        Raises `UserError` for claims about words and papers, which no code decides.

        >>> print(myth("myth_10").demonstrate())
        280 / 32  8.75
        256 / 32  8.0
        288 / 32  9.0
        """
        if not self.decided_by_code:
            raise UserError(
                f"No code decides {self.id}: it is about what a text says ({self.evidence})."
            )
        module = import_module(f"lightcourse.myths._{_HOME[self.id]}")
        show: Callable[[], Demonstration] = getattr(module, self.id)
        return show()

    def __str__(self) -> str:
        return f"{self.id} (chapter {self.chapter}, {self.verdict})\n{self.claim}\n→ {self.right}"

    def _repr_html_(self) -> str:
        return (
            f"<p><b>Myth or fact?</b> <i>{escape(self.claim)}</i> ({escape(self.zh)})</p>"
            f"<p><b>{escape(self.verdict.capitalize())}.</b> {escape(self.right)}</p>"
        )


@cache
def _all() -> dict[str, Myth]:
    text = (Path(__file__).parent / "claims.json").read_text(encoding="utf-8")
    return {row["id"]: Myth(**row) for row in json.loads(text)}


def list_myths(chapter: str | int | None = None) -> list[Myth]:
    """Return all claims, or one chapter's, in order; raises `UserError` for no chapter.

    >>> [m.id for m in list_myths(chapter="13")]
    ['myth_34']
    """
    wanted = None if chapter is None else f"{chapter:0>2}"
    if wanted is not None and wanted not in [f"{n:02d}" for n in range(24)]:
        raise UserError(f"There is no chapter {chapter!r}; chapters are 0 to 23.")
    return [m for m in _all().values() if wanted in (None, m.chapter)]


def myth(id: str) -> Myth:
    """Return one claim by its id; raises `UserError` for an unknown one.

    >>> myth("myth_34").verdict
    'false'
    """
    if id not in _all():
        raise UserError(f"There is no claim {id!r}; ids run from 'myth_01' to 'myth_53'.")
    return _all()[id]


__all__ = ["Demonstration", "Myth", "Verdict", "list_myths", "myth"]
