"""check(), the one call of a learner: judge, show, record, and raise when it is not right yet."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from lightcourse.checks.book import book
from lightcourse.checks.diagnose import without_secrets
from lightcourse.checks.display import show, show_rich
from lightcourse.checks.engine import run_check
from lightcourse.checks.progress import where_you_are
from lightcourse.checks.result import CheckFailed, CheckResult


def check(id: str, obj: Any, *, seed: int = 0, hidden: bool = False) -> CheckResult:
    """Check your object against an exercise: a green tick, or what is wrong and which hint helps.

    hidden: show the diagnosis only, no inputs and no answers, and record nothing.

    Raises:
        CheckFailed: the object is not right yet.
        UserError: there is no such exercise.

    >>> check("00.bytes", lambda n, c, h, w, bits=32: n * c * h * w * bits // 8, hidden=True).passed
    True
    """
    result = run_check(id, obj, seed=seed)
    if hidden:
        result = without_secrets(result)
        if not result.passed:
            raise CheckFailed(result)
        return result
    if recording():
        book().record_check(id, passed=result.passed, mistake=result.mistake)
        if result.passed:
            result = replace(result, message=where_you_are(id))
    if not result.passed:
        raise CheckFailed(result, shown=show_rich(result))
    show(result)
    return result


def recording() -> bool:
    """Whether progress may be written: not while nbgrader or our own tools run the notebook."""
    off = ("NBGRADER_EXECUTION", "NBGRADER_VALIDATING", "LIGHTCOURSE_NO_RECORD")
    return not any(os.environ.get(name) for name in off)
