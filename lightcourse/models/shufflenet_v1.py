"""ShuffleNet: grouped 1×1 convolutions, and a shuffle that lets the groups talk (1707.01083)."""

from itertools import pairwise

from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.models._network import Network, Paper, check_settings, init_weights
from lightcourse.models._variants import check_choice
from lightcourse.nn import ConvNormAct, ShuffleUnit

PAPER = Paper(
    "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    2017,
    "arXiv 1707.01083",
    "The paper shuffles before the depthwise convolution, row by row of a (g, n) table; Megvii's "
    "code of 2019, our variant='megvii', shuffles after it and the other way round, has other "
    "stems and no bias in its classifier (1.0x, g=3: 1,864,728 instead of 1,865,728). The paper's "
    "0.5x and 0.25x with 2, 4 or 8 groups do not divide, and its 13 M at 0.25x come out as 11.0 M.",
)

REPEATS = (4, 8, 4)
STEM = 24
# Table 1 of the paper: output channels of stages 2, 3 and 4 for g groups, at width 1
STAGES = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
# Megvii's code: the channels of the stem for g groups and width s; its stages are the paper's
MEGVII_STEMS = {
    # g, s
    (3, 0.5): 12,
    (3, 1.0): 24,
    (3, 1.5): 24,
    (3, 2.0): 48,
    (8, 0.5): 16,
    (8, 1.0): 24,
    (8, 1.5): 24,
    (8, 2.0): 48,
}
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)  # tried out to tell which ones divide


def _channels(width_mult: float, groups: int, variant: str) -> tuple[int, ...]:
    """Channels of the stem and of the three stages."""
    stem = round(STEM * width_mult)
    if variant == "megvii":
        if (groups, width_mult) not in MEGVII_STEMS:
            known = ", ".join(f"groups={g} width_mult={s}" for g, s in MEGVII_STEMS)
            raise UserError(
                f"Megvii published no ShuffleNet of groups={groups} and width_mult={width_mult}; "
                f"there are {known}."
            )
        stem = MEGVII_STEMS[groups, width_mult]
    return (stem, *(round(c * width_mult) for c in STAGES[groups]))


def _divides(channels: tuple[int, ...], groups: int) -> bool:
    """Whether every grouped 1×1 can be cut: in, a quarter in between, and what a stage adds."""
    steps = pairwise(channels)
    parts = [n for before, after in steps for n in (after, after // 4, after - before)]
    return all(n > 0 and n % groups == 0 for n in parts)


def _check_division(width_mult: float, groups: int, channels: tuple[int, ...]) -> None:
    if _divides(channels, groups):
        return
    here = [g for g in STAGES if _divides(_channels(width_mult, g, "paper"), g)]
    widths = [s for s in WIDTHS if _divides(_channels(s, groups, "paper"), groups)]
    other = "; variant='megvii' has this pair" if (groups, width_mult) in MEGVII_STEMS else ""
    raise UserError(
        f"ShuffleNet of width_mult={width_mult} has {', '.join(map(str, channels))} channels, "
        f"which do not divide into {groups} groups; at this width groups can be "
        f"{', '.join(map(str, here))}, and groups={groups} works at width_mult "
        f"{', '.join(map(str, widths))}{other}."
    )


class ShuffleNetV1(Network):
    """The network of table 1: a stem, three stages of shuffle units, a classifier."""

    def __init__(
        self,
        channels: tuple[int, ...],
        groups: int,
        num_classes: int,
        in_channels: int,
        small_input: bool,
        megvii: bool,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        now, *stages = channels
        stem = ConvNormAct(in_channels, now, stride=1 if small_input else 2, activation=nn.ReLU)
        pool = nn.Identity() if small_input else nn.MaxPool2d(3, stride=2, padding=1)
        layers: list[nn.Module] = [stem, pool]
        for out, repeats in zip(stages, REPEATS, strict=True):
            for repeat in range(repeats):
                first = 1 if len(layers) == 2 else groups  # the stem is too narrow to cut
                stride = 2 if repeat == 0 else 1
                layers.append(ShuffleUnit(now, out, stride, groups, first, shuffle_late=megvii))
                now = out
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(now, num_classes, bias=not megvii)
        self.apply(init_weights)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def shufflenet_v1(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    groups: int = 3,
    variant: str = "paper",
    small_input: bool = False,
) -> ShuffleNetV1:
    """Build ShuffleNet, arXiv 1707.01083, table 1: (N, in_channels, H, W) -> (N, num_classes).

    `groups` is 1, 2, 3, 4 or 8; `width_mult` scales every layer's channels. The "megvii" variant
    is the code its authors published later. `small_input` starts at stride 1 without a pool, so
    that 32×32 pictures end at 4×4. Raises `UserError` where channels do not divide into groups.

    >>> sum(p.numel() for p in shufflenet_v1(groups=3).parameters())
    1865728
    """
    check_settings(num_classes, in_channels, width_mult, narrowest=STEM, small_input=small_input)
    check_choice("groups", groups, STAGES)
    check_choice("variant", variant, ("paper", "megvii"))
    channels = _channels(width_mult, groups, variant)
    _check_division(width_mult, groups, channels)
    return ShuffleNetV1(
        channels, groups, num_classes, in_channels, small_input, variant == "megvii"
    )
