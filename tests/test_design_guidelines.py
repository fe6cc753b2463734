"""G1 to G4: the networks cost what the equations say, and the verdict follows the speeds."""

import json
from dataclasses import replace

import pytest

from lightcourse.analysis import analyze
from lightcourse.design import Guideline, GuidelineRow, g1, g2, g3, g4
from lightcourse.design._g_networks import BLOCKS, g1_cases, g2_cases, g3_cases, g4_cases
from lightcourse.errors import UserError

TABLES = {"G1": g1_cases, "G2": g2_cases, "G3": g3_cases, "G4": g4_cases}
AREA = 56 * 56


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize("rule", TABLES)
def test_a_table_has_equal_multiply_accumulates(rule: str, gpu: bool) -> None:
    macs = [
        analyze(case.network, (1, case.in_channels, 56, 56), strict=True).macs
        for case in TABLES[rule](gpu)
    ]
    # G4's rows are the same network; the others are rounded to whole channels, as in the paper
    assert max(macs) / min(macs) < (1.0001 if rule == "G4" else 1.07)


@pytest.mark.parametrize(("index", "c1", "c2"), [(0, 128, 128), (2, 52, 312)])
def test_g1_costs_are_equation_1(index: int, c1: int, c2: int) -> None:
    case = list(g1_cases(gpu=True))[index]
    report = analyze(case.network, (1, c1, 56, 56))
    assert report.macs == 2 * BLOCKS * AREA * c1 * c2
    assert report.memory_access == 4 * 2 * BLOCKS * (AREA * (c1 + c2) + c1 * c2)


@pytest.mark.parametrize(("index", "g", "c"), [(2, 4, 256), (3, 8, 360)])
def test_g2_costs_are_equation_2(index: int, g: int, c: int) -> None:
    case = list(g2_cases(gpu=True))[index]
    report = analyze(case.network, (1, c, 56, 56))
    assert report.macs == BLOCKS * AREA * c * c // g
    assert report.memory_access == 4 * BLOCKS * (2 * AREA * c + c * c // g)


def test_g4_rows_differ_only_in_memory_access() -> None:
    access = [analyze(c.network, (1, 32, 56, 56)).memory_access for c in g4_cases(gpu=False)]
    assert access[0] > access[1] > access[3] and access[0] > access[2] > access[3]


@pytest.mark.parametrize("measure", [g1, g2, g3, g4])
def test_measured_beside_the_paper(measure) -> None:
    found = measure(seconds=0.1)
    assert found.rule == measure.__name__.upper()
    assert all(row.speed > 0 and row.macs > 0 for row in found.rows)
    assert "paper GPU" in str(found) and found.verdict in found._repr_html_()
    assert json.loads(json.dumps(found.to_dict()))["rows"][0]["name"] == found.rows[0].name


def made_up(*speeds: float) -> Guideline:
    rows = tuple(
        GuidelineRow(f"row {n}", "8", 100, 100, speed, 200 / (n + 1), 20 / (n + 1))
        for n, speed in enumerate(speeds)
    )
    return Guideline("G9", "a rule", rows, threads=1, best=0, worst=len(rows) - 1)


@pytest.mark.parametrize(
    ("speeds", "says"),
    [
        ((20.0, 15.0, 10.0), "holds here: row 0 ran 2.00 times as fast as row 2 (paper: 3.00"),
        ((10.0, 15.0, 20.0), "does not hold here: row 0 ran 0.50 times"),
        ((10.0, 9.0, 9.9), "makes no difference here"),
        ((20.0, 5.0, 10.0), "The slowest here was row 1."),
    ],
)
def test_the_verdict_follows_the_speeds(speeds: tuple[float, ...], says: str) -> None:
    assert says in made_up(*speeds).verdict


def test_html_escapes() -> None:
    found = replace(made_up(2.0, 1.0), statement="a < b")
    assert "a &lt; b" in found._repr_html_()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: g1(platform="tpu"), "'arm' and for 'gpu'"),
        (lambda: g2(seconds=0), "above 0"),
        (lambda: g3(seconds="a"), "above 0"),
        (lambda: g4(threads=0), "threads"),
    ],
)
def test_mistakes_get_one_sentence(act, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        act()
    assert "\n" not in str(caught.value)
