"""What the block scenes measure of a stage and of a block, and a part of it in per cent."""

from ._blk_kinds import Case
from ._blk_stages import Stage


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
