"""The numbers that the scenes draw, against torch: dependence, influence, permutations, answers."""

import random
import re

import numpy as np
import pytest
import torch
from torch import nn

from lightcourse import analyze, viz
from lightcourse.analysis import trace, unit_interval
from lightcourse.errors import UserError
from lightcourse.viz.scene import resolve
from lightcourse.viz.scenes._rf_nets import Stage, expected_gradient, nets_of
from lightcourse.viz.scenes._rf_words import SHARES, squares
from lightcourse.viz.scenes._shuffle_layout import MODES, Layout, order_after


def stages(layers, size=32):
    return nets_of(layers, size)[0].stages


def some_chain(rng, deepest=4):
    """Layers (kernel, stride, padding, dilation) that leave something of 32 pixels."""
    chain, width = [], 32
    for _ in range(rng.randint(1, deepest)):
        kernel, stride, dilation = (
            rng.choice([1, 2, 3, 5]),
            rng.choice([1, 1, 2, 3]),
            rng.randint(1, 2),
        )
        layer = (kernel, stride, rng.randint(0, 3), dilation)
        after = (width + 2 * layer[2] - dilation * (kernel - 1) - 1) // stride + 1
        if after >= 2:
            chain.append(layer)
            width = after
    return chain or [(3, 1, 1, 1)]


# -- receptive field: what is seen ---------------------------------------------------------------


