"""Exercise 08.net: SqueezeNet from its table, compared block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch08_net_reference import Reference
from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference
from lightcourse.checks.located import located
from lightcourse.nn import Fire

Rows = list[tuple]
close = located(Compare(rtol=1e-5, atol=1e-7))

# Table 1 of arXiv 1602.07360, and the authors' version 1.1
V1_0: Rows = [
    ("conv", 96, 7), ("pool",),
    ("fire", 16, 64, 64), ("fire", 16, 64, 64), ("fire", 32, 128, 128), ("pool",),
    ("fire", 32, 128, 128), ("fire", 48, 192, 192), ("fire", 48, 192, 192),
    ("fire", 64, 256, 256), ("pool",),
    ("fire", 64, 256, 256),
]  # fmt: skip
V1_1: Rows = [
    ("conv", 64, 3), ("pool",),
    ("fire", 16, 64, 64), ("fire", 16, 64, 64), ("pool",),
    ("fire", 32, 128, 128), ("fire", 32, 128, 128), ("pool",),
    ("fire", 48, 192, 192), ("fire", 48, 192, 192), ("fire", 64, 256, 256), ("fire", 64, 256, 256),
]  # fmt: skip


def cases(rng: Random) -> Iterator[Case]:
    small: Rows = [("conv", 5, 3), ("pool",), ("fire", 2, 3, 4)]
    yield _case(rng, small, 3, (1, 21, 18), "three rows")
    two: Rows = [("conv", 6, 3), ("pool",), ("fire", 2, 5, 3), ("fire", 3, 4, 7)]
    yield _case(rng, two, 4, (2, 25, 29), "two Fire modules, a batch of 2")
    late: Rows = [("conv", 4, 7), ("fire", 3, 6, 5), ("pool",), ("fire", 2, 3, 8), ("pool",)]
    yield _case(rng, late, 5, (1, 41, 38), "a pool at the end")
    for _ in range(2):
        table: Rows = [("conv", rng.randint(7, 9), rng.choice((3, 5))), ("pool",)]
        for i in range(3):
            table += [("fire", 2 + i, rng.randint(5, 6), rng.randint(10, 12))]
        table.insert(rng.randint(3, 4), ("pool",))
        yield _case(rng, table, rng.randint(2, 6), (1, 45, 50), "a random table")
    yield Case((V1_1, 1000, (1, 224, 224), None), {}, "SqueezeNet 1.1")
    yield Case((V1_0, 1000, (1, 224, 224), None), {}, "SqueezeNet 1.0, table 1 of the paper")


def _case(rng: Random, rows: Rows, classes: int, size: tuple[int, int, int], label: str) -> Case:
    return Case((rows, classes, size, rng.getrandbits(32)), {}, label)


def names(rows: Rows) -> list[str]:
    """What the paper calls the rows: conv1, maxpool1, fire2, …

    >>> names([("conv", 96, 7), ("pool",), ("fire", 16, 64, 64)])
    ['conv1', 'maxpool1', 'fire2']
    """
    found, number = [], 0
    for kind, *_ in rows:
        number += kind != "pool"
        found.append(f"maxpool{number}" if kind == "pool" else f"{kind}{number}")
    return found


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """What a network gave: parameters and output of every block, of the head, and of it all."""

    names: tuple[str, ...]
    params: tuple[int, ...]
    maps: tuple[Tensor, ...]  # outputs of the blocks, on the meta device for the large tables
    head: int
    total: int
    output: Any
    stopped: str = ""  # the error of the block that comes after the last of `maps`
    random: bool = False  # two runs in eval mode differ
    extra: str = ""  # what `features` is, where it does not have one item for each row

    def __repr__(self) -> str:
        if self.extra:
            return f"features: {self.extra}"
        shapes = [*(tuple(y.shape) for y in self.maps), *["–"] * len(self.names)]
        lines = [
            f"{name:<10}{count:>9,}  {shape}"
            for name, count, shape in zip(self.names, self.params, shapes, strict=False)
        ]
        out = tuple(self.output.shape) if isinstance(self.output, Tensor) else "–"
        return "\n".join([*lines, f"{'the rest':<10}{self.head:>9,}  {out}"])


def call(cls: Any, case: Case) -> Answer:
    """Build the learner's network, give it weights, and run it block by block, then as a whole."""
    rows, classes, (batch, *sides), seed = case.args
    with torch.device("meta") if seed is None else nullcontext():
        net = cls([*rows], classes, Fire)
    net.eval()
    features = net.features
    if not isinstance(features, nn.Sequential) or len(features) != len(rows):
        size = f" with {len(features)} items" if isinstance(features, nn.Sequential) else ""
        what = f"{kind_of(features)}{size}, wanted an nn.Sequential with {len(rows)}"
        return Answer((), (), (), 0, 0, None, extra=what)
    counts = tuple(_count(block) for block in features)
    head, total = _count(net.classifier), _count(net)
    x = torch.empty(batch, 3, *sides, device="meta")
    if seed is not None:
        net.double()
        x = _fill((*features, net.classifier), (batch, 3, *sides), seed)
    with torch.no_grad():
        maps, stopped = _walk(features, x)
        if stopped:
            return Answer(tuple(names(rows)), counts, maps, head, total, None, stopped)
        output = nn.Module.__call__(net, x.clone())
        again = nn.Module.__call__(net, x.clone())
    random = seed is not None and isinstance(output, Tensor) and not torch.equal(output, again)
    return Answer(tuple(names(rows)), counts, maps, head, total, output, random=random)


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _fill(blocks: tuple[nn.Module, ...], shape: tuple[int, ...], seed: int) -> Tensor:
    """Set all weights, each block's from its place and the seed; return pictures as well."""
    for place, block in enumerate(blocks):
        generator = torch.Generator().manual_seed(seed + place)
        for p in block.parameters():
            scale = (p[0].numel() if p.dim() > 1 else 4) ** -0.5
            drawn = torch.randn(p.numel(), generator=generator, dtype=p.dtype)
            p.data = scale * drawn.view_as(p)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _walk(features: nn.Sequential, x: Tensor) -> tuple[tuple[Tensor, ...], str]:
    """The outputs of the blocks one after the other, and the error of the one that fails."""
    maps = []
    for block in features:
        try:
            x = block(x)
        except Exception as error:  # whatever a learner's block can raise
            return tuple(maps), f"{type(error).__name__}: {error}"
        maps.append(x.clone())
    return tuple(maps), ""


