"""What every network here shares: where it comes from, checked settings, errors in one sentence."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError


@dataclass(frozen=True)
class Paper:
    """Where a network was published, and which text we follow where sources disagree.

    `year` is that of the first public version: of the arXiv number, not of the conference.
    """

    title: str
    year: int
    where: str  # "arXiv 1801.04381", or the journal
    follows: str = ""  # one or two sentences; empty where all sources agree


def check_settings(
    num_classes: int = 1000,
    in_channels: int = 3,
    width_mult: float = 1.0,
    dropout: float = 0.0,
    narrowest: int = 1,
    **switches: bool,
) -> None:
    """Refuse settings that make no network: raises `UserError` with one sentence.

    `narrowest` is the least number of channels that the width scales: it must leave one at least,
    before any rounding up. `switches` are the settings that are True or False, by their names.

    >>> check_settings(num_classes=10, width_mult=0.5, narrowest=16, small_input=True)
    """
    for name, switch in switches.items():
        if not isinstance(switch, bool):
            raise UserError(f"{name} is {switch!r}; it is True or False.")
    for name, count in (("num_classes", num_classes), ("in_channels", in_channels)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise UserError(f"{name} is {count!r}; it counts, so it is a whole number from 1 up.")
    if isinstance(width_mult, bool) or not isinstance(width_mult, int | float):
        raise UserError(f"width_mult is {width_mult!r}; it is a number, such as 0.5 or 1.0.")
    if not 0 < width_mult < float("inf"):
        raise UserError(f"width_mult is {width_mult}; it scales the channels, so it is above 0.")
    if width_mult * narrowest < 1:
        raise UserError(
            f"width_mult is {width_mult}; of the {narrowest} channels of the narrowest layer less "
            f"than one would be left, so it is from {1 / narrowest:.4g} up."
        )
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise UserError(
            f"dropout is {dropout!r}; it is the share of units dropped, from 0 up to 1."
        )


def init_weights(module: nn.Module) -> None:
    """He's normal start by fan-out for convolutions, 0.01 for classifiers; use with `apply`.

    What the light families' authors and torchvision do; a paper with another start has its own.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Network(nn.Module):
    """A whole network: sets `in_channels`, and explains a picture that does not fit.

    The explanation is looked for only after torch has refused the input, so it costs nothing.
    """

    in_channels: int = 3

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`; raises `UserError` for a picture of the wrong shape or size."""
        try:
            return super().__call__(*args, **kwargs)
        except (RuntimeError, ValueError) as error:
            reason = self._explain(args[0]) if args and isinstance(args[0], Tensor) else None
            if reason is None:
                raise
            raise UserError(reason) from error

    def _explain(self, x: Tensor) -> str | None:
        name, shape = type(self).__name__, tuple(x.shape)
        if x.dim() != 4:
            return f"{name} takes pictures of shape (N, {self.in_channels}, H, W), not {shape}."
        if x.shape[1] != self.in_channels:
            if x.shape[3] == self.in_channels:
                return (
                    f"{name} takes pictures of shape (N, {self.in_channels}, H, W), and {shape} "
                    "has its channels last; call it with x.permute(0, 3, 1, 2)."
                )
            return (
                f"{name} was built for {self.in_channels} input channels and got {x.shape[1]}; "
                f"build it with in_channels={x.shape[1]}."
            )
        if not x.is_floating_point():
            return f"{name} computes with floats, not {x.dtype}; call it with x.float()."
        if x.dtype != _dtype(self):
            return f"{name} has weights of {_dtype(self)}, the picture {x.dtype}; make them alike."
        batch, _, height, width = shape
        twin = deepcopy(self).to("meta").eval()  # shapes without memory
        if not _runs(twin, height, width, batch):
            side = _smallest_side(twin)
            wanted = f"; the smallest square picture is {side}×{side}" if side else ""
            return f"A picture of {height}×{width} is too small for {name}{wanted}."
        if self.training and not _runs(twin.train(), height, width, batch):
            return (
                f"{name} has a batch norm that sees one value per channel here; train with more "
                "than one picture, or call .eval() first."
            )
        return None


def _runs(twin: Network, height: int, width: int, batch: int = 2) -> bool:
    x = torch.empty(batch, twin.in_channels, height, width, device="meta", dtype=_dtype(twin))
    try:
        with torch.no_grad():
            twin.forward(x)
    except (RuntimeError, ValueError):
        return False
    return True


def _dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype


def _smallest_side(twin: Network, most: int = 1024) -> int | None:
    if not _runs(twin, most, most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if _runs(twin, middle, middle):
            high = middle
        else:
            low = middle + 1
    return low
