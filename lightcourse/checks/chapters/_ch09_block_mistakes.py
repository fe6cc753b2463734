"""Exercise 09.block: known mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from lightcourse.checks.chapters._ch09_block import by_functions, oracle
from lightcourse.checks.chapters._ch09_parts import Answer, Part, without_bias
from lightcourse.checks.exercise import Mistake, Outcome

Parts = list[Part]


def _parts(test: Callable[[Parts, Parts], bool]) -> Callable[[Outcome], bool]:
    """A test of the layers that ran against the right ones."""
    return lambda outcome: test(without_bias(outcome.got.parts), list(outcome.want.parts))


def _kinds(parts: Parts) -> list[str]:
    return [part.kind for part in parts]


def _convs(parts: Parts) -> Parts:
    return [part for part in parts if part.kind == "conv"]


def _pointwise_first(got: Parts, want: Parts) -> bool:
    kernels = [part.kernel for part in _convs(got)]
    return kernels == [(1, 1), (3, 3)]


def _dense_first(got: Parts, want: Parts) -> bool:
    first = got[0]
    return first.groups == 1 and first.kernel == (3, 3) and want[0].inputs > 1


def _changes_channels(outcome: Outcome) -> bool:
    """The depthwise layer makes n maps, or cannot be built to make them."""
    c, n, *_ = outcome.case.args
    if outcome.error is not None:
        return "out_channels must be divisible by groups" in str(outcome.error)
    first = outcome.got.parts[0]
    return n != c and first.groups > 1 and first.outputs == n


def _no_norms(got: Parts, want: Parts) -> bool:
    return _kinds(got) == ["conv", "conv"]


def _one_norm(got: Parts, want: Parts) -> bool:
    return sorted(_kinds(got)) == ["conv", "conv", "norm"]


def _one_stride(got: Parts, want: Parts) -> bool:
    return all(part.stride == (1, 1) for part in got) and want[0].stride == (2, 2)


def _stride_twice(got: Parts, want: Parts) -> bool:
    return [part.stride for part in _convs(got)] == [want[0].stride] * 2 != [(1, 1)] * 2


def _stride_late(got: Parts, want: Parts) -> bool:
    strides = [part.stride for part in _convs(got)]
    return strides == [(1, 1), want[0].stride] and want[0].stride == (2, 2)


def _no_padding(got: Parts, want: Parts) -> bool:
    sizes = [part.size for part in _convs(got)]
    stride = want[0].stride
    same = [replace(part, size=(0, 0)) for part in got]
    smaller = sizes[0] < want[0].size or (stride == (2, 2) and sizes[0] <= want[0].size)
    return smaller and same == [replace(part, size=(0, 0)) for part in want]


def _large_pointwise(got: Parts, want: Parts) -> bool:
    return [part.kernel for part in _convs(got)] == [(3, 3), (3, 3)]


def _norm_sizes(outcome: Outcome) -> bool:
    said = str(outcome.error)
    return "running_mean" in said or "running_var" in said or "weight should contain" in said


def _unregistered(outcome: Outcome) -> bool:
    """`.double()` did not reach the layers: the module does not know them."""
    said = str(outcome.error).lower()
    return outcome.error is not None and "double" in said and "float" in said


def _norm_settings(got: Parts, want: Parts) -> bool:
    full = [replace(part, lacks="") for part in got]
    return full != got and full == want


def _biased(outcome: Outcome) -> bool:
    """Everything is right, but convolutions have biases."""
    got, want = outcome.got, outcome.want
    extra = sum(part.outputs for part in got.parts if part.kind == "conv" and part.bias)
    found = outcome.difference
    only = found is not None and found.text.startswith("it has")
    return only and got.parameters - want.parameters == extra > 0


def _too_many(outcome: Outcome) -> bool:
    found = outcome.difference
    only = found is not None and found.text.startswith("it has")
    return only and outcome.got.parameters > outcome.want.parameters


def _input_added(c: int, n: int, stride: int, seed: int, x: Tensor) -> Answer:
    right = oracle(c, n, stride, seed, x)
    return replace(right, output=right.output + x) if right.output.shape == x.shape else right


_ORDER = ("depthwise", "norm1", "relu", "pointwise", "norm2", "relu")

MISTAKES = (
    Mistake(
        "pointwise-first",
        "Your 1×1 convolution runs before the 3×3. In MobileNet the order is depthwise, then"
        " pointwise: filter each channel, then mix. (The block that expands first is MobileNetV2's,"
        " chapter 11.)",
        matches=_parts(_pointwise_first),
        hint=1,
    ),
    Mistake(
        "depthwise-changes-channels",
        "Your depthwise layer goes to out_channels. It keeps the number of channels; the pointwise"
        " layer changes it.",
        matches=_changes_channels,
        hint=2,
    ),
    Mistake(
        "groups-forgotten",
        "Your 3×3 layer is an ordinary convolution: each filter reads all channels. With as many"
        " groups as channels each filter reads one.",
        matches=_parts(_dense_first),
        hint=2,
    ),
    Mistake(
        "pointwise-large",
        "Your second convolution has 3×3 kernels. Pointwise means 1×1.",
        matches=_parts(_large_pointwise),
        hint=2,
    ),
    Mistake(
        "norms-forgotten",
        "No batch norm runs. Each of the two convolutions has one behind it.",
        matches=_parts(_no_norms),
        hint=1,
    ),
    Mistake(
        "norm-forgotten",
        "Only one batch norm runs. There are two, one behind each convolution.",
        matches=_parts(_one_norm),
        hint=1,
    ),
    Mistake(
        "norm-size",
        "A batch norm has another number of channels than the map that reaches it. The depthwise"
        " layer makes in_channels maps, the pointwise layer out_channels.",
        matches=_norm_sizes,
        hint=2,
    ),
    Mistake(
        "norm-settings",
        "A batch norm has no parameters, or no running mean and variance. Write"
        " `nn.BatchNorm2d(channels)`, without `affine=False` or `track_running_stats=False`.",
        matches=_parts(_norm_settings),
        hint=2,
    ),
    Mistake(
        "not-registered",
        "The layers are not registered: the module does not know them, so it has nothing to train."
        " Use `nn.Sequential` or `nn.ModuleList`, not a plain Python list.",
        matches=_unregistered,
        hint=1,
    ),
    Mistake(
        "stride-twice",
        "Both convolutions take the stride, so the map shrinks twice. Only the depthwise one does.",
        matches=_parts(_stride_twice),
        hint=2,
    ),
    Mistake(
        "stride-in-pointwise",
        "The stride stands in the 1×1 layer. Then the depthwise layer computes places that nobody"
        " reads. It belongs to the depthwise layer.",
        matches=_parts(_stride_late),
        hint=2,
    ),
    Mistake(
        "stride-forgotten",
        "The stride is not used: with stride 2 the map stays as large as it was.",
        matches=_parts(_one_stride),
        hint=2,
    ),
    Mistake(
        "padding-forgotten",
        "Your 3×3 layer has no padding, so the map shrinks at its rim. With padding 1 it keeps its"
        " size at stride 1.",
        matches=_parts(_no_padding),
        hint=2,
    ),
    Mistake(
        "first-relu-forgotten",
        "There is no ReLU between the two halves. Figure 3 of the paper has batch norm *and* ReLU"
        " after the depthwise layer too.",
        mimic=by_functions(("depthwise", "norm1", "pointwise", "norm2", "relu")),
        hint=3,
    ),
    Mistake(
        "last-relu-forgotten",
        "The last ReLU is missing. (A block without it is the linear bottleneck of MobileNetV2.)",
        mimic=by_functions(_ORDER[:-1]),
        hint=3,
    ),
    Mistake(
        "relus-forgotten",
        "Both ReLUs are missing, so the block is linear.",
        mimic=by_functions(("depthwise", "norm1", "pointwise", "norm2")),
        hint=3,
    ),
    Mistake(
        "relu-before-norm",
        "Your ReLU comes before the batch norm. The order is convolution, norm, ReLU.",
        mimic=by_functions(("depthwise", "relu", "norm1", "pointwise", "relu", "norm2")),
        hint=3,
    ),
    Mistake(
        "relu6-not-relu",
        "You use ReLU6. The authors' later code does too, but figure 3 of the paper has ReLU.",
        mimic=by_functions(("depthwise", "norm1", "relu6", "pointwise", "norm2", "relu6")),
        hint=3,
    ),
    Mistake(
        "input-added",
        "You add the input to the output where their shapes agree. That is a residual connection;"
        " this block has none. (MobileNetV2 has one, chapter 11.)",
        mimic=_input_added,
        hint=3,
    ),
    Mistake(
        "bias-kept",
        "Everything is right but one thing: a convolution has a bias that does nothing, because the"
        " batch norm after it subtracts the mean. Leave it out with `bias=False`.",
        matches=_biased,
        hint=2,
    ),
    Mistake(
        "parts-too-many",
        "The output is right, but the block has more parameters than its four layers need. Is there"
        " a layer in `__init__` that `forward` never uses?",
        matches=_too_many,
        hint=1,
    ),
)
