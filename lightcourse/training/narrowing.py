"""A small chain of convolutions that can be made narrower after training (chapter 12, NetAdapt)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightcourse.errors import UserError
from lightcourse.rehearsal import rehearsed
from lightcourse.training.data import builtin

STRIDES = (2, 2, 1, 2)
CLASSES, SIDE = 10, 32
Pictures = tuple[Tensor, Tensor]


class Chain(nn.Module):
    """Four 3×3 convolutions of given widths, each with norm and ReLU; then mean and classifier.

    (N, 3, H, W) -> (N, 10). Raises `UserError` unless there are four widths of at least 1.

    >>> Chain([4, 6, 6, 8])(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        _check(widths)
        triples = zip((3, *widths[:-1]), widths, STRIDES, strict=True)
        self.convs = nn.ModuleList(nn.Conv2d(c, n, 3, s, 1, bias=False) for c, n, s in triples)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in widths)
        self.head = nn.Linear(widths[-1], CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        return self.head(x.mean((2, 3)))


def chain_macs(widths: Sequence[int]) -> int:
    """MACs of a `Chain` on pictures of 32×32, without building it.

    >>> chain_macs([12, 20, 24, 32])
    608576
    """
    _check(widths)
    side, total = SIDE, CLASSES * widths[-1]
    for c, n, s in zip((3, *widths[:-1]), widths, STRIDES, strict=True):
        side //= s
        total += 9 * c * n * side * side
    return total


@torch.no_grad()
def narrower(net: Chain, widths: Sequence[int]) -> Chain:
    """Return a copy with fewer channels: of each layer the filters with the largest weights.

    NetAdapt, arXiv 1804.03230, section 3.3: filters are ranked by the L2 norm of their weights.
    Raises `UserError` for widths that the net does not have.
    """
    new, kept = Chain(widths), torch.arange(3)
    for i, width in enumerate(widths):
        weight = net.get_parameter(f"convs.{i}.weight")
        if width > len(weight):
            raise UserError(f"Layer {i + 1} has {len(weight)} channels; {width} are more.")
        strongest = weight.flatten(1).norm(dim=1).topk(width).indices.sort().values
        new.get_parameter(f"convs.{i}.weight").copy_(weight[strongest][:, kept])
        state = new.norms[i].state_dict()
        for name, value in net.norms[i].state_dict().items():
            state[name].copy_(value[strongest] if value.dim() else value)
        kept = strongest
    new.head.weight.copy_(net.head.weight[:, kept])
    new.head.bias.copy_(net.head.bias)
    return new


@dataclass(frozen=True, eq=False)  # tensors inside cannot be compared with ==
class Parts:
    """Pictures to train on, to judge candidates on, and to test on: (pictures, labels) each."""

    train: Pictures
    judge: Pictures
    test: Pictures


def pictures(train: int = 1600, judge: int = 400, test: int = 1000) -> Parts:
    """Return the built-in pictures in three parts that share none.

    >>> [len(part[0]) for part in (pictures(20, 10, 5).train, pictures(20, 10, 5).judge)]
    [20, 10]
    """
    data = builtin(train + judge, test, difficulty=0.3)
    images, tests = (each.images.float() / 255 for each in (data.train, data.test))
    mean, std = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), keepdim=True)
    images, tests, labels = (images - mean) / std, (tests - mean) / std, data.train.labels
    return Parts(
        (images[:train], labels[:train]),
        (images[train:], labels[train:]),
        (tests, data.test.labels),
    )


def learn(net: Chain, on: Pictures, steps: int, lr: float, seed: int) -> Chain:
    """Train the net itself for so many steps of 64 pictures, and return it.

    The rate rises to lr in the first third of the steps and falls to nearly 0 in the others.
    """
    steps = rehearsed(steps, 1)
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps)
    net.train()
    for _ in range(steps):
        chosen = torch.randint(len(on[0]), (64,), generator=order)
        loss = F.cross_entropy(net(on[0][chosen]), on[1][chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def accuracy(net: Chain, on: Pictures) -> float:
    """Per cent of the pictures that the net names right."""
    return 100 * (net.eval()(on[0]).argmax(1) == on[1]).float().mean().item()


def _check(widths: Sequence[int]) -> None:
    if len(widths) != len(STRIDES) or min(widths, default=0) < 1:
        raise UserError(
            f"A chain has {len(STRIDES)} widths of at least 1 channel, not {list(widths)}."
        )
