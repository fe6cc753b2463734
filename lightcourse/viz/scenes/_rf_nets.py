"""The numbers of the receptive-field scene: what each layer of each network sees of the picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lightcourse.errors import UserError

SHARES = (0.95, 0.8, 0.5)  # of the influence; the views after the theory
MOST_LAYERS, MOST_NETS = 12, 6
SAMPLES = 4  # random inputs for the effective field of a learner's own module

Chain = Sequence[Sequence[int]]


def conv(kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int, int, int]:
    """A layer with "same" padding: (kernel, stride, padding, dilation)."""
    return kernel, stride, (kernel - 1) * dilation // 2, dilation


DEFAULT: dict[str, list[tuple[int, int, int, int]]] = {
    "plain 3×3": [conv(3)] * 8,
    "slow ↓": [conv(3, 1 + (i in (2, 5, 7))) for i in range(8)],
    "fast ↓": [conv(3, 1 + (i < 3)) for i in range(8)],
    "dilated": [conv(3, 1, d) for d in (1, 2, 4, 8, 1, 1, 1, 1)],
    "7×7": [conv(7)] * 4,
}


@dataclass(frozen=True)
class Stage:
    """One layer: what a unit of it sees, and how strongly.

    low, high are the first and last input row or column, (2, size) for the unit nearest to each
    input pixel, axis 0 rows; heat is the middle unit's squared gradient, (size, size), sum 1.
    """

    name: str
    code: str
    size: tuple[int, int]
    jump: tuple[int, int]
    map: tuple[int, int]
    low: np.ndarray
    high: np.ndarray
    heat: np.ndarray
    growth: tuple[int, int] | None = None  # (kernel - 1) * dilation and the jump before


def stages_of(layers: Any, size: int) -> list[Stage]:
    """Return the input and every layer to show, of a chain of tuples or of an `nn.Module`.

    Raises:
        UserError: nothing to show, or more than can be drawn.
    """
    from torch import nn

    if isinstance(layers, nn.Module):
        return [_input(size), *_of_module(layers, size)]
    chain = [(*layer, *(1, 1, 0, 1)[len(layer) :]) for layer in layers]
    if not 1 <= len(chain) <= MOST_LAYERS:
        raise UserError(f"cannot draw {len(chain)} layers; give 1 to {MOST_LAYERS}.")
    return [_input(size), *_of_chain(chain, size)]


def named(layers: Any) -> dict[str, Any]:
    """Return `{name: network}` for None, a chain, a module, or a dictionary of these."""
    from torch import nn

    if layers is None:
        return dict(DEFAULT)
    if isinstance(layers, nn.Module):
        return {type(layers).__name__: layers}
    if isinstance(layers, Mapping):
        if not 1 <= len(layers) <= MOST_NETS:
            raise UserError(f"cannot draw {len(layers)} networks; give 1 to {MOST_NETS}.")
        return {str(name): net for name, net in layers.items()}
    if isinstance(layers, Sequence) and not isinstance(layers, str):
        return {"your net": layers}
    raise UserError(
        f"cannot draw a {type(layers).__name__}; give a list of (kernel, stride, padding, dilation)"
        ", an nn.Module, or a dictionary of these."
    )


def _input(size: int) -> Stage:
    line = np.arange(size)
    heat = np.zeros((size, size))
    heat[size // 2, size // 2] = 1
    both = np.stack([line, line])
    return Stage("input", f"x.shape   # (1, 3, {size}, {size})", (1, 1), (1, 1), (size, size),
                 both, both, heat)  # fmt: skip


def _of_chain(chain: list[tuple[int, ...]], size: int) -> list[Stage]:
    """Stages of a chain: exact integers, and the exact expected squared gradient."""
    from lightcourse.analysis import chain_receptive_field

    stages, width, jump = [], size, 1
    for depth, (kernel, stride, padding, dilation) in enumerate(chain, 1):
        width = (width + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        if width < 1:
            raise UserError(f"layer {depth} leaves nothing of a {size} px picture; make it larger.")
        reach, step, start = chain_receptive_field(chain[:depth])[-1]
        unit = np.clip(np.rint((np.arange(size) - start) / step), 0, width - 1)
        low = start + unit * step - (reach - 1) / 2
        both = np.stack([low, low])
        line = _expected_gradient(chain[:depth], size)
        stages.append(
            Stage(
                name=_name(kernel, stride, dilation),
                code=_line(kernel, stride, padding, dilation),
                size=(reach, reach), jump=(step, step), map=(width, width),
                low=both, high=both + reach - 1, heat=np.outer(line, line),
                growth=((kernel - 1) * dilation, jump),
            )
        )  # fmt: skip
        jump = step
    return stages


def _name(kernel: int, stride: int, dilation: int) -> str:
    extra = (f" s{stride}" if stride > 1 else "") + (f" d{dilation}" if dilation > 1 else "")
    return f"{kernel}×{kernel}{extra}"


def _line(kernel: int, stride: int, padding: int, dilation: int) -> str:
    options = {"stride": (stride, 1), "padding": (padding, 0), "dilation": (dilation, 1)}
    given = "".join(f", {name}={v}" for name, (v, usual) in options.items() if v != usual)
    return f"nn.Conv2d(c, c, {kernel}{given})"


def _expected_gradient(chain: Sequence[tuple[int, ...]], size: int) -> np.ndarray:
    """E[(dy/dx)²] of the middle unit along one axis, for independent zero-mean weights.

    Squares of independent weights add up without cross terms, so each layer spreads the mass
    evenly over its taps; rows and columns separate (Luo et al. 2016, section 2).
    """
    widths = [size]
    for kernel, stride, padding, dilation in chain:
        widths.append((widths[-1] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1)
    mass = np.zeros(widths[-1])
    mass[widths[-1] // 2] = 1
    for (kernel, stride, padding, dilation), width in zip(chain[::-1], widths[-2::-1], strict=True):
        before = np.zeros(width)
        for tap in range(kernel):
            place = np.arange(len(mass)) * stride - padding + tap * dilation
            inside = (place >= 0) & (place < width)
            np.add.at(before, place[inside], mass[inside] / kernel)
        mass = before
    return mass / mass.sum()


def _of_module(model: Any, size: int) -> list[Stage]:
    """Stages of the layers at which the field of a learner's own network grows."""
    from lightcourse.analysis import trace
    from lightcourse.analysis.receptive_field import Fields

    fields = Fields(trace(model, (1, _in_channels(model), size, size)))
    rows = _growing_rows(fields)
    if not rows:
        raise UserError(
            f"no layer of {type(model).__name__} widens the receptive field on a map (N, C, H, W); "
            "pass the convolutional part of the network."
        )
    heats = _measured(model, [fields.trace.rows[i].name for i in rows], size)
    return [_stage(fields, i, size, heats[fields.trace.rows[i].name]) for i in rows]


