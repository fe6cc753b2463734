"""The plain network of the resolution-ladder scene: eight 3×3 layers, of which five halve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

LAYERS, HALVINGS, WIDTH = 8, 5, 32  # WIDTH: channels of the first layer
FREE = LAYERS - HALVINGS  # how far each halving can move; the first stays in layer 1
FAST, EVEN, SLOW = (1, 2, 3, 4, 5), (1, 2, 4, 6, 8), (1, 5, 6, 7, 8)
BYTES = 4  # of a float32
MODES = ("double", "stay 32")


def halve(size: int) -> int:
    """Return the side after `Conv2d(kernel_size=3, stride=2, padding=1)`: it rounds up."""
    return (size + 2 - 3) // 2 + 1


def sides(size: int) -> list[int]:
    """Return the side of the input and after each halving.

    >>> sides(224), sides(225)
    ([224, 112, 56, 28, 14, 7], [225, 113, 57, 29, 15, 8])
    """
    found = [size]
    for _ in range(HALVINGS):
        found.append(halve(found[-1]))
    return found


def pooled(size: int) -> list[int]:
    """Return the same for `MaxPool2d(2)`, which rounds down; it ends where nothing is left.

    >>> pooled(225), pooled(16)
    ([225, 112, 56, 28, 14, 7], [16, 8, 4, 2, 1, 0])
    """
    return [size >> n for n in range(HALVINGS + 1)]


def channels(mode: int, stage: int) -> int:
    """Return the channels after `stage` halvings; the input is stage 0."""
    return 3 if stage == 0 else WIDTH << (stage - 1) if mode == 0 else WIDTH


@dataclass(frozen=True)
class Ladder:
    """One state: an input size, channels that double or stay, the layers that halve."""

    size: int
    mode: int
    halved: tuple[int, ...]

    @property
    def stages(self) -> list[int]:
        """How many halvings each layer has behind it; the first entry is the input."""
        return [sum(p <= layer for p in self.halved) for layer in range(LAYERS + 1)]

    @cached_property
    def maps(self) -> list[tuple[int, int]]:
        """Channels and side of the input and of each layer's output."""
        by_stage = sides(self.size)
        return [(channels(self.mode, s), by_stage[s]) for s in self.stages]

    @property
    def macs(self) -> list[int]:
        """Multiply-accumulates of each layer."""
        pairs = pairwise(self.maps)
        return [9 * before * after * side**2 for (before, _), (after, side) in pairs]

    @property
    def outputs(self) -> list[int]:
        """Bytes of each layer's output."""
        return [BYTES * c * side**2 for c, side in self.maps[1:]]

    @property
    def peak(self) -> tuple[int, int]:
        """The most bytes that are alive at once, and in which layer; the input is not counted."""
        held = [0, *self.outputs]
        alive = [a + b for a, b in pairwise(held)]
        return max(alive), alive.index(max(alive)) + 1

    @property
    def layers(self) -> list[tuple[int, int, int]]:
        """(kernel, stride, padding) of each layer."""
        return [(3, 1 + (i in self.halved), 1) for i in range(1, LAYERS + 1)]


def fields(halved: Sequence[int]) -> list[int]:
    """Return the receptive field of the input and of each layer, in pixels."""
    from lightcourse.analysis import chain_receptive_field

    chain = Ladder(HALVINGS, 0, tuple(halved)).layers
    return [1, *(size for size, _, _ in chain_receptive_field(chain))]


def places(*moves: int) -> tuple[int, ...]:
    """Return the layers that halve, from how far each of the last four has moved.

    >>> places(0, 1, 2, 3)
    (1, 2, 4, 6, 8)
    """
    return 1, *(n + move for n, move in enumerate(moves, 2))


def by_places(value: Callable[[tuple[int, ...]], Any]) -> list:
    """Return a table [h5][h4][h3][h2] of `value(layers that halve)`: none overtakes the next."""
    return [
        [[[value(places(a, b, c, d)) for a in range(b + 1)] for b in range(c + 1)]
         for c in range(d + 1)]
        for d in range(FREE + 1)
    ]  # fmt: skip
