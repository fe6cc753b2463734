"""The reader's own networks as rows of the portrait: counted, and timed where that is fair."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from lightcourse.analysis import analyze, latency
from lightcourse.analysis.machine import fingerprint
from lightcourse.design.portrait import PortraitRow
from lightcourse.errors import UserError

from ._par_nets import MOST_OWN, Cost, cost_of

YOURS = "own"  # the verification of an accuracy that the reader gave
TIMED = {"eager": torch.contiguous_format, "channels_last": torch.channels_last}
SECONDS = 0.3  # for one time of one network


def here() -> str:
    """Return this machine as a portrait names it."""
    return f"{fingerprint(1).rsplit(', torch', 1)[0]}, torch {torch.__version__}"


def own_rows(own: Any, columns: Sequence[str], machine: str) -> list[PortraitRow]:
    """Return a row for each `name: (model, top1)` or `(model, top1, size)`.

    Times are measured only where the portrait's come from this machine. Raises `UserError` for
    anything else than such a dictionary.
    """
    if not isinstance(own, Mapping) or len(own) > MOST_OWN:
        raise UserError(
            f'own takes up to {MOST_OWN} networks as {{"name": (model, top1)}}, top-1 in per cent.'
        )
    timed = [cost_of(key) for key in columns] if machine == here() else []
    return [_row(str(name), given, timed) for name, given in own.items()]


def _row(name: str, given: Any, timed: Sequence[Cost]) -> PortraitRow:
    model, top1, size = _checked(name, given)
    shape = (1, 3, size, size)
    report = analyze(model, shape)
    if not report.macs or not report.params:
        raise UserError(f"own[{name!r}] has no MACs or no parameters to stand on the axis.")
    times = {c.key: _time(model, shape, c) for c in timed if c.runtime in TIMED}
    return PortraitRow(
        name, "yours", "", {}, size, report.params, report.macs, report.memory_access,
        report.peak_activation, float(top1), YOURS, times,
    )  # fmt: skip


def _checked(name: str, given: Any) -> tuple[nn.Module, float, int]:
    parts = given if isinstance(given, (tuple, list)) else ()
    model, top1, size = (*parts, 224)[:3] if len(parts) in (2, 3) else (None, None, None)
    number = isinstance(top1, (int, float)) and not isinstance(top1, bool) and 0 <= top1 <= 100
    if not isinstance(model, nn.Module) or not number or type(size) is not int or size < 1:
        raise UserError(
            f"own[{name!r}] is no (model, top1) or (model, top1, size): a module, its top-1"
            " accuracy from 0 to 100 %, and the side of its picture in pixels."
        )
    return model, float(top1), size  # type: ignore[arg-type]


def _time(model: nn.Module, shape: tuple[int, ...], cost: Cost) -> float:
    """Seconds of one picture; the weights come back in the layout they had."""
    layout = TIMED[cost.runtime]
    before = {name: p.data for name, p in model.named_parameters()}
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    try:
        model.to(memory_format=layout)  # type: ignore[call-overload]
        ready = x.contiguous(memory_format=layout)
        return latency(model, ready, threads=cost.threads, seconds=SECONDS).minimum
    finally:
        for name, p in model.named_parameters():
            p.data = before[name]
