"""The Pareto picture: every front, fade, name and number against a plain oracle, in every state."""

import math
import random
import re
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from lightcourse import analyze, create_model, viz
from lightcourse.design.portrait import COSTS, Portrait, load_portrait
from lightcourse.errors import UserError
from lightcourse.viz.scene import Scene, dumps, resolve
from lightcourse.viz.scenes import _par_own
from lightcourse.viz.scenes._par_nets import Study, study_of
from lightcourse.viz.scenes._par_scale import BUDGETS, axis_of, budgets_of

UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "": 1.0}


@pytest.fixture(scope="module")
def portrait():
    return load_portrait()


@pytest.fixture(scope="module")
def scene():
    return viz.pareto()


@pytest.fixture(scope="module")
def rows(portrait):
    return [row for row in portrait.rows if row.top1 is not None]


def columns(scene):
    """The costs in the order of the picture, as the portrait calls them."""
    known = dict(zip(("params", "MACs", "memory access", "peak activation"), COSTS, strict=True))
    return [known.get(label, label) for label in scene.spec["tables"]["label"]]


def beats(one, other, key):
    """No worse in both, and better in one of them."""
    a, b = one.cost(key), other.cost(key)
    return a <= b and one.top1 >= other.top1 and (a < b or one.top1 > other.top1)


def front_of(rows, key):
    shown = [row for row in rows if row.cost(key)]
    return [row for row in shown if not any(beats(other, row, key) for other in shown)]


def number(text):
    """Read an amount back: '10.4 MB', '301 M', '98.2 ms' (in seconds)."""
    value, unit = re.fullmatch(r"([\d.]+) ?([kMGT]?)(?:B|)", text.removesuffix(" ms")).groups()
    return float(value) * UNITS[unit] / (1000 if text.endswith(" ms") else 1)


