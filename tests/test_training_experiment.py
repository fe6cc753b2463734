"""lightcourse.training.experiment: fair tables of variants × seeds, kept, resumed, and judged."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from training_standins import Narrow, dies, net, splits, sums, wide_wins

from lightcourse.errors import UserError
from lightcourse.training import _exp_claims, _exp_jobs, _exp_pool, statistics
from lightcourse.training._exp_hash import digest, model_digest
from lightcourse.training._stops import Diverged
from lightcourse.training.data import builtin
from lightcourse.training.experiment import Stopped, Variant, experiment, load_runs, rerun
from lightcourse.training.history import History

run = partial(experiment, progress=False)
TWO = {"one": net, "other": Narrow}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))


def counting(scores=None):
    """A train function that notes its calls; without scores all runs score 50 %.

    The notes are an attribute: a list that the function closes over would be part of its hash.
    """

    def train(model, splits, seed, lr=0.1):
        train.calls.append((type(model).__name__, seed, lr))
        return 0.5 if scores is None else scores[type(model).__name__][seed] / 100

    train.calls = []
    return train.calls, train


def scored(one, other, **settings):
    _, train = counting({"Sequential": one, "Narrow": other})
    return run("test", TWO, splits(), seeds=len(one), train=train, cache=False, **settings)


# ---- the numbers


def test_the_table_holds_every_run_and_the_numbers_over_seeds():
    result = scored([90, 91, 92], [85, 86, 90])
    one, other = result.rows
    assert (one.scores, one.mean, one.deviation) == ((90, 91, 92), 91, 1)
    assert one.interval == pytest.approx((88.5159, 93.4841), abs=1e-4)
    assert (one.params, one.macs) == (4 * 28 + 2 * 145, 4 * 27 * 36 + 2 * 144)
    assert result.seeds == (0, 1, 2) and result["other"] is other
    assert [r.variant for r in other.runs] == ["other"] * 3
    (found,) = result.findings
    by_hand = statistics.welch([85, 86, 90], [90, 91, 92])
    assert (found.difference, found.p, found.effect) == (-4, by_hand.p, by_hand.effect)
    assert (found.low, found.high) == (by_hand.low, by_hand.high)


@pytest.mark.parametrize(
    ("one", "other", "claims", "word"),
    [
        ([90, 91, 92], [34, 33, 35], ("one", "other"), "confirmed"),
        ([90, 91, 92], [34, 33, 35], ("other", "one"), "refuted"),
        ([90, 91, 92], [91, 90, 93], ("other", "one"), "no difference seen"),
        ([90, 91, 92], [34, 33, 35], None, "lower"),
        ([34, 33, 35], [90, 91, 92], None, "higher"),
        ([90, 91, 92], [90, 91, 92], None, "no difference seen"),
        ([90], [34], ("one", "other"), "cannot tell"),
    ],
)
def test_the_verdict_follows_from_the_numbers(one, other, claims, word):
    result = scored(one, other, claims=claims)
    (found,) = result.findings
    assert found.word == word and word in found.sentence
    assert f"20 training pictures of 8×8, {len(one)} seed" in found.sentence
    if word == "no difference seen":
        most = max(abs(found.low), abs(found.high))
        assert f"up to {most:.1f} points could hide" in found.sentence
    if word == "cannot tell":
        assert found.p is None and "at least 3 seeds" in found.sentence


def test_many_claims_are_corrected_together():
    scores = {"Sequential": [90, 91, 92], "Narrow": [94, 95, 96]}
    _, train = counting(scores)
    alone = run("a", TWO, splits(), train=train).findings[0]
    table = {"one": net, **{f"other {i}": Narrow for i in range(5)}}
    many = run("b", table, splits(), train=train).findings
    assert alone.word == "higher" and alone.p == pytest.approx(0.0081, abs=1e-4)
    assert [f.p for f in many] == [pytest.approx(5 * alone.p)] * 5
    assert "corrected for 5 comparisons" in many[0].sentence
    close = {"Sequential": [90, 91, 92], "Narrow": [93, 94, 95]}
    found = run("c", table, splits(), train=counting(close)[1]).findings[0]
    assert found.low > 0 and found.word == "no difference seen"
    assert "by itself, p = 0.021, it would count" in found.sentence
    assert "hide" not in found.sentence


def test_no_spread_falls_back_to_counting_and_says_so():
    result = scored([100, 100, 100], [10, 10, 10], claims=("one", "other"))
    (found,) = result.findings
    assert found.p == 0.1 and found.word == "cannot tell"
    assert "seeds do not differ" in found.sentence and found.low is None


@pytest.mark.parametrize(
    ("seeds", "claims", "least", "needs"), [(3, 1, "0.1", 4), (4, 2, "0.057", 5), (2, 1, "0.33", 4)]
)
def test_too_few_seeds_for_a_permutation_test_are_told_whatever_the_gap(
    seeds, claims, least, needs
):
    """2 of C(2n, n) deals are as extreme as the observed one: 0.1, 0.029, 0.33 for 3, 4, 2."""
    scores = {"Sequential": list(range(80, 80 + seeds)), "Narrow": list(range(40, 40 + seeds))}
    table = {"one": net, **{f"other {i}": Narrow for i in range(claims)}}
    _, train = counting(scores)
    found = run("x", table, splits(), train=train, test="permutation", seeds=seeds).findings[0]
    assert found.word == "cannot tell" and found.low is not None and found.high < 0
    assert (
        f"{seeds} seeds cannot show a difference by this test, whatever the gap" in found.sentence
    )
    assert f"never below {least}, so train with at least {needs}." in found.sentence
    assert "by itself" not in found.sentence and "hide" not in found.sentence


def test_enough_seeds_for_a_permutation_test_count():
    scores = {"Sequential": [80, 81, 82, 83], "Narrow": [40, 41, 42, 43]}
    found = run("x", TWO, splits(), train=counting(scores)[1], test="permutation", seeds=4)
    assert found.findings[0].word == "lower" and found.findings[0].p == pytest.approx(2 / 70)
    (one,) = scored([100], [40], test="permutation").findings
    assert one.word == "cannot tell" and "at least 4 seeds" in one.sentence


def test_a_p_at_the_level_or_shown_as_the_level_is_not_a_confirmation(monkeypatch):
    """p = 0.025 twice gives 0.05 after Holm, which is at the level and not below it."""
    for p, word, said in [
        (0.05, "no difference seen", "p = 0.05 "),
        (0.05 * (1 - 1e-12), "no difference seen", "p = 0.05 "),
        (0.04996, "confirmed", "p = 0.04996 "),
        (0.0504, "no difference seen", "p = 0.0504 "),
    ]:
        made = statistics.Difference("a test", 5.0, 0.1, 9.9, p, 1.0)
        monkeypatch.setitem(_exp_claims.TESTS, "welch", lambda *_, made=made, **__: made)
        (found,) = scored([90, 91, 92], [85, 86, 87], claims=("one", "other")).findings
        assert found.word == word and said in found.sentence


def test_guessing_on_both_sides_is_no_absence_of_a_difference():
    found = scored([50, 48, 55], [45, 50, 52], claims=("one", "other")).findings[0]
    assert found.word == "nothing learned" and "no difference" not in found.sentence
    assert "guessing scores 50 %, and neither does better" in found.sentence
    apart = scored([50, 48, 55], [95, 94, 96], claims=("one", "other")).findings[0]
    assert apart.word == "refuted", "one side has learned"
    alike = scored([90, 91, 92], [91, 90, 93], claims=("one", "other"))
    assert alike.findings[0].word == "no difference seen"
    assert alike.data["sets"][0]["chance"] == 50
    # 30 of 40 test pictures are of one class, so 75 % is what guessing gives
    uneven = splits()
    uneven.test.labels = (torch.arange(40) % 4 == 0).long()
    uneven.test.images = uneven.test.images.repeat(4, 1, 1, 1)
    _, train = counting({"Sequential": [75, 74, 76], "Narrow": [75, 75, 72.5]})
    assert run("x", TWO, uneven, train=train).findings[0].word == "nothing learned"
    del uneven.test.labels
    unknown = run("x", TWO, uneven, train=train, cache=False)
    assert unknown.chance is None and unknown.findings[0].word == "no difference seen"


def test_intervals_end_where_accuracies_do():
    result = scored([99, 100, 92], [3, 0, 30], claims=("one", "other"))
    one, other = result.rows
    assert one.summary.high > 100 and one.interval == (one.summary.low, 100)
    assert other.summary.low < 0 and other.interval == (0, other.summary.high)
    assert "of the mean, cut at 0 and 100 %" in str(result) and " to 100.0" in str(result)
    assert "cut at" not in str(scored([90, 91, 92], [85, 86, 87]))
    (found,) = scored([100, 99], [0, 30], claims=("one", "other")).findings
    assert (found.low, found.high) == (-100, 100) and "−100.0 to +100.0" in found.sentence


def test_data_drawn_by_each_seed_is_compared_in_pairs():
    _, train = counting({"Sequential": [80, 86, 91], "Narrow": [82, 88.1, 93]})
    result = run("pairs", TWO, splits, train=train, claims=("other", "one"))
    assert result.test == "paired" and result.findings[0].word == "confirmed"
    chosen = run("pairs", TWO, splits, train=train, claims=("other", "one"), test="welch")
    assert chosen.findings[0].word == "no difference seen"
    assert run("perm", TWO, splits(), train=train, test="permutation").findings[0].p >= 0.1


# ---- equal budget


def test_an_unequal_budget_is_refused_with_the_way_out():
    table = {"narrow": net, "wide": partial(net, 8)}
    with pytest.raises(UserError) as refused:
        run("x", table, splits(), train=wide_wins)
    text = str(refused.value)
    assert "'wide' costs 8,352 MACs and 'narrow' 4,176 MACs, 2.00 times" in text
    assert "channels of 'wide' by about 0.71" in text
    assert "budget=None" in text and "5 % more is allowed" in text
    (way,) = (w.strip(",") for w in text.split() if w.startswith("tolerance="))
    allowed = run("x", table, splits(), train=wide_wins, tolerance=float(way.split("=")[1]))
    assert allowed["wide"].macs == 8352
    with pytest.raises(UserError, match="parameters"):
        run("x", table, splits(), train=wide_wins, budget="params")
    assert run("x", table, splits(), train=wide_wins, budget=None).budget is None


def test_only_the_two_sides_of_a_claim_must_cost_the_same():
    table = {"a4": net, "b4": Narrow, "a8": partial(net, 8), "b8": partial(Narrow, 8)}
    claims = [("a4", "b4"), ("a8", "b8")]
    assert len(run("x", table, splits(), train=wide_wins, claims=claims).findings) == 2
    with pytest.raises(UserError, match="'a8' costs"):
        run("x", table, splits(), train=wide_wins, claims=[("a4", "a8")])


def test_macs_that_nobody_can_count_are_refused_as_a_budget():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net()

        def forward(self, x):
            return self.net(x) + torch.linalg.det(x[:, 0])[:, None]

    with pytest.raises(UserError, match=r"'odd' uses .*det.*cannot be checked"):
        run("x", {"odd": Odd, "net": net}, splits(), train=sums)
    assert run("x", {"odd": Odd, "net": net}, splits(), train=sums, budget="params")["odd"].params


def test_time_is_measured_before_anything_is_trained():
    class Slow(Narrow):
        def forward(self, x):
            for _ in range(300):
                x = x + torch.zeros(1)
            return super().forward(x)

    calls, train = counting()
    with pytest.raises(UserError, match=r"'slow' costs .* CPU seconds per step"):
        run("x", {"net": net, "slow": Slow}, splits(), train=train, budget="time")
    assert not calls
    assert run("x", TWO, splits(), train=train, budget="time", tolerance=20).budget == "time"


# what is said of the budget: the table, the settings, the words
SAID = [
    ({"narrow": net, "wide": partial(net, 8)}, {"tolerance": 2},
     "MACs of the two sides of a comparison are up to 100 % apart, 200 % allowed"),
    ({"narrow": net, "wide": partial(net, 8)}, {"budget": None}, "; costs may differ;"),
    ({"narrow": net, "wide": partial(net, 8)}, {"claims": []}, "nothing is compared, so no budget"),
    ({"narrow": net}, {}, "nothing is compared, so no budget was checked"),
    ({"a": net, "b": Narrow}, {}, "both sides of each comparison have equal MACs"),
    ({"a": net, "b": Narrow}, {"budget": "params"}, "have equal parameters"),
    ({"a": partial(net, 50), "b": partial(net, 51)}, {"budget": "params"},
     "parameters of the two sides of a comparison are up to 2 % apart, 5 % allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "settings", "words"), SAID)
def test_the_table_says_what_was_checked_and_how_far_apart_the_costs_are(table, settings, words):
    result = run("x", table, splits(), train=sums, **settings)
    assert words in str(result) and words in result._repr_html_()
    assert ("equal" in str(result)) == ("equal" in words)


def test_the_times_that_were_checked_are_told_and_kept(tmp_path):
    result = run("x", TWO, splits(), train=sums, budget="time", tolerance=20)
    one, other = result.config["step_seconds"].values()
    apart = 100 * (max(one, other) / min(one, other) - 1)
    (said,) = (x for x in str(result).split("; ") if x.startswith("time per step of the two"))
    shown = float(said.split("up to ")[1].split(" %")[0])
    assert shown == pytest.approx(apart, rel=0.06) and said.endswith(" apart, 2000 % allowed")
    assert str(load_runs(result.save(tmp_path / "log.json"))) == str(result)


# ---- the cache


def test_finished_runs_are_not_trained_again():
    calls, train = counting()
    first = run("a", TWO, splits(), train=train)
    again = run("another name", TWO, splits(), train=train)
    assert len(calls) == 6 and [r.runs for r in again.rows] == [r.runs for r in first.rows]
    renamed = run("a", {"uno": net, "due": Narrow}, splits(), train=train)
    assert len(calls) == 6 and renamed["due"].runs[1].variant == "due"
    run("a", TWO, splits(), train=train, cache=False)
    assert len(calls) == 12


def test_variants_that_are_the_same_network_are_trained_once():
    calls, train = counting()
    result = run("a", {"one": net, "twin": net}, splits(), train=train, cache=False)
    assert len(calls) == 3 and len(result["twin"].runs) == 3


def test_whatever_could_change_a_result_is_trained_again():
    calls, train = counting()

    def trained(**changes):
        before = len(calls)
        given = {"variants": {"one": net}, "splits": splits(), "train": train, "seeds": (0,)}
        given |= changes
        run("a", **given)
        return len(calls) - before

    assert (trained(), trained()) == (1, 0)
    assert trained(lr=0.2) == 1 and trained(lr=0.1) == 1 and trained(lr=0.2) == 0
    assert trained(seeds=(0, 1)) == 1
    assert trained(splits=splits(1)) == 1
    assert trained(variants={"one": partial(net, 5)}) == 1
    assert trained(variants={"one": Variant(net, fit={"lr": 0.3})}) == 1
    assert trained(lr=0.3) == 0, "the same run, asked for in another way"
    other = splits()
    other.test.labels = other.test.labels.flip(0)
    assert trained(splits=other) == 1, "test labels count too"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text(""),
        lambda path: path.write_text(path.read_text()[:-40]),
        lambda path: path.write_bytes(b"\x00\xff" * 50),
        lambda path: path.write_text(path.read_text().replace("50.0", "99.0")),
        lambda path: path.write_text("[]"),
        lambda path: path.unlink(),
    ],
    ids=["empty", "cut off", "not text", "changed", "not an entry", "gone"],
)
def test_a_damaged_entry_is_trained_again_and_repaired(spoil):
    calls, train = counting()
    run("a", TWO, splits(), train=train)
    paths = sorted(_exp_jobs.cache_folder().rglob("*.json"))
    assert len(paths) == 6
    spoil(paths[2])
    result = run("a", TWO, splits(), train=train)
    assert len(calls) == 7 and {row.mean for row in result.rows} == {50}
    run("a", TWO, splits(), train=train)
    assert len(calls) == 7


def test_an_entry_under_the_wrong_name_is_not_taken():
    calls, train = counting()
    run("a", TWO, splits(), train=train)
    one, other = sorted(_exp_jobs.cache_folder().rglob("*.json"))[:2]
    one.write_text(other.read_text())
    run("a", TWO, splits(), train=train)
    assert len(calls) == 7


def test_a_full_disk_costs_the_cache_and_not_the_result(monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_exp_jobs, "write_atomic", full)
    result = run("a", TWO, splits(), train=sums, progress=True)
    assert len(result.rows[0].runs) == 3
    assert capsys.readouterr().out.count("is the disk full?") == 1


def test_a_stop_keeps_finished_runs_and_the_same_call_goes_on():
    def train(model, splits, seed):
        train.calls.append(seed)
        if len(train.calls) == 4:
            raise KeyboardInterrupt
        return 0.5

    train.calls = []

    with pytest.raises(Stopped, match="3 of 6 runs are kept; the same call goes on"):
        run("a", TWO, splits(), train=train)
    assert len(run("a", TWO, splits(), train=train).rows[1].runs) == 3
    assert len(train.calls) == 7
    assert isinstance(Stopped(""), KeyboardInterrupt), "no 'except Exception' may swallow it"


def test_a_failing_variant_is_named_and_the_others_are_kept():
    calls = []

    def train(model, splits, seed):
        calls.append(seed)
        if isinstance(model, Narrow):
            raise ValueError("shapes do not fit")
        return 0.5

    with pytest.raises(UserError) as failed:
        run("a", TWO, splits(), train=train)
    assert "'other' with seed 0" in str(failed.value)
    assert "ValueError: shapes do not fit. The 3 finished runs are kept" in str(failed.value)
    assert len(calls) == 4, "the failing variant is not tried with every seed"
    with pytest.raises(UserError, match="accuracy is nan"):
        run("a", TWO, splits(), train=lambda model, splits, seed: math.nan)


def test_a_run_that_diverges_can_count_as_guessing():
    def train(model, splits, seed):
        if isinstance(model, Narrow) and seed:
            raise Diverged("the loss is nan; try a lower lr.")
        return 0.9

    with pytest.raises(UserError, match=r"'other' with seed 1 .*lower lr"):
        run("a", TWO, splits(), train=train)
    table = {"one": net, "other": Variant(Narrow, diverges=True)}
    result = run("a", table, splits(), train=train)
    assert result["other"].scores == (90, 50, 50), "two classes: guessing is 50 %"
    assert "2 runs diverged and count as guessing" in str(result)
    line = next(x for x in str(result).splitlines() if x.startswith("other  "))
    assert "63.3 ± 23.1 %, 2 diverged" in line, "the mean is not one of three trained networks"
    assert "2 runs of 'other' diverged and count as guessing" in result.verdict
    assert list(result.to_pandas()["diverged"]) == [False] * 4 + [True] * 2
    (axes,) = result.figure().axes
    crosses = [c.get_offsets().tolist() for c in axes.collections if len(c.get_paths()[0]) == 4]
    assert crosses == [[[50.0, 1.0], [50.0, 1.0]]]
    assert "crosses: runs that diverged" in result.figure()._supxlabel.get_text()
    alone = run("a", {"other": table["other"]}, splits(), train=train, seeds=2, progress=True)
    assert "1 run diverged and counts as guessing" in str(alone)


def test_progress_marks_a_run_that_diverged(capsys):
    def train(model, splits, seed):
        raise Diverged("the loss is nan; try a lower lr.")

    run("a", {"x": Variant(net, diverges=True)}, splits(), train=train, seeds=1, progress=True)
    assert "seed 0: 50.0 % (diverged, counts as guessing)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (70.0, "accuracy is 70; it is a share from 0 to 1, as 0.7"),
        (-0.1, "share from 0 to 1"),
        (None, "returned None; it must return"),
        ("good", "returned 'good'"),
        ([0.5, 0.6], r"returned \[0.5, 0.6\]"),
    ],
)
def test_accuracies_are_shares(returned, words):
    with pytest.raises(UserError, match=f"'one' with seed 0 could not be trained: .*{words}"):
        run("a", TWO, splits(), train=lambda model, splits, seed: returned)
    assert not list(_exp_jobs.cache_folder().rglob("*.json")), "nothing wrong is remembered"


def test_the_callers_random_numbers_and_threads_stay():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run("a", TWO, splits(), train=sums)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.rand(3), expected)


# ---- side by side


def test_processes_give_the_same_as_one_after_the_other():
    table = {"lambda": lambda: net(4), "class": partial(Narrow, 5)}
    alone = run("a", table, splits(), train=sums, cache=False, budget=None)
    beside = run("a", table, splits(), train=sums, cache=False, budget=None, jobs=2)
    assert [row.scores for row in alone.rows] == [row.scores for row in beside.rows]
    assert len({score for row in alone.rows for score in row.scores}) == 6


def test_the_real_loop_gives_the_same_beside_and_alone():
    data = builtin(64, 40, size=16)
    table = {
        name: lambda act=act: nn.Sequential(
            nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), act(), nn.Flatten(), nn.Linear(196, 10)
        )
        for name, act in (("relu", nn.ReLU), ("tanh", nn.Tanh))
    }
    settings = {"epochs": 2, "batch_size": 16, "seeds": (0, 1), "cache": False}
    alone, beside = (run("a", table, data, jobs=jobs, **settings) for jobs in (1, 2))
    assert [row.scores for row in alone.rows] == [row.scores for row in beside.rows]
    assert all(len(r.curve) == 2 and r.curve[-1] == r.score for r in alone.rows[0].runs)
    assert alone.rows[0].scores != alone.rows[1].scores


def test_what_cannot_travel_is_trained_here():
    lock = _exp_pool.threading.Lock()
    calls = []

    def train(model, splits, seed):
        with lock:
            calls.append(seed)
        return 0.5

    assert _exp_pool.pack(train) is None
    assert len(run("a", TWO, splits(), train=train, jobs=2).rows[0].runs) == 3
    assert sorted(calls) == [0, 0, 1, 1, 2, 2]


def test_without_cloudpickle_only_named_functions_travel(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    assert _exp_pool.pack(lambda: 1) is None
    assert _exp_pool.pack(sums) is not None


def test_a_process_that_dies_is_told_and_the_others_finish():
    table = {"fine": net, "dies": partial(net, 5)}
    with pytest.raises(UserError, match=r"'dies' with seed .*ended with code 7"):
        run("a", table, splits(), train=dies, jobs=2, budget=None)
    assert len(list(_exp_jobs.cache_folder().rglob("*.json"))) == 3


SCRIPT = """
import sys, time
from torch import nn
from lightcourse.training.experiment import experiment
sys.path.append({tests!r})
from training_standins import splits

