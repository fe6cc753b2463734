"""Exercise 11.network: known mistakes."""

from __future__ import annotations

from lightcourse.checks.chapters._ch11_block_wrong import quirk as block
from lightcourse.checks.chapters._ch11_block_wrong import said
from lightcourse.checks.chapters._ch11_net import ROWS, divisible
from lightcourse.checks.chapters._ch11_network_values import VALUES
from lightcourse.checks.chapters._ch11_network_wrong import (
    biased,
    hidden_from_outputs,
    in_a_list,
    layers,
    more_parameters,
    norm_settings,
    rows,
    same,
    without_bias_at_the_end,
)
from lightcourse.checks.exercise import Mistake

MISTAKES = (
    Mistake(
        "stride-in-every-block",
        "Every block of a row takes the row's stride, so the maps get too small. Only the first one"
        " of a row does.",
        matches=layers(stride=lambda s, i, n: s),
        hint=3,
    ),
    Mistake(
        "stride-forgotten",
        "No block has a stride: the maps stay at half the picture's side.",
        matches=layers(stride=lambda s, i, n: 1),
        hint=3,
    ),
    Mistake(
        "stride-in-the-last-block",
        "The stride is in the last block of a row. It belongs to the first one.",
        matches=layers(stride=lambda s, i, n: s if i == n - 1 else 1),
        hint=3,
    ),
    Mistake(
        "stride-in-row-five",
        "The row with 96 channels has stride 2 in yours. It keeps the map: 14×14, as the row before"
        " it. (Many copies of the table have this slip.)",
        matches=layers(rows=rows(4, s=2)),
        hint=3,
    ),
    Mistake(
        "stem-without-stride",
        "Your stem has no stride. It halves the picture: 224 becomes 112.",
        matches=layers(stem=(32, 1)),
        hint=3,
    ),
    Mistake(
        "one-block-a-row",
        "There is one block for each row. The number n of a row says how many there are.",
        matches=layers(rows=tuple((t, c, 1, s) for t, c, _, s in ROWS)),
        hint=1,
    ),
    Mistake(
        "first-row-expands",
        "Your first block expands six times. Its row has t = 1: no expansion at all.",
        matches=layers(rows=rows(0, t=6)),
        hint=1,
    ),
    Mistake(
        "first-row-missing",
        "The first block, 32 → 16 with t = 1, is missing: there are 17 blocks.",
        matches=layers(rows=ROWS[1:]),
        hint=1,
    ),
    Mistake(
        "first-expansion-kept",
        "Your first block has a 1×1 convolution from 32 to 32 channels. With t = 1 there is nothing"
        " to expand: look at the check of your `Block`.",
        matches=layers(block=block(always_expands=True)),
        hint=1,
    ),
    Mistake(
        "expansion-forgotten",
        "Your blocks do not get the t of their row: the first one expands as the others do, or none"
        " does.",
        matches=lambda o: any(layers(rows=tuple((t, *row[1:]) for row in ROWS))(o) for t in (1, 6)),
        hint=1,
    ),
    Mistake(
        "hidden-from-outputs",
        "The wide layers of a block have t times its *outputs*. They have t times its inputs.",
        matches=hidden_from_outputs,
        hint=1,
    ),
    Mistake(
        "width-forgotten",
        "The width is not used: these are the layers of the full network.",
        matches=layers(width=lambda width: 1.0),
        hint=5,
    ),
    Mistake(
        "channels-cut-off",
        "Your channels are `int(c * width_mult)`. Here they are rounded to a multiple of 8, with"
        " `make_divisible(c * width_mult)`.",
        matches=lambda o: any(layers(round=cut)(o) for cut in (int, round)),
        hint=5,
    ),
    Mistake(
        "rounded-below-nine-tenths",
        "You round to the nearest multiple of 8. `make_divisible` also sees to it that no more"
        " than a tenth is lost: 32 · 0.35 = 11.2 becomes 16, not 8.",
        matches=layers(round=lambda value: max(8, int(value + 4) // 8 * 8)),
        hint=5,
    ),
    Mistake(
        "last-layer-narrowed",
        "Your last convolution gets narrower with the width. It keeps its 1,280 channels below"
        " width 1: the classifier needs them.",
        matches=layers(last=lambda width: 1280 * width),
        hint=5,
    ),
    Mistake(
        "last-layer-fixed",
        "Your last convolution has 1,280 channels at every width. Above width 1 it grows:"
        " `make_divisible(1280 * width_mult)`.",
        matches=layers(last=lambda width: 1280),
        hint=5,
    ),
    Mistake(
        "last-layer-missing",
        "Behind the last block the 1×1 convolution to 1,280 channels is missing: convolution, norm,"
        " ReLU6, then the mean.",
        matches=layers(last=None),
        hint=1,
    ),
    Mistake(
        "last-norm-missing",
        "The norm behind the last convolution is missing: convolution, norm, ReLU6.",
        matches=layers(last_norm=False),
        hint=4,
    ),
    Mistake(
        "stem-not-narrowed",
        "Your stem makes 32 channels at every width. The width narrows it too.",
        matches=lambda o: (
            o.case.args[0] != 1
            and o.error is None
            and o.got.parts[0].outputs == 32 != divisible(32 * o.case.args[0])
        ),
        hint=5,
    ),
    Mistake(
        "classes-fixed",
        "Your classifier has 1,000 outputs, whatever num_classes is.",
        matches=layers(classes=lambda classes: 1000),
        hint=4,
    ),
    Mistake(
        "classifier-missing",
        "All layers up to the last convolution are right, and then no linear layer runs. The mean,"
        " the dropout, then the classifier.",
        matches=lambda o: same(o.got.parts, o.want.parts[:-1]),
        hint=4,
    ),
    Mistake(
        "classifier-without-bias",
        "All layers are right but one: your classifier has no bias. No norm follows it, so it keeps"
        " its bias.",
        matches=without_bias_at_the_end,
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
        "norm-settings",
        "Your batch norms have no parameters, or no running mean and variance. It is"
        " `nn.BatchNorm2d(channels)`, without `affine=False` or `track_running_stats=False`.",
        matches=norm_settings,
        hint=1,
    ),
    Mistake(
        "channels-not-carried",
        "A layer reads another number of channels than the one before it makes. After each block,"
        " what arrives is what that block has made.",
        matches=lambda o: said("to have", "channels, but got")(o),
        hint=2,
    ),
    Mistake(
        "not-pooled",
        "Your classifier gets the whole last map, or another number of features than it reads."
        " Between the last convolution and the classifier stands the mean over height and width.",
        matches=lambda o: said("mat1 and mat2")(o) or said("normalized")(o),
        hint=4,
    ),
    Mistake(
        "pool-of-seven",
        "Your pooling takes 7×7 places, always. That fits pictures of 224 only. Take the mean over"
        " all places, however many there are.",
        matches=said("output size is too small"),
        hint=4,
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
        matches=lambda o: more_parameters(o) > 0,
        hint=1,
    ),
    Mistake(
        "dropout-in-eval",
        "In eval mode your network gives other scores each time: the dropout is still on. A layer"
        " `nn.Dropout(0.2)` made in `__init__` knows when to stop; F.dropout must be told, with"
        " `F.dropout(y, 0.2, self.training)`.",
        matches=lambda o: o.got.restless,
        hint=4,
    ),
    Mistake(
        "layer-differs",
        "A layer is not the one that is wanted, or one is missing or too many. The row “so” below"
        " names the first place where they part.",
        matches=lambda o: o.difference is not None and o.difference.kind == "layer",
        hint=1,
    ),
    Mistake(
        "finished-network",
        "This is finished work out of a library. Build the network of your own `Block`.",
        matches=lambda o: o.difference is not None and o.difference.text.endswith("is finished"),
        hint=1,
    ),
    *VALUES,
)
