"""MobileNetV2: inverted residuals and linear bottlenecks (arXiv 1801.04381)."""

from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn import ConvNormAct, InvertedResidual, make_divisible

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


class MobileNetV2(nn.Module):
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
        self.apply(_init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


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
    if not width_mult > 0:
        raise UserError(f"width_mult is {width_mult}; it scales the channels, so it is above 0.")
    if num_classes < 1 or in_channels < 1:
        raise UserError(
            f"num_classes is {num_classes} and in_channels is {in_channels}; both are at least 1."
        )
    if not 0 <= dropout < 1:
        raise UserError(f"dropout is {dropout}; it is the share of units dropped, from 0 up to 1.")
    return MobileNetV2(num_classes, width_mult, in_channels, dropout, small_input)
