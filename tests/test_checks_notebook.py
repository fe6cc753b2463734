"""`lightcourse check FILE.ipynb`, and how a check looks from inside a real kernel."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from lightcourse.checks.book import book
from lightcourse.checks.notebook import check_notebook, examine_notebook
from lightcourse.errors import UserError

GOOD = "def map_bytes(n, c, h, w, bits=32):\n    return n * c * h * w * bits // 8"
WRONG = "def map_bytes(n, c, h, w, bits=32):\n    return n * c * h * w"
CHECK = 'check("00.bytes", map_bytes)'
IMPORTS = "from lightcourse import check"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LIGHTCOURSE_NO_RECORD", raising=False)


def write(folder: Path, *sources, metadata=None, test=CHECK):
    """A notebook of chapter 00 with these cells and its check cell."""
    cells = [new_code_cell(source) for source in (IMPORTS, *sources)]
    cells.append(new_code_cell(test))
    cells[-1].metadata["nbgrader"] = {
        "grade": True,
        "solution": False,
        "grade_id": "00-bytes-check",
    }
    about = {"lightcourse": {"chapter": "00"}} if metadata is None else metadata
    path = folder / "mine.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=about), path)
    return path


def test_a_right_notebook(tmp_path, capsys):
    assert check_notebook(write(tmp_path, GOOD)) == 0
    out = capsys.readouterr().out
    assert "✓ 00.bytes" in out and "1 of 1 right." in out
    assert "passed" in book().read()["exercises"]["00.bytes"]


def test_a_wrong_notebook_gets_its_diagnosis(tmp_path, capsys):
    assert check_notebook(write(tmp_path, WRONG)) == 1
    out = capsys.readouterr().out
    assert "You count values, not bytes." in out and "0 of 1 right." in out
    assert book().read()["exercises"]["00.bytes"]["mistakes"] == {"values-not-bytes": 1}


def test_the_learners_object_is_judged_under_the_name_that_they_check(tmp_path):
    path = write(tmp_path, GOOD.replace("map_bytes", "mine"), test='check("00.bytes", mine)')
    assert examine_notebook(path).passed


def test_the_test_cell_itself_is_never_run(tmp_path):
    path = write(tmp_path, GOOD, test=f"{CHECK}\nopen('ran', 'w')\nraise SystemExit")
    assert examine_notebook(path).passed
    assert not (tmp_path / "ran").exists()


def test_an_error_in_one_cell_does_not_stop_the_others(tmp_path):
    assert examine_notebook(write(tmp_path, "1 / 0", GOOD)).passed
    report = examine_notebook(write(tmp_path, "raise ValueError('early')"))
    assert report.verdicts[0].mistake == "not-defined"
    assert "name 'map_bytes' is not defined" in str(report)
    assert "code cell 2 stopped with ValueError: early" in str(report)


def test_an_error_is_reported_at_the_learners_line(tmp_path):
    report = examine_notebook(
        write(tmp_path, "def map_bytes(n, c, h, w, bits=32):\n    return n.no")
    )
    assert "line 2" in str(report) and "return n.no" in str(report)


def test_cells_that_draw_train_or_come_later_are_left_out(tmp_path, capsys):
    drawing = "import matplotlib.pyplot as plt\nplt.figure()\nopen('drawn', 'w')"
    helper = "plt.close('all')\neight = 8"
    good = GOOD.replace("// 8", "// eight")
    later = "open('later', 'w')\nwhile True: pass"
    path = write(tmp_path, drawing, helper, good, "hint('00.bytes')\nopen('hinted', 'w')", later)
    assert check_notebook(path, timeout=60) == 0, "a drawing cell runs for the names it makes"
    assert not [name for name in ("later", "hinted") if (tmp_path / name).exists()]
    assert "running 4 of 6 cells" in capsys.readouterr().out
    assert (tmp_path / "drawn").exists(), "its import is needed by the cell that makes eight"
    free = "viz.get_scene('channel-shuffle')\nopen('shown', 'w')"
    assert examine_notebook(write(tmp_path, free, GOOD)).passed
    assert not (tmp_path / "shown").exists()


def test_prints_and_magics_are_no_problem(tmp_path):
    assert examine_notebook(write(tmp_path, "print('x' * 10**6)", "%time 1", GOOD)).passed


def test_a_notebook_that_never_ends(tmp_path):
    report = examine_notebook(write(tmp_path, "while True: pass"), timeout=8)
    assert not report.passed
    assert "still running after 8 seconds, in cell 2" in str(report)


def test_a_notebook_that_kills_its_process(tmp_path):
    report = examine_notebook(write(tmp_path, "import os\nos._exit(0)", GOOD))
    assert not report.passed
    assert "process stopped in cell 2" in str(report)


def test_lost_metadata_is_found_again_by_the_cell_ids(tmp_path):
    assert examine_notebook(write(tmp_path, GOOD, metadata={})).passed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no readable notebook"),
        ("{", "no readable notebook"),
        ("[]", "no readable notebook"),
        ('{"cells": 3}', "no readable notebook"),
        ('{"cells": [{"cell_type": "code"}]}', "no readable notebook"),
        ("[" * 200_000, "no readable notebook"),
        ('{"cells": []}', "not a notebook of this course"),
        ('{"cells": [], "metadata": {"lightcourse": {"chapter": "77"}}}', "not a notebook of this"),
        ('{"cells": [], "metadata": {"lightcourse": 5}}', "not a notebook of this course"),
    ],
)
def test_files_that_are_not_ours(tmp_path, content, words):
    path = tmp_path / "odd.ipynb"
    path.write_text(content)
    with pytest.raises(UserError, match=words) as caught:
        check_notebook(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.ipynb", "."])
def test_files_that_are_not_there(tmp_path, name):
    with pytest.raises(UserError, match="there is no file"):
        check_notebook(tmp_path / name)


def test_binary_files_are_refused(tmp_path):
    path = tmp_path / "odd.ipynb"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="no readable notebook"):
        check_notebook(path)


def outputs_of(*sources, tmp_path):
    cells = [new_code_cell(source) for source in sources]
    notebook = new_notebook(cells=cells)
    client = NotebookClient(
        notebook, allow_errors=True, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    return [cell.outputs for cell in notebook.cells]


def test_in_a_kernel(tmp_path):
    crash = "def map_bytes(n, c, h, w, bits=32):\n    return n.no"
    _, passed, later, _, failed, _, crashed, hinted = outputs_of(
        f"{IMPORTS}, hint\n{GOOD}",
        f"result = {CHECK}\nresult",
        "result",
        WRONG,
        CHECK,
        crash,
        CHECK,
        'hint("00.bytes", 1)',
        tmp_path=tmp_path,
    )
    assert [o.output_type for o in passed] == ["display_data"], "a pass is shown once"
    assert "text/html" in passed[0].data and "✓" in passed[0].data["text/plain"]
    assert [o.output_type for o in later] == ["display_data"], "and again when asked for later"
    html, error = failed
    assert "You count values, not bytes." in html.data["text/html"]
    assert error.output_type == "error" and error.ename == "CheckFailed"
    assert len(error.traceback) == 1 and "00.bytes" in error.traceback[0]
    assert "your cell, line 2, in map_bytes:   return n.no" in crashed[0].data["text/plain"]
    assert "engine.py" not in json.dumps(crashed)
    assert "Hint 1 of 3" in hinted[0].data["text/html"]
