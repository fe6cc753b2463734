"""What the factorisations of a convolution cost, and the rectangles that show it to scale.

A weight tensor is drawn as k×k panels of C_in columns and C_out rows: the area is the weights.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import gcd

FORMS = ("standard", "depthwise + pointwise", "k×1, then 1×k", "stack of 3×3", "groups", "low rank")
GROUPS, PART = 4, 4  # PART: the low rank is this part of the fewer channels


@dataclass(frozen=True)
class Part:
    """One convolution: its kernel, channels and groups, drawn `columns` wide and `rows` high."""

    kernel: tuple[int, int]
    channels: tuple[int, int]
    columns: int
    rows: int
    groups: int = 1

    @property
    def weights(self) -> int:
        return self.columns * self.rows

    @property
    def name(self) -> str:
        return f"{self.kernel[0]}×{self.kernel[1]}"


@dataclass(frozen=True)
class Block:
    """A k×k convolution from `before` to `after` channels, in one form."""

    form: int
    k: int
    before: int
    after: int

    @cached_property
    def middle(self) -> int:
        """Channels between two steps: the fewer of both ends."""
        return min(self.before, self.after)

    @property
    def groups(self) -> int:
        return gcd(gcd(self.before, self.after), GROUPS)

    @property
    def why_not(self) -> str:
        """The reason why this form does not exist; empty where it does."""
        one = "a 1×1 kernel has no neighbours to take apart"
        if self.form in (2, 3) and self.k == 1:
            return f"{one}: there is nothing to factorise."
        if self.form in (2, 3) and self.k % 2 == 0:
            return f"an even kernel, {self.k}×{self.k}, is no stack of kernels with a middle."
        if self.form == 4 and self.groups == 1:
            return f"{self.before} and {self.after} channels have no common groups of 2 or 4."
        return ""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The convolutions that stand in place of the standard one, in order."""
        k, before, after, middle = self.k, self.before, self.after, self.middle
        if self.why_not:
            return ()
        if self.form == 1:
            return (
                Part((k, k), (before, before), k * before, k, before),
                Part((1, 1), (before, after), before, after),
            )
        if self.form == 2:
            return (
                Part((k, 1), (before, middle), before, k * middle),
                Part((1, k), (middle, after), k * middle, after),
            )
        if self.form == 3:
            ends = [before, *[middle] * (k // 2 - 1), after]
            pairs = pairwise(ends)
            return tuple(Part((3, 3), (a, b), 3 * a, 3 * b) for a, b in pairs)
        if self.form == 5:
            rank = max(1, middle // PART)
            return (
                Part((k, k), (before, rank), k * before, k * rank),
                Part((1, 1), (rank, after), rank, after),
            )
        groups = self.groups if self.form == 4 else 1
        return (Part((k, k), (before, after), k * before, k * after // groups, groups),)

    @property
    def weights(self) -> int:
        """Weights of all parts, without biases."""
        return sum(part.weights for part in self.parts)

    @property
    def standard(self) -> "Block":
        return Block(0, self.k, self.before, self.after)

    @property
    def ratio(self) -> float:
        """Weights, and so MACs, beside those of the standard convolution.

        >>> round(Block(1, 3, 512, 512).ratio, 6)
        0.113064
        """
        return self.weights / self.standard.weights

    def macs(self, side: int) -> int:
        """Multiply-accumulates on a `side` × `side` map, stride 1 and same padding.

        >>> Block(1, 3, 384, 384).macs(14)
        29578752
        """
        return self.weights * side**2
