"""Study: three normalisations at a large and a small batch, on the colour puzzle (chapter 06)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.training._exp_variants import Variant
from lightcourse.training.colours import TEXTURES, batch_norm_relu, colour_net, colour_puzzle
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, sized

SMALL = 2  # pictures in the small batch
# strides of the two blocks: the last feature map is 8 × 8 or 2 × 2
NETS = {"roomy": (1, 1), "tight": (2, 2)}


class FilterResponseNorm(nn.Module):
    """FRN and its activation TLU: divide by the root mean square of each map, then max with tau.

    arXiv 1911.09737, equations 1 to 3. (N, C, H, W) -> (N, C, H, W).
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(channels, 1, 1))
        self.tau = nn.Parameter(torch.zeros(channels, 1, 1))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        mean_square = x.square().mean((2, 3), keepdim=True)
        y = x * (self.gamma * torch.rsqrt(mean_square + self.eps)) + self.beta
        return torch.maximum(y, self.tau)


def _group_norm_relu(channels: int) -> nn.Module:
    return nn.Sequential(nn.GroupNorm(4, channels), nn.ReLU())


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch norm": batch_norm_relu,
    "group norm": _group_norm_relu,
    "FRN": FilterResponseNorm,
}


def small_batches(
    *,
    quick: bool = False,
    nets: Sequence[str] | None = None,
    norms: Sequence[str] | None = None,
    lr: float = 0.01,
    **settings: Any,
) -> Comparison:
    """Train with batches of `batch_size` (16) and of 2 pictures, which see every picture as often.

    The rate falls with the root of the batch. Claims: every norm loses at 2, in each of `nets`
    ("roomy", "tight"), and at 2 group norm beats batch norm (arXiv 1803.08494, figure 1). `norms`
    are "batch norm", "group norm" and "FRN" (quick: the first two, in the tight net).
    """
    size = {"train": 1000 if quick else 1500, "test": 1200, "epochs": 2, "batch_size": 16}
    chosen = {**sized(quick, {**size, **settings}), "augment": None}
    rooms = _known(nets or (("tight",) if quick else tuple(NETS)), NETS)
    kinds = _known(norms or tuple(NORMS)[: 2 if quick else None], NORMS)
    large = chosen["batch_size"]
    slower = {"batch_size": SMALL, "lr": lr * (SMALL / large) ** 0.5}
    table, pairs = {}, []
    for room in rooms:
        for kind in kinds:
            build = partial(colour_net, len(TEXTURES), strides=NETS[room], norm_act=NORMS[kind])
            names = [f"{room}, {kind}, {batch}" for batch in (large, SMALL)]
            table[names[0]] = Variant(build, fit={"lr": lr}, x=large, line=f"{room}, {kind}")
            table[names[1]] = Variant(build, fit=slower, x=SMALL, line=f"{room}, {kind}")
            pairs.append((names[0], names[1]))
        if {"batch norm", "group norm"} <= set(kinds):
            pairs.append((f"{room}, group norm, {SMALL}", f"{room}, batch norm, {SMALL}"))
    noise = 0.3 * chosen["difficulty"]
    puzzle = colour_puzzle(chosen["train"], chosen["test"], ask="shared", noise=noise)
    return compare(
        "small_batches", table, puzzle, chosen, claims=pairs, budget="params",
        question="which norm loses when the batch is small?", x_label="pictures in a batch",
        own={"nets": list(rooms), "norms": list(kinds), "lr": lr},
    )  # fmt: skip


def _known(names: Sequence[str], table: dict[str, Any]) -> tuple[str, ...]:
    for name in names:
        if name not in table:
            raise UserError(f"There is no {name!r}; choose of {', '.join(table)}.")
    return tuple(names)
