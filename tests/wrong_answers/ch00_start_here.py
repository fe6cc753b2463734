"""Chapter 00: answers that learners give, wrong with their diagnosis and right in other ways."""

import math

import torch


def values_only(batch, channels, height, width, bits=32):
    return batch * channels * height * width


def in_bits(batch, channels, height, width, bits=32):
    total = 1
    for side in (batch, channels, height, width):
        total *= side
    return total * bits


def float32_always(batch, channels, height, width, bits=32):
    return batch * channels * height * width * 4


def one_picture(batch, channels, height, width, bits=32):
    return channels * height * width * bits // 8


def one_channel(batch, channels, height, width, bits=32):
    return batch * height * width * bits // 8


def square(batch, channels, height, width, bits=32):
    return batch * channels * height**2 * bits // 8


def circumference(batch, channels, height, width, bits=32):
    return batch * channels * (height + width) * bits // 8


def in_kib(batch, channels, height, width, bits=32):
    return batch * channels * height * width * bits / 8 / 1024


def in_whole_kib(batch, channels, height, width, bits=32):
    return batch * channels * height * width * bits // 8 // 1024


def as_float(batch, channels, height, width, bits=32):
    return batch * channels * height * width * bits / 8


def eight_bits_upside_down(batch, channels, height, width, bits=32):
    return batch * channels * height * width * bits * 8


def divided_first(batch, channels, height, width, bits=32):
    return batch * channels * height * width * (bits // 8)


def by_four(batch, channels, height, width, bits=32):
    return batch * channels * height * width * bits // 4


def one_map(batch, channels, height, width, bits=32):
    return height * width * bits // 8


def printed(batch, channels, height, width, bits=32):
    print(batch * channels * height * width * bits // 8)


def without_bits(batch, channels, height, width):
    return batch * channels * height * width * 4


def forgotten_default(batch, channels, height, width, bits):
    return batch * channels * height * width * bits // 8


def untouched(batch, channels, height, width, bits=32):
    raise NotImplementedError()


def misspelt(batch, channels, height, width, bits=32):
    return batch * channels * hight * width * bits // 8  # noqa: F821


def a_tensor(batch, channels, height, width, bits=32):
    return torch.tensor(batch * channels * height * width * bits // 8)


def plus_one(batch, channels, height, width, bits=32):
    return batch * channels * height * width * bits // 8 + 1


def with_product(batch, channels, height, width, bits=32):
    return math.prod([batch, channels, height, width]) * bits // 8


def picture_by_picture(batch, channels, height, width, bits=32):
    total = 0
    for _ in range(batch):
        for _ in range(channels):
            total += height * width * bits
    return total // 8


def ask_torch(batch, channels, height, width, bits=32):
    x = torch.empty(batch, channels, height, width, dtype=torch.uint8, device="meta")
    return x.numel() * x.element_size() * bits // 8


WRONG = {
    "00.bytes": [
        ("values-not-bytes", values_only),
        ("bits-not-bytes", in_bits),
        ("always-four-bytes", float32_always),
        ("batch-forgotten", one_picture),
        ("channels-forgotten", one_channel),
        ("square-picture", square),
        ("sides-added", circumference),
        ("kibibytes", in_kib),
        ("kibibytes", in_whole_kib),
        ("true-division", as_float),
        ("bits-times-eight", eight_bits_upside_down),
        ("divided-too-early", divided_first),
        ("four-bits-a-byte", by_four),
        ("one-grid", one_map),
        ("returns-none", printed),
        ("wrong-signature", without_bits),
        ("wrong-signature", forgotten_default),
        ("not-implemented", untouched),
        ("raises", misspelt),
        ("wrong-type", a_tensor),
        (None, plus_one),
    ],
}

RIGHT = {"00.bytes": [with_product, picture_by_picture, ask_torch]}
