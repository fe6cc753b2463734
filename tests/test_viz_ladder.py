"""The resolution ladder: every number against torch and `analyze`, in every state that it has."""

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from lightcourse import analyze, viz
from lightcourse.errors import UserError
from lightcourse.models import mobilenet_v2
from lightcourse.viz.scene import Scene, clamp, dumps, resolve
from lightcourse.viz.scenes._lad_net import (
    EVEN,
    FAST,
    LAYERS,
    MODES,
    SLOW,
    Ladder,
    channels,
    fields,
    pooled,
    sides,
)  # fmt: skip
from lightcourse.viz.scenes._lad_words import short
from lightcourse.viz.scenes.resolution_ladder import SIZES

SCHEDULES = [(1, *rest) for rest in itertools.combinations(range(2, LAYERS + 1), 4)]


@pytest.fixture(scope="module")
def scene():
    return viz.resolution_ladder()


def moves(halved):
    return {f"h{n}": place - n for n, place in enumerate(halved, 1) if n > 1}


def at(scene, size, mode, halved):
    return scene.at(size=SIZES.index(size), mode=mode, **moves(halved))


def marks(scene):
    return {mark["id"]: mark for mark in scene.frame()}


def build(scene):
    """The network that the scene's own code builds, and the shape that it gives."""
    inside: dict[str, Any] = {"nn": nn, "torch": torch}
    with torch.device("meta"):
        exec(resolve(scene.spec["code"], scene.spec, scene.state), inside)
    return inside["net"], tuple(inside["y"].shape)


def slots(halved):
    """Each layer's (stage, place in the stage), which names its marks."""
    found = []
    for layer in range(1, LAYERS + 1):
        stage = sum(p <= layer for p in halved)
        found.append((stage, layer - halved[stage - 1]))
    return found


def test_there_are_as_many_ladders_as_ways_to_place_four_halvings():
    assert len(SCHEDULES) == 35
    assert {FAST, EVEN, SLOW} <= set(SCHEDULES)


@pytest.mark.parametrize("mode", range(len(MODES)))
@pytest.mark.parametrize("size", SIZES)
def test_maps_and_macs_of_every_ladder_are_those_of_the_network_that_its_code_builds(
    scene, size, mode
):
    for halved in SCHEDULES:
        here = at(scene, size, mode, halved)
        net, last = build(here)
        ladder = Ladder(size, mode, halved)
        x = torch.empty(1, 3, size, size, device="meta")
        macs = []
        for layer, (c, side) in zip(net, ladder.maps[1:], strict=True):
            x = layer(x)
            assert x.shape == (1, c, side, side)
            macs.append(layer.weight.numel() * side**2)
        assert macs == ladder.macs
        assert x.shape == last
        total = f"{short(sum(macs))} MACs"
        assert total in here.caption()
        assert here.caption().endswith(f"leave {last[2]}×{last[2]}.")


@pytest.mark.parametrize("mode", range(len(MODES)))
@pytest.mark.parametrize(("size", "halved"), [
    (224, FAST), (224, EVEN), (224, SLOW), (224, (1, 2, 3, 7, 8)), (225, FAST), (225, SLOW),
    (16, FAST), (230, EVEN), (223, SLOW), (32, (1, 4, 5, 6, 7)),
])  # fmt: skip
def test_analyze_agrees_on_macs_memory_peak_field_and_weights(scene, size, mode, halved):
    here = at(scene, size, mode, halved)
    net, _ = build(here)
    report, ladder = analyze(net, (1, 3, size, size)), Ladder(size, mode, halved)
    assert [layer.macs for layer in report.layers] == ladder.macs
    seen = [layer.receptive_field for layer in report.layers]
    assert [(f.local or f).size[0] for f in seen] == fields(halved)[1:]
    assert [4 * layer.output_shape[1] * layer.output_shape[2] ** 2 for layer in report.layers] == (
        ladder.outputs
    )
    assert report.peak_activation == ladder.peak[0]
    shown = marks(here)
    assert f"peak {short(report.peak_activation, 'B')}" in shown["act_head"]["s"]
    assert f"what layer {ladder.peak[1]} reads" in shown["act_head"]["s"]
    assert shown["weights"]["s"] == f"{short(report.params)} weights"
    assert shown["field_head"]["s"].endswith(f"sees {fields(halved)[-1]} px")


