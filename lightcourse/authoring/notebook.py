"""Turn a chapter into notebooks: the student's, and the source that nbgrader starts from."""

import copy
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lightcourse.authoring.gates import structural_problems
from lightcourse.authoring.source import Chapter, read_chapter
from lightcourse.errors import UserError

# nbgrader's own order in generate_assignment, without what needs its database or a header file
PREPROCESSORS = (
    "LockCells",
    "ClearSolutions",
    "ClearOutput",
    "CheckCellMetadata",
    "ComputeChecksums",
    "ClearHiddenTests",
    "ClearMarkScheme",
    "ComputeChecksums",
    "CheckCellMetadata",
)
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# no Python version: the file must be the same on every machine
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def build_notebook(source: Path) -> str:
    """Return the student notebook of a chapter source as text, the same bytes on every machine.

    Raises UserError with file and line when a header or a region is wrong.
    """
    return student_text(read_checked(source))


def build_instructor_source(source: Path) -> str:
    """Return nbgrader's source notebook of a chapter: with solutions and hidden tests.

    `nbgrader generate_assignment` makes the same notebook from it as build_notebook does.
    """
    return instructor_text(read_checked(source))


def read_checked(source: Path) -> Chapter:
    """Read a chapter and raise UserError for the first thing that nbgrader could not digest."""
    chapter = read_chapter(source)
    for problem in structural_problems(chapter):
        raise UserError(str(problem))
    return chapter


def student_text(chapter: Chapter) -> str:
    return _text(_student(chapter))


def instructor_text(chapter: Chapter) -> str:
    notebook = _raw(chapter)
    notebook.metadata["lightcourse"] = _student(chapter).metadata["lightcourse"]
    return _text(notebook)


def release_digest(cells: Iterable[Mapping[str, Any]]) -> str:
    """Return a digest of the cells' ids, kinds and sources: it tells a touched notebook apart.

    >>> one, two = {"source": ["a\\n", "b"]}, {"source": "a\\nb"}
    >>> release_digest([one]) == release_digest([two]) != release_digest([])
    True
    """
    digest = hashlib.sha256()
    for cell in cells:
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        digest.update(json.dumps([cell.get("id"), cell.get("cell_type"), text]).encode())
    return digest.hexdigest()[:16]


def _raw(chapter: Chapter):
    """The chapter as a notebook, with every solution in it."""
    from nbformat import v4

    ids = _cell_ids(chapter)
    cells = []
    for cell, cell_id in zip(chapter.cells, ids, strict=True):
        new = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
        metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
        if cell.nbgrader is not None:
            metadata["nbgrader"] = dict(cell.nbgrader)
        cells.append(new(source=cell.source, metadata=metadata, id=cell_id))
    notebook = v4.new_notebook(cells=cells)
    # fixed, so that a newer nbformat does not rewrite every chapter
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata.update(copy.deepcopy({"kernelspec": KERNEL, "language_info": LANGUAGE}))
    return notebook


def _student(chapter: Chapter):
    """The chapter as the learner gets it: nbgrader's preprocessors do all the clearing."""
    import nbformat
    import nbgrader.preprocessors as nbgrader

    notebook, resources = _raw(chapter), {}
    quiet = logging.Logger("lightcourse.authoring", level=logging.CRITICAL + 1)
    for name in PREPROCESSORS:
        step = getattr(nbgrader, name)(log=quiet)
        try:
            notebook, resources = step.preprocess(notebook, resources)
        except Exception as error:
            raise UserError(f"{chapter.label}: nbgrader's {name} refuses it: {error}") from error
    notebook.metadata["lightcourse"] = {
        **chapter.header,
        "source": chapter.label,
        "release": release_digest(notebook.cells),
    }
    nbformat.validate(notebook)
    return notebook


def _cell_ids(chapter: Chapter) -> list[str]:
    """Ids that no edit elsewhere changes: from the grade_id, else from the text and its repeats."""
    seen: dict[str, int] = {}
    ids = []
    for cell in chapter.cells:
        key = f"grade_id:{cell.grade_id}" if cell.grade_id else f"{cell.kind}:{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        ids.append(hashlib.sha256(f"{chapter.name}\0{key}\0{seen[key]}".encode()).hexdigest()[:12])
    return ids


def _text(notebook) -> str:
    import nbformat

    return nbformat.writes(notebook) + "\n"
