"""Ghost module and bottleneck: half of the channels are cheap copies of the other half."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_odd, check_stride
from lightcourse.nn.attention import SqueezeExcite
from lightcourse.nn.blocks import ConvNormAct, make_divisible


class GhostModule(nn.Module):
    """A convolution makes one channel in `ratio`, a depthwise one makes the others out of those.

    GhostNet, arXiv 1911.11907, section 3.1 (its s is `ratio`, its d `cheap_kernel`).
    (N, C, H, W) -> (N, out_channels, H, W). Raises `UserError` for a ratio below 2,
    even kernels, and counts below 1.

    >>> from torch import nn
    >>> module = GhostModule(64, 128, kernel_size=3)  # 64·64·9 + 64·9; a convolution has 73728
    >>> sum(m.weight.numel() for m in module.modules() if isinstance(m, nn.Conv2d))
    37440
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        ratio: int = 2,
        cheap_kernel: int = 3,
        activation: Callable[..., nn.Module] | None = nn.ReLU,
    ) -> None:
        super().__init__()
        block = "A ghost module"
        check_counts(block, in_channels=in_channels, out_channels=out_channels, ratio=ratio)
        check_odd(block, kernel_size=kernel_size, cheap_kernel=cheap_kernel)
        if ratio < 2:
            raise UserError(f"A ghost module's ratio is 2 or more, not {ratio}; at 1 it is a conv.")
        own = -(-out_channels // ratio)  # rounded up; the last ghosts may be too many
        ghosts = own * (ratio - 1)
        self.out_channels = out_channels
        self.primary = ConvNormAct(in_channels, own, kernel_size, activation=activation)
        self.cheap = ConvNormAct(own, ghosts, cheap_kernel, groups=own, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels and their ghosts."""
        own = self.primary(x)
        return torch.cat((own, self.cheap(own)), 1)[:, : self.out_channels]


class GhostBottleneck(nn.Module):
    """Ghosts to `expanded` channels, filter where it strides, weigh (with `se`), ghosts back.

    GhostNet, arXiv 1911.11907, figure 3 and table 1; squeeze-and-excite is a quarter as wide, in
    fours. Where the shapes differ, the shortcut is a depthwise and a 1×1 convolution.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).
    Raises `UserError` for strides other than 1 and 2, even kernels, and counts below 1.

    >>> block = GhostBottleneck(24, 72, 40, kernel_size=5, stride=2, se=True)
    >>> sum(p.numel() for p in block.parameters())
    9636
    """

    def __init__(
        self,
        in_channels: int,
        expanded: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        se: bool = False,
    ) -> None:
        super().__init__()
        block = "A ghost bottleneck"
        check_counts(block, in_channels=in_channels, expanded=expanded, out_channels=out_channels)
        check_odd(block, kernel_size=kernel_size)
        check_stride(block, stride)
        layers: list[nn.Module] = [GhostModule(in_channels, expanded)]
        if stride == 2:
            layers.append(_depthwise(expanded, kernel_size, stride))
        if se:
            squeezed = make_divisible(expanded / 4, 4)
            layers.append(SqueezeExcite(expanded, squeezed, gate=nn.Hardsigmoid))
        layers.append(GhostModule(expanded, out_channels, activation=None))
        self.block = nn.Sequential(*layers)
        self.shortcut = nn.Sequential()
        if stride == 2 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                *_depthwise(in_channels, kernel_size, stride),
                *ConvNormAct(in_channels, out_channels, 1, activation=None),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, with its shortcut."""
        return self.block(x) + self.shortcut(x)


def _depthwise(channels: int, kernel_size: int, stride: int) -> ConvNormAct:
    return ConvNormAct(channels, channels, kernel_size, stride, groups=channels, activation=None)
