"""Cheaper convolutions: each leaves out some of the links that an ordinary one has."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, is_whole

Activation = Callable[..., nn.Module]


class DepthwiseConv2d(nn.Conv2d):
    """Filter each channel by itself: as many groups as channels.

    Sifre 2014; Xception, arXiv 1610.02357. Each channel has `multiplier` filters of k·k weights.
    (N, C, H, W) -> (N, C · multiplier, H', W'); padding keeps the size at stride 1 for odd kernels.

    >>> sum(p.numel() for p in DepthwiseConv2d(64, bias=False).parameters())
    576
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        block = "A depthwise convolution"
        check_counts(block, channels=channels, multiplier=multiplier)
        check_counts(block, kernel_size=kernel_size, stride=stride, dilation=dilation)
        super().__init__(
            channels,
            channels * multiplier,
            kernel_size,
            stride,
            padding=(kernel_size - 1) // 2 * dilation,
            dilation=dilation,
            groups=channels,
            bias=bias,
        )


class PointwiseConv2d(nn.Conv2d):
    """Mix the channels of each pixel: a 1×1 convolution; with groups it is ShuffleNet's.

    Network In Network, arXiv 1312.4400; with groups: ShuffleNet, arXiv 1707.01083, section 3.1.
    (N, C, H, W) -> (N, out_channels, H, W). Raises `UserError` when groups do not divide both.

    >>> sum(p.numel() for p in PointwiseConv2d(64, 128, groups=4, bias=False).parameters())
    2048
    """

    def __init__(
        self, in_channels: int, out_channels: int, groups: int = 1, bias: bool = True
    ) -> None:
        check_counts("A pointwise convolution", in_channels=in_channels, out_channels=out_channels)
        whole = is_whole(groups) and groups > 0
        if not whole or in_channels % groups or out_channels % groups:
            raise UserError(
                f"{groups} groups do not divide {in_channels} input and {out_channels} output "
                "channels; take a whole number that divides both."
            )
        super().__init__(in_channels, out_channels, 1, groups=groups, bias=bias)


def _with_norm_act(
    conv: nn.Conv2d, norm: bool, activation: Activation | None
) -> tuple[nn.Module, ...]:
    layers: list[nn.Module] = [conv]
    if norm:
        layers.append(nn.BatchNorm2d(conv.out_channels))
    if activation is not None:
        layers.append(activation(inplace=True))
    return tuple(layers)


class DepthwiseSeparableConv(nn.Sequential):
    """Depthwise, then pointwise: 1/N + 1/k² of the cost of an ordinary convolution.

    MobileNets, arXiv 1704.04861, section 3.1 and figure 3: batch norm and ReLU after both.
    Without `norm` both convolutions have a bias; `activation=None` leaves the activations out.
    (N, C, H, W) -> (N, out_channels, H', W'); padding keeps the size at stride 1 for odd kernels.

    >>> block = DepthwiseSeparableConv(512, 512)  # 9·512 + 512·512, and two norms
    >>> sum(p.numel() for p in block.parameters() if p.dim() == 4)
    266752
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        norm: bool = True,
        activation: Activation | None = nn.ReLU,
    ) -> None:
        depthwise = DepthwiseConv2d(in_channels, kernel_size, stride, dilation, bias=not norm)
        pointwise = PointwiseConv2d(in_channels, out_channels, bias=not norm)
        super().__init__(
            *_with_norm_act(depthwise, norm, activation),
            *_with_norm_act(pointwise, norm, activation),
        )
        self.out_channels = out_channels


class SpatialFactorisedConv(nn.Sequential):
    """A column kernel k×1, then a row kernel 1×k, in place of k×k: 2/k of the weights.

    Rethinking the Inception Architecture, arXiv 1512.00567, section 3.2; norm and ReLU after both,
    as in Inception-v3. `mid_channels` stand between the two, as many as out_channels by default.
    (N, C, H, W) -> (N, out_channels, H', W'); padding keeps the size at stride 1 for odd kernels.

    >>> block = SpatialFactorisedConv(64, 64, kernel_size=7)
    >>> sum(p.numel() for p in block.parameters() if p.dim() == 4) / (64 * 64 * 7 * 7)
    0.2857142857142857
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        mid_channels: int | None = None,
        norm: bool = True,
        activation: Activation | None = nn.ReLU,
    ) -> None:
        mid = out_channels if mid_channels is None else mid_channels
        block = "A factorised convolution"
        check_counts(block, in_channels=in_channels, out_channels=out_channels, mid_channels=mid)
        check_counts(block, kernel_size=kernel_size, stride=stride)
        k, s, pad = kernel_size, stride, (kernel_size - 1) // 2
        column = nn.Conv2d(in_channels, mid, (k, 1), (s, 1), (pad, 0), bias=not norm)
        row = nn.Conv2d(mid, out_channels, (1, k), (1, s), (0, pad), bias=not norm)
        super().__init__(
            *_with_norm_act(column, norm, activation), *_with_norm_act(row, norm, activation)
        )
        self.out_channels = out_channels


