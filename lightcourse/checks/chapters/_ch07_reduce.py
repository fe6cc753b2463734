"""Exercise 07.reduce: halve the map by convolving and pooling side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.checks.chapters._ch07_parts import (
    Answer,
    case_of,
    described,
    draw,
    examine,
    ready_made,
)
from lightcourse.checks.exercise import Case
from lightcourse.nn import InceptionConv

PARTS = ("direct", "narrow", "wide", "halve")
Run = Callable[[Any, Tensor], Tensor]


def cases(rng: Random) -> Iterator[Case]:
    rows = (
        (3, 4, 2, 5, (1, 3, 7, 7), "an odd map"),
        (5, 2, 3, 4, (2, 5, 8, 6), "an even map, a batch of 2"),
        (4, 6, 3, 5, (1, 4, 9, 6), "odd times even"),
        (6, 3, 4, 7, (1, 6, 5, 8), "more channels in the deep branch"),
    )
    for *args, label in rows:
        yield case_of((*args, rng.getrandbits(24)), str(label))
    for _ in range(2):
        c, a, b, d = rng.randint(7, 9), rng.randint(4, 5), rng.randint(2, 3), rng.randint(10, 12)
        yield case_of((c, a, b, d, (2, c, 9, 8), rng.getrandbits(24)), "random sizes")


def show(case: Case) -> str:
    c, a, b, d, shape, _ = case.args
    return f"Reduction({c}, {a}, {b}, {d}).eval()(x)  with x of shape {shape}"


def picture(shape: Sequence[int], seed: int) -> Tensor:
    """A map whose largest value in a window is as often negative as not."""
    return draw(shape, seed) - 1.5


def branches(m: Any, x: Tensor) -> list[Tensor]:
    return [m.direct(x), m.halve(m.wide(m.narrow(x))), F.max_pool2d(x, 3, 2)]


def right(m: Any, x: Tensor) -> Tensor:
    return torch.cat(branches(m, x), 1)


class Reference(nn.Module):
    """The block from the package's convolutions; `run` is its forward, and mistakes change it."""

    def __init__(self, c: int, direct: int, narrow: int, wide: int, run: Run = right) -> None:
        super().__init__()
        self.direct = InceptionConv(c, direct, 3, 2, 0)
        self.narrow = InceptionConv(c, narrow, 1)
        self.wide = InceptionConv(narrow, wide, 3)
        self.halve = InceptionConv(wide, wide, 3, 2, 0)
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def call(cls: Any, case: Case) -> Answer:
    """Build the learner's block, look at its parts, fill them, and run it."""
    *widths, shape, seed = case.args
    module = cls(*widths)
    parts = {name: getattr(module, name) for name in PARTS}
    twin = Reference(*widths)
    wanted = {name: described(getattr(twin, name)) for name in PARTS}
    extra = ready_made(module, allowed=("InceptionConv",))
    return examine(module, parts, wanted, picture(shape, seed), seed, extra)


def variant(run: Run) -> Callable[..., Answer]:
    """The block with another forward, measured as the learner's is."""

    @lru_cache(maxsize=8)  # asked for the same cases again and again
    def answer(*args: Any) -> Answer:
        return call(lambda *widths: Reference(*widths, run=run), Case(args))

    return answer


oracle = variant(right)


def trials(cls: Any) -> Iterator[tuple[nn.Module, Tensor]]:
    """A fresh block and its input, for the laws."""
    yield cls(4, 3, 2, 5), torch.randn(3, 4, 7, 7)
