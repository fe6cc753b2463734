"""The sliding kernel against torch: every sum, product, size, place and refusal that it shows."""

import base64
import copy
import io
import itertools
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.viz.scene import Scene, SceneError, dumps
from lightcourse.viz.scenes._sk_numbers import (
    DILATIONS,
    PADDINGS,
    PRESETS,
    STRIDES,
    kernels_of,
    pixels_of,
)
from lightcourse.viz.scenes._sk_words import ANSWERS, number

SETTINGS = list(itertools.product(PADDINGS, STRIDES, DILATIONS))


@pytest.fixture(scope="module")
def scene():
    return viz.sliding_kernel()


def at(scene, padding, stride, dilation, **more):
    names = {"padding": str(padding), "stride": str(stride), "dilation": str(dilation)}
    return scene.at(**names, **more)


def shown(scene):
    return {mark["id"]: mark for mark in scene.frame()}


def by_torch(pixels, weights, padding, stride, dilation, bias=0.0):
    """The output of the real layer, or the error that torch raises."""
    x = torch.tensor(np.asarray(pixels, float))[None, None]
    w = torch.tensor(np.asarray(weights, float))[None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an even kernel with "same" is slow, says torch
        try:
            return F.conv2d(x, w, None, stride, padding, dilation)[0, 0].numpy() + bias
        except (RuntimeError, ValueError) as error:
            return error


def drawn_map(marks):
    """The grey values of the output picture, 0 to 255."""
    data = base64.b64decode(marks["map"]["href"].split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 0].astype(float)


def some_places(rows, columns):
    """The corners, and a few places between."""
    return {(0, 0), (rows - 1, 0), (0, columns - 1), (rows - 1, columns - 1),
            (rows // 2, columns // 3), (rows // 5, columns // 2)}  # fmt: skip


def check_state(scene, pixels, weights, setting, bias=0.0, **kernel):
    """Everything that one choice of settings shows, at several places."""
    want = by_torch(pixels, weights, *setting, bias)
    here = at(scene, *setting, step=3, **kernel)
    if isinstance(want, Exception):
        marks = shown(here)
        warning = Scene(here.spec, here.state).text()
        assert type(want).__name__ in warning
        assert marks["out_s"]["s"] == marks["range"]["s"] == "no output"
        assert not any(marks[name]["opacity"] for name in ("map", "edge", "here", "sum"))
        return
    rows, columns = want.shape
    assert shown(here)["out_s"]["s"] == f"output, {rows}×{columns}"
    assert f"{rows}×{columns}" in here.caption()
    check_map(shown(here), want)
    for row, column in some_places(rows, columns):
        spot = here.at(py=row, px=column)
        assert (spot.state["py"], spot.state["px"]) == (row, column)
        check_place(shown(spot), pixels, weights, setting, want, row, column)


def check_map(marks, want):
    low, high = want.min(), want.max()
    grey = 255 * (want - low) / ((high - low) or 1)
    picture = drawn_map(marks)
    assert picture.shape == want.shape
    assert np.abs(picture - grey).max() < 9, "16 greys: half a step is 8.5"
    black, white = marks["range"]["s"].removeprefix("black is ").split(", white is ")
    assert (black, white) == (number(low), number(high))
    cell = marks["tap00"]["width"]
    assert marks["map"]["width"] == pytest.approx(cell * want.shape[1], abs=0.1)
    assert marks["map"]["height"] == pytest.approx(cell * want.shape[0], abs=0.1)


def check_place(marks, pixels, weights, setting, want, row, column):
    padding, stride, dilation = setting
    k = len(weights)
    assert marks["sum"]["s"] == number(want[row, column])
    cell = marks["tap00"]["width"]
    same = ((k - 1) * dilation) // 2
    rim = same if padding == "same" else padding
    photo, here = marks["photo"], marks["here"]
    assert here["x"] == pytest.approx(marks["map"]["x"] + column * cell, abs=0.05)
    assert here["y"] == pytest.approx(marks["map"]["y"] + row * cell, abs=0.05)
    for i, j in itertools.product(range(k), repeat=2):
        y, x = row * stride - rim + i * dilation, column * stride - rim + j * dilation
        tap = marks[f"tap{i}{j}"]
        assert round((tap["y"] - photo["y"]) / cell, 1) == y
        assert round((tap["x"] - photo["x"]) / cell, 1) == x
        inside = 0 <= y < len(pixels) and 0 <= x < len(pixels[0])
        pixel = int(pixels[y][x]) if inside else 0
        assert marks[f"pixel{i}{j}_s"]["s"] == str(pixel)
        assert (marks[f"pixel{i}{j}"]["fill"] == "bg") == (not inside)
        assert marks[f"weight{i}{j}_s"]["s"] == number(weights[i][j], k > 3)
        assert marks[f"product{i}{j}_s"]["s"] == number(pixel * weights[i][j], k > 3)


@pytest.mark.parametrize("name", PRESETS)
def test_every_state_of_the_default_scene_is_what_torch_computes(scene, name):
    pixels = pixels_of(None)
    for setting in SETTINGS:
        check_state(scene, pixels, PRESETS[name], setting, kernel=name)


@pytest.mark.parametrize("taps", [1, 2, 4, 5])
def test_own_kernels_of_any_size_on_own_pictures(taps):
    draw = np.random.default_rng(taps)
    pixels, weights = draw.integers(0, 10, (9, 13)), draw.integers(-9, 10, (taps, taps))
    own = viz.sliding_kernel(pixels, weights)
    for setting in SETTINGS:
        check_state(own, pixels, weights, setting)


def test_a_layer_of_ones_own_with_bias_and_settings():
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 3, 3, stride=2, padding=2)
    own = viz.sliding_kernel(kernel=layer)
    chosen = {p["name"]: p.get("value", 0) for p in own.spec["params"]}
    assert (PADDINGS[chosen["padding"]], STRIDES[chosen["stride"]]) == (2, 2)
    pixels = pixels_of(None)
    assert layer.bias is not None
    for i in range(3):
        weights = layer.weight[i, 0].detach().double().numpy()
        bias = layer.bias[i].item()
        for setting in SETTINGS[::4]:
            check_state(own, pixels, weights, setting, bias, kernel=f"channel {i}")
        assert "bias" in shown(own.at(kernel=f"channel {i}"))["total_s"]["s"]
    out = layer(torch.tensor(pixels)[None, None].float())[0, 0]
    assert f"output, {out.shape[0]}×{out.shape[1]}" == shown(own.at(step=3))["out_s"]["s"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_printed_formula_and_code_are_true(scene, setting):
    padding = setting[0]
    want = by_torch(pixels_of(None), PRESETS["copy"], *setting)
    here = at(scene, *setting, step=3)
    formula, code = shown(here)["formula"]["s"], here.spec["tables"]["code"]
    line = code[here.state["padding"]][here.state["stride"]][here.state["dilation"]]
    call = line.split("y = ")[1].split("   #")[0]
    names = {"F": F, "x": torch.zeros(1, 1, 24, 24), "weight": torch.zeros(1, 1, 3, 3)}
    if isinstance(want, Exception):
        with pytest.raises(type(want)):
            eval(call, names)
        return
    assert str(tuple(eval(call, names).shape)) == line.rpartition("# ")[2]
    if padding != "same":
        said = formula.removeprefix("rows: ").replace("⌊", "floor(").replace("⌋", ")")
        left, right = said.replace("·", "*").replace("−", "-").rsplit(" = ", 1)
        assert eval(left, {"floor": np.floor}) == int(right) == want.shape[0]


def test_the_question_has_the_answer_that_torch_gives(scene):
    answers = scene.spec["tables"]["answer"]
    for (a, padding), (b, stride), (c, dilation) in itertools.product(
        enumerate(PADDINGS), enumerate(STRIDES), enumerate(DILATIONS)
    ):
        want = by_torch(pixels_of(None), PRESETS["copy"], padding, stride, dilation)
        if isinstance(want, Exception):
            continue
        share = len(want) / 24
        right = ANSWERS[answers[a][b][c]]
        low, high = {"larger": (1.001, 2), "as large as the picture": (1, 1),
                     "a little smaller": (0.7, 0.999), "about half": (0.4, 0.6),
                     "about a third": (0.25, 0.4)}[right]  # fmt: skip
        assert low <= share <= high, (padding, stride, dilation, right)


def test_a_kernel_of_one_weight_is_spoken_of_in_the_singular():
    one = viz.sliding_kernel(kernel=[[2.0]])
    said = " ".join(one.at(step=i).caption() for i in range(4))
    assert "1 weights" not in said and "1 pixels" not in said and "products" not in said
    assert "by the same 1 weight." in said


def test_numbers_come_step_by_step_and_the_size_last(scene):
    seen = [shown(scene.at(step=i)) for i in range(4)]
    assert [m["weight00"]["opacity"] for m in seen] == [0, 1, 1, 1]
    assert [m["product00"]["opacity"] for m in seen] == [0, 1, 1, 1]
    assert [m["sum"]["opacity"] for m in seen] == [0, 0, 1, 1]
    for name in ("map", "range", "edge", "formula"):
        assert [m[name]["opacity"] for m in seen] == [0, 0, 0, 1], name
    assert [m["out_s"]["s"] for m in seen] == ["output"] * 3 + ["output, 24×24"]


def test_a_hand_holds_the_window_in_its_middle(scene):
    for setting in SETTINGS:
        here = at(scene, *setting, py=3, px=2)
        marks, state = shown(here), here.state
        (drag,) = [m["drag"] for m in here.spec["marks"] if m["id"] == "photo"]
        place = {
            key: here.spec["tables"][drag[key]["t"]] for key in ("x0", "y0", "cell")
        }  # as the renderer looks them up
        hand = place["x0"][state["padding"]][state["stride"]][state["dilation"]]
        pace = place["cell"][state["stride"]]
        window = marks["window"]
        for axis, name, size, index in ((1, "x", "width", 2), (0, "y", "height", 3)):
            middle = window[name] + window[size] / 2
            assert (middle - hand[axis]) / pace == pytest.approx(index + 0.5, abs=0.01)


def test_a_drag_by_a_look_up_is_checked_in_every_state(scene):
    spec = copy.deepcopy(scene.spec)
    spec["tables"]["pace"][1] = 0
    with pytest.raises(SceneError, match=r"mark 'photo': drag takes .* cell: 0 is not allowed"):
        Scene.of(spec)


@pytest.mark.parametrize("side", [3, 10, 28])
@pytest.mark.parametrize("taps", [1, 3, 5])
def test_the_largest_requests_fit_the_budget(side, taps):
    draw = np.random.default_rng(0)
    kernels = {f"kernel {i}": draw.normal(size=(taps, taps)) for i in range(6)}
    spec = viz.sliding_kernel(draw.random((side, side)), kernels).spec
    assert len(dumps(spec).encode()) <= 150_000
    assert len(spec["marks"]) <= 500


def test_pictures_of_many_kinds_are_read():
    whole = [[0, 9, 3], [1, 2, 3], [4, 5, 6]]
    for given in (whole, np.array(whole), torch.tensor(whole), torch.tensor(whole)[None, None]):
        assert pixels_of(given).tolist() == whole
    colour = np.repeat(np.array(whole, float)[..., None], 3, 2)
    assert pixels_of(colour).tolist() == whole
    assert pixels_of(np.array([[0, 255, 51]] * 3)).tolist() == [[0, 9, 2]] * 3
    assert pixels_of(np.full((3, 3), 77)).tolist() == [[0] * 3] * 3
    assert pixels_of(None).shape == (24, 24) and set(pixels_of(None).flat) <= set(range(10))


def test_kernels_of_many_kinds_are_read():
    one = [[1, 2], [3, 4]]
    for given in (one, np.array(one), torch.tensor(one), torch.tensor(one)[None, None]):
        (kernel,) = kernels_of(given)[0]
        assert (kernel.name, kernel.weights.tolist()) == ("yours", one)
    assert [k.name for k in kernels_of(np.eye(3))[0]] == ["yours", "outline", "blur"]
    both = kernels_of({"a": np.eye(3), "b": nn.Conv2d(1, 1, 3, bias=False)})[0]
    assert [k.name for k in both] == ["a", "b"]
    wide = viz.sliding_kernel(kernel=nn.Conv2d(1, 16, 3))
    assert len(wide.spec["params"][0]["options"]) == 6
    assert wide.spec["subtitle"].endswith("6 of 16 kernels shown")


@pytest.mark.parametrize(
    ("image", "kernel", "says"),
    [
        (np.zeros((2, 9)), None, "2×9"),
        (np.zeros((40, 9)), None, "40×9"),
        (np.zeros((3, 3, 3, 3)), None, "shape"),
        (np.full((4, 4), np.nan), None, "NaN or infinite"),
        ("face.png", None, "cannot read the picture"),
        (None, "blur", "cannot read the kernel"),
        (None, np.zeros((3, 5)), "square"),
        (None, np.zeros((6, 6)), "square"),
        (None, np.full((3, 3), np.nan), "NaN or infinite"),
        (None, np.full((3, 3), np.inf), "NaN or infinite"),
        (None, nn.Conv2d(3, 1, 3), "in_channels=1"),
        (None, nn.Conv1d(1, 1, 3), "in_channels=1"),
        (None, nn.Conv2d(1, 1, 3, stride=4), "stride=4"),
        (None, nn.Conv2d(1, 1, 3, padding=(1, 2)), "padding"),
        (None, nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), "padding_mode"),
        (None, {}, "0 kernels"),
        (None, {"a": np.eye(3), "b": np.eye(2)}, "same size"),
        (None, {str(i): np.eye(3) for i in range(7)}, "7 kernels"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(image, kernel, says):
    with pytest.raises(UserError, match=says):
        viz.sliding_kernel(image, kernel)
