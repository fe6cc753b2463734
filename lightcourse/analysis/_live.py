"""A model ready to be timed: real inputs, eval and inference mode, and everything put back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import UninitializedBuffer, UninitializedParameter

from lightcourse.analysis._inputs import as_inputs
from lightcourse.analysis._state import untouched
from lightcourse.analysis.trace import trace
from lightcourse.errors import UserError


def check_timing(model: Any, threads: Any, seconds: Any) -> None:
    """Say what is wrong with the arguments of a measurement."""
    if isinstance(model, type) or not isinstance(model, nn.Module):
        what = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise UserError(f"Only a model can be timed, a torch.nn.Module; this is {what}.")
    if type(threads) is not int or threads < 1:
        raise UserError(f"threads is a whole number from 1 on, not {threads!r}.")
    if type(seconds) not in (int, float) or not 0 < seconds < float("inf"):
        raise UserError(f"seconds is a time above zero, not {seconds!r}.")
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        if isinstance(tensor, (UninitializedParameter, UninitializedBuffer)):
            raise UserError(
                f"'{name}' has no shape yet, as its layer is lazy; run the model once on a real "
                "input first."
            )
        if tensor.is_meta:
            raise UserError(
                f"'{name}' is on the meta device, which has shapes and no numbers, so there is "
                "nothing to time; build the model on the CPU."
            )


def device_of(model: nn.Module) -> torch.device:
    """Return where the model's first parameter or buffer lives; the CPU when it has none."""
    first = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def live_inputs(model: nn.Module, given: Any) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Return real tensors for the same forms of `input_size` that `analyze` takes.

    A tensor of the caller's is used as it is; a shape becomes normal noise, always the same.
    """
    args, named = as_inputs(model, given)
    own: Any = ()
    if isinstance(given, Tensor):
        own = (given,)
    elif not isinstance(given, Mapping):
        own = tuple(given)
    generator = torch.Generator().manual_seed(0)
    device = device_of(model)

    def live(meta: Tensor, original: Any) -> Tensor:
        if isinstance(original, Tensor) and not original.is_meta:
            return original.detach().to(device)
        if meta.is_floating_point():
            made = torch.randn(meta.shape, generator=generator).to(meta.dtype)
        else:
            made = torch.zeros(meta.shape, dtype=meta.dtype)
        return made.to(device)

    originals = given if isinstance(given, Mapping) else {}
    return (
        tuple(live(m, own[i] if i < len(own) else None) for i, m in enumerate(args)),
        {name: live(m, originals.get(name)) for name, m in named.items()},
    )


@contextmanager
def ready(model: nn.Module, given: Any, threads: int) -> Iterator[Callable[[], Any]]:
    """Give a function that runs one forward pass; afterwards everything is as it was before.

    The model is in eval mode, autograd is off, and it has run twice already. Raises `UserError`
    when its forward fails.
    """
    before = torch.get_num_threads()
    with untouched(model), _same_state(model), torch.inference_mode():
        args, named = live_inputs(model, given)

        def run() -> Any:
            return model(*args, **named)

        try:
            torch.set_num_threads(threads)
            # until a block of 32 MB has been freed once, glibc hands large freed blocks back and
            # page faults slow the layers with large maps, depending on what ran before
            torch.zeros(8_000_000)
            try:
                run()
                run()
            except Exception as error:
                raise _sentence(model, given, error) from error
            yield run
        finally:
            torch.set_num_threads(before)


@contextmanager
def _same_state(model: nn.Module) -> Iterator[None]:
    tensors = [*model.parameters(), *model.buffers()]
    kept = [(t, t.requires_grad, t.detach().clone()) for t in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, wants_grad, copy in kept:
                # not by the version: a write through .data leaves it as it was
                if not torch.equal(tensor, copy):
                    tensor.copy_(copy)
                if tensor.requires_grad != wants_grad:
                    tensor.requires_grad_(wants_grad)


def _sentence(model: nn.Module, given: Any, error: Exception) -> UserError:
    try:
        trace(model, given)  # knows the layer and what does not fit, where a shape is the cause
    except UserError as known:
        if type(known.__cause__) is type(error):
            return known
    except Exception:  # whatever it is, the error of the real forward pass is the one to tell
        pass
    text = str(error).strip()
    first = text.splitlines()[0][:160].rstrip(".") if text else "no message"
    return UserError(
        f"The forward pass of {type(model).__name__} stopped with {type(error).__name__}: {first}; "
        "make it run on this input once, then time it."
    )
