"""Chapter 04, exercise 04.conv: what goes wrong with the three prices."""

from __future__ import annotations

from lightcourse.checks.chapters._ch04_columns import only
from lightcourse.checks.chapters._ch04_conv_wrong import like, shaped, wrong
from lightcourse.checks.exercise import Mistake, Outcome


def _reordered(outcome: Outcome) -> bool:
    got, want = list(outcome.got), list(outcome.want)
    return sorted(got) == sorted(want) and got != want


MISTAKES = (
    Mistake(
        "groups-forgotten",
        "You leave out the groups. With g groups a kernel looks at C / g channels, so it has g"
        " times fewer weights.",
        mimic=like(lambda s: s.out * s.c * s.k**2),
        hint=3,
    ),
    Mistake(
        "groups-twice",
        "You divide by the groups twice. A kernel looks at C / g channels, but there are still"
        " out_channels kernels, not out_channels / g.",
        mimic=like(lambda s: s.weights // s.g),
        hint=3,
    ),
    Mistake(
        "kernel-not-squared",
        "A kernel of 3 has 3 · 3 weights in each channel, not 3.",
        mimic=like(lambda s: s.out * (s.c // s.g) * s.k),
        hint=1,
    ),
    Mistake(
        "one-kernel",
        "You count one kernel. Each of the output channels has its own.",
        mimic=like(lambda s: (s.c // s.g) * s.k**2),
        hint=1,
    ),
    Mistake(
        "bias-forgotten",
        "Right but for the bias: one more parameter for each output channel, and it is read too.",
        mimic=wrong(lambda s: s.weights, moved=lambda s: 4 * (s.inputs + s.weights + s.outputs)),
        hint=5,
    ),
    Mistake(
        "bias-always",
        "You count a bias even where `bias=False` says that there is none.",
        mimic=wrong(
            lambda s: s.weights + s.out,
            moved=lambda s: 4 * (s.inputs + s.weights + s.out + s.outputs),
        ),
        hint=5,
    ),
    *(
        Mistake(
            "bias-added-as-one",
            "You add `bias` itself: True counts as 1. There is one bias for each output channel.",
            mimic=rule,
            hint=5,
        )
        for rule in (
            wrong(
                lambda s: s.weights + s.bias,
                moved=lambda s: 4 * (s.inputs + s.weights + s.bias + s.outputs),
            ),
            wrong(lambda s: s.weights + s.bias),
        )
    ),
    Mistake(
        "bias-as-mac",
        "You count the bias among the MACs. It is added and multiplies nothing, so by the usual"
        " count, and by PyTorch's, it is none. Multiply the weights alone by the places.",
        mimic=wrong(macs=lambda s: s.params * s.places),
        hint=5,
    ),
    Mistake(
        "flops-not-macs",
        "Your second number is twice what is wanted: those are FLOPs. A multiplication with its"
        " addition is one MAC and two FLOPs.",
        mimic=wrong(macs=lambda s: 2 * s.weights * s.places),
        hint=2,
    ),
    Mistake(
        "places-of-the-input",
        "You count a use of each weight at every place of the input. There is one at every place"
        " of the output, and a stride or a missing padding makes that smaller.",
        mimic=wrong(macs=lambda s: s.weights * s.h * s.w),
        hint=2,
    ),
    Mistake(
        "square-output",
        "You take the output's height twice. Maps may be wider than high.",
        mimic=wrong(
            macs=lambda s: s.weights * s.side(s.h) ** 2,
            moved=lambda s: 4 * (s.inputs + s.params + s.out * s.side(s.h) ** 2),
        ),
        hint=2,
    ),
    Mistake(
        "square-output",
        "You take the output's height twice. Maps may be wider than high.",
        mimic=wrong(macs=lambda s: s.weights * s.side(s.h) ** 2),
        hint=2,
    ),
    Mistake(
        "dilation-forgotten",
        "You are wrong where there is a dilation. It makes the kernel reach further, so the output"
        " is smaller: `conv_output` knows, if you hand it the dilation.",
        mimic=shaped(dilation=1),
        hint=2,
    ),
    *(
        Mistake(
            "options-not-handed-on",
            "Your output has the wrong size: a stride makes it smaller, a padding larger, and a"
            " dilation smaller. Hand all three to `conv_output`.",
            mimic=shaped(**usual),
            hint=1,
        )
        for usual in (
            {"stride": 1, "padding": 0, "dilation": 1},
            {"stride": 1, "padding": 0},
            {"padding": 0, "dilation": 1},
            {"stride": 1, "dilation": 1},
            {"padding": 0},
            {"stride": 1},
        )
    ),
    Mistake(
        "numbers-not-bytes",
        "Your third number counts numbers, not bytes. Each has 4 bytes.",
        mimic=wrong(moved=lambda s: s.inputs + s.params + s.outputs),
        hint=4,
    ),
    Mistake(
        "padding-read",
        "You count the padding among the bytes. The zeros around the map are not in memory: only"
        " C · H · W numbers are read.",
        mimic=wrong(moved=lambda s: 4 * (s.padded + s.params + s.outputs)),
        hint=4,
    ),
    Mistake(
        "biases-not-read",
        "Your bytes leave out the biases. They lie in memory like the weights and are read.",
        mimic=wrong(moved=lambda s: 4 * (s.inputs + s.weights + s.outputs)),
        hint=5,
    ),
    Mistake(
        "weights-not-read",
        "Your bytes leave out the parameters. They lie in memory too and have to be read.",
        mimic=wrong(moved=lambda s: 4 * (s.inputs + s.outputs)),
        hint=4,
    ),
    Mistake(
        "output-not-written",
        "Your bytes leave out the output. It has to be written.",
        mimic=wrong(moved=lambda s: 4 * (s.inputs + s.params)),
        hint=4,
    ),
    Mistake(
        "input-not-read",
        "Your bytes leave out the input. It has to be read.",
        mimic=wrong(moved=lambda s: 4 * (s.params + s.outputs)),
        hint=4,
    ),
    Mistake(
        "read-for-each-output",
        "You read the window anew for every output. That happens in the arithmetic unit; from"
        " memory each number comes once, and caches and registers do the rest.",
        mimic=wrong(moved=lambda s: 4 * (s.weights * s.places + s.params + s.outputs)),
        hint=4,
    ),
    Mistake(
        "order",
        "The three numbers are right, in another order. Wanted: parameters, MACs, bytes.",
        matches=_reordered,
        hint=1,
    ),
    Mistake(
        "params-are-wrong",
        "MACs and bytes are right, the parameters are not.",
        matches=only("params"),
        hint=1,
    ),
    Mistake(
        "macs-are-wrong",
        "Parameters and bytes are right, the MACs are not. Which weights are used, and at how many"
        " places?",
        matches=only("macs"),
        hint=2,
    ),
    Mistake(
        "bytes-are-wrong",
        "Parameters and MACs are right, the bytes are not. List what is read and what is written,"
        " each once.",
        matches=only("memory_access"),
        hint=4,
    ),
)
