"""Letters: small pictures with one letter each, which stands left, right, or anywhere.

Data card
    Picture: 16 × 16, one channel, background exactly 0. One letter of 5 × 5 px stands in it, with a
    random strength from 0.6 to 1.4.
    Class: which of the four letters it is, a quarter of the pictures each. Guessing gives 25 %.
    Places: "left" has the letter's first column at 0 to 3, so it lies in columns 0 to 7; "right" is
    the mirror of it, columns 8 to 15; "all" is anywhere. Rows are free.
    Why the background is 0: a weight whose input is always 0 gets no gradient. So what a network
    knows about the right half after training on the left is what its layers share, and no more.
    What it is not: handwriting, or natural pictures. It asks one question: does a network use what
    it has learned at one place at another place?
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.rehearsal import rehearsed
from lightcourse.training.two_patches import accuracy

SIDE = 16  # pixels a side of the picture
LETTER = 5  # pixels a side of a letter
NAMES = ("T", "L", "X", "O")
PLACES = {"left": (0, SIDE // 2 - LETTER), "right": (SIDE // 2, SIDE - LETTER),
          "all": (0, SIDE - LETTER)}  # fmt: skip
_SHAPES = np.array(
    [
        ["#####", "..#..", "..#..", "..#..", "..#.."],
        ["#....", "#....", "#....", "#....", "#####"],
        ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"],
        [".###.", "#...#", "#...#", "#...#", ".###."],
    ]
)


def letters(n: int, place: str = "all", seed: int = 0) -> tuple[Tensor, Tensor]:
    """Make n pictures (n, 1, 16, 16) float32 and their classes (n,) int64.

    place: "left", "right" or "all".

    Raises:
        UserError: there is no such place.

    >>> images, classes = letters(8, "left")
    >>> images.shape, float(images[..., 8:].abs().max()), classes.bincount().tolist()
    (torch.Size([8, 1, 16, 16]), 0.0, [2, 2, 2, 2])
    """
    if place not in PLACES:
        raise UserError(f"there is no place {place!r}; choose one of: {', '.join(PLACES)}.")
    rng = np.random.default_rng([seed, list(PLACES).index(place)])
    classes = rng.permutation(np.arange(n) % len(NAMES))
    low, high = PLACES[place]
    top = rng.integers(0, SIDE - LETTER + 1, n)[:, None, None]
    left = rng.integers(low, high + 1, n)[:, None, None]
    strength = rng.uniform(0.6, 1.4, n)[:, None, None]
    ink = np.array([[[c == "#" for c in row] for row in shape] for shape in _SHAPES])
    i = np.arange(LETTER)
    images = np.zeros((n, SIDE, SIDE), np.float32)
    images[np.arange(n)[:, None, None], top + i[:, None], left + i] = strength * ink[classes]
    return torch.from_numpy(images)[:, None], torch.from_numpy(classes)


def full_net(hidden: int) -> nn.Sequential:
    """Two fully connected layers, (N, 1, 16, 16) -> (N, 4).

    >>> sum(p.numel() for p in full_net(5).parameters())
    1309
    """
    return nn.Sequential(
        nn.Flatten(), nn.Linear(SIDE * SIDE, hidden), nn.ReLU(), nn.Linear(hidden, len(NAMES))
    )


def conv_net(channels: int) -> nn.Sequential:
    """One 5×5 convolution, the maximum over all places, one linear layer: (N, 1, H, W) -> (N, 4).

    >>> sum(p.numel() for p in conv_net(40).parameters())
    1204
    """
    return nn.Sequential(
        nn.Conv2d(1, channels, LETTER, padding=LETTER // 2),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, len(NAMES)),
    )


def place_net(channels: int) -> nn.Sequential:
    """The same convolution, its maps read place by place: (N, 1, 16, 16) -> (N, 4).

    >>> sum(p.numel() for p in place_net(8).parameters())
    8404
    """
    return nn.Sequential(
        nn.Conv2d(1, channels, LETTER, padding=LETTER // 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(channels * SIDE * SIDE, len(NAMES)),
    )


KINDS = {"full": full_net, "conv": conv_net, "place": place_net}


def train_letters(
    kind: str, width: int, place: str, seed: int, *, n: int = 2000, steps: int = 400
) -> tuple[float, float]:
    """Train a "full", "conv" or "place" net; its accuracy on fresh pictures left and right.

    place: where the letters stand while it learns.
    width: hidden units of a full net, channels of the other two.
    One thread, so that a seed gives the same numbers again on the same machine.

    Raises:
        UserError: there is no such kind or place.

    >>> left, right = train_letters("conv", 4, "left", seed=0, n=40, steps=2)
    >>> 0 <= left <= 1 and 0 <= right <= 1
    True
    """
    if kind not in KINDS:
        raise UserError(f"there is no kind {kind!r}; choose one of: {', '.join(KINDS)}.")
    steps = rehearsed(steps, 2)
    images, classes = letters(n, place, seed=3 * seed)
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            net = KINDS[kind](width)
            _fit(net, images, classes, steps)
            left, right = (
                accuracy(net, *letters(1000, side, seed=3 * seed + 1)) for side in ("left", "right")
            )
        finally:
            torch.set_num_threads(threads)
    return left, right


def _fit(net: nn.Module, images: Tensor, classes: Tensor, steps: int, batch: int = 50) -> None:
    """Adam; the learning rate climbs for a quarter of the steps, then falls to zero."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(1e-3, min(4 * step / steps, (1 - step / steps) / 0.75))
    )
    for _ in range(steps):
        chosen = torch.randint(0, len(classes), (batch,))
        loss = F.cross_entropy(net(images[chosen]), classes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
