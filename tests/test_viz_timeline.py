"""The timeline: every front, number, sentence and question against model_info and plain oracles."""

import re

import pytest
from torch import nn

from lightcourse import viz
from lightcourse.errors import UserError
from lightcourse.models import model_info
from lightcourse.viz.scene import dumps, resolve
from lightcourse.viz.scenes._tim_nets import ENTRIES
from lightcourse.viz.scenes._tim_view import LEAST

KEYS = ("macs", "params")
UNITS = {"k": 1e3, "M": 1e6, "G": 1e9, "": 1.0}


@pytest.fixture(scope="module")
def scene():
    return viz.timeline()


@pytest.fixture(scope="module")
def rows():
    """(name, kind, year, top1 or None, macs, params), straight from model_info."""
    found = []
    for entry in ENTRIES:
        year, row = model_info(entry.model).paper.year, row_of(entry)
        found.append((entry.name, entry.kind, year, row.top1, row.macs, row.params))
    return found


def row_of(entry):
    rows = [r for r in model_info(entry.model).published if r.settings == entry.settings]
    return next(r for r in rows if len(rows) == 1 or r.input == 224)


def drawn(scene, **state):
    return {mark["id"]: mark for mark in scene.at(**state).frame()}


def said(scene, name, **state):
    return str(resolve(scene.spec[name], scene.spec, scene.at(**state).state))


def years_of(scene):
    return scene.spec["tables"]["year_s"]


def beats(one, other, cost):
    """No worse in cost and accuracy, and better in one of them."""
    a, b = one[4 + cost], other[4 + cost]
    return a <= b and one[3] >= other[3] and (a < b or one[3] > other[3])


def front_of(rows, year, cost):
    known = [row for row in rows if row[2] <= year and row[3]]
    return [row for row in known if not any(beats(other, row, cost) for other in known)]


def number(text):
    value, unit = re.fullmatch(r"([\d.]+) ?([kMG]?)", text).groups()
    return float(value) * UNITS[unit]


# -- every state ----------------------------------------------------------------------------------


def test_networks_appear_in_the_year_of_their_paper_and_fill_on_the_front(scene, rows):
    for cost in range(2):
        for y, year in enumerate(years_of(scene)):
            shown, on = drawn(scene, cost=cost, year=y), front_of(rows, year, cost)
            for i, row in enumerate(rows, 1):
                mark = shown[f"net{i}"]
                assert mark["opacity"] == (row[2] <= year)
                assert (mark["fill"] != "bg") == (row in on) or row[2] > year
                assert mark["t"] == ("circle", "rect")[row[1]]
                inset = shown.get(f"in_net{i}")
                assert (inset is None) == (row[3] is None)
                if inset:
                    assert inset["opacity"] == (row[2] <= year)


def test_the_caption_names_the_most_accurate_and_the_cheapest(scene, rows):
    for cost in range(2):
        for y, year in enumerate(years_of(scene)):
            new = [row for row in rows if row[2] == year]
            on = front_of(rows, year, cost)
            for k, least in enumerate(LEAST):
                text = scene.at(cost=cost, year=y, least=k).caption()
                assert text.startswith(f"{year} brings {len(new)} network")
                if not on:
                    assert "no ImageNet accuracy" in text and text.endswith(f"reaches {least} %.")
                    continue
                count = sum(row in on for row in new)
                assert re.search(rf"; ({count}|it|none) (is|are) on the front in", text)
                best = max(on, key=lambda row: row[3])
                assert f"{best[0]}, {best[3]:g} % for " in text
                good = [row for row in on if row[3] >= least]
                if good:
                    cheapest = min(good, key=lambda row: row[4 + cost])
                    found = re.search(r"at least (\d+) % is (now |still |)(.+), ([\d.]+ [kMG]) ",
                                      text)  # fmt: skip
                    assert (int(found[1]), found[3]) == (least, cheapest[0])
                    assert number(found[4]) == pytest.approx(cheapest[4 + cost], rel=0.006)
                else:
                    assert text.endswith(f"None reaches {least} %.")


