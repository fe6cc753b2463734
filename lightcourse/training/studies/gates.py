"""Studies: squeeze-and-excitation with its controls, and ReLU, swish, h-swish (chapter 12)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.nn import Bneck, ConvNormAct, SqueezeExcite
from lightcourse.training._exp_variants import Variant
from lightcourse.training.experiment import Comparison
from lightcourse.training.studies._frame import compare, pictures, sized

STEM, LAST = 16, 96
# as the first half of MobileNetV3 at a third of its width
ROWS = (
    # k, exp, out, s
    (3, 48, 16, 2),
    (3, 64, 24, 1),
    (3, 72, 24, 1),
    (5, 96, 32, 2),
    (3, 128, 32, 1),
)
# without SE, expansions wider until the parameters are those of the net with SE
WIDER = 1.7
NAMES = {"ReLU": nn.ReLU, "swish": nn.SiLU, "h-swish": nn.Hardswish}


class FixedGate(nn.Module):
    """A gate for each channel that is learned but never looks at the picture: SE's control.

    (N, C, H, W) -> (N, C, H, W).

    >>> FixedGate(2)(torch.ones(1, 2, 1, 1)).flatten().tolist()
    [0.5, 0.5]
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * F.hardsigmoid(self.weight)


def bneck_net(
    gate: str = "none", wider: float = 1.0, activation: Callable[..., nn.Module] = nn.ReLU
) -> nn.Sequential:
    """Build a small net of bnecks: `gate` is "none", "se" or "fixed", in every block.

    (N, 3, H, W) -> (N, 10).

    >>> bneck_net("se")(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 10])
    """
    layers: list[nn.Module] = [ConvNormAct(3, STEM, 3, 2, activation=activation)]
    channels = STEM
    for k, exp, out, s in ROWS:
        wide = round(exp * wider / 8) * 8
        layers.append(Bneck(channels, wide, out, k, s, gate != "none", activation))
        channels = out
    layers.append(ConvNormAct(channels, LAST, 1, activation=activation))
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(LAST, 10)]
    whole = nn.Sequential(*layers)
    if gate == "fixed":
        _blind(whole)
    return whole


def _blind(whole: nn.Module) -> None:
    """Put a gate that cannot see in the place of every squeeze-and-excite."""
    for module in list(whole.modules()):
        for name, child in module.named_children():
            if isinstance(child, SqueezeExcite):
                setattr(module, name, FixedGate(child.fc1.in_channels))


def squeeze_excite(*, quick: bool = False, **settings: Any) -> Comparison:
    """Train one small net without and with squeeze-and-excitation, and two controls.

    SENet, arXiv 1709.01507, in the form of MobileNetV3, arXiv 1905.02244. The controls: a gate as
    large for each channel that never looks at the picture, and expansions wider by `WIDER`, which
    makes as many parameters as SE has (and more MACs). Claims: SE beats each of the three. If
    quick, the net without and the one with SE only.
    """
    chosen = sized(quick, settings if quick else {"train": 4000, **settings}, pictures=1000)
    nets = {"no gate": bneck_net, "SE": partial(bneck_net, "se")}
    pairs = [("SE", "no gate")]
    if not quick:
        nets["gate that cannot see"] = partial(bneck_net, "fixed")
        nets["wider, no gate"] = partial(bneck_net, wider=WIDER)
        pairs += [("SE", "gate that cannot see"), ("SE", "wider, no gate")]
    table = {name: Variant(build) for name, build in nets.items()}
    return compare(
        "squeeze_excite", table, pictures(chosen), chosen, claims=pairs, budget=None,
        own={"quick": True} if quick else {}, question="what does squeeze-and-excitation bring?",
    )  # fmt: skip


def hard_swish(*, quick: bool = False, **settings: Any) -> Comparison:
    """Train the net without gates with ReLU, with swish and with h-swish in all layers.

    Swish: arXiv 1710.05941; h-swish: MobileNetV3, arXiv 1905.02244, section 5.2. Claims: each of
    the two beats ReLU, and swish beats its cheap form. If quick, ReLU and h-swish only.
    """
    chosen = sized(quick, settings if quick else {"train": 4000, **settings}, pictures=1000)
    names = ("ReLU", "h-swish") if quick else tuple(NAMES)
    pairs = [("h-swish", "ReLU")]
    if not quick:
        pairs += [("swish", "ReLU"), ("swish", "h-swish")]
    table = {name: Variant(partial(bneck_net, activation=NAMES[name])) for name in names}
    return compare(
        "hard_swish", table, pictures(chosen), chosen, claims=pairs, budget="macs",
        own={"quick": True} if quick else {}, question="which activation is the better one?",
    )  # fmt: skip
