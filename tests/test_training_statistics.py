"""lightcourse.training.statistics: hand numbers, printed tables, and integration as the oracle."""

import math
import random
from itertools import combinations, product
from statistics import mean, stdev

import pytest

from lightcourse.errors import UserError
from lightcourse.training import statistics as st


def area(t: float, df: float, steps: int = 40_000) -> float:
    """P(T <= t) by Simpson's rule on the density, with no part of the code under test."""
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    h = t / steps
    weights = ((1 if i in (0, steps) else 4 if i % 2 else 2) for i in range(steps + 1))
    density = ((1 + (i * h) ** 2 / df) ** (-(df + 1) / 2) for i in range(steps + 1))
    return 0.5 + scale * h / 3 * sum(w * d for w, d in zip(weights, density, strict=True))


# from any printed table of the t-distribution: df -> quantiles at 0.95, 0.975, 0.995
TABLE = {
    1: (6.3138, 12.7062, 63.6567),
    2: (2.9200, 4.3027, 9.9248),
    4: (2.1318, 2.7764, 4.6041),
    10: (1.8125, 2.2281, 3.1693),
    30: (1.6973, 2.0423, 2.7500),
}


@pytest.mark.parametrize("df", TABLE)
def test_quantiles_are_those_of_the_printed_table(df):
    for p, expected in zip((0.95, 0.975, 0.995), TABLE[df], strict=True):
        assert st.t_quantile(p, df) == pytest.approx(expected, abs=6e-5)
        assert st.t_quantile(1 - p, df) == -st.t_quantile(p, df)


@pytest.mark.parametrize("df", [1, 2, 2.56, 4, 17.3])
@pytest.mark.parametrize("t", [0.3, 1.0, 2.5, 7.0])
def test_the_t_distribution_agrees_with_the_area_under_its_density(t, df):
    assert st.t_cdf(t, df) == pytest.approx(area(t, df), abs=1e-9)
    assert st.two_sided(t, df) == pytest.approx(2 * (1 - area(t, df)), abs=2e-9)
    assert st.t_quantile(st.t_cdf(t, df), df) == pytest.approx(t, rel=1e-8)


def test_closed_forms_and_the_far_tail():
    # one degree of freedom is Cauchy's: 1/2 + atan(t)/pi; two: 1/2 + t / (2 sqrt(2 + t²))
    for t in (0.1, 1.0, 12.7, 1e4):
        assert st.t_cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, rel=1e-12)
        assert st.t_cdf(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), rel=1e-12)
    # far out nothing may be lost to rounding: with df = 2, p = 1 - t / sqrt(2 + t²) ~ 1 / t²
    assert st.two_sided(1e5, 2) == pytest.approx(1e-10, rel=1e-6)
    assert st.incomplete_beta(2, 3, 0.0) == 0 and st.incomplete_beta(2, 3, 1.0) == 1


def test_summary_by_hand():
    s = st.summarise([90, 91, 92])
    assert (s.mean, s.deviation) == (91, 1)
    assert s.low == pytest.approx(91 - 4.3027 / math.sqrt(3), abs=1e-4)
    assert s.high == pytest.approx(91 + 4.3027 / math.sqrt(3), abs=1e-4)
    one = st.summarise([90])
    assert (one.mean, one.deviation, one.low, one.high) == (90, None, None, None)
    assert (str(s), str(one)) == ("91.0 ± 1.0", "90.0")


def test_the_interval_holds_the_truth_as_often_as_it_says():
    draw = random.Random(3)
    inside = 0
    for _ in range(2000):
        s = st.summarise([draw.gauss(50, 4) for _ in range(3)])
        inside += s.low <= 50 <= s.high
    assert abs(inside / 2000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 2000)


