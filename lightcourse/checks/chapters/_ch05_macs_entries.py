"""Exercise 05.macs: known mistakes of a single entry, from depthwise on."""

from __future__ import annotations

from lightcourse.checks.chapters._ch05_macs_wrong import changed, only
from lightcourse.checks.exercise import Mistake

ENTRIES = (
    Mistake(
        "depthwise-has-c-outputs",
        "Your depthwise layer has n outputs. It makes one map from each of the c channels: c maps,"
        " not n.",
        mimic=changed(lambda right, c, n, k, hw, g: {"depthwise": k * k * n * hw}),
        hint=4,
    ),
    Mistake(
        "depthwise-has-c-outputs",
        "Your depthwise layer has n outputs. It makes one map from each of the c channels: c.",
        mimic=changed(
            lambda right, c, n, k, hw, g: {
                "depthwise": k * k * n * hw,
                "separable": k * k * n * hw + right["pointwise"],
            }
        ),
        hint=4,
    ),
    Mistake(
        "depthwise-reads-all",
        "Your depthwise layer reads all channels for each output. A depthwise filter reads one.",
        mimic=changed(lambda right, c, n, k, hw, g: {"depthwise": k * k * c * c * hw}),
        hint=4,
    ),
    Mistake(
        "depthwise-is-standard",
        "Your depthwise layer costs as much as the standard one. It makes one map from each of the"
        " c channels, and a depthwise filter reads one channel.",
        mimic=changed(lambda right, c, n, k, hw, g: {"depthwise": right["standard"]}),
        hint=4,
    ),
    Mistake(
        "depthwise-reads-all",
        "Your depthwise layer reads all channels for each output. A depthwise filter reads one.",
        mimic=changed(
            lambda right, c, n, k, hw, g: {
                "depthwise": k * k * c * c * hw,
                "separable": k * k * c * c * hw + right["pointwise"],
            }
        ),
        hint=4,
    ),
    Mistake(
        "pointwise-with-k",
        "Your pointwise layer has k×k kernels. Pointwise means 1×1.",
        mimic=changed(lambda right, c, n, k, hw, g: {"pointwise": right["standard"]}),
        hint=4,
    ),
    Mistake(
        "pointwise-with-k",
        "Your pointwise layer has k×k kernels. Pointwise means 1×1.",
        mimic=changed(
            lambda right, c, n, k, hw, g: {
                "pointwise": right["standard"],
                "separable": right["depthwise"] + right["standard"],
            }
        ),
        hint=4,
    ),
    Mistake(
        "separable-multiplied",
        "You multiply the two halves of the separable layer. They run one after the other: add.",
        mimic=changed(
            lambda right, c, n, k, hw, g: {"separable": right["depthwise"] * right["pointwise"]}
        ),
        hint=4,
    ),
    Mistake(
        "separable-multiplied",
        "You multiply the two halves of the separable layer. They run one after the other: add.",
        mimic=changed(lambda right, c, n, k, hw, g: {"separable": k * k * c * c * n * hw}),
        hint=4,
    ),
    Mistake(
        "factorised-second-from-c",
        "The second half of the factorised layer, 1×k, reads the n maps that the first half made,"
        " not the c that came in.",
        mimic=changed(lambda right, c, n, k, hw, g: {"factorised": 2 * k * c * n * hw}),
        hint=5,
    ),
    Mistake(
        "factorised-keeps-c",
        "Here k×1 already goes from c to n maps. You keep c in the middle; that is another design.",
        mimic=changed(lambda right, c, n, k, hw, g: {"factorised": (k * c * c + k * c * n) * hw}),
        hint=5,
    ),
    Mistake(
        "offsets-forgotten",
        "Your deformable layer costs as much as the standard one. The layer beside it, which makes"
        " the offsets, is missing.",
        mimic=changed(lambda right, c, n, k, hw, g: {"deformable": right["standard"]}),
        hint=6,
    ),
    Mistake(
        "one-offset-per-tap",
        "Each of the k · k taps moves down *and* across: 2 · k · k numbers at each place.",
        mimic=changed(
            lambda right, c, n, k, hw, g: {"deformable": right["standard"] + k**4 * c * hw}
        ),
        hint=6,
    ),
    Mistake(
        "offsets-too-cheap",
        "Your offsets cost 2 · k · k · c MACs a pixel. That is a 1×1 layer with 2 · k · k maps, or"
        " a k×k layer with 2 maps. The layer that makes them is k×k *and* has 2 · k · k maps.",
        mimic=changed(
            lambda right, c, n, k, hw, g: {"deformable": right["standard"] + 2 * k**2 * c * hw}
        ),
        hint=6,
    ),
    Mistake(
        "standard-wrong",
        'Only "standard" is wrong. An output reads k · k numbers in each of c channels; there are n'
        " maps of h · w outputs.",
        matches=only("standard"),
        hint=2,
    ),
    Mistake(
        "grouped-wrong",
        'Only "grouped" is wrong. An output reads k · k numbers in c / g channels, and there are n'
        " outputs.",
        matches=only("grouped"),
        hint=3,
    ),
    Mistake(
        "factorised-wrong",
        'Only "factorised" is wrong. It is two layers: k×1 from c to n, and 1×k from n to n.',
        matches=only("factorised"),
        hint=5,
    ),
    Mistake(
        "deformable-wrong",
        'Only "deformable" is wrong. To the standard layer comes one more k×k convolution from c'
        " channels; count the maps that it makes.",
        matches=only("deformable"),
        hint=6,
    ),
    Mistake(
        "separable-wrong",
        'Only "separable" is wrong. It is the sum of two numbers that you have: depthwise +'
        " pointwise.",
        matches=only("separable"),
        hint=4,
    ),
    Mistake(
        "depthwise-wrong",
        'Only "depthwise" is wrong. It makes c maps, and each output reads k · k numbers in one'
        " channel.",
        matches=only("depthwise"),
        hint=4,
    ),
    Mistake(
        "pointwise-wrong",
        'Only "pointwise" is wrong. It makes n maps, and each output reads c numbers of one pixel.',
        matches=only("pointwise"),
        hint=4,
    ),
    Mistake(
        "separable-family-wrong",
        "All is right but depthwise, pointwise and separable, or two of them. Get the first two"
        " right; separable is their sum.",
        matches=only("depthwise", "pointwise", "separable"),
        hint=4,
    ),
)
