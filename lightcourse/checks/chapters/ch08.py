"""Chapter 08: the exercises on SqueezeNet, and three predictions."""

from __future__ import annotations

import torch
from torch import nn

from lightcourse.analysis import analyze
from lightcourse.checks.chapters import _ch08_design as design
from lightcourse.checks.chapters import _ch08_design_mistakes as design_mistakes
from lightcourse.checks.chapters import _ch08_fire as fire
from lightcourse.checks.chapters import _ch08_fire_mistakes as fire_mistakes
from lightcourse.checks.chapters import _ch08_net as net
from lightcourse.checks.chapters import _ch08_net_mistakes as net_mistakes
from lightcourse.checks.chapters import _ch08_params as params
from lightcourse.checks.chapters._ch08_net_dropout import drops
from lightcourse.checks.chapters._ch08_net_reference import Reference
from lightcourse.checks.exercise import Exercise, Law, Prediction
from lightcourse.nn import Fire

TITLE = "SqueezeNet"

EXERCISES = [
    Exercise(
        id="08.fire",
        title="Squeeze, then expand",
        name="Fire",
        kind="class",
        cases=fire.cases,
        oracle=fire.oracle,
        call=fire.call,
        compare=fire.compare,
        show=fire.show,
        picture=fire.picture,
        laws=(
            Law("the same in training", fire.same_in_training, hint=3),
            Law("every parameter learns", fire.learns, hint=1),
        ),
        mistakes=fire_mistakes.MISTAKES,
        hints=fire_mistakes.HINTS,
    ),
    Exercise(
        id="08.params",
        title="What a Fire module weighs",
        name="fire_params",
        cases=params.cases,
        oracle=params.oracle,
        show=params.show,
        mistakes=params.MISTAKES,
        hints=params.HINTS,
    ),
    Exercise(
        id="08.design",
        title="Spend a budget",
        name="design",
        cases=design.cases,
        oracle=design.oracle,
        compare=design.compare,
        show=design.show,
        mistakes=design_mistakes.MISTAKES,
        hints=design_mistakes.HINTS,
    ),
    Exercise(
        id="08.net",
        title="SqueezeNet from its table",
        name="SqueezeNet",
        kind="class",
        cases=net.cases,
        oracle=net.oracle,
        call=net.call,
        compare=net.compare,
        show=net.show,
        laws=(Law("dropout works in training", drops, hint=4),),
        mistakes=net_mistakes.MISTAKES,
        hints=net_mistakes.HINTS,
    ),
]


def _times_lighter() -> float:
    """Parameters of a plain 3×3 from 96 to 128 channels over those of fire2."""
    with torch.device("meta"):
        plain, light = nn.Conv2d(96, 128, 3, padding=1), Fire(96, 16, 64, 64)
    counts = [sum(p.numel() for p in m.parameters()) for m in (plain, light)]
    return round(counts[0] / counts[1], 2)


def _what_falls() -> str:
    """Move the second and third pool of SqueezeNet 1.0 two modules towards the input, and count."""
    rows = [row for row in net.V1_0 if row != ("pool",)]
    found = []
    for places in ((1, 5, 10), (1, 3, 8)):
        table = [*rows]
        for place in places:
            table.insert(place, ("pool",))
        with torch.device("meta"):
            report = analyze(Reference(table, 1000, Fire).eval(), (1, 3, 224, 224))
        found.append((report.params, report.macs))
    (params_late, macs_late), (params_early, macs_early) = found
    falls = (params_early < params_late, macs_early < macs_late)
    return {
        (True, True): "both fall",
        (True, False): "only the parameters fall",
        (False, True): "only the MACs fall",
        (False, False): "neither falls",
    }[falls]


def _megabytes() -> float:
    """Size of SqueezeNet 1.0's weights as float32, in millions of bytes."""
    with torch.device("meta"):
        model = Reference(net.V1_0, 1000, Fire)
    return round(sum(p.numel() * p.element_size() for p in model.parameters()) / 1e6, 2)


PREDICTIONS = [
    Prediction(
        id="08.p1",
        question="How many times fewer parameters has fire2 than a plain 3×3 from 96 to 128",
        truth=_times_lighter,
        tolerance=0.06,
        unit="times",
        replies={
            6: (
                "6 is what the squeezing from 96 to 16 channels saves. But half of the kernels are"
                " 1×1 as well, and that saves again; the squeeze layer itself costs a little."
            ),
            2: (
                "2 is about what half of the kernels being 1×1 saves. The larger part comes from"
                " the squeezing: the 3×3 kernels read 16 channels, not 96."
            ),
            (10.8, 12): (
                "Nearly: that is the two expansions alone, 6 times by the squeezing and 1.8 times"
                " by the 1×1 kernels. The squeeze layer has weights too."
            ),
            (49, 51): (
                "50 is the whole network against AlexNet, and has another reason: you will see."
            ),
            (0, 0.9999): "A number below 1 is a share. Times fewer is above 1.",
            (1, 8.7): (
                "More. Two savings multiply: the 3×3 kernels read 16 channels instead of 96, and"
                " half of the kernels are 1×1."
            ),
            (9.9, 10.7999): "A little less: the squeeze layer has weights of its own.",
            (12.0001, 48.9999): (
                "Less. 6 times by the squeezing, 1.8 times by the 1×1 kernels, and the squeeze"
                " layer costs some of it."
            ),
        },
        right="Right: 6 times by squeezing, 1.8 times by 1×1 kernels, less what squeezing costs.",
        other="It is 110,720 parameters against 11,920.",
    ),
    Prediction(
        id="08.p2",
        question="Two pools move towards the input: what falls?",
        options=(
            "both fall",
            "only the parameters fall",
            "only the MACs fall",
            "neither falls",
        ),
        truth=_what_falls,
        replies={
            "both fall": (
                "The MACs do. But a pool has no parameters, and a kernel is as large on a small map"
                " as on a large one: the file on the disk stays the same to the byte."
            ),
            "only the parameters fall": (
                "It is the other way round. Every weight is still there; each is used at fewer"
                " places, because the maps are smaller."
            ),
            "neither falls": (
                "True for the parameters. But each weight is used once at each place of its map,"
                " and the maps have become smaller: the MACs fall."
            ),
        },
        right=(
            "Right, and remember it: *where* you pool is invisible in the number of parameters. It"
            " is the lever that SqueezeNet pulls, and it costs MACs."
        ),
    ),
    Prediction(
        id="08.p3",
        question="The size of SqueezeNet's weights as float32, in MB",
        truth=_megabytes,
        tolerance=0.05,
        unit="MB",
        replies={
            0.5: (
                "That is the title's number, and it is not the network's. 1.25 million parameters"
                " of 4 bytes each are ten times as much."
            ),
            (0.4, 0.4999): (
                "That is the title's number, and it is not the network's. 1.25 million parameters"
                " of 4 bytes each are ten times as much."
            ),
            (1.2, 1.3): "So many *millions of parameters* there are. Each takes 4 bytes.",
            (9.5, 10.5): "A float32 has 4 bytes, not 8.",
            (39, 41): "These are megabits. A byte has 8.",
            (230, 250): "That is AlexNet.",
        },
        right="Right: 4 bytes for each of 1,248,424 parameters. So where do 0.5 MB come from?",
        other="4 bytes for each of 1,248,424 parameters.",
    ),
]
