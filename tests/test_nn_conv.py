"""Convolution variants: tables of weights, torch as oracle, laws; deformable in four ways."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse import analyze
from lightcourse import nn as blocks
from lightcourse._torchvision import deform_conv2d as gathered
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.nn import (
    DeformConv2d,
    DepthwiseConv2d,
    DepthwiseSeparableConv,
    LowRankConv,
    PointwiseConv2d,
    SpatialFactorisedConv,
    deform_conv2d,
)

C, N, K, G, R = 12, 18, 5, 3, 4
PLAIN = {"norm": False, "activation": None}

# variant, weights without biases by formula; every one maps 12 channels to 18 or to 12
VARIANTS = {
    "depthwise": (lambda: DepthwiseConv2d(C, K), K * K * C),
    "depthwise, twice": (lambda: DepthwiseConv2d(C, K, multiplier=2), K * K * C * 2),
    "pointwise": (lambda: PointwiseConv2d(C, N), C * N),
    "pointwise in groups": (lambda: PointwiseConv2d(C, N, groups=G), C * N // G),
    "separable": (lambda: DepthwiseSeparableConv(C, N, K), K * K * C + C * N),
    "factorised": (lambda: SpatialFactorisedConv(C, N, K), K * C * N + K * N * N),
    "factorised, narrow": (
        lambda: SpatialFactorisedConv(C, N, K, mid_channels=R),
        K * C * R + K * R * N,
    ),
    "low rank": (lambda: LowRankConv(C, N, K, R), K * R * (C + N)),
    "deformable": (lambda: DeformConv2d(C, N, K), K * K * C * (N + 2 * K * K)),
    "deformable, masked": (
        lambda: DeformConv2d(C, N, K, modulated=True),
        K * K * C * (N + 3 * K * K),
    ),
}


def weights(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.dim() == 4)


@pytest.mark.parametrize("name", VARIANTS)
def test_weights_by_formula_and_macs_are_weights_times_places(name: str) -> None:
    make, expected = VARIANTS[name]
    assert weights(make()) == expected
    report = analyze(make(), (1, C, 9, 11))
    assert report.macs == expected * 9 * 11 and not report.unknown


@pytest.mark.parametrize("name", VARIANTS)
def test_meta_export_and_gradient(name: str) -> None:
    make, _ = VARIANTS[name]
    with torch.device("meta"):
        shape = make()(torch.empty(2, C, 9, 11)).shape
    module, x = make().eval(), torch.randn(2, C, 9, 11)
    assert module(x).shape == shape and shape[2:] == (9, 11)
    exported = torch.export.export(module, (x,))
    torch.testing.assert_close(exported.module()(x), module(x))
    module(x).sum().backward()
    assert all(p.grad is not None for p in module.parameters())


def test_everything_is_exported() -> None:
    for name in blocks.__all__:
        assert (getattr(blocks, name).__doc__ or "").strip(), name


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_depthwise_filters_each_channel_by_itself(stride: int, dilation: int) -> None:
    layer = DepthwiseConv2d(3, 3, stride, dilation, multiplier=2)
    x = torch.randn(2, 3, 9, 8)
    assert layer.weight.shape == (6, 1, 3, 3)
    y = layer(x)
    for i in range(3):
        alone = F.conv2d(
            x[:, i : i + 1], layer.weight[2 * i : 2 * i + 2], layer.bias[2 * i : 2 * i + 2],
            stride, dilation, dilation,
        )  # fmt: skip
        torch.testing.assert_close(y[:, 2 * i : 2 * i + 2], alone)


def test_pointwise_is_a_linear_layer_at_each_pixel() -> None:
    layer, x = PointwiseConv2d(6, 4), torch.randn(2, 6, 3, 5)
    linear = F.linear(x.movedim(1, -1), layer.weight[:, :, 0, 0], layer.bias)
    torch.testing.assert_close(layer(x), linear.movedim(-1, 1))


@pytest.mark.parametrize("groups", [0, 4, -2, 5])
def test_groups_that_do_not_divide_are_named(groups: int) -> None:
    with pytest.raises(UserError, match=f"{groups} groups do not divide 12 input and 18 output"):
        PointwiseConv2d(C, N, groups)


# MobileNets, arXiv 1704.04861, table 3: one layer of 14×14×512 (a table row: alpha, side, M MACs)
@pytest.mark.parametrize(
    ("channels", "side", "macs"),
    [(512, 14, 52_283_392), (384, 14, 29_578_752), (384, 10, 15_091_200)],
)
def test_separable_costs_what_the_paper_says(channels: int, side: int, macs: int) -> None:
    assert (
        analyze(DepthwiseSeparableConv(channels, channels), (1, channels, side, side)).macs == macs
    )


@pytest.mark.parametrize(("c", "n", "k"), [(512, 512, 3), (7, 5, 3), (16, 64, 5), (3, 32, 7)])
def test_separable_ratio_is_the_papers(c: int, n: int, k: int) -> None:
    ratio = weights(DepthwiseSeparableConv(c, n, k)) / (c * n * k * k)
    assert ratio == pytest.approx(1 / n + 1 / k**2, rel=1e-12)


def test_separable_is_built_as_in_figure_3() -> None:
    names = [type(m).__name__ for m in DepthwiseSeparableConv(4, 8, stride=2)]
    assert names == [
        "DepthwiseConv2d",
        "BatchNorm2d",
        "ReLU",
        "PointwiseConv2d",
        "BatchNorm2d",
        "ReLU",
    ]
    assert DepthwiseSeparableConv(4, 8, stride=2)(torch.zeros(2, 4, 9, 9)).shape == (2, 8, 5, 5)
    linear = DepthwiseSeparableConv(4, 8, **PLAIN)
    assert [type(m).__name__ for m in linear] == ["DepthwiseConv2d", "PointwiseConv2d"]
    assert all(m.bias is not None for m in linear)
    assert all(m.bias is None for m in DepthwiseSeparableConv(4, 8) if isinstance(m, nn.Conv2d))


def test_separable_is_an_ordinary_convolution_of_rank_one_per_channel() -> None:
    pair, x = DepthwiseSeparableConv(4, 6, **PLAIN), torch.randn(2, 4, 7, 6)
    depth, point = pair[0], pair[1]
    dense = point.weight * depth.weight[:, 0]  # (N, C, 1, 1) · (C, k, k)
    bias = point(depth.bias[None, :, None, None]).flatten()
    torch.testing.assert_close(pair(x), F.conv2d(x, dense, bias, padding=1), atol=1e-5, rtol=1e-5)


def test_factorised_is_the_outer_product_of_its_two_kernels() -> None:
    pair, x = SpatialFactorisedConv(3, 4, 5, 2, mid_channels=2, **PLAIN), torch.randn(2, 3, 11, 9)
    nn.init.zeros_(pair[0].bias)  # its padding would see the bias of the first
    dense = torch.einsum("mcid,omej->ocij", pair[0].weight, pair[1].weight)
    torch.testing.assert_close(
        pair(x), F.conv2d(x, dense, pair[1].bias, 2, 2), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("k", "stride"), [(3, 1), (5, 2), (1, 1)])
def test_low_rank_at_full_rank_is_the_convolution(k: int, stride: int, bias: bool) -> None:
    conv = nn.Conv2d(4, 6, k, stride, k // 2, bias=bias).double()
    before, x = conv.weight.clone(), torch.randn(2, 4, 9, 8, dtype=torch.float64)
    pair = LowRankConv.from_conv(conv, min(4 * k, 6 * k))
    torch.testing.assert_close(pair(x), conv(x))
    assert torch.equal(conv.weight, before)
    assert all(p.requires_grad for p in pair.parameters())


def test_low_rank_error_is_the_tail_of_the_singular_values() -> None:
    conv = nn.Conv2d(4, 6, 3, padding=1).double()
    matrix = conv.weight.permute(1, 2, 0, 3).reshape(12, 18)
    values = torch.linalg.svdvals(matrix)
    for rank in (1, 5, 11):
        pair = LowRankConv.from_conv(conv, rank)
        dense = torch.einsum("mcid,omej->ocij", pair[0].weight, pair[1].weight)
        torch.testing.assert_close((conv.weight - dense).norm(), values[rank:].norm())


def test_low_rank_refuses_what_it_cannot_do() -> None:
    with pytest.raises(UserError, match=r"rank is 0; .* 1 to 12"):
        LowRankConv(4, 6, 3, 0)
    with pytest.raises(UserError, match="rank is 13"):
        LowRankConv.from_conv(nn.Conv2d(4, 6, 3, padding=1), 13)
    for conv in (
        nn.Conv2d(4, 6, 3),
        nn.Conv2d(4, 6, (3, 5), padding=(1, 2)),
        nn.Conv2d(4, 6, 3, padding=1, groups=2),
        nn.Conv2d(4, 6, 3, padding=2, dilation=2),
    ):
        with pytest.raises(UserError, match="stands in for a k×k convolution"):
            LowRankConv.from_conv(conv, 2)
    same = nn.Conv2d(4, 6, 3, padding="same")
    x = torch.randn(1, 4, 5, 5)
    torch.testing.assert_close(LowRankConv.from_conv(same, 12)(x), same(x), atol=1e-5, rtol=1e-5)


# ---- deformable ------------------------------------------------------------------------------

# groups, offset groups, stride, padding, dilation, kernel, mask
SETTINGS = [
    (1, 1, (1, 1), (1, 1), (1, 1), (3, 3), False),
    (1, 1, (2, 2), (0, 0), (1, 1), (3, 3), True),
    (2, 1, (2, 1), (0, 1), (1, 1), (3, 2), True),
    (1, 2, (1, 1), (1, 0), (1, 2), (2, 3), True),
    (2, 4, (1, 2), (1, 1), (2, 1), (2, 2), False),
    (4, 2, (1, 1), (2, 2), (2, 2), (3, 3), True),
    (1, 4, (3, 2), (1, 2), (1, 1), (1, 5), True),
]


def wave(*shape: int, step: float) -> Tensor:
    """Numbers without a pattern that are the same with every release of torch."""
    size = torch.Size(shape).numel()
    return torch.sin(torch.arange(size, dtype=torch.float64) * step + 1).reshape(shape)


def example(groups, parts, stride, padding, dilation, kernel, masked):
    """Inputs of one setting: batch 2, 4 channels, 6 rows, 7 columns; offsets of up to 2 pixels."""
    taps = kernel[0] * kernel[1]
    x, weight = wave(2, 4, 6, 7, step=1.3), wave(4, 4 // groups, *kernel, step=2.7)
    size = F.conv2d(x, weight, None, stride, padding, dilation, groups).shape[2:]
    offset = 2 * wave(2, 2 * parts * taps, *size, step=0.77)
    mask = wave(2, parts * taps, *size, step=0.41).square() if masked else None
    return x, offset, weight, wave(4, step=5.1), stride, padding, dilation, mask


def by_hats(x, offset, weight, bias, stride, padding, dilation, mask) -> Tensor:
    """The definition with a share for every pixel of the picture: max(0, 1 - distance)."""
    n, c, h, w = x.shape
    o, per, kh, kw = weight.shape
    tall, wide = offset.shape[2:]
    parts = offset.shape[1] // (2 * kh * kw)
    out = torch.zeros(n, o, tall, wide, dtype=x.dtype)
    for part, i, j in torch.cartesian_prod(*map(torch.arange, (parts, kh, kw))).tolist():
        tap = part * kh * kw + i * kw + j
        y = torch.arange(tall)[:, None] * stride[0] - padding[0] + i * dilation[0]
        z = torch.arange(wide)[None] * stride[1] - padding[1] + j * dilation[1]
        y, z = y + offset[:, 2 * tap], z + offset[:, 2 * tap + 1]
        rows = (1 - (y[..., None] - torch.arange(h)).abs()).clamp(min=0)
        columns = (1 - (z[..., None] - torch.arange(w)).abs()).clamp(min=0)
        gate = torch.ones_like(y) if mask is None else mask[:, tap]
        for ch in range(part * c // parts, (part + 1) * c // parts):
            read = torch.einsum("nuvh,nuvw,nhw->nuv", rows, columns, x[:, ch]) * gate
            for f in range(o):
                if ch // per == f // (o // (c // per)):
                    out[:, f] += weight[f, ch % per, i, j] * read
    return out if bias is None else out + bias[:, None, None]


@pytest.mark.parametrize("setting", SETTINGS)
def test_deform_equals_its_definition_and_both_others(setting) -> None:
    args = example(*setting)
    x, offset, weight, bias, stride, padding, dilation, mask = args
    got = deform_conv2d(*args)
    torch.testing.assert_close(got, by_hats(*args))
    torch.testing.assert_close(
        got, gathered(x, weight, offset, mask, bias, stride, padding, dilation)
    )
    ops = import_torchvision().ops  # its compiled operator where there is one
    torch.testing.assert_close(got, ops.deform_conv2d(*args[:7], mask))
    torch.testing.assert_close(deform_conv2d(*args[:3], None, *args[4:]), got - bias[:, None, None])


@pytest.mark.parametrize("index", range(len(SETTINGS)))
def test_deform_equals_the_values_of_torchvisions_compiled_operator(index: int) -> None:
    """The file was written by torchvision 0.28.0's own library, on the inputs of `example`."""
    path = Path(__file__).parent / "data" / "deform_conv2d.json"
    row = json.loads(path.read_text(encoding="utf-8"))[index]
    expected = torch.tensor(row["values"], dtype=torch.float64).reshape(row["shape"])
    torch.testing.assert_close(
        deform_conv2d(*example(*SETTINGS[index])), expected, atol=1e-9, rtol=1e-9
    )


