"""Exercise 10.build: FD-MobileNet as a module, compared with a twin layer by layer, then output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters._ch10_layers import FAST, Blocks
from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference

close = Compare(rtol=1e-4, atol=1e-4)
NO_FORWARD = "the network has no forward"


class Layer(NamedTuple):
    """A convolution or linear layer as it ran."""

    kind: str
    into: int
    out: int
    kernel: int
    stride: int
    groups: int
    bias: bool
    map: tuple[int, int]


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Network:
    """What a network is made of, in the order it runs, and its scores with the weights of a twin.

    `scores` is None where the layers differ, since then no weights can be copied.
    """

    layers: tuple[Layer, ...]
    params: int
    scores: Tensor | None
    norms: int = 0
    ready_made: bool = False

    def __repr__(self) -> str:
        return f"a network of {len(self.layers)} layers and {self.params:,} parameters"


def cases(rng: Random) -> Iterator[Case]:
    for width, label in ((1.0, "full width"), (0.5, "half width"), (0.25, "a quarter")):
        yield _case(rng, width, 1000, (1, 3, 64, 64), f"{label}: the published network")
    yield _case(rng, 0.25, 10, (2, 3, 64, 96), "ten classes, a batch of 2")
    yield _case(rng, 0.3, 7, (1, 3, 96, 64), "channels that do not come out whole")


def _case(rng: Random, width: float, classes: int, shape: Sequence[int], label: str) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))
    return Case((width, classes, torch.randn(*shape, generator=generator)), {}, label)


def show(case: Case) -> str:
    width, classes, x = case.args
    return f"fd_mobilenet({width}, {classes}).eval()(x)  with x of shape {tuple(x.shape)}"


def call(make: Any, case: Case) -> Any:
    """Build the learner's network, look at its layers, and run it with the twin's weights."""
    width, classes, x = case.args
    made = make(width, classes)
    try:
        return examine(made, x) if isinstance(made, nn.Module) else made
    except NotImplementedError as error:
        if 'missing the required "forward"' not in str(error):
            raise
        # torch says so of a module that cannot run; to the check it would mean "not written yet"
        raise RuntimeError(NO_FORWARD) from error


def examine(model: nn.Module, x: Tensor) -> Network:
    """Run a network once as it is, and once more with weights that depend on shape and place."""
    model.eval()
    layers, weighted, norms = _recorded(model, x)
    _give_life([*weighted, *norms])
    with torch.no_grad():
        scores = model(x.clone())
    params = sum(p.numel() for p in model.parameters())
    ready = type(model).__module__.startswith("lightcourse.models")
    return Network(layers, params, scores, len(norms), ready)


def _recorded(
    model: nn.Module, x: Tensor
) -> tuple[tuple[Layer, ...], list[nn.Module], list[nn.Module]]:
    """The layers in the order they run, those with weights, and the batch norms."""
    rows: list[Layer] = []
    weighted: list[nn.Module] = []
    norms: list[nn.Module] = []

    def note(module: nn.Module, _args: tuple, out: Tensor) -> None:
        (norms if isinstance(module, nn.BatchNorm2d) else weighted).append(module)
        if isinstance(module, nn.Linear):
            size = module.in_features, module.out_features
            rows.append(Layer("linear", *size, 1, 1, 1, module.bias is not None, (1, 1)))
        elif isinstance(module, nn.Conv2d):
            place = out.shape[-2], out.shape[-1]
            step, k = int(module.stride[0]), int(module.kernel_size[0])
            groups, bias = module.groups, module.bias is not None
            kind = "depthwise" if groups > 1 else "pointwise" if k == 1 else "conv"
            channels = module.in_channels, module.out_channels
            rows.append(Layer(kind, *channels, k, step, groups, bias, place))

    with ExitStack() as stack, torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
                stack.callback(module.register_forward_hook(note).remove)
        model(x.clone())
    return tuple(rows), weighted, norms


def _give_life(modules: Sequence[nn.Module]) -> None:
    """The same weights for the same layer at the same place, in whatever class it stands."""
    with torch.no_grad():
        for place, module in enumerate(modules):
            generator = torch.Generator().manual_seed(place)
            for name, p in module.named_parameters(recurse=False):
                if p.dim() > 1:  # twice as large as usual, so that some maps pass the 6 of ReLU6
                    p.normal_(0, 2 * (2 / p[0].numel()) ** 0.5, generator=generator)
                elif name == "weight":
                    p.uniform_(0.5, 1.5, generator=generator)
                else:
                    p.uniform_(-0.2, 0.2, generator=generator)
            if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
                module.running_mean.normal_(0, 0.2, generator=generator)
                assert module.running_var is not None
                module.running_var.uniform_(0.5, 2, generator=generator)


def reference(
    width: float,
    classes: int,
    blocks: Blocks = FAST,
    activation: type[nn.Module] = nn.ReLU,
    pool: type[nn.Module] = nn.AdaptiveAvgPool2d,
    stem: type[nn.Module] | None = None,
    last: Sequence[nn.Module] = (),
) -> nn.Module:
    """The network by torch's own layers, with rules that the mistakes change."""
    c = int(32 * width)
    layers: list[nn.Module] = [nn.Conv2d(3, c, 3, 2, 1, bias=False), nn.BatchNorm2d(c)]
    layers.append((stem or activation)())
    for channels, stride in blocks:
        out = int(channels * width)
        layers += [nn.Conv2d(c, c, 3, stride, 1, groups=c, bias=False), nn.BatchNorm2d(c)]
        layers += [activation(), nn.Conv2d(c, out, 1, bias=False), nn.BatchNorm2d(out)]
        layers.append(activation())
        c = out
    return nn.Sequential(*layers, pool(1), nn.Flatten(), nn.Linear(c, classes), *last)


