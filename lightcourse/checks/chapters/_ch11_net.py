"""Chapter 11: the inverted residual and MobileNetV2 of torch's layers, right or with a quirk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch09_parts import Answer, Part, fill, record

# MobileNetV2, arXiv 1801.04381, table 2: expansion, output channels, blocks, stride of the first
ROWS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
BLOCKS = sum(n for _, _, n, _ in ROWS)
Act = Callable[[], nn.Module]


@dataclass(frozen=True)
class BlockQuirk:
    """What a block does otherwise than MobileNetV2's."""

    hidden: Callable[[int, int, int], int] = lambda c, n, t: c * t
    acts: tuple[Act, Act, Act] = (nn.ReLU6, nn.ReLU6, nn.Identity)
    after: Act = nn.Identity  # behind the sum
    shortcut: bool = True
    bare_shortcut: bool = True  # with expansion 1 as well
    act_first: bool = False  # the norm behind the activation
    always_expands: bool = False
    strides: tuple[bool, bool, bool] = (False, True, False)  # which layers take the stride
    padding: int = 1
    norms: tuple[bool, bool, bool] = (True, True, True)
    dense: bool = False  # the 3×3 layer reads all channels
    bias: bool = False


class Twin(nn.Module):
    """Expansion, depthwise, linear projection, each with a norm, and the shortcut."""

    def __init__(self, c: int, n: int, stride: int, t: int, quirk: BlockQuirk) -> None:
        super().__init__()
        m = quirk.hidden(c, n, t)
        s = [stride if has else 1 for has in quirk.strides]
        b, groups = quirk.bias, 1 if quirk.dense else m
        convs = [
            nn.Conv2d(c, m, 1, s[0], bias=b),
            nn.Conv2d(m, m, 3, s[1], quirk.padding, groups=groups, bias=b),
            nn.Conv2d(m, n, 1, s[2], bias=b),
        ]
        layers: list[nn.Module] = []
        for i, conv in enumerate(convs):
            if i == 0 and t == 1 and not quirk.always_expands:
                continue
            layers.append(conv)
            norm = [nn.BatchNorm2d(conv.out_channels)] if quirk.norms[i] else []
            act = quirk.acts[i]()
            layers += [act, *norm] if quirk.act_first else [*norm, act]
        self.body = nn.Sequential(*layers)
        self.after = quirk.after()
        wanted = quirk.shortcut and (t > 1 or quirk.bare_shortcut)
        self.adds = wanted and stride == 1 and c == n

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return self.after(x + y if self.adds else y)


RIGHT = BlockQuirk()


def divisible(value: float) -> int:
    """The multiple of 8 that is nearest, at least 8 and never below 90 % of the value."""
    near = max(8, int(value + 4) // 8 * 8)
    return near + 8 if near < 0.9 * value else near


def _mean(y: Tensor) -> Tensor:
    return y.mean((2, 3))


@dataclass(frozen=True)
class Quirk:
    """What a network does otherwise than MobileNetV2."""

    block: BlockQuirk = RIGHT
    rows: Sequence[tuple[int, int, int, int]] = ROWS
    stride: Callable[[int, int, int], int] = lambda s, i, n: s if i == 0 else 1
    stem: tuple[int, int] = (32, 2)  # channels at width 1, stride
    round: Callable[[float], int] = divisible
    width: Callable[[float], float] = lambda width: width
    last: Callable[[float], float] | None = field(default=lambda width: 1280 * max(1.0, width))
    classes: Callable[[int], int] = lambda classes: classes
    pool: Callable[[Tensor], Tensor] = _mean
    stem_act: Act = nn.ReLU6
    last_act: Act = nn.ReLU6
    last_norm: bool = True
    end: Act = nn.Identity
    dropout: float = 0.2


class Reference(nn.Module):
    """MobileNetV2: stem, blocks, last convolution, mean, dropout, classifier."""

    def __init__(self, width: float, classes: int, quirk: Quirk | None = None) -> None:
        super().__init__()
        q = quirk or Quirk()
        width, block, cut = q.width(width), q.block, q.round
        c = cut(q.stem[0] * width)
        layers = _conv(3, c, 3, q.stem[1], q.stem_act, block)
        for t, n, stride in listed(q):
            out = cut(n * width)
            layers.append(Twin(c, out, stride, t, block))
            c = out
        if q.last is not None:
            wide = cut(q.last(width))
            layers += _conv(c, wide, 1, 1, q.last_act, block, norm=q.last_norm)
            c = wide
        self.body, self.pool = nn.Sequential(*layers), q.pool
        self.head = nn.Sequential(nn.Dropout(q.dropout), nn.Linear(c, q.classes(classes)), q.end())

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.body(x)))


