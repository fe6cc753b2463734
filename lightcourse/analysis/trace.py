"""One recorder: run a model once on meta tensors and keep every operator it calls."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._pytree import tree_leaves

from lightcourse.analysis._errors import explain
from lightcourse.analysis._inputs import InputSize, as_inputs, check_model
from lightcourse.analysis._recorder import Recorder
from lightcourse.analysis._records import Op, Ref, Row, Trace, Value
from lightcourse.analysis._state import untouched


def trace(model: nn.Module, inputs: InputSize) -> Trace:
    """Run a model once, in eval mode on meta tensors, and return every operator it called.

    `inputs` is the input's shape (N, C, H, W), a tensor, a tuple of them for several inputs, or a
    dict from the names of forward's arguments to them. Nothing is computed and the model is left
    as it was, also when its forward raises. Raises `UserError` where the model cannot run on
    shapes alone.

    >>> [op.name for op in trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 8, 8))]
    ['convolution', 'relu']
    """
    model = check_model(model)
    with torch.inference_mode(False), torch.no_grad(), untouched(model):
        recorder = Recorder(model)
        args, named = as_inputs(model, inputs)
        meta_inputs = (*args, *named.values())
        state = recorder.adopt_state(model)
        input_values = tuple(recorder.adopt(t, "input") for t in meta_inputs)
        after = recorder.book.leave(recorder.value_of)
        handles = (
            hooks.register_module_forward_pre_hook(recorder.book.before),
            hooks.register_module_forward_hook(after, always_call=True),
        )
        try:
            with recorder:
                out = torch.func.functional_call(model, state, args, named, tie_weights=False)
        except Exception as error:
            raise _sentence(error, recorder, meta_inputs) from error
        finally:
            for handle in handles:
                handle.remove()
    return _finish(recorder, input_values, out)


def _sentence(error: Exception, recorder: Recorder, inputs: tuple[Tensor, ...]) -> Exception:
    # a model may have caught earlier errors: only what is known of this one counts
    failed, refused = recorder.book.failed, recorder.refused
    place = failed[1] if failed is not None and failed[0] is error else None
    call = refused[1:] if refused is not None and refused[0] is error else None
    return explain(error, place, call, inputs)


def _finish(recorder: Recorder, inputs: tuple[int, ...], out: Any) -> Trace:
    values = [recorder.value_of(t) for t in tree_leaves(out) if isinstance(t, Tensor)]
    return Trace(
        ops=tuple(recorder.ops),
        values=tuple(recorder.values),
        rows=tuple(recorder.book.rows),
        inputs=inputs,
        outputs=tuple(v for v in values if v is not None),
        params=recorder.params,
        storages=recorder.memory.close(),
    )


__all__ = ["Op", "Ref", "Row", "Trace", "Value", "trace"]