@pytest.mark.parametrize("setting", SETTINGS)
def test_deform_that_does_not_move_is_an_ordinary_convolution(setting) -> None:
    x, offset, weight, bias, *how, _ = example(*setting)
    plain = F.conv2d(x, weight, bias, *how, groups=setting[0])
    torch.testing.assert_close(deform_conv2d(x, offset * 0, weight, bias, *how), plain)


@pytest.mark.parametrize("move", [(0, 0), (1, 0), (0, -2), (-3, 2), (9, 0)])
def test_whole_offsets_read_a_shifted_picture(move: tuple[int, int]) -> None:
    x, weight = wave(2, 3, 6, 7, step=1.1), wave(5, 3, 3, 3, step=0.7)
    down, right = move
    wide = F.pad(x, (10, 10, 10, 10))
    shifted = wide[:, :, 10 + down - 1 : 17 + down, 10 + right - 1 : 18 + right]
    offset = torch.tensor(move * 9).double().view(1, 18, 1, 1).expand(2, 18, 6, 7)
    torch.testing.assert_close(
        deform_conv2d(x, offset, weight, padding=1), F.conv2d(shifted, weight)
    )


def test_half_a_pixel_is_the_mean_of_two_and_the_edge_fades_to_zero() -> None:
    x, one = torch.arange(1.0, 7).view(1, 1, 2, 3), torch.ones(1, 1, 1, 1)
    half = torch.zeros(1, 2, 2, 3)
    half[:, 1] = 0.5
    got = deform_conv2d(x, half, one)[0, 0].tolist()
    assert got == [[1.5, 2.5, 1.5], [4.5, 5.5, 3.0]]


