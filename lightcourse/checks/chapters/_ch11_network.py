"""Exercise 11.network: MobileNetV2 assembled from table 2, compared layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch05_separable import close
from lightcourse.checks.chapters._ch09_parts import Answer, Part, record, without_bias
from lightcourse.checks.chapters._ch11_net import Made, Quirk, Reference, answer, made, place
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Case, Difference, Hint

RIGHT = Quirk()


def cases(rng: Random) -> Iterator[Case]:
    yield Case((1.0, 1000, (1, 3, 224, 224), 0), {}, "the network of table 2")
    yield Case((1.4, 10, (1, 3, 96, 64), 0), {}, "wider, ten classes")
    shape = (2, 3, 64, 32 * rng.randint(2, 3))
    yield Case((0.35, rng.randint(3, 12), shape, rng.getrandbits(32)), {}, "thin, with weights")


def show(case: Case) -> str:
    width, classes, shape, _ = case.args
    call = f"MobileNetV2(width_mult={width}, num_classes={classes})"
    return f"{call}.eval()(x)  with x of shape {shape}"


def call(cls: Any, case: Case) -> Any:
    width, classes, *_ = case.args
    return examined(lambda: cls(width_mult=width, num_classes=classes), case.args, True)


def examined(build: Callable[[], Any], args: tuple[Any, ...], strict: bool) -> Any:
    """Look at the layers, without memory where that is enough, and run with the case's weights."""
    *_, shape, seed = args
    if seed:
        generator = torch.Generator().manual_seed(seed)
        x = 4 * torch.randn(shape, generator=generator, dtype=torch.float64)
        return answer(build, x, seed, parts_of(args, RIGHT) if strict else None)
    try:
        with torch.device("meta"):
            net = build().eval()
            _, parts, output = record(net, torch.empty(shape))
    except RuntimeError:
        # without memory torch words its complaints otherwise, and less clearly
        record(build().eval(), torch.zeros(shape))
        raise
    return made(net, parts, output) if isinstance(output, Tensor) else output


@cache
def parts_of(args: tuple[Any, ...], quirk: Quirk) -> tuple[Part, ...]:
    """The layers of a network on a case; () where it cannot be built."""
    width, classes, shape, _ = args
    try:
        with torch.device("meta"):
            _, parts, _ = record(Reference(width, classes, quirk).eval(), torch.empty(shape))
    except RuntimeError:
        return ()
    return tuple(parts)


def by_torch(quirk: Quirk) -> Callable[..., Any]:
    """The network of torch's layers, with a quirk of values."""

    @cache
    def wrong(*args: Any) -> Any:
        width, classes, *_ = args
        return examined(lambda: Reference(width, classes, quirk), args, False)

    return wrong


oracle = by_torch(RIGHT)


def compare(got: Any, want: Answer) -> Difference | None:
    """Layer by layer, so that the first wrong block is named; then parameters; then the output."""
    if not isinstance(got, Answer):
        return Difference("type", f"forward gives {kind_of(got)}, wanted a tensor")
    for i, (one, other) in enumerate(zip(without_bias(got.parts), want.parts, strict=False)):
        if one != other:
            return Difference("layer", f"{place(i)} is {one}; wanted {other}")
    if len(got.parts) != len(want.parts):
        text = f"{len(got.parts)} layers with weights run, wanted {len(want.parts)}"
        return Difference("layer", f"{text}: 52 convolutions, 52 norms, 1 linear layer")
    if got.parameters != want.parameters:
        text = f"it has {got.parameters:,} parameters, wanted {want.parameters:,}"
        return Difference("value", text)
    if got.output is None or got.output.shape != want.output.shape:
        have = None if got.output is None else tuple(got.output.shape)
        return Difference("shape", f"the output is {have}, wanted {tuple(want.output.shape)}")
    if isinstance(got, Made) and got.restless:
        return Difference("value", "two runs in eval mode give two results")
    found = None if want.output.is_meta else close(got.output, want.output)
    if found is None and isinstance(got, Made) and got.ready_made:
        return Difference("type", f"{got.ready_made} is finished")
    return found


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient in train mode."""
    net = cls(width_mult=0.35, num_classes=5).train()
    net(torch.randn(2, 3, 64, 64)).square().sum().backward()
    lost = [name for name, p in net.named_parameters() if p.grad is None]
    return f"{lost[0]} gets no gradient: nothing in the output depends on it." if lost else None


def drops(cls: Any, rng: Random) -> str | None:
    """In training a fifth of what the classifier reads is zero, and nothing else is random."""
    net = cls(width_mult=0.35, num_classes=5).eval()
    x = torch.randn(4, 3, 64, 64)
    layers, _, _ = record(net, x)
    calm = _read(net, layers[-1], x)
    for layer in net.modules():  # all as in training, but for the norms
        layer.training = not isinstance(layer, nn.BatchNorm2d)
    first, second = _read(net, layers[-1], x), _read(net, layers[-1], x)
    if torch.equal(first, second):
        return "In training nothing is dropped before the classifier: a dropout of 0.2 is missing."
    gone = (first == 0) & (calm != 0)
    share = float(gone.sum() / (calm != 0).sum())
    if abs(share - 0.2) > 0.06:
        return (
            f"In training mode {100 * share:.0f} % of what the classifier reads is zero. Wanted is"
            " a dropout of 0.2, behind the mean: it drops a fifth."
        )
    if not torch.allclose(first[~gone], calm[~gone] / 0.8, rtol=1e-3, atol=1e-6):
        return (
            "In training mode something else is random too. There is one dropout, behind the mean."
        )
    return None


def _read(net: nn.Module, last: nn.Module, x: Tensor) -> Tensor:
    """What the last layer with weights reads."""
    seen: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda layer, given: seen.append(given[0].clone()))
    with torch.no_grad():
        net(x.clone())
    hook.remove()
    return seen[0].flatten(1)


def defaults(cls: Any, rng: Random) -> str | None:
    """MobileNetV2() alone is the published network."""
    with torch.device("meta"):
        count = sum(p.numel() for p in cls().parameters())
    if count != 3_504_872:
        return f"MobileNetV2() has {count:,} parameters; the published network has 3,504,872."
    return None


HINTS = (
    Hint(
        "I do not know where to begin",
        "Begin with a list of layers: the stem (convolution, norm, ReLU6). Go through TABLE with"
        " two loops, one for the rows and one for the blocks of a row, and append a `Block` each"
        " time. Then the last convolution with norm and ReLU6. `nn.Sequential(*layers)` runs them.",
    ),
    Hint(
        "RuntimeError: Given groups=… expected input… to have … channels, or mat1 and mat2",
        "A layer reads another number of channels than the layer before it makes. Keep the number"
        " that arrives in a variable: first the stem's, after each block the block's. The"
        " classifier reads what the last convolution makes.",
    ),
    Hint(
        "A block has the wrong stride, or my maps have the wrong size",
        "Only the first block of a row has the row's stride, the others have 1. On 224 pixels the"
        " rows make maps of 112, 56, 28, 14, 14, 7 and 7.",
    ),
    Hint(
        "My layers are right, my output is wrong",
        "Does your `Block` pass its own check? What is missing there is missing here. The stem and"
        " the last convolution have a norm and a ReLU6 each. Then the mean over height and width,"
        " the dropout, the linear layer, and nothing else.",
    ),
    Hint(
        "My layers are wrong at another width",
        "`make_divisible(c * width_mult)` for the stem and for every row. The expansion is then"
        " counted from the rounded number. The last convolution has 1,280 channels up to width 1,"
        " and `make_divisible(1280 * width_mult)` above it.",
    ),
)
