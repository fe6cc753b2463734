"""What the resolution-ladder scene says: captions, headings, code and replies, from the numbers."""

from collections.abc import Sequence
from itertools import pairwise

from ._lad_net import BYTES, EVEN, FAST, HALVINGS, LAYERS, SLOW, Ladder, channels, fields, pooled
from ._lad_net import sides as sides_of

KERNEL = 3
ASKED = 225


def short(count: float, unit: str = "") -> str:
    """Return a count in three digits, in thousands, millions or billions.

    >>> short(115605504), short(401408, "B"), short(950)
    ('116 M', '401 kB', '950')
    """
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= 0.9995 * factor:
            value = count / factor
            digits = f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"
            return f"{digits} {letter}{unit}"
    return f"{count:g} {unit}".strip()


def form(size: int) -> str:
    """Return a size as k·2ⁿ, with k as it would have to be.

    >>> form(224), form(225)
    ('7·2⁵', '7.03·2⁵')
    """
    return f"{size / 2**HALVINGS:.3g}·2⁵"


def name_of(halved: Sequence[int]) -> str:
    """Return what a ladder is called, at the beginning of a sentence."""
    known: dict[tuple[int, ...], str] = {FAST: "The fast", EVEN: "The even", SLOW: "The slow"}
    return known.get(tuple(halved), "This")


def claim(at: Ladder) -> str:
    """Return what these halvings cost beside evenly spread ones: the middle of the caption."""
    total, even = sum(at.macs), sum(Ladder(at.size, at.mode, EVEN).macs)
    said = f"**{short(total)}** MACs"
    if at.halved == EVEN:
        return said
    if total == even:
        return f"{said}, as many as the even one"
    return f"{said}, **{total / even:.2f}×** the even one's"


def leaves(size: int) -> str:
    """Return what the halvings leave of an input: the end of the caption."""
    return f"{size} = {form(size)} px leave **{shape(size)}**."


def memory_heading(at: Ladder) -> str:
    """Return the heading of the activations: where the peak is."""
    peak, layer = at.peak
    return f"Activation memory · peak {short(peak, 'B')}: what layer {layer} reads and writes"


def macs_heading(size: int, mode: int) -> str:
    """Return the heading of the MACs: what a layer that does not halve costs, stage by stage."""
    costs = [
        KERNEL**2 * (channels(mode, s) * sides_of(size)[s]) ** 2 for s in range(1, HALVINGS + 1)
    ]
    if mode == 0:
        low, high = short(min(costs)), short(max(costs))
        cost = low if low == high else f"{low} to {high}"
        return f"MACs · {cost} in every layer that does not halve"
    ratios = [a / b for a, b in pairwise(costs)]
    low, high = (f"{ratio:.1f}".removesuffix(".0") for ratio in (min(ratios), max(ratios)))
    by = low if low == high else f"{low} to {high}"
    return f"MACs · each halving divides all layers after it by {by}"


def field_heading(halved: Sequence[int]) -> str:
    """Return the heading of the receptive fields."""
    return f"Receptive field · the last unit sees {fields(halved)[-1]} px"


def weights(mode: int, halved: Sequence[int]) -> str:
    """Return how many weights the network has, whatever the input's size."""
    widths = [c for c, _ in Ladder(HALVINGS, mode, tuple(halved)).maps]
    count = sum(KERNEL**2 * a * b for a, b in pairwise(widths))
    return f"{short(count)} weights"


def convolved(size: int) -> str:
    """Return the sides that stride-2 convolutions with padding 1 give."""
    return "3×3, padding 1: " + " → ".join(map(str, sides_of(size)[1:]))


def pooled_line(size: int) -> str:
    """Return the sides that 2×2 pooling gives."""
    found = pooled(size)[1:]
    if 0 in found:
        found = found[: found.index(0)]
        return "2×2 pooling: " + " → ".join([*map(str, found), "nothing"])
    return "2×2 pooling: " + " → ".join(map(str, found))


def rounding(size: int) -> str:
    """Return what the two ways of rounding do to this size."""
    up = [a for a in sides_of(size)[:-1] if a % 2]
    if not up:
        return f"all even: {form(size)} fits exactly"
    if pooled(size)[-1] == 0:
        return "one rounds up, the other ends"
    return f"one rounds up, the other skips {lost(size)} {'row' if lost(size) == 1 else 'rows'}"


def warning(size: int) -> str:
    """Return why a size is too small; empty where it is not."""
    last = sides_of(size)[-1]
    if last >= KERNEL:
        return ""
    taps = KERNEL**2
    text = (
        f"k = {size / 2**HALVINGS:.3g}: on the last {last}×{last} map {taps - last**2} of the"
        f" {taps} taps meet only padding"
    )
    if pooled(size)[-1] == 0:
        return f"{text}; 2×2 pooling would leave no map."
    return f"{text}."


def strides(halved: Sequence[int]) -> str:
    """Return the strides of all layers, as the code lists them."""
    return ", ".join(str(1 + (i in halved)) for i in range(1, LAYERS + 1))


def code(mode: int) -> str:
    """Return the PyTorch lines that come after the strides."""
    after = "32 if c == 3 else c * stride" if mode == 0 else "32"
    return (
        f"    out = {after}\n"
        "    net.append(nn.Conv2d(c, out, 3, stride, padding=1, bias=False))\n"
        "    c = out\n"
    )


def run(size: int) -> str:
    """Return the line of code that runs the network, and what comes out."""
    return f"y = net(torch.randn(1, 3, {size}, {size}))   # {shape(size)} maps"


def shape(size: int) -> str:
    """Return the last map's height and width."""
    side = sides_of(size)[-1]
    return f"{side}×{side}"


def question(sizes: Sequence[int]) -> dict | None:
    """Return the prediction for 225 px; None where the sizes do not hold 224 and then 225."""
    if ASKED not in sizes[1:] or ASKED - 1 not in sizes[: sizes.index(ASKED)]:
        return None
    return {
        "q": "Five 3×3 convolutions with stride 2 and padding 1 turn 224 px into a 7×7 map."
        " What do they make of 225 px?",
        "options": ["7×7", "8×8", "9×9", "an error"],
        "answer": 1,
        "replies": [
            "7×7 would be rounding down, as 2×2 pooling does; padding 1 rounds every odd side up.",
            "All sides on the way are odd, 225, 113, 57, 29, 15: padding 1 rounds each half up.",
            "9×9 needs more than 256 px: one pixel too many adds one row, and no more.",
            "A convolution takes any size; only a fully connected head insists on one.",
        ],
        "param": "size",
        "from": sizes.index(ASKED),
    }


def tip(stage: int, mode: int, size: int) -> str:
    """Return what a box says when pointed at."""
    c, side = channels(mode, stage), sides_of(size)[stage]
    return f"{side}×{side}×{c}: {short(BYTES * c * side**2, 'B')}"


def lost(size: int) -> int:
    """Return how many rows of the input five 2×2 poolings never read."""
    return size - (pooled(size)[-1] << HALVINGS)