def test_changes_from_step_to_step_are_the_ratios(scene, rows):
    """`2.3 times as many` and `7.6 times fewer` against the step before."""
    for cost in range(2):
        for y in range(2, len(years_of(scene))):
            before, after = (
                max(front_of(rows, years_of(scene)[k], cost), key=lambda row: row[3])
                for k in (y - 1, y)
            )
            text = scene.at(cost=cost, year=y).caption()
            if before == after:
                assert f"Most accurate is still {after[0]}" in text
                continue
            change = r"([\d.]+) points more than (.+?) with ([\d.]+) times (as many|fewer)"
            found = re.search(change, text)
            assert found[2] == before[0]
            assert float(found[1]) == pytest.approx(after[3] - before[3], abs=0.051)
            ratio = after[4 + cost] / before[4 + cost]
            assert (ratio >= 1) == (found[4] == "as many")
            assert float(found[3]) == pytest.approx(max(ratio, 1 / ratio), rel=0.06)


def test_heights_follow_the_numbers(scene, rows):
    for y, column in ((0, 3), (1, 5), (2, 4)):
        shown = drawn(scene, y=y)
        places = []
        for i, row in enumerate(rows, 1):
            if row[column] is None:
                continue
            mark = shown[f"net{i}"]
            places.append((row[column], -mark.get("cy", mark.get("y", 0) + 6.5)))
        places.sort()
        assert [p[1] for p in places] == pytest.approx(sorted(p[1] for p in places), abs=0.11)
        ticks = [(m["s"], m["y"] - 6) for n, m in shown.items()
                 if re.fullmatch(r"tick\d_s", n) and m["opacity"]]  # fmt: skip
        assert len(ticks) >= 4
        top, bottom = max(ticks, key=lambda t: -t[1]), min(ticks, key=lambda t: -t[1])
        assert number(top[0]) > number(bottom[0])


def test_the_panel_shows_printed_and_counted_numbers_and_missing_ones_as_missing(scene, rows):
    for i, (entry, row) in enumerate(zip(ENTRIES, rows, strict=True), 1):
        shown, known, info = drawn(scene, pick=i), row_of(entry), model_info(entry.model)
        assert shown["name"]["s"] == row[0]
        assert shown["where"]["s"] == f"{row[2]}, {info.paper.where}"
        assert f"{shown['added0']['s']} {shown['added1']['s']}".strip() == entry.added
        assert shown["params_c"]["s"] == f"{row[5]:,}" and shown["macs_c"]["s"] == f"{row[4]:,}"
        assert shown["input_c"]["s"] == f"{known.input}×{known.input}"
        for key, printed in (("params", known.params_M), ("macs", known.macs_M)):
            text = shown[f"{key}_p"]["s"]
            assert text == "none" if printed is None else number(text) == printed * 1e6
        assert shown["top1_p"]["s"] == ("none" if row[3] is None else f"{row[3]:g} %")
        source = {"memory": "recalled"}.get(known.known_from, known.known_from)
        assert shown["top1_c"]["s"] == (source if row[3] else "no ImageNet run")
    assert drawn(scene, pick=1)["net1"]["stroke-dasharray"] == "4 3"


def test_verdicts_name_a_network_that_really_beats(scene, rows):
    by_name = {row[0]: row for row in rows}
    for cost in range(2):
        for y, year in enumerate(years_of(scene)):
            for i, row in enumerate(rows, 1):
                if row[2] > year:
                    continue
                text = drawn(scene, cost=cost, year=y, pick=i)["verdict"]["s"]
                if row[3] is None:
                    assert text == "without an accuracy, on no front"
                elif row in front_of(rows, year, cost):
                    assert text == f"on the front of {year}"
                else:
                    other = by_name[text.removeprefix("beaten by ")]
                    assert beats(other, row, cost) and other[2] <= year


def test_a_network_of_later_years_is_not_shown_before(scene, rows):
    for i, row in enumerate(rows, 1):
        for y, year in enumerate(years_of(scene)):
            name = drawn(scene, year=y, pick=i)["name"]["s"]
            if row[2] <= year:
                assert name == row[0]
            else:  # the best of the year instead
                new = [r for r in rows if r[2] == year]
                assert name == max(new, key=lambda r: r[3] or 0)[0]


