"""What a learner meets: checks that name the mistake, hints, predictions, progress.

Names are imported on first use: `lightcourse.checks.progress` must work without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lightcourse.checks.exercise import (
    Case,
    Difference,
    Exercise,
    Hint,
    Law,
    Mistake,
    Outcome,
    Prediction,
)

# bound here and now: a later import of the module must not put the module in the function's place
from lightcourse.checks.progress import progress

if TYPE_CHECKING:
    from lightcourse.checks.compare import Compare, close, exact
    from lightcourse.checks.desk import check
    from lightcourse.checks.engine import judge, run_check, stand_in
    from lightcourse.checks.hints import hint, solution
    from lightcourse.checks.predictions import predict, reveal
    from lightcourse.checks.result import CheckFailed, CheckResult
    from lightcourse.checks.testing import hidden_check

_HOMES = {
    "Compare": "compare",
    "close": "compare",
    "exact": "compare",
    "check": "desk",
    "judge": "engine",
    "run_check": "engine",
    "stand_in": "engine",
    "hint": "hints",
    "solution": "hints",
    "predict": "predictions",
    "reveal": "predictions",
    "CheckFailed": "result",
    "CheckResult": "result",
    "hidden_check": "testing",
}

__all__ = [
    "Case",
    "CheckFailed",
    "CheckResult",
    "Compare",
    "Difference",
    "Exercise",
    "Hint",
    "Law",
    "Mistake",
    "Outcome",
    "Prediction",
    "check",
    "close",
    "exact",
    "hidden_check",
    "hint",
    "judge",
    "predict",
    "progress",
    "reveal",
    "run_check",
    "solution",
    "stand_in",
]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'lightcourse.checks' has no attribute {name!r}")
    return getattr(import_module(f"lightcourse.checks.{_HOMES[name]}"), name)
