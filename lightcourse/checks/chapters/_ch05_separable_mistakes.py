"""Exercise 05.separable: known mistakes and hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from lightcourse.checks.chapters._ch05_separable import Answer, Layer, run, sizes, wrap
from lightcourse.checks.exercise import Hint, Mistake, Outcome


def _steps(*steps: str) -> Callable[..., Answer]:
    def wrong(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
        return wrap(state, stride, run(state, stride, x, steps=steps))

    return wrong


def _padded(pad: Any) -> Callable[..., Answer]:
    def wrong(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
        return wrap(state, stride, run(state, stride, x, pad=pad))

    return wrong


def _one_stride(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, 1, run(state, 1, x))


def _stride_twice(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, stride, run(state, stride, x)[:, :, ::stride, ::stride])


def _stride_in_pointwise(state: dict[str, Tensor], stride: int, x: Tensor) -> Answer:
    return wrap(state, 1, run(state, 1, x)[:, :, ::stride, ::stride])


def _shape(outcome: Outcome, name: str) -> tuple[int, ...] | None:
    return outcome.got.shapes[f"{name}.weight"] if isinstance(outcome.got, Answer) else None


def _dense_depthwise(outcome: Outcome) -> bool:
    c, _, k, _ = sizes(outcome.case)
    return _shape(outcome, "depthwise") == (c, c, k, k) and c > 1


def _depthwise_to_n(outcome: Outcome) -> bool:
    """The depthwise layer makes out_channels maps, or cannot be built to make them."""
    c, n, k, _ = sizes(outcome.case)
    if outcome.error is not None:
        return "out_channels must be divisible by groups" in str(outcome.error)
    return _shape(outcome, "depthwise") in ((n, 1, k, k), (n, c, k, k)) and n != c


def _pointwise_first(outcome: Outcome) -> bool:
    c, n, k, _ = sizes(outcome.case)
    swapped = _shape(outcome, "depthwise") == (n, 1, k, k) and _shape(outcome, "norm1") == (n,)
    return swapped and _shape(outcome, "pointwise") == (n, c, 1, 1)


def _pointwise_large(outcome: Outcome) -> bool:
    c, n, k, _ = sizes(outcome.case)
    return _shape(outcome, "pointwise") == (n, c, k, k) and k > 1


def _pointwise_grouped(outcome: Outcome) -> bool:
    _, n, _, _ = sizes(outcome.case)
    found = _shape(outcome, "pointwise")
    return found == (n, 1, 1, 1) or "divisible by groups" in str(outcome.error)


def _norm_size(outcome: Outcome) -> bool:
    c, n, _, _ = sizes(outcome.case)
    return _shape(outcome, "norm1") == (n,) or _shape(outcome, "norm2") == (c,)


def _with_bias(outcome: Outcome) -> bool:
    c, n, _, _ = sizes(outcome.case)
    if not isinstance(outcome.got, Answer) or outcome.got.output is None:
        return False
    extra = outcome.got.parameters - outcome.want.parameters
    return extra in (c, n, c + n) and "parameters" in str(outcome.difference)


def _layer_fed(outcome: Outcome) -> bool:
    """A layer was handed to the next convolution as if it were a tensor."""
    return isinstance(outcome.error, TypeError) and "ReLU" in str(outcome.error)


def _name_missing(outcome: Outcome) -> bool:
    names = ("depthwise", "norm1", "pointwise", "norm2")
    said = str(outcome.error)
    return isinstance(outcome.error, AttributeError) and any(
        f"has no attribute '{name}'" in said for name in names
    )


MISTAKES = (
    Mistake(
        "relu-is-a-layer",
        "`nn.ReLU(x)` makes a layer and takes x for one of its settings. Call the layer that it"
        " makes, `nn.ReLU()(x)`, or use the function: `torch.relu(x)`.",
        matches=lambda outcome: isinstance(outcome.got, Layer) or _layer_fed(outcome),
        hint=3,
    ),
    Mistake(
        "name-missing",
        "The check looks for the four parts by name: self.depthwise, self.norm1, self.pointwise"
        " and self.norm2. One of them is missing, or has another name.",
        matches=_name_missing,
        hint=1,
    ),
    Mistake(
        "pointwise-first",
        "You run the pointwise layer first. In MobileNet the order is depthwise, then pointwise:"
        " filter each channel, then mix.",
        matches=_pointwise_first,
        hint=1,
    ),
    Mistake(
        "pointwise-first",
        "You run the pointwise layer first. In MobileNet the order is depthwise, then pointwise:"
        " filter each channel, then mix.",
        mimic=_steps("pointwise", "norm1", "relu", "depthwise", "norm2", "relu"),
        hint=1,
    ),
    Mistake(
        "groups-forgotten",
        "Your depthwise layer is an ordinary convolution: its weight has all input channels in the"
        " second axis. With `groups=in_channels` each filter has one.",
        matches=_dense_depthwise,
        hint=2,
    ),
    Mistake(
        "depthwise-changes-channels",
        "Your depthwise layer goes to out_channels. It keeps the number of channels; the pointwise"
        " layer changes it.",
        matches=_depthwise_to_n,
        hint=2,
    ),
    Mistake(
        "pointwise-large",
        "Your pointwise layer has k×k kernels. Pointwise means 1×1, whatever kernel_size is.",
        matches=_pointwise_large,
        hint=2,
    ),
    Mistake(
        "pointwise-grouped",
        "Your pointwise layer has groups too, so no channel ever meets another. Mixing the channels"
        " is all that this layer does: groups=1.",
        matches=_pointwise_grouped,
        hint=2,
    ),
    Mistake(
        "norm-size",
        "A batch norm has one pair of numbers for each channel that comes in: in_channels after the"
        " depthwise layer, out_channels after the pointwise one.",
        matches=_norm_size,
        hint=2,
    ),
    Mistake(
        "first-relu-forgotten",
        "There is no ReLU between the two halves. Figure 3 of the paper has batch norm *and* ReLU"
        " after the depthwise layer too.",
        mimic=_steps("depthwise", "norm1", "pointwise", "norm2", "relu"),
        hint=3,
    ),
    Mistake(
        "last-relu-forgotten",
        "The last ReLU is missing. (A block without it exists: the linear bottleneck of"
        " MobileNetV2.)",
        mimic=_steps("depthwise", "norm1", "relu", "pointwise", "norm2"),
        hint=3,
    ),
    Mistake(
        "relus-forgotten",
        "Both ReLUs are missing. Without them the layer is linear, an ordinary convolution with a"
        " restricted weight.",
        mimic=_steps("depthwise", "norm1", "pointwise", "norm2"),
        hint=3,
    ),
    Mistake(
        "norms-forgotten",
        "The two norms are made but never used. Each comes right after its convolution.",
        mimic=_steps("depthwise", "relu", "pointwise", "relu"),
        hint=3,
    ),
    Mistake(
        "relu-before-norm",
        "You put ReLU before the batch norm. The order is convolution, norm, ReLU.",
        mimic=_steps("depthwise", "relu", "norm1", "pointwise", "relu", "norm2"),
        hint=3,
    ),
    Mistake(
        "relu6-not-relu",
        "You use ReLU6. The authors' code does that too, but the paper's figure 3 has ReLU, and"
        " so has this exercise.",
        mimic=_steps("depthwise", "norm1", "relu6", "pointwise", "norm2", "relu6"),
        hint=3,
    ),
    Mistake(
        "padding-forgotten",
        "Your depthwise layer has no padding, so the map shrinks. At stride 1 it keeps its size.",
        mimic=_padded(lambda k: 0),
        hint=4,
    ),
    Mistake(
        "padding-fixed",
        "Your padding is always 1. That keeps the size for 3×3 only; a kernel of 5 needs 2.",
        mimic=_padded(lambda k: 1),
        hint=4,
    ),
    Mistake(
        "stride-forgotten",
        "The stride is missing: it belongs to the depthwise layer.",
        mimic=_one_stride,
        hint=4,
    ),
    Mistake(
        "stride-twice",
        "Both layers take the stride, so the map shrinks twice. Only the depthwise one does.",
        mimic=_stride_twice,
        hint=4,
    ),
    Mistake(
        "stride-in-pointwise",
        "The stride stands in the pointwise layer. The values are the same, but the depthwise layer"
        " then computes places that nobody reads.",
        mimic=_stride_in_pointwise,
        hint=4,
    ),
    Mistake(
        "bias-kept",
        "Everything is right but one thing: a convolution has a bias that does nothing, because the"
        " batch norm after it subtracts the mean. Leave it out with `bias=False`.",
        matches=_with_bias,
        hint=2,
    ),
)

HINTS = (
    Hint(
        "I do not know where to begin",
        "Make four parts in `__init__` and give them the names of the docstring: an `nn.Conv2d`, an"
        " `nn.BatchNorm2d`, an `nn.Conv2d`, an `nn.BatchNorm2d`. In `forward`, x goes through them"
        " in this order, with a ReLU after each norm.",
    ),
    Hint(
        "A part has the wrong shape, or too many parameters",
        "The depthwise layer: c channels in, c out, groups=c. Its weight is (c, 1, k, k). The"
        " pointwise layer: c in, n out, kernel 1, no groups; its weight is (n, c, 1, 1). Neither"
        " has a bias. The norms have c and n channels.",
    ),
    Hint(
        "My shapes are right, my values are wrong",
        "Go through the six steps: convolution, norm, ReLU, convolution, norm, ReLU. Print the"
        " smallest value after each: it is 0 after a ReLU.",
    ),
    Hint(
        "My output is too large or too small",
        "A kernel of 3 with padding 1 keeps the size, a kernel of 5 with padding 2. So the padding"
        " follows from kernel_size. A stride of 2 halves the map once, in the depthwise layer.",
    ),
)
