"""Exercise 07.dense: layers that read all maps made before them, and add a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch07_parts import (
    Answer,
    Parts,
    case_of,
    described,
    draw,
    examine,
    ready_made,
)
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case

Run = Callable[[Any, Tensor], Tensor]


def cases(rng: Random) -> Iterator[Case]:
    rows = (
        (4, 1, 3, (1, 4, 4, 4), "one layer"),
        (3, 2, 5, (2, 3, 5, 4), "two layers, a batch of 2"),
        (5, 3, 2, (1, 5, 4, 6), "three layers"),
        (4, 3, 7, (1, 4, 5, 3), "more new maps than came in"),
    )
    for *args, label in rows:
        yield case_of((*args, rng.getrandbits(24)), str(label))
    for _ in range(2):
        c, n, k = rng.randint(8, 10), rng.randint(2, 4), rng.randint(2, 6)
        yield case_of((c, n, k, (2, c, 3, 5), rng.getrandbits(24)), "random sizes")


def show(case: Case) -> str:
    c, n, k, shape, _ = case.args
    return f"Dense({c}, layers={n}, growth={k}).eval()(x)  with x of shape {shape}"


def right(m: Any, x: Tensor) -> Tensor:
    for layer in m.layers:
        x = torch.cat([x, layer(x)], 1)
    return x


def new_layer(c: int, growth: int) -> nn.Module:
    conv = nn.Conv2d(c, growth, 3, padding=1, bias=False)
    return nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), conv)


class Reference(nn.Module):
    """The block by torch's own layers; `make` and `run` are what mistakes change."""

    def __init__(
        self,
        c: int,
        layers: int,
        growth: int,
        run: Run = right,
        make: Callable[[int, int], nn.Module] = new_layer,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList([make(c + i * growth, growth) for i in range(layers)])
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def call(cls: Any, case: Case) -> Answer:
    """Build the learner's block, look at its layers, fill them, and run it."""
    c, n, growth, shape, seed = case.args
    module = cls(c, n, growth)
    layers = module.layers
    extra = ready_made(module)
    if not isinstance(layers, nn.ModuleList | nn.Sequential):
        extra = kind_of(layers)
        layers = []
    parts: Parts = {f"layers[{i}]": layer for i, layer in enumerate(layers)}
    twin = Reference(c, n, growth).layers
    wanted = {f"layers[{i}]": described(layer) for i, layer in enumerate(twin)}
    return examine(module, parts, wanted, draw(shape, seed), seed, extra)


def variant(
    run: Run = right, make: Callable[[int, int], nn.Module] = new_layer
) -> Callable[..., Answer]:
    """The block with another forward or other layers, measured as the learner's is."""

    @lru_cache(maxsize=8)  # asked for the same cases again and again
    def answer(*args: Any) -> Answer:
        return call(lambda c, n, growth: Reference(c, n, growth, run, make), Case(args))

    return answer


oracle = variant()


def trials(cls: Any) -> Iterator[tuple[nn.Module, Tensor]]:
    """A fresh block and its input, for the laws."""
    yield cls(4, 3, 2), torch.randn(3, 4, 5, 5)
