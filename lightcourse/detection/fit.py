"""The training of a detector: scenes in, mAP after every epoch, stopped and taken up at will."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lightcourse.detection._run_folder import DetectorFolder, Report, detector_screen
from lightcourse.detection._scenes import Scenes, SceneSplits
from lightcourse.detection.history import DetectorEpoch, DetectorHistory
from lightcourse.detection.losses import BOX_LOSSES, DetectionLoss, Truth, yolo_loss
from lightcourse.detection.metrics import MeanAveragePrecision, mean_average_precision
from lightcourse.detection.predict import coding_of, detect, prepare, scales_of
from lightcourse.errors import UserError
from lightcourse.training._identity import describe, identity
from lightcourse.training._memory import Memory
from lightcourse.training._recipe import learning_rate, make_average, make_optimizer
from lightcourse.training._refuse import refuse_model
from lightcourse.training._screen import Screen, notice
from lightcourse.training._settings import Settings, check_call
from lightcourse.training._stops import Diverged, Interrupted
from lightcourse.training._world import World, own_world

# what `fit` has and a detector's run leaves alone
FIXED: dict[str, Any] = {
    "label_smoothing": 0.0, "patience": None, "augment": None, "amp": False, "channels_last": True,
}  # fmt: skip
LEAST_SCORE = 0.01  # weaker boxes hardly move the mAP and cost time


@dataclass(frozen=True)
class DetectorSettings(Settings):
    """The arguments of `fit_detector` that make up the recipe."""

    flip: bool
    box: str
    also: float
    ignore: float
    weights: tuple[float, float, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.box not in BOX_LOSSES:
            raise UserError(
                f"there is no box loss {self.box!r}; choose one of {', '.join(BOX_LOSSES)}."
            )
        for name in ("also", "ignore"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise UserError(f"{name}={value!r} does not work; choose an IoU from 0 to 1.")
        if len(self.weights) != 3 or not all(0 <= w < math.inf for w in self.weights):
            raise UserError("weights are three numbers from 0 on: of box, objectness and class.")

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, as it comes back from a file."""
        return {**super().to_dict(), "weights": list(self.weights)}


def fit_detector(
    model: nn.Module,
    splits: SceneSplits,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    optimizer: str = "adamw",
    lr: float = 8e-3,
    momentum: float = 0.9,
    schedule: str = "onecycle",
    warmup: float = 0.15,
    weight_decay: float = 0.05,
    ema: float | None = None,
    clip: float | None = 10.0,
    flip: bool = True,
    box: str = "ciou",
    also: float = 0.5,
    ignore: float = 0.5,
    weights: tuple[float, float, float] = (2.0, 1.0, 1.0),
    seed: int = 0,
    deterministic: bool = False,
    device: str | torch.device = "auto",
    threads: int | None = 1,
    out: str | Path | None = None,
    resume: bool = True,
    progress: bool | Report = True,
) -> DetectorHistory:
    """Train a detector in place on `splits.train`; mAP on `splits.test` after every epoch.

    Args:
        model: gives raw maps, with `scales`: `TinyDetector`, or one of the YOLO networks.
        flip: half of the training scenes are mirrored, left and right.
        box, also, ignore, weights: see `yolo_loss`.
        progress: show it live, or a function to call with every finished `DetectorEpoch`.

    All others mean what they mean in `lightcourse.training.fit`; with one thread equal arguments
    give equal bits, and a stopped run that goes on (`out`, `resume`) ends as if it had not stopped.

    Raises:
        UserError: an argument, the model or the scenes cannot work.
        Diverged: the loss is nan or inf.
        CheckpointError: the state cannot be written (full disk) or read.
        Interrupted: Ctrl-C; says what is saved.

    >>> from lightcourse.detection import TinyDetector, scenes
    >>> splits = scenes(16, 4, size=64, cache=False)
    >>> history = fit_detector(TinyDetector(), splits, epochs=1, batch_size=8, progress=False)
    >>> len(history.epochs), 0 <= history.map <= 1
    (1, True)
    """
    given = {**locals(), **FIXED}
    names = DetectorSettings.__dataclass_fields__
    settings = DetectorSettings(**{name: given[name] for name in names})
    check_call(out, resume, progress)
    refuse_model(model)
    with own_world(settings) as world:
        run = _Run(model, splits, settings, world)
        folder = run.open(out, resume)
        with run.remembered(folder.path):
            run.train(folder, detector_screen(progress, epochs, run.steps, run.rows))
            return run.finish()


