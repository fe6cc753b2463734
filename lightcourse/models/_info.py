"""What is known of a model: its paper, the published numbers and how sure they are, and ours."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property, partial
from html import escape
from inspect import signature
from pathlib import Path
from textwrap import wrap
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from lightcourse.models._network import Paper

_SURE = {"text-seen": "its own text", "secondary-seen": "another's text", "recalled": "memory"}
_RESOLUTIONS = {"efficientnet_b2": 260}  # of a name without a published row
_LEGEND = (
    "known from: its own text = the number was read in the paper or the authors' repository; "
    "another's text = read in somebody else's, which may quote the paper; memory = recalled, not "
    "found again in any text."
)


@dataclass(frozen=True)
class Published:
    """One published variant: the numbers as printed, and our exact ones where it is built."""

    variant: str
    family: str
    model: str | None  # the name for `create_model`; None where it is not built here
    settings: dict[str, Any]
    input: int | Sequence[int] | None  # side, or (C, H, W), or the (H, W) of a head's input
    params: int | None = None  # exact, counted
    macs: int | None = None  # exact: convolutions and linear layers, one picture
    params_M: float | None = None
    macs_M: float | None = None
    top1: float | None = None
    source: str = ""
    verification: str = ""
    note: str = ""
    differs: str = ""  # why the printed numbers are not our rounded ones
    reason: str = ""  # why it cannot be built

    @property
    def known_from(self) -> str:
        """How sure the printed numbers are, in plain words; empty where none is printed."""
        printed = (self.params_M, self.macs_M, self.top1)
        return _SURE.get(self.verification, "") if any(n is not None for n in printed) else ""


@cache
def published() -> tuple[Published, ...]:
    """Return every variant whose numbers were published, built here or not.

    >>> sum(row.model is None for row in published()) < len(published())
    True
    """
    names = {f.name for f in fields(Published)}
    rows = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
    flat = ({**row, **row["published"]} for row in rows)
    return tuple(Published(**{k: v for k, v in row.items() if k in names}) for row in flat)


@dataclass(frozen=True)
class ModelInfo:
    """A model's paper, published numbers and exact counts; prints as tables."""

    name: str
    family: str
    settings: dict[str, Any]
    paper: Paper
    published: tuple[Published, ...]  # its own variants, and those of the family not built here
    input: tuple[int, ...]  # (C, H, W) at which `macs` counts

    @cached_property
    def variant(self) -> Published | None:
        """The published variant that these settings build, where there is one."""
        return next(iter(_variants(self.name, self.settings)), None)

    @cached_property
    def _counts(self) -> tuple[int, int]:
        return count(self.name, self.settings, self.input)

    @property
    def params(self) -> int:
        """Exact number of parameters, counted on the model."""
        return self._counts[0]

    @property
    def macs(self) -> int:
        """Exact multiply-accumulates of one picture of size `input`."""
        return self._counts[1]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data that json.dumps takes."""
        return {**asdict(self), "params": self.params, "macs": self.macs}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__  # a console shows what print shows

    def _lines(self) -> Iterable[str]:
        for line in self._heads():
            yield from wrap(line, 100)
        rows = [_cells(row) for row in self.published if not row.reason]
        if rows:
            yield from ("", text_table(_HEADS, rows, (0, 7)), *wrap(_LEGEND, 100))
        for title, notes in self._notes().items():
            yield from ("", title)
            for note in notes:
                yield from wrap(note, 100, initial_indent="  ", subsequent_indent="    ")

    def _heads(self) -> list[str]:
        given = ", ".join(f"{k}={v!r}" for k, v in self.settings.items())
        size = "×".join(map(str, self.input))
        lines = [
            f"{self.name}{f' ({given})' if given else ''}, family {self.family}",
            f"{self.paper.title}, {self.paper.year}, {self.paper.where}",
            f"{self.params:,} parameters, {self.macs:,} multiply-accumulates at {size}",
        ]
        return [*lines, f"We follow: {self.paper.follows}"] if self.paper.follows else lines

    def _notes(self) -> dict[str, list[str]]:
        """Return what the table has no room for, each said once."""
        built = [row for row in self.published if not row.reason]
        wanted = {
            "built with": [(row.variant, _built_with(row)) for row in built],
            "printed and counted": [(row.variant, row.differs) for row in built],
            "sources": [("", row.source) for row in built],
            "notes": [(row.variant, row.note) for row in built],
        }
        said = {title: _merged(pairs, len(built)) for title, pairs in wanted.items()}
        missing = [(row.variant, row.reason) for row in self.published]
        said["not built"] = _merged(missing, len(missing) + 1)  # always named
        return {title: notes for title, notes in said.items() if notes}

    def _repr_html_(self) -> str:
        rows = [_cells(row) for row in self.published if not row.reason]
        name, *lines = self._heads()
        parts = [f"<p><b>{escape(name)}</b><br>{'<br>'.join(map(escape, lines))}</p>"]
        if rows:
            parts += [_html_table(_HEADS, rows), f"<p><small>{escape(_LEGEND)}</small></p>"]
        for title, said in self._notes().items():
            items = "".join(f"<li>{escape(note)}</li>" for note in said)
            parts.append(f"<details><summary>{escape(title)}</summary><ul>{items}</ul></details>")
        return f"<div class='lightcourse-info'>{''.join(parts)}</div>"


def model_info(name: str, **settings: Any) -> ModelInfo:
    """Return a model's paper, the published numbers with how sure they are, and our exact counts.

    `settings` are those of `create_model`; variants of the family that cannot be built are listed
    with the reason. Raises `UserError` for an unknown name or setting.

    >>> info = model_info("mobilenet_v2", width_mult=0.5)
    >>> info.params, info.macs, info.paper.year
    (1968680, 97131840, 2018)
    """
    from lightcourse.models import FAMILIES, MODELS, create_model

    if settings or name not in MODELS:
        with torch.device("meta"):
            create_model(name, **settings)  # names what is wrong
    family = next(family for family, models in FAMILIES.items() if name in models)
    rows = tuple(
        row
        for row in published()
        if row.model == name or (row.family == family and row.model is None)
    )
    return ModelInfo(name, family, settings, _paper(name), rows, _input(name, settings))


def count(name: str, settings: dict[str, Any], shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the exact parameters and multiply-accumulates of a model, counted without memory.

    >>> count("mobilenet_v2", {"width_mult": 0.5}, (3, 224, 224))
    (1968680, 97131840)
    """
    from lightcourse.models import create_model

    with torch.device("meta"):
        model = create_model(name, **settings).eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.empty(1, *shape))
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2


