"""Darknet, CSP, YOLO, DetNet, SpineNet and Light-Head: cfg files, laws, what we follow."""

from collections.abc import Callable

import pytest
import torch
from darknet_cfg import CFG, CfgNet
from torch import nn
from torch.nn import functional as F
from twin import transplant, with_life

from lightcourse import analyze, create_model
from lightcourse.analysis.report import Report
from lightcourse.errors import UserError
from lightcourse.models import cspdarknet, darknet, published, spinenet, yolo, yolo_tiny
from lightcourse.nn import SPP, CSPBlock, DarknetUnit, LargeSeparableConv

# what Darknet or its READMEs print, and CSPNet's: a multiplication and an addition count as two
BFLOPS = {
    "yolov2_tiny": "5.41",
    "yolov3_tiny": "5.56",
    "yolov4_tiny": "6.91",
    "darknet19": "5.58",
    "darknet53": "18.57",
    "cspdarknet53": "13.07",
}


@pytest.mark.parametrize("name", BFLOPS)
def test_bflops_are_two_per_multiply_add(name: str) -> None:
    row = next(row for row in published() if row.model == name)  # exact: test_models_published.py
    printed = f"{2 * (row.macs or 0) / 1e9:.2f}"
    assert printed == BFLOPS[name]
    assert row.macs_M == pytest.approx(float(printed) * 500, rel=0.01)


def _reference(variant: str, side: int) -> Report:
    return analyze(create_model("darknet_ref", variant=variant), (1, 3, side, side))


def test_published_bflops_that_belong_to_another_layout() -> None:
    with torch.device("meta"):
        reference = {
            (variant, side): analyze(
                create_model("darknet_ref", variant=variant), (1, 3, side, side)
            )
            for variant in ("darknet", "pytorchcv")
            for side in (224, 256)
        }
        resnext = analyze(create_model("cspresnext50"), (1, 3, 256, 256)).macs
    printed = {key: f"{2 * report.macs / 1e9:.3f}" for key, report in reference.items()}
    assert printed["darknet", 224] == "0.805" and reference["darknet", 224].macs == 402_571_264
    assert printed["darknet", 256] == printed["pytorchcv", 256] == "0.995"  # not 0.96
    # the authors' cfg sends 64 channels into stage 1's blocks, not 128: two 1×1s and a norm shrink
    fewer = 64 * 64 + 64 * 128
    assert f"{2 * (resnext - fewer * 64 * 64) / 1e9:.2f}" == "7.93"
    assert fewer + 2 * 64 == 12_416
    assert "12,416" in cspdarknet.PAPER.follows and "0.995" in darknet.PAPERS["darknet_ref"].follows


