"""`lightcourse study`: an experiment from the command line, its log, and the log run again."""

import pytest

from lightcourse.cli import run
from lightcourse.cli.study import INTERRUPTED, _names
from lightcourse.training import studies
from lightcourse.training.experiment import Stopped, load_runs

SMALL = ["--quick", "--seeds", "2", "--images", "40", "--epochs", "1"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))


def test_a_study_prints_its_table_and_leaves_a_log_that_runs_again(tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["study", "downsampling", *SMALL, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 of 4: slow, 0.65 M, seed 0" in said and "fast, 0.65 M beats slow, 0.65 M" in said
    assert (out / "downsampling.png").stat().st_size > 5000
    first = load_runs(out / "downsampling.json")
    assert (first.seeds, first.config["fit"]["epochs"]) == ((0, 1), 1)

    assert run(["study", str(out / "downsampling.json"), "--out", str(tmp_path / "again")]) == 0
    assert "4 of 4 runs are there already" in capsys.readouterr().out
    again = load_runs(tmp_path / "again" / "downsampling.json")
    assert again.rows == first.rows and again.study == first.study


def test_the_names_are_those_of_the_studies():
    assert _names() == sorted(studies.STUDIES)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["teachers"], "no study 'teachers'; choose one of batch_norm"),
        (["shuffle"], "no study 'shuffle'; did you mean channel_shuffle? There are batch_norm"),
        (["Batch-Norm"], "did you mean batch_norm?"),
        (["downsampling", "--out", "{file}/inside"], "cannot make"),
        (["none.json"], "Cannot read none.json"),
        (["downsampling", "--out", "{file}"], "is a file; give --out a folder"),
    ],
)
def test_wrong_calls_are_told(tmp_path, capsys, words, sentence):
    file = tmp_path / "file"
    file.touch()
    assert run(["study", *(word.format(file=file) for word in words)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_stop_says_that_runs_are_kept(monkeypatch, capsys):
    def stopped(name, **_):
        raise Stopped(f"{name} stopped: 3 of 6 runs are kept; the same call goes on from there.")

    monkeypatch.setattr(studies, "run", stopped)
    assert run(["study", "downsampling"]) == INTERRUPTED
    kept = "3 of 6 runs are kept; the same call goes on from there."
    assert capsys.readouterr().err == f"lightcourse: downsampling stopped: {kept}\n"
