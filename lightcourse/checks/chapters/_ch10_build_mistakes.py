"""Exercise 10.build: known mistakes, by the first layer that differs or by a wrong twin."""

from __future__ import annotations

from torch import nn

from lightcourse.checks.chapters._ch10_build_schedules import SCHEDULES
from lightcourse.checks.chapters._ch10_build_wrong import (
    at,
    biased,
    class_returned,
    classifier_inputs,
    dense,
    fixed_classes,
    full_width,
    hidden_layers,
    narrow_classifier,
    nearest,
    no_mean,
    norms_missing,
    not_flat,
    not_joined,
    ready_made,
    rounded,
    stride_as_kernel,
    twin,
    unused,
    without_forward,
    wrong_in,
)
from lightcourse.checks.exercise import Mistake

MISTAKES = (
    Mistake(
        "ready-made",
        "This is the course's own network. Build it from its table, of ConvNormAct and"
        " DepthwiseSeparableConv; afterwards you may hold the two side by side.",
        matches=ready_made,
        hint=1,
    ),
    *SCHEDULES,
    Mistake(
        "width-ignored",
        "Your stem always has 32 channels. The width multiplies the stem too: int(32 · width).",
        matches=full_width,
        hint=3,
    ),
    Mistake(
        "classes-scaled",
        "You scale the classifier's outputs by the width. There are as many classes as there are.",
        matches=narrow_classifier,
        hint=3,
    ),
    Mistake(
        "classes-fixed",
        "Your classifier always has 1000 outputs. Take `classes`.",
        matches=fixed_classes,
        hint=3,
    ),
    Mistake(
        "channels-to-the-nearest",
        "You use Python's `round`: 9.6 becomes 10, and a half goes to the even neighbour. Here"
        " channels are cut to whole numbers, 9.6 to 9: int(c · width).",
        matches=nearest,
        hint=3,
    ),
    Mistake(
        "channels-rounded",
        "Your channels are rounded up, or to a multiple of 8. Here they are cut to whole numbers:"
        " int(c · width).",
        matches=rounded,
        hint=3,
    ),
    Mistake(
        "dense-blocks",
        "Your blocks begin with an ordinary 3×3 convolution. The first half of a block is"
        " depthwise: DepthwiseSeparableConv holds both halves.",
        matches=dense,
        hint=1,
    ),
    Mistake(
        "stem-without-stride",
        "Your stem has stride 1. It is the first of the five halvings.",
        matches=lambda outcome: at(0, "stride")(outcome) and outcome.got.layers[0].stride == 1,
        hint=2,
    ),
    Mistake(
        "relu6-not-relu",
        "All layers are right, but the stem has ReLU6: that is what ConvNormAct takes by itself."
        " Give it `activation=nn.ReLU`.",
        mimic=twin(stem=nn.ReLU6),
        hint=4,
    ),
    Mistake(
        "relu6-everywhere",
        "All layers are right, but the activations are ReLU6. The paper has ReLU.",
        mimic=twin(activation=nn.ReLU6),
        hint=4,
    ),
    Mistake(
        "stem-without-relu",
        "All layers are right, but there is no ReLU behind the stem.",
        mimic=twin(stem=nn.Identity),
        hint=4,
    ),
    Mistake(
        "maximum-not-mean",
        "All layers are right, but before the classifier you take the largest value of each"
        " channel. Wanted is the mean over the map.",
        mimic=twin(pool=nn.AdaptiveMaxPool2d),
        hint=4,
    ),
    Mistake(
        "softmax-at-the-end",
        "All layers are right, but a softmax follows the classifier. A network here gives plain"
        " scores; the loss takes care of the rest.",
        mimic=twin(last=(nn.Softmax(1),)),
        hint=4,
    ),
    Mistake(
        "relu-at-the-end",
        "All layers are right, but a ReLU follows the classifier: scores may be negative.",
        mimic=twin(last=(nn.ReLU(),)),
        hint=4,
    ),
    Mistake(
        "norms-forgotten",
        "There is no batch norm in your network. Each convolution is followed by one, then ReLU.",
        matches=norms_missing,
        hint=1,
    ),
    Mistake(
        "bias-kept",
        "All layers are right, but convolutions have a bias that the batch norm behind them takes"
        " out again. Leave it out: `bias=False`.",
        matches=biased,
        hint=1,
    ),
    Mistake(
        "layers-too-many",
        "All layers that run are right, but the network holds more parameters than they need. Is"
        " there a layer that forward never calls?",
        matches=unused,
        hint=1,
    ),
    Mistake(
        "classifier-inputs",
        "Your classifier always reads as many channels. It reads what the last block writes,"
        " int(1024 · width).",
        matches=classifier_inputs,
        hint=3,
    ),
    Mistake(
        "not-flat",
        "The mean is taken, but its shape is still (N, C, 1, 1), and a linear layer wants (N, C)."
        " nn.Flatten() between the two does it.",
        matches=not_flat,
        hint=4,
    ),
    Mistake(
        "no-mean",
        "The classifier is handed the whole map. First take the mean over height and width:"
        " `x.mean((2, 3))`, or nn.AdaptiveAvgPool2d(1) and nn.Flatten().",
        matches=no_mean,
        hint=4,
    ),
    Mistake(
        "not-joined",
        "A layer is handed another number of channels than it reads. What one block writes is what"
        " the next one reads: keep it in a variable.",
        matches=not_joined,
        hint=3,
    ),
    Mistake(
        "layers-hidden-in-a-list",
        "Your blocks stand in a plain list. They run, but the network does not know them: they"
        " would not be trained. Use nn.ModuleList, or nn.Sequential.",
        matches=hidden_layers,
        hint=1,
    ),
    Mistake(
        "stride-as-kernel",
        "You hand the stride over in the place of the kernel. Name it:"
        " `DepthwiseSeparableConv(…, stride=…)`.",
        matches=stride_as_kernel,
        hint=2,
    ),
    Mistake(
        "a-stride-is-wrong",
        "A layer shrinks the map where it should not, or the other way round. The last line of the"
        " report names the first one; hold it against the table.",
        matches=wrong_in("stride", "map"),
        hint=2,
    ),
    Mistake(
        "a-channel-count-is-wrong",
        "A layer has another number of channels than the table says. The last line of the report"
        " names the first one.",
        matches=wrong_in("out", "into"),
        hint=3,
    ),
    Mistake(
        "no-forward",
        "What you return cannot be run: it has no `forward`. An nn.ModuleList only keeps its parts;"
        " nn.Sequential runs them one after the other. A class of your own needs"
        " `def forward(self, x)`.",
        matches=without_forward,
        hint=1,
    ),
    Mistake(
        "not-assembled",
        "You return the parts. Put them into one network: `nn.Sequential(*layers)`.",
        matches=class_returned,
        hint=1,
    ),
)
