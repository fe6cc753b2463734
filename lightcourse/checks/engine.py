"""Run the learner's object over seeded cases and laws, and hand what happened to the diagnosis."""

from __future__ import annotations

from random import Random
from typing import Any

import torch

from lightcourse.checks.chapters import find_exercise
from lightcourse.checks.diagnose import diagnose, law_broken, unusable
from lightcourse.checks.exercise import Exercise, Outcome
from lightcourse.checks.guard import TimeUp, quietly, reseed, same_randomness
from lightcourse.checks.result import CheckResult
from lightcourse.checks.trial import SEED, run_case
from lightcourse.errors import UserError


def run_check(id: str, obj: Any, *, seed: int = 0) -> CheckResult:
    """Check an object against an exercise; never raises for a wrong answer and never prints.

    The cases depend on the id and the seed only.

    Raises:
        UserError: there is no such exercise.
    """
    return judge(find_exercise(id), obj, seed=seed)


def stand_in(id: str, obj: Any) -> Any:
    """Give the learner's function where it passes its check, else the course's own.

    So that a chapter goes on for somebody who is not done yet, and its cells hold no solution.

    Raises:
        UserError: there is no such exercise, or it is not about a function.

    >>> stand_in("00.bytes", lambda *shape: 0)(1, 3, 2, 2)
    48
    """
    exercise = find_exercise(id)
    if exercise.kind != "function" or exercise.call is not None or exercise.oracle is None:
        raise UserError(f"exercise {id} is not about a function, so nothing can stand in for it.")
    return obj if run_check(id, obj).passed else exercise.oracle


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
            reseed(SEED)
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
        outcomes.append(run_case(exercise, obj, case))
        if isinstance(outcomes[-1].error, (TimeUp, NotImplementedError)):
            break
    return outcomes
