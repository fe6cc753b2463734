"""MobileNet: a stack of depthwise separable convolutions (arXiv 1704.04861)."""

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn import ConvNormAct, DepthwiseSeparableConv

PAPER = Paper(
    "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    2017,
    "arXiv 1704.04861",
    "Table 1 prints stride 2 for the last depthwise layer, but its maps stay 7×7: the stride is 1. "
    "Activations are ReLU as in the paper, not ReLU6 as in the authors' later code.",
)

STEM = 32  # the narrowest layer
# Table 1 of the paper: c output channels, n repeats, s stride of the first repeat
ROWS = (
    # c, n, s
    (64, 1, 1),
    (128, 2, 2),
    (256, 2, 2),
    (512, 6, 2),
    (1024, 2, 2),
)
# Table 5's shallow network: without the five layers that keep 14×14×512
SHALLOW_ROWS = tuple((c, 1 if c == 512 else n, s) for c, n, s in ROWS)


class MobileNetV1(Network):
    """A stem and rows of separable convolutions; also what other tables of such rows make."""

    def __init__(
        self,
        rows: tuple[tuple[int, int, int], ...],
        num_classes: int = 1000,
        width_mult: float = 1.0,
        in_channels: int = 3,
        dropout: float = 0.0,
        small_input: bool = False,
        separable: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        channels = int(STEM * width_mult)
        stem = ConvNormAct(in_channels, channels, 3, 1 if small_input else 2, activation=nn.ReLU)
        layers: list[nn.Module] = [stem]
        keep_size = small_input  # the stem's stride is gone; the next one goes too
        for c, n, s in rows:
            out = int(c * width_mult)
            for repeat in range(n):
                stride = s if repeat == 0 and not (keep_size and s == 2) else 1
                if separable:
                    layers.append(DepthwiseSeparableConv(channels, out, 3, stride))
                else:
                    layers.append(ConvNormAct(channels, out, 3, stride, activation=nn.ReLU))
                channels = out
            keep_size = keep_size and s == 1
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, num_classes))
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def mobilenet_v1(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_input: bool = False,
    separable: bool = True,
    shallow: bool = False,
) -> MobileNetV1:
    """Build MobileNet, arXiv 1704.04861, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `width_mult` is the paper's α. `separable=False` is the "Conv MobileNet" of table 4, with an
    ordinary 3×3 convolution for each pair; `shallow` is the network of table 5. `small_input` keeps
    the first two strides at 1: 32×32 pictures end at 4×4. Raises `UserError` for sizes that make no
    network.

    >>> sum(p.numel() for p in mobilenet_v1().parameters())
    4231976
    """
    switches = {"small_input": small_input, "separable": separable, "shallow": shallow}
    check_settings(num_classes, in_channels, width_mult, dropout, STEM, **switches)
    rows = SHALLOW_ROWS if shallow else ROWS
    return MobileNetV1(rows, num_classes, width_mult, in_channels, dropout, small_input, separable)
