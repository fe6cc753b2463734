"""CIFAR and Fashion-MNIST through torchvision's own code, and folders of images."""

import gzip
import hashlib
import io
import math
import pickle
import struct
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from PIL import Image

from lightcourse._torchvision import import_torchvision
from lightcourse.errors import UserError
from lightcourse.training.data import (
    Batches,
    builtin,
    cifar10,
    cifar100,
    fashion_mnist,
    image_folder,
    load,
)

PER_FILE = 20
NOBODY = "http://127.0.0.1:9/nobody-is-here"
OFFER = 'load("builtin")'


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr, where the tests look."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder and the address at which this machine serves it to itself."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder)) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def old_pickle(entry) -> bytes:
    """Pickle as numpy did in 2009: the old name of its module, a dtype's flags as 0 and 1."""
    flags = b"\x89\x88\x87"  # NEWFALSE NEWTRUE TUPLE3
    content = pickle.dumps(entry, protocol=2)
    assert content.count(flags) == 1
    return content.replace(flags, b"K\x00K\x01\x87").replace(b"numpy._core.", b"numpy.core.")


def cifar_file(seed: int, fine: bool) -> dict:
    """One batch file's content in CIFAR's layout: rows of 3072 bytes, red then green then blue."""
    train = builtin(PER_FILE, 10, seed=seed, cache=False).train
    entry = {
        "batch_label": f"batch {seed}",
        "data": train.images.reshape(PER_FILE, -1).numpy(),
        "filenames": [f"{i}.png" for i in range(PER_FILE)],
    }
    labels = train.labels.tolist()
    own = {"fine_labels": labels, "coarse_labels": labels} if fine else {"labels": labels}
    return {**entry, **own}


