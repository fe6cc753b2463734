"""Read a chapter: one jupytext percent file under solutions/, with the line of every cell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightcourse.errors import UserError

FILE_NAME = re.compile(r"(?P<number>\d\d)_[a-z0-9_]+\.py")
CELL_MARKER = re.compile(r"# %%(\s|$)")
# without comment_magics=False jupytext turns the comment "# why?" into the magic "why?"
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}


@dataclass(frozen=True)
class Cell:
    """One cell as written; `line` is its marker's line in the file, `body` its text's first."""

    number: int
    line: int
    body: int
    kind: str
    source: str
    nbgrader: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        return str((self.nbgrader or {}).get("grade_id", ""))

    @property
    def role(self) -> str:
        """`free`, `solution`, `check`, `explain`, or `unknown` for any other nbgrader header."""
        if self.nbgrader is None:
            return "free"
        flags = (self.kind, bool(self.nbgrader.get("grade")), bool(self.nbgrader.get("solution")))
        return {
            ("code", False, True): "solution",
            ("code", True, False): "check",
            ("markdown", True, True): "explain",
        }.get(flags, "unknown")

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number in the file, text) for each source line."""
        return enumerate(self.source.split("\n"), start=self.body)

    def __str__(self) -> str:
        return f"cell {self.number}" + (f" ({self.grade_id})" if self.grade_id else "")


@dataclass(frozen=True)
class Chapter:
    """A chapter's header and cells, with the text of its file."""

    path: Path
    text: str = field(repr=False)
    header: dict[str, Any]
    kernel: str
    cells: tuple[Cell, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        return self.name[:2]

    @property
    def label(self) -> str:
        """The file as messages name it: `solutions/02_receptive_field.py`."""
        return f"{self.path.parent.name}/{self.path.name}"

    def role(self, *roles: str) -> list[Cell]:
        """Return the cells that have one of these roles, in order."""
        return [cell for cell in self.cells if cell.role in roles]


def find_chapters(root: Path) -> list[Path]:
    """Return every chapter source of a checkout, by name; raise UserError for a misnamed file."""
    folder = Path(root) / "solutions"
    if not folder.is_dir():
        raise UserError(f"{folder} is not there: run this in a checkout of lightcourse.")
    sources = sorted(folder.glob("*.py"))
    for path in sources:
        if not FILE_NAME.fullmatch(path.name):
            raise UserError(
                f"solutions/{path.name} is not a chapter's name: call it NN_name.py, "
                "with two digits, small letters and underscores."
            )
    return sources


def read_chapter(path: Path) -> Chapter:
    """Read one source; raise UserError with file and line where it is not a chapter at all."""
    path = Path(path)
    label = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{label} is not there: see the names in solutions/.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{label} is not UTF-8 text ({error}): save it as UTF-8.") from None
    if not FILE_NAME.fullmatch(path.name):
        raise UserError(f"{label} is not a chapter's name: call it NN_name.py.")
    notebook = _parse(text, label)
    header = notebook.metadata.get("lightcourse")
    if not isinstance(header, dict):
        raise UserError(
            f"{label}:1: the header has no 'lightcourse:' line: copy it from another chapter."
        )
    kernel = notebook.metadata.get("kernelspec", {}).get("name", "")
    cells = tuple(_cells(text, notebook.cells, label))
    return Chapter(path, text, dict(header), str(kernel), cells)


def _parse(text: str, label: str):
    import jupytext  # a second of imports: paid by those who build
    import yaml

    try:
        return jupytext.reads(text, fmt=dict(PERCENT))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise UserError(f"{label}:{line}: the header is not YAML ({error}).") from None
    except Exception as error:  # jupytext trusts a header that is YAML but not a mapping
        raise UserError(
            f"{label}:1: jupytext cannot read it ({error}): copy the header from another chapter."
        ) from error


def _cells(text: str, notebook_cells: list, label: str) -> Iterator[Cell]:
    lines = text.split("\n")
    marks = [i for i, line in enumerate(lines, start=1) if CELL_MARKER.match(line)]
    if len(marks) != len(notebook_cells):
        raise UserError(
            f"{label}: {len(marks)} lines begin with '# %%' but there are {len(notebook_cells)} "
            "cells: begin the text before the first with '# %%', and indent '# %%' in strings."
        )
    for number, (line, node) in enumerate(zip(marks, notebook_cells, strict=True), start=1):
        where = f"{label}:{line}: cell {number}"
        if node.cell_type not in ("code", "markdown"):
            raise UserError(f"{where} is {node.cell_type}: cells are code or [markdown].")
        if "incorrectly_encoded_metadata" in node.metadata:
            raise UserError(f"{where}: what follows 'nbgrader=' is not JSON on one line.")
        body = line + 1
        while body < len(lines) and not lines[body - 1].strip():
            body += 1
        header = node.metadata.get("nbgrader")
        tags = tuple(node.metadata.get("tags", ()))
        yield Cell(number, line, body, node.cell_type, node.source, header and dict(header), tags)
