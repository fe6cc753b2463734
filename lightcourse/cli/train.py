"""`lightcourse train`: the same network with several seeds, their mean and deviation."""

import inspect
import json
import math
import os
import statistics
import sys
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightcourse.cli.target import load_target
from lightcourse.errors import UserError

INTERRUPTED = 130  # what shells expect after Ctrl-C
_PUBLIC = ("cifar10", "cifar100", "fashion_mnist")
# what the data's sentences advise in Python -> the same on the command line
_AS_OPTIONS = {f"{name}(download=True)": "--download" for name in _PUBLIC}
_AS_OPTIONS['load("builtin")'] = "--data builtin"
_SMALL = 64  # pixels a side up to which a network should not shrink the picture at once


@dataclass(frozen=True)
class Data:
    """The pictures that were asked for."""

    name: str = "builtin"
    images: int | None = None
    root: Path | None = None
    download: bool = False

    def refuse(self) -> None:
        """Say which option the data does not have."""
        given = {"--download": self.download, "--root": self.root is not None}
        for option, wanted in given.items():
            if wanted and self.name not in _PUBLIC:
                raise UserError(
                    f"{option} is for {', '.join(_PUBLIC)}; --data {self.name} needs no such thing."
                )

    def load(self) -> Any:
        """Return the splits; only settings that were given are passed on."""
        from lightcourse.training.data import load

        settings: dict[str, Any] = {} if self.root is None else {"root": self.root}
        if self.download:
            settings["download"] = True
        try:
            return load(self.name, train=self.images, **settings)
        except UserError as error:
            words = str(error)
            for python, option in _AS_OPTIONS.items():
                words = words.replace(python, option)
            raise UserError(words) from error


def train_seeds(
    target: str,
    width: float | None,
    data: Data,
    recipe: dict[str, Any],
    seeds: int,
    out: Path | None,
    *,
    resume: bool = False,
) -> int:
    """Train once for each seed and print the accuracies; the exit code of the command.

    0 done, 1 a run diverged or could not be saved, 130 stopped with Ctrl-C.
    """
    _refuse(target, width, out, resume)
    data.refuse()
    # torch costs a second to import, and data may cost minutes: a wrong call is told before
    from lightcourse.training.fit import CheckpointError, Diverged, Interrupted

    _refuse_recipe(recipe)
    histories = []
    try:
        splits = data.load()
        for seed in range(seeds):
            model = _model(target, width, splits, seed)
            if seed == 0:
                _say(_title(target, model, splits))
            histories.append(_one(model, splits, recipe, seed, out))
            _say(f"seed {seed}: {_result(histories[-1])}")
            if out is not None and _leads():
                _write_summary(out, target, recipe, histories)
    except Interrupted as stop:
        _complain(_how_to_go_on(stop, len(histories)))
        return INTERRUPTED
    except KeyboardInterrupt:
        _complain("stopped before the training began; nothing was lost.")
        return INTERRUPTED
    except (Diverged, CheckpointError) as error:
        _complain(f"seed {len(histories)}: {error}")
        return 1
    _say(_verdict(histories))
    return 0


def _refuse_recipe(recipe: dict[str, Any]) -> None:
    from lightcourse.training._settings import Settings
    from lightcourse.training._world import pick_device
    from lightcourse.training.fit import fit

    chosen = {name: given.default for name, given in inspect.signature(fit).parameters.items()}
    chosen |= recipe
    settings = Settings(**{name: chosen[name] for name in Settings.__dataclass_fields__})
    pick_device(settings.device)


def _refuse(target: str, width: float | None, out: Path | None, resume: bool) -> None:
    if target.endswith(".pt2"):
        raise UserError(
            f"{target} is an exported program, which computes but does not learn; name the "
            "function that makes the model, as file.py:function."
        )
    if width is not None and not 0 < width < math.inf:
        raise UserError(f"--width is {width:g}; it scales the channels, so give one above 0.")
    if out is None:
        if resume:
            raise UserError("--resume needs --out DIR, the folder with the state to go on from.")
        return
    if out.is_file():
        raise UserError(f"{out} is a file; give --out a folder.")
    if not resume and any(out.glob("seed-*/checkpoint.pt")):
        raise UserError(
            f"{out} holds a run already; add --resume to go on with it, or give another --out."
        )


def _model(target: str, width: float | None, splits: Any, seed: int) -> Any:
    """Make a fresh model for these pictures; a module that a file holds ready is copied."""
    import torch

    channels, *sides = splits.shape
    offered: dict[str, Any] = {"num_classes": len(splits.train.classes), "in_channels": channels}
    if max(sides) <= _SMALL:
        offered["small_input"] = True
    torch.manual_seed(seed)
    return deepcopy(load_target(target, offered, {} if width is None else {"width_mult": width}))


def _one(model: Any, splits: Any, recipe: dict[str, Any], seed: int, out: Path | None) -> Any:
    from lightcourse.training.fit import fit

    folder = None if out is None else out / f"seed-{seed}"
    # a terminal gets a live bar; a log file gets a line per epoch
    progress = True if sys.stderr.isatty() or not _leads() else _line
    return fit(model, splits, **recipe, seed=seed, out=folder, progress=progress)


def _line(row: Any) -> None:
    print(row, flush=True)


def _leads() -> bool:
    """True in the only process, and in the first of those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


def _say(sentence: str) -> None:
    if _leads():
        print(sentence, flush=True)


def _complain(sentence: str) -> None:
    if _leads():
        print(f"lightcourse: {sentence}", file=sys.stderr)


def _title(target: str, model: Any, splits: Any) -> str:
    params = sum(p.numel() for p in model.parameters())
    return (
        f"{target}, {params:,} parameters, on {splits.name}: {len(splits.train):,} pictures to "
        f"train on, {len(splits.test):,} to test, {len(splits.train.classes)} classes"
    )


def _result(history: Any) -> str:
    return (
        f"test accuracy {history.test_accuracy:.1%}, test loss {history.test_loss:.3f}, "
        f"{history.seconds:.1f} s"
    )


def _verdict(histories: Sequence[Any]) -> str:
    found = [100 * history.test_accuracy for history in histories]
    if len(found) == 1:
        return f"test accuracy {found[0]:.1f} %; one seed tells no spread, --seeds 3 would."
    return (
        f"test accuracy {statistics.mean(found):.1f} ± {statistics.stdev(found):.1f} % "
        f"(mean ± standard deviation of {len(found)} seeds)"
    )


def _how_to_go_on(stop: Any, seed: int) -> str:
    words = f"seed {seed}: {stop.where}"
    if stop.kind == "saved":
        return f"{words} {stop.saved} Go on with the same command and --resume."
    if stop.kind == "early" and seed:
        return f"{words} The seeds before are saved; go on with the same command and --resume."
    if stop.kind == "early":
        return f"{words} Nothing is saved yet; the first state comes after epoch 1."
    return f"{words} Nothing is saved; with --out DIR a stopped run can go on."


def _write_summary(
    out: Path, target: str, recipe: dict[str, Any], histories: Sequence[Any]
) -> None:
    from lightcourse.training._checkpoint import write_whole

    found = [history.test_accuracy for history in histories]
    summary = {
        "target": target,
        **recipe,
        "test_accuracy": found,
        "mean": statistics.mean(found),
        "deviation": statistics.stdev(found) if len(found) > 1 else None,
        "seconds": [history.seconds for history in histories],
    }
    write_whole(out / "summary.json", (json.dumps(summary, indent=1) + "\n").encode())
