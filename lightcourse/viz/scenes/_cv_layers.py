"""The layers of the conv-variants scene: which inputs and which weights make one output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, prod
from typing import Any

CHANNELS, SIZE, SMALL = 6, 9, 3  # drawn channels; side of the map, and of a transposed layer's map
POINT, STEP, REACH = 13, 0.25, 1.5  # deformable: places of a point on an axis, apart, and farthest
ARROW = 5  # shift: places of an arrow on an axis, one cell apart

Pair = tuple[int, int]  # rows, columns


@dataclass(frozen=True)
class Drawn:
    """How many groups are drawn, and how many channels each of them takes and makes."""

    groups: int
    inputs: int
    outputs: int


@dataclass(frozen=True)
class Layer:
    """One convolution on one map; `drawn` may have fewer channels than the layer has."""

    kind: str
    size: Pair = (SIZE, SIZE)
    inputs: int = CHANNELS
    outputs: int = CHANNELS
    groups: int = 1
    kernel: Pair = (3, 3)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    more: Pair = (0, 0)  # output_padding; or padding behind the map on top of that before it
    drawn: Drawn = field(default=Drawn(1, CHANNELS, CHANNELS))
    name: str = ""  # of a learner's own layer
    note: str = ""

    @property
    def transposed(self) -> bool:
        return self.kind == "transposed"

    @property
    def splits(self) -> bool:
        """Whether the groups divide the channels."""
        return self.inputs % self.groups == 0 and self.outputs % self.groups == 0

    def fits(self, axis: int) -> bool:
        """Whether the kernel fits into the padded input of one axis."""
        return self.transposed or self.span(axis) <= self.padded(axis)

    def padded(self, axis: int) -> int:
        """Side of the map with its padding."""
        return self.size[axis] + 2 * self.padding[axis] + self.more[axis]

    @property
    def valid(self) -> bool:
        return self.splits and self.fits(0) and self.fits(1)

    def span(self, axis: int) -> int:
        """Cells from the first to the last tap of the kernel."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def out(self, axis: int) -> int:
        """Side of the output; 1 where there is none, so that the picture can show why."""
        n, s, p = self.size[axis], self.stride[axis], self.padding[axis]
        if self.transposed:
            return (n - 1) * s - 2 * p + self.span(axis) + self.more[axis]
        return (self.padded(axis) - self.span(axis)) // s + 1 if self.fits(axis) else 1

    def start(self, axis: int, place: int) -> int:
        """First cell under the kernel of one output; transposed: on the map with zeros between."""
        if self.transposed:
            return place + self.padding[axis] - self.span(axis) + 1
        if not self.fits(axis):  # in the middle, standing out at both sides
            return (self.size[axis] - self.span(axis)) // 2
        return place * self.stride[axis] - self.padding[axis]

    def taps(self, axis: int, place: int) -> list[tuple[int, int]]:
        """Return (input, weight) for each product that meets a real input on one axis."""
        found = []
        for tap in range(self.kernel[axis]):
            at = place * self.stride[axis] - self.padding[axis] + tap * self.dilation[axis]
            if self.transposed:
                at = place + self.padding[axis] - tap * self.dilation[axis]
                at = -1 if at % self.stride[axis] else at // self.stride[axis]
            if 0 <= at < self.size[axis]:
                found.append((at, tap))
        return found

    def touched(self, axis: int, place: int) -> int:
        """How many weights of one axis make one output; padding counts as zeros."""
        return len(self.taps(axis, place)) if self.transposed else self.kernel[axis]

    def group(self, channel: int, each: int) -> int | None:
        """The group of a drawn channel; None for one left over where groups do not divide."""
        found = channel // each if each else self.groups
        return found if found < self.drawn.groups else None

    def reads(self, output: int) -> list[int]:
        """Return the drawn input channels that one drawn output reads."""
        mine = self.group(output, self.drawn.outputs)
        inputs = range(self.drawn_inputs) if mine is not None else ()
        return [c for c in inputs if self.group(c, self.drawn.inputs) == mine]

    @property
    def drawn_inputs(self) -> int:
        return self.drawn.groups * self.drawn.inputs + self._left(self.inputs)

    @property
    def drawn_outputs(self) -> int:
        return self.drawn.groups * self.drawn.outputs + self._left(self.outputs)

    def _left(self, channels: int) -> int:
        return 0 if self.splits else channels % self.groups

    @property
    def channels(self) -> int:
        """How many input channels one output reads, in the layer itself."""
        return self.inputs // self.groups

    @property
    def weights(self) -> int:
        """How many weights the layer has, without bias; with those that make its offsets."""
        if self.kind == "shift":
            return 0
        return (self.outputs + self.offsets) * self.channels * prod(self.kernel)

    @property
    def offsets(self) -> int:
        """How many maps a deformable layer makes beside its output: two for each tap."""
        return 2 * prod(self.kernel) * (self.kind == "deformable")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the layer on its map, as profilers count them.

        Products with padding count; of a transposed layer, also those that padding cuts off.
        """
        places = prod(self.size) if self.transposed else self.out(0) * self.out(1)
        return self.weights * places

    def counts(self) -> list[list[int]]:
        """How many cells of one input channel each output cell gets, [row][column]."""
        rows, columns = (
            [len(self.taps(axis, place)) for place in range(self.out(axis))] for axis in (0, 1)
        )
        return [[r * c for c in columns] for r in rows]

    def share(self) -> Pair:
        """Fewest and most input cells of a channel that an output far from the border gets."""
        least = prod(k // s for k, s in zip(self.kernel, self.stride, strict=True))
        return least, prod(ceil(k / s) for k, s in zip(self.kernel, self.stride, strict=True))


@dataclass(frozen=True)
class Kind:
    """One choice of the scene: its values of k, s, p, d, g, and the layer that they make."""

    name: str
    hint: str
    values: tuple[Sequence[int], ...]  # k, s, p, d, g
    fixed: str  # those of "kspdg" that nobody can choose
    build: Callable[..., Layer]

    def layer(self, indices: Sequence[int]) -> Layer:
        return self.build(*(v[i] for v, i in zip(self.values, indices, strict=True)))


def _zoo(kind: str, size: int = SIZE) -> Callable[..., Layer]:
    def build(k: int, s: int, p: int, d: int, g: int) -> Layer:
        each = CHANNELS // g
        return Layer(
            kind, (size, size), groups=g, kernel=(k, k), stride=(s, s), padding=(p, p),
            dilation=(d, d), drawn=Drawn(g, each, each),
        )  # fmt: skip

    return build


_K, _S, _P, _ALL = (1, 3, 5), (1, 2, 3), (0, 1, 2), (CHANNELS,)
ZOO = (
    Kind("standard", "every output reads all channels", (_K, _S, _P, (1,), (1,)), "dg",
         _zoo("standard")),
    Kind("depthwise", "every output reads its own channel", (_K, _S, _P, (1,), _ALL), "dg",
         _zoo("depthwise")),
    Kind("grouped", "every output reads its own group", (_K, _S, _P, (1,), (2, 3, 4, 6)), "d",
         _zoo("grouped")),
    Kind("pointwise", "one cell of all channels", ((1,) * 3, _S, (0,) * 3, (1,), (1,)), "kpdg",
         _zoo("pointwise")),
    Kind("dilated", "the taps lie apart", (_K, _S, _P, (2, 3), (1,)), "g", _zoo("dilated")),
    Kind("transposed", "every input writes a kernel", ((2, 3, 4), (2, 3, 4), _P, (1,), (1,)), "dg",
         _zoo("transposed", SMALL)),
    Kind("deformable", "every tap has its own place", ((3,) * 3, (1,) * 3, (1,) * 3, (1,), (1,)),
         "kspdg", _zoo("deformable")),
    Kind("shift", "every channel moves, no weights", ((1,) * 3, (1,) * 3, (0,) * 3, (1,), _ALL),
         "kspdg", _zoo("shift")),
)  # fmt: skip


class Choice:
    """All layers of a scene, by kind and settings; the settings that never change are left out."""

    def __init__(self, kinds: Sequence[Kind]):
        self.kinds = kinds
        numbers = [[len(kind.values[i]) for kind in kinds] for i in range(5)]
        self.live = [n for n, row in zip("kspdg", numbers, strict=True) if max(row) > 1]
        self.first = {name: int(name in "kp") if name in self.live else 0 for name in "kspdg"}

    def keys(self, names: str, *more: str | int) -> list[str | int]:
        """Return the keys of a table over these settings, in order."""
        return ["kind", *(n for n in names if n in self.live), *more]

    def nest(self, names: str, value: Callable[[Layer], Any]) -> list:
        """Return the table of a value over these settings, as `keys` looks it up."""
        wanted = [i for i, n in enumerate("kspdg") if n in names and n in self.live]

        def extend(kind: Kind, chosen: dict[int, int], rest: list[int]) -> Any:
            if not rest:
                full = [
                    chosen.get(i, min(self.first[n], len(kind.values[i]) - 1))
                    for i, n in enumerate("kspdg")
                ]
                return value(kind.layer(full))
            here, *later = rest
            return [extend(kind, {**chosen, here: j}, later) for j in range(len(kind.values[here]))]

        return [extend(kind, {}, wanted) for kind in self.kinds]

    def layers(self) -> list[list[Layer]]:
        """Return the layers that can be chosen, one list a kind."""
        found: list[list[Layer]] = []
        for kind in self.kinds:
            alone = Choice([kind])
            mine: dict[Layer, None] = {}
            alone.nest("kspdg", lambda layer, mine=mine: mine.setdefault(layer))
            found.append(list(mine))
        return found
