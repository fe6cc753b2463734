"""Typed helpers for authors of hidden tests in nbgrader cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from lightcourse.checks.compare import Compare, kind_of
from lightcourse.checks.desk import check
from lightcourse.checks.result import CheckResult


def hidden_check(id: str, obj: Any, *, seed: int) -> CheckResult:
    """check() on other cases; shows the diagnosis only and records nothing.

    Raises:
        CheckFailed: the object is not right.
    """
    return check(id, obj, seed=seed, hidden=True)


def close(
    got: Any, want: Any, *, rtol: float = 1e-5, atol: float = 1e-8, what: str = "the answer"
) -> None:
    """Assert that two numbers, tensors or nested lists of them agree; NaN never equals a number.

    Raises:
        AssertionError: they differ; the message names the difference and never the values.

    >>> close(torch.ones(2), torch.ones(2))
    """
    found = Compare(rtol, atol, dtype=False)(got, want)
    if found is not None:
        text = "the values differ" if found.kind == "value" else found.text
        raise AssertionError(f"{what}: {text}.")


def tensor(
    x: Any,
    *,
    shape: Sequence[int] | None = None,
    dtype: torch.dtype | None = None,
    what: str = "the answer",
) -> torch.Tensor:
    """Assert that x is a real tensor of this shape and dtype, and return it.

    Exact type only: a subclass may answer any comparison with "equal".

    Raises:
        AssertionError: it is not.

    >>> tensor(torch.zeros(2, 3), shape=(2, 3)).shape
    torch.Size([2, 3])
    """
    if type(x) not in (torch.Tensor, torch.nn.Parameter):
        raise AssertionError(f"{what} is {kind_of(x)}, wanted a tensor.")
    if shape is not None and tuple(x.shape) != tuple(shape):
        raise AssertionError(f"{what} has shape {tuple(x.shape)}, wanted {tuple(shape)}.")
    if dtype is not None and x.dtype != dtype:
        raise AssertionError(f"{what} has dtype {x.dtype}, wanted {dtype}.")
    return x


def raises(
    kind: type[BaseException], function: Callable[..., Any], *args: Any, **kwargs: Any
) -> None:
    """Assert that the call raises this kind of error.

    Raises:
        AssertionError: it returned, or raised another kind.

    >>> raises(ZeroDivisionError, lambda: 1 / 0)
    """
    try:
        function(*args, **kwargs)
    except kind:
        return
    except Exception as error:
        name = type(error).__name__
        raise AssertionError(f"this call must raise {kind.__name__}, and raised {name}.") from None
    raise AssertionError(f"this call must raise {kind.__name__}, and returned an answer.")
