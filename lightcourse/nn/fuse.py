"""Fold batch norms into the layers before them: the same outputs from fewer operators."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lightcourse.errors import UserError

# exact types only: a subclass may do more than its parent
_LINEAR = {nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear}
_NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm}
_ACTIVATIONS = {
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid,
}  # fmt: skip
_SIDES = (224, 299, 32)  # what most networks take; the first that runs will do


def fuse(model: nn.Module, input_size: Sequence[int] | None = None) -> nn.Module:
    """Return a copy for inference whose batch norms are folded into the layers before them.

    In eval mode a batch norm is y = scale · x + shift per channel, so that W' = scale · W and
    b' = scale · (b - mean) + shift of the convolution before it give the same outputs. A norm is
    folded only where one run on shapes alone shows that it is the one reader of the layer's output
    and both run once; activations behind such a layer then write in place. `folded` of the copy
    counts the norms that are gone (each is an `nn.Identity` now). The given model stays as it is.

    `input_size` is the shape of the run, (N, C, H, W); without it a 224×224 picture or another
    common one. Raises `UserError` where the model does not run on it.

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU())
    >>> fuse(model).folded, sum(p.numel() for p in fuse(model).parameters())
    (1, 224)
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"fuse takes a torch.nn.Module, not a {type(model).__name__}.")
    fused = deepcopy(model).eval()
    watch = _watch(fused, input_size)
    norms = {}
    for layer, norm in watch.pairs():
        _fold(layer, norm)
        norms[norm] = nn.Identity()
    for parent in list(fused.modules()):
        for name, child in parent._modules.items():  # named_children() leaves out second names
            if child in norms:
                parent._modules[name] = norms[child]
    for activation in watch.safe_in_place():
        activation.inplace = True
    fused.__dict__["folded"] = len(norms)
    return fused


def _fold(layer: Any, norm: Any) -> None:
    """Give a layer the weights that do the norm's work too."""
    weight = layer.weight.detach()
    kind = torch.promote_types(weight.dtype, torch.float32)
    gain, shift = (1, 0) if norm.weight is None else (norm.weight.detach(), norm.bias.detach())
    scale = gain * torch.rsqrt(norm.running_var.to(kind) + norm.eps)
    bias = 0 if layer.bias is None else layer.bias.detach()
    folded = weight.to(kind) * scale.reshape(-1, *[1] * (weight.dim() - 1))
    bias = (bias - norm.running_mean.to(kind)) * scale + shift
    grad = layer.weight.requires_grad
    # new parameters: the old ones may be shared with other layers
    layer.weight = nn.Parameter(folded.to(weight.dtype), requires_grad=grad)
    layer.bias = nn.Parameter(bias.to(weight.dtype), requires_grad=grad)


class _Watch(TorchDispatchMode):
    """Who made each tensor, and how many operators read it."""

    def __init__(self) -> None:
        super().__init__()
        self.uses: Counter[int] = Counter()  # by id of the tensor
        self.calls: Counter[nn.Module] = Counter()
        self.maker: dict[int, nn.Module] = {}  # tensors that come out of a layer or a norm
        self.weights: dict[nn.Module, int] = {}
        self.entered: list[tuple[nn.Module, Tensor]] = []  # norms and activations, and their input
        self._alive: list[Any] = []  # an id stays one tensor's only while that lives

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count what an operator reads, and run it."""
        self.read((args, kwargs))
        out = func(*args, **(kwargs or {}))
        self._alive.append(out)
        return out

    def read(self, tree: Any) -> None:
        """Count one reader of every tensor."""
        for item in tree_leaves(tree):
            if isinstance(item, Tensor):
                self.uses[id(item)] += 1
                self._alive.append(item)

    def before(self, module: nn.Module, args: tuple[Tensor, ...]) -> None:
        """A norm or an activation is called."""
        self.calls[module] += 1
        if args:
            self.entered.append((module, args[0]))

    def after(self, module: nn.Module, _args: Any, out: Tensor) -> None:
        """A layer or a norm has made a tensor."""
        self.maker[id(out)] = module
        if type(module) in _LINEAR:
            self.calls[module] += 1
            weight: Any = module.weight
            if out.dim() == weight.dim():  # with a batch: channels are dimension 1 in both
                self.weights[module] = id(weight)

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """Layers and the norms behind them that nobody else depends on."""
        found = []
        for norm, x in self.entered:
            layer = self.maker.get(id(x))
            if type(norm) not in _NORMS or layer not in self.weights:
                continue
            once = self.calls[norm] == self.calls[layer] == 1
            alone = self.uses[id(x)] == 1 and self.uses[self.weights[layer]] == 1
            if once and alone and norm.running_var is not None:
                found.append((layer, norm))
        return found

    def safe_in_place(self) -> list[Any]:
        """Activations that are the only reader of what a layer or a norm made."""
        fresh: dict[Any, bool] = {}
        for module, x in self.entered:
            if type(module) in _ACTIVATIONS:
                safe = id(x) in self.maker and self.uses[id(x)] == 1
                fresh[module] = fresh.get(module, True) and safe
        return [module for module, safe in fresh.items() if safe]


def _watch(model: nn.Module, input_size: Sequence[int] | None) -> _Watch:
    """Run the model without memory and return what was seen."""
    if input_size is not None:
        sizes = [tuple(input_size)]
    else:
        first = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
        own = getattr(model, "in_channels", None)
        channels = own if isinstance(own, int) else 3 if first is None else first.in_channels
        sizes = [(1, channels, side, side) for side in _SIDES]
    failed: Exception | None = None
    for size in sizes:
        try:
            return _run(model, size)
        except Exception as error:
            failed = failed or error
    said = (str(failed).strip().splitlines() or ["no message"])[0].rstrip(".")
    raise UserError(
        f"fuse runs the model once on shapes, and it failed on {sizes[0]}: {said}; give the "
        "shape that it takes: fuse(model, input_size=(1, 3, 224, 224))."
    ) from failed


def _shapes_of(model: nn.Module) -> dict[str, Tensor]:
    """Return every parameter and buffer without memory; a shared one is one tensor again."""
    state, known = {}, {}
    for path, module in model.named_modules():  # each module once, whatever its names
        for name, value in (*module._parameters.items(), *module._buffers.items()):
            if value is not None:
                shape = known.setdefault(id(value), value.detach().to("meta"))
                state[f"{path}.{name}" if path else name] = shape
    return state


def _run(model: nn.Module, size: tuple[int, ...]) -> _Watch:
    state = _shapes_of(model)
    kind = next((v.dtype for v in state.values() if v.is_floating_point()), torch.float32)
    watch, handles = _Watch(), []
    for module in model.modules():
        if module._forward_hooks or module._forward_pre_hooks:  # they may read or change tensors
            continue
        if type(module) in _NORMS | _ACTIVATIONS:
            handles.append(module.register_forward_pre_hook(watch.before))
        if type(module) in _LINEAR | _NORMS:
            handles.append(module.register_forward_hook(watch.after))
    try:
        with torch.no_grad(), watch:
            x = torch.empty(size, dtype=kind, device="meta")
            watch.read(torch.func.functional_call(model, state, (x,), tie_weights=False))
    finally:
        for handle in handles:
            handle.remove()
    return watch