@pytest.mark.parametrize("name", CFG)
def test_yolo_equals_its_cfg(name: str) -> None:
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    theirs, ours = with_life(CfgNet(name)), create_model(name).eval()
    transplant(theirs, ours, x)
    with torch.no_grad():
        maps = list(zip(theirs(x), ours(x), strict=True))
    for (a, b), scale in zip(maps, ours.scales, strict=True):
        assert b.shape == (1, len(scale.anchors) * 85, 64 // scale.stride, 96 // scale.stride)
        assert a.std() > 1e-3
        torch.testing.assert_close(b / a.std(), a / a.std(), rtol=1e-4, atol=1e-4)


def test_anchors_and_masks() -> None:
    second = {
        "tiny": yolo_tiny.TINY_SCALES[1],
        "v3": yolo.YOLOV3_SCALES[1],
        "v4": yolo.YOLOV4_SCALES[1],
    }
    assert all(scale.stride == 16 for scale in second.values())
    assert second["tiny"].anchors == yolo_tiny.TINY_ANCHORS[1:4]  # masks 1, 2, 3: not 0, 1, 2
    used = {a for scale in yolo_tiny.TINY_SCALES for a in scale.anchors}
    assert used == set(yolo_tiny.TINY_ANCHORS[1:])  # so the smallest anchor is never predicted
    for scales in (yolo.YOLOV3_SCALES, yolo.YOLOV4_SCALES):
        assert sorted(len(s.anchors) for s in scales) == [3, 3, 3]
        area = {s.stride: [w * h for w, h in s.anchors] for s in scales}
        assert max(area[8]) < min(area[16]) and max(area[16]) < min(area[32])
    width, height = yolo_tiny.YOLOV2_SCALES[0].anchors[-1]
    assert (width / 32, height / 32) == (9.77052, 9.16828)  # the cfg's cells of 32 pixels
    assert [s.stride for s in yolo.YOLOV3_SCALES] == [32, 16, 8]
    assert [s.stride for s in yolo.YOLOV4_SCALES] == [8, 16, 32]


@pytest.mark.parametrize(
    ("name", "channels", "side"),
    [("yolov2_tiny", 3, 32), ("yolov4_tiny", 3, 64), ("light_head_rcnn_head", 2048, 4)],
)
def test_every_weight_gets_a_gradient(name: str, channels: int, side: int) -> None:
    model = create_model(name)
    out = model(torch.randn(2, channels, side, side))
    sum(m.square().sum() for m in (out if isinstance(out, tuple) else (out,))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_classes_set_the_channels_of_the_maps() -> None:
    model = create_model("yolov4_tiny", num_classes=2, in_channels=1)
    assert [m.shape[1] for m in model(torch.zeros(2, 1, 32, 32))] == [3 * 7, 3 * 7]


@pytest.mark.parametrize("name", ["yolov2", "yolov3_tiny", "yolov4_tiny", "yolov3", "yolov4"])
def test_sides_that_routes_cannot_join(name: str) -> None:
    with torch.device("meta"):
        model, x = create_model(name, num_classes=1).eval(), torch.empty(1, 3, 400, 416)
    with pytest.raises(
        UserError, match=r"400×416 are not of one size; .* 32 always work"
    ) as caught:
        model(x)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="build it with in_channels=4"):
        model(torch.empty(1, 4, 416, 416, device="meta"))
    with pytest.raises(UserError, match="takes pictures of shape"):
        model(torch.empty(3, device="meta"))


@pytest.mark.parametrize("name", ["yolov2_tiny", "yolov3_tiny", "yolov4_tiny", "yolov3", "yolov4"])
def test_what_is_said_of_sides_is_what_runs(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name, num_classes=1).eval()
        for side in (32, 64, 96, 160):
            model(torch.empty(1, 3, side, 64))
        with pytest.raises(
            UserError, match=r"7×7 is too small .* square picture is \d+×\d+"
        ) as caught:
            model(torch.empty(1, 3, 7, 7))
        side = int(str(caught.value).rstrip(".").split("×")[-1])
        model(torch.empty(1, 3, side, side))
        with pytest.raises(UserError):
            model(torch.empty(1, 3, side - 1, side - 1))


@pytest.mark.parametrize(
    ("name", "side", "pixels"),
    [("darknet53", 250, 725), ("cspdarknet53", 250, 725), ("cspresnext50", 225, 427)],
)
def test_backbones_take_any_side(name: str, side: int, pixels: int) -> None:
    with torch.device("meta"):
        report = analyze(create_model(name), (1, 3, side, side + 31))
    assert report.output_shape == (1, 1000)
    field = report.receptive_field
    assert field is not None and field.size == (pixels, pixels) and field.stride == (32, 32)


def test_yolov2_tiny_takes_any_side() -> None:
    with torch.device("meta"):
        model, x = create_model("yolov2_tiny").eval(), torch.empty(1, 3, 400, 417)
    assert model(x)[0].shape == (1, 425, 12, 13)


def test_steady_max_pool_only_looks_inside() -> None:
    x = -torch.rand(2, 3, 5, 4) - 1  # zeros from outside would win
    wanted = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 2, stride=1)
    assert torch.equal(yolo_tiny.SteadyMaxPool()(x), wanted)


def test_darknet_ref_is_not_a_small_darknet19() -> None:
    kernels = {
        name: [m.kernel_size[0] for m in create_model(name).modules() if isinstance(m, nn.Conv2d)]
        for name in ("darknet19", "darknet_ref")
    }
    assert kernels["darknet_ref"] == [3] * 7 + [1]
    assert len(kernels["darknet19"]) == 19 and kernels["darknet19"].count(1) == 7
    model, x = create_model("darknet_ref", num_classes=5).eval(), torch.randn(1, 3, 64, 64)
    maps = model.classes[0](model.features(x))
    torch.testing.assert_close(model(x), F.leaky_relu(maps, 0.1).mean((2, 3)))


def test_darknets_start_keeps_the_signal() -> None:
    torch.manual_seed(0)
    for name in ("darknet53", "yolov4_tiny"):
        for module in create_model(name).modules():
            if isinstance(module, nn.Conv2d) and module.weight.numel() > 50_000:
                fan_in = module.weight[0].numel()
                assert module.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.03)


def test_csp_short_way_does_not_pass_the_body() -> None:
    torch.manual_seed(0)
    block = CSPBlock(8, 12, nn.Sequential(DarknetUnit(6, 3), DarknetUnit(6, 3))).eval()
    with_life(block)
    x = torch.randn(2, 8, 5, 5)
    before = block(x)
    block.merge[0].weight.data[:, :6] = 0  # the long way comes first, as in the cfg's route
    short = block(x)
    for p in block.body.parameters():
        p.data.normal_()
    assert torch.equal(block(x), short) and not torch.allclose(before, short)


