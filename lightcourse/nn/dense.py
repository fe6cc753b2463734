"""Dense blocks: every layer reads all maps made before it, and adds a few."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.nn._checks import check_counts, check_share


class DenseLayer(nn.Module):
    """Norm, ReLU, 3×3 to `growth` maps; with a bottleneck, a 1×1 to 4 · growth maps before.

    arXiv 1608.06993, section 3. (N, C, H, W) -> (N, growth, H, W): the new maps only.

    >>> DenseLayer(64, growth=32)(torch.zeros(1, 64, 7, 7)).shape
    torch.Size([1, 32, 7, 7])
    """

    def __init__(
        self, in_channels: int, growth: int, bottleneck: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_counts("A dense layer", in_channels=in_channels, growth=growth)
        check_share("A dense layer", dropout=dropout)
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.bottleneck = bottleneck
        if bottleneck:
            self.conv1 = nn.Conv2d(in_channels, 4 * growth, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(4 * growth)
            in_channels = 4 * growth
        self.conv2 = nn.Conv2d(in_channels, growth, 3, padding=1, bias=False)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps that this layer adds."""
        y = F.relu(self.norm1(x), inplace=True)
        if self.bottleneck:
            y = F.relu(self.norm2(self._drop(self.conv1(y))), inplace=True)
        return self._drop(self.conv2(y))

    def _drop(self, y: Tensor) -> Tensor:
        return F.dropout(y, self.dropout, self.training) if self.dropout else y


class DenseBlock(nn.Module):
    """Dense layers whose outputs pile up behind the input.

    arXiv 1608.06993, figure 1. (N, C, H, W) -> (N, C + layers · growth, H, W).

    >>> DenseBlock(64, layers=6, growth=32).out_channels
    256
    """

    def __init__(
        self,
        in_channels: int,
        layers: int,
        growth: int,
        bottleneck: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_counts("A dense block", in_channels=in_channels, layers=layers, growth=growth)
        self.out_channels = in_channels + layers * growth
        for index in range(layers):
            layer = DenseLayer(in_channels + index * growth, growth, bottleneck, dropout)
            self.add_module(f"denselayer{index + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input and behind it what every layer added."""
        for layer in self.children():
            x = torch.cat([x, layer(x)], 1)
        return x


class Transition(nn.Sequential):
    """Norm, ReLU, 1×1 to fewer maps, mean of 2×2: between two dense blocks.

    arXiv 1608.06993, section 3: compression θ keeps ⌊θ · C⌋ maps, here `out_channels`.
    (N, C, H, W) -> (N, out_channels, H / 2, W / 2).

    >>> Transition(256, 128)(torch.zeros(1, 256, 56, 56)).shape
    torch.Size([1, 128, 28, 28])
    """

    def __init__(self, in_channels: int, out_channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_counts("A transition", in_channels=in_channels, out_channels=out_channels)
        check_share("A transition", dropout=dropout)
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.pool = nn.AvgPool2d(2)
