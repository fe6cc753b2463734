"""Exercise 06.fold: cases and oracle, in float32, as a new ``nn.Conv2d`` is."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case

# sums of up to 60 products of float32; the mistakes are a thousand times larger
close = Compare(rtol=1e-4, atol=1e-4)


def cases(rng: Random) -> Iterator[Case]:
    yield _by_hand()
    yield _random_case(rng, 4, 4, 3, padding=1, label="3×3 convolution without bias")
    yield _random_case(rng, 4, 4, 1, bias=True, label="with a bias of its own")
    yield _random_case(rng, 3, 6, 3, bias=True, eps=0.1, label="a large eps")
    yield _random_case(rng, 3, 5, 3, spread=0.03, label="channels that hardly vary")
    yield _random_case(rng, 6, 6, 3, groups=6, padding=1, label="depthwise")
    yield _random_case(rng, 6, 4, 3, stride=2, padding=1, groups=2, label="two groups, stride 2")
    yield _random_case(rng, 2, 4, 3, padding=2, dilation=2, bias=True, label="dilation 2")
    for _ in range(4):
        groups = rng.choice((1, 2, 3))
        sizes = groups * rng.randint(1, 3), groups * rng.randint(1, 3), rng.choice((1, 3))
        settings = {"groups": groups, "bias": rng.random() < 0.5, "padding": rng.randint(0, 2)}
        yield _random_case(rng, *sizes, eps=rng.choice((1e-3, 0.05)), label="random", **settings)


def _by_hand() -> Case:
    """y = 2 x, then mean 5, variance 3 with eps 1, gamma 6, beta 10: together 6 x - 5."""
    conv = nn.Conv2d(1, 1, 1, bias=False)
    norm = nn.BatchNorm2d(1, eps=1.0).eval()
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        for tensor, value in (
            (conv.weight, 2),
            (norm.running_mean, 5),
            (norm.running_var, 3),
            (norm.weight, 6),
            (norm.bias, 10),
        ):
            tensor.fill_(value)
    x = torch.tensor([[[[0.0, 1.0, 2.0]]]])
    label = "weight 2, no bias; mean 5, variance 3, eps 1, gamma 6, beta 10; x is 0, 1, 2"
    return Case((conv, norm, x), {}, label)


def _random_case(
    rng: Random,
    c_in: int,
    c_out: int,
    k: int,
    *,
    eps: float = 1e-5,
    spread: float = 1.0,
    label: str = "",
    **settings: Any,
) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    settings.setdefault("bias", False)
    conv = nn.Conv2d(c_in, c_out, k, **settings)
    norm = nn.BatchNorm2d(c_out, eps=eps).eval()
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        for parameter in (*conv.parameters(), norm.weight, norm.bias):
            parameter.copy_(draw(*parameter.shape))
        norm.running_mean.copy_(draw(c_out))
        norm.running_var.copy_((draw(c_out).square() + 0.05) * spread)
    return Case((conv, norm, draw(2, c_in, 6, 7)), {}, label)


def call(fold: Any, case: Case) -> Any:
    """Fold, then run the new layer; something that is no convolution is handed back as it is."""
    conv, norm, x = case.args
    folded = fold(conv, norm)
    if not isinstance(folded, nn.Conv2d):
        return folded
    with torch.no_grad():
        return nn.Module.__call__(folded, x)


@torch.no_grad()
def oracle(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """The two layers one after the other: what the one layer has to equal."""
    return norm(conv(x))


def show(case: Case) -> str:
    """The layer as a person would tell it: only what is not as usual."""
    conv, norm, x = case.args
    usual = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    more = [f"{k}={getattr(conv, k)}" for k, v in usual.items() if getattr(conv, k) != v]
    more += [f"bias={conv.bias is not None}"]
    sizes = f"{conv.in_channels}, {conv.out_channels}, {conv.kernel_size[0]}"
    eps = f", eps={norm.eps:g}" if norm.eps != 1e-5 else ""
    both = f"Conv2d({sizes}, {', '.join(more)}), BatchNorm2d({norm.num_features}{eps})"
    return f"fold({both})(x), x {tuple(x.shape)}"
