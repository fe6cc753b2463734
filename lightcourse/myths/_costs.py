"""Demonstrations about parameters, multiply-accumulates and memory of published networks."""

import json
from importlib.resources import files

from torch import nn

from lightcourse.analysis import Report, analyze
from lightcourse.analysis.report import Layer
from lightcourse.myths import Demonstration
from lightcourse.myths._tools import millions, report_of, shown


def _weighted(report: Report) -> list[Layer]:
    return [row for row in report.layers if row.macs and row.params]


def _stride(row: Layer) -> int:
    assert row.receptive_field is not None
    return int(row.receptive_field.stride[0])


def _first_at_32(report: Report) -> int:
    """Number, from 1, of the first weighted layer whose stride against the picture is 32."""
    return next(n for n, row in enumerate(_weighted(report), 1) if _stride(row) == 32)


def myth_01() -> Demonstration:
    """Channels of every layer at full and at half width."""
    full, half = (
        [row.output_shape[1] for row in _weighted(report_of("mobilenet_v1", width_mult=w))[:-1]]
        for w in (1.0, 0.5)
    )
    costs = [report_of("mobilenet_v1", width_mult=w).macs for w in (1.0, 0.5)]
    return shown(
        full == [2 * c for c in half] and 3.5 < costs[0] / costs[1] < 4,
        ("channels at width 1.0", sorted(set(full))),
        ("channels at width 0.5", sorted(set(half))),
        ("layers that are half as wide", f"{len(full)} of {len(full)}"),
        ("multiply-accumulates, ratio", f"{costs[0] / costs[1]:.2f}"),
    )


def myth_04() -> Demonstration:
    """Darknet's number for YOLOv3-tiny, and ours."""
    macs = report_of("yolov3_tiny", 416).macs
    return shown(
        round(2 * macs / 1e9, 2) == 5.56 or round(2 * macs / 1e9, 1) == 5.6,
        ("multiply-accumulates", macs),
        ("twice that, in billions", f"{2 * macs / 1e9:.2f}"),
        ("Darknet prints, in BFLOPs", 5.56),
    )


def myth_06() -> Demonstration:
    """Layers and receptive fields of two networks."""
    found = {}
    for name in ("mobilenet_v1", "fd_mobilenet"):
        rows = _weighted(report_of(name))
        field = rows[-2].receptive_field
        assert field is not None
        found[name] = (len(rows), field.size[0])
    holds = found["fd_mobilenet"] == (24, 431) and found["mobilenet_v1"] == (28, 315)
    rows = [(f"{name}: layers, receptive field", f"{n}, {rf}") for name, (n, rf) in found.items()]
    return shown(holds, *rows)


def myth_07() -> Demonstration:
    """Parameters and peak activation memory of two networks."""
    large, light = report_of("alexnet", 227), report_of("mobilenet_v2")
    return shown(
        large.params > 10 * light.params and large.peak_activation < light.peak_activation,
        ("AlexNet: weights in float32", f"{4 * large.params / 1e6:.1f} MB"),
        ("AlexNet: peak activation memory", f"{large.peak_activation / 1e6:.1f} MB"),
        ("MobileNetV2: weights in float32", f"{4 * light.params / 1e6:.1f} MB"),
        ("MobileNetV2: peak activation memory", f"{light.peak_activation / 1e6:.1f} MB"),
    )


def myth_19() -> Demonstration:
    """The stride after twelve layers of FD-MobileNet."""
    stride = _stride(_weighted(report_of("fd_mobilenet"))[11])
    return shown(stride == 32, ("stride after 12 layers", stride), ("five halvings", 2**5))


def myth_20() -> Demonstration:
    """Both published accuracies, and the budgets they were reached at."""
    text = files("lightcourse.models").joinpath("published.json").read_text(encoding="utf-8")
    top1 = {row["variant"]: row["published"].get("top1") for row in json.loads(text)}
    fd, slow = top1["FD-MobileNet 1.0x"], top1["MobileNetV1 0.5 @224"]
    macs = report_of("fd_mobilenet").macs, report_of("mobilenet_v1", width_mult=0.5).macs
    return shown(
        abs(fd - slow - 1.6) < 1e-9,
        (f"FD-MobileNet, {millions(macs[0])}", f"{fd} %"),
        (f"MobileNet 0.5, {millions(macs[1])}", f"{slow} %"),
        ("FD-MobileNet is better by", f"{fd - slow:.1f} points"),
    )


