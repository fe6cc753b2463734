"""Stand-ins for tests of experiments: tiny data, tiny networks, and training that takes no time."""

import hashlib
import os
from types import SimpleNamespace

import torch
from torch import nn

SIDE = 8


def splits(seed: int = 0):
    """Two classes of noise, 3 × 8 × 8, as `load` would give them."""
    draw = torch.Generator().manual_seed(seed)

    def part(n: int):
        return SimpleNamespace(
            images=torch.randint(0, 256, (n, 3, SIDE, SIDE), generator=draw, dtype=torch.uint8),
            labels=torch.arange(n) % 2,
            classes=("a", "b"),
            name="noise",
        )

    return SimpleNamespace(train=part(20), test=part(10))


def net(width: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.Flatten(), nn.Linear(width * 36, 2))


class Narrow(nn.Sequential):
    """The same layers under another name, so that two variants are two."""

    def __init__(self, width: int = 4) -> None:
        super().__init__(*net(width))


def sums(model, splits, seed, lr=0.1):
    """A score that depends on everything a run is made of, and on nothing else."""
    weights = sum(float(p.detach().double().sum()) for p in model.parameters())
    pixels = int(splits.train.images.sum())
    text = f"{weights:.6f} {pixels} {seed} {lr} {torch.rand(1).item():.6f}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:6], 16) / 16**6


def wide_wins(model, splits, seed):
    """Wider networks score higher, and seeds differ a little."""
    return 0.5 + model[0].out_channels / 100 + (seed % 3) / 1000


def dies(model, splits, seed):
    """Networks of width 5 take their process down with them."""
    if model[0].out_channels == 5:
        os._exit(7)
    return 0.5
