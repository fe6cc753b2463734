"""Chapter 12: run a learner's module with the case's weights, and compare it layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters import _ch09_parts as old
from lightcourse.checks.chapters._ch05_separable import close
from lightcourse.checks.chapters._ch09_parts import Answer, Part, without_bias
from lightcourse.checks.compare import kind_of
from lightcourse.checks.exercise import Difference, Mistake, Outcome

EPS, MOMENTUM = 0.001, 0.01  # of the norms, as the authors' code has them


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Seen(Answer):
    """What a module gave in eval mode, and whether it gave the same when asked again."""

    steady: bool = True


def record(module: nn.Module, x: Tensor) -> tuple[list[Any], list[Part], Any]:
    """Run a module: its layers with weights, what they are (other norms marked), its output."""
    layers, parts, output = old.record(module, x)
    marked = [_marked(part, layer) for part, layer in zip(parts, layers, strict=True)]
    return layers, marked, output


def _marked(part: Part, layer: Any) -> Part:
    if part.kind != "norm" or part.lacks:
        return part
    for name, want in (("eps", EPS), ("momentum", MOMENTUM)):
        if getattr(layer, name) != want:
            return replace(part, lacks=f"{name}={getattr(layer, name)}")
    return part


def fill(layers: Sequence[Any], parts: Sequence[Part], seed: int) -> None:
    """Give the layers weights that depend on their order and sizes alone; norms get a past."""
    generator = torch.Generator().manual_seed(seed)

    def draw(like: Tensor) -> Tensor:
        values = torch.randn(like.numel(), generator=generator, dtype=torch.float64)
        return values.view(like.shape).to(like.dtype)

    with torch.no_grad():
        for layer, part in zip(layers, parts, strict=True):
            if part.kind == "norm":
                layer.weight.copy_(0.3 * draw(layer.weight) + 1)
                layer.bias.copy_(0.5 * draw(layer.bias))
                layer.running_mean.copy_(0.3 * draw(layer.running_mean))
                layer.running_var.copy_(draw(layer.running_var).square() + 0.3)
                continue
            layer.weight.copy_(draw(layer.weight) * (4 / layer.weight[0].numel()) ** 0.5)
            if layer.bias is not None:  # that of a convolution is a mistake of its own
                linear = part.kind == "linear"
                layer.bias.copy_(draw(layer.bias) if linear else torch.zeros_like(layer.bias))


def tensor(seed: int, *shape: int) -> Tensor:
    """Numbers of a case, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def answer(module: nn.Module, x: Tensor, seed: int, want: Sequence[Part] | None = None) -> Any:
    """What a module gives: its layers; its output too where they are those wanted.

    The layers get the case's weights first, in the order in which they run.
    """
    module = module.double().eval()
    layers, parts, output = record(module, x)
    layers, parts = _once(layers, len(x)), _once(parts, len(x), layers)
    count = sum(p.numel() for p in module.parameters())
    if not isinstance(output, Tensor):
        return output
    if want is not None and [_shape(p) for p in parts] != [_shape(p) for p in want]:
        return Answer(tuple(parts), count)
    fill(layers, parts, seed)
    with torch.no_grad():
        output = nn.Module.__call__(module, x.clone())
        if not isinstance(output, Tensor):
            return output
        again = (nn.Module.__call__(module, x.clone()) for _ in range(3))
        steady = all(torch.equal(output, other) for other in again)
        return Seen(tuple(parts), count, output, steady)


def _once(found: Sequence[Any], pictures: int, layers: Sequence[Any] | None = None) -> list[Any]:
    """What ran for one picture, where a loop runs the same layers for each of them."""
    ran = list(found if layers is None else layers)
    n = len(ran) // pictures
    looped = n * pictures == len(ran) and all(ran[i] is ran[i % n] for i in range(len(ran)))
    return list(found[:n]) if looped else list(found)


