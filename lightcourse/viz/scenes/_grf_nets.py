"""Gradient norms of plain and residual networks at their start, layer by layer, by autograd."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import exp, log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.models import create_model

DEPTHS = (8, 14, 20, 32, 44, 56)  # layers with weights; 6n + 2, as the ResNets for CIFAR have
BATCH_NORM, HE, DEFAULT = range(3)  # the kinds of start
SEEDS, BATCH, SIZE = 3, 8, 32  # runs of each net; pictures, and their side in px
OUTPUT, WEIGHT = range(2)  # whose gradient
FILE = Path(__file__).with_name("_grf_flows.json")


@dataclass(frozen=True)
class Flow:
    """What autograd found in one network: [seed][layer] norms, the last layer first."""

    output: Sequence[Sequence[float]]  # of the gradient of the loss at a layer's output
    weight: Sequence[Sequence[float]]  # of the gradient of its weights
    sides: Sequence[int]  # [layer] px of the side of its map

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return len(self.sides)

    def norms(self, of: int, layer: int) -> list[float]:
        """Return the norm of each seed."""
        return [run[layer] for run in (self.output, self.weight)[of]]

    def norm(self, of: int, layer: int) -> float:
        """Return the geometric mean over the seeds; 0 where one of them is 0."""
        return _mean(self.norms(of, layer))

    def ratios(self, of: int) -> list[float]:
        """Return for each seed how many times the last layer's norm the first has."""
        firsts, lasts = self.norms(of, self.layers - 1), self.norms(of, 0)
        return [first / last if last else 0.0 for first, last in zip(firsts, lasts, strict=True)]

    def ratio(self, of: int) -> float:
        """Return the geometric mean of `ratios`."""
        return _mean(self.ratios(of))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with three digits."""
        output, weight = (
            [[float(f"{norm:.3g}") for norm in run] for run in runs]
            for runs in (self.output, self.weight)
        )
        return {"output": output, "weight": weight, "sides": list(self.sides)}


def _mean(values: Sequence[float]) -> float:
    return exp(sum(map(log, values)) / len(values)) if min(values) > 0 else 0.0


def network(depth: int, residual: bool, start: int) -> nn.Module:
    """Build a ResNet for CIFAR or its plain twin: as it is, or without batch norm.

    >>> sum(isinstance(m, nn.BatchNorm2d) for m in network(8, True, HE).modules())
    0
    """
    net = create_model("resnet_cifar", depth=depth, shortcut="padding" if residual else "none")
    if start == BATCH_NORM:
        return net
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
            elif start == DEFAULT and isinstance(child, nn.Conv2d | nn.Linear):
                child.reset_parameters()
    return net


def measure(
    build: Callable[[], nn.Module], shape: tuple[int, ...] = (3, SIZE, SIZE), seeds: int = SEEDS
) -> Flow:
    """Return the gradient norms of a network, with random pictures and labels of each seed.

    Norms are taken in double precision: the square of a small float32 would be 0.

    >>> measure(lambda: network(8, False, HE), seeds=1).layers
    7
    """
    runs = []
    for seed in range(seeds):
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            net = build().train()
            runs.append(_run(net, torch.randn(BATCH, *shape)))
    outputs, weights, sides = zip(*runs, strict=True)
    return Flow(outputs, weights, sides[0])


def _run(net: nn.Module, x: Tensor) -> tuple[list[float], list[float], list[int]]:
    """Forward, loss, backward: norms of both gradients and side of the map, last layer first."""
    order: list[nn.Module] = []  # as they run
    found: dict[nn.Module, tuple[float, int]] = {}

    def watch(layer: nn.Module, _: object, out: Tensor) -> None:
        def keep(gradient: Tensor) -> None:  # of the output before any change in place
            found[layer] = norm_of(gradient), gradient.shape[-1]

        order.append(layer)
        out.register_hook(keep)

    for layer in layers_of(net):
        layer.register_forward_hook(watch)
    logits = net(x)
    F.cross_entropy(logits, torch.randint(logits.shape[1], (len(x),))).backward()
    layers = [layer for layer in reversed(dict.fromkeys(order)) if layer in found]
    return (
        [found[layer][0] for layer in layers],
        [norm_of(layer.weight.grad) for layer in layers],
        [found[layer][1] for layer in layers],
    )


def norm_of(gradient: Any) -> float:
    """Return the norm of a gradient; 0 where there is none."""
    return 0.0 if gradient is None else float(gradient.double().norm())


def layers_of(net: nn.Module) -> list[nn.Module]:
    """Return the convolutions; in a network with less than two, the linear layers too."""
    both: list[nn.Module] = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    convs = [m for m in both if isinstance(m, nn.Conv2d)]
    return [*convs] if len(convs) > 1 else both


def remeasure(depths: tuple[int, ...] = DEPTHS, seeds: int = SEEDS) -> list[list[list[Flow]]]:
    """Return [start][depth] the flows of the plain and of the residual network, measured now."""
    return [
        [
            [measure(partial(network, depth, residual, start), seeds=seeds)
             for residual in (False, True)]
            for depth in depths
        ]
        for start in (BATCH_NORM, HE, DEFAULT)
    ]  # fmt: skip


def save() -> None:
    """Measure all networks and write what `flows` reads, with three digits."""
    data = [[[flow.to_dict() for flow in pair] for pair in row] for row in remeasure()]
    FILE.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")


@cache
def flows() -> list[list[list[Flow]]]:
    """Return what `remeasure` found once, from the file beside this one.

    >>> flows()[BATCH_NORM][0][0].layers
    7
    """
    data = json.loads(FILE.read_text(encoding="utf-8"))
    return [[[Flow(**flow) for flow in pair] for pair in row] for row in data]
