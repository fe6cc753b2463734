"""Predict, then reveal: a guess first, the computed truth after, and never a grade."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import Any

from lightcourse.checks.book import book
from lightcourse.checks.chapters import find_prediction
from lightcourse.checks.desk import recording
from lightcourse.checks.exercise import Prediction
from lightcourse.checks.hints import Note
from lightcourse.checks.html import paragraphs

# guesses of this kernel, so that reveal() also works where nothing is recorded
_session: dict[str, Any] = {}
_revealed: set[str] = set()  # in this kernel


def predict(id: str, answer: Any) -> Note:
    """Commit to an answer before you see the result; you may change it, the first one is kept.

    Raises:
        UserError: there is no such prediction.
    """
    asked = find_prediction(id)
    title = f"Prediction {id}: {asked.question}"
    value, complaint = _clean(asked, answer)
    if complaint:
        return _note(title, complaint)
    _session[id] = value
    changed = ""
    if recording():
        book().record_prediction(id, value)
        first = book().prediction(id)["first"]
        if not _same(asked, value, first):
            changed = f" Your first guess was {_words(asked, first)}."
    where = "Run reveal again." if id in _revealed else "The answer comes further down."
    return _note(title, f"Noted: **{_words(asked, value)}**.{changed} {where}")


def reveal(id: str) -> Note:
    """Compare your guess with the truth, which is computed now; asks for a guess if there is none.

    Raises:
        UserError: there is no such prediction.
    """
    asked = find_prediction(id)
    title = f"Prediction {id}: {asked.question}"
    value = _session.get(id, _last_recorded(id))
    if value is None:
        return _note(title, f'Make your guess first: fill in the cell with `predict("{id}", …)`.')
    _revealed.add(id)
    truth = _plain(asked.truth())
    # the two stand alone: an option may be a sentence with a verb of its own
    said = f"You said: **{_words(asked, value)}**. The answer: **{_words(asked, truth)}**."
    if _same(asked, value, truth):
        return _note(title, f"{said}\n\n{asked.right or 'Well guessed.'}")
    reply = _reply(asked, value) or asked.other or "Keep your guess in mind and read on."
    return _note(title, f"{said}\n\n{reply}")


def _last_recorded(id: str) -> Any:
    entry = book().prediction(id)
    return (entry.get("later") or [entry.get("first")])[-1]


def _clean(asked: Prediction, answer: Any) -> tuple[Any, str]:
    """(the answer in the form that is kept, "") or (None, a friendly complaint)."""
    if answer is ... or answer is None:
        what = f"one of {_choices(asked)}" if asked.options else "your guess"
        return None, f"Your turn: put {what} in place of the dots, and run the cell again."
    value = _plain(answer)
    if asked.options:
        found = [option for option in asked.options if _bare(option) == _bare(value)]
        return (found[0], "") if found else (None, f"The choices are {_choices(asked)}.")
    if asked.unit and isinstance(value, str):
        value = _number(value)
        if value is None:
            return None, f'A number in digits is wanted here, as in `predict("{asked.id}", 40)`.'
    if not isinstance(value, (int, float, str)) or value != value:
        return None, "A number or a short text is enough here."
    return value, ""


def _plain(value: Any) -> Any:
    """Numbers as int or float (also from NumPy and 0-dim tensors), anything else as it is."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, Real) and not isinstance(value, bool):
        value = float(value) if value != value or math.isinf(value) else value
        return int(value) if not isinstance(value, float) or value.is_integer() else value
    return value


def _bare(text: Any) -> str:
    """An option without what nobody should have to type alike: case, spaces, quotes, %."""
    return re.sub(r"[\s%\"']+", "", str(text).casefold())


def _number(value: str) -> int | float | None:
    """The number that a text such as "15" stands for, if it does."""
    try:
        number = float(value)
    except ValueError:
        return None
    return _plain(number) if math.isfinite(number) else None


def _same(asked: Prediction, value: Any, truth: Any) -> bool:
    if isinstance(value, Real) and isinstance(truth, Real):
        return math.isclose(value, truth, rel_tol=asked.tolerance, abs_tol=0.0)
    return str(value).casefold() == str(truth).casefold()


def _reply(asked: Prediction, value: Any) -> str:
    """The reply to this wrong guess: by value, or by the range that holds it."""
    for key, text in asked.replies.items():
        if isinstance(key, tuple):
            if isinstance(value, Real) and key[0] <= value <= key[1]:
                return text
        elif key == value or str(key).casefold() == str(value).casefold():
            return text
    return ""


def _choices(asked: Prediction) -> str:
    return ", ".join(f'"{option}"' for option in asked.options)


def _words(asked: Prediction, value: Any) -> str:
    if isinstance(value, Real) and not isinstance(value, bool):
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
        return f"{text} {asked.unit}".strip()
    return str(value)


def _note(title: str, text: str) -> Note:
    return Note(title, text.replace("**", ""), paragraphs(text))
