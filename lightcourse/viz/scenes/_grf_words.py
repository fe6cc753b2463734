"""What the picture of the gradient's way says, from the measured norms: captions, code, replies."""

from collections.abc import Sequence
from typing import Any

from ..scene import J, L
from ._grf_nets import BATCH, BATCH_NORM, DEPTHS, OUTPUT, SEEDS, SIZE, Flow
from ._grf_view import View

STARTS = ("batch norm", "no norm, He start", "no norm, PyTorch's start")
HINTS = (
    "Batch norm after each convolution, as in the ResNet paper",
    "No normalisation; weights drawn as He et al. do",
    "No normalisation; weights drawn as nn.Conv2d does by itself",
)
NOTES = (
    ("The ResNet paper (4.1): deeper plain nets with batch norm train worse, but not because",
     "signals vanish; neither the values on the way forward nor the gradients back do."),
    ("He's start is made to keep the gradient's size through plain layers. A shortcut adds a",
     "second path at each block, and no norm holds the sums back."),
    ("nn.Conv2d by itself draws smaller weights than He's start: each layer passes on less.",
     "Along the shortcuts the gradient has a way back without weights."),
)  # fmt: skip
NOTHING = 1e-6  # a norm below has vanished


def caption(view: View) -> dict[str, Any]:
    """Return the caption: how far the gradient is, its norm there, and in the end the verdict."""
    parts: list[Any] = [view.place("way", "back")]
    for p, name in enumerate(view.names):
        name = name.replace("**", "")
        parts += [", " if p else "", f"{name} ", L(f"norm{p}", "of", *view.case, 0), " → **",
                  L(f"norm{p}", "of", *view.case, f"far{p}"), "**"]  # fmt: skip
    return J(*parts, ". ", L("verdict", "of", *view.case, "done"))


def number(value: float) -> str:
    """Return a norm with two digits.

    >>> number(0.00281), number(55.2), number(280.4), number(6.3e-24), number(0)
    ('0.0028', '55', '280', '6.3e-24', '0')
    """
    if not value:
        return "0"
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 9.95 else f"{value:.2g}"


def word_tables(view: View) -> dict[str, Any]:
    """Return the tables of all words."""
    layers, kinds = range(view.most), range(2)
    runs = "batches" if view.own else "seeds"
    found: dict[str, Any] = {
        "way": view.each(lambda nets: [_way(view, nets, b) for b in range(view.stops(nets))]),
        "way_s": view.each(lambda nets: [
            f"{view.reached(nets, b)} layers" for b in range(view.stops(nets))
        ]),
        "verdict": [view.every(lambda nets, of=of: ["", verdict(view.names, nets, of, runs)])
                    for of in kinds],
        "title": [f"gradient norm {where}, log scale, mean of {SEEDS} {runs}"
                  for where in ("at each layer's output", "of each layer's weights")],
    }  # fmt: skip
    if not view.own:
        notes = [(("", ""), note) for note in NOTES]  # nothing is said before the gradient is back
        found |= {"depths": [f"{depth} layers" for depth in DEPTHS], "note": notes}
    for p in range(len(view.names)):
        found[f"norm{p}"] = view.both(
            p, lambda flow, of: [number(flow.norm(of, min(j, flow.layers - 1))) for j in layers]
        )
        found[f"change{p}"] = view.both(p, lambda flow, of: ["", _change(flow, of)])
    return found


def _way(view: View, nets: Sequence[Flow], back: int) -> str:
    far, layer = view.reached(nets, back), "layer" if view.own else "convolution"
    if far == 0:
        return f"The gradient has come to the last {layer}: "
    return f"From the last {layer} over {far} of {view.longest(nets) - 1} more: "


def times(ratio: float) -> str:
    """Return a ratio as a factor.

    >>> times(19800), times(0.174), times(3.8e-22)
    ('×20,000', '×0.17', '×3.8e-22')
    """
    return f"×{number(ratio)}"


