"""Exercise 09.block: MobileNet's block as a module of the learner's own."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch05_separable import close, run
from lightcourse.checks.chapters._ch09_parts import Answer, Part, fill, record, without_bias
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case, Difference, Hint

NAMES = ("the first layer", "the second", "the third", "the fourth")


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, 2, 3, 1, (1, 4, 5), "2 channels to 3")
    yield _case(rng, 3, 3, 1, (1, 5, 4), "as many channels out as in")
    yield _case(rng, 4, 6, 2, (2, 6, 8), "stride 2, a batch of 2")
    yield _case(rng, 4, 2, 2, (1, 7, 5), "stride 2 on odd sides")
    for _ in range(3):
        batch = rng.randint(1, 3), rng.randint(4, 9), rng.randint(4, 9)
        yield _case(rng, rng.randint(2, 6), rng.randint(2, 6), rng.randint(1, 2), batch, "")


def _case(
    rng: Random, c: int, n: int, stride: int, batch: tuple[int, int, int], label: str
) -> Case:
    seed = rng.getrandbits(32)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch[0], c, *batch[1:], generator=generator, dtype=torch.float64)
    return Case((c, n, stride, seed, x), {}, label or "random sizes")


def show(case: Case) -> str:
    c, n, stride, _, x = case.args
    return f"Block({c}, {n}, stride={stride}).eval()(x)  with x of shape {tuple(x.shape)}"


def call(cls: Any, case: Case) -> Any:
    """Build the learner's block, give its layers the case's weights in the order they run."""
    c, n, stride, seed, x = case.args
    block = cls(c, n, stride=stride).double().eval()
    layers, parts, output = record(block, x)
    count = sum(p.numel() for p in block.parameters())
    if not isinstance(output, Tensor):
        return output
    if [_shape(part) for part in parts] != [_shape(part) for part in wanted(c, n, stride, x)]:
        return Answer(tuple(parts), count)
    fill(layers, seed)
    with torch.no_grad():
        return Answer(tuple(parts), count, nn.Module.__call__(block, x.clone()))


def _shape(part: Part) -> tuple[Any, ...]:
    """What the weights of a part depend on."""
    return part.kind, part.inputs, part.outputs, part.kernel, part.groups, part.lacks


def wanted(c: int, n: int, stride: int, x: Tensor) -> tuple[Part, ...]:
    """The four layers of a block on x."""
    h, w = ((side - 1) // stride + 1 for side in x.shape[2:])
    return (
        Part("conv", c, c, (3, 3), (stride, stride), c, (h, w)),
        Part("norm", c, c),
        Part("conv", c, n, (1, 1), (1, 1), 1, (h, w)),
        Part("norm", n, n),
    )


def weights(c: int, n: int, seed: int) -> dict[str, Tensor]:
    """The case's weights by the names of chapter 05."""
    names = ("depthwise", "norm1", "pointwise", "norm2")
    layers = (
        nn.Conv2d(c, c, 3, groups=c, bias=False), nn.BatchNorm2d(c),
        nn.Conv2d(c, n, 1, bias=False), nn.BatchNorm2d(n),
    )  # fmt: skip
    layers = [layer.double() for layer in layers]
    fill(layers, seed)
    state = {
        f"{name}.{key}": value
        for name, layer in zip(names, layers, strict=True)
        for key, value in layer.state_dict().items()
    }
    return state


def by_functions(steps: Any = None) -> Any:
    """The block by torch's functions; `steps` is the order of its six parts."""

    def answer(c: int, n: int, stride: int, seed: int, x: Tensor) -> Answer:
        output = run(weights(c, n, seed), stride, x, steps=steps)
        parts = wanted(c, n, stride, x)
        return Answer(parts, 9 * c + c * n + 2 * (c + n), output)

    return answer


oracle = by_functions()


def compare(got: Any, want: Answer) -> Difference | None:
    """Layer by layer first, then the output, then what it costs to get there."""
    if not isinstance(got, Answer):
        return Difference("type", f"forward gives {kind_of(got)}, wanted a tensor")
    pairs = zip(without_bias(got.parts), want.parts, strict=False)
    for name, (one, other) in zip(NAMES, pairs, strict=False):
        if one != other:
            return Difference("shape", f"{name} with weights is {one}; wanted {other}")
    if len(got.parts) != len(want.parts):
        text = f"{len(got.parts)} layers with weights run, wanted {len(want.parts)}"
        return Difference("shape", text + ": convolution, norm, convolution, norm")
    if found := close(got.output, want.output):
        return found
    if got.parameters != want.parameters:
        text = f"it has {got.parameters} parameters, wanted {want.parameters}"
        return Difference("value", text)
    return None


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient in train mode."""
    block = cls(3, 4)
    block.train()
    y = block(torch.randn(4, 3, 6, 6))
    y.square().sum().backward()
    lost = [name for name, p in block.named_parameters() if p.grad is None]
    if lost:
        return f"{lost[0]} gets no gradient: nothing that forward computes depends on it."
    return None


HINTS = (
    Hint(
        "I do not know where to begin",
        "Six steps in one row: a depthwise convolution, a norm, a ReLU, a pointwise convolution, a"
        " norm, a ReLU. `nn.Sequential` runs its layers one after the other, so `__init__` can put"
        " all six into one, and `forward` has only to call it.",
    ),
    Hint(
        "A layer of mine has the wrong shape",
        "Depthwise: c channels in and out, 3×3 kernels, as many groups as channels, the stride, and"
        " padding 1. Pointwise: from c to n channels, kernel 1, nothing else. A norm has as many"
        " channels as the convolution before it makes.",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Print the smallest value after each of the six steps: it is 0 after a ReLU, and negative"
        " after a convolution or a norm.",
    ),
)
