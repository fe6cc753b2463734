"""Exercise 05.separable: hints."""

from __future__ import annotations

from lightcourse.checks.exercise import Hint

HINTS = (
    Hint(
        "I do not know where to begin",
        "Make four parts in `__init__` and give them the names of the docstring: an `nn.Conv2d`, an"
        " `nn.BatchNorm2d`, an `nn.Conv2d`, an `nn.BatchNorm2d`. In `forward`, x goes through them"
        " in this order, with a ReLU after each norm.",
    ),
    Hint(
        "A part has the wrong shape, or too many parameters",
        "The depthwise layer: c channels in, c out, groups=c. Its weight is (c, 1, k, k). The"
        " pointwise layer: c in, n out, kernel 1, no groups; its weight is (n, c, 1, 1). Neither"
        " has a bias. The norms have c and n channels.",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Go through the six steps: convolution, norm, ReLU, convolution, norm, ReLU. Print the"
        " smallest value after each: it is 0 after a ReLU.",
    ),
    Hint(
        "My output is too large or too small",
        "A kernel of 3 with padding 1 keeps the size, a kernel of 5 with padding 2. So the padding"
        " follows from kernel_size. A stride of 2 halves the map once, in the depthwise layer.",
    ),
)