def listed(quirk: Quirk) -> Iterator[tuple[int, int, int]]:
    """(expansion, channels at width 1, stride) of each block."""
    for t, c, n, s in quirk.rows:
        for i in range(n):
            yield t, c, quirk.stride(s, i, n)


def _conv(
    c: int, n: int, k: int, stride: int, act: Act, block: BlockQuirk, *, norm: bool = True
) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(c, n, k, stride, k // 2, bias=block.bias)]
    if norm and any(block.norms):
        layers.append(nn.BatchNorm2d(n))
    return [*layers, act()]


class Made(Answer):
    """An answer that knows whether a finished block was taken, and whether it runs twice alike."""

    ready_made: str = ""
    restless: bool = False


def finished(module: nn.Module) -> str:
    """The name of a block or network that somebody else has built, '' if there is none."""
    rooms = ("lightcourse.nn", "lightcourse.models", "torchvision", "timm")
    for part in module.modules():
        kind = type(part)
        simple = kind.__name__ in ("ConvNormAct", "Conv2dNormActivation", "SqueezeExcite")
        if kind.__module__.startswith(rooms) and not simple:
            return kind.__name__
    return ""


def answer(build: Callable[[], Any], x: Tensor, seed: int, want: Sequence[Part] | None) -> Any:
    """Run a module as it is; if its layers are those wanted, again with the case's weights."""
    net = build().double().eval()
    layers, parts, output = record(net, x)
    if not isinstance(output, Tensor):
        return output
    if want is None or [_sizes(part) for part in parts] == [_sizes(part) for part in want]:
        fill(layers, seed)
        with torch.no_grad():
            output = nn.Module.__call__(net, x.clone())
            again = output if want is None else nn.Module.__call__(net, x.clone())
        found = made(net, parts, output)
        object.__setattr__(found, "restless", not torch.allclose(output, again, equal_nan=True))
        return found
    return made(net, parts, None)


def made(net: nn.Module, parts: Sequence[Part], output: Any) -> Made:
    found = Made(tuple(parts), sum(p.numel() for p in net.parameters()), output)
    object.__setattr__(found, "ready_made", finished(net))
    return found


def _sizes(part: Part) -> tuple[Any, ...]:
    """What the weights of a part depend on."""
    return part.kind, part.inputs, part.outputs, part.kernel, part.groups, part.lacks


def place(index: int) -> str:
    """Where the layer with this number stands in the network: "block 3, depthwise"."""
    if index < 2:
        return ("the stem", "the norm of the stem")[index]
    if index < 6:  # the first block has no expansion
        return f"block 1, {_INSIDE[index]}"
    block, inside = divmod(index - 6, 6)
    if block >= BLOCKS - 1:
        tail = index - 6 - 6 * (BLOCKS - 1)
        return (
            ("the last convolution", "the norm of the last convolution")[tail]
            if tail < 2
            else ("the classifier")
        )
    return f"block {block + 2}, {_INSIDE[inside]}"


_INSIDE = (
    "expansion", "norm of the expansion", "depthwise", "norm of the depthwise layer",
    "projection", "norm of the projection",
)  # fmt: skip
