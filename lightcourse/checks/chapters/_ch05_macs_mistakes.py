"""Exercise 05.macs: known mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable

from lightcourse.checks.chapters._ch05_macs import Costs, oracle
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _with(change: Callable[..., Costs]) -> Callable[..., Costs]:
    """The right costs with some entries replaced."""

    def wrong(c: int, n: int, k: int, h: int, w: int, g: int) -> Costs:
        right = oracle(c, n, k, h, w, g)
        return {**right, **change(right, c, n, k, h * w, g)}

    return wrong


def _places(places: Callable[[int, int], int]) -> Callable[..., Costs]:
    """The number of places computed in another way."""

    def wrong(c: int, n: int, k: int, h: int, w: int, g: int) -> Costs:
        return {name: v * places(h, w) for name, v in oracle(c, n, k, 1, 1, g).items()}

    return wrong


def _only(*names: str) -> Callable[[Outcome], bool]:
    """All other entries are right."""

    def matches(outcome: Outcome) -> bool:
        got, want = outcome.got, outcome.want
        if outcome.difference is None or outcome.difference.kind != "value":
            return False
        return all(got[name] == want[name] for name in want if name not in names)

    return matches


MISTAKES = (
    Mistake(
        "weights-not-macs",
        "These are the weights. Each weight is used once at each place of the output: times h · w.",
        mimic=_places(lambda h, w: 1),
        hint=2,
    ),
    Mistake(
        "square-map",
        "You take h · h places. The map is h high and w wide.",
        mimic=_places(lambda h, w: h * h),
        hint=2,
    ),
    Mistake(
        "sides-added",
        "You add h and w. The places of a map are h · w.",
        mimic=_places(lambda h, w: h + w),
        hint=2,
    ),
    Mistake(
        "flops-not-macs",
        "Twice too many: you count the multiplication and the addition. MACs count the two as one.",
        mimic=_places(lambda h, w: 2 * h * w),
        hint=2,
    ),
    Mistake(
        "kernel-not-squared",
        "A k×k kernel has k · k weights, not k.",
        mimic=lambda c, n, k, h, w, g: {
            **oracle(c, n, k, h, w, g),
            **_kernel_once(c, n, k, h * w, g),
        },
        hint=2,
    ),
    Mistake(
        "groups-forgotten",
        "Your grouped convolution costs as much as the standard one. Each output reads only the"
        " c / g channels of its own group.",
        mimic=_with(lambda right, c, n, k, hw, g: {"grouped": right["standard"]}),
        hint=3,
    ),
    Mistake(
        "groups-twice",
        "You divide by g twice. There are n outputs as before; only the channels that each of them"
        " reads are fewer, c / g.",
        mimic=_with(lambda right, c, n, k, hw, g: {"grouped": right["standard"] // g**2}),
        hint=3,
    ),
    Mistake(
        "groups-multiplied",
        "You multiply with g. Groups make the layer cheaper: each output reads c / g channels.",
        mimic=_with(lambda right, c, n, k, hw, g: {"grouped": right["standard"] * g}),
        hint=3,
    ),
    Mistake(
        "depthwise-has-c-outputs",
        "Your depthwise layer has n outputs. It makes one map from each of the c channels: c.",
        mimic=_with(
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
        mimic=_with(
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
        mimic=_with(
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
        mimic=_with(
            lambda right, c, n, k, hw, g: {"separable": right["depthwise"] * right["pointwise"]}
        ),
        hint=4,
    ),
    Mistake(
        "separable-multiplied",
        "You multiply the two halves of the separable layer. They run one after the other: add.",
        mimic=_with(lambda right, c, n, k, hw, g: {"separable": k * k * c * c * n * hw}),
        hint=4,
    ),
    Mistake(
        "factorised-second-from-c",
        "The second half of the factorised layer, 1×k, reads the n maps that the first half made,"
        " not the c that came in.",
        mimic=_with(lambda right, c, n, k, hw, g: {"factorised": 2 * k * c * n * hw}),
        hint=5,
    ),
    Mistake(
        "factorised-keeps-c",
        "Here k×1 already goes from c to n maps. You keep c in the middle; that is another design.",
        mimic=_with(lambda right, c, n, k, hw, g: {"factorised": (k * c * c + k * c * n) * hw}),
        hint=5,
    ),
    Mistake(
        "offsets-forgotten",
        "Your deformable layer costs as much as the standard one. The layer beside it, which makes"
        " the offsets, is missing.",
        mimic=_with(lambda right, c, n, k, hw, g: {"deformable": right["standard"]}),
        hint=6,
    ),
    Mistake(
        "one-offset-per-tap",
        "Each of the k · k taps moves down *and* across: 2 · k · k numbers at each place.",
        mimic=_with(
            lambda right, c, n, k, hw, g: {"deformable": right["standard"] + k**4 * c * hw}
        ),
        hint=6,
    ),
    Mistake(
        "offsets-by-1x1",
        "You make the offsets with a 1×1 layer. In this one it is a k×k convolution, as in the"
        " paper.",
        mimic=_with(
            lambda right, c, n, k, hw, g: {"deformable": right["standard"] + 2 * k**2 * c * hw}
        ),
        hint=6,
    ),
    Mistake(
        "grouped-wrong",
        'Only "grouped" is wrong. An output reads k · k numbers in c / g channels, and there are n'
        " outputs.",
        matches=_only("grouped"),
        hint=3,
    ),
    Mistake(
        "factorised-wrong",
        'Only "factorised" is wrong. It is two layers: k×1 from c to n, and 1×k from n to n.',
        matches=_only("factorised"),
        hint=5,
    ),
    Mistake(
        "deformable-wrong",
        'Only "deformable" is wrong. To the standard layer comes one more k×k convolution from c'
        " channels; count the maps that it makes.",
        matches=_only("deformable"),
        hint=6,
    ),
    Mistake(
        "separable-family-wrong",
        "All is right but depthwise, pointwise or separable. One of them is the sum of the others.",
        matches=_only("depthwise", "pointwise", "separable"),
        hint=4,
    ),
)


def _kernel_once(c: int, n: int, k: int, hw: int, g: int) -> Costs:
    return {
        "standard": k * c * n * hw,
        "grouped": k * c * n * hw // g,
        "depthwise": k * c * hw,
        "separable": (k * c + c * n) * hw,
        "deformable": (k * c * n + 2 * k * k * k * c) * hw,
    }


HINTS = (
    Hint(
        "I do not know where to begin",
        "One layer at a time, one output pixel at a time: how many numbers does it read? Each of"
        " them counts once. A standard layer reads a k×k window in c channels. Then multiply with"
        " the number of output maps, and with the places of a map.",
    ),
    Hint(
        "All my numbers are off by the same factor",
        "Outputs: n maps of h · w pixels. Each output pixel reads its window once, k · k · c"
        " numbers. One number read, multiplied and added counts once, not twice.",
    ),
    Hint(
        "My grouped number is wrong, or it is a float",
        "8 channels in 2 groups: an output reads 4 of them. All else is as in the standard layer."
        " In Python, `//` keeps whole numbers whole.",
    ),
    Hint(
        "My depthwise or separable number is wrong",
        "Depthwise: c maps come out, each reads one channel, so k · k MACs a pixel. Pointwise: n"
        " maps come out, each reads c numbers of one pixel. Separable is one after the other.",
    ),
    Hint(
        "My factorised number is wrong",
        "Write it as two layers with their own channels. First: kernel k×1, c in, n out. Second:"
        " kernel 1×k, n in, n out.",
    ),
    Hint(
        "My deformable number is wrong",
        "It has two layers with the same k×k window. One makes the output, n maps. The other makes"
        " the offsets: how many maps does it need, if each of the k · k taps gets a step down and a"
        " step across? Reading between pixels has no weights and counts as 0.",
    ),
)
