"""What the scenes of the mixing blocks say of their own: groups, halves, ghosts, shifts."""

from collections.abc import Callable

from ._blk_kinds import Case
from ._blk_stages import Stage
from ._blk_values import share, totals, values
from ._lad_words import short

MISSING = {  # what an empty row says, and why, by the kind and the letters of its row
    ("shuffle-v1", "h"): ("no shuffle", "one group"),
    ("shuffle-v1", "a"): ("no pooling", "the input is added"),
    ("shuffle-v2", "p"): ("no split", "both see all of it"),
    ("shuffle-v2", "d"): ("no left depthwise", "a half passes by"),
    ("shuffle-v2", "1"): ("no left 1×1", "a half passes by"),
    ("shuffle-v2", "h"): ("no other shuffle", "it is in the concat"),
    ("shift", "a"): ("no pooling", "the input is added"),
}


def _of(case: Case, letters: str) -> list[Stage]:
    return [stage for stage in case.block.stages if stage.letter in letters]


def _moved(case: Case, stages: list[Stage]) -> str:
    """Return the share of the bytes moved that some stages have."""
    return share(sum(values(stage)[2] for stage in stages), totals(case)[2])


def _groups(case: Case) -> str:
    """Say what the groups spare, and what the shuffle takes."""
    points = [stage for stage in _of(case, "1g") if stage.kernel == 1]
    whole = sum(stage.macs * stage.groups for stage in points)
    grouped, shuffles = sum(stage.macs for stage in points), _of(case, "h")
    if whole == grouped:
        return "One group: each output of a 1×1 reads **all** channels."
    said = (
        f"Without groups the two 1×1 would do {short(whole)}, **{whole / grouped:.1f}×** as many."
    )
    if not shuffles:
        return said
    return f"{said} The shuffle takes **no** MACs, but {_moved(case, shuffles)} of the bytes moved."


def _halves(case: Case) -> str:
    """Say what goes past the branch, and what the join takes."""
    splits, joins = _of(case, "p"), _moved(case, _of(case, "ch"))
    took = f"concat and shuffle take **no** MACs, but {joins} of the bytes moved"
    if splits:
        half = splits[0].channels // 2
        return f"**{half}** of {2 * half} channels pass by; {took}."
    return f"Both branches see all **{case.block.stages[0].channels}** channels; {took}."


def _ghosts(case: Case) -> str:
    """Compare with one convolution in place of the module."""
    own, ghosts = case.block.stages[1:3]
    made = own.channels + ghosts.channels
    plain = own.macs * made // own.channels
    times = plain / case.block.macs
    fewer = f"**{times:.1f}×** as many" if times > 1 else "**no more**"
    return (
        f"{ghosts.channels} of {made} channels are ghosts; one {own.word} for all would do"
        f" {short(plain)}, {fewer}."
    )


def _shifts(case: Case) -> str:
    """Compare the shift with a depthwise convolution as large as its window."""
    (shift,) = _of(case, "f")
    channels, height, width = shift.shape
    return (
        f"The shift, here by padding and concat, takes **no** MACs and no params, but"
        f" {_moved(case, [shift])} of the bytes moved; a depthwise 3×3 would do"
        f" {short(9 * channels * height * width)} MACs."
    )


OWN: dict[str, Callable[[Case], str]] = {
    "shuffle-v1": _groups, "shuffle-v2": _halves, "ghost": _ghosts, "shift": _shifts,
}  # fmt: skip
