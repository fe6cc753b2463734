"""The index of the course: every idea by its English or Chinese name, with chapter and symbol."""

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from html import escape
from pathlib import Path

from lightcourse.errors import UserError


@dataclass(frozen=True)
class Entry:
    """An idea, where the course teaches it, what builds it, and where it was published."""

    id: str
    en: str
    zh: str
    kind: str
    chapter: str
    section: str | None  # a heading of the chapter; None where the chapter is not written yet
    symbol: str | None  # what to import; None where the idea is no code
    paper: str
    year: int | None
    where: str  # "arXiv 1707.01083", or the journal

    @property
    def place(self) -> str:
        """Chapter and heading, in words."""
        return f"chapter {self.chapter}" + (f", {self.section}" if self.section else "")

    def __str__(self) -> str:
        lines = [f"{self.en} ({self.zh}) · {self.kind} · {self.place}"]
        if self.symbol:
            lines.append(f"  {self.symbol}")
        source = ", ".join(str(part) for part in (self.paper, self.year, self.where) if part)
        return "\n".join([*lines, f"  {source}"] if source else lines)

    def _repr_html_(self) -> str:
        head, *rest = str(self).splitlines()
        return f"<p><b>{escape(head)}</b><br>{'<br>'.join(map(escape, rest))}</p>"


@cache
def _all() -> dict[str, Entry]:
    text = (Path(__file__).parent / "entries.json").read_text(encoding="utf-8")
    return {row["id"]: Entry(**row) for row in json.loads(text)}


def entries(chapter: str | int | None = None) -> list[Entry]:
    """Return all entries, or one chapter's, in the order of the chapters.

    >>> [e.id for e in entries(chapter=2)]
    ['effective_receptive_field', 'receptive_field']
    """
    wanted = None if chapter is None else f"{chapter:0>2}"
    return [e for e in _all().values() if wanted in (None, e.chapter)]


def find(term: str, most: int = 8) -> list[Entry]:
    """Return the entries that a word in either language means, the closest first.

    Raises `UserError` where nothing comes near.

    >>> find("通道混洗")[0].symbol
    'lightcourse.nn.channel_shuffle'
    """
    word = str(term).strip().lower()
    scored = [(_closeness(word, e), e) for e in _all().values()] if word else []
    best = sorted((s for s in scored if s[0] >= 0.6), key=lambda s: -s[0])[:most]
    if not best:
        raise UserError(
            f"The atlas has nothing like {term!r}; try a name such as 'shuffle', 'h-swish' or "
            "'感受野', in English or Chinese."
        )
    return [e for _, e in best]


def _closeness(word: str, e: Entry) -> float:
    """1 for a name itself, above 0.7 for a part of it, below for names that look alike."""
    best = 0.0
    for name in (e.id.replace("_", " "), e.id, e.en.lower(), e.zh.lower()):
        if word == name:
            return 1.0
        if word in name or word in name.replace("-", ""):
            best = max(best, 0.7 + 0.25 * len(word) / len(name))
        else:
            best = max(best, 0.8 * SequenceMatcher(None, word, name).ratio())
    return best


__all__ = ["Entry", "entries", "find"]
