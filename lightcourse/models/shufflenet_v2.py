"""ShuffleNet V2: equal channels, few branches, a split instead of groups (arXiv 1807.11164)."""

from torch import Tensor, nn

from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice
from lightcourse.nn import ConvNormAct, ShuffleV2Block

PAPER = Paper(
    "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    2018,
    "arXiv 1807.11164",
    "In the first block of a stage the authors' code keeps the input's channels on the left and "
    "makes the rest on the right, and its classifier has no bias: 145.8 M multiply-adds at 1.0x, "
    "146 M published. torchvision, our variant='torchvision', makes half on each side: 144.9 M. "
    "Both our forms join and shuffle as the paper's figure and torchvision do; the authors' code "
    "takes even and odd channels apart instead, which is the inverse permutation.",
)

REPEATS = (4, 8, 4)
STEM = 24
# Table 5 of the paper: output channels of stages 2, 3, 4 and of conv5 for each width
WIDTHS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}


class ShuffleNetV2(Network):
    """The network of table 5, named so that torchvision's weights fit; SNet is made of it too.

    `channels` are those of the stem, the three stages and the last 1×1 (0: none); `even`,
    `kernel_size` are those of the blocks.
    """

    def __init__(
        self,
        channels: tuple[int, int, int, int, int],
        num_classes: int,
        in_channels: int = 3,
        small_input: bool = False,
        even: bool = False,
        kernel_size: int = 3,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        now, *stages, last = channels
        stride = 1 if small_input else 2
        self.conv1 = ConvNormAct(in_channels, now, stride=stride, activation=nn.ReLU)
        self.maxpool = nn.Identity() if small_input else nn.MaxPool2d(3, stride=2, padding=1)
        made: list[nn.Sequential] = []
        for out, repeats in zip(stages, REPEATS, strict=True):
            stage = [ShuffleV2Block(now, out, 2, kernel_size, even)]
            stage += [ShuffleV2Block(out, out, 1, kernel_size) for _ in range(repeats - 1)]
            made.append(nn.Sequential(*stage))
            now = out
        self.stage2, self.stage3, self.stage4 = made
        self.conv5 = ConvNormAct(now, last, 1, activation=nn.ReLU) if last else nn.Identity()
        self.fc = nn.Linear(last or now, num_classes, bias=bias)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        x = self.maxpool(self.conv1(x))
        x = self.stage4(self.stage3(self.stage2(x)))
        return self.fc(self.conv5(x).mean((2, 3)))


def shufflenet_v2(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    variant: str = "paper",
    small_input: bool = False,
) -> ShuffleNetV2:
    """Build ShuffleNet V2, arXiv 1807.11164, table 5: (N, in_channels, H, W) -> (N, num_classes).

    `width_mult` is one of the paper's: 0.5, 1.0, 1.5 or 2.0. `small_input` starts at stride 1
    without a pool, so that 32×32 pictures end at 4×4. Raises `UserError` for other widths.

    >>> sum(p.numel() for p in shufflenet_v2().parameters())
    2278760
    """
    check_settings(num_classes, in_channels, small_input=small_input)
    check_choice("width_mult", width_mult, WIDTHS)
    check_choice("variant", variant, ("paper", "torchvision"))
    twin = variant == "torchvision"
    channels = (STEM, *WIDTHS[width_mult])
    return ShuffleNetV2(channels, num_classes, in_channels, small_input, even=twin, bias=twin)
