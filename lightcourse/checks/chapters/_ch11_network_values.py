"""Exercise 11.network: known mistakes with the right layers and wrong scores."""

from __future__ import annotations

from torch import nn

from lightcourse.checks.chapters._ch11_block_wrong import quirk as block
from lightcourse.checks.chapters._ch11_network_wrong import NONE, values
from lightcourse.checks.exercise import Mistake

VALUES = (
    Mistake(
        "shortcuts-missing",
        "All layers are right, but no block adds its input. Does your `Block` pass its check?",
        mimic=values(block=block(shortcut=False)),
        hint=4,
    ),
    Mistake(
        "narrow-ends-with-relu",
        "All layers are right, but a ReLU6 stands behind the projections. The narrow ends are"
        " linear.",
        mimic=values(block=block(acts=(nn.ReLU6, nn.ReLU6, nn.ReLU6))),
        hint=4,
    ),
    Mistake(
        "relu-not-relu6",
        "You use ReLU. MobileNetV2 has ReLU6 everywhere: in the stem, the blocks, the last"
        " convolution.",
        mimic=values(
            block=block(acts=(nn.ReLU, nn.ReLU, NONE)), stem_act=nn.ReLU, last_act=nn.ReLU
        ),
        hint=4,
    ),
    Mistake(
        "relu-outside-the-blocks",
        "Your blocks have ReLU6, your stem and your last convolution have ReLU. It is ReLU6 there"
        " too.",
        mimic=values(stem_act=nn.ReLU, last_act=nn.ReLU),
        hint=4,
    ),
    Mistake(
        "last-activation-missing",
        "The ReLU6 behind the last convolution is missing: convolution, norm, ReLU6.",
        mimic=values(last_act=NONE),
        hint=4,
    ),
    Mistake(
        "stem-activation-missing",
        "The ReLU6 of your stem is missing: convolution, norm, ReLU6.",
        mimic=values(stem_act=NONE),
        hint=4,
    ),
    Mistake(
        "softmax-at-the-end",
        "Your network ends in a softmax. The loss of PyTorch, `F.cross_entropy`, takes the bare"
        " scores; a second softmax would spoil them.",
        mimic=values(end=lambda: nn.Softmax(1)),
        hint=4,
    ),
    Mistake(
        "max-pooled",
        "You take the largest value of each map. MobileNetV2 takes the mean.",
        mimic=values(pool=lambda y: y.amax((2, 3))),
        hint=4,
    ),
)
