"""Exercise 07.net: laws on the block handed in, on training, and on what each loss reaches."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch07_laws import unlike_torch
from lightcourse.checks.exercise import Law
from lightcourse.nn import BasicBlock


class OtherBlock(BasicBlock):
    """A residual block that can be told from every other."""


def uses_block(cls: Any, rng: Random) -> str | None:
    """Every block is one of the class that is handed in."""
    net = cls(1, 4, OtherBlock)
    for i, item in enumerate(net.features):
        found = sum(isinstance(m, OtherBlock) for m in item.modules())
        if i and found != 1:
            return (
                f"features[{i}] is not made by the `block` that is handed in, but is"
                f" {type(item).__name__}. Call block(in_channels, out_channels, stride)."
            )
    return unlike_torch(net)


def _setting() -> tuple[Tensor, Tensor]:
    return torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 2, 3])


def trains(cls: Any, rng: Random) -> str | None:
    """In training mode forward gives the scores alone, and the loss reaches every parameter."""
    net = cls(1, 4, BasicBlock)
    net.train()
    x, labels = _setting()
    if not isinstance(net(x.clone()), Tensor):
        return "In training mode forward gives something else than the scores, one tensor."
    if not torch.equal(net(x.clone()), net(x.clone())):
        return (
            "In training two runs over the same pictures differ: is there a dropout? There is none."
        )
    loss = net.loss(x.clone(), labels, 0.3)
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        return "No gradient comes back from the loss: `detach`, `no_grad` and `.item()` cut it off."
    loss.backward()
    lost = [name for name, p in net.named_parameters() if p.grad is None]
    return f"{lost[0]} gets no gradient: the loss does not depend on it." if lost else None


def runs_once(cls: Any, rng: Random) -> str | None:
    """The loss leaves the mode as it is, and goes through every block once."""
    net = cls(1, 4, BasicBlock)
    x, labels = _setting()
    for mode in (False, True):
        net.train(mode)
        net.loss(x.clone(), labels, 0.3)
        if any(m.training != mode for m in net.modules()):
            return "`loss` calls self.eval() or self.train(). The mode is the caller's business."
    runs = [int(m.num_batches_tracked) for m in net.modules() if _counts(m)]
    if runs and max(runs) > 1:
        return (
            "In one call of `loss` some blocks run more than once. It costs as much again, and"
            " their batch norms count the pictures twice. Go through self.features once, and let"
            " the heads read on the way."
        )
    if runs and min(runs) == 0:
        return "In training `loss` runs batch norms as in eval mode: they see no batch."
    return None


def _counts(m: nn.Module) -> bool:
    return isinstance(m, nn.BatchNorm2d) and m.num_batches_tracked is not None


def each_reaches_back(cls: Any, rng: Random) -> str | None:
    """What the classifier and each head say trains all that is before it."""
    x, labels = _setting()
    for name in ("the classifier", "head 0", "head 1"):
        net = cls(1, 4, BasicBlock)
        net.eval()
        ends = {"the classifier": net.classifier, "head 0": net.heads[0], "head 1": net.heads[1]}
        for other, end in ends.items():
            if other != name:  # without weights nothing goes back through it
                nn.init.zeros_(end.weight)
        net.loss(x.clone(), labels, 0.3).backward()
        if not any(p.grad is not None and p.grad.any() for p in net.features[0].parameters()):
            return (
                f"What {name} says does not train the blocks before it: no gradient comes to the"
                " stem. Is a map detached on the way?"
            )
    return None


LAWS = (
    Law("the parts are those asked for", uses_block, hint=2),
    Law("the loss trains everything", trains, hint=4),
    Law("the loss runs each block once, in the mode it finds", runs_once, hint=4),
    Law("classifier and heads train what is before them", each_reaches_back, hint=4),
)
