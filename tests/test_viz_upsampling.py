"""The upsampling scene against torch: every map, frame, size and sentence that it shows."""

import base64
import io
import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.viz.scene import resolve
from lightcourse.viz.scenes import _up_maps as maps
from lightcourse.viz.scenes._up_maps import RING, SIDE, one_cell
from lightcourse.viz.scenes._up_paint import rgb
from lightcourse.viz.scenes._up_view import CORNERS, PANEL

KERNELS, STRIDES = (2, 3, 4, 5), (2, 3)
SETTINGS = list(itertools.product(KERNELS, STRIDES, ("ones", "tent")))
MAPS = {"all ones": np.ones((SIDE, SIDE)), "ring": RING, "one cell": one_cell(2, 1)}


@pytest.fixture(scope="module")
def scene():
    return viz.upsampling()


def weight_of(kernel, stride, name):
    one = torch.ones(kernel, dtype=torch.float64)
    if name == "tent":
        i = torch.arange(kernel, dtype=torch.float64)
        one = (1 - (i - (kernel - 1) / 2).abs() / stride).clamp(min=0)
    return torch.outer(one, one)


def by_torch(values, weight, stride, padding=0, more=0):
    x = torch.as_tensor(values)[None, None]
    return F.conv_transpose2d(x, weight[None, None], None, stride, padding, more)[0, 0].numpy()


def marks(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


def pixels(mark):
    """The picture of a mark as an array (H, W, 3)."""
    data = base64.b64decode(mark["href"].split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), dtype=int)[..., :3]


def shows(mark, values):
    """Whether a picture shows these values, 0 (or the least) dark and the largest light."""
    values = values - min(0.0, values.min())
    wanted = rgb(values / (values.max() or 1)).astype(int)
    found = pixels(mark)
    return found.shape == wanted.shape and np.abs(found - wanted).max() <= 2


def text_of(scene, name, **state):
    at = scene.at(**state)
    return str(resolve(scene.spec[name], scene.spec, at.state))


# -- the maps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "stride", "name"), SETTINGS)
def test_the_transposed_map_is_torchs(scene, kernel, stride, name):
    weight = weight_of(kernel, stride, name)
    for which, values in MAPS.items():
        full = by_torch(values, weight, stride)
        assert np.allclose(maps.full_transposed(values, weight.numpy(), stride), full)
        if which == "one cell":
            continue  # drawn as a stamp: see below
        state = {"map": which, "k": str(kernel), "s": str(stride), "w": name, "step": 2}
        assert shows(marks(scene, **state)["transposed"], full)


@pytest.mark.parametrize(("kernel", "stride", "name"), SETTINGS)
def test_the_stamp_of_one_cell_stands_where_torch_puts_it(scene, kernel, stride, name):
    weight = weight_of(kernel, stride, name)
    for row, column in ((0, 0), (2, 1), (4, 3)):
        full = by_torch(one_cell(row, column), weight, stride)
        state = {"map": "one cell", "k": str(kernel), "s": str(stride), "w": name, "step": 2}
        shown = marks(scene, py=row, px=column, **state)
        unit = PANEL / (len(full) + 2)
        left = round((shown["transposed_one"]["x"] - CORNERS[2][0]) / unit)
        top = round((shown["transposed_one"]["y"] - CORNERS[2][1]) / unit)
        side = round(shown["transposed_one"]["width"] / unit)
        assert (top, left, side) == (row * stride, column * stride, kernel)
        assert shows(shown["transposed_one"], full[top : top + side, left : left + side])
        full[top : top + side, left : left + side] = 0
        assert not full.any()
        assert not pixels(shown["transposed"]).std(axis=(0, 1)).any()
        for key in ("x", "y", "width", "height"):
            assert shown["reach2"][key] == shown["transposed_one"][key]


@pytest.mark.parametrize("stride", STRIDES)
def test_the_other_three_maps_are_torchs(scene, stride):
    places = torch.from_numpy(maps.remembered(stride))
    places = places[..., 0] * SIDE * stride + places[..., 1]
    for which, values in MAPS.items():
        if which == "one cell":
            continue
        x = torch.as_tensor(values)[None, None]
        near = F.interpolate(x, scale_factor=stride, mode="nearest")[0, 0].numpy()
        undone = F.max_unpool2d(x, places[None, None], stride)[0, 0].numpy()
        for align in (False, True):
            mixed = F.interpolate(
                x, scale_factor=stride, mode="bilinear", align_corners=align
            )[0, 0].numpy()  # fmt: skip
            assert np.allclose(maps.bilinear(values, stride, align), mixed)
            state = {"map": which, "s": str(stride), "align": int(align), "step": 2}
            shown = marks(scene, **state)
            assert shows(shown["bilinear"], mixed)
            assert shows(shown["nearest"], near)
            assert shows(shown["unpooled"], undone)


