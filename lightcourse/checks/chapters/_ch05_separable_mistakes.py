"""Exercise 05.separable: known mistakes."""

from __future__ import annotations

from lightcourse.checks.chapters._ch05_separable import Layer
from lightcourse.checks.chapters._ch05_separable_wrong import (
    OTHER_ORDER,
    dense_depthwise,
    depthwise_to_n,
    input_added,
    layer_fed,
    name_missing,
    norm_size,
    norms_swapped,
    one_stride,
    padded,
    pointwise_first,
    pointwise_grouped,
    pointwise_large,
    steps,
    stride_in_pointwise,
    stride_twice,
    too_many,
    with_bias,
)
from lightcourse.checks.exercise import Mistake

MISTAKES = (
    Mistake(
        "relu-is-a-layer",
        "`nn.ReLU(x)` makes a layer and takes x for one of its settings. Call the layer that it"
        " makes, `nn.ReLU()(x)`, or use the function: `torch.relu(x)`.",
        matches=lambda outcome: isinstance(outcome.got, Layer) or layer_fed(outcome),
        hint=3,
    ),
    Mistake(
        "name-missing",
        "The check looks for the four parts by name: self.depthwise, self.norm1, self.pointwise"
        " and self.norm2. One of them is missing, or has another name.",
        matches=name_missing,
        hint=1,
    ),
    Mistake(
        "pointwise-first",
        "You run the pointwise layer first. In MobileNet the order is depthwise, then pointwise:"
        " filter each channel, then mix.",
        matches=pointwise_first,
        hint=1,
    ),
    Mistake(
        "pointwise-first",
        "You run the pointwise layer first. In MobileNet the order is depthwise, then pointwise:"
        " filter each channel, then mix.",
        mimic=steps(*OTHER_ORDER),
        hint=1,
    ),
    Mistake(
        "groups-forgotten",
        "Your depthwise layer is an ordinary convolution: its weight has all input channels in the"
        " second axis. With `groups=in_channels` each filter has one.",
        matches=dense_depthwise,
        hint=2,
    ),
    Mistake(
        "depthwise-changes-channels",
        "Your depthwise layer goes to out_channels. It keeps the number of channels; the pointwise"
        " layer changes it.",
        matches=depthwise_to_n,
        hint=2,
    ),
    Mistake(
        "pointwise-large",
        "Your pointwise layer has k×k kernels. Pointwise means 1×1, whatever kernel_size is.",
        matches=pointwise_large,
        hint=2,
    ),
    Mistake(
        "pointwise-grouped",
        "Your pointwise layer has groups too, so no channel ever meets another. Mixing the channels"
        " is all that this layer does: groups=1.",
        matches=pointwise_grouped,
        hint=2,
    ),
    Mistake(
        "norms-swapped",
        "Your norms have changed places: norm1 follows the depthwise layer, norm2 the other.",
        matches=norms_swapped,
        hint=2,
    ),
    Mistake(
        "norm-size",
        "A batch norm has one pair of numbers for each channel that comes in: in_channels after the"
        " depthwise layer, out_channels after the pointwise one.",
        matches=norm_size,
        hint=2,
    ),
    Mistake(
        "first-relu-forgotten",
        "There is no ReLU between the two halves. Figure 3 of the paper has batch norm *and* ReLU"
        " after the depthwise layer too.",
        mimic=steps("depthwise", "norm1", "pointwise", "norm2", "relu"),
        hint=3,
    ),
    Mistake(
        "last-relu-forgotten",
        "The last ReLU is missing. (A block without it exists: the linear bottleneck of"
        " MobileNetV2.)",
        mimic=steps("depthwise", "norm1", "relu", "pointwise", "norm2"),
        hint=3,
    ),
    Mistake(
        "relus-forgotten",
        "Both ReLUs are missing. Without them the layer is linear, an ordinary convolution with a"
        " restricted weight.",
        mimic=steps("depthwise", "norm1", "pointwise", "norm2"),
        hint=3,
    ),
    Mistake(
        "norms-forgotten",
        "The two norms are made but never used. Each comes right after its convolution.",
        mimic=steps("depthwise", "relu", "pointwise", "relu"),
        hint=3,
    ),
    Mistake(
        "norm-skipped",
        "`norm1` is made but never used. It comes right after the depthwise layer.",
        mimic=steps("depthwise", "relu", "pointwise", "norm2", "relu"),
        hint=3,
    ),
    Mistake(
        "norm-skipped",
        "`norm2` is made but never used. It comes right after the pointwise layer.",
        mimic=steps("depthwise", "norm1", "relu", "pointwise", "relu"),
        hint=3,
    ),
    Mistake(
        "input-added",
        "You add the input to the output where their shapes agree. That is a residual connection;"
        " this layer has none. (MobileNetV2 has one, chapter 11.)",
        mimic=input_added(before_relu=False),
        hint=3,
    ),
    Mistake(
        "input-added",
        "You add the input before the last ReLU where the shapes agree. That is a residual"
        " connection; this layer has none. (MobileNetV2 has one, chapter 11.)",
        mimic=input_added(before_relu=True),
        hint=3,
    ),
    Mistake(
        "relu-on-the-input",
        "ReLU is applied to the input x too, before the depthwise layer: what is negative in x is"
        " lost. (A name that ends in an underscore, such as `x.relu_()`, even changes x itself.)",
        mimic=steps("relu", "depthwise", "norm1", "relu", "pointwise", "norm2", "relu"),
        hint=3,
    ),
    Mistake(
        "gelu-not-relu",
        "You use GELU in place of ReLU.",
        mimic=steps("depthwise", "norm1", "gelu", "pointwise", "norm2", "gelu"),
        hint=3,
    ),
    Mistake(
        "relu-before-norm",
        "You put ReLU before the batch norm. The order is convolution, norm, ReLU.",
        mimic=steps("depthwise", "relu", "norm1", "pointwise", "relu", "norm2"),
        hint=3,
    ),
    Mistake(
        "relu6-not-relu",
        "You use ReLU6. The authors' code does that too, but the paper's figure 3 has ReLU, and"
        " so has this exercise.",
        mimic=steps("depthwise", "norm1", "relu6", "pointwise", "norm2", "relu6"),
        hint=3,
    ),
    Mistake(
        "padding-forgotten",
        "Your depthwise layer has no padding, so the map shrinks. At stride 1 it keeps its size.",
        mimic=padded(lambda k: 0),
        hint=4,
    ),
    Mistake(
        "padding-fixed",
        "Your padding is always 1. That keeps the size for 3×3 only; a kernel of 5 needs 2.",
        mimic=padded(lambda k: 1),
        hint=4,
    ),
    Mistake(
        "stride-forgotten",
        "The stride is missing: it belongs to the depthwise layer.",
        mimic=one_stride,
        hint=4,
    ),
    Mistake(
        "stride-twice",
        "Both layers take the stride, so the map shrinks twice. Only the depthwise one does.",
        mimic=stride_twice,
        hint=4,
    ),
    Mistake(
        "stride-in-pointwise",
        "The stride stands in the pointwise layer. The values are the same, but the depthwise layer"
        " then computes places that nobody reads.",
        mimic=stride_in_pointwise,
        hint=4,
    ),
    Mistake(
        "bias-kept",
        "Everything is right but one thing: a convolution has a bias that does nothing, because the"
        " batch norm after it subtracts the mean. Leave it out with `bias=False`.",
        matches=with_bias,
        hint=2,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the layer has more parameters than its four parts need. Is there"
        " a further layer in `__init__` that nobody asked for? Take it out.",
        matches=lambda outcome: too_many(outcome) > 0,
        hint=2,
    ),
)
