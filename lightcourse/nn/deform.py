"""Deformable convolution: a kernel whose places move, by grid_sample and one product."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_groups, is_whole

Pair = int | tuple[int, int]


def deform_conv2d(
    x: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    mask: Tensor | None = None,
) -> Tensor:
    """Convolve at places that each tap of each output moves by its own offset, in pixels.

    x (N, C, H, W), weight (O, C / groups, kh, kw), offset (N, 2·G·kh·kw, H', W') with y before x
    for each tap of each of G offset groups, mask (N, G·kh·kw, H', W') -> (N, O, H', W').
    Between pixels bilinear, outside the picture zero. Equal to `torchvision.ops.deform_conv2d`.
    Dai and others, arXiv 1703.06211, section 2.1; the mask: arXiv 1811.11168, section 3.2.
    Raises `UserError` for shapes that do not fit together.

    >>> x, w = torch.randn(1, 4, 8, 8), torch.randn(6, 4, 3, 3)
    >>> still = deform_conv2d(x, torch.zeros(1, 18, 6, 6), w)
    >>> torch.allclose(still, torch.conv2d(x, w), atol=1e-5)
    True
    """
    stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)
    parts = _offset_groups(x, offset, weight, mask, (stride, padding, dilation))
    n, c, h, w = x.shape
    kh, kw = weight.shape[2:]
    tall, wide = offset.shape[2:]
    moves = offset.reshape(n * parts, kh, kw, 2, tall, wide)
    # where tap (i, j) of output (u, v) reads: u · stride - padding + i · dilation + its own move
    y = _places(tall, kh, stride[0], padding[0], dilation[0]).to(x).view(kh, 1, tall, 1)
    across = _places(wide, kw, stride[1], padding[1], dilation[1]).to(x).view(1, kw, 1, wide)
    y, across = y + moves[:, :, :, 0], across + moves[:, :, :, 1]
    # grid_sample counts from -1 to 1 between the outer edges of the picture, and wants x first
    grid = torch.stack([(2 * across + 1) / w - 1, (2 * y + 1) / h - 1], -1)
    samples = F.grid_sample(
        x.reshape(n * parts, c // parts, h, w),
        grid.reshape(n * parts, kh * kw * tall, wide, 2),
        align_corners=False,
    ).reshape(n, parts, c // parts, kh * kw, tall, wide)
    if mask is not None:
        samples = samples * mask.reshape(n, parts, 1, kh * kw, tall, wide)
    # each output now has its own samples side by side: what is left is a 1×1 convolution
    columns = samples.reshape(n, c * kh * kw, tall, wide)
    groups = c // weight.shape[1]
    return F.conv2d(columns, weight.flatten(1)[:, :, None, None], bias, groups=groups)


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _places(size: int, taps: int, stride: int, padding: int, dilation: int) -> Tensor:
    """Where the taps of each output read along one axis, before they move: (taps, size)."""
    return torch.arange(taps)[:, None] * dilation + torch.arange(size) * stride - padding


def _offset_groups(
    x: Tensor,
    offset: Tensor,
    weight: Tensor,
    mask: Tensor | None,
    settings: tuple[tuple[int, int], ...],
) -> int:
    """Refuse shapes that do not fit, and return the number of offset groups."""
    n, c, *size = x.shape
    taps = weight.shape[2] * weight.shape[3]
    parts = offset.shape[1] // (2 * taps)
    if c % weight.shape[1] or weight.shape[0] % (c // weight.shape[1]):
        raise UserError(f"A weight of shape {tuple(weight.shape)} does not fit {c} input channels.")
    if parts < 1 or offset.shape[1] != 2 * taps * parts or c % parts:
        raise UserError(
            f"The offset has {offset.shape[1]} channels; {taps} taps need {2 * taps} of them, y and"
            f" x for each, or a multiple of that by a number that divides the {c} input channels."
        )
    out = [
        (i + 2 * p - d * (k - 1) - 1) // s + 1
        for i, k, s, p, d in zip(size, weight.shape[2:], *settings, strict=True)
    ]
    for name, tensor, channels in (
        ("offset", offset, 2 * taps * parts),
        ("mask", mask, taps * parts),
    ):
        if tensor is not None and tensor.shape != (n, channels, *out):
            want = (n, channels, *out)
            raise UserError(f"The {name} has the shape {tuple(tensor.shape)}, not {want}.")
    return parts


class DeformConv2d(nn.Module):
    """A convolution that decides for each output where its taps look.

    Dai and others, arXiv 1703.06211, figure 2: an ordinary convolution beside it makes 2·k·k
    offsets for each output; it begins at zero, so that the layer begins as an ordinary one.
    `modulated` adds k·k masks between 0 and 1 (v2, arXiv 1811.11168, section 3.2; they begin at ½).
    (N, C, H, W) -> (N, out_channels, H', W'); padding keeps the size at stride 1 for odd kernels.

    >>> layer = DeformConv2d(16, 32, modulated=True)
    >>> layer.offset.out_channels, layer(torch.zeros(1, 16, 9, 9)).shape
    (27, torch.Size([1, 32, 9, 9]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        offset_groups: int = 1,
        modulated: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        block = "A deformable convolution"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        check_counts(block, kernel_size=kernel_size, stride=stride, dilation=dilation)
        check_groups(block, groups, in_channels, out_channels)
        if not is_whole(offset_groups) or offset_groups < 1 or in_channels % offset_groups:
            raise UserError(f"{offset_groups} offset groups do not divide {in_channels} channels.")
        pad = (kernel_size - 1) // 2 * dilation
        self.how = stride, pad, dilation
        # holds weight and bias, started as torch starts them; its own forward is not called
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
        self.taps = offset_groups * kernel_size**2
        wanted = self.taps * (3 if modulated else 2)
        self.offset = nn.Conv2d(in_channels, wanted, kernel_size, *self.how)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        """Return the output; the offsets come from x itself."""
        found = self.offset(x)
        offset, mask = found[:, : 2 * self.taps], found[:, 2 * self.taps :]
        gate = mask.sigmoid() if mask.shape[1] else None
        return deform_conv2d(x, offset, self.conv.weight, self.conv.bias, *self.how, mask=gate)
