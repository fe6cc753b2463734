"""Pictures of your own: a folder with one folder of images for each class."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lightcourse.errors import UserError
from lightcourse.training.data._dataset import Dataset, Splits

if TYPE_CHECKING:
    from PIL import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
TESTS = ("test", "val", "valid", "validation")
LAYOUT = "a folder for each class with images in it, as photos/cat/1.jpg and photos/dog/1.jpg"
Named = list[tuple[Path, int]]
Size = tuple[int, int]


def image_folder(
    path: str | PathLike[str],
    size: int | None = 64,
    *,
    test: float = 0.2,
    seed: int = 0,
    progress: bool = True,
) -> Splits:
    """Read images as (N, 3, size, size); the name of an image's folder is its class.

    `path` holds a folder for each class, or the folders train and test (or val) which do. Without a
    test folder, `test` is the share of each class to test on, drawn with the seed. Every image is
    made smaller or larger until it covers a square of `size` px, and what sticks out on two sides
    is left out; with size=None all images must have the same size, and keep it.

    Raises:
        UserError: no such folder, no images, one class only, an image that cannot be read (it is
            named), or images of different sizes with size=None.
    """
    top = Path(path).expanduser()
    if not top.is_dir():
        raise UserError(f"there is no folder {top}; give {LAYOUT}.")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise UserError(f"size={size!r} does not work; give pixels a side, as 64, or None.")
    number = isinstance(test, int | float) and not isinstance(test, bool)
    if not number or not 0 < test < 1:
        raise UserError(
            f"test={test!r} does not work; give the share of the images to test on, between 0 and "
            "1, as 0.2."
        )
    folders = _parts(top)
    classes = tuple(sorted({c.name for folder in folders for c in _inside(folder)}))
    named = [_images(folder, classes, folders) for folder in folders]
    if not any(named):
        raise UserError(f"{top} has no images in class folders; give {LAYOUT}.")
    if len(classes) < 2:
        raise UserError(
            f"{top} has one class only ({', '.join(classes)}): nothing can be told apart; "
            f"give {LAYOUT}."
        )
    sizes: dict[Size, int] = {}
    parts = [_read(some, size, sizes, progress) for some in named]
    about = _said(top, size, sizes)
    data = [Dataset(images, labels, classes, top.resolve().name, about) for images, labels in parts]
    return Splits(*data) if len(data) == 2 else data[0].split(1 - test, seed)


def _inside(folder: Path) -> list[Path]:
    """The folders in a folder, but not hidden ones, as notebooks leave them behind."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _parts(top: Path) -> list[Path]:
    """[train, test] where there are such folders with folders in them, else [train] or [top]."""
    names = {p.name.lower(): p for p in _inside(top) if _inside(p)}
    if "train" not in names:
        return [top]
    return [names["train"], *[names[t] for t in TESTS if t in names][:1]]


def _images(folder: Path, classes: tuple[str, ...], folders: list[Path]) -> Named:
    """The images of each class and the class's number, in the order of their names."""
    found: Named = []
    for label, name in enumerate(classes):
        files = (folder / name).rglob("*")
        mine = sorted(f for f in files if f.suffix.lower() in ENDINGS and f.is_file())
        if not (folder / name).is_dir():
            has = next(f for f in folders if (f / name).is_dir())
            raise UserError(
                f"the class {name} has the folder {has / name} but none in {folder}; make one with "
                f"images in it, or delete {has / name}."
            )
        if not mine:
            raise UserError(
                f"the class folder {folder / name} has no images ({', '.join(ENDINGS)}); "
                "put some in, or delete it."
            )
        found += [(file, label) for file in mine]
    return found


def _read(
    named: Named, size: int | None, sizes: dict[Size, int], progress: bool
) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, H, W) and labels; counts in `sizes` how large the files were."""
    images: Tensor | None = None
    for i, (file, _) in enumerate(_shown(named, progress)):
        picture, was = _open(file, size)
        sizes[was] = sizes.get(was, 0) + 1
        if size is None and len(sizes) > 1:
            raise _mixed(file, sizes)
        if images is None:
            images = _room(len(named), (picture.shape[0], picture.shape[1]))
        images[i] = torch.from_numpy(picture).permute(2, 0, 1)
    assert images is not None  # a class folder without images was refused before
    return images, torch.tensor([label for _, label in named])


def _room(count: int, size: Size) -> Tensor:
    try:
        return torch.empty((count, 3, *size), dtype=torch.uint8)
    except RuntimeError as error:
        need = count * 3 * size[0] * size[1] / 1e9
        raise UserError(
            f"{count:,} images of {size[0]} × {size[1]} px need {need:.1f} GB of memory, more than "
            "there is; choose a smaller size or fewer images."
        ) from error


def _open(file: Path, size: int | None) -> tuple[np.ndarray, Size]:
    """Return one image, (H, W, 3) uint8, and the width and height that it had."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as opened:
            # a photograph may say that it lies on its side
            upright = ImageOps.exif_transpose(opened)
            was = upright.size
            return np.array(_square(_rgb(upright), size)), was
    # a broken PNG ends in a SyntaxError
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"the image {file} cannot be read ({error}); repair it or delete it."
        ) from error


def _rgb(image: Image.Image) -> Image.Image:
    # a palette may hold transparency, which only RGBA can take over
    return (image.convert("RGBA") if image.mode == "P" else image).convert("RGB")


def _square(image: Image.Image, size: int | None) -> Image.Image:
    """Cover a square: resize the shorter side to `size`, keep the middle of the longer one."""
    from PIL import Image, ImageOps

    if size is None or image.size == (size, size):
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def _mixed(file: Path, sizes: dict[Size, int]) -> UserError:
    (first, _), (second, _) = list(sizes.items())[:2]
    return UserError(
        f"images have different sizes: {file} has {second[0]} × {second[1]} px, those before "
        f"{first[0]} × {first[1]}; say to which size all shall be brought, as size=64."
    )


def _said(top: Path, size: int | None, sizes: dict[Size, int]) -> str:
    """Return the card; where sizes differed, say on stderr what was done to the images."""
    about = f"Images from {top}, red, green and blue."
    if size is None or set(sizes) == {(size, size)}:
        return about
    least, most = min(sizes, key=lambda s: s[0] * s[1]), max(sizes, key=lambda s: s[0] * s[1])
    were = f"{least[0]} × {least[1]} px"
    if least != most:
        were = f"{len(sizes)} sizes, {were} to {most[0]} × {most[1]} px"
    done = f"The files have {were}; all were brought to {size} × {size}, the middle of each kept."
    print(f"{top.name}: {done}", file=sys.stderr)
    return f"{about} {done}"


def _shown(named: Named, progress: bool) -> Iterable[tuple[Path, int]]:
    """The same, with a bar on a terminal where reading takes long."""
    if not progress or len(named) < 500 or not sys.stderr.isatty():
        return named
    from rich.console import Console
    from rich.progress import track

    return track(named, "reading images", console=Console(stderr=True), transient=True)