def test_one_row_and_one_column() -> None:
    for size in ((1, 5), (5, 1), (1, 1)):
        x, weight = wave(1, 2, *size, step=0.9), wave(2, 2, 3, 3, step=0.3)
        offset = wave(1, 18, *size, step=0.6)
        args = (x, offset, weight, None, (1, 1), (1, 1), (1, 1), None)
        torch.testing.assert_close(deform_conv2d(*args), by_hats(*args))


def test_deform_has_the_gradient_of_its_definition() -> None:
    g = torch.Generator().manual_seed(1)
    shapes = [(1, 2, 4, 4), (1, 18, 2, 2), (2, 2, 3, 3), (2,), (1, 9, 2, 2)]
    tensors = [torch.randn(s, generator=g, dtype=torch.float64) * 0.4 for s in shapes]
    for tensor in tensors:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(lambda *t: deform_conv2d(*t[:4], mask=t[4]), tensors)


def test_deform_is_accurate_in_float32_on_a_large_map() -> None:
    g = torch.Generator().manual_seed(0)
    x, weight = torch.randn(1, 4, 128, 160, generator=g), torch.randn(2, 4, 3, 3, generator=g)
    still = deform_conv2d(x, torch.zeros(1, 18, 128, 160), weight, padding=1)
    torch.testing.assert_close(still, F.conv2d(x, weight, padding=1), atol=5e-4, rtol=1e-4)