class LowRankConv(nn.Sequential):
    """k×1 down to `rank` maps, then 1×k: linear, to stand in for a trained k×k convolution.

    Jaderberg and others, arXiv 1405.3866, section 2 (their scheme 2); see `from_conv`.
    (N, C, H, W) -> (N, out_channels, H', W'). Raises `UserError` for a rank that cannot be.

    >>> LowRankConv(64, 64, 3, rank=16)(torch.zeros(1, 64, 8, 8)).shape
    torch.Size([1, 64, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        rank: int,
        stride: int = 1,
        bias: bool = True,
    ) -> None:
        block = "A low-rank convolution"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        check_counts(block, kernel_size=kernel_size, stride=stride)
        k, pad = kernel_size, (kernel_size - 1) // 2
        _check_rank(rank, in_channels * k, out_channels * k)
        super().__init__(
            nn.Conv2d(in_channels, rank, (k, 1), (stride, 1), (pad, 0), bias=False),
            nn.Conv2d(rank, out_channels, (1, k), (1, stride), (0, pad), bias=bias),
        )

    @classmethod
    @torch.no_grad()
    def from_conv(cls, conv: nn.Conv2d, rank: int) -> LowRankConv:
        """Return the closest such pair to a given convolution, which stays as it is.

        The weight, seen as a matrix with a row per (input channel, kernel row), is cut after its
        `rank` largest singular values: no other pair has a smaller sum of squared errors.
        Raises `UserError` for groups, dilation, and kernels or padding that are not k×k and "same".

        >>> conv = nn.Conv2d(4, 6, 3, padding=1)
        >>> x = torch.randn(1, 4, 8, 8)
        >>> torch.allclose(LowRankConv.from_conv(conv, 12)(x), conv(x), atol=1e-5)
        True
        """
        (k, wide), (s, across) = conv.kernel_size, conv.stride
        same = conv.padding in ("same", ((k - 1) // 2, (k - 1) // 2))
        if k != wide or s != across or not same or conv.groups > 1 or conv.dilation != (1, 1):
            raise UserError(
                f"LowRankConv stands in for a k×k convolution with padding (k - 1) // 2, no groups "
                f"and no dilation, not for {conv}."
            )
        pair = cls(conv.in_channels, conv.out_channels, k, rank, s, conv.bias is not None)
        matrix = conv.weight.permute(1, 2, 0, 3).flatten(2).flatten(0, 1)  # (C·k, O·k)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        share = values[:rank].sqrt()  # half of each singular value to either side
        columns = (left[:, :rank] * share).T.reshape(rank, conv.in_channels, k, 1)
        rows = (share[:, None] * right[:rank]).reshape(rank, conv.out_channels, 1, k)
        state = {"0.weight": columns, "1.weight": rows.transpose(0, 1)}
        pair.to(conv.weight).load_state_dict(
            state if conv.bias is None else {**state, "1.bias": conv.bias}
        )
        return pair


def _check_rank(rank: int, *most: int) -> None:
    if not is_whole(rank) or not 1 <= rank <= min(most):
        raise UserError(f"The rank is {rank}; these channels and kernel allow 1 to {min(most)}.")
