"""The family portrait: who is in it, what is kept, and which networks nothing beats."""

import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from lightcourse.cli import run
from lightcourse.design import _portrait_run, portrait
from lightcourse.design._front import front
from lightcourse.design.portrait import LIGHT, Portrait, candidates, load_portrait
from lightcourse.errors import UserError

FD = ["FD-MobileNet"]


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_what_nothing_beats(seed: int) -> None:
    draw = random.Random(seed)
    points = [(draw.randint(1, 6), draw.randint(1, 6)) for _ in range(draw.randint(1, 12))]

    def beaten(p: tuple[int, int]) -> bool:
        return any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in points)

    best = [points[i] for i in front(points)]
    assert best == sorted(p for p in points if not beaten(p))


def test_every_light_family_is_in_with_exact_counts() -> None:
    rows = candidates()
    assert {row.family for row in rows} == set(LIGHT)
    by_name = {row.variant: row for row in rows}
    assert by_name["MobileNetV2 1.0 @224"].macs == 300_774_272
    assert by_name["FD-MobileNet 1.0x"].top1 == 65.3
    assert not any("Conv MobileNet" in name for name in by_name)  # 4.9 G: not light
    keys = [(row.model, str(row.settings), row.input) for row in rows]
    assert len(keys) == len(set(keys)), "one row for one network"


def test_quick_keeps_the_largest_of_each_model() -> None:
    quick = {row.model: row.variant for row in candidates(quick=True)}
    assert quick["mobilenet_v1"] == "MobileNetV1 1.0 @224"
    assert quick["fd_mobilenet"] == "FD-MobileNet 1.0x"
    assert len(quick) < len(candidates()) / 2


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """Measuring without waiting: every call is noted."""
    calls: list[str] = []

    def stand_in(model, shape, runtime, threads, seconds):
        calls.append(f"{runtime} {list(threads)}")
        return {n: 0.002 / n for n in threads}

    monkeypatch.setattr(_portrait_run, "_run", stand_in)
    return calls


def test_resumed_without_measuring_twice(tmp_path: Path, counted: list[str]) -> None:
    first = portrait.portrait(FD, runtimes=["eager"], threads=[1, 2], out=tmp_path)
    assert counted == ["eager [1, 2]"] * 3
    assert first.rows[0].seconds == {"eager, 1 thread": 0.002, "eager, 2 threads": 0.001}
    journal = tmp_path / "portrait.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:30])  # killed while writing
    again = portrait.portrait(FD, runtimes=["eager"], threads=[1, 2], out=tmp_path)
    assert counted[3:] == ["eager [2]"]
    assert again == first
    portrait.portrait(FD, runtimes=["eager"], threads=[1], seconds=0.7, out=tmp_path)
    assert len(counted) == 7, "other seconds are another measurement"


def test_csv_and_front_and_figure(counted: list[str], tmp_path: Path) -> None:
    found = portrait.portrait(["FD-MobileNet", "SqueezeNet"], runtimes=["eager"], threads=[1])
    table = list(csv.DictReader(io.StringIO(found.to_csv(tmp_path / "p.csv"))))
    assert (tmp_path / "p.csv").read_text() == found.to_csv()
    fd = next(row for row in table if row["variant"] == "FD-MobileNet 0.5x")
    assert (fd["macs"], fd["eager, 1 thread (ms)"]) == ("40132224", "2.0")
    assert json.loads(fd["settings"]) == {"width_mult": 0.5}
    assert int(fd["memory_access"]) > 1e7 and int(fd["peak_activation"]) > 1e6
    # SqueezeNet costs more and reaches less than the full FD-MobileNet, so it is on no front
    assert [row.variant for row in found.front("macs")] == [
        "FD-MobileNet 0.25x", "FD-MobileNet 0.5x", "FD-MobileNet 1.0x",
    ]  # fmt: skip
    assert found.figure("eager, 1 thread")._repr_png_()[:4] == b"\x89PNG"
    assert "top-1" in str(found)


def test_the_front_depends_on_the_cost() -> None:
    small, large = candidates(FD)[0], candidates(FD)[2]
    odd = Portrait((replace(small, seconds={"t": 2.0}), replace(large, seconds={"t": 1.0})), "here")
    assert len(odd.front("macs")) == 2 and len(odd.front("t")) == 1


@pytest.mark.slow
def test_one_network_in_all_runtimes_from_the_command(tmp_path: Path, capsys) -> None:
    out = tmp_path / "portrait"
    call = ["bench", "models", "--family", "mcunet", "--seconds", "0.01", "--out", str(out)]
    assert run(call) == 0
    said = capsys.readouterr()
    assert "MCUNet mbv2-320kB" in said.out and "1 of 1" in said.err
    header = (out / "portrait.csv").read_text().splitlines()[0]
    assert all(f"{runtime}, 1 thread" in header for runtime in portrait.RUNTIMES)
    assert (out / "pareto_macs.png").stat().st_size > 5000
    assert load_portrait(out).rows[0].variant == "MCUNet mbv2-320kB"
    assert run(["bench", "models", "mobilenet_v2"]) == 2


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: candidates(["VGG"]), "no light family"),
        (lambda: portrait.portrait(FD, runtimes=["tflite"]), "no runtime 'tflite'"),
        (lambda: portrait.portrait(FD, seconds=0), "above 0"),
        (lambda: Portrait((), "here").front("price"), "no cost 'price'"),
        (lambda: portrait.portrait(FD, out="/proc/nowhere"), "cannot be used"),
        (lambda: load_portrait("/nowhere/at/all"), "There is no /nowhere"),
        (lambda: load_portrait(__file__), "holds no saved portrait"),
    ],
)
def test_mistakes_get_one_sentence(act, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        act()
    assert "\n" not in str(caught.value)