def drawn(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


def said(scene, name, **state):
    return str(resolve(scene.spec[name], scene.spec, scene.at(**state).state))


def budget_of(scene, key, line):
    """The cost at which the budget line is drawn, from the ticks of the axis."""
    ticks = [m for n, m in line.items() if re.fullmatch(r"tick\d+_s", n) and m["opacity"]]
    (low, left), *_, (high, right) = [(number(m["s"]), m["x"]) for m in ticks]
    part = (line["budget"]["x1"] - left) / (right - left)
    return low * (high / low) ** part


# -- every state: what fades, who is best, what the caption says ----------------------------------


def test_every_budget_of_every_cost_fades_and_names_the_right_networks(scene, rows):
    for x, key in enumerate(columns(scene)):
        on, macs = front_of(rows, key), front_of(rows, "macs")
        for budget in range(BUDGETS):
            shown = drawn(scene, x=x, budget=budget)
            most = number(shown["budget_s"]["s"].removeprefix("≤ "))
            assert budget_of(scene, key, shown) == pytest.approx(most, rel=0.01)
            within = [row for row in rows if row.cost(key) <= most]
            for i, row in enumerate(rows, 1):
                mark = shown[f"net{i}"]
                beyond = mark["opacity"] < 0.3
                assert beyond == (row not in within)
                side = -1 if beyond else 1  # places are rounded to a tenth of a pixel
                assert side * (shown["budget"]["x1"] - mark["cx"]) > -0.11
                assert (mark["opacity"] == 0.55) == (
                    row in within and row not in on and row not in macs
                )
                assert (mark["fill"] == "c1") == (row in on)
                assert (mark["stroke"] == "c6") == (row in macs)
            best = max(row.top1 for row in within)
            named = shown["name"]["s"]
            (chosen,) = [row for row in within if row.variant == named]
            assert chosen.top1 == best
            assert chosen.cost(key) == min(r.cost(key) for r in within if r.top1 == best)
            caption = scene.at(x=x, budget=budget).caption()
            assert f": {len(within)} of {len(rows)} networks; the most accurate is {named}, " in (
                caption
            )
            assert caption.startswith(f"Within {shown['budget_s']['s'].removeprefix('≤ ')}")


def test_the_first_budget_fits_a_network_and_the_last_all(scene, rows):
    for x, key in enumerate(columns(scene)):
        assert (
            ": 1 of" in scene.at(x=x, budget=0).caption()
            or sum(row.cost(key) <= 1.1 * min(r.cost(key) for r in rows) for row in rows) > 1
        )
        assert f": {len(rows)} of {len(rows)} networks" in (
            scene.at(x=x, budget=BUDGETS - 1).caption()
        )


def test_places_are_logarithmic_and_accuracies_to_scale(scene, rows):
    for x, key in enumerate(columns(scene)):
        shown = drawn(scene, x=x)
        ticks = [(number(m["s"]), m["x"]) for n, m in shown.items()
                 if re.fullmatch(r"tick\d+_s", n) and m["opacity"]]  # fmt: skip
        assert 3 <= len(ticks) <= 9
        (a, left), *_, (b, right) = ticks
        for i, row in enumerate(rows, 1):
            place = left + (right - left) * math.log(row.cost(key) / a) / math.log(b / a)
            assert shown[f"net{i}"]["cx"] == pytest.approx(place, abs=0.25)
        levels = [(float(m["s"]), shown[n.removesuffix("_s")]["y1"]) for n, m in shown.items()
                  if re.fullmatch(r"level\d+_s", n)]  # fmt: skip
        (low, foot), *_, (high, head) = levels
        for i, row in enumerate(rows, 1):
            place = foot + (head - foot) * (row.top1 - low) / (high - low)
            assert shown[f"net{i}"]["cy"] == pytest.approx(place, abs=0.1)


def test_the_staircase_is_the_best_accuracy_within_each_budget(scene, rows):
    for x, key in enumerate(columns(scene)):
        shown = drawn(scene, x=x)
        pairs = [tuple(map(float, p.split())) for p in re.split("[ML]", shown["front"]["d"])[1:]]
        places = [(shown[f"net{i}"]["cx"], shown[f"net{i}"]["cy"]) for i in range(1, len(rows) + 1)]
        for (left, y), (right, _) in zip(pairs[::2], pairs[1::2], strict=True):
            assert left <= right
            if left == right:
                continue  # the lower of two at one cost
            middle = (left + right) / 2
            assert y == min(cy for cx, cy in places if cx <= middle)
        on = {(shown[f"net{i}"]["cx"], shown[f"net{i}"]["cy"])
              for i, row in enumerate(rows, 1) if row in front_of(rows, key)}  # fmt: skip
        assert on == set(pairs[::2])


def test_what_becomes_of_the_front_is_counted(scene, rows):
    macs = front_of(rows, "macs")
    for x, key in enumerate(columns(scene)):
        caption, here = scene.at(x=x).caption(), front_of(rows, key)
        if key == "macs":
            assert f"In MACs, {len(macs)} of {len(rows)} networks are on the front" in caption
            continue
        lost = [row for row in macs if row not in here]
        new = [row for row in here if row not in macs]
        if not (lost and new):  # other words, see below
            continue
        found = re.search(r"of the (\d+) networks on it in MACs, (\d+) (?:are|is) beaten here"
                          r"(?: \((\d+) by more than 10 %\))?, and (\d+) others? comes? in\.\Z",
                          caption)  # fmt: skip
        clear = None if key in COSTS else str(sum(
            any(r.top1 >= row.top1 and 1.1 * r.cost(key) < row.cost(key) for r in rows)
            for row in lost
        ))  # fmt: skip
        assert found.groups() == (str(len(macs)), str(len(lost)), clear, str(len(new)))


# -- a chosen network -----------------------------------------------------------------------------


def test_every_network_can_be_chosen_and_is_judged_rightly(scene, rows):
    for x, key in enumerate(columns(scene)):
        on = front_of(rows, key)
        for i, row in enumerate(rows, 1):
            shown, caption = drawn(scene, x=x, pick=i), scene.at(x=x, pick=i).caption()
            assert shown["name"]["s"] == row.variant
            ring, point = shown["ring"], shown[f"net{i}"]
            assert (ring["cx"], ring["cy"]) == (point["cx"], point["cy"])
            assert shown["accuracy"]["s"].startswith(f"{row.top1:g} % top-1, ")
            head = f"{row.variant}, your choice, is "
            assert head in caption
            told = caption.split(head)[1]
            if row in on:
                assert told.startswith("on the front: no other beats it. ")
                continue
            name, top1, value = re.match(r"beaten by (.+), ([\d.]+) % for ([\d.]+ ?\w*)\. ",
                                         told).groups()  # fmt: skip
            (other,) = [r for r in rows if r.variant == name]
            assert other in on and beats(other, row, key) and float(top1) == other.top1
            assert number(value) == pytest.approx(other.cost(key), rel=0.006)
            assert not [r for r in on if r.top1 >= row.top1 and r.cost(key) < other.cost(key)]


def test_the_panel_has_all_its_costs_and_the_fronts_it_is_on(scene, rows):
    keys = columns(scene)
    fronts = {key: front_of(rows, key) for key in keys}
    for i, row in enumerate(rows, 1):
        shown = drawn(scene, pick=i)
        for j, key in enumerate(keys):
            assert number(shown[f"cell{j}_s"]["s"]) == pytest.approx(row.cost(key), rel=0.006)
            assert (shown[f"cell{j}_dot"]["fill"] == "c1") == (row in fronts[key])
    for x in range(len(keys)):
        filled = [drawn(scene, x=x)[f"cell{j}"]["fill"] for j in range(len(keys))]
        assert [fill == "grid" for fill in filled] == [j == x for j in range(len(keys))]


def test_tips_say_name_accuracy_and_cost(scene, rows):
    tips = {m["id"]: m["tip"] for m in scene.spec["marks"] if "tip" in m}
    for x, key in enumerate(columns(scene)):
        state = scene.at(x=x).state
        for i, row in enumerate(rows, 1):
            text = resolve(tips[f"net{i}"], scene.spec, state)
            name, top1, value = re.match(r"(.+): ([\d.]+) % for ([\d.]+ ?(?:\wB|ms|\w)?)",
                                         text).groups()  # fmt: skip
            assert (name, float(top1)) == (row.variant, row.top1)
            assert number(value) == pytest.approx(row.cost(key), rel=0.006)


def test_how_well_an_accuracy_is_known_is_said_in_plain_words(scene, rows, portrait):
    words = {"text-seen": "read in the paper", "secondary-seen": "somebody else's text",
             "recalled": "from memory"}  # fmt: skip
    for i, row in enumerate(rows, 1):
        assert words[row.verification] in drawn(scene, pick=i)["accuracy"]["s"]
    shown = drawn(scene)
    left = len(portrait.rows) - len(rows)
    assert shown["note"]["s"] == (
        f"{len(rows)} networks; {left} without a published accuracy left out."
    )
    counts = [sum(row.verification == level for row in rows) for level in words]
    assert [int(n) for n in re.findall(r"\d+", shown["note2"]["s"])] == counts
    assert portrait.machine.split(",")[0] in drawn(scene, x=4)["note2"]["s"]


def test_the_code_builds_the_network_and_counts_what_it_says(scene, rows):
    names = {"torch": torch}
    for i in range(1, len(rows) + 1, 7):
        x = i % len(COSTS)
        lines = said(scene, "code", x=x, pick=i)
        head, last = lines.rsplit("\n", 1)
        with torch.device("meta"):
            exec(head, names)
        told = int(last.split("# ")[1].replace(",", ""))
        assert eval(last, names) == told == rows[i - 1].cost(COSTS[x])


def test_the_code_of_times_runs():
    row = next(r for r in load_portrait().rows if r.variant == "FD-MobileNet 0.25x")
    keys = (
        "eager, 1 thread",
        "channels_last, 1 thread",
        "onnxruntime, 2 threads",
    )
    row = replace(row, input=32, seconds=dict.fromkeys(keys, 0.0123))
    scene = viz.pareto(Portrait((row,), "here"))
    assert columns(scene)[4:] == list(keys)
    for x in (4, 5):
        names = {}
        lines = said(scene, "code", x=x)
        exec(lines, names)
        assert lines.endswith("# 0.0123 s on the portrait's machine")
        assert names["size"] == (1, 3, 32, 32)
    assert said(scene, "code", x=6).endswith(
        'to_onnx(model, "model.onnx", size)  # runs in ONNX Runtime with 2 threads in 0.0123 s on'
        " the portrait's machine"
    )
    other = viz.pareto(Portrait((replace(row, seconds={"phone": 0.0123}),), "here"))
    assert "# timed as 'phone': 0.0123 s" in said(other, "code", x=4)


# -- the question ---------------------------------------------------------------------------------


def test_the_question_has_the_right_answer_and_is_not_given_away(scene, rows):
    ask, keys = scene.spec["ask"], columns(scene)
    first = next(j for j, key in enumerate(keys) if key not in COSTS)
    macs, here = front_of(rows, "macs"), front_of(rows, keys[first])
    stay = sum(row in here for row in macs)
    assert (ask["param"], ask["from"]) == ("x", first)
    assert ask["options"][ask["answer"]] == str(stay)
    assert len(set(ask["options"])) == len(ask["options"]) == len(ask["replies"]) == 4
    told = f"{stay} of {len(macs)} stay on the front, {len(macs) - stay} are beaten in time."
    assert all(reply.endswith(told) for reply in ask["replies"])
    for option, reply in zip(ask["options"], ask["replies"], strict=True):
        start = "Fewer" if int(option) > stay else "More" if int(option) < stay else str(stay)
        assert reply.startswith(start)
    for state in scene.states():
        if state["x"] < first:
            caption = Scene(scene.spec, state).caption()
            assert keys[first] not in caption and "stay" not in caption
    assert scene.predict().state["x"] == 1


# -- any portrait ---------------------------------------------------------------------------------


def made(points, **more):
    """A portrait of (MACs, seconds or None, top-1)."""
    base = load_portrait().rows[0]
    rows = [
        replace(base, variant=f"net {i}", macs=macs, top1=top1, verification="text-seen",
                seconds={} if time is None else {"eager, 1 thread": time})
        for i, (macs, time, top1) in enumerate(points)
    ]  # fmt: skip
    return Portrait(tuple(rows), more.get("machine", "a machine, torch 9"))


@pytest.mark.parametrize("seed", range(25))
def test_fronts_and_beaters_of_random_portraits(seed):
    draw = random.Random(seed)
    points = [(draw.randint(1, 9), draw.choice([None, draw.randint(1, 9) / 10]), draw.randint(1, 9))
              for _ in range(draw.randint(2, 14))]  # fmt: skip
    study = study_of(made(points))
    rows = study.rows
    for cost in study.costs:
        on = front_of(rows, cost.key)
        assert {rows[i].variant for i in study.front(cost)} == {row.variant for row in on}
        for row, other in zip(rows, study.beaten_by(cost), strict=True):
            if row in on or not row.cost(cost.key):
                assert other is None
            else:
                assert beats(rows[other], row, cost.key)
        both = [row for row in rows if row.cost(cost.key)]
        macs, here = study.fronts(cost)
        assert {rows[i].variant for i in macs} == {r.variant for r in front_of(both, "macs")}
        assert {rows[i].variant for i in here} == {row.variant for row in on}


def test_a_front_that_stays_is_said_to_stay():
    scene = viz.pareto(made([(10**7, 0.01, 40), (10**8, 0.1, 60), (10**8, 0.2, 50)]))
    assert (
        scene.at(x=4).caption().endswith("The front stays that of the MACs: the 2 networks on it.")
    )
    grown = viz.pareto(made([(10**7, 0.01, 40), (10**8, 0.1, 60), (10**8, 0.05, 50)]))
    assert (
        grown.at(x=4)
        .caption()
        .endswith("of the 2 networks on it in MACs, none is beaten here, and 1 other comes in.")
    )
    lost = viz.pareto(made([(10**7, 0.3, 40), (10**8, 0.1, 60)]))
    assert (
        lost.at(x=4)
        .caption()
        .endswith(
            "of the 2 networks on it in MACs, 1 is beaten here (1 by more than 10 %), and no other"
            " comes in."
        )
    )


def test_networks_without_a_time_are_left_out_of_both_fronts():
    scene = viz.pareto(made([(10**7, None, 70), (10**8, 0.1, 60), (10**9, 0.2, 65)]))
    shown = drawn(scene, x=4, pick=1)
    assert shown["net1"]["opacity"] == shown["ring"]["opacity"] == 0
    assert shown["cell4_s"]["s"] == "—" and "1 without one" in shown["note2"]["s"]
    caption = scene.at(x=4, pick=1).caption()
    assert "net 0, your choice, is without this cost. " in caption
    assert caption.endswith("the 2 networks on it, among the 2 networks that have both costs.")
    assert "In MACs, 1 of 3 network is on the front" in scene.caption()


def test_twins_are_both_on_the_front():
    scene = viz.pareto(made([(10**7, None, 40), (10**7, None, 40), (10**7, None, 39)]))
    fills = [drawn(scene)[f"net{i}"]["fill"] for i in (1, 2, 3)]
    assert fills == ["c1", "c1", "c8"]


def test_without_times_or_with_one_network_there_is_no_question():
    scene = viz.pareto(made([(10**7, None, 40)]))
    assert "ask" not in scene.spec and scene.spec["params"][0]["n"] == len(COSTS)
    assert "1 of 1 networks" in scene.caption()


def timed(portrait, threads, runtimes=("eager", "channels_last", "onnxruntime")):
    draw = random.Random(0)
    names = [f"{r}, {n} thread{'s' if n > 1 else ''}" for r in runtimes for n in threads]
    rows = [replace(row, seconds={name: draw.uniform(0.002, 0.2) for name in names})
            for row in portrait.rows]  # fmt: skip
    return Portrait(tuple(rows), portrait.machine)


def test_three_runtimes_and_two_numbers_of_threads_fit(portrait):
    scene = viz.pareto(timed(portrait, (2, 1)))
    assert len(dumps(scene.spec).encode()) < 130_000 and len(scene.spec["marks"]) < 200
    assert columns(scene)[4:8] == [
        "eager, 1 thread", "eager, 2 threads", "channels_last, 1 thread",
        "channels_last, 2 threads",
    ]  # fmt: skip
    assert "no_room" not in drawn(scene)


def test_more_times_than_there_is_room_for_are_left_out_and_counted(portrait):
    scene = viz.pareto(timed(portrait, (1, 2, 4, 8)))
    kept = len(columns(scene)) - len(COSTS)
    assert 0 < kept < 12 and kept % 3 == 0
    assert drawn(scene)["no_room"]["s"] == f"no room for {12 - kept} more times"
    assert {"eager, 1 thread", "eager, 8 threads"} <= set(columns(scene))


def test_too_many_networks_are_refused(portrait):
    many = Portrait(portrait.rows * 3, portrait.machine)
    with pytest.raises(UserError, match="too many"):
        viz.pareto(many)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (9.99e6, 1.2e9), (0.0021, 0.25), (7, 5000)])
