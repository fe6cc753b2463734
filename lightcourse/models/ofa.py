"""Once-for-all: one supernet whose parts are 2 · 10¹⁹ smaller networks (arXiv 1908.09791)."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.models._mbconv_net import MBConvNet, Row
from lightcourse.models._network import Paper, check_settings, init_weights
from lightcourse.nn import make_divisible
from lightcourse.nn.bneck import Bneck

PAPER = Paper(
    "Once-for-All: Train One Network and Specialize it for Efficient Deployment",
    2019,
    "arXiv 1908.09791",
    "The MobileNetV3 space of the authors' released code. Its matrices that make a 5×5 kernel of a "
    "7×7 and a 3×3 of that, 706 numbers in each of the 20 blocks, belong to the supernet alone: "
    "7,678,880 parameters with them, 7,664,760 without; the paper prints 7.7 M. The specialised "
    "networks of its tables (389 M to 595 M) come as files without a printed configuration.",
)

# The authors' ofa_mbv3.py: after the first block come five stages of two to four blocks
STAGES = (
    # c, s, se, nl
    (24, 2, False, nn.ReLU),
    (40, 2, True, nn.ReLU),
    (80, 2, False, nn.Hardswish),
    (112, 1, True, nn.Hardswish),
    (160, 2, True, nn.Hardswish),
)
STEM = 16
KERNELS, EXPANSIONS, DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)
PLACES = len(STAGES) * max(DEPTHS)  # blocks whose kernel and expansion can be chosen


class ElasticDepthwise(nn.Conv2d):
    """A 7×7 depthwise convolution from which smaller kernels are made: the elastic kernel.

    Section 3.3 of the paper: the centre of the larger kernel, times a matrix that all channels
    share. (N, C, H, W) -> (N, C, H / stride, W / stride).

    >>> small = ElasticDepthwise(8, kernel_size=3)
    >>> small(torch.zeros(1, 8, 9, 9)).shape, small.to5.numel() + small.to3.numel()
    (torch.Size([1, 8, 9, 9]), 706)
    """

    def __init__(self, channels: int, kernel_size: int = 7, stride: int = 1) -> None:
        super().__init__(channels, channels, 7, stride, groups=channels, bias=False)
        self.active = kernel_size
        self.to5 = nn.Parameter(torch.eye(25))
        self.to3 = nn.Parameter(torch.eye(9))

    def forward(self, input: Tensor) -> Tensor:
        """Convolve with the kernel of the active size."""
        weight = self.weight
        for size, matrix in ((5, self.to5), (3, self.to3)):
            if self.active <= size:
                centre = weight[:, :, 1:-1, 1:-1]
                weight = F.linear(centre.flatten(2), matrix).view_as(centre)
        return F.conv2d(input, weight, None, self.stride, self.active // 2, groups=self.groups)


class OFAMobileNetV3(MBConvNet):
    """One network of the space: `kernels` and `expansions` for 20 places, `depths` for 5 stages."""

    def __init__(
        self,
        kernels: Sequence[int],
        expansions: Sequence[int],
        depths: Sequence[int],
        num_classes: int = 1000,
        width_mult: float = 1.0,
        in_channels: int = 3,
        dropout: float = 0.1,
        small_input: bool = False,
        kernel_transforms: bool = False,
    ) -> None:
        stem, head, last = (make_divisible(c * width_mult) for c in (STEM, 960, 1280))
        rows = [Row(1, 3, stem, 1, 1, nl=nn.ReLU)]
        for stage, (c, s, se, nl) in enumerate(STAGES):
            for repeat in range(depths[stage]):
                place = stage * max(DEPTHS) + repeat
                t, k = expansions[place], kernels[place]
                stride = s if repeat == 0 else 1
                rows.append(Row(t, k, make_divisible(c * width_mult), 1, stride, se / 4, nl=nl))
        super().__init__(
            rows,
            stem,
            head,
            num_classes,
            in_channels,
            dropout,
            small_input,
            activation=nn.Hardswish,
            make_block=partial(_block, elastic=kernel_transforms),
        )
        mix = (nn.Linear(head, last, bias=False), nn.Hardswish())  # 1×1 after the mean, no norm
        self.classifier = nn.Sequential(*mix, nn.Dropout(dropout), nn.Linear(last, num_classes))
        self.classifier.apply(init_weights)


def ofa_mobilenet_v3(
    num_classes: int = 1000,
    width_mult: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.1,
    small_input: bool = False,
    kernel_size: int | Sequence[int] = 7,
    expansion: int | Sequence[int] = 6,
    depth: int | Sequence[int] = 4,
    kernel_transforms: bool = False,
) -> OFAMobileNetV3:
    """Build a network of the once-for-all space, arXiv 1908.09791, section 4.1.

    `kernel_size` (3, 5, 7) and `expansion` (3, 4, 6) are one number or 20, four a stage; `depth`
    (2, 3, 4) is one or five. `kernel_transforms` makes every kernel from the supernet's 7×7.
    (N, in_channels, H, W) -> (N, num_classes). Raises `UserError` for what is not in the space.

    >>> sum(p.numel() for p in ofa_mobilenet_v3(kernel_size=3, expansion=3, depth=2).parameters())
    3410792
    """
    check_settings(width_mult=width_mult, narrowest=STEM, kernel_transforms=kernel_transforms)
    return OFAMobileNetV3(
        _spread("kernel_size", kernel_size, PLACES, KERNELS),
        _spread("expansion", expansion, PLACES, EXPANSIONS),
        _spread("depth", depth, len(STAGES), DEPTHS),
        num_classes,
        width_mult,
        in_channels,
        dropout,
        small_input,
        kernel_transforms,
    )


def count_networks() -> int:
    """Count the kernels, expansions and depths of the space: (9² + 9³ + 9⁴)⁵.

    >>> f"{count_networks():.2g}"
    '2.2e+19'
    """
    block = len(KERNELS) * len(EXPANSIONS)
    return sum(block**depth for depth in DEPTHS) ** len(STAGES)


def _block(in_channels: int, row: Row, stride: int, elastic: bool) -> Bneck:
    hidden = round(in_channels * row.t)
    activation = row.nl or nn.Hardswish
    block = Bneck(in_channels, hidden, row.c, row.k, stride, bool(row.se), activation)
    if elastic and row.t != 1:  # the first block has no choices
        block.block[1].add_module("0", ElasticDepthwise(hidden, row.k, stride))
    return block


def _spread(
    name: str, value: int | Sequence[int], count: int, choices: tuple[int, ...]
) -> list[int]:
    values = [value] * count if isinstance(value, int) else list(value)
    if len(values) != count or not set(values) <= set(choices):
        allowed = ", ".join(map(str, choices))
        raise UserError(f"{name} is {value}; it is one of {allowed}, or a list of {count} of them.")
    return values
