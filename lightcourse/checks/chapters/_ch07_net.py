"""Exercise 07.net: a ResNet for CIFAR with side heads, compared block by block, then its loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch07_net_reference import Reference
from lightcourse.checks.chapters._ch07_parts import close, draw, fill
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case, Difference
from lightcourse.nn import BasicBlock


def cases(rng: Random) -> Iterator[Case]:
    rows = (
        (1, 4, (2, 3, 8, 12), 0.3, "one block a stage, not square"),
        (3, 10, (1, 3, 8, 8), 0.7, "ResNet-20, the published network"),
    )
    for n, classes, shape, weight, label in rows:
        yield Case((n, classes, shape, weight, rng.getrandbits(24)), {}, label)
    classes, weight = rng.randint(5, 9), rng.uniform(0.1, 2)
    args = (2, classes, (2, 3, 9, 12), round(weight, 2), rng.getrandbits(24))
    yield Case(args, {}, "two blocks a stage, random numbers")


def show(case: Case) -> str:
    n, classes, shape, weight, _ = case.args
    return (
        f"net = ResNet({n}, {classes}, BasicBlock).eval(); net(x); net.loss(x, labels, {weight})"
        f"  with x of shape {shape}"
    )


def names(n: int) -> list[str]:
    """What the items of `features` are: the stem and the blocks.

    >>> names(1)
    ['the stem', 'block 1 of stage 1', 'block 1 of stage 2', 'block 1 of stage 3']
    """
    return ["the stem", *(f"block {i + 1} of stage {s}" for s in (1, 2, 3) for i in range(n))]


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """What a network gave: parameters and output of every block, its scores, its losses."""

    names: tuple[str, ...]
    params: tuple[int, ...]
    maps: tuple[Tensor, ...]
    ends: tuple[tuple[int, int], ...]  # in and out of the classifier and of the heads
    total: int
    output: Any
    losses: tuple[Any, ...] = ()  # with the weight of the case, and with the default one
    stopped: str = ""  # the error of the block that comes after the last of `maps`
    extra: str = ""  # what is not as it must be before anything can be run
    fault: str = ""  # the error of the loss

    def __repr__(self) -> str:
        if self.extra:
            return self.extra
        shapes = [*(tuple(y.shape) for y in self.maps), *["–"] * len(self.names)]
        lines = [
            f"{name:<20}{count:>8,}  {shape}"
            for name, count, shape in zip(self.names, self.params, shapes, strict=False)
        ]
        said = [float(loss) if isinstance(loss, Tensor) else loss for loss in self.losses]
        return "\n".join([*lines, f"classifier and heads: {self.ends}", f"losses: {said}"])


def call(cls: Any, case: Case) -> Answer:
    """Build the learner's network, give it weights, run it block by block, then as a whole."""
    n, classes, shape, weight, seed = case.args
    net = cls(n, classes, BasicBlock)
    net.eval()
    blocks, ends = net.features, [net.classifier, *_heads(net.heads)]
    if extra := _unfit(blocks, net, n):
        return Answer((), (), (), (), 0, None, extra=extra)
    counts = tuple(sum(p.numel() for p in block.parameters()) for block in blocks)
    sizes = tuple((end.in_features, end.out_features) for end in ends)
    total = sum(p.numel() for p in net.parameters())
    net.double()
    fill((*blocks, *ends), seed)
    x = draw(shape, seed)
    labels = torch.arange(len(x)) % classes
    with torch.no_grad():
        maps, stopped = _walk(blocks, x)
        known = tuple(names(n)), counts, maps, sizes, total
        if stopped or sizes != tuple((c, classes) for c in (64, 16, 32)):
            return Answer(*known, None, stopped=stopped)
        output = nn.Module.__call__(net, x.clone())
        try:
            losses = net.loss(x.clone(), labels, weight), net.loss(x.clone(), labels)
        except Exception as error:  # whatever a learner's loss can raise
            if isinstance(error, NotImplementedError):
                raise
            return Answer(*known, output, fault=f"{type(error).__name__}: {error}")
    return Answer(*known, output, losses)


def _heads(heads: Any) -> list[nn.Module]:
    return list(heads) if isinstance(heads, nn.ModuleList | nn.Sequential) else []


