"""Gates on answers: nothing of a solution reaches a student, nothing else is lost."""

from collections.abc import Iterator

from lightcourse.authoring.gates.base import Draft, Problem
from lightcourse.authoring.gates.regions import Unbalanced, regions

STUB = {
    "code": ("# YOUR CODE HERE", "raise NotImplementedError()"),
    "markdown": ("YOUR ANSWER HERE",),
}
LEAK_LENGTH = 20
# lines that say nothing about the answer although they are long
TRIVIAL = ("import ", "from ", "def ", "class ", "@", '"""', "super().__init__(")


def gate_stub_is_subset(draft: Draft) -> Iterator[Problem]:
    """Each student line other than nbgrader's stub occurs, in order, in that cell of the file.

    Reads the file's own lines, not jupytext's cells, so that it proves the build independently.
    """
    lines = draft.chapter.text.split("\n")
    ends = [cell.line for cell in draft.chapter.cells[1:]] + [len(lines) + 1]
    for (cell, student), end in zip(draft.pairs, ends, strict=True):
        rest = iter(lines[cell.line : end - 1])
        for text in student.split("\n"):
            if not text.strip() or text.strip() in STUB[cell.kind]:
                continue
            if not any(text.rstrip() in _readings(line, cell.kind) for line in rest):
                message = (
                    f"{cell}: the student's line {text.strip()!r} is not in the source there: "
                    "report this as a fault of the builder."
                )
                yield draft.problem("stub-is-subset", cell.line, message)
                break


def gate_no_leak(draft: Draft) -> Iterator[Problem]:
    """No telling line of a solution or a hidden test stands where a student can read it."""
    visible = [
        (f"cell {cell.number}, line {line}", _squeeze(text))
        for cell, student in draft.pairs
        for line, text in _student_lines(cell, student)
    ]
    if draft.facts:
        for exercise, hints in draft.facts.hints.items():
            for number, hint in enumerate(hints, start=1):
                visible.append((f"hint {number} of {exercise}", _squeeze(hint)))
    for cell in draft.chapter.role("solution", "explain", "check"):
        for line, text in _secret_lines(cell):
            for place, shown in visible:
                if _squeeze(text) in shown:
                    message = (
                        f"{cell}: the answer line {text.strip()!r} can also be read in {place}: "
                        "reword one of them."
                    )
                    yield draft.problem("no-leak", line, message)


def _secret_lines(cell) -> Iterator[tuple[int, str]]:
    kind = "hidden tests" if cell.role == "check" else "solution"
    try:
        found = regions(cell, kind)
    except Unbalanced:  # the regions gate names it
        return
    for region in found:
        for line, text in region.lines:
            bare = text.strip()
            if len(bare) > LEAK_LENGTH and not bare.startswith(TRIVIAL):
                yield line, text


def _student_lines(cell, student: str) -> Iterator[tuple[int, str]]:
    """A student's lines with their lines in the source file, as near as the text tells."""
    where = {text: line for line, text in cell.lines()}
    for text in student.split("\n"):
        yield where.get(text, cell.body), text


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _readings(line: str, kind: str) -> tuple[str, ...]:
    """What a line of the file may stand for: markdown is commented out, or in triple quotes."""
    if kind == "code":
        return (line.rstrip(),)
    return line.rstrip(), line.removeprefix("#").removeprefix(" ").rstrip()