@pytest.mark.parametrize("halved", SCHEDULES)
def test_boxes_and_bars_stand_under_their_layer_and_are_to_scale(scene, halved):
    for size, mode in ((224, 0), (225, 1), (128, 1)):
        ladder, shown = Ladder(size, mode, halved), marks(at(scene, size, mode, halved))
        side_px = shown["input"]["height"] / size
        unit = {"act": 39 / (4 * 32 * 128**2), "macs": 39 / (9 * 32 * 32 * 128**2)}
        for layer, (stage, j) in enumerate(slots(halved), 1):
            key = f"{stage}_{j}"
            box, act = shown[f"box{key}"], shown[f"act{key}"]
            macs = shown[f"macs{key}"]
            column = shown[f"layer{layer}"]["x"]
            assert box["x1"] == box["x2"] == column == act["x"] + act["width"] / 2
            assert macs["x"] == act["x"] == shown[f"field{layer}"]["x"]
            side = ladder.maps[layer][1]
            assert box["y1"] - box["y2"] == pytest.approx(max(1.5, side * side_px), abs=0.02)
            assert box["stroke-width"] == pytest.approx(max(1.5, side * side_px), abs=0.02)
            for bar, value in ((act, ladder.outputs[layer - 1] * unit["act"]),
                               (macs, ladder.macs[layer - 1] * unit["macs"])):  # fmt: skip
                assert bar["height"] == pytest.approx(max(1, value), abs=0.06)
                assert bar["opacity"] == 1
            assert shown[f"field_s{layer}"]["s"] == str(fields(halved)[layer])
            assert shown[f"field{layer}"]["fill"] == act["fill"]
        drawn = [m for name, m in shown.items() if name.startswith("box") and m["opacity"]]
        assert len(drawn) == LAYERS
        places = [shown[f"handle{stage}"]["cx"] for stage in range(1, 6)]
        assert places == [shown[f"layer{p}"]["x"] for p in halved]


@pytest.mark.parametrize("size", SIZES)
def test_numbers_on_the_bars_are_those_of_the_layers(scene, size):
    for mode, halved in itertools.product(range(2), (FAST, EVEN, SLOW)):
        ladder, shown = Ladder(size, mode, halved), marks(at(scene, size, mode, halved))
        for layer, (stage, j) in enumerate(slots(halved), 1):
            if j == 0:
                assert shown[f"act_s{stage}_0"]["s"] == short(ladder.outputs[layer - 1], "B")
            if j < 2:
                name = ("macs_s", "more_s")[j]
                assert shown[f"{name}{stage}_{j}"]["s"] == short(ladder.macs[layer - 1])


def test_peak_depends_on_the_first_move_alone_as_its_table_says():
    for size, mode in itertools.product(SIZES, range(2)):
        peaks = {}
        for halved in SCHEDULES:
            peaks.setdefault(halved[1], set()).add(Ladder(size, mode, halved).peak)
        assert all(len(found) == 1 for found in peaks.values())
        assert {layer for found in peaks.values() for _, layer in found} == {2}


# -- what it proves ------------------------------------------------------------------------------


def test_a_halving_divides_what_follows_by_four_and_doubling_makes_up_for_it(scene):
    for size in (32, 128, 224, 256):
        stay = [9 * (32 * side) ** 2 for side in sides(size)[1:]]
        assert [a / b for a, b in itertools.pairwise(stay)] == [4] * 4
        assert "by 4" in marks(at(scene, size, 1, EVEN))["macs_head"]["s"]
        double = {9 * (channels(0, s) * sides(size)[s]) ** 2 for s in range(1, 6)}
        assert len(double) == 1
        said = marks(at(scene, size, 0, EVEN))["macs_head"]["s"]
        assert said == f"MACs · {short(double.pop())} in every layer that does not halve"
        totals = {sum(Ladder(size, 0, halved).macs) for halved in SCHEDULES}
        assert len(totals) == 1, "with channels that double the place of a halving costs no MACs"
    assert "as many as the even one" in at(scene, 224, 0, SLOW).caption()


