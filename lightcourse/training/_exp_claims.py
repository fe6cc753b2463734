"""Claims between two variants, and the verdict that the numbers of a few seeds allow."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training import statistics
from lightcourse.training._exp_words import sentence

ALPHA = 0.05
_EDGE = 1e-9  # p is rounded: this close to the level it is at the level
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
    claim about it is "higher", "lower" or "no difference seen". "cannot tell": so few seeds could
    not have shown any difference by this test. "nothing learned": both sides only guess.
    """

    better: str
    worse: str
    claimed: bool
    word: str
    sentence: str
    difference: float  # points
    low: float | None  # of the 95 % interval, within what accuracies can differ by
    high: float | None
    p: float | None  # corrected for the number of claims after Holm
    effect: float | None  # Hedges' g
    test: str
    claims: int = 1  # looked at together
    note: str = ""
    alone: float | None = None  # p before the correction
    least: float = 0.0  # no result of so few seeds could give this test a smaller p
    needs: int = 0  # seeds, where so few could not have shown any difference


@dataclass(frozen=True)
class Chance:
    """What guessing scores on the test pictures, per cent, and how many of these there are."""

    score: float
    pictures: int

    def explains(self, scores: Sequence[float]) -> bool:
        """Whether the mean of the runs is no better than guessing, within two deviations."""
        share = self.score / 100
        error = 100 * math.sqrt(share * (1 - share) / self.pictures / len(scores))
        return math.fsum(scores) / len(scores) <= self.score + 2 * error


def check_claims(claims: Any, names: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return pairs (better, worse) and whether anybody claimed them.

    Without claims every variant is compared with the first one.
    """
    if claims is None:
        return tuple((name, names[0]) for name in names[1:]), False
    one = len(claims) == 2 and all(isinstance(name, str) for name in claims)
    pairs = (tuple(claims),) if one else tuple(tuple(pair) for pair in claims)
    for number, pair in enumerate(pairs):
        if len(pair) != 2 or pair[0] == pair[1]:
            raise UserError(f'A claim names two variants, as ("better", "worse"), not {pair!r}.')
        if pair in pairs[:number]:
            raise UserError(
                f"The claim {pair!r} stands there twice; once is enough, as every claim makes p "
                "larger for all."
            )
        if pair[::-1] in pairs[:number]:
            raise UserError(f"{pair[0]!r} and {pair[1]!r} cannot both beat each other; claim one.")
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
    chance: Chance | None = None,
    diverged: Mapping[str, int] | None = None,
) -> tuple[Finding, ...]:
    """Test every claim on the seeds that both its variants have; correct p for their number.

    `size` says how much was trained, `diverged` how many runs of a variant count as guessing.

    >>> scores = {"a": {0: 90.0, 1: 91.0, 2: 92.0}, "b": {0: 34.0, 1: 33.0, 2: 35.0}}
    >>> judge(scores, [("a", "b")], claimed=True)[0].word
    'confirmed'
    """
    sides = [_sides(scores, pair) for pair in claims]
    tested = [TESTS[test](*both, confidence=CONFIDENCE) for both in sides]
    found = []
    for pair, both, result in zip(claims, sides, tested, strict=True):
        guessed = chance is not None and all(chance.explains(side) for side in both)
        made = _finding(pair, result, tested, test, claimed=claimed, guessed=guessed)
        words = sentence(made, both, size, chance.score if chance else None, diverged or {})
        found.append(replace(made, sentence=words))
    return tuple(found)


def _sides(
    scores: Mapping[str, Mapping[int, float]], pair: tuple[str, str]
) -> tuple[list[float], list[float]]:
    one, other = (scores[name] for name in pair)
    seeds = [seed for seed in one if seed in other]
    return [one[seed] for seed in seeds], [other[seed] for seed in seeds]


def _finding(
    pair: tuple[str, str],
    result: statistics.Difference,
    tested: Sequence[statistics.Difference],
    test: str,
    *,
    claimed: bool,
    guessed: bool,
) -> Finding:
    """One result among all that were tested, as a finding that has no sentence yet."""
    known = [other for other in tested if other.p is not None]
    p, least = None, 0.0
    if result.p is not None:
        place = next(i for i, other in enumerate(known) if other is result)
        ps = [other.p or 0.0 for other in known]
        p = statistics.holm(ps)[place]
        # what the best of all results could have given, the others being as they are
        least = statistics.holm([*ps[:place], result.least, *ps[place + 1 :]])[place]
    short = p is None or (result.least > 0 and not _below(least))
    needs = _needs(test, result, len(known)) if short else 0
    word = _word(result.difference, p, claimed=claimed, guessed=guessed, short=short)
    return Finding(
        *pair, claimed, word, "", result.difference, _possible(result.low), _possible(result.high),
        p, result.effect, result.test, len(known), result.note, result.p, least, needs,
    )  # fmt: skip


def _word(difference: float, p: float | None, *, claimed: bool, guessed: bool, short: bool) -> str:
    if p is not None and _below(p) and difference != 0:
        words = ("confirmed", "refuted") if claimed else ("higher", "lower")
        return words[difference < 0]
    if guessed:
        return "nothing learned"
    return "cannot tell" if short else "no difference seen"


def _needs(test: str, result: statistics.Difference, claims: int) -> int:
    """So many seeds at least can show a difference; three leave a t-test some power."""
    if test != "permutation" and not result.least:
        return 3
    paired = test == "paired"
    sizes = range(2, 100)
    least = (statistics.least_p(n, n, paired=paired) * max(1, claims) for n in sizes)
    return next(n for n, p in zip(sizes, least, strict=False) if _below(p))


def _below(p: float) -> bool:
    return p < ALPHA - _EDGE


def _possible(points: float | None) -> float | None:
    """Cut the end of an interval at what two accuracies can differ by."""
    return None if points is None else min(100.0, max(-100.0, points))
