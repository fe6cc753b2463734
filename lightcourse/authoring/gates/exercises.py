"""Gates on exercises: their number, their pairs of cells, and the three lists that name them."""

import re
from collections.abc import Iterator

from lightcourse.authoring.gates.base import Draft, Problem
from lightcourse.authoring.gates.header import MAX_EXERCISES

# one look at the text serves code and the fences of prose alike
CALL = re.compile(r"\b(predict|reveal)\(\s*[\"']([^\"']+)[\"']")


def gate_exercise_count(draft: Draft) -> Iterator[Problem]:
    """A chapter has one to five graded exercises."""
    count = len(draft.chapter.role("solution"))
    if not 1 <= count <= MAX_EXERCISES:
        yield draft.problem(
            "exercise-count",
            1,
            f"the chapter has {count} exercises: 1 to {MAX_EXERCISES} fit into one sitting.",
        )


def gate_exercise_pairs(draft: Draft) -> Iterator[Problem]:
    """Each solution cell NN-name is followed by its check cell NN-name-check, and no other is."""
    checks = {cell.grade_id: cell for cell in draft.chapter.role("check")}
    for cell in draft.chapter.role("solution"):
        check = checks.pop(f"{cell.grade_id}-check", None)
        if check is None:
            message = f"{cell} has no check cell: add one with grade_id '{cell.grade_id}-check'."
            yield draft.problem("exercise-pairs", cell.line, message)
        elif check.number < cell.number:
            message = f"{check} comes before its exercise: move it below cell {cell.number}."
            yield draft.problem("exercise-pairs", check.line, message)
    for check in checks.values():
        message = f"{check} belongs to no exercise: name it 'NN-name-check' after a solution cell."
        yield draft.problem("exercise-pairs", check.line, message)


def gate_exercise_lists(draft: Draft) -> Iterator[Problem]:
    """Header, cells and lightcourse.checks name the same exercises; the first two in one order."""
    chapter = draft.chapter
    cells = [cell.grade_id.replace("-", ".", 1) for cell in chapter.role("solution")]
    header = chapter.header.get("exercises")
    if header != cells:
        message = f"the header lists exercises {header}: the cells are {cells}; make them agree."
        yield draft.problem("exercise-lists", 1, message)
    module = f"lightcourse/checks/chapters/ch{chapter.number}.py"
    if draft.facts is None:
        yield draft.problem("exercise-lists", 1, f"there is no {module}: write its EXERCISES.")
        return
    for one in sorted(draft.facts.hints.keys() - set(cells)):
        message = f"{module} has exercise '{one}' that no cell has: add the cell or delete it."
        yield draft.problem("exercise-lists", 1, message)
    for cell, one in zip(chapter.role("solution"), cells, strict=True):
        if one not in draft.facts.hints:
            message = f"{cell}: {module} has no exercise '{one}': add it to EXERCISES."
            yield draft.problem("exercise-lists", cell.line, message)


def gate_predictions(draft: Draft) -> Iterator[Problem]:
    """Every prediction is asked once, revealed later, and known to lightcourse.checks."""
    known = draft.facts.predictions if draft.facts else frozenset()
    asked: dict[str, int] = {}
    revealed: set[str] = set()
    for cell in draft.chapter.cells:
        if cell.kind != "code":
            continue
        for line, text in cell.lines():
            for call, one in CALL.findall(text):
                if one not in known:
                    message = f"{cell}: no prediction is called '{one}': add it to PREDICTIONS."
                    yield draft.problem("predictions", line, message)
                if call == "predict":
                    asked.setdefault(one, line)
                elif one not in asked:
                    message = f"{cell} reveals '{one}' before it is asked: move it down."
                    yield draft.problem("predictions", line, message)
                else:
                    revealed.add(one)
    for one in sorted(asked.keys() - revealed):
        message = f"'{one}' is predicted but never revealed: add reveal('{one}') below."
        yield draft.problem("predictions", asked[one], message)
    for one in sorted(known - asked.keys()):
        message = f"PREDICTIONS has '{one}' but no cell asks it: add predict('{one}', ...)."
        yield draft.problem("predictions", 1, message)
