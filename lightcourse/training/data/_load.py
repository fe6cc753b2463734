"""One way in to all data: by name, or by the path of a folder."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from lightcourse.errors import UserError
from lightcourse.training.data._builtin import builtin
from lightcourse.training.data._dataset import Splits
from lightcourse.training.data._folder import image_folder
from lightcourse.training.data._public import cifar10, cifar100, fashion_mnist

_PUBLIC: dict[str, Callable[..., Splits]] = {
    "cifar10": cifar10,
    "cifar100": cifar100,
    "fashion_mnist": fashion_mnist,
}
_BUILTIN = {"builtin": 32, "builtin16": 16, "builtin64": 64}
NAMES = (*_BUILTIN, *_PUBLIC)


def load(
    name: str | PathLike[str] = "builtin",
    *,
    train: int | None = None,
    test: int | None = None,
    **settings: object,
) -> Splits:
    """Return data by name, or from the images in a folder.

    Args:
        name: "builtin", "builtin16", "builtin64" (see `builtin`), "cifar10", "cifar100",
            "fashion_mnist" (see `cifar10`), or a path with a folder for each class
            (see `image_folder`).
        train, test: take so many images only, each class in its share.
        settings: those of the function named; `builtin` has distance, difficulty and more,
            `cifar10` has root and download, `image_folder` has size.

    Raises:
        UserError: no such data, no such setting, or the data is not on this machine.

    >>> load("builtin16", train=20, test=10, cache=False).shape
    (3, 16, 16)
    """
    text = str(name)
    if text in _BUILTIN:
        sizes = {k: v for k, v in (("train", train), ("test", test)) if v is not None}
        return _call(text, builtin, **{"size": _BUILTIN[text], **sizes, **settings})
    if text in _PUBLIC:
        return _call(text, _PUBLIC[text], **settings).subset(train, test)
    if Path(text).expanduser().is_dir():
        return _call(text, image_folder, text, **settings).subset(train, test)
    raise _unknown(text)


def _call(name: str, make: Callable[..., Splits], *given: str, **settings: object) -> Splits:
    allowed = list(inspect.signature(make).parameters)[len(given) :]
    for setting in settings:
        if setting not in allowed:
            raise UserError(
                f"{name} has no setting {setting!r}; it has {', '.join(allowed) or 'none'}."
            )
    return make(*given, **settings)


def _unknown(name: str) -> UserError:
    plain = name.lower().replace("-", "_")
    near = difflib.get_close_matches(plain, NAMES, 1) or difflib.get_close_matches(
        plain.replace("_", ""), NAMES, 1
    )
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    return UserError(
        f"there is no data {name!r}{meant} There are {', '.join(NAMES)}, or the path of a folder "
        'with a folder of images for each class. "builtin" needs no download.'
    )
