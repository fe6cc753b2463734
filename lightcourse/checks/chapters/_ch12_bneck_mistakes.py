"""Exercise 12.bneck: known mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from lightcourse.checks.chapters._ch09_parts import Part, without_bias
from lightcourse.checks.chapters._ch12_bneck import layers, variant
from lightcourse.checks.chapters._ch12_parts import general, same
from lightcourse.checks.exercise import Mistake, Outcome

Parts = Sequence[Part]


def _layers(**quirks: Any) -> Callable[[Outcome], bool]:
    """The layers are exactly those of a block with this quirk, and not the right ones."""

    def matches(outcome: Outcome) -> bool:
        settings, shape, _ = outcome.case.args
        own = {key: q(settings) if callable(q) else q for key, q in quirks.items()}
        try:
            parts = layers(settings, shape, **own)
        except (RuntimeError, ValueError):
            return False
        return same(outcome.got.parts, parts) and parts != outcome.want.parts

    return matches


def _kernel_ignored(outcome: Outcome) -> bool:
    settings, shape, _ = outcome.case.args
    three = (*settings[:3], 3, *settings[4:])
    return settings[3] != 3 and same(outcome.got.parts, layers(three, shape))


def _padded(padding: int) -> Callable[[Outcome], bool]:
    """The map shrinks for want of padding; where x is added that stops with an error."""
    shrunk = _layers(padding=padding)

    def matches(outcome: Outcome) -> bool:
        if outcome.error is None:
            return shrunk(outcome)
        c, _, n, k, s, *_ = outcome.case.args[0]
        adds = s == 1 and c == n and k // 2 > padding
        return adds and "must match the size of tensor" in str(outcome.error)

    return matches


def _no_expansion(outcome: Outcome) -> bool:
    """The block has no layer that expands: its first convolution is depthwise, or it breaks."""
    settings, *_ = outcome.case.args
    if outcome.error is not None:
        said = str(outcome.error)
        return f"to have {settings[1]} channels, but got {settings[0]} channels" in said
    first = outcome.got.parts[0]
    return settings[0] != settings[1] and first.groups > 1


def _norms(outcome: Outcome) -> bool:
    """The convolutions and linear layers are right, norms are missing."""
    kinds = [part for part in without_bias(outcome.got.parts) if part.kind != "norm"]
    want = [part for part in outcome.want.parts if part.kind != "norm"]
    return kinds == want and len(outcome.got.parts) < len(outcome.want.parts)


def _squeezed(to: Callable[[int, int], int]) -> Callable[[Outcome], bool]:
    def matches(outcome: Outcome) -> bool:
        c, exp, *_ = outcome.case.args[0]
        inner = [part.outputs for part in outcome.got.parts if part.kind == "linear"]
        right = [part.outputs for part in outcome.want.parts if part.kind == "linear"]
        return len(inner) == 2 and inner != right and inner[0] == to(c, exp)

    return matches


def _se_elsewhere(outcome: Outcome) -> bool:
    """The gate has the right layers, and they run at another place of the block."""
    got = without_bias(outcome.got.parts)
    places = [i for i, part in enumerate(got) if part.kind == "linear"]
    right = [i for i, part in enumerate(outcome.want.parts) if part.kind == "linear"]
    return bool(right) and len(places) == len(right) and places != right


def _norm_sizes(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "running_mean" in said or "running_var" in said or "weight should contain" in said


def _cannot_add(outcome: Outcome) -> bool:
    """x is added where the shapes differ."""
    settings, *_ = outcome.case.args
    right = settings[4] == 1 and settings[0] == settings[2]
    return not right and "must match the size of tensor" in str(outcome.error)


def _added(settings: Any) -> bool:
    return settings[4] == 1 and settings[0] == settings[2]


def _sum_activated() -> tuple[Mistake, ...]:
    """An activation behind the sum: the block's or a ReLU, in all blocks or where x is added."""
    says = (
        "An activation stands behind the sum. The narrow end stays linear: return `x + y` as it is."
    )
    ends: tuple[Any, ...] = (
        lambda s: s[6], nn.ReLU, lambda s: s[6] if _added(s) else nn.Identity,
        lambda s: nn.ReLU if _added(s) else nn.Identity,
    )  # fmt: skip
    return tuple(Mistake("sum-activated", says, mimic=variant(end=e), hint=4) for e in ends)