def oracle(width: float, classes: int, x: Tensor) -> Network:
    return examine(reference(width, classes), x)


def place_of(index: int, layers: Sequence[Layer]) -> str:
    """A layer in the words of the table: the stem, half of a block, the classifier."""
    if index == 0:
        return "layer 1, the stem"
    if index == len(layers) - 1:
        return f"layer {index + 1}, the classifier"
    half = "depthwise" if index % 2 else "pointwise"
    return f"layer {index + 1}, the {half} half of block {(index + 1) // 2}"


_WORDS = {
    "kind": "it is a {got} layer, wanted {want}",
    "into": "it reads {got} channels, wanted {want}",
    "out": "it writes {got} channels, wanted {want}",
    "kernel": "its kernel is {got}, wanted {want}",
    "stride": "its stride is {got}, wanted {want}",
    "groups": "it has {got} groups, wanted {want}",
    "map": "it writes a map of {got[0]}×{got[1]}, wanted {want[0]}×{want[1]}",
}


def first_difference(got: Network, want: Network) -> tuple[int, str] | None:
    """Where the layers differ first, and in which of their numbers; biases come later."""
    for index, (one, other) in enumerate(zip(got.layers, want.layers, strict=False)):
        for name in _WORDS:
            if getattr(one, name) != getattr(other, name):
                return index, name
    return None


def compare(got: Any, want: Network) -> Difference | None:
    """Layer by layer, then how many there are, then parameters, then the scores."""
    if not isinstance(got, Network):
        return Difference("type", f"it is {kind_of(got)}, wanted a network (an nn.Module)")
    if found := first_difference(got, want):
        index, name = found
        one, other = (getattr(net.layers[index], name) for net in (got, want))
        said = _WORDS[name].format(got=one, want=other)
        return Difference("value", f"{place_of(index, want.layers)}: {said}")
    if len(got.layers) != len(want.layers):
        text = f"it has {len(got.layers)} layers, wanted {len(want.layers)}"
        return Difference("value", f"{text}; the first {min(map(_count, (got, want)))} are right")
    if got.params != want.params:
        return Difference("value", f"it has {got.params:,} parameters, wanted {want.params:,}")
    found = close(got.scores, want.scores)
    if found is None:
        return Difference("type", "it is a network of the course") if got.ready_made else None
    same = "layers and parameters are right, but with the same weights the scores are not"
    return Difference(found.kind, f"{same}: {found.text}")


def _count(net: Network) -> int:
    return len(net.layers)


def trains(make: Any, rng: Random) -> str | None:
    """Every parameter gets a gradient, and the defaults are the published network."""
    model = make(0.25, 4).train()
    model(torch.randn(2, 3, 32, 32)).square().sum().backward()
    lost = [name for name, p in model.named_parameters() if p.grad is None]
    if lost:
        return f"{lost[0]} gets no gradient: nothing that forward computes depends on it."
    return None


def defaults(make: Any, rng: Random) -> str | None:
    """fd_mobilenet() alone is the published network of width 1."""
    with torch.device("meta"):
        params = sum(p.numel() for p in make().parameters())
    if params != 2_901_288:
        return f"fd_mobilenet() has {params:,} parameters; the published network has 2,901,288."
    return None
