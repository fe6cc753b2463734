"""Loss and right answers of one epoch, and the sentence for a loss that went astray."""

import math

import torch
from torch import Tensor

from lightcourse.training._processes import add_up
from lightcourse.training._settings import Settings
from lightcourse.training._stops import Diverged
from lightcourse.training._world import World

_ASTRAY = 10.0  # times the loss of guessing


class Tally:
    """Counts while an epoch runs; raises `Diverged` at the first loss that is no number."""

    def __init__(self, epoch: int, steps: int, settings: Settings, world: World) -> None:
        self.epoch, self.steps, self.settings, self.world = epoch, steps, settings, world
        # reading a number from a GPU waits for it, and several processes must read together
        alone_on_cpu = world.device.type == "cpu" and world.size == 1
        self.every = 1 if alone_on_cpu else 25
        self.waiting: list[Tensor] = []
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.right = torch.zeros((), dtype=torch.long, device=world.device)
        self.seen = 0
        self.classes = 2

    def add(self, loss: Tensor, scores: Tensor, labels: Tensor, rate: float) -> None:
        """Count one step: loss (), scores (N, classes), labels (N,) or soft (N, classes)."""
        answers = labels.argmax(1) if labels.ndim == 2 else labels
        self.right += (scores.detach().argmax(1) == answers).sum()
        self.seen += len(answers)
        self.classes = scores.shape[1]
        self.waiting.append(loss.detach().float())
        self.rates.append(rate)
        if len(self.waiting) >= self.every:
            self._read()

    def result(self, first: float | None) -> tuple[float, float]:
        """Return mean loss and accuracy of the epoch; `first` is the mean loss of epoch 1."""
        self._read()
        loss = sum(self.losses) / len(self.losses)
        late = self.losses[-(len(self.losses) // 4 or 1) :]
        high = sum(late) / len(late)
        start = self.losses[0] if first is None else first
        if high > self._limit(start):
            raise self._diverged(len(self.losses), high)
        right = add_up(self.right, self.world.size)
        return loss, int(right) / (self.seen * self.world.size)

    def look_back(self, after: Tensor, first: float | None, tested: float) -> None:
        """Raise `Diverged` where the last step spoilt the weights, as no other step will show it.

        `after` is the loss on the last batch once more, `tested` the loss on the test set.
        """
        loss = float(add_up(after.detach().float(), self.world.size)) / self.world.size
        start = self.losses[0] if first is None else first
        if not math.isfinite(loss) or loss > self._limit(start):
            raise self._diverged(len(self.losses), loss, "after it ")
        if not math.isfinite(tested):
            raise self._diverged(len(self.losses), tested, "on the test set ")

    def _limit(self, start: float) -> float:
        return max(_ASTRAY * math.log(self.classes), 3.0 * start)

    def _read(self) -> None:
        if not self.waiting:
            return
        size = self.world.size
        for loss in (add_up(torch.stack(self.waiting), size) / size).tolist():
            self.losses.append(loss)
            if not math.isfinite(loss):
                raise self._diverged(len(self.losses), loss)
        self.waiting.clear()

    def _diverged(self, step: int, loss: float, where: str = "") -> Diverged:
        lr = self.settings.lr
        ways = [f"begin anew with a lower learning rate, such as lr={min(lr / 4, 0.1):.1g}"]
        ways += ["clip=1.0"] if self.settings.clip is None else []
        ways += ["amp=False"] if self.world.amp else []
        what = (
            f"{where}the loss grew to {loss:.3g}, and guessing gives {math.log(self.classes):.2f}"
            if math.isfinite(loss)
            else f"{where}the loss is {loss}"
        )
        return Diverged(
            f"Training diverged in epoch {self.epoch}, step {step} of {self.steps}: {what}, at the "
            f"learning rate {self.rates[step - 1]:.3g}; {', or with '.join(ways)}."
        )
