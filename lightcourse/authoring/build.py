"""Write course/ from solutions/: only what changed, atomically, and never over a learner's work."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightcourse.authoring.gates import (
    Draft,
    Facts,
    Problem,
    load_facts,
    run_gates,
    structural_problems,
)
from lightcourse.authoring.notebook import (
    build_instructor_source,
    build_notebook,
    release_digest,
    student_text,
)
from lightcourse.authoring.source import find_chapters, read_chapter
from lightcourse.errors import UserError

__all__ = ["Report", "build_all", "build_instructor_source", "build_notebook", "select"]

EDITION = {"edition": "self-study", "solutions": True, "hints": True}


@dataclass(frozen=True)
class Report:
    """What a build did, by path relative to the root, and what it found wrong."""

    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass
class _Tally:
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, file: str, gate: str, message: str, line: int = 1) -> None:
        self.problems.append(Problem(file, line, gate, message))


def build_all(
    root: Path,
    check: bool = False,
    chapters: Sequence[str] = (),
    *,
    force: bool = False,
    load: Callable[[str], Facts | None] = load_facts,
) -> Report:
    """Build the chosen chapters (all by default), or with `check` only say what is wrong.

    A notebook in course/ that somebody has worked in is left alone and reported, unless `force`.
    Raises UserError for an unknown chapter.
    """
    root, tally = Path(root), _Tally()
    sources = find_chapters(root)
    for source in select(sources, chapters):
        _one(root, source, tally, check, force, load)
    if not chapters:
        _stale(root, {source.stem for source in sources}, tally, check)
        _edition(root, tally, check)
    return Report(*(tuple(getattr(tally, name)) for name in Report.__dataclass_fields__))


def select(sources: Iterable[Path], chapters: Sequence[str]) -> list[Path]:
    """Pick sources by number, name or path; raise UserError for one that is not there.

    >>> select([Path("solutions/02_receptive_field.py")], ["2"])[0].name
    '02_receptive_field.py'
    """
    sources = list(sources)
    if not chapters:
        return sources
    picked = []
    for wanted in chapters:
        stem = Path(wanted).stem
        found = [s for s in sources if stem == s.stem or stem.zfill(2) == s.stem[:2]]
        if not found:
            names = ", ".join(source.stem for source in sources) or "none yet"
            raise UserError(f"No chapter is called {wanted!r}: there are {names}.")
        picked += [source for source in found if source not in picked]
    return picked


def _one(root: Path, source: Path, tally: _Tally, check: bool, force: bool, load) -> None:
    name = f"course/{source.stem}/{source.stem}.ipynb"
    target = root / name
    try:
        fresh, problems = _prepare(source, check, load)
    except UserError as error:
        fresh, problems = None, [_as_problem(source, error)]
    tally.problems += problems
    if fresh is None:
        return
    present = _read(target) if target.is_file() else None
    if present == fresh:
        tally.unchanged.append(name)
    elif check:
        tally.problems.append(_difference(name, source, present, fresh))
    elif present is not None and not force and not _pristine(present):
        way_out = "move it away (or use --force), then build again."
        tally.wrong(name, "work-in-course", f"it holds work that no build made: {way_out}")
    else:
        write_atomically(target, fresh)
        tally.written.append(name)


def _prepare(source: Path, check: bool, load) -> tuple[str | None, list[Problem]]:
    """The student notebook, None where the source is unfit for one, and what the gates say."""
    chapter = read_chapter(source)
    if problems := structural_problems(chapter):
        return None, problems
    fresh = student_text(chapter)
    if not check:
        return fresh, []
    student = tuple("".join(cell["source"]) for cell in json.loads(fresh)["cells"])
    return fresh, run_gates(Draft(chapter, student, load))


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader or a crash sees the old text or the new, never half."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}): make its folder writable."
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _difference(name: str, source: Path, present: str | None, fresh: str) -> Problem:
    way_out = f"edit solutions/{source.name}, never the notebook, and run 'lightcourse build'."
    if present is None:
        return Problem(name, 1, "fresh-build", f"it is not built: {way_out}")
    old, new = present.split("\n"), fresh.split("\n")
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    line = 1 + (min(len(old), len(new)) if same is None else same)
    cell = fresh.count('\n   "cell_type": ', 0, sum(len(text) + 1 for text in new[: line - 1]))
    message = f"it differs from a fresh build, first about cell {max(cell, 1)}: {way_out}"
    return Problem(name, line, "fresh-build", message)


def _as_problem(source: Path, error: UserError) -> Problem:
    """A UserError that begins with file:line: as a Problem at that line."""
    label = f"solutions/{source.name}"
    place, _, message = str(error).removeprefix(f"{label}:").partition(":")
    if place.isdigit():
        return Problem(label, int(place), "build", message.strip())
    return Problem(label, 1, "build", str(error))


def _read(path: Path) -> str:
    """A file's text; bytes that are none only have to differ from every build."""
    return path.read_text(encoding="utf-8", errors="replace")


def _notebook(text: str) -> dict[str, Any]:
    """A notebook's JSON, or an empty one where the text is none."""
    try:
        notebook = json.loads(text)
        return notebook if isinstance(notebook.get("cells"), list) else {}
    except (ValueError, AttributeError):
        return {}


def _pristine(text: str) -> bool:
    """Whether a notebook is as some build left it: running it is fine, editing is not."""
    notebook = _notebook(text)
    marks = notebook.get("metadata", {}).get("lightcourse", {})
    return bool(marks) and marks.get("release") == release_digest(notebook["cells"])


def _stale(root: Path, names: set[str], tally: _Tally, check: bool) -> None:
    """Remove notebooks whose source is gone; leave alone whatever the builder did not make."""
    for path in sorted((root / "course").glob("*/*.ipynb")):
        text = _read(path)
        marks = _notebook(text).get("metadata", {}).get("lightcourse", {})
        if "source" not in marks or Path(marks["source"]).stem in names:
            continue
        name = path.relative_to(root).as_posix()
        if not _pristine(text):
            message = f"its source {marks['source']} is gone, but it holds work: move it away."
            tally.wrong(name, "stale", message)
        elif check:
            message = f"its source {marks['source']} is gone: run 'lightcourse build'."
            tally.wrong(name, "stale", message)
        else:
            path.unlink()
            shutil.rmtree(path.parent / ".ipynb_checkpoints", ignore_errors=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
            tally.removed.append(name)


def _edition(root: Path, tally: _Tally, check: bool) -> None:
    """Write course/course.json once; an edition chosen there is kept."""
    path = root / "course" / "course.json"
    if not path.exists():
        if check:
            tally.wrong("course/course.json", "edition", "it is missing: run 'lightcourse build'.")
        else:
            write_atomically(path, json.dumps(EDITION, indent=2) + "\n")
            tally.written.append("course/course.json")
        return
    try:
        have = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        tally.wrong("course/course.json", "edition", f"it is not JSON ({error}): delete it.")
        return
    if not isinstance(have, dict) or have.keys() != EDITION.keys():
        keys = ", ".join(EDITION)
        tally.wrong("course/course.json", "edition", f"it must have exactly {keys}: delete it.")
