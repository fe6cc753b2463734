"""Chapter 02, exercises 02.probe and 02.effective: ask a network itself what a unit sees."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor, nn

from lightcourse.checks.exercise import Case, Law

Box = tuple[tuple[int, int], tuple[int, int]]
NAN = float("nan")
TRAP = "a trap for gradients: "  # cases that a probe by gradients or by small changes gets wrong


class Beside(nn.Module):
    """Channel groups that go different ways: (N, 2, H, W) -> (N, 2, H, W)."""

    def __init__(self, first: nn.Module, second: nn.Module):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.first(x[:, :1]), self.second(x[:, 1:])], 1)


class Crossed(Beside):
    """The same, with the two results in the other order."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flip(1)


def _conv(channels: int, kernel: int | tuple[int, int], padding: int = 0, **more) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, padding=padding, **more)


def _ready(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers).double().eval()


def _dead(channels: int) -> nn.Conv2d:
    """A 3×3 layer whose outputs are so negative that the ReLU after it is always zero."""
    layer = _conv(channels, 3, 1)
    nn.init.constant_(layer.bias, -1e3)  # pyright: ignore[reportArgumentType]
    return layer


def _silent(channels: int) -> nn.Conv2d:
    """A 3×3 layer whose weights start at zero, as the last layer of a residual branch often"
    " does."""
    layer = _conv(channels, 3, 1)
    nn.init.zeros_(layer.weight)
    return layer


def _mirror() -> nn.Conv2d:
    """A 1×1 layer that turns the sign, so that the ReLU after it stops +inf but no NaN."""
    layer = _conv(1, 1, bias=False)
    nn.init.constant_(layer.weight, -1.0)
    return layer


def cases(rng: Random) -> Iterator[Case]:
    yield _case(_ready(_conv(1, 3, 1)), (1, 7, 9), (3, 4), "one 3×3 layer")
    yield _case(_ready(_conv(1, (1, 5))), (1, 7, 9), (3, 2), "a kernel 1 high and 5 wide")
    yield _case(_ready(_conv(1, 3, 1)), (1, 7, 9), (0, 8), "a corner: cut by the picture's edge")
    yield _case(_ready(_conv(1, 3, 1, stride=2)), (1, 11, 13), (3, 2), "stride 2")
    beside = Beside(nn.Identity(), _conv(1, 5, 2))
    yield _case(_ready(beside), (2, 9, 9), (4, 3), "channel 1 sees more than channel 0")
    beside = Beside(_conv(1, 5, 2), nn.Identity())
    yield _case(_ready(beside), (2, 9, 9), (4, 3), "channel 0 sees more than channel 1")
    crossed = Crossed(_conv(1, 5, 2), nn.Identity())
    yield _case(_ready(crossed), (2, 9, 9), (4, 3), "channel 0 comes out as channel 1")
    pool = nn.MaxPool2d(3, 2, 1)
    yield _case(_ready(pool, _conv(1, 3, 1)), (1, 12, 14), (2, 4), TRAP + "max pooling")
    net = _ready(_dead(1), nn.ReLU(), _conv(1, 3, 1))
    yield _case(net, (1, 9, 10), (4, 5), TRAP + "a dead ReLU")
    net = _ready(_mirror(), nn.ReLU(), _conv(1, 3, 1))
    yield _case(net, (1, 9, 10), (4, 5), TRAP + "a weight of -1 before a ReLU")
    yield _case(_ready(_silent(2), _conv(2, 3, 1)), (2, 9, 8), (4, 5), TRAP + "weights of zero")
    for _ in range(4):
        net = _random_net(rng)
        with torch.no_grad():
            height, width = net(torch.zeros(1, 2, 20, 23, dtype=torch.float64)).shape[2:]
        yield _case(net, (2, 20, 23), (rng.randrange(height), rng.randrange(width)))


def _case(net: nn.Module, shape: tuple, unit: tuple, label: str = "") -> Case:
    return Case((net, shape, unit), label=label)


def _random_net(rng: Random) -> nn.Module:
    layers: list[nn.Module] = []
    for number in range(rng.randint(1, 3)):
        # small enough that a map is left after three layers
        kernel = (rng.choice((1, 2, 3, 5) if number == 0 else (1, 2, 3)), rng.choice((1, 2, 3)))
        stride = rng.choice(((1, 1), (2, 1), (1, 2)))
        # more padding than half a kernel would make units that see no pixel at all
        padding = rng.randint(0, min(kernel) // 2)
        layers.append(nn.Conv2d(2, 2, kernel, stride, padding, groups=rng.choice((1, 2))))
    return _ready(*layers)


def by_gradient_of_a_twin(net: nn.Module, shape: tuple, unit: tuple) -> Box:
    """Gradients through a copy in which they cannot vanish: weights of one, no ReLU, mean pooling.

    The copy has the same connections, so the same pixels count; no NaN in here.
    """
    twin = copy.deepcopy(net)
    for module in twin.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.MaxPool2d):
                setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
    image = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(twin(image)[0, :, unit[0], unit[1]].sum(), image)
    touched = gradient[0].abs().sum(0) > 0
    return ends(touched.any(1)), ends(touched.any(0))


def ends(seen: Tensor) -> tuple[int, int]:
    places = seen.nonzero().flatten()
    return int(places[0]), int(places[-1])


def _no_values_matter(probe: Callable, rng: Random) -> str | None:
    net = _random_net(rng)
    before = probe(net, (2, 20, 23), (0, 0))
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    after = probe(net, (2, 20, 23), (0, 0))
    if before != after:
        return f"The field hangs on the layers, not on the weights: {before} became {after}."
    return None


def show(case: Case) -> str:
    net, shape, unit = case.args
    return f"probe({_short(net)}, {shape}, {unit})"


def _short(net: nn.Module) -> str:
    """A net in one line: what each layer is, and the numbers that matter for its field."""
    if isinstance(net, nn.Sequential):
        return " → ".join(map(_short, net))
    if isinstance(net, Beside):
        return f"[{_short(net.first)} | {_short(net.second)}]"
    if isinstance(net, nn.Conv2d):
        size = "×".join(map(str, net.kernel_size))
        stride = f" stride {net.stride[0]}" if net.stride[0] > 1 else ""
        return f"conv {size}{stride} padding {net.padding[0]}"
    if isinstance(net, nn.MaxPool2d):
        return f"max pool {net.kernel_size} stride {net.stride} padding {net.padding}"
    return type(net).__name__


LAWS = (Law("weights do not change the field", _no_values_matter, hint=2),)
