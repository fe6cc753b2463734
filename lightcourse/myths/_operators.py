"""Demonstrations about activations, shuffles and norms (chapters 06, 12 and 13)."""

import torch
from torch import nn
from torch.nn import functional as F

from lightcourse.myths import Demonstration
from lightcourse.myths._tools import shown
from lightcourse.nn import channel_shuffle


def myth_32() -> Demonstration:
    """How far h-swish lies from swish, and what eight bits make of both."""
    x = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    gap = (F.hardswish(x) - F.silu(x)).abs()
    at = float(x[gap.argmax()].abs())
    lost = {}
    for name, act in (("ReLU6", F.relu6), ("h-swish", F.hardswish)):
        y = act(x)
        step = float(y.max() - y.min()) / 255
        lost[name] = float((torch.round(y / step) * step - y).abs().max())
    return shown(
        abs(float(gap.max()) - 0.1422776195) < 1e-6
        and abs(at - 3) < 1e-3
        and min(lost.values()) > 0,
        ("largest distance from swish", f"{float(gap.max()):.4f}, at |x| = {at:.2f}"),
        ("largest error of its outputs in int8", f"{lost['h-swish']:.4f}"),
        ("that of ReLU6, whose range ends at 6", f"{lost['ReLU6']:.4f}"),
    )


def myth_34() -> Demonstration:
    """Both orders of the reshape, and for which C and g they agree."""

    def other(x: torch.Tensor, groups: int) -> torch.Tensor:
        n, c, h, w = x.shape
        return x.view(n, c // groups, groups, h, w).transpose(1, 2).reshape(n, c, h, w)

    x = torch.arange(12.0).view(1, 12, 1, 1)
    paper, widespread = channel_shuffle(x, 3), other(x, 3)
    inverse = bool(torch.equal(other(paper, 3), x))
    equal = []
    for c in range(1, 37):
        y = torch.arange(float(c)).view(1, c, 1, 1)
        equal += [
            (c, g)
            for g in range(2, c)
            if c % g == 0 and torch.equal(channel_shuffle(y, g), other(y, g))
        ]
    return shown(
        inverse and all(c == g * g for c, g in equal) and len(equal) == 5,
        ("paper, C = 12, g = 3", paper.flatten().int().tolist()),
        ("the other order", widespread.flatten().int().tolist()),
        ("it undoes the paper's", inverse),
        ("equal up to C = 36, with 1 < g < C, only for (C, g)", equal),
    )


def myth_41() -> Demonstration:
    """A skewed channel before and after batch norm: mean, deviation, skewness."""
    values = torch.empty(64, 1, 32, 32, dtype=torch.float64)
    values.exponential_(generator=torch.Generator().manual_seed(0))
    out = nn.BatchNorm2d(1, affine=False, eps=1e-12).double()(values)

    def skewness(t: torch.Tensor) -> float:
        return float(((t - t.mean()) / t.std()).pow(3).mean())

    before, after = skewness(values), skewness(out)
    return shown(
        abs(before - after) < 1e-3 and after > 1.5 and abs(float(out.mean())) < 1e-9,
        ("mean, deviation before", f"{float(values.mean()):.2f}, {float(values.std()):.2f}"),
        ("mean, deviation after", f"{abs(float(out.mean())):.2f}, {float(out.std()):.2f}"),
        ("skewness before", f"{before:.2f}"),
        ("skewness after (a normal distribution has 0)", f"{after:.2f}"),
    )
