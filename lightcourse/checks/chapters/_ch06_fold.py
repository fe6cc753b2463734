"""Exercise 06.fold: cases, oracle, known mistakes, hints."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.checks.exercise import Case, Hint, Mistake, Outcome


def cases(rng: Random) -> Iterator[Case]:
    yield _by_hand()
    yield _random_case(rng, 4, 4, 3, padding=1, label="3×3 convolution without bias")
    yield _random_case(rng, 4, 4, 1, bias=True, label="with a bias of its own")
    yield _random_case(rng, 3, 6, 3, bias=True, eps=0.1, label="a large eps")
    yield _random_case(rng, 6, 6, 3, groups=6, padding=1, label="depthwise")
    yield _random_case(rng, 6, 4, 3, stride=2, padding=1, groups=2, label="two groups, stride 2")
    yield _random_case(rng, 2, 4, 3, padding=2, dilation=2, bias=True, label="dilation 2")
    for _ in range(4):
        groups = rng.choice((1, 2, 3))
        sizes = groups * rng.randint(1, 3), groups * rng.randint(1, 3), rng.choice((1, 3))
        settings = {"groups": groups, "bias": rng.random() < 0.5, "padding": rng.randint(0, 2)}
        yield _random_case(rng, *sizes, eps=rng.choice((1e-3, 0.05)), label="random", **settings)


def _by_hand() -> Case:
    """y = 2 x, then mean 5, variance 3 with eps 1, gamma 6, beta 10: together 6 x - 5."""
    conv = nn.Conv2d(1, 1, 1, bias=False, dtype=torch.float64)
    norm = nn.BatchNorm2d(1, eps=1.0, dtype=torch.float64).eval()
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        for tensor, value in (
            (conv.weight, 2),
            (norm.running_mean, 5),
            (norm.running_var, 3),
            (norm.weight, 6),
            (norm.bias, 10),
        ):
            tensor.fill_(value)
    x = torch.tensor([[[[0.0, 1.0, 2.0]]]], dtype=torch.float64)
    label = "weight 2, no bias; mean 5, variance 3, eps 1, gamma 6, beta 10; x is 0, 1, 2"
    return Case((conv, norm, x), {}, label)


def _random_case(
    rng: Random, c_in: int, c_out: int, k: int, eps: float = 1e-5, label: str = "", **settings: Any
) -> Case:
    generator = torch.Generator().manual_seed(rng.getrandbits(32))

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    settings.setdefault("bias", False)
    conv = nn.Conv2d(c_in, c_out, k, dtype=torch.float64, **settings)
    norm = nn.BatchNorm2d(c_out, eps=eps, dtype=torch.float64).eval()
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        for parameter in (*conv.parameters(), norm.weight, norm.bias):
            parameter.copy_(draw(*parameter.shape))
        norm.running_mean.copy_(draw(c_out))
        norm.running_var.copy_(draw(c_out).square() + 0.05)
    return Case((conv, norm, draw(2, c_in, 6, 7)), {}, label)


def call(fold: Any, case: Case) -> Any:
    """Fold, then run the new layer; something that is no convolution is handed back as it is."""
    conv, norm, x = case.args
    folded = fold(conv, norm)
    if not isinstance(folded, nn.Conv2d):
        return folded
    with torch.no_grad():
        return nn.Module.__call__(folded, x)


@torch.no_grad()
def oracle(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """The two layers one after the other: what the one layer has to equal."""
    return norm(conv(x))


def show(case: Case) -> str:
    """The layer as a person would tell it: only what is not as usual."""
    conv, norm, x = case.args
    usual = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    more = [f"{k}={getattr(conv, k)}" for k, v in usual.items() if getattr(conv, k) != v]
    more += [f"bias={conv.bias is not None}"]
    sizes = f"{conv.in_channels}, {conv.out_channels}, {conv.kernel_size[0]}"
    eps = f", eps={norm.eps:g}" if norm.eps != 1e-5 else ""
    both = f"Conv2d({sizes}, {', '.join(more)}), BatchNorm2d({norm.num_features}{eps})"
    return f"fold({both})(x), x {tuple(x.shape)}"


def _variant(
    root: Callable[[Tensor, float], Tensor] = lambda var, eps: (var + eps).sqrt(),
    shift: Callable[..., Tensor] = lambda b, beta, mean, scale: beta + (b - mean) * scale,
    gamma: bool = True,
    axis: int = 0,
    weight: bool = True,
) -> Callable[..., Tensor]:
    """The folded layer with one step changed."""

    @torch.no_grad()
    def wrong(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
        assert norm.running_mean is not None and norm.running_var is not None
        scale = (norm.weight if gamma else 1) / root(norm.running_var, norm.eps)
        own = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
        bias = shift(own, norm.bias, norm.running_mean, scale)
        w = conv.weight * scale.view(-1, 1, 1, 1).transpose(0, axis) if weight else conv.weight
        changed = copy.deepcopy(conv)
        changed.weight, changed.bias = nn.Parameter(w), nn.Parameter(bias)
        return changed(x)

    return wrong


def _other_size(outcome: Outcome) -> bool:
    return outcome.difference is not None and outcome.difference.kind == "shape"


MISTAKES = (
    Mistake(
        "mean-ignored",
        "The running mean is missing from the new bias. Batch norm subtracts it first, and then"
        " scales: beta + (bias − mean) · scale.",
        mimic=_variant(shift=lambda b, beta, mean, scale: beta + b * scale),
        hint=2,
    ),
    Mistake(
        "conv-bias-lost",
        "The convolution's own bias is lost. Where there is one, it goes through the batch norm"
        " like everything else.",
        mimic=_variant(shift=lambda b, beta, mean, scale: beta - mean * scale),
        hint=2,
    ),
    Mistake(
        "conv-bias-unscaled",
        "You add the convolution's own bias unscaled. Batch norm comes after it, so it is scaled"
        " too: beta + (bias − mean) · scale.",
        mimic=_variant(shift=lambda b, beta, mean, scale: b + beta - mean * scale),
        hint=2,
    ),
    Mistake(
        "mean-unscaled",
        "You subtract the mean without the scale. Batch norm subtracts first and scales after it,"
        " so the mean is scaled too.",
        mimic=_variant(shift=lambda b, beta, mean, scale: beta + b * scale - mean),
        hint=2,
    ),
    Mistake(
        "beta-forgotten",
        "beta is missing from the new bias.",
        mimic=_variant(shift=lambda b, beta, mean, scale: (b - mean) * scale),
        hint=2,
    ),
    Mistake(
        "bias-forgotten",
        "The weights are right, but the new layer has no bias, or a bias of zeros. Without it"
        " neither the mean nor beta can have any effect: make the new convolution with"
        " `bias=True`.",
        mimic=_variant(shift=lambda b, beta, mean, scale: torch.zeros_like(beta)),
        hint=2,
    ),
    Mistake(
        "gamma-forgotten",
        "gamma (`norm.weight`) is missing from the scale.",
        mimic=_variant(gamma=False),
        hint=1,
    ),
    Mistake(
        "eps-forgotten",
        "eps is missing under the root: the scale is gamma / sqrt(var + eps).",
        mimic=_variant(root=lambda var, eps: var.sqrt()),
        hint=1,
    ),
    Mistake(
        "eps-outside",
        "You add eps outside the root: the scale is gamma / sqrt(var + eps).",
        mimic=_variant(root=lambda var, eps: var.sqrt() + eps),
        hint=1,
    ),
    Mistake(
        "root-forgotten",
        "You divide by the variance. Batch norm divides by its root.",
        mimic=_variant(root=lambda var, eps: var + eps),
        hint=1,
    ),
    Mistake(
        "weights-not-scaled",
        "The bias is right, the weights are not scaled.",
        mimic=_variant(weight=False),
        hint=1,
    ),
    Mistake(
        "wrong-axis",
        "You scale along the wrong axis of the weight. Its shape is (out, in / groups, k, k), and"
        " batch norm has one scale for each **output** channel: axis 0.",
        mimic=_variant(axis=1),
        hint=3,
    ),
    Mistake(
        "settings-lost",
        "The new layer gives a picture of another size. It must keep the stride, the padding and"
        " the dilation of the old one.",
        matches=_other_size,
        hint=4,
    ),
    Mistake(
        "groups-lost",
        "The new layer has forgotten the groups: its weight no longer fits the input.",
        matches=lambda outcome: "groups=1, weight of size" in str(outcome.error),
        hint=4,
    ),
    Mistake(
        "bias-is-none",
        "`conv.bias` is None when the convolution was made with `bias=False`, as it mostly is"
        " before a batch norm. Put zeros in its place.",
        matches=lambda outcome: "NoneType" in str(outcome.error),
        hint=5,
    ),
    Mistake(
        "not-one-convolution",
        "Return one new `nn.Conv2d`. Two layers in a row cost as much as before.",
        matches=lambda outcome: isinstance(outcome.got, nn.Module),
        hint=4,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Write down one output channel. The convolution gives y = w∗x + b. Batch norm makes"
        " gamma · (y − mean) / sqrt(var + eps) + beta out of it. Call gamma / sqrt(var + eps) the"
        " scale. Now put y in, and sort: what multiplies x, and what does not?",
    ),
    Hint(
        "My shape is right, my bias is wrong",
        "What does not multiply x is beta + (b − mean) · scale. Try a convolution whose weights"
        " are all 0: what comes out of the two layers then?",
    ),
    Hint(
        "I get RuntimeError about sizes when I scale the weight",
        "The weight has four axes, (out, in / groups, k, k), and the scale one. Turn the scale"
        " into `(out, 1, 1, 1)`: `scale[:, None, None, None]`.",
    ),
    Hint(
        "The new layer gives another size, or complains about groups",
        "Give it everything the old one had: channels, kernel size, stride, padding, dilation and"
        " groups, each from the attribute of `conv` with the same name. The bias alone is new:"
        " `bias=True`. Or start from `copy.deepcopy(conv)`.",
    ),
    Hint(
        "I get TypeError or AttributeError with NoneType",
        "The convolution may have no bias. `torch.zeros_like(norm.running_mean)` is a good bias"
        " then. New parameters are wrapped: `nn.Parameter(…)`.",
    ),
)