def on_meta(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> Any:
    """What a module gives where only layers are looked at: nothing is computed."""
    try:
        with torch.device("meta"):
            net = build().eval()
            _, parts, output = record(net, torch.empty(shape))
    except RuntimeError:
        # without memory torch words its complaints otherwise, and less clearly
        record(build().eval(), torch.zeros(shape))
        raise
    if not isinstance(output, Tensor):
        return output
    count = sum(p.numel() for p in net.parameters())
    return Answer(tuple(parts), count, torch.empty(output.shape, device="meta"))


def _shape(part: Part) -> tuple[Any, ...]:
    """What the weights of a part depend on."""
    return part.kind, part.inputs, part.outputs, part.kernel, part.groups, part.lacks, part.bias


def compared(place: Callable[[int, Answer], str]) -> Callable[[Any, Answer], Difference | None]:
    """Layer by layer first, then parameters, then the output; place(i, want) names a layer."""

    def compare(got: Any, want: Answer) -> Difference | None:
        if not isinstance(got, Answer):
            return Difference("type", f"forward gives {kind_of(got)}, wanted a tensor")
        ours = without_bias(got.parts)
        for i, (one, other) in enumerate(zip(ours, want.parts, strict=False)):
            if one != other:
                return Difference("shape", _unlike(place(i, want), one, other))
        if len(got.parts) != len(want.parts):
            text = f"{len(got.parts)} layers with weights run, wanted {len(want.parts)}"
            if len(got.parts) < len(want.parts):
                text += f": {place(len(got.parts), want)} is missing, {want.parts[len(ours)]}"
            return Difference("shape", text)
        if got.parameters != want.parameters:
            text = f"it has {got.parameters:,} parameters, wanted {want.parameters:,}"
            return Difference("value", text)
        if got.output is None or got.output.shape != want.output.shape:
            have = None if got.output is None else tuple(got.output.shape)
            return Difference("shape", f"the output is {have}, wanted {tuple(want.output.shape)}")
        return None if want.output.is_meta else close(got.output, want.output)

    return compare


def _unlike(where: str, one: Part, other: Part) -> str:
    """How a layer differs from the one that is wanted in its place."""
    if one.kind == other.kind:
        return f"{where} is {one}; wanted {other}"
    if other.kind == "linear" and one == replace(other, kind="conv", bias=False):
        return f"{where} has no bias, and keeps one here"
    more = " (or a 1×1 convolution with a bias)" if other.kind == "linear" else ""
    return f"in the place of {where} runs {one}; wanted {other}{more}"


def kept(net: nn.Module, x: Tensor) -> str | None:
    """The complaint about an input that the module changes, if it does."""
    before = x.clone()
    with torch.no_grad():
        net.eval()(x)
    if torch.equal(before, x):
        return None
    return (
        "Your module changes its input: `*=`, `+=`, `mul_`, `add_` and inplace=True write into the"
        " tensor that they get, and the layer before may still need it for its gradient. Make a"
        " new one, as in `x * gate`."
    )


def no_gradient(net: nn.Module, *x: Tensor) -> str | None:
    """The complaint about a parameter that does not learn, if there is one."""
    net.train()
    net(*x).square().sum().backward()
    lost = [name for name, p in net.named_parameters() if p.grad is None]
    return f"{lost[0]} gets no gradient: nothing in the output depends on it." if lost else None


# ---- mistakes that any of the modules may have ----------------------------------------------


def same(got: Sequence[Part], want: Sequence[Part]) -> bool:
    return without_bias(got) == list(want)


def _norm_settings(outcome: Outcome) -> bool:
    got = without_bias(outcome.got.parts)
    full = [replace(part, lacks="") for part in got]
    return full != got and full == list(outcome.want.parts)


def _unregistered(outcome: Outcome) -> bool:
    """`.double()` did not reach the layers: the module does not know them."""
    if outcome.error is None:
        return not outcome.got.parts and not outcome.got.parameters
    said = str(outcome.error).lower()
    return "double" in said and "float" in said


def _biased(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    extra = sum(part.outputs for part in got.parts if part.kind == "conv" and part.bias)
    return same(got.parts, want.parts) and got.parameters - want.parameters == extra > 0


def _too_many(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    return same(got.parts, want.parts) and got.parameters > want.parameters


def _too_few(outcome: Outcome) -> bool:
    got, want = outcome.got, outcome.want
    return same(got.parts, want.parts) and got.parameters < want.parameters


def unregistered(hint: int) -> Mistake:
    """Layers that the module does not know."""
    return Mistake(
        "not-registered",
        "The module does not know its layers, so it has nothing to train: they are made in"
        " `forward`, anew at each call, or lie in a plain Python list. Make them in `__init__`, as"
        " attributes of `self`, in `nn.Sequential` or in `nn.ModuleList`.",
        matches=_unregistered,
        hint=hint,
    )


def general(hint: int, without: str = "") -> tuple[Mistake, ...]:
    """The mistakes of any module of convolutions and norms, but for one that it cannot have."""
    return tuple(mistake for mistake in _general(hint) if mistake.id != without)


def _general(hint: int) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "norm-settings",
            "All layers are right but the settings of a norm: they are eps=0.001 and momentum=0.01,"
            " and a norm has its own weights and a running mean. `norm(channels)` makes it.",
            matches=_norm_settings,
            hint=hint,
        ),
        unregistered(hint),
        Mistake(
            "bias-kept",
            "Everything is right but one thing: a convolution has a bias that does nothing, because"
            " a norm follows and subtracts the mean. Leave it out with `bias=False`.",
            matches=_biased,
            hint=hint,
        ),
        Mistake(
            "parts-too-many",
            "The layers that run are right, but the module has more parameters than they need. Is"
            " there a layer in `__init__` that `forward` never uses?",
            matches=_too_many,
            hint=hint,
        ),
        Mistake(
            "used-twice",
            "The layers that run are right, but there are too few parameters: one layer runs in two"
            " places, and both then share their weights. Make a layer for each place.",
            matches=_too_few,
            hint=hint,
        ),
    )