@pytest.mark.parametrize("size", [225, 230, 16])
def test_odd_sides_are_not_said_to_divide_by_four(scene, size):
    said = marks(at(scene, size, 1, EVEN))["macs_head"]["s"]
    ratios = [(a / b) ** 2 for a, b in itertools.pairwise(sides(size)[1:])]
    low, high = (f"{r:.1f}".removesuffix(".0") for r in (min(ratios), max(ratios)))
    assert said.endswith(f"by {low} to {high}")


def test_one_layer_earlier_costs_less_and_one_later_more():
    even = sum(Ladder(224, 1, EVEN).macs)
    assert sum(Ladder(224, 1, (1, 2, 3, 6, 8)).macs) < even < sum(Ladder(224, 1, SLOW).macs)
    late, early = Ladder(224, 1, (1, 2, 4, 6, 8)).macs, Ladder(224, 1, (1, 2, 3, 6, 8)).macs
    assert [a / b for a, b in zip(late, early, strict=True)] == [1, 1, 4, 1, 1, 1, 1, 1]


def test_rounding_is_what_torch_does(scene):
    for size in SIZES:
        shown = marks(at(scene, size, 0, EVEN))
        x = padded = torch.arange(float(size)).view(1, 1, 1, size).expand(1, 1, size, size)
        down, up = [], []
        for _ in range(5):
            padded = torch.nn.functional.conv2d(padded, torch.ones(1, 1, 3, 3), None, 2, 1)
            up.append(padded.shape[-1])
            if x.shape[-1] >= 2:
                x = torch.nn.functional.max_pool2d(x, 2)
                down.append(x.shape[-1])
            else:
                with pytest.raises(RuntimeError):
                    torch.nn.functional.max_pool2d(x, 2)
                down.append("nothing")
        assert shown["convolved"]["s"].endswith(": " + " → ".join(map(str, up)))
        assert shown["pooled"]["s"].endswith(": " + " → ".join(map(str, down)))
        assert up == sides(size)[1:]
        if down[-1] != "nothing":
            last_read = int(x.max())  # the largest column that any pooling has read
            lost = size - 1 - last_read
            assert lost == size - 32 * down[-1] and down[-1] == pooled(size)[-1]
            said = shown["rounding"]["s"]
            assert (f"skips {lost} row" in said) if lost else ("fits exactly" in said)
            strip, box = shown["lost_rows"], shown["input"]
            assert strip["height"] / box["height"] == pytest.approx(lost / size, abs=1e-3)


def test_sizes_that_are_too_small_say_why(scene):
    warn = {r: resolve(scene.spec["warn"], scene.spec, at(scene, r, 0, EVEN).state) for r in SIZES}
    assert [r for r in SIZES if warn[r]] == [16, 32]
    ones = torch.ones(1, 1, 3, 3)
    inside = torch.nn.functional.conv2d(torch.ones(1, 1, 1, 1), ones, None, 1, 1).item()
    assert f"{9 - int(inside)} of the 9 taps" in warn[32]
    assert "leave no map" in warn[16] and "leave no map" not in warn[32]


# -- handles -------------------------------------------------------------------------------------


def test_no_halving_overtakes_another(scene):
    pushed = scene.at(h5=0)
    assert [pushed.state[f"h{n}"] for n in range(2, 6)] == [0, 0, 0, 0]
    held = clamp(scene.spec, {"h5": 1, "h4": 1, "h3": 1, "h2": 3})
    assert [held[f"h{n}"] for n in range(2, 6)] == [1, 1, 1, 1]
    for i, halved in enumerate((FAST, EVEN, SLOW)):
        preset = next(m for m in scene.spec["marks"] if m["id"] == f"preset{i}")
        assert preset["set"] == moves(halved)
        fills = [marks(scene.at(**preset["set"]))[f"preset{k}"]["fill"] for k in range(3)]
        assert fills == ["c1" if k == i else "panel" for k in range(3)]


def test_the_prediction_for_225_is_eight(scene):
    ask = scene.spec["ask"]
    assert ask["from"] == SIZES.index(225)
    assert ask["options"][ask["answer"]] == "8×8" == f"{sides(225)[-1]}×{sides(225)[-1]}"
    assert "ask" not in viz.resolution_ladder(sizes=[128, 256]).spec


