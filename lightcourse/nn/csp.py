"""Blocks of the Darknet line: residual unit, cross stage partial block, spatial pyramid pooling."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts
from lightcourse.nn.blocks import ConvNormAct

LEAKY = partial(nn.LeakyReLU, 0.1)  # Darknet's slope


class DarknetUnit(nn.Module):
    """Squeeze with 1×1, widen with 3×3, add the input; no activation after the sum.

    YOLOv3, arXiv 1804.02767, table 1. (N, C, H, W) -> (N, C, H, W).

    >>> sum(p.numel() for p in DarknetUnit(64, 32).parameters() if p.dim() == 4)
    20480
    """

    def __init__(
        self, channels: int, mid_channels: int, activation: Callable[..., nn.Module] = LEAKY
    ) -> None:
        super().__init__()
        check_counts("A Darknet unit", channels=channels, mid_channels=mid_channels)
        self.squeeze = ConvNormAct(channels, mid_channels, 1, activation=activation)
        self.expand = ConvNormAct(mid_channels, channels, 3, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus what the two convolutions make of it."""
        return x + self.expand(self.squeeze(x))


class CSPBlock(nn.Module):
    """Send half of the channels through a stage's blocks, and let the other half pass by.

    CSPNet, arXiv 1911.11929, section 3.2 and figure 3: two 1×1 convolutions make the two halves
    of `width` channels each, a 1×1 closes the long way, and one more merges both. The two first
    ones read the same map, so here they are one convolution that is cut in two.
    `body` keeps its `width` channels (half of out_channels by default); `split_activation=None`
    leaves the first 1×1 linear. (N, C, H, W) -> (N, out_channels, H, W).
    Raises `UserError` for counts below 1 and a body that is no module.

    >>> block = CSPBlock(128, 128, nn.Sequential(DarknetUnit(64, 64), DarknetUnit(64, 64)))
    >>> block(torch.zeros(1, 128, 8, 8)).shape
    torch.Size([1, 128, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        body: nn.Module,
        width: int | None = None,
        activation: Callable[..., nn.Module] = LEAKY,
        split_activation: Callable[..., nn.Module] | None = LEAKY,
    ) -> None:
        super().__init__()
        check_counts("A CSP block", in_channels=in_channels, out_channels=out_channels)
        width = out_channels // 2 if width is None else width
        check_counts("A CSP block", width=width)
        if not isinstance(body, nn.Module):
            raise UserError(
                f"A CSP block's body is a module that keeps {width} channels, not {body!r}."
            )
        self.split = ConvNormAct(in_channels, 2 * width, 1, activation=split_activation)
        self.body = body
        self.close = ConvNormAct(width, width, 1, activation=activation)
        self.merge = ConvNormAct(2 * width, out_channels, 1, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        """Return the merge of the long way and the short one."""
        short, long = self.split(x).chunk(2, dim=1)
        return self.merge(torch.cat([self.close(self.body(long)), short], dim=1))


class SPP(nn.Module):
    """Look at each place through several windows at once: max pools of stride 1, side by side.

    SPP-net, arXiv 1406.4729, in the form of YOLOv4, arXiv 2004.10934, section 3.4: largest window
    first, the input last. Each pool starts from the one before, since a 5×5 maximum of 5×5 maxima
    is a 9×9 maximum. (N, C, H, W) -> (N, C · (1 + number of windows), H, W).
    Raises `UserError` for windows that are not odd and growing.

    >>> SPP()(torch.zeros(1, 512, 13, 13)).shape
    torch.Size([1, 2048, 13, 13])
    """

    def __init__(self, windows: Sequence[int] = (5, 9, 13)) -> None:
        super().__init__()
        if not isinstance(windows, Sequence):
            raise UserError(f"SPP takes several windows, such as (5, 9, 13), not {windows!r}.")
        check_counts("SPP", **{f"window {index + 1}": k for index, k in enumerate(windows)})
        steps = [b - a + 1 for a, b in zip((1, *windows), windows, strict=False)]
        if not windows or any(k % 2 == 0 or k < 3 for k in steps):
            raise UserError(f"SPP's windows are odd and grow, such as (5, 9, 13), not {windows}.")
        self.pools = nn.ModuleList(nn.MaxPool2d(k, stride=1, padding=k // 2) for k in steps)

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled maps and the input, one after the other in the channels."""
        maps = [x]
        for pool in self.pools:
            maps.append(pool(maps[-1]))
        return torch.cat(maps[::-1], dim=1)
