"""Exercise 10.build: the ladder of hints."""

from __future__ import annotations

from lightcourse.checks.exercise import Hint

HINTS = (
    Hint(
        "I do not know where to begin",
        "Make a list of layers, beginning with the stem, `ConvNormAct(3, …)`. Then two loops: over"
        " the rows of the table, and inside it over the repeats of the row. Each round appends one"
        " `DepthwiseSeparableConv`. At the end nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear;"
        " and nn.Sequential around all of it. Batch norms are in the parts already.",
    ),
    Hint(
        "A stride or a map is wrong",
        "The stride of a row belongs to its first block; the repeats have stride 1. Maps at 224"
        " pixels: stem 112, then 56, 28, 28, 14, 14, and 7 for the last six blocks.",
    ),
    Hint(
        "A number of channels is wrong",
        "int(c · width) for the stem and for every row, never for the classes. At width 0.25 the"
        " stem has 8 channels and the last block 256. Keep the channels that arrive in a variable,"
        " and set it to the new ones at the end of each round.",
    ),
    Hint(
        "All layers are right, the scores are not",
        "What has no weights is left: the activation (ReLU; ConvNormAct takes ReLU6 unless it is"
        " told otherwise), the mean before the classifier, and nothing behind it.",
    ),
)
