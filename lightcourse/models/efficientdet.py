"""EfficientDet-D0: EfficientNet-B0, three BiFPN layers and two shared heads (arXiv 1911.09070)."""

import math
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice
from lightcourse.models.efficientnet import efficientnet
from lightcourse.nn.pyramid import BiFPN, project, separable, shrink

PAPER = Paper(
    "EfficientDet: Scalable and Efficient Object Detection",
    2019,
    "arXiv 1911.09070",
    "variant='paper' has no bias in front of a batch norm: 3,877,763 parameters; variant='tf' has "
    "the biases of the authors' code, 3,880,067, which compute the same. The printed 2.5 B are "
    "multiply-adds. Strided convolutions and pooling pad evenly, unlike TensorFlow's SAME.",
)
VARIANTS = ("paper", "tf")
ANCHORS = 9  # three scales times three shapes at every place
CHANNELS, LAYERS, REPEATS = 64, 3, 3  # D0: width of the pyramid, BiFPN layers, convolutions a head
BACKBONE = (
    # stages of EfficientNet up to this level, its channels
    (4, 40),  # level 3, stride 8
    (6, 112),  # level 4
    (8, 320),  # level 5
)
LEVELS = 5  # levels 3 to 7


class Head(nn.Module):
    """The same convolutions on every level, but each level with batch norms of its own.

    Section 4 of the paper. [(N, channels, Hᵢ, Wᵢ), …] -> [(N, outputs, Hᵢ, Wᵢ), …].
    """

    def __init__(self, channels: int, outputs: int, bias: bool, norm: partial) -> None:
        super().__init__()
        self.convs = nn.ModuleList(separable(channels, channels, bias) for _ in range(REPEATS))
        self.norms = nn.ModuleList(
            nn.ModuleList(norm(channels) for _ in range(REPEATS)) for _ in range(LEVELS)
        )
        self.activation = nn.SiLU()
        self.predict = separable(channels, outputs)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return one map of predictions for each level."""
        out = []
        for x, norms in zip(maps, self.norms, strict=True):
            for conv, norm in zip(self.convs, norms.children(), strict=True):
                x = self.activation(norm(conv(x)))
            out.append(self.predict(x))
        return out


class EfficientDet(Network):
    """The detector of figure 3 at its smallest size, D0, made for 512×512 pictures."""

    def __init__(
        self,
        num_classes: int = 90,
        in_channels: int = 3,
        variant: str = "paper",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        bias, norm = variant == "tf", partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        features = efficientnet("b0", in_channels=in_channels).features
        ends = [0, *(end for end, _ in BACKBONE)]
        self.backbone = nn.ModuleList(features[start:end] for start, end in pairwise(ends))
        widths = [c for _, c in BACKBONE]
        self.extra = project(widths[-1], CHANNELS, bias, norm)
        pyramid = [BiFPN([*widths, CHANNELS, CHANNELS], CHANNELS, bias, norm)]
        pyramid += [BiFPN([CHANNELS] * LEVELS, CHANNELS, bias, norm) for _ in range(LAYERS - 1)]
        self.pyramid = nn.Sequential(*pyramid)
        self.class_net = Head(CHANNELS, ANCHORS * num_classes, bias, norm)
        self.box_net = Head(CHANNELS, ANCHORS * 4, bias, norm)
        self.apply(init_weights)
        # focal loss: start by calling one anchor in a hundred an object
        nn.init.constant_(self.class_net.predict.get_parameter("1.bias"), -math.log(99))

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return class and box maps of levels 3 to 7: channels anchor by anchor, side H / 2^level.

        (N, in_channels, H, W) -> [(N, 9 · num_classes, Hᵢ, Wᵢ), …], [(N, 36, Hᵢ, Wᵢ), …].
        """
        maps = []
        for stages in self.backbone:
            x = stages(x)
            maps.append(x)
        maps.append(shrink(self.extra(x)))
        maps.append(shrink(maps[-1]))
        maps = self.pyramid(maps)
        return self.class_net(maps), self.box_net(maps)


def efficientdet_d0(
    num_classes: int = 90,
    in_channels: int = 3,
    variant: str = "paper",
) -> EfficientDet:
    """Build EfficientDet-D0, arXiv 1911.09070, table 1, for 512×512 pictures.

    (N, in_channels, H, W) -> class maps [(N, 9 · num_classes, H / 2^l, W / 2^l), …] and box maps
    [(N, 36, …), …] of levels l = 3 to 7; 90 are COCO's class numbers. `variant="tf"` has the
    authors' redundant biases. Raises `UserError` for an unknown variant.

    >>> sum(p.numel() for p in efficientdet_d0().parameters())
    3877763
    """
    check_settings(num_classes, in_channels)
    check_choice("variant", variant, VARIANTS)
    return EfficientDet(num_classes, in_channels, variant)
