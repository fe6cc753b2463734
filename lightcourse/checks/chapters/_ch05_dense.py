"""Exercise 05.dense: a grouped, dilated convolution as one dense weight full of zeros."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Difference, Hint, Mistake, Outcome
from lightcourse.checks.located import located
from lightcourse.checks.pictures import beside


def numbered(*shape: int) -> Tensor:
    """Weights 1, 2, 3, … in memory order."""
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).view(shape)


def cases(rng: Random) -> Iterator[Case]:
    yield Case((numbered(4, 2, 1, 1), 2, 1), {}, "4 channels in 2 groups, 1×1")
    yield Case((numbered(1, 1, 3, 3), 1, 2), {}, "one 3×3 kernel with dilation 2")
    yield Case((numbered(3, 2, 1, 1), 1, 1), {}, "nothing to do: one group, dilation 1")
    yield Case((numbered(4, 1, 2, 2), 4, 1), {}, "depthwise: 4 channels in 4 groups")
    yield Case((numbered(6, 2, 1, 1), 2, 1), {}, "4 channels to 6 in 2 groups")
    yield Case((numbered(3, 2, 1, 1), 3, 1), {}, "6 channels to 3 in 3 groups")
    yield Case((numbered(1, 1, 1, 3), 1, 3), {}, "a row kernel, 1×3, with dilation 3")
    yield Case((numbered(4, 1, 3, 3).double(), 2, 2), {}, "2 channels to 4 in 2 groups, dilation 2")
    for _ in range(6):
        groups, dilation = rng.choice((1, 2, 3, 4)), rng.choice((1, 1, 2, 3))
        shape = groups * rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3)
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        weight = torch.randn(shape, generator=generator, dtype=torch.float64)
        yield Case((weight, groups, dilation), {}, "random sizes")


def oracle(weight: Tensor, groups: int, dilation: int) -> Tensor:
    """Ask torch: send a single 1 in each channel through the layer, and read the answer back."""
    channels = weight.shape[1] * groups
    tall, wide = ((k - 1) * dilation + 1 for k in weight.shape[2:])
    x = torch.zeros(channels, channels, 2 * tall - 1, 2 * wide - 1, dtype=weight.dtype)
    each = torch.arange(channels)
    x[each, each, tall - 1, wide - 1] = 1
    answer = F.conv2d(x, weight, dilation=dilation, groups=groups)
    return answer.flip(2, 3).transpose(0, 1).contiguous()


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Weight:
    """A weight that prints as a table: a row per output, dots for zeros, bars between kernels."""

    values: Tensor

    def __repr__(self) -> str:
        x, shape = self.values.detach(), tuple(self.values.shape)
        if x.dim() != 4 or x.numel() > 100 or not x.numel():
            return f"shape {shape}"
        wide = 3 if torch.equal(x, x.round()) else 7
        rows = [
            " | ".join(" ".join(_cell(v, wide) for v in kernel[i].tolist()) for kernel in output)
            for output in x
            for i in range(shape[2])
        ]
        return "\n".join([f"shape {shape}", *rows])


def _cell(value: float, wide: int) -> str:
    return f"{value:>{wide}.3g}" if value else ".".rjust(wide)


def call(dense_weight: Any, case: Case) -> Any:
    found = dense_weight(*case.args)
    return Weight(found) if isinstance(found, Tensor) else found


def answer(weight: Tensor, groups: int, dilation: int) -> Weight:
    return Weight(oracle(weight, groups, dilation))


_close = located(Compare())


def compare(got: Any, want: Any) -> Difference | None:
    """Tensors as they are, or in their tables."""
    bare = (one.values if isinstance(one, Weight) else one for one in (got, want))
    return _close(*bare)


def show(case: Case) -> str:
    weight, groups, dilation = case.args
    whole = weight.numel() <= 12 and not weight.frac().any()
    values = f" = {[int(v) for v in weight.flatten()]}" if whole else ""
    said = f"dense_weight(weight, {groups}, {dilation})"
    return f"{said}  with weight of shape {tuple(weight.shape)}{values}"


def picture(case: Case, got: Any, want: Any) -> str:
    """1×1 kernels as the matrix that they are; anything else as its first kernel that differs."""
    one, other = got.values, want.values
    if one.shape == other.shape and other.shape[2:] == (1, 1):
        one, other = one[:, :, 0, 0], other[:, :, 0, 0]
    return beside(one, other)


def _variant(
    row: Any = None,
    column: Any = None,
    size: Any = lambda k, d: (k - 1) * d + 1,
    steps: Any = lambda d: (d, d),
) -> Any:
    """The right recipe with one step changed: block rows, block columns, kernel size, tap steps."""

    def wrong(weight: Tensor, groups: int, dilation: int) -> Tensor:
        out, per, kh, kw = weight.shape
        high = out // groups
        down, across = steps(dilation)
        dense = weight.new_zeros(out, per * groups, size(kh, down), size(kw, across))
        for g in range(groups):
            rows = slice(g * high, (g + 1) * high) if row is None else row(g, groups, high, per)
            columns = slice(g * per, (g + 1) * per) if column is None else column(g, groups, per)
            block = dense[rows, columns, ::down, ::across]
            block[:, :, :kh, :kw] = weight[rows]
        return dense

    return wrong


def _tiled(weight: Tensor, groups: int, dilation: int) -> Tensor:
    spread = oracle(weight, 1, dilation)
    return spread.repeat(1, groups, 1, 1)


def _not_spread(weight: Tensor, groups: int, dilation: int) -> Tensor:
    return oracle(weight, groups, 1)


def _not_grouped(weight: Tensor, groups: int, dilation: int) -> Tensor:
    return oracle(weight, 1, dilation)


def _repeated(weight: Tensor, groups: int, dilation: int) -> Tensor:
    dense = oracle(weight, groups, 1)
    return dense.repeat_interleave(dilation, 2).repeat_interleave(dilation, 3)


def only_changed(outcome: Outcome) -> bool:
    """The answer is right; an input is not what it was."""
    right = outcome.error is None and outcome.difference is None
    return right and bool(outcome.mutated) and "gradients" not in outcome.mutated


MISTAKES = (
    Mistake(
        "groups-tiled",
        "Every output reads every group: you repeat the weights over all input channels. A group"
        " reads its own input channels; everywhere else the dense weight is 0.",
        mimic=_tiled,
        hint=2,
    ),
    Mistake(
        "groups-ignored",
        "The groups are missing. Count the input channels: the weight of a grouped convolution has"
        " only C / groups in its second axis, the dense one has all C.",
        mimic=_not_grouped,
        hint=2,
    ),
    Mistake(
        "blocks-in-first-columns",
        "All blocks stand in the first columns, so all groups read the first input channels. The"
        " second group reads the next C / groups channels, and so on.",
        mimic=_variant(column=lambda g, groups, per: slice(0, per)),
        hint=2,
    ),
    Mistake(
        "outputs-dealt-out",
        "You deal the outputs out to the groups like cards: 0, 1, 0, 1. Groups are blocks: the"
        " first O / groups outputs belong to the first group.",
        mimic=_variant(row=lambda g, groups, high, per: slice(g, None, groups)),
        hint=2,
    ),
    Mistake(
        "inputs-dealt-out",
        "You deal the input channels out to the groups like cards: 0, 1, 0, 1. Groups are blocks:"
        " the first C / groups inputs belong to the first group.",
        mimic=_variant(column=lambda g, groups, per: slice(g, None, groups)),
        hint=2,
    ),
    Mistake(
        "square-blocks",
        "Your blocks are square. They are O / groups rows high and C / groups columns wide, and"
        " the two differ when the layer changes the number of channels.",
        mimic=_variant(row=lambda g, groups, high, per: slice(g * per, (g + 1) * per)),
        hint=2,
    ),
    Mistake(
        "dilation-ignored",
        "The groups are right. The dilation is missing: put dilation − 1 zeros between neighbouring"
        " weights, down and across.",
        mimic=_not_spread,
        hint=3,
    ),
    Mistake(
        "kernel-too-large",
        "Your dilated kernel is k · dilation wide. The zeros go *between* the weights, and k"
        " weights have k − 1 gaps: (k − 1) · dilation + 1.",
        mimic=_variant(size=lambda k, d: k * d),
        hint=3,
    ),
    Mistake(
        "gap-too-wide",
        "You leave `dilation` zeros between two weights. Dilation 1 is the ordinary kernel, with"
        " no gap; dilation d leaves d − 1 zeros.",
        mimic=_variant(steps=lambda d: (d + 1, d + 1)),
        hint=3,
    ),
    Mistake(
        "one-axis",
        "You spread the kernel along one axis only. A dilation works down and across.",
        mimic=_variant(steps=lambda d: (d, 1)),
        hint=3,
    ),
    Mistake(
        "one-axis",
        "You spread the kernel along one axis only. A dilation works down and across.",
        mimic=_variant(steps=lambda d: (1, d)),
        hint=3,
    ),
    Mistake(
        "weights-repeated",
        "You repeat each weight to fill the gaps. A dilated kernel does not read there at all: the"
        " gaps hold zeros.",
        mimic=_repeated,
        hint=3,
    ),
    Mistake(
        "weight-overwritten",
        "The answer is right, but your code writes into `weight`, and the caller still needs it as"
        " it was. Work on a copy: `weight.clone()`.",
        matches=only_changed,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Make the room first, full of zeros: how many rows (outputs), how many columns (inputs),"
        " how high and wide is a kernel with gaps? Then copy the weights into the right places,"
        " one group at a time. `weight.new_zeros(…)` keeps the dtype.",
    ),
    Hint(
        "My groups are wrong",
        "Think of a table with a row per output and a column per input. 4 outputs, 4 inputs, 2"
        " groups: outputs 0 and 1 read inputs 0 and 1, outputs 2 and 3 read inputs 2 and 3. So the"
        " weights stand in two blocks on the diagonal. Each block is O / groups high and C / groups"
        " wide.",
    ),
    Hint(
        "My groups are right, the dilation is wrong",
        "A kernel of 3 with dilation 2 reads the places 0, 2, 4. So its dense form is 5 wide, with"
        " weights at 0, 2, 4. A slice with a step writes all of them at once: `row[::2] = …`.",
    ),
    Hint(
        "I get RuntimeError: The expanded size of the tensor must match",
        "Print the shapes of both sides. The left side is a part of the dense weight: rows of one"
        " group, columns of one group, every dilation-th place. It must be as large as the weights"
        " of this group, `weight[first : last]`.",
    ),
    Hint(
        "My shape is wrong",
        "First axis: the outputs, as many as before. Second axis: all input channels, C; the stored"
        " weight has C / groups of them. Then the kernel, with its gaps: 3 weights with one zero"
        " between them are 5 places.",
    ),
)
