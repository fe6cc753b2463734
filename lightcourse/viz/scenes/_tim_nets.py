"""The networks of the timeline: what each one added, and its numbers, read from the models.

Only names and sentences are written here; years, papers, and numbers come from lightcourse.models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lightcourse.models import Published, model_info, published
from lightcourse.models._network import Paper

CLASSIC, LIGHT = range(2)
COSTS = ("macs", "params")


@dataclass(frozen=True)
class Entry:
    """One network: its short name, the name and settings of `create_model`, what it added."""

    name: str
    model: str
    settings: dict[str, Any]
    kind: int  # CLASSIC, or LIGHT: made to be cheap
    added: str


# name, model, settings, kind, what it added; in the order of the papers
ENTRIES = tuple(Entry(*row) for row in (
    ("LeNet-5", "lenet5", {}, CLASSIC,
     "convolution, pooling and dense layers, all trained together from the pixels"),
    ("AlexNet", "alexnet", {}, CLASSIC,
     "ReLU, dropout and much augmented data, on two GPUs: depth pays on ImageNet"),
    ("VGG-16", "vgg16", {}, CLASSIC,
     "3×3 kernels only, stacked: two see as far as one 5×5, and are cheaper"),
    ("GoogLeNet", "googlenet", {}, CLASSIC,
     "four paths side by side, narrowed by 1×1 first; a mean instead of dense layers"),
    ("BN-Inception", "bn_inception", {}, CLASSIC,
     "batch normalisation: far higher learning rates, far fewer steps"),
    ("Inception-v3", "inception_v3", {}, CLASSIC,
     "kernels taken apart, n×n into 1×n and n×1; maps halved by two paths at once"),
    ("ResNet-34", "resnet34", {}, CLASSIC,
     "shortcuts: each block only adds to its input, and deeper trains better again"),
    ("ResNet-50", "resnet50", {}, CLASSIC,
     "the same with bottlenecks: 1×1 narrows, 3×3 works there, 1×1 widens again"),
    ("ResNet-101", "resnet101", {}, CLASSIC,
     "nothing but more of the same bottlenecks: depth alone"),
    ("Inception-v4", "inception_v4", {}, CLASSIC,
     "more and more uniform Inception blocks, and a larger stem; no shortcuts"),
    ("Inception-ResNet-v2", "inception_resnet_v2", {}, CLASSIC,
     "Inception blocks on shortcuts, their outputs scaled down before the sum"),
    ("SqueezeNet", "squeezenet1_0", {}, LIGHT,
     "Fire: 1×1 squeezes, 1×1 and 3×3 expand; few parameters, late downsampling"),
    ("WideResNet-50-2", "wide_resnet50_2", {}, CLASSIC,
     "wider instead of deeper: the 3×3 of each bottleneck has twice the channels"),
    ("DenseNet-121", "densenet121", {}, CLASSIC,
     "each layer reads all earlier maps of its block, side by side instead of summed"),
    ("ResNeXt-50", "resnext50_32x4d", {}, CLASSIC,
     "the bottleneck's 3×3 in groups: cardinality beside depth and width"),
    ("MobileNet", "mobilenet_v1", {"width_mult": 1.0}, LIGHT,
     "each 3×3 split into depthwise and pointwise; one factor for all widths"),
    ("ShuffleNet", "shufflenet_v1", {"width_mult": 1.0, "groups": 3}, LIGHT,
     "the 1×1 layers in groups too, and a channel shuffle so that groups mix"),
    ("MobileNetV2", "mobilenet_v2", {"width_mult": 1.0}, LIGHT,
     "inverted residuals: widen, filter depthwise, narrow without an activation"),
    ("FD-MobileNet", "fd_mobilenet", {"width_mult": 1.0}, LIGHT,
     "MobileNet that halves its maps early, for very small budgets"),
    ("ShuffleNetV2", "shufflenet_v2", {"width_mult": 1.0}, LIGHT,
     "split and shuffle, equal widths: drawn by measured speed instead of MACs alone"),
    ("MobileNetV3-Large", "mobilenet_v3_large", {}, LIGHT,
     "layers found by search for a phone, squeeze-and-excitation, h-swish"),
    ("MobileNetV3-Small", "mobilenet_v3_small", {}, LIGHT,
     "the same search for a smaller budget"),
    ("EfficientNet-B0", "efficientnet_b0", {}, LIGHT,
     "a searched net of inverted residuals, the start of a whole series"),
    ("EfficientNet-B3", "efficientnet_b3", {}, LIGHT,
     "depth, width and resolution grown together, by one rule"),
    ("EfficientNet-B7", "efficientnet_b7", {}, LIGHT,
     "the same rule, taken as far as it went: dear again"),
    ("GhostNet", "ghostnet", {"width_mult": 1.0}, LIGHT,
     "half the maps computed, the others made from them by cheap depthwise layers"),
))  # fmt: skip


@dataclass(frozen=True)
class Net:
    """An entry with its paper and its published row."""

    entry: Entry
    paper: Paper
    row: Published

    @property
    def top1(self) -> float:
        """The published accuracy on ImageNet in per cent; 0 where there is none."""
        return self.row.top1 or 0.0

    def cost(self, key: str) -> int:
        """Return the exact count, "macs" or "params"."""
        return getattr(self.row, key)


@cache
def nets() -> tuple[Net, ...]:
    """Return all networks with their numbers.

    >>> nets()[1].entry.name, nets()[1].paper.year, nets()[1].row.top1
    ('AlexNet', 2012, 57.2)
    """
    found = []
    for entry in ENTRIES:
        rows = [r for r in published() if (r.model, r.settings) == (entry.model, entry.settings)]
        row = max(rows, key=lambda r: r.macs or 0)  # MobileNet has several sizes
        found.append(Net(entry, model_info(entry.model).paper, row))
    return tuple(found)


def years() -> list[int]:
    """Return the years in which a network of these was published."""
    return sorted({net.paper.year for net in nets()})


def front(among: Sequence[Net], key: str) -> list[Net]:
    """Return the networks that no other beats in accuracy and this cost, cheapest first."""
    line: list[Net] = []
    for net in sorted(among, key=lambda n: (n.cost(key), -n.top1)):
        if net.top1 > (line[-1].top1 if line else 0):
            line.append(net)
    return line
