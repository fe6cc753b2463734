"""Exercise 06.shuffle: three strips of channels, coloured by the group they came from."""

from __future__ import annotations

from html import escape
from typing import Any

import torch
from torch import Tensor

from lightcourse.checks.exercise import Case

# Okabe and Ito's colours, distinct for colour-blind readers; black ink reads on all of them
_GROUP_COLOURS = ("#E69F00", "#56B4E9", "#2BB68A", "#F0E442", "#CC9BC0", "#BBBBBB")


def picture(case: Case, got: Any, want: Any) -> str:
    """Three strips of channels, coloured by the group they came from: input, target, yours."""
    x, groups = case.args
    if not isinstance(got, Tensor) or got.shape != x.shape or x.shape[1] > 24:
        return ""
    each, many = x.shape[1] // groups, len(x) > 1
    image = next((n for n in range(len(x)) if not torch.equal(got[n], want[n])), 0)
    x, want, got = x[image : image + 1], want[image : image + 1], got[image : image + 1]
    rows = [("input", x), ("target", want), ("yours", got)]
    right = _sources(x, want)
    strips = "".join(_strip(name, _sources(x, y), right, each, name) for name, y in rows)
    note = f"<p>image {image} of the batch; ? is no channel of this image</p>" if many else ""
    return f'<div style="margin:.5em 0">{note}{strips}</div>'


def _sources(x: Tensor, y: Tensor) -> list[int | None]:
    """For each channel of y the channel of x that it equals, None if it equals none."""
    found = []
    for channel in y.unbind(1):
        same = [i for i, source in enumerate(x.unbind(1)) if torch.equal(source, channel)]
        found.append(same[0] if same else None)
    return found


def _strip(
    name: str, sources: list[int | None], right: list[int | None], each: int, row: str
) -> str:
    cells = []
    for place, source in enumerate(sources):
        group = None if source is None else source // each
        colour = "#fff" if group is None else _GROUP_COLOURS[group % len(_GROUP_COLOURS)]
        text = "?" if source is None or group is None else f"{chr(65 + group)}{source}"
        wrong = row == "yours" and source != right[place]
        frame = "3px solid #c4402f" if wrong else "1px solid #555"
        gap = "10px" if place and place % each == 0 else "2px"
        cells.append(
            f'<span style="display:inline-block;box-sizing:border-box;width:3.6em;padding:.3em 0;'
            f"margin-left:{gap};text-align:center;color:#111;background:{colour};"
            f'border:{frame};border-radius:4px;font-size:.8em">{text}{" ✗" * wrong}</span>'
        )
    spoken = f"{name}: " + " ".join("?" if s is None else str(s) for s in sources)
    return (
        f'<div role="img" aria-label="{escape(spoken)}" style="white-space:nowrap;margin:.2em 0">'
        f'<span style="display:inline-block;width:4em">{name}</span>{"".join(cells)}</div>'
    )
