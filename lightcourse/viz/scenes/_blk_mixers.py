"""Blocks that mix their channels cheaply: ShuffleNet's units, the ghost module, conv-shift-conv."""

from ._blk_kind import Call, Kind, Knob, Slot

STRIDE = Knob("stride", "Stride", "select", ("1", "2"))
GROUPS = (1, 2, 3, 4)
RATIOS = (2, 3, 4, 6)


def _shuffle_v1(stride: int, groups: int, width: int) -> Call:
    channels = 48 * (width + 1)
    options = (("stride", stride + 1), ("groups", GROUPS[groups]))
    return Call("ShuffleUnit", (channels, channels * (stride + 1)), 28, options)


def _shuffle_v2(unit: int, width: int) -> Call:
    out = 58 * (width + 1)
    options = (("stride", 2),) if unit else ()
    return Call("ShuffleV2Block", ((out, out // 2, 24)[unit], out), 28, options)


def _ghost(kernel: int, ratio: int, cheap: int, width: int) -> Call:
    channels = 24 * (width + 1)
    options = (("kernel_size", (1, 3)[kernel]), ("ratio", RATIOS[ratio]),
               ("cheap_kernel", (3, 5)[cheap]))  # fmt: skip
    return Call("GhostModule", (channels, channels), 28, options)


def _shift(stride: int, expansion: int, width: int) -> Call:
    channels = 16 * (width + 1)
    options = (("stride", stride + 1), ("expansion", (1, 2, 4)[expansion]))
    return Call("ShiftBlock", (channels, channels * (stride + 1)), 32, options)


def _channels(step: int, count: int, value: int, label: str = "Channels") -> Knob:
    labels = tuple(str(step * i) for i in range(1, count + 1))
    return Knob("width", label, "range", labels, value)


MIXERS = (
    Kind(
        "shuffle-v1", "The ShuffleNet unit", "a ShuffleNet unit",
        "a 1×1 in groups, a shuffle, a depthwise, a 1×1 in groups, perhaps a pooling of the input,"
        " an add or a concat",
        (Slot("1g", "first"), Slot("h"), Slot("d"), Slot("1g", "last"),
         Slot("a", lane="bypass"), Slot("+c")),
        r"([1g])(h)?(d)([1g])(?:(a)(?=c))?(\+|(?<=a)c)",
        (STRIDE, Knob("groups", "Groups", "select", tuple(map(str, GROUPS)), 2),
         _channels(48, 5, 4)),
        _shuffle_v1, 28, 78, ("width", 0),
        reads=(((0,),), ((1,),), ((2,), (1,)), ((3,),), ((0,),), ((4, 5), (0, 4))),
    ),
    Kind(
        "shuffle-v2", "The ShuffleNet V2 block", "a ShuffleNet V2 block",
        "a split and a branch, or two branches: a depthwise and a 1×1, and a 1×1, a depthwise and a"
        " 1×1; a concat, a shuffle",
        (Slot("p"), Slot("d", "left", "west"), Slot("1", "left", "west"),
         Slot("1", "first", "east"), Slot("d", "", "east"), Slot("1", "last", "east"), Slot("c"),
         Slot("h")),
        r"(?:(p)(?=1)|(d)(1)(?=1))(1)(d)(1)(c)(h)?",
        (Knob("unit", "Unit", "select", ("stride 1", "stride 2", "stride 2, 24 in")),
         _channels(58, 4, 1, "Channels out")),
        _shuffle_v2, 28, 74, ("width", 7), 226,
        (((0,),), ((0,),), ((2,),), ((1,), (0,)), ((4,),), ((5,),), ((1, 6), (3, 6)), ((7,),)),
    ),
    Kind(
        "ghost", "The ghost module", "a ghost module",
        "a convolution, a depthwise, a concat of both",
        (Slot("1k", "own"), Slot("d", "cheap", "east"), Slot("c")),
        r"([1k])(d)(c)",
        (Knob("kernel", "Kernel", "select", ("1×1", "3×3")),
         Knob("ratio", "Ratio s", "select", tuple(map(str, RATIOS))),
         Knob("cheap", "Cheap kernel d", "select", ("3", "5")), _channels(24, 4, 3)),
        _ghost, 28, 110, ("width", 3), 256,
        reads=(((0,),), ((1,),), ((1, 2),)),
    ),
    Kind(
        "shift", "Conv, shift, conv", "a conv-shift-conv block",
        "a norm, a 1×1, a shift, a norm, a 1×1, perhaps a pooling of the input, an add or a concat",
        (Slot("n", "first"), Slot("1", "expand"), Slot("f"), Slot("n", "second"),
         Slot("1", "project"), Slot("a", lane="bypass"), Slot("+c")),
        r"(n)(1)(f)(n)(1)(?:(a)(?=c))?(\+|(?<=a)c)",
        (STRIDE, Knob("expansion", "Expansion", "select", ("1", "2", "4"), 1), _channels(16, 4, 1)),
        _shift, 32, 72, ("width", 0),
        reads=(((0,),), ((1,),), ((2,),), ((3,),), ((4,),), ((0,),), ((5, 6), (0, 5))),
    ),
)  # fmt: skip
