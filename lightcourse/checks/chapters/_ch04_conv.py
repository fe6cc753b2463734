"""Chapter 04, exercise 04.conv: parameters, MACs and bytes of one convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lightcourse.checks.exercise import Case, Hint, Law

Shape = tuple[int, int, int]  # channels, height, width
Prices = tuple[int, int, int]  # parameters, MACs, bytes


def cases(rng: Random) -> Iterator[Case]:
    yield _case((1, 4, 4), 1, 3, bias=False, label="one channel in, one out")
    yield _case((1, 4, 4), 2, 3, label="two channels out, with a bias")
    yield _case((2, 4, 4), 3, 1, bias=False, label="1×1, two channels to three")
    yield _case((1, 5, 8), 1, 3, padding=1, bias=False, label="padding 1 on a map of 5×8")
    yield _case((1, 5, 8), 2, 3, stride=2, bias=False, label="stride 2")
    yield _case((1, 7, 9), 1, 3, dilation=2, bias=False, label="dilation 2")
    yield _case((4, 4, 4), 4, 1, groups=2, bias=False, label="two groups")
    yield _case((4, 5, 4), 4, 3, padding=1, groups=4, bias=False, label="depthwise")
    yield _case((4, 3, 3), 8, 3, padding=1, groups=2, label="two groups and a bias")
    yield _case((64, 56, 56), 64, 1, bias=False, label="pointwise, 64 channels at 56×56")
    yield _case((3, 224, 224), 32, 3, stride=2, padding=1, bias=False, label="MobileNetV2, first")
    for _ in range(6):
        yield random_case(rng)


def _case(*args: Any, label: str = "", **options: Any) -> Case:
    return Case(args, options, label=label)


def random_case(rng: Random) -> Case:
    """A convolution with every option drawn at random."""
    groups, kernel = rng.choice((1, 1, 2, 4)), rng.choice((1, 3, 5))
    shape = groups * rng.randint(1, 6), rng.randint(12, 20), rng.randint(12, 20)
    return _case(
        shape,
        groups * rng.randint(1, 6),
        kernel,
        stride=rng.choice((1, 2, 3)),
        padding=rng.randint(0, 2),
        dilation=rng.choice((1, 1, 2)),
        groups=groups,
        bias=rng.random() < 0.5,
    )


def by_torch(shape: Shape, out_channels: int, kernel: int, **options: Any) -> Prices:
    """Let torch count: its layer's numbers, its own operator counter, the sizes of its tensors."""
    layer = nn.Conv2d(shape[0], out_channels, kernel, **options, device="meta")
    x = torch.empty(1, *shape, device="meta")
    with FlopCounterMode(display=False) as counter:
        y = layer(x)
    tensors = (x, y, *layer.parameters())
    moved = sum(t.numel() * t.element_size() for t in tensors)
    params = sum(p.numel() for p in layer.parameters())
    return params, counter.get_total_flops() // 2, moved


def _twice_as_many_outputs(conv_cost: Callable[..., Prices], rng: Random) -> str | None:
    case = random_case(rng)
    shape, channels, kernel = case.args
    once = conv_cost(shape, channels, kernel, **case.kwargs)
    twice = conv_cost(shape, 2 * channels, kernel, **case.kwargs)
    if (2 * once[0], 2 * once[1]) != tuple(twice[:2]):
        return (
            "Twice as many output channels have twice the parameters and MACs, but yours go from"
            f" {once[0]:,} and {once[1]:,} to {twice[0]:,} and {twice[1]:,}."
        )
    return None


LAWS = (Law("output channels cost the same each", _twice_as_many_outputs, hint=2),)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with the weights: out_channels kernels, each with kernel · kernel weights for every"
        " channel that it looks at. All three numbers need them. Then call"
        " `conv_output(shape, out_channels, kernel, stride, padding, dilation)` for the shape that"
        " comes out.",
    ),
    Hint(
        "My MACs are wrong",
        "Each weight is used once at every place of the output, and each use is one MAC. So it is"
        " the weights, without biases, times the height and width of the *output*.",
    ),
    Hint(
        "I am right until there are groups",
        "With g groups an output channel looks at C / g input channels, those of its own group. So"
        " every kernel is g times thinner. There are still out_channels kernels.",
    ),
    Hint(
        "My bytes are wrong",
        "Three things move: all numbers of the input, all parameters, all numbers of the output."
        " Each is read or written once, and each has 4 bytes.",
    ),
    Hint(
        "I am off by a little: the bias",
        "A bias is one number for each output channel. It counts as a parameter and is read, so it"
        " is in the bytes. By the usual count it is no MAC, since nothing is multiplied.",
    ),
)
