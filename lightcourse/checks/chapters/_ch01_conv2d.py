"""Chapter 01, exercise 01.conv2d: cases and oracle of a convolution of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.checks.exercise import Case, Hint


def cases(rng: Random) -> Iterator[Case]:
    picture = torch.arange(1.0, 10.0, dtype=torch.float64).view(1, 1, 3, 3)
    corner = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64).view(1, 1, 2, 2)
    yield Case((picture, corner), label="1 … 9 under a window of 2×2")
    yield Case((picture, corner), {"padding": 1}, label="the same with a rim of zeros")
    yield Case((picture, corner), {"stride": 2, "padding": 1}, label="the same, every second place")
    yield _case(rng, (1, 1, 5, 5), (1, 3, 3), "a window of 3×3")
    yield _case(rng, (1, 1, 7, 7), (1, 3, 3), "taps two apart", dilation=2)
    yield _case(rng, (1, 3, 5, 5), (1, 3, 3), "three channels in")
    yield _case(rng, (1, 3, 5, 5), (4, 3, 3), "four channels out")
    yield _case(rng, (2, 3, 5, 5), (3, 3, 3), "two pictures, as many channels out as in")
    yield _case(rng, (2, 2, 6, 9), (2, 3, 3), "a picture that is not square", padding=1)
    yield _case(rng, (2, 2, 6, 7), (3, 1, 4), "a window that is not square")
    for _ in range(5):
        kernel, dilation = (rng.randint(1, 3), rng.randint(1, 3)), rng.randint(1, 2)
        stride, padding = rng.randint(1, 3), rng.randint(0, 2)
        sides = [(k - 1) * dilation + 1 + rng.randint(1, 5) for k in kernel]
        shape = rng.randint(1, 3), rng.randint(1, 3), *sides
        yield _case(rng, shape, (rng.randint(1, 3), *kernel), "", stride=stride,
                    padding=padding, dilation=dilation)  # fmt: skip


def _case(
    rng: Random,
    shape: tuple[int, ...],
    window: tuple[int, int, int],
    label: str = "",
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Case:
    """Random numbers: a batch of this shape, and weights (channels out, height, width)."""
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    out, *kernel = window
    weight = torch.randn(out, shape[1], *kernel, generator=generator, dtype=torch.float64)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    settings = (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1))
    return Case((x, weight), {name: v for name, v, usual in settings if v != usual}, label)


def by_torch(
    x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Tensor:
    """The layer itself."""
    return F.conv2d(x, weight, None, stride, padding, dilation)


def show(case: Case) -> str:
    """The call with shapes; small pictures with their numbers."""
    named = "".join(f", {k}={v}" for k, v in case.kwargs.items())
    x, weight = case.args
    kind = str(x.dtype).removeprefix("torch.")
    if x.numel() > 9:
        return f"conv2d(x {tuple(x.shape)}, weight {tuple(weight.shape)}{named}), both {kind}"
    numbers = [t[0, 0].int().tolist() for t in (x, weight)]
    return f"conv2d(x = [[{numbers[0]}]], weight = [[{numbers[1]}]]{named}), both {kind}"


HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with two loops over the places of the output, rows i and columns j. At each place"
        " cut the window out of the padded picture: for kernel 3, stride 1 that is"
        " `x[:, :, i : i + 3, j : j + 3]`, of shape (N, C, 3, 3). Multiply with `weight`, add up:"
        ' `torch.einsum("nchw,ochw->no", window, weight)`. Slow, and right. Write it first.',
    ),
    Hint(
        "I do not know what unfold gives me",
        "`F.unfold(x, (3, 3))` cuts out every window and stands it up as a column: (N, C · 3 · 3,"
        " places). Then the whole convolution is one matrix product: weights as rows,"
        " `weight.flatten(1)`, times these columns. It takes stride, padding and dilation itself."
        " At the end put the places back into rows and columns.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "Take the first case by hand. The window 1 2 / 4 5 meets the weights 1 2 / 3 4:"
        " 1·1 + 2·2 + 4·3 + 5·4 = 37. Which of your steps gives something else? Then look at"
        " one image, one channel in, one out, and add one thing at a time.",
    ),
    Hint(
        "My shape is wrong",
        "Height and width of the output come from your `output_size`, each axis for itself: the"
        " picture and the window need not be square. The channels of the output are"
        " `weight.shape[0]`, and the batch stays in front.",
    ),
    Hint(
        "I am right until stride, padding or dilation show up",
        "Pad first: `F.pad(x, (p, p, p, p))` puts zeros on all four sides. Then the window of the"
        " output (i, j) begins at row i · stride and column j · stride, and its taps stand"
        " `dilation` apart: `x[:, :, top : top + span : dilation, …]` with"
        " span = (kernel - 1) · dilation + 1.",
    ),
    Hint(
        "I get RuntimeError: shape … is invalid for input of size …",
        "The last view does not fit. `F.unfold` gives as many columns as there are places: H' · W'."
        " If you padded already, do not pass padding to `unfold` as well.",
    ),
    Hint(
        "The numbers are right, but no gradient comes back",
        "Torch keeps a record of every operation on its tensors, and the gradient goes back along"
        " it. The record ends at `.detach()`, `.data`, `.item()`, `.numpy()`, and where you make a"
        " new tensor out of numbers: `torch.tensor(…)`, `nn.Parameter(…)`. Work on `x` and"
        " `weight` themselves. Writing results into `x.new_zeros(…)` by index is fine.",
    ),
)
