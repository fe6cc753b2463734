"""MobileNetV3's bneck: an inverted residual that may look at the whole picture in between."""

from collections.abc import Callable

from torch import Tensor, nn

from lightcourse.nn._checks import check_counts, check_odd, check_stride
from lightcourse.nn.attention import SqueezeExcite
from lightcourse.nn.blocks import ConvNormAct, make_divisible


class Bneck(nn.Module):
    """Expand to `expanded` channels, filter each, weigh them (with `se`), project back linearly.

    MobileNetV3, arXiv 1905.02244, figure 4 and tables 1 and 2; squeeze-and-excite stands between
    the depthwise convolution and the projection, a quarter as wide as the expansion (section 5.3).
    A block that expands to its own width has no expansion layer.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).
    Raises `UserError` for strides other than 1 and 2, even kernels, and counts below 1.

    >>> block = Bneck(24, 72, 40, kernel_size=5, stride=2, se=True)
    >>> sum(p.numel() for p in block.parameters())
    10328
    """

    def __init__(
        self,
        in_channels: int,
        expanded: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        se: bool = False,
        activation: Callable[..., nn.Module] = nn.ReLU,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        check_counts(
            "A bneck", in_channels=in_channels, expanded=expanded, out_channels=out_channels
        )
        check_odd("A bneck", kernel_size=kernel_size)
        check_stride("A bneck", stride)
        self.use_shortcut = stride == 1 and in_channels == out_channels
        layers: list[nn.Module] = []
        if expanded != in_channels:
            layers.append(ConvNormAct(in_channels, expanded, 1, activation=activation, norm=norm))
        layers.append(
            ConvNormAct(expanded, expanded, kernel_size, stride, expanded, 1, activation, norm)
        )
        if se:
            squeezed = make_divisible(expanded / 4)
            layers.append(SqueezeExcite(expanded, squeezed, gate=nn.Hardsigmoid))
        layers.append(ConvNormAct(expanded, out_channels, 1, activation=None, norm=norm))
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, with the shortcut where the shapes allow one."""
        return x + self.block(x) if self.use_shortcut else self.block(x)
