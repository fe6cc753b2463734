"""Exercise 10.build: wrong twins, and tests of what an answer has wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch import Tensor

from lightcourse.checks.chapters._ch10_build import (
    NO_FORWARD,
    Network,
    examine,
    first_difference,
    reference,
)
from lightcourse.checks.chapters._ch10_layers import FAST
from lightcourse.checks.exercise import Outcome


def twin(**rules: Any) -> Callable[..., Network]:
    def wrong(width: float, classes: int, x: Tensor) -> Network:
        return examine(reference(width, classes, **rules), x)

    return wrong


def first(outcome: Outcome) -> tuple[int, str]:
    """Where the layers differ first; (-1, '') where they do not."""
    if not isinstance(outcome.got, Network):
        return -1, ""
    return first_difference(outcome.got, outcome.want) or (-1, "")


def at(index: int | None, name: str, parity: int | None = None) -> Callable[[Outcome], bool]:
    def matches(outcome: Outcome) -> bool:
        place, what = first(outcome)
        if what != name or (index is not None and place != index % len(outcome.want.layers)):
            return False
        return parity is None or (place % 2 == parity and 0 < place < len(outcome.want.layers) - 1)

    return matches


def narrow_classifier(outcome: Outcome) -> bool:
    """All widths of the classifier: it has int(classes · width) outputs, or as many as full."""
    if outcome.got is None or not at(-1, "out")(outcome):
        return False
    width, classes, _ = outcome.case.args
    return outcome.got.layers[-1].out == int(classes * width)


def full_width(outcome: Outcome) -> bool:
    return at(0, "out")(outcome) and outcome.got.layers[0].out == 32


def fixed_classes(outcome: Outcome) -> bool:
    return at(-1, "out")(outcome) and outcome.got.layers[-1].out == 1000


def rounded(outcome: Outcome) -> bool:
    place, what = first(outcome)
    if what not in ("out", "into") or outcome.case.args[0] != 0.3:
        return False
    one, other = (getattr(net.layers[place], what) for net in (outcome.got, outcome.want))
    return 0 < one - other <= 8


def nearest(outcome: Outcome) -> bool:
    """Stem and blocks have round(c · width) channels."""
    width, got = outcome.case.args[0], outcome.got
    full = (32, *(c for c, _ in FAST))
    kinds = ("conv", "pointwise")
    made = [row.out for row in got.layers if row.kind in kinds]
    return bool(first(outcome)[1]) and made == [round(c * width) for c in full]


def without_forward(outcome: Outcome) -> bool:
    return str(outcome.error) == NO_FORWARD


def dense(outcome: Outcome) -> bool:
    place, what = first(outcome)
    if what != "kind" or place != 1:
        return False
    return outcome.got.layers[place].kind == "conv"


def biased(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    if not isinstance(got, Network) or first(outcome)[1] or len(got.layers) != len(want.layers):
        return False
    extra = sum(
        a.out for a, b in zip(got.layers, want.layers, strict=True) if a.bias and not b.bias
    )
    return 0 < extra == got.params - want.params


def unused(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    same = not first(outcome)[1] and len(got.layers) == len(want.layers)
    return same and got.params > want.params and got.norms == want.norms


def norms_missing(outcome: Outcome) -> bool:
    return isinstance(outcome.got, Network) and outcome.got.norms == 0


def class_returned(outcome: Outcome) -> bool:
    got = outcome.got
    return isinstance(got, type) or (isinstance(got, (list, tuple)) and bool(got))


def _at_the_classifier(outcome: Outcome) -> tuple[int, int] | None:
    """Columns that arrive at the classifier and columns that it takes, where it refused them."""
    found = re.search(r"cannot be multiplied \(\d+x(\d+) and (\d+)x", str(outcome.error))
    return (int(found[1]), int(found[2])) if found else None


def no_mean(outcome: Outcome) -> bool:
    if outcome.error is None:  # where the last map is one place only, flattening would do
        return at(-1, "into")(outcome)
    sizes = _at_the_classifier(outcome)
    return sizes is not None and sizes[0] > 1 and sizes[0] % sizes[1] == 0


def not_flat(outcome: Outcome) -> bool:
    sizes = _at_the_classifier(outcome)
    return sizes is not None and sizes[0] == 1


def hidden_layers(outcome: Outcome) -> bool:
    """Blocks in a plain list run, but the network does not know that it has them."""
    got = outcome.got
    return isinstance(got, Network) and [row.kind for row in got.layers] == ["conv", "linear"]


def stride_as_kernel(outcome: Outcome) -> bool:
    place, what = first(outcome)
    if what != "kernel":
        return False
    return outcome.got.layers[place].kernel in (1, 2) and outcome.got.layers[place].stride == 1


def wrong_in(*names: str) -> Callable[[Outcome], bool]:
    return lambda outcome: first(outcome)[1] in names


def classifier_inputs(outcome: Outcome) -> bool:
    """The classifier takes another number of channels than the last block writes."""
    sizes = _at_the_classifier(outcome)
    return sizes is not None and sizes[0] == int(1024 * outcome.case.args[0]) != sizes[1]


def ready_made(outcome: Outcome) -> bool:
    return isinstance(outcome.got, Network) and outcome.got.ready_made


def not_joined(outcome: Outcome) -> bool:
    """A layer was handed more or fewer channels than it reads."""
    said = str(outcome.error)
    return "to have" in said and "channels, but got" in said
