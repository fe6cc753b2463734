"""The thin head of Light-Head R-CNN: large separable convolution to 490 maps (arXiv 1711.07264)."""

from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings
from lightcourse.nn import LargeSeparableConv

PAPER = Paper(
    "Light-Head R-CNN: In Defense of Two-Stage Object Detector",
    2017,
    "arXiv 1711.07264",
    "10 maps for each of 7 × 7 places, 490, where R-FCN has 81 · 7 · 7 = 3969. As in the authors' "
    "code the four strips have a bias, no norm and nothing between, and a ReLU follows their sum. "
    "Counted without what comes after: pooling of regions and one layer of 2048.",
)

PLACES = 7 * 7  # a region is pooled to 7×7, each place from maps of its own
MAPS_PER_PLACE = 10


class LightHead(Network):
    """Large separable convolution and ReLU: a backbone's last map to 490 thin ones."""

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.conv = LargeSeparableConv(in_channels, mid_channels, out_channels, kernel_size=15)
        for module in self.conv.modules():
            if isinstance(module, nn.Conv2d):  # the authors' start
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        return F.relu(self.conv(x))


def light_head_rcnn_head(
    in_channels: int = 2048,
    mid_channels: int = 256,
    out_channels: int = MAPS_PER_PLACE * PLACES,
) -> LightHead:
    """Build the thin head, arXiv 1711.07264, figure 3: (N, in_channels, H, W) -> (N, 490, H, W).

    The small setting is in_channels=1024, mid_channels=64. Raises `UserError` for channel counts
    that make no layer.

    >>> sum(p.numel() for p in light_head_rcnn_head().parameters())
    19493332
    """
    check_settings(in_channels=in_channels)
    for name, count in (("mid_channels", mid_channels), ("out_channels", out_channels)):
        if not isinstance(count, int) or count < 1:
            raise UserError(f"{name} is {count!r}; it counts, so it is a whole number from 1 up.")
    return LightHead(in_channels, mid_channels, out_channels)
