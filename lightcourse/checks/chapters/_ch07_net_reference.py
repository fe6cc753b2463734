"""Exercise 07.net: the network itself, with switches for what learners get wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Loss = Callable[[list[Tensor], Tensor, float], Tensor]


def right_loss(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    """The classifier's loss, and a share of each head's."""
    main, *side = (F.cross_entropy(s, labels) for s in scores)
    return main + weight * sum(side)


class Reference(nn.Module):
    """A ResNet for CIFAR; each keyword changes one thing."""

    def __init__(
        self,
        n: int,
        num_classes: int,
        block: Any,
        *,
        stem: Callable[[], Sequence[nn.Module]] = lambda: (
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        ),
        widths: tuple[int, int, int] = (16, 32, 64),
        strides: Callable[[int, int, int], int] = lambda stage, i, n: 2 if stage and not i else 1,
        track: Callable[[int, int], bool] = lambda i, n: True,
        reduce: Callable[[Tensor], Tensor] = lambda y: y.mean((2, 3)),
        ends: tuple[int, int] = (16, 32),
        places: Callable[[int], tuple[int, int]] = lambda n: (n, 2 * n),
        loss: Loss = right_loss,
        weight: float = 0.3,
    ) -> None:  # fmt: skip
        super().__init__()
        blocks: list[nn.Module] = [nn.Sequential(*stem())]
        channels = 16
        for stage, width in enumerate(widths):
            for i in range(n):
                blocks.append(block(channels, width, strides(stage, i, n)))
                channels = width if track(i, n) else channels
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(widths[-1], num_classes)
        self.heads = nn.ModuleList([nn.Linear(c, num_classes) for c in ends])
        self.reduce, self.places = reduce, places(n)
        self.rule, self.weight = loss, weight

    def scores(self, x: Tensor) -> list[Tensor]:
        """What the classifier says, and behind it what the heads say."""
        side = []
        for place, block in enumerate(self.features):
            x = block(x)
            if place in self.places:
                head = self.heads[self.places.index(place)]
                side.append(head(self.reduce(x)))
        return [self.classifier(self.reduce(x)), *side]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, num_classes)."""
        return self.classifier(self.reduce(self.features(x)))

    def loss(self, x: Tensor, labels: Tensor, weight: float | None = None) -> Tensor:
        """The loss of a batch, ()."""
        return self.rule(self.scores(x), labels, self.weight if weight is None else weight)


def softmax_first(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    """Cross-entropy of shares instead of scores."""
    return right_loss([s.softmax(1) for s in scores], labels, weight)


def head_mean(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    main, *side = (F.cross_entropy(s, labels) for s in scores)
    return main + weight * torch.stack(side).mean()


def all_weighted(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    return weight * torch.stack([F.cross_entropy(s, labels) for s in scores]).sum()


def blended(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    main, *side = (F.cross_entropy(s, labels) for s in scores)
    return (1 - weight) * main + weight * sum(side)


def unweighted(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    return right_loss(scores, labels, 1.0)


def weight_fixed(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    """The weight that is given is not used."""
    return right_loss(scores, labels, 0.3)


def main_only(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    return right_loss(scores, labels, 0.0)


def scores_blended(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    """The scores are added before the loss."""
    main, *side = scores
    return F.cross_entropy(main + weight * sum(side), labels)


def summed(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    """The sum over the batch in place of the mean."""
    return len(labels) * right_loss(scores, labels, weight)


def first_head_only(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    return right_loss(scores[:2], labels, weight)


def last_head_only(scores: list[Tensor], labels: Tensor, weight: float) -> Tensor:
    return right_loss([scores[0], scores[2]], labels, weight)
