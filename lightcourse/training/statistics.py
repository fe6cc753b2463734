"""What a few seeds can tell: mean, deviation, intervals, tests, effect sizes; without scipy."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from numbers import Real

from lightcourse.errors import UserError

EXACT = 20_000  # arrangements that a permutation test counts one by one; beyond, it draws as many
_SEED = 20  # of the drawn arrangements, so that the same numbers give the same p


@dataclass(frozen=True)
class Summary:
    """Mean, deviation between seeds (n - 1), and the t-interval of the mean."""

    values: tuple[float, ...]
    mean: float
    deviation: float | None  # None for one value
    low: float | None
    high: float | None
    confidence: float = 0.95

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:.1f}"
        return f"{self.mean:.1f}{spread}"


@dataclass(frozen=True)
class Difference:
    """How far the mean of one sample is from another's, and what a test says about it."""

    test: str
    difference: float
    low: float | None  # of the interval of the difference; None where the spread is unknown
    high: float | None
    p: float | None  # two-sided; None where the values cannot tell
    effect: float | None  # Hedges' g: in standard deviations, corrected for few seeds
    df: float | None = None
    note: str = ""
    least: float = 0.0  # no result of so many values could give this test a smaller p


def summarise(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Return mean, sample deviation and the t-interval of the mean.

    Raises `UserError` for no values or values that are not finite numbers.

    >>> s = summarise([90.0, 91.0, 92.0])
    >>> s.mean, s.deviation, round(s.low, 2), round(s.high, 2)
    (91.0, 1.0, 88.52, 93.48)
    """
    kept = _numbers(values)
    _level(confidence)
    n = len(kept)
    if n == 1:
        return Summary(kept, kept[0], None, None, None, confidence)
    mean, variance = _moments(kept)
    half = t_quantile((1 + confidence) / 2, n - 1) * math.sqrt(variance / n)
    return Summary(kept, mean, math.sqrt(variance), mean - half, mean + half, confidence)


def welch(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Difference:
    """Welch's t-test: are the means of two independent samples apart? Deviations may differ.

    Where neither sample has any spread the t-test has no answer and the exact permutation test
    takes its place. Welch 1947; degrees of freedom after Satterthwaite.

    >>> result = welch([90.0, 91.0, 92.0], [85.0, 86.0, 90.0])
    >>> result.difference, round(result.p, 4), round(result.df, 3)
    (4.0, 0.1064, 2.56)
    """
    a, b = _numbers(a), _numbers(b)
    _level(confidence)
    (mean_a, var_a), (mean_b, var_b) = _moments(a), _moments(b)
    gap = mean_a - mean_b
    if len(a) < 2 or len(b) < 2:
        return Difference("Welch's t-test", gap, None, None, None, None, None, _ONE)
    parts = var_a / len(a), var_b / len(b)
    error = math.sqrt(sum(parts))
    if _no_spread(error, mean_a, mean_b):
        return _without_spread(a, b, paired=False)
    df = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    half = t_quantile((1 + confidence) / 2, df) * error
    p = two_sided(gap / error, df)
    return Difference("Welch's t-test", gap, gap - half, gap + half, p, hedges_g(a, b), df)


def paired(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Difference:
    """Student's t-test on the differences a[i] - b[i]: for pairs that share data and seed.

    The effect is the mean difference in standard deviations *of the differences*, corrected.
    Raises `UserError` when the samples differ in length.

    >>> result = paired([90.0, 91.0, 93.0], [88.0, 90.0, 90.0])
    >>> result.difference, round(result.p, 4), round(result.low, 2)
    (2.0, 0.0742, -0.48)
    """
    a, b = _numbers(a), _numbers(b)
    gaps = _gaps(a, b)
    _level(confidence)
    mean, variance = _moments(gaps)
    if len(gaps) < 2:
        return Difference("paired t-test", mean, None, None, None, None, None, _ONE)
    error, df = math.sqrt(variance / len(gaps)), len(gaps) - 1
    if _no_spread(error, *a, *b):
        return _without_spread(a, b, paired=True)
    half = t_quantile((1 + confidence) / 2, df) * error
    effect = mean / math.sqrt(variance) * _small_sample(df) if df > 1 else None
    p = two_sided(mean / error, df)
    return Difference("paired t-test", mean, mean - half, mean + half, p, effect, df)


def permutation(
    a: Sequence[float], b: Sequence[float], *, paired: bool = False, confidence: float = 0.95
) -> Difference:
    """Permutation test: how often do labels dealt at random put the means at least as far apart?

    It assumes nothing about the shape of the noise. Up to 20,000 arrangements are all counted
    (exact); beyond, as many are drawn and p is (hits + 1) / (drawn + 1). The interval and the
    effect are those of the t-test. Three seeds against three can never give p below 0.1.

    >>> permutation([90.0, 91.0, 92.0], [85.0, 86.0, 87.0]).p
    0.1
    """
    a, b = _numbers(a), _numbers(b)
    pairs = _gaps(a, b) if paired else ()
    gap = math.fsum(a) / len(a) - math.fsum(b) / len(b)
    count = 2 ** len(a) if paired else math.comb(len(a) + len(b), len(a))
    exact = count <= EXACT
    means = _flips(pairs, exact) if paired else _deals(a + b, len(a), exact)
    edge = abs(gap) * (1 - 1e-12) - 1e-12  # equal arrangements differ by rounding
    hits, total = 0, 0
    for mean in means:
        total += 1
        hits += abs(mean) >= edge
    p = hits / total if exact else (hits + 1) / (total + 1)
    note = f"{total:,} arrangements, " + ("all there are" if exact else "drawn at random")
    if len(a) < 2 or len(b) < 2:
        return Difference("permutation test", gap, None, None, None, None, None, _ONE)
    low, high, effect = _t_parts(a, b, paired, confidence)
    least = least_p(len(a), len(b), paired=paired) if exact else 1 / (total + 1)
    return Difference("permutation test", gap, low, high, p, effect, None, note, least)


def least_p(first: int, second: int, *, paired: bool = False) -> float:
    """Return the smallest p that an exact permutation test of so many values can give.

    >>> least_p(3, 3), least_p(3, 3, paired=True), round(least_p(4, 4), 3)
    (0.1, 0.25, 0.029)
    """
    if paired:
        return 2 / 2**first
    # the same deal with the two samples swapped is as far apart, where they are as large
    return (1 + (first == second)) / math.comb(first + second, first)


def hedges_g(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Difference of the means in pooled standard deviations, corrected for few values.

    Hedges 1981: Cohen's d is on average too large, by a quarter for 3 + 3 values. None without
    spread or with fewer than two degrees of freedom.

    >>> round(hedges_g([90.0, 91.0, 92.0], [88.0, 89.0, 90.0]), 3)
    1.596
    """
    a, b = _numbers(a), _numbers(b)
    df = len(a) + len(b) - 2
    (mean_a, var_a), (mean_b, var_b) = _moments(a), _moments(b)
    if df < 2:
        return None
    pooled = math.sqrt(((len(a) - 1) * var_a + (len(b) - 1) * var_b) / df)
    if _no_spread(pooled, mean_a, mean_b):
        return None
    return (mean_a - mean_b) / pooled * _small_sample(df)


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Correct the p-values of several tests looked at together, in their order (Holm 1979).

    Raises `UserError` for a p that is not between 0 and 1.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    for p in ps:
        _share(p, "p", ends=True)
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    corrected, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        corrected[index] = largest
    return tuple(corrected)


def t_cdf(t: float, df: float) -> float:
    """Chance that a t-distributed number with `df` degrees of freedom is at most t.

    >>> round(t_cdf(1.0, 1), 6), t_cdf(0.0, 5)
    (0.75, 0.5)
    """
    tail = two_sided(t, df) / 2
    return 1 - tail if t > 0 else tail


def two_sided(t: float, df: float) -> float:
    """Chance that a t-distributed number lies at least as far from zero as t.

    >>> round(two_sided(2.776445, 4), 6)
    0.05
    """
    _positive(df, "df")
    if math.isnan(t):
        raise UserError("t is not a number.")
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """Return the t whose `t_cdf` is p; raise `UserError` for p outside 0 to 1, or df of 0 or less.

    >>> round(t_quantile(0.975, 2), 4), round(t_quantile(0.975, 4), 4)
    (4.3027, 2.7764)
    """
    _share(p, "p")
    _positive(df, "df")
    if p < 0.5:
        return -t_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while t_cdf(high, df) < p and high < 1e12:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, df) < p else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), by its continued fraction.

    >>> incomplete_beta(1, 1, 0.25), round(incomplete_beta(2, 3, 0.5), 6)
    (0.25, 0.6875)
    """
    _positive(a, "a")
    _positive(b, "b")
    _share(x, "x", ends=True)
    if x in (0, 1):
        return float(x)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side only
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(front + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's way through the continued fraction of the incomplete beta function."""
    tiny, c, d = 1e-300, 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    total = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d, c = 1 + step * d, 1 + step / c
            d = 1 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            total *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return total


