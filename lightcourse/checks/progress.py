"""What the learner has done so far, as a table with a bar for each chapter.

Needs no torch, so that `lightcourse progress` answers at once.
"""

from __future__ import annotations

from lightcourse.checks.book import book
from lightcourse.checks.chapters import outline


def where_you_are(id: str) -> str:
    """One sentence after a passed check: how much of the chapter is done, and what is next."""
    number = id.split(".", 1)[0]
    if number not in outline():
        return ""
    exercises = outline()[number].exercises
    entries = book().read()["exercises"]
    left = [pair for pair in exercises if "passed" not in entries.get(pair[0], {})]
    if not left:
        return (
            f"All exercises of chapter {number} are right. What is left is at its end: the Explain"
            " questions. `progress()` shows the whole course."
        )
    done = len(exercises) - len(left)
    stop = "" if left[0][1].endswith(("?", "!", ".")) else "."
    return (
        f"Chapter {number}: {done} of {len(exercises)} done. Next: {left[0][0]}, {left[0][1]}{stop}"
    )


def progress() -> Board:
    """Your progress: a table with a bar for each chapter."""
    return Board()


class Board:
    """The table that progress() shows."""

    def __repr__(self) -> str:
        return render()

    def _repr_html_(self) -> str:
        from lightcourse.checks.html import bar, block, table

        rows = []
        for number, title, done, total in _rows():
            rows.append(
                (f"{number} {title}", f"<span>{bar(done, total)} &nbsp;{done} of {total}</span>")
            )
        body = table(rows) + "".join(f"<p>{line}</p>" for line in _notes())
        return block("note", "Your progress", "", body)


def render() -> str:
    """Progress as text, a bar for each chapter; imports no torch."""
    rows = _rows()
    wide = max((len(title) for _, title, _, _ in rows), default=0)
    lines = ["Your progress"]
    for number, title, done, total in rows:
        full = round(20 * done / total) if total else 0
        lines.append(
            f"  {number} {title:<{wide}}  {'█' * full}{'░' * (20 - full)}  {done} of {total}"
        )
    return "\n".join([*lines, *("  " + line for line in _notes())])


def _rows() -> list[tuple[str, str, int, int]]:
    done = {id for id, entry in book().read()["exercises"].items() if "passed" in entry}
    return [
        (
            number,
            chapter.title,
            sum(id in done for id, _ in chapter.exercises),
            len(chapter.exercises),
        )
        for number, chapter in outline().items()
    ]


def _notes() -> list[str]:
    """The next open exercise, and how many predictions were made."""
    data = book().read()
    notes = []
    for chapter in outline().values():
        left = [
            pair for pair in chapter.exercises if "passed" not in data["exercises"].get(pair[0], {})
        ]
        if left:
            notes.append(f"Next: {left[0][0]}, {left[0][1]}")
            break
    if guesses := len(data["predictions"]):
        notes.append(f"Predictions made: {guesses}")
    return notes
