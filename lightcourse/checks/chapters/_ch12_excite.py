"""Exercise 12.excite: squeeze-and-excitation as MobileNetV3 has it, with weights of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.checks.chapters._ch09_parts import Answer, Part
from lightcourse.checks.chapters._ch12_parts import (
    answer,
    compared,
    kept,
    no_gradient,
    tensor,
    unregistered,
)
from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome
from lightcourse.nn import make_divisible

NAMES = ("the first layer", "the second layer")


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, 16, (1, 4, 5), "16 channels")
    yield _case(rng, 72, (2, 3, 3), "72 channels, two pictures")
    yield _case(rng, 40, (3, 5, 2), "40 channels")
    yield _case(rng, 120, (1, 3, 4), "120 channels")
    for _ in range(2):
        shape = rng.randint(2, 3), rng.randint(2, 6), rng.randint(2, 6)
        yield _case(rng, 8 * rng.randint(3, 20), shape, "random sizes")


def _case(rng: Random, c: int, shape: tuple[int, int, int], label: str) -> Case:
    return Case((c, (shape[0], c, *shape[1:]), rng.getrandbits(32)), {}, label)


def show(case: Case) -> str:
    c, shape, _ = case.args
    return f"SqueezeExcite({c}).eval()(x)  with x of shape {shape}"


def given(shape: tuple[int, ...], seed: int) -> Tensor:
    """Maps whose means differ from channel to channel and from picture to picture."""
    return tensor(seed, *shape) + 1.5 * tensor(seed + 1, *shape[:2], 1, 1)


def wanted(c: int, squeezed: int | None = None) -> tuple[Part, ...]:
    s = make_divisible(c / 4) if squeezed is None else squeezed
    return Part("linear", c, s, bias=True), Part("linear", s, c, bias=True)


def call(cls: Any, case: Case) -> Any:
    c, shape, seed = case.args
    return answer(cls(c), given(shape, seed), seed, wanted(c))


class Reference(nn.Module):
    """The module by torch's functions, with steps that a wrong one replaces."""

    def __init__(
        self,
        c: int,
        squeeze: Callable[[Tensor], Tensor] = lambda x: x.mean((2, 3)),
        middle: Callable[[Tensor], Tensor] = F.relu,
        gate: Callable[[Tensor], Tensor] = F.hardsigmoid,
        use: Callable[[Tensor, Tensor], Tensor] = lambda x, g: x * g[:, :, None, None],
    ) -> None:
        super().__init__()
        s = make_divisible(c / 4)
        self.first, self.second = nn.Linear(c, s), nn.Linear(s, c)
        self.steps = squeeze, middle, gate, use

    def forward(self, x: Tensor) -> Tensor:
        squeeze, middle, gate, use = self.steps
        return use(x, gate(self.second(middle(self.first(squeeze(x))))))


def variant(**steps: Any) -> Callable[..., Answer]:
    """The answer of the module with other steps."""

    def wrong(c: int, shape: tuple[int, ...], seed: int) -> Answer:
        return answer(Reference(c, **steps), given(shape, seed), seed)

    return wrong