def cifar_archive(server: tuple[Path, str], kind: str, monkeypatch) -> tuple[type, bytes]:
    """An archive in the format of CIFAR-10 or -100; torchvision is told its checksums."""
    source = getattr(import_torchvision().datasets, kind)
    fine = kind == "CIFAR100"
    names = [name for name, _ in source.train_list + source.test_list]
    files = {name: old_pickle(cifar_file(i, fine)) for i, name in enumerate(names)}
    labels = [f"class {i}" for i in range(100 if fine else 10)]
    meta = {source.meta["key"]: labels, "num_vis": 3072}
    files[source.meta["filename"]] = pickle.dumps(meta, protocol=2)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{source.base_folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    sums = {name: md5(content) for name, content in files.items()}
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(source, part, [[n, sums[n]] for n, _ in getattr(source, part)])
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": sums[source.meta["filename"]]})
    monkeypatch.setattr(source, "tgz_md5", md5(packed.getvalue()))
    folder, address = server
    (folder / source.filename).write_bytes(packed.getvalue())
    monkeypatch.setattr(source, "url", address + source.filename)
    return source, packed.getvalue()


CIFARS = pytest.mark.parametrize(("kind", "read"), [("CIFAR10", cifar10), ("CIFAR100", cifar100)])
# torchvision unpacks without a filter, of which Python 3.12 warns
pytestmark = pytest.mark.filterwarnings("ignore:.*extraction filter.*:DeprecationWarning")


@CIFARS
def test_cifar_is_fetched_checked_unpacked_and_read(
    kind, read, server, tmp_path, monkeypatch, capfd
):
    source, _ = cifar_archive(server, kind, monkeypatch)
    splits = read(tmp_path / "home", download=True)
    assert "%" in capfd.readouterr().err  # torchvision shows how far it is
    files = len(source.train_list)
    wanted = [builtin(PER_FILE, 10, seed=i, cache=False).train for i in range(files + 1)]
    assert torch.equal(splits.train.images, torch.cat([w.images for w in wanted[:-1]]))
    assert torch.equal(splits.train.labels, torch.cat([w.labels for w in wanted[:-1]]))
    assert torch.equal(splits.test.images, wanted[-1].images)
    assert splits.classes[3] == "class 3" and splits.name == read.__name__
    assert splits.train.images.is_contiguous() and splits.shape == (3, 32, 32)
    assert "Krizhevsky 2009" in splits.card()
    images, _ = next(iter(Batches(splits.train, 8)))
    assert images.shape == (8, 3, 32, 32)
    # and once more from the disk, without asking for a download
    monkeypatch.setattr(source, "url", NOBODY)
    again = load(read.__name__, root=tmp_path / "home", train=10, test=10)
    assert len(again.train) == len(again.test) == 10


def test_the_users_folder_is_the_default(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTCOURSE_HOME", str(tmp_path / "home"))
    cifar_archive(server, "CIFAR10", monkeypatch)
    cifar10(download=True)
    assert (tmp_path / "home" / "data" / "cifar-10-batches-py" / "data_batch_1").is_file()


@pytest.mark.parametrize("read", [cifar10, cifar100, fashion_mnist])
def test_nothing_is_downloaded_unless_asked_for(read, tmp_path, monkeypatch):
    def refused(*_args, **_kwargs):
        raise AssertionError("somebody used the network")

    monkeypatch.setattr("urllib.request.urlopen", refused)
    with pytest.raises(UserError) as error:
        read(tmp_path)
    said = str(error.value)
    assert f"is not in {tmp_path}" in said and OFFER in said
    assert f"{read.__name__}(download=True)" in said and " MB" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("read", [cifar10, fashion_mnist])
def test_without_a_network_the_built_in_set_is_offered(read, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    datasets = import_torchvision().datasets
    monkeypatch.setattr(datasets.CIFAR10, "url", NOBODY)
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [f"{NOBODY}/"])
    with pytest.raises(UserError) as error:
        read(tmp_path, download=True)
    assert "could not be downloaded" in str(error.value) and OFFER in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_cut_archive_is_fetched_again_or_said_to_be_broken(server, tmp_path, monkeypatch):
    source, whole = cifar_archive(server, "CIFAR10", monkeypatch)
    home = tmp_path / "home"
    home.mkdir()
    (home / source.filename).write_bytes(whole[: len(whole) // 2])
    served = source.url
    monkeypatch.setattr(source, "url", NOBODY)
    with pytest.raises(UserError) as error:
        cifar10(home, download=True)
    said = str(error.value)
    assert "is broken, and a new one could not be downloaded" in said and OFFER in said
    monkeypatch.setattr(source, "url", served)
    assert len(cifar10(home, download=True).train) == 5 * PER_FILE


def test_an_archive_with_other_bytes_is_refused(server, tmp_path, monkeypatch):
    source, whole = cifar_archive(server, "CIFAR10", monkeypatch)
    (server[0] / source.filename).write_bytes(whole[:-1] + b"?")
    with pytest.raises(UserError) as error:
        cifar10(tmp_path / "home", download=True)
    assert "came, but is not whole" in str(error.value) and OFFER in str(error.value)
    assert not (tmp_path / "home" / source.base_folder).exists()  # nothing of it was unpacked


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_unpacked_files_that_were_changed_are_named(name, server, tmp_path, monkeypatch):
    source, _ = cifar_archive(server, "CIFAR10", monkeypatch)
    home = tmp_path / "home"
    cifar10(home, download=True)
    file = home / source.base_folder / name
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserError) as error:
        cifar10(home)
    said = str(error.value)
    assert f"files in {home / source.base_folder} are not whole" in said and OFFER in said


def test_labels_out_of_range_are_named(server, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "test_training_public.cifar_file", lambda i, fine: {**CIFAR_ROW, "labels": [0] * 4 + [10]}
    )
    cifar_archive(server, "CIFAR10", monkeypatch)
    with pytest.raises(UserError, match="label 10 is out of range: 10 classes"):
        cifar10(tmp_path / "home", download=True)


CIFAR_ROW = {"data": np.zeros((5, 3072), np.uint8), "filenames": [""] * 5}


# Fashion-MNIST


def fashion_files(server: tuple[Path, str], monkeypatch) -> None:
    """Its four files in the idx format, packed as they are served, and their checksums."""
    source = import_torchvision().datasets.FashionMNIST
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    labels = (np.arange(50) % 10).astype(np.uint8)
    served, address = server
    resources = []
    for name, _ in source.resources:
        part = slice(0, 40) if name.startswith("train") else slice(40, 50)
        array = images[part] if "images" in name else labels[part]
        header = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
        content = gzip.compress(header + array.tobytes())
        (served / name).write_bytes(content)
        resources.append((name, md5(content)))
    monkeypatch.setattr(source, "resources", resources)
    monkeypatch.setattr(source, "mirrors", [address])


def test_fashion_mnist_is_grey_and_28_px(server, tmp_path, monkeypatch):
    fashion_files(server, monkeypatch)
    train, test = fashion_mnist(tmp_path / "home", download=True)
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    assert np.array_equal(train.images.numpy(), images[:40, None])
    assert np.array_equal(test.images.numpy(), images[40:, None])
    assert train.shape == (1, 28, 28) and train.classes[9] == "Ankle boot"


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_a_cut_fashion_file_is_named(cut, server, tmp_path, monkeypatch):
    fashion_files(server, monkeypatch)
    home = tmp_path / "home"
    fashion_mnist(home, download=True)
    file = home / "FashionMNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"files in .* are not whole"):
        fashion_mnist(home)


# folders


def picture(file: Path, size=(16, 16), color=(200, 30, 90), mode="RGB") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).convert(mode).save(file)


def zoo(top: Path, n=10, size=(16, 16)) -> Path:
    for i in range(n):
        picture(top / "cat" / f"{i:02}.png", size, (i, 0, 0))
        picture(top / "dog" / "deeper" / f"{i:02}.JPG", size, (0, 0, 200 + i))
    return top


def test_a_folder_for_each_class_is_split(tmp_path, capsys):
    splits = image_folder(zoo(tmp_path / "zoo"), 16)
    assert splits.classes == ("cat", "dog") and splits.name == "zoo"
    assert splits.train.counts == (8, 8) and splits.test.counts == (2, 2)
    cats = [p for part in splits for p in part.images[part.labels == 0][:, :, 3, 4].tolist()]
    assert sorted(cats) == [[i, 0, 0] for i in range(10)]
    assert capsys.readouterr().err == ""  # nothing was resized
    again = image_folder(tmp_path / "zoo", 16, seed=1)
    assert again.fingerprint != splits.fingerprint
    assert load(tmp_path / "zoo", size=16).fingerprint == splits.fingerprint


@pytest.mark.parametrize("name", ["test", "val", "Validation"])
def test_train_and_test_folders_are_kept_apart(name, tmp_path):
    zoo(tmp_path / "train", 6)
    zoo(tmp_path / name, 3)
    (tmp_path / "train" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not an image")
    splits = image_folder(tmp_path, 16)
    assert splits.train.counts == (6, 6) and splits.test.counts == (3, 3)


def test_folders_named_train_and_test_may_be_classes(tmp_path):
    for i in range(5):
        picture(tmp_path / "train" / f"{i}.png")
        picture(tmp_path / "boat" / f"{i}.png")
    assert image_folder(tmp_path, 16).classes == ("boat", "train")


def test_a_train_folder_alone_is_split(tmp_path):
    zoo(tmp_path / "train", 5)
    splits = image_folder(tmp_path, 16, test=0.4)
    assert splits.train.counts == (3, 3) and splits.test.counts == (2, 2)


def test_mixed_sizes_are_brought_to_one_and_that_is_said(tmp_path, capsys):
    zoo(tmp_path, 4)
    picture(tmp_path / "cat" / "wide.png", (60, 20))
    splits = image_folder(tmp_path, 24)
    assert splits.shape == (3, 24, 24)
    said = capsys.readouterr().err
    assert "2 sizes, 16 × 16 px to 60 × 20 px; all were brought to 24 × 24" in said
    assert said.split(": ", 1)[1].strip() in splits.card()


def test_the_middle_is_kept_and_all_of_the_shorter_side(tmp_path):
    zoo(tmp_path, 4)
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(tmp_path / "cat" / "aa.png")
    images = image_folder(tmp_path, 20, test=0.1).train.images
    assert any(bool((image == 255).all()) for image in images)


def test_mixed_sizes_without_a_size_are_named(tmp_path):
    zoo(tmp_path, 4)
    assert image_folder(tmp_path, None).shape == (3, 16, 16)
    picture(tmp_path / "dog" / "wide.png", (60, 20))
    with pytest.raises(UserError) as error:
        image_folder(tmp_path, None)
    assert "wide.png has 60 × 20 px, those before 16 × 16" in str(error.value)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "CMYK", "LA"])
def test_every_kind_of_image_becomes_red_green_blue(mode, tmp_path):
    zoo(tmp_path, 4)
    ending = "tif" if mode == "CMYK" else "png"
    picture(tmp_path / "cat" / f"aa.{ending}", (16, 16), (255, 255, 255), mode)
    whites = (image_folder(tmp_path, 16, test=0.1).train.images == 255).all((1, 2, 3))
    assert int(whites.sum()) == 1


def test_a_photograph_that_lies_on_its_side_is_put_upright(tmp_path):
    zoo(tmp_path, 4)
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, :8] = 250
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° to the right
    Image.fromarray(pixels).save(tmp_path / "cat" / "aa.png", exif=exif)
    images = image_folder(tmp_path, 16, test=0.1).train.images
    assert any(bool((i[:, :8] == 250).all()) and not bool(i[:, 8:].any()) for i in images)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    "harm",
    [cut, lambda file: file.write_text("no image"), lambda file: file.write_bytes(b"")],
)
@pytest.mark.parametrize("name", ["cat/03.png", "dog/deeper/03.JPG"])
def test_an_image_that_cannot_be_read_is_named(harm, name, tmp_path):
    harm(zoo(tmp_path) / name)
    with pytest.raises(UserError) as error:
        image_folder(tmp_path, 16)
    assert str(tmp_path / name) in str(error.value) and "repair it or delete it" in str(error.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda top: None, "there is no folder"),
        (lambda top: top.mkdir(), "has no images in class folders"),
        (lambda top: picture(top / "cat.png"), "has no images in class folders"),
        (lambda top: (zoo(top) / "empty").mkdir(), "the class folder"),
        (lambda top: picture(top / "cat" / "1.png"), "one class only (cat)"),
    ],
)
def test_a_folder_that_will_not_do_is_named(make, words, tmp_path):
    make(tmp_path / "zoo")
    with pytest.raises(UserError) as error:
        image_folder(tmp_path / "zoo")
    assert words in str(error.value) and str(tmp_path / "zoo") in str(error.value)


