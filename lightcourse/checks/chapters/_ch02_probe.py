"""Chapter 02, exercises 02.probe and 02.effective: ask a network itself what a unit sees."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor, nn

from lightcourse.checks.exercise import Case, Hint, Law, Mistake, Outcome

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
    return _ends(touched.any(1)), _ends(touched.any(0))


def _ends(seen: Tensor) -> tuple[int, int]:
    places = seen.nonzero().flatten()
    return int(places[0]), int(places[-1])


def _poison(
    net: nn.Module,
    shape: tuple,
    unit: tuple,
    channels: slice = slice(None),
    read: Callable[[Tensor, tuple], Tensor] = lambda out, unit: out[:, :, unit[0], unit[1]],
) -> Box:
    """A NaN probe with two places to go wrong: the channels poisoned, and what is read."""
    found = []
    for axis, length in ((2, shape[1]), (3, shape[2])):
        images = torch.zeros(length, *shape, dtype=torch.float64)
        for i in range(length):
            images[i, channels].select(axis - 1, i).fill_(NAN)
        with torch.no_grad():
            seen = read(net(images), unit).isnan().flatten(1).any(1)
        found.append(_ends(seen))
    return found[0], found[1]


def _the_reverse(net: nn.Module, shape: tuple, unit: tuple) -> Box:
    """Poison one pixel and look where it shows: the question the other way round."""
    image = torch.zeros(1, *shape, dtype=torch.float64)
    image[0, :, unit[0], unit[1]] = NAN
    with torch.no_grad():
        touched = net(image)[0].isnan().any(0)
    return _ends(touched.any(1)), _ends(touched.any(0))


def _fooled_by_values(outcome: Outcome) -> bool:
    """Only the traps fail, with too small a box or with no pixel at all."""
    if not outcome.case.label.startswith(TRAP):
        return False
    if outcome.error is not None or outcome.got is None:
        return True
    pairs = zip(outcome.want, outcome.got, strict=True)
    # an empty box says that no pixel was found
    return all(c > d or (a <= c and d <= b) for (a, b), (c, d) in pairs)


def _sizes(outcome: Outcome) -> bool:
    (top, bottom), (left, right) = outcome.want
    return tuple(outcome.got) == (bottom - top + 1, right - left + 1)


def _end_excluded(outcome: Outcome) -> bool:
    (top, bottom), (left, right) = outcome.want
    return tuple(map(tuple, outcome.got)) == ((top, bottom + 1), (left, right + 1))


def _mask(outcome: Outcome) -> bool:
    return isinstance(outcome.got, Tensor)


MISTAKES = (
    Mistake(
        "fooled-by-values",
        "Your probe asks whether the unit changes now, with these weights and this picture. A dead"
        " ReLU, the loser of a max pool or a weight of zero hides a pixel from it, though other"
        " weights or another picture would let it through. NaN passes all three.",
        matches=_fooled_by_values,
        hint=2,
    ),
    Mistake(
        "rows-and-columns-swapped",
        "Rows and columns have changed places in your answer: ((top, bottom), (left, right)).",
        mimic=lambda net, shape, unit: _poison(net, shape, unit)[::-1],
        hint=3,
    ),
    Mistake(
        "unit-swapped",
        "You read the unit as (column, row). A tensor is indexed [image, channel, row, column].",
        mimic=lambda net, shape, unit: _poison(net, shape, unit[::-1]),
        hint=3,
    ),
    Mistake(
        "one-channel-poisoned",
        "You poison channel 0 only. A pixel has a value in every channel, and some of them may go"
        " another way.",
        mimic=lambda net, shape, unit: _poison(net, shape, unit, slice(0, 1)),
        hint=4,
    ),
    Mistake(
        "one-channel-read",
        "You read channel 0 of the output only. A unit is one place with all its channels.",
        mimic=lambda net, shape, unit: _poison(
            net, shape, unit, read=lambda out, unit: out[:, :1, unit[0], unit[1]]
        ),
        hint=4,
    ),
    Mistake(
        "anywhere-in-the-map",
        "You look for a NaN anywhere in the output. Look at the unit alone.",
        mimic=lambda net, shape, unit: _poison(net, shape, unit, read=lambda out, unit: out),
        hint=1,
    ),
    Mistake(
        "the-other-question",
        "You poison one pixel and report which units it reaches. The question is the other way"
        " round: which pixels reach this unit?",
        mimic=_the_reverse,
        hint=1,
    ),
    Mistake(
        "size-not-place",
        "You return how large the field is. Return where it is: first and last row, first and last"
        " column.",
        matches=_sizes,
        hint=3,
    ),
    Mistake(
        "end-excluded",
        "Your last row and column are one too large. They are included in the answer, unlike in a"
        " slice.",
        matches=_end_excluded,
        hint=3,
    ),
    Mistake(
        "mask-not-box",
        "You return a tensor of places. Take the first and the last of them, as plain ints.",
        matches=_mask,
        hint=3,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "One row at a time. Make a picture of zeros, put NaN into one row, run the net, and look at"
        " the unit. Is it NaN? Then this row is in its receptive field. Now do all rows, then all"
        " columns.",
    ),
    Hint(
        "I use gradients, and some cases fail",
        "A gradient is zero behind a dead ReLU, at the losers of a max pool, and behind a weight of"
        " zero. The pixel could still matter. NaN times zero is NaN, max(NaN, 5) is NaN and"
        " relu(NaN) is NaN, so a NaN cannot get lost.",
    ),
    Hint(
        "my numbers are right but the answer is refused",
        "The answer is two pairs of ints: rows first, then columns, first and last place each."
        " `seen.nonzero()` gives the places where `seen` is true; `int(...)` takes a number out of"
        " a tensor.",
    ),
    Hint(
        "I get too small a box when there are two channels",
        "Poison the row in all channels: `images[i, :, i, :]`. Read all channels of the unit:"
        " `out[:, :, row, column]`, and ask with `.isnan().any(1)` whether any of them is NaN.",
    ),
    Hint(
        "it works, but it is slow",
        "A batch is a stack of pictures. Make one batch with as many pictures as there are rows,"
        " and poison row i in picture i. Then the net runs once for all rows.",
    ),
)


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
