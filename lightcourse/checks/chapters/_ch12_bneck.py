"""Exercise 12.bneck: MobileNetV3's block, layer by layer and by its output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch09_parts import Answer, Part
from lightcourse.checks.chapters._ch12_excite import Reference as Gate
from lightcourse.checks.chapters._ch12_parts import (
    EPS,
    MOMENTUM,
    answer,
    compared,
    kept,
    no_gradient,
    record,
    tensor,
)
from lightcourse.checks.exercise import Case, Hint

Settings = tuple[int, int, int, int, int, bool, Callable[..., nn.Module]]
RE, HS = nn.ReLU, nn.Hardswish


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, (8, 24, 12, 3, 1, False, RE), (1, 5, 6), "no SE, no shortcut")
    yield _case(rng, (8, 24, 8, 3, 1, False, RE), (2, 6, 5), "as many channels out as in")
    yield _case(rng, (8, 24, 8, 5, 2, False, HS), (1, 8, 7), "5×5, stride 2, h-swish")
    yield _case(rng, (8, 72, 8, 5, 1, True, HS), (2, 5, 5), "with SE")
    yield _case(rng, (16, 16, 16, 3, 1, False, RE), (1, 6, 4), "an expansion to its own width")
    yield _case(rng, (16, 16, 24, 3, 2, True, RE), (2, 7, 8), "its own width, SE, stride 2")
    for _ in range(3):
        c, n = 4 * rng.randint(2, 5), 4 * rng.randint(2, 5)
        more = rng.choice((3, 5)), rng.randint(1, 2), rng.random() < 0.6, rng.choice((RE, HS))
        shape = rng.randint(1, 2), rng.randint(5, 8), rng.randint(5, 8)
        yield _case(rng, (c, 8 * rng.randint(3, 9), n, *more), shape, "")


def _case(rng: Random, settings: Settings, shape: tuple[int, int, int], label: str) -> Case:
    full = (shape[0], settings[0], *shape[1:])
    return Case((settings, full, rng.getrandbits(32)), {}, label or "random sizes")


def show(case: Case) -> str:
    (c, exp, n, k, s, se, nl), shape, _ = case.args
    call = f"Bneck({c}, {exp}, {n}, kernel={k}, stride={s}, se={se}, activation=nn.{nl.__name__})"
    return f"{call}.eval()(x)  with x of shape {shape}"


def call(cls: Any, case: Case) -> Any:
    (c, exp, n, k, s, se, nl), shape, seed = case.args
    block = cls(c, exp, n, kernel=k, stride=s, se=se, activation=nl)
    return answer(block, tensor(seed, *shape), seed, layers(case.args[0], shape))


class Reference(nn.Module):
    """The block of torch's own layers, with quirks that make a wrong one of it."""

    def __init__(self, settings: Settings, **quirks: Any) -> None:
        super().__init__()
        c, exp, n, k, s, se, nl = settings
        q = self.quirks = {
            "first": nl, "second": nl, "third": nn.Identity, "expand": exp != c, "se": se,
            "shortcut": s == 1 and c == n, "gate_late": True, "padding": k // 2,
            "strides": (1, s, 1), "groups": exp, "end": nn.Identity,
            **quirks,
        }  # fmt: skip
        one, two, three = q["strides"]
        self.expand = conv(c, exp, 1, one, q["first"]) if q["expand"] else nn.Identity()
        self.depthwise = conv(exp, exp, k, two, nn.Identity, q["groups"], q["padding"])
        self.second = q["second"]()
        self.gate = Gate(exp, **q.get("gate", {})) if q["se"] else nn.Identity()
        self.project = conv(exp, n, 1, three, q["third"])
        self.end = q["end"]()

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(self.expand(x))
        if self.quirks["gate_late"]:
            y = self.gate(self.second(y))
        else:
            y = self.second(self.gate(y))
        y = self.project(y)
        return self.end(x + y if self.quirks["shortcut"] and x.shape == y.shape else y)


