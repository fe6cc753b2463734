"""The two scenes as pictures: readable, honest about what is left out, within the budget."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightcourse import viz
from lightcourse.nn import channel_shuffle
from lightcourse.viz.scene import Scene, count, dumps, resolve
from lightcourse.viz.scenes._rf_nets import nets_of, thin
from lightcourse.viz.scenes._rf_view import shrink
from lightcourse.viz.scenes._rf_words import mistakes, short
from lightcourse.viz.scenes._shuffle_layout import Layout
from lightcourse.viz.theme import THEMES, contrast, paint


@pytest.fixture(scope="module")
def scenes():
    return {name: viz.get_scene(name) for name in viz.SCENES}


def marks(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


# -- both scenes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", viz.SCENES)
def test_text_is_large_enough_and_marks_are_few(scenes, name):
    spec = scenes[name].spec
    assert min(m["font-size"] for m in spec["marks"] if m["t"] == "text") >= 13
    assert len(spec["marks"]) <= 500
    assert len(dumps(spec).encode()) < 150_000


@pytest.mark.parametrize("name", viz.SCENES)
def test_what_can_be_reached_is_never_hidden_in_its_own_state(scenes, name):
    scene = scenes[name]
    step = next(p["name"] for p in scene.spec["params"] if p["kind"] == "step")
    # some belong to one variant only, such as the points of a deformable convolution
    variants = [p for p in scene.spec["params"] if "options" in p][:1]
    others = [marks(scene, **{p["name"]: v}) for p in variants for v in p["options"]]
    for index in range(count(next(p for p in scene.spec["params"] if p["name"] == step),
                             scene.spec, scene.state)):  # fmt: skip
        frames = [marks(scene, **{step: index}), *others]
        for mark in scene.spec["marks"]:
            if "drag" in mark or "set" in mark:
                # the renderer takes a mark at opacity 0 out of reach
                shown = [frame[mark["id"]].get("opacity", 1) for frame in frames]
                assert max(shown) > 0, (mark["id"], index)
                assert mark.get("pe", 1) != 0
                assert resolve(mark["label"], scene.spec, scene.state)


@pytest.mark.parametrize("theme", THEMES)
def test_words_on_cards_can_be_read(scenes, theme):
    scene = viz.channel_shuffle(12, (2, 5, 6, 12))
    for state in scene.states():
        shown = {mark["id"]: mark for mark in Scene(scene.spec, state).frame()}
        for name, mark in shown.items():
            under = shown.get(name.removesuffix("_s").replace("letter", "stripe"))
            if mark["t"] == "text" and under and under["id"] != name and mark["s"]:
                ratio = contrast(paint(mark["fill"], theme), paint(under["fill"], theme))
                assert ratio >= 4.5, (name, state)


# -- receptive field -----------------------------------------------------------------------------


def test_counts_of_padding_are_what_lies_outside_the_picture(scenes):
    scene = scenes["receptive-field"]
    (net,) = (net for net in nets_of(None, 64) if net.name == "fast ↓")
    for layer, px, py in ((4, 2, 60), (8, 32, 32), (6, 63, 0), (1, 30, 30)):
        stage, shown = net.stages[layer], marks(scene, net="fast ↓", layer=layer, px=px, py=py)
        for mark, over in (
            ("over_left", -stage.low[1, px]), ("over_right", stage.high[1, px] - 63),
            ("over_top", -stage.low[0, py]), ("over_bottom", stage.high[0, py] - 63),
        ):  # fmt: skip
            assert shown[mark]["s"] == (f"+{over}" if over > 0 else "")


def test_later_layers_keep_their_numbers_until_they_are_reached(scenes):
    shown = marks(scenes["receptive-field"], net="slow ↓", layer=3)
    for i in range(9):
        assert {shown[f"{kind}{i}"]["opacity"] for kind in ("bar", "sees", "jump", "map")} == {
            int(i <= 3)
        }
        assert shown[f"name{i}"]["opacity"] == 1


def test_bars_are_to_scale(scenes):
    shown = marks(scenes["receptive-field"], net="fast ↓", layer=8)
    sizes = [1, 3, 7, 15, 31, 47, 63, 79, 95]
    widths = [shown[f"bar{i}"]["width"] for i in range(9)]
    assert np.allclose(np.divide(widths, sizes), widths[-1] / 95, atol=0.01)
    assert shown["rule"]["x1"] - shown["bar0"]["x"] == pytest.approx(widths[-1] * 64 / 95, abs=0.05)


def test_holes_are_named_where_they_are_and_only_there(scenes):
    scene = scenes["receptive-field"]
    for net, layer, clause in (
        ("plain 3×3", 1, "counts alike"), ("plain 3×3", 8, "carries"), ("7×7", 4, "carries"),
        ("slow ↓", 8, ""), ("fast ↓", 5, "Holes from stride"),
        ("dilated", 4, "Holes from dilation"),
        ("dilated", 8, "carries"),
    ):  # fmt: skip
        said = scene.at(net=net, layer=layer, view="95%").caption()
        assert clause in said
        assert ("oles" in said) == clause.startswith("Holes")


def test_deep_networks_are_thinned_and_say_so():
    scene = viz.receptive_field([(3, 1, 1)] * 40, size=128)
    assert scene.spec["tables"]["depth"] == [17]
    shown = marks(scene, layer=16)
    assert shown["note"]["s"] == "16 of 40 layers shown"
    assert (shown["number16"]["s"], shown["sees16"]["s"]) == ("40", "81 px")
    assert "ask" not in scene.spec  # nobody can follow layers that are not there
    assert thin(range(5), 16) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("size", [8, 100, 512])
def test_large_requests_stay_within_the_budget(size):
    nets = {f"net {i} with a long name": [(3, 1, 1), (3, 1, 2, 2)] * 8 for i in range(6)}
    scene = viz.receptive_field(nets, size=size)
    assert len(dumps(scene.spec).encode()) <= 150_000
    assert scene.spec["params"][3]["n"] >= 8


class Functional(nn.Module):
    """LeNet's habit: activations and pooling as functions, the last map goes in flattened."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Linear(2 * 8 * 8, 3)

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.one(x)), 2)
        return self.head(F.avg_pool2d(F.relu(self.two(x)), 2).flatten(1))


