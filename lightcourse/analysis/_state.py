"""Keep the user's model and the process as they were, whatever happens inside the forward pass."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Run a block in eval mode, then put every module, container and random state back."""
    saved = [(module, dict(vars(module))) for module in model.modules()]
    containers = [
        (value, _contents(value))
        for _, attributes in saved
        for value in attributes.values()
        if isinstance(value, (list, dict, set))
    ]
    python_state = random.getstate()
    try:
        for module, _ in saved:
            # not model.eval(): a model may override train() with side effects of its own
            module.__dict__["training"] = False
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python_state)
        for value, contents in containers:
            _refill(value, contents)
        for module, attributes in saved:
            module.__dict__.clear()
            module.__dict__.update(attributes)


def _contents(value: list | dict | set) -> list:
    return list(value.items()) if isinstance(value, dict) else list(value)


def _refill(value: list | dict | set, contents: list) -> None:
    if isinstance(value, list):
        value[:] = contents
        return
    # clearing first keeps the order of a dict as it was
    value.clear()
    value.update(contents)


def meta_state(
    model: nn.Module,
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[int, tuple[Tensor, Tensor]]]:
    """Return meta twins of parameters and of buffers by name, and (original, twin) by its id.

    Tensors shared under several names share one twin, so that sharing survives.
    """
    by_id: dict[int, tuple[Tensor, Tensor]] = {}

    def twins(named: Iterator[tuple[str, Tensor]]) -> dict[str, Tensor]:
        found = {}
        for name, tensor in named:
            if id(tensor) not in by_id:
                by_id[id(tensor)] = (tensor, tensor.detach().to("meta", copy=True))
            found[name] = by_id[id(tensor)][1]
        return found

    parameters = twins(model.named_parameters(remove_duplicate=False))
    return parameters, twins(model.named_buffers(remove_duplicate=False)), by_id
