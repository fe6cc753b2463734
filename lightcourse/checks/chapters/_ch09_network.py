"""Exercise 09.network: MobileNet assembled from table 1, compared layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch05_separable import close
from lightcourse.checks.chapters._ch09_net import Reference, place
from lightcourse.checks.chapters._ch09_parts import Answer, Part, fill, record, without_bias
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case, Difference, Hint


def cases(rng: Random) -> Iterator[Case]:
    yield Case((1.0, 1000, (1, 3, 224, 224), 0), {}, "the network of table 1")
    yield Case((0.5, 1000, (1, 3, 224, 224), 0), {}, "half the width")
    yield Case((0.25, 1000, (1, 3, 160, 160), 0), {}, "a quarter of the width")
    for _ in range(2):
        sides = 16 * rng.randint(4, 6), 8 * rng.randint(9, 12)
        shape = (rng.randint(1, 2), 3, *sides)
        yield Case((0.25, rng.randint(3, 12), shape, rng.getrandbits(32)), {}, "with weights")


def show(case: Case) -> str:
    width, classes, shape, _ = case.args
    return f"MobileNet(width={width}, num_classes={classes}).eval()(x)  with x of shape {shape}"


def call(cls: Any, case: Case) -> Any:
    """Build the network, without memory where only the layers are looked at, and run it."""
    width, classes, *_ = case.args
    return answer(lambda: cls(width=width, num_classes=classes), case.args)


def answer(build: Any, args: tuple[Any, ...]) -> Any:
    """What a network gives on the case: its layers, and the output with the case's weights."""
    *_, shape, seed = args
    if not seed:
        net, parts, output = _without_memory(build, shape)
        if not isinstance(output, Tensor):
            return output
        return Answer(tuple(parts), _count(net), torch.empty(output.shape, device="meta"))
    net = build().double().eval()
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    layers, parts, output = record(net, x)
    if not isinstance(output, Tensor):
        return output
    if [_shape(part) for part in parts] != [_shape(part) for part in _wanted(args)]:
        return Answer(tuple(parts), _count(net))
    fill(layers, seed)
    with torch.no_grad():
        return Answer(tuple(parts), _count(net), nn.Module.__call__(net, x))


def _without_memory(build: Any, shape: tuple[int, ...]) -> tuple[nn.Module, list[Part], Any]:
    try:
        with torch.device("meta"):
            net = build().eval()
            _, parts, output = record(net, torch.empty(shape))
    except RuntimeError:
        # without memory torch words its complaints otherwise, and less clearly
        record(build().eval(), torch.zeros(shape))
        raise
    return net, parts, output


def _count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def _shape(part: Part) -> tuple[Any, ...]:
    """What the weights of a part depend on."""
    return part.kind, part.inputs, part.outputs, part.kernel, part.groups, part.lacks


@cache
def _wanted(args: tuple[Any, ...]) -> tuple[Part, ...]:
    width, classes, shape, _ = args
    with torch.device("meta"):
        _, parts, _ = record(Reference(width, classes).eval(), torch.empty(shape))
    return tuple(parts)


@cache
def _right(args: tuple[Any, ...]) -> Answer:
    width, classes, *_ = args
    return answer(lambda: Reference(width, classes), args)


def oracle(*args: Any) -> Answer:
    return _right(args)


def compare(got: Any, want: Answer) -> Difference | None:
    """Layer by layer, so that the first wrong block is named; then parameters; then the output."""
    if not isinstance(got, Answer):
        return Difference("type", f"forward gives {kind_of(got)}, wanted a tensor")
    for i, (one, other) in enumerate(zip(without_bias(got.parts), want.parts, strict=False)):
        if one != other:
            return Difference("shape", f"{place(i)} is {one}; wanted {other}")
    if len(got.parts) != len(want.parts):
        text = f"{len(got.parts)} layers with weights run, wanted {len(want.parts)}"
        return Difference("shape", f"{text}: 27 convolutions, 27 norms, 1 linear layer")
    if got.parameters != want.parameters:
        text = f"it has {got.parameters:,} parameters, wanted {want.parameters:,}"
        return Difference("value", text)
    if got.output is None or got.output.shape != want.output.shape:
        have = None if got.output is None else tuple(got.output.shape)
        return Difference("shape", f"the output is {have}, wanted {tuple(want.output.shape)}")
    return None if want.output.is_meta else close(got.output, want.output)


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient in train mode."""
    net = cls(width=0.25, num_classes=5).train()
    net(torch.randn(2, 3, 64, 64)).square().sum().backward()
    lost = [name for name, p in net.named_parameters() if p.grad is None]
    return f"{lost[0]} gets no gradient: nothing in the output depends on it." if lost else None


HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with an empty list of layers. Put in the stem: convolution, norm, ReLU. Then go"
        " through the rows of `table_1()` with two loops, one for the rows and one for the blocks"
        " of a row, and append a `Block` each time. `nn.Sequential(*layers)` runs them all.",
    ),
    Hint(
        "RuntimeError: Given groups=… expected input… to have … channels, or mat1 and mat2",
        "A layer reads another number of channels than the layer before it makes. Keep the number"
        " that arrives in a variable. After each block it has the block's new number; after the"
        " last block the classifier needs it.",
    ),
    Hint(
        "A block has the wrong stride, or my maps have the wrong size",
        "Only the first block of a row has the row's stride, the others have 1. Then the maps are"
        " 112, 112, 56, 56, 28, 28, six times 14, and twice 7.",
    ),
    Hint(
        "My layers are right, my output is wrong",
        "Does your `Block` pass its own check? What is missing there is missing here. After the"
        " last block: the mean over height and width, which leaves (N, C), then the linear"
        " layer, and nothing else. The scores are returned as they are, without a softmax.",
    ),
    Hint(
        "My layers are wrong with a width below 1",
        "The width narrows the stem and every block. What the last block makes, the classifier"
        " reads. The picture keeps its 3 channels.",
    ),
)
