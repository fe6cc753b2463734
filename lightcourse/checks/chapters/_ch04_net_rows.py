"""Chapter 04, exercise 04.net: what goes wrong inside one row: norm, ReLU, pooling, linear."""

from __future__ import annotations

from lightcourse.checks.chapters._ch04_net_wrong import biller, relu_row
from lightcourse.checks.exercise import Mistake

ROWS = (
    Mistake(
        "norm-not-written",
        "Your batch norm reads the map and does not write one. It makes a new map as large.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 0, 4 * (c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "norm-without-params",
        "Your batch norm has no parameters. Scale and shift are learnt: 2 for each channel.",
        mimic=biller(norm=lambda c, h, w, n: (0, 0, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "statistics-as-params",
        "You count 4 · C parameters for a batch norm. Mean and variance are kept, not learnt: they"
        " are read, so they are bytes, but they are no parameters.",
        mimic=biller(norm=lambda c, h, w, n: (4 * c, 0, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "statistics-not-read",
        "A batch norm reads four vectors: scale and shift, and also mean and variance.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 0, 4 * (2 * c * h * w + 2 * c))),
        hint=3,
    ),
    Mistake(
        "norm-vectors-not-read",
        "Your batch norm moves its input and its output. It also reads four numbers for each"
        " channel.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 0, 8 * c * h * w)),
        hint=3,
    ),
    Mistake(
        "norm-has-macs",
        "You count MACs for the batch norm. Some profilers do too, and so they all disagree. Here,"
        " as in PyTorch's counter, only convolutions and linear layers have MACs.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, 2 * c * h * w, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "norm-has-macs",
        "You count MACs for the batch norm. Some profilers do too, and so they all disagree. Here,"
        " as in PyTorch's counter, only convolutions and linear layers have MACs.",
        mimic=biller(norm=lambda c, h, w, n: (2 * c, c * h * w, 4 * (2 * c * h * w + 4 * c))),
        hint=3,
    ),
    Mistake(
        "relu-is-free",
        "Your ReLU moves nothing. It has no MACs, but run by itself it reads the whole map and"
        " writes the whole map.",
        mimic=biller(relu=lambda c, h, w, n: (0, 0, 0)),
        hint=4,
    ),
    Mistake(
        "relu-one-way",
        "Your ReLU moves the map once. It is read and written: twice.",
        mimic=biller(relu=lambda c, h, w, n: (0, 0, 4 * c * h * w)),
        hint=4,
    ),
    Mistake(
        "pool-writes-a-map",
        "Your pooling writes a whole map. Global pooling leaves one number for each channel.",
        mimic=biller(pool=relu_row),
        hint=4,
    ),
    Mistake(
        "pool-has-macs",
        "You count MACs for the pooling. It adds and multiplies nothing, so here it has none.",
        mimic=biller(pool=lambda c, h, w, n: (0, c * h * w, 4 * (c * h * w + c))),
        hint=4,
    ),
    Mistake(
        "pool-is-free",
        "Your pooling moves nothing. It reads the whole map and writes one number a channel.",
        mimic=biller(pool=lambda c, h, w, n: (0, 0, 0)),
        hint=4,
    ),
    Mistake(
        "pool-not-written",
        "Your pooling reads the map and writes nothing. It writes one number for each channel.",
        mimic=biller(pool=lambda c, h, w, n: (0, 0, 4 * c * h * w)),
        hint=4,
    ),
    Mistake(
        "linear-in-flops",
        "Your linear layer counts FLOPs. A multiplication with its addition is one MAC, two FLOPs:"
        " one MAC for each weight.",
        mimic=biller(linear=lambda c, h, w, n: (c * n + n, 2 * c * n, 4 * (c + c * n + 2 * n))),
        hint=4,
    ),
    Mistake(
        "linear-not-written",
        "Your linear layer reads its inputs and parameters and does not write its outputs.",
        mimic=biller(linear=lambda c, h, w, n: (c * n + n, c * n, 4 * (c + c * n + n))),
        hint=4,
    ),
    Mistake(
        "linear-without-bias",
        "Your linear layer has no bias. It has one number more for each output, and reads it.",
        mimic=biller(linear=lambda c, h, w, n: (c * n, c * n, 4 * (c + c * n + n))),
        hint=4,
    ),
    Mistake(
        "bias-as-mac",
        "You count the bias of the linear layer among the MACs. It multiplies nothing.",
        mimic=biller(linear=lambda c, h, w, n: (c * n + n, c * n + n, 4 * (c + c * n + 2 * n))),
        hint=4,
    ),
)
