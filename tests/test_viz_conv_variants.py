"""The conv-variants scene against torch: every count, cell, weight and claim that it shows."""

import io
import random
import re
from base64 import b64decode
from copy import deepcopy
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from lightcourse import analyze, viz
from lightcourse.errors import UserError
from lightcourse.nn.deform import DeformConv2d, deform_conv2d
from lightcourse.viz.scene import Scene, SceneError, dumps, resolve, validate
from lightcourse.viz.scenes._cv_images import COUNTS, FINE, rgba, tap_colour
from lightcourse.viz.scenes._cv_layers import ZOO, Choice, Layer
from lightcourse.viz.scenes._cv_module import kinds_of_module, shrink
from lightcourse.viz.scenes._cv_moves import TAPS, offset
from lightcourse.viz.scenes._cv_view import SIDE, place_of

KINDS = {kind.name: kind for kind in ZOO}
CONVS = [name for name in KINDS if name not in ("deformable", "shift")]
SCENE = viz.conv_variants()


def settings(name):
    """Every choice of k, s, p, d, g of one kind, as indices."""
    kind = KINDS[name]
    return [dict(zip("kspdg", i, strict=True)) for i in product(*map(range, map(len, kind.values)))]


def layer_at(name, chosen):
    return KINDS[name].layer([chosen[n] for n in "kspdg"])


def torch_layer(layer):
    """The layer in torch with as many channels as are drawn."""
    make = nn.ConvTranspose2d if layer.transposed else nn.Conv2d
    more = {"output_padding": layer.more} if layer.transposed else {}
    inputs, outputs = layer.drawn_inputs, layer.drawn_outputs
    groups = layer.drawn.groups if layer.valid else layer.groups
    conv = make(inputs, outputs, layer.kernel, layer.stride, layer.padding,
                dilation=layer.dilation, groups=groups, bias=False, **more)  # fmt: skip
    nn.init.uniform_(conv.weight, 1, 2)  # no gradient can cancel
    return conv


def run(conv, layer):
    x = torch.rand(1, layer.drawn_inputs, *layer.size) + 1
    x.requires_grad_(True)
    return x, conv(x)


def shown(scene, **state):
    at = scene.at(**state)
    return at, {mark["id"]: mark for mark in at.frame()}


def values(name):
    """Valid settings of one kind, and one random place and output channel for each of three."""
    draw = random.Random(name)
    for chosen in settings(name):
        layer = layer_at(name, chosen)
        if layer.valid:
            for _ in range(3):
                place = {"py": draw.randrange(layer.out(0)), "px": draw.randrange(layer.out(1))}
                yield layer, {"kind": name, **chosen, **place, "oc": draw.randrange(6)}