def test_budgets_rise_and_cover_all(low, high):
    axis = axis_of([low, high])
    budgets = budgets_of(*axis)
    assert len(budgets) == BUDGETS
    assert all(a < b for a, b in pairwise(budgets))
    assert low <= budgets[0] <= 1.1 * low and budgets[-1] >= high


# -- the reader's own -----------------------------------------------------------------------------


def small():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 10),
    )  # fmt: skip


def test_own_networks_are_counted_beside_the_others(monkeypatch, rows):
    monkeypatch.setattr(_par_own, "here", lambda: "elsewhere")
    model = small()
    own = {"mine": (model, 71.5, 96), "V2": (create_model("mobilenet_v2", num_classes=10), 60)}
    scene = viz.pareto(own=own)
    report, i = analyze(model, (1, 3, 96, 96)), len(rows) + 1
    shown = drawn(scene, pick=i)
    assert shown["name"]["s"] == "mine"
    assert shown["accuracy"]["s"] == "71.5 % top-1, as you gave it"
    for j, value in enumerate((report.params, report.macs, report.memory_access,
                               report.peak_activation)):  # fmt: skip
        assert number(shown[f"cell{j}_s"]["s"]) == pytest.approx(value, rel=0.006)
    assert shown[f"mine{i}_s"]["s"] == "mine" and shown[f"mine{i + 1}_s"]["s"] == "V2"
    assert shown["ring_s"]["s"] == ""  # its name stands there already
    assert shown["note"]["s"].startswith(f"{len(rows) + 2} networks, 2 of them yours; ")
    assert shown["cell4_s"]["s"] == "—"
    assert drawn(scene, x=4)[f"mine{i}"]["opacity"] == 0
    names = {"own": own}
    exec(said(scene, "code", x=0, pick=i), names)
    assert names["model"] is model
    assert said(scene, "code", x=0, pick=i).endswith(f"# {report.params:,}")


