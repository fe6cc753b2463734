"""Copy the weights of another library's network into ours, layer by layer in the order they run."""

import torch
from torch import Tensor, nn


def with_life(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every weight, bias and running statistic a value that matters; returns it in eval.

    Fresh networks hide mistakes: zero biases, unit norms and classifiers near zero.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            if p.dim() > 1:
                fan_in = p[0].numel()
                p.data.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            else:
                low, high = (0.5, 1.5) if name == "weight" else (-0.2, 0.2)
                p.data.uniform_(low, high, generator=generator)
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return model.eval()


def layers_in_order(model: nn.Module, x: Tensor) -> list[nn.Module]:
    """Modules that hold weights or statistics, in the order in which they first run."""
    seen: dict[int, nn.Module] = {}
    hooks = []

    def note(module: nn.Module, _args: tuple) -> None:  # a result would replace the input
        seen.setdefault(id(module), module)

    for module in model.modules():
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        if own:
            hooks.append(module.register_forward_pre_hook(note))
    with torch.no_grad():
        model.eval()(x)
    for hook in hooks:
        hook.remove()
    return list(seen.values())


def transplant(theirs: nn.Module, ours: nn.Module, x: Tensor) -> None:
    """Copy all weights and statistics; raises AssertionError where the two do not line up.

    Both networks must run their layers in the same order. Shapes may differ by size-1 dimensions
    (a linear layer against a 1×1 convolution).
    """
    pairs = list(zip(layers_in_order(theirs, x), layers_in_order(ours, x), strict=True))
    for index, (a, b) in enumerate(pairs):
        state, mine = a.state_dict(), b.state_dict()
        assert [v.numel() for v in state.values()] == [v.numel() for v in mine.values()], (
            f"layer {index}: {a} against {b}"
        )
        values = (v.reshape(w.shape) for v, w in zip(state.values(), mine.values(), strict=True))
        b.load_state_dict(dict(zip(mine, values, strict=True)))
    copied = sum(p.numel() for _, b in pairs for p in b.parameters(recurse=False))
    assert copied == sum(p.numel() for p in ours.parameters()), "some weights never run"


def assert_same_outputs(theirs: nn.Module, ours: nn.Module, x: Tensor, tolerance=1e-4) -> None:
    """Transplant, then compare outputs, relative to their spread."""
    with_life(theirs)
    transplant(theirs, ours.eval(), x)
    with torch.no_grad():
        a, b = theirs(x), ours(x)
    assert a.shape == b.shape
    assert a.std() > 1e-3, "an output without spread proves nothing"
    torch.testing.assert_close(b / a.std(), a / a.std(), rtol=tolerance, atol=tolerance)