def test_the_staircase_stands_on_the_front(scene, rows):
    for cost in range(2):
        for y, year in enumerate(years_of(scene)):
            shown = drawn(scene, cost=cost, year=y)
            corners = re.findall(r"[ML]([\d.]+) ([\d.]+)", shown["front"]["d"])
            for row in front_of(rows, year, cost):
                mark = shown[f"in_net{1 + rows.index(row)}"]
                x = mark.get("cx", mark.get("x", 0) + 5.5)
                y_ = mark.get("cy", mark.get("y", 0) + 5.5)
                assert any(abs(float(a) - x) < 0.2 and abs(float(b) - y_) < 0.2 for a, b in corners)
            if y:
                assert (
                    shown["front_before"]["d"] == drawn(scene, cost=cost, year=y - 1)["front"]["d"]
                )


# -- words, code, question ------------------------------------------------------------------------


@pytest.mark.parametrize("i", [1, 2, 9, 12, 17, 26])
def test_counts_are_those_of_the_model_itself(scene, i):
    entry, shown = ENTRIES[i - 1], drawn(scene, pick=i)
    info = model_info(entry.model, **entry.settings)
    assert shown["params_c"]["s"] == f"{info.params:,}"
    assert shown["macs_c"]["s"] == f"{info.macs:,}"
    assert shown["input_c"]["s"] == f"{info.input[1]}×{info.input[2]}"


@pytest.mark.parametrize("entry", ENTRIES[:1] + ENTRIES[16:18], ids=lambda e: e.name)
def test_the_code_builds_the_network_that_is_shown(scene, entry, capsys):
    i = 1 + ENTRIES.index(entry)
    names = {}
    exec(said(scene, "code", pick=i), names)
    assert isinstance(names["model"], nn.Module)
    counted = sum(p.numel() for p in names["model"].parameters())
    assert f"{counted:,}" == drawn(scene, pick=i)["params_c"]["s"]
    assert f"{counted:,} parameters" in capsys.readouterr().out


def test_networks_stand_in_the_order_of_their_papers(scene, rows):
    order = [re.search(r"arXiv (\d{4}\.\d+)", model_info(e.model).paper.where) for e in ENTRIES]
    numbers = [float(found[1]) for found in order if found]
    assert numbers[:-1] == sorted(numbers[:-1]) or numbers == sorted(numbers)
    places = scene.spec["tables"]["px"][1:]
    assert places == sorted(places) and len(set(places)) == len(rows)


def test_what_was_added_fits_in_two_lines():
    for entry in ENTRIES:
        lines = said_lines(entry.added)
        assert len(lines) <= 2, entry


def said_lines(words):
    from lightcourse.viz.scenes._tim_words import _lines

    return [line for line in _lines(words) if line]


def test_the_answer_follows_from_the_counts(scene, rows):
    ask = scene.spec["ask"]
    years = years_of(scene)
    assert years[ask["from"] - 1] == 2016
    then, now = (
        min((r for r in rows if r[2] <= year and (r[3] or 0) >= 70), key=lambda r: r[4])
        for year in (2016, years[-1])
    )
    ratio = then[4] / now[4]
    limits = {"about as many": (0, 1.5), "about half": (1.5, 3), "about a fifth": (3, 10),
              "less than a tenth": (10, 1e9)}  # fmt: skip
    low, high = limits[ask["options"][ask["answer"]]]
    assert low <= ratio < high
    assert all(then[0] in reply and now[0] in reply for reply in ask["replies"])
    hidden = scene.predict()
    assert hidden.state["year"] == ask["from"] - 1
    for i, row in enumerate(rows, 1):
        if row[2] > 2016:
            shown = drawn(hidden, pick=i)
            assert shown[f"net{i}"]["opacity"] == 0 and shown["name"]["s"] != row[0]


def test_height_and_cost_are_chosen_by_name():
    scene = viz.timeline("MACs", "parameters")
    assert (scene.state["y"], scene.state["cost"]) == (2, 1)
    with pytest.raises(UserError, match="speed"):
        viz.timeline("speed")
    with pytest.raises(UserError, match="cost='time'"):
        viz.timeline(cost="time")


def test_the_specification_is_small(scene):
    assert len(dumps(scene.spec).encode()) < 100_000 and len(scene.spec["marks"]) < 200
