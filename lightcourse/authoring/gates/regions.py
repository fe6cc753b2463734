"""Solution and hidden-test regions, found line by line as nbgrader finds them."""

from collections.abc import Iterator
from dataclasses import dataclass

from lightcourse.authoring.gates.base import Draft, Problem
from lightcourse.authoring.source import Cell

MARKERS = {
    "solution": ("BEGIN SOLUTION", "END SOLUTION"),
    "hidden tests": ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"),
    "mark scheme": ("BEGIN MARK SCHEME", "END MARK SCHEME"),
}
HOMES = {"solution": ("solution", "explain"), "hidden tests": ("check",), "mark scheme": ()}


@dataclass(frozen=True)
class Region:
    """The lines strictly between two markers."""

    kind: str
    line: int
    lines: tuple[tuple[int, str], ...]


class Unbalanced(ValueError):
    """A marker without its partner; `line` is where it stands."""

    def __init__(self, line: int, message: str):
        super().__init__(message)
        self.line = line


def regions(cell: Cell, kind: str) -> list[Region]:
    """Return a cell's regions of one kind; raise Unbalanced where a marker has no partner."""
    begin, end = MARKERS[kind]
    found: list[Region] = []
    start, inside = 0, []
    for line, text in cell.lines():
        if begin in text:
            if start:
                raise Unbalanced(line, f"'{begin}' stands inside another region")
            start, inside = line, []
        elif end in text:
            if not start:
                raise Unbalanced(line, f"'{end}' has no '{begin}' before it")
            found.append(Region(kind, start, tuple(inside)))
            start = 0
        elif start:
            inside.append((line, text))
    if start:
        raise Unbalanced(start, f"'{begin}' has no '{end}' after it")
    return found


def gate_regions(draft: Draft) -> Iterator[Problem]:
    """Markers are balanced, stand in the right cells, and enclose something."""
    for cell in draft.chapter.cells:
        for kind, homes in HOMES.items():
            try:
                found = regions(cell, kind)
            except Unbalanced as error:
                message = f"{cell}: {error}: pair the two markers."
                yield draft.problem("regions", error.line, message)
                continue
            if cell.role not in homes and found:
                message = f"{cell} may not hold a {kind} region: move it to its own cell."
                yield draft.problem("regions", found[0].line, message)
            elif cell.role in homes and not found:
                begin, end = MARKERS[kind]
                message = f"{cell} has no {kind} region: add '### {begin}' and '### {end}'."
                yield draft.problem("regions", cell.line, message)
            for region in found:
                if not any(text.strip() for _, text in region.lines):
                    message = f"{cell} has an empty {kind} region: fill it."
                    yield draft.problem("regions", region.line, message)