def test_layer_begins_as_an_ordinary_convolution() -> None:
    layer, x = DeformConv2d(4, 6, stride=2, dilation=2, groups=2), torch.randn(2, 4, 9, 10)
    conv = layer.conv
    plain = F.conv2d(x, conv.weight, conv.bias, 2, 2, 2, groups=2)
    torch.testing.assert_close(layer(x), plain, atol=1e-5, rtol=1e-5)
    masked = DeformConv2d(4, 6, stride=2, dilation=2, groups=2, modulated=True, bias=False)
    masked.conv.weight = conv.weight
    half = (plain - conv.bias[:, None, None]) / 2  # every mask begins at one half
    torch.testing.assert_close(masked(x), half, atol=1e-5, rtol=1e-5)


def test_layer_uses_the_offsets_and_masks_that_it_makes() -> None:
    layer, x = DeformConv2d(4, 6, offset_groups=2, modulated=True), torch.randn(2, 4, 6, 7)
    nn.init.normal_(layer.offset.weight, std=0.3)
    found = layer.offset(x)
    assert found.shape == (2, 2 * 27, 6, 7)
    args = (x, found[:, :36], layer.conv.weight, layer.conv.bias, (1, 1), (1, 1), (1, 1))
    expected = by_hats(*args, found[:, 36:].sigmoid())
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


