"""Exercise 08.net: the law that dropout works in training, before the last convolution only."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.nn import Fire

MISSING = (
    "In training mode the last convolution reads all features: the dropout of 0.5 before it is"
    " missing, or stands behind it."
)


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Run:
    """One pass: what the blocks give out, what the last convolution reads, and the scores."""

    features: Tensor
    read: Tensor
    last: nn.Conv2d
    scores: Tensor


def drops(cls: Any, rng: Random) -> str | None:
    """In training half of the features are dropped before the last convolution, nothing else."""
    net = cls([("conv", 8, 3), ("pool",), ("fire", 4, 16, 16)], 6, Fire)
    for p in net.parameters():
        nn.init.uniform_(p, 0.01, 0.1)  # nothing dies in a ReLU
    x = torch.rand(1, 3, 25, 25)
    with torch.no_grad():
        calm = _watch(net.eval(), x)
        first, second = _watch(net.train(), x), _watch(net, x)
        if calm is None or first is None or second is None:
            return MISSING if torch.equal(net(x.clone()), net(x.clone())) else None
        if not torch.allclose(first.features, second.features):
            return (
                "In training mode the features of the same picture differ from run to run. Only"
                " what the last convolution reads is dropped; nothing before it is random."
            )
        return _half_dropped(first, calm) or _calm_behind(first)


def _watch(net: nn.Module, x: Tensor) -> Run | None:
    """Run the network, and look at both sides of the dropout; None if no convolution is called."""
    seen: dict[str, Any] = {}

    def features(block: nn.Module, args: tuple, output: Tensor) -> None:
        seen["features"] = output.clone()

    def read(conv: nn.Module, args: tuple) -> None:
        seen["last"], seen["read"] = conv, args[0].clone()

    handles = [net.features[-1].register_forward_hook(features)]  # pyright: ignore
    head = [m for m in net.classifier.modules() if isinstance(m, nn.Conv2d)]  # pyright: ignore
    handles += [conv.register_forward_pre_hook(read) for conv in head]
    scores = net(x.clone())
    for handle in handles:
        handle.remove()
    return Run(scores=scores, **seen) if len(seen) == 3 else None


def _half_dropped(train: Run, calm: Run) -> str | None:
    """Number by number, half of what the last convolution reads is zero."""
    gone = (train.read == 0) & (calm.read != 0)
    share = gone.float().mean().item()
    if share == 0:
        return MISSING
    whole = gone.float().mean((0, 2, 3))
    if bool(((whole == 0) | (whole == 1)).all()):
        return (
            "In training mode whole channels are dropped. Wanted is `nn.Dropout`, which drops"
            " number by number."
        )
    if abs(share - 0.5) > 0.1:
        return (
            f"In training mode about {100 * share:.0f} % of what the last convolution reads is"
            " dropped. Wanted is a dropout of 0.5, which drops half."
        )
    if not torch.allclose(train.read[~gone], 2 * calm.read[~gone], rtol=1e-4):
        return "What dropout keeps is doubled, so that the mean stays. Yours is not."
    return None


def _calm_behind(train: Run) -> str | None:
    """The scores follow from what the last convolution reads: nothing else is dropped."""
    want = F.relu(F.conv2d(train.read, train.last.weight, train.last.bias)).mean((2, 3))
    if torch.allclose(train.scores, want, rtol=1e-4):
        return None
    return (
        "In training mode something is dropped behind the last convolution too. There is one"
        " dropout, before it."
    )
