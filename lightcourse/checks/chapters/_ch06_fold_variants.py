"""Exercise 06.fold: the folded layer with one step changed, for each known mistake."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch06_fold import close
from lightcourse.checks.exercise import Outcome


def variant(
    root: Callable[[Tensor, float], Tensor] = lambda var, eps: (var + eps).sqrt(),
    shift: Callable[..., Tensor] = lambda b, beta, mean, scale: beta + (b - mean) * scale,
    gamma: bool = True,
    axis: int = 0,
    weight: bool = True,
) -> Callable[..., Tensor]:
    """The folded layer with one step changed."""

    @torch.no_grad()
    def wrong(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
        assert norm.running_mean is not None and norm.running_var is not None
        scale = (norm.weight if gamma else 1) / root(norm.running_var, norm.eps)
        own = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
        bias = shift(own, norm.bias, norm.running_mean, scale)
        w = conv.weight * scale.view(-1, 1, 1, 1).transpose(0, axis) if weight else conv.weight
        return _with(conv, w, bias)(x)

    return wrong


def _with(conv: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    changed = copy.deepcopy(conv)
    changed.weight, changed.bias = nn.Parameter(weight), nn.Parameter(bias)
    return changed


def _parts(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The scale and the bias as they should be."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    own = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
    return scale, norm.bias + (own - norm.running_mean) * scale


@torch.no_grad()
def scale_flat(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """weight * scale, so that the scale meets the last axis, the columns of the kernel."""
    scale, bias = _parts(conv, norm)
    return _with(conv, conv.weight * scale, bias)(x)


@torch.no_grad()
def scale_flat_copied(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    scale, bias = _parts(conv, norm)
    return _with(conv, torch.empty_like(conv.weight).copy_(conv.weight * scale), bias)(x)


@torch.no_grad()
def gamma_twice(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    scale, bias = _parts(conv, norm)
    twice = norm.bias + (bias - norm.bias) * norm.weight
    return _with(conv, conv.weight * scale.view(-1, 1, 1, 1), twice)(x)


@torch.no_grad()
def bias_not_set(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """A new layer draws its weight and then its bias; the check fixes the seed."""
    side = conv.kernel_size[0]
    new = nn.Conv2d(conv.in_channels, conv.out_channels, side, groups=conv.groups)
    assert new.bias is not None
    weight = conv.weight * _parts(conv, norm)[0].view(-1, 1, 1, 1)
    return _with(conv, weight, new.bias)(x)


def groups_lost(outcome: Outcome) -> bool:
    """The new weight does not fit the input, the old not the new, or it was spread silently."""
    conv, norm, x = outcome.case.args
    said = str(outcome.error)
    if conv.groups == 1:
        return False
    if "groups=1, weight of size" in said or "at non-singleton dimension 1" in said:
        return True
    if conv.weight.shape[1] > 1:
        return False
    scale, bias = _parts(conv, norm)
    weight = (conv.weight * scale.view(-1, 1, 1, 1)).expand(-1, conv.in_channels, -1, -1)
    spread = torch.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation)
    return close(outcome.got, spread) is None


def other_size(outcome: Outcome) -> bool:
    return outcome.difference is not None and outcome.difference.kind == "shape"