def _paper(name: str) -> Paper:
    from lightcourse.models import MODELS

    build = MODELS[name]
    build = build.func if isinstance(build, partial) else build
    home = sys.modules[build.__module__]
    papers = getattr(home, "PAPERS", {})
    return papers.get(name) or papers.get(name.removesuffix("_cifar")) or home.PAPER


def _full(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of a model, defaults filled in."""
    from lightcourse.models import MODELS

    parameters = signature(MODELS[name]).parameters.values()
    return {**{p.name: p.default for p in parameters if p.default is not p.empty}, **settings}


def _variants(name: str, settings: dict[str, Any]) -> list[Published]:
    """Return the published rows of exactly this network."""
    full = _full(name, settings)
    return [row for row in published() if row.model == name and _full(name, row.settings) == full]


def _built_with(row: Published) -> str:
    """Return the settings in which a row is not its model's default form."""
    plain = _full(str(row.model), {})
    return ", ".join(f"{k}={v!r}" for k, v in row.settings.items() if plain.get(k) != v)


def _input(name: str, settings: dict[str, Any]) -> tuple[int, ...]:
    """Return the (C, H, W) of the published variant, else of the CIFAR form, else 224×224."""
    full = _full(name, settings)
    channels = full.get("in_channels", 3)
    rows = _variants(name, settings) or [row for row in published() if row.model == name]
    if full.get("small_input"):
        return channels, 32, 32
    size = rows[0].input if rows else _RESOLUTIONS.get(name, 224)
    sides = (size, size) if isinstance(size, int) else tuple(size or ())[-2:]
    return channels, *sides


_HEADS = (
    "published variant", "input", "params", "counted", "MACs", "counted", "top-1", "known from"
)  # fmt: skip


def _cells(row: Published) -> Sequence[str]:
    size = "×".join(map(str, row.input)) if isinstance(row.input, Sequence) else str(row.input)
    return (
        row.variant, size, _millions(row.params_M), _exact(row.params), _millions(row.macs_M),
        _exact(row.macs), "-" if row.top1 is None else str(row.top1), row.known_from or "-",
    )  # fmt: skip


def _millions(number: float | None) -> str:
    return "-" if number is None else f"{number:,} M"


def _exact(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _merged(pairs: Sequence[tuple[str, str]], rows: int) -> list[str]:
    """Say each note once, behind what it is about; with no name where that is all rows."""
    about: dict[str, list[str]] = {}
    for what, note in pairs:
        if note:
            about.setdefault(note, []).append(what)
    named = ((", ".join(whats) if len(whats) < rows else "", note) for note, whats in about.items())
    return [f"{what}: {note}" if what.strip(", ") else note for what, note in named]


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    """Return an aligned table; the columns in `left` hold words, the others numbers."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *rows)
    )


def _html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(row: Sequence[str], tag: str) -> str:
        cells = (
            f"<{tag} style='text-align:{'left' if i in (0, len(row) - 1) else 'right'}'>"
            f"{escape(cell)}</{tag}>"
            for i, cell in enumerate(row)
        )
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(heads, 'th')}</thead><tbody>{body}</tbody></table>"
