"""What the block scenes say: names, reasons, and the claim of a state, from its numbers."""

from collections.abc import Sequence
from typing import Any

from ._blk_kind import Kind
from ._blk_kinds import Case
from ._blk_mixer_words import MISSING, OWN
from ._blk_questions import QUESTIONS
from ._blk_stages import Stage
from ._blk_values import share, totals, values
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
    if kind.name in OWN:
        return MISSING[kind.name, letters]
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
    maps = [(i, s) for i, s in enumerate(case.block.stages) if s.letter in "i1kdg"]
    least, most = (f(stage.channels for _, stage in maps) for f in (min, max))
    if least == most:
        return f"No narrow point: **{least}** channels throughout."
    where = [i for i, stage in maps if stage.channels == least]
    ends = "c" not in case.block.letters and where == [0, maps[-1][0]]
    place = "at both ends" if ends else _places(kind, case, where)
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
    if kind.name in OWN:
        return OWN[kind.name](case)
    sentences = {"fire": _plain, "separable": _plain, "inverted": _shortcut}
    return sentences.get(kind.name, _excite)(kind, case)


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


def question(kind: Kind) -> dict[str, Any]:
    """Return the prediction; the first step shows no numbers yet."""
    return {**QUESTIONS[kind.name], "param": "step", "from": 1}
