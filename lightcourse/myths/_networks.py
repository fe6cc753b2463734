"""Demonstrations about how published networks are built (chapters 07 to 12 and 19)."""

import torch
from torch import nn

from lightcourse.models import create_model, list_models
from lightcourse.myths import Demonstration
from lightcourse.myths._tools import report_of, shown
from lightcourse.nn import SqueezeExcite


def _on_meta(name: str, **settings: object) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, **settings)


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [m for m in model.modules() if isinstance(m, nn.Conv2d)]


def myth_12() -> Demonstration:
    """The depths of the paper's table 1, all built here, with their parameters."""
    depths = [d for d in range(10, 200) if f"resnet{d}" in list_models("ResNet")]
    rows = [(f"ResNet-{d}, parameters", report_of(f"resnet{d}").params) for d in depths]
    return shown(100 not in depths and {18, 34, 50, 101, 152} == set(depths), *rows)


def myth_27() -> Demonstration:
    """Kernel and groups of MobileNet's first convolutions."""
    convs = _convolutions(_on_meta("mobilenet_v1"))[1:7]
    words = [
        f"{c.kernel_size[0]}×{c.kernel_size[1]} " + ("depthwise" if c.groups > 1 else "pointwise")
        for c in convs
    ]
    holds = words == ["3×3 depthwise", "1×1 pointwise"] * 3
    return shown(holds, *((f"convolution {n}", word) for n, word in enumerate(words, 2)))


def myth_28() -> Demonstration:
    """Output channels of MobileNet's stem and blocks."""
    convs = _convolutions(_on_meta("mobilenet_v1"))
    blocks = [c.out_channels for c in convs if c.kernel_size == (1, 1)]
    expected = [64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    return shown(
        blocks == expected and convs[0].out_channels == 32,
        ("stem", convs[0].out_channels),
        ("blocks", blocks),
    )


def myth_29() -> Demonstration:
    """What follows the projection in every inverted residual, and what ReLU6 would cut away."""
    from lightcourse.nn import InvertedResidual

    model = _on_meta("mobilenet_v2")
    blocks = [m for m in model.modules() if isinstance(m, InvertedResidual)]
    lasts = {type(list(b.conv.modules())[-1]).__name__ for b in blocks}
    torch.manual_seed(0)
    block = InvertedResidual(16, 16, 2).eval()
    with torch.no_grad():
        out = block(torch.randn(4, 16, 32, 32))
    lost = float((out < 0).float().mean())
    return shown(
        lasts == {"BatchNorm2d"} and 0.3 < lost < 0.7,
        ("last module of all blocks", ", ".join(sorted(lasts))),
        ("share that ReLU6 would set to zero, random weights", f"{lost:.0%}"),
    )


def myth_30() -> Demonstration:
    """Parameters of the block 24 → 40 (5×5, expansion 72, SE) in the paper and in that code."""
    squeeze = [nn.Conv2d(72, 72 // 4, 1), nn.Conv2d(72 // 4, 72, 1)]
    expand = [nn.Conv2d(24, 72, 1, bias=False), nn.BatchNorm2d(72)]
    depthwise = [nn.Conv2d(72, 72, 5, groups=72), nn.BatchNorm2d(72)]
    point = [nn.Conv2d(72, 40, 1), nn.BatchNorm2d(40)]
    theirs = nn.ModuleList([*expand, *depthwise, *squeeze, *point])
    count = sum(p.numel() for p in theirs.parameters())
    model = _on_meta("mobilenet_v3_large")
    paper = sum(p.numel() for n, p in model.named_parameters() if n.startswith("features.4."))
    return shown(
        (count, paper) == (9_570, 10_328), ("that code", count), ("the paper's block", paper)
    )


def myth_31() -> Demonstration:
    """Blocks with squeeze-and-excitation in both networks."""
    found = {
        name: sum(isinstance(m, SqueezeExcite) for m in _on_meta(name).modules())
        for name in ("mobilenet_v3_large", "mobilenet_v3_small")
    }
    blocks = {"mobilenet_v3_large": 15, "mobilenet_v3_small": 11}
    rows = [(name, f"{count} of {blocks[name]} blocks") for name, count in found.items()]
    return shown(list(found.values()) == [8, 9], *rows)


def myth_44() -> Demonstration:
    """Channels into and out of DenseNet-121's transitions."""
    model = _on_meta("densenet121")
    pairs = [
        (m.in_channels, m.out_channels)
        for name, m in model.named_modules()
        if isinstance(m, nn.Conv2d) and "transition" in name
    ]
    return shown(
        len(pairs) == 3 and all(out == int(0.5 * into) for into, out in pairs),
        *((f"transition {n}", f"{a} → {b}, kept {b / a:.2f}") for n, (a, b) in enumerate(pairs, 1)),
    )


def myth_46() -> Demonstration:
    """GoogLeNet's linear layers, without the auxiliary heads."""
    report = report_of("googlenet")
    linear = [row for row in report.layers if row.kind == "Linear"]
    return shown(
        [row.params for row in linear] == [1_025_000] and report.params == 6_998_552,
        ("linear layers", len(linear)),
        ("their parameters", sum(row.params for row in linear)),
        ("of", report.params),
    )


def myth_47() -> Demonstration:
    """LeNet-5's trainable parameters, and the map that its last convolution gives."""
    model = create_model("lenet5").eval()
    last = _convolutions(model)[-1]
    shapes: list[tuple[int, ...]] = []
    last.register_forward_hook(lambda _m, _x, out: shapes.append(tuple(out.shape)))
    with torch.no_grad():
        model(torch.zeros(1, 1, 32, 32))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return shown(
        trainable == 60_000 and shapes[0] == (1, 120, 1, 1),
        ("trainable parameters", trainable),
        ("C5, a convolution, gives", shapes[0]),
    )


def myth_53() -> Demonstration:
    """Channels of the thin map, and of R-FCN's."""
    convs = _convolutions(_on_meta("light_head_rcnn_head"))
    kernels = {max(c.kernel_size) for c in convs}
    return shown(
        convs[-1].out_channels == 490 == 10 * 7 * 7 and 15 in kernels,
        ("thin map", convs[-1].out_channels),
        ("R-FCN's map, 81 classes", 81 * 7 * 7),
        ("longest side of a kernel", max(kernels)),
    )
