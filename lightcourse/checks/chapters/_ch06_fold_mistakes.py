"""Exercise 06.fold: known mistakes and hints."""

from __future__ import annotations

from torch import nn

from lightcourse.checks.chapters._ch06_fold_variants import (
    bias_not_set,
    gamma_twice,
    groups_lost,
    other_size,
    scale_flat,
    scale_flat_copied,
    variant,
)
from lightcourse.checks.exercise import Hint, Mistake

MISTAKES = (
    Mistake(
        "mean-ignored",
        "The running mean is missing from the new bias. Batch norm subtracts it first, and then"
        " scales: beta + (bias − mean) · scale.",
        mimic=variant(shift=lambda b, beta, mean, scale: beta + b * scale),
        hint=2,
    ),
    Mistake(
        "conv-bias-lost",
        "The convolution's own bias is lost. Where there is one, it goes through the batch norm"
        " like everything else.",
        mimic=variant(shift=lambda b, beta, mean, scale: beta - mean * scale),
        hint=2,
    ),
    Mistake(
        "conv-bias-unscaled",
        "You add the convolution's own bias unscaled. Batch norm comes after it, so it is scaled"
        " too: beta + (bias − mean) · scale.",
        mimic=variant(shift=lambda b, beta, mean, scale: b + beta - mean * scale),
        hint=2,
    ),
    Mistake(
        "mean-unscaled",
        "You subtract the mean without the scale. Batch norm subtracts first and scales after it,"
        " so the mean is scaled too.",
        mimic=variant(shift=lambda b, beta, mean, scale: beta + b * scale - mean),
        hint=2,
    ),
    Mistake(
        "bias-unscaled",
        "You scale nothing in the new bias. Batch norm subtracts the mean first and scales after"
        " it: beta + (bias − mean) · scale.",
        mimic=variant(shift=lambda b, beta, mean, scale: beta + b - mean),
        hint=2,
    ),
    Mistake(
        "mean-added",
        "You add the mean. Batch norm subtracts it: beta + (bias − mean) · scale.",
        mimic=variant(shift=lambda b, beta, mean, scale: beta + (b + mean) * scale),
        hint=2,
    ),
    Mistake(
        "gamma-twice",
        "gamma stands twice in your bias: the scale holds it already.",
        mimic=gamma_twice,
        hint=2,
    ),
    Mistake(
        "bias-not-set",
        "The weights are right, but the new layer keeps the random bias that it was born with."
        " Set `bias` as well.",
        mimic=bias_not_set,
        hint=2,
    ),
    Mistake(
        "beta-forgotten",
        "beta is missing from the new bias.",
        mimic=variant(shift=lambda b, beta, mean, scale: (b - mean) * scale),
        hint=2,
    ),
    Mistake(
        "bias-forgotten",
        "The weights are right, but the new layer has no bias, or a bias of zeros. Without it"
        " neither the mean nor beta can have any effect: make the new convolution with"
        " `bias=True`.",
        mimic=variant(shift=lambda b, beta, mean, scale: 0 * beta),
        hint=2,
    ),
    Mistake(
        "gamma-forgotten",
        "gamma (`norm.weight`) is missing from the scale.",
        mimic=variant(gamma=False),
        hint=1,
    ),
    Mistake(
        "eps-forgotten",
        "eps is missing under the root: the scale is gamma / sqrt(var + eps).",
        mimic=variant(root=lambda var, eps: var.sqrt()),
        hint=1,
    ),
    Mistake(
        "eps-hard-coded",
        "You write eps as a fixed number. Take the layer's own: `norm.eps`.",
        mimic=variant(root=lambda var, eps: (var + 1e-5).sqrt()),
        hint=1,
    ),
    Mistake(
        "eps-outside",
        "You add eps outside the root: the scale is gamma / sqrt(var + eps).",
        mimic=variant(root=lambda var, eps: var.sqrt() + eps),
        hint=1,
    ),
    Mistake(
        "root-forgotten",
        "You divide by the variance. Batch norm divides by its root.",
        mimic=variant(root=lambda var, eps: var + eps),
        hint=1,
    ),
    Mistake(
        "weights-not-scaled",
        "The bias is right, the weights are not scaled.",
        mimic=variant(weight=False),
        hint=1,
    ),
    Mistake(
        "wrong-axis",
        "You scale along the wrong axis of the weight. Its shape is (out, in / groups, k, k), and"
        " batch norm has one scale for each **output** channel: axis 0.",
        mimic=variant(axis=1),
        hint=3,
    ),
    Mistake(
        "scale-flat",
        "You multiply the weight (out, in / groups, k, k) with a scale of the shape (out,). PyTorch"
        " lines shapes up from the right, so the scale meets the columns of the kernel.",
        mimic=scale_flat,
        hint=3,
    ),
    Mistake(
        "scale-flat",
        "You multiply the weight (out, in / groups, k, k) with a scale of the shape (out,). PyTorch"
        " lines shapes up from the right, so the scale meets the columns of the kernel.",
        mimic=scale_flat_copied,
        hint=3,
    ),
    Mistake(
        "groups-lost",
        "The new layer has forgotten the groups: its weight no longer fits the input.",
        matches=groups_lost,
        hint=4,
    ),
    Mistake(
        "settings-lost",
        "The new layer gives a picture of another size. It must keep the stride, the padding,"
        " the dilation and the groups of the old one.",
        matches=lambda outcome: other_size(outcome) or groups_lost(outcome),
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
        "bias-asked-for-truth",
        "`conv.bias or …` asks a whole tensor whether it is true. Ask whether it is there:"
        " `conv.bias is None`.",
        matches=lambda outcome: "Boolean value of Tensor" in str(outcome.error),
        hint=5,
    ),
    Mistake(
        "no-grad-missing",
        "PyTorch refuses to write into a parameter while it records gradients. Write inside `with"
        " torch.no_grad():`, or make a new parameter.",
        matches=lambda outcome: "a leaf Variable that requires grad" in str(outcome.error),
        hint=5,
    ),
    Mistake(
        "not-a-parameter",
        "A layer's weight must be a parameter, and you assign a plain tensor.",
        matches=lambda outcome: "cannot assign" in str(outcome.error),
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
        "I get an error with NoneType, Boolean value, cannot assign, or leaf Variable",
        "The convolution may have no bias: ask `conv.bias is None`, and take"
        " `torch.zeros_like(norm.running_mean)` then. New numbers get into a layer in two ways:"
        " `new.weight = nn.Parameter(…)`, or `new.weight.copy_(…)` inside `with torch.no_grad():`.",
    ),
)
