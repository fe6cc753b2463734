"""Chapter 04, exercise 04.conv: the three prices with rules of their own, for the mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lightcourse.checks.chapters._ch04_conv import Prices, Shape


@dataclass(frozen=True)
class Sizes:
    """The numbers that the prices are made of."""

    c: int
    h: int
    w: int
    out: int
    k: int
    stride: int
    padding: int
    dilation: int
    g: int
    bias: bool

    def side(self, size: int) -> int:
        """Places of the output along an axis."""
        return (size + 2 * self.padding - self.dilation * (self.k - 1) - 1) // self.stride + 1

    @property
    def weights(self) -> int:
        return self.out * (self.c // self.g) * self.k**2

    @property
    def params(self) -> int:
        return self.weights + self.bias * self.out

    @property
    def places(self) -> int:
        return self.side(self.h) * self.side(self.w)

    @property
    def padded(self) -> int:
        """Numbers of the input with its padding."""
        return self.c * (self.h + 2 * self.padding) * (self.w + 2 * self.padding)

    @property
    def inputs(self) -> int:
        return self.c * self.h * self.w

    @property
    def outputs(self) -> int:
        return self.out * self.places


Rule = Callable[[Sizes], int]


def wrong(
    params: Rule = lambda s: s.params,
    macs: Rule = lambda s: s.weights * s.places,
    moved: Rule = lambda s: 4 * (s.inputs + s.params + s.outputs),
) -> Callable[..., Prices]:
    """A conv_cost in which some of the three rules are not the right ones."""

    def conv_cost(
        shape: Shape,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> Prices:
        s = Sizes(*shape, out_channels, kernel, stride, padding, dilation, groups, bias)
        return params(s), macs(s), moved(s)

    return conv_cost


def like(weights: Rule) -> Callable[..., Prices]:
    """A conv_cost with another number of weights, and everything else built on it."""
    return wrong(
        lambda s: weights(s) + s.bias * s.out,
        lambda s: weights(s) * s.places,
        lambda s: 4 * (s.inputs + weights(s) + s.bias * s.out + s.outputs),
    )


def shaped(**usual: int) -> Callable[..., Prices]:
    """A conv_cost that asks for the output's shape without some of the options."""
    return wrong(
        macs=lambda s: s.weights * replace(s, **usual).places,
        moved=lambda s: 4 * (s.inputs + s.params + s.out * replace(s, **usual).places),
    )
