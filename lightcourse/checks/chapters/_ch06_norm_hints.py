"""Exercise 06.batchnorm: the ladder of hints."""

from __future__ import annotations

from lightcourse.checks.exercise import Hint

HINTS = (
    Hint(
        "I do not know where to begin",
        "Write it in this order. 1: in train mode, take mean and variance of the batch, and update"
        " the running ones. 2: in eval mode, take the running ones. 3: in both modes, subtract the"
        " mean, divide by the root of variance plus eps, multiply by gamma, add beta.",
    ),
    Hint(
        "I get RuntimeError about sizes, or every pixel has its own mean",
        "The statistics have the shape (C,), and x has (N, C, H, W). Average over the axes"
        " `(0, 2, 3)`. Before you combine them with x, turn each into `(1, C, 1, 1)`, for"
        " example with `[None, :, None, None]`.",
    ),
    Hint(
        "The output is nearly right, or running_var is a little off",
        "Two variances. The batch is normalised with the biased one, `x.var(axes, correction=0)`."
        " `running_var` keeps the unbiased one, `correction=1`. For the values 1, 3, 5, 7 they"
        " are 5 and 6.667. And eps stands under the root, beside the variance.",
    ),
    Hint(
        "running_mean or running_var is wrong",
        "new = (1 − momentum) · old + momentum · batch. `running_mean` starts at 0: after one"
        " batch with the mean 4 and momentum 0.1 it is 0.4. Do it inside `with torch.no_grad():`,"
        " and only when `self.training` is true.",
    ),
)
