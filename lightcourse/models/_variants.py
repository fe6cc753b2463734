"""The check of a setting that chooses between named forms of one network."""

from collections.abc import Iterable

from lightcourse.errors import UserError


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Refuse a value that is none of the choices: raises `UserError` with one sentence.

    >>> check_choice("variant", "paper", ("paper", "torchvision"))
    """
    known = list(choices)
    if value not in known:
        raise UserError(f"{name} is {value!r}; choose one of {', '.join(map(str, known))}.")
