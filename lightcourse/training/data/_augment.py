"""Change whole batches at random, on the tensors: crop, flip, rotation, colour, cutout, mixing.

Each change is a plain function of the batch and of what was drawn; `Augment` draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lightcourse.errors import UserError

Random = np.random.Generator
Box = tuple[int, int, int, int]  # top, left, bottom, right; bottom and right outside
GREY = (0.2989, 0.587, 0.114)  # how much red, green and blue add to brightness, as in torchvision


@dataclass(frozen=True)
class Augment:
    """What to change at random in each batch, and how much; 0 or False leaves a change out.

    Attributes:
        crop: shift by up to so many pixels each way; the edge is filled by reflection.
        flip: mirror every second image, left to right.
        cutout: side in pixels of a square set to the mean colour (DeVries and Taylor 2017).
        mixup: alpha of Beta(alpha, alpha), the share of another image and its label (Zhang 2018).
        cutmix: alpha likewise, for a box cut from another image (Yun 2019).
        color: brightness, contrast and saturation times a number from 1 - color to 1 + color.
        rotation: turn by up to so many degrees each way.

    Raises:
        UserError: a value is not possible.

    >>> Augment(crop=4, cutmix=1.0).soft
    True
    """

    crop: int = 2
    flip: bool = True
    cutout: int = 0
    mixup: float = 0.0
    cutmix: float = 0.0
    color: float = 0.0
    rotation: float = 0.0

    def __post_init__(self) -> None:
        highest = {"flip": 1, "color": 1.0, "rotation": 180.0}
        for field in fields(self):
            value, high = getattr(self, field.name), highest.get(field.name, math.inf)
            whole = field.name in ("crop", "cutout")
            right = isinstance(value, int | np.integer if whole else int | float | np.number)
            if not right or not math.isfinite(value) or not 0 <= value <= high:
                kind = "a whole number" if whole else "a number"
                limit = f"from 0 to {high:g}" if high < math.inf else "from 0 on"
                raise UserError(
                    f"Augment({field.name}={value!r}) does not work; give {kind} {limit}."
                )

    @property
    def soft(self) -> bool:
        """Whether labels become shares of classes (N, K), as mixing makes them."""
        return self.mixup > 0 or self.cutmix > 0

    def refuse(self, height: int, width: int) -> None:
        """Raise UserError where a change is larger than images of this size."""
        least = min(height, width)
        for name, most in (("crop", least - 1), ("cutout", least)):
            if getattr(self, name) > most:
                raise UserError(
                    f"{name}={getattr(self, name)} is too large for images of {height} × {width} "
                    f"px; choose at most {most}."
                )

    def move(self, images: Tensor, rng: Random) -> Tensor:
        """Crop and flip (N, C, H, W) uint8 -> the same shape; each pixel is one of the image's own.

        Raises:
            UserError: the shift is larger than the image.
        """
        if not self.crop and not self.flip:
            return images
        n, _, height, width = images.shape
        self.refuse(height, width)
        shifts = rng.integers(-self.crop, self.crop + 1, (2, n))
        flips = rng.random(n) < 0.5 * self.flip
        down, across = torch.from_numpy(shifts).to(images.device)
        return shift_and_flip(images, down, across, torch.from_numpy(flips).to(images.device))

    def recolour(self, images: Tensor, rng: Random) -> Tensor:
        """Jitter the colour of (N, C, H, W) floats from 0 to 1."""
        if not self.color:
            return images
        drawn = rng.uniform(1 - self.color, 1 + self.color, (3, len(images))).astype(np.float32)
        factors = torch.from_numpy(drawn).to(images.device)[..., None, None, None]
        for change, factor in zip((brightness, contrast, saturation), factors, strict=True):
            images = change(images, factor)
        return images

    def bend(self, images: Tensor, rng: Random) -> Tensor:
        """Rotate normalised images (N, C, H, W) and cut squares out of them."""
        n, _, height, width = images.shape
        if self.rotation:
            degrees = rng.uniform(-self.rotation, self.rotation, n).astype(np.float32)
            images = rotate(images, torch.from_numpy(degrees).to(images.device))
        if self.cutout:
            middles = np.stack([rng.integers(0, height, n), rng.integers(0, width, n)])
            down, across = torch.from_numpy(middles).to(images.device)
            images = cut_squares(images, down, across, self.cutout)
        return images

    def mix(self, images: Tensor, shares: Tensor, rng: Random) -> tuple[Tensor, Tensor]:
        """Mix each image with the one before it in the batch, and shares (N, K) of the classes."""
        if not self.soft:
            return images, shares
        # with both wanted, each batch gets one of the two
        if not self.cutmix or (self.mixup and rng.random() < 0.5):
            return blend(images, shares, float(rng.beta(self.mixup, self.mixup)))
        _, _, height, width = images.shape
        rest = 1 - float(rng.beta(self.cutmix, self.cutmix))
        middle = int(rng.integers(height)), int(rng.integers(width))
        return paste(images, shares, cut_box(height, width, rest, middle))


def shift_and_flip(images: Tensor, down: Tensor, across: Tensor, flips: Tensor) -> Tensor:
    """Shift each of (N, C, H, W) by whole pixels (N,), then mirror where `flips` (N,) says so.

    A shift moves the window over the image, which is continued by reflection.

    >>> row = torch.arange(4).reshape(1, 1, 1, 4)
    >>> shift_and_flip(row, *torch.tensor([[0], [1]]), torch.tensor([False])).tolist()
    [[[[1, 2, 3, 2]]]]
    """
    n, channels, height, width = images.shape
    rows = _reflected(torch.arange(height, device=images.device) + down[:, None], height)
    columns = torch.arange(width, device=images.device)
    columns = torch.where(flips[:, None], width - 1 - columns, columns)
    columns = _reflected(columns + across[:, None], width)
    # one gather with the same places for all channels: nothing is padded and nothing is looped
    places = (rows[:, :, None] * width + columns[:, None, :]).reshape(n, 1, -1)
    pixels = images.reshape(n, channels, -1).gather(2, places.expand(-1, channels, -1))
    return pixels.reshape(images.shape)


def _reflected(place: Tensor, size: int) -> Tensor:
    return (size - 1) - ((size - 1) - place.abs()).abs()


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply all values by the factor; values from 0 to 1 stay in there."""
    return (images * factor).clamp(0, 1)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move each image away from (factor > 1) or towards its own mean brightness."""
    mean = _grey(images).mean((1, 2, 3), keepdim=True)
    return (factor * images + (1 - factor) * mean).clamp(0, 1)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move each pixel away from or towards its own grey; only three channels have colour."""
    if images.shape[1] != 3:
        return images
    return (factor * images + (1 - factor) * _grey(images)).clamp(0, 1)