class _Run:
    """What belongs to one run while it lasts: the model, what moves its weights, the scenes."""

    def __init__(
        self, model: nn.Module, splits: SceneSplits, settings: DetectorSettings, world: World
    ):
        self.model, self.splits, self.settings, self.world = model, splits, settings, world
        self.scales, self.coding = scales_of(model), coding_of(model)
        _refuse(splits, settings, world)
        model.to(world.device)
        _try(model, splits.train)
        self.memory = Memory(model)
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.optimizer = make_optimizer(model, settings)
        self.average = None if settings.ema is None else make_average(model, settings.ema)
        self.parts = {"model": model, "optimizer": self.optimizer, "average": self.average}
        self.steps = len(splits.train) // settings.batch_size
        self.rows: list[DetectorEpoch] = []

    def open(self, out: str | Path | None, resume: bool) -> DetectorFolder:
        """Take up what the folder holds of this run, and say so in a line."""
        folder = DetectorFolder(out, self.parts)
        goes_on = resume and folder.has_state
        first = self.memory.first_weights(folder.path, goes_on)
        if folder.path is not None:
            folder.identity = identity(self.model, self.splits, self.settings, first)
        self.rows = folder.load() if goes_on else []
        self.config = describe(self.model, self.splits, self.settings, self.world)
        folder.begin(self.config)
        self.memory.begin(folder.path, first)
        notice(folder.said or self.memory.said)
        return folder

    @contextmanager
    def remembered(self, folder: Path | None) -> Iterator[None]:
        """Note how the run ends and with which weights; turn Ctrl-C into a sentence."""
        how = " in a run that was stopped"
        try:
            yield
            how = f" for {len(self.rows)} epoch{'s' * (len(self.rows) > 1)}"
        except KeyboardInterrupt:
            raise Interrupted(len(self.rows), self.settings.epochs, folder) from None
        finally:
            self.memory.end(how)

    def train(self, folder: DetectorFolder, view: Screen) -> None:
        """Go through the epochs that are left; after each one its state is safe."""
        with view:
            while len(self.rows) < self.settings.epochs:
                start = time.perf_counter()
                losses, rate = self.epoch(view)
                tested = self.average.module if self.average else self.model
                score = evaluate_detector(tested, self.splits.test)
                seconds = time.perf_counter() - start
                box, objectness, kind = losses
                number = len(self.rows) + 1
                row = DetectorEpoch(number, box, objectness, kind, score.map, rate, seconds)
                rows: Any = [*self.rows, row]
                folder.save(rows, len(rows) == self.settings.epochs)
                self.rows.append(row)
                view.epoch(row)  # pyright: ignore[reportArgumentType]

    def epoch(self, view: Screen) -> tuple[list[float], float]:
        """Pass over the training scenes once; return the three mean losses and the last rate."""
        settings, number = self.settings, len(self.rows) + 1
        # an epoch's randomness follows from seed and number alone: nothing of it needs saving
        torch.manual_seed((settings.seed * 1_000_003 + number) % 2**63)
        order = torch.randperm(len(self.splits.train))
        total, rate = torch.zeros(3, device=self.world.device), 0.0
        self.model.train()
        for step in range(self.steps):
            done = (number - 1) * self.steps + step
            rate = learning_rate(settings, done, settings.epochs * self.steps)
            chosen = order[step * settings.batch_size :][: settings.batch_size]
            loss = self.step(*self.batch(chosen), rate)
            total += torch.stack(loss[1:]).detach()
            if not torch.isfinite(loss.total):
                raise Diverged(
                    f"Training diverged in epoch {number}, step {step + 1} of {self.steps}: the "
                    f"loss is {loss.total.item()}; build the model anew and begin with a lower "
                    f"learning rate, such as lr={settings.lr / 4:.1g}."
                )
            view.step(step + 1, loss.total.detach())
        return (total / self.steps).tolist(), rate

    def batch(self, chosen: Tensor) -> tuple[Tensor, Truth]:
        """Return the images of these scenes as floats, and their objects; half mirrored."""
        part, device = self.splits.train, self.world.device
        images = prepare(part.images[chosen].to(device))
        boxes, labels = (t[chosen].to(device) for t in part.truth)
        if self.settings.flip:
            turned = (torch.rand(len(chosen)) < 0.5).to(device)
            images = torch.where(turned[:, None, None, None], images.flip(-1), images)
            width = images.shape[3]
            mirrored = torch.stack(
                [width - boxes[..., 2], boxes[..., 1], width - boxes[..., 0], boxes[..., 3]], -1
            )
            boxes = torch.where(turned[:, None, None], mirrored, boxes)
        return images, Truth(boxes, labels)

    def step(self, images: Tensor, truth: Truth, rate: float) -> DetectionLoss:
        """Change the weights once; return the loss of the batch."""
        chosen = self.settings
        loss = yolo_loss(
            self.model(images), truth, self.scales, self.coding,
            box=chosen.box, also=chosen.also, ignore=chosen.ignore, weights=chosen.weights,
        )  # fmt: skip
        self.optimizer.zero_grad()
        loss.total.backward()
        if chosen.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), chosen.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return loss

    def finish(self) -> DetectorHistory:
        """Leave the model as it was tested; return what happened."""
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.eval()
        return DetectorHistory(tuple(self.rows), self.config)


