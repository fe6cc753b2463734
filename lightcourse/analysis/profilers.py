"""One network, ten profilers: what each said, measured once and frozen, and why they differ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from torch import nn

from lightcourse.analysis import cost
from lightcourse.analysis.ops import kind_of
from lightcourse.analysis.trace import trace


class Profiler(NamedTuple):
    """What one tool said of MobileNetV2 at 1×3×224×224, and what it adds to the products."""

    tool: str
    version: str
    macs: int
    norm: int  # times each output element of a batch normalisation
    activation: int  # times each output element of an activation
    pooled: int  # times each output element of the global pooling
    bias: int  # times each output element of a product with a bias
    vectors: int  # times each one-dimensional parameter: biases, scales and shifts
    why: str


#: Measured by tests/bench/bench_profilers.py on 2026-11-22 with torch 2.13.0 on a CPU.
# tool, version, said, norm, activation, pooled, bias, vectors, why
PROFILERS: tuple[Profiler, ...] = (
    Profiler("torch FlopCounterMode / 2", "2.13.0", 300_774_272, 0, 0, 0, 0, 0,
             "products only"),
    Profiler("calflops", "0.3.2", 300_774_272, 0, 0, 0, 0, 0, "products only"),
    Profiler("DeepSpeed", "0.19.8", 300_774_272, 0, 0, 0, 0, 0, "products only"),
    Profiler("ptflops, aten", "0.7.5", 300_775_272, 0, 0, 0, 1, 0,
             "adds the bias of the last layer"),
    Profiler("torchinfo", "1.8.0", 300_809_384, 0, 0, 0, 0, 1,
             "takes each scale, shift and bias for a product, once for the whole map"),
    Profiler("torchprofile", "0.1.0", 307_453_664, 1, 0, 1, 0, 0,
             "one for each element of a batch norm and of the pooled vector"),
    Profiler("torchscan", "0.2.0", 314_130_496, 2, 0, 0, 0, 0,
             "two for each element of a batch norm"),
    Profiler("fvcore", "0.1.5", 314_130_496, 2, 0, 0, 0, 0,
             "two for each element of a batch norm; an adaptive pooling, not used here, too"),
    Profiler("ptflops, pytorch", "0.7.5", 320_237_288, 2, 1, 0, 1, 0,
             "adds batch norm twice, each activation and the bias of the last layer"),
    Profiler("thop", "0.1.1", 327_486_720, 4, 0, 0, 0, 0,
             "four for each element of a batch norm"),
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """Elements of a forward pass that some profilers count and others do not."""

    products: int  # multiply-accumulates of convolutions and linear layers
    norm: int
    activation: int
    pooled: int
    bias: int
    vectors: int

    def total(self, row: Profiler) -> int:
        """Return what a profiler with this row's habits says of the network."""
        return self.products + sum(
            getattr(row, part) * getattr(self, part)
            for part in ("norm", "activation", "pooled", "bias", "vectors")
        )


def parts(model: nn.Module, input_size: Sequence[int] = (1, 3, 224, 224)) -> Parts:
    """Count what the profilers disagree on, for any network of convolutions and linear layers.

    >>> parts(nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.ReLU()), (1, 3, 4, 4)).norm
    128
    """
    recorded = trace(model, input_size)
    found = dict.fromkeys(("norm", "activation", "pooled", "bias"), 0)
    for op in recorded.ops:
        kind = kind_of(op.name)
        out = math.prod(recorded.shape(op.outputs[0])) if op.outputs else 0
        if kind == "normalisation":
            found["norm"] += out
        elif kind == "activation":
            found["activation"] += out
        elif kind in ("pooling", "reduction"):
            found["pooled"] += out
        elif kind is None and len(op.inputs) > 2:  # a product with a bias
            found["bias"] += out
    vectors = sum(p.numel() for p in model.parameters() if p.dim() == 1)
    products = sum(macs or 0 for macs in cost.count(recorded))
    return Parts(products, vectors=vectors, **found)


@dataclass(frozen=True)
class ProfilerTable:
    """The frozen numbers beside what their explanation gives; they must agree to the unit."""

    rows: tuple[tuple[Profiler, int], ...]

    @property
    def numbers(self) -> int:
        """How many different numbers the tools gave."""
        return len({row.macs for row, _ in self.rows})

    @property
    def spread(self) -> float:
        """The largest number over the smallest, less one."""
        said = [row.macs for row, _ in self.rows]
        return max(said) / min(said) - 1

    def __str__(self) -> str:
        width = max(len(row.tool) for row, _ in self.rows)
        lines = [
            f"{row.tool.ljust(width)}  {row.macs:>11,}  {row.macs - explained:>+3}  {row.why}"
            for row, explained in self.rows
        ]
        head = f"{'profiler'.ljust(width)}  {'“MACs”':>11}  off  what it counts"
        return "\n".join([head, *lines, "", self._sentence()])

    __repr__ = __str__  # a console shows what print shows

    def _sentence(self) -> str:
        return (
            f"{len(self.rows)} profilers, {self.numbers} numbers, {self.spread:.1%} apart; "
            "'off' is what the explanation leaves open"
        )

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><td>{escape(row.tool)} {row.version}</td><td>{row.macs:,}</td>"
            f"<td>{row.macs - explained:+}</td><td>{escape(row.why)}</td></tr>"
            for row, explained in self.rows
        )
        return (
            "<table><thead><tr><th>profiler</th><th>“MACs”</th><th>off</th><th>what it counts</th>"
            f"</tr></thead><tbody>{body}</tbody></table><p>{escape(self._sentence())}</p>"
        )


def profiler_table(mobilenet_v2: nn.Module) -> ProfilerTable:
    """Set what ten profilers said of MobileNetV2 beside what the recorded operators explain.

    Pass the published network, `create_model("mobilenet_v2")`; the frozen numbers are for that.
    """
    found = parts(mobilenet_v2)
    return ProfilerTable(tuple((row, found.total(row)) for row in PROFILERS))
