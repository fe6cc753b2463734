"""Rehearsal: every line runs and nothing is learnt, for tests that ask only whether it runs.

With ``LIGHTCOURSE_REHEARSAL=1`` in the environment a training takes one step per epoch, a
measurement of time takes a moment, and nothing is kept in or taken from the learner's folder. The
numbers mean nothing then. `run_notebook(rehearsal=True)` sets it for notebooks nobody has solved.
"""

import os
from typing import TypeVar

VARIABLE = "LIGHTCOURSE_REHEARSAL"
Number = TypeVar("Number", int, float)


def rehearsing() -> bool:
    """Return whether this process only rehearses.

    >>> rehearsing()
    False
    """
    return os.environ.get(VARIABLE) == "1"


def rehearsed(count: Number, enough: Number) -> Number:
    """Return the count, and in a rehearsal no more than is enough to run every line once.

    >>> rehearsed(400, 2)
    400
    """
    return min(count, enough) if rehearsing() else count
