"""SqueezeNet's Fire module: squeeze the channels, then expand them by two kernels side by side."""

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts


class Fire(nn.Module):
    """A narrow 1×1 feeds a 1×1 and a 3×3; their outputs stand side by side, ReLU after all three.

    SqueezeNet, arXiv 1602.07360, section 3.2 and figure 1; s1x1, e1x1 and e3x3 there are
    `squeeze`, `expand1x1` and `expand3x3` here. No batch norm, so the convolutions have a bias.
    With `bypass` the input is added to the output (section 6, figure 2, middle).
    (N, C, H, W) -> (N, expand1x1 + expand3x3, H, W).
    Raises `UserError` for counts below 1, and for a bypass around a module that changes the number
    of channels.

    >>> sum(p.numel() for p in Fire(96, 16, 64, 64).parameters())  # fire2 of table 1
    11920
    """

    def __init__(
        self,
        in_channels: int,
        squeeze: int,
        expand1x1: int,
        expand3x3: int,
        bypass: bool = False,
    ) -> None:
        super().__init__()
        check_counts("A Fire module", in_channels=in_channels, squeeze=squeeze)
        check_counts("A Fire module", expand1x1=expand1x1, expand3x3=expand3x3)
        self.out_channels = expand1x1 + expand3x3
        if bypass and in_channels != self.out_channels:
            raise UserError(
                f"A bypass adds input to output, so this Fire module must give out its "
                f"{in_channels} channels, not {expand1x1} + {expand3x3}."
            )
        self.bypass = bypass
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand1x1, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand3x3, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return both expansions, concatenated along the channels."""
        narrow = self.activation(self.squeeze(x))
        # each half is activated before they are joined: in place on one map, not on a view of both
        out = torch.cat(
            [self.activation(self.expand1x1(narrow)), self.activation(self.expand3x3(narrow))], 1
        )
        return x + out if self.bypass else out
