"""Exercise 06.batchnorm: known mistakes, each a switch of one wrong layer, and hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch06_norm import run
from lightcourse.checks.exercise import Hint, Mistake


class _Variant(nn.Module):
    """Batch norm with one step changed; the switches are the mistakes."""

    def __init__(self, gamma: Tensor, beta: Tensor, eps: float, momentum: float, **switches: Any):
        super().__init__()
        self.gamma, self.beta, self.eps, self.momentum = gamma, beta, eps, momentum
        self.running_mean = torch.zeros_like(gamma)
        self.running_var = torch.ones_like(gamma)
        self.switches = switches

    def forward(self, x: Tensor) -> Tensor:
        before = self.running_mean, self.running_var
        if self.training or self.switches.get("updates_in_eval"):
            self._keep(x)
        after = self.running_mean, self.running_var
        kept = before if self.switches.get("uses_before") else after
        mean, var = self._statistics(x, [s.view(1, -1, 1, 1) for s in kept])
        root = self.switches.get("root", lambda v, eps: (v + eps).sqrt())
        normal = (x - mean) / root(var, self.eps)
        if self.switches.get("no_affine"):
            return normal
        return normal * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)

    def _statistics(self, x: Tensor, kept: list[Tensor]) -> list[Tensor]:
        """The mean and the variance to normalise with."""
        get = self.switches.get
        if get("kept_in_training" if self.training else "kept_in_eval", not self.training):
            return kept
        axes = get("axes", (0, 2, 3))
        correction = 1 if get("unbiased_output") else 0
        return [x.mean(axes, keepdim=True), x.var(axes, correction=correction, keepdim=True)]

    def _keep(self, x: Tensor) -> None:
        get = self.switches.get
        if get("never_kept"):
            return
        share = 1 - self.momentum if get("reversed") else self.momentum
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0 if get("biased_kept") else 1)
        var = var.sqrt() if get("keeps_std") else var
        self.running_mean = (1 - share) * self.running_mean + share * mean
        self.running_var = (1 - share) * self.running_var + share * var


def _mimic(**switches: Any) -> Callable[..., Any]:
    def wrong(
        train: list[Tensor],
        probe: Tensor,
        gamma: Tensor,
        beta: Tensor,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> Any:
        return run(_Variant(gamma, beta, eps, momentum, **switches), train, probe)

    return wrong


MISTAKES = (
    Mistake(
        "running-used-in-training",
        "In train mode you normalise with the running statistics. Training uses the statistics of"
        " the batch at hand; the running ones are only collected, for later.",
        mimic=_mimic(kept_in_training=True),
        hint=1,
    ),
    Mistake(
        "running-used-in-training",
        "In train mode you normalise with the running statistics. Training uses the statistics of"
        " the batch at hand; the running ones are only collected, for later.",
        mimic=_mimic(kept_in_training=True, uses_before=True),
        hint=1,
    ),
    Mistake(
        "batch-used-in-eval",
        "In eval mode you still normalise with the batch. Then the answer for a picture would"
        " depend on its neighbours in the batch. Ask `self.training`.",
        mimic=_mimic(kept_in_eval=False),
        hint=1,
    ),
    Mistake(
        "updates-in-eval",
        "You go on collecting statistics in eval mode: looking at test pictures changes the layer.",
        mimic=_mimic(updates_in_eval=True),
        hint=1,
    ),
    Mistake(
        "never-kept",
        "The running statistics never change. Update both in train mode.",
        mimic=_mimic(never_kept=True),
        hint=4,
    ),
    Mistake(
        "axes-per-pixel",
        "You average over the batch only, so every pixel has its own mean. A channel's statistics"
        " are taken over the batch and all pixels: axes 0, 2 and 3.",
        mimic=_mimic(axes=(0,)),
        hint=2,
    ),
    Mistake(
        "axes-per-image",
        "You average over the pixels of each image alone. That is instance norm. Batch norm takes"
        " the whole batch together: axes 0, 2 and 3.",
        mimic=_mimic(axes=(2, 3)),
        hint=2,
    ),
    Mistake(
        "axes-all",
        "You average over everything, channels included. Each channel has its own statistics: leave"
        " axis 1 out.",
        mimic=_mimic(axes=(0, 1, 2, 3)),
        hint=2,
    ),
    Mistake(
        "variances-swapped",
        "You have the two variances the wrong way round: normalise with the biased one (divide by"
        " n), keep the unbiased one (divide by n − 1).",
        mimic=_mimic(unbiased_output=True, biased_kept=True),
        hint=3,
    ),
    Mistake(
        "unbiased-in-output",
        "You normalise with the unbiased variance. `x.var(…)` divides by n − 1 unless you say"
        " `correction=0`; the batch itself is normalised with n.",
        mimic=_mimic(unbiased_output=True),
        hint=3,
    ),
    Mistake(
        "biased-kept",
        "The output is right. What you keep in `running_var` is the biased variance; PyTorch keeps"
        " the unbiased one, the better guess for pictures not yet seen.",
        mimic=_mimic(biased_kept=True),
        hint=3,
    ),
    Mistake(
        "momentum-reversed",
        "Your momentum is the wrong way round. In PyTorch it is the weight of the **new** value:"
        " 0.1 keeps nine tenths of the old one.",
        mimic=_mimic(reversed=True),
        hint=4,
    ),
    Mistake(
        "eps-outside",
        "You add eps outside the root. The formula is sqrt(var + eps).",
        mimic=_mimic(root=lambda var, eps: var.sqrt() + eps),
        hint=3,
    ),
    Mistake(
        "eps-forgotten",
        "eps is missing under the root. It keeps a channel that never changes from dividing by 0.",
        mimic=_mimic(root=lambda var, eps: var.sqrt()),
        hint=3,
    ),
    Mistake(
        "root-forgotten",
        "You divide by the variance. The spread of the values is its root.",
        mimic=_mimic(root=lambda var, eps: var + eps),
        hint=3,
    ),
    Mistake(
        "keeps-std",
        "You keep the standard deviation in `running_var`. It must hold the variance.",
        mimic=_mimic(keeps_std=True),
        hint=3,
    ),
    Mistake(
        "affine-forgotten",
        "You stop after the normalisation. Multiply by gamma and add beta, channel by channel.",
        mimic=_mimic(no_affine=True),
        hint=1,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Write it in this order. 1: in train mode, take mean and variance of the batch, and update"
        " the running ones. 2: in eval mode, take the running ones. 3: in both modes, subtract the"
        " mean, divide by the root of variance plus eps, multiply by gamma, add beta.",
    ),
    Hint(
        "I get RuntimeError about sizes, or every pixel has its own mean",
        "The statistics have the shape (C,), and x has (N, C, H, W). Average over the axes"
        " `(0, 2, 3)`. Before you combine them with x, turn each into `(1, C, 1, 1)`, for"
        " example with `[None, :, None, None]`.",
    ),
    Hint(
        "The output is nearly right, or running_var is a little off",
        "Two variances. The batch is normalised with the biased one, `x.var(axes, correction=0)`."
        " `running_var` keeps the unbiased one, `correction=1`. For the values 1, 3, 5, 7 they"
        " are 5 and 6.667. And eps stands under the root, beside the variance.",
    ),
    Hint(
        "running_mean or running_var is wrong",
        "new = (1 − momentum) · old + momentum · batch. `running_mean` starts at 0: after one"
        " batch with the mean 4 and momentum 0.1 it is 0.4. Do it inside `with torch.no_grad():`,"
        " and only when `self.training` is true.",
    ),
)