def test_welch_by_hand():
    # variances 1 and 7, means 91 and 87: t = 4 / sqrt(8/3), df = (8/3)² / ((1/9 + 49/9) / 2)
    found = st.welch([90, 91, 92], [85, 86, 90])
    t, df = 4 / math.sqrt(8 / 3), (8 / 3) ** 2 / ((1 / 9 + 49 / 9) / 2)
    assert found.difference == 4 and found.df == pytest.approx(df) == pytest.approx(2.56)
    assert found.p == pytest.approx(2 * (1 - area(t, df)), abs=1e-8)
    half = st.t_quantile(0.975, df) * math.sqrt(8 / 3)
    assert (found.low, found.high) == (pytest.approx(4 - half), pytest.approx(4 + half))
    # pooled deviation 2, so d = 2; Hedges' factor for df 4 is Γ(2) / (√2 Γ(3/2)) = 0.79788
    assert found.effect == pytest.approx(2 * 0.7978846, abs=1e-6)


def test_welch_is_the_same_seen_from_the_other_side():
    a, b = [88.0, 91.5, 90.2, 89.9], [87.1, 90.3, 85.0]
    one, other = st.welch(a, b), st.welch(b, a)
    assert one.p == pytest.approx(other.p) and one.difference == -other.difference
    assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))
    assert one.effect == pytest.approx(-other.effect)


def test_welch_cries_wolf_as_often_as_it_should():
    """Equal means, unequal deviations: p below 0.05 in about 5 % of the trials."""
    draw = random.Random(5)
    trials = 1500
    wrong = 0
    for _ in range(trials):
        a, b = ([draw.gauss(0, d) for _ in range(5)] for d in (1, 3))
        wrong += st.welch(a, b).p < 0.05
    assert 0.03 < wrong / trials < 0.07


def test_paired_by_hand_and_its_use_when_seeds_share_their_luck():
    found = st.paired([90, 91, 93], [88, 90, 90])
    # differences 2, 1, 3: mean 2, deviation 1, t = 2 √3 with two degrees of freedom
    t = 2 * math.sqrt(3)
    assert found.difference == 2 and found.df == 2
    assert found.p == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert found.effect == pytest.approx(2 * math.exp(-math.lgamma(0.5)))  # J(2) = 1 / √π
    luck = [80.0, 86.0, 91.0, 97.0]
    better = [x + d for x, d in zip(luck, (2.0, 2.2, 1.8, 2.1), strict=True)]
    assert st.paired(better, luck).p < 0.001 < 0.5 < st.welch(better, luck).p


def test_permutation_counts_every_arrangement():
    a, b = [3.0, 5.0, 9.0, 4.0], [1.0, 2.0, 6.0]
    whole = a + b
    gaps = [
        abs(mean(part) - mean([whole[i] for i in range(7) if i not in chosen]))
        for chosen in combinations(range(7), 4)
        for part in [[whole[i] for i in chosen]]
    ]
    expected = sum(g >= mean(a) - mean(b) - 1e-9 for g in gaps) / 35
    assert st.permutation(a, b).p == expected
    flips = [abs(mean(s * g for s, g in zip(signs, (2, 1, 3), strict=True)))
             for signs in product((1, -1), repeat=3)]  # fmt: skip
    paired = st.permutation([90, 91, 93], [88, 90, 90], paired=True)
    assert paired.p == sum(f >= 2 for f in flips) / 8 == 0.25


def test_permutation_has_a_least_p_and_is_never_fooled_by_rounding():
    assert st.permutation([90, 91, 92], [10, 11, 12]).p == 2 / 20
    tenths = [0.1, 0.2, 0.3]  # their sums depend on the order in which they are added
    assert st.permutation(tenths, tenths[::-1]).p == 1


@pytest.mark.parametrize(("a", "b"), [(3, 3), (4, 4), (2, 5)])
def test_the_least_p_is_that_of_samples_far_apart(a, b):
    found = st.permutation([100.0 + i for i in range(a)], [float(i) for i in range(b)])
    assert found.p == found.least == st.least_p(a, b)


