"""Exercise 08.fire: squeeze by a 1×1, expand by a 1×1 and a 3×3 side by side, as one module."""

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

PARTS = ("squeeze", "expand1x1", "expand3x3")
close = located(Compare(rtol=1e-5, atol=1e-6))


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, 4, 2, 3, 4, 1, (4, 4), "4 channels to 2, then to 3 + 4")
    yield _case(rng, 7, 2, 4, 3, 1, (4, 5), "as many channels out as in")
    yield _case(rng, 5, 3, 4, 2, 2, (5, 6), "a batch of 2, more 1×1 than 3×3")
    yield _case(rng, 8, 4, 6, 6, 1, (3, 7), "6 + 6: the paper's halves")
    for _ in range(3):
        c, s = rng.randint(3, 9), rng.randint(2, 4)
        e1, e3 = rng.randint(5, 8), rng.randint(9, 12)
        yield _case(rng, c + 3, s, e1, e3, rng.randint(1, 3), (5, 4), "random sizes")


def _case(
    rng: Random, c: int, s: int, e1: int, e3: int, batch: int, size: tuple[int, int], label: str
) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    state = {
        "squeeze.weight": draw(s, c, 1, 1), "squeeze.bias": draw(s),
        "expand1x1.weight": draw(e1, s, 1, 1), "expand1x1.bias": draw(e1),
        "expand3x3.weight": draw(e3, s, 3, 3), "expand3x3.bias": draw(e3),
    }  # fmt: skip
    return Case((state, draw(batch, c, *size)), {}, label)


def sizes(case: Case) -> tuple[int, int, int, int]:
    """in_channels, squeeze, expand1x1, expand3x3 of a case."""
    state, x = case.args
    squeeze, one, three = (len(state[f"{name}.bias"]) for name in PARTS)
    return x.shape[1], squeeze, one, three


def show(case: Case) -> str:
    *_, x = case.args
    return f"Fire{sizes(case)}(x)  with x of shape {tuple(x.shape)}"


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Answer:
    """What a module gave: shapes of its parts' weights and biases, parameters, output."""

    shapes: dict[str, tuple[int, ...]]
    parameters: int
    output: Any
    wrapped: str = ""  # the first part that is an nn.Sequential

    def __repr__(self) -> str:
        shapes = "\n".join(f"{name}: {shape}" for name, shape in self.shapes.items())
        shown = "" if self.output is None else f"\noutput: {kind_of(self.output)}"
        if isinstance(self.output, Tensor):
            shown = f"\noutput of shape {tuple(self.output.shape)}"
        return f"{shapes}\nparameters: {self.parameters}{shown}"


def call(cls: Any, case: Case) -> Any:
    """Build the learner's module, give it the weights of the case, and run it in eval mode."""
    state, x = case.args
    module = cls(*sizes(case)).double().eval()
    parts = {name: getattr(module, name) for name in PARTS}
    shapes = {name: _shape(parts, name) for name in state}
    count = sum(p.numel() for p in module.parameters())
    if any(state[name].shape != shape for name, shape in shapes.items()):
        wrapped = [name for name, part in parts.items() if isinstance(part, nn.Sequential)]
        return Answer(shapes, count, None, *wrapped[:1])
    module.load_state_dict({**module.state_dict(), **state})
    with torch.no_grad():
        return Answer(shapes, count, nn.Module.__call__(module, x.clone()))


def _shape(parts: dict[str, Any], name: str) -> tuple[int, ...]:
    part, kind = name.split(".")
    tensor = getattr(parts[part], kind, None)
    return tuple(tensor.shape) if isinstance(tensor, Tensor) else ()


def run(
    state: dict[str, Tensor],
    x: Tensor,
    *,
    squeezed: Any = F.relu,
    expanded: Any = F.relu,
    order: tuple[str, str] = ("expand1x1", "expand3x3"),
) -> Tensor:
    """The module by torch's functions."""
    narrow = squeezed(F.conv2d(x, state["squeeze.weight"], state["squeeze.bias"]))
    wide = {
        name: F.conv2d(narrow, state[f"{name}.weight"], state[f"{name}.bias"], padding=pad)
        for name, pad in (("expand1x1", 0), ("expand3x3", 1))
    }
    return expanded(torch.cat([wide[name] for name in order], 1))


def wrap(state: dict[str, Tensor], output: Tensor) -> Answer:
    """The answer of a module whose parts are as they should be."""
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    return Answer(shapes, sum(value.numel() for value in state.values()), output)


def oracle(state: dict[str, Tensor], x: Tensor) -> Answer:
    return wrap(state, run(state, x))


def compare(got: Any, want: Answer) -> Difference | None:
    """Shapes of the parts first, then the output, then what it costs to get there."""
    if not isinstance(got, Answer):
        return Difference("type", f"it is {kind_of(got)}, wanted a module")
    if got.wrapped:
        return Difference("type", f"{got.wrapped} is a Sequential, wanted the convolution itself")
    for name, shape in want.shapes.items():
        if not got.shapes[name]:
            return Difference("shape", f"{name} does not exist, wanted one of shape {shape}")
        if got.shapes[name] != shape:
            return Difference("shape", f"{name} has the shape {got.shapes[name]}, wanted {shape}")
    if not isinstance(got.output, Tensor):
        return Difference("type", f"forward gives {kind_of(got.output)}, wanted a tensor")
    if found := close(got.output, want.output):
        return found
    if got.parameters != want.parameters:
        text = f"it has {got.parameters} parameters, wanted {want.parameters}"
        return Difference("value", text)
    return None


def picture(case: Case, got: Any, want: Any) -> str:
    return beside(got.output, want.output)


def same_in_training(cls: Any, rng: Random) -> str | None:
    """Nothing in a Fire module depends on the mode, so nothing is dropped."""
    module, x = cls(6, 4, 5, 7), torch.randn(4, 6, 6, 6)
    with torch.no_grad():
        calm = module.eval()(x.clone())
        if torch.allclose(module.train()(x.clone()), calm, atol=1e-6):
            return None
    return "In training mode the output is another one: is there a dropout? A Fire module has none."


def learns(cls: Any, rng: Random) -> str | None:
    """All parameters get a gradient."""
    module = cls(6, 4, 5, 7)
    module.train()
    y = module(torch.randn(4, 6, 6, 6))
    if not y.requires_grad:
        return "No gradient comes back: `detach`, `no_grad` and `.data` cut it off."
    y.square().sum().backward()
    lost = [name for name, p in module.named_parameters() if p.grad is None]
    return f"{lost[0]} gets no gradient: nothing in forward depends on it." if lost else None