oracle = variant()
compare = compared(lambda i, want: NAMES[i] if i < 2 else f"layer {i + 1}")


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient."""
    return no_gradient(cls(16), torch.randn(3, 16, 4, 4))


def keeps(cls: Any, rng: Random) -> str | None:
    """The input is as it was."""
    return kept(cls(16), torch.randn(2, 16, 4, 4))


def _no_layer_ran(outcome: Outcome) -> bool:
    """There are weights, and no layer was called with them."""
    return not outcome.got.parts and outcome.got.parameters > 0


def _squeezed(to: Callable[[int], int]) -> Callable[[Outcome], bool]:
    """The first layer squeezes to another number."""

    def matches(outcome: Outcome) -> bool:
        c = outcome.case.args[0]
        parts = outcome.got.parts
        return len(parts) == 2 and parts[0].outputs == to(c) != make_divisible(c / 4)

    return matches


def _no_bias(outcome: Outcome) -> bool:
    """Right layers, but one or both without a bias (a 1×1 convolution then counts as one)."""
    got, want = outcome.got.parts, outcome.want.parts
    sizes = [(p.inputs, p.outputs) for p in got] == [(p.inputs, p.outputs) for p in want]
    return sizes and not all(part.bias for part in got)


def _norms(outcome: Outcome) -> bool:
    return any(part.kind == "norm" for part in outcome.got.parts)


def _map_read(outcome: Outcome) -> bool:
    """The layers are 1×1 convolutions on the whole map: nothing was squeezed."""
    got = outcome.got.parts
    return bool(got) and all(p.kind == "conv" and max(p.size) > 1 for p in got)


def _said(*words: str) -> Callable[[Outcome], bool]:
    return lambda o: o.error is not None and any(word in str(o.error) for word in words)


MISTAKES = (
    unregistered(hint=1),
    Mistake(
        "no-layer-called",
        "No layer of yours was called: the weights are `nn.Parameter`s, or are read out of a layer."
        " The check gives its own weights to layers that run. Make two layers, `nn.Linear` or"
        " `nn.Conv2d`, and call them.",
        matches=_no_layer_ran,
        hint=1,
    ),
    Mistake(
        "squeeze-not-rounded",
        "Your squeeze has a quarter of the channels as it comes. MobileNetV3 rounds it:"
        " make_divisible(channels / 4).",
        matches=_squeezed(lambda c: c // 4),
        hint=2,
    ),
    Mistake(
        "squeeze-rounded-down",
        "The squeeze is not the one that `make_divisible` gives. 72 / 4 = 18 becomes 24: 16 would"
        " be less than 90 % of 18.",
        matches=_squeezed(lambda c: max(8, (c // 4 + 4) // 8 * 8)),
        hint=2,
    ),
    Mistake(
        "squeeze-of-another",
        "The squeeze has another width. It is a quarter of the channels, rounded by"
        " `make_divisible(channels / 4)`.",
        matches=lambda o: (
            len(o.got.parts) == 2 and o.got.parts[0].outputs != o.want.parts[0].outputs
        ),
        hint=2,
    ),
    Mistake(
        "biases-missing",
        "A layer has no bias. Here no norm follows, so both layers keep theirs.",
        matches=_no_bias,
        hint=2,
    ),
    Mistake(
        "norm-inside",
        "A batch norm runs inside. This module has two linear layers and no norm.",
        matches=_norms,
        hint=1,
    ),
    Mistake(
        "not-squeezed",
        "Your two layers run on the whole map. First comes the squeeze: the mean over height and"
        " width, one number for each channel.",
        matches=_map_read,
        hint=1,
    ),
    Mistake(
        "smooth-gate",
        "Your gate is the smooth sigmoid. That is the original of 2017; MobileNetV3 has h-sigmoid.",
        mimic=variant(gate=torch.sigmoid),
        hint=3,
    ),
    Mistake(
        "h-swish-gate",
        "You end with h-swish, which grows without limit. A gate needs h-sigmoid: 0 … 1.",
        mimic=variant(gate=F.hardswish),
        hint=3,
    ),
    Mistake(
        "relu-before-the-gate",
        "A ReLU stands behind the second layer too. Then no gate is below a half, and no channel"
        " can be shut. Only h-sigmoid stands there.",
        mimic=variant(gate=lambda z: F.hardsigmoid(F.relu(z))),
        hint=3,
    ),
    Mistake(
        "other-slope",
        "Your gate is 0.2 · x + 0.5, clipped: the hard sigmoid of some older libraries."
        " MobileNetV3's is (x + 3) / 6, clipped to 0 … 1: `F.hardsigmoid`.",
        mimic=variant(gate=lambda z: (0.2 * z + 0.5).clamp(0, 1)),
        hint=3,
    ),
    Mistake(
        "h-swish-between",
        "h-swish stands between your two layers. There it is a ReLU, in blocks of either kind.",
        mimic=variant(middle=F.hardswish),
        hint=3,
    ),
    Mistake(
        "relu-forgotten",
        "The ReLU between the two layers is missing. Without it the two are one linear layer.",
        mimic=variant(middle=lambda z: z),
        hint=3,
    ),
    Mistake(
        "gate-returned",
        "You return the gate. The module returns x, each channel multiplied by its gate.",
        mimic=variant(use=lambda x, g: g[:, :, None, None]),
        hint=3,
    ),
    Mistake(
        "gate-returned",
        "You return the gate. The module returns x, each channel multiplied by its gate.",
        mimic=variant(use=lambda x, g: g),
        hint=3,
    ),
    Mistake(
        "gate-added",
        "You add the gate to x. A gate multiplies: 0 shuts a channel, 1 leaves it as it is.",
        mimic=variant(use=lambda x, g: x + g[:, :, None, None]),
        hint=3,
    ),
    Mistake(
        "gated-residual",
        "You return x + x · gate. There is no shortcut inside this module: return x · gate.",
        mimic=variant(use=lambda x, g: x + x * g[:, :, None, None]),
        hint=3,
    ),
    Mistake(
        "maximum-not-mean",
        "You squeeze with the maximum. It is the mean of each channel.",
        mimic=variant(squeeze=lambda x: x.amax((2, 3))),
        hint=1,
    ),
    Mistake(
        "sum-not-mean",
        "You squeeze with the sum. A larger map then opens the gate wider; the mean does not depend"
        " on the size.",
        mimic=variant(squeeze=lambda x: x.sum((2, 3))),
        hint=1,
    ),
    Mistake(
        "batch-averaged",
        "You average over the batch too, so all pictures share a gate. Each picture has its own.",
        mimic=variant(squeeze=lambda x: x.mean((0, 2, 3)).expand(len(x), -1)),
        hint=1,
    ),
    Mistake(
        "shapes-do-not-meet",
        "Two shapes do not fit. A linear layer reads (N, C), a 1×1 convolution (N, C, 1, 1); and"
        " x, (N, C, H, W), is multiplied by a gate of shape (N, C, 1, 1).",
        matches=_said("must match the size", "shapes cannot be multiplied", "mat1 and mat2"),
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "`__init__` makes two layers, from channels to the squeeze and back. `forward`: the mean"
        " over height and width, layer, ReLU, layer, h-sigmoid, and x times the result.",
    ),
    Hint(
        "My layers have the wrong size",
        "The squeeze is `make_divisible(channels / 4)`: 8 for 16 channels, 24 for 72. Divide with"
        " `/`, so that nothing is cut off before it is rounded. Both layers keep their bias.",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Print the gate: all its numbers lie between 0 and 1, and some reach the ends exactly."
        " ReLU stands between the layers, `F.hardsigmoid` behind the second; the gate multiplies.",
    ),
    Hint(
        "I get RuntimeError about sizes of tensors or matrices",
        "With `nn.Linear`: `x.mean((2, 3))`, then at the end `gate[:, :, None, None]`. With"
        " `nn.Conv2d(…, 1)`: `x.mean((2, 3), keepdim=True)`, and the gate fits as it is.",
    ),
)
