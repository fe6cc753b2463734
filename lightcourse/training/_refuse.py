"""What a model and its data must have in common, found out before the first step."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.errors import UserError


def refuse_set(data: Any) -> None:
    """Say that this is no data set."""
    if not (hasattr(data, "images") and hasattr(data, "labels")):
        raise UserError(
            f"evaluate needs one data set, such as splits.test; this is {type(data).__name__}."
        )


def refuse_data(splits: Any, batch_size: int, processes: int) -> None:
    """Say what is wrong with the data for a run with this batch size."""
    parts = [getattr(splits, name, None) for name in ("train", "test")]
    if not all(hasattr(part, "images") and hasattr(part, "labels") for part in parts):
        raise UserError(
            "fit needs splits with .train and .test, as builtin() and load() give them; "
            f"this is a {type(splits).__name__}."
        )
    train, test = splits.train, splits.test
    if not len(test.labels):
        raise UserError("the test set is empty; give it at least one picture.")
    if batch_size > len(train.labels):
        raise UserError(
            f"batch_size is {batch_size} and the training set has {len(train.labels)} pictures; "
            f"choose at most {len(train.labels)}."
        )
    if batch_size % processes:
        raise UserError(
            f"batch_size is {batch_size}, which {processes} processes cannot share equally; "
            f"choose a multiple of {processes}."
        )
    if len(train.labels.unique()) < 2:
        raise UserError(
            "the training set has one class only, so there is nothing to tell apart; give it "
            "pictures of at least two."
        )


def refuse_model(model: Any, trains: bool = True) -> None:
    """Say why this cannot be trained, or not even tested, whatever the data."""
    if isinstance(model, type) or not isinstance(model, nn.Module):
        what = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        verb = "trained" if trains else "tested"
        raise UserError(f"Only a model can be {verb}, a torch.nn.Module; this is {what}.")
    if any(p.is_meta for p in model.parameters()):
        raise UserError(
            "this model is on the meta device, which has shapes and no numbers; build it on the "
            "CPU, and fit moves it."
        )
    if trains and not any(p.requires_grad for p in model.parameters()):
        raise UserError(
            f"{type(model).__name__} has no parameter that may change, so there is nothing to "
            "train; unfreeze one with requires_grad_(True)."
        )


def refuse_misfit(
    model: nn.Module, sets: Sequence[Any], device: torch.device, soft: bool = False
) -> int:
    """Run the model on two empty pictures and compare what it says with the labels.

    Returns how many classes it tells apart.

    Raises:
        UserError: it fails, gives another shape than (N, classes), or has too few classes.
    """
    shape = (2, *sets[0].images.shape[1:])
    model.eval()
    try:
        with torch.no_grad():
            scores = model(torch.zeros(shape, device=device))
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no message"])[0][:200].rstrip(".")
        raise UserError(
            f"{type(model).__name__} does not take pictures of shape {shape}: "
            f"{type(error).__name__}: {first}; build it for this data, or choose other data."
        ) from error
    _refuse_output(type(model).__name__, scores, sets)
    classes = len(sets[0].classes)
    if soft and scores.shape[1] != classes:
        raise UserError(
            f"mixup and cutmix give shares of {classes} classes, but {type(model).__name__} tells "
            f"{scores.shape[1]} apart; build it with num_classes={classes}."
        )
    return scores.shape[1]


def hint(model: nn.Module, tells: int, splits: Any) -> str:
    """Return a line for a model with more classes than the data; empty where they agree."""
    classes = len(splits.train.classes)
    if tells <= classes:
        return ""
    return (
        f"{type(model).__name__} tells {tells} classes apart and the data have {classes}: the rest "
        f"is never right, and num_classes={classes} would be enough."
    )


def _refuse_output(name: str, scores: Any, sets: Sequence[Any]) -> None:
    if not isinstance(scores, Tensor):
        raise UserError(
            f"{name} gives a {type(scores).__name__}, and not the one tensor (N, classes) that is "
            "needed; take the scores out of it."
        )
    if scores.ndim != 2 or len(scores) != 2:
        raise UserError(
            f"{name} gives the shape {tuple(scores.shape)} for 2 pictures, but "
            "(2, classes) is needed; end it with a mean over the places and a linear layer."
        )
    labels = torch.cat([part.labels for part in sets])
    low, high = int(labels.min()), int(labels.max())
    if low < 0:
        raise UserError(f"there is a label {low}; labels count the classes from 0.")
    if high >= scores.shape[1]:
        raise UserError(
            f"{name} tells {scores.shape[1]} classes apart, but the labels go from {low} to "
            f"{high}; build it with num_classes={max(high + 1, len(sets[0].classes))}."
        )
    if not torch.isfinite(scores).all():
        raise UserError(
            f"{name} gives nan or inf before any training, for two empty pictures; look at its "
            "first values and layers, and build it anew if a run with it diverged."
        )
