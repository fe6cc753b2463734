"""Exercise 12.last: the efficient last stage, with its dropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.checks.chapters._ch09_parts import Answer, Part
from lightcourse.checks.chapters._ch12_bneck import HS, conv
from lightcourse.checks.chapters._ch12_parts import (
    answer,
    compared,
    no_gradient,
    record,
    tensor,
)
from lightcourse.checks.exercise import Case, Hint

NAMES = ("the first convolution", "the norm", "the first linear layer", "the classifier")
SHARE = 0.2  # that dropout sets to zero in training


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, (6, 24, 16, 5), (1, 4, 4), "small")
    yield _case(rng, (8, 32, 12, 7), (2, 3, 5), "a batch of 2, a map of 3×5")
    for _ in range(3):
        sizes = tuple(rng.sample(range(6, 40), 3))
        shape = rng.randint(1, 3), rng.randint(2, 6), rng.randint(2, 6)
        yield _case(rng, (*sizes, rng.randint(2, 5)), shape, "random sizes")


def _case(rng: Random, sizes: tuple[int, ...], shape: tuple[int, int, int], label: str) -> Case:
    full = (shape[0], sizes[0], *shape[1:])
    return Case((sizes, full, rng.getrandbits(32)), {}, label)


def show(case: Case) -> str:
    sizes, shape, _ = case.args
    return f"LastStage{sizes}.eval()(x)  with x of shape {shape}"


def wanted(sizes: Sequence[int], shape: tuple[int, ...]) -> tuple[Part, ...]:
    c, wide, head, classes = sizes
    return (
        Part("conv", c, wide, (1, 1), (1, 1), 1, (shape[2], shape[3])),
        Part("norm", wide, wide),
        Part("linear", wide, head, bias=True),
        Part("linear", head, classes, bias=True),
    )


def call(cls: Any, case: Case) -> Any:
    sizes, shape, seed = case.args
    return answer(cls(*sizes), tensor(seed, *shape), seed, wanted(sizes, shape))


class Reference(nn.Module):
    """The stage of torch's layers, with steps that a wrong one replaces."""

    def __init__(
        self,
        sizes: Sequence[int],
        first: Any = HS,
        pool: Callable[[Tensor], Tensor] = lambda x: x.mean((2, 3)),
        second: Callable[[Tensor], Tensor] = F.hardswish,
        end: Callable[[Tensor], Tensor] = lambda y: y,
    ) -> None:
        super().__init__()
        c, wide, head, classes = sizes
        self.wide = conv(c, wide, 1, 1, first)
        self.head, self.classifier = nn.Linear(wide, head), nn.Linear(head, classes)
        self.steps = pool, second, end

    def forward(self, x: Tensor) -> Tensor:
        pool, second, end = self.steps
        return end(self.classifier(second(self.head(pool(self.wide(x))))))


def variant(**steps: Any) -> Callable[..., Answer]:
    """The answer of the stage with other steps."""

    def wrong(sizes: Sequence[int], shape: tuple[int, ...], seed: int) -> Answer:
        return answer(Reference(sizes, **steps), tensor(seed, *shape), seed)

    return wrong


oracle = variant()
compare = compared(lambda i, want: NAMES[i] if i < 4 else f"layer {i + 1}")


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient."""
    return no_gradient(cls(8, 32, 24, 5), torch.randn(4, 8, 3, 3))


def drops(cls: Any, rng: Random) -> str | None:
    """In training, and then only, a fifth of what the classifier reads is dropped."""
    stage = cls(8, 32, 400, 5)
    for p in stage.parameters():
        nn.init.uniform_(p, 0.01, 0.1)  # nothing is zero of itself
    return dropped(stage, torch.rand(8, 8, 3, 3))


def dropped(net: nn.Module, x: Tensor) -> str | None:
    """The complaint about the dropout before the last layer that runs, if there is one."""
    with torch.no_grad():
        layers, parts, _ = record(net.eval(), x)
        if parts[-1].kind != "linear":
            return None  # the cases complain about that
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        calm = _read(net, layers[-1], x)
        _only_dropout_trains(net)
        first, second = _read(net, layers[-1], x), _read(net, layers[-1], x)
    gone = (first == 0) & (calm != 0)
    share = float(gone.double().mean())
    if share == 0:
        more = " Something before it is random, though." if not torch.equal(first, second) else ""
        return (
            "In training mode the classifier reads all its numbers: the dropout of 0.2 before it is"
            " missing, or stands elsewhere." + more
        )
    if abs(share - SHARE) > 0.06:
        return (
            f"In training mode {share:.0%} of what the classifier reads is dropped. Wanted is"
            " nn.Dropout(0.2), a fifth."
        )
    if not torch.allclose(first[~gone], calm[~gone] / (1 - SHARE), rtol=1e-3):
        return (
            "In training mode more changes than the dropout before the classifier: is something"
            " random before it, or is the rest not scaled up? nn.Dropout(0.2) does both."
        )
    return None


def _only_dropout_trains(net: nn.Module) -> None:
    """Training mode, but norms as they are at work: then only dropout can change anything."""
    net.train()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()


def _read(net: nn.Module, layer: Any, x: Tensor) -> Tensor:
    """What a layer reads while the network runs, two axes."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    try:
        net(x.clone())
    finally:
        hook.remove()
    return seen[0].flatten(1)


HINTS = (
    Hint(
        "I do not know where to begin",
        "Eight steps: 1×1 convolution (no bias), norm, h-swish; the mean over height and width;"
        " linear layer wide → head, h-swish, dropout of 0.2, linear layer head → num_classes.",
    ),
    Hint(
        "I get mat1 and mat2 shapes cannot be multiplied, or a map of the wrong size",
        "`x.mean((2, 3))` turns (N, wide, H, W) into (N, wide). It stands behind the first h-swish"
        " and before the first linear layer.",
    ),
    Hint(
        "My layers are right, my output is wrong",
        "`nn.Hardswish()` stands in two places, behind the norm and behind the first linear layer."
        " The last layer gives the scores, and nothing follows it.",
    ),
    Hint(
        "The check complains about dropout",
        "`nn.Dropout(0.2)` stands directly before the last linear layer. As a module it works in"
        " training only; nothing else in the stage is random.",
    ),
)
