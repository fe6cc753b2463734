"""Exercise 06.shuffle: cases, oracle, law."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.exercise import Case


def numbered(channels: int, batch: int = 1, height: int = 1, width: int = 1) -> Tensor:
    """Channel c holds the value c; image i and pixel k add i·100 and k/100, so all differ."""
    x = torch.arange(channels, dtype=torch.float32).view(1, channels, 1, 1)
    image = 100.0 * torch.arange(batch).view(batch, 1, 1, 1)
    pixel = torch.arange(height * width).view(1, 1, height, width) / 100
    return x + image + pixel


def cases(rng: Random) -> Iterator[Case]:
    yield Case((numbered(6), 2), {}, "6 channels in 2 groups")
    yield Case((numbered(12), 3), {}, "12 channels in 3 groups")
    yield Case((numbered(6), 2), {"undo": True}, "undo, 6 channels in 2 groups")
    yield Case((numbered(9), 3), {}, "9 channels in 3 groups: as many groups as channels in each")
    yield Case((numbered(8, batch=3, width=2), 2), {}, "a batch of 3 images")
    yield Case((numbered(6, 2, 2, 3), 3), {}, "images of 2 × 3 pixels")
    strided = numbered(8, 2, 2, 2).contiguous(memory_format=torch.channels_last)
    yield Case((strided, 4), {}, "memory in channels-last order")
    for undo in (False, True):
        for _ in range(4):
            groups, each = rng.randint(2, 6), rng.randint(2, 6)
            shape = (rng.randint(1, 3), groups * each, rng.randint(1, 4), rng.randint(1, 4))
            x = torch.rand(shape, generator=torch.Generator().manual_seed(rng.getrandbits(32)))
            yield Case((x, groups), {"undo": undo})


def oracle(x: Tensor, groups: int, undo: bool = False) -> Tensor:
    """torch's own operator; the inverse by sorting the positions that it gives."""
    if not undo:
        return torch.channel_shuffle(x, groups)
    places = torch.arange(x.shape[1], dtype=torch.float32).view(1, -1, 1, 1)
    return x[:, torch.channel_shuffle(places, groups).flatten().argsort()]


def round_trip(shuffle: Any, rng: Random) -> str | None:
    """Shuffle, then undo, gives the input back."""
    for _ in range(5):
        groups, each = rng.randint(1, 8), rng.randint(1, 8)
        x = numbered(groups * each, batch=2, width=2)
        if not torch.equal(shuffle(shuffle(x, groups), groups, undo=True), x):
            return f"Shuffle and undo do not give back {groups * each} channels in {groups} groups."
    return None


def show(case: Case) -> str:
    x, groups = case.args
    undo = ", undo=True" if case.kwargs.get("undo") else ""
    return f"channel_shuffle(x, {groups}{undo})  with x of shape {tuple(x.shape)}"
