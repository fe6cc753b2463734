"""Exercise 07.net: hints."""

from __future__ import annotations

from lightcourse.checks.exercise import Hint

HINTS = (
    Hint(
        "I do not know where to begin",
        "Keep a list of modules and a number of channels, 16 at first. Append the stem, then go"
        " through the stages, and in each through its n blocks. At the end self.features ="
        " nn.Sequential(*blocks).",
    ),
    Hint(
        "A block has the wrong number of parameters, the wrong shape, or cannot take what comes"
        " before it",
        "Stem: nn.Sequential of a 3×3 from 3 to 16 (padding 1, no bias), batch norm, ReLU. Widths"
        " 16,"
        " 32, 64; block(channels, width, stride), with stride 2 for the first block of stages 2 and"
        " 3, else 1; then channels = width.",
    ),
    Hint(
        "All blocks are right, the scores or the heads are not",
        "classifier: nn.Linear(64, num_classes), on x.mean((2, 3)). heads: nn.ModuleList of"
        " nn.Linear(16, num_classes) and nn.Linear(32, num_classes). forward uses no head.",
    ),
    Hint(
        "My loss is wrong",
        "Go through self.features[0], [1], … with x. After n blocks of a stage, so behind"
        " features[n] and features[2 * n], a head reads x.mean((2, 3)). Then: cross entropy of the"
        " classifier, plus weight times (that of head 0 plus that of head 1).",
    ),
)
