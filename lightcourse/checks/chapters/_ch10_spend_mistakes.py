"""Exercise 10.spend: known mistakes."""

from __future__ import annotations

from collections.abc import Sequence

from lightcourse.checks.chapters._ch10_layers import Layer
from lightcourse.checks.chapters._ch10_spend import counter, per_place
from lightcourse.checks.exercise import Mistake, Outcome


def _turned(outcome: Outcome) -> bool:
    """The whole sum alone, or a list of MACs layer by layer."""
    total = sum(outcome.want.values())
    return outcome.got == total or (isinstance(outcome.got, list) and sum(outcome.got) == total)


def _under_the_map(layers: Sequence[Layer], side: int) -> dict[int, int]:
    """The classifier's MACs, which are right, added to those of the last map."""
    found = counter()(layers, side)
    if layers and layers[-1][0] == "linear":
        *_, (_, channels, _), (_, classes, _) = layers
        for _, _, stride in layers:
            side = -(-side // stride)
        found[1] -= channels * classes
        found[side] = found.get(side, 0) + channels * classes
    return {place: macs for place, macs in found.items() if macs}


def _classifier_alone(layers: Sequence[Layer], side: int) -> dict[int, int]:
    """The classifier takes the place of all else that was spent under side 1."""
    found = counter()(layers, side)
    if layers and layers[-1][0] == "linear":
        *_, (_, channels, _), (_, classes, _) = layers
        found[1] = channels * classes
    return found


def _sides_in_floats(outcome: Outcome) -> bool:
    return isinstance(outcome.got, dict) and any(isinstance(key, float) for key in outcome.got)


MISTAKES = (
    Mistake(
        "overwritten",
        "Each layer overwrites what the layers before it have spent on maps of the same size: your"
        " entry is that of the last layer. Add to it.",
        mimic=counter(add=False),
        hint=1,
    ),
    *(
        Mistake(
            "charged-to-the-input",
            "You file a layer under the map that it reads. Wanted is the map that it writes: a"
            " layer with stride 2 belongs to the smaller size already.",
            mimic=counter(key=lambda before, after: before, area=area),
            hint=1,
        )
        for area in (lambda before, after: after * after, lambda before, after: before * before)
    ),
    Mistake(
        "macs-on-the-input",
        "You multiply by the places of the map that is read. A layer works once for each place"
        " that it *writes*: with stride 2 a quarter of them.",
        mimic=counter(area=lambda before, after: before * before),
        hint=2,
    ),
    Mistake(
        "side-not-squared",
        "You multiply by the side. A map has side · side places.",
        mimic=counter(area=lambda before, after: after),
        hint=2,
    ),
    Mistake(
        "rounded-down",
        "You round the side down. With padding a side of 15 at stride 2 gives 8, not 7.",
        mimic=counter(shrink=lambda side, stride: side // stride),
        hint=3,
    ),
    Mistake(
        "rounded-to-the-even",
        "You use Python's `round`. It takes a half to the *even* neighbour: 7.5 to 8, but 8.5 to 8"
        " as well. A side is always rounded up: `math.ceil`.",
        mimic=counter(shrink=lambda side, stride: round(side / stride)),
        hint=3,
    ),
    Mistake(
        "sides-in-floats",
        "Your sides are floats. The keys are whole numbers, 3 and not 3.0, and a side that is odd"
        " is rounded up: `math.ceil(side / stride)`.",
        matches=_sides_in_floats,
        hint=3,
    ),
    Mistake(
        "stride-ignored",
        "Your maps never shrink: divide the side by the stride of the layer.",
        mimic=counter(shrink=lambda side, stride: side),
        hint=3,
    ),
    Mistake(
        "depthwise-as-dense",
        "You count the depthwise layer as an ordinary convolution. Each of its channels reads one"
        " channel: 9 MACs a place, not 9 times the channels.",
        mimic=counter(
            lambda kind, i, o: 9 * i * o if kind == "depthwise" else per_place(kind, i, o)
        ),
        hint=2,
    ),
    Mistake(
        "depthwise-without-its-nine",
        "Your depthwise layer has one MAC a place. It is 3×3: 9 of them.",
        mimic=counter(lambda kind, i, o: o if kind == "depthwise" else per_place(kind, i, o)),
        hint=2,
    ),
    Mistake(
        "pointwise-with-nine",
        "You give the pointwise layer a 3×3 window. It is 1×1: one MAC for each channel that"
        " arrives.",
        mimic=counter(
            lambda kind, i, o: 9 * i * o if kind == "pointwise" else per_place(kind, i, o)
        ),
        hint=2,
    ),
    Mistake(
        "conv-without-its-inputs",
        "Your `conv` counts 9 MACs for each channel written. It reads all channels that arrive: 9"
        " times that number.",
        mimic=counter(lambda kind, i, o: 9 * o if kind == "conv" else per_place(kind, i, o)),
        hint=2,
    ),
    Mistake(
        "conv-without-its-nine",
        "Your `conv` counts like a pointwise layer. Its window is 3×3: 9 times that.",
        mimic=counter(lambda kind, i, o: i * o if kind == "conv" else per_place(kind, i, o)),
        hint=2,
    ),
    Mistake(
        "channels-not-handed-on",
        "Every layer of yours reads 3 channels. Only the first one does; each later layer reads"
        " what the layer before it has written.",
        mimic=counter(hand_on=False),
        hint=1,
    ),
    Mistake(
        "grey-picture",
        "Your picture has 1 channel. It has three colours.",
        mimic=counter(colours=1),
        hint=1,
    ),
    Mistake(
        "classifier-on-the-map",
        "Your classifier works at every place of the last map. The mean over the map comes before"
        " it: one place, side 1.",
        mimic=counter(linear=lambda side: side),
        hint=4,
    ),
    Mistake(
        "classifier-under-the-map",
        "The MACs of your classifier are right, but you file them under the last map. It works on"
        " one place, the mean: side 1.",
        mimic=_under_the_map,
        hint=4,
    ),
    Mistake(
        "classifier-overwrites",
        "Your classifier overwrites what is under side 1 already. A map may have one place before"
        " the classifier: add to the entry.",
        mimic=_classifier_alone,
        hint=4,
    ),
    Mistake(
        "classifier-left-out",
        "Your classifier is missing: the linear layer belongs under side 1.",
        mimic=counter(linear=lambda side: None),
        hint=4,
    ),
    Mistake(
        "flops-not-macs",
        "All your numbers are twice as large: you count FLOPs. A multiplication with its addition"
        " is one MAC.",
        mimic=counter(times=2),
        hint=2,
    ),
    Mistake(
        "sums-not-by-side",
        "Your MACs are right, but not sorted. Wanted is a dictionary, side: MACs spent there.",
        matches=_turned,
        hint=1,
    ),
)
