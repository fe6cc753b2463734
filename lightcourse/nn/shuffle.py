"""ShuffleNet's units: grouped 1×1 convolutions and a shuffle (V1), a split and a shuffle (V2)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_odd, check_stride, is_whole
from lightcourse.nn.blocks import ConvNormAct, channel_shuffle


class ShuffleUnit(nn.Module):
    """Grouped 1×1 to a quarter, shuffle, depthwise 3×3, grouped 1×1; add, or halve and join.

    ShuffleNet, arXiv 1707.01083, figure 2 (b) and (c). At stride 2 the input is averaged and
    becomes the first channels of the output. `first_groups` are the groups of the first 1×1: 1 in
    the first unit of the network, whose input is too narrow to cut (section 3.2). With
    `shuffle_late` the shuffle comes after the depthwise convolution and deals the cards the other
    way round, as in the code that Megvii published later.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).
    Raises `UserError` where the channels cannot be cut into the groups.

    >>> ShuffleUnit(24, 240, stride=2, groups=3, first_groups=1).expand[0]
    Conv2d(60, 216, kernel_size=(1, 1), stride=(1, 1), groups=3, bias=False)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        groups: int = 3,
        first_groups: int | None = None,
        shuffle_late: bool = False,
    ) -> None:
        super().__init__()
        block = "A ShuffleNet unit"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        check_stride(block, stride)
        if stride == 1 and in_channels != out_channels:
            raise UserError(
                f"A ShuffleNet unit of stride 1 adds its input: {in_channels} channels cannot be "
                f"added to {out_channels}."
            )
        first = groups if first_groups is None else first_groups
        middle, made = out_channels // 4, out_channels - (in_channels if stride == 2 else 0)
        for channels, parts in ((in_channels, first), (middle, first), (middle, groups)):
            _check_groups(channels, parts)
        _check_groups(made, groups)
        self.stride, self.shuffle_late, self.groups = stride, shuffle_late, groups
        self.squeeze = ConvNormAct(in_channels, middle, 1, groups=first, activation=nn.ReLU)
        self.filter = ConvNormAct(middle, middle, 3, stride, groups=middle, activation=None)
        self.expand = ConvNormAct(middle, made, 1, groups=groups, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        """Return the unit's output."""
        y = self.squeeze(x)
        if self.shuffle_late:
            y = channel_shuffle(self.filter(y), y.shape[1] // self.groups)
        else:
            y = self.filter(channel_shuffle(y, self.groups))
        y = self.expand(y)
        if self.stride == 1:
            return F.relu(x + y)
        return F.relu(torch.cat((F.avg_pool2d(x, 3, stride=2, padding=1), y), 1))


def _check_groups(channels: int, groups: int) -> None:
    if not is_whole(groups) or channels < 1 or groups < 1 or channels % groups:
        raise UserError(f"{channels} channels of a ShuffleNet unit do not make {groups} groups.")


def _shuffle_together(a: Tensor, b: Tensor) -> Tensor:
    """channel_shuffle(torch.cat((a, b), 1), 2) in one pass, in the memory format of b."""
    if b.is_contiguous(memory_format=torch.channels_last):
        pairs = torch.stack((a.permute(0, 2, 3, 1), b.permute(0, 2, 3, 1)), 4)  # (N, H, W, C, 2)
        return pairs.flatten(3).permute(0, 3, 1, 2)
    return torch.stack((a, b), 2).flatten(1, 2)  # (N, C, 2, H, W) -> (N, 2C, H, W)


class ShuffleV2Block(nn.Module):
    """Split, work on one half, join, shuffle; at stride 2 both branches see the whole input.

    ShuffleNet V2, arXiv 1807.11164, figure 3 (c) and (d). At stride 2 the left branch keeps its
    `in_channels` and the right one makes the rest, as in the authors' code; with `even`, both make
    half, as in torchvision and in ThunderNet's SNet. Parameters are named as in torchvision.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).
    Raises `UserError` for channels that cannot be halved or added.

    >>> block = ShuffleV2Block(24, 116, stride=2)
    >>> block.branch1[2].out_channels, block.branch2[5].out_channels
    (24, 92)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        kernel_size: int = 3,
        even: bool = False,
    ) -> None:
        super().__init__()
        block = "A ShuffleNet V2 block"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        check_odd(block, kernel_size=kernel_size)
        check_stride(block, stride)
        half = out_channels // 2
        left = in_channels if stride == 2 and not even else half
        if out_channels % 2 or left >= out_channels:
            more = f", more than {left} here" if left == in_channels else ""
            raise UserError(
                f"A ShuffleNet V2 block makes an even number of channels{more}; not {out_channels}."
            )
        if stride == 1 and in_channels != out_channels:
            raise UserError(
                f"A ShuffleNet V2 block of stride 1 keeps its channels: {in_channels} in cannot "
                f"be {out_channels} out."
            )
        k, wide = kernel_size, in_channels if stride == 2 else half
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride == 2:
            self.branch1 = nn.Sequential(
                *ConvNormAct(wide, wide, k, 2, groups=wide, activation=None),
                *ConvNormAct(wide, left, 1, activation=nn.ReLU),
            )
        self.branch2 = nn.Sequential(
            *ConvNormAct(wide, half, 1, activation=nn.ReLU),
            *ConvNormAct(half, half, k, stride, groups=half, activation=None),
            *ConvNormAct(half, out_channels - left, 1, activation=nn.ReLU),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, shuffled."""
        if self.stride == 1:
            left, right = x.chunk(2, 1)
            return _shuffle_together(left, self.branch2(right))
        left, right = self.branch1(x), self.branch2(x)
        if left.shape[1] == right.shape[1]:
            return _shuffle_together(left, right)
        return channel_shuffle(torch.cat((left, right), 1), 2)
