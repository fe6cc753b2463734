"""MobileNetV2: inverted residuals and linear bottlenecks (arXiv 1801.04381)."""

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn import ConvNormAct, InvertedResidual, make_divisible

PAPER = Paper(
    "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    2018,
    "arXiv 1801.04381",
    "Table 4 prints 3.4 M parameters for width 1 and 6.9 M for 1.4, the authors' README 3.47 M and "
    "6.06 M, which leave out the batch norms; with them we count 3,504,872 and 6,108,776, as "
    "torchvision does. Channels are rounded as in the authors' code; the last 1×1 never shrinks.",
)

# Table 2 of the paper: t expansion, c output channels, n repeats, s stride of the first repeat
ROWS = (
    # t, c, n, s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
NARROWEST = 16  # channels of the first row


class MobileNetV2(Network):
    """The network of table 2, laid out so that torchvision's weights fit name by name."""

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        in_channels: int = 3,
        dropout: float = 0.2,
        small_input: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        channels = make_divisible(32 * width_mult)
        # the last convolution never shrinks: a narrow classifier costs too much accuracy
        last = make_divisible(1280 * max(1.0, width_mult))
        layers: list[nn.Module] = [
            ConvNormAct(in_channels, channels, stride=1 if small_input else 2)
        ]
        for row, (t, c, n, s) in enumerate(ROWS):
            out = make_divisible(c * width_mult)
            first = 1 if small_input and row == 1 else s
            for repeat in range(n):
                stride = first if repeat == 0 else 1
                layers.append(InvertedResidual(channels, out, stride, expansion=t))
                channels = out
        layers.append(ConvNormAct(channels, last, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def mobilenet_v2(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
) -> MobileNetV2:
    """Build MobileNetV2, arXiv 1801.04381, table 2: (N, in_channels, H, W) -> (N, num_classes).

    `width_mult` scales every layer's channels; `small_input` keeps the first two strides at 1, for
    32×32 pictures such as CIFAR's. Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in mobilenet_v2().parameters())
    3504872
    """
    check_settings(
        num_classes, in_channels, width_mult, dropout, NARROWEST, small_input=small_input
    )
    return MobileNetV2(num_classes, width_mult, in_channels, dropout, small_input)