def _in_channels(model: Any) -> int:
    first = next((m for m in model.modules() if hasattr(m, "in_channels")), None)
    return getattr(first, "in_channels", 3)


def _growing_rows(fields: Any) -> list[int]:
    """Rows of modules, still maps, whose size or stride differs from the row before; at most 12."""
    modules, found, last = set(), [], None
    for i, (row, field) in enumerate(zip(fields.trace.rows, fields.all, strict=True)):
        if field is None or len(fields.unit_dims(i)) < 2 or row.name in modules:
            continue
        local = field.local or field
        if local.is_global or (local.size, local.stride) == last or not row.kind[:1].isupper():
            continue
        modules.add(row.name)
        found.append(i)
        last = (local.size, local.stride)
    if len(found) > MOST_LAYERS:
        found = [found[k] for k in np.linspace(0, len(found) - 1, MOST_LAYERS).round().astype(int)]
    return found


def _stage(fields: Any, index: int, size: int, heat: np.ndarray) -> Stage:
    row = fields.trace.rows[index]
    shape = fields.trace.shape(row.output)
    field = fields.all[index].local or fields.all[index]
    ends = []
    for axis in (0, 1):
        count = shape[2 + axis]
        units = [(u, shape[3] // 2) if axis == 0 else (shape[2] // 2, u) for u in range(count)]
        low, high = fields.intervals(index, units, local=True)
        low, high = np.asarray(low)[:, axis], np.asarray(high)[:, axis]
        nearest = np.abs((low + high)[None] / 2 - np.arange(size)[:, None]).argmin(1)
        ends.append((low[nearest], high[nearest]))
    (top, bottom), (left, right) = ends
    return Stage(
        name=f"{row.name} {row.kind}"[-24:], code=f"model.{row.name}   # {row.kind}",
        size=(int(field.size[0]), int(field.size[1])),
        jump=(round(float(field.stride[0])) or 1, round(float(field.stride[1])) or 1),
        map=(shape[2], shape[3]), low=np.stack([top, left]), high=np.stack([bottom, right]),
        heat=heat,
    )  # fmt: skip


def _measured(model: Any, names: list[str], size: int) -> dict[str, np.ndarray]:
    """Mean squared gradient of the middle unit of each named module, by autograd."""
    import torch

    from lightcourse.analysis._state import untouched

    kept: dict[str, Any] = {}
    totals = {name: np.zeros((size, size)) for name in names}
    generator = torch.Generator().manual_seed(0)
    with untouched(model), torch.enable_grad():
        hooks = [
            model.get_submodule(name.split("#")[0]).register_forward_hook(
                lambda _m, _i, out, name=name: kept.setdefault(name, out)
            )
            for name in names
        ]
        try:
            for _ in range(SAMPLES):
                kept.clear()
                x = torch.randn(1, _in_channels(model), size, size, generator=generator)
                model(x.requires_grad_())
                for name in names:
                    totals[name] += _squared_gradient(kept[name], x, generator)
        finally:
            for hook in hooks:
                hook.remove()
    return {name: total / (total.sum() or 1) for name, total in totals.items()}


def _squared_gradient(out: Any, x: Any, generator: Any) -> np.ndarray:
    import torch

    middle = out[0, :, out.shape[2] // 2, out.shape[3] // 2]
    signs = torch.randn(len(middle), generator=generator)  # fixed signs could cancel
    (gradient,) = torch.autograd.grad((middle * signs).sum(), x, retain_graph=True)
    return gradient.double().square().sum((0, 1)).numpy()
