"""Two patches: pictures whose class shows only to a window that sees both patches at once.

Data card
    Picture: 32 × 32, one channel, Gaussian noise. Two patches of 4 × 4 px lie side by side; one
    has horizontal stripes, the other vertical stripes (1 px wide, random sign and contrast).
    Class: 0 when the horizontal stripes are on the left, 1 when they are on the right.
    Why it needs distance: each picture holds one patch of each kind, so neither patch alone says
    anything. The picture wraps around (right edge meets left edge), and so do the convolutions
    here: no border gives the place away. A network that sums over places and whose windows never
    touch both patches gives both classes the same score, whatever its weights: 50 %.
    What it is not: natural pictures. It tests one thing, the reach of a window.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.rehearsal import rehearsed

SIDE = 32  # pixels a side of the picture
PATCH = 4  # pixels a side of a patch
_STRIPES = np.array([1.0, -1.0] * (PATCH // 2), dtype=np.float32)


def two_patches(
    n: int,
    distance: int = 14,
    seed: int = 0,
    *,
    noise: float = 0.5,
    contrast: tuple[float, float] = (0.6, 2.0),
) -> tuple[Tensor, Tensor]:
    """Make n pictures (n, 1, 32, 32) float32 and their classes (n,) int64, half of each class.

    distance: pixels from the left patch to the right one, centre to centre; see `distances`.

    Raises:
        UserError: the distance cannot be used.

    >>> images, classes = two_patches(10, distance=14)
    >>> images.shape, int(classes.sum())
    (torch.Size([10, 1, 32, 32]), 5)
    """
    _refuse(distance)
    rng = np.random.default_rng([seed, distance])
    classes = rng.permutation(np.arange(n) % 2)
    images = (noise * rng.standard_normal((n, SIDE, SIDE))).astype(np.float32)
    corner = rng.integers(0, SIDE, (n, 2))
    strength = rng.uniform(*contrast, (n, 2)) * rng.choice([-1.0, 1.0], (n, 2))
    _paint(images, classes, corner, strength.astype(np.float32), distance)
    return torch.from_numpy(images)[:, None], torch.from_numpy(classes)


def distances(*wanted: int) -> tuple[int, ...]:
    """The distances as a tuple, each checked: even, from 6 to 14 pixels.

    Even, so that a network with stride 2 meets both patches in the same phase. Less than half the
    picture, since the picture wraps around: 18 apart is 14 apart the other way round.

    Raises:
        UserError: one of them cannot be used, or there is none.

    >>> distances(10, 14)
    (10, 14)
    """
    if not wanted:
        raise UserError("give at least one distance, as distances(10, 14).")
    for distance in wanted:
        _refuse(distance)
    return wanted


def swapped_pair(distance: int = 14) -> Tensor:
    """One picture without noise in both orders: (2, 1, 32, 32) float64, classes 0 and 1.

    >>> swapped_pair(14).shape
    torch.Size([2, 1, 32, 32])
    """
    _refuse(distance)
    images = np.zeros((2, SIDE, SIDE), dtype=np.float32)
    corner = np.full((2, 2), (SIDE - PATCH) // 2)
    corner[:, 1] -= distance // 2
    _paint(images, np.array([0, 1]), corner, np.ones((2, 2), np.float32), distance)
    return torch.from_numpy(images)[:, None].double()


class ReachNet(nn.Module):
    """Four convolutions and a mean over all places: (N, 1, 32, 32) -> (N, 2).

    Only the dilation of the third layer differs between two of these networks: parameters and
    multiply-adds stay the same, and the receptive field is 7 + 4 · dilation pixels.

    >>> ReachNet(3)(torch.zeros(5, 1, 32, 32)).shape
    torch.Size([5, 2])
    """

    def __init__(self, dilation: int = 1):
        super().__init__()
        # kernel, stride, padding, dilation
        self.layers = ((3, 2, 1, 1), (3, 1, 1, 1), (3, 1, dilation, dilation), (1, 1, 0, 1))
        channels = (1, 8, 12, 12, 12)
        blocks = []
        for (k, s, p, d), i, o in zip(self.layers, channels, channels[1:], strict=False):
            # kernel 1 has no padding to wrap
            mode = "circular" if p else "zeros"
            conv = nn.Conv2d(i, o, k, s, p, d, bias=False, padding_mode=mode)
            blocks += [conv, nn.BatchNorm2d(o), nn.ReLU()]
        self.body = nn.Sequential(*blocks)
        self.head = nn.Linear(channels[-1], 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def train_once(
    dilation: int, distance: int, seed: int, *, n: int = 1000, epochs: int = 5
) -> tuple[float, nn.Module]:
    """Train a ReachNet on n fresh pictures; return its accuracy on 1,000 others, and the network.

    One thread, so that a seed gives the same number again on the same machine.

    >>> accuracy, net = train_once(1, 14, seed=0, n=40, epochs=1)
    >>> 0 <= accuracy <= 1
    True
    """
    n, epochs = rehearsed(n, 60), rehearsed(epochs, 1)
    images, classes = two_patches(n, distance, seed=2 * seed)
    with _own_world(seed):
        net = ReachNet(dilation)
        _fit(net, images, classes, epochs)
    images, classes = two_patches(rehearsed(1000, 40), distance, seed=2 * seed + 1)
    return accuracy(net, images, classes), net


@torch.no_grad()
def accuracy(net: nn.Module, images: Tensor, classes: Tensor) -> float:
    """The share of pictures whose class has the largest score."""
    net.eval()
    return float((net(images).argmax(1) == classes).double().mean())


def _fit(net: nn.Module, images: Tensor, classes: Tensor, epochs: int, batch: int = 30) -> None:
    """AdamW; the learning rate climbs for a quarter of the steps, then falls to zero."""
    peak, steps = 0.02, epochs * (len(classes) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=peak, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(1e-3, min(4 * step / steps, (1 - step / steps) / 0.75))
    )
    net.train()
    for _ in range(epochs):
        order = torch.randperm(len(classes))
        for chosen in order[: len(order) // batch * batch].split(batch):
            loss = F.cross_entropy(net(images[chosen]), classes[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


@contextmanager
def _own_world(seed: int) -> Iterator[None]:
    """Seeded randomness and one thread inside; both as before outside."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _paint(
    images: np.ndarray,
    classes: np.ndarray,
    corner: np.ndarray,
    strength: np.ndarray,
    distance: int,
) -> None:
    """Add the two patches to each picture in place; corner (n, 2) is the left patch's row, col."""
    i = np.arange(PATCH)
    pictures = np.arange(len(images))[:, None, None]
    for side in (0, 1):
        horizontal = (classes == side)[:, None, None]
        stripes = np.where(horizontal, _STRIPES[None, :, None], _STRIPES[None, None, :])
        rows = (corner[:, :1] + i) % SIDE
        columns = (corner[:, 1:] + side * distance + i) % SIDE
        images[pictures, rows[:, :, None], columns[:, None, :]] += (
            strength[:, side, None, None] * stripes
        )


def _refuse(distance: int) -> None:
    allowed = list(range(PATCH + 2, SIDE // 2, 2))
    if distance in allowed:
        return
    why = ""
    if isinstance(distance, int) and SIDE // 2 <= distance < SIDE:
        why = (
            f": the picture is {SIDE} px wide and wraps around, so {distance} apart is"
            f" {SIDE - distance} apart the other way round"
        )
    raise UserError(f"distance {distance} does not work{why}; choose one of {allowed}.")
