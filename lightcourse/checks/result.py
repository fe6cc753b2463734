"""The result of a check, and how it looks as text and as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lightcourse.checks.display import echo
from lightcourse.checks.edition import course_settings
from lightcourse.checks.exercise import Case, Exercise, Outcome
from lightcourse.checks.html import block, code, paragraphs, prose, quiet, table
from lightcourse.checks.show import call_text, short


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What a check found; a passed result has no mistake.

    mistake is an id of the exercise's list or a generic one ("raises", "wrong-shape", …), None when
    the wrong answer fits no known mistake. counts is (failed cases, cases). hint is the rung that
    helps, law the name of the law that is broken. A hidden result shows no inputs, answers, prints.
    """

    exercise: Exercise
    passed: bool
    mistake: str | None = None
    message: str = ""
    outcome: Outcome | None = None
    counts: tuple[int, int] = (0, 0)
    hint: int | None = None
    law: str = ""
    hidden: bool = False

    @property
    def case(self) -> Case | None:
        """The first failing case."""
        return self.outcome.case if self.outcome is not None else None

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return _text(self)

    def _repr_html_(self) -> str:
        return _html(self)

    def _ipython_display_(self) -> None:
        if not (self.hidden and self.passed):
            echo(self)


class CheckFailed(AssertionError):
    """A check that did not pass; a notebook shows one friendly line in place of the stack."""

    def __init__(self, result: CheckResult, *, shown: bool = False):
        self.result = result
        self._shown = shown
        said = f"✗ {result.exercise.id} is not right yet: see above."
        super().__init__(said if shown else _text(result))

    def _render_traceback_(self) -> list[str]:
        """What IPython prints: the report, or one line when it stands above already."""
        first, *rest = str(self).splitlines()
        return [f"\x1b[31m{first}\x1b[0m", *rest]


def _headline(result: CheckResult) -> str:
    mark = "✓" if result.passed else "✗"
    return f"{mark} {result.exercise.id} · {result.exercise.title}"


def _summary(result: CheckResult) -> str:
    failed, total = result.counts
    if result.passed:
        laws = len(result.exercise.laws)
        parts = [f"{total} case{'s' * (total != 1)}"] if total else []
        parts += [f"{laws} law{'s' * (laws != 1)}"] if laws else []
        return " and ".join(parts) + (" hold" if total + laws > 1 else " holds")
    return f"{failed} of {total} cases fail" if failed and total > 1 else ""


def _next_step(result: CheckResult) -> str:
    """The command that opens the right hint, or ''."""
    if result.passed or not result.exercise.hints or not course_settings()["hints"]:
        return ""
    rung = f", {result.hint}" if result.hint else ""
    return f'hint("{result.exercise.id}"{rung})'


def _facts(result: CheckResult) -> list[tuple[str, str]]:
    """Rows of the failing case: the call, what was wanted, what came; () when hidden."""
    outcome = result.outcome
    if result.hidden or outcome is None or result.mistake == "not-implemented":
        return []
    rows = [] if result.law else [("call", call_text(result.exercise, outcome.case))]
    if outcome.case.label:
        rows.append(("case", outcome.case.label))
    if outcome.error is not None or result.law:
        return rows
    found = outcome.difference
    said, kinds = (found.text, found.kind == "dtype") if found is not None else ("", False)
    rows += [("wanted", short(outcome.want, kinds)), ("got", short(outcome.got, kinds))]
    # these two say nothing that the rows above do not show
    if said not in ("", "the numbers differ", "the values differ") and said not in result.message:
        rows.append(("so", said))
    return rows


def _trail(result: CheckResult) -> list[str]:
    """The learner's own lines, outermost first, at most four."""
    found = result.outcome.blame if result.outcome is not None else ()
    shown = found if len(found) <= 4 else (*found[:1], *found[-3:])
    lines = []
    for spot in shown:
        where = f"{spot.file}, line {spot.line}" + (f", in {spot.function}" * bool(spot.function))
        lines.append(where + (f":   {spot.source}" if spot.source else ""))
    return lines


def _printed(result: CheckResult) -> str:
    return "" if result.hidden or result.outcome is None else result.outcome.printed.rstrip()


def _text(result: CheckResult) -> str:
    lines = [_headline(result) + (f": {_summary(result)}" if _summary(result) else "")]
    if result.message:
        lines += [result.message]
    if trail := _trail(result):
        lines += ["", *("  " + line for line in trail)]
    if rows := _facts(result):
        lines.append("")
        for name, value in rows:
            lines.append(f"  {name:<7} " + value.replace("\n", "\n" + " " * 10))
    if printed := _printed(result):
        lines += ["", "  Your code printed:", *("    " + line for line in printed.splitlines())]
    if step := _next_step(result):
        lines += ["", f"Stuck? {step}"]
    return "\n".join(lines)


def _html(result: CheckResult) -> str:
    exercise = result.exercise
    parts = [paragraphs(result.message)] if result.message else []
    parts += [code(line) for line in _trail(result)]
    picture = _picture(result)
    found = result.outcome.difference if result.outcome is not None else None
    # two grids with their numbers say it better than two printed tensors, but show no dtype
    grids = picture and exercise.picture is None and not (found and found.kind == "dtype")
    drawn = ("wanted", "got") if grids else ()
    rows = [(name, value) for name, value in _facts(result) if name not in drawn]
    if rows:
        words = ("so", "case")
        parts.append(table([(name, prose(v) if name in words else code(v)) for name, v in rows]))
    parts.append(picture)
    if printed := _printed(result):
        parts.append(quiet("What your code printed", code(printed)))
    if step := _next_step(result):
        if result.hint:
            rung = exercise.hints[result.hint - 1]
            parts.append(quiet(f"Hint {result.hint}: {rung.when}", paragraphs(rung.text)))
        parts.append(paragraphs(f"Stuck? Run `{step}`"))
    mark = "pass" if result.passed else "fail"
    return block(mark, f"{exercise.id} · {exercise.title}", _summary(result), "".join(parts))


def _picture(result: CheckResult) -> str:
    """The target drawn beside the learner's answer; '' where there is nothing to draw."""
    from lightcourse.checks.pictures import beside

    outcome = result.outcome
    if result.hidden or outcome is None or outcome.error is not None or result.law:
        return ""
    draw: Any = result.exercise.picture or (lambda case, got, want: beside(got, want))
    try:
        drawing = draw(outcome.case, outcome.got, outcome.want)
        return _as_html(drawing)
    except Exception as error:
        # a picture that fails on an odd answer must never hide the diagnosis
        return paragraphs(f"(No picture: {type(error).__name__} while drawing your answer.)")


def _as_html(drawing: Any) -> str:
    if drawing is None or isinstance(drawing, str):
        return drawing or ""
    if hasattr(drawing, "_repr_html_"):
        return drawing._repr_html_()
    return drawing._repr_mimebundle_()["text/html"]
