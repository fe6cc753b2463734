"""The receptive-field scene of a learner's own network: intervals by trace, heat by autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lightcourse.errors import UserError

from ._rf_nets import Stage, thin

SAMPLES = 8  # random inputs for the measured field


def stages_of_module(model: Any, size: int, most: int) -> tuple[list[Stage], int]:
    """Return the layers at which a unit's field or jump changes, at most `most`, and how many do.

    Raises:
        UserError: no layer of the network has a map on which the field grows.
    """
    from lightcourse.analysis import trace
    from lightcourse.analysis.receptive_field import Fields

    channels = _in_channels(model)
    fields = Fields(trace(model, (1, channels, size, size)))
    rows = [i for i in range(len(fields.trace.rows)) if _is_map(fields, i)]
    changing = [i for k, i in enumerate(rows) if _changes(fields, rows, k)]
    taps = {i: tap for i in changing if (tap := _tap(fields, i)) is not None}
    if not taps:
        raise UserError(
            f"no layer of {type(model).__name__} widens the receptive field on a map (N, C, H, W); "
            "pass the convolutional part of the network."
        )
    kept = thin(list(taps), most)
    heats = _measure(model, {i: taps[i] for i in kept}, channels, size)
    numbers = {i: n for n, i in enumerate(changing, 1)}
    modules = dict(model.named_modules())
    stages = [_stage(fields, i, numbers[i], modules, size, heats[i]) for i in kept]
    return stages, len(changing)


def _in_channels(model: Any) -> int:
    first = next((m for m in model.modules() if hasattr(m, "in_channels")), None)
    return getattr(first, "in_channels", 3)


def _local(fields: Any, row: int) -> Any:
    """The field without global paths (squeeze-and-excite), where there is one."""
    field = fields.all[row]
    return field and (field.local or field)


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

    A functional call has no module; its map is read where the next module takes it in, as long as
    nothing in between changed the field.
    """
    rows = fields.trace.rows
    key, shape = _key(fields, row), fields.trace.shape(rows[row].output)
    if rows[row].kind[:1].isupper():
        return (*_call(rows[row].name), "out")
    for later in range(row + 1, len(rows)):
        source = fields.trace.ops[rows[later].ops[0]].inputs if rows[later].ops else ()
        if rows[later].kind[:1].isupper():
            same = any(fields.trace.shape(v) == shape for v in source)
            return (*_call(rows[later].name), "in") if same else None
        if not _is_map(fields, later) or _key(fields, later) != key:
            return None
    last = fields.trace.outputs[0]
    return ("", 0, "out") if fields.trace.shape(last) == shape else None


def _call(name: str) -> tuple[str, int]:
    """A row's name as module and call: "conv#2" is the second call of conv."""
    module, _, call = name.partition("#")
    return module, int(call or 1) - 1


def _stage(
    fields: Any, index: int, number: int, modules: dict[str, Any], size: int, heat: np.ndarray
) -> Stage:
    row, field = fields.trace.rows[index], _local(fields, index)
    shape = fields.trace.shape(row.output)
    ends, middle = [], []
    for axis in (0, 1):
        units = [(u, shape[3] // 2) if axis == 0 else (shape[2] // 2, u) for u in range(shape[2 + axis])]
        low, high = (np.asarray(e)[:, axis].astype(int) for e in fields.intervals(index, units, local=True))
        nearest = np.abs((low + high)[None] / 2 - np.arange(size)[:, None]).argmin(1)
        ends.append((low[nearest], high[nearest]))
        here = shape[2 + axis] // 2
        middle.append((low[here], high[here]))
    (top, bottom), (left, right) = ends
    module = modules.get(_call(row.name)[0])
    named = f"model.{row.name.partition('#')[0]}   # {module}" if module else f"# {row.name}"
    return Stage(
        number=number, name=row.name, code=named.split("\n")[0],
        size=(int(field.size[0]), int(field.size[1])),
        jump=(_jump(field.stride[0]), _jump(field.stride[1])), map=(shape[2], shape[3]),
        low=np.stack([top, left]), high=np.stack([bottom, right]),
        middle=np.array(middle), heat=heat,
    )  # fmt: skip


def _jump(stride: float) -> int:
    return max(1, round(float(stride))) if np.isfinite(stride) else 1


def _measure(
    model: Any, taps: dict[int, tuple[str, int, str]], channels: int, size: int
) -> dict[int, np.ndarray]:
    """Mean squared gradient of the middle unit of each tapped map, each (size, size), sum 1."""
    import torch

    from lightcourse.analysis._state import untouched

    totals = {i: np.zeros((size, size)) for i in taps}
    generator = torch.Generator().manual_seed(0)
    like = next(model.parameters(), torch.zeros(()))
    with untouched(model), torch.inference_mode(False), torch.enable_grad():
        kept: dict[tuple[str, int, str], Any] = {}
        handles = [
            handle
            for name in {name for name, _, _ in taps.values()}
            for handle in _listen(model.get_submodule(name), name, kept)
        ]
        try:
            for _ in range(SAMPLES):
                kept.clear()
                x = torch.randn(1, channels, size, size, generator=generator).to(like)
                x = x.detach().requires_grad_(True)
                model(x)
                for i, tap in taps.items():
                    totals[i] += _squared_gradient(kept[tap], x, generator)
        finally:
            for handle in handles:
                handle.remove()
    return {i: total / (total.sum() or 1) for i, total in totals.items()}


def _listen(module: Any, name: str, kept: dict) -> list[Any]:
    """Keep every input and output of a module, by (name, call, side)."""

    def keep(side: str) -> Callable:
        def hook(_module: Any, values: Any, *out: Any) -> None:
            value = out[0] if out else values[0]
            call = sum(1 for n, _, s in kept if (n, s) == (name, side))
            kept[name, call, side] = value

        return hook

    return [
        module.register_forward_pre_hook(keep("in")),
        module.register_forward_hook(keep("out")),
    ]


def _squared_gradient(out: Any, x: Any, generator: Any) -> np.ndarray:
    import torch

    middle = out[0, :, out.shape[2] // 2, out.shape[3] // 2]
    signs = torch.randn(len(middle), generator=generator).to(middle)  # fixed signs could cancel
    if not middle.requires_grad:  # the model cuts the gradient off: nothing to measure
        return np.zeros(x.shape[2:])
    (gradient,) = torch.autograd.grad((middle * signs).sum(), x, retain_graph=True)
    return gradient.double().square().sum((0, 1)).cpu().numpy()
