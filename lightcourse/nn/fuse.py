"""Fold batch norms into the layers before them: the same outputs from fewer operators."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from inspect import Parameter, signature
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lightcourse.errors import UserError
from lightcourse.nn.conv import DepthwiseConv2d, PointwiseConv2d

# exact types only: a subclass may do more than its parent; ours do not
_LINEAR = {nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, DepthwiseConv2d, PointwiseConv2d}
_NORMS = {nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm}
_ACTIVATIONS = {
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid,
}  # fmt: skip
_SIDES = (224, 299, 32)  # what most networks take; the first that runs will do
_MOST = 2**31  # bytes that the maps of a real run may take, all of them together


def fuse(model: nn.Module, input_size: Sequence[int] | None = None) -> nn.Module:
    """Return a copy for inference whose batch norms are folded into the layers before them.

    In eval mode a batch norm is y = scale · x + shift per channel, so that W' = scale · W and
    b' = scale · (b - mean) + shift of the convolution before it give the same outputs. A norm is
    folded only where one run on shapes alone shows that it is the one reader of the layer's output,
    both run once, and nobody else reads their numbers; activations behind such a layer then write
    in place. Where weights and memory are there, copies of both models then run on noise, and if
    the outputs differ nothing is folded. `folded` of the copy counts the norms that are gone (each
    is an `nn.Identity` now). The given model stays as it is.

    `input_size` is the shape of the run, (N, C, H, W); without it a 224×224 picture or another
    common one. Raises `UserError` where the model does not run on it, or takes more than a picture.

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU())
    >>> fuse(model).folded, sum(p.numel() for p in fuse(model).parameters())
    (1, 224)
    """
    _check(model)
    fused = deepcopy(model).eval()
    watch, size = _watch(fused, input_size)
    folded = _fold_all(fused, watch)
    tries = [size] if watch.bytes <= _MOST else []
    if input_size is None:  # a small picture shows as much
        tries.insert(0, (*size[:2], _SIDES[-1], _SIDES[-1]))
    if not (
        _runs_on_shapes(fused, size) and _same(model, fused, tries)
    ):  # it depends on what we cannot see
        fused, folded = deepcopy(model).eval(), 0
    fused.__dict__["folded"] = folded
    return fused


def _fold_all(fused: nn.Module, watch: "_Watch") -> int:
    """Fold every pair that the run has shown, and return how many."""
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
    return len(norms)


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
        self.numbers: dict[nn.Module, list[int]] = {}  # ids of what layers and norms compute with
        self.bytes = 0  # of everything that was made
        self.entered: list[tuple[nn.Module, Tensor]] = []  # norms and activations, and their input
        self._alive: list[Any] = []  # an id stays one tensor's only while that lives

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count what an operator reads, and run it."""
        self.read((args, kwargs))
        out = func(*args, **(kwargs or {}))
        self._alive.append(out)
        self.bytes += sum(tensor.nbytes for tensor in _tensors(out))
        return out

    def read(self, tree: Any) -> None:
        """Count one reader of every tensor."""
        for tensor in _tensors(tree):
            self.uses[id(tensor)] += 1
            self._alive.append(tensor)

    def before(self, module: nn.Module, args: tuple[Tensor, ...]) -> None:
        """A norm or an activation is called."""
        self.calls[module] += 1
        if args:
            self.entered.append((module, args[0]))
        if type(module) in _NORMS:
            norm: Any = module
            numbers = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
            self.numbers[module] = [id(value) for value in numbers if value is not None]

    def after(self, module: nn.Module, _args: Any, out: Tensor) -> None:
        """A layer or a norm has made a tensor."""
        self.maker[id(out)] = module
        if type(module) in _LINEAR:
            self.calls[module] += 1
            layer: Any = module
            if out.dim() == layer.weight.dim():  # with a batch: channels are dimension 1 in both
                numbers = (layer.weight, layer.bias)
                self.numbers[module] = [id(value) for value in numbers if value is not None]

    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """Layers and the norms behind them that nobody else depends on."""
        found = []
        for norm, x in self.entered:
            layer = self.maker.get(id(x))
            between = type(layer) in _LINEAR and type(norm) in _NORMS
            if not between or layer not in self.numbers:
                continue
            once = self.calls[norm] == self.calls[layer] == 1
            read = [id(x), *self.numbers[layer], *self.numbers[norm]]
            alone = all(self.uses[which] == 1 for which in read)
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


def _tensors(tree: Any) -> list[Tensor]:
    """Return the tensors in a tree, also those that its objects hold as attributes."""
    found = []
    for leaf in tree_leaves(tree):
        held = [leaf] if isinstance(leaf, Tensor) else list(getattr(leaf, "__dict__", {}).values())
        found += [item for item in tree_leaves(held) if isinstance(item, Tensor)]
    return found