def test_offset_and_mask_channels() -> None:
    # facts/checks.json, C021: 18 offsets and 9 masks for a kernel of 3×3
    assert DeformConv2d(4, 4).offset.out_channels == 18
    assert DeformConv2d(4, 4, modulated=True).offset.out_channels == 18 + 9


def test_the_report_says_why_reading_between_pixels_is_zero() -> None:
    report = analyze(DeformConv2d(8, 8, modulated=True), (1, 8, 6, 6))
    zero = {op.name: op.reason for op in report.zero}
    assert zero["grid_sampler_2d"] == "fixed interpolation, no weights"
    assert report.macs == 36 * 9 * 8 * (8 + 27)


def test_export_with_other_sizes() -> None:
    layer, auto = DeformConv2d(4, 4), torch.export.Dim.AUTO
    sizes = ({0: auto, 2: auto, 3: auto},)
    exported = torch.export.export(layer, (torch.randn(2, 4, 9, 9),), dynamic_shapes=sizes)
    x = torch.randn(3, 4, 7, 11)
    torch.testing.assert_close(exported.module()(x), layer(x))


@pytest.mark.parametrize(
    ("offset", "weight", "mask", "says"),
    [
        ((2, 17, 6, 7), (4, 4, 3, 3), None, "offset has 17 channels; 9 taps need 18"),
        ((2, 54, 6, 7), (4, 4, 3, 3), None, "divides the 4 input channels"),
        ((2, 18, 5, 7), (4, 4, 3, 3), None, r"offset has the shape .*, not \(2, 18, 6, 7\)"),
        ((1, 18, 6, 7), (4, 4, 3, 3), None, r"not \(2, 18, 6, 7\)"),
        ((2, 18, 6, 7), (4, 3, 3, 3), None, "does not fit 4 input channels"),
        ((2, 18, 6, 7), (4, 4, 3, 3), (2, 18, 6, 7), r"mask has the shape .*, not \(2, 9, 6, 7\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(offset, weight, mask, says) -> None:
    mask = None if mask is None else torch.zeros(mask)
    with pytest.raises(UserError, match=says):
        deform_conv2d(
            torch.zeros(2, 4, 6, 7), torch.zeros(offset), torch.zeros(weight), padding=1, mask=mask
        )
    with pytest.raises(UserError, match="3 offset groups do not divide 4"):
        DeformConv2d(4, 4, offset_groups=3)
