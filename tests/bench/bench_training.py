"""CPU time of a whole training against the tutorial's way, as ratios of one run.

python tests/bench/bench_training.py [pictures]; the same net, recipe and pictures for both. The
tutorial's way: DataLoader with two workers, PIL transforms for each picture, a plain loop.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from lightcourse._torchvision import import_torchvision
from lightcourse.nn import DepthwiseSeparableConv
from lightcourse.training.data import Dataset, Splits, builtin
from lightcourse.training.fit import fit

EPOCHS, BATCH, ROUNDS = 2, 64, 3
LAYOUT = ((16, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2))  # in, out, stride


def net() -> nn.Module:
    """About 19,000 parameters, 0.9 million multiply-adds per picture of 32×32."""
    torch.manual_seed(0)
    stem = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    blocks = [DepthwiseSeparableConv(i, o, stride=s) for i, o, s in LAYOUT]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class Pictures(TorchDataset):
    """What torchvision's CIFAR10 does: an array becomes a PIL image, then the transforms."""

    def __init__(self, data: Dataset, transform: Callable) -> None:
        self.arrays = data.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels, self.transform = data.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def loaders(splits: Splits) -> tuple[DataLoader, DataLoader]:
    t = import_torchvision().transforms
    end = [t.ToTensor(), t.Normalize(splits.train.mean, splits.train.std)]
    change = t.Compose([t.RandomCrop(32, 2), t.RandomHorizontalFlip(), *end])
    train = Pictures(splits.train, change)
    test = Pictures(splits.test, t.Compose(end))
    return (
        DataLoader(train, BATCH, shuffle=True, num_workers=2, drop_last=True),
        DataLoader(test, 250, num_workers=2),
    )


def tutorial(splits: Splits) -> float:
    """Train as the tutorials do; return the test accuracy."""
    model = net()
    train, test = loaders(splits)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.2e-2, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.2e-2, EPOCHS * len(train))
    accuracy = 0.0
    for _ in range(EPOCHS):
        model.train()
        running = 0.0
        for images, labels in train:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels, label_smoothing=0.05)
            loss.backward()
            optimizer.step()
            schedule.step()
            running += loss.item()
        model.eval()
        right = 0
        with torch.no_grad():
            for images, labels in test:
                right += int((model(images).argmax(1) == labels).sum())
        accuracy = right / len(splits.test)
    return accuracy


def ours(splits: Splits) -> float:
    return fit(net(), splits, epochs=EPOCHS, batch_size=BATCH, progress=False).test_accuracy


def cpu_seconds() -> float:
    """CPU time of this process and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def timed(work: Callable[[Splits], float], splits: Splits) -> tuple[float, float, float]:
    cpu, wall = cpu_seconds(), time.perf_counter()
    accuracy = work(splits)
    return cpu_seconds() - cpu, time.perf_counter() - wall, accuracy


def main() -> None:
    torch.set_num_threads(1)
    splits = builtin(train=int(sys.argv[1]) if len(sys.argv) > 1 else 5000, test=1000)
    found = {"tutorial": [], "fit": []}
    for _ in range(ROUNDS):  # taking turns, so that a busy machine slows both
        found["tutorial"].append(timed(tutorial, splits))
        found["fit"].append(timed(ours, splits))
    pictures = EPOCHS * len(splits.train)
    for name, rounds in found.items():
        cpu = statistics.median(r[0] for r in rounds)
        print(
            f"{name:9} {cpu:6.1f} CPU-s  {pictures / cpu:6.0f} pictures per CPU-s  "
            f"{statistics.median(r[1] for r in rounds):6.1f} s on the clock  "
            f"test accuracy {rounds[0][2]:.1%}"
        )
    pairs = zip(found["tutorial"], found["fit"], strict=True)
    ratios = sorted(slow[0] / fast[0] for slow, fast in pairs)
    print(f"fit takes {ratios[len(ratios) // 2]:.2f}× less CPU time ({ratios[0]:.2f} to "
          f"{ratios[-1]:.2f}; the floor is 1.5)")  # fmt: skip


if __name__ == "__main__":
    main()
