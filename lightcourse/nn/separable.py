"""Large separable convolution: a 15×15 window for the price of four thin strips."""

from torch import Tensor, nn

from lightcourse.nn._checks import check_counts, check_odd


class LargeSeparableConv(nn.Module):
    """Sum of two ways through a k×k window: k×1 then 1×k, and 1×k then k×1.

    Light-Head R-CNN, arXiv 1711.07264, section 3.2 and figure 3, after Large Kernel Matters,
    arXiv 1703.02719. As in the authors' code all four have a bias, and nothing stands between.
    (N, C, H, W) -> (N, out_channels, H, W). Raises `UserError` for an even kernel
    and counts below 1.

    >>> import torch
    >>> LargeSeparableConv(64, 16, 490)(torch.zeros(1, 64, 8, 12)).shape
    torch.Size([1, 490, 8, 12])
    """

    def __init__(
        self, in_channels: int, mid_channels: int, out_channels: int, kernel_size: int = 15
    ) -> None:
        super().__init__()
        block = "A large separable convolution"
        check_counts(block, in_channels=in_channels, mid_channels=mid_channels)
        check_counts(block, out_channels=out_channels)
        check_odd(block, kernel_size=kernel_size)
        tall, wide = (kernel_size, 1), (1, kernel_size)
        self.column_row = _pair(in_channels, mid_channels, out_channels, tall, wide)
        self.row_column = _pair(in_channels, mid_channels, out_channels, wide, tall)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both ways."""
        return self.column_row(x) + self.row_column(x)


def _pair(
    in_channels: int, mid_channels: int, out_channels: int, first: tuple, second: tuple
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, mid_channels, first, padding="same"),
        nn.Conv2d(mid_channels, out_channels, second, padding="same"),
    )