# -- other sizes, other networks -----------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[224], list(range(1017, 1025)), (8, 9, 10), range(200, 208)])
def test_other_sizes_stay_within_the_budget(sizes):
    scene = viz.resolution_ladder(sizes=sizes)
    assert len(dumps(scene.spec)) < 150_000
    assert [m["s"] for m in scene.frame() if m["id"].startswith("tick")] == list(map(str, sizes))


def test_an_own_network_is_the_report_grouped_by_map_size():
    model = mobilenet_v2()
    scene = viz.resolution_ladder(model, sizes=[96, 224, 225])
    for index, size in enumerate((96, 224, 225)):
        report, shown = analyze(model, (1, 3, size, size)), marks(scene.at(size=index))
        groups = {}
        for layer in report.layers:
            if len(layer.output_shape) == 4:
                groups.setdefault(layer.output_shape[2:], []).append(layer)
        sizes = sorted(groups, key=lambda s: -s[0] * s[1])
        assert len([m for n, m in shown.items() if n.startswith("box") and m["opacity"]]) == (
            len(sizes)
        )
        for i, key in enumerate(sizes):
            layers = groups[key]
            assert shown[f"stage{i}"]["s"] == f"{key[0]}×{key[1]}"
            assert shown[f"macs_s{i}"]["s"] == short(sum(layer.macs for layer in layers))
            most = max(4 * layer.output_shape[1] * key[0] * key[1] for layer in layers)
            assert shown[f"act_s{i}"]["s"] == short(most, "B")
            widest = max(layer.receptive_field.size[0] for layer in layers)
            assert shown[f"field_s{i}"]["s"] == f"{widest:g}"
        assert f"{short(report.macs)} MACs" in scene.at(size=index).caption()
        assert short(report.peak_activation, "B") in shown["act_head"]["s"]
        part = report.macs / analyze(model, (1, 3, 225, 225)).macs
        if size != 225:
            assert f"{part:.3f} of the MACs at 225 px" in scene.at(size=index).caption()


def test_more_map_sizes_than_columns_are_counted_in_the_caption():
    model = nn.Sequential(*(nn.Conv2d(3, 3, 3) for _ in range(11)))
    scene = viz.resolution_ladder(model, sizes=[32])
    assert "→ 16×16 and 3 smaller." in scene.caption()
    assert len([m for m in scene.frame() if m["id"].startswith("box") and m["opacity"]]) == 8


class Picky(nn.Module):
    """A fully connected head: it runs at 32 px and at no other size."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3, 2, 1), nn.Linear(4 * 16 * 16, 2)

    def forward(self, x):
        return self.head(self.conv(x).flatten(1))


def test_a_size_at_which_the_network_does_not_run_is_shown_as_invalid():
    scene = viz.resolution_ladder(Picky(), sizes=[32, 64])
    assert scene.state["size"] == 0
    bad = scene.at(size=1)
    assert "head" in resolve(bad.spec["warn"], bad.spec, bad.state)
    assert resolve(scene.spec["warn"], scene.spec, scene.state) == ""
    assert "does not run at 64 px" in bad.caption()
    assert not [m for m in bad.frame() if m["id"].startswith("box") and m["opacity"]]
    assert isinstance(bad, Scene)


@pytest.mark.parametrize(
    ("model", "sizes", "says"),
    [
        (None, [], "[]"), (None, [7], "[7]"), (None, [2000], "8 to 1024"),
        (None, list(range(8, 17)), "1 to 8"), (None, [224.0], "224.0"), (None, "224", "'224'"),
        (None, [True], "True"), (5, None, "nn.Module"), (Picky(), [64], "64 px"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), [8], "no map"),
    ],
)  # fmt: skip
def test_what_is_no_ladder_is_refused_in_one_sentence(model, sizes, says):
    with pytest.raises(UserError) as caught:
        viz.resolution_ladder(model, sizes)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "net",
    [
        nn.ConvTranspose2d(3, 4, 4, 2, 1),
        nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Upsample(scale_factor=4)),
    ],
    ids=["transposed", "upsample"],
)
def test_maps_larger_than_the_input_stay_in_the_picture(net):
    assert "</html>" in viz.resolution_ladder(net).html()
