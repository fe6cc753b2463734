"""Outputs equal to timm's and pytorchcv's for the classics that torchvision does not have."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))  # twin.py

from twin import assert_same_outputs

from lightcourse import create_model
from lightcourse._torchvision import import_torchvision


def _body_first(unit: nn.Module, x: Tensor) -> Tensor:
    """What pytorchcv's residual unit computes, in our order: the body, then the shortcut."""
    y = unit.body(x)
    return unit.activ(y + (unit.identity_conv(x) if unit.resize_identity else x))


def pairs() -> Iterator[tuple[str, nn.Module, nn.Module, int]]:
    """Each model of theirs with ours and the side of a picture that both take."""
    import_torchvision()  # with its operators declared, before timm imports it
    timm, get_model = import_module("timm"), import_module("pytorchcv.model_provider").get_model
    for name in ("inception_v4", "inception_resnet_v2"):
        yield f"timm {name}", timm.create_model(name), create_model(name), 139
    import_module("pytorchcv.models.resnet").ResUnit.forward = _body_first
    for theirs, name, settings, side in (
        ("bninception", "bn_inception", {}, 224),
        ("resnet50", "resnet50", {}, 224),
        ("resnet20_cifar10", "resnet_cifar", {"depth": 20}, 32),
        ("resnet56_cifar10", "resnet_cifar", {"depth": 56}, 32),
        ("wrn16_10_cifar10", "wide_resnet_cifar", {"depth": 16, "widen": 10}, 32),
        ("densenet40_k12_cifar10", "densenet_cifar", {"variant": "pytorchcv"}, 32),
        ("densenet40_k12_bc_cifar10", "densenet_cifar", {"bottleneck": True}, 32),
    ):
        yield f"pytorchcv {theirs}", get_model(theirs), create_model(name, **settings), side


def main() -> None:
    """Print one line a model; an AssertionError where outputs differ."""
    torch.manual_seed(0)
    for label, theirs, ours, side in pairs():
        x = torch.randn(2, 3, side, side)
        assert_same_outputs(theirs, ours, x)
        with torch.no_grad():
            a, b = theirs(x), ours(x)
        print(f"{label:38} max difference {(a - b).abs().max() / a.std():.1e} of the spread")


if __name__ == "__main__":
    main()
