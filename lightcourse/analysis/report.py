"""The result of an analysis: exact numbers, printed as an aligned table or as HTML with bars."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

from lightcourse.analysis.cost import UnknownOp, ZeroOp
from lightcourse.analysis.receptive_field import Fields, ReceptiveField
from lightcourse.errors import UserError

_HEADS = ("name", "kind", "output shape", "params", "MACs", "receptive field")


@dataclass(frozen=True)
class Layer:
    """One row: a call of a leaf module, or an operator outside of any."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    params: int  # elements; a shared parameter counts where it is first used
    macs: int  # multiply-accumulates; a lower bound when `unknown` names operators
    unknown: tuple[str, ...] = ()
    _fields: Fields | None = field(default=None, repr=False, compare=False)
    _index: int = field(default=0, repr=False, compare=False)

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """The layer's receptive field; None where no image reaches it."""
        return None if self._fields is None else self._fields.all[self._index]


@dataclass(frozen=True)
class Report:
    """What a model costs and sees, in total and layer by layer."""

    name: str
    input_shapes: tuple[tuple[int, ...], ...]
    output_shape: tuple[int, ...]
    params: int  # elements of all parameters; a shared one counts once
    macs: int  # multiply-accumulates of one forward pass; FLOPs are twice as many
    layers: tuple[Layer, ...]
    unknown: tuple[UnknownOp, ...] = ()
    zero: tuple[ZeroOp, ...] = ()
    _fields: Fields | None = field(default=None, repr=False, compare=False)

    @cached_property
    def receptive_field(self) -> ReceptiveField | None:
        """The receptive field of the last map: the last layer that is not pooled into one whole."""
        if self._fields is None:
            return None
        for index in reversed(range(len(self.layers))):
            rf = self.layers[index].receptive_field
            if rf is None:
                continue
            is_map = len(self._fields.unit_dims(index)) == len(rf.size)
            if is_map and (not rf.is_global or rf.local is not None):
                return rf
        return self.layers[-1].receptive_field if self.layers else None

    @property
    def unused_params(self) -> int:
        """Elements of parameters that no layer of this forward pass read."""
        return self.params - sum(layer.params for layer in self.layers)

    @property
    def unknown_receptive_field(self) -> tuple[str, ...]:
        """Operators without a receptive-field rule; what follows them counts as global."""
        if self._fields is None:
            return ()
        _ = self._fields.all
        return tuple(sorted(self._fields.unknown))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data that json.dumps takes (infinity as the text 'inf')."""
        return {
            "name": self.name,
            "input_shapes": [list(s) for s in self.input_shapes],
            "output_shape": list(self.output_shape),
            "params": self.params,
            "macs": self.macs,
            "macs_is_lower_bound": bool(self.unknown),
            "receptive_field": _field_dict(self.receptive_field),
            "layers": [
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "output_shape": list(layer.output_shape),
                    "params": layer.params,
                    "macs": layer.macs,
                    "receptive_field": _field_dict(layer.receptive_field),
                }
                for layer in self.layers
            ],
            "unknown": [
                {"name": u.name, "count": u.count, "modules": list(u.modules)} for u in self.unknown
            ],
            "zero": [{"name": z.name, "count": z.count, "reason": z.reason} for z in self.zero],
        }

    def to_pandas(self) -> Any:
        """Return the layers as a pandas DataFrame, one row each."""
        try:
            import pandas
        except ImportError as error:
            raise UserError(
                "to_pandas needs pandas; install it with: pip install pandas"
            ) from error
        rows = []
        for layer in self.layers:
            rf = layer.receptive_field
            rows.append(
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "output_shape": layer.output_shape,
                    "params": layer.params,
                    "macs": layer.macs,
                    "receptive_field": None if rf is None else rf.size,
                    "stride": None if rf is None else rf.stride,
                }
            )
        return pandas.DataFrame(rows)

    def __str__(self) -> str:
        rows = [_HEADS, *(_cells(layer) for layer in self.layers)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS))]
        lines = []
        for row in rows:
            cells = [
                cell.rjust(width) if i in (3, 4) else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, "", *self._totals()])

    def _totals(self) -> list[str]:
        bound = "≥ " if self.unknown else ""
        lines = [
            f"{self.name}: input {' and '.join(_shape(s) for s in self.input_shapes)}, "
            f"output {_shape(self.output_shape)}",
            f"params {self.params:,}   MACs {bound}{self.macs:,} (FLOPs = 2 × MACs)"
            + (
                "" if self.receptive_field is None else f"   receptive field {self.receptive_field}"
            ),
        ]
        if self.unused_params:
            lines.append(f"{self.unused_params:,} of the params were not read in this forward pass")
        if self.unknown:
            names = ", ".join(f"{u.name} ×{u.count}" for u in self.unknown)
            lines.append(f"no cost formula for {names}: the MACs are a lower bound")
        if self.unknown_receptive_field:
            names = ", ".join(self.unknown_receptive_field)
            lines.append(f"no receptive-field rule for {names}: counted as the whole image")
        return lines

    def _repr_html_(self) -> str:
        most = max((layer.macs for layer in self.layers), default=0) or 1
        heaviest = max((layer.params for layer in self.layers), default=0) or 1
        head = "".join(f"<th scope='col'>{h}</th>" for h in _HEADS)
        body = []
        for layer in self.layers:
            cells = [f"<td>{escape(cell)}</td>" for cell in _cells(layer)]
            cells[3] = _bar(layer.params, heaviest, _cells(layer)[3])
            cells[4] = _bar(layer.macs, most, _cells(layer)[4])
            body.append(f"<tr>{''.join(cells)}</tr>")
        totals = "<br>".join(escape(line) for line in self._totals())
        return (
            f"<style>{_CSS}</style><div class='lightcourse-report'><p>{totals}</p>"
            f"<div><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
            "</div></div>"
        )


_CSS = (
    ".lightcourse-report>div{max-height:30em;overflow:auto}"
    ".lightcourse-report table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".lightcourse-report th{position:sticky;top:0;background:Canvas}"
    ".lightcourse-report th,.lightcourse-report td{padding:.15em .7em .25em;"
    "text-align:left!important}"  # notebooks align all cells to the right
    # a thin bar below the digits: nothing stands behind them
    ".lightcourse-report td.n{text-align:right!important;background-repeat:no-repeat;"
    "background-image:linear-gradient(#56b4e9,#56b4e9);background-position:left bottom}"
)


def _bar(value: int, most: int, text: str) -> str:
    share = 100 * value / most
    return f"<td class='n' style='background-size:{share:.1f}% 3px'>{escape(text)}</td>"


def _cells(layer: Layer) -> tuple[str, ...]:
    rf = layer.receptive_field
    return (
        layer.name,
        layer.kind,
        _shape(layer.output_shape),
        f"{layer.params:,}",
        ("≥ " if layer.unknown else "") + f"{layer.macs:,}",
        "-" if rf is None else str(rf),
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(str(n) for n in shape) + ")"


def _field_dict(rf: ReceptiveField | None) -> dict[str, Any] | None:
    if rf is None:
        return None
    return {
        "size": [_plain(n) for n in rf.size],
        "stride": [_plain(n) for n in rf.stride],
        "start": list(rf.start),
        "center": list(rf.center),
        "is_global": rf.is_global,
        "local": _field_dict(rf.local),
    }


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else "inf"
