"""The downsampling scene: every number of every placing against `analyze` on networks of torch."""

import functools
import re
from typing import Any

import pytest
import torch
from torch import nn

from lightcourse import analyze, viz
from lightcourse.analysis import chain_receptive_field
from lightcourse.errors import UserError
from lightcourse.models import fd_mobilenet, mobilenet_v1
from lightcourse.models.mobilenet_v1 import ROWS, MobileNetV1
from lightcourse.nn import ConvNormAct, DepthwiseSeparableConv
from lightcourse.training import studies
from lightcourse.viz.scene import caption, clamp, dumps, frame, resolve
from lightcourse.viz.scenes._dwn_cases import of_papers, of_rows, of_study
from lightcourse.viz.scenes._dwn_net import BAD, Ladder, clash
from lightcourse.viz.scenes._dwn_words import compared
from lightcourse.viz.scenes._lad_words import short

PAPERS = of_papers()
CASES = {case.label: case for case in (*PAPERS, *of_study())}
LADDERS = dict.fromkeys(ladder for case in CASES.values() for ladder in case.pair)
every_ladder = pytest.mark.parametrize(
    "ladder", LADDERS, ids=lambda at: f"{at.name} {at.channels[-1]}"
)


@pytest.fixture(scope="module")
def scene():
    return viz.downsampling()


@pytest.fixture(scope="module")
def study():
    return viz.downsampling("study")


def keys(letter: str, at: Ladder) -> list[str]:
    return [f"{letter}{at.fixed + 1 + k}" for k in range(at.movable)]


def moves(letter: str, at: Ladder, places: Any) -> dict[str, int]:
    return {key: p - at.fixed for key, p in zip(keys(letter, at), places, strict=True)}


def shown(scene, **state):
    full = clamp(scene.spec, {**scene.state, **state})
    return {mark["id"]: mark for mark in frame(scene.spec, full)}


def built(at: Ladder, places: Any) -> nn.Sequential:
    """The network of a placing, written down here once more."""
    strides = [2 if i < at.fixed or i in places else 1 for i in range(at.units)]
    net: list[nn.Module] = [ConvNormAct(3, at.channels[0], 3, strides[0], activation=nn.ReLU)]
    for a, b, s in zip(at.channels, at.channels[1:], strides[1:], strict=False):
        net.append(DepthwiseSeparableConv(a, b, 3, s))
    return nn.Sequential(*net, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(at.channels[-1], at.classes))  # fmt: skip


