"""Check what the user hands in, and turn it into meta tensors."""

import inspect
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import UninitializedBuffer, UninitializedParameter

from lightcourse.analysis._exported import Entry
from lightcourse.errors import UserError

OneInput: TypeAlias = Sequence[int] | Tensor
#: A shape (N, C, H, W) or a tensor; a tuple of them for several inputs, a dict to name them.
InputSize: TypeAlias = OneInput | Sequence[OneInput] | Mapping[str, OneInput]

_WAYS = (
    "give a shape such as (1, 3, 224, 224), a tensor, a tuple of them for several inputs, or a "
    "dict from the names of forward's arguments to them"
)


def check_model(model: Any) -> nn.Module:
    """Return the module to analyse, or say what to pass instead."""
    if isinstance(model, type) and issubclass(model, nn.Module):
        raise UserError(
            f"{model.__name__} is a class; pass a model made from it: {model.__name__}(...)."
        )
    if isinstance(model, str):
        raise UserError(
            f"The analysis takes a model, not the name {model!r}; pass create_model({model!r})."
        )
    if isinstance(model, torch.export.ExportedProgram):
        raise UserError(
            "The analysis takes a module; pass lightcourse.analysis.open_exported(program)."
        )
    if not isinstance(model, nn.Module):
        raise UserError(
            f"The analysis takes a torch.nn.Module, not a {type(model).__name__}; wrap a function "
            "in a module whose forward calls it."
        )
    model = getattr(model, "_orig_mod", model)  # torch.compile keeps the module there
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        model = model.module
    if isinstance(model, torch.jit.ScriptModule):
        raise UserError(
            "A scripted model hides its layers; pass the model as it was before torch.jit.script."
        )
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if isinstance(tensor, (UninitializedParameter, UninitializedBuffer)):
            raise UserError(
                f"'{name}' has no shape yet, as its layer is lazy; run the model once on a real "
                "input first."
            )
    return model


def as_inputs(model: nn.Module, given: InputSize) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Return meta tensors for forward's positional and named arguments.

    A shape becomes a tensor of the dtype of the model's first floating-point parameter.
    """
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = {}
    if isinstance(given, Mapping):
        named = given
    elif _is_several(given):
        args = tuple(given)
    else:
        args = (given,)
    if not args and not named:
        raise UserError(f"input_size is {given!r}; {_WAYS}.")
    odd = next((name for name in named if not isinstance(name, str)), None)
    if odd is not None:
        raise UserError(f"The dict in input_size has the key {odd!r}, not a name; {_WAYS}.")
    floats = (p.dtype for p in model.parameters() if p.is_floating_point())
    dtype = next(floats, torch.get_default_dtype())
    positional = tuple(_meta(item, dtype, given) for item in args)
    keywords = {name: _meta(item, dtype, given) for name, item in named.items()}
    keywords = _in_order(_arguments(model, positional, keywords), keywords)
    entry = getattr(model, "program_entry", None)
    if isinstance(entry, Entry):
        entry.check([*positional, *_in_order(entry.names, keywords).values()])
    return positional, keywords


def _in_order(names: Sequence[str], keywords: dict[str, Tensor]) -> dict[str, Tensor]:
    """Sort named inputs as forward lists them: the receptive field is that of the first picture."""
    places = {name: place for place, name in enumerate(names)}
    return dict(sorted(keywords.items(), key=lambda pair: places.get(pair[0], len(places))))


def _is_several(given: Any) -> bool:
    """Say whether a sequence holds inputs; one that holds numbers is a shape."""
    return isinstance(given, (tuple, list)) and any(
        isinstance(item, (Tensor, tuple, list)) for item in given
    )


def _meta(item: Any, dtype: torch.dtype, given: Any) -> Tensor:
    if isinstance(item, Tensor):
        return torch.empty_like(item, device="meta", requires_grad=False)
    if not isinstance(item, (tuple, list)) or not item:
        inside = "" if item is given else f" in input_size {_brief(given)}"
        what = "input_size is" if item is given else "one input is"
        raise UserError(f"{what} {item!r}{inside}; {_WAYS}.")
    whole = [int(n) for n in item if isinstance(n, Integral) and not isinstance(n, bool)]
    sizes = [n for n in whole if n > 0]
    if len(sizes) != len(item):
        raise UserError(
            f"A shape is {_brief(item)}; a shape has positive whole numbers only, such as "
            "(1, 3, 224, 224)."
        )
    try:
        return torch.empty(sizes, dtype=dtype, device="meta")
    except RuntimeError as error:  # more bytes than a number can hold
        raise UserError(f"No tensor can be as large as {_brief(item)}.") from error


def _brief(item: Any) -> str:
    """Return a short text of an argument, with the shape of a tensor in place of its values."""
    if isinstance(item, Tensor):
        return f"tensor{tuple(item.shape)}"
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{k!r}: {_brief(v)}" for k, v in item.items()) + "}"
    if isinstance(item, (tuple, list)):
        return "(" + ", ".join(_brief(i) for i in item) + ")"
    return repr(item)


def _arguments(model: nn.Module, args: tuple, keywords: dict) -> list[str]:
    """Return the names of forward's arguments; raise when it cannot be called like this at all."""
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):  # a forward written in C has none
        return []
    try:
        signature.bind(*args, **keywords)
    except TypeError as error:
        takes = ", ".join(_argument(p) for p in signature.parameters.values()) or "nothing"
        gets = f"{len(args)} without a name" if args else ", ".join(keywords)
        raise UserError(
            f"The forward of {type(model).__name__} takes {takes}, but input_size gives {gets} "
            f"({error}): {_WAYS}."
        ) from error
    return list(signature.parameters)


def _argument(parameter: inspect.Parameter) -> str:
    name = str(parameter).split(":")[0].split("=")[0].strip()
    return name if parameter.default is parameter.empty else f"{name} (optional)"
