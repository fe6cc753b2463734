"""Exercise 06.batchnorm: one batch norm with a switch for each known mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch06_norm import run


class Variant(nn.Module):
    """Batch norm with one step changed; the switches are the mistakes."""

    def __init__(self, gamma: Tensor, beta: Tensor, eps: float, momentum: float, **switches: Any):
        super().__init__()
        self.gamma, self.beta, self.eps, self.momentum = gamma, beta, eps, momentum
        self.running_mean = torch.zeros_like(gamma)
        self.running_var = torch.ones_like(gamma)
        self.switches = switches

    def forward(self, x: Tensor) -> Tensor:
        before = self.running_mean, self.running_var
        training = self.training != bool(self.switches.get("inverted"))
        if training or self.switches.get("updates_in_eval"):
            self._keep(x)
        after = self.running_mean, self.running_var
        kept = before if self.switches.get("uses_before") else after
        mean, var = self._statistics(x, [s.view(1, -1, 1, 1) for s in kept], training)
        return self._scaled((x - mean) / self._root(var))

    def _root(self, var: Tensor) -> Tensor:
        root = self.switches.get("root", lambda v, eps: (v + eps).sqrt())
        return root(var, self.switches.get("fixed_eps", self.eps))

    def _scaled(self, normal: Tensor) -> Tensor:
        if not self.switches.get("no_gamma"):
            normal = normal * self.gamma.view(1, -1, 1, 1)
        return normal if self.switches.get("no_beta") else normal + self.beta.view(1, -1, 1, 1)

    def _statistics(self, x: Tensor, kept: list[Tensor], training: bool) -> list[Tensor]:
        """The mean and the variance to normalise with."""
        get = self.switches.get
        if get("kept_in_training" if training else "kept_in_eval", not training):
            return [kept[0], x.var((0, 2, 3), keepdim=True)] if get("always_own_var") else kept
        axes = get("axes", (0, 2, 3))
        correction = 1 if get("unbiased_output") else 0
        return [x.mean(axes, keepdim=True), x.var(axes, correction=correction, keepdim=True)]

    def _keep(self, x: Tensor) -> None:
        get = self.switches.get
        if get("never_kept"):
            return
        share = get("fixed_momentum", self.momentum)
        old, new = (share, 1 - share) if get("reversed") else (1 - share, share)
        old, new = get("shares", lambda old, new: (old, new))(old, new)
        axes = get("kept_axes", (0, 2, 3))
        mean, var = x.mean(axes), x.var(axes, correction=0 if get("biased_kept") else 1)
        var = var.sqrt() if get("keeps_std") else var
        self.running_mean = old * self.running_mean + new * mean
        self.running_var = old * self.running_var + new * var


def mimic(**switches: Any) -> Callable[..., Any]:
    def wrong(
        train: list[Tensor],
        probe: Tensor,
        gamma: Tensor,
        beta: Tensor,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> Any:
        return run(Variant(gamma, beta, eps, momentum, **switches), train, probe)

    return wrong
