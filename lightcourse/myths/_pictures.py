"""Demonstrations about sides, sizes and convolutions (chapters 01, 03 and 23)."""

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.models import create_model
from lightcourse.myths import Demonstration
from lightcourse.myths._tools import report_of, shown


def _last_side(side: int) -> int:
    """Side after five padded 3×3 convolutions of stride 2."""
    for _ in range(5):
        side = (side + 2 - 3) // 2 + 1
    return side


def myth_02() -> Demonstration:
    """Which input sides end at 7×7 after five halvings."""
    sides = [n for n in range(160, 260) if _last_side(n) == 7]
    return shown(
        sides == list(range(193, 225)),
        ("sides that end at 7×7", f"{sides[0]} … {sides[-1]}, {len(sides)} of them"),
        ("227 / 32 (AlexNet)", 227 / 32),
        ("299 / 32 (Inception-v3)", 299 / 32),
    )


def myth_03() -> Demonstration:
    """One network with global average pooling, one that flattens its last map, at several sizes."""
    with torch.device("meta"):
        light, flat = create_model("mobilenet_v2").eval(), create_model("alexnet").eval()
    flat.avgpool = nn.Identity()  # as in 2012; the pool that adapts to any size came later
    rows, taken = [], []
    for name, model in (("MobileNetV2", light), ("AlexNet, flattened", flat)):
        for side in (128, 160, 227, 321):
            try:
                out: object = tuple(model(torch.empty(1, 3, side, side, device="meta")).shape)
            except (UserError, RuntimeError):
                out = "refused"
            taken.append(out == (1, 1000))
            rows.append((f"{name}, at {side}×{side}", out))
    return shown(taken == [True] * 4 + [False, False, True, False], *rows)


def myth_08() -> Demonstration:
    """A transposed convolution after a convolution gives back the shape, not the values."""
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    conv = nn.Conv2d(3, 3, 4, 2, 1, bias=False).double()
    x.requires_grad_()
    y = conv(x)
    back = F.conv_transpose2d(y, conv.weight, stride=2, padding=1)
    (gradient,) = torch.autograd.grad(y, x, y.detach())
    error = float((back - x).detach().norm() / x.detach().norm())
    same = torch.allclose(back, gradient)
    return shown(
        same and error > 0.3,
        ("shape comes back", back.shape == x.shape),
        ("relative error of the values", f"{error:.2f}"),
        ("equals the convolution's gradient", same),
    )


def myth_09() -> Demonstration:
    """Shrink a smooth picture four times, enlarge it again by two ways, compare."""
    t = torch.linspace(0, 6.28, 96, dtype=torch.float64)
    picture = (torch.sin(2 * t)[:, None] * torch.cos(3 * t)[None, :])[None, None]
    small = F.avg_pool2d(picture, 4)
    errors = {}
    for mode in ("nearest", "bilinear", "bicubic"):
        corners = None if mode == "nearest" else False
        back = F.interpolate(small, scale_factor=4, mode=mode, align_corners=corners)
        errors[mode] = float((back - picture)[..., 8:-8, 8:-8].square().mean().sqrt())
    rows = [(f"error of {mode}", f"{error:.4f}") for mode, error in errors.items()]
    return shown(errors["bicubic"] < errors["bilinear"] < errors["nearest"], *rows)


def myth_10() -> Demonstration:
    """Which sides 32 divides."""
    rows = [(f"{side} / 32", side / 32) for side in (280, 256, 288)]
    return shown(280 % 32 != 0 and 256 % 32 == 288 % 32 == 0, *rows)


def myth_11() -> Demonstration:
    """The same network at half the side."""
    full, half = (report_of("mobilenet_v1", side).macs for side in (256, 128))
    return shown(
        3.9 < full / half < 4.05,
        ("multiply-accumulates at 256×256", full),
        ("at 128×128", half),
        ("ratio", f"{full / half:.2f}"),
    )


def myth_49() -> Demonstration:
    """The formula without and with dilation, against torch, for many settings."""
    wrong = tried = right = 0
    dilated = ((3, 1, 2, 2), (3, 2, 2, 2), (5, 2, 4, 3), (3, 1, 0, 4))
    for k, s, p, d in ((3, 1, 1, 1), (5, 2, 2, 1), (1, 1, 0, 1), (7, 2, 3, 1), *dilated):
        out = nn.Conv2d(1, 1, k, s, p, d)(torch.zeros(1, 1, 32, 32)).shape[-1]
        tried += 1
        wrong += (32 + 2 * p - k) // s + 1 != out
        right += (32 + 2 * p - d * (k - 1) - 1) // s + 1 == out
    return shown(
        right == tried and wrong == len(dilated),
        ("settings tried", tried),
        ("of them dilated", len(dilated)),
        ("the textbook formula is wrong in", wrong),
        ("with dilation in the formula, right in", right),
    )


def myth_51() -> Demonstration:
    """Shift, mirror and shrink a picture before and after a convolution."""
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular", bias=False)
    x = torch.randn(1, 1, 16, 16)
    moves = {
        "shifted by (2, 3)": lambda t: t.roll((2, 3), (2, 3)),
        "mirrored": lambda t: t.flip(3),
        "at half the size": lambda t: F.avg_pool2d(t, 2),
    }
    with torch.no_grad():
        same = {
            name: torch.allclose(conv(move(x)), cast(torch.Tensor, move(conv(x))), atol=1e-5)
            for name, move in moves.items()
        }
        unchanged = torch.allclose(conv(x.roll(2, 2)), conv(x))
    rows = [(f"{name}: the output follows", follows) for name, follows in same.items()]
    holds = list(same.values()) == [True, False, False] and not unchanged
    return shown(holds, *rows, ("shifted: the output stays the same", unchanged))
