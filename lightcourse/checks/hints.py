"""The hint ladder and the model solution."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lightcourse.checks.book import book
from lightcourse.checks.chapters import find_exercise
from lightcourse.checks.desk import recording
from lightcourse.checks.edition import course_settings, roots
from lightcourse.checks.exercise import Exercise
from lightcourse.checks.html import block, code, paragraphs, quiet

_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"


@dataclass(frozen=True)
class Note:
    """Something to read: shown as a block in a notebook, as text elsewhere."""

    title: str
    text: str
    body: str  # the HTML

    def __repr__(self) -> str:
        return f"{self.title}\n{self.text}"

    def _repr_html_(self) -> str:
        return block("note", self.title, "", self.body)


def hint(id: str, rung: int | None = None) -> Note:
    """The hint ladder of an exercise, or one rung of it: hint("02.chain"), hint("02.chain", 2).

    A rung that is not there gives the nearest one.

    Raises:
        UserError: there is no such exercise.
    """
    exercise = find_exercise(id)
    if not course_settings()["hints"]:
        return _plain(f"Hints for {id}", "Hints are switched off in this edition of the course.")
    if not exercise.hints:
        return _plain(f"Hints for {id}", "This exercise has no hints.")
    if rung is None:
        _record(id, "hints")
        return _ladder(exercise)
    number = min(max(1, int(rung)), len(exercise.hints))
    _record(id, f"hint {number}")
    found = exercise.hints[number - 1]
    title = f"Hint {number} of {len(exercise.hints)} for {id}: {found.when}"
    more = (
        f'Still stuck? `hint("{id}", {number + 1})`'
        if number < len(exercise.hints)
        else (f'That was the last hint. `solution("{id}")` shows a model solution.')
    )
    return Note(title, f"{found.text}\n\n{more}", paragraphs(found.text) + paragraphs(more))


def solution(id: str) -> Note:
    """The model solution of an exercise; in a class edition one sentence that it is not here.

    Raises:
        UserError: there is no such exercise.
    """
    exercise = find_exercise(id)
    title = f"A model solution of {id}"
    if not course_settings()["solutions"]:
        text = "Solutions are switched off in this class edition; the hints are there: "
        return _plain(title, text + f'hint("{id}").')
    text = _region(exercise)
    if text is None:
        return _plain(title, "The model solutions are not part of this copy of the course.")
    _record(id, "solution")
    after = "Compare it with yours. Which of the two would you rather read in a year?"
    return Note(title, f"{text}\n\n{after}", code(text) + paragraphs(after))


def _region(exercise: Exercise) -> str | None:
    """The solution region of the exercise's cell in solutions/NN_*.py, or None."""
    cell_id = exercise.id.replace(".", "-")
    for root in roots():
        for path in sorted((root / "solutions").glob(f"{exercise.chapter}_*.py")):
            for cell in re.split(r"^(?=# %%)", path.read_text(encoding="utf-8"), flags=re.M):
                head, _, body = cell.partition("\n")
                if f'"{cell_id}"' in head and _BEGIN in body:
                    kept = [
                        line for line in body.splitlines() if line.strip() not in (_BEGIN, _END)
                    ]
                    return "\n".join(kept).strip("\n")
    return None


def _ladder(exercise: Exercise) -> Note:
    id = exercise.id
    title = f"Hints for {id} · {exercise.title}"
    lines = [f"  {i}. {h.when}" for i, h in enumerate(exercise.hints, 1)]
    text = "\n".join(["Open the one that fits:", *lines, f'hint("{id}", 1) shows the first.'])
    body = "".join(
        quiet(f"{i}. {h.when}", paragraphs(h.text)) for i, h in enumerate(exercise.hints, 1)
    )
    return Note(title, text, paragraphs("Open the one that fits.") + body)


def _plain(title: str, text: str) -> Note:
    return Note(title, text, paragraphs(text))


def _record(id: str, what: str) -> None:
    if recording():
        book().record_help(id, what)
