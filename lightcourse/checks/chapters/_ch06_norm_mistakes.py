"""Exercise 06.batchnorm: known mistakes, each a switch of one wrong layer, in one table."""

from __future__ import annotations

from lightcourse.checks.chapters._ch06_norm_variant import mimic
from lightcourse.checks.exercise import Mistake, Outcome


def _no_fit(outcome: Outcome) -> bool:
    """Axes that do not fit, in an error or in the shape of what is kept."""
    if outcome.error is not None:
        said = str(outcome.error)
        return "must match the size" in said or "must match the existing size" in said
    x, got, want = outcome.case.args[0][0], outcome.got.named, outcome.want.named
    # with as many channels as columns (C,) meets the columns without an error
    lucky = x.shape[1] == x.shape[3]
    kept = any(got[name].shape != want[name].shape for name in ("running_mean", "running_var"))
    return lucky or kept or any(got[name].numel() > want[name].numel() for name in want)


MISTAKES = (
    Mistake(
        "running-used-in-training",
        "In train mode you normalise with the running statistics. Training uses the statistics of"
        " the batch at hand; the running ones are only collected, for later.",
        mimic=mimic(kept_in_training=True),
        hint=1,
    ),
    Mistake(
        "running-used-in-training",
        "In train mode you normalise with the running statistics. Training uses the statistics of"
        " the batch at hand; the running ones are only collected, for later.",
        mimic=mimic(kept_in_training=True, uses_before=True),
        hint=1,
    ),
    Mistake(
        "batch-used-in-eval",
        "In eval mode you still normalise with the batch. Then the answer for a picture would"
        " depend on its neighbours in the batch. Ask `self.training`.",
        mimic=mimic(kept_in_eval=False),
        hint=1,
    ),
    Mistake(
        "updates-in-eval",
        "You go on collecting statistics in eval mode: looking at test pictures changes the layer.",
        mimic=mimic(updates_in_eval=True),
        hint=1,
    ),
    Mistake(
        "never-kept",
        "The running statistics never change. Update both in train mode.",
        mimic=mimic(never_kept=True),
        hint=4,
    ),
    Mistake(
        "axes-per-pixel",
        "You average over the batch only, so every pixel has its own mean. A channel's statistics"
        " are taken over the batch and all pixels: axes 0, 2 and 3.",
        mimic=mimic(axes=(0,)),
        hint=2,
    ),
    Mistake(
        "axes-per-image",
        "You average over the pixels of each image alone. That is instance norm. Batch norm takes"
        " the whole batch together: axes 0, 2 and 3.",
        mimic=mimic(axes=(2, 3)),
        hint=2,
    ),
    Mistake(
        "axes-all",
        "You average over everything, channels included. Each channel has its own statistics: leave"
        " axis 1 out.",
        mimic=mimic(axes=(0, 1, 2, 3)),
        hint=2,
    ),
    Mistake(
        "variances-swapped",
        "You have the two variances the wrong way round: normalise with the biased one (divide by"
        " n), keep the unbiased one (divide by n − 1).",
        mimic=mimic(unbiased_output=True, biased_kept=True),
        hint=3,
    ),
    Mistake(
        "unbiased-in-output",
        "You normalise with the unbiased variance. `x.var(…)` divides by n − 1 unless you say"
        " `correction=0`; the batch itself is normalised with n.",
        mimic=mimic(unbiased_output=True),
        hint=3,
    ),
    Mistake(
        "biased-kept",
        "The output is right. What you keep in `running_var` is the biased variance; PyTorch keeps"
        " the unbiased one, the better guess for pictures not yet seen.",
        mimic=mimic(biased_kept=True),
        hint=3,
    ),
    Mistake(
        "momentum-reversed",
        "Your momentum is the wrong way round. In PyTorch it is the weight of the **new** value:"
        " 0.1 keeps nine tenths of the old one.",
        mimic=mimic(reversed=True),
        hint=4,
    ),
    Mistake(
        "eps-outside",
        "You add eps outside the root. The formula is sqrt(var + eps).",
        mimic=mimic(root=lambda var, eps: var.sqrt() + eps),
        hint=3,
    ),
    Mistake(
        "eps-forgotten",
        "eps is missing under the root. It keeps a channel that never changes from dividing by 0.",
        mimic=mimic(root=lambda var, eps: var.sqrt()),
        hint=3,
    ),
    Mistake(
        "root-forgotten",
        "You divide by the variance. The spread of the values is its root.",
        mimic=mimic(root=lambda var, eps: var + eps),
        hint=3,
    ),
    Mistake(
        "keeps-std",
        "You keep the standard deviation in `running_var`. It must hold the variance.",
        mimic=mimic(keeps_std=True),
        hint=3,
    ),
    Mistake(
        "affine-forgotten",
        "You stop after the normalisation. Multiply by gamma and add beta, channel by channel.",
        mimic=mimic(no_gamma=True, no_beta=True),
        hint=1,
    ),
    Mistake(
        "eval-forgotten",
        "You do the same in both modes: you normalise with the batch, and the running"
        " statistics never change. In train mode update them too; in eval mode use them.",
        mimic=mimic(kept_in_eval=False, never_kept=True),
        hint=1,
    ),
    Mistake(
        "modes-inverted",
        "Your two modes have changed places: `self.training` is True while the layer trains.",
        mimic=mimic(inverted=True),
        hint=1,
    ),
    Mistake(
        "replaced",
        "You replace the running statistics with those of the last batch. Mix: (1 − momentum) ·"
        " old + momentum · batch.",
        mimic=mimic(shares=lambda old, new: (0, 1)),
        hint=4,
    ),
    Mistake(
        "old-not-faded",
        "You add momentum · batch to the whole old value, so it grows for ever. The old one"
        " counts (1 − momentum) times.",
        mimic=mimic(shares=lambda old, new: (1, new)),
        hint=4,
    ),
    Mistake(
        "momentum-hard-coded",
        "You write the momentum as a fixed number. Take `self.momentum`.",
        mimic=mimic(fixed_momentum=0.1),
        hint=4,
    ),
    Mistake(
        "eps-hard-coded",
        "You write eps as a fixed number. Take `self.eps`.",
        mimic=mimic(fixed_eps=1e-5),
        hint=3,
    ),
    Mistake(
        "beta-forgotten",
        "You multiply by gamma, but beta is not added.",
        mimic=mimic(no_beta=True),
        hint=1,
    ),
    Mistake(
        "gamma-forgotten",
        "You add beta, but do not multiply by gamma.",
        mimic=mimic(no_gamma=True),
        hint=1,
    ),
    Mistake(
        "std-of-the-batch",
        "You divide by `x.std(…)`. It is the root of the unbiased variance, without eps, and in"
        " eval mode it asks the batch again. Take the variance, add eps, then the root.",
        mimic=mimic(unbiased_output=True, always_own_var=True, root=lambda var, eps: var.sqrt()),
        hint=3,
    ),
    Mistake(
        "std-of-the-batch",
        "You divide by `x.std(…)`. It is the root of the unbiased variance, without eps, and in"
        " eval mode it asks the batch again. Take the variance, add eps, then the root.",
        mimic=mimic(unbiased_output=True, root=lambda var, eps: var.sqrt()),
        hint=3,
    ),
    Mistake(
        "std-of-the-batch",
        "You divide by `x.std(…)`. It is the root of the unbiased variance, without eps, and in"
        " eval mode it asks the batch again. Take the variance, add eps, then the root.",
        mimic=mimic(
            unbiased_output=True, always_own_var=True, root=lambda var, eps: var.sqrt() + eps
        ),
        hint=3,
    ),
    Mistake(
        "std-of-the-batch",
        "You divide by `x.std(…)`. It is the root of the unbiased variance, without eps, and in"
        " eval mode it asks the batch again. Take the variance, add eps, then the root.",
        mimic=mimic(unbiased_output=True, root=lambda var, eps: var.sqrt() + eps),
        hint=3,
    ),
    Mistake(
        "axes-all",
        "You average over everything, channels included. Each channel has its own statistics:"
        " leave axis 1 out.",
        mimic=mimic(axes=(0, 1, 2, 3), kept_axes=(0, 1, 2, 3)),
        hint=2,
    ),
    Mistake(
        "axes-all",
        "You average over everything, channels included. Each channel has its own statistics:"
        " leave axis 1 out.",
        mimic=mimic(axes=(0, 1, 2, 3), kept_axes=(0, 1, 2, 3), biased_kept=True),
        hint=2,
    ),
    Mistake(
        "axes-all",
        "You average over everything, channels included. Each channel has its own statistics:"
        " leave axis 1 out.",
        mimic=mimic(axes=(0, 1, 2, 3), kept_in_eval=False, never_kept=True),
        hint=2,
    ),
    Mistake(
        "axes-do-not-fit",
        "The axes do not fit together. What you keep has the shape (C,), and PyTorch lines shapes"
        " up from the right: (C,) meets the columns of x. Take the statistics over the axes (0, 2,"
        " 3), and turn each into (1, C, 1, 1) only where it meets x.",
        matches=_no_fit,
        hint=2,
    ),
)