def _change(flow: Flow, of: int) -> str:
    """From the last layer to the first, and the mean factor of one layer."""
    ratio = flow.ratio(of)
    return f"first ÷ last {times(ratio)}, a layer ×{ratio ** (1 / (flow.layers - 1)):.2f}"


def gone(flow: Flow, of: int) -> bool:
    """Tell whether next to nothing arrives at the first layer."""
    return flow.norm(of, flow.layers - 1) < NOTHING


def verdict(names: Sequence[str], nets: Sequence[Flow], of: int, runs: str) -> str:
    """Return the end of the caption: each network's change, and whether any vanishes."""
    said = "; ".join(
        f"{name.replace('**', '')} {_fate(flow, of)}"
        for name, flow in zip(names, nets, strict=True)
    )
    none = not any(gone(flow, of) for flow in nets)
    end = "" if not none else " Neither vanishes." if len(nets) > 1 else " It does not vanish."
    return f"First layer against last, {SEEDS} {runs}: {said}.{end}"


def _fate(flow: Flow, of: int) -> str:
    """Say what becomes of the norm on the way."""
    ratio, runs = flow.ratio(of), sorted(flow.ratios(of))
    if gone(flow, of) and flow.norm(of, 0) < NOTHING:
        return "is next to nothing **in every layer**"
    low, high = number(runs[0]), number(runs[-1])
    spread = f" ({low} to {high})" if low != high else ""
    word = "**vanishes**, " if gone(flow, of) else ""
    return f"{word}**{times(ratio)}**{spread}"


def question(view: View) -> dict[str, Any]:
    """Return the question about the deepest plain network with batch norm."""
    ratio = view.flows[BATCH_NORM][-1][0].ratio(OUTPUT)
    answer = 0 if ratio < 0.01 else 1 if ratio <= 100 else 2
    told = f"At the first convolution it is {times(ratio)} of what it is at the last."
    return {
        "param": "back",
        "from": 1,
        "q": f"A plain network of {DEPTHS[-1]} layers with batch norm, not yet trained: what has"
        " become of the gradient when it arrives at the first layer?",
        "options": [
            "it has vanished, a hundredth or less",
            "it is about as large",
            "it has grown a hundredfold or more",
        ],
        "answer": answer,
        "replies": [told] * 3,
    }


HEAD = """import torch
from torch import nn
from torch.nn import functional as F
from lightcourse.models import create_model

norms = []
def watch(layer, inputs, output):  # backward comes to the last layer first
    output.register_hook(lambda gradient: norms.append(gradient.double().norm().item()))

"""
BUILD = """torch.manual_seed(0)
net = create_model("resnet_cifar", depth=%s, shortcut="none")  # "padding" makes it residual
"""
STRIP = """for module in list(net.modules()):
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.Identity())
"""
RESET = """        elif isinstance(child, nn.Conv2d | nn.Linear):
            child.reset_parameters()
"""
RUN = f"""layers = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
for layer in layers:
    layer.register_forward_hook(watch)
x, labels = torch.randn({BATCH}, %s), torch.randint(10, ({BATCH},))
F.cross_entropy(net(x), labels).backward()
"""
WEIGHTS = "norms = [layer.weight.grad.double().norm().item() for layer in reversed(layers)]\n"


def code(view: View) -> dict[str, Any]:
    """Return the lines that measure the first network of this state."""
    if view.own:
        return J(HEAD, "# net is yours\n", RUN % "*input_size", L("weights", "of"))
    return J(HEAD, L("build", "depth"), L("strip", "start"), RUN % f"3, {SIZE}, {SIZE}",
             L("weights", "of"), "print(norms[-1] / norms[0])  # first ÷ last, seed 0: ",
             L("seed0", "of", "start", "depth"))  # fmt: skip


def code_tables(view: View) -> dict[str, Any]:
    """Return the tables of the code's lines."""
    return {
        "build": [BUILD % depth for depth in DEPTHS],
        "strip": ["", STRIP, STRIP + RESET],
        "weights": ["", WEIGHTS],
        "seed0": [view.every(lambda nets, of=of: number(nets[0].ratios(of)[0]))
                  for of in range(2)],
    }  # fmt: skip
