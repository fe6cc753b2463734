"""Exercise 07.dense: known mistakes and hints."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.chapters import _ch07_parts as look
from lightcourse.checks.chapters._ch07_dense import variant
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _new_only(m: Any, x: Tensor) -> Tensor:
    made = []
    for layer in m.layers:
        made.append(layer(torch.cat([x, *made], 1)))
    return torch.cat(made, 1)


def _last_only(m: Any, x: Tensor) -> Tensor:
    y = x
    for layer in m.layers:
        y = layer(x)
        x = torch.cat([x, y], 1)
    return y


def _new_first(m: Any, x: Tensor) -> Tensor:
    for layer in m.layers:
        x = torch.cat([layer(x), x], 1)
    return x


def _no_relu(c: int, growth: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(c), nn.Conv2d(c, growth, 3, padding=1, bias=False))


def _relu_first(c: int, growth: int) -> nn.Module:
    return nn.Sequential(nn.ReLU(), *_no_relu(c, growth))


def _relu_last(c: int, growth: int) -> nn.Module:
    return nn.Sequential(*_no_relu(c, growth), nn.ReLU())


def _python_list(outcome: Outcome) -> bool:
    return outcome.got.extra in ("a list", "a tuple")


def _norm_behind(outcome: Outcome) -> bool:
    """Norms of `growth` channels: they stand behind the convolution."""
    growth = outcome.case.args[2]
    return _any(outcome, kind="norm", out=growth)


def _first(outcome: Outcome) -> tuple[look.Layer, ...]:
    return outcome.got.parts["layers[0]"]


def _any(outcome: Outcome, **what: Any) -> bool:
    return any(look.has(outcome, name, **what) for name in outcome.want.parts)


def _never_grows(outcome: Outcome) -> bool:
    """All layers are made for the channels that come in."""
    c, n, *_ = outcome.case.args
    convs = [part[0] for part in outcome.got.parts.values()]
    return n > 1 and len(convs) == n and {conv.into for conv in convs} == {c}


def _reads_last(outcome: Outcome) -> bool:
    """Each further layer is made for `growth` channels."""
    c, n, growth, *_ = outcome.case.args
    convs = [part[0] for part in outcome.got.parts.values()]
    return n > 1 and [conv.into for conv in convs] == [c] + [growth] * (n - 1)


def _out(outcome: Outcome) -> bool:
    """A layer makes as many maps as it reads."""
    conv = _first(outcome)[0]
    return conv.out == conv.into != outcome.case.args[2]


def _bottleneck(outcome: Outcome) -> bool:
    return sum(layer.kind == "conv" for layer in _first(outcome)) == 2


def _number(outcome: Outcome) -> bool:
    return len(outcome.got.parts) != len(outcome.want.parts) and not outcome.got.extra


def _added(outcome: Outcome) -> bool:
    """The new maps are added: an error about axis 1, as the counts differ."""
    return "at non-singleton dimension 1" in str(outcome.error)


def _fed_wrongly(outcome: Outcome) -> bool:
    """A norm gets other channels; with a single layer the new maps come out alone."""
    _, n, growth, *_ = outcome.case.args
    if outcome.error is not None:
        return "running_mean should contain" in str(outcome.error)
    return n == 1 and outcome.got.output.shape[1] == growth


MISTAKES = (
    Mistake(
        "python-list",
        "self.layers is a plain Python list. torch does not look into it: such layers are not"
        " trained, not moved and not saved. nn.ModuleList([…]) is a list that it knows.",
        matches=_python_list,
        hint=1,
    ),
    Mistake(
        "name-missing",
        "The check looks for self.layers, a list with one item for each layer.",
        matches=look.attribute_missing("layers"),
        hint=1,
    ),
    Mistake(
        "ready-made",
        "There is a ready-made block of a library inside. Build it from nn.BatchNorm2d, nn.ReLU and"
        " nn.Conv2d.",
        matches=lambda outcome: outcome.got.extra not in ("", "a list", "a tuple"),
        hint=1,
    ),
    Mistake(
        "number-of-layers",
        "self.layers does not have `layers` items.",
        matches=_number,
        hint=2,
    ),
    Mistake(
        "never-grows",
        "All your layers are made for in_channels. The second one reads the growth maps of the"
        " first"
        " as well: in_channels + growth, and so on.",
        matches=_never_grows,
        hint=2,
    ),
    Mistake(
        "reads-the-last-only",
        "Your layers are made to read what the layer before *added*. They read everything that came"
        " before: the input and all that was added.",
        matches=_reads_last,
        hint=2,
    ),
    Mistake(
        "growth-unused",
        "Your layers give out as many maps as they read. Each one adds `growth` maps.",
        matches=_out,
        hint=2,
    ),
    Mistake(
        "bottleneck",
        "Your layers have two convolutions. That is DenseNet-B, with a 1×1 before the 3×3; here"
        " each"
        " layer has the 3×3 alone.",
        matches=_bottleneck,
        hint=2,
    ),
    Mistake(
        "norm-behind",
        "Your batch norms have `growth` channels, so they stand behind the convolution. In a dense"
        " layer norm and ReLU come *first*, and work on all that is read.",
        matches=_norm_behind,
        hint=3,
    ),
    Mistake(
        "bias-too-many",
        "Your convolutions have a bias. Here they have none: `bias=False`.",
        matches=lambda outcome: _any(outcome, kind="conv", bias=True),
        hint=3,
    ),
    Mistake(
        "padding-forgotten",
        "Your 3×3 has no padding, so its maps are smaller than those they must stand beside.",
        matches=lambda outcome: _any(outcome, kernel=3, padding=0),
        hint=3,
    ),
    Mistake(
        "cat-axis",
        "You do not put the maps together along the channels. The channels are axis 1:"
        " torch.cat([…], 1). Without a number, torch takes axis 0, the pictures.",
        matches=look.cat_axis,
        hint=4,
    ),
    Mistake(
        "added",
        "You add what a layer makes to what it has read. A dense block keeps both, side by side:"
        " `torch.cat`.",
        matches=_added,
        hint=4,
    ),
    Mistake(
        "one-after-the-other",
        "A layer gets other channels than it is made for. Each is given all that came before it, so"
        " x must grow in the loop; a Sequential that is called as a whole hands on the new maps"
        " only.",
        matches=_fed_wrongly,
        hint=4,
    ),
    Mistake(
        "only-the-new",
        "The maps that came in are missing from the output. It holds the input, and behind it what"
        " each layer added.",
        mimic=variant(_new_only),
        hint=4,
    ),
    Mistake(
        "only-the-last",
        "You return what the last layer added. The output holds the input, and behind it what"
        " *each*"
        " layer added.",
        mimic=variant(_last_only),
        hint=4,
    ),
    Mistake(
        "new-maps-first",
        "The new maps stand before the old ones. They come behind; the next layer's weights rely on"
        " it.",
        mimic=variant(_new_first),
        hint=4,
    ),
    Mistake(
        "relu-forgotten",
        "There is no ReLU between the norm and the convolution.",
        mimic=variant(make=_no_relu),
        hint=3,
    ),
    Mistake(
        "relu-before-the-norm",
        "The ReLU comes before the norm. The order is norm, ReLU, convolution.",
        mimic=variant(make=_relu_first),
        hint=3,
    ),
    Mistake(
        "relu-behind",
        "The ReLU comes behind the convolution. The order is norm, ReLU, convolution.",
        mimic=variant(make=_relu_last),
        hint=3,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the block has more parameters than its layers need.",
        matches=look.too_many,
        hint=2,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "`__init__`: a list of layers, made in a loop, then self.layers = nn.ModuleList(the list)."
        " `forward`: another loop over self.layers, in which x grows.",
    ),
    Hint(
        "A layer is not the one wanted, or gets the wrong number of channels",
        "Layer i (from 0) reads in_channels + i * growth channels and gives out growth.",
    ),
    Hint(
        "My norm, ReLU or convolution is wrong",
        "One layer: nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, growth, 3, padding=1,"
        " bias=False)), where c is what it reads.",
    ),
    Hint(
        "My layers are right, my values are wrong, or I get RuntimeError: The size of tensor a …",
        "`torch.cat([old, new], 1)` puts maps side by side. In the loop x becomes what it was, with"
        " the maps of this layer behind it. At the end return x.",
    ),
)
