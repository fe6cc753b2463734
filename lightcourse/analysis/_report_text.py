"""How a report writes its numbers: aligned tables, byte counts and receptive fields in words."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lightcourse.analysis._fields import ReceptiveField
from lightcourse.analysis._kinds import KindShare

if TYPE_CHECKING:
    from lightcourse.analysis.report import Layer, Report

WIDTH = 130  # characters; longer names of layers lose their front
HEADS = (
    "name", "kind", "output shape", "params", "MACs", "memory", "FLOP/B", "receptive field",
    "stride",
)  # fmt: skip
_NUMBERS = frozenset((3, 4, 5, 6))  # columns that end where their heading ends
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_bytes(count: float) -> str:
    """Return bytes in decimal units with three digits.

    >>> human_bytes(864), human_bytes(10_437_376)
    ('864 B', '10.4 MB')
    """
    unit, value = 0, float(count)
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {_UNITS[unit]}"


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as Python writes a tuple, without the comma of a single number."""
    return "(" + ", ".join(str(n) for n in shape) + ")"


def intensity_text(flops_per_byte: float) -> str:
    """Return FLOPs per byte with about three digits; nothing where nothing multiplies."""
    if not flops_per_byte:
        return "-"
    return f"{flops_per_byte:.{0 if flops_per_byte >= 100 else 1 if flops_per_byte >= 10 else 2}f}"


def field_text(rf: ReceptiveField | None) -> str:
    """Return a receptive field short enough for a column."""
    if rf is None:
        return "-"
    if rf.is_global:
        return f"whole, local {rf.local}" if rf.local else "whole image"
    return str(rf)


def stride_text(rf: ReceptiveField | None) -> str:
    """Return the stride in pixels; nothing where the output has no places left."""
    if rf is None or not all(math.isfinite(n) for n in rf.stride):
        return "-"
    sizes = rf.stride[:1] if len(set(rf.stride)) == 1 else rf.stride
    return "×".join(f"{n:g}" for n in sizes)


def cells(layer: "Layer") -> tuple[str, ...]:
    """Return one row of the table as text."""
    rf = layer.receptive_field
    return (
        layer.name,
        layer.kind,
        shape_text(layer.output_shape),
        f"{layer.params:,}",
        ("≥ " if layer.unknown else "") + f"{layer.macs:,}",
        human_bytes(layer.memory_access),
        intensity_text(layer.intensity),
        field_text(rf),
        stride_text(rf),
    )


def table(layers: Sequence["Layer"]) -> list[str]:
    """Return the lines of an aligned table of layers, at most `WIDTH` wide where names allow."""
    rows = [HEADS, *(cells(layer) for layer in layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    room = WIDTH - sum(widths[1:]) - 2 * (len(HEADS) - 1)
    widths[0] = max(min(widths[0], room), 12)
    lines = ["  ".join("-" * width for width in widths)]
    for row in rows:
        aligned = [
            _fit(cell, width).rjust(width) if i in _NUMBERS else _fit(cell, width).ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(aligned).rstrip())
    return [lines[1], lines[0], *lines[2:]]


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[len(text) - width + 1 :]


def shares_text(shares: Sequence[KindShare], what: str, most: int = 5) -> str:
    """Return the largest shares of `macs`, `params` or `memory_access` in words.

    >>> shares_text([KindShare("linear", 1, 10, 3, 8), KindShare("pooling", 1, 0, 1, 8)], "macs")
    'linear 75 %, pooling 25 %'
    """
    total = sum(getattr(share, what) for share in shares)
    ranked = sorted(shares, key=lambda share: -getattr(share, what))
    parts = [
        f"{share.kind} {percent(getattr(share, what), total)}"
        for share in ranked[:most]
        if getattr(share, what)
    ]
    return ", ".join(parts)


def percent(part: float, whole: float) -> str:
    """Return a share in whole per cent; a small one keeps its first digit."""
    share = 100 * part / whole if whole else 0.0
    if part and share < 0.95:
        return f"{share:.1f} %" if share >= 0.05 else "< 0.1 %"
    return f"{share:.0f} %"


def totals(report: "Report") -> list[str]:
    """Return the closing lines of a report: totals, shares, and what is not known."""
    bound = "≥ " if report.unknown else ""
    field, shares = report.receptive_field, report.by_kind()
    inputs = " and ".join(shape_text(s) for s in report.input_shapes)
    lines = [
        f"{report.name}: input {inputs}, output {shape_text(report.output_shape)}",
        f"params {report.params:,}   MACs {bound}{report.macs:,} (FLOPs = 2 × MACs)"
        + ("" if field is None else f"   receptive field {field}"),
        f"memory access {human_bytes(report.memory_access)} (read {human_bytes(report.read)}, "
        f"written {human_bytes(report.written)})   intensity {bound}{report.intensity:.3g} FLOP/B",
        f"peak activation {human_bytes(report.peak_activation)}, "
        f"{human_bytes(report.peak_activation_fused)} with batch norm folded and activations "
        "in place",
    ]
    for title, what in (("MACs", "macs"), ("memory access", "memory_access")):
        words = shares_text(shares, what)
        if words:
            lines.append(f"{title} by kind: {words}")
    return lines + _notes(report)


def _notes(report: "Report") -> list[str]:
    lines = []
    if report.unused_params:
        lines.append(f"{report.unused_params:,} of the params were not read in this forward pass")
    apart = report.memory_access - sum(layer.memory_access for layer in report.layers)
    if apart:
        lines.append(f"{human_bytes(apart)} of the memory access fill tensors outside of any layer")
    if report.unknown:
        names = ", ".join(f"{u.name} ×{u.count}" for u in report.unknown)
        lines.append(f"no cost formula for {names}: the MACs are a lower bound")
    if report.unknown_receptive_field:
        names = ", ".join(report.unknown_receptive_field)
        lines.append(f"no receptive-field rule for {names}: counted as the whole image")
    return lines
