"""Every chapter in a fresh kernel, as its author solved it and as a learner finds it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest

from lightcourse.authoring import build_all, build_instructor_source, build_notebook, run_notebook
from lightcourse.authoring.source import find_chapters, read_chapter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHAPTERS = find_chapters(ROOT)
REHEARSAL_SECONDS = 15
NBGRADER_SECONDS = 30  # the stock limit of `nbgrader autograde` for one cell


@cache
def executed(source: Path, solved: bool):
    """Run a chapter once for all tests of this module, in a folder where nothing lies around."""
    text = build_instructor_source(source) if solved else build_notebook(source)
    with TemporaryDirectory() as folder:
        notebook = nbformat.reads(text, as_version=4)
        return run_notebook(
            notebook, allow_errors=not solved, rehearsal=not solved, folder=Path(folder)
        )


def test_the_course_folder_is_a_fresh_build_and_every_gate_is_content():
    problems = build_all(ROOT, check=True).problems
    assert not problems, "\n".join(map(str, problems))


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda path: path.stem)
class TestChapter:
    def test_solved_runs_without_an_error_and_every_check_passes(self, source):
        run = executed(source, True)
        assert not run.errors, "\n".join(map(str, run.errors))
        for cell in run.nb.cells:
            said = [out for out in cell.get("outputs", ()) if out.get("name") == "stderr"]
            if cell.metadata.get("nbgrader", {}).get("grade"):
                assert not said, "nbgrader gives no points for a test that writes to stderr"

    def test_solved_keeps_its_promises_on_time_and_memory(self, source):
        run = executed(source, True)
        assert not run.errors
        budget = read_chapter(source).header["budget_seconds"]
        # the budget is wall seconds on two quiet cores: a busy machine stretches the wall seconds
        # only, a second core the CPU seconds only; half as much again for a slower machine
        assert min(run.seconds, run.cpu_seconds) <= 1.5 * budget
        assert run.peak_rss <= 2 * 2**30
        slowest = max(run.cells, key=lambda cell: cell.cpu_seconds)
        assert slowest.cpu_seconds <= 2 * NBGRADER_SECONDS, f"split cell {slowest.number}"

    def test_untouched_fails_in_its_check_cells_and_nowhere_else(self, source):
        checks = [cell.grade_id for cell in read_chapter(source).role("check")]
        run = executed(source, False)
        assert [error.grade_id for error in run.errors] == checks, "\n".join(map(str, run.errors))
        # a rehearsal: training and timing take a moment, and half as much again for a slow machine
        assert min(run.seconds, run.cpu_seconds) <= 1.5 * REHEARSAL_SECONDS
