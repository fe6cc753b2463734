"""Chapter 07's laws of a module: its input stays, its norms are torch's, everything learns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.exercise import Law

Trials = Callable[[Any], Iterator[tuple[nn.Module, Tensor]]]


def laws(trials: Trials) -> tuple[Law, ...]:
    """The three laws of an exercise; `trials(cls)` gives fresh modules, each with an input."""
    named = (
        ("the input stays as it was", changed),
        ("the batch norms are as torch makes them", unlike_torch),
        ("every parameter learns, and nothing is left to chance", unlearned),
    )
    return tuple(Law(name, _over(trials, complaint), hint=1) for name, complaint in named)


def _over(trials: Trials, complaint: Callable[[nn.Module, Tensor], str | None]) -> Any:
    def holds(cls: Any, _: Random) -> str | None:
        said = (complaint(module, x) for module, x in trials(cls))
        return next((text for text in said if text), None)

    return holds


def changed(module: nn.Module, x: Tensor) -> str | None:
    """The complaint about an input that is written over; None where it stays."""
    given = x.clone()
    with torch.no_grad():
        module.eval()(given)
    if torch.equal(given, x):
        return None
    return (
        "The output is right, but forward writes over its input, and others still need it."
        " `y += …` changes y itself, and after nn.Identity() y *is* x; `relu_` and `inplace=True`"
        " do the same. Write `y = y + …`."
    )


def unlike_torch(module: nn.Module, x: Tensor | None = None) -> str | None:
    """The complaint about a norm with a momentum of its own; None without one."""
    for name, norm in module.named_modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.momentum != 0.1:
            return (
                f"{name} has momentum {norm.momentum}. Nobody asked for that; give nn.BatchNorm2d"
                " the channels alone."
            )
    return None


def unlearned(module: nn.Module, x: Tensor) -> str | None:
    """The complaint about chance in training, or a parameter without gradient; None without one."""
    module.train()
    y = module(x.clone())
    if not isinstance(y, Tensor) or not y.requires_grad:
        return "No gradient comes back: `detach`, `no_grad` and `.data` cut it off."
    if not torch.equal(y, module(x.clone())):
        return (
            "In training two runs over the same picture differ: is there a dropout? There is none."
        )
    try:
        y.square().sum().backward()
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        return (
            "The way back fails: forward writes over a map (`+=`, `relu_`, `inplace=True`) that the"
            " gradient still needs."
        )
    lost = [name for name, p in module.named_parameters() if p.grad is None]
    return f"{lost[0]} gets no gradient: nothing in forward depends on it." if lost else None
