"""What a learner calls: check, hint, solution, predict, reveal, progress; and their file."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lightcourse.checks import (
    CheckFailed,
    Prediction,
    check,
    hidden_check,
    hint,
    predict,
    progress,
    reveal,
    run_check,
    solution,
)
from lightcourse.checks import book as book_module
from lightcourse.checks.book import Book, book
from lightcourse.checks.predictions import _revealed, _session
from lightcourse.checks.progress import render
from lightcourse.errors import UserError

ROOT = Path(__file__).parents[1]


def right(n, c, h, w, bits=32):
    return n * c * h * w * bits // 8


def counts_values(n, c, h, w, bits=32):
    return n * c * h * w


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    """A learner with an empty progress file, in a folder of their own."""
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    for name in ("NBGRADER_EXECUTION", "NBGRADER_VALIDATING", "LIGHTCOURSE_NO_RECORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("LIGHTCOURSE_SOLUTIONS", raising=False)
    monkeypatch.chdir(tmp_path)
    _session.clear()
    _revealed.clear()
    return tmp_path


def entries(table="exercises"):
    return json.loads(book().path.read_text())[table]


def test_a_right_answer_is_shown_and_recorded(capsys):
    assert check("00.bytes", right).passed
    assert "✓ 00.bytes" in capsys.readouterr().out
    assert entries()["00.bytes"]["attempts"] == 1
    assert "passed" in entries()["00.bytes"]


def test_a_wrong_answer_raises_with_the_whole_report():
    with pytest.raises(CheckFailed) as caught:
        check("00.bytes", counts_values)
    assert "You count values, not bytes." in str(caught.value)
    assert "wanted  24" in str(caught.value)
    assert "\n".join(caught.value._render_traceback_()).count("Traceback") == 0
    assert entries()["00.bytes"]["mistakes"] == {"values-not-bytes": 1}
    assert "passed" not in entries()["00.bytes"]


def test_a_pass_stays_a_pass():
    check("00.bytes", right)
    first = entries()["00.bytes"]["passed"]
    with pytest.raises(CheckFailed):
        check("00.bytes", counts_values)
    assert entries()["00.bytes"]["passed"] == first


def test_hidden_checks_show_and_record_nothing(capsys):
    assert hidden_check("00.bytes", right, seed=7).passed
    assert capsys.readouterr().out == ""
    with pytest.raises(CheckFailed) as caught:
        hidden_check("00.bytes", counts_values, seed=7)
    assert "You count values" in str(caught.value)
    assert "wanted" not in str(caught.value) and "map_bytes(" not in str(caught.value)
    assert not book().path.exists()


@pytest.mark.parametrize("name", ["NBGRADER_EXECUTION", "NBGRADER_VALIDATING"])
def test_nothing_is_recorded_while_nbgrader_runs(monkeypatch, name):
    monkeypatch.setenv(name, "autograde")
    check("00.bytes", right)
    hint("00.bytes", 1)
    predict("00.p1", "smaller")
    assert not book().path.exists()
    assert "You said: smaller." in repr(reveal("00.p1"))


def test_hint_ladder_and_rungs():
    ladder = hint("00.bytes")
    assert ladder._repr_html_().count("<details") == 3
    assert "1. I do not know where to begin" in repr(ladder)
    assert "a byte is eight of those" not in repr(ladder)
    rung = hint("00.bytes", 2)
    assert "a byte is eight of those" in repr(rung)
    assert 'hint("00.bytes", 3)' in repr(rung)
    assert "Hint 3 of 3" in repr(hint("00.bytes", 99))
    assert entries()["00.bytes"]["help"] == {"hints": 1, "hint 2": 1, "hint 3": 1}


def test_solution_comes_from_the_chapter_file():
    note = solution("00.bytes")
    assert "def map_bytes(" in repr(note)
    assert "SOLUTION" not in repr(note)
    names: dict = {}
    exec(repr(note).split("\n", 1)[1].rsplit("\n\n", 1)[0], names)
    assert names["map_bytes"](2, 3, 4, 5, bits=16) == 240
    assert entries()["00.bytes"]["help"] == {"solution": 1}


def test_a_class_edition_closes_solutions(desk, monkeypatch):
    (desk / "course").mkdir()
    settings = desk / "course" / "course.json"
    settings.write_text('{"edition": "class", "solutions": false}')
    assert "switched off in this class edition" in repr(solution("00.bytes"))
    settings.write_text('{"solutions": false, "hints": false}')
    assert "switched off" in repr(hint("00.bytes"))
    assert "hint" not in repr(run_check("00.bytes", counts_values)).lower()
    assert "Look at the unit" not in run_check("00.bytes", counts_values)._repr_html_()
    settings.write_text('{"solutions": fal')
    assert "switched off" in repr(solution("00.bytes")), "a broken file must not open solutions"
    settings.write_text("[]")
    assert "switched off" in repr(solution("00.bytes"))
    settings.unlink()
    assert "def map_bytes" in repr(solution("00.bytes"))
    monkeypatch.setenv("LIGHTCOURSE_SOLUTIONS", "off")
    assert "switched off" in repr(solution("00.bytes"))


def test_a_copy_without_solutions_says_so(monkeypatch):
    monkeypatch.setattr("lightcourse.checks.hints.roots", lambda: [Path.cwd()])
    assert "not part of this copy" in repr(solution("00.bytes"))


def test_dots_are_a_reminder_and_a_missing_guess_is_asked_for():
    assert "in place of the dots" in repr(predict("00.p1", ...))
    assert "Make your guess first" in repr(reveal("00.p1"))
    assert not book().path.exists()


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        ("smaller", "a quarter of the positions, true"),
        ("ABOUT the same", "2.7 × 4 = 10.7"),
        ("about 3 times larger", "right for the number of values"),
        ("more than 10 times larger", "You saw both effects"),
    ],
)
def test_each_guess_has_its_own_reply(guess, words):
    predict("00.p1", guess)
    assert words in repr(reveal("00.p1"))
    assert "The answer: more than 10 times larger." in repr(reveal("00.p1"))


def test_a_guess_after_the_answer_is_not_told_to_wait_for_it():
    assert "further down" in str(predict("02.p1", 12))
    reveal("02.p1")
    said = str(predict("02.p1", 13))
    assert "Run reveal again" in said and "further down" not in said


def test_the_first_guess_is_kept_with_later_ones():
    predict("00.p1", "smaller")
    assert "Your first guess" not in repr(predict("00.p1", "smaller"))
    assert "Your first guess was smaller" in repr(predict("00.p1", "about the same"))
    entry = entries("predictions")["00.p1"]
    assert entry["first"] == "smaller" and entry["later"] == ["about the same"]
    _session.clear()  # another kernel, another day
    assert "You said: about the same." in repr(reveal("00.p1"))


@pytest.mark.parametrize("guess", ["much larger", 3, [1, 2], object()])
def test_a_guess_outside_the_choices_lists_them(guess):
    assert '"about the same"' in repr(predict("00.p1", guess))


def test_progress_counts_chapters():
    assert re.search(r"00 Start here +░{20}  0 of 1", repr(progress()))
    assert "Next: 00.bytes" in render()
    check("00.bytes", right)
    assert re.search(r"00 Start here +█{20}  1 of 1", render())
    assert "Next: 00.bytes" not in render()
    assert 'aria-label="1 of 1 done"' in progress()._repr_html_()


def test_progress_needs_no_torch():
    code = (
        "import sys; from lightcourse.checks.progress import render; render();"
        "import lightcourse.checks.notebook; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_progress_is_a_function_even_after_its_module_is_imported():
    code = (
        "import lightcourse.checks.progress; import lightcourse;"
        "from lightcourse.checks import progress;"
        "assert callable(progress) and callable(lightcourse.progress); print(progress())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "Your progress" in done.stdout, done.stderr


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"exercises": [3]}',
        '{"exercises": {"00.bytes": 3}}',
        '{"exercises": {"00.bytes": {"attempts": []}}}',
        "\x00\xff",
    ],
)
def test_a_damaged_file_is_kept_and_said(content, capsys):
    book().path.parent.mkdir(parents=True)
    book().path.write_text(content, encoding="latin-1")
    check("00.bytes", right)
    assert entries()["00.bytes"]["attempts"] == 1
    assert book().path.with_suffix(".bak").read_text(encoding="latin-1") == content
    assert capsys.readouterr().err.count("damaged") == 1


def test_unknown_entries_survive():
    book().path.parent.mkdir(parents=True)
    book().path.write_text('{"future": 1, "exercises": {"55.x": {"passed": "then"}}}')
    check("00.bytes", right)
    data = json.loads(book().path.read_text())
    assert data["future"] == 1 and data["exercises"]["55.x"] == {"passed": "then"}


def test_a_folder_that_cannot_be_written_loses_nothing(desk, capsys, monkeypatch):
    blocked = desk / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(blocked))
    for _ in range(2):
        check("00.bytes", right)
    said = capsys.readouterr().err
    assert said.count("Progress cannot be saved") == 1 and "LIGHTCOURSE_HOME" in said
    assert "1 of 1" in render()
    assert book().read()["exercises"]["00.bytes"]["attempts"] == 2


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_loses_nothing(desk, capsys):
    (desk / "home").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    check("00.bytes", right)
    assert "Progress cannot be saved" in capsys.readouterr().err
    assert "1 of 1" in render()


def test_a_failed_write_leaves_the_old_file(monkeypatch):
    check("00.bytes", right)
    before = book().path.read_text()
    pages = Book(book().path.parent)
    monkeypatch.setattr(
        book_module.json, "dump", lambda *a, **k: (_ for _ in ()).throw(OSError("full"))
    )
    pages.record_check("00.bytes", passed=True)
    assert book().path.read_text() == before
    assert [p.name for p in before and book().path.parent.iterdir()] == ["progress.json"]


WRITER = """
import sys
from lightcourse.checks.book import book
for i in range(40):
    book().record_check(f"00.{sys.argv[1]}", passed=False)
    book().record_check("00.both", passed=False)
