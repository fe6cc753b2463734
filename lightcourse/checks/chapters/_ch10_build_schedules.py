"""Exercise 10.build: known mistakes in the table itself: strides and repeats."""

from __future__ import annotations

from lightcourse.checks.chapters._ch10_build_wrong import twin
from lightcourse.checks.chapters._ch10_layers import FAST, SLOW
from lightcourse.checks.exercise import Mistake

_ALL_STRIDED = tuple((c, 2 if c < 1024 else 1) for c, _ in FAST)
_LATE = ((64, 1), *FAST[1:])
_LATE_THROUGHOUT = (*_LATE[:-1], (1024, 2))
_LAST_STRIDED = tuple((c, 2 if c == 1024 else s) for c, s in FAST)
_SIX = (*FAST[:5], (512, 2), *((512, 1),) * 5, (1024, 1))
_TWO_LAST = (*FAST, (1024, 1))
_FOUR = (*FAST[:5], (512, 2), *((512, 1),) * 3, (1024, 1))
_NO_LAST = FAST[:-1]
_LAST_REPEATS = (
    (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (512, 1), (512, 1),
    (512, 2), (1024, 1),
)  # fmt: skip

SCHEDULES = (
    Mistake(
        "mobilenet-built",
        "This is MobileNet: after the stem its first block keeps the size. In FD-MobileNet the"
        " first block halves again, and there are 11 blocks, not 13.",
        mimic=twin(blocks=SLOW),
        hint=2,
    ),
    *(
        Mistake(
            "first-block-not-strided",
            "Your first block keeps the size. It is the point of FD-MobileNet that it halves at"
            " once: stem and first block both have stride 2.",
            mimic=twin(blocks=blocks),
            hint=2,
        )
        for blocks in (_LATE, _LATE_THROUGHOUT)
    ),
    Mistake(
        "every-repeat-strided",
        "All blocks of a row have stride 2 in your network. Only the first of each row has; its"
        " repeats keep the size.",
        mimic=twin(blocks=_ALL_STRIDED),
        hint=2,
    ),
    Mistake(
        "last-repeat-strided",
        "In your rows the last block halves. It is the first of each row that does; then the"
        " others are cheap, which is the point.",
        mimic=twin(blocks=_LAST_REPEATS),
        hint=2,
    ),
    Mistake(
        "last-row-strided",
        "Your last row, 1024 channels, halves once more. Its stride is 1: the map stays at 7×7.",
        mimic=twin(blocks=_LAST_STRIDED),
        hint=2,
    ),
    *(
        Mistake(
            "repeats-miscounted",
            f"Your network has {words}. The rows are repeated 1, 2, 2, 5 and 1 times: 11 blocks.",
            mimic=twin(blocks=blocks),
            hint=2,
        )
        for blocks, words in (
            (_SIX, "six blocks of 512 channels, as MobileNet has"),
            (_FOUR, "four blocks of 512 channels"),
            (_TWO_LAST, "two blocks of 1024 channels, as MobileNet has"),
            (_NO_LAST, "no block of 1024 channels"),
        )
    ),
)
