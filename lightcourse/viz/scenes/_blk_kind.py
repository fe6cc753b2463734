"""What a kind of block is made of: its rows, its sliders, the call of every state."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from ._blk_stages import Block

Reads = tuple[tuple[tuple[int, ...], ...], ...]  # by row: the sets of rows that it may read
Rows = tuple[int | None, ...]  # the stage in each row after the input, None where it is empty


@dataclass(frozen=True)
class Knob:
    """A slider (range) or a row of buttons (select), with what each value is called."""

    name: str
    label: str
    kind: str
    labels: tuple[str, ...]
    value: int = 0


@dataclass(frozen=True)
class Call:
    """The constructor call that builds a state's block, and the side of its input map."""

    name: str
    args: tuple[int, ...]
    side: int
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def code(self) -> str:
        """The call as Python.

        >>> Call("Fire", (128, 16, 64, 64), 55, (("bypass", True),)).code
        'Fire(128, 16, 64, 64, bypass=True)'
        """
        said = [*map(str, self.args), *(f"{name}={value}" for name, value in self.options)]
        return f"{self.name}({', '.join(said)})"

    @property
    def names(self) -> str:
        """What the call needs from `lightcourse.nn`."""
        return f"{self.name}, SqueezeExcite" if "SqueezeExcite(" in self.code else self.name

    @property
    def size(self) -> tuple[int, int, int, int]:
        return (1, self.args[0], self.side, self.side)

    def build(self) -> Any:
        """Return the block, with weights that hold no numbers."""
        import torch

        import lightcourse.nn as blocks

        with torch.device("meta"):
            return getattr(blocks, self.name)(*self.args, **dict(self.options))


@dataclass(frozen=True)
class Slot:
    """One row of the picture: a stage by its letter, and its name where the letter has several."""

    letters: str
    name: str = ""  # stands before the stage's own word
    # left, right: beside each other; west, east: branches; bypass: with the shortcut; side: apart
    lane: str = "main"


@dataclass(frozen=True)
class Kind:
    """A family's block: rows from top to bottom, which of them may be missing, and its sliders."""

    name: str
    title: str
    article: str  # what an own block is measured against
    runs: str  # its stages in words
    slots: tuple[Slot, ...]
    grammar: str  # a regular expression over the letters of the stages, one group a slot
    knobs: tuple[Knob, ...]
    call: Callable[..., Call]
    side: int
    pitch: int  # px from row to row
    handle: tuple[str, int]  # the slider that is dragged on the picture, and the row it is on
    left: int = 188  # px: where the drawing may begin, right of the names
    reads: Reads = ()  # empty where each stage reads the one before, and joins two

    def states(self) -> Iterator[tuple[int, ...]]:
        """Yield the values of all sliders, the last one fastest."""
        yield from product(*(range(len(knob.labels)) for knob in self.knobs))

    def place(self, block: Block) -> Rows | None:
        """Return the stage in each row, None where a row is empty; None if the block differs."""
        rows = self._rows(block)
        return None if rows is None or self.wrong_link(block) else rows

    def _rows(self, block: Block) -> Rows | None:
        found = re.fullmatch(self.grammar, block.letters)
        if found is None:
            return None
        return tuple(
            found.start(i) + 1 if found[i] else None for i in range(1, len(self.slots) + 1)
        )

    def wrong_link(self, block: Block) -> str:
        """Say which stage reads other maps than it does in these blocks; empty if none does."""
        rows = self._rows(block)
        if rows is None:
            return ""
        return _branches(block, rows, self.reads) if self.reads else _chain(block)


def _chain(block: Block) -> str:
    """Say which stage reads other than the stage before it; joins read two."""
    for here, stage in enumerate(block.stages[1:], 1):
        before = block.stages[here - 1]
        wanted, words = {here - 1}, "the stage before it"
        if stage.letter == "+":
            wanted, words = {0, here - 1}, "the block's input and the stage before it"
        elif stage.letter in "cx":
            wanted, words = {here - 1, here - 2}, "the two stages before it"
        elif stage.letter in "1k" and before.letter in "1k" and here == 3:
            wanted, words = {1}, "the squeeze"  # the second of a Fire module's expansions
        if set(stage.sources) != wanted:
            return f"its {stage.word} reads {_said(block, stage.sources)}, not {words}"
    return ""


def _branches(block: Block, rows: Rows, reads: Reads) -> str:
    """Say which row reads others than it may."""
    row_of = {0: 0} | {stage: row for row, stage in enumerate(rows, 1) if stage is not None}
    for stage, row in list(row_of.items())[1:]:
        allowed = [choice for choice in reads[row - 1] if set(choice) <= set(row_of.values())]
        if {row_of[s] for s in block.stages[stage].sources} not in map(set, allowed):
            wanted = [s for s, there in row_of.items() if allowed and there in allowed[0]]
            found = _said(block, block.stages[stage].sources)
            return f"its {block.stages[stage].word} reads {found}, not {_said(block, wanted)}"
    return ""


def _said(block: Block, stages: Sequence[int]) -> str:
    return " and ".join(block.stages[s].word if s else "the input" for s in stages)
