"""The kinds of blocks that the scene knows, and the block of every state of their sliders."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from lightcourse.errors import UserError

from ._blk_kind import Call, Kind, Knob, Rows, Slot
from ._blk_mixers import MIXERS
from ._blk_stages import Block, block_of


def _fire(module: int, bypass: int, ratio: int, share: int) -> Call:
    large = (32, 64, 96)[share]
    options = (("bypass", True),) if bypass else ()
    return Call("Fire", ((96, 128)[module], 16 * (ratio + 1), 128 - large, large), 55, options)


def _separable(form: int, stride: int, alpha: int, rho: int) -> Call:
    channels = 128 * (alpha + 1)
    options = (("stride", 2),) if stride else ()
    name = ("ConvNormAct", "DepthwiseSeparableConv")[form]
    return Call(name, (channels, channels), (8, 10, 12, 14)[rho], options)


def _inverted(stride: int, out: int, expansion: int) -> Call:
    options = (("stride", stride + 1), ("expansion", expansion + 1))
    return Call("InvertedResidual", (24, (24, 32)[out]), 56, options)


def _bneck(kernel: int, se: int, stride: int, expansion: int) -> Call:
    options: list[tuple[str, Any]] = [("kernel_size", (3, 5)[kernel])]
    options += [("stride", 2)] if stride else []
    options += [("se", True)] if se else []
    return Call("Bneck", (40, 40 * (expansion + 1), 40), 28, tuple(options))


@dataclass(frozen=True)
class Attention:
    """Squeeze-and-excite for any width, and how it is written."""

    squeeze: int

    def __call__(self, channels: int) -> Any:
        from lightcourse.nn import SqueezeExcite

        return SqueezeExcite(channels, self.squeeze)

    def __str__(self) -> str:
        return f"lambda c: SqueezeExcite(c, {self.squeeze})"


def _mbconv(se: int, stride: int, expansion: int) -> Call:
    wide = 40 * (expansion + 1)
    options: list[tuple[str, Any]] = [("kernel_size", 5)]
    options += [("stride", 2)] if stride else []
    options += [("expansion", expansion + 1)]
    options += [("attention", Attention((10, wide // 4)[se - 1]))] if se else []
    return Call("MBConv", (40, 40), 28, tuple(options))


OFF, STRIDE = ("off", "on"), Knob("stride", "Stride", "select", ("1", "2"))
TIMES = tuple(f"{t}" for t in range(1, 7))
ALL = (
    Kind(
        "fire", "The Fire module", "a Fire module",
        "a 1×1, then a 1×1 and a k×k beside each other, a concat, perhaps an add",
        (Slot("1", "squeeze"), Slot("1k", "expand", "left"), Slot("1k", "expand", "right"),
         Slot("c"), Slot("+")),
        r"(1)(1(?=k)|k(?=1))([1k])(c)(\+)?",
        (Knob("module", "Module", "select", ("fire2: 96 in", "fire3: 128 in")),
         Knob("bypass", "Bypass", "select", OFF),
         Knob("ratio", "Squeeze ratio", "range", tuple(f"{i / 8:g}" for i in range(1, 9))),
         Knob("share", "3×3 share", "range", ("25%", "50%", "75%"), 1)),
        _fire, 55, 90, ("ratio", 1), 160,
    ),
    Kind(
        "separable", "The depthwise separable block", "a depthwise separable block",
        "a depthwise and a 1×1",
        (Slot("dk", "", "main"), Slot("1", "pointwise")),
        r"(k|d(?=1))((?<=d)1)?",
        (Knob("form", "Layer", "select", ("standard", "separable"), 1), STRIDE,
         Knob("alpha", "Width α", "range", ("0.25", "0.5", "0.75", "1"), 3),
         Knob("rho", "Map", "range", ("8×8", "10×10", "12×12", "14×14"), 3)),
        _separable, 14, 150, ("alpha", 1), 200,
    ),
    Kind(
        "inverted", "The inverted residual", "an inverted residual",
        "perhaps a 1×1, a depthwise, a 1×1, perhaps an add",
        (Slot("1", "expand"), Slot("d"), Slot("1", "project"), Slot("+")),
        r"(1)?(d)(1)(\+)?",
        (STRIDE, Knob("out", "Channels out", "select", ("24", "32")),
         Knob("t", "Expansion t", "range", TIMES, 5)),
        _inverted, 56, 106, ("t", 2),
    ),
    Kind(
        "bneck", "The bneck of MobileNetV3", "a bneck",
        "perhaps a 1×1, a depthwise, perhaps a squeeze-excite and a scale, a 1×1, perhaps an add",
        (Slot("1", "expand"), Slot("d"), Slot("s", "", "side"), Slot("x"), Slot("1", "project"),
         Slot("+")),
        r"(1)?(d)(?:(s)(x))?(1)(\+)?",
        (Knob("kernel", "Kernel", "select", ("3×3", "5×5"), 1), Knob("se", "SE", "select", OFF, 1),
         STRIDE, Knob("t", "Expansion", "range", TIMES, 2)),
        _bneck, 28, 78, ("t", 2),
    ),
    Kind(
        "mbconv", "The MBConv block", "an MBConv block",
        "perhaps a 1×1, a depthwise, perhaps a squeeze-excite and a scale, a 1×1, perhaps an add",
        (Slot("1", "expand"), Slot("d"), Slot("s", "", "side"), Slot("x"), Slot("1", "project"),
         Slot("+")),
        r"(1)?(d)(?:(s)(x))?(1)(\+)?",
        (Knob("se", "Squeeze to ¼ of", "select", ("no SE", "the input", "the expansion"), 1),
         STRIDE, Knob("t", "Expansion t", "range", TIMES, 5)),
        _mbconv, 28, 78, ("t", 2),
    ),
)  # fmt: skip
KINDS = {kind.name: kind for kind in (*ALL, *MIXERS)}


@dataclass(frozen=True)
class Case:
    """One state: the block, the row of each stage, the call; or the reason why it is none."""

    block: Block
    rows: Rows
    size: tuple[int, int, int, int]
    call: Call | None = None
    why: str = ""

    def stage(self, row: int) -> Any:
        """Return the stage of a row, None where the row is empty; row 0 is the input."""
        number = 0 if row == 0 else self.rows[row - 1]
        return None if number is None else self.block.stages[number]

    def row_of(self, stage: int) -> int:
        return 0 if stage == 0 else self.rows.index(stage) + 1


@cache
def cases(kind: Kind) -> tuple[Case, ...]:
    """Return the blocks of all states, in the order of `kind.states()`."""
    return tuple(_case(kind, kind.call(*state)) for state in kind.states())


def _case(kind: Kind, call: Call) -> Case:
    try:
        block, why = block_of(call.build(), call.size), ""
    except UserError as error:  # a bypass around a module that changes the channels
        plain = Call(call.name, call.args, call.side)
        block, why = block_of(plain.build(), call.size), str(error)
    rows = kind.place(block)
    assert rows is not None, f"{call.code} is no {kind.name}"
    return Case(block, rows, call.size, call, why)