def evaluate_detector(model: nn.Module, part: Scenes, **choices: Any) -> MeanAveragePrecision:
    """Return the mAP of a detector on scenes; choices go to `mean_average_precision`.

    >>> from lightcourse.detection import TinyDetector, scenes
    >>> evaluate_detector(TinyDetector(), scenes(4, 4, size=64, cache=False).test).method
    'coco'
    """
    if not isinstance(part, Scenes):
        raise UserError(f"this needs Scenes, such as scenes().test, not {type(part).__name__}.")
    found = detect(model, part.images, threshold=LEAST_SCORE, iou_threshold=0.5)
    truth = [part.objects(index) for index in range(len(part))]
    return mean_average_precision(found, truth, part.classes, **choices)


def _refuse(splits: Any, settings: DetectorSettings, world: World) -> None:
    parts = [getattr(splits, name, None) for name in ("train", "test")]
    if not all(isinstance(part, Scenes) for part in parts):
        raise UserError(
            "fit_detector needs splits with .train and .test scenes, as scenes() gives them; this "
            f"is a {type(splits).__name__}."
        )
    if world.size > 1:
        raise UserError("fit_detector trains in one process; start it without torchrun.")
    if settings.batch_size > len(splits.train):
        raise UserError(
            f"batch_size is {settings.batch_size} and there are {len(splits.train)} training "
            f"scenes; choose at most {len(splits.train)}."
        )


def _try(model: nn.Module, part: Scenes) -> None:
    """Run the model on one scene, to say what does not fit before anything long begins."""
    one = part.subset(1)
    try:
        detect(model, one.images, threshold=1.0)
    except UserError:
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no message"])[0][:200].rstrip(".")
        raise UserError(
            f"{type(model).__name__} does not take pictures of shape {tuple(one.images.shape)}: "
            f"{type(error).__name__}: {first}."
        ) from error
    tells = getattr(model, "num_classes", len(part.classes))
    if tells < len(part.classes):
        raise UserError(
            f"{type(model).__name__} tells {tells} classes apart and the scenes have "
            f"{len(part.classes)}; build it with num_classes={len(part.classes)}."
        )
