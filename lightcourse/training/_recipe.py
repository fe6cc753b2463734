"""Optimizers and learning-rate schedules by name: the part of a recipe that is pure arithmetic."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn, optim
from torch.optim.swa_utils import AveragedModel

if TYPE_CHECKING:
    from lightcourse.training._settings import Settings


def _adamw(groups: list[dict], settings: "Settings") -> optim.Optimizer:
    return optim.AdamW(groups, lr=settings.lr, betas=(settings.momentum, 0.99), foreach=True)


def _sgd(groups: list[dict], settings: "Settings") -> optim.Optimizer:
    nesterov = settings.momentum > 0
    return optim.SGD(
        groups, lr=settings.lr, momentum=settings.momentum, nesterov=nesterov, foreach=True
    )


OPTIMIZERS: dict[str, Callable[[list[dict], Any], optim.Optimizer]] = {
    "adamw": _adamw,
    "sgd": _sgd,
}

# share of the way down (0 to 1) -> share of the highest rate
SCHEDULES: dict[str, Callable[[float], float]] = {
    "onecycle": lambda down: 1.0 - down,
    "cosine": lambda down: 0.5 * (1.0 + math.cos(math.pi * down)),
    "constant": lambda down: 1.0,
}


def make_optimizer(model: nn.Module, settings: "Settings") -> optim.Optimizer:
    """Build the optimizer; weights decay, norms and biases do not.

    A norm's scale is meant to be about 1 and a bias to be anywhere: pulling them to zero
    (weight decay) fights what they are for. Both are vectors, so the shape tells them apart.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[settings.optimizer]([g for g in groups if g["params"]], settings)


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """Build a copy of the model that follows the mean of its weights and batch statistics."""

    def follow(mean: Tensor, new: Tensor, _steps: Any) -> Tensor:
        return mean.lerp(new, 1.0 - decay) if mean.is_floating_point() else new  # counters: copied

    return AveragedModel(model, avg_fn=follow, use_buffers=True)


def learning_rate(settings: "Settings", step: int, steps: int) -> float:
    """Return the rate of a step (0 to steps - 1): up to `lr` for the share `warmup`, then down.

    >>> from types import SimpleNamespace
    >>> recipe = SimpleNamespace(lr=1.0, warmup=0.5, schedule="onecycle")
    >>> [learning_rate(recipe, step, 4) for step in range(4)]
    [0.25, 0.75, 0.75, 0.25]
    """
    done = (step + 0.5) / steps  # the middle of the step: never quite 0, never quite 1
    if done < settings.warmup:
        return settings.lr * done / settings.warmup
    down = (done - settings.warmup) / (1.0 - settings.warmup)
    return settings.lr * SCHEDULES[settings.schedule](down)
