"""The numbers of the receptive-field scene: what each layer of each network sees of the picture."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lightcourse.errors import UserError

MOST_LAYERS, MOST_NETS, MOST_IN_ALL = 16, 6, 60

Layer = tuple[int, int, int, int]  # kernel, stride, padding, dilation


def conv(kernel: int, stride: int = 1, dilation: int = 1) -> Layer:
    """Return a layer with "same" padding: (kernel, stride, padding, dilation)."""
    return kernel, stride, (kernel - 1) * dilation // 2, dilation


DEFAULT: dict[str, list[Layer]] = {
    "plain 3×3": [conv(3)] * 8,
    "slow ↓": [conv(3, 1 + (i in (2, 5, 7))) for i in range(8)],
    "fast ↓": [conv(3, 1 + (i < 3)) for i in range(8)],
    "dilated": [conv(3, 1, d) for d in (1, 2, 4, 8, 1, 1, 1, 1)],
    "7×7": [conv(7)] * 4,
}


@dataclass(frozen=True)
class Step:
    """What one layer of a chain adds: size += (kernel - 1) * dilation * jump; jump *= stride."""

    kernel: int
    stride: int
    dilation: int
    size: int  # of the field before this layer
    jump: int  # before this layer


@dataclass(frozen=True)
class Stage:
    """One layer: what a unit of it sees, and how strongly. Axis 0 is rows, axis 1 columns."""

    number: int  # place in the whole network; the input is 0
    name: str
    code: str
    size: tuple[int, int]
    jump: tuple[float, float]
    map: tuple[int, int]
    low: np.ndarray  # (2, size): first input index seen by the unit nearest to each pixel
    high: np.ndarray  # (2, size): the last one
    middle: np.ndarray  # (2 axes, first and last): what the middle unit sees
    heat: np.ndarray  # (size, size): the middle unit's squared gradient, sum 1
    step: Step | None = None


@dataclass(frozen=True)
class Net:
    """A network to show: its input and some or all of its layers."""

    name: str
    stages: list[Stage]
    layers: int  # in the whole network
    measured: bool = False  # heat by autograd on the network's own weights, else exact

    @property
    def note(self) -> str:
        """Say which layers are left out; empty when none is."""
        shown = len(self.stages) - 1
        return "" if shown == self.layers else f"{shown} of {self.layers} layers shown"


def nets_of(layers: Any, size: int) -> list[Net]:
    """Return what to show of None, a list of layers, an `nn.Module`, or a dictionary of these.

    Raises:
        UserError: nothing to show, or something that is no network.
    """
    from torch import nn

    if layers is None:
        chosen: dict[str, Any] = dict(DEFAULT)
    elif isinstance(layers, nn.Module):
        chosen = {type(layers).__name__: layers}
    elif isinstance(layers, Mapping):
        chosen = {str(name): net for name, net in layers.items()}
    else:
        chosen = {"your net": layers}
    if not 1 <= len(chosen) <= MOST_NETS:
        raise UserError(f"cannot draw {len(chosen)} networks; give 1 to {MOST_NETS}.")
    most = min(MOST_LAYERS, MOST_IN_ALL // len(chosen) - 1)
    return [_net(name, net, size, most) for name, net in chosen.items()]


def _net(name: str, layers: Any, size: int, most: int) -> Net:
    from torch import nn

    if isinstance(layers, Sequence) and layers and isinstance(layers[0], nn.Module):
        layers = nn.Sequential(*layers)
    if isinstance(layers, nn.Module):
        from ._rf_module import stages_of_module

        stages, total = stages_of_module(layers, size, most)
        return Net(name, [_input(size), *stages], total, measured=True)
    chain = _chain(layers)
    kept = thin(range(len(chain)), most)
    return Net(name, [_input(size), *_stages(chain, kept, size)], len(chain))


def _chain(layers: Any) -> list[Layer]:
    """Return the layers as four whole numbers each."""
    wish = "give a list of (kernel, stride, padding, dilation), or an nn.Module"
    if isinstance(layers, (str, Mapping)) or not isinstance(layers, Sequence) or not layers:
        raise UserError(f"cannot draw {layers!r} as a network; {wish}.")
    chain = []
    for layer in layers:
        try:
            given = tuple(operator.index(n) for n in layer)
            kernel, stride, padding, dilation = (*given, *(1, 1, 0, 1)[len(given) :])
        except (TypeError, ValueError) as error:
            raise UserError(f"cannot draw the layer {layer!r}; {wish}.") from error
        if min(kernel, stride, dilation) < 1 or padding < 0 or not given:
            raise UserError(
                f"cannot draw the layer {layer!r}: kernel, stride and dilation start at 1, "
                "padding at 0."
            )
        chain.append((kernel, stride, padding, dilation))
    return chain


def thin(layers: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of them, evenly spread, with the first and the last.

    >>> thin(range(10), 4)
    [0, 3, 6, 9]
    """
    if len(layers) <= most:
        return list(layers)
    return [layers[i] for i in np.linspace(0, len(layers) - 1, most).round().astype(int)]


