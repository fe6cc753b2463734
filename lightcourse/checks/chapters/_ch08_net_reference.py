"""Exercise 08.net: the network itself, with switches for what learners get wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

Widths = Callable[[int, int, int, int], int]


class Reference(nn.Module):
    """SqueezeNet from rows; each keyword changes one thing."""

    def __init__(
        self,
        rows: list[tuple],
        num_classes: int,
        fire: Any,
        *,
        stem: Callable[[int], dict[str, Any]] = lambda k: {"stride": 2},
        stem_relu: bool = True,
        pool: Callable[[], nn.Module] = lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
        after: Widths = lambda c, s, e1, e3: e1 + e3,
        head_relu: bool = True,
        reduce: Callable[[Tensor], Tensor] = lambda y: y.mean((2, 3)),
        mean_first: bool = False,
        dropout_in_use: bool = False,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        blocks, channels = [], 3
        for kind, *sizes in rows:
            if kind == "conv":
                out, k = sizes
                conv = nn.Conv2d(channels, out, k, **stem(k))
                blocks.append(nn.Sequential(conv, nn.ReLU()) if stem_relu else conv)
                channels = out
            elif kind == "pool":
                blocks.append(pool())
            else:
                blocks.append(fire(channels, *sizes))
                channels = after(channels, *sizes)
        self.features = nn.Sequential(*blocks)
        last = nn.Conv2d(channels, classes or num_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(0.5), last)
        if head_relu:
            self.classifier.append(nn.ReLU())
        self.reduce, self.mean_first, self.always = reduce, mean_first, dropout_in_use

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, num_classes)."""
        x = self.features(x)
        if self.always:
            x = F.dropout(x, 0.5)
        if self.mean_first:
            return self.classifier(x.mean((2, 3), keepdim=True)).flatten(1)
        return self.reduce(self.classifier(x))
