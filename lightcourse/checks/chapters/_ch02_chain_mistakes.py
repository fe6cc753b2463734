"""Chapter 02, exercise 02.chain: what goes wrong with size, jump and start."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lightcourse.checks.chapters._ch02_chain import Layer
from lightcourse.checks.exercise import Mistake, Outcome


def _size(r: int, j: int, k: int, s: int, p: int, d: int) -> int:
    return r + (k - 1) * d * j


def _jump(j: int, s: int) -> int:
    return j * s


def _start(c: float, j: int, k: int, s: int, p: int, d: int) -> float:
    return c + ((k - 1) * d / 2 - p) * j


def _wrong(size: Callable = _size, jump: Callable = _jump, start: Callable = _start) -> Callable:
    """A chain in which one or two of the three updates are not the right ones."""

    def walk(layers: Sequence[Layer]) -> list:
        r, j, c = 1, 1, 0.0
        found = []
        for k, s, p, d in layers:
            r, j, c = size(r, j, k, s, p, d), jump(j, s), start(c, j, k, s, p, d)
            found.append((r, j, c))
        return found

    return walk


def _size_late(r: int, j: int, k: int, s: int, p: int, d: int) -> int:
    return _size(r, j * s, k, s, p, d)


def _start_late(c: float, j: int, k: int, s: int, p: int, d: int) -> float:
    return _start(c, j * s, k, s, p, d)


def _only_last(outcome: Outcome) -> bool:
    return isinstance(outcome.got, tuple) and len(outcome.got) == 3 and outcome.want != []


def _with(sizes: int = 0, order: Callable | None = None) -> Callable:
    """A chain that is right but for the size it begins with, or the order of a layer's numbers."""

    def walk(layers: Sequence[Layer]) -> list:
        own = [order(*layer) if order else layer for layer in layers]
        return [(r + sizes, j, c) for r, j, c in _wrong()(own)]

    return walk


def _column(number: int, change: Callable) -> Callable[[Outcome], bool]:
    """Whether one of the three numbers is always the one of a wrong chain, whatever the others."""

    def matches(outcome: Outcome) -> bool:
        wrong = change(*outcome.case.args)
        return [row[number] for row in outcome.got] == [row[number] for row in wrong]

    return matches


def _wrong_in(number: int) -> Callable[[Outcome], bool]:
    """Whether this number is wrong somewhere and the ones before it in the order are right."""
    before = {1: (), 0: (1,), 2: (0, 1)}[number]

    def matches(outcome: Outcome) -> bool:
        pairs = list(zip(outcome.got, outcome.want, strict=True))
        return all(one[i] == other[i] for one, other in pairs for i in before) and any(
            one[number] != other[number] for one, other in pairs
        )

    return matches


def _one_row_for_all(outcome: Outcome) -> bool:
    rows = [tuple(row) for row in outcome.got]
    return len(set(rows)) == 1 and rows[-1] == tuple(outcome.want[-1])


def _half_pixel(outcome: Outcome) -> bool:
    return all(
        (r, j, c) == (size, jump, start + 0.5)
        for (r, j, c), (size, jump, start) in zip(outcome.got, outcome.want, strict=True)
    )