def test_a_class_without_test_images_is_named(tmp_path):
    zoo(tmp_path / "train")
    picture(tmp_path / "test" / "cat" / "1.png")
    with pytest.raises(UserError, match=r"test/dog has no images"):
        (tmp_path / "test" / "dog").mkdir()
        image_folder(tmp_path)


@pytest.mark.parametrize(("has", "lacks"), [("train", "test"), ("test", "train")])
def test_a_class_in_one_of_the_two_folders_names_the_right_one(has, lacks, tmp_path):
    for part in (has, lacks):
        zoo(tmp_path / part)
    picture(tmp_path / has / "bird" / "1.png")
    with pytest.raises(UserError) as error:
        image_folder(tmp_path)
    bird = tmp_path / has / "bird"
    assert str(error.value) == (
        f"the class bird has the folder {bird} but none in {tmp_path / lacks}; make one with "
        f"images in it, or delete {bird}."
    )


@pytest.mark.parametrize("test", [0, 1, -0.5, "a", math.nan, True])
def test_an_impossible_share_to_test_on_is_named(test, tmp_path):
    with pytest.raises(UserError, match=r"test=.* the share of the images to test on, between 0"):
        image_folder(zoo(tmp_path, 2), test=test)


@pytest.mark.parametrize("size", [0, -3, 2.5, "big", True])
def test_an_impossible_size_is_named(size, tmp_path):
    with pytest.raises(UserError, match="size="):
        image_folder(zoo(tmp_path, 2), size)