def _input(size: int) -> Stage:
    line = np.arange(size)
    heat = np.zeros((size, size))
    heat[size // 2, size // 2] = 1
    code = f"x = torch.randn(1, 3, {size}, {size})"
    middle = np.full((2, 2), size // 2)
    both = np.stack([line, line])
    return Stage(0, "input", code, (1, 1), (1, 1), (size, size), both, both, middle, heat)


def _stages(chain: list[Layer], kept: list[int], size: int) -> list[Stage]:
    """Stages of a chain: exact integers, and the exact expected squared gradient."""
    from lightcourse.analysis import chain_receptive_field

    found = chain_receptive_field(chain)
    widths = _widths(chain, size)
    stages = []
    for i in kept:
        kernel, stride, padding, dilation = chain[i]
        reach, jump, start = found[i]
        before = found[i - 1] if i else (1, 1, 0.0)
        width = widths[i + 1]
        unit = np.clip(np.rint((np.arange(size) - start) / jump), 0, width - 1)
        first = round(start - (reach - 1) / 2)
        low = np.stack([first + unit.astype(int) * jump] * 2)
        middle = first + width // 2 * jump
        line = expected_gradient(chain[: i + 1], size)
        stages.append(
            Stage(
                number=i + 1, name=_name(kernel, stride, dilation),
                code=_line(kernel, stride, padding, dilation),
                size=(reach, reach), jump=(jump, jump), map=(width, width),
                low=low, high=low + reach - 1,
                middle=np.array([[middle, middle + reach - 1]] * 2), heat=np.outer(line, line),
                step=Step(kernel, stride, dilation, before[0], before[1]),
            )
        )  # fmt: skip
    return stages


def _widths(chain: Sequence[Layer], size: int) -> list[int]:
    widths = [size]
    for depth, (kernel, stride, padding, dilation) in enumerate(chain, 1):
        widths.append((widths[-1] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)
        if widths[-1] < 1:
            raise UserError(
                f"layer {depth} leaves nothing of a {size} px picture; give a larger size."
            )
    return widths


def _name(kernel: int, stride: int, dilation: int) -> str:
    extra = (f" s{stride}" if stride > 1 else "") + (f" d{dilation}" if dilation > 1 else "")
    return f"{kernel}×{kernel}{extra}"


def _line(kernel: int, stride: int, padding: int, dilation: int) -> str:
    options = {"stride": (stride, 1), "padding": (padding, 0), "dilation": (dilation, 1)}
    given = "".join(f", {name}={v}" for name, (v, usual) in options.items() if v != usual)
    return f"nn.Conv2d(c, c, {kernel}{given})"


def expected_gradient(chain: Sequence[Layer], size: int) -> np.ndarray:
    """Return E[(dy/dx)²] of the middle unit along one axis, shape (size,), sum 1.

    Squares of independent zero-mean weights add up without cross terms, so each layer spreads the
    mass evenly over its taps; rows and columns separate (Luo et al. 2016, section 2).

    >>> expected_gradient([(3, 1, 1, 1)] * 2, 5).round(3).tolist()
    [0.111, 0.222, 0.333, 0.222, 0.111]
    """
    widths = _widths(chain, size)
    mass = np.zeros(widths[-1])
    mass[widths[-1] // 2] = 1
    for (kernel, stride, padding, dilation), width in zip(chain[::-1], widths[-2::-1], strict=True):
        before = np.zeros(width)
        for tap in range(kernel):
            place = np.arange(len(mass)) * stride - padding + tap * dilation
            inside = (place >= 0) & (place < width)
            np.add.at(before, place[inside], mass[inside] / kernel)
        mass = before
    return mass / (mass.sum() or 1)  # nothing is left where every tap lies in the padding
