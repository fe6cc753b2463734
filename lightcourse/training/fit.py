"""The training loop: every choice is an argument, every epoch is saved, every run can be repeated.

`fit` reads the choices and looks for what cannot work; `_Run.train` goes through the epochs,
`epoch` through the steps, and `step` changes the weights. What they call stands in small files
beside this one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from lightcourse.training._checkpoint import RunFolder
from lightcourse.training._identity import describe, identity
from lightcourse.training._memory import Memory
from lightcourse.training._processes import add_up, from_first, shared
from lightcourse.training._recipe import learning_rate, make_average, make_optimizer
from lightcourse.training._refuse import hint, refuse_data, refuse_misfit, refuse_model, refuse_set
from lightcourse.training._rehearsal import enough
from lightcourse.training._screen import Report, Screen, notice, screen
from lightcourse.training._settings import Settings, check_call
from lightcourse.training._stops import CheckpointError, Diverged, Interrupted
from lightcourse.training._tally import Tally
from lightcourse.training._world import World, own_world
from lightcourse.training.data import Augment, Batches, Dataset, Splits
from lightcourse.training.history import Epoch, Evaluation, History


def fit(
    model: nn.Module,
    splits: Splits,
    *,
    epochs: int = 8,
    batch_size: int = 64,
    optimizer: str = "adamw",
    lr: float = 1.2e-2,
    momentum: float = 0.9,
    schedule: str = "onecycle",
    warmup: float = 0.25,
    weight_decay: float = 0.05,
    label_smoothing: float = 0.05,
    ema: float | None = None,
    amp: bool | None = None,
    channels_last: bool = True,
    clip: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    deterministic: bool = False,
    augment: Augment | None = Augment(),  # noqa: B008 (frozen)
    device: str | torch.device = "auto",
    threads: int | None = 1,
    out: str | Path | None = None,
    resume: bool = True,
    progress: bool | Report = True,
) -> History:
    """Train the model in place on `splits.train`, test it after every epoch on `splits.test`.

    Args:
        model: (N, C, H, W) -> (N, classes); moved to the device and left there, in eval mode.
        epochs, batch_size: passes over the training set, pictures per step. A last batch that
            is not full is left out, as other pictures are in it in every epoch.
        optimizer, lr, momentum: "adamw" or "sgd" (Nesterov), the highest learning rate, and the
            memory of the gradient's mean. Goyal et al., arXiv 1706.02677: lr grows with batch_size.
        schedule, warmup: "onecycle" (up and down on straight lines), "cosine" or "constant";
            the share of all steps in which the rate climbs.
        weight_decay: pulls weights, not norms and biases, towards zero.
        label_smoothing: share of the target given to all classes alike (arXiv 1512.00567, 7).
        ema: keep a running mean of the weights with this decay per step; test and return it.
        amp: compute in bfloat16. None: on GPUs that can.
        channels_last: keep a place's channels side by side in memory; faster on most machines.
        clip: longest gradient, as its norm over all parameters.
        patience: stop after so many epochs without a better test accuracy.
        seed: fixes order, augmentation and dropout. The model's first weights are yours:
            call torch.manual_seed before you build it.
        deterministic: also refuse operators that can differ from run to run.
        augment: what happens to training pictures; None for nothing.
        device, threads: "auto", "cpu", "cuda", "cuda:1" or "mps"; CPU threads. With one thread
            equal arguments give equal bits; None keeps torch's number.
        out: folder for the state after every epoch, history.csv and config.json.
        resume: go on from the state in `out`, to the same end as without a stop; a finished run
            is taken from there, and a line says so. Recipe, data, first weights and the model's
            code must be the same; of an installed package's code only the names are compared.
        progress: show it live (a file or a pipe gets a line per epoch), or a function to call
            with every finished `Epoch`.

    Under torchrun the processes share each batch and give the result of one process.

    Raises:
        UserError: an argument, the model or the data cannot work.
        Diverged: the loss is nan, inf or far above guessing.
        CheckpointError: the state cannot be written (full disk) or read.
        Interrupted: Ctrl-C; says what is saved.

    >>> from lightcourse.training.data import builtin
    >>> splits = builtin(train=64, test=20, size=16)
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
    >>> history = fit(net, splits, epochs=2, batch_size=32, progress=False)
    >>> len(history.epochs), 0 <= history.test_accuracy <= 1
    (2, True)
    """
    given = locals()
    settings = Settings(**{name: given[name] for name in Settings.__dataclass_fields__})
    check_call(out, resume, progress)
    refuse_model(model)
    with own_world(settings) as world:
        run = _Run(model, splits, settings, world)
        folder = run.open(out, resume)
        view = screen(progress, epochs, run.steps, run.rows, world.leads)
        with run.remembered(folder.path):
            run.train(folder, view)
            return run.finish()


class _Run:
    """What belongs to one run while it lasts: the model, what moves its weights, the batches."""

    def __init__(self, model: nn.Module, splits: Splits, settings: Settings, world: World):
        refuse_data(splits, settings.batch_size, world.size)
        splits = enough(splits, settings.batch_size)
        self.model, self.splits, self.settings, self.world = model, splits, settings, world
        augment = settings.augment
        soft = augment is not None and augment.soft
        model.to(world.device)
        self.classes = refuse_misfit(model, (splits.train, splits.test), world.device, soft)
        self.memory = Memory(model)
        if settings.channels_last:
            model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        where: Any = {"device": world.device, "channels_last": settings.channels_last}
        where["part"] = (world.rank, world.size)
        size, seed = settings.batch_size, settings.seed
        self.batches = Batches(splits.train, size, augment, seed=seed, drop_last=True, **where)
        # no gradients are kept while testing, so larger batches fit
        self.tests = Batches(splits.test, 250 * world.size, shuffle=False, **where)
        self.optimizer = make_optimizer(model, settings)
        self.average = None if settings.ema is None else make_average(model, settings.ema)
        self.parts = {"model": model, "optimizer": self.optimizer, "average": self.average}
        self.config = describe(model, splits, settings, world)
        self.steps = len(self.batches)  # of one epoch
        self.rows: list[Epoch] = []

    def open(self, out: str | Path | None, resume: bool) -> RunFolder:
        """Take up what the folder holds of this run, and say so in a line."""
        world, memory = self.world, self.memory
        folder = RunFolder(out, self.parts, writes=world.leads)
        goes_on = resume and folder.has_state
        first = memory.first_weights(folder.path, goes_on)
        if folder.path is not None:
            first = from_first(first, world.size, world.device)
            folder.identity = identity(self.model, self.splits, self.settings, first)
        self.rows = folder.load() if goes_on else []
        folder.begin(self.config)
        memory.begin(folder.path, first)
        notice(folder.said or memory.said, world.leads)
        notice(hint(self.model, self.classes, self.splits), world.leads)
        return folder

    @contextmanager
    def remembered(self, folder: Path | None) -> Iterator[None]:
        """Note how the run ends and with which weights, as the next one may get the same model."""
        how = " in a run that was stopped"
        try:
            yield
            how = f" for {len(self.rows)} epoch{'s' * (len(self.rows) > 1)}"
        except Diverged:
            how = " in a run that diverged"
            raise
        except KeyboardInterrupt:
            raise Interrupted(len(self.rows), self.settings.epochs, folder) from None
        finally:
            self.memory.end(how)

    def train(self, folder: RunFolder, view: Screen) -> None:
        """Go through the epochs that are left; after each one its state is safe."""
        with view, shared(self.model, self.world.size) as net:
            while not self.over(self.rows):
                start = time.perf_counter()
                tally, last = self.epoch(net, view)
                first = self.rows[0].train_loss if self.rows else None
                loss, accuracy = tally.result(first)
                tested = self.average.module if self.average else self.model
                test = _measure(tested, self.tests, self.world)
                seconds = time.perf_counter() - start
                number = len(self.rows) + 1
                rate = tally.rates[-1]
                row = Epoch(number, loss, accuracy, test.loss, test.accuracy, rate, seconds)
                rows = [*self.rows, row]
                if self.over(rows):
                    tally.look_back(self.loss_again(*last), first, test.loss)
                folder.save(rows, self.over(rows))  # first: what is said to be saved is saved
                self.rows.append(row)
                view.epoch(row)

    def epoch(self, net: nn.Module, view: Screen) -> tuple[Tally, tuple[Tensor, Tensor]]:
        """Pass over the training set once; return what was counted, and the last batch."""
        settings, world, number = self.settings, self.world, len(self.rows) + 1
        # an epoch's randomness follows from seed and number alone: nothing of it needs saving
        self.batches.epoch = number
        torch.manual_seed(((settings.seed * 1_000_003 + number) * world.size + world.rank) % 2**63)
        tally = Tally(number, self.steps, settings, world)
        net.train()
        images = labels = torch.empty(0)
        for step, (images, labels) in enumerate(self.batches):
            rate = learning_rate(
                settings, (number - 1) * self.steps + step, settings.epochs * self.steps
            )
            loss = self.step(net, images, labels, rate, tally)
            view.step(step + 1, loss)
        return tally, (images, labels)

    def step(
        self, net: nn.Module, images: Tensor, labels: Tensor, rate: float, tally: Tally
    ) -> Tensor:
        """Change the weights once; return the loss of this process's part of the batch."""
        settings, world = self.settings, self.world
        with world.autocast():
            scores = net(images)
        loss = self.loss(scores, labels)
        self.optimizer.zero_grad()
        loss.backward()
        if settings.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        tally.add(loss, scores, labels, rate)
        return loss.detach()

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy () of scores (N, classes) and labels (N,) or shares (N, classes)."""
        smooth = self.settings.label_smoothing
        return F.cross_entropy(scores.float(), labels, label_smoothing=smooth)

    @torch.no_grad()
    def loss_again(self, images: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch as a step would see it; the model's statistics stay as they are."""
        kept = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        self.model.train()
        with self.world.autocast():
            scores = functional_call(self.model, kept, (images,))
        return self.loss(scores, labels)

    def finish(self) -> History:
        """Leave the model as it was tested; return what happened."""
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.eval()
        return History(tuple(self.rows), self.config)

    def over(self, rows: list[Epoch]) -> bool:
        """True after the last epoch, or `patience` epochs without a better test accuracy."""
        if self.settings.patience is None or not rows:
            return len(rows) >= self.settings.epochs
        waited = len(rows) - History(tuple(rows)).best.epoch
        return len(rows) >= self.settings.epochs or waited >= self.settings.patience


