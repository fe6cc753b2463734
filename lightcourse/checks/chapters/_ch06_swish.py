"""Exercise 06.hswish: cases, oracle, known mistakes, hints."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield Case((torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0], dtype=torch.float64),), {}, "easy values")
    yield Case((torch.tensor([-8.0, -4.0, 4.0, 8.0], dtype=torch.float64),), {}, "beyond ±3")
    yield Case((torch.tensor(2.0),), {}, "a single number")
    for shape in ((7,), (2, 3), (2, 3, 4, 5)):
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        x = 4 * torch.randn(shape, generator=generator, dtype=torch.float64)
        yield Case((x,), {}, "random values")
    yield Case((torch.linspace(-5, 5, 11),), {}, "float32")


def oracle(x: Tensor) -> Tensor:
    return F.hardswish(x) + 0.0  # so that no -0. is printed as the wanted value


def gradient(hard_swish: Any, rng: Random) -> str | None:
    """The gate depends on x too, and the gradient must know; the corners at ±3 are left out."""
    grads = []
    for f in (hard_swish, F.hardswish):
        x = torch.tensor([-4.0, -2.0, -0.5, 1.0, 2.5, 5.0], requires_grad=True)
        y = f(x * 1)  # a copy, so that code that writes into x is judged by its answer
        if not y.requires_grad:
            return "No gradient comes back through your answer. Stay with tensor operations on x."
        grads.append(torch.autograd.grad(y.sum(), x)[0])
    if not torch.allclose(*grads, rtol=1e-4, atol=1e-5):
        return (
            "The values are right, the gradient is not. The gate is computed from x, so it has a"
            " slope of its own: keep it out of `detach` and `no_grad`."
        )
    return None


def _if_on_a_tensor(outcome: Outcome) -> bool:
    return "is ambiguous" in str(outcome.error)


MISTAKES = (
    Mistake(
        "smooth-sigmoid",
        "This is swish: your gate is the smooth sigmoid, with its exponential. The hard one is made"
        " of straight lines.",
        mimic=F.silu,
        hint=1,
    ),
    Mistake(
        "three-outside",
        "You add 3 after the clipping. The shift belongs inside: first x + 3, then the clipping to"
        " 0 … 6.",
        mimic=lambda x: x * (F.relu6(x) + 3) / 6,
        hint=2,
    ),
    Mistake(
        "not-divided",
        "Your values are six times too large: the gate must run from 0 to 1, so divide by 6.",
        mimic=lambda x: x * F.relu6(x + 3),
        hint=2,
    ),
    Mistake(
        "divided-by-three",
        "You divide by 3. After the clipping the values reach 6, so 6 brings them to 1.",
        mimic=lambda x: x * F.relu6(x + 3) / 3,
        hint=2,
    ),
    Mistake(
        "gate-only",
        "This is the gate, h-sigmoid. h-swish multiplies x with it.",
        mimic=F.hardsigmoid,
        hint=1,
    ),
    Mistake(
        "not-clipped-above",
        "Your gate has no ceiling: above 3 it grows past 1. ReLU clips below only, ReLU6 on both"
        " sides.",
        mimic=lambda x: x * F.relu(x + 3) / 6,
        hint=2,
    ),
    Mistake(
        "not-clipped-below",
        "Your gate has no floor: below −3 it becomes negative. It must stay at 0 there.",
        mimic=lambda x: x * (x + 3).clamp(max=6) / 6,
        hint=2,
    ),
    Mistake(
        "not-shifted",
        "The + 3 is missing. The gate must be one half at x = 0.",
        mimic=lambda x: x * F.relu6(x) / 6,
        hint=2,
    ),
    Mistake(
        "other-hard-sigmoid",
        "You use the older hard sigmoid, 0.2 x + 0.5, that some libraries had. MobileNetV3's has"
        " the slope 1/6 and reaches its ends at ±3.",
        mimic=lambda x: x * (0.2 * x + 0.5).clamp(0, 1),
        hint=2,
    ),
    Mistake(
        "clipped-at-one",
        "You clip x + 3 to 0 … 1, so the ramp is over at x = −2. Clip to 0 … 6, then divide by 6.",
        mimic=lambda x: x * (x + 3).clamp(0, 1),
        hint=2,
    ),
    Mistake(
        "ramp-from-zero",
        "Your ramp begins at x = 0. It must begin at −3 and be one half at x = 0.",
        mimic=lambda x: x * (x / 3).clamp(0, 1),
        hint=2,
    ),
    Mistake(
        "floor-too-low",
        "Your gate goes down to −1. It must stop at 0: clip to 0 … 1.",
        mimic=lambda x: x * (x / 6 + 0.5).clamp(-1, 1),
        hint=2,
    ),
    Mistake(
        "whole-division",
        "`//` divides to whole numbers, so your gate is 0 or 1 and nothing between. Use `/`.",
        mimic=lambda x: x * (F.relu6(x + 3) // 6),
        hint=2,
    ),
    Mistake(
        "shifted-right",
        "You subtract 3, so the gate opens at x = 3 only. Add 3: it begins to open at x = −3.",
        mimic=lambda x: x * F.relu6(x - 3) / 6,
        hint=2,
    ),
    Mistake(
        "product-clipped",
        "You clip the product. Clip the gate alone, then multiply with x: h-swish itself has no"
        " ceiling, and dips below 0 on the left.",
        mimic=lambda x: F.relu6(x * (x + 3)) / 6,
        hint=2,
    ),
    Mistake(
        "product-clipped",
        "You clip the product. Clip the gate alone, then multiply with x: h-swish itself has no"
        " ceiling, and dips below 0 on the left.",
        mimic=lambda x: F.relu6(x * (x + 3) / 6),
        hint=2,
    ),
    Mistake(
        "fixed-dtype",
        "You make room with a fixed dtype, and x has another. `torch.zeros_like(x)` takes both the"
        " shape and the dtype from x. Or use `clamp`, which needs no room.",
        matches=lambda outcome: "dtypes match" in str(outcome.error),
        hint=3,
    ),
    Mistake(
        "if-on-a-tensor",
        "`if` asks one question, and a tensor holds many answers. Write one formula that is right"
        " for every value: `clamp` or `relu6` contains the cases.",
        matches=_if_on_a_tensor,
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Two parts: a gate between 0 and 1, and then x times the gate. The gate is a straight ramp:"
        " 0 up to x = −3, one half at x = 0, 1 from x = 3 on.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "Work one value by hand: x = 1. x + 3 = 4. Clipped to 0 … 6 it stays 4. 4 / 6 = 0.667 is"
        " the gate. 1 · 0.667 = 0.667 is the answer. Then do x = 4 and x = −4.",
    ),
    Hint(
        "I get RuntimeError: Boolean value of Tensor with more than one value is ambiguous",
        "Do not use `if` on x. `torch.clamp(x, low, high)` clips all values at once.",
    ),
)
