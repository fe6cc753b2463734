"""Which dimensions of every value run over the image: they move when a layer permutes."""

from lightcourse.analysis._boxes import Call, view_groups
from lightcourse.analysis._records import Op, Trace
from lightcourse.analysis._rules_views import order_of


def image_dims(trace: Trace, *, inner: bool = False) -> list[tuple[int, ...]]:
    """Return, for each value, the dimensions that run over the image's rows and columns.

    Where a view cuts a dimension into blocks, the number of the block runs over the image and the
    place in the block does not; `inner` counts both.
    """
    dims: list[tuple[int, ...]] = [()] * len(trace.values)
    for value in trace.inputs:
        dims[value] = tuple(range(2, len(trace.shape(value))))
    for op in trace.ops:
        for position, out in enumerate(op.outputs):
            dims[out] = _out_dims(Call(trace, dims, op, position), inner)
    return dims


def _out_dims(call: Call, inner: bool) -> tuple[int, ...]:
    op, dims, out = call.op, call.spatial, call.out_shape()
    sources = [r for r in op.inputs if dims[r]]
    if not sources:
        return ()
    x = sources[0]
    old, mine = call.shape(x), dims[x]
    if op.name in _VIEWS:
        return _view(call, x, inner)
    rule = _RULES.get(op.name.removesuffix("_"))
    if rule is not None:
        return rule(call, op, x)
    if op.name in ("mm", "bmm", "addmm", "baddbmm"):
        a, b = op.args[-2:] if op.name in ("mm", "bmm") else op.args[1:3]
        rows = [d for d in dims[a] if d < len(out) - 1]
        columns = [d for d in dims[b] if d != len(out) - 2]
        return tuple(sorted({*rows, *columns}))
    if len(out) == len(old):
        same = [r for r in sources if len(call.shape(r)) == len(out)]
        return tuple(sorted({d for r in same for d in dims[r]}))
    if len(out) == len(old) - 1 and isinstance(call.arg(1, "dim"), int):
        return _without(mine, call.arg(1, "dim") % len(old))
    reduced = call.arg(1, "dim")
    if isinstance(reduced, tuple) and len(out) == len(old) - len(reduced):
        for d in sorted((d % len(old) for d in reduced), reverse=True):
            mine = _without(mine, d)
        return mine
    skip = len(out) - len(old)
    return tuple(d + skip for d in mine if 0 <= d + skip < len(out))


def whole_linears(trace: Trace) -> dict[int, int]:
    """Find products that torch flattened: number of the closing view -> value that went in.

    F.linear on (N, H, W, C) runs as a product of (N·H·W, C); one range of flat indices cannot
    hold a window of rows and columns, so the walk steps over the three operators at once.
    """
    makers = {out: op for op in trace.ops for out in op.outputs}
    found: dict[int, int] = {}
    for op in trace.ops:
        if op.name not in ("view", "_unsafe_view"):
            continue
        product = makers.get(op.args[0])
        if product is None or product.name not in ("mm", "addmm"):
            continue
        flatten = makers.get(product.args[-2 if product.name == "mm" else 1])
        if flatten is None or flatten.name not in ("view", "_unsafe_view"):
            continue
        source = flatten.args[0]
        if trace.shape(source)[:-1] == trace.shape(op.outputs[0])[:-1]:
            found[op.index] = source
    return found


def _without(dims: tuple[int, ...], gone: int) -> tuple[int, ...]:
    return tuple(d - (d > gone) for d in dims if d != gone)


def _view(call: Call, x: int, inner: bool) -> tuple[int, ...]:
    mine = call.spatial[x]
    found = set()
    for olds, news in view_groups(call.shape(x), call.out_shape()):
        if any(d in mine for d in olds):
            found.update(news[:1] if len(olds) == 1 and not inner else news)
    return tuple(sorted(found))


def _permute(call: Call, op: Op, x: int) -> tuple[int, ...]:
    return tuple(d for d, source in enumerate(order_of(call)) if source in call.spatial[x])


def _select(call: Call, op: Op, x: int) -> tuple[int, ...]:
    return _without(call.spatial[x], call.arg(1, "dim", 0) % len(call.shape(x)))


def _stack(call: Call, op: Op, x: int) -> tuple[int, ...]:
    new = call.arg(1, "dim", 0) % len(call.out_shape())
    return tuple(d + (d >= new) for d in call.spatial[x])


def _unfold(call: Call, op: Op, x: int) -> tuple[int, ...]:
    mine = call.spatial[x]
    extra = (len(call.out_shape()) - 1,) if op.args[1] % len(call.shape(x)) in mine else ()
    return (*mine, *extra)


_VIEWS = ("view", "_unsafe_view", "_reshape_alias", "reshape", "unsqueeze", "squeeze")
_RULES = {
    **dict.fromkeys(("permute", "transpose", "t"), _permute),
    **dict.fromkeys(("select", "unbind"), _select),
    "stack": _stack,
    "unfold": _unfold,
    "im2col": lambda call, op, x: (len(call.out_shape()) - 1,),
}
