"""lightcourse.training.studies: the networks are what the tables say, and the claims are fair."""

import itertools
import json
import re
from datetime import datetime

import pytest
import torch
from torch import nn
from training_standins import sums, wide_wins

from lightcourse.analysis import analyze
from lightcourse.errors import UserError
from lightcourse.training import statistics, studies
from lightcourse.training.data import builtin
from lightcourse.training.experiment import load_runs, rerun
from lightcourse.training.studies import batches, kinds, ladders, norm, reach, shuffle, sizes
from lightcourse.training.studies._frame import FULL, SEEDS
from lightcourse.training.studies._nets import OneColourEach, Row, grouped_net, net, scaled

# every study with every knob that changes its table: name, knobs, variants, claims
CASES = [
    ("batch_norm", {}, 6, 3),
    ("batch_norm", {"quick": True}, 4, 2),
    ("block_kinds", {}, 3, 3),
    ("block_kinds", {"equal": "layout"}, 3, 2),
    ("bottleneck", {}, 6, 3),
    ("bottleneck", {"quick": True}, 2, 1),
    ("bottleneck", {"about": "shortcut"}, 3, 2),
    ("channel_shuffle", {}, 8, 4),
    ("channel_shuffle", {"quick": True}, 2, 1),
    ("deep_supervision", {}, 4, 2),
    ("deep_supervision", {"quick": True, "layers": 8, "weight": 0.5}, 4, 2),
    ("depth", {}, 6, 3),
    ("depth", {"quick": True}, 2, 1),
    ("downsampling", {}, 6, 3),
    ("downsampling", {"quick": True, "period": 5.5}, 2, 1),
    ("fd_mobilenet", {}, 4, 2),
    ("fd_mobilenet", {"budgets": [12, 40, 140]}, 6, 3),
    ("fd_mobilenet", {"quick": True}, 2, 1),
    ("hard_swish", {}, 3, 3),
    ("hard_swish", {"quick": True}, 2, 1),
    ("multipliers", {}, 5, 2),
    ("multipliers", {"quick": True}, 3, 1),
    ("receptive_field", {}, 8, 6),
    ("receptive_field", {"quick": True, "reaches": (15, 7)}, 2, 1),
    ("small_batches", {}, 12, 8),
    ("small_batches", {"quick": True}, 4, 3),
    ("squeeze_excite", {}, 4, 3),
    ("squeeze_excite", {"quick": True}, 2, 1),
]
EQUAL = kinds.EQUAL_MACS
TINY = {"train": 20, "test": 10, "train_with": sums, "progress": False, "seeds": (0, 1)}


def constant(model, splits, seed, epochs, batch_size, lr=0.1, augment=None):
    return sums(model, splits, seed, lr)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))


def tiny(name, **knobs):
    return studies.run(name, **{**TINY, "train_with": constant, **knobs})


def of(model, size=32):
    return analyze(model, (1, 3, size, size))


@pytest.mark.parametrize(("name", "knobs", "variants", "claims"), CASES)
def test_every_study_has_its_table_its_fair_budget_and_its_picture(name, knobs, variants, claims):
    result = tiny(name, **knobs)
    assert (len(result.rows), len(result.claims)) == (variants, claims) and result.claimed
    assert len(result.findings) == claims and result.study["name"] == name
    for better, worse in result.claims:
        one, other = result[better], result[worse]
        if result.budget:
            costs = [getattr(row, result.budget) for row in (one, other)]
            assert max(costs) <= 1.05 * min(costs)
    assert "\n".join([str(result), result.verdict]) and result.figure().axes
    assert result.question.endswith("?") and "_" not in result.name
    size = result.study["settings"]  # a study may have numbers of its own
    assert f"difficulty {size['difficulty']}; epochs {size['epochs']}; batch size" in str(result)


@pytest.mark.parametrize(("name", "knobs"), [(n, k) for n, k, *_ in CASES])
def test_a_studys_log_runs_again_to_the_same_numbers(tmp_path, name, knobs):
    first = tiny(name, **knobs)
    log = load_runs(first.save(tmp_path / "log.json"))
    again = rerun(log, train_with=constant, cache=False, progress=False)
    assert [row.scores for row in again.rows] == [row.scores for row in first.rows]
    assert again.study == log.study and again.findings == first.findings