def test_own_networks_are_timed_where_the_portrait_is_from_this_machine(monkeypatch, portrait):
    asked = []

    class Found:
        minimum = 0.004

    def stand_in(model, x, threads, seconds):
        held = next(model.parameters())
        asked.append((threads, x.is_contiguous(), held.is_contiguous()))
        return Found

    monkeypatch.setattr(_par_own, "latency", stand_in)
    model = small()
    before = [(p.data_ptr(), p.stride()) for p in model.parameters()]
    here = Portrait(timed(portrait, (1, 2)).rows[:20], _par_own.here())
    scene = viz.pareto(here, own={"mine": (model, 60.0, 64)})
    assert asked == [(1, True, True), (2, True, True), (1, False, False), (2, False, False)]
    assert [(p.data_ptr(), p.stride()) for p in model.parameters()] == before
    count = scene.spec["params"][2]["n"] - 1
    shown = drawn(scene, x=4, pick=count)
    assert [shown[f"cell{j}_s"]["s"] for j in range(4, 10)] == ["4.00 ms"] * 4 + ["—"] * 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("portrait.json",), "cannot draw str; give a Portrait"),
        ((Portrait((), "m"),), "lacks counts or published accuracies"),
        ((None, [1]), "own takes up to 6 networks"),
        ((None, {str(i): (nn.Conv2d(3, 3, 1), 5) for i in range(7)}), "own takes up to 6"),
        ((None, {"a": nn.Conv2d(3, 3, 1)}), "no (model, top1)"),
        ((None, {"a": (nn.Conv2d(3, 3, 1), 101)}), "from 0 to 100 %"),
        ((None, {"a": (nn.Conv2d(3, 3, 1), True)}), "from 0 to 100 %"),
        ((None, {"a": (nn.Conv2d(3, 3, 1), 50, 0)}), "pixels"),
        ((None, {"a": (nn.Identity(), 50)}), "no MACs or no parameters"),
    ],
)
def test_mistakes_are_named(arguments, part):
    with pytest.raises(UserError, match=re.escape(part)):
        viz.pareto(*arguments)


def test_uncounted_rows_are_refused(portrait):
    bare = replace(portrait.rows[0], memory_access=0)
    with pytest.raises(UserError, match="lacks counts"):
        viz.pareto(Portrait((bare,), "m"))


def test_the_random_state_is_left_alone():
    model, before = small(), torch.get_rng_state()
    viz.pareto(own={"mine": (model, 50, 64)})
    assert torch.equal(before, torch.get_rng_state())


def test_studies_are_equal_for_equal_portraits(portrait):
    assert study_of(portrait) == study_of(portrait)
    assert isinstance(study_of(portrait).smaller(), Study | None)
