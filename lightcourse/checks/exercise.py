"""What a chapter writes down about an exercise: cases, an oracle, laws, known mistakes, hints.

Plain data and nothing else, so that this module needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Case:
    """One call of the learner's object: its arguments, and a short label for people.

    >>> Case((3, 1), {"padding": 1}, label="kernel 3").args
    (3, 1)
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Blame:
    """The line of the learner's code to look at: file or cell, line number, source, function."""

    file: str
    line: int
    source: str = ""
    function: str = ""


@dataclass(frozen=True)
class Difference:
    """How two answers differ: kind is type, shape, dtype, nan or value; text says it in words."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Outcome:
    """What one case gave: the learner's answer or error beside the right answer.

    ``blame`` holds the learner's own lines from the outermost call to the line that failed.
    """

    case: Case
    want: Any = None
    got: Any = None
    error: BaseException | None = None
    blame: tuple[Blame, ...] = ()
    difference: Difference | None = None
    mutated: str = ""
    printed: str = ""

    @property
    def failed(self) -> bool:
        return self.error is not None or self.difference is not None or bool(self.mutated)


@dataclass(frozen=True)
class Mistake:
    """A misconception with a name: what it says to the learner and the hint rung that it opens.

    Give ``mimic`` (a wrong function with the signature of the oracle; the mistake is named when its
    answers equal the learner's on every failing case) or ``matches`` (a test of one failing
    outcome; the mistake is named when it holds on every failing case).
    """

    id: str
    says: str
    mimic: Callable[..., Any] | None = None
    matches: Callable[[Outcome], bool] | None = None
    hint: int | None = None

    def __post_init__(self) -> None:
        if (self.mimic is None) == (self.matches is None):
            raise ValueError(f"mistake {self.id!r} needs either mimic or matches")


@dataclass(frozen=True)
class Hint:
    """One rung of the ladder: when it helps ("shapes right, values wrong"), and the text."""

    when: str
    text: str


@dataclass(frozen=True)
class Law:
    """A property that must hold for any right answer: ``holds`` returns None, or the complaint."""

    name: str
    holds: Callable[[Any, Random], str | None]
    hint: int | None = None


@dataclass(frozen=True)
class Exercise:
    """Everything that a check knows about one exercise.

    ``cases(rng)`` yields Case objects, small hand-picked ones first: the first failing case is the
    one shown. ``oracle(*args, **kwargs)`` gives the right answer, from torch or an independent
    formula. ``compare`` is a Compare, or a function (got, want) -> Difference | None; by default
    the type of the right answer decides. ``call(obj, case)`` replaces ``obj(*args, **kwargs)``.
    ``mutates`` allows the learner's code to change its inputs. ``name`` is the learner's name for
    the object. ``seconds`` is the CPU time that one case may take.
    """

    id: str
    title: str
    cases: Callable[[Random], Iterable[Case]] | None = None
    oracle: Callable[..., Any] | None = None
    laws: tuple[Law, ...] = ()
    compare: Callable[[Any, Any], Difference | None] | None = None
    mistakes: tuple[Mistake, ...] = ()
    hints: tuple[Hint, ...] = ()
    show: Callable[[Case], str] | None = None
    picture: Callable[[Case, Any, Any], Any] | None = None
    call: Callable[[Any, Case], Any] | None = None
    kind: str = "function"
    mutates: bool = False
    name: str = ""
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.kind not in ("function", "class", "value"):
            raise ValueError(f"kind of {self.id!r} must be function, class or value")
        if (self.cases is None) != (self.oracle is None):
            raise ValueError(f"{self.id!r} needs both cases and an oracle, or laws alone")
        if self.cases is None and not self.laws:
            raise ValueError(f"{self.id!r} has neither cases nor laws: nothing could fail")
        for mistake in (*self.mistakes, *self.laws):
            if mistake.hint is not None and not 1 <= mistake.hint <= len(self.hints):
                raise ValueError(
                    f"{self.id!r}: a mistake opens hint {mistake.hint}, which is missing"
                )

    @property
    def chapter(self) -> str:
        return self.id.split(".", 1)[0]

    @property
    def target(self) -> str:
        """The name that the learner's object has in the notebook."""
        return self.name or self.id.split(".", 1)[1].replace("-", "_")


@dataclass(frozen=True)
class Prediction:
    """A guess before the result: never graded.

    ``truth()`` computes the right answer by code. ``replies`` answers each plausible wrong guess on
    its own terms: keys are values, or (low, high) pairs for a range of numbers. ``right`` is said
    to a right guess, ``other`` to any other. ``options`` limits the answers to a choice.
    Numbers within ``tolerance`` (relative) of the truth count as right.
    """

    id: str
    question: str
    truth: Callable[[], Any]
    replies: Mapping[Any, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    right: str = ""
    other: str = ""
    unit: str = ""
    tolerance: float = 0.0
