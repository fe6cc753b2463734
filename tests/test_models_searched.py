"""The searched networks: published tables, torchvision's outputs, and which text we follow.

Counts of every published variant and the layer tables are in test_models_published.py.
"""

import copy
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from layer_tables import rows_of
from torch import nn
from twin import assert_same_outputs, with_life

from lightcourse import analyze, create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.models import (
    fbnet,
    mcunet,
    mnasnet,
    model_info,
    ofa,
    ofa_mobilenet_v3,
    proxylessnas,
)
from lightcourse.models._mbconv_net import MBConvNet, Row, scale
from lightcourse.models.efficientnet import SIZES, efficientnet
from lightcourse.models.ofa import ElasticDepthwise
from lightcourse.nn import MBConv
from lightcourse.nn.mbconv import drop_rows


def meta(name: str, **settings: Any) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, **settings)


def counts(name: str, side: int = 224, **settings: Any) -> tuple[int, int]:
    report = analyze(meta(name, **settings), (1, 3, side, side), strict=True)
    return report.params, report.macs


def norms(model: nn.Module) -> set[tuple[float, float | None]]:
    return {(m.eps, m.momentum) for m in model.modules() if isinstance(m, nn.BatchNorm2d)}


@pytest.mark.parametrize("size", ["b0", "b1", "b5"])
def test_efficientnet_equals_torchvision(size: str) -> None:
    theirs = getattr(import_torchvision().models, f"efficientnet_{size}")(num_classes=20)
    ours = create_model(f"efficientnet_{size}", num_classes=20).eval()
    ours.load_state_dict(with_life(theirs).state_dict())
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        a, b = theirs(x), ours(x)
    assert a.std() > 1e-3, "an output without spread proves nothing"
    torch.testing.assert_close(b / a.std(), a / a.std(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_efficientnet_is_torchvisions_by_name(size: str) -> None:
    with torch.device("meta"):
        theirs = getattr(import_torchvision().models, f"efficientnet_{size}")()
        ours = efficientnet(size)
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (theirs, ours)]
    assert shapes[0] == shapes[1]
    assert norms(ours) == norms(theirs)
    assert ours.classifier[0].p == theirs.classifier[0].p
    dropped = [m.p for m in theirs.modules() if type(m).__name__ == "StochasticDepth"]
    blocks = [m.drop_path for m in ours.modules() if isinstance(m, MBConv)]
    assert blocks == pytest.approx(dropped)


def test_efficientnet_starts_like_torchvisions() -> None:
    torch.manual_seed(3)
    theirs, ours = import_torchvision().models.efficientnet_b0(), efficientnet("b0")
    for (key, a), b in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        if a.numel() > 5000:
            assert b.std().item() == pytest.approx(a.std().item(), rel=0.05), key
        elif a.dim() == 1:
            assert torch.equal(a, b), key


@pytest.mark.parametrize(
    ("name", "width"), [("0_5", 0.5), ("0_75", 0.75), ("1_0", 1), ("1_3", 1.3)]
)
def test_mnasnet_b1_equals_torchvision(name: str, width: float) -> None:
    theirs = getattr(import_torchvision().models, f"mnasnet{name}")(num_classes=20)
    ours = create_model("mnasnet_b1", width_mult=width, num_classes=20)
    assert_same_outputs(theirs, ours, torch.randn(2, 3, 64, 96))


def test_one_dimension_can_be_scaled_alone() -> None:
    b0 = partial(counts, "efficientnet_b0")
    assert b0(width_mult=2.0, depth_mult=3.1) == counts("efficientnet_b7")
    base, twice, four = b0()[1], b0(depth_mult=2.0)[1], b0(width_mult=2.0)[1]
    assert 1.7 < twice / base < 2.3 and 3.3 < four / base < 4.3  # section 3.2: d and w²
    alpha, beta, gamma = 1.2, 1.1, 1.15
    assert alpha * beta**2 * gamma**2 == pytest.approx(1.92027)


def test_the_sizes_are_the_published_inputs() -> None:
    table = Path(mcunet.__file__).with_name("published.json")
    rows = [r for r in json.loads(table.read_text()) if r["variant"].startswith("EfficientNet-B")]
    sides = {r["model"].removeprefix("efficientnet_"): r["input"] for r in rows}
    assert len(sides) > 6 and all(SIZES[size].resolution == side for size, side in sides.items())


@pytest.mark.parametrize(
    "name", ["efficientnet_b0", "fbnet_c", "mnasnet_a1", "proxylessnas_mobile"]
)
def test_cifar_form_ends_at_four_by_four(name: str) -> None:
    report = analyze(create_model(f"{name}_cifar"), (1, 3, 32, 32))
    maps = [layer.output_shape for layer in report.layers if len(layer.output_shape) == 4]
    assert maps[-1][2:] == (4, 4) and report.output_shape == (1, 10)
    assert report.receptive_field is not None and report.receptive_field.stride == (8, 8)
    same = counts(name, num_classes=10)[0]
    assert report.params == same, "only strides may differ"


# --- which text we follow: every number in PAPER.follows


def test_mnasnet_follows_its_own_note() -> None:
    for name in ("mnasnet_a1", "mnasnet_b1", "mnasnet_small"):
        assert norms(meta(name)) == {(1e-5, 0.1)}
        assert meta(name, width_mult=0.5).classifier[1].in_features == 1280
    (theirs,) = norms(import_torchvision().models.mnasnet0_5())
    assert theirs == pytest.approx((1e-5, 3e-4))
    squeezed = [m.out_channels for n, m in meta("mnasnet_a1").named_modules() if "fc1" in n]
    assert squeezed == [6, 10, 10, 20, 28, 28, 40, 40]  # a quarter of 24, 40, 40, 80 …


def test_fbnet_heads() -> None:
    a, b, c = (counts(f"fbnet_{letter}", head=1504) for letter in "abc")
    assert a[0] == 4_264_792 and b[0] == 4_163_128
    assert c == (4_922_280, 376_201_120)
    note = fbnet.PAPER.follows
    assert all(text in note for text in ("4,264,792", "4,914,712", "376 M", "4.9 M"))
    with pytest.raises(UserError, match="head is 1280; choose one of 1984, 1504"):
        create_model("fbnet_a", head=1280)


def test_fbnet_expands_even_by_one_and_shuffles_groups() -> None:
    first = [m for m in meta("fbnet_b").features[1].modules() if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size for m in first] == [(1, 1), (3, 3), (1, 1)]
    every = [m for m in meta("fbnet_a").modules() if isinstance(m, nn.Conv2d)]
    assert [m.kernel_size for m in every if m.groups == 2] == [(1, 1)] * 2 * 3
    block = MBConv(8, 8, expansion=1, groups=2, always_expand=True).eval()
    x = torch.randn(1, 8, 3, 3, requires_grad=True)
    (block(x) - x)[:, 0].sum().backward()
    assert x.grad is not None and (x.grad.abs().sum((0, 2, 3)) > 0).all(), "groups stay apart"


def test_proxyless_follows_its_own_note() -> None:
    for name in ("mobile", "gpu", "cpu", "mobile14"):
        assert {eps for eps, _ in norms(meta(f"proxylessnas_{name}"))} == {1e-3}
    by_width = [row.c for row in scale(proxylessnas.MOBILE, 1.4)]
    assert {48, 272} <= set(by_width) and not {48, 272} & set(proxylessnas.WIDER.values())
    rows = rows_of(meta("proxylessnas_mobile14"), (1, 3, 224, 224))
    widths = [row[2] for row in rows if row[0] == "conv"]
    assert 40 in widths and 256 in widths and 272 not in widths


def test_mcunet_only_with_a_narrow_head() -> None:
    assert counts("mcunet_mbv2_320kb", 144) == (750_280, 23_499_152)
    wide = counts("mobilenet_v2", 144, width_mult=0.35)  # its last 1×1 stays at 1280
    assert wide[0] == 750_280 + (1280 - 448) * (112 + 2 + 1000)


# --- MBConv and its loop


def test_mbconv_by_hand() -> None:
    plain = MBConv(16, 24, kernel_size=5, expansion=6)
    convolutions = 16 * 96 + 25 * 96 + 96 * 24
    assert sum(p.numel() for p in plain.parameters()) == convolutions + 2 * (96 + 96 + 24)
    with pytest.raises(UserError, match="stride 1 or 2, not 3"):
        MBConv(8, 8, stride=3)


def test_dropped_rows_leave_the_shortcut_and_keep_the_mean() -> None:
    torch.manual_seed(0)
    block = MBConv(4, 4, drop_path=0.5)
    x = torch.randn(64, 4, 5, 5)
    moved = (block(x) - x).abs().amax((1, 2, 3)) > 1e-6
    assert 15 < moved.sum() < 49
    block.eval()
    assert torch.equal(block(x), block(x))
    assert drop_rows(torch.ones(20_000, 1), 0.2).mean().item() == pytest.approx(1, abs=0.02)


def test_rows_can_be_used_for_ones_own_network() -> None:
    rows = [Row(1, 3, 8, 1, 1), Row(3, 5, 16, 2, 2, 0.25)]
    model = MBConvNet(rows, stem=8, head=32, num_classes=3, in_channels=1, small_input=True)
    assert model(torch.randn(2, 1, 16, 16)).shape == (2, 3)
    assert model.features(torch.randn(1, 1, 16, 16)).shape == (1, 32, 16, 16)


# --- once for all


def test_ofa_kernel_transforms() -> None:
    supernet, largest = (counts("ofa_mobilenet_v3", kernel_transforms=t)[0] for t in (True, False))
    assert supernet - largest == 20 * 706 and ofa.count_networks() == 21_758_655_492_572_485_851
    torch.manual_seed(0)
    big = ElasticDepthwise(4, 7, stride=2)
    for size in (5, 3):
        small, cut = copy.deepcopy(big), (7 - size) // 2
        small.active = size
        crop = nn.Conv2d(4, 4, size, 2, padding=size // 2, groups=4, bias=False)
        crop.weight.data = big.weight.data[:, :, cut:-cut, cut:-cut]
        x = torch.randn(1, 4, 11, 11)
        torch.testing.assert_close(small(x), crop(x))  # the matrices start as the identity
    small.to3.data *= 2
    torch.testing.assert_close(small(x), 2 * crop(x))
    small.to5.data.zero_()
    assert not small(x).any(), "the 3×3 kernel is made from the 5×5"


def test_ofa_chooses_each_place() -> None:
    choices = {"kernel_size": [3, 5, 7, 3] * 5, "expansion": [3, 4, 6, 3] * 5, "depth": [2] * 5}
    mixed = meta("ofa_mobilenet_v3", **choices)
    rows = [r for r in rows_of(mixed, (1, 3, 224, 224)) if r[0] == "conv" and r[5] > 1]
    assert [r[3][0] for r in rows] == [3] + [3, 5] * 5
    assert [r[1] for r in rows][1:5] == [48, 96, 72, 160]  # 3 · 16, 4 · 24, 3 · 24, 4 · 40
    depths = ([2] * 5, [2, 2, 3, 2, 2], [4] * 5)
    macs = [counts("ofa_mobilenet_v3", depth=depth)[1] for depth in depths]
    assert macs == sorted(set(macs))


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: ofa_mobilenet_v3(kernel_size=9), "kernel_size is 9; it is one of 3, 5, 7, or a l"),
        (lambda: ofa_mobilenet_v3(depth=[2, 3]), r"depth is \[2, 3\]; .* list of 5 of them"),
        (lambda: ofa_mobilenet_v3(expansion=5), "expansion is 5; it is one of 3, 4, 6"),
        (lambda: efficientnet("b9"), "size is 'b9'; choose one of b0, b1"),
        (lambda: create_model("efficientnet_b0", depth_mult=0), "depth_mult is 0"),
        (lambda: create_model("mnasnet_a1", width_mult=-1), "width_mult is -1"),
        (lambda: create_model("proxylessnas_cpu", dropout=1), "dropout is 1"),
        (lambda: create_model("efficientdet_d0", variant="x"), "choose one of paper, tf"),
        (lambda: create_model("efficientdet_d0", num_classes=0), "num_classes is 0"),
    ],
)
def test_mistakes_get_one_clear_sentence(build, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_info_names_the_paper() -> None:
    assert model_info("mnasnet_a1_cifar").paper is mnasnet.PAPER
