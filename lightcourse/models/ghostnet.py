"""GhostNet: half of every layer's channels are cheap copies of the others (arXiv 1911.11907)."""

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.nn import ConvNormAct, GhostBottleneck, make_divisible

PAPER = Paper(
    "GhostNet: More Features from Cheap Operations",
    2019,
    "arXiv 1911.11907",
    "Published with 5.2 M parameters and 141 M multiply-adds at 1.0x; we count 5,182,508 and "
    "141,150,512, as the authors' code and timm do. Channels are rounded to multiples of 4, and "
    "the head of 1280 never scales.",
)

# Table 1 of the paper; a ghost bottleneck (G-bneck) a row, k is from the authors' code
ROWS = (
    # k, exp, out, SE, stride
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
)
STEM, LAST, HEAD = 16, 960, 1280


class GhostNet(Network):
    """The network of table 1: ghost bottlenecks between a 3×3 and a wide head."""

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
        now, last = (make_divisible(c * width_mult, 4) for c in (STEM, LAST))
        layers: list[nn.Module] = [
            ConvNormAct(in_channels, now, stride=1 if small_input else 2, activation=nn.ReLU)
        ]
        for row, (k, exp, out, se, s) in enumerate(ROWS):
            expanded, made = (make_divisible(c * width_mult, 4) for c in (exp, out))
            stride = 1 if small_input and row == 1 else s
            layers.append(GhostBottleneck(now, expanded, made, k, stride, se))
            now = made
        layers.append(ConvNormAct(now, last, 1, activation=nn.ReLU))
        self.features = nn.Sequential(*layers)
        # the head looks at averages, so it costs little even though it is the widest layer
        self.head = nn.Sequential(nn.Conv2d(last, HEAD, 1), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(HEAD, num_classes))
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        seen = self.features(x).mean((2, 3), keepdim=True)
        return self.classifier(self.head(seen).flatten(1))


def ghostnet(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
    small_input: bool = False,
) -> GhostNet:
    """Build GhostNet, arXiv 1911.11907, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `width_mult` scales every layer but the head; `small_input` keeps the first two strides at 1,
    so that 32×32 pictures end at 4×4. Raises `UserError` for sizes that make no network.

    >>> sum(p.numel() for p in ghostnet().parameters())
    5182508
    """
    check_settings(num_classes, in_channels, width_mult, dropout, STEM, small_input=small_input)
    return GhostNet(num_classes, width_mult, in_channels, dropout, small_input)
