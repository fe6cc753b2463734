"""Exercise 07.residual: two 3×3 convolutions and a shortcut around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random
from typing import Any

import torch
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

PARTS = ("conv1", "bn1", "conv2", "bn2", "shortcut")
Run = Callable[[Any, Tensor], Tensor]


def cases(rng: Random) -> Iterator[Case]:
    rows = (
        (3, 3, 1, (1, 3, 4, 4), "the shapes agree"),
        (4, 4, 1, (2, 4, 5, 3), "a batch of 2, not square"),
        (3, 5, 1, (1, 3, 4, 6), "more channels"),
        (4, 6, 2, (2, 4, 7, 6), "half the size, more channels"),
        (5, 5, 2, (1, 5, 6, 8), "half the size, as many channels"),
        (8, 4, 1, (1, 8, 3, 4), "fewer channels"),
    )
    for *args, label in rows:
        yield case_of((*args, rng.getrandbits(24)), str(label))
    for _ in range(2):
        c, out, s = rng.randint(3, 6), rng.randint(7, 9), rng.choice((1, 2, 3))
        yield case_of((c, out, s, (2, c, 8, 7), rng.getrandbits(24)), "random sizes")


def show(case: Case) -> str:
    c, out, stride, shape, _ = case.args
    return f"Residual({c}, {out}, stride={stride}).eval()(x)  with x of shape {shape}"


def body(m: Any, x: Tensor) -> Tensor:
    return m.bn2(m.conv2(torch.relu(m.bn1(m.conv1(x)))))


def right(m: Any, x: Tensor) -> Tensor:
    return torch.relu(body(m, x) + m.shortcut(x))


class Reference(nn.Module):
    """The block by torch's own layers; `run` is its forward, and mistakes change it."""

    def __init__(
        self, c: int, out: int, stride: int = 1, run: Run = right, early: bool = False
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c if early else out)  # early: it stands before conv1
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c != out:
            conv = nn.Conv2d(c, out, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(out))
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def call(cls: Any, case: Case) -> Answer:
    """Build the learner's block, look at its parts, fill them, and run it."""
    c, out, stride, shape, seed = case.args
    module = cls(c, out) if stride == 1 else cls(c, out, stride)
    parts = {name: getattr(module, name) for name in PARTS[:-1]}
    # a learner may keep no shortcut at all where the shapes agree
    parts["shortcut"] = _module(getattr(module, "shortcut", None))
    wanted = {name: described(getattr(Reference(c, out, stride), name)) for name in PARTS}
    return examine(module, parts, wanted, draw(shape, seed), seed, ready_made(module))


def _module(part: Any) -> nn.Module | None:
    return part if isinstance(part, nn.Module) else None


def variant(run: Run, early: bool = False) -> Callable[..., Answer]:
    """The block with another forward or first norm, measured as the learner's is."""

    @lru_cache(maxsize=8)  # asked for the same cases again and again
    def answer(*args: Any) -> Answer:
        return call(lambda c, out, stride=1: Reference(c, out, stride, run, early), Case(args))

    return answer


oracle = variant(right)


def trials(cls: Any) -> Iterator[tuple[nn.Module, Tensor]]:
    """Fresh blocks with their inputs, for the laws: without a projection, and with one."""
    for c, out, stride in ((4, 4, 1), (4, 6, 2)):
        yield cls(c, out, stride), torch.randn(3, c, 6, 6)
