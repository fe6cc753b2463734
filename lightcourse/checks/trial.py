"""One case: the learner's object and the oracle on copies of the same inputs."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from lightcourse.checks.blame import blame
from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference, Exercise, Outcome
from lightcourse.checks.guard import clone, quietly, reseed, same, snapshot

SEED = 20170417  # any fixed number: the random state at the start of each call


def call(exercise: Exercise, obj: Any, case: Case) -> Any:
    """Call the object in the exercise's own way with the case as it is."""
    if exercise.kind == "value":
        return obj
    if exercise.call is not None:
        return exercise.call(obj, case)
    return obj(*case.args, **case.kwargs)


def fresh(case: Case) -> Case:
    """The same case with its own copies of the inputs."""
    return Case(clone(case.args), clone(dict(case.kwargs)), case.label)


def right_answer(exercise: Exercise, case: Case) -> Any:
    """The oracle's answer to a case."""
    assert exercise.oracle is not None
    reseed(SEED)
    own = fresh(case)
    return exercise.oracle(*own.args, **own.kwargs)


def run_case(exercise: Exercise, obj: Any, case: Case) -> Outcome:
    want = right_answer(exercise, case)
    own = fresh(case)
    reseed(SEED)
    got, error, printed = quietly(lambda: call(exercise, obj, own), exercise.seconds)
    if error is not None:
        lines = blame(error)
        # the frames hold the inputs alive, and nobody shows them
        return Outcome(case, want, None, error.with_traceback(None), lines, printed=printed)
    difference = differ(exercise, got, want)
    mutated = "" if exercise.mutates else _changed(exercise, obj, case, own)
    return Outcome(case, want, snapshot(got), None, (), difference, mutated, printed)


def differ(exercise: Exercise, got: Any, want: Any) -> Difference | None:
    """How an answer differs from another, by the exercise's own compare; never raises."""
    try:
        return (exercise.compare or Compare())(got, want)
    except Exception:
        # a compare written for the right kind of answer may meet None, a string, anything
        one, other = kind_of(got), kind_of(want)
        text = f"it is {one}, which cannot be compared with {other}"
        if one == other:
            text = f"it is {one}, but not one whose numbers can be compared with the right ones"
        return Difference("type", text)


def _changed(exercise: Exercise, obj: Any, before: Case, after: Case) -> str:
    """Which input the call changed: 'its input `net` (a list)', or ''."""
    names = _parameters(obj) if exercise.call is None else []
    pairs = list(zip(before.args, after.args, strict=True))
    for i, (one, other) in enumerate(pairs):
        name = f"`{names[i]}`" if i < len(names) else f"{i + 1}"
        if _differs(one, other):
            return f"its input {name} ({_way(one, other)})"
    for name, one in before.kwargs.items():
        if _differs(one, after.kwargs[name]):
            return f"its input `{name}` ({_way(one, after.kwargs[name])})"
    return ""


def _differs(before: Any, after: Any) -> bool:
    try:
        return not same(before, after)
    except Exception:  # what was a tensor may be a string now: that is no longer the same
        return True


def _way(before: Any, after: Any) -> str:
    if isinstance(before, torch.Tensor) and before.requires_grad != getattr(
        after, "requires_grad", before.requires_grad
    ):
        return "its gradients are switched on now"
    return kind_of(before)


def _parameters(obj: Any) -> list[str]:
    try:
        return list(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        return []