def _unfit(blocks: Any, net: Any, n: int) -> str:
    if not isinstance(blocks, nn.Sequential) or len(blocks) != 1 + 3 * n:
        size = f" with {len(blocks)} items" if isinstance(blocks, nn.Sequential) else ""
        return f"features is {kind_of(blocks)}{size}, wanted an nn.Sequential with {1 + 3 * n}"
    heads = _heads(net.heads)
    if len(heads) != 2 or not all(isinstance(head, nn.Linear) for head in heads):
        return f"heads is {kind_of(net.heads)}, wanted an nn.ModuleList with two linear layers"
    if not isinstance(net.classifier, nn.Linear):
        return f"classifier is {kind_of(net.classifier)}, wanted a linear layer"
    return ""


def _walk(blocks: nn.Sequential, x: Tensor) -> tuple[tuple[Tensor, ...], str]:
    """The outputs of the blocks one after the other, and the error of the one that fails."""
    maps = []
    for block in blocks:
        try:
            x = block(x.clone())
        except Exception as error:  # whatever a learner's block can raise
            return tuple(maps), f"{type(error).__name__}: {error}"
        maps.append(x.clone())
    return tuple(maps), ""


def variant(**changes: Any) -> Callable[..., Answer]:
    """The network with one thing changed, measured as the learner's is."""

    @lru_cache(maxsize=8)  # asked for the same cases again and again
    def answer(*args: Any) -> Answer:
        return call(lambda *own: Reference(*own, **changes), Case(args))

    return answer


oracle = variant()


def compare(got: Any, want: Answer) -> Difference | None:
    """Block by block, so that the first wrong one is named; then the ends, output and losses."""
    if not isinstance(got, Answer):
        return Difference("type", f"it is {kind_of(got)}, wanted a network")
    if got.extra or want.extra:
        same = got.extra == want.extra
        return None if same else Difference("shape", got.extra or "parts are as they should be")
    return _blocks(got, want) or _ends(got, want) or _losses(got, want)


def _blocks(got: Answer, want: Answer) -> Difference | None:
    for i, name in enumerate(want.names):
        if got.params[i] != want.params[i]:
            text = f"{name} has {got.params[i]:,} parameters, wanted {want.params[i]:,}"
            return Difference("value", text)
    for i, name in enumerate(want.names):
        if i >= min(len(got.maps), len(want.maps)):
            if got.stopped == want.stopped:
                return None
            stops = got.stopped or want.stopped
            return Difference("shape", f"{name} cannot take what comes before it ({stops})")
        if found := close(got.maps[i], want.maps[i]):
            return Difference(found.kind, f"after {name} {found.text}")
    return None


def _ends(got: Answer, want: Answer) -> Difference | None:
    for name, mine, right in zip(
        ("classifier", "heads[0]", "heads[1]"), got.ends, want.ends, strict=True
    ):
        if mine != right:
            text = f"{name} goes from {mine[0]} to {mine[1]}, wanted {right[0]} to {right[1]}"
            return Difference("value", text)
    if got.output is None and want.output is None:
        return None
    if not isinstance(got.output, Tensor) or not isinstance(want.output, Tensor):
        return Difference("type", f"forward gives {kind_of(got.output)}, wanted a tensor")
    if found := close(got.output, want.output):
        return Difference(found.kind, f"all blocks are right; in the scores {found.text}")
    if got.total != want.total:
        text = f"it has {got.total:,} parameters in all, wanted {want.total:,}"
        return Difference("value", text)
    return None


def _losses(got: Answer, want: Answer) -> Difference | None:
    if got.fault or want.fault:
        text = f"the scores are right, and loss stops with {got.fault or want.fault}"
        return None if got.fault == want.fault else Difference("value", text)
    said = ("the loss", "the loss with the default weight")
    for name, mine, right in zip(said, got.losses, want.losses, strict=False):
        if not isinstance(mine, Tensor):
            text = f"the scores are right; {name} is {kind_of(mine)}, wanted a tensor ()"
            return Difference("type", text)
        if found := close(mine, right):
            numbers = f" ({float(mine):.4f}, wanted {float(right):.4f})" if not mine.dim() else ""
            return Difference(found.kind, f"the scores are right; in {name} {found.text}{numbers}")
    return None
