"""Chapter 00: the warm-up exercise and the first prediction."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import torch

from lightcourse.checks.exercise import Case, Exercise, Hint, Law, Mistake, Prediction

TITLE = "Start here"

_DTYPES = {8: torch.int8, 16: torch.float16, 32: torch.float32, 64: torch.float64}


def _cases(rng: Random) -> Iterator[Case]:
    yield Case((1, 1, 2, 3), {"bits": 8}, "six values of one byte each")
    yield Case((1, 1, 2, 3), {"bits": 32}, "six values of four bytes each")
    yield Case((1, 1, 2, 3), {"bits": 4}, "two values share a byte")
    yield Case((2, 3, 4, 5), {"bits": 16})
    yield Case((1, 3, 224, 224), {}, "one picture, 32 bits by default")
    for _ in range(6):
        size = rng.choice((7, 14, 28, 56, 112))
        shape = (rng.randint(2, 64), rng.randint(2, 320), size, size + rng.randint(1, 9))
        yield Case(shape, {"bits": rng.choice((8, 16, 32, 64))})


def _bytes_in_torch(batch: int, channels: int, height: int, width: int, bits: int = 32) -> int:
    # a meta tensor knows its size without taking any memory; torch packs no 4-bit values itself
    if bits == 4:
        return _bytes_in_torch(batch, channels, height, width, 8) // 2
    return torch.empty((batch, channels, height, width), dtype=_DTYPES[bits], device="meta").nbytes


def _values(batch: int, channels: int, height: int, width: int) -> int:
    return batch * channels * height * width


def _batch_scales(map_bytes, rng: Random) -> str | None:
    shape = [rng.randint(1, 9) for _ in range(3)]
    one, three = map_bytes(1, *shape), map_bytes(3, *shape)
    if three != 3 * one:
        return f"Three pictures must take three times the bytes of one: {one} and {three}."
    return None


_MISTAKES = (
    Mistake(
        "values-not-bytes",
        "You count values, not bytes. A value of 32 bits takes four bytes.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w),
        hint=2,
    ),
    Mistake(
        "bits-not-bytes",
        "You count bits: your answer is eight times too large. Eight bits make one byte.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * bits,
        hint=2,
    ),
    Mistake(
        "divided-too-early",
        "You divide `bits` by eight first. For 4 bits that leaves nothing; two such values share a"
        " byte. Multiply everything, and divide at the very end.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * (bits // 8),
        hint=3,
    ),
    Mistake(
        "four-bits-a-byte",
        "You divide by four. A byte has eight bits; four is the number of bytes in 32 bits.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * bits // 4,
        hint=2,
    ),
    Mistake(
        "one-grid",
        "You count one channel of one picture. Each picture has several channels, and a batch has"
        " several pictures.",
        mimic=lambda n, c, h, w, bits=32: h * w * bits // 8,
        hint=1,
    ),
    Mistake(
        "bits-times-eight",
        "You multiply by eight where you should divide: a byte holds eight bits.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * bits * 8,
        hint=2,
    ),
    Mistake(
        "always-four-bytes",
        "You take four bytes for each value whatever `bits` says. An int8 value takes one byte.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * 4,
        hint=3,
    ),
    Mistake(
        "batch-forgotten",
        "You count one picture. A batch holds several, and all of them are in memory at once.",
        mimic=lambda n, c, h, w, bits=32: c * h * w * bits // 8,
        hint=1,
    ),
    Mistake(
        "channels-forgotten",
        "You count one channel. Each position of a feature map holds a value in every channel.",
        mimic=lambda n, c, h, w, bits=32: n * h * w * bits // 8,
        hint=1,
    ),
    Mistake(
        "square-picture",
        "You use the height twice. That is right for square pictures only.",
        mimic=lambda n, c, h, w, bits=32: n * c * h * h * bits // 8,
        hint=1,
    ),
    Mistake(
        "sides-added",
        "You add height and width. A grid of 2 rows and 3 columns has 2 × 3 positions, not 2 + 3.",
        mimic=lambda n, c, h, w, bits=32: n * c * (h + w) * bits // 8,
        hint=1,
    ),
    Mistake(
        "kibibytes",
        "You divide by 1024, so your answer is in KiB. The exercise asks for bytes.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * bits / 8 / 1024,
        hint=2,
    ),
    Mistake(
        "kibibytes",
        "You divide by 1024, so your answer is in KiB. The exercise asks for bytes.",
        mimic=lambda n, c, h, w, bits=32: _values(n, c, h, w) * bits // 8 // 1024,
        hint=2,
    ),
    Mistake(
        "true-division",
        "The number is right, but `/` makes a float of it. A count of bytes is whole: use `//`.",
        matches=lambda o: isinstance(o.got, float) and o.got == o.want,
        hint=3,
    ),
)

_HINTS = (
    Hint(
        "I do not know where to begin, or my answer is too small",
        "Count the values first. One channel of one picture is a grid with `height` rows and"
        " `width` columns. How many such grids are there in the whole batch?",
    ),
    Hint(
        "My answer is wrong by a factor such as 4, 8 or 1024",
        "Look at the unit. `bits` is what one value takes in bits, and a byte is eight of those."
        " 32 bits are 4 bytes, so six values of 32 bits take 24 bytes.",
    ),
    Hint(
        "My answer is right for 32 bits only, or it is a float",
        "Keep `bits` in the formula and divide at the very end, with `//`. Whole-number division"
        " gives an `int`, and bytes are counted, not measured.",
    ),
)


def _growth() -> str:
    """How much more memory the first feature map of MobileNetV2 takes than the picture."""
    picture = torch.empty((3, 224, 224), dtype=torch.uint8, device="meta").nbytes
    feature_map = torch.empty((32, 112, 112), dtype=torch.float32, device="meta").nbytes
    ratio = feature_map / picture
    limits = ((0.8, "smaller"), (1.25, "about the same"), (5.0, "about 3 times larger"))
    return next((name for limit, name in limits if ratio < limit), "more than 10 times larger")


EXERCISES = [
    Exercise(
        id="00.bytes",
        title="Bytes of a feature map",
        name="map_bytes",
        cases=_cases,
        oracle=_bytes_in_torch,
        laws=(Law("more pictures, more bytes", _batch_scales, hint=1),),
        mistakes=_MISTAKES,
        hints=_HINTS,
    ),
]

PREDICTIONS = [
    Prediction(
        id="00.p1",
        question="How many bytes does the first feature map take, next to the picture?",
        options=("smaller", "about the same", "about 3 times larger", "more than 10 times larger"),
        truth=_growth,
        replies={
            "smaller": (
                "Half the height and half the width leave a quarter of the positions, true. But"
                " each position now holds 32 values in place of 3, and each value takes four bytes"
                " in place of one."
            ),
            "about the same": (
                "A quarter of the positions, and 32 channels in place of 3: that alone makes"
                " 32 / 3 / 4 = 2.7 times as many values. And each value takes four bytes in place"
                " of one: 2.7 × 4 = 10.7."
            ),
            "about 3 times larger": (
                "That is right for the number of values. But a pixel is stored in one byte, and a"
                " value inside the network in four."
            ),
        },
        right="You saw both effects: more values, and more bytes for each value.",
    ),
]