def _deals(values: tuple[float, ...], first: int, exact: bool) -> Iterator[float]:
    """Differences of the means after dealing the values anew to the two samples."""
    whole, rest = math.fsum(values), len(values) - first
    if exact:
        chosen = combinations(values, first)
    else:
        draw = random.Random(_SEED)
        chosen = (draw.sample(values, first) for _ in range(EXACT))
    for part in chosen:
        mine = math.fsum(part)
        yield mine / first - (whole - mine) / rest


def _flips(gaps: tuple[float, ...], exact: bool) -> Iterator[float]:
    """Means of the differences after swapping the two of any pairs."""
    if exact:
        signs = product((1, -1), repeat=len(gaps))
    else:
        draw = random.Random(_SEED)
        signs = (draw.choices((1, -1), k=len(gaps)) for _ in range(EXACT))
    for sign in signs:
        yield math.fsum(s * g for s, g in zip(sign, gaps, strict=True)) / len(gaps)


def _t_parts(
    a: tuple[float, ...], b: tuple[float, ...], pairs: bool, confidence: float
) -> tuple[float | None, float | None, float | None]:
    """Interval and effect of the t-test that belongs to the samples; None without spread."""
    gaps = _gaps(a, b) if pairs else ()
    spread = math.sqrt(_moments(gaps)[1] if pairs else _moments(a)[1] + _moments(b)[1])
    if _no_spread(spread, *a, *b):
        return None, None, None
    found = (paired if pairs else welch)(a, b, confidence)
    return found.low, found.high, found.effect


