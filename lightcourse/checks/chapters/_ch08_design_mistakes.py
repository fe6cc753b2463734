"""Exercise 08.design: known mistakes and hints."""

from __future__ import annotations

from functools import partial

from lightcourse.checks.chapters._ch08_design import (
    count,
    family,
    no_whole_numbers,
    none_for_empty,
    ratio_returned,
    total,
    variant,
)
from lightcourse.checks.exercise import Hint, Mistake

MISTAKES = (
    Mistake(
        "not-whole",
        "The widths are right, but they are floats. Channels are counted in whole numbers:"
        " `int(…)`.",
        matches=no_whole_numbers,
        hint=2,
    ),
    Mistake(
        "none-for-empty",
        "Nothing fits here: return [], not None.",
        matches=none_for_empty,
        hint=4,
    ),
    Mistake(
        "ratio-returned",
        "You return a ratio. Wanted are the eight modules that it makes, a list of (squeeze,"
        " expand1x1, expand3x3).",
        matches=ratio_returned,
        hint=1,
    ),
    Mistake(
        "in-channels-kept",
        "Your ratio is the wrong one. Perhaps you count all eight modules as if 96 channels came"
        " in? Only the first one gets 96; each later one gets what the one before gives out.",
        mimic=variant(spent=lambda rows: sum(count(96, *row) for row in rows)),
        hint=3,
    ),
    Mistake(
        "in-channels-of-its-own",
        "Your ratio is the wrong one. Perhaps you count each module as if as many channels came in"
        " as it gives out? What comes in is what the module *before* gives out, and 96 for the"
        " first.",
        mimic=variant(spent=lambda rows: sum(count(row[1] + row[2], *row) for row in rows)),
        hint=3,
    ),
    Mistake(
        "budget-for-each",
        "Your network is too large. Perhaps you compare each module with the budget by itself? The"
        " eight share it: add them up.",
        mimic=variant(spent=lambda rows: max(_each(rows))),
        hint=3,
    ),
    Mistake(
        "exact-fit-refused",
        "A network that needs exactly the budget fits. Use <=.",
        mimic=variant(fits=lambda size, budget: size < budget),
        hint=4,
    ),
    Mistake(
        "smallest-ratio",
        "You return the smallest ratio of those that fit, perhaps by chance. Wanted is the largest"
        " of them.",
        mimic=variant(choose=min),
        hint=4,
    ),
    Mistake(
        "first-that-fits",
        "Your ratio fits, but a larger one does too. Perhaps you take the first that fits? The list"
        " need not be in order: look at all of them.",
        mimic=variant(choose=lambda fitting: fitting[0]),
        hint=4,
    ),
    Mistake(
        "last-that-fits",
        "Your ratio fits, but a larger one does too. Perhaps you keep the last that fits? The list"
        " need not be in order: keep the largest.",
        mimic=variant(choose=lambda fitting: fitting[-1]),
        hint=4,
    ),
    Mistake(
        "empty-forgotten",
        "When no ratio fits, the answer is the empty list; you return a network that is too large.",
        mimic=variant(none=min),
        hint=4,
    ),
    Mistake(
        "share-swapped",
        "You give the share to the 1×1 kernels. It is the share of the 3×3 kernels.",
        mimic=variant(rows=lambda ratio, share: family(ratio, 1 - share)),
        hint=2,
    ),
    Mistake(
        "squeeze-of-3x3",
        "Your squeeze width is the ratio times the 3×3 kernels alone. It is the ratio times all"
        " kernels that expand, 1×1 and 3×3.",
        mimic=variant(rows=partial(family, squeeze=lambda ratio, e, e3, c: ratio * e3)),
        hint=2,
    ),
    Mistake(
        "squeeze-of-input",
        "Your squeeze width is the ratio times the channels that come in. The paper takes it of the"
        " kernels that expand.",
        mimic=variant(rows=partial(family, squeeze=lambda ratio, e, e3, c: ratio * c)),
        hint=2,
    ),
    Mistake(
        "expand-doubled",
        "Your expansions give out too many channels: with a share of 0.5, expand1x1 gets *half* of"
        " the width, not all of it.",
        mimic=variant(rows=partial(family, ones=lambda e, e3: e)),
        hint=2,
    ),
    Mistake(
        "never-wider",
        "All your modules have the same width. It grows by 128 after every second one.",
        mimic=variant(rows=partial(family, widths=lambda i: 128)),
        hint=2,
    ),
    Mistake(
        "wider-each-time",
        "Your width grows with every module. It grows after every second one: 128, 128, 256, …",
        mimic=variant(rows=partial(family, widths=lambda i: 128 + 128 * i)),
        hint=2,
    ),
    Mistake(
        "wider-too-soon",
        "Your width grows one module too soon. It begins with 128 twice: 128, 128, 256, …",
        mimic=variant(rows=partial(family, widths=lambda i: 128 + 128 * ((i + 1) // 2))),
        hint=2,
    ),
    Mistake(
        "doubled-not-added",
        "Your width doubles. It grows by adding 128: 128, 256, 384, 512.",
        mimic=variant(rows=partial(family, widths=lambda i: 128 * 2 ** (i // 2))),
        hint=2,
    ),
)


def _each(rows: list[tuple[int, int, int]]) -> list[int]:
    """Parameters of every module by itself."""
    return [total(rows[: i + 1]) - total(rows[:i]) for i in range(len(rows))]


HINTS = (
    Hint(
        "I do not know where to begin",
        "First write the eight rows for one ratio, in a loop over i from 0 to 7. Then add up their"
        " parameters. Then a loop over the ratios around it.",
    ),
    Hint(
        "My rows are wrong",
        "e = 128 + 128 · (i // 2). Of these, share · e are 3×3, the rest 1×1. The squeeze width is"
        " ratio · e. For ratio 0.125, share 0.5 this is SqueezeNet: (16, 64, 64) twice, (32, 128,"
        " 128) twice, …",
    ),
    Hint(
        "My rows are right, but the ratio is too large or too small",
        "params(in_channels, squeeze, expand1x1, expand3x3): in_channels is 96 for the first"
        " module; for the others, the expand1x1 + expand3x3 of the one before.",
    ),
    Hint(
        "It works for some budgets only",
        "Exactly the budget still fits. The ratios come in any order, so remember the best so far."
        " If none fits: [].",
    ),
)
