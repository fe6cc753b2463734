"""The round trip with the real nbgrader and its stock configuration: release, grade, feedback."""

import csv
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from notebooks.mini import write_mini

from lightcourse.authoring import build_instructor_source, build_notebook

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
# nbgrader calls the program alembic by name, and fails where the environment is not activated
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
CHAPTERS = sorted((ROOT / "solutions").glob("*.py"))
# stock: a course needs a name, and nothing else is set
STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "light"\n'
HIDE_TESTS = STOCK + (
    "c.GenerateFeedback.preprocessors = [\n"
    '    "nbgrader.preprocessors.GetGrades",\n'
    '    "nbgrader.preprocessors.ClearHiddenTests",\n'
    '    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",\n'
    "]\n"
)


def nbgrader(course: Path, *arguments: str) -> str:
    """Run nbgrader in a course and return what it said; its warnings are not our business."""
    home = course / "home"
    env = {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "LIGHTCOURSE_HOME": str(home / "lightcourse"),
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(ROOT),
        "PATH": PATH,
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=env,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def release(course: Path, source: Path) -> str:
    """Put a chapter's source notebook into a course, release it, and return the release's text."""
    name = source.stem
    (course / "nbgrader_config.py").write_text(STOCK)
    folder = course / "source" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.ipynb").write_text(build_instructor_source(source), encoding="utf-8")
    nbgrader(course, "generate_assignment", name)
    return (course / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")


def submit(course: Path, name: str, student: str, text: str, edit=None) -> None:
    """Hand in a notebook, after the student's edit of its cells by grade_id."""
    notebook = nbformat.reads(text, as_version=4)
    if edit:
        edit({c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata})
    path = course / "submitted" / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def grades(course: Path, name: str) -> dict[str, dict[str, tuple]]:
    """Read {student: {grade_id: (automatic score, needs a person)}} from the gradebook."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("PATH", PATH)
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
            return {
                one.student.id: {
                    grade.name: (grade.auto_score, grade.needs_manual_grade)
                    for grade in one.notebooks[0].grades
                }
                for one in book.assignment_submissions(name)
            }


def answers(text: str, student_text: str):
    """An edit that types an instructor's answers into the student notebook's answer cells."""
    solved = {
        c.metadata.nbgrader.grade_id: c.source
        for c in nbformat.reads(text, as_version=4).cells
        if "nbgrader" in c.metadata and c.metadata.nbgrader.solution
    }

    def edit(cells):
        for grade_id, source in solved.items():
            cells[grade_id].source = source

    return edit


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Path:
    """The mini chapter, released to four students, graded, with feedback and an export."""
    course = tmp_path_factory.mktemp("course")
    source = write_mini(tmp_path_factory.mktemp("checkout"))
    assert release(course, source) == build_notebook(source)
    released, solved = build_notebook(source), build_instructor_source(source)

    def hand_in(student, edit=None, text=released):
        submit(course, "98_twice", student, text, edit)

    def wrong(cells):
        answers(solved, released)(cells)
        cells["98-double"].source = "def double(x):\n    return 6"  # right for the visible case

    def tampered(cells):
        answers(solved, released)(cells)
        cells["98-total"].source = "def total(xs):\n    return 7"
        cells["98-total-check"].source = "pass"

    hand_in("solved", answers(solved, released))
    hand_in("untouched")
    hand_in("wrong", wrong)
    hand_in("tampered", tampered)
    nbgrader(course, "autograde", "98_twice")
    nbgrader(course, "generate_feedback", "98_twice")
    shutil.move(course / "feedback", course / "stock_feedback")
    (course / "nbgrader_config.py").write_text(HIDE_TESTS)
    nbgrader(course, "generate_feedback", "98_twice")
    nbgrader(course, "export")
    return course


def test_scores_are_full_zero_and_partial(graded):
    found = grades(graded, "98_twice")
    full, pending = (2.0, False), (None, True)
    assert found["solved"] == {
        "98-double-check": full,
        "98-total-check": (3.0, False),
        "98-explain-1": pending,
    }
    assert found["untouched"] == {
        "98-double-check": (0.0, False),
        "98-total-check": (0.0, False),
        "98-explain-1": (0.0, False),
    }
    assert found["wrong"] == {**found["solved"], "98-double-check": (0.0, False)}
    assert found["tampered"] == {**found["solved"], "98-total-check": (0.0, False)}


def test_export_has_one_row_a_student(graded):
    with (graded / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    scores = {student: float(row["raw_score"]) for student, row in rows.items()}
    assert scores == {"solved": 5, "untouched": 0, "wrong": 3, "tampered": 2}
    assert {float(row["max_score"]) for row in rows.values()} == {9}


def test_stock_feedback_leaks_hidden_tests_and_one_setting_stops_it(graded):
    """nbgrader #917: the autograded notebook holds the whole test, and stock feedback shows it.

    ClearHiddenTests takes it out of the cell; a traceback would still quote the line that failed,
    so a hidden test has to fail without one, as hidden_check does.
    """
    page = "wrong/98_twice/98_twice.html"
    stock = (graded / "stock_feedback" / page).read_text(encoding="utf-8")
    closed = (graded / "feedback" / page).read_text(encoding="utf-8")
    for hidden in ("BEGIN HIDDEN TESTS", "secret_seed"):
        assert hidden in stock and hidden not in closed
    assert "98.double is not right for other numbers" in closed, "the reason stays"
    assert "(Score: 0.0 / 2.0)" in closed and "(Score: 3.0 / 3.0)" in closed


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda path: path.stem)
def test_nbgrader_releases_what_we_build(tmp_path, source):
    """Cells, metadata and even bytes of nbgrader's release are those of course/."""
    assert release(tmp_path, source) == build_notebook(source)


@pytest.mark.skipif(not CHAPTERS, reason="there is no chapter yet")
def test_first_chapter_is_graded_full_and_zero(tmp_path):
    source = CHAPTERS[0]
    released = release(tmp_path, source)
    solved = build_instructor_source(source)
    submit(tmp_path, source.stem, "solved", released, answers(solved, released))
    submit(tmp_path, source.stem, "untouched", released)
    nbgrader(tmp_path, "autograde", source.stem)
    points = {
        c.metadata.nbgrader.grade_id: float(c.metadata.nbgrader.points)
        for c in nbformat.reads(released, as_version=4).cells
        if c.metadata.get("nbgrader", {}).get("grade")
    }
    found = grades(tmp_path, source.stem)
    assert found["untouched"] == dict.fromkeys(points, (0.0, False))
    assert found["solved"] == {
        one: (None, True) if "-explain-" in one else (worth, False) for one, worth in points.items()
    }
