"""What the block scenes say: names, reasons, and the claim of a state, from its numbers."""

from collections.abc import Sequence
from typing import Any

from ._blk_kinds import Case, Kind
from ._blk_stages import Stage
from ._lad_words import short

MEASURES = ("MACs", "params", "moved", "alive")
HEADS = (
    "multiply-accumulates",
    "weights, biases and norms",
    "bytes read and written, layer by layer",
    "bytes of maps alive at once: norms folded, activations in place, the input not counted",
)


def name(kind: Kind, row: int, stage: Stage) -> str:
    """Return what stands beside a row, such as `squeeze 1×1`."""
    if row == 0:
        return "input"
    if kind.name == "separable" and stage.letter == "k":
        return f"standard {stage.word}"
    return f"{kind.slots[row - 1].name} {stage.word}".strip()


def absent(kind: Kind, row: int, case: Case) -> tuple[str, str]:
    """Return what is not there in an empty row, and the reason if the numbers give one."""
    letters = kind.slots[row - 1].letters
    ins, out = case.block.stages[0].shape, case.block.stages[-1].shape
    if letters == "+":
        what = "no bypass" if kind.name == "fire" else "no shortcut"
        if ins[1:] != out[1:]:
            return what, f"{ins[1]}×{ins[2]} ≠ {out[1]}×{out[2]}"
        return what, f"{ins[0]} ≠ {out[0]} channels" if ins[0] != out[0] else ""
    if letters == "1":
        expanded = kind.name != "separable"
        return ("no expansion", "a factor of 1") if expanded else ("no pointwise", "")
    return ("no squeeze-excite", "") if letters == "s" else ("no scale", "")


def shape(stage: Stage) -> str:
    return "×".join(map(str, stage.shape))


def share(part: float, whole: float) -> str:
    """Return a part in per cent.

    >>> share(1, 3), share(1, 1000), share(0, 5)
    ('33%', '<1%', '0%')
    """
    if not whole or not part:
        return "0%"
    return "<1%" if part / whole < 0.005 else f"{part / whole:.0%}"


def values(stage: Stage) -> tuple[int, int, int, int]:
    """Return the four measures of a stage."""
    return stage.macs, stage.params, stage.moved, stage.alive


def totals(case: Case) -> tuple[int, int, int, int]:
    """Return the four measures of a block; the last is the peak."""
    return case.block.macs, case.block.params, case.block.moved, case.block.peak


def number(value: int, measure: int) -> str:
    """Return a measure in three digits, bytes with their unit."""
    return short(value, "B") if measure > 1 else short(value)


def claim(kind: Kind, case: Case) -> str:
    """Return where the MACs are, where the narrow point is, and the peak."""
    if case.why:
        return "There is no such block: nothing to count."
    parts = [_most(kind, case), _narrow(kind, case), _peak(kind, case), _own(kind, case)]
    return " ".join(part for part in parts if part)


def _names(kind: Kind, case: Case, stages: Sequence[int]) -> str:
    rows = [case.row_of(stage) for stage in stages]
    words = [name(kind, row, case.stage(row)) for row in rows]
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def _most(kind: Kind, case: Case) -> str:
    stages, whole = case.block.stages, case.block.macs
    most = max(stage.macs for stage in stages)
    first = [i for i, stage in enumerate(stages) if stage.macs == most]
    each = " each" if len(first) > 1 else ""
    if most == whole:
        return f"All **{short(whole)}** MACs are in the {_names(kind, case, first)}."
    does = "do" if each else "does"
    said = f"**{share(most, whole)}**{each} of the {short(whole)} MACs"
    return f"The {_names(kind, case, first)} {does} {said}."


def _narrow(kind: Kind, case: Case) -> str:
    """Say where the fewest channels are; a squeeze-excite has no map."""
    maps = [(i, s) for i, s in enumerate(case.block.stages) if s.letter not in "s+xc"]
    least, most = (f(stage.channels for _, stage in maps) for f in (min, max))
    if least == most:
        return f"No narrow point: **{least}** channels throughout."
    where = [i for i, stage in maps if stage.channels == least]
    place = "at both ends" if where == [0, maps[-1][0]] else _places(kind, case, where)
    return f"Narrow point: **{least}** channels {place}, against {most}."


def _places(kind: Kind, case: Case, where: list[int]) -> str:
    after = [stage for stage in where if stage]
    said = ["in the input"] if 0 in where else []
    said += [f"after the {_names(kind, case, after)}"] if after else []
    return " and ".join(said)