def evaluate(model: nn.Module, dataset: Dataset, *, batch_size: int = 500) -> Evaluation:
    """Return accuracy (0 to 1) and mean cross-entropy (nats) of a model on a data set.

    The model stays on its device and keeps its mode.

    >>> from lightcourse.training.data import builtin
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10))
    >>> accuracy, loss = evaluate(net, builtin(train=20, test=20, size=16).test)
    >>> 0 <= accuracy <= 1 and loss > 0
    True
    """
    refuse_model(model, trains=False)
    refuse_set(dataset)
    training = model.training
    first = next(chain(model.parameters(), model.buffers()), torch.zeros(()))
    try:
        refuse_misfit(model, (dataset,), first.device)
        batches = Batches(dataset, batch_size, device=first.device, shuffle=False)
        return _measure(model, batches, World(first.device))
    finally:
        model.train(training)


@torch.no_grad()
def _measure(model: nn.Module, batches: Batches, world: World) -> Evaluation:
    model.eval()
    sums = torch.zeros(2, device=world.device)  # right answers, losses
    for images, labels in batches:
        if len(labels):  # the last batch may be too small to have a part for each process
            with world.autocast():
                scores = model(images).float()
            right = (scores.argmax(1) == labels).sum()
            sums += torch.stack([right, F.cross_entropy(scores, labels, reduction="sum")])
    right, loss = add_up(sums, world.size).tolist()
    count = len(batches.dataset)
    return Evaluation(int(right) / count, loss / count)


__all__ = [
    "CheckpointError",
    "Diverged",
    "Epoch",
    "Evaluation",
    "History",
    "Interrupted",
    "evaluate",
    "fit",
]
