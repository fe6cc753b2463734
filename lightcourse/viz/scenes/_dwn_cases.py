"""Which ladders the downsampling scene compares: the papers', the course's own, or a learner's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from lightcourse.errors import UserError

from ._dwn_net import Ladder

WIDTHS = {  # label -> width of MobileNet, of FD-MobileNet, and what the button says about them
    "same width": (1.0, 1.0, "Both as wide as their papers' first tables"),
    "≈ 140 M": (0.5, 1.0, "About as many MACs as FD-MobileNet at its full width"),
    "≈ 40 M": (0.25, 0.5, "About as many MACs as FD-MobileNet at half its width"),
}
MOST = 14  # units that have room side by side
ROWS = "rows (channels, repeats, stride) as in mobilenet_v1.ROWS"


@dataclass(frozen=True)
class Case:
    """Two ladders to compare, and what is known of their accuracy as published."""

    label: str
    pair: tuple[Ladder, Ladder]
    hint: str = ""
    accuracy: tuple[str, str] = ("", "")
    source: str = ""
    finding: str = ""  # what an experiment with these two found


def ladder_of(
    name: str, rows: Sequence[Sequence[int]], width: float = 1.0, stem: int = 32
) -> Ladder:
    """Return the ladder of a table of rows: c channels, n repeats, s stride of the first."""
    channels, halved = [max(1, int(stem * width))], [0]
    for c, n, s in rows:
        for repeat in range(n):
            if s == 2 and repeat == 0:
                halved.append(len(channels))
            channels.append(max(1, int(c * width)))
    return Ladder(name, tuple(channels), tuple(halved), 1)


def of_papers() -> list[Case]:
    """MobileNet and FD-MobileNet, at the same width and at three budgets."""
    from lightcourse.models.fd_mobilenet import ROWS as FAST
    from lightcourse.models.mobilenet_v1 import ROWS as SLOW

    return [
        Case(label, (ladder_of(f"MobileNet ×{a:g}", SLOW, a),
                     ladder_of(f"FD-MobileNet ×{b:g}", FAST, b)), hint,
             (_published("mobilenet_v1", a), _published("fd_mobilenet", b)), "ImageNet, published")
        for label, (a, b, hint) in WIDTHS.items()
    ]  # fmt: skip


def _published(model: str, width: float) -> str:
    """ImageNet top-1 as published at 224 px; empty where nothing is."""
    text = files("lightcourse.models").joinpath("published.json").read_text(encoding="utf-8")
    for row in json.loads(text):
        if (row["model"], row["input"]) == (model, 224) and row["settings"] == {
            "width_mult": width
        }:
            top1 = row["published"].get("top1")
            return "" if top1 is None else f"{top1} %"
    return ""


def of_study() -> list[Case]:
    """The course's own trained ladders at 32×32, with the accuracy of its logged runs."""
    from lightcourse.training import studies
    from lightcourse.training.studies.ladders import BUDGETS, ladder_rows

    log, cases = studies.logged("downsampling"), []
    source = f"{log.data['sets'][0]['name']} data, {len(log.seeds)} seeds"
    found = {finding.better: finding.word for finding in log.findings}
    for budget in BUDGETS:
        pair, scores = [], []
        for word in ("slow", "fast"):
            rows, run = ladder_rows(budget, word == "fast"), log[f"{word}, {budget}"]
            halved = tuple(i for i, row in enumerate(rows) if row.s == 2)
            pair.append(Ladder(word.capitalize(), tuple(r.c for r in rows), halved, 0, 32, 10))
            scores.append(f"{run.mean:.1f} ± {run.deviation or 0:.1f} %")
        hint = f"{log.data['size']}; {len(log.seeds)} seeds"
        said = f"“fast is more accurate”: {found[f'fast, {budget}']}"
        cases.append(Case(budget, (pair[0], pair[1]), hint, (scores[0], scores[1]), source, said))
    return cases


def of_rows(nets: Mapping[str, Any]) -> list[Case]:
    """Two tables of rows of a learner's.

    Raises:
        UserError: they are no two tables, or cannot be drawn side by side.
    """
    if not isinstance(nets, Mapping) or len(nets) != 2:
        raise UserError(f'give two networks, as {{"name": {ROWS}}}, "study", or nothing.')
    pair = [_own(str(name), rows) for name, rows in nets.items()]
    counts = {len(ladder.halved) for ladder in pair}
    if len(counts) > 1:
        raise UserError(
            f"{pair[0].name} halves {len(pair[0].halved)} times, {pair[1].name}"
            f" {len(pair[1].halved)} times; give tables that end at the same map."
        )
    return [Case("yours", (pair[0], pair[1]))]


def _own(name: str, rows: Any) -> Ladder:
    good = isinstance(rows, Sequence) and all(
        isinstance(row, Sequence) and len(row) == 3 and all(isinstance(v, int) for v in row)
        and row[0] > 0 and row[1] > 0 and row[2] in (1, 2)
        for row in rows
    )  # fmt: skip
    if not good or not rows or isinstance(rows, str):
        raise UserError(f"cannot draw the rows of {name!r}; give {ROWS}, strides 1 or 2.")
    ladder = ladder_of(name[:16], rows)
    if ladder.units > MOST or not 1 <= ladder.movable <= 4:
        raise UserError(
            f"{name!r} has {ladder.units - 1} blocks, of which {ladder.movable} halve; there is"
            f" room for {MOST - 1} blocks and 1 to 4 halvings."
        )
    return ladder
