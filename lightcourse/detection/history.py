"""What the training of a detector did, epoch by epoch: prints, draws, and exports itself."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class DetectorEpoch:
    """One pass over the training scenes: mean losses per object, then mAP on the test scenes.

    map: mean average precision at IoU 0.5 by COCO's rules, taken at the end of the epoch.
    """

    epoch: int  # counts from 1
    box_loss: float
    objectness_loss: float
    class_loss: float
    map: float
    lr: float  # of the last step
    seconds: float

    @property
    def loss(self) -> float:
        """Sum of the three losses."""
        return self.box_loss + self.objectness_loss + self.class_loss

    def __str__(self) -> str:
        return (
            f"epoch {self.epoch:3d}  loss {self.loss:6.3f} (box {self.box_loss:.3f}, objectness "
            f"{self.objectness_loss:.3f}, class {self.class_loss:.3f})  mAP {self.map:.3f}  "
            f"lr {self.lr:.2g}  {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class DetectorHistory:
    """All epochs of a run and the settings that made it.

    >>> rows = (DetectorEpoch(1, 1.5, 0.5, 0.5, 0.2, 0.01, 4.0),)
    >>> history = DetectorHistory(rows, {"seed": 0})
    >>> history.map, history.best.epoch, history.seconds
    (0.2, 1, 4.0)
    """

    epochs: tuple[DetectorEpoch, ...]
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> DetectorEpoch:
        """The last epoch; its numbers are those of the weights that the model now holds."""
        if not self.epochs:
            raise UserError("no epoch is finished yet, so there is nothing to tell.")
        return self.epochs[-1]

    @property
    def best(self) -> DetectorEpoch:
        """The epoch with the best mAP; chosen by the test scenes, so a bit too good."""
        return max(
            (self.last, *self.epochs),
            key=lambda row: (-1 if math.isnan(row.map) else row.map, -row.epoch),
        )

    @property
    def map(self) -> float:
        """Mean average precision at IoU 0.5 on the test scenes after the last epoch."""
        return self.last.map

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, testing included."""
        return sum(row.seconds for row in self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"config": self.config, "epochs": [asdict(row) for row in self.epochs]}

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return one line per epoch with exact numbers, and write them to a file if one is given.

        >>> row = DetectorEpoch(1, 1.5, 0.5, 0.5, 0.2, 0.01, 4.0)
        >>> DetectorHistory((row,)).to_csv().splitlines()[1]
        '1,1.5,0.5,0.5,0.2,0.01,4.0'
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([f.name for f in fields(DetectorEpoch)])
        writer.writerows(astuple(row) for row in self.epochs)
        if path is not None:
            try:
                Path(path).write_text(out.getvalue(), encoding="utf-8")
            except OSError as error:
                raise UserError(f"cannot write {path}: {error.strerror or error}.") from error
        return out.getvalue()

    def plot(self) -> Figure:
        """Draw the losses and the mAP against the epoch."""
        from lightcourse.detection._figures import draw_history

        return draw_history(self)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.epochs), self.summary()])

    __repr__ = __str__

    def summary(self) -> str:
        """Say in a line how the run ended."""
        if not self.epochs:
            return "no epoch finished"
        return (
            f"mAP at IoU 0.5 {self.map:.3f}, best {self.best.map:.3f} in epoch {self.best.epoch}, "
            f"{self.seconds:.1f} s"
        )

    def _repr_html_(self) -> str:
        from lightcourse.detection._figures import history_page

        return history_page(self)
