"""What the demonstrations share: counting a named network, and writing numbers down."""

from functools import cache
from typing import Any

import torch

from lightcourse.analysis import Report, analyze
from lightcourse.models import create_model
from lightcourse.myths import Demonstration


@cache
def report_of(name: str, side: int = 224, **settings: Any) -> Report:
    """Analyze a model of ours on a square picture, without giving it memory."""
    with torch.device("meta"):
        return analyze(create_model(name, **settings), (1, 3, side, side))


def shown(holds: bool, *rows: tuple[str, object]) -> Demonstration:
    """Build a demonstration; whole numbers get their thousands separated."""
    text = [(what, f"{v:,}" if type(v) is int else str(v)) for what, v in rows]
    return Demonstration(tuple(text), bool(holds))


def millions(count: int) -> str:
    """Write a count in millions, as the papers do."""
    return f"{count / 1e6:.1f} M"
