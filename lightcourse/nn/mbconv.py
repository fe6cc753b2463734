"""MBConv: the inverted residual that searched networks are made of."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightcourse.nn._checks import (
    check_counts,
    check_expansion,
    check_groups,
    check_odd,
    check_share,
    check_stride,
)
from lightcourse.nn.blocks import ConvNormAct, channel_shuffle


def drop_rows(x: Tensor, share: float) -> Tensor:
    """Set whole pictures of the batch to zero at random, and scale up the rest to keep the mean.

    Stochastic depth, arXiv 1603.09382, section 3, as EfficientNet uses it: a dropped row leaves
    only the block's shortcut. (N, …) -> (N, …); one draw per row.

    >>> drop_rows(torch.ones(1000, 1, 1, 1), share=0.2).unique().tolist()
    [0.0, 1.25]
    """
    keep = torch.empty(x.shape[0], *[1] * (x.dim() - 1), dtype=x.dtype, device=x.device)
    return x * keep.bernoulli_(1 - share).div_(1 - share)


class _Shuffle(nn.Module):
    """`channel_shuffle` as a layer, between grouped 1×1 convolutions."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W), channels interleaved."""
        return channel_shuffle(x, self.groups)


def _layers(unit: nn.Module) -> list[nn.Module]:
    return list(unit) if isinstance(unit, nn.Sequential) else [unit]


class MBConv(nn.Module):
    """Expand with 1×1, filter each channel with k×k, attend, project back with 1×1.

    MnasNet, arXiv 1807.11626, figure 7; EfficientNet, 1905.11946, table 1, with `nn.SiLU`.
    `attention` makes a module from the expanded width, such as
    `partial(SqueezeExcite, squeeze_channels=4)`; both papers squeeze to a quarter of the block's
    *input*. `groups` cuts both 1×1 into groups with a channel shuffle between (FBNet, 1812.03443,
    figure 3), and `always_expand` keeps the first 1×1 where the expansion is 1, as FBNet does.
    `drop_path` is the share of rows that skip the block in training; it can be set later.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride). Raises `UserError` for a stride
    other than 1 and 2, an even kernel, counts below 1, and groups that do not divide.

    >>> block = MBConv(16, 24, kernel_size=5, stride=2, expansion=6)
    >>> block(torch.zeros(1, 16, 32, 32)).shape, block.use_shortcut
    (torch.Size([1, 24, 16, 16]), False)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        expansion: float = 6,
        attention: Callable[[int], nn.Module] | None = None,
        activation: Callable[..., nn.Module] = nn.SiLU,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        groups: int = 1,
        always_expand: bool = False,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        name = "An MBConv block"
        check_counts(name, in_channels=in_channels, out_channels=out_channels)
        check_odd(name, kernel_size=kernel_size)
        check_stride(name, stride)
        check_expansion(name, in_channels, expansion)
        check_share(name, drop_path=drop_path)
        hidden = round(in_channels * expansion)
        check_groups(name, groups, in_channels, hidden, out_channels)
        self.use_shortcut = stride == 1 and in_channels == out_channels
        self.drop_path = drop_path
        same = {"activation": activation, "norm": norm}
        layers: list[nn.Module] = []
        if expansion != 1 or always_expand:
            layers.append(ConvNormAct(in_channels, hidden, 1, groups=groups, **same))
        if groups > 1:
            layers.append(_Shuffle(groups))
        layers.append(ConvNormAct(hidden, hidden, kernel_size, stride, groups=hidden, **same))
        if attention is not None:
            layers.append(attention(hidden))
        layers.append(
            ConvNormAct(hidden, out_channels, 1, groups=groups, activation=None, norm=norm)
        )
        if attention is None:  # flat, each map is let go as soon as the next is there: 3 % faster
            layers = [layer for unit in layers for layer in _layers(unit)]
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, with the shortcut where the shapes allow one."""
        y = self.block(x)
        if not self.use_shortcut:
            return y
        if self.training and self.drop_path:
            y = drop_rows(y, self.drop_path)
        return x + y
