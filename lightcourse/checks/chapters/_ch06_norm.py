"""Exercise 06.batchnorm: cases, oracle, laws, and the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference
from lightcourse.checks.located import located
from lightcourse.checks.pictures import beside


def cases(rng: Random) -> Iterator[Case]:
    small = torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]], dtype=torch.float64)
    probe = torch.tensor([[[[0.0, 10.0]]]], dtype=torch.float64)
    plain = (torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    yield Case(([small], probe, *plain), {}, "one channel with the values 1, 3, 5, 7; then eval")
    scaled = (2 * plain[0], 1 + plain[1])
    settings = {"eps": 4.0, "momentum": 0.5}
    yield Case(([small], probe, *scaled), settings, "the same with gamma 2, beta 1 and a large eps")
    yield _random_case(rng, 2, 3, 4, [4], 1e-5, 0.1)
    yield _random_case(rng, 3, 2, 3, [2, 5, 3], 0.1, 0.3)
    yield _random_case(rng, 3, 1, 1, [4, 4], 0.01, 0.2)
    for _ in range(3):
        batches = [rng.randint(2, 6) for _ in range(rng.randint(1, 3))]
        sides = rng.randint(1, 4), rng.randint(2, 5)
        eps, momentum = rng.choice((1e-3, 0.05, 0.2)), rng.choice((0.05, 0.2, 0.4))
        yield _random_case(rng, rng.randint(2, 5), *sides, batches, eps, momentum)


def _random_case(
    rng: Random, c: int, h: int, w: int, batches: list[int], eps: float, momentum: float
) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    spread, level = draw(1, c, 1, 1).exp(), 3 * draw(1, c, 1, 1)
    train = [level + spread * (draw(n, c, h, w) + draw(n, 1, 1, 1)) for n in batches]
    probe = level + spread * draw(2, c, h, w)
    label = f"{len(batches)} training batch{'es' * (len(batches) > 1)} of {c} channels, then eval"
    return Case((train, probe, draw(c), draw(c)), {"eps": eps, "momentum": momentum}, label)


def show(case: Case) -> str:
    """The call as a person would tell it; small pictures with their values."""
    train, probe, gamma, _ = case.args
    more = "".join(f", {name}={value:g}" for name, value in case.kwargs.items())
    shapes = " and ".join(map(_small, train))
    return f"BatchNorm({len(gamma)}{more}): train on {shapes}, then eval on {_small(probe)}"


def _small(x: Tensor) -> str:
    """Up to 8 values in one line, of more the shape."""
    if x.numel() > 8:
        return f"shape {tuple(x.shape)}"
    return "[" + ", ".join(f"{value:.5g}" for value in x.flatten().tolist()) + "]"


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answers:
    """What came out and what is kept, by name; printed with one name in a line."""

    named: dict[str, Tensor]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {_small(x)}" for name, x in self.named.items())


_close = located(Compare(rtol=1e-6, atol=1e-8))


def compare(got: Any, want: Answers) -> Difference | None:
    """The first of the answers that differs; a run that gave none is of the wrong type."""
    if not isinstance(got, Answers):
        return Difference("type", f"it is {kind_of(got)}, wanted a tensor")
    return _close(got.named, want.named)


def picture(case: Case, got: Any, want: Any) -> str:
    """The first of the four answers that differs, target beside yours."""
    for name, target in want.named.items():
        if _close(got.named[name], target) is not None:
            drawn = beside(got.named[name], target)
            return f"<p>{name}</p>{drawn}" if drawn else ""
    return ""


def run(layer: nn.Module, train: list[Tensor], probe: Tensor) -> Answers | None:
    """Train on each batch, then evaluate; what came out, and what is kept at the end."""
    layer.train()
    outputs = [layer(x) for x in train]
    layer.eval()
    evaluated = layer(probe)
    if evaluated is None or outputs[-1] is None:
        return None
    kept: Any = layer
    return Answers(
        {
            "output in train mode": outputs[-1],
            "running_mean": kept.running_mean,
            "running_var": kept.running_var,
            "output in eval mode": evaluated,
        }
    )


def call(cls: Any, case: Case) -> Any:
    """Build the learner's layer, give it gamma and beta, and run it."""
    train, probe, gamma, beta = case.args
    layer = cls(len(gamma), **case.kwargs).double()
    with torch.no_grad():
        layer.gamma.copy_(gamma)
        layer.beta.copy_(beta)
    return run(layer, train, probe)


def oracle(
    train: list[Tensor],
    probe: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> Any:
    layer = nn.BatchNorm2d(len(gamma), eps=eps, momentum=momentum).double()
    with torch.no_grad():
        layer.weight.copy_(gamma)
        layer.bias.copy_(beta)
    return run(layer, train, probe)


def no_history(cls: Any, rng: Random) -> str | None:
    """The running statistics must not carry the graph of every batch they have seen."""
    layer = cls(2)
    layer.train()
    layer(torch.randn(3, 2, 2, 2, requires_grad=True))
    for name in ("running_mean", "running_var"):
        if getattr(layer, name).requires_grad:
            return (
                f"{name} carries a gradient history. Memory would grow with every batch. Update"
                " the running statistics inside `with torch.no_grad():`."
            )
    return None


def saved(cls: Any, rng: Random) -> str | None:
    """The running statistics are saved with the model."""
    layer = cls(2)
    layer.train()
    layer(torch.randn(3, 2, 2, 2))
    state = layer.state_dict()
    for name in ("running_mean", "running_var"):
        if name not in state or not torch.equal(state[name], getattr(layer, name)):
            return (
                f"{name} is not in `state_dict()`, so a saved model would forget it. Leave the"
                " `register_buffer` lines in `__init__` as they are."
            )
    return None


def differentiable(cls: Any, rng: Random) -> str | None:
    """In train mode the mean and the variance depend on x, and the gradient must know."""
    x = torch.randn(4, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    grads = []
    for layer in (cls(2).double(), nn.BatchNorm2d(2).double()):
        layer.train()
        (grad,) = torch.autograd.grad((layer(x) * weight).sum(), x)
        grads.append(grad)
    if not torch.allclose(*grads, rtol=1e-6, atol=1e-9):
        return (
            "The output is right, the gradient with respect to x is not. The mean and variance of"
            " the batch are part of the computation: keep them out of `no_grad` and `detach`."
        )
    return None
