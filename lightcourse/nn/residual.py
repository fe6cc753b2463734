"""Residual blocks: what a block computes is added to what it was given."""

from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_groups, check_share

SHORTCUTS = ("projection", "padding", "none")


class PaddedShortcut(nn.Module):
    """Every `stride`-th pixel, and zeros for the channels that are missing: no parameters.

    Option A of arXiv 1512.03385, section 3.3. (N, C, H, W) -> (N, out_channels, H', W').

    >>> import torch
    >>> PaddedShortcut(16, 32, stride=2)(torch.ones(1, 16, 8, 8)).sum((2, 3))[0, 14:18].tolist()
    [16.0, 16.0, 0.0, 0.0]
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        block = "A padded shortcut"
        check_counts(block, in_channels=in_channels, out_channels=out_channels, stride=stride)
        if out_channels < in_channels:
            raise UserError(
                f"A padded shortcut adds channels; it cannot bring {in_channels} down to "
                f"{out_channels}."
            )
        self.missing, self.stride = out_channels - in_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        """Return x, sampled and with zeros behind its channels."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing))


def _shortcut(kind: str, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    if kind not in SHORTCUTS:
        raise UserError(f"No shortcut is called {kind!r}; choose one of {', '.join(SHORTCUTS)}.")
    if kind == "none":
        return None
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if kind == "padding":
        return PaddedShortcut(in_channels, out_channels, stride)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; names as in torchvision.

    arXiv 1512.03385, figure 5 left. Where the shapes differ, `shortcut` is a 1×1 "projection"
    (option B) or "padding" with zeros (option A); "none" makes the paper's plain net.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).

    >>> BasicBlock(16, 32, stride=2).downsample[0].kernel_size
    (1, 1)
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, shortcut: str = "projection"
    ) -> None:
        super().__init__()
        block = "A basic block"
        check_counts(block, in_channels=in_channels, out_channels=out_channels, stride=stride)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(shortcut, in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return ReLU(two convolutions of x + x)."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.downsample is not None:
            y += self.downsample(x)
        return F.relu(y, inplace=True)


class Bottleneck(nn.Module):
    """1×1 down to `width`, 3×3 there, 1×1 up again, and a shortcut; names as in torchvision.

    arXiv 1512.03385, figure 5 right; with `groups`, ResNeXt (1611.05431, figure 3c). The paper
    puts the stride on the first 1×1; `stride_on_3x3` is what later code calls v1.5.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).

    >>> Bottleneck(256, 128, 512, stride=2).conv1.stride
    (2, 2)
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        out_channels: int,
        stride: int = 1,
        groups: int = 1,
        stride_on_3x3: bool = False,
    ) -> None:
        super().__init__()
        check_counts("A bottleneck", in_channels=in_channels, width=width)
        check_counts("A bottleneck", out_channels=out_channels, stride=stride)
        check_groups("A bottleneck", groups, width)
        first, second = (1, stride) if stride_on_3x3 else (stride, 1)
        self.conv1 = nn.Conv2d(in_channels, width, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut("projection", in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return ReLU(three convolutions of x + x)."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        assert self.downsample is not None
        y += self.downsample(x)
        return F.relu(y, inplace=True)


class PreActivationBlock(nn.Module):
    """Norm and ReLU before each of two 3×3 convolutions, so that nothing stands on the shortcut.

    arXiv 1603.05027, figure 4(e); Wide ResNet (1605.07146, figure 1) adds the dropout between.
    (N, C, H, W) -> (N, out_channels, H / stride, W / stride).

    >>> PreActivationBlock(16, 160).projection.weight.shape[:2]
    torch.Size([160, 16])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        block = "A pre-activation block"
        check_counts(block, in_channels=in_channels, out_channels=out_channels, stride=stride)
        check_share(block, dropout=dropout)
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        same = stride == 1 and in_channels == out_channels
        self.projection = (
            None if same else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return two convolutions of x, plus x."""
        ready = F.relu(self.bn1(x), inplace=True)
        y = F.relu(self.bn2(self.conv1(ready)), inplace=True)
        y = self.conv2(self.dropout(y))
        y += x if self.projection is None else self.projection(ready)
        return y
