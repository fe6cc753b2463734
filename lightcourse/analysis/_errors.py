"""Turn whatever a forward pass raises on shapes alone into one clear sentence."""

import re

from torch import Tensor

from lightcourse.errors import UserError


class NeedsValues(RuntimeError):
    """The forward pass asked a tensor for its values, and there are none."""


def explain(
    error: Exception, place: tuple[str, str] | None, inputs: tuple[Tensor, ...]
) -> UserError:
    """Say where a forward pass stopped, why, and what to do about it."""
    where = _where(place)
    text = str(error)
    if isinstance(error, NeedsValues) or "meta" in text.lower():
        return UserError(
            f"The forward pass of {where} depends on the values in a tensor (such as `if x.mean() "
            "> 0`), and the analysis runs on shapes alone: choose with torch.where, or move the "
            "decision out of forward and analyse each branch as a model of its own."
        )
    channels = re.search(r"to have (\d+) channels, but got (\d+) channels", text)
    given = " and ".join(str(tuple(t.shape)) for t in inputs)
    if channels:
        wants, got = channels.groups()
        return UserError(
            f"{where[0].upper()}{where[1:]} takes {wants} input channels but gets {got}, with an "
            f"input of shape {given}: the shape is (batch, channels, height, width), so change "
            "its second number or the layer's in_channels."
        )
    first = text.strip().splitlines()[0] if text.strip() else "no message"
    return UserError(
        f"The forward pass stopped in {where} with {type(error).__name__}: {first} - the input's "
        f"shape was {given}; check it with the input_size argument."
    )


def _where(place: tuple[str, str] | None) -> str:
    if place is None:
        return "the model"
    path, kind = place
    return f"layer '{path}' ({kind})" if path else f"the model ({kind})"
