"""The reader's own networks in the picture of the gradient's way: checked, measured as given."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import isfinite
from typing import Any

from torch import nn

from lightcourse.errors import UserError

from ._grf_nets import SIZE, Flow, layers_of, measure

MOST = 160  # layers of one network that have room


def own_flows(nets: Any, input_size: Any) -> tuple[tuple[str, ...], list[Flow]]:
    """Return names and flows of one or two networks.

    Raises:
        UserError: they are no networks that classify such pictures, or have too many layers.
    """
    named = {"yours": nets} if isinstance(nets, nn.Module) else nets
    good = isinstance(named, Mapping) and 1 <= len(named) <= 2
    if not good or not all(isinstance(net, nn.Module) for net in named.values()):
        raise UserError('give an nn.Module, two as {"plain": net, "residual": other}, or nothing.')
    shape = (3, SIZE, SIZE) if input_size is None else input_size
    if not (isinstance(shape, Sequence) and all(isinstance(n, int) and n > 0 for n in shape)):
        raise UserError(f"input_size is {input_size!r}; it is the (C, H, W) of one picture.")
    flows = [_flow(str(name), net, tuple(shape)) for name, net in named.items()]
    return tuple(str(name)[:24] for name in named), flows


def _flow(name: str, net: nn.Module, shape: tuple[int, ...]) -> Flow:
    layers = len(layers_of(net))
    if not 2 <= layers <= MOST:
        raise UserError(f"{name} has {layers} convolutions or linear layers; 2 to {MOST} fit.")
    try:
        flow = measure(lambda: deepcopy(net).cpu(), shape)
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise UserError(
            f"no gradient came back through {name} from pictures of shape {shape}: {error}"
        ) from error
    every = [norm for runs in (flow.output, flow.weight) for run in runs for norm in run]
    if flow.layers < 2 or not all(map(isfinite, every)):
        what = "reaches fewer than two layers" if flow.layers < 2 else "is not finite"
        raise UserError(f"the gradient of {name} {what}; is its output one score for each class?")
    return flow
