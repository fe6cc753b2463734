"""The receptive-field scene of a learner's own network: intervals by trace, heat by autograd."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any

import numpy as np

from lightcourse.errors import UserError

from ._rf_nets import Stage, thin

# the map is still whole after them
RESHAPES = {"flatten", "view", "_unsafe_view", "reshape", "copy"}
SAMPLES = 8  # random inputs for the measured field


def stages_of_module(model: Any, size: int, most: int) -> tuple[list[Stage], int]:
    """Return the layers at which a unit's field or jump changes, at most `most`, and how many do.

    Raises:
        UserError: no layer of the network has a map on which the field grows.
    """
    from lightcourse.analysis.receptive_field import Fields

    recorded, channels = _record(model, size)
    fields = Fields(recorded)
    rows = [i for i in range(len(fields.trace.rows)) if _is_map(fields, i)]
    changing = [i for k, i in enumerate(rows) if _changes(fields, rows, k)]
    taps = {i: tap for i in changing if (tap := _tap(fields, i)) is not None}
    if not taps:
        raise UserError(
            f"no layer of {type(model).__name__} widens the receptive field on a map (N, C, H, W); "
            "pass the convolutional part of the network."
        )
    kept = thin(list(taps), most)
    shapes = {i: _shape(fields, i) for i in kept}
    heats = _measure(model, {i: taps[i] for i in kept}, shapes, (1, channels, size, size))
    numbers = {i: n for n, i in enumerate(changing, 1)}
    modules = dict(model.named_modules())
    stages = [_stage(fields, i, numbers[i], modules, size, heats[i]) for i in kept]
    return stages, len(changing)


def _record(model: Any, size: int) -> tuple[Any, int]:
    """Return the trace, and the number of input channels with which the network runs."""
    from lightcourse.analysis import trace

    asked = [getattr(module, "in_channels", None) for module in model.modules()]
    first: UserError | None = None
    for channels in dict.fromkeys([*asked[:9], 3, 1]):
        if isinstance(channels, int):
            try:
                return trace(model, (1, channels, size, size)), channels
            except UserError as error:
                first = first or error
    raise UserError(f"{type(model).__name__} does not run on a {size} px picture. {first}")


def _local(fields: Any, row: int) -> Any:
    """The field without global paths (squeeze-and-excite), where there is one."""
    field = fields.all[row]
    return field and (field.local or field)


def _shape(fields: Any, row: int) -> tuple[int, ...]:
    return fields.trace.shape(fields.trace.rows[row].output)


def _is_map(fields: Any, row: int) -> bool:
    field, output = _local(fields, row), fields.trace.rows[row].output
    if field is None or output is None or field.is_global:
        return False
    shape = fields.trace.shape(output)
    return len(shape) == 4 and fields.unit_dims(row) == (2, 3)


def _key(fields: Any, row: int) -> tuple:
    field = _local(fields, row)
    return field.size, field.stride


def _changes(fields: Any, rows: list[int], place: int) -> bool:
    before = _key(fields, rows[place - 1]) if place else ((1, 1), (1, 1))
    return _key(fields, rows[place]) != before


def _tap(fields: Any, row: int) -> tuple[str, int, str] | None:
    """Where autograd can read a row's map: (module, which call, "out" or "in").

    A functional call has no module; its map is read where the next module takes it in, perhaps
    flattened, as long as nothing in between changed the field.
    """
    rows, key = fields.trace.rows, _key(fields, row)
    if rows[row].kind[:1].isupper():
        return (*_call(rows[row].name), "out")

    def whole(value: int) -> bool:
        return prod(fields.trace.shape(value)) == prod(_shape(fields, row))

    for later in rows[row + 1 :]:
        if later.kind[:1].isupper():
            taken = (v for i in later.ops for v in fields.trace.ops[i].inputs)
            return (*_call(later.name), "in") if any(map(whole, taken)) else None
        index = rows.index(later)
        if later.kind not in RESHAPES and not (
            _is_map(fields, index) and _key(fields, index) == key
        ):
            return None
    return ("", 0, "out") if whole(fields.trace.outputs[0]) else None


def _call(name: str) -> tuple[str, int]:
    """A row's name as module and call: "conv#2" is the second call of conv."""
    module, _, call = name.partition("#")
    return module, int(call or 1) - 1


