"""What the downsampling scene says, from the numbers: layers, verdicts, code, replies."""

from ._dwn_cases import Case
from ._dwn_net import BAD, Ladder
from ._lad_words import short


def scaled(macs: int, at: Ladder) -> float:
    """Return MACs in millions, or in thousands for a small network, with three digits at least.

    >>> at = Ladder("", (32, 64), (0,), 1)
    >>> scaled(568_740_352, at), scaled(40_132_224, at)
    (569, 40.1)
    """
    value = macs / (1e3 if unit_of(at) == "k" else 1e6)
    return round(value) if value >= 99.95 else round(value, 1)


def unit_of(at: Ladder) -> str:
    """Return "k" for a network of thousands of MACs a map size, else "M"."""
    return "k" if at.macs(at.published) < 3e6 else "M"


def plain(at: Ladder) -> str:
    """Return a ladder's name without its width."""
    return at.name.partition(" ×")[0]


def layers(unit: int) -> str:
    """Return which layers a unit is."""
    return "layer 1" if unit == 0 else f"layers {2 * unit} and {2 * unit + 1}"


def halving_layer(unit: int) -> str:
    """Return the layer of a unit that would halve: the stem, or the block's depthwise layer."""
    return str(max(1, 2 * unit))


def last_map(at: Ladder) -> str:
    """Return height and width of the last map."""
    return f"{at.side(at.movable)}×{at.side(at.movable)}"


# why a ladder is invalid, around the layer's number; nothing where it is valid
TWICE = [
    " would halve twice. A 3×3 kernel at stride 4 never reads every fourth row and column, so this"
    " is no ladder. ",
    "",
]


def accuracy(case: Case, side: int) -> list[str]:
    """Return the accuracy of each kind of placing: only that as published has one."""
    known = case.accuracy[side]
    return [known or "not published", *["not trained"] * (BAD - 1), *["—"] * case.pair[side].units]


def verdicts(case: Case) -> list[str]:
    """Return the end of the caption: for an invalid state, a moved halving, both as published."""
    a, b = case.pair
    weights = f"The weights stay **{short(a.params)}** and **{short(b.params)}**"
    return [
        f"{weights}, wherever a stride stands.",
        f"{weights}: a stride has none.",
        compared(case),
    ]


def compared(case: Case) -> str:
    """Return what the two are to each other as published.

    >>> compared(Case("", (Ladder("A", (32, 64), (0,), 1), Ladder("B", (32, 64), (0,), 1))))
    'B needs as many MACs and has as many weights.'
    """
    a, b = case.pair
    macs = times(b.macs(b.published), a.macs(a.published))
    weights = times(b.params, a.params)
    end = f"; {case.finding}" if case.finding else ""
    return f"{b.name} needs {macs} MACs and has {weights} weights{end}."


def times(count: int, other: int) -> str:
    """Return how many of something there are beside the other's.

    >>> times(144, 569), times(40, 41), times(29, 13)
    ('**0.25×** the', 'about as many', '**2.2×** the')
    """
    if count == other:
        return "as many"
    ratio = count / other
    if abs(ratio - 1) < 0.04:
        return "about as many"
    return f"**{ratio:.2f}×** the" if ratio < 1 else f"**{ratio:.1f}×** the"


def question() -> dict:
    """Return the prediction: how wide a MobileNet is that costs as much as FD-MobileNet."""
    return {
        "q": "At the same width FD-MobileNet needs a quarter of MobileNet's MACs. How wide may"
        " MobileNet be to cost as much?",
        "options": ["×0.75", "×0.5", "×0.25", "×0.125"],
        "answer": 1,
        "replies": [
            "×0.75 still costs 0.57 of the MACs: nearly all of them grow with the square of the"
            " width.",
            "Nearly all MACs grow with the square of the width: half the width is about a quarter"
            " of the MACs.",
            "A quarter of the width is about a fourteenth of the MACs: channels count on both"
            " sides of a 1×1.",
            "An eighth of the width leaves 12 of 569 million MACs.",
        ],
        "param": "pair",
        "from": 1,
    }


CODE = """import torch
from torch import nn
from lightcourse.nn import ConvNormAct, DepthwiseSeparableConv

def ladder(stem, *blocks):
    c = stem[0]
    net = [ConvNormAct(3, c, 3, stem[1], activation=nn.ReLU)]
    for out, stride in blocks:
        net.append(DepthwiseSeparableConv(c, out, 3, stride))
        c = out
    return nn.Sequential(*net, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, {classes}))

"""


def run(at: Ladder) -> str:
    """Return the last lines of code: both networks at the scene's input size."""
    return f"x = torch.randn(1, 3, {at.size}, {at.size})\ny = one.eval()(x), two.eval()(x)"
