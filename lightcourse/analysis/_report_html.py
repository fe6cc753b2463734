"""A report as HTML: a tree of modules that folds without JavaScript, with a bar under a number."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from lightcourse.analysis import _report_text as text

if TYPE_CHECKING:
    from lightcourse.analysis.report import Layer, Report

HEADS = ("layer", "output shape", "params", "MACs", "memory", "FLOP/B", "receptive field", "stride")
_OPEN_ROWS = 24  # blocks stay open until about so many rows show

CSS = (
    ".lc-report{font-size:13px;line-height:1.35}"
    ".lc-report .lc-scroll{max-height:36em;overflow:auto;margin-top:.5em}"
    ".lc-report .lc-tree{min-width:66em;max-width:92em;font-variant-numeric:tabular-nums}"
    ".lc-report .lc-row{display:grid;grid-template-columns:"
    "minmax(17em,1fr) 10.5em 7em 8.5em 6.5em 5em 10.5em 4em;column-gap:.7em}"
    ".lc-report .lc-row>span{padding:.12em 0 .28em;white-space:nowrap;overflow:hidden;"
    "text-overflow:ellipsis}"
    ".lc-report .lc-head{position:sticky;top:0;z-index:1;font-weight:600;"
    "background:var(--jp-layout-color0,var(--lc-page,Canvas));"
    "border-bottom:1px solid rgba(127,127,127,.5)}"
    ".lc-report .n{text-align:right}"
    # a thin bar below the digits: nothing stands behind them
    ".lc-report .b{background:linear-gradient(#56b4e9,#56b4e9) left bottom/0 3px no-repeat}"
    ".lc-report i{opacity:.72;font-style:normal;margin-left:.6em}"
    ".lc-report details details,.lc-report details>.lc-row{margin:0}"
    ".lc-report summary{cursor:pointer;list-style:none;font-weight:600}"
    ".lc-report summary::-webkit-details-marker{display:none}"
    ".lc-report summary .lc-name::before{content:'▸';display:inline-block;width:1.1em}"
    ".lc-report details[open]>summary .lc-name::before{content:'▾'}"
    ".lc-report summary:hover{background-color:rgba(127,127,127,.14)}"
)


@dataclass
class Node:
    """A module or a layer in the tree: what all rows below it cost together."""

    name: str  # the last part of the path
    path: str
    layer: "Layer | None" = None
    children: "dict[str, Node]" = field(default_factory=dict)
    params: int = 0
    macs: int = 0
    memory_access: int = 0
    unknown: bool = False
    last: "Layer | None" = None  # what a block gives out is what its last row does

    def add(self, layer: "Layer") -> None:
        """Add the costs of a layer that stands somewhere below."""
        self.params += layer.params
        self.macs += layer.macs
        self.memory_access += layer.memory_access
        self.unknown |= bool(layer.unknown)
        self.last = layer


def grow(layers: Sequence["Layer"]) -> Node:
    """Sort layers into the tree of modules that their names spell."""
    root = Node("", "")
    for layer in layers:
        parts = layer.name.split(".")
        at = root
        at.add(layer)
        for depth, part in enumerate(parts, 1):
            key = part if depth < len(parts) else f"{part} "  # a layer never hides a module
            at = at.children.setdefault(key, Node(part, ".".join(parts[:depth])))
            at.add(layer)
        at.layer = layer
    return root


def report_html(report: "Report") -> str:
    """Return the whole report as one piece of HTML with its own style."""
    if report.order:
        root = Node("", "")
        for layer in report.layers:
            root.add(layer)
            leaf = root.children[layer.name] = Node(layer.name, layer.name, layer)
            leaf.add(layer)
    else:
        root = grow(report.layers)
    opened = _opened(root)
    head = "".join(
        f"<span class='{'n' if 2 <= i <= 5 else 't'}'>{name}</span>" for i, name in enumerate(HEADS)
    )
    body = "".join(_html(node, root, 0, opened, report) for node in root.children.values())
    lines = "<br>".join(escape(line).replace("   ", " · ") for line in text.totals(report))
    note = "" if report.order else " Bars: the share of its block. Click a block to fold it."
    return (
        f"<style>{CSS}</style><div class='lc-report'>{lines}<br><i style='margin:0'>"
        f"{len(report.layers)} rows.{note}</i><div class='lc-scroll'><div class='lc-tree'>"
        f"<div class='lc-row lc-head'>{head}</div>{body}</div></div></div>"
    )


def _opened(root: Node) -> set[str]:
    """Return the blocks that start unfolded: from the top, as long as not too many rows show."""
    shown, opened = len(root.children), set()
    waiting = list(root.children.values())
    while waiting:
        node = waiting.pop(0)
        if node.children and shown + len(node.children) <= _OPEN_ROWS:
            shown += len(node.children)
            opened.add(node.path)
            waiting.extend(node.children.values())
    return opened


def _html(node: Node, parent: Node, depth: int, opened: set[str], report: "Report") -> str:
    cells = _cells(node, parent, depth, report)
    if node.layer is not None:
        return f"<div class='lc-row'>{cells}</div>"
    inner = "".join(_html(n, node, depth + 1, opened, report) for n in node.children.values())
    is_open = " open" if node.path in opened else ""
    return f"<details{is_open}><summary class='lc-row'>{cells}</summary>{inner}</details>"


def _cells(node: Node, parent: Node, depth: int, report: "Report") -> str:
    layer = node.layer
    kind = layer.kind if layer else report._modules.get(node.path, "")
    said = "" if kind.lower() == node.name.split("#")[0].lower() else f"<i>{escape(kind)}</i>"
    indent = 1.1 * depth + (1.1 if layer else 0)  # a block has its triangle there
    bound = "≥ " if node.unknown else ""
    name = (
        f"<span class='lc-name' style='padding-left:{indent:.1f}em' title='{escape(node.path)}'>"
        f"{escape(node.name)}{said}</span>"
    )
    flops = 2 * node.macs / node.memory_access if node.memory_access else 0.0
    last = node.last
    rf = None if last is None else last.receptive_field
    return (
        name
        + f"<span>{text.shape_text(last.output_shape) if last else ''}</span>"
        + _bar(node.params, parent.params, f"{node.params:,}", report.params, "params")
        + _bar(node.macs, parent.macs, f"{bound}{node.macs:,}", report.macs, "MACs")
        + _bar(
            node.memory_access,
            parent.memory_access,
            text.human_bytes(node.memory_access),
            report.memory_access,
            "memory access",
        )
        + f"<span class='n'>{text.intensity_text(flops)}</span>"
        + f"<span>{escape(text.field_text(rf))}</span>"
        + f"<span>{text.stride_text(rf)}</span>"
    )


def _bar(value: int, whole: int, shown: str, model: int, what: str) -> str:
    """Return a number with a bar for its share of the block, and of the model when pointed at."""
    if not value:
        return f"<span class='n'>{shown}</span>"
    size = max(100 * value / (whole or value), 0.5)
    share = text.percent(value, model)
    return (
        f"<span class='n b' style='background-size:{size:.1f}% 3px' "
        f"title='{value:,}: {share} of the {what}'>{shown}</span>"
    )
