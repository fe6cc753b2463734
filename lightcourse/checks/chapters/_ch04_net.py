"""Chapter 04, exercise 04.net: the bill of a small net, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from torch import nn

from lightcourse.checks.chapters._ch04_conv import Prices, Shape, by_torch
from lightcourse.checks.exercise import Case, Hint, Law

Row = tuple[str, dict[str, Any]]
Net = Sequence[Row]

THREE = ("conv", {"out_channels": 4, "kernel": 3, "padding": 1, "bias": False})
HALF = ("conv", {"out_channels": 6, "kernel": 3, "stride": 2, "padding": 1, "bias": False})
POINT = ("conv", {"out_channels": 8, "kernel": 1, "bias": False})
WIDE = ("conv", {"out_channels": 4, "kernel": 3, "padding": 1, "dilation": 2, "groups": 2})
NORM, RELU, POOL = ("norm", {}), ("relu", {}), ("pool", {})
LINEAR = ("linear", {"out_features": 5})


def cases(rng: Random) -> Iterator[Case]:
    yield _case([], (2, 4, 3), "no row at all")
    yield _case([THREE], (2, 4, 3), "one convolution")
    yield _case([RELU], (2, 4, 3), "one ReLU")
    yield _case([NORM], (2, 4, 3), "one batch norm")
    yield _case([POOL], (2, 4, 3), "one pooling")
    yield _case([POOL, LINEAR], (2, 4, 3), "pooling, then a linear layer")
    yield _case([HALF, RELU], (2, 4, 6), "stride 2, then a ReLU")
    yield _case([HALF, POINT], (2, 4, 6), "stride 2, then 1×1")
    yield _case([WIDE, RELU], (4, 9, 8), "groups and dilation, then a ReLU")
    yield _case([POOL, RELU, LINEAR], (2, 4, 3), "a ReLU behind the pooling")
    yield _case([POOL, LINEAR, RELU], (2, 4, 3), "a ReLU behind the linear layer")
    yield _case([POOL, LINEAR, ("linear", {"out_features": 7})], (2, 4, 3), "two linear layers")
    yield _case([HALF, NORM, RELU, POINT, NORM, POOL, LINEAR], (3, 8, 10), "a small net")
    for _ in range(4):
        yield _case(random_net(rng), (rng.choice((2, 4)), rng.randint(6, 12), rng.randint(6, 12)))


def conv(shape: Shape, out_channels: int, kernel: int, **options: Any) -> Prices:
    """What the learner gets as `conv`."""
    return by_torch(shape, out_channels, kernel, **options)


def _case(net: Net, shape: Shape, label: str = "") -> Case:
    return Case((list(net), shape, conv), label=label)


def random_net(rng: Random) -> list[Row]:
    """Convolutions with a batch norm or a ReLU behind some, then pooling and a linear layer."""
    net: list[Row] = []
    for _ in range(rng.randint(1, 3)):
        options = {"out_channels": 2 * rng.randint(1, 5), "kernel": 3, "padding": 1}
        extra = rng.choice(({}, {"stride": 2}, {"groups": 2}, {"dilation": 2}))
        net += [("conv", {**options, **extra, "bias": rng.random() < 0.5})]
        net += [row for row in (NORM, RELU) if rng.random() < 0.6]
    head = [("linear", {"out_features": rng.randint(2, 20)}) for _ in range(rng.choice((1, 2)))]
    return [*net, POOL, *(row for layer in head for row in (layer, RELU))][: -rng.randint(1, 2)]


def module_of(net: Net, channels: int) -> nn.Sequential:
    """The same net as layers of PyTorch."""
    layers: list[nn.Module] = []
    for kind, options in net:
        if kind == "conv":
            rest = {k: v for k, v in options.items() if k not in ("out_channels", "kernel")}
            layers.append(nn.Conv2d(channels, options["out_channels"], options["kernel"], **rest))
            channels = options["out_channels"]
        elif kind == "linear":
            layers.append(nn.Linear(channels, options["out_features"]))
            channels = options["out_features"]
        elif kind == "pool":
            layers.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        else:
            layers.append(nn.BatchNorm2d(channels) if kind == "norm" else nn.ReLU())
    return nn.Sequential(*layers)


def by_analysis(net: Net, shape: Shape, given: Any = None) -> list[Prices]:
    """Build the net in PyTorch, record its operators, and add up what each of its layers costs."""
    from lightcourse.analysis import analyze

    if not net:
        return []
    rows = [[0, 0, 0] for _ in net]
    for layer in analyze(module_of(net, shape[0]), (1, *shape)).layers:
        row = rows[int(layer.name.split(".")[0])]
        for i, value in enumerate((layer.params, layer.macs, layer.memory_access)):
            row[i] += value
    return [(params, macs, moved) for params, macs, moved in rows]


def _halves_add_up(net_cost: Callable[..., list[Prices]], rng: Random) -> str | None:
    net, shape = [THREE, NORM, RELU, THREE, NORM, RELU], (4, rng.randint(3, 9), rng.randint(3, 9))
    whole = net_cost(net, shape, conv)
    half = net_cost(net[:3], shape, conv)
    if [tuple(row) for row in whole] != 2 * [tuple(row) for row in half]:
        return "A net of two equal halves must give the same rows twice, and yours does not."
    return None


LAWS = (Law("equal rows cost the same", _halves_add_up, hint=2),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Go through the rows, and keep the shape of the map that arrives: (C, H, W). For each row"
        " append (params, macs, bytes), then work out the shape for the next row.",
    ),
    Hint(
        "My first row is right, later rows are not",
        "Each row works on what the row before has made. After a convolution take the new shape"
        " from `conv_output(shape, **options)`; batch norm and ReLU keep it; pooling leaves"
        " (C, 1, 1), a linear layer (out_features, 1, 1).",
    ),
    Hint(
        "My batch norm is wrong",
        "Four vectors with one number for each channel: scale and shift are learnt, so they are"
        " parameters; mean and variance are kept, and only read. So 2 · C parameters, 0 MACs, and"
        " 4 · (C·H·W + 4 · C + C·H·W) bytes.",
    ),
    Hint(
        "My ReLU, my pooling or my linear layer is wrong",
        "ReLU and pooling have no parameters and no MACs, but they read their input and write their"
        " output: 4 · (C·H·W + C·H·W) bytes, and 4 · (C·H·W + C). A linear layer is a 1×1"
        " convolution on a map of one place, with a bias: C weights"
        " and a bias for each output.",
    ),
    Hint(
        "My bytes are wrong",
        "The last column of the table counts numbers. A number has 4 bytes, so take it times 4, in"
        " every row but the convolution's: `conv` gives bytes already.",
    ),
)


def show(case: Case) -> str:
    net, shape, _ = case.args
    return f"net_cost({net}, {shape}, conv_cost)"
