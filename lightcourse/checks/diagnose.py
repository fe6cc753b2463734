"""Name the mistake: the exercise's own misconceptions first, then what any code can get wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lightcourse.checks.blame import blame
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case, Exercise, Law, Mistake, Outcome
from lightcourse.checks.guard import TimeUp, quietly, reseed
from lightcourse.checks.result import CheckResult
from lightcourse.checks.trial import SEED, differ, fresh

GENERIC = (
    "not-callable",
    "wrong-signature",
    "not-implemented",
    "too-slow",
    "raises",
    "returns-none",
    "wrong-type",
    "wrong-shape",
    "wrong-dtype",
    "nan",
    "mutates-input",
)


def unusable(exercise: Exercise, obj: Any) -> CheckResult | None:
    """Refuse an object that cannot even be called; None when it can."""
    if obj is ... or (obj is None and exercise.kind == "value"):
        text = f"Nothing there yet: give {exercise.target} a value, then run the check again."
        return CheckResult(exercise, False, "not-implemented", text)
    if exercise.kind == "class" and not isinstance(obj, type):
        what = (
            "an object made from it"
            if not callable(obj) or hasattr(obj, "forward")
            else "a function"
        )
        text = f"The check wants the class {exercise.target} itself, and got {what}."
        if what != "a function":
            text += " Leave out the brackets."
        return CheckResult(exercise, False, "not-callable", text)
    if exercise.kind != "value" and not callable(obj):
        text = (
            f"The check wants the function {exercise.target} itself, and got {kind_of(obj)}."
            " Pass its name without brackets."
        )
        return CheckResult(exercise, False, "not-callable", text)
    return None


def diagnose(exercise: Exercise, outcomes: Sequence[Outcome]) -> CheckResult:
    """The result for outcomes of which at least one failed."""
    failed = [o for o in outcomes if o.failed]
    first = failed[0]
    counts = (len(failed), len(outcomes))
    found = _unfinished(exercise, first)
    if found is None and (mistake := _known(exercise, outcomes)) is not None:
        return CheckResult(exercise, False, mistake.id, mistake.says, first, counts, mistake.hint)
    name, text = found or _generic(exercise, failed)
    # a wrong kind of answer says more on the case that shows it
    shown = next((o for o in failed if _names(o) == name), first)
    rung = fitting_rung(exercise, name, shown.error)
    return CheckResult(exercise, False, name, text, shown, counts, rung)


def without_secrets(result: CheckResult) -> CheckResult:
    """The same verdict in words that quote no input and no answer."""
    exercise, name = result.exercise, result.mistake
    quotes_nothing = {"not-implemented", "too-slow", "not-callable", "returns-none"}
    if result.passed or name in quotes_nothing | {mistake.id for mistake in exercise.mistakes}:
        text = result.message
    elif name in ("raises", "wrong-signature") and result.outcome is not None:
        where = f" at line {result.outcome.blame[-1].line}" if result.outcome.blame else ""
        text = f"Your code stopped{where} with {type(result.outcome.error).__name__}"
    elif result.law:
        text = f"A law does not hold: {result.law}."
    else:
        text = {
            "wrong-type": "The answer has the wrong type.",
            "wrong-shape": "The answer has the wrong shape.",
            "wrong-dtype": "The answer has the wrong dtype.",
            "nan": "The answer is not a number.",
            "mutates-input": f"{exercise.target} changes its input in place.",
        }.get(name or "", "The form is right, some values are not.")
    return replace(result, hidden=True, message=text)


def law_broken(
    exercise: Exercise, law: Law, complaint: Any, error: BaseException | None, printed: str
) -> CheckResult:
    """The result for a law that does not hold, or in which the learner's code raised."""
    if error is not None:
        outcome = Outcome(Case(label=law.name), error=error, blame=blame(error), printed=printed)
        name, text = _unfinished(exercise, outcome) or _raised(exercise, outcome)
        return CheckResult(exercise, False, name, text, outcome, hint=law.hint, law=law.name)
    outcome = Outcome(Case(), printed=printed)
    text = str(complaint)
    return CheckResult(exercise, False, law.name, text, outcome, hint=law.hint, law=law.name)


def _unfinished(exercise: Exercise, outcome: Outcome) -> tuple[str, str] | None:
    if isinstance(outcome.error, NotImplementedError):
        where = f" (line {outcome.blame[-1].line})" if outcome.blame else ""
        text = f"{exercise.target} is not written yet: put your code where it raises{where}."
        return "not-implemented", text
    if isinstance(outcome.error, TimeUp):
        text = (
            f"{exercise.target} was still computing after {outcome.error} seconds, so it was"
            " stopped. Does each loop come to an end?"
        )
        return "too-slow", text
    return None


def _known(exercise: Exercise, outcomes: Sequence[Outcome]) -> Mistake | None:
    """The first mistake that explains every answer, else the first that explains each failure."""
    failed = [o for o in outcomes if o.failed]
    passed = [o for o in outcomes if not o.failed]
    second: Mistake | None = None
    for mistake in exercise.mistakes:
        fits = _holds if mistake.matches is not None else _mimics
        if all(fits(exercise, mistake, o) for o in failed):
            if mistake.matches is not None or all(_mimics(exercise, mistake, o) for o in passed):
                return mistake
            second = second or mistake
    return second


def _holds(exercise: Exercise, mistake: Mistake, outcome: Outcome) -> bool:
    assert mistake.matches is not None
    try:
        return bool(mistake.matches(outcome))
    except Exception:
        return False  # a test written for tensors may meet None, a string, anything