class Mine(nn.Module):  # no guard around the call below: other processes must not run this file
    def __init__(self, width):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, width, 8), nn.Linear(width, 2)
    def forward(self, x):
        return self.head(self.conv(x).flatten(1))

def slowly(model, splits, seed):
    time.sleep({seconds} if seed else 0)
    return 0.5 + seed / 100

result = experiment("script", {{"a": lambda: Mine(4), "b": lambda: Mine(5)}}, splits(), budget=None,
                    train=slowly, jobs={jobs})
print("MEANS", [row.mean for row in result.rows])
"""


def script(tmp_path, **values):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(tests=str(Path(__file__).parent), **values))
    return [sys.executable, str(path)]


def started(command):
    out = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert out.stdout is not None
    lines = []
    for line in out.stdout:
        lines.append(line)
        if "seed 0" in line and len([x for x in lines if "seed 0" in x]) == 2:
            return out
    pytest.fail("".join(lines) + (out.stderr.read() if out.stderr else ""))


def children(pid):
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_killed_script_goes_on_where_it_was(tmp_path, how):
    process = started(script(tmp_path, seconds=300, jobs=2))
    workers = children(process.pid)
    assert workers
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert "2 of 6 runs are kept; the same call goes on from there" in errors
    end = time.monotonic() + 30
    while any(alive(worker) for worker in workers):
        assert time.monotonic() < end, "workers must end with their parent"
        time.sleep(0.1)
    # the train function's code differs (it sleeps less), so only the cache's count is looked at
    assert len(list(_exp_jobs.cache_folder().rglob("*.json"))) == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_script_without_a_guard_trains_side_by_side_and_resumes(tmp_path):
    command = script(tmp_path, seconds=0, jobs=2)
    first = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    again = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    assert "MEANS [51.0, 51.0]" in first.stdout and "MEANS [51.0, 51.0]" in again.stdout
    assert "6 of 6 runs are there already" in again.stdout and not again.stderr


# ---- Dask


@pytest.mark.slow
def test_a_dask_scheduler_with_worker_processes_gives_the_same():
    distributed = pytest.importorskip("distributed")
    here = run("a", TWO, splits(), train=sums, cache=False)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tcp://")
        there = run("a", TWO, splits(), train=sums, scheduler=address)
        assert [row.scores for row in here.rows] == [row.scores for row in there.rows]
        lambdas = {"one": lambda: net(4), "other": lambda: Narrow(4)}
        with pytest.raises(UserError, match=r"'wrong' .*ZeroDivisionError"):
            run("a", {"wrong": net}, splits(), train=lambda model, splits, seed: 1 / 0,
                scheduler=address)  # fmt: skip
        with distributed.Client(cluster) as client:
            ready = run("a", TWO, splits(), train=sums, scheduler=client, seeds=1, cache=False)
        assert ready["one"].scores == here["one"].scores[:1]
        again = run("a", lambdas, splits(), train=sums, scheduler=address, seeds=2)
        assert again["one"].scores == here["one"].scores[:2]


def test_dask_is_not_needed_and_its_absence_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match="pip install distributed"):
        run("a", TWO, splits(), train=sums, scheduler="tcp://127.0.0.1:1")
    assert run("a", TWO, splits(), train=sums).rows


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    distributed = pytest.importorskip("distributed")

    def nobody(*_, **__):
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", type("Client", (), {"__init__": nobody}))
    with pytest.raises(UserError, match=r"No Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        run("a", TWO, splits(), train=sums, scheduler="tcp://127.0.0.1:1")


def test_a_worker_with_other_versions_is_refused():
    job = _exp_jobs.Job("k", "one", Variant(net), 0, "d", sums, {}, {"torch": "1.0"})
    with pytest.raises(UserError, match=r"started with torch 1\.0; install the same"):
        _exp_jobs.run_job(job, splits())


# ---- logs


def test_a_log_comes_back_as_it_was_written(tmp_path):
    result = scored([90, 91, 92], [34, 33, 35], claims=("one", "other"), question="why?")
    (tmp_path / "runs").mkdir()
    path = result.save(tmp_path / "runs" / "log.json")
    plain = json.loads(path.read_text(encoding="utf-8"))
    assert {"config", "data", "machine", "commit", "rows", "findings"} <= set(plain)
    assert plain["data"]["sets"][0]["train"] == 20 and plain["machine"]["torch"]
    assert [p.name for p in path.parent.iterdir()] == ["log.json"], "no parts are left"
    loaded = load_runs(path)
    assert loaded.to_dict() == result.to_dict() and str(loaded) == str(result)
    assert loaded.verdict == result.verdict and loaded.rows == result.rows


def test_the_verdict_of_a_log_is_computed_from_its_runs_not_believed(tmp_path):
    path = scored([90, 91, 92], [34, 33, 35], claims=("one", "other")).save(tmp_path / "log.json")
    plain = json.loads(path.read_text(encoding="utf-8"))
    for number, made in enumerate(plain["rows"][0]["runs"]):
        made["score"] = 34 + number
    plain["rows"][0]["mean"] = 99
    path.write_text(json.dumps(plain))
    assert load_runs(path)["one"].mean == 35
    assert load_runs(path).findings[0].word == "nothing learned"


def test_a_log_goes_into_a_folder_that_is_there_as_a_history_does(tmp_path):
    result, history = scored([90, 91], [85, 86]), History(())
    for write in (result.save, history.to_csv):
        with pytest.raises(UserError, match=r"folder|No such file"):
            write(tmp_path / "none" / "file")
        assert not (tmp_path / "none").exists()
        write(tmp_path / "file")
    with pytest.raises(UserError, match="Cannot write"):
        result.save(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": "other"}', '{"format": "lightcourse runs 1"}', "3"]
)
def test_what_is_no_log_is_refused(tmp_path, text):
    path = tmp_path / "log.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"JSON|not a log"):
        load_runs(path)
    with pytest.raises(UserError, match="Cannot read"):
        load_runs(tmp_path / "none.json")


def test_a_log_is_trained_again_with_its_own_settings(tmp_path):
    path = run("a", TWO, splits(), train=sums, seeds=(4, 5), lr=0.3, claims=("one", "other")).save(
        tmp_path / "log.json"
    )
    again = rerun(path, TWO, splits(), train=sums, cache=False, progress=False)
    old = load_runs(path)
    assert [row.scores for row in again.rows] == [row.scores for row in old.rows]
    assert again.config == old.config and again.findings == old.findings
    with pytest.raises(UserError, match="no networks and data"):
        rerun(path)
    with pytest.raises(UserError, match="differ in new, other"):
        rerun(path, {"one": net, "new": Narrow}, splits())


# ---- how it shows itself


def test_it_prints_as_a_table_with_the_verdict_below():
    lines = str(scored([90, 91, 92], [34, 33, 35], question="which?")).splitlines()
    assert lines[0] == "test: which?" and "3 seeds; both sides" in lines[1]
    assert "equal MACs" in lines[1]
    assert lines[5].split()[:4] == ["one", "91.0", "±", "1.0"] and "402" in lines[5]
    assert lines[-1].startswith("other against one: lower")


def test_html_says_the_same_and_trusts_no_name():
    _, train = counting({"Sequential": [90, 91, 92], "Narrow": [90, 91, 92]})
    html = run("<b>x</b>", {"<i>": net, "&": Narrow}, splits(), train=train)._repr_html_()
    assert "<b>x</b>" not in html and "&lt;i&gt;" in html and "&amp;" in html
    assert html.count("<tr>") == 3 and "no difference seen" in html


def test_pandas_has_a_line_for_every_run():
    frame = scored([90, 91, 92], [34, 33, 35]).to_pandas()
    assert list(frame["score"]) == [90, 91, 92, 34, 33, 35] and len(frame.columns) == 7


def test_figures_show_every_run_and_the_interval():
    listed = scored([90, 91, 92], [34, 33, 35]).figure()
    (axes,) = listed.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["one", "other"]
    dots = [tuple(xy) for c in axes.collections for xy in c.get_offsets().tolist()]
    assert {(90.0, 0.0), (92.0, 0.0), (33.0, 1.0)} <= set(dots)
    (bar,) = axes.containers[0].lines[2][0].get_segments()
    assert (bar[0][0], bar[1][0]) == pytest.approx((88.5159, 93.4841), abs=1e-3)

    table = {
        f"{line} {x}": Variant(partial(net, 4), x=x, line=line, fit={"lr": x})
        for line in "ab"
        for x in (1, 10)
    }
    lined = run("x", table, splits(), train=sums, x_label="rate").figure()
    (axes,) = lined.axes
    assert axes.get_xlabel() == "rate" and axes.get_xscale() == "log"
    (legend,) = lined.legends
    assert [t.get_text() for t in legend.get_texts()] == ["a", "b"]
    for figure in (listed, lined):
        assert figure._repr_png_().startswith(b"\x89PNG"), "a notebook shows it without pyplot"


def test_the_legend_stands_on_nothing():
    """Names as long as a title and bars as long as the axis: legend, picture, title stay apart."""
    names = ("without batch norm and with a name that is long", "with")
    table = {
        f"{line} {x}": Variant(Narrow, x=x, line=line, fit={"lr": x})
        for line in names
        for x in (1, 10)
    }
    figure = run("x", table, splits(), train=sums, question="why " * 40, x_label="rate").figure()
    figure.draw_without_rendering()
    (axes,), (legend,) = figure.axes, figure.legends
    box = legend.get_window_extent()
    for other in (axes.get_window_extent(), axes._left_title.get_window_extent()):
        assert not box.overlaps(other)
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1


def test_progress_is_one_line_for_every_run(capsys):
    calls, train = counting()
    run("a", TWO, splits(), train=train, progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6 and "1 of 6: one, seed 0: 50.0 %" in lines[0] and "left" in lines[0]
    run("a", TWO, splits(), train=train, progress=True)
    assert capsys.readouterr().out == "a: 6 of 6 runs are there already\n"
    assert len(calls) == 6


# ---- bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variants": {}}, "table"),
        ({"variants": [net]}, "table"),
        ({"variants": {"a": net()}}, "finished network.*lambda"),
        ({"variants": {"a": 3}}, "function that builds"),
        ({"variants": {"a": dict}}, "builds a dict"),
        ({"variants": {"a": partial(nn.Linear, 5, 5)}}, "'a':"),
        ({"seeds": ()}, "seeds are"),
        ({"seeds": (0, 0)}, "twice"),
        ({"seeds": (0.5,)}, "seeds are"),
        ({"seeds": "012"}, "seeds are"),
        ({"seeds": None}, "seeds are"),
        ({"seeds": 0}, "seeds=0 asks for no run; seeds=3 means"),
        ({"seeds": -2}, "seeds=-2 asks for no run"),
        ({"seed": 3}, r"no setting 'seed': give seeds=\(3,\)"),
        ({"variants": {"a": Variant(net, fit={"seed": 3})}}, "no setting 'seed'"),
        ({"out": "folder"}, r"no setting 'out': finished runs are kept .*\.save\(path\)"),
        ({"resume": True}, "no setting 'resume': finished runs are taken"),
        ({"tolerance": "a"}, "tolerance is how much more .* not 'a'"),
        ({"tolerance": -1}, "tolerance is how much more .* not -1"),
        ({"tolerance": math.nan}, "tolerance is how much more"),
        ({"tolerance": True}, "tolerance is how much more"),
        ({"variants": {"a": lambda: 1 / 0}}, "'a' cannot be built .*ZeroDivisionError: division"),
        ({"variants": {"a": lambda width: net(width)}}, "'a' cannot be built .*called without"),
        ({"splits": lambda seed: 1 / 0}, r"splits\(0\) cannot be made .*ZeroDivisionError"),
        ({"budget": "flops"}, 'budget is "macs"'),
        ({"jobs": 0}, "jobs is"),
        ({"test": "anova"}, "no test"),
        ({"test": "paired"}, "shares? more than a number|share more"),
        ({"claims": ("a", "none")}, "variants are a, b"),
        ({"claims": [("a", "a")]}, "two variants"),
        ({"claims": [("a", "b"), ("a", "b")]}, "stands there twice"),
        ({"claims": [("a", "b"), ("b", "a")]}, "cannot both beat each other"),
        ({"splits": [1, 2]}, "with .train and .test"),
        ({"lrr": 3}, "no setting 'lrr'; did you mean 'lr'"),
    ],
)
def test_bad_input_is_refused_before_training(changes, words):
    calls, train = counting()
    given = {"variants": {"a": net, "b": Narrow}, "splits": splits(), "train": train} | changes
    with pytest.raises(UserError, match=words):
        run("x", **given)
    assert not calls


def test_an_unknown_variant_of_a_result_is_told():
    with pytest.raises(UserError, match="it has one, other"):
        scored([1, 2], [1, 2])["two"]


# ---- the content hash

MODULE = """
import torch
from torch import nn
SCALE = {scale}
def helper(x):
    {comment}
    return {expression}