def variant(**changes: Any) -> Callable[..., Answer]:
    """The network with one thing changed, measured as the learner's is."""

    def answer(rows: Rows, classes: int, size: tuple[int, int, int], seed: int | None) -> Answer:
        return call(lambda *args: Reference(*args, **changes), Case((rows, classes, size, seed)))

    return answer


oracle = variant()


def compare(got: Any, want: Answer) -> Difference | None:
    """Block by block, so that the first wrong one is named; then the head, then the output."""
    if not isinstance(got, Answer):
        return Difference("type", f"it is {kind_of(got)}, wanted a network")
    if got.extra != want.extra:
        return Difference("shape", f"features is {got.extra or 'as it should be'}")
    return _blocks(got, want) or _end(got, want)


def _blocks(got: Answer, want: Answer) -> Difference | None:
    for i, name in enumerate(want.names):
        if got.params[i] != want.params[i]:
            text = f"{name} has {got.params[i]:,} parameters, wanted {want.params[i]:,}"
            return Difference("value", text)
    for i, name in enumerate(want.names):
        if i >= min(len(got.maps), len(want.maps)):
            stops = got.stopped or want.stopped
            text = f"{name} cannot take what comes before it ({stops})"
            return Difference("shape", text) if got.stopped != want.stopped else None
        mine, right = got.maps[i], want.maps[i]
        if mine.shape != right.shape:
            shapes = f"{tuple(mine.shape)}, wanted {tuple(right.shape)}"
            return Difference("shape", f"after {name} the shape is {shapes}")
        if not right.is_meta and (found := close(mine, right)):
            return Difference(found.kind, f"after {name} {found.text}")
    return None


def _end(got: Answer, want: Answer) -> Difference | None:
    if got.head != want.head:
        return Difference("value", f"classifier has {got.head:,} parameters, wanted {want.head:,}")
    if got.output is None or want.output is None:
        same = got.output is want.output
        return None if same else Difference("type", "forward gives None, wanted a tensor")
    if not isinstance(got.output, Tensor):
        return Difference("type", f"forward gives {kind_of(got.output)}, wanted a tensor")
    if got.output.shape != want.output.shape:
        shapes = f"{tuple(got.output.shape)}, wanted {tuple(want.output.shape)}"
        return Difference("shape", f"the output has the shape {shapes}")
    if got.random != want.random:
        return Difference("value", "two runs over the same picture differ in eval mode")
    if not want.output.is_meta and (found := close(got.output, want.output)):
        return Difference(found.kind, f"all blocks are right; in the output {found.text}")
    if got.total != want.total:
        text = f"it has {got.total:,} parameters in all, wanted {want.total:,}"
        return Difference("value", text)
    return None


def show(case: Case) -> str:
    rows, classes, size, _ = case.args
    table = "TABLE_1_0" if rows == V1_0 else "TABLE_1_1" if rows == V1_1 else rows
    return (
        f"SqueezeNet({table}, {classes}, Fire).eval()(x)  with x of shape {(size[0], 3, *size[1:])}"
    )
