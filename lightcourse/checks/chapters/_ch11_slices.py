"""Exercise 11.slices: a block's branch in slices of its wide channels, and the memory it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lightcourse.checks.compare import Compare
from lightcourse.checks.exercise import Case, Hint

compare = Compare(rtol=1e-6, atol=1e-7)


class Alive(TorchDispatchMode):
    """Adds up the numbers in all tensors that are made within and not yet forgotten."""

    def __init__(self, given: Sequence[Tensor]) -> None:
        super().__init__()
        self.known = {t.untyped_storage()._cdata: None for t in given}
        self.refs: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0
        self.maps: set[tuple[int, ...]] = set()  # shapes of all with four dimensions

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        self.refs = {k: pair for k, pair in self.refs.items() if not pair[0].expired()}
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                if tensor.dim() == 4:
                    self.maps.add(tuple(tensor.shape))
                storage = tensor.untyped_storage()
                if storage._cdata not in self.known:
                    size = storage.nbytes() // tensor.element_size()
                    self.refs[storage._cdata] = StorageWeakRef(storage), size
        self.peak = max(self.peak, sum(size for _, size in self.refs.values()))
        return made


def cases(rng: Random) -> Iterator[Case]:
    yield _case(rng, (3, 12, 2), 1, (1, 5, 4), 3, "12 wide channels in 3 slices")
    yield _case(rng, (3, 12, 2), 1, (1, 5, 4), 1, "one slice: all at once")
    yield _case(rng, (4, 24, 4), 2, (2, 7, 6), 4, "stride 2, a batch of 2")
    yield _case(rng, (3, 14, 5), 1, (1, 4, 6), 4, "14 channels in 4 slices: not all alike")
    yield _case(rng, (4, 9, 4), 1, (2, 5, 5), 3, "as many channels out as in")
    wide = rng.randint(10, 30)
    yield _case(rng, (rng.randint(2, 5), wide, rng.randint(2, 5)), rng.randint(1, 2),
                (rng.randint(1, 2), 5, 6), rng.randint(2, 5), "random sizes")  # fmt: skip


def _case(
    rng: Random, channels: tuple[int, int, int], stride: int, batch: tuple[int, int, int],
    slices: int, label: str,
) -> Case:  # fmt: skip
    """An input and three layers, biases as if norms were folded in; some values pass 6."""
    c, m, n = channels
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    layers = (
        nn.Conv2d(c, m, 1), nn.Conv2d(m, m, 3, stride, 1, groups=m), nn.Conv2d(m, n, 1),
    )  # fmt: skip
    for layer in layers:
        layer.double().requires_grad_(False)
        for p in layer.parameters():
            p.copy_((2 if p.dim() > 1 else 1) * draw(*p.shape))
    return Case((draw(batch[0], c, *batch[1:]), *layers, slices), {}, label)


def show(case: Case) -> str:
    x, expand, depthwise, project, slices = case.args
    widths = f"{x.shape[1]} → {expand.out_channels} → {project.out_channels} channels"
    return (
        f"in_slices(x, expand, depthwise, project, {slices})  with x of shape {tuple(x.shape)},"
        f" {widths}, stride {depthwise.stride[0]}"
    )


def call(function: Any, case: Case) -> Any:
    with torch.no_grad():
        return function(*case.args)


Act = Callable[[Tensor], Tensor]


def by_sum(
    acts: tuple[Act, Act] = (F.relu6, F.relu6),
    part: Act = lambda y: y,
    end: Act = lambda y: y,
    biases: Callable[[int], float] = lambda count: 1,
    slices: Callable[[int, int], Sequence[range]] | None = None,
    strides: bool = True,
    inner: tuple[bool, bool] = (True, True),
    shortcut: bool = False,
) -> Callable[..., Tensor]:
    """The sliced sum, perhaps with a quirk.

    `biases` is how often the last bias is added, `inner` whether the first two are.
    """

    def answer(
        x: Tensor, expand: nn.Conv2d, depthwise: nn.Conv2d, project: nn.Conv2d, count: int
    ) -> Tensor:
        groups = (slices or even)(expand.out_channels, count)
        total: Any = 0
        for channels in groups:
            i = slice(channels.start, channels.stop)
            y = acts[0](F.conv2d(x, expand.weight[i], _bias(expand)[i] if inner[0] else None))
            step = depthwise.stride if strides else 1
            weight, bias = depthwise.weight[i], _bias(depthwise)[i] if inner[1] else None
            y = acts[1](F.conv2d(y, weight, bias, step, 1, groups=len(channels)))
            total = total + part(F.conv2d(y, project.weight[:, i]))
        total = end(total + biases(len(groups)) * _bias(project).view(1, -1, 1, 1))
        return total + x if shortcut and total.shape == x.shape else total

    return answer


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def even(m: int, slices: int) -> list[range]:
    """Slices of m / slices channels, rounded up; the last may have fewer."""
    width = -(-m // slices)
    return [range(i, min(i + width, m)) for i in range(0, m, width)]


def cut(m: int, slices: int) -> list[range]:
    """Slices of m // slices channels, and what is left over forgotten."""
    width = m // slices
    return [range(i * width, (i + 1) * width) for i in range(slices)]


