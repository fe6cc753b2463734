"""Chapter 04, exercise 04.net: bills with rules of their own, for the mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lightcourse.checks.chapters._ch04_conv import Prices, Shape
from lightcourse.checks.chapters._ch04_net import Net, conv

Step = Callable[..., Prices]  # (c, h, w, out_features) -> parameters, MACs, bytes


def norm_row(c: int, h: int, w: int, n: int) -> Prices:
    return 2 * c, 0, 4 * (2 * c * h * w + 4 * c)


def relu_row(c: int, h: int, w: int, n: int) -> Prices:
    return 0, 0, 8 * c * h * w


def pool_row(c: int, h: int, w: int, n: int) -> Prices:
    return 0, 0, 4 * (c * h * w + c)


def linear_row(c: int, h: int, w: int, n: int) -> Prices:
    return c * n + n, c * n, 4 * (c + c * n + n + n)


def _after_conv(shape: Shape, options: dict[str, Any]) -> Shape:
    def side(size: int) -> int:
        pad, stride = options.get("padding", 0), options.get("stride", 1)
        span = options.get("dilation", 1) * (options["kernel"] - 1)
        return (size + 2 * pad - span - 1) // stride + 1

    return options["out_channels"], side(shape[1]), side(shape[2])


def biller(
    move: Callable[[Shape, Shape], Shape] = lambda old, new: new,
    norm: Step = norm_row,
    relu: Step = relu_row,
    pool: Step = pool_row,
    linear: Step = linear_row,
    after: Sequence[str] = ("conv", "pool", "linear"),
    drops: Sequence[str] = (),
) -> Callable[..., list[Prices]]:
    """A net_cost with some rules of its own.

    move(old, new) is the shape for the row behind one of the kinds in `after`; the options in
    `drops` are left out where a convolution's new shape is worked out.
    """
    steps = {"norm": norm, "relu": relu, "pool": pool, "linear": linear}

    def net_cost(net: Net, shape: Shape, given: Any = None) -> list[Prices]:
        rows = []
        for kind, options in net:
            n = options.get("out_features", 0)
            new = {"pool": (shape[0], 1, 1), "linear": (n, 1, 1)}.get(kind, shape)
            if kind == "conv":
                rows.append(conv(shape, **options))
                new = _after_conv(shape, {k: v for k, v in options.items() if k not in drops})
            else:
                rows.append(steps[kind](*shape, n))
            shape = move(shape, new) if kind in after else new
        return rows

    return net_cost


right = biller()
