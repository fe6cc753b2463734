"""The sentence for one claim: what was seen, how sure that is, and what could still hide."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lightcourse.training import statistics

if TYPE_CHECKING:
    from lightcourse.training._exp_claims import Finding

_LEVEL = 0.05


def sentence(
    found: "Finding",
    sides: tuple[Sequence[float], Sequence[float]],
    size: str,
    chance: float | None,
    diverged: Mapping[str, int],
) -> str:
    """Return the verdict on a claim, whose two sides have these accuracies, in per cent."""
    means = [statistics.summarise(side) for side in sides]
    seeds = len(sides[0])
    what = f"{found.better} {'beats' if found.claimed else 'against'} {found.worse}"
    where = ", ".join(part for part in (size, count(seeds, "seed")) if part)
    parts = [f"{means[0]} against {means[1]}, a difference of {_signed(found.difference)} points"]
    parts.append(_numbers(found))
    parts += [f"; {part}" for part in (found.note, _limits(found, seeds, chance)) if part]
    for name in (found.better, found.worse):
        if diverged.get(name):
            parts.append(f"; {lost(diverged[name], name)}")
    return f"{what}: {found.word} ({where}). {''.join(parts)}."


def _numbers(found: "Finding") -> str:
    """Interval, p and effect in words."""
    if found.p is None:
        return ""
    parts = []
    if found.low is not None and found.high is not None:
        parts.append(f" (95 % interval {_signed(found.low)} to {_signed(found.high)})")
    many = f", corrected for {found.claims} comparisons" if found.claims > 1 else ""
    parts.append(f", {p_text(found.p)} ({found.test}{many})")
    if found.effect is not None:
        parts.append(f", effect size {_signed(found.effect)}")
    return "".join(parts)


def _limits(found: "Finding", seeds: int, chance: float | None) -> str:
    """Why there is no answer, or what could hide where no difference was seen."""
    if found.word == "nothing learned" and chance is not None:
        return (
            f"guessing scores {chance:.3g} %, and neither does better, so this says nothing about "
            "the two: train longer, on easier or more pictures, or with another lr"
        )
    if found.word == "cannot tell" and found.p is None:
        return f"train with at least {count(found.needs, 'seed')}"
    if found.word == "cannot tell":
        return (
            f"{count(seeds, 'seed')} cannot show a difference by this test, whatever the gap: its "
            f"p is never below {found.least:.2g}, so train with at least {found.needs}"
        )
    if found.word != "no difference seen":
        return ""
    if found.claims > 1 and found.alone is not None and found.alone < _LEVEL <= (found.p or 0):
        return (
            f"by itself, {p_text(found.alone)}, it would count; among {found.claims} comparisons "
            "it needs more seeds"
        )
    if found.low is None or found.high is None:
        return ""
    most = max(abs(found.low), abs(found.high))
    return f"one of up to {most:.1f} points could hide behind so few seeds"


def lost(runs: int, name: str = "") -> str:
    """Say how many runs of a variant, or of all, diverged, and what they count for.

    >>> lost(1), lost(2)
    ('1 run diverged and counts as guessing', '2 runs diverged and count as guessing')
    """
    whose = f" of {name!r}" if name else ""
    verb = "counts" if runs == 1 else "count"
    return f"{count(runs, 'run')}{whose} diverged and {verb} as guessing"


def p_text(p: float) -> str:
    """Return p with two digits, more near the level of 0.05, less below what is worth telling.

    >>> p_text(0.0312), p_text(1e-9), p_text(1.0), p_text(0.04988)
    ('p = 0.031', 'p < 0.0001', 'p = 1', 'p = 0.0499')
    """
    if p < 1e-4:
        return "p < 0.0001"
    texts = [f"{p:.{digits}g}" for digits in range(2, 9)]
    return "p = " + next((t for t in texts if float(t) != _LEVEL), texts[0])


def count(number: int, word: str) -> str:
    """Return the number with its word.

    >>> count(1, "seed"), count(3, "seed")
    ('1 seed', '3 seeds')
    """
    return f"{number} {word}{'' if number == 1 else 's'}"


def _signed(value: float) -> str:
    """A number with its sign, and with a minus that is as wide as a plus."""
    return f"{value:+.1f}".replace("-", "−")
