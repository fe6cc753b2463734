"""Studies: plain and residual networks of growing depth; heads in the middle, on and off."""

from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightcourse.errors import UserError
from lightcourse.nn.residual import BasicBlock
from lightcourse.training._exp_variants import Variant
from lightcourse.training._recipe import learning_rate, make_optimizer
from lightcourse.training.data import Augment, Batches, Splits
from lightcourse.training.experiment import Comparison
from lightcourse.training.fit import evaluate
from lightcourse.training.history import Epoch, History
from lightcourse.training.studies._frame import compare, pictures, sized

DEPTHS = (8, 20, 32)
# three stages, as of the ResNets for CIFAR, at half their width and half their size of map
CHANNELS = (8, 16, 32)
# lower than fit's: a rate at which the plain network of 20 layers learns too
LR = 0.004
SHORTCUTS = {"plain": "none", "residual": "padding"}


class Thin(nn.Module):
    """A ResNet for CIFAR, half as wide, on maps of half the side; plain without its shortcuts.

    arXiv 1512.03385, section 4.2; `depth` is 6n + 2. `heads` puts a linear classifier on the mean
    of the map after each of the first two stages; they are heard by `scores` alone.

    >>> Thin(20, "none").scores(torch.zeros(2, 3, 32, 32))[0].shape
    torch.Size([2, 10])
    """

    def __init__(self, depth: int, shortcut: str, heads: bool = False) -> None:
        super().__init__()
        now = CHANNELS[0]
        conv = nn.Conv2d(3, now, 3, 2, padding=1, bias=False)
        self.stem = nn.Sequential(conv, nn.BatchNorm2d(now), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList()
        for stage, out in enumerate(CHANNELS):
            blocks = []
            for repeat in range((depth - 2) // 6):
                stride = 2 if stage > 0 and repeat == 0 else 1
                blocks.append(BasicBlock(now, out, stride, shortcut))
                now = out
            self.stages.append(nn.Sequential(*blocks))
        self.apply(_he)
        self.classifier = nn.Linear(now, 10)
        # last, so that the same seed gives both networks the same weights elsewhere
        self.heads = nn.ModuleList([nn.Linear(c, 10) for c in CHANNELS[:-1]] if heads else [])

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 10)."""
        for stage in (self.stem, *self.stages):
            x = stage(x)
        return self.classifier(x.mean((2, 3)))

    def scores(self, x: Tensor) -> list[Tensor]:
        """Return what the classifier says, and behind it what the heads say, if there are any."""
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        listeners = zip(self.heads, maps[1:], strict=False)
        side = [head(seen.mean((2, 3))) for head, seen in listeners]
        return [self.classifier(maps[-1].mean((2, 3))), *side]


def _he(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def fit_heads(
    model: Thin,
    splits: Splits,
    *,
    epochs: int = 8,
    batch_size: int = 64,
    lr: float = LR,
    weight: float = 0.3,
    seed: int = 0,
) -> History:
    """Train with `weight` times the losses of the heads added to the loss of the classifier.

    GoogLeNet, arXiv 1409.4842, section 5, has the weight 0.3. The recipe is that of `fit`; without
    heads the result is the same as fit's.

    >>> from lightcourse.training.data import builtin
    >>> history = fit_heads(Thin(8, "none", heads=True), builtin(64, 20), epochs=1, batch_size=32)
    >>> len(history.epochs)
    1
    """
    recipe: Any = SimpleNamespace(
        lr=lr, momentum=0.9, weight_decay=0.05, optimizer="adamw", warmup=0.25, schedule="onecycle"
    )
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = make_optimizer(model, recipe)
    batches = Batches(splits.train, batch_size, Augment(), seed=seed, drop_last=True)
    rows: list[Epoch] = []
    for number in range(1, epochs + 1):
        start = perf_counter()
        batches.epoch = number
        torch.manual_seed((seed * 1_000_003 + number) % 2**63)
        model.train()
        total, right = 0.0, 0
        for step, (images, labels) in enumerate(batches):
            rate = learning_rate(recipe, (number - 1) * len(batches) + step, epochs * len(batches))
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, hits = _step(model, images, labels, optimizer, weight)
            total, right = total + loss, right + hits
        model.eval()
        accuracy, test_loss = evaluate(model, splits.test)
        known = total / len(batches), right / (len(batches) * batch_size), test_loss, accuracy
        last = optimizer.param_groups[0]["lr"]
        rows.append(Epoch(number, *known, last, perf_counter() - start))
    return History(tuple(rows))


def _step(
    model: Thin, images: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer, weight: float
) -> tuple[float, int]:
    """Change the weights once; return the classifier's loss and how many pictures it has right."""
    scores = model.scores(images)
    first, *side = (F.cross_entropy(s, labels, label_smoothing=0.05) for s in scores)
    optimizer.zero_grad()
    (first + weight * sum(side)).backward()
    optimizer.step()
    return float(first.detach()), int((scores[0].argmax(1) == labels).sum())


def _sized(quick: bool, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Little grain, so that the shallow networks learn well in a few epochs."""
    own = {"lr": LR, "difficulty": 0.3} if quick else {"lr": LR, "difficulty": 0.3, "epochs": 6}
    return sized(quick, {**own, **settings}, pictures=2000)


def _check(depth: int) -> None:
    if depth < 8 or depth % 6 != 2:
        raise UserError(f"A depth of {depth} is not 6n + 2, such as 8, 20 or 32.")


def depth(
    *, quick: bool = False, depths: Sequence[int] | None = None, **settings: Any
) -> Comparison:
    """Compare plain and residual networks that differ in the shortcuts alone, at several depths.

    ResNet, arXiv 1512.03385, section 4.2. The shortcuts are those without parameters (option A), so
    that both sides have the same parameters and MACs. Claim at each depth: residual beats plain.
    `depths` are 6n + 2: 8, 20 and 32 unless asked (20 alone if quick). Raises `UserError` for
    others.
    """
    chosen = _sized(quick, settings)
    levels = tuple(depths or ([20] if quick else DEPTHS))
    table, pairs = {}, []
    for level in levels:
        _check(level)
        for word, shortcut in SHORTCUTS.items():
            table[f"{word}, {level}"] = Variant(partial(Thin, level, shortcut), x=level, line=word)
        pairs.append((f"residual, {level}", f"plain, {level}"))
    return compare(
        "depth", table, pictures(chosen), chosen, claims=pairs, x_label="layers",
        question="does a deep network need shortcuts?", own={"depths": list(levels)},
    )  # fmt: skip


def deep_supervision(
    *, quick: bool = False, layers: int = 20, weight: float = 0.3, **settings: Any
) -> Comparison:
    """Train a plain and a residual network with heads in the middle and without.

    Deeply-Supervised Nets, arXiv 1409.5185; the heads' weight is GoogLeNet's (1409.4842). The heads
    are thrown away after training, so all four networks cost the same MACs. Claims: heads help the
    plain network, and the residual one. `layers` is 6n + 2; raises `UserError` for another.
    """
    _check(layers)
    chosen = _sized(quick, {"train_with": partial(fit_heads, weight=weight), **settings})
    table = {
        f"{word}{', heads' * heads}": Variant(partial(Thin, layers, shortcut, heads))
        for word, shortcut in SHORTCUTS.items()
        for heads in (False, True)
    }
    return compare(
        "deep_supervision", table, pictures(chosen), chosen,
        claims=[(f"{word}, heads", word) for word in SHORTCUTS],
        question="do classifiers in the middle help a network to learn?",
        own={"layers": layers, "weight": weight},
    )  # fmt: skip
