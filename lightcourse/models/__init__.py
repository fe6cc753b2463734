"""Models by name: one paper, one file."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from inspect import signature
from typing import Any

from torch import nn

from lightcourse.errors import UserError
from lightcourse.models.mobilenet_v2 import mobilenet_v2

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v2_cifar": partial(mobilenet_v2, num_classes=10, small_input=True),
}


def list_models() -> list[str]:
    """Return the names that `create_model` knows, sorted.

    >>> "mobilenet_v2" in list_models()
    True
    """
    return sorted(MODELS)


def create_model(name: str, **settings: Any) -> nn.Module:
    """Build a model by its name; `settings` are those of the model's own function.

    Raises `UserError` for an unknown name or setting, with the nearest ones.

    >>> create_model("mobilenet_v2", num_classes=10).classifier[1].out_features
    10
    """
    if name not in MODELS:
        known = get_close_matches(str(name), MODELS, n=3, cutoff=0.4) or list_models()
        raise UserError(f"No model is called {name!r}; did you mean {' or '.join(known)}?")
    build = MODELS[name]
    allowed = list(signature(build).parameters)
    for setting in settings:
        if setting not in allowed:
            raise UserError(
                f"{name} has no setting {setting!r}; its settings are {', '.join(allowed)}."
            )
    return build(**settings)


__all__ = ["MODELS", "create_model", "list_models", "mobilenet_v2"]
