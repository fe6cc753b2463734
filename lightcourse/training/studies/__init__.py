"""The course's first experiments, each one function: small defaults, figure, verdict, a log.

Every study takes `quick=True` (at most a minute), and as settings train, test, difficulty,
epochs, seeds, jobs, cache, scheduler, progress, and those of `lightcourse.training.fit.fit`.
"""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training.experiment import Comparison, load_runs
from lightcourse.training.studies.batches import small_batches
from lightcourse.training.studies.bottleneck import bottleneck
from lightcourse.training.studies.crossing import fd_mobilenet
from lightcourse.training.studies.depth import deep_supervision, depth
from lightcourse.training.studies.gates import hard_swish, squeeze_excite
from lightcourse.training.studies.kinds import block_kinds
from lightcourse.training.studies.ladders import downsampling
from lightcourse.training.studies.norm import batch_norm
from lightcourse.training.studies.reach import receptive_field
from lightcourse.training.studies.shuffle import channel_shuffle
from lightcourse.training.studies.sizes import multipliers

LOGS = Path(__file__).parent / "logs"
STUDIES: dict[str, Callable[..., Comparison]] = {
    "batch_norm": batch_norm,
    "block_kinds": block_kinds,
    "bottleneck": bottleneck,
    "channel_shuffle": channel_shuffle,
    "deep_supervision": deep_supervision,
    "depth": depth,
    "downsampling": downsampling,
    "fd_mobilenet": fd_mobilenet,
    "hard_swish": hard_swish,
    "multipliers": multipliers,
    "receptive_field": receptive_field,
    "small_batches": small_batches,
    "squeeze_excite": squeeze_excite,
}


def run(name: str, **settings: Any) -> Comparison:
    """Run a study by its name; raise `UserError` when there is none.

    >>> sorted(STUDIES)[:2]
    ['batch_norm', 'block_kinds']
    """
    if name not in STUDIES:
        near = get_close_matches(str(name).lower(), STUDIES, 1, 0.5)
        meant = f"did you mean {near[0]!r}? There are" if near else "choose of"
        raise UserError(f"There is no study {name!r}; {meant} {', '.join(STUDIES)}.")
    return STUDIES[name](**settings)


def logged(name: str) -> Comparison:
    """Return the runs of a study at full size that ship with the course, trained once by us.

    Raises `UserError` when there is no such log; `rerun` trains it again on this machine.

    >>> logged("block_kinds").seeds
    (0, 1, 2)
    """
    path = LOGS / f"{name}.json"
    if not path.is_file():
        have = ", ".join(sorted(log.stem for log in LOGS.glob("*.json")))
        raise UserError(f"No log of a study {name!r} ships with the course; there are {have}.")
    return load_runs(path)


__all__ = [
    "LOGS",
    "STUDIES",
    "batch_norm",
    "block_kinds",
    "bottleneck",
    "channel_shuffle",
    "deep_supervision",
    "depth",
    "downsampling",
    "fd_mobilenet",
    "hard_swish",
    "logged",
    "multipliers",
    "receptive_field",
    "run",
    "small_batches",
    "squeeze_excite",
]