def _peak(kind: Kind, case: Case) -> str:
    block = case.block
    first = next(i for i, stage in enumerate(block.stages) if stage.alive == block.peak)
    where = _names(kind, case, [first])
    folded, eager = short(block.peak, "B"), short(block.peak_eager, "B")
    more = f" ({eager} layer by layer)" if eager != folded else ""
    return f"Peak beside the input: **{folded}**, in the {where}{more}."


def _own(kind: Kind, case: Case) -> str:
    """Say what this kind of block is about."""
    return {"fire": _plain, "separable": _plain, "inverted": _shortcut, "bneck": _excite}[
        kind.name
    ](kind, case)


def plain_macs(case: Case) -> int:
    """MACs of one 3×3 (or as large as the block's) convolution in place of the whole block."""
    stages = case.block.stages
    out = stages[-1].shape
    return max(s.kernel for s in stages) ** 2 * stages[0].channels * out[0] * out[1] * out[2]


def _plain(kind: Kind, case: Case) -> str:
    whole, size = plain_macs(case), max(s.kernel for s in case.block.stages)
    if whole == case.block.macs:
        k, out = size**2, case.block.stages[-1].channels
        less = whole * (1 / out + 1 / k)
        return f"Depthwise and pointwise do it in {short(less)}, **{whole / less:.1f}×** fewer."
    what = f"One {size}×{size} in its place would do {short(whole)}"
    times = whole / case.block.macs
    return f"{what}, **{times:.1f}×** as many." if times > 1 else f"{what}, **no more**."


def _shortcut(kind: Kind, case: Case) -> str:
    stages = case.block.stages
    held = stages[0].nbytes
    if case.stage(len(kind.slots)) is not None:
        return f"The shortcut holds its {short(held, 'B')} input until the end."
    why = absent(kind, len(kind.slots), case)[1]
    return f"No shortcut: {why}." if why else "No shortcut."


def _excite(kind: Kind, case: Case) -> str:
    ours = [stage for stage in case.block.stages if stage.letter in "sx"]
    if not ours:
        return _shortcut(kind, case)
    sums = [sum(values(stage)[m] for stage in ours) for m in range(3)]
    whole = totals(case)
    macs, params, moved = (share(sums[m], whole[m]) for m in range(3))
    said = f"Squeeze-excite and scale take {macs} of the MACs, **{params}** of the params"
    return f"{said}, {moved} of the bytes moved."


QUESTIONS: dict[str, dict[str, Any]] = {
    "fire": {
        "q": "A Fire module has three convolutions. Which has the most MACs?",
        "options": ["the squeeze 1×1", "the expand 1×1", "the expand 3×3"],
        "replies": [
            "The squeeze reads many channels but writes few, with one weight for each pair.",
            "The expand 1×1 has one weight for each pair of channels, the 3×3 beside it nine.",
            "Nine weights for each pair of channels, where the two 1×1 have one.",
        ],
        "answer": 2,
    },
    "separable": {
        "q": "A 3×3 convolution is split into depthwise and pointwise. Which has most of the MACs?",
        "options": ["the depthwise 3×3", "the pointwise 1×1", "both the same"],
        "replies": [
            "It has nine weights for each channel, the pointwise one for each pair of channels.",
            "One weight for each pair of channels, and there are hundreds of channels.",
            "Nine weights for each channel are few beside one for each pair of channels.",
        ],
        "answer": 1,
    },
    "inverted": {
        "q": "The norms are folded. Beside the input, where is the most memory alive at once?",
        "options": ["in the expand 1×1", "in the depthwise 3×3", "in the project 1×1"],
        "replies": [
            "The expansion reads a narrow map and writes a wide one: one wide map is alive.",
            "It reads a wide map and writes another: with expansion, that is the peak.",
            "The projection reads a wide map and writes a narrow one.",
        ],
        "answer": 1,
    },
    "bneck": {
        "q": "Squeeze-and-excite adds MACs, params and bytes moved. Where is its share largest?",
        "options": ["of the MACs", "of the params", "of the bytes moved"],
        "replies": [
            "Its two 1×1 layers run on one pixel for each channel: hardly any MACs.",
            "Two dense layers between all channels, though they run on one pixel only.",
            "It reads the map for the mean and scales it, but all other layers move maps as well.",
        ],
        "answer": 1,
    },
}  # fmt: skip


def question(kind: Kind) -> dict[str, Any]:
    """Return the prediction; the first step shows no numbers yet."""
    return {**QUESTIONS[kind.name], "param": "step", "from": 1}
