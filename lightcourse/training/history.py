"""What a training run did, epoch by epoch: prints, draws, and exports itself."""

import csv
import io
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lightcourse.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Evaluation(NamedTuple):
    """How a model does on a data set: share of right answers (0 to 1) and mean cross-entropy."""

    accuracy: float
    loss: float


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set. Accuracies are shares from 0 to 1, losses are in nats.

    The two training numbers are means over the epoch while the weights changed, on augmented
    pictures and with label smoothing; the two test numbers are taken at its end, without.
    """

    epoch: int  # counts from 1
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    lr: float  # of the last step
    seconds: float

    def __str__(self) -> str:
        return (
            f"epoch {self.epoch:3d}  loss {self.train_loss:6.3f}  "
            f"train {self.train_accuracy:6.1%}  test {self.test_accuracy:6.1%}  "
            f"lr {self.lr:.2g}  {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class History:
    """All epochs of a run and the settings that made it.

    >>> rows = (Epoch(1, 2.1, 0.2, 1.9, 0.3, 0.01, 4.0), Epoch(2, 1.5, 0.5, 1.4, 0.6, 0.0, 4.0))
    >>> history = History(rows, {"seed": 0})
    >>> history.test_accuracy, history.best.epoch, history.seconds
    (0.6, 2, 8.0)
    """

    epochs: tuple[Epoch, ...]
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> Epoch:
        """The last epoch; its numbers are those of the weights that the model now holds."""
        if not self.epochs:
            raise UserError("no epoch is finished yet, so there is nothing to tell.")
        return self.epochs[-1]

    @property
    def best(self) -> Epoch:
        """The epoch with the best test accuracy; chosen by the test set, so a bit too good."""
        return max((self.last, *self.epochs), key=lambda row: (row.test_accuracy, -row.epoch))

    @property
    def test_accuracy(self) -> float:
        """Share of right answers on the test set after the last epoch."""
        return self.last.test_accuracy

    @property
    def test_loss(self) -> float:
        """Mean cross-entropy on the test set after the last epoch."""
        return self.last.test_loss

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, testing included."""
        return sum(row.seconds for row in self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"config": self.config, "epochs": [asdict(row) for row in self.epochs]}

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return one line per epoch with exact numbers, and write them to a file if one is given.

        >>> History((Epoch(1, 2.1, 0.2, 1.9, 0.3, 0.01, 4.0),)).to_csv().splitlines()[1]
        '1,2.1,0.2,1.9,0.3,0.01,4.0'
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([f.name for f in fields(Epoch)])
        writer.writerows(astuple(row) for row in self.epochs)
        if path is not None:
            try:
                Path(path).write_text(out.getvalue(), encoding="utf-8")
            except OSError as error:
                raise UserError(f"cannot write {path}: {error.strerror or error}.") from error
        return out.getvalue()

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame, one row per epoch."""
        try:
            import pandas
        except ImportError as error:
            raise UserError("to_pandas needs pandas; install it: pip install pandas") from error
        return pandas.DataFrame([asdict(row) for row in self.epochs])

    def to_tensorboard(self, folder: str | Path) -> Path:
        """Write an event file that TensorBoard shows; return its folder.

        Raises:
            UserError: the package tensorboard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(
                "to_tensorboard needs the package tensorboard; install it: pip install tensorboard"
            ) from error
        with SummaryWriter(str(folder)) as writer:
            for row in self.epochs:
                for name in ("loss", "accuracy"):
                    for part in ("train", "test"):
                        value = getattr(row, f"{part}_{name}")
                        writer.add_scalar(f"{name}/{part}", value, row.epoch)
                writer.add_scalar("lr", row.lr, row.epoch)
        return Path(folder)

    def plot(self) -> "Figure":
        """Draw loss and accuracy against the epoch, training and test."""
        from lightcourse.training._history_view import draw

        return draw(self)

    def __str__(self) -> str:
        lines = [str(row) for row in self.epochs]
        if self.epochs:
            lines.append(self._summary())
        return "\n".join(lines) or "no epoch finished"

    __repr__ = __str__

    def _summary(self) -> str:
        total = self.config.get("epochs", len(self.epochs))
        early = f"; stopped early, after {len(self.epochs)} of {total} epochs"
        return (
            f"test accuracy {self.test_accuracy:.1%}, best {self.best.test_accuracy:.1%} in epoch "
            f"{self.best.epoch}, {self.seconds:.1f} s{early if len(self.epochs) < total else ''}"
        )

    def _repr_html_(self) -> str:
        from lightcourse.training._history_view import page

        return page(self, self._summary() if self.epochs else "no epoch finished")
