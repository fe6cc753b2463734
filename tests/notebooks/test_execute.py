"""Executing notebooks: a fresh private kernel, honest gauges, and every way to fail."""

import os
from pathlib import Path

import pytest
from nbformat import v4, write

from lightcourse.authoring import run_notebook
from lightcourse.errors import UserError


def notebook(*sources: str, kernel: str = "python3"):
    cells = [v4.new_code_cell(source) for source in sources]
    return v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": kernel, "display_name": ""}}
    )


def printed(run, number: int) -> str:
    return "".join(out.get("text", "") for out in run.nb.cells[number - 1].outputs)


def test_gauges_tell_what_cells_cost():
    run = run_notebook(
        notebook(
            "import os; print(os.getpid())",
            "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass",
            "block = bytearray(200_000_000); del block",
            "time.sleep(0.3)",
        )
    )
    assert run.errors == ()
    assert [cell.number for cell in run.cells] == [1, 2, 3, 4]
    assert 0.4 < run.cells[1].cpu_seconds < 2
    assert run.cells[3].seconds >= 0.3 > run.cells[3].cpu_seconds
    assert run.cpu_seconds >= 0.5 and run.seconds >= 0.8
    assert 200e6 < run.peak_rss < 1e9, "the peak counts although the block is gone"
    assert not Path(f"/proc/{int(printed(run, 1))}").exists(), "the kernel is gone"


def test_kernel_sees_private_folders_and_its_own_place(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "mine"))
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "progress"))
    names = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "LIGHTCOURSE_HOME")
    source = f"import os\nfor name in {names}: print(os.environ[name])\nprint(os.getcwd())"
    folder = tmp_path / "chapter"
    folder.mkdir()
    write(notebook(source), folder / "chapter.ipynb")
    *private, place = printed(run_notebook(folder / "chapter.ipynb"), 1).split()
    assert place == str(folder)
    assert not any(str(tmp_path) in one for one in private)
    assert not any(Path(one).exists() for one in private), "nothing stays behind"
    assert not list((tmp_path / "mine").rglob("*")), "no history, no profile"
    kept = run_notebook(notebook(source), home=tmp_path / "kept", folder=folder)
    assert printed(kept, 1).split()[3] == str(tmp_path / "kept")


@pytest.mark.parametrize(
    "source",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "import urllib.request; urllib.request.urlopen('http://example.org', timeout=5)",
    ],
)
def test_network_is_off_unless_asked_for(source):
    (error,) = run_notebook(notebook(source)).errors
    assert "no network while a chapter is executed" in error.message
    local = (
        "import socket\nwith socket.create_server(('localhost', 0)) as one:\n"
        "    socket.create_connection(one.getsockname()).close()"
    )
    assert run_notebook(notebook(local)).errors == ()


def test_network_may_be_switched_on():
    source = "import socket; socket.getaddrinfo('name.invalid', 80)"
    (error,) = run_notebook(notebook(source), network=True).errors
    assert error.name == "gaierror"


def test_it_stops_at_the_first_error_or_goes_on():
    book = notebook("1 / 0", "print('on')", "undefined")
    book.cells[2].metadata["nbgrader"] = {"grade_id": "98-x"}
    first = run_notebook(book)
    assert [str(error) for error in first.errors] == ["cell 1: ZeroDivisionError: division by zero"]
    both = run_notebook(book, allow_errors=True)
    assert [error.name for error in both.errors] == ["ZeroDivisionError", "NameError"]
    assert str(both.errors[1]).startswith("cell 3 (98-x): NameError")
    assert printed(both, 2) == "on\n"


@pytest.mark.parametrize("allow_errors", [False, True])
def test_time_limit_and_dead_kernel_are_errors_of_their_cell(allow_errors):
    slow = run_notebook(
        notebook("1", "import time; time.sleep(60)"), timeout=2, allow_errors=allow_errors
    )
    assert [(e.number, e.name) for e in slow.errors] == [(2, "CellTimeoutError")]
    assert slow.seconds < 30
    dead = run_notebook(notebook("1", "import os; os._exit(1)"), allow_errors=allow_errors)
    assert [(e.number, e.name) for e in dead.errors] == [(2, "DeadKernelError")]


def test_a_late_fault_is_not_hidden_by_an_earlier_error():
    run = run_notebook(notebook("1 / 0", "import os; os._exit(1)"), allow_errors=True)
    assert [e.name for e in run.errors] == ["ZeroDivisionError", "DeadKernelError"]


def test_progress_is_told():
    seen = []
    run_notebook(notebook("1", "2"), on_cell=lambda number, cells: seen.append((number, cells)))
    assert seen == [(1, 2), (2, 2)]


def test_wrong_kernel_and_files_that_are_no_notebooks(tmp_path):
    with pytest.raises(UserError, match=r"kernel 'conda-env-x', which is not.*python3"):
        run_notebook(notebook("1", kernel="conda-env-x"))
    with pytest.raises(UserError, match="cannot be read"):
        run_notebook(tmp_path / "gone.ipynb")
    for text in ("", "{", "[]", "3", '{"cells": 3}', '{"cells": [3], "nbformat": 4}'):
        path = tmp_path / "bad.ipynb"
        path.write_text(text)
        with pytest.raises(UserError, match="is not a notebook"):
            run_notebook(path)


def test_no_warning_settings_leak_into_the_kernel(monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    assert run_notebook(notebook("import warnings; warnings.warn('soft')")).errors == ()
    assert os.environ["PYTHONWARNINGS"] == "error"
