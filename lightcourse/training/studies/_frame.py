"""What all studies share: how large they are, their data, and the log that can run them again."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightcourse.training._exp_variants import Variant
from lightcourse.training.data import Splits, builtin
from lightcourse.training.experiment import Comparison, experiment

# pictures to train on and to test on, their grain, epochs, pictures per step
FULL = {"train": 5000, "test": 2000, "difficulty": 1.0, "epochs": 8, "batch_size": 64}
# less grain: with so few pictures of full grain a network has just begun to learn, some seeds
# later than others, and the deviation between seeds (up to 22 points) hides everything
QUICK = {"train": 1500, "test": 500, "difficulty": 0.3, "epochs": 5, "batch_size": 32}
SEEDS = (0, 1, 2)
_DATA = ("train", "test", "difficulty")
# settings of the machine, not of the study: a log does not ask for them again
_HERE = {"jobs", "cache", "scheduler", "progress", "train_with"}


def sized(quick: bool, settings: Mapping[str, Any], pictures: int | None = None) -> dict[str, Any]:
    """Return the settings of a study: those of its size, then the caller's own.

    A study with few or fast runs has time for more `pictures` in its minute.
    """
    size = FULL if not quick else QUICK if pictures is None else {**QUICK, "train": pictures}
    return {**size, "seeds": SEEDS, **settings}


def pictures(settings: Mapping[str, Any], **knobs: Any) -> Splits:
    """Return the built-in data in the study's number of pictures."""
    return builtin(**{name: settings[name] for name in _DATA}, **knobs)


def compare(
    name: str,
    variants: Mapping[str, Variant],
    splits: Splits,
    settings: Mapping[str, Any],
    *,
    claims: Sequence[tuple[str, str]] | None,
    question: str,
    own: Mapping[str, Any],
    budget: str | None = "macs",
    x_label: str = "",
) -> Comparison:
    """Run the experiment of a study; `own` are the study's knobs, kept in the log."""
    rest = {k: v for k, v in settings.items() if k not in (*_DATA, "train_with")}
    kept = {k: v for k, v in settings.items() if k not in (*_HERE, "seeds")}
    return experiment(
        name.replace("_", " "),
        variants,
        splits,
        budget=budget,
        claims=claims,
        question=question,
        x_label=x_label,
        train=settings.get("train_with"),
        study={"name": name, "settings": {**kept, **own}},
        **rest,
    )
