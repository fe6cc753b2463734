"""Run the learner's object over seeded cases and laws, and hand what happened to the diagnosis."""

from __future__ import annotations

from random import Random
from typing import Any

import torch

from lightcourse.checks.blame import blame
from lightcourse.checks.chapters import find_exercise
from lightcourse.checks.compare import Compare
from lightcourse.checks.diagnose import diagnose, law_broken, unusable
from lightcourse.checks.exercise import Case, Exercise, Outcome
from lightcourse.checks.guard import TimeUp, clone, quietly, reseed, same, same_randomness, snapshot
from lightcourse.checks.result import CheckResult

_SEED = 20170417  # any fixed number: torch's random state at the start of each call


def run_check(id: str, obj: Any, *, seed: int = 0) -> CheckResult:
    """Check an object against an exercise; never raises for a wrong answer and never prints.

    The cases depend on the id and the seed only.

    Raises:
        UserError: there is no such exercise.
    """
    return judge(find_exercise(id), obj, seed=seed)


def judge(exercise: Exercise, obj: Any, *, seed: int = 0) -> CheckResult:
    """As run_check, for an Exercise that is at hand."""
    if (refused := unusable(exercise, obj)) is not None:
        return refused
    with same_randomness():
        outcomes = _run_cases(exercise, obj, Random(f"{exercise.id}-{seed}"))
        if any(o.failed for o in outcomes):
            return diagnose(exercise, outcomes)
        for law in exercise.laws:
            # each law has its own stream: a new law must not change the cases of another
            rng = Random(f"{exercise.id}-{law.name}-{seed}")
            reseed(_SEED)
            complaint, error, printed = quietly(lambda: law.holds(obj, rng), exercise.seconds)  # noqa: B023
            if complaint is not None or error is not None:
                return law_broken(exercise, law, complaint, error, printed)
    return CheckResult(exercise, True, counts=(0, len(outcomes)))


def _run_cases(exercise: Exercise, obj: Any, rng: Random) -> list[Outcome]:
    if exercise.cases is None:
        return []
    torch.manual_seed(rng.getrandbits(32))  # for case makers that draw from torch
    outcomes = []
    for case in list(exercise.cases(rng)):
        outcomes.append(_run_case(exercise, obj, case))
        if isinstance(outcomes[-1].error, (TimeUp, NotImplementedError)):
            break
    return outcomes


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
    reseed(_SEED)
    own = fresh(case)
    return exercise.oracle(*own.args, **own.kwargs)


def _run_case(exercise: Exercise, obj: Any, case: Case) -> Outcome:
    want = right_answer(exercise, case)
    own = fresh(case)
    reseed(_SEED)
    got, error, printed = quietly(lambda: call(exercise, obj, own), exercise.seconds)
    if error is not None:
        lines = blame(error)
        # the frames hold the inputs alive, and nobody shows them
        return Outcome(case, want, None, error.with_traceback(None), lines, printed=printed)
    compare = exercise.compare or Compare()
    difference = compare(got, want)
    mutated = "" if exercise.mutates else _changed(case, own)
    return Outcome(case, want, snapshot(got), None, (), difference, mutated, printed)


def _changed(before: Case, after: Case) -> str:
    """Which input the call changed: 'input 1', 'input scale', or ''."""
    for i, (one, other) in enumerate(zip(before.args, after.args, strict=True), 1):
        if not same(one, other):
            return f"input {i}" if len(before.args) + len(before.kwargs) > 1 else "its input"
    for name, one in before.kwargs.items():
        if not same(one, after.kwargs[name]):
            return f"input {name}"
    return ""
