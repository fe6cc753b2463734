"""Images per CPU-second: batches changed on tensors, against torchvision's tutorial way.

python tests/bench/bench_loader.py [IMAGES]; CPU time of all processes, the best of three passes.
The tutorial way: `DataLoader` over a data set of PIL images, RandomCrop and RandomHorizontalFlip
for each image, two workers. Both crop by ±4, flip, normalise, and give batches of 128.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from lightcourse._torchvision import import_torchvision
from lightcourse.training.data import Augment, Batches, Dataset, builtin

BATCH, SHIFT, FLOOR = 128, 4, 5.0


class Pictures(TorchDataset):
    """One PIL image at a time, as torchvision's CIFAR10 gives them."""

    def __init__(self, data: Dataset, transform: Callable[[Any], torch.Tensor]):
        self.pixels = data.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = data.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def tutorial(data: Dataset, version: str) -> Callable[[Any], torch.Tensor]:
    transforms = import_torchvision().transforms
    if version == "v2":
        from torchvision.transforms import v2

        to_tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
        kind = v2
    else:
        to_tensor = [transforms.ToTensor()]
        kind = transforms
    return kind.Compose(
        [
            kind.RandomCrop(data.shape[1], padding=SHIFT),
            kind.RandomHorizontalFlip(),
            *to_tensor,
            kind.Normalize(data.mean, data.std),
        ]
    )


def cpu_seconds() -> float:
    spent = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(s.ru_utime + s.ru_stime for s in spent)


def measure(name: str, make: Callable[[], Iterable[Any]], passes: int = 3) -> float:
    """Print and return images per CPU-second, with that of the wall clock beside."""
    best = best_wall = float("inf")
    images = 0
    for _ in range(passes):
        cpu, wall = cpu_seconds(), time.perf_counter()
        images = sum(len(labels) for _, labels in make())
        best = min(best, cpu_seconds() - cpu)
        best_wall = min(best_wall, time.perf_counter() - wall)
    print(f"{name:44} {images / best:10,.0f} / CPU-s {images / best_wall:10,.0f} / s", flush=True)
    return images / best


def main(images: int = 10_000) -> int:
    torch.set_num_threads(1)
    data = builtin(images, 10).train
    ways = {
        f"tutorial, transforms {version}, {workers} workers": DataLoader(
            Pictures(data, tutorial(data, version)), BATCH, shuffle=True, num_workers=workers
        )
        for version, workers in (("v1", 2), ("v2", 2), ("v1", 0))
    }
    theirs = {name: measure(name, lambda loader=loader: loader) for name, loader in ways.items()}
    ours = {}
    for name, augment in {
        "Batches, nothing changed": None,
        "Batches, crop and flip": Augment(crop=SHIFT),
        "Batches, crop, flip, cutout": Augment(crop=SHIFT, cutout=8),
        "Batches, crop, flip, mixup": Augment(crop=SHIFT, mixup=1.0),
        "Batches, crop, flip, rotation": Augment(crop=SHIFT, rotation=10),
        "Batches, all there is": Augment(SHIFT, True, 8, 1.0, 1.0, 0.3, 10),
    }.items():
        batches = Batches(data, BATCH, augment)
        ours[name] = measure(name, lambda batches=batches: batches)
    ratio = ours["Batches, crop and flip"] / theirs["tutorial, transforms v1, 2 workers"]
    print(f"crop and flip against the tutorial way with two workers: {ratio:.1f} (floor {FLOOR:g})")
    return int(ratio < FLOOR)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
