"""Notice when an answer hands its work to the operator of torch that the exercise is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

Unwanted = Callable[[str, Mapping[str, Any]], bool]


class _Watch(TorchDispatchMode):
    """Looks at each operator that runs: a function, a module and torch.ops all come down to one."""

    def __init__(self, unwanted: Unwanted) -> None:
        super().__init__()
        self.unwanted = unwanted
        self.seen = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        names = (argument.name for argument in func._schema.arguments)
        given = {**dict(zip(names, args, strict=False)), **(kwargs or {})}
        self.seen |= self.unwanted(func.name().removeprefix("aten::"), given)
        return func(*args, **(kwargs or {}))


def uses(run: Callable[[], object], unwanted: Unwanted) -> bool:
    """Whether run() makes torch run an operator that unwanted(name, arguments) picks out.

    >>> import torch
    >>> uses(lambda: torch.ones(2).relu(), lambda name, given: name == "relu")
    True
    """
    with _Watch(unwanted) as watch:
        run()
    return watch.seen