def myth_23() -> Demonstration:
    """What is computed on maps of 14×14 and larger."""
    spent = {}
    for width in (0.5, 1.0):
        report = report_of("mobilenet_v1", width_mult=width)
        early = [row.macs for row in _weighted(report)[:-1] if row.output_shape[-1] >= 14]
        spent[width] = (sum(early), report.macs)
    rows = [
        (f"width {width}: at 112, 56, 28 and 14", f"{millions(early)} of {millions(total)}")
        for width, (early, total) in spent.items()
    ]
    return shown(round(spent[0.5][0] / 1e6) == 129 and round(spent[1.0][0] / 1e6) == 490, *rows)


def myth_24() -> Demonstration:
    """Layers, and the first with stride 32."""
    rows, found = [], []
    for name in ("fd_mobilenet", "mobilenet_v1"):
        report = report_of(name)
        found += [len(_weighted(report)), _first_at_32(report)]
        rows += [(f"{name}: layers", found[-2]), (f"{name}: stride 32 first at layer", found[-1])]
    return shown(found == [24, 12, 28, 24], *rows)


def myth_25() -> Demonstration:
    """SqueezeNet 1.0 against 1.1, which pools earlier."""
    late, early = (report_of(name).macs for name in ("squeezenet1_0", "squeezenet1_1"))
    return shown(
        2.3 < late / early < 2.4,
        ("SqueezeNet 1.0", millions(late)),
        ("SqueezeNet 1.1", millions(early)),
        ("ratio", f"{late / early:.2f}"),
    )


def myth_26() -> Demonstration:
    """Parameters and bytes of SqueezeNet and AlexNet."""
    small, large = report_of("squeezenet1_0").params, report_of("alexnet", 227).params
    return shown(
        small == 1_248_424 and 48 < large / small < 50 and 4 * small > 500_000,
        ("SqueezeNet, parameters", small),
        ("in float32", f"{4 * small / 1e6:.2f} MB"),
        ("AlexNet, parameters", large),
        ("ratio", f"{large / small:.1f}"),
        ("bits for each of them in 0.47 MB", f"{0.47e6 * 8 / small:.1f}"),
        ("weights left if each takes 6 bits", f"at most {0.47e6 * 8 / 6 / small:.0%}"),
    )


def myth_33() -> Demonstration:
    """The 1×1 to 1280 channels, behind and before the pooling."""
    last = next(
        row
        for row in _weighted(report_of("mobilenet_v3_large"))
        if row.output_shape[1] == 1280 and row.macs > 0
    )
    return shown(
        last.macs == 960 * 1280 and last.output_shape[2:] in ((), (1, 1)),
        ("its multiply-accumulates, behind the pooling", last.macs),
        ("before the pooling, at 7×7", 49 * last.macs),
    )


def myth_35() -> Demonstration:
    """Memory access of one 1×1 convolution at nearly equal multiply-accumulates (G1)."""
    found = {}
    for c1, c2 in ((128, 128), (90, 180), (52, 312), (36, 432)):
        report = analyze(nn.Conv2d(c1, c2, 1, bias=False), (1, c1, 56, 56))
        found[c1, c2] = (report.macs, report.memory_access // 4)
    access = [numbers for _, numbers in found.values()]
    rows = [
        (f"{c1} → {c2}: multiply-accumulates, memory access", f"{macs:,}, {numbers:,}")
        for (c1, c2), (macs, numbers) in found.items()
    ]
    return shown(access == sorted(access) and access[0] == 819_200, *rows)


def myth_37() -> Demonstration:
    """MobileNet's own numbers."""
    report = report_of("mobilenet_v1")
    holds = (report.params, report.macs) == (4_231_976, 568_740_352)
    return shown(holds, ("parameters", report.params), ("multiply-accumulates", report.macs))


def myth_38() -> Demonstration:
    """The side of Inception-v3's last map, for both inputs; the paper's table 1 ends in 8×8."""
    sides = {}
    for side in (299, 229):
        rows = _weighted(report_of("inception_v3", side))
        sides[side] = rows[-2].output_shape[-1]
    rows = [(f"{side}×{side} ends at", f"{last}×{last}") for side, last in sides.items()]
    return shown(sides == {299: 8, 229: 5}, *rows)


def myth_39() -> Demonstration:
    """MobileNet against its full-convolution twin, and against VGG-16."""
    light, full = report_of("mobilenet_v1"), report_of("mobilenet_v1", separable=False)
    vgg = report_of("vgg16")
    ratios = (full.macs / light.macs, full.params / light.params)
    against = (vgg.macs / light.macs, vgg.params / light.params)
    rounded = [round(r, 1) for r in (*ratios, *against)]
    return shown(
        rounded == [8.6, 6.9, 27.2, 32.7],
        ("full convolutions: computation, size", f"{ratios[0]:.2f}×, {ratios[1]:.2f}×"),
        ("VGG-16: computation, size", f"{against[0]:.1f}×, {against[1]:.1f}×"),
    )