def _grey(images: Tensor) -> Tensor:
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    weights = torch.tensor(GREY, device=images.device, dtype=images.dtype)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn each image against the clock around its centre; (N, C, H, W), (N,) -> (N, C, H, W).

    Values between pixels are bilinear; what turns in from outside is a reflection.

    >>> corner = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    >>> rotate(corner, torch.tensor([90.0])).round().tolist()
    [[[[0.0, 0.0], [1.0, 0.0]]]]
    """
    _, _, height, width = images.shape
    angle = torch.deg2rad(degrees)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # grid_sample counts from -1 to 1 along either side, so a turn must know how long they are
    rows = [cos, -sin * (height / width), zero, sin * (width / height), cos, zero]
    grid = F.affine_grid(
        torch.stack(rows, 1).reshape(-1, 2, 3), list(images.shape), align_corners=False
    )
    return F.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)


def cut_squares(images: Tensor, down: Tensor, across: Tensor, side: int) -> Tensor:
    """Set a square of each image to 0, its mean colour once normalised; its middle is (N,), (N,).

    A square near the edge is cut off there, as in the paper.
    """
    _, _, height, width = images.shape
    inside = []
    for middle, size in ((down, height), (across, width)):
        from_start = torch.arange(size, device=images.device) - (middle[:, None] - side // 2)
        inside.append((from_start >= 0) & (from_start < side))
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images.masked_fill(hole, 0)


def blend(images: Tensor, shares: Tensor, keep: float) -> tuple[Tensor, Tensor]:
    """Mixup: `keep` of each image and label, the rest of the one before it in the batch."""
    return (
        images * keep + images.roll(1, 0) * (1 - keep),
        shares * keep + shares.roll(1, 0) * (1 - keep),
    )


def cut_box(height: int, width: int, area: float, middle: tuple[int, int]) -> Box:
    """The box with this share of the area around a pixel, cut off at the image's edge.

    >>> cut_box(8, 8, 0.25, (4, 4)), cut_box(8, 8, 0.25, (0, 7))
    ((2, 2, 6, 6), (0, 5, 2, 8))
    """
    half = 0.5 * math.sqrt(area)
    (y, x), h, w = middle, int(half * height), int(half * width)
    return max(y - h, 0), max(x - w, 0), min(y + h, height), min(x + w, width)


def paste(images: Tensor, shares: Tensor, box: Box) -> tuple[Tensor, Tensor]:
    """CutMix: a box from the image before; the label's shares are the shares of the area."""
    top, left, bottom, right = box
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images.roll(1, 0)[:, :, top:bottom, left:right]
    other = (bottom - top) * (right - left) / (images.shape[2] * images.shape[3])
    return mixed, shares * (1 - other) + shares.roll(1, 0) * other
