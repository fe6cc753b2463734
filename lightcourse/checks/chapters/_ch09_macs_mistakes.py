"""Exercise 09.macs: known mistakes."""

from __future__ import annotations

from lightcourse.checks.chapters._ch09_macs_wrong import (
    by_law,
    by_parts,
    by_square_of_the_side,
    depthwise_early,
    fixed_classifier,
    four_times_from_somewhere,
    full_stem,
    halves,
    law_with_fixed_classifier,
    narrow_classes,
    near,
    only,
    pooled_late,
    totals,
    wide_stem,
    wide_stem_only,
)
from lightcourse.checks.chapters._ch09_net import ROWS, counted, last_by_two, strides
from lightcourse.checks.exercise import Mistake

LISTED = strides(ROWS)
MISTAKES = (
    Mistake(
        "sum-not-list",
        "That is the sum, and the sum is right. The exercise asks for the list, so that one sees"
        " where the MACs are: stem, 13 blocks, classifier.",
        matches=totals,
        hint=1,
    ),
    Mistake(
        "layers-not-blocks",
        "You give one number for each of the 28 layers. A block is two of them: add the depthwise"
        " and the pointwise number.",
        matches=halves,
        hint=1,
    ),
    Mistake(
        "stem-or-classifier-missing",
        "There are 14 numbers, and 15 are wanted. The stem comes first and the classifier last;"
        " one of them is missing.",
        matches=lambda o: list(o.got) in (o.want[1:], o.want[:-1]),
        hint=1,
    ),
    Mistake(
        "first-row-missing",
        "There are 12 blocks, and 13 are wanted. A favourite of summaries: the first block, 32 → 64"
        " at 112×112, is forgotten.",
        mimic=by_parts(LISTED[1:]),
        hint=2,
    ),
    Mistake(
        "five-not-six",
        "There are 12 blocks, and 13 are wanted. Table 1 writes “5×” for the blocks that keep 512"
        " channels; the block that leads from 256 to 512 stands above them. Together they are six.",
        mimic=by_parts([*LISTED[:6], *LISTED[7:]]),
        hint=2,
    ),
    Mistake(
        "seven-not-six",
        "There are 14 blocks, and 13 are wanted: six of them end in 512 channels.",
        mimic=by_parts([*LISTED[:7], (512, 1), *LISTED[7:]]),
        hint=2,
    ),
    Mistake(
        "blocks-alone",
        "The 13 blocks are right. The stem before them and the classifier behind them have MACs"
        " too: 15 numbers.",
        matches=lambda o: list(o.got) == o.want[1:-1],
        hint=1,
    ),
    Mistake(
        "table-followed",
        "Your last block has stride 2. Table 1 prints it, but its next row still has 7×7 maps: a"
        " misprint. The stride of block 13 is 1.",
        mimic=by_parts(last_by_two(ROWS)),
        hint=2,
    ),
    Mistake(
        "stride-in-every-block",
        "Every block of a row takes the row's stride. Only the first of them does; the others keep"
        " the size of the map.",
        mimic=by_parts(strides(ROWS, lambda s, i: s)),
        hint=2,
    ),
    Mistake(
        "stride-forgotten",
        "Your maps do not shrink from block to block. A block with stride 2 leaves a map of half"
        " the side, and all later blocks work on that.",
        mimic=by_parts([(c, 1) for c, _ in LISTED]),
        hint=2,
    ),
    Mistake(
        "stride-too-late",
        "You halve the map after the block with stride 2. Its depthwise layer already makes the"
        " small map, and the pointwise layer works on it.",
        mimic=by_parts(
            [(c, s) for (c, _), s in zip(LISTED, [1] + [s for _, s in LISTED], strict=False)]
        ),
        hint=3,
    ),
    Mistake(
        "depthwise-before-the-stride",
        "In blocks with stride 2 you count the depthwise layer on the map that comes in. It"
        " computes its outputs only at every second place.",
        mimic=depthwise_early,
        hint=3,
    ),
    Mistake(
        "stem-without-stride",
        "Your stem keeps the size of the picture. It has stride 2, so block 1 works on half the"
        " side.",
        mimic=by_parts(stem=(32, 1)),
        hint=3,
    ),
    Mistake(
        "stem-on-the-picture",
        "Only your stem is wrong: it has the places of the picture. With stride 2 it makes a map of"
        " half the side.",
        mimic=by_parts(change=full_stem),
        hint=3,
    ),
    Mistake(
        "rounded-down",
        "On odd sides you round down. 25 places become 13: a 3×3 layer with padding 1 and stride 2"
        " rounds up.",
        mimic=by_parts(out=lambda side, stride: side // stride),
        hint=3,
    ),
    Mistake(
        "square-law-of-the-side",
        "Your widths are right. For the side you take the numbers at 224 times ρ², the rule of"
        " thumb. Where halves are rounded up, the maps are larger than that: follow the side from"
        " block to block.",
        matches=near(by_square_of_the_side),
        hint=3,
    ),
    Mistake(
        "square-law",
        "You take the full network times α² and ρ². That is the paper's rule of thumb. The exercise"
        " wants the exact count: narrow the channels, shrink the maps, and count again.",
        matches=near(by_law),
        hint=4,
    ),
    Mistake(
        "square-law",
        "You take the stem and the blocks times α² and ρ². That is the rule of thumb. The exercise"
        " wants the exact count: a depthwise layer has only one channel count to shrink.",
        matches=near(law_with_fixed_classifier),
        hint=4,
    ),
    Mistake(
        "width-forgotten",
        "The width is not used. Every channel count but the picture's 3 and the 1,000 classes is"
        " taken times width.",
        mimic=lambda width, side: counted(1.0, side),
        hint=4,
    ),
    Mistake(
        "side-forgotten",
        "The side is not used: these are the numbers at 224.",
        mimic=lambda width, side: counted(width, 224),
        hint=3,
    ),
    Mistake(
        "stem-not-narrowed",
        "Your stem keeps its 32 channels. The width multiplier narrows it too, and with it what"
        " block 1 reads.",
        mimic=wide_stem,
        hint=4,
    ),
    Mistake(
        "stem-not-narrowed",
        "Your stem keeps its 32 channels, though your block 1 reads fewer. The width multiplier"
        " narrows the stem too.",
        mimic=by_parts(change=wide_stem_only),
        hint=4,
    ),
    Mistake(
        "classes-narrowed",
        "You take the 1,000 classes times width. Only the 1,024 features become fewer: there are as"
        " many classes as before.",
        mimic=by_parts(change=narrow_classes),
        hint=4,
    ),
    Mistake(
        "classifier-not-narrowed",
        "Your classifier reads 1,024 features at every width. It reads what block 13 makes.",
        mimic=by_parts(change=fixed_classifier),
        hint=4,
    ),
    Mistake(
        "classifier-before-pooling",
        "Your classifier works at every place of the last map. Between block 13 and the classifier"
        " stands the global average pooling: one place is left.",
        mimic=by_parts(change=pooled_late),
        hint=3,
    ),
    Mistake(
        "biases-counted",
        "You count the biases of the classifier. Adding is no multiplication.",
        mimic=by_parts(change=lambda macs, width, side: [*macs[:-1], macs[-1] + 1000]),
        hint=3,
    ),
    Mistake(
        "flops-not-macs",
        "Twice too many: a multiplication and its addition count as one MAC.",
        mimic=by_parts(change=lambda macs, width, side: [2 * number for number in macs]),
        hint=3,
    ),
    Mistake(
        "stride-missing",
        "From one block on, your numbers are about four times too large. The map was halved there,"
        " and you kept it: a stride of 2 is missing in your table.",
        matches=four_times_from_somewhere,
        hint=2,
    ),
    Mistake(
        "stem-wrong",
        "Only the stem is wrong. Each of its outputs reads 3·3 numbers in each of the picture's 3"
        " colours, and its map has half the side of the picture.",
        matches=only(0),
        hint=3,
    ),
    Mistake(
        "classifier-wrong",
        "Only the classifier is wrong. It reads what block 13 makes, at one place, and has 1,000"
        " outputs.",
        matches=only(14),
        hint=3,
    ),
    Mistake(
        "number-of-blocks",
        "The list has another length than 15. One number each for the stem, the 13 blocks and the"
        " classifier: count the blocks in table 1 once more.",
        matches=lambda o: len(o.got) != len(o.want),
        hint=2,
    ),
)