@pytest.mark.parametrize("windows", [(5, 9, 13), (3,), (3, 7)])
def test_spp_equals_pools_side_by_side(windows: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, 11, 14)
    wanted = [F.max_pool2d(x, k, 1, k // 2) for k in windows[::-1]]
    assert torch.equal(SPP(windows)(x), torch.cat([*wanted, x], dim=1))


def test_large_separable_conv_is_one_large_convolution() -> None:
    torch.manual_seed(0)
    k, layer = 15, LargeSeparableConv(3, 4, 5)
    kernel, bias = torch.zeros(5, 3, k, k), torch.zeros(5)
    for pair in (layer.column_row, layer.row_column):
        first, second = pair[0], pair[1]
        nn.init.zeros_(first.bias)  # at the edges, a bias in between meets the padding
        kernel += torch.einsum("omyx,mcvu->ocvyux", second.weight, first.weight).reshape(5, 3, k, k)
        bias += second.bias
    x = torch.randn(2, 3, 9, 20)
    wanted = F.conv2d(x, kernel, bias, padding=k // 2)
    torch.testing.assert_close(layer(x), wanted, rtol=1e-4, atol=1e-5)


def test_light_head_is_thin() -> None:
    model = create_model("light_head_rcnn_head", in_channels=16, mid_channels=4)
    out = model(torch.randn(1, 16, 6, 9))
    assert out.shape == (1, 7 * 7 * 10, 6, 9) and out.min() >= 0
    assert 7 * 7 * 81 == 3969  # R-FCN's score maps


def test_detnet_sees_further_at_stride_16() -> None:
    with torch.device("meta"):
        model = create_model("detnet59")
    field = analyze(model, (1, 3, 224, 224)).receptive_field
    # ResNet-50's 291 after stage 4; then six dilated 3×3 reach 2 · 2 · 16 further each
    assert field is not None and field.stride == (16, 16) and field.size == (291 + 6 * 64,) * 2


def test_spinenets_counted_parts() -> None:
    with torch.device("meta"):
        backbone, whole = create_model("spinenet49", num_classes=None), create_model("spinenet49")
    params = [sum(p.numel() for p in model.parameters()) for model in (backbone, whole)]
    assert params[1] - params[0] == 257_000 and f"{params[1] / 1e6:.1f}" == "22.1"


def test_spinenets_table_leaves_no_map_unread() -> None:
    read = set(spinenet.OUTPUTS.values())
    levels = [2, 2]
    for level, _, parents, extra in spinenet.ROWS:
        assert max(parents) < len(levels)
        assert extra is None or levels[extra] == level
        read |= {*parents, *([] if extra is None else [extra])}
        levels.append(level)
    assert read == set(range(len(levels)))
    assert all(levels[index] == level for level, index in spinenet.OUTPUTS.items())


@pytest.mark.parametrize("size", [(128, 256), (100, 75), (33, 1)])
def test_spinenets_endpoints(size: tuple[int, int]) -> None:
    with torch.device("meta"):
        ends = create_model("spinenet49", num_classes=None).eval()(torch.empty(1, 3, *size))
    for level, end in zip(range(3, 8), ends, strict=True):
        assert end.shape == (1, 256, *(-(-side // 2**level) for side in size))


def test_spinenets_classifier_averages_all_levels_at_stride_8() -> None:
    torch.manual_seed(0)
    model, x = create_model("spinenet49", num_classes=3).eval(), torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        ends = model.endpoints(x)
        grown = [F.interpolate(end, size=ends[0].shape[2:], mode="nearest") for end in ends]
        wanted = model.classifier(torch.stack(grown).mean((0, 3, 4)))
        torch.testing.assert_close(model(x), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: SPP((4,)), "odd and grow"),
        (lambda: SPP((5, 5)), "odd and grow"),
        (lambda: SPP(()), "odd and grow"),
        (lambda: LargeSeparableConv(3, 4, 5, kernel_size=14), "only odd ones"),
        (lambda: create_model("yolov3", num_classes=0), "num_classes is 0"),
        (lambda: create_model("spinenet49", num_classes=0), "num_classes is 0"),
        (lambda: create_model("light_head_rcnn_head", mid_channels=0), "mid_channels is 0"),
        (lambda: create_model("darknet_ref", variant="x"), "choose one of darknet, pytorchcv"),
        (lambda: create_model("darknet53", width_mult=2), "its settings are num_classes, in_chan"),
    ],
)
def test_mistakes_get_one_clear_sentence(build: Callable[[], nn.Module], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)