def conv(
    c: int, n: int, k: int, stride: int, act: Any, groups: int = 1, padding: int = 0
) -> nn.Sequential:
    """Convolution, norm, activation."""
    layer = nn.Conv2d(c, n, k, stride, padding, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(n, EPS, MOMENTUM), act())


@cache
def layers(settings: Settings, shape: tuple[int, ...], **quirks: Any) -> tuple[Part, ...]:
    """The layers of a block on an input of this shape; raises RuntimeError where none fits."""
    with torch.device("meta"):
        return tuple(record(Reference(settings, **quirks).eval(), torch.empty(shape))[1])


def variant(**quirks: Any) -> Callable[..., Answer]:
    """The answer of the block with a quirk; a quirk may be a function of the settings."""

    def wrong(settings: Settings, shape: tuple[int, ...], seed: int) -> Answer:
        own = {key: q(settings) if _asks(q) else q for key, q in quirks.items()}
        return answer(Reference(settings, **own), tensor(seed, *shape), seed)

    return wrong


def _asks(quirk: Any) -> bool:
    return callable(quirk) and not isinstance(quirk, type)


oracle = variant()


def place(i: int, want: Answer) -> str:
    """Where a layer stands in a block: "the depthwise layer"."""
    found, norm_of = [], ""
    depthwise = next(j for j, part in enumerate(want.parts) if part.depthwise)
    for j, part in enumerate(want.parts):
        if part.kind == "linear":
            found.append("the SE's " + ("second" if "the SE's first layer" in found else "first"))
            found[-1] += " layer"
        elif part.kind == "conv":
            words = {0: "the expansion", depthwise: "the depthwise layer"}
            norm_of = "the depthwise layer" if j == depthwise else words.get(j, "the projection")
            found.append(norm_of)
        else:
            found.append(f"the norm of {norm_of}")
    return found[i] if i < len(found) else f"layer {i + 1}"


compare = compared(place)


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient."""
    for act in (HS, RE):
        block = cls(8, 24, 8, kernel=3, stride=1, se=True, activation=act)
        try:
            lost = no_gradient(block, torch.randn(3, 8, 5, 5))
        except RuntimeError as error:
            if "modified by an inplace operation" not in str(error):
                raise
            return (
                "The block runs, but cannot learn: a step writes into a tensor that the step before"
                " still needs for its gradient, as `mul_` or `*=` in a SqueezeExcite do behind a"
                " ReLU. Make a new tensor, as in `x * gate`."
            )
        if lost:
            return lost
    return None


def keeps(cls: Any, rng: Random) -> str | None:
    """The input is as it was, with and without a shortcut and an expansion."""
    for c, out, se in ((8, 8, False), (24, 8, True), (24, 24, True)):
        block = cls(c, 24, out, kernel=3, stride=1, se=se, activation=RE)
        if complaint := kept(block, torch.randn(2, c, 5, 5)):
            return complaint
    return None


HINTS = (
    Hint(
        "I do not know where to begin",
        "Collect layers in a list. If expanded differs from in_channels: 1×1 convolution, norm,"
        " activation. Then the depthwise convolution, norm, activation. If se: SqueezeExcite. Then"
        " 1×1 convolution and norm. `nn.Sequential(*layers)` runs them; `forward` adds x or not.",
    ),
    Hint(
        "A layer of mine has the wrong size",
        "Expansion: in_channels → expanded, 1×1. Depthwise: expanded → expanded, kernel k, padding"
        " k // 2, the stride, groups=expanded. SE: of `expanded`. Projection: expanded →"
        " out_channels, 1×1. Each convolution has a `norm(…)` behind it, and no bias.",
    ),
    Hint(
        "My layers are right, my output is wrong",
        "Where are activations? Behind the first two norms, never behind the third. SE comes after"
        " the activation of the depthwise layer. And does your `SqueezeExcite` pass its own check?",
    ),
    Hint(
        "When is the input added?",
        "When both shapes agree by design: stride 1, and out_channels equal to in_channels. Then"
        " `x + layers(x)`, with nothing behind the sum.",
    ),
)
