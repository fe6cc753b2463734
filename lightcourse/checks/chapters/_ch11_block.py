"""Exercise 11.block: the inverted residual as a module, layer by layer, then its output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch05_separable import close
from lightcourse.checks.chapters._ch09_parts import Answer, Part, record, without_bias
from lightcourse.checks.chapters._ch11_net import RIGHT, BlockQuirk, Made, Twin, answer
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case, Difference, Hint

NUMBERS = ("first", "second", "third", "fourth", "fifth", "sixth")


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, 3, 5, 1, 2, (1, 4, 5), "3 channels to 5, no shortcut possible")
    yield _case(rng, 4, 4, 1, 3, (2, 5, 4), "as many channels out as in, a batch of 2")
    yield _case(rng, 4, 4, 2, 2, (1, 6, 8), "stride 2")
    yield _case(rng, 4, 6, 2, 6, (1, 7, 5), "stride 2 on odd sides")
    yield _case(rng, 5, 5, 1, 1, (1, 5, 6), "expansion 1: two convolutions")
    for _ in range(2):
        batch = rng.randint(1, 3), rng.randint(4, 8), rng.randint(4, 8)
        c = rng.randint(2, 6)
        n = rng.choice((c, rng.randint(2, 6)))
        yield _case(rng, c, n, rng.randint(1, 2), rng.randint(2, 6), batch, "")


def _case(
    rng: Random, c: int, n: int, stride: int, t: int, batch: tuple[int, int, int], label: str
) -> Case:
    seed = rng.getrandbits(32)
    return Case((c, n, stride, t, (batch[0], c, *batch[1:]), seed), {}, label or "random sizes")


def picture(shape: tuple[int, ...], seed: int) -> Tensor:
    """Large enough numbers that some pass the 6 of ReLU6."""
    generator = torch.Generator().manual_seed(seed)
    return 4 * torch.randn(shape, generator=generator, dtype=torch.float64)


def show(case: Case) -> str:
    c, n, stride, t, shape, _ = case.args
    return f"Block({c}, {n}, stride={stride}, expansion={t}).eval()(x)  with x of shape {shape}"


def call(cls: Any, case: Case) -> Any:
    """Build the learner's block, give its layers the case's weights in the order they run."""
    c, n, stride, t, shape, seed = case.args
    want = parts_of(case.args, RIGHT)
    return answer(lambda: cls(c, n, stride=stride, expansion=t), picture(shape, seed), seed, want)


@cache
def parts_of(args: tuple[Any, ...], quirk: BlockQuirk) -> tuple[Part, ...]:
    """The layers of a block on a case."""
    c, n, stride, t, shape, seed = args
    _, parts, _ = record(Twin(c, n, stride, t, quirk).double().eval(), picture(shape, seed))
    return tuple(parts)


def by_torch(quirk: BlockQuirk) -> Callable[..., Made]:
    """The block of torch's layers, with a quirk of values."""

    @cache
    def wrong(*args: Any) -> Made:
        c, n, stride, t, shape, seed = args
        return answer(lambda: Twin(c, n, stride, t, quirk), picture(shape, seed), seed, None)

    return wrong


oracle = by_torch(RIGHT)


def compare(got: Any, want: Answer) -> Difference | None:
    """Layer by layer first, then the output, then what it costs to get there."""
    if not isinstance(got, Answer):
        return Difference("type", f"forward gives {kind_of(got)}, wanted a tensor")
    pairs = zip(without_bias(got.parts), want.parts, strict=False)
    for i, (one, other) in enumerate(pairs):
        if one != other:
            text = f"the {NUMBERS[i]} layer with weights is {one}; wanted {other}"
            return Difference("layer", text)
    if len(got.parts) != len(want.parts):
        text = f"{len(got.parts)} layers with weights run, wanted {len(want.parts)}"
        return Difference("layer", text + ": convolution, norm, convolution, norm, …")
    if found := close(got.output, want.output):
        return found
    if got.parameters != want.parameters:
        text = f"it has {got.parameters} parameters, wanted {want.parameters}"
        return Difference("value", text)
    if isinstance(got, Made) and got.ready_made:
        return Difference("type", f"{got.ready_made} is a finished block")
    return None


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient in train mode; the defaults are stride 1 and expansion 6."""
    for channels in (4, 3):
        block = cls(channels, 4).train()
        made = block(torch.randn(4, channels, 6, 6))
        if not made.requires_grad:
            return "No parameter gets a gradient: something cuts it off. Is there a `detach`?"
        made.square().sum().backward()
        lost = [name for name, p in block.named_parameters() if p.grad is None]
        if lost:
            return f"{lost[0]} gets no gradient: nothing that forward computes depends on it."
    wide = [m.out_channels for m in block.modules() if isinstance(m, nn.Conv2d)]
    return None if 18 in wide else "Block(3, 4) should expand 6 times: 18 channels inside."


def leaves_input(cls: Any, rng: Random) -> str | None:
    """Forward writes into nothing that it was given, with a shortcut and without."""
    for c, n in ((4, 4), (4, 6)):
        block, given = cls(c, n, stride=1, expansion=2).eval(), torch.randn(2, c, 5, 6)
        x = given.clone()
        with torch.no_grad():
            block(x)
        if not torch.equal(x, given):
            return (
                "The output is right, but forward writes into x, which the caller still needs, and"
                " so does the gradient. `x += y` changes x in place; `x + y` makes a new tensor."
            )
    return None


def shortcut_learns(cls: Any, rng: Random) -> str | None:
    """With a last norm of zeros the block hands on its input, and the whole gradient of it."""
    block, x = cls(4, 4, stride=1, expansion=2).eval(), torch.randn(2, 4, 5, 6)
    layers, _, _ = record(block, x)
    with torch.no_grad():
        next(layers[-1].parameters()).zero_()  # the weight of the last norm
    x.requires_grad_()
    block(x).sum().backward()
    if x.grad is None or not torch.allclose(x.grad, torch.ones_like(x)):
        return (
            "The output is right, but the gradient does not pass through the shortcut. Add x"
            " itself: no `detach`, no `.data`, no `torch.no_grad`."
        )
    return None


HINTS = (
    Hint(
        "I do not know where to begin",
        "Make a list of layers. If expansion is not 1, it begins with a 1×1 convolution to `hidden"
        " = in_channels * expansion`, a norm, a ReLU6. Then a depthwise 3×3 with the stride, a"
        " norm, a ReLU6. Then a 1×1 convolution to out_channels and a norm."
        " `nn.Sequential(*layers)` runs them; `forward` adds x where it may.",
    ),
    Hint(
        "A layer of mine is wrong",
        "Widths along the way: c, t · c, t · c, n. The 3×3 layer has t · c groups, padding 1 and"
        " the stride. The two 1×1 layers have neither stride nor padding. A norm has as many"
        " channels as the convolution before it makes.",
    ),
    Hint(
        "RuntimeError: The size of tensor a must match the size of tensor b",
        "x and the output can be added only if they have the same shape: stride 1, and as many"
        " channels out as in. Decide it in `__init__`, where all numbers are known, and keep it as"
        " an attribute.",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Three things are easily missed. After the two wide layers stands ReLU6, not ReLU. After"
        " the projection stands a norm and nothing else. And the input is added last of all:"
        " nothing comes behind the sum.",
    ),
)
