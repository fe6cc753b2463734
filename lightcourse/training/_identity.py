"""What a run is made of: told in config.json, and compared before a stopped run goes on."""

import re
import zlib
from typing import Any

import torch
from torch import nn

from lightcourse.training._settings import Settings
from lightcourse.training._world import World


def identity(model: nn.Module, splits: Any, settings: Settings) -> dict[str, Any]:
    """Return what must be the same for a stopped run to go on: recipe, layers, data.

    The first weights are not part of it, as the saved ones replace them; nor is what a forward
    does between the layers, which no text tells.
    """
    layers = re.sub(r"0x[0-9a-fA-F]+", "", str(model))  # addresses differ in each process
    return {
        **settings.identity(),
        "model": f"{type(model).__name__} {zlib.crc32(layers.encode()):08x}",
        "data": f"{splits.train.name} {splits.train.fingerprint[:8]} {splits.test.fingerprint[:8]}",
    }


def describe(model: nn.Module, splits: Any, settings: Settings, world: World) -> dict[str, Any]:
    """Return everything that a reader of the history may ask, as plain data."""
    return {
        **settings.to_dict(),
        "device": str(world.device),
        "amp": world.amp,
        "processes": world.size,
        "model": type(model).__name__,
        "params": sum(p.numel() for p in model.parameters()),
        "data": splits.train.name,
        "train_pictures": len(splits.train.labels),
        "test_pictures": len(splits.test.labels),
        "torch": str(torch.__version__),
    }
