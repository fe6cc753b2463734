"""Claims between two variants, and the verdict that the numbers of a few seeds allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training import statistics

ALPHA = 0.05
CONFIDENCE = 1 - ALPHA
TESTS = {
    "welch": statistics.welch,
    "paired": statistics.paired,
    "permutation": statistics.permutation,
}


@dataclass(frozen=True)
class Finding:
    """One claim, "`better` beats `worse`", and what the runs say about it.

    `word` is "confirmed", "refuted" or "no difference seen"; for a comparison that nobody made a
    claim about it is "higher", "lower" or "no difference seen"; "cannot tell" with one seed.
    """

    better: str
    worse: str
    claimed: bool
    word: str
    sentence: str
    difference: float  # points
    low: float | None
    high: float | None
    p: float | None  # corrected for the number of claims after Holm
    effect: float | None  # Hedges' g
    test: str
    claims: int = 1  # looked at together
    note: str = ""


def check_claims(claims: Any, names: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return pairs (better, worse) and whether anybody claimed them.

    Without claims every variant is compared with the first one.
    """
    if claims is None:
        return tuple((name, names[0]) for name in names[1:]), False
    one = len(claims) == 2 and all(isinstance(name, str) for name in claims)
    pairs = (tuple(claims),) if one else tuple(tuple(pair) for pair in claims)
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1]:
            raise UserError(f'A claim names two variants, as ("better", "worse"), not {pair!r}.')
        for name in pair:
            if name not in names:
                raise UserError(
                    f"The claim {pair!r} names {name!r}; the variants are {', '.join(names)}."
                )
    return pairs, True


def judge(
    scores: Mapping[str, Mapping[int, float]],
    claims: Sequence[tuple[str, str]],
    *,
    claimed: bool,
    test: str = "welch",
    size: str = "",
    unit: str = "points",
) -> tuple[Finding, ...]:
    """Test every claim on the seeds that both its variants have; correct p for their number.

    >>> scores = {"a": {0: 90.0, 1: 91.0, 2: 92.0}, "b": {0: 34.0, 1: 33.0, 2: 35.0}}
    >>> judge(scores, [("a", "b")], claimed=True)[0].word
    'confirmed'
    """
    found = []
    for better, worse in claims:
        seeds = [seed for seed in scores[better] if seed in scores[worse]]
        sides = [[scores[name][seed] for seed in seeds] for name in (better, worse)]
        found.append(TESTS[test](*sides, confidence=CONFIDENCE))
    known = [index for index, result in enumerate(found) if result.p is not None]
    corrected = dict(
        zip(known, statistics.holm([found[i].p for i in known]), strict=True)  # type: ignore[misc]
    )
    return tuple(
        _finding(pair, result, corrected.get(i), len(known), claimed, scores, size, unit)
        for i, (pair, result) in enumerate(zip(claims, found, strict=True))
    )


def _finding(
    pair: tuple[str, str],
    result: statistics.Difference,
    p: float | None,
    count: int,
    claimed: bool,
    scores: Mapping[str, Mapping[int, float]],
    size: str,
    unit: str,
) -> Finding:
    word = _word(result.difference, p, claimed)
    made = Finding(
        *pair, claimed, word, "", result.difference, result.low, result.high, p, result.effect,
        result.test, count, result.note,
    )  # fmt: skip
    return replace(made, sentence=_sentence(made, scores, size, unit))


def _word(difference: float, p: float | None, claimed: bool) -> str:
    if p is None:
        return "cannot tell"
    if p >= ALPHA or difference == 0:
        return "no difference seen"
    words = ("confirmed", "refuted") if claimed else ("higher", "lower")
    return words[difference < 0]


def _sentence(
    found: Finding, scores: Mapping[str, Mapping[int, float]], size: str, unit: str
) -> str:
    seeds = [s for s in scores[found.better] if s in scores[found.worse]]
    means = [
        statistics.summarise([scores[name][s] for s in seeds])
        for name in (found.better, found.worse)
    ]
    what = f"{found.better} {'beats' if found.claimed else 'against'} {found.worse}"
    where = ", ".join(part for part in (size, _count(len(seeds), "seed")) if part)
    numbers = f"{means[0]} against {means[1]}, a difference of {_signed(found.difference)} {unit}"
    return f"{what}: {found.word} ({where}). {_capital(numbers)}{_evidence(found, unit)}."


def _evidence(found: Finding, unit: str) -> str:
    """Interval, p and effect in words; and what could hide where no difference was seen."""
    if found.p is None:
        return f"; {found.note}, so train with at least three seeds"
    parts = []
    if found.low is not None and found.high is not None:
        parts.append(f" (95 % interval {_signed(found.low)} to {_signed(found.high)})")
    many = f", corrected for {found.claims} comparisons" if found.claims > 1 else ""
    parts.append(f", {p_text(found.p)} ({found.test}{many})")
    if found.effect is not None:
        parts.append(f", effect size {_signed(found.effect)}")
    if found.note:
        parts.append(f"; {found.note}")
    if found.word == "no difference seen" and found.low is not None and found.high is not None:
        if found.low > 0 or found.high < 0:
            parts.append(
                "; by itself it would count, among so many comparisons it needs more seeds"
            )
            return "".join(parts)
        most = max(abs(found.low), abs(found.high))
        parts.append(f"; one of up to {most:.1f} {unit} could hide behind so few seeds")
    return "".join(parts)


def _signed(value: float) -> str:
    """A number with its sign, and with a minus that is as wide as a plus."""
    return f"{value:+.1f}".replace("-", "−")


def p_text(p: float) -> str:
    """Return p with two digits, or that it is below the least that is worth telling.

    >>> p_text(0.0312), p_text(1e-9), p_text(1.0)
    ('p = 0.031', 'p < 0.0001', 'p = 1')
    """
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
