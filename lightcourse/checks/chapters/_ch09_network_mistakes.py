"""Exercise 09.network: known mistakes."""

from __future__ import annotations

import torch

from lightcourse.checks.chapters._ch09_net import ROWS, last_by_two, strides
from lightcourse.checks.chapters._ch09_network_wrong import (
    biased,
    changed,
    channels_not_carried,
    dense,
    ending,
    fixed_classes,
    in_a_list,
    layers,
    mean,
    missing,
    no_norms,
    norm_settings,
    other_width,
    pointwise_first,
    said,
    too_many,
    wide_classifier,
    wide_stem,
    without_bias_at_the_end,
)
from lightcourse.checks.exercise import Mistake

MISTAKES = (
    Mistake(
        "table-followed",
        "Block 13 has stride 2. Table 1 prints it, but the maps of its next row are 7×7 still: a"
        " misprint. The last stride is 1.",
        matches=layers(blocks=last_by_two(ROWS)),
        hint=3,
    ),
    Mistake(
        "stride-in-every-block",
        "Every block of a row takes the row's stride, so the maps get too small. Only the first one"
        " of a row does.",
        matches=layers(blocks=strides(ROWS, lambda s, i: s)),
        hint=3,
    ),
    Mistake(
        "stride-forgotten",
        "No block has a stride: the maps stay at half the picture's side.",
        matches=layers(blocks=[(c, 1) for c, _ in strides(ROWS)]),
        hint=3,
    ),
    Mistake(
        "stride-in-the-last-block",
        "The stride is in the last block of a row. It belongs to the first one.",
        matches=layers(blocks=[(c, s if i == n - 1 else 1) for c, n, s in ROWS for i in range(n)]),
        hint=3,
    ),
    Mistake(
        "stem-without-stride",
        "Your stem has no stride. It halves the picture: 224 becomes 112.",
        matches=layers(stem=(32, 1)),
        hint=3,
    ),
    Mistake(
        "first-row-missing",
        "The first block, 32 → 64 with stride 1, is missing: there are 13 blocks. (Many summaries"
        " forget it.)",
        matches=missing(0),
        hint=1,
    ),
    Mistake(
        "five-not-six",
        "There are 12 blocks, and 13 are wanted: six of them make 512 channels. Table 1 writes “5×”"
        " for those that keep 512; one more leads there from 256.",
        matches=missing(6),
        hint=1,
    ),
    Mistake(
        "one-block-a-row",
        "There is one block for each row. The second number of a row says how many there are.",
        matches=layers(blocks=[(c, s) for c, _, s in ROWS]),
        hint=1,
    ),
    Mistake(
        "width-forgotten",
        "The width is not used: these are the layers of the full network.",
        matches=other_width(lambda width: 1.0),
        hint=5,
    ),
    Mistake(
        "stem-not-narrowed",
        "Your stem makes 32 channels at every width. The width narrows it too.",
        matches=wide_stem,
        hint=5,
    ),
    Mistake(
        "classifier-not-narrowed",
        "Your classifier reads 1,024 features at every width. It reads what the last block makes.",
        matches=wide_classifier,
        hint=2,
    ),
    Mistake(
        "channels-not-carried",
        "A layer reads another number of channels than the one before it makes. After each block,"
        " what arrives is what that block has made.",
        matches=channels_not_carried,
        hint=2,
    ),
    Mistake(
        "classifier-missing",
        "All 54 layers up to the last block are right, and then no linear layer runs. The mean over"
        " height and width, then the classifier.",
        matches=changed(lambda parts: parts[:-1]),
        hint=4,
    ),
    Mistake(
        "classes-fixed",
        "Your classifier has 1,000 outputs, whatever num_classes is.",
        matches=fixed_classes,
        hint=4,
    ),
    Mistake(
        "layers-in-a-list",
        "Blocks are not registered: layers in a plain Python list are unknown to the module, so"
        " nothing trains them. Use `nn.ModuleList` or `nn.Sequential`.",
        matches=in_a_list,
        hint=1,
    ),
    Mistake(
        "classifier-without-bias",
        "All layers are right but one: your classifier has no bias. No norm follows it, so it keeps"
        " its bias.",
        matches=without_bias_at_the_end,
        hint=4,
    ),
    Mistake(
        "norm-settings",
        "Your batch norms have no parameters, or no running mean and variance. It is"
        " `nn.BatchNorm2d(channels)`, without `affine=False` or `track_running_stats=False`.",
        matches=norm_settings,
        hint=1,
    ),
    Mistake(
        "not-pooled",
        "Your classifier gets the whole last map. Between the last block and the classifier stands"
        " the mean over height and width.",
        matches=lambda o: said("mat1 and mat2")(o) or said("normalized")(o),
        hint=4,
    ),
    Mistake(
        "pool-of-seven",
        "Your pooling takes 7×7 places, always. That fits pictures of 224 only. Take the mean over"
        " all places, however many there are.",
        matches=said("Output size is too small"),
        hint=4,
    ),
    Mistake(
        "norms-missing",
        "No batch norm runs. The stem has one, and each block has two.",
        matches=no_norms,
        hint=1,
    ),
    Mistake(
        "stem-norm-missing",
        "The norm of your stem is missing: convolution, norm, ReLU, as in the blocks.",
        matches=changed(lambda parts: [parts[0], *parts[2:]]),
        hint=1,
    ),
    Mistake(
        "pointwise-first",
        "In your blocks the 1×1 convolution comes first. It is depthwise, then pointwise.",
        matches=pointwise_first,
        hint=1,
    ),
    Mistake(
        "ordinary-blocks",
        "No layer after the stem is depthwise. That is the “Conv MobileNet” of the paper's table 4,"
        " eight times as expensive.",
        matches=dense,
        hint=1,
    ),
    Mistake(
        "bias-kept",
        "All layers are right, but convolutions have biases that do nothing: a batch norm follows."
        " `bias=False` leaves them out. The classifier keeps its bias.",
        matches=biased,
        hint=1,
    ),
    Mistake(
        "parts-too-many",
        "All layers are right, but the network has more parameters than they need. Is there a layer"
        " in `__init__` that `forward` never uses?",
        matches=too_many,
        hint=1,
    ),
    Mistake(
        "softmax-at-the-end",
        "Your network ends in a softmax. The loss of PyTorch, `F.cross_entropy`, takes the bare"
        " scores; a second softmax would spoil them.",
        mimic=ending(lambda y, head: torch.softmax(mean(y, head), 1)),
        hint=4,
    ),
    Mistake(
        "max-pooled",
        "You take the largest value of each map. MobileNet takes the mean.",
        mimic=ending(lambda y, head: head(y.amax((2, 3)))),
        hint=4,
    ),
    Mistake(
        "stem-relu-missing",
        "The ReLU of your stem is missing: convolution, norm, ReLU, as in the blocks.",
        mimic=ending(mean, stem_relu=False),
        hint=4,
    ),
    Mistake(
        "relu-at-the-end",
        "Your scores go through a ReLU. A score may be negative.",
        mimic=ending(lambda y, head: torch.relu(mean(y, head))),
        hint=4,
    ),
)
