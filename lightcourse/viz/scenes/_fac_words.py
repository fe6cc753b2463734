"""What the factorisation scene says: captions, code and replies, computed from the numbers."""

from ._fac_numbers import GROUPS, Block

FORMULA = "1/C_out + 1/k²"


def said(block: Block) -> str:
    """Return the beginning of a caption: the form, and what it weighs."""
    if block.why_not:
        return f"Not for this kernel: {block.why_not}"
    k, a, b = block.k, block.before, block.after
    if block.form == 1:
        depthwise, pointwise = (part.weights for part in block.parts)
        return f"{depthwise:,} + {pointwise:,} weights: "
    how = {
        0: f"{k}×{k}, {a} → {b} channels, a panel for each of {k * k} places",
        2: f"{k}×1 and 1×{k} through {block.middle} channels",
        3: _stack(block),
        4: f"{block.groups} groups: an output reads {a // block.groups} of {a} channels",
        5: f"Rank {block.parts[-1].channels[0]}: a narrow {k}×{k}, then 1×1",
    }[block.form]
    return f"{how}: **{block.weights:,}** weights"


def around(block: Block) -> tuple[str, str]:
    """Return what stands before and after the ratio in a caption."""
    if block.why_not:
        return "", ""
    if block.form == 0:
        return ": the measure of the others, **", "**."
    if block.form > 1:
        return ", **", "** of the standard layer's."
    share = block.parts[1].weights / block.weights
    return (
        f"{FORMULA} = 1/{block.after} + 1/{block.k**2} = **",
        f"**, so {_times(block)}. The 1×1 has **{share:.{int(share > 0.99)}%}**.",
    )


def _stack(block: Block) -> str:
    if len(block.parts) == 1:
        return "One 3×3 is the whole stack"
    many = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}[len(block.parts)]
    return f"{many} 3×3 see {block.k}×{block.k} together"


def _times(block: Block) -> str:
    if block.ratio > 1:
        return "**more**, not fewer"
    return f"**{1 / block.ratio:.1f}×** fewer, at most {block.k**2}×"


def part_name(block: Block, index: int, thin: bool = False) -> str:
    """Return what stands over one part; empty where there is none.

    `thin` tells that it is drawn thicker than to scale, so as to be seen.
    """
    form, parts = block.form, block.parts
    if form == 0 or index >= len(parts):
        return ""
    kind = {(1, 0): "depthwise ", (1, 1): "pointwise "}.get((form, index), "")
    return f"{kind}{parts[index].name}" + " (thinner than drawn)" * thin


def ratio(block: Block) -> str:
    """Return the ratio in three digits; empty where there is none."""
    return f"{block.ratio:.3f}" if block.parts else ""


def warning(block: Block) -> str:
    """Return why a state does not exist; one that only does not pay is valid."""
    return block.why_not


def code(form: int, k: int) -> str:
    """Return the PyTorch lines of one form; c_in and c_out are the channels."""
    pad, middle = f"padding={k // 2}", "m = min(c_in, c_out)"
    lines = {
        0: f"conv = nn.Conv2d(c_in, c_out, {k}, {pad}, bias=False)",
        1: "conv = nn.Sequential(\n"
        f"    nn.Conv2d(c_in, c_in, {k}, {pad}, groups=c_in, bias=False),   # depthwise\n"
        "    nn.Conv2d(c_in, c_out, 1, bias=False),   # pointwise\n)",
        2: f"{middle}\nconv = nn.Sequential(\n"
        f"    nn.Conv2d(c_in, m, ({k}, 1), padding=({k // 2}, 0), bias=False),\n"
        f"    nn.Conv2d(m, c_out, (1, {k}), padding=(0, {k // 2}), bias=False),\n)",
        3: f"{middle}\nwidths = [c_in, *[m] * {k // 2 - 1}, c_out]\n"
        "conv = nn.Sequential(*(\n"
        "    nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(widths, widths[1:])\n))",
        4: f"conv = nn.Conv2d(c_in, c_out, {k}, {pad}, groups={GROUPS}, bias=False)",
        5: "r = min(c_in, c_out) // 4\nconv = nn.Sequential(\n"
        f"    nn.Conv2d(c_in, r, {k}, {pad}, bias=False),\n"
        "    nn.Conv2d(r, c_out, 1, bias=False),\n)",
    }
    if k == 1 and form in (2, 3):
        return "# nothing to factorise in a 1×1 kernel"
    return lines[form]


def question() -> dict:
    """Return the prediction: which part of the weights is left."""
    return {
        "q": "One k×k convolution becomes a depthwise k×k and a pointwise 1×1. Which part of the"
        " weights is left?",
        "options": ["1/k²", "1/C_out", FORMULA, "1/(C_out·k²)"],
        "answer": 2,
        "replies": [
            "1/k² is the pointwise layer alone: one panel of k². The depthwise layer comes on top.",
            "1/C_out is the depthwise layer alone: one row of C_out. Something must mix channels.",
            "The depthwise layer keeps one row of C_out, the pointwise layer one panel of k².",
            "The two layers stand one after the other: their weights add up, nothing multiplies.",
        ],
        "param": "step",
        "from": 1,
    }
