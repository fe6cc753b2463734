"""Shift: each group of channels moves one step its own way, without a parameter or a multiply."""

from collections.abc import Callable
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_expansion, is_whole

Step = tuple[int, int, int]  # channels that move together, rows down, columns right to read from


def _steps(channels: int, kernel_size: int) -> list[Step]:
    """The channels dealt evenly to the kernel's places; what is left over stays in the middle."""
    k = kernel_size
    if k is True or not isinstance(k, int) or k < 1 or k % 2 == 0:
        raise UserError(f"A shift's kernel has a middle: its size is 1, 3, 5, …, not {k}.")
    each, left = divmod(channels, k * k)
    if not each:
        raise UserError(
            f"A {k}×{k} shift has {k * k} directions and needs as many channels; with {channels} "
            "none would move."
        )
    half = k // 2
    places = [(y, x) for y in range(-half, half + 1) for x in range(-half, half + 1)]
    return [(each + left * (place == (0, 0)), *place) for place in places]


def _shift_by_padding(x: Tensor, steps: list[Step]) -> Tensor:
    """Crop a group on one side, pad it on the other; join the groups."""
    height, width = x.shape[2:]
    moved = []
    for group, (_, down, right) in zip(x.split([n for n, _, _ in steps], 1), steps, strict=True):
        down = max(-height, min(height, down))  # in a picture smaller than the kernel
        right = max(-width, min(width, right))
        moved.append(F.pad(group, (-right, right, -down, down)) if down or right else group)
    return torch.cat(moved, 1)


def _shift_by_convolution(x: Tensor, steps: list[Step]) -> Tensor:
    """A depthwise convolution whose kernels hold a single 1: what shift replaces."""
    k = isqrt(len(steps))
    places = torch.eye(k * k, dtype=x.dtype, device=x.device)  # one kernel for each step
    dealt = [place.expand(n, -1) for place, (n, _, _) in zip(places, steps, strict=True)]
    kernels = torch.cat(dealt).view(-1, 1, k, k)
    return F.conv2d(x, kernels, padding=k // 2, groups=x.shape[1])


def _shift_by_rolling(x: Tensor, steps: list[Step]) -> Tensor:
    """Roll each group around the edge, and clear what came around."""
    height, width = x.shape[2:]
    rows, columns = (torch.arange(size, device=x.device) for size in (height, width))
    moved = []
    for group, (_, down, right) in zip(x.split([n for n, _, _ in steps], 1), steps, strict=True):
        row, column = rows + down, columns + right  # where each pixel reads
        inside = ((row >= 0) & (row < height))[:, None] & ((column >= 0) & (column < width))
        moved.append(group.roll((-down, -right), (2, 3)).where(inside, 0))
    return torch.cat(moved, 1)


METHODS: dict[str, Callable[[Tensor, list[Step]], Tensor]] = {
    "padding": _shift_by_padding,
    "convolution": _shift_by_convolution,
    "rolling": _shift_by_rolling,
}


def _check_method(name: str | None) -> None:
    if name is not None and name not in METHODS:
        raise UserError(f"No method of shift is called {name!r}; there are {', '.join(METHODS)}.")


def _fastest(x: Tensor) -> str:
    """Padding, where rows of pixels are copied; measured by tests/bench/bench_shift.py.

    In channels_last on a CPU a group's pixels are scattered, a few channels each, and a depthwise
    convolution, which goes through the memory once, is three times as fast as copying those.
    """
    scattered = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    on_cpu = x.device.type == "cpu" and x.is_floating_point()
    return "convolution" if scattered and on_cpu else "padding"


def shift(x: Tensor, kernel_size: int = 3, method: str | None = None) -> Tensor:
    """Move each group of channels to its own place of a kernel_size × kernel_size window.

    Shift, arXiv 1711.08141, section 3.1: k² groups of ⌊C / k²⌋ channels, one for each direction,
    and what is left over stays with the middle group; pixels from outside are zero. Group
    k·i + j reads at row i and column j of the window, as a depthwise convolution with a single 1
    there would. (N, C, H, W) -> (N, C, H, W).
    The methods "padding", "convolution" and "rolling" give the same for finite numbers; None takes
    the fastest: "padding", which only moves, or "convolution" for channels_last on a CPU.
    Raises `UserError` for an even kernel, fewer than k² channels, or an unknown method.

    >>> import torch
    >>> x = torch.tensor([[1.0, 2.0, 3.0]]).expand(1, 9, 1, 3)
    >>> shift(x)[0, 3:6, 0].tolist()  # the three groups of the middle row
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 0.0]]
    """
    if x.dim() != 4:
        raise UserError(f"shift takes (N, C, H, W), not a tensor of shape {tuple(x.shape)}.")
    _check_method(method)
    return METHODS[method or _fastest(x)](x, _steps(x.shape[1], kernel_size))


class Shift(nn.Module):
    """`shift` as a layer without parameters: (N, channels, H, W) -> (N, channels, H, W).

    >>> len(list(Shift(16).parameters()))
    0
    """

    def __init__(self, channels: int, kernel_size: int = 3, method: str | None = None) -> None:
        super().__init__()
        check_counts("A shift", channels=channels)
        _steps(channels, kernel_size)  # mistakes are told where the network is built
        _check_method(method)
        self.channels, self.kernel_size, self.method = channels, kernel_size, method

    def forward(self, x: Tensor) -> Tensor:
        """Return x with its groups of channels moved."""
        return shift(x, self.kernel_size, self.method)

    def extra_repr(self) -> str:
        """Return what `print` shows."""
        method = f", method={self.method!r}" if self.method else ""
        return f"{self.channels}, kernel_size={self.kernel_size}{method}"


class ShiftBlock(nn.Module):
    """Conv, shift, conv (CSC): 1×1 to `expansion` times the channels, shift, 1×1 back.

    Shift, arXiv 1711.08141, section 3.2 and figure 3: batch norm and ReLU come before each 1×1.
    The input is added; at stride 2 it is averaged and joined instead, and the two 1×1 make only
    the channels that are missing. (N, C, H, W) -> (N, out_channels, H / stride, W / stride).
    Raises `UserError` where the channels cannot be added or joined.

    >>> block = ShiftBlock(32, 64, stride=2, expansion=4)
    >>> block.conv1.out_channels, block.conv2.out_channels
    (128, 32)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        expansion: float = 1,
        kernel_size: int = 3,
    ) -> None:
        super().__init__()
        block = "A conv-shift-conv block"
        check_counts(block, in_channels=in_channels, out_channels=out_channels)
        made = out_channels if stride == 1 else out_channels - in_channels
        wrong = stride == 1 and in_channels != out_channels
        if not is_whole(stride) or stride not in (1, 2) or wrong or made < 1:
            raise UserError(
                "A conv-shift-conv block keeps its channels at stride 1 and adds some at stride "
                f"2; not {in_channels} to {out_channels} at stride {stride}."
            )
        check_expansion(block, made, expansion)
        middle = int(made * expansion)
        self.stride = stride
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, middle, 1, bias=False)
        self.shift = Shift(middle, kernel_size)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, made, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input and the block's work, added or joined."""
        y = self.shift(self.conv1(F.relu(self.bn1(x))))
        y = self.conv2(F.relu(self.bn2(y)))
        if self.stride == 1:
            return x + y
        return torch.cat((y, F.avg_pool2d(x, 3, stride=2, padding=1)), 1)
