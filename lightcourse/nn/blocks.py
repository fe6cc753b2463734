"""Building blocks of lightweight networks, each a few lines over torch."""

from collections.abc import Callable

from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_expansion, check_groups, check_stride


def make_divisible(value: float, divisor: int = 8) -> int:
    """Round a channel count to a multiple of `divisor`, never below 90 % of it.

    From the MobileNet authors' code; hardware likes multiples of eight.

    >>> make_divisible(32 * 0.75), make_divisible(33), make_divisible(11)
    (24, 32, 16)
    """
    if divisor < 1:
        raise UserError(f"The divisor is {divisor}; channels can only be rounded to 1, 2, 3, …")
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * value else rounded + divisor


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Interleave the channels of `groups` groups, so that the next grouped convolution mixes them.

    ShuffleNet, arXiv 1707.01083, section 3.1: reshape to (g, n), transpose, flatten.
    (N, C, H, W) -> (N, C, H, W); any number of dimensions after the channels.
    Raises `UserError` when C is not divisible by groups.

    >>> import torch
    >>> channel_shuffle(torch.arange(6).view(1, 6, 1, 1), groups=2).flatten().tolist()
    [0, 3, 1, 4, 2, 5]
    """
    if x.dim() < 2:
        raise UserError(f"channel_shuffle takes (N, C, …), not a tensor of shape {tuple(x.shape)}.")
    n, c, *rest = x.shape
    if groups < 1 or c % groups:
        divisors = ", ".join(str(d) for d in range(1, c + 1) if c % d == 0)
        raise UserError(
            f"{c} channels cannot be cut into {groups} equal groups; groups must be one of "
            f"{divisors}."
        )
    x = x.reshape(n, groups, c // groups, *rest)  # channel g·n + i  ->  row g, column i
    return x.transpose(1, 2).reshape(n, c, *rest)


class ConvNormAct(nn.Sequential):
    """Convolution, batch norm, activation: the unit that almost every network repeats.

    (N, C, H, W) -> (N, out_channels, H', W'); padding keeps the size at stride 1 for odd kernels.
    `activation=None` leaves the activation out, as linear bottlenecks do; `norm` makes the norm
    from a channel count, such as `partial(nn.BatchNorm2d, eps=1e-3)`.
    Raises `UserError` for counts below 1 and for groups that do not divide both channel counts.

    >>> import torch
    >>> ConvNormAct(3, 8, stride=2)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 8, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        activation: Callable[..., nn.Module] | None = nn.ReLU6,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ) -> None:
        block = "A ConvNormAct"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        check_counts(block, kernel_size=kernel_size, stride=stride, dilation=dilation)
        check_groups(block, groups, in_channels, out_channels)
        conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding=(kernel_size - 1) // 2 * dilation,
            dilation=dilation,
            groups=groups,
            bias=False,  # the norm's shift does the same
        )
        layers: list[nn.Module] = [conv, norm(out_channels)]
        if activation is not None:
            layers.append(activation(inplace=True))
        super().__init__(*layers)
        self.out_channels = out_channels


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project back: narrow at both ends, wide within.

    MobileNetV2, arXiv 1801.04381, table 1 and figure 4: the last 1×1 has no activation, and the
    shortcut joins the narrow ends when they match.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride). Raises `UserError` for a stride
    other than 1 and 2 and for counts below 1.

    >>> InvertedResidual(24, 24, stride=1, expansion=6).use_shortcut
    True
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, expansion: float = 6
    ) -> None:
        super().__init__()
        block = "An inverted residual"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        check_stride(block, stride)
        check_expansion(block, in_channels, expansion)
        hidden = round(in_channels * expansion)
        self.use_shortcut = stride == 1 and in_channels == out_channels
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(ConvNormAct(in_channels, hidden, 1))
        layers += [
            ConvNormAct(hidden, hidden, 3, stride, groups=hidden),
            *ConvNormAct(hidden, out_channels, 1, activation=None),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, with the shortcut where the shapes allow one."""
        return x + self.conv(x) if self.use_shortcut else self.conv(x)
