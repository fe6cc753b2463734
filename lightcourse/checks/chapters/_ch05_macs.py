"""Exercise 05.macs: what each variant costs for the same output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from torch import nn

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference

Costs = dict[str, int]
NAMES = (
    "standard", "grouped", "depthwise", "pointwise", "separable", "factorised", "deformable",
)  # fmt: skip


def cases(rng: Random) -> Iterator[Case]:
    yield Case((1, 1, 3, 1, 1, 1), {}, "one pixel, one channel")
    yield Case((4, 4, 3, 1, 1, 2), {}, "one pixel, 4 channels to 4, 2 groups")
    yield Case((4, 8, 3, 2, 5, 2), {}, "4 channels to 8, a map of 2 × 5")
    yield Case((8, 4, 5, 3, 2, 4), {}, "8 channels to 4, 5×5, 4 groups")
    yield Case((6, 9, 1, 2, 3, 3), {}, "1×1 kernels")
    yield Case((512, 512, 3, 14, 14, 8), {}, "a layer of MobileNet")
    for _ in range(4):
        groups = rng.choice((1, 2, 3, 4))
        channels = groups * rng.randint(1, 16), groups * rng.randint(1, 16)
        sizes = rng.choice((1, 3, 5, 7)), rng.randint(1, 30), rng.randint(1, 30)
        yield Case((*channels, *sizes, groups))


def oracle(c: int, n: int, k: int, h: int, w: int, g: int) -> Costs:
    """Make the layers without memory, and count: each weight is used once at each place."""
    layers = {
        "standard": [nn.Conv2d(c, n, k, bias=False, device="meta")],
        "grouped": [nn.Conv2d(c, n, k, groups=g, bias=False, device="meta")],
        "depthwise": [nn.Conv2d(c, c, k, groups=c, bias=False, device="meta")],
        "pointwise": [nn.Conv2d(c, n, 1, bias=False, device="meta")],
        "factorised": [
            nn.Conv2d(c, n, (k, 1), bias=False, device="meta"),
            nn.Conv2d(n, n, (1, k), bias=False, device="meta"),
        ],
    }
    layers["separable"] = layers["depthwise"] + layers["pointwise"]
    offsets = nn.Conv2d(c, 2 * k * k, k, bias=False, device="meta")
    layers["deformable"] = [*layers["standard"], offsets]
    return {
        name: sum(layer.weight.numel() for layer in parts) * h * w for name, parts in layers.items()
    }


def compare(got: Any, want: Costs) -> Difference | None:
    """Entry by entry; a name that nobody asked for does no harm."""
    if isinstance(got, Mapping):
        if missing := [name for name in want if name not in got]:
            others = ", ".join(repr(name) for name in got if name not in want)
            text = f"missing: {', '.join(map(repr, missing))}"
            return Difference("shape", text + f"; there instead: {others}" * bool(others))
        got = {name: got[name] for name in want}
    return Compare()(got, want)


def show(case: Case) -> str:
    c, n, k, h, w, g = case.args
    return f"macs(c={c}, n={n}, k={k}, h={h}, w={w}, g={g})"
