"""Exercise 09.macs: the MACs of the whole network, stem, blocks and classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from lightcourse.checks.chapters._ch09_net import NAMES, counted
from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint

WIDTHS = (0.25, 0.5, 0.75, 1.0)
SIDES = (96, 128, 160, 192, 224, 256)


def cases(rng: Random) -> Iterator[Case]:
    yield Case((1.0, 224), {}, "the network of table 1")
    yield Case((0.5, 224), {}, "half the width")
    yield Case((1.0, 128), {}, "fewer pixels")
    yield Case((0.25, 160), {}, "both")
    yield Case((1.0, 100), {}, "a side that halves to odd numbers")
    for _ in range(2):
        yield Case((rng.choice(WIDTHS), rng.choice(SIDES)))
    yield Case((rng.choice(WIDTHS), rng.randint(33, 250)), {}, "any side")


oracle = counted
_close = Compare()


def compare(got: Any, want: Sequence[int]) -> Difference | None:
    """Name by name: the stem, block 1 to 13, the classifier."""
    if isinstance(got, Sequence) and not isinstance(got, str) and len(got) == len(want):
        for name, one, other in zip(NAMES, got, want, strict=False):
            if found := _close(one, other):
                both = f"{name}: wanted {other:,}, got {one:,}" if found.kind == "value" else ""
                return Difference(found.kind, both or f"{name}: {found.text}")
        return None
    if isinstance(got, Sequence) and not isinstance(got, str):
        text = f"there are {len(got)} numbers, wanted {len(want)}: stem, 13 blocks, classifier"
        return Difference("shape", text)
    return _close(got, want)


HINTS = (
    Hint(
        "I do not know where to begin",
        "Keep two numbers while you walk through the network: how many channels arrive, and the"
        " side of the map. The stem sets both. Each block appends one number to the list and"
        " changes the two.",
    ),
    Hint(
        "My list has the wrong length, or my table is wrong",
        "Go through the column of pointwise layers in table 1 and write down the channels that come"
        " out, one block a line: there are 13. Then join equal neighbours: 1 + 2 + 2 + 6 + 2. The"
        " stride stands in the depthwise line above, and it counts for the first block of a row.",
    ),
    Hint(
        "My first numbers are right, later ones are not",
        "224 becomes 112 in the stem and 56 in block 2. Print the side that you use for each block:"
        " 112, 56, 56, 28, 28, then six times 14, then twice 7. After the pooling there is one"
        " place.",
    ),
    Hint(
        "My numbers are wrong with a width below 1",
        "Shrink the channels where you meet them: 32 in the stem, the channels of each row, and so"
        " also what the classifier reads. The picture keeps 3 channels, the classifier 1,000"
        " classes.",
    ),
)
