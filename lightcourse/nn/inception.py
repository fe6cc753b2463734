"""Inception modules as tables: chains of layers, branches side by side, their residual form."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.nn._checks import check_counts, check_odd

# a row is (out channels, kernel size, stride, padding), the last two where they differ from 1 and
# half the kernel; or (pool, *its arguments), where pool makes a module that keeps the channels; or
# a list of chains that run side by side
Row = tuple[Any, ...] | list[Any]


class InceptionConv(nn.Sequential):
    """Convolution of any shape of kernel, such as 1×7, then a norm if there is one, then ReLU.

    arXiv 1512.00567, sections 3.2 and 6. (N, C, H, W) -> (N, out_channels, H', W'); the size stays
    at stride 1 unless `padding` says otherwise. `bias` is needed where no norm follows.

    >>> InceptionConv(8, 16, (1, 7))(torch.zeros(1, 8, 17, 17)).shape
    torch.Size([1, 16, 17, 17])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 1,
        stride: int = 1,
        padding: int | None = None,
        norm: Callable[[int], nn.Module] | None = nn.BatchNorm2d,
        bias: bool = False,
    ) -> None:
        block = "An InceptionConv"
        check_counts(block, in_channels=in_channels, out_channels=out_channels, stride=stride)
        tall, wide = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        check = check_odd if padding is None else check_counts
        check(block, kernel_size=tall)
        check(block, kernel_size=wide)
        around = (tall // 2, wide // 2) if padding is None else padding
        conv = nn.Conv2d(in_channels, out_channels, (tall, wide), stride, around, bias=bias)
        middle = [] if norm is None else [norm(out_channels)]
        super().__init__(conv, *middle, nn.ReLU(inplace=True))
        self.out_channels = out_channels


class Chain(nn.Sequential):
    """Layers one after the other, built from rows; a list among the rows becomes `Branches`.

    `conv(in_channels, *row)` makes the convolutions. (N, C, H, W) -> (N, out_channels, H', W').

    >>> Chain(3, [(8, 3, 2), (nn.MaxPool2d, 3, 2), (16, 1)]).out_channels
    16
    """

    def __init__(
        self,
        in_channels: int,
        rows: Sequence[Row],
        conv: Callable[..., nn.Module] = InceptionConv,
    ) -> None:
        super().__init__()
        check_counts("A chain", in_channels=in_channels)
        self.out_channels = in_channels
        for row in _sequence("A chain", rows):
            if not isinstance(row, tuple | list) or not row:
                raise UserError(
                    "A chain's row is (out_channels, kernel_size, …), (pool, …), or a list of "
                    f"chains, not {row!r}."
                )
            is_pool = callable(row[0])
            if isinstance(row, list):
                layer = Branches(self.out_channels, row, conv)
            elif is_pool:
                layer = row[0](*row[1:])
            else:
                layer = conv(self.out_channels, *row)
            self.append(layer)
            self.out_channels = getattr(layer, "out_channels", self.out_channels)


def _sequence(block: str, rows: Sequence[Any]) -> Sequence[Any]:
    if not isinstance(rows, list | tuple):
        raise UserError(f"{block} takes a list, such as [(8, 1), (16, 3)], not {rows!r}.")
    return rows


class Branches(nn.Module):
    """Several chains that read the same input, their outputs joined channel after channel.

    The Inception module, arXiv 1409.4842, figure 2(b), and every later one.
    (N, C, H, W) -> (N, sum of the chains' channels, H', W').

    >>> module = Branches(192, [[(64, 1)], [(96, 1), (128, 3)], [(nn.MaxPool2d, 3, 1, 1), (32, 1)]])
    >>> module(torch.zeros(1, 192, 14, 14)).shape
    torch.Size([1, 224, 14, 14])
    """

    def __init__(
        self,
        in_channels: int,
        chains: Sequence[Sequence[Row]],
        conv: Callable[..., nn.Module] = InceptionConv,
    ) -> None:
        super().__init__()
        if not _sequence("Branches", chains):
            raise UserError("Branches takes one chain or more, such as [[(8, 1)], [(16, 3)]].")
        built = [Chain(in_channels, rows, conv) for rows in chains]
        self.chains = nn.ModuleList(built)
        self.out_channels = sum(chain.out_channels for chain in built)

    def forward(self, x: Tensor) -> Tensor:
        """Return the chains' outputs as one tensor."""
        return torch.cat([chain(x) for chain in self.chains], 1)


class InceptionResidual(nn.Module):
    """Branches, a linear 1×1 back to the input's channels, a share of it added, ReLU.

    Inception-ResNet, arXiv 1602.07261, figures 10 to 20 and section 3.3 for `scale`.
    (N, C, H, W) -> (N, C, H, W); `activation=False` leaves the last ReLU out.

    >>> InceptionResidual(32, [[(8, 1)], [(8, 1), (8, 3)]], scale=0.1).up.in_channels
    16
    """

    def __init__(
        self,
        in_channels: int,
        chains: Sequence[Sequence[Row]],
        conv: Callable[..., nn.Module] = InceptionConv,
        scale: float = 1.0,
        activation: bool = True,
    ) -> None:
        super().__init__()
        self.branches = Branches(in_channels, chains, conv)
        self.up = nn.Conv2d(self.branches.out_channels, in_channels, 1)
        self.scale = scale
        self.activation = nn.ReLU(inplace=True) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus a share of what the branches see in it."""
        return self.activation(torch.add(x, self.up(self.branches(x)), alpha=self.scale))