def test_every_study_is_known_by_its_name():
    assert {name for name, *_ in CASES} == set(studies.STUDIES)
    with pytest.raises(UserError, match="choose of batch_norm, block_kinds"):
        studies.run("teachers")
    with pytest.raises(UserError, match="did you mean 'downsampling'"):
        studies.run("down_sampling")


LOGS = sorted(studies.LOGS.glob("*.json"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_shipped_log_is_of_the_study_as_it_is_now(path):
    """The same variants, costs, claims, settings and pictures; only the scores are the log's."""
    log = studies.logged(path.stem)
    now = tiny(log.study["name"], **log.study["settings"])
    assert now.data == log.data, "the pictures have changed: run the study again"
    assert now.claims == log.claims and now.budget == log.budget
    for row in now.rows:
        kept = log[row.name]
        assert (row.params, row.macs, row.x, row.line) == (
            kept.params,
            kept.macs,
            kept.x,
            kept.line,
        )
    assert len(log.rows) == len(now.rows)
    assert log.seeds[: len(SEEDS)] == SEEDS
    assert {**FULL, **log.study["settings"]} == log.study["settings"]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_shipped_log_says_how_its_runs_were_made(path):
    plain = json.loads(path.read_text(encoding="utf-8"))
    assert {"epochs", "batch_size"} <= plain["config"]["fit"].keys()
    assert {"system", "processor", "cores", "python", "torch", "lightcourse"} <= set(
        plain["machine"]
    )
    assert re.fullmatch(r"[0-9a-f]{40}\+?", plain["commit"])
    for row in plain["rows"]:
        assert tuple(run["seed"] for run in row["runs"])[: len(SEEDS)] == SEEDS
        for run in row["runs"]:
            datetime.fromisoformat(run["when"])
            assert run["seconds"] > 0
            if not run["diverged"]:
                assert len(run["curve"]) == plain["config"]["fit"]["epochs"]
                assert run["curve"][-1] == pytest.approx(run["score"], abs=1e-3)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_verdict_of_every_shipped_log_follows_from_its_runs(path):
    """By hand: Welch's test of the scores, Holm over the claims, the sign of the difference."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    scores = {row["name"]: [run["score"] for run in row["runs"]] for row in plain["rows"]}
    tested = [statistics.welch(scores[a], scores[b]) for a, b in plain["claims"]]
    ps = statistics.holm([result.p for result in tested])
    now = studies.logged(path.stem).findings
    assert len(plain["findings"]) == len(now) == len(tested) > 0
    for kept, found, result, p in zip(plain["findings"], now, tested, ps, strict=True):
        assert found.p == p == pytest.approx(kept["p"])
        word = ("refuted", "confirmed")[result.difference > 0] if p < 0.05 else None
        assert kept["word"] == found.word and kept["sentence"] == found.sentence
        assert found.word in ((word,) if word else ("no difference seen", "nothing learned"))


def test_a_log_that_does_not_ship_is_told():
    assert LOGS, "at least one study ships with its runs"
    with pytest.raises(UserError, match=f"'teachers' ships with the course; .*{LOGS[0].stem}"):
        studies.logged("teachers")


# ---- receptive field


@pytest.mark.parametrize("pixels", reach.REACHES)
def test_reach_is_what_the_analysis_finds_and_nothing_else_differs(pixels):
    report, base = of(net(reach.reach_rows(pixels))), of(net(reach.reach_rows(11)))
    assert report.receptive_field.size == (pixels, pixels)
    if pixels == 7:
        assert base.macs * 0.95 < report.macs < base.macs
    else:
        assert (report.params, report.macs) == (base.params, base.macs)


def test_distance_moves_the_objects_and_only_the_data():
    result = tiny("receptive_field", distances=(9, 14))
    assert len({s["hash"] for s in result.data["sets"]}) == 2
    assert len({row.line for row in result.rows}) == 2
    assert {row.x for row in result.rows} == {7, 11, 15, 23}


@pytest.mark.slow
def test_too_small_a_reach_costs_more_than_fifteen_points():
    """The real thing, trained: at least 15 points and three standard errors."""
    result = studies.receptive_field(quick=True, reaches=(7, 23), progress=False)
    (found,) = result.findings
    one, other = (result[name] for name in (found.better, found.worse))
    error = ((one.deviation**2 + other.deviation**2) / 3) ** 0.5
    assert found.word == "confirmed", found.sentence
    assert found.difference >= 15 and found.difference >= 3 * error, found.sentence


# ---- kinds of block


def test_at_equal_macs_the_three_kinds_cost_the_same_and_see_the_same():
    reports = [of(net(rows)) for rows in kinds.EQUAL_MACS.values()]
    macs = [report.macs for report in reports]
    assert max(macs) <= 1.01 * min(macs)
    assert {report.receptive_field.size for report in reports} == {(27, 27)}


def test_at_equal_layout_only_the_kind_differs():
    reports = {kind: of(net(kinds.kind_rows(kind, "layout"))) for kind in kinds.EQUAL_MACS}
    ratio = reports[kinds.STANDARD].macs / reports[kinds.SEPARABLE].macs
    assert 6.5 < ratio < 7.5
    assert {r.receptive_field.size for r in reports.values()} == {(27, 27)}
    rows = [kinds.kind_rows(kind, "layout") for kind in kinds.EQUAL_MACS]
    assert len({tuple((row.c, row.s) for row in one) for one in rows}) == 1
    with pytest.raises(UserError, match="equal is"):
        studies.block_kinds(equal="params")


# ---- shuffle


def colours_known(model, groups):
    """Which colours each channel before the head depends on, from gradients."""
    body = nn.Sequential(*list(model)[:-1]).double().eval()
    x = torch.rand(1, 3, 16, 16, dtype=torch.double, requires_grad=True)
    known = []
    for channel in body(x).sum((0, 2, 3)):
        (grad,) = torch.autograd.grad(channel, x, retain_graph=True)
        known.append(tuple(c for c in range(3) if grad[0, c].abs().max() > 0))
    per = len(known) // groups
    return [known[i * per : (i + 1) * per] for i in range(groups)]


@pytest.mark.parametrize("groups", shuffle.GROUPS)
def test_colours_meet_only_through_the_shuffle(groups):
    torch.manual_seed(0)
    for shuffled in (False, True):
        rows = shuffle.group_rows(groups, shuffled)
        model = grouped_net(rows, shuffle.STEM, groups, apart=True)
        for group, channels in enumerate(colours_known(model, groups)):
            met = {colour for known in channels for colour in known}
            assert met == ({0, 1, 2} if shuffled and groups > 2 else
                           {0, 1} if shuffled else {group % 3})  # fmt: skip


def test_the_shuffle_is_free_and_the_contrast_mixes_at_the_stem():
    rows = [shuffle.group_rows(4, shuffled) for shuffled in (False, True)]
    reports = [of(grouped_net(r, shuffle.STEM, 4, apart=True)) for r in rows]
    assert len({(r.params, r.macs) for r in reports}) == 1
    mixed = grouped_net(rows[0], shuffle.STEM, 4, apart=False)
    assert all(known == (0, 1, 2) for group in colours_known(mixed, 4) for known in group)
    with pytest.raises(UserError, match="5 groups do not divide"):
        studies.channel_shuffle(groups=(5,))


def test_one_colour_each_goes_round():
    x = torch.arange(3.0).view(1, 3, 1, 1)
    assert OneColourEach(8)(x).flatten().tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


# ---- downsampling


@pytest.mark.parametrize("budget", ladders.BUDGETS)
def test_slow_and_fast_end_at_the_same_size_and_cost(budget):
    sides, macs = {}, []
    for fast in (False, True):
        model = net(ladders.ladder_rows(budget, fast))
        x, seen = torch.zeros(1, 3, 32, 32), []
        for block in list(model)[:-1]:
            x = block(x)
            seen.append(x.shape[-1])
        sides[fast] = seen
        macs.append(of(model).macs)
    assert sides[False][-1] == sides[True][-1] == 4
    assert sides[True][1] == 8 and sides[False][1] == 32, "fast is at a quarter after two layers"
    assert max(macs) <= 1.05 * min(macs)
    assert abs(sum(macs) / 2e6 - float(budget.split()[0])) < 0.05
    with pytest.raises(UserError, match=r"choose of 0\.3 M"):
        studies.downsampling(budgets=["9 M"])


# ---- multipliers


def test_fewer_pixels_are_the_same_pictures():
    splits = builtin(20, 10)
    small = sizes.shrunk(splits, 16)
    assert small.train.shape == (3, 16, 16) and small.test.shape == (3, 16, 16)
    assert torch.equal(small.train.labels, splits.train.labels)
    before, after = (s.train.images.float().mean((2, 3)) for s in (splits, small))
    assert (before - after).abs().max() < 2.5, "the mean colour of every picture stays"
    assert small.train.std != splits.train.std, "statistics are those of the small pictures"


@pytest.mark.parametrize(("width", "side"), sizes.SIDES.items())
def test_the_narrow_network_costs_what_the_small_picture_costs(width, side):
    narrow, coarse = (
        of(net(sizes.width_rows(width))),
        of(net(sizes.width_rows(1)), side),
    )
    assert 0.97 < narrow.macs / coarse.macs < 1.03
    channels = [row.c for row in sizes.width_rows(width)]
    full = [row.c for row in sizes.width_rows(1)]
    for c, whole in zip(channels, full, strict=True):
        assert abs(c / whole - width) < 0.08


# ---- batch norm


def test_without_norm_there_is_none_and_the_biases_take_its_place():
    without, with_norm = net(norm.ROWS, norm=False), net(norm.ROWS)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in without.modules())
    convs = [m for m in without.modules() if isinstance(m, nn.Conv2d)]
    assert convs and all(m.bias is not None and not m.bias.any() for m in convs)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in with_norm.modules()) == len(convs)
    assert of(without).params < of(with_norm).params <= 1.05 * of(without).params
    with pytest.raises(UserError, match="rates="):
        studies.batch_norm(lr=0.1)


def test_signals_keep_their_size_without_norm():
    torch.manual_seed(0)
    body = nn.Sequential(*list(net(norm.ROWS, norm=False))[:-1])
    out = body(torch.randn(8, 3, 32, 32))
    assert 0.05 < out.std() < 20


# ---- small batches


def test_the_small_batch_differs_in_steps_and_rate_alone():
    seen = {}

    def train(model, splits, seed, epochs, batch_size, lr, augment):
        seen.setdefault((batch_size, round(lr, 5)), set()).add((epochs, augment, len(splits.train)))
        return 0.5

    result = studies.small_batches(**{**TINY, "train_with": train, "cache": False})
    assert seen == {
        (16, 0.01): {(2, None, 20)},
        (2, round(0.01 / 8**0.5, 5)): {(2, None, 20)},
    }
    assert result["tight, FRN, 2"].macs == result["tight, batch norm, 16"].macs
    with pytest.raises(UserError, match="'layer norm'; choose of batch norm"):
        studies.small_batches(norms=("layer norm",))


def test_filter_response_norm_follows_its_equations():
    torch.manual_seed(0)
    norm, x = batches.FilterResponseNorm(3).double(), torch.randn(2, 3, 5, 4).double()
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.normal_()
        for n, c in itertools.product(range(2), range(3)):
            g, b, t = (float(p[c]) for p in (norm.gamma, norm.beta, norm.tau))
            y = x[n, c] / (x[n, c].pow(2).mean() + 1e-6).sqrt() * g + b
            assert torch.allclose(norm(x)[n, c], y.clamp(min=t))


# ---- nets


def test_rows_make_what_they_say():
    rows = [Row("conv", 8, 2), Row("inverted", 16, 2, t=3), Row("point", 32)]
    model = net(rows, classes=7)
    assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 7)
    assert [row.c for row in scaled(rows, 0.25)] == [4, 4, 8]
    with pytest.raises(UserError, match="no block 'dense'"):
        net([Row("dense", 8)])


def test_all_networks_train_one_step():
    tables = [
        *(reach.reach_rows(r) for r in reach.REACHES),
        *(kinds.kind_rows(k, e) for k, e in itertools.product(EQUAL, ("macs", "layout"))),
        *(ladders.ladder_rows(b, f) for b in ladders.BUDGETS for f in (True, False)),
    ]  # fmt: skip
    for rows in tables:
        model = net(rows)
        model(torch.randn(4, 3, 32, 32)).logsumexp(1).sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_settings_reach_training_and_not_the_data():
    seen = []

    def train(model, splits, seed, epochs, batch_size, clip):
        seen.append((len(splits.train.images), epochs, batch_size, clip))
        return wide_wins([model[0][0]], splits, seed)

    settings = {"train": 30, "test": 10, "epochs": 3, "clip": 2.0, "seeds": (0,), "cache": False}
    result = studies.block_kinds(quick=True, train_with=train, progress=False, **settings)
    assert seen == [(30, 3, 32, 2.0)] * 3
    assert result.study["settings"]["clip"] == 2.0 and "train_with" not in result.study["settings"]
