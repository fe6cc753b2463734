"""Chapter 07's modules: their parts by name, filled with weights, run, compared part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference, Outcome
from lightcourse.checks.located import located

close = located(Compare(rtol=1e-5, atol=1e-6))
Parts = dict[str, "nn.Module | None"]


class Layer(NamedTuple):
    """A convolution, batch norm or linear layer inside a part."""

    kind: str
    into: int
    out: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    bias: bool = False

    def __str__(self) -> str:
        if self.kind == "norm":
            return f"a batch norm of {self.out}"
        if self.kind == "linear":
            return f"a linear layer {self.into} → {self.out}"
        more = f"stride {self.stride}, padding {self.padding}{', bias' * self.bias}"
        return f"a {self.kernel}×{self.kernel} convolution {self.into} → {self.out}, {more}"


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """What a module gave: the layers of each part, its parameters, its output."""

    parts: dict[str, tuple[Layer, ...]]
    params: int
    output: Any
    extra: str = ""  # something that cannot be a module's part, or a ready-made block
    absent: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        lines = [f"{name}: {said(layers)}" for name, layers in self.parts.items()]
        shown = [] if self.output is None else [f"output: {kind_of(self.output)}"]
        if isinstance(self.output, Tensor):
            shown = [f"output of shape {tuple(self.output.shape)}"]
        return "\n".join([*lines, f"parameters: {self.params}", *shown])


def said(layers: Sequence[Layer]) -> str:
    """The layers of a part in words.

    >>> said((Layer("norm", 4, 4),)), said(())
    ('a batch norm of 4', 'no layer with weights')
    """
    return " and ".join(map(str, layers)) or "no layer with weights"


def layers_of(part: nn.Module | None) -> list[nn.Module]:
    """The layers with weights in a part; convolutions first, so that the order of writing is"
    " free."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    found = [] if part is None else [m for m in part.modules() if isinstance(m, kinds)]
    return sorted(found, key=lambda m: isinstance(m, nn.BatchNorm2d))


def described(part: nn.Module | None) -> tuple[Layer, ...]:
    return tuple(map(_layer, layers_of(part)))


def _layer(m: nn.Module) -> Layer:
    if isinstance(m, nn.BatchNorm2d):
        return Layer("norm", m.num_features, m.num_features)
    if isinstance(m, nn.Linear):
        return Layer("linear", m.in_features, m.out_features, bias=m.bias is not None)
    assert isinstance(m, nn.Conv2d)
    k, s = m.kernel_size[0], m.stride[0]
    words = {"same": k // 2, "valid": 0}
    pad = words[m.padding] if isinstance(m.padding, str) else int(m.padding[0])
    return Layer("conv", m.in_channels, m.out_channels, k, int(s), pad, m.bias is not None)


def draw(shape: Sequence[int], seed: int) -> Tensor:
    """The picture of a case: normal numbers, float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def fill(parts: Iterable[nn.Module | None], seed: int) -> None:
    """Give every layer weights that follow from the place of its part, its own place, the seed."""
    for place, part in enumerate(parts):
        for index, m in enumerate(layers_of(part)):
            generator = torch.Generator().manual_seed(seed + 1000 * place + index)
            for name, p in m.named_parameters(recurse=False):
                drawn = torch.randn(p.shape, generator=generator, dtype=p.dtype)
                norm = isinstance(m, nn.BatchNorm2d)
                scale = 0.3 if p.dim() < 2 else (1.5 / p[0].numel()) ** 0.5
                p.data = (1.0 if norm and name == "weight" else 0.0) + scale * drawn
            if isinstance(m, nn.BatchNorm2d) and m.running_mean is not None:
                m.running_mean.normal_(0, 0.3, generator=generator)
                assert m.running_var is not None
                m.running_var.uniform_(0.5, 2, generator=generator)


def ready_made(module: nn.Module, allowed: Sequence[str] = ()) -> str:
    """The name of the first block of the course or of torchvision in a module."""
    for m in module.modules():
        # a learner's class made from one is found among its bases
        for base in type(m).__mro__:
            if base.__module__.startswith(("lightcourse.nn", "lightcourse.models", "torchvision")):
                if base.__name__ not in allowed:
                    return base.__name__
                break
    return ""


def examine(
    module: nn.Module,
    parts: Parts,
    wanted: dict[str, tuple[Layer, ...]],
    x: Tensor,
    seed: int,
    extra: str = "",
) -> Answer:
    """Look at the parts; where they are as wanted, fill them and run the module in eval mode."""
    module.double().eval()
    found = {name: described(part) for name, part in parts.items()}
    params = sum(p.numel() for p in module.parameters())
    absent = tuple(name for name, part in parts.items() if part is None)
    if found != wanted or extra:
        return Answer(found, params, None, extra, absent)
    fill(parts.values(), seed)
    with torch.no_grad():
        return Answer(found, params, nn.Module.__call__(module, x.clone()), "", absent)


def compare(got: Any, want: Answer) -> Difference | None:
    """The parts one by one, then the output, then what it costs to get there."""
    if not isinstance(got, Answer):
        return Difference("type", f"it is {kind_of(got)}, wanted a module")
    if got.extra != want.extra:
        return Difference("type", f"there is {got.extra or 'no ' + want.extra}")
    for name, layers in want.parts.items():
        if got.parts.get(name) != layers:
            text = f"{name} has {said(got.parts.get(name, ()))}, wanted {said(layers)}"
            return Difference("shape", text)
    if more := [name for name in got.parts if name not in want.parts]:
        return Difference("shape", f"{more[0]} is one too many")
    if got.output is None and want.output is None:
        return None
    if not isinstance(got.output, Tensor) or not isinstance(want.output, Tensor):
        return Difference("type", f"forward gives {kind_of(got.output)}, wanted a tensor")
    if found := close(got.output, want.output):
        return found
    if got.params != want.params:
        return Difference("value", f"it has {got.params} parameters, wanted {want.params}")
    return None


def has(outcome: Outcome, name: str, **what: Any) -> bool:
    """Whether the first layer of a part is such a one, and the right answer's is not."""
    mine, right = outcome.got.parts[name], outcome.want.parts[name]
    return any(
        all(getattr(one, key) == value for key, value in what.items()) and one not in right
        for one in mine
    )


def too_many(outcome: Outcome) -> bool:
    """Everything is right, but there are more parameters."""
    only_there = outcome.difference is not None and outcome.difference.text.startswith("it has")
    return only_there and outcome.got.params > outcome.want.params


def attribute_missing(*names: str) -> Callable[[Outcome], bool]:
    """A part that forward needs does not exist, or has another name."""

    def matches(outcome: Outcome) -> bool:
        said = str(outcome.error)
        return isinstance(outcome.error, AttributeError) and any(
            f"has no attribute '{name}'" in said for name in names
        )

    return matches


def sizes_differ(outcome: Outcome) -> bool:
    """Two maps that do not have the same size meet."""
    return isinstance(outcome.error, RuntimeError) and (
        "must match the size" in str(outcome.error)
        or "must match except in dimension" in str(outcome.error)
    )


def cat_axis(outcome: Outcome) -> bool:
    """Maps are put together along another axis than that of the channels."""
    said = str(outcome.error)
    axes = (f"except in dimension {axis}" in said for axis in (0, 2, 3))
    return any(axes) or "stack expects each tensor" in said


def case_of(args: tuple[Any, ...], label: str) -> Case:
    return Case(args, {}, label)
