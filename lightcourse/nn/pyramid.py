"""BiFPN: a pyramid of feature maps that learns how much to take from each of its inputs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts


class FastFusion(nn.Module):
    """Weighted mean of maps, the weights learned, kept positive and normalised without a softmax.

    Fast normalised fusion of EfficientDet, arXiv 1911.09070, section 3.3: wᵢ / (ε + Σ wⱼ) after a
    ReLU. k maps of (N, C, H, W) -> (N, C, H, W).

    >>> FastFusion(2)(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)).mean().item()  # ½, nearly
    0.49997...
    """

    def __init__(self, inputs: int, epsilon: float = 1e-4) -> None:
        super().__init__()
        check_counts("A fusion", inputs=inputs)
        self.weight = nn.Parameter(torch.ones(inputs))
        self.epsilon = epsilon

    def forward(self, *maps: Tensor) -> Tensor:
        """Return the mean of the maps, weighted."""
        weight = self.weight.relu()
        shares = (weight / (weight.sum() + self.epsilon)).unbind()
        fused = maps[0] * shares[0]
        for share, x in zip(shares[1:], maps[1:], strict=True):
            fused = fused + share * x
        return fused


class BiFPNNode(nn.Module):
    """A crossing of the pyramid: project the level's own map, fuse, activate, separable 3×3.

    arXiv 1911.09070, section 3.3. `in_channels` are those of the level's own map, which gets a 1×1
    where they differ from `channels`; the other maps arrive with `channels` and the same size.
    `bias` repeats the authors' biases in front of batch norms, which change nothing.
    (N, in_channels, H, W) and inputs - 1 maps (N, channels, H, W) -> (N, channels, H, W).

    >>> BiFPNNode(40, 64, inputs=2)(torch.zeros(1, 40, 8, 8), torch.zeros(1, 64, 8, 8)).shape
    torch.Size([1, 64, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        inputs: int,
        bias: bool = False,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        check_counts("A BiFPN node", in_channels=in_channels, channels=channels, inputs=inputs)
        self.project = project(in_channels, channels, bias, norm)
        self.fuse = FastFusion(inputs)
        self.conv = nn.Sequential(nn.SiLU(), separable(channels, channels, bias), norm(channels))

    def forward(self, own: Tensor, *others: Tensor) -> Tensor:
        """Return the new map of this level."""
        return self.conv(self.fuse(self.project(own), *others))


class BiFPN(nn.Module):
    """One layer: coarse to fine, then fine to coarse, each level with a shortcut from its input.

    arXiv 1911.09070, figure 2(d). `in_channels` lists the levels from fine to coarse, each half as
    large as the one before; the coarsest already has `channels`.
    [(N, in_channels[i], Hᵢ, Wᵢ), …] -> [(N, channels, Hᵢ, Wᵢ), …].
    Raises `UserError` for fewer than two levels, counts below 1, and another coarsest level.

    >>> maps = [torch.zeros(1, 8, 16, 16), torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 4, 4)]
    >>> [tuple(x.shape) for x in BiFPN([8, 4, 4], 4)(maps)]
    [(1, 4, 16, 16), (1, 4, 8, 8), (1, 4, 4, 4)]
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int,
        bias: bool = False,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        check_counts("A BiFPN", channels=channels)
        if not isinstance(in_channels, Sequence) or len(in_channels) < 2:
            raise UserError(
                "A BiFPN's in_channels lists the channels of two levels or more, such as "
                f"[16, 8, 8], not {in_channels!r}."
            )
        for count in in_channels:
            check_counts("A BiFPN", in_channels=count)
        if in_channels[-1] != channels:
            raise UserError(
                f"A BiFPN's coarsest level has its own {channels} channels, not {in_channels[-1]}."
            )
        *finer, _ = in_channels
        _, *middle, last = in_channels
        self.down = nn.ModuleList(BiFPNNode(c, channels, 2, bias, norm) for c in reversed(finer))
        self.up = nn.ModuleList(BiFPNNode(c, channels, 3, bias, norm) for c in middle)
        self.top = BiFPNNode(last, channels, 2, bias, norm)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the levels in the order in which they came."""
        middle = [maps[-1]]
        for node, own in zip(self.down, reversed(maps[:-1]), strict=True):
            middle.insert(0, node(own, enlarge(middle[0], own)))
        out = middle[:1]
        for node, own, between in zip(self.up, maps[1:-1], middle[1:-1], strict=True):
            out.append(node(own, between, shrink(out[-1])))
        return [*out, self.top(maps[-1], shrink(out[-1]))]


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """Repeat pixels until x is as large as `like`: (N, C, h, w) -> (N, C, H, W)."""
    return F.interpolate(x, size=like.shape[2:], mode="nearest")


def shrink(x: Tensor) -> Tensor:
    """Keep the largest of 3×3 pixels, at every second place: (N, C, H, W) -> (N, C, H/2, W/2)."""
    return F.max_pool2d(x, 3, stride=2, padding=1)


def project(
    in_channels: int,
    out_channels: int,
    bias: bool = False,
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
) -> nn.Module:
    """Make a 1×1 and its norm, or nothing where the width is right already."""
    if in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=bias), norm(out_channels))


def separable(in_channels: int, out_channels: int, bias: bool = True) -> nn.Sequential:
    """Make a depthwise 3×3 and a 1×1 with nothing between, as EfficientDet does."""
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=bias),
    )