@pytest.mark.parametrize("align", (False, True))
@pytest.mark.parametrize("stride", STRIDES)
def test_what_one_cell_reaches_is_what_torch_says(scene, stride, align):
    unit = PANEL / (SIDE * stride)
    places = maps.remembered(stride)
    for row, column in np.ndindex(SIDE, SIDE):
        x = torch.from_numpy(one_cell(row, column))[None, None]
        shown = marks(
            scene, map="one cell", s=str(stride), align=int(align), step=2, py=row, px=column
        )
        mixed = F.interpolate(x, scale_factor=stride, mode="bilinear", align_corners=align)[0, 0]
        near = F.interpolate(x, scale_factor=stride, mode="nearest")[0, 0]
        assert shows(shown["bilinear_one"], mixed.numpy())
        for reached, mark, corner in (
            (mixed > 1e-9, shown["reach1"], CORNERS[1]),
            (near > 0, shown["reach0"], CORNERS[0]),
        ):
            rows, columns = reached.nonzero().T
            assert round((mark["y"] - corner[1]) / unit) == rows.min()
            assert round((mark["x"] - corner[0]) / unit) == columns.min()
            assert round(mark["height"] / unit) == rows.max() - rows.min() + 1
            assert round(mark["width"] / unit) == columns.max() - columns.min() + 1
        found = [
            round((shown["reach3"][key] - corner) / unit)
            for key, corner in (("y", CORNERS[3][1]), ("x", CORNERS[3][0]))
        ]
        assert found == places[row, column].tolist()