def seen_by_units(chain, size):
    """First and last pixel that each unit depends on, from gradients of ones, in float64.

    The canvas goes on beyond the picture for so far that no field meets its end; so the field of
    a unit at the edge is the whole one, as the scene draws it.
    """
    jump = int(np.prod([stride for _, stride, _, _ in chain]))
    more = -(-sum((k - 1) * d + p for k, _, p, d in chain) * jump // jump) + 2
    x = torch.zeros(1, 1, size + 2 * more * jump, dtype=torch.float64, requires_grad=True)
    out, width = x, size
    for kernel, stride, padding, dilation in chain:
        ones = torch.ones(1, 1, kernel, dtype=torch.float64)
        out = nn.functional.conv1d(out, ones, None, stride, padding, dilation)
        width = (width + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    found = []
    for unit in range(width):
        (gradient,) = torch.autograd.grad(out[0, 0, unit + more], x, retain_graph=True)
        places = gradient[0, 0].nonzero()
        found.append((places.min().item() - more * jump, places.max().item() - more * jump))
    return np.array(found)


@pytest.mark.parametrize("seed", range(24))
def test_squares_of_a_chain_are_what_gradients_reach(seed):
    chain = some_chain(random.Random(seed))
    for depth, stage in enumerate(stages(chain)[1:], 1):
        units = seen_by_units(chain[:depth], 32)
        centres = units.mean(1)
        for axis in (0, 1):
            for pixel in range(32):
                drawn = (stage.low[axis, pixel], stage.high[axis, pixel])
                assert drawn in {tuple(u) for u in units.tolist()}
                nearest = np.abs(centres - pixel).min()
                assert abs(np.mean(drawn) - pixel) == nearest
        middle = units[len(units) // 2]
        assert stage.middle.tolist() == [middle.tolist()] * 2
        assert stage.map == (len(units), len(units))
        assert set(stage.size) == {middle[1] - middle[0] + 1}
        if len(units) > 1:
            assert set(stage.jump) == {units[1, 0] - units[0, 0]}


def test_the_square_on_the_picture_is_the_interval_in_pixels():
    scene = viz.receptive_field([(3, 2, 1), (3, 1, 1)], size=32)
    scene = scene.at(layer=2, px=16, py=5)
    marks = {mark["id"]: mark for mark in scene.frame()}
    photo, field = marks["photo"], marks["field"]
    cell = photo["width"] / 32
    stage = stages([(3, 2, 1), (3, 1, 1)])[2]
    for place, length, axis, pixel in (("x", "width", 1, 16), ("y", "height", 0, 5)):
        low = round((field[place] - photo[place]) / cell)
        assert low == stage.low[axis, pixel]
        assert low + round(field[length] / cell) - 1 == stage.high[axis, pixel]


class Branches(nn.Module):
    """Two branches of different fields, a squeeze-and-excite gate, then one more layer."""

    def __init__(self):
        super().__init__()
        self.near = nn.Conv2d(3, 4, 3, padding=1)
        self.far = nn.Conv2d(3, 4, (1, 7), padding=(0, 3))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Conv2d(8, 8, 1)
        self.last = nn.Conv2d(8, 4, 3, stride=2, padding=1)

    def forward(self, x):
        both = torch.cat([self.near(x), self.far(x)], 1)
        return self.last(both * self.gate(self.pool(both)).sigmoid())


def test_sizes_and_jumps_of_a_module_are_those_of_analysis():
    model = Branches()
    report = {layer.name: layer for layer in analyze(model, (1, 3, 32, 32)).layers}
    recorded = trace(model, (1, 3, 32, 32))
    drawn = stages(model)[1:]
    assert [stage.name for stage in drawn] == ["near", "far", "cat", "last"]
    for stage in drawn[:2]:
        field = report[stage.name].receptive_field
        assert (stage.size, stage.jump) == (field.size, field.stride)
        units = [n // 2 for n in stage.map]
        assert stage.middle.tolist() == [
            list(i) for i in unit_interval(recorded, stage.name, units)
        ]
    assert drawn[3].size == report["last"].receptive_field.local.size == (5, 9)


# -- receptive field: how much it counts ---------------------------------------------------------


@pytest.mark.parametrize(
    "chain",
    [
        [(3, 1, 1, 1), (3, 1, 1, 1)],
        [(3, 2, 1, 1), (3, 1, 1, 1)],
        [(3, 1, 0, 2), (2, 1, 1, 1)],
        [(5, 1, 4, 1), (3, 3, 1, 1)],
    ],
)
def test_expected_influence_is_the_mean_over_many_random_networks(chain):
    many, size = 8000, 12
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(1, many, size, size, requires_grad=True)
    out = x
    for kernel, stride, padding, dilation in chain:  # one network in each channel
        weight = torch.rand(many, 1, kernel, kernel, generator=generator) - 0.5
        out = nn.functional.conv2d(out, weight, None, stride, padding, dilation, groups=many)
    middle = out[0, :, out.shape[2] // 2, out.shape[3] // 2].sum()
    (gradient,) = torch.autograd.grad(middle, x)
    measured = gradient[0].double().square().mean(0).numpy()
    line = expected_gradient(chain, size)
    expected = np.outer(line, line)
    assert expected.sum() == pytest.approx(1)
    error = np.abs(measured / measured.sum() - expected).max()
    assert error < 0.12 * expected.max()
    assert ((measured > 0) == (expected > 0)).all()


def ones(*layers):
    """Make convolutions sum what they see: then every gradient counts paths."""
    for layer in layers:
        nn.init.ones_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return layers


def paths(taps, times, at, size=32):
    """Squared numbers of paths from one unit through `times` layers of `taps` equal weights."""
    line = np.ones(1)
    for _ in range(times):
        line = np.convolve(line, np.ones(taps))
    whole = np.zeros(size)
    whole[at - len(line) // 2 : at + len(line) // 2 + 1] = line**2
    return np.outer(whole, whole) / whole.sum() ** 2


def three_calls():
    class Thrice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(self.conv(x)))

    model = Thrice()
    ones(model.conv)
    return model


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_measured_influence_counts_paths_in_every_dtype(dtype):
    first, second = ones(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1))
    drawn = stages(nn.Sequential(first, second).to(dtype))
    for depth in (1, 2):
        exact = paths(3, depth, 16)
        assert np.abs(drawn[depth].heat - exact).max() < 4 * torch.finfo(dtype).eps * exact.max()


def test_each_call_of_a_module_that_is_used_again_is_a_layer():
    drawn = stages(three_calls())
    assert [stage.size[0] for stage in drawn] == [1, 3, 5, 7]
    for depth in (1, 2, 3):
        assert np.allclose(drawn[depth].heat, paths(3, depth, 16), atol=1e-6)


def test_a_layer_given_alone_is_drawn():
    (conv,) = ones(nn.Conv2d(1, 1, 5, padding=2))
    assert np.allclose(stages(conv)[1].heat, paths(5, 1, 16), atol=1e-6)
    assert stages(nn.MaxPool2d(2))[1].size == (2, 2)


def test_a_dead_relu_in_place_does_not_reach_back_into_the_layer_before():
    (conv,) = ones(nn.Conv2d(1, 1, 3, padding=1))
    nn.init.constant_(conv.bias, -1e6)
    drawn = stages(nn.Sequential(conv, nn.ReLU(inplace=True), nn.Conv2d(1, 1, 3)))
    assert np.allclose(drawn[1].heat, paths(3, 1, 16), atol=1e-6)
    assert not drawn[2].heat.any()
    scene = viz.receptive_field(
        nn.Sequential(conv, nn.ReLU(inplace=True), nn.Conv2d(1, 1, 3)), size=32
    )
    assert "nothing is measured" in scene.at(layer=2, view=1).caption()


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        ones(self.conv)

    def forward(self, x):
        out = self.conv(x)
        return out, x


def test_a_module_that_returns_a_tuple_is_read_at_its_first_tensor():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.pair, self.last = Pair(), nn.Conv2d(1, 1, 3, padding=1)
            ones(self.last)

        def forward(self, x):
            return self.last(self.pair(x)[0])

    drawn = stages(Outer())
    assert np.allclose(drawn[2].heat, paths(3, 2, 16), atol=1e-6)
    assert np.allclose(stages(Pair())[1].heat, paths(3, 1, 16), atol=1e-6)


def test_the_channels_of_the_first_layer_that_runs_are_found():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.stem = nn.Conv2d(6, 2, 3), nn.Conv2d(1, 6, 3)

        def forward(self, x):
            return self.head(self.stem(x))

    assert [stage.size[0] for stage in stages(Backwards())] == [1, 3, 5]


def test_batch_norm_in_training_is_measured_as_in_use_and_left_alone():
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
        nn.Conv2d(4, 4, 3, stride=2, groups=2), nn.Dropout(0.5), nn.Conv2d(4, 2, 3),
    )  # fmt: skip
    model[3].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    training = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    once, again = viz.receptive_field(model, size=32), viz.receptive_field(model, size=32)
    assert once.spec == again.spec
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    with torch.inference_mode():
        assert viz.receptive_field(model, size=32).spec == once.spec


def test_a_classifier_is_drawn_up_to_its_last_map():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    assert [stage.name for stage in stages(model)] == ["input", "0"]


def brute_square(stage, share):
    """Grow a square round the middle unit's centre, one ring of pixels a time."""
    size = stage.heat.shape[0]
    centre = stage.middle.mean(1)
    total = stage.heat.sum()
    for twice in range(2 * size + 2):
        inside = np.ones((size, size), bool)
        for axis in (0, 1):
            near = np.abs(np.arange(size) - centre[axis]) <= twice / 2
            inside &= near[:, None] if axis == 0 else near[None]
        if stage.heat[inside].sum() >= share * total - 1e-9:
            return twice / 2
    raise AssertionError("no square holds the share")


@pytest.mark.parametrize("seed", range(12))
def test_squares_of_a_share_by_brute_force(seed):
    rng = random.Random(100 + seed)
    for stage in stages(some_chain(rng), 32)[1:]:
        if not stage.heat.any():
            continue
        for share, (first, side) in zip(SHARES, squares(stage), strict=True):
            reach = brute_square(stage, share)
            assert (side - 1) / 2 == pytest.approx(reach)
            assert np.allclose(first + (side - 1) / 2, stage.middle.mean(1))


def test_squares_of_a_random_map():
    random_map = np.random.default_rng(0).random((9, 9))
    stage = Stage(1, "", "", (9, 9), (1, 1), (9, 9), *[np.zeros((2, 9))] * 2,
                  np.array([[0, 8], [0, 8]]), random_map / random_map.sum())  # fmt: skip
    for share, (_, side) in zip(SHARES, squares(stage), strict=True):
        low = 4 - side // 2
        held = stage.heat[low : low + side, low : low + side].sum()
        less = stage.heat[low + 1 : low + side - 1, low + 1 : low + side - 1].sum()
        assert held >= share - 1e-9 > less


# -- receptive field: what is said ---------------------------------------------------------------


def test_captions_say_the_numbers_of_the_recurrence():
    scene = viz.receptive_field()
    nets = {
        "plain 3×3": [(3, 1, 1)] * 8,
        "slow ↓": [(3, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1),
                   (3, 2, 1)],
        "fast ↓": [(3, 2, 1)] * 3 + [(3, 1, 1)] * 5,
        "dilated": [(3, 1, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8)] + [(3, 1, 1)] * 4,
        "7×7": [(7, 1, 1)] * 4,
    }  # fmt: skip
    assert scene.spec["params"][0]["options"] == list(nets)
    for name, chain in nets.items():
        size = jump = 1
        for layer, (kernel, stride, dilation) in enumerate(chain, 1):
            size, jump = size + (kernel - 1) * dilation * jump, jump * stride
            said = scene.at(net=name, layer=layer, view="theory").caption()
            assert f"sees {size}×{size} pixels" in said
            assert f"{jump} px apart" in said


def test_effective_captions_hold_for_the_whole_default_scene():
    scene = viz.receptive_field()
    nets = {net.name: net for net in nets_of(None, 64)}
    for state in scene.states():
        stage = nets[scene.spec["params"][0]["options"][state["net"]]].stages[state["layer"]]
        if state["view"] == 0 or state["layer"] == 0:
            continue
        share = SHARES[state["view"] - 1]
        said = viz.Scene(scene.spec, state).caption()
        side = int(re.search(r"middle (\d+)×\1", said).group(1))
        low = stage.middle.mean(1) - (side - 1) / 2
        top, left = np.maximum(low, 0).astype(int)
        bottom, right = (low + side).astype(int)
        assert stage.heat[top:bottom, left:right].sum() >= share - 1e-9
        assert stage.heat[top + 1 : bottom - 1, left + 1 : right - 1].sum() < share
        assert f"{share:.0%}" in said
        assert f"of {stage.size[0]}×{stage.size[1]}" in said


# -- channel shuffle -----------------------------------------------------------------------------

SETTINGS = [(c, g) for c in range(2, 25) for g in range(1, min(c, 12) + 1) if c % g == 0]


@pytest.mark.parametrize(("channels", "groups"), SETTINGS)
def test_orders_are_torchs_shuffle_and_its_inverse(channels, groups):
    places = torch.arange(channels).view(1, channels, 1, 1)
    shuffled = nn.functional.channel_shuffle(places, groups).flatten()
    assert list(order_after(channels, groups, "off")) == list(range(channels))
    assert list(order_after(channels, groups, "on")) == shuffled.tolist()
    inverse = order_after(channels, groups, "wrong way round")
    assert shuffled[list(inverse)].tolist() == list(range(channels))


@pytest.mark.parametrize(("channels", "groups"), SETTINGS)
def test_known_groups_are_those_that_gradients_reach_through_two_group_convolutions(
    channels, groups
):
    size = channels // groups
    first, second = (nn.Conv2d(channels, channels, 1, groups=groups, bias=False) for _ in range(2))
    ones(first, second)
    for mode in MODES:
        x = torch.zeros(1, channels, 1, 1, requires_grad=True)
        out = second(first(x)[:, list(order_after(channels, groups, mode))])
        at = Layout(channels, groups, mode)
        for place in range(channels):
            (gradient,) = torch.autograd.grad(out[0, place, 0, 0], x, retain_graph=True)
            reached = gradient.flatten().nonzero().flatten() // size
            assert at.known(place) == sorted(set(reached.tolist()))
        expected = 1 if mode == "off" else min(groups, size)
        assert {len(at.known(p)) for p in range(channels)} == {expected}


def test_the_cards_stand_in_the_order_that_the_code_gives():
    scene = viz.channel_shuffle()
    for state in scene.states():
        if state["step"] != 4:
            continue
        groups = int(scene.spec["params"][0]["options"][state["groups"]])
        marks = {mark["id"]: mark for mark in viz.Scene(scene.spec, state).frame()}
        stand = sorted(range(12), key=lambda c, marks=marks: marks[f"card{c}"]["x"])
        mode = MODES[state["shuffle"]]
        x = torch.arange(12.0).view(1, 12, 1, 1)
        for step in (2, 3, 4) if mode != "off" else ():
            line = resolve(scene.spec["code"], scene.spec, {**state, "step": step})
            inside = {"x": x, "n": 1, "h": 1, "w": 1}
            exec(line, inside)  # the lines that the scene tells a learner to write
            x = inside["x"]
        assert stand == x.flatten().int().tolist()
        if mode == "on":
            assert (
                stand
                == nn.functional.channel_shuffle(torch.arange(12).view(1, 12, 1, 1), groups)
                .flatten()
                .tolist()
            )


def test_shuffle_captions_say_how_many_groups_an_output_knows():
    scene = viz.channel_shuffle(24, (4,))
    known = {"off": 1, "on": 4, "wrong way round": 4}
    for mode, number in known.items():
        assert f"knows {number} of 4 groups" in scene.at(shuffle=mode, step=5).caption()
    scene = viz.channel_shuffle(12, (6,))
    assert "knows 2 of 6 groups" in scene.at(shuffle="on", step=5).caption()


def test_the_code_of_an_impossible_layer_is_what_torch_says():
    scene = viz.channel_shuffle(12, (3, 5)).at(groups="5")
    line = resolve(scene.spec["code"], scene.spec, scene.state)
    call, said = line.split("   # ")
    with pytest.raises(ValueError) as caught:
        eval(call, {"nn": nn})
    assert said == f"ValueError: {caught.value}"
    warning = resolve(scene.spec["warn"], scene.spec, scene.state)
    assert "not divisible by 5" in warning
    cards = [m for m in scene.frame() if re.fullmatch(r"(card|in)\d+", m["id"])]
    assert sum(m["opacity"] > 0 for m in cards) >= 12, "the picture stays"


# -- both: the question --------------------------------------------------------------------------


def shown(scene, state):
    """Everything a reader can come upon in one state: visible words, tips, names, caption, code."""
    spec = scene.spec
    found = [viz.Scene(scene.spec, state).caption(), str(resolve(spec["code"], spec, state))]
    for mark in spec["marks"]:
        if resolve(mark.get("opacity", 1), spec, state) > 0:
            found += [
                str(resolve(mark[n], spec, state)) for n in ("s", "tip", "label") if n in mark
            ]
    return found


# how the caption tells the answer; scenes with another kind of question test it in their own files
TOLD = {
    "receptive-field": lambda n: f"sees {n.removesuffix(' px')}×{n.removesuffix(' px')} pixels",
    "channel-shuffle": lambda n: f"knows {n} of",
    "resolution-ladder": lambda n: f"leave {n}.",
    "factorisation": lambda n: f"weights: {n} =",
    "upsampling": lambda n: f"makes {n} different",
}


@pytest.mark.parametrize("name", TOLD)
def test_the_answer_is_right_and_not_given_away(name):
    scene = viz.get_scene(name)
    ask = scene.spec["ask"]
    told = TOLD[name]
    last = 5 if name == "channel-shuffle" else ask["from"]
    for state in scene.states():
        if state[ask["param"]] >= ask["from"] or state.get("view", 0):
            continue
        right = ask["options"][resolve(ask["answer"], scene.spec, state)]
        revealed = viz.Scene(scene.spec, {**state, ask["param"]: last}).caption()
        assert told(right) in revealed
        if name == "receptive-field":
            number = re.compile(rf"(?<![\d×]){right.removesuffix(' px')}(?:×| px)")
            assert not [text for text in shown(scene, state) if number.search(text)], state
        elif right != "1":
            assert not [text for text in shown(scene, state) if told(right) in text], state
    assert len(set(ask["options"])) == len(ask["options"]) == len(ask["replies"])
    assert all(reply.endswith(".") for reply in ask["replies"])


# -- both: what cannot be drawn ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "options", "says"),
    [
        (5, {}, "nn.Module"),
        ("3x3", {}, "nn.Module"),
        ([], {}, "nn.Module"),
        ([(0, 1, 0)], {}, "start at 1"),
        ([(3, 1, -1)], {}, "padding"),
        ([(3, 1, 1, 1, 1)], {}, "(3, 1, 1, 1, 1)"),
        ([(3.5,)], {}, "3.5"),
        ([(9, 1, 0)], {"size": 8}, "larger size"),
        ({}, {}, "0 networks"),
        ({str(i): [(3,)] for i in range(9)}, {}, "9 networks"),
        (None, {"size": 4}, "4 px"),
        (None, {"size": "64"}, "64"),
        (None, {"unit": (64, 0)}, "(64, 0)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 2)), {}, "convolutional part"),
        (nn.Conv2d(3, 8, 1), {}, "widens"),
        (nn.ModuleList([nn.Conv2d(3, 8, 3)]), {}, "does not run"),
        (nn.Conv2d(3, 8, 65), {}, "does not run"),
    ],
)
def test_what_is_no_receptive_field_is_refused_in_one_sentence(layers, options, says):
    with pytest.raises(UserError) as caught:
        viz.receptive_field(layers, **options)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("channels", "groups", "says"),
    [
        (0, (1,), "0 channels"),
        (1, (1,), "1 channels"),
        (25, (5,), "25 channels"),
        ("12", (3,), "'12' channels"),
        (12.0, (3,), "12.0 channels"),
        (12, (), "()"),
        (12, (0,), "(0,)"),
        (12, (13,), "(13,)"),
        (12, ("3",), "('3',)"),
        (12, None, "None"),
        (24, (1, 2, 3, 4, 6, 8, 12), "fewer"),
    ],
)
def test_what_is_no_shuffle_is_refused_in_one_sentence(channels, groups, says):
    with pytest.raises(UserError) as caught:
        viz.channel_shuffle(channels, groups)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