"""


def test_two_kernels_lose_nothing_of_each_other():
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=ROOT) for name in ("one", "two")
    ]
    assert [w.wait(60) for w in writers] == [0, 0]
    found = {id: entry["attempts"] for id, entry in entries().items()}
    assert found == {"00.one": 40, "00.two": 40, "00.both": 80}


def test_a_lock_of_a_dead_process_is_taken_over(monkeypatch):
    monkeypatch.setattr(book_module, "_STALE", 0.05)
    book().path.parent.mkdir(parents=True)
    book().path.with_suffix(".lock").touch()
    check("00.bytes", right)
    assert entries()["00.bytes"]["attempts"] == 1
    assert not book().path.with_suffix(".lock").exists()


def test_unknown_exercise_is_one_sentence():
    for call in (lambda: check("00.bites", right), lambda: hint("00.bites"), lambda: solution("x")):
        with pytest.raises(UserError, match="did you mean"):
            call()


@pytest.fixture
def pixels(monkeypatch):
    """A prediction of a number: 35 pixels, within five per cent."""
    asked = Prediction(
        id="99.p1",
        question="How many pixels?",
        truth=lambda: torch.tensor(35),
        replies={17: "You stopped half-way.", (60, 80): "You doubled."},
        other="Count again.",
        unit="pixels",
        tolerance=0.05,
    )
    monkeypatch.setattr("lightcourse.checks.predictions.find_prediction", lambda id: asked)


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        (35, "Well guessed."),
        (35.0, "Well guessed."),
        (36, "Well guessed."),
        (np.int64(35), "Well guessed."),
        (torch.tensor(35.0), "Well guessed."),
        (17, "You stopped half-way."),
        (17.0, "You stopped half-way."),
        (70, "You doubled."),
        (1_000_000, "You said: 1,000,000 pixels. The answer: 35 pixels."),
        (-3, "Count again."),
        (float("inf"), "Count again."),
    ],
)
def test_guesses_that_are_numbers(pixels, guess, words):
    assert "Noted" in repr(predict("99.p1", guess))
    assert words in repr(reveal("99.p1"))
    _session.clear()
    assert words in repr(reveal("99.p1")), "the same from the file"


def test_an_answer_that_is_a_sentence_stands_alone():
    predict("01.p2", "it moves by 1")
    said = "You said: it moves by 1. The answer: it becomes another map."
    assert said in repr(reveal("01.p2"))


def test_a_number_may_come_as_a_text_and_words_are_asked_for_digits(pixels):
    assert "in digits" in repr(predict("99.p1", "fifteen"))
    assert "in digits" in repr(predict("99.p1", "15x15"))
    assert "in digits" in repr(predict("99.p1", "inf"))
    assert "Noted: 15" in repr(predict("99.p1", " 15 "))


@pytest.mark.parametrize("guess", [50, "50", "50%", " 50 %", 50.0])
def test_an_option_may_be_typed_in_several_ways(guess):
    assert "Noted: 50 %" in repr(predict("02.p3", guess))


@pytest.mark.parametrize("guess", [float("nan"), [35], {}, torch.ones(3), predict])
def test_guesses_that_are_no_numbers(pixels, guess):
    assert "A number or a short text is enough" in repr(predict("99.p1", guess))
    assert not book().path.exists()