def test_the_least_p_of_pairs():
    found = st.permutation([90.0, 91.0, 95.0], [1.0, 2.0, 3.0], paired=True)
    assert found.p == found.least == st.least_p(3, 3, paired=True) == 0.25
    assert st.welch([1.0, 2.0], [3.0, 5.0]).least == 0, "a t-test has no least p"


def test_permutation_draws_where_there_are_too_many():
    draw = random.Random(1)
    a, b = ([draw.gauss(m, 1) for _ in range(14)] for m in (0, 1))
    found = st.permutation(a, b)
    assert "drawn" in found.note and found.p == st.permutation(a, b).p
    assert found.p == pytest.approx(st.welch(a, b).p, abs=0.01)


def test_holm_by_hand():
    assert st.holm([0.01, 0.04, 0.03]) == (0.03, 0.06, 0.06)
    assert st.holm([0.5, 0.9]) == (1.0, 1.0) and st.holm([]) == ()
    assert st.holm([0.2]) == (0.2,)


def test_seeds_that_do_not_differ_leave_the_t_tests_without_an_answer():
    found = st.welch([100.0] * 3, [10.0] * 3)
    assert found.p == 0.1 and found.low is None and found.effect is None
    assert "do not differ" in found.note
    same = st.welch([100.0] * 3, [100.0] * 3)
    assert (same.difference, same.p) == (0, 1)
    assert st.paired([5.0, 6.0, 7.0], [4.0, 5.0, 6.0]).p == 0.25
    assert st.permutation([1.0] * 3, [2.0] * 3).p == 0.1


@pytest.mark.parametrize("test", [st.welch, st.paired, st.permutation])
def test_one_run_each_cannot_tell(test):
    found = test([90.0], [80.0])
    assert (found.difference, found.p, found.low, found.effect) == (10, None, None, None)
    assert "one run" in found.note


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: st.summarise([]), "at least one"),
        (lambda: st.summarise([1.0, math.nan]), "not a finite"),
        (lambda: st.welch([1.0, math.inf], [2.0, 3.0]), "not a finite"),
        (lambda: st.paired([1.0, 2.0], [1.0]), "same seeds"),
        (lambda: st.permutation([1.0, 2.0], [1.0], paired=True), "same seeds"),
        (lambda: st.welch([1.0, 2.0], [1.0, 3.0], confidence=95), "between 0 and 1"),
        (lambda: st.summarise("ab"), "list of numbers.*not 'ab'"),
        (lambda: st.summarise("12"), "list of numbers"),
        (lambda: st.summarise(["1", "2"]), "list of numbers"),
        (lambda: st.summarise([None, 1.0]), "list of numbers"),
        (lambda: st.summarise(5), "list of numbers"),
        (lambda: st.welch([1.0, 2.0], "ab"), "list of numbers"),
        (lambda: st.summarise([1.0, 2.0], confidence="a"), "confidence is a number"),
        (lambda: st.holm([None, 0.1]), "p is a number between 0 and 1.*not None"),
        (lambda: st.holm([2, -1]), "p is a number between 0 and 1.*not 2"),
        (lambda: st.holm([math.nan]), "p is a number"),
        (lambda: st.t_quantile(1.5, 3), "p is a number.*not 1.5"),
        (lambda: st.t_quantile(0, 3), "p is a number"),
        (lambda: st.t_quantile(1, 3), "p is a number"),
        (lambda: st.t_quantile(0.9, 0), "df is a number above 0"),
        (lambda: st.t_cdf(1.0, -1), "df is a number above 0"),
        (lambda: st.t_cdf(math.nan, 3), "t is not a number"),
        (lambda: st.incomplete_beta(0, 1, 0.5), "a is a number above 0"),
        (lambda: st.incomplete_beta(1, 1, 1.5), "x is a number between"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(UserError, match=words):
        call()


def test_moments_are_those_of_the_standard_library():
    draw = random.Random(9)
    values = [draw.gauss(90, 2) for _ in range(7)]
    s = st.summarise(values)
    assert s.mean == pytest.approx(mean(values)) and s.deviation == pytest.approx(stdev(values))
