"""Exercise 12.network: known mistakes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

from torch import nn

from lightcourse.checks.chapters._ch09_parts import Answer, Part, without_bias
from lightcourse.checks.chapters._ch12_bneck import HS, RE
from lightcourse.checks.chapters._ch12_network import Table, given
from lightcourse.checks.chapters._ch12_parts import general, on_meta, same
from lightcourse.checks.chapters._ch12_table import Network, Row
from lightcourse.checks.exercise import Mistake, Outcome


@cache
def _parts(rows: Table, head: int, classes: int, shape: Any, stride: int = 2) -> tuple[Part, ...]:
    return on_meta(lambda: Network(rows, head, classes, stride=stride), shape).parts


def _rows(change: Callable[[Row], Row]) -> Callable[[Outcome], bool]:
    """The layers are those of a table with other rows."""

    def matches(outcome: Outcome) -> bool:
        rows, head, classes, shape, _ = outcome.case.args
        other = tuple(map(change, rows))
        return other != rows and same(outcome.got.parts, _parts(other, head, classes, shape))

    return matches


def _stem(outcome: Outcome) -> bool:
    rows, head, classes, shape, _ = outcome.case.args
    return same(outcome.got.parts, _parts(rows, head, classes, shape, 1))


def _head(outcome: Outcome) -> bool:
    rows, head, classes, shape, _ = outcome.case.args
    others = [n for n in (1024, 1280) if n != head]
    return any(same(outcome.got.parts, _parts(rows, n, classes, shape)) for n in others)


def _classes(outcome: Outcome) -> bool:
    rows, head, classes, shape, _ = outcome.case.args
    return classes != 1000 and same(outcome.got.parts, _parts(rows, head, 1000, shape))


def _wide(outcome: Outcome) -> bool:
    """All but the width of the last convolution is right."""
    got, want = without_bias(outcome.got.parts), list(outcome.want.parts)
    fits = len(got) == len(want) and got[:-4] == want[:-4]
    return fits and got[-4].inputs == want[-4].inputs and got[-4].outputs != want[-4].outputs


def _first_row(outcome: Outcome) -> bool:
    """The first of the rows has been left out."""
    rows, head, classes, shape, _ = outcome.case.args
    return same(outcome.got.parts, _parts(rows[1:], head, classes, shape))


def _last_row(outcome: Outcome) -> bool:
    rows, head, classes, shape, _ = outcome.case.args
    return same(outcome.got.parts, _parts(rows[:-1], head, classes, shape))


def _carried(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "to have" in said and "channels, but got" in said


def _in_a_list(outcome: Outcome) -> bool:
    """A layer reads what no known layer made: blocks between them ran unseen."""
    if outcome.error is not None:
        said = str(outcome.error).lower()
        return "double" in said and "float" in said
    parts = [part for part in outcome.got.parts if part.kind == "conv"]
    first = outcome.got.parts[:1] != outcome.want.parts[:1] and len(parts) < 3
    jumps = any(one.outputs != other.inputs for one, other in pairwise(parts))
    return first or jumps


def _network(
    change: Callable[[Row], Row] = lambda row: row, **quirks: Any
) -> Callable[..., Answer]:
    """The network with other rows or with a quirk."""

    def wrong(rows: Table, head: int, classes: int, shape: Any, seed: int) -> Answer:
        other = tuple(map(change, rows))
        args = rows, head, classes, shape, seed
        return given(lambda: Network(other, head, classes, **quirks), args)

    return wrong


MISTAKES = (
    Mistake(
        "stride-ignored",
        "Your blocks have stride 1, whatever their row says.",
        matches=_rows(lambda row: row._replace(s=1)),
        hint=3,
    ),
    Mistake(
        "kernel-ignored",
        "Your blocks are 3×3, whatever their row says.",
        matches=_rows(lambda row: row._replace(k=3)),
        hint=3,
    ),
    Mistake(
        "se-everywhere",
        "Every block has squeeze-and-excitation. Only those have it whose row says True.",
        matches=_rows(lambda row: row._replace(se=True)),
        hint=3,
    ),
    Mistake(
        "se-nowhere",
        "No block has squeeze-and-excitation. Those have it whose row says True.",
        matches=_rows(lambda row: row._replace(se=False)),
        hint=3,
    ),
    Mistake(
        "exp-and-out-swapped",
        "Expanded and out have changed places: the second number of a row is the wide one inside"
        " of the block, the third is what comes out.",
        matches=_rows(lambda row: row._replace(exp=row.out, out=row.exp)),
        hint=3,
    ),
    Mistake(
        "stem-without-stride",
        "Your stem has no stride. It halves the picture: 224 becomes 112.",
        matches=_stem,
        hint=1,
    ),
    Mistake(
        "first-row-missing",
        "The first row's block is missing. The stem is no row: after it comes a block for each.",
        matches=_first_row,
        hint=1,
    ),
    Mistake(
        "last-row-missing",
        "The last row's block is missing. The last stage comes after all rows.",
        matches=_last_row,
        hint=1,
    ),
    Mistake(
        "head-fixed",
        "Your head does not have the width that `head` asks for.",
        matches=_head,
        hint=5,
    ),
    Mistake(
        "classes-fixed",
        "Your classifier has 1,000 outputs, whatever num_classes is.",
        matches=_classes,
        hint=5,
    ),
    Mistake(
        "wide-not-six-times",
        "The 1×1 convolution of the last stage has the wrong width: six times the `out` of the last"
        " row.",
        matches=_wide,
        hint=5,
    ),
    Mistake(
        "channels-not-carried",
        "A layer reads another number of channels than the one before it makes. After each block,"
        " what arrives is what that block has made.",
        matches=_carried,
        hint=2,
    ),
    *general(hint=1, without="not-registered"),
    Mistake(
        "blocks-in-a-list",
        "Blocks are not registered: in a plain Python list they are unknown to the module, so"
        " nothing trains them. Use `nn.ModuleList` or `nn.Sequential`.",
        matches=_in_a_list,
        hint=1,
    ),
    Mistake(
        "always-relu",
        "Your blocks are all ReLU. Each has the activation of its row.",
        mimic=_network(lambda row: row._replace(nl=RE)),
        hint=4,
    ),
    Mistake(
        "always-h-swish",
        "Your blocks are all h-swish. Each has the activation of its row.",
        mimic=_network(lambda row: row._replace(nl=HS)),
        hint=4,
    ),
    Mistake(
        "stem-relu",
        "The activation of your stem is a ReLU. It is h-swish.",
        mimic=_network(stem=RE),
        hint=4,
    ),
    Mistake(
        "stem-not-activated",
        "No activation stands behind the norm of your stem. It is h-swish.",
        mimic=_network(stem=nn.Identity),
        hint=4,
    ),
    Mistake(
        "softmax-at-the-end",
        "Your network ends in a softmax. The loss of PyTorch takes the bare scores.",
        mimic=_network(end=lambda y: y.softmax(1)),
        hint=4,
    ),
)
