"""Exercise 05.macs: hints."""

from __future__ import annotations

from lightcourse.checks.exercise import Hint

HINTS = (
    Hint(
        "I do not know where to begin",
        "One layer at a time, one output pixel at a time: how many numbers does it read? Each of"
        " them counts once. A standard layer reads a k×k window in c channels. Then multiply by"
        " the number of output maps, and by the places of a map.",
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
