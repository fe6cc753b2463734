"""lightcourse: a course on lightweight CNN design, and the package that carries it.

Names are imported on first use, so that ``import lightcourse`` stays fast and needs no torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "analyze": "lightcourse.analysis",
    "create_model": "lightcourse.models",
    "list_models": "lightcourse.models",
    "model_info": "lightcourse.models",
    "check": "lightcourse.checks",
    "hint": "lightcourse.checks",
    "solution": "lightcourse.checks",
    "predict": "lightcourse.checks",
    "reveal": "lightcourse.checks",
    "progress": "lightcourse.checks",
    "demo": "lightcourse.viz",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'lightcourse' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
