"""Exercise 06.squeeze: cases, oracle, known mistakes, hints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome


def _random_case(rng: Random, n: int, c: int, h: int, w: int, squeezed: int, label: str) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    x = draw(n, c, h, w) + draw(n, c, 1, 1)
    return Case((x, draw(squeezed, c), draw(squeezed), draw(c, squeezed), draw(c)), {}, label)


def cases(rng: Random) -> Iterator[Case]:
    yield _by_hand()
    yield _random_case(rng, 2, 4, 3, 3, 2, "two images, 4 channels squeezed to 2")
    yield _random_case(rng, 3, 5, 3, 5, 2, "sizes that happen to fit: N = H and C = W")
    for _ in range(4):
        n, squeezed = rng.randint(1, 4), rng.randint(1, 4)
        h, w = rng.randint(2, 6), rng.randint(2, 6)
        yield _random_case(rng, n, 4 * squeezed, h, w, squeezed, "random sizes")


def _by_hand() -> Case:
    x = torch.tensor([[[[2.0, 4.0]], [[1.0, 1.0]]]], dtype=torch.float64)
    w1, b1 = torch.tensor([[1.0, -1.0]], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    w2 = torch.tensor([[1.5], [-1.5]], dtype=torch.float64)
    return Case((x, w1, b1, w2, torch.zeros(2, dtype=torch.float64)), {}, "one image, by hand")


def show(case: Case) -> str:
    """Small tensors with their values, larger ones with their shapes."""
    x, *weights = case.args
    if x.numel() > 4:
        return f"squeeze_excite(x, w1, b1, w2, b2)  with x {tuple(x.shape)}, S = {len(weights[0])}"
    values = (f"{n} = {w.tolist()}" for n, w in zip(("w1", "b1", "w2", "b2"), weights, strict=True))
    return f"x = {x[0].flatten(1).tolist()}, " + ", ".join(values)


def oracle(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """As torchvision does it, with 1×1 convolutions on a 1×1 map."""
    gate = F.adaptive_avg_pool2d(x, 1)
    gate = F.relu(F.conv2d(gate, w1[:, :, None, None], b1))
    return F.hardsigmoid(F.conv2d(gate, w2[:, :, None, None], b2)) * x


def _variant(
    squeeze: Callable[[Tensor], Tensor] = lambda x: x.mean((2, 3)),
    middle: Callable[[Tensor], Tensor] = F.relu,
    end: Callable[[Tensor], Tensor] = F.hardsigmoid,
    use: Callable[[Tensor, Tensor], Tensor] = lambda x, gate: x * gate[:, :, None, None],
    biases: tuple[int, int] = (1, 1),
) -> Callable[..., Tensor]:
    """The same steps with one of them changed."""

    def wrong(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
        one, two = biases
        gate = end(F.linear(middle(F.linear(squeeze(x), w1, one * b1)), w2, two * b2))
        return use(x, gate)

    return wrong


def _cannot_broadcast(outcome: Outcome) -> bool:
    return "must match the size of tensor b" in str(outcome.error)


def _squeezed_badly(outcome: Outcome) -> bool:
    """The first matrix of the failing product is not (N, C), though one axis may have its size."""
    said = str(outcome.error)
    n, c = outcome.case.args[0].shape[:2]
    found = re.search(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and", said)
    if found is None:
        return "size mismatch, got input" in said
    # (N, S) is the second step's input, and (N, C) with the weight unturned is another mistake
    return int(found[1]) != n or int(found[2]) not in (c, len(outcome.case.args[1]))


def _cannot_multiply(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "shapes cannot be multiplied" in said or "mat1 and mat2" in said


MISTAKES = (
    Mistake(
        "smooth-gate",
        "Your gate is the smooth sigmoid. That is the original SE block; this one uses h-sigmoid.",
        mimic=_variant(end=torch.sigmoid),
        hint=3,
    ),
    Mistake(
        "relu-forgotten",
        "The ReLU between the two linear steps is missing. Without it the two are one linear step.",
        mimic=_variant(middle=lambda z: z),
        hint=3,
    ),
    Mistake(
        "gate-returned",
        "You return the gate. The block returns x with each channel scaled by its gate.",
        mimic=_variant(use=lambda x, gate: gate),
        hint=2,
    ),
    Mistake(
        "gate-returned",
        "You return the gate. The block returns x with each channel scaled by its gate.",
        mimic=_variant(use=lambda x, gate: gate[:, :, None, None]),
        hint=2,
    ),
    Mistake(
        "gate-added",
        "You add the gate to x. A gate multiplies: 0 shuts a channel, 1 lets it through unchanged.",
        mimic=_variant(use=lambda x, gate: x + gate[:, :, None, None]),
        hint=2,
    ),
    Mistake(
        "gated-residual",
        "You return x + x · gate. There is no shortcut inside this block: return x · gate.",
        mimic=_variant(use=lambda x, gate: x * (1 + gate[:, :, None, None])),
        hint=2,
    ),
    Mistake(
        "biases-forgotten",
        "The biases b1 and b2 are missing. `F.linear(s, w1, b1)` adds them.",
        mimic=_variant(biases=(0, 0)),
        hint=3,
    ),
    Mistake(
        "biases-forgotten",
        "The biases b1 and b2 are missing. `F.linear(s, w1, b1)` adds them.",
        mimic=_variant(biases=(0, 1)),
        hint=3,
    ),
    Mistake(
        "biases-forgotten",
        "The biases b1 and b2 are missing. `F.linear(s, w1, b1)` adds them.",
        mimic=_variant(biases=(1, 0)),
        hint=3,
    ),
    Mistake(
        "h-swish-gate",
        "You end with h-swish, which grows without limit. A gate needs h-sigmoid: 0 … 1.",
        mimic=_variant(end=F.hardswish),
        hint=3,
    ),
    Mistake(
        "gate-up-to-six",
        "Your gate reaches 6. h-sigmoid divides by 6 after the clipping.",
        mimic=_variant(end=lambda z: F.relu6(z + 3)),
        hint=3,
    ),
    Mistake(
        "relu-twice",
        "You put a ReLU before the h-sigmoid too, so no gate falls below one half. ReLU stands"
        " between the two linear steps only.",
        mimic=_variant(end=lambda z: F.hardsigmoid(F.relu(z))),
        hint=3,
    ),
    Mistake(
        "softmax-gate",
        "Your gate is a softmax: the channels of a picture share 1 among them. Here each gate"
        " stands alone between 0 and 1.",
        mimic=_variant(end=lambda z: z.softmax(1)),
        hint=3,
    ),
    Mistake(
        "ends-swapped",
        "ReLU and h-sigmoid have changed places: ReLU comes first, the gate ends with h-sigmoid.",
        mimic=_variant(middle=F.hardsigmoid, end=F.relu),
        hint=3,
    ),
    Mistake(
        "maximum-not-mean",
        "You squeeze with the maximum. Global **average** pooling takes the mean of each channel.",
        mimic=_variant(squeeze=lambda x: x.amax((2, 3))),
        hint=1,
    ),
    Mistake(
        "sum-not-mean",
        "You squeeze with the sum. Then a larger picture opens the gate wider; the mean does not"
        " depend on the size.",
        mimic=_variant(squeeze=lambda x: x.sum((2, 3))),
        hint=1,
    ),
    Mistake(
        "batch-averaged",
        "You average over the batch too, so all images share one gate. Each image needs its own.",
        mimic=_variant(squeeze=lambda x: x.mean((0, 2, 3)).expand(len(x), -1)),
        hint=1,
    ),
    Mistake(
        "gate-shape",
        "Your gate has the shape (N, C), and x has (N, C, H, W). PyTorch lines shapes up from the"
        " right, so it pairs your channels with the columns of the picture. If the sizes happen to"
        " fit, it does so without an error. Make the gate (N, C, 1, 1).",
        mimic=_variant(use=lambda x, gate: x * gate),
        hint=2,
    ),
    Mistake(
        "gate-axes",
        "The gate meets the wrong axes of x. Its first axis is the picture and its second the"
        " channel: (N, C, 1, 1).",
        mimic=_variant(use=lambda x, gate: x * gate[:, None, :, None]),
        hint=2,
    ),
    Mistake(
        "gate-axes",
        "The gate meets the wrong axes of x. Its first axis is the picture and its second the"
        " channel: (N, C, 1, 1).",
        mimic=_variant(use=lambda x, gate: x * gate[None, :, :, None]),
        hint=2,
    ),
    Mistake(
        "gate-shape",
        "Your gate has the shape (N, C), and x has (N, C, H, W). PyTorch lines shapes up from the"
        " right, so it pairs your channels with the columns of the picture. If the sizes happen to"
        " fit, it does so without an error. Make the gate (N, C, 1, 1).",
        matches=_cannot_broadcast,
        hint=2,
    ),
    Mistake(
        "squeezed-shape",
        "What you hand to the first linear step does not have the shape (N, C). It may have kept"
        " two axes of length 1, or lost the batch axis to `flatten()`, or the mean went over other"
        " axes. `x.mean((2, 3))` gives (N, C).",
        matches=_squeezed_badly,
        hint=1,
    ),
    Mistake(
        "weights-turned",
        "The shapes of a matrix product do not fit. `w1` is (S, C): its rows are outputs, as in"
        " `nn.Linear`. `F.linear(s, w1, b1)` turns it the right way for you.",
        matches=_cannot_multiply,
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Squeeze first: one number per image and channel, the mean over all pixels. From the shape"
        " (N, C, H, W) that leaves (N, C). Which two axes disappear?",
    ),
    Hint(
        "I get RuntimeError: The size of tensor a must match the size of tensor b",
        "The gate needs two axes of length 1 at the end, so that it stretches over the pixels:"
        " `gate[:, :, None, None]` or `gate.view(N, C, 1, 1)`.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "Go through the five steps in order: mean, linear with w1 and b1, ReLU, linear with w2 and"
        " b2, h-sigmoid. Print the gate: every value must lie between 0 and 1, and some should"
        " reach the ends exactly.",
    ),
    Hint(
        "I get RuntimeError: mat1 and mat2 shapes cannot be multiplied",
        "`nn.Linear` keeps its weight as (outputs, inputs). So `s @ w1` does not fit, `s @ w1.T`"
        " does, and `F.linear(s, w1, b1)` is the same with the bias included.",
    ),
)