def test_the_remembered_places_lie_one_in_each_window():
    for stride in STRIDES:
        places = maps.remembered(stride)
        assert (places // stride == np.stack(np.indices((SIDE, SIDE)), -1)).all()


@pytest.mark.parametrize("stride", STRIDES)
def test_the_dots_stand_where_interpolation_finds_the_inputs_again(scene, stride):
    ramp = torch.arange(float(SIDE), dtype=torch.float64).expand(1, 1, SIDE, SIDE)
    for align in (False, True):
        shown = marks(scene, s=str(stride), align=int(align), step=1)
        size = SIDE * stride
        line = F.interpolate(ramp, (size, size), mode="bilinear", align_corners=align)[0, 0, 0]
        for i in range(1, SIDE - 1):
            place = (shown[f"b{i}"]["cx"] - CORNERS[1][0]) / PANEL * size - 0.5
            between = np.interp(place, np.arange(size), line.numpy())
            assert between == pytest.approx(i, abs=0.02)


# -- sizes, cutting, bars ------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "stride"), [(k, s) for k in KERNELS for s in STRIDES])
def test_the_frame_keeps_what_torch_keeps(scene, kernel, stride):
    weight = weight_of(kernel, stride, "ones")
    values = np.random.default_rng(0).random((SIDE, SIDE))
    full = np.pad(by_torch(values, weight, stride), (0, 2))
    unit = PANEL / len(full)
    for padding, more in itertools.product(range(3), range(3)):
        state = {"k": str(kernel), "s": str(stride), "p": padding, "o": more, "step": 3}
        shown = marks(scene, **state)
        warned = text_of(scene, "warn", **state)
        assert bool(warned) == (more >= stride)
        if more >= stride:
            with pytest.raises(RuntimeError) as caught:
                by_torch(values, weight, stride, padding, more)
            assert str(caught.value) in text_of(scene, "code", **state)
            assert shown["kept"]["width"] == 0
            assert "not possible" in scene.at(**state).caption()
            continue
        kept = by_torch(values, weight, stride, padding, more)
        first = round((shown["kept"]["x"] - CORNERS[2][0]) / unit)
        count = round(shown["kept"]["width"] / unit)
        assert np.allclose(full[first : first + count, first : first + count], kept)
        assert f"= {len(kept)}." in scene.at(**state).caption()
        assert shown["fact2_0"]["s"] == f"{len(kept)} × {len(kept)}"


def test_the_size_of_the_facts(scene):
    assert maps.size_after(2, 3, 1, 1) == 10
    # 14 places, kernel 3, stride 2, padding 1, output_padding 1: 28 (facts C005)
    assert F.conv_transpose2d(
        torch.zeros(1, 1, 14, 14), torch.zeros(1, 1, 3, 3), None, 2, 1, 1
    ).shape[-1] == 28  # fmt: skip


@pytest.mark.parametrize(("kernel", "stride", "name"), SETTINGS)
def test_bars_and_captions_say_what_a_plain_map_becomes(scene, kernel, stride, name):
    weight = weight_of(kernel, stride, name)
    full = by_torch(np.ones((SIDE, SIDE)), weight, stride)
    state = {"k": str(kernel), "s": str(stride), "w": name, "step": 2}
    shown = marks(scene, **state)
    heights = [shown[f"bar{i}"]["height"] for i in range(len(full))]
    line = full.sum(0)
    assert np.allclose(heights, 34 * line / line.max(), atol=0.02)
    if name == "ones":
        count = [
            sum(i * stride <= x < i * stride + kernel for i in range(SIDE))
            for x in range(len(full))
        ]
        assert np.allclose(np.array(heights) / heights[0], count, atol=0.02)
    inside = full[kernel - 1 : 1 - kernel, kernel - 1 : 1 - kernel]
    assert len(inside) >= stride
    values = sorted({round(float(v), 6) for v in inside.reshape(-1)})
    said = scene.at(**state).caption()
    assert f"makes {len(values)} different value" in said
    assert ("checkerboard" in said) == (len(values) > 1)
    assert ("even, since" in said) == (len(values) == 1)
    assert ("hear nothing" in said) == (values[0] == 0)
    if name == "ones":
        assert (len(values) == 1) == (kernel % stride == 0)


def test_a_tent_of_twice_the_stride_is_bilinear_interpolation():
    for stride in STRIDES:
        weight = weight_of(2 * stride, stride, "tent")
        up = by_torch(RING, weight, stride, stride // 2, 0)
        mixed = maps.bilinear(RING, stride, False)
        if stride == 2:
            assert np.allclose(up[2:-2, 2:-2], mixed[2:-2, 2:-2])


def test_the_code_runs_and_gives_the_sizes_that_are_shown(scene):
    for k, s, p, o in itertools.product(range(4), range(2), range(3), range(2)):
        state = {"k": k, "s": s, "p": p, "o": o, "step": 3}
        x = torch.rand(1, 1, SIDE, SIDE)
        places = torch.arange(SIDE * SIDE).view(1, 1, SIDE, SIDE)
        shown = marks(scene, **state)
        sizes = [shown[f"fact{i}_0"]["s"] for i in (2, 0, 1, 3)]
        lines = text_of(scene, "code", **state).split("\n")
        for line, size in zip(lines, sizes, strict=True):
            inside = {"x": x, "places": places, "nn": nn, "F": F}
            exec(line, inside)
            assert "{} × {}".format(*inside["y"].shape[2:]) == size


# -- one's own layer and map ---------------------------------------------------------------------


def test_ones_own_layer_is_shown_with_its_weights():
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(3, 4, 4, 2, 1)
    scene = viz.upsampling(layer)
    weight = layer.weight[0, 0].detach().double()
    assert scene.spec["params"][1]["options"] == ["4"]
    assert scene.state["w"] == 2 and scene.state["p"] == 1
    full = by_torch(np.ones((SIDE, SIDE)), weight, 2)
    assert shows(marks(scene, step=2)["transposed"], full)
    inside = full[3:-3, 3:-3]
    count = len({round(float(v), 6) for v in inside.reshape(-1)})
    assert f"makes {count} different" in scene.at(step=2).caption()
    assert "10" in scene.at(step=3).caption()


def test_ones_own_values():
    values = np.arange(25).reshape(5, 5)
    shown = marks(viz.upsampling(values=values.tolist()), map="ring", step=2)
    assert shows(shown["nearest"], maps.nearest(values / 24, 2))


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (5, "nn.ConvTranspose2d"),
        (nn.Conv2d(1, 1, 3), "nn.ConvTranspose2d"),
        (nn.ConvTranspose1d(1, 1, 3), "nn.ConvTranspose2d"),
        (nn.ConvTranspose2d(1, 1, (3, 2)), "square"),
        (nn.ConvTranspose2d(1, 1, 3, dilation=2), "dilation"),
        (nn.ConvTranspose2d(1, 1, 9, 2), "too large"),
        (nn.ConvTranspose2d(1, 1, 3, 5), "too large"),
        (nn.ConvTranspose2d(1, 1, 3, 2, padding=3), "below the kernel"),
    ],
)
def test_what_is_no_square_layer_is_refused_in_one_sentence(module, says):
    with pytest.raises(UserError, match=says) as caught:
        viz.upsampling(module)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("values", [3, "five", [[1, 2]], -RING, RING * np.nan])
def test_values_that_are_no_small_map_are_refused(values):
    with pytest.raises(UserError, match="5 rows of 5 numbers"):
        viz.upsampling(values=values)