class Net(nn.Module):
    \"\"\"{doc}\"\"\"
    names = {{"relu", "tanh", "gelu"}}
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.act = helper
    def forward(self, x):
        return helper(self.fc(x)) if x.dim() in {{2, 3, 4}} else x
"""
PLAIN = {"scale": 1, "comment": "pass", "expression": "x * SCALE", "doc": "one"}


CHANGES = (
    {},
    {"doc": "two"},
    {"comment": "# why\n    pass"},
    {"expression": "x + SCALE"},
    {"scale": 2},
)


def hashes(tmp_path, changes):
    """Hashes of the network and its helper after each change, made in a process of its own."""
    for number, change in enumerate(changes):
        text = MODULE.format(**{**PLAIN, **change})
        (tmp_path / str(number)).mkdir(exist_ok=True)
        (tmp_path / str(number) / "own_module.py").write_text(text)
    code = textwrap.dedent(f"""
        import sys, torch
        from lightcourse.training._exp_hash import digest, model_digest
        for number in range({len(changes)}):
            sys.modules.pop("own_module", None)
            sys.path.insert(0, {str(tmp_path)!r} + "/" + str(number))
            import own_module
            torch.manual_seed(0)
            print(model_digest(own_module.Net()) + digest(own_module.helper))
    """)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_the_hash_is_the_same_in_every_process_and_sees_every_change_of_code(tmp_path):
    plain, doc, comment, expression, scale = hashes(tmp_path, CHANGES)
    assert hashes(tmp_path, CHANGES[:1]) == [plain], "no addresses, no order of sets"
    assert plain == doc == comment, "words do not count"
    assert plain != expression, "a helper of forward"
    assert plain != scale, "a constant of the module that a helper reads"


def test_digest_tells_values_apart_and_containers_alike():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})
    assert digest([1, 2]) != digest([2, 1]) and digest([[1], 2]) != digest([1, [2]])
    assert digest({3, 1, 2}) == digest({2, 3, 1})
    assert digest("1") != digest(1) != digest(1.0) != digest(True)
    assert digest(torch.zeros(2)) != digest(torch.zeros(2, 1)) != digest(torch.zeros(2).int())
    assert digest(partial(net, 4)) != digest(partial(net, 5))
    a, b = [1], [2]
    assert digest([a, b, a]) != digest([a, b, b])
    circle = []
    circle.append(circle)
    assert digest(circle) == digest(circle)


def test_closures_defaults_and_weights_count():
    def made(n):
        return lambda x: x + n

    assert digest(made(1)) != digest(made(2))
    assert digest(lambda x=1: x) != digest(lambda x=2: x)
    torch.manual_seed(0)
    one, other = net(), net()
    assert model_digest(one) == model_digest(one) != model_digest(other)
    other.load_state_dict(one.state_dict())
    assert model_digest(one) == model_digest(other)
    other[0].own = 3
    assert model_digest(one) != model_digest(other), "plain attributes can steer forward"