def some(at: Ladder) -> list[tuple[int, ...]]:
    """The placing as published, both ends, and a few between."""
    return [at.published, at.placings[0], at.placings[-1], *at.placings[7 :: len(at.placings) // 5]]


# -- numbers -------------------------------------------------------------------------------------


@every_ladder
def test_analyze_agrees_on_whole_networks(ladder):
    for places in some(ladder):
        with torch.device("meta"):
            net = built(ladder, places)
        report = analyze(net, (1, 3, ladder.size, ladder.size))
        assert report.params == ladder.params
        assert report.macs == ladder.macs(places)
        assert report.peak_activation == ladder.peak(places)
        fields = [row.receptive_field.size[0] for row in report.layers
                  if row.kind in ("Conv2d", "PointwiseConv2d")]  # fmt: skip
        steps = [ladder.steps(places, i) for i in range(ladder.units)]
        assert fields == [ladder.field(n) for n in steps]
        maps = [row.output_shape for row in report.layers
                if row.kind in ("Conv2d", "PointwiseConv2d")]  # fmt: skip
        sides = [ladder.side(t) for t in ladder.stages(places)]
        assert maps == [(1, c, s, s) for c, s in zip(ladder.channels, sides, strict=True)]
        weighted = [row.macs for row in report.layers if row.macs]
        assert len(weighted) == ladder.layers
        pairs = zip(weighted[1:-1:2], weighted[2:-1:2], strict=True)
        units = [weighted[0], *(a + b for a, b in pairs)]
        assert units == [ladder.cost(i, t) for i, t in enumerate(ladder.stages(places))]
        early = [m for m, s in zip(units, sides, strict=True) if s > sides[-1]]
        assert sum(early) == ladder.early(places)


@functools.cache
def piece(unit: int, before: int, channels: tuple[int, int], stride: int) -> tuple[int, int]:
    """MACs and peak of one unit by itself, whose input is not counted in its peak."""
    one, other = channels
    with torch.device("meta"):
        block = (DepthwiseSeparableConv(one, other, 3, stride) if unit
                 else ConvNormAct(one, other, 3, stride, activation=nn.ReLU))  # fmt: skip
    report = analyze(nn.Sequential(block), (1, one, before, before))
    return report.macs, report.peak_activation


@every_ladder
def test_every_placing_is_the_sum_of_its_units_as_analyze_measures_them(ladder):
    head = ladder.channels[-1] * ladder.classes
    for places in ladder.placings:
        before, macs, peaks = ladder.size, [], []
        for unit, (a, b) in enumerate(zip((3, *ladder.channels), ladder.channels, strict=False)):
            stride = 2 if unit < ladder.fixed or unit in places else 1
            cost, peak = piece(min(unit, 1), before, (a, b), stride)
            macs.append(cost)
            peaks.append(peak + (4 * a * before**2 if unit else 0))
            before //= stride
        assert sum(macs) + head == ladder.macs(places)
        assert max(peaks) == ladder.peak(places)
        strides = [2 if i < ladder.fixed or i in places else 1 for i in range(ladder.units)]
        chain = chain_receptive_field([(3, s, 1) for s in strides])
        fields = [ladder.field(ladder.steps(places, i)) for i in range(ladder.units)]
        assert fields == [size for size, _, _ in chain]


def test_the_papers_networks_are_those_of_the_course():
    builders = {"MobileNet": mobilenet_v1, "FD-MobileNet": fd_mobilenet}
    for case in PAPERS:
        for ladder in case.pair:
            name, _, width = ladder.name.partition(" ×")
            with torch.device("meta"):
                model = builders[name](width_mult=float(width))
            report = analyze(model, (1, 3, 224, 224))
            places = ladder.published
            assert (report.params, report.macs) == (ladder.params, ladder.macs(places))
            assert report.peak_activation == ladder.peak(places)


@pytest.mark.parametrize("letter", "ab")
@pytest.mark.parametrize("kind", ["papers", "study"])
def test_every_state_shows_the_numbers_of_its_placing(scene, study, letter, kind):
    it, cases = (scene, PAPERS) if kind == "papers" else (study, of_study())
    at = cases[0].pair["ab".index(letter)]
    valid = 0
    for n, places in enumerate(multisets(at)):
        pair = n % len(cases)
        ladder, state = cases[pair].pair["ab".index(letter)], moves(letter, at, places)
        marks = shown(it, pair=pair, depth=n % at.units, **state)
        if clash(places) is not None:
            assert {marks[f"row{k}_{letter}"]["s"] for k in (0, 2, 3)} == {"—"}
            assert marks[f"accuracy_{letter}"]["s"] == "—"
            assert not any(marks[f"bar_{letter}{i}"]["opacity"] for i in range(at.units))
            continue
        valid += 1
        unit = 1e6 if kind == "papers" else 1e3
        macs = float(marks[f"row0_{letter}"]["s"])
        assert macs == pytest.approx(ladder.macs(places) / unit, abs=0.5 if macs >= 100 else 0.05)
        assert marks[f"row1_{letter}"]["s"] == short(ladder.params)
        assert marks[f"row2_{letter}"]["s"] == short(ladder.peak(places), "B")
        field = ladder.field(ladder.steps(places, at.units - 1))
        assert marks[f"row3_{letter}"]["s"] == f"{field} px"
        share = 100 * ladder.early(places) / ladder.macs(places)
        said = caption(it.spec, clamp(it.spec, {**it.state, "pair": pair, **state}))
        found = re.search(r"they spend (\d+) % and (\d+) % of .* see (\d+) px and (\d+) px", said)
        assert found is not None
        ours = [int(x) for x in found.groups()]["ab".index(letter) :: 2]
        assert abs(ours[0] - share) <= (0.5 if share < 99.5 else 1)
        assert ours[1] == field
        depth, stages = n % at.units, ladder.stages(places)
        seen = ladder.field(ladder.steps(places, depth))
        side = ladder.side(stages[depth])
        assert marks[f"now_{letter}"]["s"] == (
            f"layer {2 * depth + 1} is {side}×{side}×{ladder.channels[depth]}, sees {seen} px"
        )
        plates = [marks[f"plate_{letter}{i}"]["stroke-width"] for i in range(at.units)]
        assert plates == [48 / 2**t for t in stages]
        sums = [marks[f"sum_{letter}{t}"]["s"] for t in range(at.movable + 1)]
        for t, said in enumerate(sums):
            total = sum(ladder.cost(i, s) for i, s in enumerate(stages) if s == t)
            assert (float(said) if said else 0) == pytest.approx(total / unit, rel=0.03, abs=0.05)
    assert valid == len(at.placings)


def multisets(at: Ladder) -> list[tuple[int, ...]]:
    """Every placing that can be dragged, those with two halvings in one layer included."""
    found: list[tuple[int, ...]] = [()]
    for _ in range(at.movable):
        found = [(*p, u) for p in found for u in range(p[-1] if p else at.fixed, at.units)]
    return found


def test_bars_are_to_one_scale_and_shrink_together(scene):
    pair, units = PAPERS[0].pair, []
    for state in ({}, moves("b", pair[1], pair[1].placings[-1]), moves("a", pair[0], (3, 5, 8, 12)),
                  moves("a", pair[0], pair[0].placings[-1])):  # fmt: skip
        marks, full = shown(scene, **state), {**scene.state, **state}
        lengths, costs = [], []
        for letter, at in zip("ab", pair, strict=True):
            places = [full[key] + at.fixed for key in keys(letter, at)]
            for i, t in enumerate(at.stages(places)):
                bar = marks[f"bar_{letter}{i}"]
                lengths.append(abs(bar["y2"] - bar["y1"]))
                costs.append(at.cost(i, t))
        unit = max(lengths) / max(costs)
        units.append(unit)
        assert max(lengths) <= 50
        for length, cost in zip(lengths, costs, strict=True):
            assert length == pytest.approx(max(1, cost * unit), abs=0.15)
        shrunk = round(units[0] / unit)
        assert marks["scale_a"]["s"] == marks["scale_b"]["s"] == (f"bars ÷{shrunk}" * (shrunk > 1))
    assert len(set(map(round, (units[0] / u for u in units)))) > 2


def test_a_doubling_is_equally_long_on_all_rulers(scene):
    marks = shown(scene)
    a, b = PAPERS[0].pair
    double = marks["double1"]["x1"] - marks["double0"]["x1"]
    values = [(at.macs(at.published), at.params, at.peak(at.published),
               at.field(at.steps(at.published, at.units - 1))) for at in (a, b)]  # fmt: skip
    for n, (one, other) in enumerate(zip(*values, strict=True)):
        gap = marks[f"row{n}_sign_a"]["cx"] - marks[f"row{n}_sign_b"]["x1"]
        assert 2 ** (gap / double) == pytest.approx(one / other, rel=0.06)


# -- what it proves ------------------------------------------------------------------------------


def test_captions_claim_what_the_papers_networks_do(scene):
    a, b = PAPERS[0].pair
    assert (a.early(a.published), a.macs(a.published)) == (489_968_640, 568_740_352)
    assert (b.early(b.published), b.macs(b.published)) == (58_731_008, 144_489_728)
    assert (a.layers, b.layers) == (28, 24)
    assert (2 * a.published[-1], 2 * b.published[-1]) == (24, 12)  # the layers that come to 7×7
    said = scene.caption()
    assert said.startswith("By layer 13 MobileNet ×1 is at 14×14, FD-MobileNet ×1 at 7×7: they")
    assert "spend 86 % and 41 % of their MACs on maps larger than 7×7" in said
    assert "see 315 px and 431 px" in said
    assert scene.at(depth=5).caption().startswith("By layer 11 MobileNet ×1 is at 28×28, FD-Mob")
    assert said.endswith("needs 0.25× the MACs and has 0.69× the weights.")
    equal = scene.at(pair="≈ 140").caption()
    assert equal.endswith("needs about as many MACs and has 2.2× the weights.")


def test_a_moved_stride_changes_no_weight(scene):
    for places in some(PAPERS[0].pair[0]):
        with torch.device("meta"):
            net = built(PAPERS[0].pair[0], places)
        assert sum(p.numel() for p in net.parameters()) == 4_231_976
    moved = scene.at(**moves("a", PAPERS[0].pair[0], (1, 2, 3, 4)))
    assert moved.caption().endswith("The weights stay 4.23 M and 2.9 M: a stride has none.")


def test_two_halvings_in_one_layer_are_invalid_and_the_reason_is_true(scene):
    bad = scene.at(**moves("b", PAPERS[0].pair[1], (2, 2, 4, 6)))
    why = resolve(bad.spec["warn"], bad.spec, bad.state)
    assert why.startswith("FD-MobileNet: layer 4 would halve twice")
    assert resolve(scene.spec["warn"], scene.spec, scene.state) == ""
    x = torch.ones(1, 1, 32, 32, requires_grad=True)
    nn.functional.conv2d(x, torch.ones(1, 1, 3, 3), None, 4, 1).sum().backward()
    assert x.grad is not None
    unread = (x.grad[0, 0, :30, :30].sum(0) == 0).nonzero().flatten()
    assert unread.tolist() == list(range(2, 30, 4)), "every fourth column"
    assert shown(bad)["handle_b2"]["fill"] == "bad"
    assert shown(bad)["handle_a2"]["fill"] == "hi"


def test_accuracies_are_published_or_logged_and_only_those(scene, study):
    marks = shown(scene, pair=1)
    assert [marks[f"accuracy_{x}"]["s"] for x in "ab"] == ["63.7 %", "65.3 %"]
    assert marks["source"]["s"] == "ImageNet, published"
    assert shown(scene, a2=0, pair=1)["accuracy_a"]["s"] == "not trained"
    log = studies.logged("downsampling")
    for n, case in enumerate(of_study()):
        marks = shown(study, pair=n)
        for letter, ladder, word in zip("ab", case.pair, ("slow", "fast"), strict=True):
            row = log[f"{word}, {case.label}"]
            assert (row.params, row.macs) == (ladder.params, ladder.macs(ladder.published))
            said = f"{row.mean:.1f} ± {row.deviation:.1f} %"
            assert marks[f"accuracy_{letter}"]["s"] == said
        assert marks["source"]["s"] == f"builtin data, {len(log.seeds)} seeds"
        (finding,) = (f for f in log.findings if f.better == f"fast, {case.label}")
        assert (
            study.at(pair=case.label)
            .caption()
            .endswith(f"“fast is more accurate”: {finding.word}.")
        )


def test_the_code_builds_the_ladders_as_they_stand(scene, study):
    at = PAPERS[2].pair[0]
    for it, cases, state in (
        (scene, PAPERS, {}), (scene, PAPERS, {"pair": 2, **moves("a", at, (1, 5, 7, 13))}),
        (study, of_study(), {"pair": 1}),
    ):  # fmt: skip
        full = clamp(it.spec, {**it.state, **state})
        inside: dict[str, Any] = {}
        with torch.device("meta"):
            exec(resolve(it.spec["code"], it.spec, full), inside)
        pair = cases[full["pair"]].pair
        for letter, ladder, name in zip("ab", pair, ("one", "two"), strict=True):
            places = tuple(full[key] + ladder.fixed for key in keys(letter, ladder))
            report = analyze(inside[name], (1, 3, ladder.size, ladder.size))
            assert (report.params, report.macs) == (ladder.params, ladder.macs(places))
        assert inside["y"][0].shape == (1, pair[0].classes)


def test_the_prediction_is_the_width_that_costs_as_much(scene):
    ask = scene.spec["ask"]
    costs = {}
    for option in ask["options"]:
        with torch.device("meta"):
            model = mobilenet_v1(width_mult=float(option[1:]))
        costs[option] = analyze(model, (1, 3, 224, 224)).macs
    fd = PAPERS[0].pair[1]
    right = min(costs, key=lambda o: abs(costs[o] - fd.macs(fd.published)))
    assert ask["options"][ask["answer"]] == right
    assert f"MobileNet {right}" in scene.at(pair=ask["from"]).caption()
    whole = PAPERS[0].pair[0].macs(PAPERS[0].pair[0].published)
    assert f"{costs['×0.75'] / whole:.2f} of the MACs" in ask["replies"][0]
    assert round(whole / costs["×0.25"]) == 14
    assert f"leaves {costs['×0.125'] / 1e6:.0f} of {whole / 1e6:.0f} million" in ask["replies"][3]
    texts = [m["s"] for m in scene.frame() if m["t"] == "text"]
    assert not [s for s in (*texts, scene.caption()) if right in s]


# -- hands, budget, own rows ---------------------------------------------------------------------


def test_buttons_put_the_halvings_where_they_say(scene):
    for letter, at in zip("ab", PAPERS[0].pair, strict=True):
        for n, places in enumerate((at.published, at.placings[0], at.placings[-1])):
            pill = next(m for m in scene.spec["marks"] if m["id"] == f"pill_{letter}{n}")
            assert pill["set"] == moves(letter, at, places)
            fills = [shown(scene, **pill["set"])[f"pill_{letter}{k}"]["fill"] for k in range(3)]
            assert fills == ["c1" if k == n else "panel" for k in range(3)]
            layers = re.findall(r"\d+", pill["label"].partition("layers")[2])
            assert [int(x) for x in layers] == [2 * p for p in places]


def test_columns_of_both_ladders_are_linked_by_depth(scene):
    marks = {m["id"]: m for m in scene.spec["marks"]}
    for unit in range(12):
        ours = [marks[f"{what}_{x}{unit}"] for x in "ab" for what in ("col", "plate", "bar")]
        assert {m["link"] for m in ours} == {unit}
        assert marks[f"col_a{unit}"]["set"] == marks[f"col_b{unit}"]["set"] == {"depth": unit}
    assert "col_b12" not in marks
    assert resolve(marks["col_a13"]["tip"], scene.spec, scene.state) == "7×7×1024: 51.8 M MACs"


def test_own_rows_are_drawn_within_the_budget():
    rows = tuple((c, n, s) for c, n, s in ROWS)
    scene = viz.downsampling({"a name that is far too long": rows, "fast": rows})
    assert len(dumps(scene.spec)) < 150_000
    assert "accuracy_a" not in shown(scene)
    small = viz.downsampling({"one": [(64, 1, 2)], "two": [[32, 2, 1], [64, 1, 2]]})
    (case,) = of_rows({"one": [(64, 1, 2)], "two": [[32, 2, 1], [64, 1, 2]]})
    with torch.device("meta"):
        model = MobileNetV1(((64, 1, 2),))
    report = analyze(model, (1, 3, 224, 224))
    assert report.macs == case.pair[0].macs((1,))
    assert compared(case) in small.spec["tables"]["verdict"][0]
    assert shown(small)["row3_a"]["s"] == "7 px"


@pytest.mark.parametrize(
    ("nets", "says"),
    [
        (5, "two networks"), ("papers", "two networks"), ({}, "two networks"),
        ({"a": ROWS}, "two networks"), ({"a": ROWS, "b": 5}, "'b'"), ({"a": ROWS, "b": ()}, "'b'"),
        ({"a": ROWS, "b": "rows"}, "'b'"), ({"a": ROWS, "b": [(64, 1)]}, "'b'"),
        ({"a": ROWS, "b": [(64, 1, 3)]}, "strides 1 or 2"), ({"a": ROWS, "b": [(0, 1, 2)]}, "'b'"),
        ({"a": ROWS, "b": [(64, 20, 2)]}, "room for 13 blocks"),
        ({"a": ROWS, "b": [(64, 1, 1)]}, "1 to 4 halvings"),
        ({"a": ROWS, "b": [(64, 1, 2)]}, "a halves 5 times, b 2 times"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_one_sentence(nets, says):
    with pytest.raises(UserError) as caught:
        viz.downsampling(nets)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_kinds_leave_room_for_the_buttons():
    assert BAD == 4