def _without_spread(a: tuple[float, ...], b: tuple[float, ...], *, paired: bool) -> Difference:
    found = permutation(a, b, paired=paired)
    note = "the seeds do not differ, so a t-test has no answer; " + found.note
    return Difference(
        found.test, found.difference, None, None, found.p, None, None, note, found.least
    )


_ONE = "one run cannot show how far runs differ"


def _no_spread(spread: float, *values: float) -> bool:
    return spread <= 1e-12 * max(1.0, *(abs(v) for v in values))


def _small_sample(df: float) -> float:
    """Hedges' factor that makes the effect right on average, with gamma functions."""
    logs = math.lgamma(df / 2) - math.lgamma((df - 1) / 2) - math.log(df / 2) / 2
    return math.exp(logs)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample variance; variance 0 for one value."""
    mean = math.fsum(values) / len(values)
    squares = math.fsum((v - mean) ** 2 for v in values)
    return mean, squares / max(1, len(values) - 1)


def _gaps(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    if len(a) != len(b):
        raise UserError(
            f"A paired test needs the same seeds on both sides, not {len(a)} and {len(b)} values; "
            "use welch(a, b) for samples that are not pairs."
        )
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    try:
        kept = tuple(math.fsum([v]) for v in values)  # float() would read texts too
    except TypeError as error:
        raise UserError(
            f"Results are a list of numbers, as [90.1, 91.5], not {values!r}."
        ) from error
    if not kept:
        raise UserError("There are no values to summarise; give at least one result.")
    if not all(math.isfinite(v) for v in kept):
        raise UserError("A result is not a finite number; leave failed runs out, and say so.")
    return kept


def _level(confidence: float) -> None:
    _share(confidence, "confidence")


def _share(value: float, name: str, *, ends: bool = False) -> None:
    """Refuse what is not a number between 0 and 1; with `ends` these two are allowed."""
    known = isinstance(value, Real) and 0 <= value <= 1
    if not known or (value in (0, 1) and not ends):
        raise UserError(f"{name} is a number between 0 and 1, as 0.95, not {value!r}.")


def _positive(value: float, name: str) -> None:
    if not isinstance(value, Real) or not value > 0:
        raise UserError(f"{name} is a number above 0, not {value!r}.")