oracle = by_sum()


def whole(x: Tensor, expand: nn.Conv2d, depthwise: nn.Conv2d, project: nn.Conv2d) -> Tensor:
    """The branch as three layers, for comparison."""
    return project(F.relu6(depthwise(F.relu6(expand(x)))))


def watched(function: Any, args: Sequence[Any]) -> Alive:
    """A run under watch: what was alive at the worst moment, without what is given, and maps."""
    x, *layers, slices = args
    given = [x, *(p for layer in layers for p in layer.parameters())]
    with torch.no_grad(), Alive(given) as watch:
        function(x, *layers, slices)
    return watch


C, N, SIDE = 4, 4, 12
LARGE = ((96, 16), (94, 16), (90, 7))  # wide channels and slices: dividing, and not


def _runs(function: Any, rng: Random) -> Iterator[tuple[int, int, int, int, int]]:
    """For each large case: wide channels, slices, most channels of one, widest, most alive."""
    for m, slices in LARGE:
        watch = watched(function, _case(rng, (C, m, N), 1, (1, SIDE, SIDE), slices, "").args)
        # the channels of a map; a layout with the channels in front is a map as well
        widths = [
            max(shape[:2])
            for shape in watch.maps
            if min(shape[:2]) == 1 and shape[2:] == (SIDE, SIDE)
        ]
        yield m, slices, -(-m // slices), max(widths, default=0), watch.peak


def never_whole(function: Any, rng: Random) -> str | None:
    """Neither in one piece, nor in pieces that all wait at the same time."""
    for m, slices, width, widest, peak in _runs(function, rng):
        whole = m * SIDE * SIDE
        if widest >= m or (peak >= whole and widest <= width):
            return (
                f"The values are right, but the wide map was whole: with {m} wide channels in"
                f" {slices} slices {peak:,} numbers were alive at one moment, and the wide map has"
                f" {whole:,}. Expand, filter and project one slice, then forget it."
            )
    return None


def small_slices(function: Any, rng: Random) -> str | None:
    """No slice has more channels than m / slices, rounded up."""
    for m, slices, width, widest, _ in _runs(function, rng):
        if widest > width:
            also = " `slices` says how many there are, not how large." if widest == slices else ""
            return (
                f"The values are right, but a slice is too large. {m} wide channels in {slices}"
                f" slices: none has more than {m} / {slices}, rounded up, which is {width}. Your"
                f" largest has {widest}.{also}"
            )
    return None


def no_pile(function: Any, rng: Random) -> str | None:
    """The slices go into one total; none of them is kept."""
    for m, slices, width, _, peak in _runs(function, rng):
        # generous: three copies of both maps of a slice, and five of the output
        plenty = (6 * width + 5 * N) * SIDE * SIDE + 2 * width * (C + N + 12)
        if peak > plenty:
            return (
                f"The values are right, but with {m} wide channels in {slices} slices {peak:,}"
                f" numbers were alive at one moment, where {plenty:,} are plenty for one slice and"
                " the total. Add each slice to one running total at once; collect nothing."
            )
    return None


HINTS = (
    Hint(
        "I do not know where to begin",
        "Which weights does one slice need? If i holds the numbers of its channels: of the"
        " expansion the filters `expand.weight[i]` with `expand.bias[i]`, of the depthwise layer"
        " the same, and of the projection the *columns* `project.weight[:, i]`. F.conv2d takes"
        " weights by hand.",
    ),
    Hint(
        "RuntimeError: Given groups=… weight of size… expected input… to have … channels",
        "In a slice of k channels the depthwise convolution has `groups=k`. Its stride and its"
        " padding are `depthwise.stride` and `depthwise.padding`.",
    ),
    Hint(
        "My shape is right, my values are wrong",
        "ReLU6 works on each wide channel by itself, so it can be taken slice by slice. The last"
        " layer is a sum over wide channels: sum the slices. Its bias is added once, at the end,"
        " and no ReLU6 follows.",
    ),
    Hint(
        "My values are right, too many numbers are alive, or a slice is too large",
        "Within the loop make the expansion of *this* slice only, filter it, project it, add it to"
        " one running total. Make no list of slices, and no wide map to be cut up later.",
    ),
    Hint(
        "The number of slices does not divide the channels",
        "`slices` is how many there are, not how large they are. `torch.arange(m).chunk(slices)`"
        " gives the numbers in slices of m / slices, rounded up; the"
        " last is shorter.",
    ),
)
