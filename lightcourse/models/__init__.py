"""Models by name: one paper, one file."""

from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

from torch import nn

from lightcourse.errors import UserError
from lightcourse.models import _families
from lightcourse.models._families import *  # noqa: F403  every model's function, by its name
from lightcourse.models._families import FAMILIES, MODELS
from lightcourse.models._info import ModelInfo, Published, model_info, published
from lightcourse.models._onnx import Exported, to_onnx


def list_models(family: str | None = None) -> list[str]:
    """Return the names that `create_model` knows, sorted; only one family's where it is named.

    Raises `UserError` for an unknown family.

    >>> list_models(family="MobileNetV2")
    ['mobilenet_v2', 'mobilenet_v2_cifar']
    """
    if family is None:
        return sorted(MODELS)
    by_lower = {name.lower(): name for name in FAMILIES}
    if str(family).lower() not in by_lower:
        near = get_close_matches(str(family).lower(), by_lower, n=3, cutoff=0.4) or by_lower
        raise UserError(
            f"No family is called {family!r}; did you mean {_or([by_lower[n] for n in near])}?"
        )
    return sorted(FAMILIES[by_lower[str(family).lower()]])


def create_model(name: str, **settings: Any) -> nn.Module:
    """Build a model by its name; `settings` are those of the model's own function.

    Raises `UserError` for an unknown name or setting, with the nearest ones.

    >>> create_model("mobilenet_v2", num_classes=10).classifier[1].out_features
    10
    """
    if not isinstance(name, str):
        raise UserError(f"A model's name is text, not {name!r}; list_models() has the names.")
    if name not in MODELS:
        near = get_close_matches(name.lower(), MODELS, n=3, cutoff=0.4)
        hint = f"did you mean {_or(near)}?" if near else "list_models() has the names."
        raise UserError(f"No model is called {name!r}; {hint}")
    build = MODELS[name]
    parameters = signature(build).parameters.values()
    allowed = [p.name for p in parameters if p.kind is not Parameter.VAR_KEYWORD]
    for setting in settings:
        if setting not in allowed:
            raise UserError(
                f"{name} has no setting {setting!r}; its settings are {', '.join(allowed)}."
            )
    return build(**settings)


def _or(names: list[str]) -> str:
    return " or ".join(names)


__all__ = [
    "FAMILIES",
    "MODELS",
    "Exported",
    "ModelInfo",
    "Published",
    "create_model",
    "list_models",
    "model_info",
    "published",
    "to_onnx",
]
_BUILDERS = [name for name, value in vars(_families).items() if callable(value) and name[0] != "_"]
__all__ += _BUILDERS  # pyright: ignore[reportUnsupportedDunderAll]


def __dir__() -> list[str]:
    """Return what tab completion offers: models and functions, not what this file imports."""
    return sorted(__all__)
