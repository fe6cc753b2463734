"""Check what the user hands in, and turn it into meta tensors."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import UninitializedBuffer, UninitializedParameter

from lightcourse.errors import UserError


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


def as_inputs(model: nn.Module, given: Sequence[int] | Tensor | Sequence[Tensor]) -> tuple:
    """Return meta tensors for a shape, a tensor, or a tuple of tensors."""
    if isinstance(given, Tensor):
        given = (given,)
    if not isinstance(given, (tuple, list, torch.Size)) or not given:
        raise UserError(
            f"input_size is {given!r}; give a shape such as (1, 3, 224, 224), a tensor, or a "
            "tuple of tensors."
        )
    tensors = [t for t in given if isinstance(t, Tensor)]
    if len(tensors) == len(given):
        return tuple(torch.empty_like(t, device="meta", requires_grad=False) for t in tensors)
    shape = [n for n in given if type(n) is int and n > 0]
    if len(shape) != len(given):
        raise UserError(
            f"input_size is {tuple(given)!r}; a shape has positive whole numbers only, such as "
            "(1, 3, 224, 224)."
        )
    floats = (p.dtype for p in model.parameters() if p.is_floating_point())
    dtype = next(floats, torch.get_default_dtype())
    return (torch.empty(shape, dtype=dtype, device="meta"),)
