"""Chapter 01, exercise 01.count: connections of a full, a local and a shared layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Law, Mistake, Outcome

Map = tuple[int, int, int]  # channels, height, width
Counts = tuple[int, int, int]

NAMES = ("full", "local", "shared")


def cases(rng: Random) -> Iterator[Case]:
    yield Case(((1, 4, 4), (1, 2, 2), (3, 3)), label="one channel in, one out")
    yield Case(((1, 4, 4), (2, 2, 2), (3, 3)), label="two channels out")
    yield Case(((3, 4, 4), (1, 2, 2), (3, 3)), label="three channels in")
    yield Case(((1, 5, 7), (1, 5, 5), (1, 3)), label="a window of one row")
    yield Case(((1, 32, 32), (6, 28, 28), (5, 5)), label="the first layer of LeNet-5")
    yield Case(((16, 5, 5), (120, 1, 1), (5, 5)), label="a window as large as the map")
    yield Case(((3, 224, 224), (32, 112, 112), (3, 3)), label="the first layer of MobileNetV2")
    for _ in range(6):
        kernel = rng.randint(1, 5), rng.randint(1, 5)
        shape = rng.randint(1, 6), rng.randint(5, 20), rng.randint(5, 20)
        made = rng.randint(1, 6), rng.randint(2, 15), rng.randint(2, 15)
        yield Case((shape, made, kernel))


def by_torch(shape_in: Map, shape_out: Map, kernel: tuple[int, int]) -> Counts:
    """Let torch count: the weights of its two layers, and a convolution of ones over ones."""
    inputs, outputs = (torch.Size(shape).numel() for shape in (shape_in, shape_out))
    full = sum(p.numel() for p in nn.Linear(inputs, outputs, device="meta").parameters())
    conv = nn.Conv2d(shape_in[0], shape_out[0], kernel, device="meta")
    shared = sum(p.numel() for p in conv.parameters())
    # each output of this convolution is the number of inputs that it reads; every channel the same
    ones = torch.ones(1, shape_in[0], shape_out[1] + kernel[0] - 1, shape_out[2] + kernel[1] - 1)
    read = F.conv2d(ones.double(), torch.ones(1, shape_in[0], *kernel).double())
    return full, shape_out[0] * int((read + 1).sum()), shared


def compare(got: Any, want: Counts) -> Difference | None:
    """As usual, but the number that is wrong is named."""
    found = Compare()(got, want)
    if found is None or found.kind != "value":
        return found
    for name, one, other in zip(NAMES, got, want, strict=True):
        if one != other:
            return Difference("value", f"{name} is {one:,}, wanted {other:,}")
    return found


def _wrong(**changes: Callable[..., int]) -> Callable[[Map, Map, tuple[int, int]], Counts]:
    """Counts in which the named numbers are f(c, h, w, c2, h2, w2, a, b)."""
    right: dict[str, Callable[..., int]] = {
        "full": lambda c, h, w, c2, h2, w2, a, b: (c * h * w + 1) * c2 * h2 * w2,
        "local": lambda c, h, w, c2, h2, w2, a, b: (c * a * b + 1) * c2 * h2 * w2,
        "shared": lambda c, h, w, c2, h2, w2, a, b: (c * a * b + 1) * c2,
    }
    rules = right | changes

    def mimic(shape_in: Map, shape_out: Map, kernel: tuple[int, int]) -> Counts:
        full, local, shared = (rules[name](*shape_in, *shape_out, *kernel) for name in NAMES)
        return full, local, shared

    return mimic


def _only(name: str) -> Callable[[Outcome], bool]:
    """Whether this is the one number that is wrong."""

    def matches(outcome: Outcome) -> bool:
        pairs = zip(NAMES, outcome.got, outcome.want, strict=True)
        return [n for n, one, other in pairs if one != other] == [name]

    return matches


def _order(*places: int) -> Callable[[Map, Map, tuple[int, int]], tuple[int, ...]]:
    def mimic(*case: Any) -> tuple[int, ...]:
        counts = by_torch(*case)
        return tuple(counts[place] for place in places)

    return mimic


def _more_places_same_weights(three_counts: Callable[..., Counts], rng: Random) -> str | None:
    c, c2, side = rng.randint(1, 4), rng.randint(1, 4), rng.randint(4, 9)
    small = three_counts((c, side, side), (c2, side, side), (3, 3))
    large = three_counts((c, 2 * side, side), (c2, 2 * side, side), (3, 3))
    if small[2] != large[2]:
        return "A picture twice as high needs no new shared weights, but your number changes."
    if 2 * small[1] != large[1]:
        return "A picture twice as high has twice the local connections, but yours do not double."
    return None


LAWS = (Law("shared weights do not know the size", _more_places_same_weights, hint=4),)

MISTAKES = (
    Mistake(
        "bias-forgotten",
        "Right but for the biases. Each output also adds a number of its own, its bias: one more"
        " connection an output, and one more parameter an output channel.",
        mimic=_wrong(
            full=lambda c, h, w, c2, h2, w2, a, b: c * h * w * c2 * h2 * w2,
            local=lambda c, h, w, c2, h2, w2, a, b: c * a * b * c2 * h2 * w2,
            shared=lambda c, h, w, c2, h2, w2, a, b: c * a * b * c2,
        ),
        hint=5,
    ),
    Mistake(
        "one-bias-for-all",
        "You add one bias in all. There is one for each output (for each output channel, where"
        " weights are shared).",
        mimic=_wrong(
            full=lambda c, h, w, c2, h2, w2, a, b: c * h * w * c2 * h2 * w2 + 1,
            local=lambda c, h, w, c2, h2, w2, a, b: c * a * b * c2 * h2 * w2 + 1,
            shared=lambda c, h, w, c2, h2, w2, a, b: c * a * b * c2 + 1,
        ),
        hint=5,
    ),
    Mistake(
        "bias-per-channel-everywhere",
        "You add one bias for each output channel. That is right for shared weights only. Without"
        " sharing every single output has a bias of its own: C' · H' · W' of them.",
        mimic=_wrong(
            full=lambda c, h, w, c2, h2, w2, a, b: c * h * w * c2 * h2 * w2 + c2,
            local=lambda c, h, w, c2, h2, w2, a, b: c * a * b * c2 * h2 * w2 + c2,
        ),
        hint=5,
    ),
    Mistake(
        "depth-forgotten",
        "Your window is flat. An output channel looks at a window in every input channel: kernel"
        " height · kernel width · C inputs.",
        mimic=_wrong(
            local=lambda c, h, w, c2, h2, w2, a, b: (a * b + 1) * c2 * h2 * w2,
            shared=lambda c, h, w, c2, h2, w2, a, b: (a * b + 1) * c2,
        ),
        hint=3,
    ),
    Mistake(
        "one-kernel-for-all-outputs",
        "You count one kernel. Each of the C' output channels has its own.",
        mimic=_wrong(shared=lambda c, h, w, c2, h2, w2, a, b: c * a * b + 1),
        hint=4,
    ),
    Mistake(
        "bias-per-channel-everywhere",
        "You add one bias for each output channel. That is right for shared weights only. Without"
        " sharing every single output has a bias of its own: C' · H' · W' of them.",
        mimic=_wrong(local=lambda c, h, w, c2, h2, w2, a, b: c * a * b * c2 * h2 * w2 + c2),
        hint=5,
    ),
    Mistake(
        "one-kernel-for-all-outputs",
        "You count one kernel. Each of the C' output channels has its own.",
        mimic=_wrong(
            local=lambda c, h, w, c2, h2, w2, a, b: (c * a * b + 1) * h2 * w2,
            shared=lambda c, h, w, c2, h2, w2, a, b: c * a * b + 1,
        ),
        hint=4,
    ),
    Mistake(
        "square-window",
        "You take the window's height twice. It has a height and a width.",
        mimic=_wrong(
            local=lambda c, h, w, c2, h2, w2, a, b: (c * a * a + 1) * c2 * h2 * w2,
            shared=lambda c, h, w, c2, h2, w2, a, b: (c * a * a + 1) * c2,
        ),
        hint=3,
    ),
    Mistake(
        "places-of-the-input",
        "You count a window for every pixel of the input. There is one for every pixel of the"
        " output.",
        mimic=_wrong(local=lambda c, h, w, c2, h2, w2, a, b: (c * a * b + 1) * c2 * h * w),
        hint=3,
    ),
    Mistake(
        "not-shared",
        "Your third number still counts every place. Shared means that all places use the same"
        " weights, so H' and W' do not occur in it.",
        mimic=_wrong(shared=lambda c, h, w, c2, h2, w2, a, b: (c * a * b + 1) * c2 * h2 * w2),
        hint=4,
    ),
    Mistake(
        "order",
        "The three numbers are right, in another order. Wanted: full, local, shared.",
        mimic=_order(2, 1, 0),
        hint=1,
    ),
    Mistake(
        "order",
        "The three numbers are right, in another order. Wanted: full, local, shared.",
        mimic=_order(0, 2, 1),
        hint=1,
    ),
    Mistake(
        "full-is-wrong",
        "local and shared are right. In a full layer each of the C' · H' · W' outputs is connected"
        " with all C · H · W inputs, and with its bias.",
        matches=_only("full"),
        hint=2,
    ),
    Mistake(
        "local-is-wrong",
        "full and shared are right. A local layer has a window at each of the C' · H' · W' outputs,"
        " and no two outputs share a weight.",
        matches=_only("local"),
        hint=3,
    ),
    Mistake(
        "shared-is-wrong",
        "full and local are right. With shared weights count one output channel: one window with"
        " all its input channels, and a bias. Then all output channels.",
        matches=_only("shared"),
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Take the picture of 4×4 and the map of 2×2 above this exercise, and count the lines. Full:"
        " each of the 4 outputs has 16 lines and a bias, 4 · 17 = 68. Local: 4 · (9 + 1) = 40."
        " Shared: the 9 weights and the bias of one window, 10.",
    ),
    Hint(
        "My first number (full) is wrong",
        "How many outputs are there? C' · H' · W'. How many lines end at one of them? One from each"
        " of the C · H · W inputs, and one from the bias.",
    ),
    Hint(
        "My second number (local) is wrong",
        "There are as many outputs as before. At one of them end the lines of one window: its"
        " height times its width, in each of the C input channels, and one more for the bias.",
    ),
    Hint(
        "My third number (shared) is wrong",
        "All H' · W' places of one output channel use the same window of weights and the same bias."
        " So look at one place only, and count it for each of the C' output channels.",
    ),
    Hint(
        "I am off by a little: the bias",
        "y = w₁x₁ + w₂x₂ + … + b. The b is the bias, one for each output. Count it as one more"
        " input that is always 1.",
    ),
)
