"""Squeeze-and-excitation: weigh each channel by a look at the whole picture."""

from collections.abc import Callable

from torch import Tensor, nn

from lightcourse.nn._checks import check_counts


class SqueezeExcite(nn.Module):
    """Mean over the picture, two 1×1 layers, a gate between 0 and 1 for each channel.

    SENet, arXiv 1709.01507, section 3; MobileNetV3 (1905.02244, section 5.3) takes
    `gate=nn.Hardsigmoid` and a quarter of the expansion as `squeeze_channels`.
    (N, C, H, W) -> (N, C, H, W).

    >>> import torch
    >>> SqueezeExcite(16, 4)(torch.ones(2, 16, 8, 8)).shape
    torch.Size([2, 16, 8, 8])
    """

    def __init__(
        self,
        channels: int,
        squeeze_channels: int,
        activation: Callable[..., nn.Module] = nn.ReLU,
        gate: Callable[..., nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        check_counts("A squeeze-and-excite", channels=channels, squeeze_channels=squeeze_channels)
        self.fc1 = nn.Conv2d(channels, squeeze_channels, 1)
        self.activation = activation()
        self.fc2 = nn.Conv2d(squeeze_channels, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        """Return x with every channel multiplied by its gate."""
        seen = x.mean((2, 3), keepdim=True)
        return x * self.gate(self.fc2(self.activation(self.fc1(seen))))
