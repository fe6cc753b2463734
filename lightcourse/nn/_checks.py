"""Refuse numbers that make no block, in one sentence, where the block is built."""

from numbers import Integral
from typing import Any

from lightcourse.errors import UserError


def is_whole(value: object) -> bool:
    """Whether this is an integer, of Python or NumPy, and no truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_counts(block: str, **counts: object) -> None:
    """Refuse channels, groups, kernels, strides that are not 1, 2, 3, …; `block` has its article.

    >>> check_counts("A Fire module", in_channels=96, squeeze=16)
    """
    for name, value in counts.items():
        if not (is_whole(value) and value >= 1):  # pyright: ignore[reportOperatorIssue]
            raise UserError(
                f"{block}'s {name} is {value!r}; it counts, so it is a whole number from 1 up."
            )


def check_odd(block: str, **kernels: object) -> None:
    """Refuse kernels without a middle: the output would have another size than promised."""
    check_counts(block, **kernels)
    for name, k in kernels.items():
        if k % 2 == 0:  # pyright: ignore[reportOperatorIssue]
            raise UserError(
                f"{block}'s {name} is {k}; only odd ones, 1, 3, 5, …, have a middle and keep the "
                "size."
            )


def check_stride(block: str, stride: object) -> None:
    """Refuse strides other than 1 and 2, the two that a paper's block has."""
    if not is_whole(stride) or stride not in (1, 2):
        raise UserError(f"{block} has stride 1 or 2, not {stride!r}.")


def check_groups(block: str, groups: int, *channels: int) -> None:
    """Refuse groups that do not cut all these channels into equal parts."""
    check_counts(block, groups=groups)
    for count in channels:
        if count % groups:
            raise UserError(
                f"{block}'s {count} channels cannot be cut into {groups} equal groups; take a "
                "number that divides them."
            )


def check_expansion(block: str, channels: int, expansion: Any) -> None:
    """Refuse a factor that is no number or leaves no channel."""
    number = isinstance(expansion, int | float) and not isinstance(expansion, bool)
    if not number or not 1 <= channels * expansion < float("inf"):
        raise UserError(
            f"{block}'s expansion is {expansion!r}; it multiplies {channels} channels, so it is a "
            "number that leaves at least one."
        )


def check_share(block: str, **shares: object) -> None:
    """Refuse a dropout that is not from 0 up to 1."""
    for name, share in shares.items():
        if not isinstance(share, int | float) or not 0 <= share < 1:
            raise UserError(
                f"{block}'s {name} is {share!r}; it is the share that drops out, from 0 up to 1."
            )
