"""Exercise 05.separable: depthwise, norm, ReLU, pointwise, norm, ReLU as one module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.exercise import Case, Difference
from lightcourse.checks.located import located
from lightcourse.checks.pictures import beside

PARTS = ("depthwise", "norm1", "pointwise", "norm2")
close = located(Compare(rtol=1e-5, atol=1e-6))


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, 2, 3, 3, 1, 1, (4, 4), "2 channels to 3, 3×3")
    yield _case(rng, 3, 3, 3, 1, 1, (4, 5), "as many channels out as in")
    yield _case(rng, 4, 6, 3, 2, 2, (6, 7), "stride 2, a batch of 2")
    yield _case(rng, 3, 5, 5, 1, 1, (6, 5), "5×5: the size stays")
    yield _case(rng, 6, 2, 1, 1, 2, (3, 4), "1×1")
    for _ in range(3):
        c, n, k = rng.randint(1, 6), rng.randint(1, 6), rng.choice((3, 5, 7))
        yield _case(rng, c, n, k, rng.randint(1, 2), rng.randint(1, 3), (7, 8), "random sizes")


def _case(
    rng: Random, c: int, n: int, k: int, stride: int, batch: int, size: tuple[int, int], label: str
) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    state = {"depthwise.weight": draw(c, 1, k, k), "pointwise.weight": draw(n, c, 1, 1)}
    for name, maps in (("norm1", c), ("norm2", n)):
        state[f"{name}.weight"], state[f"{name}.bias"] = draw(maps), draw(maps)
        state[f"{name}.running_mean"] = draw(maps)
        state[f"{name}.running_var"] = draw(maps).square() + 0.2
    return Case((state, stride, draw(batch, c, *size)), {}, label)


def sizes(case: Case) -> tuple[int, int, int, int]:
    """in_channels, out_channels, kernel_size, stride of a case."""
    state, stride, _ = case.args
    depthwise, pointwise = state["depthwise.weight"], state["pointwise.weight"]
    return len(depthwise), len(pointwise), depthwise.shape[2], stride


def show(case: Case) -> str:
    *_, x = case.args
    return f"DepthwiseSeparable{sizes(case)}.eval()(x)  with x of shape {tuple(x.shape)}"


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """What a module gave: shapes and number of parameters, stride of its depthwise part, output."""

    shapes: dict[str, tuple[int, ...]]
    parameters: int
    stride: int
    output: Tensor | None
    biases: int = 0  # numbers in the biases of the two convolutions

    def __repr__(self) -> str:
        shapes = "\n".join(f"{name}: {shape}" for name, shape in self.shapes.items())
        output = "" if self.output is None else f"\noutput of shape {tuple(self.output.shape)}"
        more = f"depthwise.stride: {self.stride}\nparameters: {self.parameters}"
        return f"{shapes}\n{more}{output}"


def call(cls: Any, case: Case) -> Any:
    """Build the learner's layer, give it the weights of the case, and run it in eval mode."""
    state, _, x = case.args
    layer = cls(*sizes(case)).double().eval()
    parts = {name: getattr(layer, name) for name in PARTS}
    shapes = {f"{name}.weight": _shape(parts[name]) for name in PARTS}
    count = sum(p.numel() for p in layer.parameters())
    biases = [getattr(parts[name], "bias", None) for name in ("depthwise", "pointwise")]
    biases = [bias for bias in biases if isinstance(bias, Tensor)]
    extra = sum(bias.numel() for bias in biases)
    step = _one(getattr(parts["depthwise"], "stride", 1))
    if any(state[name].shape != shape for name, shape in shapes.items()):
        return Answer(shapes, count, step, None, extra)
    layer.load_state_dict({**layer.state_dict(), **state})
    for bias in biases:
        nn.init.zeros_(bias)  # its own mistake, not one of the values
    with torch.no_grad():
        output = nn.Module.__call__(layer, x.clone())
    if isinstance(output, nn.Module):
        return Layer(type(output).__name__)
    return Answer(shapes, count, step, output, extra) if isinstance(output, Tensor) else output


@dataclass(frozen=True)
class Layer:
    """Forward gave a layer and no tensor: nn.ReLU(x), say, which cannot even be printed."""

    name: str

    def __repr__(self) -> str:
        return f"a layer, nn.{self.name}"


def _shape(part: Any) -> tuple[int, ...]:
    weight = getattr(part, "weight", None)
    return tuple(weight.shape) if isinstance(weight, Tensor) else ()


def _one(stride: Any) -> int:
    return int(stride[0]) if isinstance(stride, (tuple, list)) else int(stride)


def run(
    state: dict[str, Tensor], stride: int, x: Tensor, *, steps: Any = None, pad: Any = None
) -> Tensor:
    """The layer by torch's functions; `steps` is the order of its six parts."""
    depthwise = state["depthwise.weight"]
    k = depthwise.shape[2]
    padding = k // 2 if pad is None else pad(k)
    for step in steps or ("depthwise", "norm1", "relu", "pointwise", "norm2", "relu"):
        if step == "depthwise":
            x = F.conv2d(x, depthwise, None, stride, padding, groups=len(depthwise))
        elif step == "pointwise":
            x = F.conv2d(x, state["pointwise.weight"])
        elif step in ("norm1", "norm2"):
            mean, var = state[f"{step}.running_mean"], state[f"{step}.running_var"]
            x = F.batch_norm(x, mean, var, state[f"{step}.weight"], state[f"{step}.bias"])
        else:
            x = {"relu": F.relu, "relu6": F.relu6, "gelu": F.gelu}[step](x)
    return x


def wrap(state: dict[str, Tensor], stride: int, output: Tensor) -> Answer:
    """The answer of a module whose parts are as they should be."""
    shapes = {f"{name}.weight": tuple(state[f"{name}.weight"].shape) for name in PARTS}
    learnt = sum(v.numel() for name, v in state.items() if "running" not in name)
    return Answer(shapes, learnt, stride, output)


def oracle(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, stride, run(state, stride, x))


def compare(got: Any, want: Answer) -> Difference | None:
    """Shapes of the parts first, then the output, then what it costs to get there."""
    if not isinstance(got, Answer):
        what = repr(got) if isinstance(got, Layer) else kind_of(got)
        return Difference("type", f"forward gives {what}, wanted a tensor")
    for name, shape in want.shapes.items():
        if not got.shapes[name]:
            return Difference("shape", f"{name} does not exist, wanted one of shape {shape}")
        if got.shapes[name] != shape:
            return Difference("shape", f"{name} has the shape {got.shapes[name]}, wanted {shape}")
    if found := close(got.output, want.output):
        return found
    if got.parameters != want.parameters:
        text = f"it has {got.parameters} parameters, wanted {want.parameters}"
        return Difference("value", text)
    if got.stride != want.stride:
        return Difference("value", f"depthwise.stride is {got.stride}, wanted {want.stride}")
    return None


def picture(case: Case, got: Any, want: Any) -> str:
    return beside(got.output, want.output)


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient in train mode, and both norms see the batch."""
    layer = cls(3, 4)
    layer.train()
    y = layer(torch.randn(4, 3, 6, 6))
    y.square().sum().backward()
    lost = [name for name, p in layer.named_parameters() if p.grad is None]
    if lost:
        return f"{lost[0]} gets no gradient: nothing that forward computes depends on it."
    return None