def test_functional_pooling_is_a_layer_with_the_heat_of_its_module_twin():
    torch.manual_seed(0)
    model = Functional()
    twin = nn.Sequential(
        model.one, nn.ReLU(), nn.AvgPool2d(2), model.two, nn.ReLU(), nn.AvgPool2d(2)
    )
    mine, other = (nets_of(net, 32)[0].stages for net in (model, twin))
    assert [s.size for s in mine] == [s.size for s in other]
    assert [s.size[0] for s in mine] == [1, 3, 4, 8, 10]
    for a, b in zip(mine, other, strict=True):
        assert a.heat == pytest.approx(b.heat)
        assert a.middle.tolist() == b.middle.tolist()


def test_slips_are_recomputed_by_hand():
    stages = nets_of([(3, 2, 1), (5, 1, 2), (3, 1, 2, 2)], 32)[0].stages[1:]
    by_slip = {re.split("[:,]", reason)[0]: value for value, reason in mistakes(stages).items()}
    assert stages[-1].size == (1 + 2 + 4 * 2 + 2 * 2 * 2,) * 2
    assert by_slip["forgets the jump"] == 1 + 2 + 4 + 4
    assert by_slip["forgets the dilation"] == 1 + 2 + 8 + 4
    assert by_slip["adds k a layer"] == 1 + 3 + 10 + 12
    assert by_slip["uses a stride one layer too early"] == 1 + 4 + 8 + 8
    assert by_slip["multiplies the kernels"] == 45


def test_shrink_keeps_means():
    heat = np.random.default_rng(0).random((90, 90))
    for most in (45, 64, 90):
        small = shrink(heat, most)
        assert max(small.shape) <= most
        assert small.mean() == pytest.approx(heat.mean(), rel=0.02)
    assert shrink(heat, 45)[0, 0] == pytest.approx(heat[:2, :2].mean())


def test_names_are_cut_at_a_dot():
    assert short("a.b", 18) == "a.b"
    assert short("features.12.conv.1.0", 18) == "….12.conv.1.0"
    assert len(short("x" * 40, 18)) == 18


# -- channel shuffle -----------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [2, 3, 4, 6])
def test_cards_stand_in_the_order_of_our_own_shuffle(scenes, groups):
    shown = marks(scenes["channel-shuffle"], groups=str(groups), shuffle="on", step=4)
    cards = sorted((shown[f"card{c}"]["x"], c) for c in range(12))
    ours = channel_shuffle(torch.arange(12.0).view(1, 12, 1, 1), groups).flatten().tolist()
    assert [c for _, c in cards] == ours


def test_stripes_and_wires_show_the_groups_that_an_output_knows(scenes):
    at = Layout(12, 6, "on")
    shown = marks(scenes["channel-shuffle"], groups="6", shuffle="on", step=5)
    for place in range(12):
        letters = "".join(shown[f"letter{place}_{q}"]["s"] for q in range(3))
        assert letters == "".join("ABCDEF"[g] for g in at.known(place))
        bottom = f"{shown[f'out{place}']['x'] + shown[f'out{place}']['width'] / 2:.0f} 352"
        reached = {q for q in range(6) if re.search(rf"L{bottom}(M|$)", shown[f"second{q}"]["d"])}
        assert reached == set(at.known(place))


def test_impossible_groups_stay_in_the_picture_with_the_reason():
    scene = viz.channel_shuffle(12, (3, 5))
    shown = marks(scene, groups="5", step=3)
    assert [shown[f"in{c}_s"]["s"] for c in (9, 10, 11)] == ["E9", "?10", "?11"]
    spec, state = scene.spec, scene.at(groups="5").state
    assert "not divisible by 5" in resolve(spec["warn"], spec, state)
    assert resolve(spec["warn"], spec, scene.at(groups="3").state) == ""


def test_the_wrong_way_round_is_harmless_exactly_for_a_square():
    scene = viz.channel_shuffle(9, (3,)).at(shuffle="wrong", step=4)
    assert "C = g²" in scene.caption()
    said = viz.channel_shuffle(12, (3,)).at(shuffle="wrong", step=4).caption()
    right, wrong = Layout(12, 3, "on").order, Layout(12, 3, "wrong way round").order
    assert f"{sum(a != b for a, b in zip(right, wrong, strict=True))} of 12" in said
