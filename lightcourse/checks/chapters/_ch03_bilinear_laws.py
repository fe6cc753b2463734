"""Exercise 03.bilinear: what holds for every right answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import torch

from lightcourse.checks.banned import uses
from lightcourse.checks.chapters._ch03_bilinear import draw
from lightcourse.checks.exercise import Law

TORCHS = ("upsample", "grid_sampler")


def _own(bilinear: Callable, rng: Random) -> str | None:
    x = draw(rng, 1, 2, 3, 4)
    if uses(
        lambda: bilinear(x, (5, 6), False), lambda name, _: name.lstrip("_").startswith(TORCHS)
    ):
        return (
            "Your numbers are right, but torch's own resampling makes them (`F.interpolate`,"
            " `nn.Upsample`, `F.grid_sample` and the like). Here you write it yourself: with loops,"
            " or with a table of weights for each axis."
        )
    return None


def _same_size_changes_nothing(bilinear: Callable, rng: Random) -> str | None:
    x = draw(rng, 1, 2, 4, 5)
    for align in (False, True):
        got: Any = bilinear(x, (4, 5), align)
        if not torch.allclose(got, x):
            return f"Asked for the size that x has already, it changes x (align_corners={align})."
    return None


def _plain_stays_plain(bilinear: Callable, rng: Random) -> str | None:
    value = rng.uniform(1, 9)
    x = torch.full((1, 1, 3, 4), value, dtype=torch.float64)
    for align in (False, True):
        got: Any = bilinear(x, (rng.randint(1, 9), rng.randint(1, 9)), align)
        if not torch.allclose(got, torch.full_like(got, value)):
            return "A map that is the same everywhere should stay so: the weights add up to 1."
    return None


LAWS = (
    Law("torch's own resampling is not called", _own, hint=1),
    Law("the same size changes nothing", _same_size_changes_nothing, hint=3),
    Law("plain stays plain", _plain_stays_plain, hint=2),
)
