"""Exercise 11.block: known mistakes."""

from __future__ import annotations

from torch import nn

from lightcourse.checks.chapters._ch11_block_wrong import (
    ACT,
    NONE,
    added_everywhere,
    biased,
    depthwise_first,
    finished,
    layers,
    no_padding,
    norm_settings,
    norm_sizes,
    only_parameters,
    quirk,
    shortcut_of_another_shape,
    shortcut_with_weights,
    unregistered,
    values,
)
from lightcourse.checks.exercise import Mistake

MISTAKES = (
    Mistake(
        "expands-by-one",
        "With expansion 1 your block still has its first 1×1 convolution. There is nothing to"
        " expand, so the layer is left out: the first block of MobileNetV2 is made this way.",
        matches=layers(quirk(always_expands=True)),
        hint=1,
    ),
    Mistake(
        "hidden-from-outputs",
        "The wide layers have expansion · out_channels channels. They have expansion times as many"
        " as come *in*.",
        matches=layers(quirk(hidden=lambda c, n, t: n * t)),
        hint=2,
    ),
    Mistake(
        "depthwise-first",
        "Your 3×3 layer runs first, as in chapter 09. Here the block expands first, filters the"
        " wide map, and narrows it again.",
        matches=depthwise_first,
        hint=1,
    ),
    Mistake(
        "groups-forgotten",
        "Your 3×3 layer is an ordinary convolution. It has as many groups as channels, so that each"
        " filter reads one.",
        matches=layers(quirk(dense=True)),
        hint=2,
    ),
    Mistake(
        "stride-in-expansion",
        "Your expansion takes the stride. Then it skips three quarters of the pixels. The depthwise"
        " layer takes it: each of its outputs sees nine.",
        matches=layers(quirk(strides=(True, False, False))),
        hint=2,
    ),
    Mistake(
        "stride-in-projection",
        "Your projection takes the stride, so the depthwise layer computes places that nobody"
        " reads. The stride belongs to the depthwise layer.",
        matches=layers(quirk(strides=(False, False, True))),
        hint=2,
    ),
    Mistake(
        "stride-twice",
        "More than one layer takes the stride, so the map shrinks too far. Only the depthwise one"
        " does.",
        matches=lambda o: any(
            layers(quirk(strides=s))(o)
            for s in ((True, True, False), (False, True, True), (True, True, True))
        ),
        hint=2,
    ),
    Mistake(
        "stride-forgotten",
        "The stride is not used: with stride 2 the map stays as large as it was.",
        matches=lambda o: o.case.args[2] == 2 and layers(quirk(strides=(False,) * 3))(o),
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "Your 3×3 layer has no padding, so the map shrinks at its rim. With padding 1 it keeps its"
        " size at stride 1.",
        matches=no_padding,
        hint=2,
    ),
    Mistake(
        "shortcut-despite-channels",
        "You add the input although the number of channels changes. The shortcut needs stride 1"
        " *and* as many channels out as in.",
        matches=shortcut_of_another_shape(True),
        hint=3,
    ),
    Mistake(
        "shortcut-despite-stride",
        "You add the input although the stride is 2 and the map shrinks. The shortcut needs stride"
        " 1 *and* as many channels out as in.",
        matches=shortcut_of_another_shape(False),
        hint=3,
    ),
    Mistake(
        "shortcut-everywhere",
        "You add the input always. It can be added only where the shapes agree: stride 1, and as"
        " many channels out as in.",
        matches=added_everywhere,
        hint=3,
    ),
    Mistake(
        "shortcut-with-weights",
        "There is one convolution too many, from in_channels to out_channels: a shortcut with"
        " weights, as in ResNet. MobileNetV2 has no shortcut where the shapes differ.",
        matches=shortcut_with_weights,
        hint=3,
    ),
    Mistake(
        "norm-size",
        "A batch norm has another number of channels than the map that reaches it. It has as many"
        " as the convolution before it makes.",
        matches=norm_sizes,
        hint=2,
    ),
    Mistake(
        "norm-settings",
        "A batch norm has no parameters, or no running mean and variance. Write"
        " `nn.BatchNorm2d(channels)`, without `affine=False` or `track_running_stats=False`.",
        matches=norm_settings,
        hint=2,
    ),
    Mistake(
        "last-norm-forgotten",
        "Behind the projection stands no batch norm. “Linear” means without an activation; the norm"
        " is linear too, and stays.",
        matches=layers(quirk(norms=(True, True, False))),
        hint=1,
    ),
    Mistake(
        "norms-forgotten",
        "No batch norm runs. Each of the convolutions has one behind it.",
        matches=layers(quirk(norms=(False,) * 3)),
        hint=1,
    ),
    Mistake(
        "not-registered",
        "The layers are not registered: the module does not know them, so it has nothing to train."
        " Use `nn.Sequential` or `nn.ModuleList`, not a plain Python list.",
        matches=unregistered,
        hint=1,
    ),
    Mistake(
        "activation-after-projection",
        "There is a ReLU6 behind the projection. That is the narrow end: a ReLU here destroys what"
        " the block was about to hand on. Nothing follows the last norm.",
        mimic=values(acts=(ACT, ACT, ACT)),
        hint=4,
    ),
    Mistake(
        "activation-after-sum",
        "There is a ReLU6 behind the sum, as in ResNet. The narrow ends stay linear: nothing"
        " follows the sum.",
        mimic=values(after=ACT),
        hint=4,
    ),
    Mistake(
        "relu-not-relu6",
        "You use ReLU. MobileNetV2 has ReLU6, which cuts at 6 as well as at 0.",
        mimic=values(acts=(nn.ReLU, nn.ReLU, NONE)),
        hint=4,
    ),
    Mistake(
        "no-activation-after-depthwise",
        "The ReLU6 behind the depthwise layer is missing. Both wide layers have one; only the"
        " narrow end has none.",
        mimic=values(acts=(ACT, NONE, NONE)),
        hint=4,
    ),
    Mistake(
        "no-activation-after-expansion",
        "The ReLU6 behind the expansion is missing. Both wide layers have one.",
        mimic=values(acts=(NONE, ACT, NONE)),
        hint=4,
    ),
    Mistake(
        "no-activations",
        "No ReLU6 runs, so the block is linear and no more than one convolution could do.",
        mimic=values(acts=(NONE, NONE, NONE)),
        hint=4,
    ),
    Mistake(
        "shortcut-forgotten",
        "The branch is right, but the input is not added. With stride 1 and as many channels out as"
        " in, the block returns x + branch(x).",
        mimic=values(shortcut=False),
        hint=3,
    ),
    Mistake(
        "shortcut-not-with-expansion-1",
        "With expansion 1 your block does not add its input. The expansion plays no part in it:"
        " stride 1, and as many channels out as in.",
        mimic=values(bare_shortcut=False),
        hint=3,
    ),
    Mistake(
        "activation-before-norm",
        "Your ReLU6 stands in front of the norm. The order is convolution, norm, ReLU6.",
        mimic=values(act_first=True),
        hint=1,
    ),
    Mistake(
        "bias-kept",
        "Everything is right but one thing: not every convolution has `bias=False`. A bias does"
        " nothing in front of a batch norm, which subtracts the mean.",
        matches=biased,
        hint=2,
    ),
    Mistake(
        "finished-block",
        "This is a finished block out of a library. Build it of `nn.Conv2d`, `nn.BatchNorm2d` and"
        " `nn.ReLU6`.",
        matches=finished,
        hint=1,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the block has more parameters than its layers need. Is there a"
        " layer in `__init__` that `forward` never uses?",
        matches=lambda o: only_parameters(o) > 0,
        hint=1,
    ),
    Mistake(
        "layer-differs",
        "A layer is not the one that is wanted, or one is missing or too many. The row “so” below"
        " names the first place where they part.",
        matches=lambda o: o.difference is not None and o.difference.kind == "layer",
        hint=2,
    ),
)