MISTAKES = (
    Mistake(
        "expansion-kept",
        "Your block expands even where `expanded` equals in_channels. Nothing is to be widened"
        " there, and the published network has no such layer in its first block.",
        matches=_layers(expand=True),
        hint=1,
    ),
    Mistake(
        "expansion-missing",
        "The expansion is missing: the first layer is a 1×1 convolution from in_channels to"
        " expanded, wherever the two differ.",
        matches=_no_expansion,
        hint=1,
    ),
    Mistake(
        "se-missing",
        "se=True, and no squeeze-and-excitation runs.",
        matches=_layers(se=False),
        hint=1,
    ),
    Mistake(
        "se-always",
        "Squeeze-and-excitation runs with se=False too. Only the blocks that the table ticks have"
        " it.",
        matches=_layers(se=True),
        hint=1,
    ),
    Mistake(
        "se-elsewhere",
        "Squeeze-and-excitation runs at another place. It stands between the depthwise layer (with"
        " its norm and activation) and the projection.",
        matches=_se_elsewhere,
        hint=3,
    ),
    Mistake(
        "squeeze-of-the-input",
        "Your squeeze is a quarter of in_channels. In MobileNetV3 it is a quarter of the"
        " *expanded* channels, those that are weighed.",
        matches=_squeezed(lambda c, exp: max(8, (c // 4 + 4) // 8 * 8)),
        hint=2,
    ),
    Mistake(
        "squeeze-not-rounded",
        "Your squeeze is expanded / 4 as it comes. It is rounded: make_divisible(expanded / 4).",
        matches=_squeezed(lambda c, exp: exp // 4),
        hint=2,
    ),
    Mistake(
        "kernel-ignored",
        "Your depthwise layer is 3×3 whatever `kernel` says.",
        matches=_kernel_ignored,
        hint=2,
    ),
    Mistake(
        "padding-of-one",
        "Your padding is 1 for every kernel. A 5×5 layer needs 2: k // 2.",
        matches=_padded(1),
        hint=2,
    ),
    Mistake(
        "padding-missing",
        "Your depthwise layer has no padding, so the map shrinks at its rim. It is k // 2.",
        matches=_padded(0),
        hint=2,
    ),
    Mistake(
        "groups-forgotten",
        "Your k×k layer is an ordinary convolution: each filter reads all channels. Depthwise is"
        " groups=expanded.",
        matches=_layers(groups=1),
        hint=2,
    ),
    Mistake(
        "stride-forgotten",
        "The stride is not used: the map stays as large as it was.",
        matches=_layers(strides=(1, 1, 1)),
        hint=2,
    ),
    Mistake(
        "stride-in-expansion",
        "The stride stands in the expansion. It belongs to the depthwise layer: a 1×1 layer with a"
        " stride throws pixels away unread.",
        matches=_layers(strides=lambda s: (s[4], 1, 1)),
        hint=2,
    ),
    Mistake(
        "stride-in-projection",
        "The stride stands in the projection. Then the depthwise layer computes places that nobody"
        " reads.",
        matches=_layers(strides=lambda s: (1, 1, s[4])),
        hint=2,
    ),
    Mistake(
        "norms-missing",
        "A norm is missing: each of the convolutions has one behind it, the projection too.",
        matches=_norms,
        hint=2,
    ),
    Mistake(
        "norm-size",
        "A norm has another number of channels than the map that reaches it. It has as many as the"
        " convolution before it makes.",
        matches=_norm_sizes,
        hint=2,
    ),
    *general(hint=2),
    Mistake(
        "projection-activated",
        "There is an activation behind the projection. The narrow end stays linear (chapter 11).",
        mimic=variant(third=lambda s: s[6]),
        hint=3,
    ),
    Mistake(
        "depthwise-not-activated",
        "No activation stands behind the depthwise layer's norm. The first two convolutions have"
        " one, the projection has none.",
        mimic=variant(second=nn.Identity),
        hint=3,
    ),
    Mistake(
        "depthwise-not-activated",
        "No activation stands behind the depthwise layer's norm. The first two convolutions have"
        " one, the projection has none.",
        mimic=variant(second=nn.Identity, third=lambda s: s[6]),
        hint=3,
    ),
    Mistake(
        "expansion-not-activated",
        "No activation stands behind the expansion's norm.",
        mimic=variant(first=nn.Identity),
        hint=3,
    ),
    Mistake(
        "always-relu",
        "Your activations are ReLU, whatever `activation` is. It is a class: `activation()` makes"
        " the layer.",
        mimic=variant(first=nn.ReLU, second=nn.ReLU),
        hint=3,
    ),
    Mistake(
        "always-h-swish",
        "Your activations are h-swish, whatever `activation` is. It is a class: `activation()`"
        " makes the layer.",
        mimic=variant(first=nn.Hardswish, second=nn.Hardswish),
        hint=3,
    ),
    Mistake(
        "se-before-activation",
        "Your squeeze-and-excitation reads the map before the activation. It comes after it.",
        mimic=variant(gate_late=False),
        hint=3,
    ),
    Mistake(
        "smooth-gate",
        "The gate inside is the smooth sigmoid. MobileNetV3 has h-sigmoid: `F.hardsigmoid`.",
        mimic=variant(gate={"gate": torch.sigmoid}),
        hint=3,
    ),
    *_sum_activated(),
    Mistake(
        "shortcut-missing",
        "The input is not added where it should be: at stride 1, with as many channels out as in.",
        mimic=variant(shortcut=False),
        hint=4,
    ),
    Mistake(
        "shortcut-everywhere",
        "The input is added where the shapes differ. Add it only at stride 1, and with as many"
        " channels out as in.",
        matches=_cannot_add,
        hint=4,
    ),
)
