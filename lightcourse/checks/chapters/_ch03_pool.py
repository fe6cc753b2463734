"""Exercise 03.pool: max pooling that remembers where, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.banned import uses
from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference, Law
from lightcourse.checks.located import located
from lightcourse.checks.pictures import beside

Answer = tuple[Tensor, Tensor, Tensor]  # values, places, back
NAMES = ("values", "places", "back")


def cases(rng: Random) -> Iterator[Case]:
    small = [[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 7.0, 6.0]]
    yield Case((_map(small), 2), label="2 × 4, window 2")
    yield Case((-_map(small) - 1, 2), label="negative values only")
    yield Case((_draw(rng, 1, 1, 4, 6), 2), label="4 × 6, window 2")
    yield Case((_draw(rng, 1, 1, 5, 7), 2), label="5 × 7: a row and a column are left over")
    yield Case((_draw(rng, 1, 1, 6, 9), 3), label="window 3")
    yield Case((_draw(rng, 2, 3, 4, 6), 2), label="two pictures with three channels")
    for _ in range(4):
        window = rng.choice((2, 2, 3, 4))
        height, width = (window * rng.randint(1, 3) + rng.randrange(window) for _ in range(2))
        yield Case(
            (_draw(rng, rng.randint(1, 3), rng.randint(1, 4), height, width + window), window)
        )
    yield Case((_draw(rng, 1, 2, 5, 4).float(), 2), label="float32")


def _map(rows: list[list[float]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)[None, None]


def _draw(rng: Random, *shape: int) -> Tensor:
    """Random values without ties, a few of them far from zero on either side."""
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def by_torch(x: Tensor, window: int) -> Answer:
    values, places = F.max_pool2d(x, window, return_indices=True)
    back = F.max_unpool2d(values, places, (window, window), output_size=x.shape[-2:])
    return values, places, back


_close = located(Compare())


def compare(got: Any, want: Answer) -> Difference | None:
    """The first of the three that differs, by name; any whole numbers will do as places."""
    if not isinstance(got, (tuple, list)):
        return Difference("type", f"it is {kind_of(got)}, wanted the three: {', '.join(NAMES)}")
    if len(got) != 3:
        return Difference("shape", f"there are {len(got)}, wanted three: {', '.join(NAMES)}")
    for name, mine, right in zip(NAMES, got, want, strict=True):
        if isinstance(mine, Tensor) and not right.is_floating_point() and _whole(mine):
            mine = mine.long()
        if (found := _close(mine, right)) is not None:
            return Difference(found.kind, f"{name}: {found.text}")
    return None


def _whole(x: Tensor) -> bool:
    return x.dtype in (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)


def picture(case: Case, got: Any, want: Answer) -> str:
    """The first of the three answers that differs, target beside yours."""
    for name, mine, right in zip(NAMES, got, want, strict=True):
        if _close(mine, right) is not None:
            drawn = beside(mine, right)
            return f"<p>{name}</p>{drawn}" if drawn else ""
    return ""


def windows_of(x: Tensor, window: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H', W', window²), what each window holds, row by row."""
    tiles = x.unfold(2, window, window).unfold(3, window, window)
    return tiles.flatten(-2)


def _a_second_trip_changes_nothing(pool_and_back: Callable, rng: Random) -> str | None:
    x = _draw(rng, 2, 2, 6, 8).abs()
    values, places, back = pool_and_back(x, 2)
    again = pool_and_back(back, 2)
    if not all(torch.equal(a, b) for a, b in zip((values, places, back), again, strict=True)):
        return (
            "Pool what came back, and the same values come from the same places. Yours changes on"
            " the second trip."
        )
    return None


def _own(pool_and_back: Callable, rng: Random) -> str | None:
    x = _draw(rng, 1, 2, 5, 6)
    if uses(lambda: pool_and_back(x, 2), lambda name, _: "max_pool" in name or "unpool" in name):
        return (
            "Your numbers are right, but torch's own pooling makes them (`F.max_pool2d`,"
            " `F.max_unpool2d`, `nn.MaxPool2d` and the like). Here you write it yourself: with"
            " loops, or with `unfold` and `max`. After this exercise theirs are welcome."
        )
    return None


LAWS = (
    Law("torch's own pooling is not called", _own, hint=1),
    Law("a second trip changes nothing", _a_second_trip_changes_nothing, hint=4),
)