def _check(model: Any) -> None:
    """Refuse what is no module, or no module of one input, and say what to do with it."""
    kind = type(model).__name__
    if isinstance(model, list | tuple) or (isinstance(model, nn.Module) and not _runs(model)):
        raise UserError(
            f"fuse takes a model that runs, not a {kind}; fuse the models in it, one by one."
        )
    if not isinstance(model, nn.Module):
        raise UserError(f"fuse takes a torch.nn.Module, not a {kind}.")
    if isinstance(model, torch.jit.ScriptModule):
        raise UserError("fuse takes the model that torch.jit was given, not what it made of it.")
    needed = [
        name
        for name, parameter in signature(model.forward).parameters.items()
        if parameter.default is Parameter.empty
        and parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    ]
    if len(needed) > 1:
        raise UserError(
            f"fuse runs a model on one picture, and {kind} takes "
            f"{' and '.join(needed)}; {_parts(model)}."
        )


def _runs(module: nn.Module) -> bool:
    """Whether it has a forward at all; an nn.ModuleList has none."""
    return (
        "forward" in vars(module) or getattr(type(module), "forward", None) is not nn.Module.forward
    )


def _parts(model: nn.Module) -> str:
    """Say how to fuse a model that does not take one picture itself."""
    for path, part in model.named_modules():
        norms = any(type(module) in _NORMS for module in part.children())
        if path and norms and _runs(part):
            name = "model" + "".join(f"[{p}]" if p.isdigit() else f".{p}" for p in path.split("."))
            return f"fuse the parts that take one tensor, such as {name} = fuse({name})"
    return "wrap it in a module whose forward takes one tensor and makes the rest"


def _watch(model: nn.Module, input_size: Sequence[int] | None) -> tuple[_Watch, tuple[int, ...]]:
    """Run the model without memory and return what was seen, and the size that it ran on."""
    convs = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    first = next((m for m in model.modules() if isinstance(m, convs)), None)
    own = getattr(model, "in_channels", None)
    channels = own if isinstance(own, int) else 3 if first is None else first.in_channels
    sizes = [(1, channels, side, side) for side in _SIDES]
    if input_size is not None:
        whole = isinstance(input_size, Sequence) and all(
            isinstance(n, Integral) and n > 0 for n in input_size
        )
        if not whole or not input_size:
            raise UserError(f"input_size is a shape, such as {sizes[0]}, not {input_size!r}.")
        sizes = [tuple(input_size)]
    failed: Exception | None = None
    for size in sizes:
        try:
            return _run(model, size), size
        except Exception as error:
            failed = failed or error
    said = (str(failed).strip().splitlines() or ["no message"])[0].rstrip(".")
    raise UserError(
        f"fuse runs the model once on shapes, and it failed on {sizes[0]}: {said}; give the "
        f"shape that it takes, fuse(model, input_size=(1, {channels}, …)), or, if that is not one "
        f"tensor, {_parts(model)}."
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


def _same(model: nn.Module, fused: nn.Module, sizes: list[tuple[int, ...]]) -> bool:
    """Whether copies of both give the same on noise; True where the model cannot run."""
    values = [*model.parameters(), *model.buffers()]
    kind = next((v.dtype for v in values if v.is_floating_point()), torch.float32)
    device = values[0].device if values else torch.device("cpu")
    for size in sizes if device.type != "meta" else ():
        x = torch.randn(size, generator=torch.Generator().manual_seed(0)).to(device, kind)
        try:
            before = _outputs(model, x)
        except Exception:  # too small, or of a type that this device cannot compute with
            continue
        try:
            after = _outputs(fused, x)
        except Exception:
            return False
        return len(before) == len(after) and all(map(_close, before, after))
    return True


def _runs_on_shapes(fused: nn.Module, size: tuple[int, ...]) -> bool:
    try:
        _run(deepcopy(fused), size)
    except Exception:
        return False
    return True


def _outputs(model: nn.Module, x: Tensor) -> list[Tensor]:
    """What a copy of the model, in eval mode, makes of x; random layers draw the same each time."""
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.no_grad():
        torch.manual_seed(0)
        return _tensors(deepcopy(model).eval()(x.clone()))


def _close(before: Tensor, after: Tensor) -> bool:
    if before.shape != after.shape or not before.is_floating_point():
        return before.shape == after.shape and torch.equal(before, after)
    if not before.isfinite().all():  # a network that explodes shows nothing
        return True
    eps = torch.finfo(before.dtype).eps
    if before.is_cuda:  # convolutions there keep 10 bits of a float32
        eps = max(eps, 2**-10)
    most = before.abs().max() if before.numel() else 0
    return bool(((after - before).abs() <= eps**0.5 * most).all())
