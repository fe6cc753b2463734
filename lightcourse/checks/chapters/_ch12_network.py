"""Exercise 12.network: MobileNetV3 from a table of rows, compared layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import torch
from torch import nn

from lightcourse.checks.chapters._ch09_parts import Answer
from lightcourse.checks.chapters._ch12_last import dropped
from lightcourse.checks.chapters._ch12_parts import answer, compared, no_gradient, on_meta, tensor
from lightcourse.checks.chapters._ch12_table import LARGE, SMALL, Network, Row
from lightcourse.checks.exercise import Case, Hint

Table = tuple[Row, ...]
RE, HS = nn.ReLU, nn.Hardswish


def cases(rng: Random) -> Iterator[Case]:
    yield Case((SMALL, 1024, 1000, (1, 3, 224, 224), 0), {}, "MobileNetV3-Small")
    yield Case((LARGE, 1280, 1000, (1, 3, 224, 224), 0), {}, "MobileNetV3-Large")
    for _ in range(2):
        shape = rng.randint(1, 2), 3, 8 * rng.randint(4, 6), 8 * rng.randint(7, 9)
        sizes = 8 * rng.randint(5, 9), rng.randint(3, 9)
        yield Case((_table(rng), *sizes, shape, rng.getrandbits(31) + 1), {}, "with weights")


def _table(rng: Random) -> Table:
    """A short table with both activations, with and without SE."""
    a, b = 8 * rng.randint(2, 4), 8 * rng.randint(2, 4)
    return (
        Row(3, 16, 16, False, RE, 1),
        Row(5, 8 * rng.randint(5, 9), a, True, RE, 2),
        Row(3, 8 * rng.randint(5, 9), a, False, HS, 1),
        Row(5, 8 * rng.randint(5, 9), b + 8 * (a == b), True, HS, 2),
    )


def plain(rows: Table) -> list[tuple[Any, ...]]:
    """The rows as the notebook writes them."""
    return [tuple(row) for row in rows]


def show(case: Case) -> str:
    rows, head, classes, shape, _ = case.args
    name = {LARGE: "LARGE", SMALL: "SMALL"}.get(rows)
    if name is None:
        lines = (
            f"({r.k}, {r.exp}, {r.out}, {r.se}, {'RE' if r.nl is RE else 'HS'}, {r.s})"
            for r in rows
        )
        name = f"[{', '.join(lines)}]"
    return f"MobileNetV3({name}, {head}, {classes}).eval()(x)  with x of shape {shape}"


def call(cls: Any, case: Case) -> Any:
    rows, head, classes, *_ = case.args
    return given(lambda: cls(plain(rows), head, classes), case.args)


def given(build: Callable[[], nn.Module], args: tuple[Any, ...]) -> Any:
    """What a network gives: its layers alone for the published ones, its output for the others."""
    *_, shape, seed = args
    if not seed:
        return on_meta(build, shape)
    return answer(build(), tensor(seed, *shape), seed, _wanted(args).parts)


@cache
def _wanted(args: tuple[Any, ...]) -> Answer:
    rows, head, classes, shape, _ = args
    return on_meta(lambda: Network(rows, head, classes), shape)


@cache
def _right(args: tuple[Any, ...]) -> Answer:
    rows, head, classes, *_ = args
    return given(lambda: Network(rows, head, classes), args)


def oracle(*args: Any) -> Answer:
    return _right(args)


def place(i: int, want: Answer) -> str:
    """Where a layer stands in the network: "block 3, the depthwise layer"."""
    names = _names(want)
    return names[i] if i < len(names) else f"layer {i + 1}"


def _names(want: Answer) -> list[str]:
    """The places of all layers, told from the right ones."""
    kinds = []
    for part in want.parts:
        kinds.append("d" if part.depthwise else part.kind[0])
    found, block, inside, convs = ["the stem", "the norm of the stem"], 0, "", 0
    last = max(i for i, kind in enumerate(kinds) if kind == "c")
    for i in range(2, last):
        if inside == "" or (kinds[i] == "c" and inside == "the projection"):
            block, convs = block + 1, 0
            inside = "the expansion" if kinds[i] == "c" else "the depthwise layer"
        elif kinds[i] == "d":
            # a block without expansion begins with its depthwise layer
            block += inside == "the projection"
            inside = "the depthwise layer"
        elif kinds[i] == "c":
            inside = "the projection"
        if kinds[i] == "l":
            convs += 1
            found.append(f"block {block}, the SE's {'first' if convs == 1 else 'second'} layer")
        else:
            norm = "the norm of " if kinds[i] == "n" else ""
            found.append(f"block {block}, {norm}{inside}")
    tail = ["1×1 convolution", "norm", "first linear layer", "classifier"]
    return [*found, *(f"the last stage, its {name}" for name in tail)]


compare = compared(place)
_FEW = [(3, 16, 16, False, RE, 1), (3, 48, 24, True, HS, 2)]


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient."""
    return no_gradient(cls(_FEW, 40, 5), torch.randn(2, 3, 32, 32))


def drops(cls: Any, rng: Random) -> str | None:
    """In training, and then only, a fifth of what the classifier reads is dropped."""
    return dropped(cls(_FEW, 400, 5), torch.randn(8, 3, 32, 32))


HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with a list that holds the stem: 3×3 convolution 3 → 16, norm, h-swish. Then one"
        " loop over the rows, each of which appends a `Bneck`. Then the `LastStage`. "
        "`nn.Sequential(*layers)` runs them all, and `forward` has only to call it.",
    ),
    Hint(
        "RuntimeError: Given groups=… expected input… to have … channels",
        "A block reads what the block before it makes. Keep that number in a variable: 16 after the"
        " stem, then `out` of each row.",
    ),
    Hint(
        "A layer has the wrong kernel, stride or size",
        "A row is (kernel, expanded, out, se, activation, stride), in this order, while Bneck takes"
        " in_channels, expanded, out_channels first. Hand the rest over by name: kernel=…, se=….",
    ),
    Hint(
        "My layers are right, my output is wrong",
        "The stem has h-swish. Every block has its row's activation. Do `Bneck` and `LastStage`"
        " pass their own checks? What is missing there is missing here.",
    ),
    Hint(
        "My last stage has the wrong size",
        "Its 1×1 convolution reads the last row's `out` and makes six times as many: 960 from 160,"
        " 576 from 96. `head` and `num_classes` are arguments.",
    ),
)