def cells_drawn(layer, marks):
    """The inputs (channel, row, column) under the coloured weights, read from the picture's px."""
    found = set()
    for c in range(layer.drawn_inputs):
        if marks[f"win{c}"]["opacity"] == 0:
            continue
        lines = []
        for axis, (edge, start, length) in enumerate((("y", 1, "height"), ("x", 0, "width"))):
            window, step = marks[f"win{c}"], layer.stride[axis] if layer.transposed else 1
            cell = window[length] / layer.span(axis)
            side = (layer.size[axis] - 1) * step + 1
            margin = (SIDE / cell - side) / 2
            first = (window[edge] - place_of(c)[start]) / cell - margin
            assert first == pytest.approx(round(first), abs=0.05)
            taps = [round(first) + i * layer.dilation[axis] for i in range(layer.kernel[axis])]
            lines.append([t // step for t in taps if t % step == 0 and 0 <= t < side])
        found |= set(product([c], *lines))
    return found


def weights_drawn(layer, marks):
    """The (row, column) of the weights that no bar greys out."""
    idle = [
        {i for i in range(layer.kernel[a]) if marks.get(f"idle_{n}0_{i}", {}).get("opacity", 0)}
        for a, n in ((0, "r"), (1, "c"))
    ]
    return set(product(*({*range(k)} - lost for k, lost in zip(layer.kernel, idle, strict=True))))


def weight_gradient(layer, conv, output, inputs):
    """The weights (row, column) that reach one output."""
    gradient = conv.weight.grad
    kernels = gradient.transpose(0, 1) if layer.transposed else gradient
    if layer.transposed:  # (inputs, outputs / groups): look at the inputs that are read
        kernels = gradient[inputs, output % (layer.drawn_outputs // layer.drawn.groups)]
    else:
        kernels = gradient[output]
    return {(r, c) for _, r, c in kernels.nonzero().tolist()}


def check_connections(scene, layer, conv, state):
    conv.zero_grad()
    x, y = run(conv, layer)
    assert y.shape[2:] == (layer.out(0), layer.out(1))
    y[0, state["oc"], state["py"], state["px"]].backward()
    _, marks = shown(scene, **state)
    read = {(c, r, k) for _, c, r, k in x.grad.nonzero().tolist()}
    assert cells_drawn(layer, marks) == read
    inputs = layer.reads(state["oc"])
    if layer.transposed and read:
        assert weights_drawn(layer, marks) == weight_gradient(layer, conv, state["oc"], inputs)
    return marks, read, inputs


@pytest.mark.parametrize("name", CONVS)
def test_cells_weights_and_counts_are_those_of_autograd(name):
    for layer, state in values(name):
        conv = torch_layer(layer)
        marks, read, _ = check_connections(SCENE, layer, conv, state)
        assert marks["one2"]["s"] == f"{len(read):,}"
        one = len(read) if layer.transposed else conv.weight[0].numel()
        assert marks["one0"]["s"] == marks["one1"]["s"] == str(one)
        each = len(read) // max(1, len(layer.reads(state["oc"])))
        there, said = layer.kernel[0] * layer.kernel[1], SCENE.at(**state).caption()
        assert ("on the padding" in said) == (not layer.transposed and each < there)
        if "on the padding" in said:
            real = f"{each or 'no'} real cell{'s' * (each != 1)} in each channel"
            assert f"Here {there - each} of the {there} taps" in said and real in said
        assert marks["size"]["s"] == f"· {layer.out(0)}×{layer.out(1)}"
        assert marks["cell0"]["x"] - marks["out0"]["x"] == pytest.approx(9 * state["px"])


@pytest.mark.parametrize("name", CONVS)
def test_totals_are_those_of_torch(name):
    for chosen in settings(name):
        layer = layer_at(name, chosen)
        _, marks = shown(SCENE, kind=name, **chosen)
        if not layer.valid:
            assert marks["all1"]["s"] == "–"
            continue
        conv = torch_layer(layer)
        with FlopCounterMode(display=False) as counter:
            run(conv, layer)
        assert marks["all0"]["s"] == f"{conv.weight.numel():,}"
        assert marks["all1"]["s"] == f"{counter.get_total_flops() // 2:,}"


@pytest.mark.parametrize("name", CONVS)
def test_impossible_layers_are_those_that_torch_refuses_and_code_is_what_is_drawn(name):
    for chosen in settings(name):
        layer = layer_at(name, chosen)
        at, marks = shown(SCENE, kind=name, **chosen)
        warning, code = (resolve(at.spec[n], at.spec, at.state) for n in ("warn", "code"))
        x = torch.rand(1, 6, *layer.size)
        try:
            y = eval(code, {"nn": nn})(x)
        except (ValueError, RuntimeError):
            assert warning and marks["none"]["opacity"] == 1
            assert marks["head"]["s"] == "No output" if "head" in marks else True
            assert {marks[f"one{i}"]["s"] for i in range(3)} == {"–"}
            assert marks["out0"]["opacity"] == marks["cell0"]["width"] == 0
        else:
            assert warning == "" and marks["none"]["opacity"] == 0
            assert y.shape[2:] == (layer.out(0), layer.out(1))


def test_the_deformable_layer_counts_what_makes_its_offsets():
    _, marks = shown(SCENE, kind="deformable")
    report = analyze(DeformConv2d(6, 6, 3, bias=False), (1, 6, 9, 9))
    offset = DeformConv2d(6, 6, 3).offset
    assert marks["all1"]["s"] == f"{report.macs:,}" == "104,976"
    weights = 6 * 6 * 9 + offset.weight.numel()
    assert marks["all0"]["s"] == f"{weights:,}" == "1,296"
    assert "the layer has both, 324 + 972" in SCENE.at(kind="deformable").caption()


def test_each_reason_names_its_numbers():
    for state, words in (
        ({"kind": "grouped", "g": 2}, "6 input channels are not divisible by 4 groups; 1, 2, 3, 6"),
        ({"kind": "dilated", "k": 2, "d": 1, "p": 1}, "reaches over 13 cells, but the padded input"
         " has only 11"),
    ):  # fmt: skip
        at = SCENE.at(**state)
        assert words in resolve(at.spec["warn"], at.spec, at.state)
    lost = SCENE.at(kind="grouped", g=2)
    assert "do not split into 4" in lost.caption()
    (mark,) = [m for m in lost.frame() if m["id"] == "lost"]
    assert mark["d"].count("M") == 2  # outputs 4 and 5 are left over


@pytest.mark.parametrize("name", KINDS)
def test_the_matrix_shows_who_reads_whom(name):
    for chosen in settings(name):
        layer = layer_at(name, chosen)
        if not layer.valid or any(chosen[n] for n in "ksp" if n != "p") or chosen["p"] != 1:
            continue
        _, marks = shown(SCENE, kind=name, **chosen)
        dense = {(o, c) for o in range(6) for c in range(6)}
        each = 6 // layer.groups
        linked = {(o, c) for o, c in dense if o // each == c // each}
        boxes = re.findall(r"M([\d.]+) ([\d.]+)L([\d.]+) ", marks["blocks"]["d"])
        drawn = {
            (round((float(y) - 78) / 15), column)
            for x, y, right in boxes
            for column in range(
                round((float(x) - 480) / 15), round((float(right) + 2 - 480) / 15)
            )
        }  # fmt: skip
        assert drawn == linked
        for o in range(6):
            _, marks = shown(SCENE, kind=name, **chosen, oc=o)
            faint = [marks[f"map{c}"]["opacity"] < 1 for c in range(6)]
            assert faint == [(o, c) not in linked for c in range(6)]


def picture(scene, mark):
    data = mark["href"].partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(b64decode(data))).convert("RGBA"))


def test_the_count_map_is_what_torch_adds_up():
    for chosen in settings("transposed"):
        layer = layer_at("transposed", chosen)
        _, marks = shown(SCENE, kind="transposed", **chosen)
        k, s, p = layer.kernel, layer.stride, layer.padding
        counts = F.conv_transpose2d(torch.ones(1, 1, *layer.size), torch.ones(1, 1, *k), None, s, p)
        pixels = picture(SCENE, marks["out3"])
        assert pixels.shape[:2] == tuple(FINE * n for n in counts.shape[2:])
        for (r, c), count in np.ndenumerate(counts[0, 0].numpy()):
            wanted = np.array(rgba(COUNTS[int(count)]))
            middle = pixels[r * FINE + 3, c * FINE + 3].astype(int)
            assert abs(middle - wanted).max() <= 8
        far = F.conv_transpose2d(torch.ones(1, 1, 12, 12), torch.ones(1, 1, *k), None, s)
        inner = far[0, 0, 4:-4, 4:-4]
        assert layer.share() == (inner.min(), inner.max())


def test_the_checkerboard_is_claimed_exactly_where_it_is():
    for chosen in settings("transposed"):
        layer, said = (
            layer_at("transposed", chosen),
            SCENE.at(kind="transposed", **chosen).caption(),
        )
        k, s = layer.kernel[0], layer.stride[0]
        assert f"k mod s = {k % s}" in said
        assert ("checkerboard" in said) == (k % s != 0 and k > s)
        assert ("even" in said) == (k % s == 0)
        assert ("holes" in said) == (k < s)


def test_equal_colours_are_multiplied():
    for name in CONVS:
        for chosen in settings(name):
            layer = layer_at(name, chosen)
            if chosen["s"] or chosen["p"]:
                continue
            _, marks = shown(SCENE, kind=name, **chosen, oc=0)
            window, kernel = (picture(SCENE, marks[n]) for n in ("win0", "ker0"))
            for i, j in product(*map(range, layer.kernel)):
                r, c = i * layer.dilation[0], j * layer.dilation[1]
                if layer.transposed:
                    r, c = layer.kernel[0] - 1 - i, layer.kernel[1] - 1 - j
                colour = np.array(rgba(tap_colour(i, j, layer.kernel)))
                for pixels, (y, x) in ((kernel, (i, j)), (window, (r, c))):
                    assert abs(pixels[y * FINE + 3, x * FINE + 3].astype(int) - colour).max() <= 8


def test_pointwise_counts_the_cells_that_a_stride_skips():
    for s, stride in enumerate((1, 2, 3)):
        x = torch.ones(1, 1, 9, 9, requires_grad=True)
        F.conv2d(x, torch.ones(1, 1, 1, 1), stride=stride).sum().backward()
        said = SCENE.at(kind="pointwise", s=s).caption()
        assert (f"only {int(x.grad.sum())} of 81 cells" in said) == (stride > 1)


@pytest.mark.parametrize(
    "state, words",
    [
        ({"kind": "standard"}, "reads 3×3 cells of all 6 channels through 54 weights"),
        ({"kind": "standard", "k": 0}, "With 1×1 this is a pointwise convolution"),
        ({"kind": "depthwise"}, "1 of 6 channels through 9 weights. It mixes space, never"),
        ({"kind": "depthwise", "k": 2}, "150 weights, 1/6 of the standard 900"),
        ({"kind": "depthwise", "k": 0}, "it only scales each channel"),
        ({"kind": "grouped", "g": 1}, "2 of 6 channels of its group. The weight matrix is block"),
        ({"kind": "grouped", "g": 3}, "this is the depthwise convolution"),
        ({"kind": "pointwise"}, "one cell of all 6 channels through 6 weights"),
        ({"kind": "dilated"}, "reach over 5×5 cells but read only 9 of 25"),
        ({"kind": "dilated", "k": 0}, "nothing to spread"),
        ({"kind": "deformable"}, "Another convolution of 972 weights computes the 18 offsets"),
        ({"kind": "shift"}, "1 value, with 0 weights and 0 MACs"),
    ],
)
def test_captions_state_the_numbers(state, words):
    assert words in SCENE.at(**state).caption()
    assert nn.Conv2d(6, 18, 3, bias=False).weight.numel() == 972


# -- deformable and shift: what is dragged ---------------------------------------------------------


def dragged(names, places, draw):
    return {name: draw.randrange(places) for name in names}


POINTS = [f"o{axis}{t}" for t in range(9) for axis in "yx"]
ARROWS = [f"s{axis}{c}" for c in range(6) for axis in "yx"]


@pytest.mark.parametrize("seed", range(6))
def test_points_read_the_cells_and_weights_of_deform_conv2d(seed):
    draw = random.Random(seed)
    moved = dragged(POINTS, 13, draw)
    row, column = draw.choice([(0, 0), (8, 3), (4, 4), (1, 8)]) if seed else (4, 4)
    _, marks = shown(SCENE, kind="deformable", py=row, px=column, **moved)
    offsets = torch.zeros(1, 18, 9, 9)
    for t in range(9):
        offsets[0, 2 * t], offsets[0, 2 * t + 1] = (offset(moved[f"o{a}{t}"]) for a in "yx")
    total = 0
    for t, (i, j) in enumerate(TAPS):
        weight = torch.zeros(1, 1, 3, 3)
        weight[0, 0, i, j] = 1
        x = torch.ones(1, 1, 9, 9, requires_grad=True)
        deform_conv2d(x, offsets, weight, padding=1)[0, 0, row, column].backward()
        wanted = {(r, c): x.grad[0, 0, r, c].item() for _, _, r, c in x.grad.nonzero().tolist()}
        wanted = {place: part for place, part in wanted.items() if abs(part) > 1e-4}
        drawn = near(marks, t, row, column)
        assert drawn.keys() == wanted.keys()
        for place, part in wanted.items():
            assert drawn[place] == pytest.approx(part, abs=0.01)
        assert marks[f"point{t}_s"]["s"] == str(len(wanted))
        total += len(wanted)
        check_dots(marks, t, i, j, row, column, moved)
    assert marks["one2_points"]["s"] == str(6 * total)
    assert marks["one2"]["opacity"] == 0 and marks["one0"]["s"] == "54"


def near(marks, t, row, column):
    """Cells of the map and their part in point t, from the px and opacities of the picture."""
    found = {}
    for r, q in product((0, 1), (0, 1)):
        mark = marks[f"near{t}_{r}{q}"]
        y, x = (round((mark[a] - start) / 26) - 3 for a, start in (("y", 54), ("x", 276)))
        place = row + y, column + x
        if mark["opacity"] and all(0 <= p < 9 for p in place):
            found[place] = mark["opacity"] / 0.75
    return found


def check_dots(marks, t, i, j, row, column, moved):
    """Each input channel shows the point where it lies; the enlarged map too."""
    cell = SIDE / 13
    y, x = (row - 1 + i + offset(moved[f"oy{t}"]), column - 1 + j + offset(moved[f"ox{t}"]))
    for c in range(6):
        left, top = place_of(c)
        dot = marks[f"dot{c}_{t}"]
        assert dot["cx"] == pytest.approx(left + (x + 2.5) * cell, abs=0.06)
        assert dot["cy"] == pytest.approx(top + (y + 2.5) * cell, abs=0.06)
    point = marks[f"point{t}"]
    assert point["cx"] == pytest.approx(276 + (x - column + 3.5) * 26, abs=0.06)
    assert point["cy"] == pytest.approx(54 + (y - row + 3.5) * 26, abs=0.06)


@pytest.mark.parametrize("seed", range(4))
def test_arrows_lead_to_the_cell_that_the_code_reads(seed):
    draw = random.Random(seed)
    moved = dragged(ARROWS, 5, draw)
    row, column = ((4, 4), (0, 0), (8, 7), (1, 5))[seed]
    x = torch.rand(1, 6, 9, 9).requires_grad_(True)
    arrows = [(moved[f"sy{c}"] - 2, moved[f"sx{c}"] - 2) for c in range(6)]
    at = SCENE.at(kind="shift")
    names = {"F": F, "torch": torch, "x": x, "arrows": arrows, "h": 9, "w": 9}
    exec(resolve(at.spec["code"], at.spec, at.state), names)
    for c in range(6):
        (gradient,) = torch.autograd.grad(names["y"][0, c, row, column], x, retain_graph=True)
        read = gradient.nonzero().tolist()
        _, marks = shown(SCENE, kind="shift", py=row, px=column, oc=c, **moved)
        assert marks["one2_arrows"]["s"] == str(len(read))
        assert (marks["one0"]["s"], marks["one1"]["s"]) == ("0", "0")
        assert [marks[f"hop{i}"]["opacity"] for i in range(6)] == [int(i == c) for i in range(6)]
        hop, (left, top) = marks[f"hop{c}"], place_of(c)
        place = [
            round((hop[a] - start) / (SIDE / 13)) - 2 for a, start in (("y", top), ("x", left))
        ]
        assert place == [row + arrows[c][0], column + arrows[c][1]]
        assert [[0, c, *place]] == read or not read


# -- a learner's own layers ------------------------------------------------------------------------

OWN = {
    "depthwise": nn.Conv2d(32, 32, 5, stride=2, padding=2, groups=32),
    "multiplier": nn.Conv2d(8, 16, 3, padding=1, groups=8),
    "grouped": nn.Conv2d(12, 24, 3, groups=4),
    "two groups": nn.Conv2d(64, 64, 1, groups=2),
    "stem": nn.Conv2d(3, 64, 7, stride=2, padding=3),
    "wide": nn.Conv2d(5, 4, (1, 7), padding=(0, 3)),
    "uneven": nn.Conv2d(4, 4, (3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
    "same": nn.Conv2d(2, 2, 4, padding="same"),
    "valid": nn.Conv2d(2, 2, 3, padding="valid", dilation=3),
    "transposed": nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1),
    "odd transposed": nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1, groups=2, dilation=2),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", OWN)
def test_own_layers_are_connected_as_they_are(name):
    module = OWN[name]
    scene, kinds = viz.conv_variants(module), kinds_of_module(module)
    draw = random.Random(name)
    for index, kind in enumerate(kinds):
        layer = kind.layer([0] * 5)
        conv = torch_layer(layer)
        if module.padding == "same":
            conv = nn.Conv2d(2, 2, 4, padding="same", bias=False)
            nn.init.ones_(conv.weight)
        for _ in range(8):
            place = {"py": draw.randrange(layer.out(0)), "px": draw.randrange(layer.out(1))}
            state = {"kind": index, "oc": draw.randrange(layer.drawn_outputs), **place}
            marks, read, inputs = check_connections(scene, layer, conv, state)
            real = len(read) // max(1, len(inputs)) * (layer.inputs // layer.groups)
            assert marks["one2"]["s"] == f"{real:,}"
        if kind.name != "without groups":
            assert marks["all0"]["s"] == f"{module.weight.numel():,}"
            with FlopCounterMode(display=False) as counter:
                module(torch.rand(1, module.in_channels, *layer.size))
            assert marks["all1"]["s"] == f"{counter.get_total_flops() // 2:,}"


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", OWN)
def test_own_code_makes_the_own_layer(name):
    at = viz.conv_variants(OWN[name])  # it opens on the layer that was given
    made = eval(resolve(at.spec["code"], at.spec, at.state), {"nn": nn})
    mine = OWN[name]
    for attribute in ("in_channels", "out_channels", "kernel_size", "stride", "dilation", "groups",
                      "output_padding"):  # fmt: skip
        assert getattr(made, attribute) == getattr(mine, attribute)
    x = torch.rand(1, mine.in_channels, 17, 19)
    assert made(x).shape == mine(x).shape


def test_what_is_left_out_is_said():
    said = viz.conv_variants(nn.Conv2d(64, 128, 3, groups=8)).caption()
    assert "8 of 64 channels of its group" in said and "Drawn: 6 of 64 inputs, 6 of 128" in said
    assert "Drawn" not in viz.conv_variants(nn.Conv2d(6, 4, 3)).caption()
    copies = viz.conv_variants(nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"))
    assert "copies of the map (reflect)" in copies.caption()


def test_a_separable_block_shows_both_of_its_layers():
    block = nn.Sequential(
        nn.Conv2d(24, 24, 3, padding=1, groups=24), nn.ReLU(), nn.Conv2d(24, 40, 1)
    )
    scene = viz.conv_variants(block)
    assert scene.spec["params"][0]["options"] == ["0 depthwise", "2 pointwise"]
    assert "never channels" in scene.caption() and "never space" in scene.at(kind=1).caption()
    assert "ask" not in scene.spec


def test_a_lone_grouped_layer_comes_first_and_its_dense_twin_second():
    scene = viz.conv_variants(nn.Conv2d(4, 6, (3, 1), padding=(1, 0), groups=2))
    assert scene.spec["params"][0]["options"] == ["grouped", "without groups"]
    first, second = (shown(scene, kind=kind)[1]["all0"]["s"] for kind in (0, 1))
    assert (scene.state["kind"], first, second) == (0, "36", "72")
    assert "ask" not in scene.spec  # it would ask for what is already shown


@pytest.mark.parametrize(
    "groups, inputs, outputs",
    [(1, 3, 64), (1, 9, 1), (2, 8, 8), (3, 1, 4), (8, 2, 1), (100, 1, 1), (5, 7, 7)],
)
def test_shrinking_keeps_the_structure(groups, inputs, outputs):
    small = shrink(groups, inputs, outputs)
    assert small.groups * max(small.inputs, small.outputs) <= 6
    assert (small.groups > 1) == (groups > 1)
    assert (small.inputs > 1) == (inputs > 1) and (small.outputs > 1) == (outputs > 1)


@pytest.mark.parametrize(
    "module, words",
    [
        (nn.Linear(3, 3), "Linear has no Conv2d"),
        (nn.Conv3d(3, 3, 1), "Conv3d has no Conv2d"),
        ("conv", "draws an nn.Module"),
        (DeformConv2d(4, 4, 3), "depends on its input"),
        (nn.LazyConv2d(8, 3), "run it once"),
        (nn.Sequential(*(nn.Conv2d(2, 2, 1) for _ in range(7))), "7 convolutions"),
        (nn.Conv2d(2, 2, 51, padding=25), "too large to draw"),
        (nn.ConvTranspose2d(2, 2, 64, 32, 16), "too large to draw"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(module, words):
    with pytest.raises(UserError, match=words) as caught:
        viz.conv_variants(module)
    assert "\n" not in str(caught.value)


def test_the_module_is_left_as_it_was():
    module = nn.Conv2d(4, 4, 3, groups=4)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    viz.conv_variants(module)
    assert module.training and all(
        torch.equal(v, before[n]) for n, v in module.state_dict().items()
    )


def test_many_channels_need_no_more_room_and_shut_sliders_are_checked():
    for module in (nn.Conv2d(512, 512, (1, 7)), nn.Conv2d(999, 999, 15, groups=999)):
        scene = viz.conv_variants(module)
        assert len(dumps(scene.spec)) < 60_000
        assert [p["name"] for p in scene.spec["params"]] == ["kind", "oc", "py", "px"]
    broken = deepcopy(SCENE.spec)
    broken["tables"]["off_k"][0] = 2
    with pytest.raises(SceneError, match="parameter 'k', off"):
        validate(broken)


# -- the question ----------------------------------------------------------------------------------


def test_the_question_is_about_the_depthwise_layer():
    ask = SCENE.spec["ask"]
    assert ask["options"][ask["answer"]] == "1" and "depthwise" in ask["q"]
    assert SCENE.spec["params"][0]["options"][ask["from"]] == "depthwise"
    assert SCENE.at(kind="shift").predict().state["kind"] == 0
    assert len(set(ask["replies"])) == len(ask["options"])


def test_own_replies_name_what_each_answer_would_be():
    pair = nn.Sequential(nn.Conv2d(12, 12, 1), nn.Conv2d(12, 24, 3, groups=4))
    ask = viz.conv_variants(pair).spec["ask"]
    assert ask["from"] == 1 and "reads all **12**" in ask["q"]
    pair[0] = nn.Conv2d(3, 12, 1)  # it reads 3 channels, so "all 12" would be false
    assert "ask" not in viz.conv_variants(pair).spec
    replies = dict(zip(ask["options"], ask["replies"], strict=True))
    assert ask["options"][ask["answer"]] == "3"
    assert "12 is the layer without groups" in replies["12"]
    assert "number of groups" in replies["4"]
    assert "would be 2 groups" in replies["6"]


def test_layers_of_the_zoo_are_plain_values():
    layers = [layer for kind in Choice(ZOO).layers() for layer in kind]
    assert len(layers) == len(set(layers)) and all(isinstance(x, Layer) for x in layers)
    assert isinstance(SCENE, Scene) and list(KINDS) == SCENE.spec["params"][0]["options"]
