"""Exercise 05.macs: known mistakes, those of several entries first."""

from __future__ import annotations

from lightcourse.checks.chapters._ch05_macs import NAMES, oracle
from lightcourse.checks.chapters._ch05_macs_entries import ENTRIES
from lightcourse.checks.chapters._ch05_macs_wrong import (
    biased,
    changed,
    each,
    kernel_missing,
    kernel_once,
    lacks,
    lost,
    places,
)
from lightcourse.checks.exercise import Mistake

MISTAKES = (
    *(
        Mistake(
            "name-missing",
            f'There is no entry "{name}". All seven names of the docstring are wanted, letter by'
            " letter.",
            matches=lacks(name),
            hint=1,
        )
        for name in NAMES
    ),
    Mistake(
        "name-missing",
        "Some of the seven names are missing. The docstring lists them; each has to be there,"
        " letter by letter.",
        matches=lambda outcome: bool(lost(outcome)[0]),
        hint=1,
    ),
    Mistake(
        "weights-not-macs",
        "These are the weights. Each weight is used once at each place of the output: times h · w.",
        mimic=places(lambda h, w: 1),
        hint=2,
    ),
    Mistake(
        "square-map",
        "You take h · h places. The map is h high and w wide.",
        mimic=places(lambda h, w: h * h),
        hint=2,
    ),
    Mistake(
        "square-map",
        "You take w · w places. The map is h high and w wide.",
        mimic=places(lambda h, w: w * w),
        hint=2,
    ),
    Mistake(
        "channels-swapped",
        "You have c and n the wrong way round: c channels come in, n maps go out.",
        mimic=lambda c, n, k, h, w, g: oracle(n, c, k, h, w, g),
        hint=2,
    ),
    Mistake(
        "biases-counted",
        "You count biases. These layers have none; and adding one number to each output is no"
        " multiplication.",
        matches=each(biased),
        hint=2,
    ),
    Mistake(
        "sides-added",
        "You add h and w. The places of a map are h · w.",
        mimic=places(lambda h, w: h + w),
        hint=2,
    ),
    Mistake(
        "flops-not-macs",
        "Twice too many: you count the multiplication and the addition. MACs count the two as one.",
        mimic=places(lambda h, w: 2 * h * w),
        hint=2,
    ),
    Mistake(
        "kernel-not-squared",
        "A k×k kernel has k · k weights, not k.",
        matches=each(kernel_once),
        hint=2,
    ),
    Mistake(
        "kernel-missing",
        "The kernel is missing: an output of a k×k layer reads k · k numbers in each channel that"
        " it looks at.",
        matches=each(kernel_missing),
        hint=2,
    ),
    Mistake(
        "groups-forgotten",
        "Your grouped convolution costs as much as the standard one. Each output reads only the"
        " c / g channels of its own group.",
        mimic=changed(lambda right, c, n, k, hw, g: {"grouped": right["standard"]}),
        hint=3,
    ),
    Mistake(
        "groups-twice",
        "You divide by g twice. There are n outputs as before; only the channels that each of them"
        " reads are fewer, c / g.",
        mimic=changed(lambda right, c, n, k, hw, g: {"grouped": right["standard"] // g**2}),
        hint=3,
    ),
    Mistake(
        "groups-multiplied",
        "You multiply by g. Groups make the layer cheaper: each output reads c / g channels.",
        mimic=changed(lambda right, c, n, k, hw, g: {"grouped": right["standard"] * g}),
        hint=3,
    ),
    *ENTRIES,
)