def _stage(
    fields: Any, index: int, number: int, modules: dict[str, Any], size: int, heat: np.ndarray
) -> Stage:
    row, field = fields.trace.rows[index], _local(fields, index)
    shape = _shape(fields, index)
    spans, middle = [], []
    for axis in (0, 1):
        line = range(shape[2 + axis])
        units = [(u, shape[3] // 2) if axis == 0 else (shape[2] // 2, u) for u in line]
        box = fields.intervals(index, units, local=True)
        low, high = (np.asarray(ends)[:, axis].astype(int) for ends in box)
        nearest = np.abs((low + high)[None] / 2 - np.arange(size)[:, None]).argmin(1)
        spans.append((low[nearest], high[nearest]))
        here = shape[2 + axis] // 2
        middle.append((low[here], high[here]))
    (top, bottom), (left, right) = spans
    path, call = _call(row.name)
    said = str(modules.get(path, row.kind)).split("\n")[0]
    named = f'model.get_submodule("{path}")   # {said}' if path in modules else f"# {said}"
    named += f", call {call + 1}" if call else ""
    return Stage(
        number=number, name=row.name, code=named,
        size=(int(field.size[0]), int(field.size[1])),
        jump=(_jump(field.stride[0]), _jump(field.stride[1])), map=(shape[2], shape[3]),
        low=np.stack([top, left]), high=np.stack([bottom, right]),
        middle=np.array(middle), heat=heat,
    )  # fmt: skip


def _jump(stride: float) -> float:
    return float(stride) if np.isfinite(stride) else 1.0


def _measure(
    model: Any,
    taps: dict[int, tuple[str, int, str]],
    shapes: dict[int, tuple[int, ...]],
    picture: tuple[int, ...],
) -> dict[int, np.ndarray]:
    """Mean squared gradient of the middle unit of each tapped map, each (size, size), sum 1."""
    import torch

    from lightcourse.analysis._state import untouched

    totals = {i: np.zeros(picture[2:]) for i in taps}
    generator = torch.Generator().manual_seed(0)
    like = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
    with untouched(model), torch.inference_mode(False), torch.enable_grad():
        buffers = {name: b.clone() for name, b in model.named_buffers()}
        for _ in range(SAMPLES):
            x = torch.randn(picture, generator=generator).to(like)
            x = x.detach().requires_grad_(True)
            with _listening(model, {name for name, _, _ in taps.values()}) as kept:
                torch.func.functional_call(model, buffers, (x,))
            for i, tap in taps.items():
                totals[i] += _squared_gradient(kept.get(tap), shapes[i], x, generator)
    return {i: total / (total.sum() or 1) for i, total in totals.items()}


@contextmanager
def _listening(model: Any, names: set[str]) -> Iterator[dict[tuple[str, int, str], Any]]:
    """Keep what goes in and out of the named modules, by (name, call, side)."""
    from torch import Tensor
    from torch.utils._pytree import tree_leaves

    kept: dict[tuple[str, int, str], Any] = {}
    modules = dict(model.named_modules())

    def keep(name: str, side: str, values: Any) -> None:
        first = next((t for t in tree_leaves(values) if isinstance(t, Tensor)), None)
        call = sum(1 for n, _, s in kept if (n, s) == (name, side))
        # a clone, for the next layer may change its input in place
        kept[name, call, side] = None if first is None else first.clone()

    with ExitStack() as hooks:
        for name in names:
            module = modules.get(name, model)  # a model that is one layer goes by its class
            before = lambda _m, values, name=name: keep(name, "in", values)  # noqa: E731
            after = lambda _m, _i, out, name=name: keep(name, "out", out)  # noqa: E731
            hooks.callback(module.register_forward_pre_hook(before).remove)
            hooks.callback(module.register_forward_hook(after).remove)
        yield kept


def _squared_gradient(out: Any, shape: tuple[int, ...], x: Any, generator: Any) -> np.ndarray:
    """Sum over channels of the squared gradient of the middle unit in a random direction."""
    import torch

    nothing = np.zeros(tuple(x.shape[2:]))
    if out is None or not out.requires_grad:  # the model cuts the gradient off
        return nothing
    middle = out.reshape(shape)[0, :, shape[2] // 2, shape[3] // 2]
    signs = torch.randn(len(middle), generator=generator).to(middle)  # fixed signs could cancel
    (gradient,) = torch.autograd.grad(
        (middle * signs).sum(), x, retain_graph=True, allow_unused=True
    )
    return nothing if gradient is None else gradient.double().square().sum((0, 1)).cpu().numpy()