MISTAKES = (
    Mistake(
        "stride-too-early",
        "You multiply the jump by this layer's stride before you use it. A layer steps between the"
        " units of the layer below, so its own stride counts for the layers after it only.",
        mimic=_wrong(size=_size_late, start=_start_late),
        hint=3,
    ),
    Mistake(
        "stride-too-early-in-size",
        "The size grows with the jump of the layer below; you use the jump after this layer's"
        " stride. (Your start uses the right one.)",
        mimic=_wrong(size=_size_late),
        hint=3,
    ),
    Mistake(
        "start-too-late",
        "Size and jump are right. The start moves by the jump of the layer below, and you have"
        " already multiplied it by this layer's stride.",
        mimic=_wrong(start=_start_late),
        hint=5,
    ),
    Mistake(
        "jump-added",
        "You add the strides. Two layers with stride 2 leave every fourth pixel: strides multiply.",
        mimic=_wrong(jump=lambda j, s: j + s - 1),
        hint=3,
    ),
    Mistake(
        "jump-forgotten",
        "Each layer adds (kernel - 1) · dilation pixels in your answer, however far apart the units"
        " below stand. After a stride of 2 every step is two pixels long.",
        mimic=_wrong(
            size=lambda r, j, k, s, p, d: r + (k - 1) * d,
            start=lambda c, j, k, s, p, d: c + (k - 1) * d / 2 - p,
        ),
        hint=3,
    ),
    Mistake(
        "jump-forgotten-in-size",
        "Each layer adds (kernel - 1) · dilation pixels in your answer. After a stride of 2 every"
        " step is two pixels long. (Your start knows that already.)",
        mimic=_wrong(size=lambda r, j, k, s, p, d: r + (k - 1) * d),
        hint=3,
    ),
    Mistake(
        "whole-kernel",
        "You add the whole kernel. One of its places is the unit that you already had: a kernel of"
        " 3 adds 2.",
        mimic=_wrong(size=lambda r, j, k, s, p, d: r + k * d * j),
        hint=2,
    ),
    Mistake(
        "dilation-forgotten",
        "You leave out the dilation. It pulls the places of a kernel apart: 3 places with dilation"
        " 2 span 5 units.",
        mimic=_wrong(
            size=lambda r, j, k, s, p, d: r + (k - 1) * j,
            start=lambda c, j, k, s, p, d: c + ((k - 1) / 2 - p) * j,
        ),
        hint=4,
    ),
    Mistake(
        "kernel-times-dilation",
        "You take a dilated kernel to be kernel · dilation wide. The gaps lie between the places,"
        " and there is one gap fewer than places: 3 places with dilation 2 span 5, not 6.",
        mimic=_wrong(
            size=lambda r, j, k, s, p, d: r + (k * d - 1) * j,
            start=lambda c, j, k, s, p, d: c + ((k * d - 1) / 2 - p) * j,
        ),
        hint=4,
    ),
    Mistake(
        "padding-in-size",
        "Padding is in your size. It moves the field; it does not make it wider or narrower.",
        mimic=_wrong(size=lambda r, j, k, s, p, d: r + ((k - 1) * d - 2 * p) * j),
        hint=5,
    ),
    Mistake(
        "padding-forgotten",
        "Size and jump are right. The start leaves out the padding, which moves the field of unit 0"
        " back towards the left.",
        mimic=_wrong(start=lambda c, j, k, s, p, d: c + (k - 1) * d / 2 * j),
        hint=5,
    ),
    Mistake(
        "start-without-jump",
        "Size and jump are right. The shift of the start is counted in units of the layer below;"
        " each of them is `jump` pixels long.",
        mimic=_wrong(start=lambda c, j, k, s, p, d: c + (k - 1) * d / 2 - p),
        hint=5,
    ),
    Mistake(
        "from-the-top",
        "You go through the layers from the last to the first. The layer next to the picture comes"
        " first in the list.",
        mimic=lambda layers: _wrong()(list(layers)[::-1]),
        hint=1,
    ),
    Mistake(
        "only-the-last",
        "You return the answer for the last layer. The exercise wants one for every layer, in a"
        " list.",
        matches=_only_last,
        hint=1,
    ),
    Mistake(
        "half-a-pixel",
        "Your starts are half a pixel too far right. In this course pixel 0 sits at 0, not at 0.5"
        " as in some tutorials.",
        matches=_half_pixel,
        hint=5,
    ),
    Mistake(
        "size-from-zero",
        "Every size is one too small: you begin with 0. Before the first layer a unit is one pixel"
        " that sees itself.",
        mimic=_with(sizes=-1),
        hint=1,
    ),
    *(
        Mistake(
            "start-rounded",
            "Size and jump are right. The start may be half a pixel, and `//` cuts the half off.",
            mimic=_wrong(start=lambda c, j, k, s, p, d, half=half: c + (half(k, d) - p) * j),
            hint=5,
        )
        for half in (lambda k, d: (k - 1) * d // 2, lambda k, d: (k - 1) // 2 * d)
    ),
    Mistake(
        "start-without-dilation",
        "Size and jump are right. The start leaves out the dilation: the middle of a kernel of 3"
        " with dilation 2 is 2 places from its first one, not 1.",
        mimic=_wrong(start=lambda c, j, k, s, p, d: c + ((k - 1) / 2 - p) * j),
        hint=5,
    ),
    Mistake(
        "start-padding-added",
        "Size and jump are right. You add the padding to the start. Padding puts places before"
        " pixel 0, so unit 0 moves to the left: subtract it.",
        mimic=_wrong(start=lambda c, j, k, s, p, d: c + ((k - 1) * d / 2 + p) * j),
        hint=5,
    ),
    Mistake(
        "order-of-the-four",
        "You unpack a layer in another order. It is (kernel, stride, padding, dilation): the"
        " padding comes third, the dilation last.",
        mimic=_with(order=lambda k, s, p, d: (k, s, d, p)),
        hint=4,
    ),
    Mistake(
        "whole-kernel",
        "You add the whole kernel. One of its places is the unit that you already had: a kernel of"
        " 3 adds 2.",
        matches=_column(0, _wrong(size=lambda r, j, k, s, p, d: r + k * d * j)),
        hint=2,
    ),
    Mistake(
        "jump-replaced",
        "Your jump is the stride of the last layer only. Two layers with stride 2 leave every"
        " fourth pixel: multiply the jump by each stride.",
        matches=_column(1, _wrong(jump=lambda j, s: s)),
        hint=3,
    ),
    Mistake(
        "one-row-for-all",
        "All your rows are the last one: you append one list again and again, and each step changes"
        " it. Append a new tuple, (size, jump, start).",
        matches=_one_row_for_all,
        hint=1,
    ),
    Mistake(
        "jump-wrong",
        "Begin with the jump, because size and start are built on it. It is 1 before the first"
        " layer, and each layer multiplies it by its stride.",
        matches=_wrong_in(1),
        hint=3,
    ),
    Mistake(
        "size-wrong",
        "The jump is right, the size is not. A layer adds the steps from the first place of its"
        " window to the last, and each step is as long as the jump below.",
        matches=_wrong_in(0),
        hint=2,
    ),
    Mistake(
        "start-wrong",
        "Size and jump are right, only the start is not. Where is the middle of the window of unit"
        " 0, counted from unit 0 of the layer below?",
        matches=_wrong_in(2),
        hint=5,
    ),
)
