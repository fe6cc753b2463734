"""Outputs of the Darknet and CSP networks against timm's and pytorchcv's, with copied weights.

python tests/bench/bench_models_detection.py; needs timm and pytorchcv (tests/bench/tools.txt).
"""

import importlib
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/twin.py

from twin import transplant, with_life

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision
from lightcourse.nn import CSPBlock

NETS = (
    # library, its name, ours
    ("pytorchcv", "darknet_ref", "darknet_ref"),
    ("pytorchcv", "darknet19", "darknet19"),
    ("pytorchcv", "darknet53", "darknet53"),
    ("timm", "darknet53", "darknet53"),
    ("timm", "cspdarknet53", "cspdarknet53"),
    ("timm", "cspresnext50", "cspresnext50"),
)
SIDE = 224  # pytorchcv's average pools are as wide as their maps at 224


def build(library: str, name: str) -> nn.Module:
    """Return another library's network, without weights from the network."""
    if library == "timm":
        return importlib.import_module("timm").create_model(name, num_classes=10)
    providers = importlib.import_module("pytorchcv.model_provider")
    return providers.get_model(name, num_classes=10)


def like_timm(model: nn.Module) -> None:
    """Take on timm's two liberties: LeakyReLU's slope of 0.01, and the short way joined first."""
    for module in model.modules():
        if isinstance(module, nn.LeakyReLU):
            module.negative_slope = 0.01  # Darknet's is 0.1
        if isinstance(module, CSPBlock):
            weight = module.merge[0].weight
            weight.data = torch.cat(weight.data.chunk(2, dim=1)[::-1], dim=1)


def largest_difference(library: str, theirs_name: str, ours_name: str) -> float:
    """Return the largest difference of the outputs, relative to their spread."""
    x = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    theirs = with_life(build(library, theirs_name))
    settings = {"variant": "pytorchcv"} if ours_name == "darknet_ref" else {}
    ours = create_model(ours_name, num_classes=10, **settings).eval()
    transplant(theirs, ours, x)
    if library == "timm":
        like_timm(ours)
    with torch.no_grad():
        a, b = theirs(x), ours(x)
    assert a.shape == b.shape and a.std() > 1e-3, "an output without spread proves nothing"
    return ((a - b).abs().max() / a.std()).item()


def main() -> None:
    import_torchvision()  # before timm, which imports it
    for library, theirs, ours in NETS:
        difference = largest_difference(library, theirs, ours)
        print(f"{ours:<14} {library + '.' + theirs:<24} largest difference {difference:.1e}")
        assert difference < 1e-4


if __name__ == "__main__":
    main()
