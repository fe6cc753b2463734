"""Chapter 10: networks as lists of layers, the two published ones and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

Layer = tuple[str, int, int]  # kind, output channels, stride
Blocks = Sequence[tuple[int, int]]  # output channels and stride of each separable block

# MobileNet (1704.04861, table 1) and FD-MobileNet (1802.03750, table 1): c, stride of each block
SLOW: Blocks = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
FAST: Blocks = (
    (64, 2), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (1024, 1),
)  # fmt: skip


def layers_of(blocks: Blocks, width: float = 1.0, classes: int = 1000) -> list[Layer]:
    """A stem, two layers for each block, and the classifier.

    >>> len(layers_of(SLOW)), len(layers_of(FAST))
    (28, 24)
    """
    channels = int(32 * width)
    layers: list[Layer] = [("conv", channels, 2)]
    for c, stride in blocks:
        layers.append(("depthwise", channels, stride))
        channels = int(c * width)
        layers.append(("pointwise", channels, 1))
    return [*layers, ("linear", classes, 1)]


def random_layers(rng: Random, least: int = 8) -> list[Layer]:
    """A small network of the same kinds, with strides anywhere; some have no classifier."""
    channels = rng.choice((least, 2 * least))
    layers: list[Layer] = [("conv", channels, rng.choice((1, 2)))]
    for _ in range(rng.randint(2, 5)):
        layers.append(("depthwise", channels, rng.choice((1, 1, 2))))
        channels = least * rng.randint(1, 4)
        layers.append(("pointwise", channels, 1))
    if rng.random() < 0.4:
        layers.append(("conv", 2 * channels, 2))
    return [*layers, ("linear", rng.choice((7, 10)), 1)] if rng.random() < 0.7 else layers


def macs_of(kind: str, into: int, out: int, side: int) -> int:
    """MACs of one layer that writes a map of side · side.

    >>> macs_of("depthwise", 32, 32, 112), macs_of("linear", 1024, 1000, 1)
    (3612672, 1024000)
    """
    each = {"conv": 9 * into, "depthwise": 9, "pointwise": into, "linear": into}[kind]
    return each * out * side * side


def total(layers: Sequence[Layer], side: int = 224) -> int:
    """MACs of a whole network on pictures of three colours.

    >>> total(layers_of(FAST)), total(layers_of(SLOW, 0.5))
    (144489728, 149497088)
    """
    channels, macs = 3, 0
    for kind, out, stride in layers:
        side = 1 if kind == "linear" else -(-side // stride)
        macs += macs_of(kind, channels, out, side)
        channels = out
    return macs
