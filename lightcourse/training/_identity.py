"""What a run is made of: told in config.json, and compared before a stopped run goes on."""

import re
import zlib
from typing import Any

import torch
from torch import nn

from lightcourse.training._exp_hash import digest
from lightcourse.training._settings import Settings
from lightcourse.training._world import World

CODE, WEIGHTS = "code of the model", "first weights"
UNREAD = "unread"
_OF_TORCH = set(vars(nn.Module()))  # layers, weights and hooks: told elsewhere


def identity(model: nn.Module, splits: Any, settings: Settings, weights: str) -> dict[str, Any]:
    """Return what must be the same for a stopped run to go on: recipe, model, data."""
    layers = re.sub(r"0x[0-9a-fA-F]+", "", str(model))  # addresses differ in each process
    return {
        **settings.identity(),
        "model": f"{type(model).__name__} {zlib.crc32(layers.encode()):08x}",
        CODE: code_print(model),
        "data": f"{splits.train.name} {splits.train.fingerprint[:8]} {splits.test.fingerprint[:8]}",
        WEIGHTS: weights,
    }


def code_print(model: nn.Module) -> str:
    """Return 8 hex digits that stand for what the modules do: their classes and plain attributes.

    It follows the code of your own classes into what they call; an installed package's class is
    named and not read. Comments do not count. `UNREAD` where something cannot be followed.

    >>> code_print(nn.ReLU()) == code_print(nn.ReLU()) != code_print(nn.Sigmoid())
    True
    """
    try:
        parts = [(name, type(part), _own(part)) for name, part in model.named_modules()]
        return digest(parts)[:8]
    except Exception:  # an attribute may be anything, and raise anything
        return UNREAD


def _own(module: nn.Module) -> dict[str, Any]:
    plain = {k: v for k, v in vars(module).items() if k not in _OF_TORCH}
    return {k: v for k, v in plain.items() if not isinstance(v, nn.Module)}


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