def _mimics(exercise: Exercise, mistake: Mistake, outcome: Outcome) -> bool:
    """Whether the wrong function gives the learner's answer to this case (or the same error)."""
    own = fresh(outcome.case)
    reseed(SEED)
    mimic: Any = mistake.mimic
    wrong, error, _ = quietly(lambda: mimic(*own.args, **own.kwargs), exercise.seconds)
    if error is not None or outcome.error is not None:
        return type(error) is type(outcome.error)
    return differ(exercise, outcome.got, wrong) is None


def _names(outcome: Outcome) -> str:
    """The generic name of one outcome, '' when its values are simply wrong."""
    if outcome.error is not None:
        return (
            "raises"
            if outcome.blame or not isinstance(outcome.error, TypeError)
            else "wrong-signature"
        )
    kind = outcome.difference.kind if outcome.difference is not None else ""
    if kind and outcome.got is None and outcome.want is not None:
        return "returns-none"
    names = {"type": "wrong-type", "shape": "wrong-shape", "dtype": "wrong-dtype", "nan": "nan"}
    return names.get(kind, "mutates-input" if outcome.mutated and not kind else "")


def _generic(exercise: Exercise, failed: Sequence[Outcome]) -> tuple[str | None, str]:
    """The most basic thing that is wrong anywhere, in the order of GENERIC."""
    names = {_names(o): o for o in reversed(failed)}
    name = next((n for n in GENERIC if n in names), None)
    # a wrong value somewhere is worse news than a changed input
    if name is None or (name == "mutates-input" and "" in names):
        return None, _values_differ(exercise, failed[0])
    return name, _sentence(exercise, name, names[name])


def _values_differ(exercise: Exercise, outcome: Outcome) -> str:
    if exercise.kind == "function" and all(map(_on_paper, outcome.case.args)):
        return (
            "The form is right, some values are not. Work the case below by hand, and find the"
            " first step where your code and your hand differ."
        )
    return (
        "The form is right, some values are not. Print the shape and a few values after each step"
        " of your code, and find the first step that does not do what you meant."
    )


def _on_paper(value: Any) -> bool:
    """Whether a person can work with this input by hand: numbers, short lists, small tensors."""
    if isinstance(value, torch.nn.Module):
        return False
    return not isinstance(value, (torch.Tensor, np.ndarray)) or math.prod(value.shape) <= 36


def fitting_rung(exercise: Exercise, name: str | None, error: BaseException | None) -> int | None:
    """The hint for an answer that fits no known mistake, found by the words of its title."""
    if name == "raises":
        quoting = (n for n, rung in enumerate(exercise.hints, 1) if _quotes(rung.when, error))
        return next(quoting, None)
    words = {
        "not-implemented": ("do not know", "where to begin", "where to start"),
        # not "my shape is right, my values are wrong"
        "wrong-shape": ("shape is wrong", "shapes are wrong", "wrong shape"),
        "wrong-type": ("is refused", "wrong type", "float"),
        None: ("my values are wrong", "values are wrong"),
    }.get(name, ())
    for number, rung in enumerate(exercise.hints, 1):
        if any(word.casefold() in rung.when.casefold() for word in words):
            return number
    return None


def _quotes(when: str, error: BaseException | None) -> bool:
    """Whether a hint's title names this kind of error, and its message where it quotes one."""
    kind = type(error).__name__
    _, found, rest = when.partition(kind)
    quoted = rest[1:].partition(", or ")[0] if rest.startswith(":") else ""
    # word by word: torch puts its sizes between them
    said = str(error).casefold().split()
    return bool(found) and all(word in said for word in quoted.casefold().split() if word != "…")


def _sentence(exercise: Exercise, name: str, outcome: Outcome) -> str:
    target = exercise.target
    if name in ("raises", "wrong-signature"):
        return _raised(exercise, outcome)[1]
    detail = outcome.difference.text if outcome.difference is not None else ""
    return {
        "returns-none": (
            f"{target} returns None: does every path end in a `return`? A `print` is not an answer."
        ),
        "wrong-type": f"The answer has the wrong type: {detail}.",
        "wrong-shape": f"The answer has the wrong shape: {detail}.",
        "wrong-dtype": f"The answer has the wrong dtype: {detail}.",
        "nan": f"The answer is not a number: {detail}. Look for 0/0, or the log of a negative.",
        "mutates-input": (
            f"The answer is right, but {target} changes {outcome.mutated}, and the caller still"
            f" needs it as it was. {_copy_advice(outcome.mutated)}"
        ),
    }[name]


def _copy_advice(mutated: str) -> str:
    if mutated.endswith(("(a list)", "(a dict)")):
        return "`pop`, `append`, `sort` and `del` change it in place: go through it with a loop."
    if "gradients" in mutated:
        return "Work on a copy: `x.clone().requires_grad_()`."
    return "Work on a copy: `x[...] = …` and `relu_()` write in place."


def _raised(exercise: Exercise, outcome: Outcome) -> tuple[str, str]:
    error = outcome.error
    kind = type(error).__name__
    said = f"{kind}: {error}" if str(error) else kind
    if outcome.blame:
        spot = outcome.blame[-1]
        return "raises", f"Your code stopped at line {spot.line} with {said}"
    if isinstance(error, TypeError):
        text = f"{exercise.target} could not be called the way the exercise asks: {error}"
        return "wrong-signature", text
    return "raises", f"Calling {exercise.target} stopped with {said}"
