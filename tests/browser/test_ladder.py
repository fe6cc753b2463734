"""The resolution ladder and the factorisation in a real browser: dragged, by mouse and by keys."""

import itertools

import pytest
from browser_tools import middle
from torch import nn

from lightcourse import viz
from lightcourse.viz.scene import clamp, frame

pytestmark = pytest.mark.browser

TWINS = """(view, states) => states.map((s) => {
    view.set(s, { smooth: false, quiet: true }); return [view.state, view.frame()]; })"""


def agree(shown, scene, states):
    for state, (theirs, drawn) in zip(states, shown.call(TWINS, states), strict=True):
        assert theirs == state
        assert drawn == frame(scene.spec, state), state


def pull(page, mark, dx, dy=0):
    """Drag the middle of a mark by so many px of the page."""
    x, y = middle(mark)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()


def test_every_ladder_is_drawn_alike_by_javascript_and_python(page, show):
    scene = viz.resolution_ladder()
    shown = show(page, scene)
    moves = [dict(zip(("h2", "h3", "h4", "h5"), m, strict=True))
             for m in itertools.combinations_with_replacement(range(4), 4)]  # fmt: skip
    agree(shown, scene, [clamp(scene.spec, {"size": 5, "mode": 1, **m}) for m in moves])


def test_halvings_are_dragged_on_the_picture_and_push_each_other(page, show):
    shown = show(page, viz.resolution_ladder())
    box = shown.mark("layer2").bounding_box()
    pitch = middle(shown.mark("layer3"))[0] - middle(shown.mark("layer2"))[0]
    assert box
    pull(page, shown.mark("handle5"), -2 * pitch)
    assert [shown.state[f"h{n}"] for n in (2, 3, 4, 5)] == [0, 1, 1, 1]
    shown.settle()
    assert middle(shown.mark("handle5"))[0] == pytest.approx(middle(shown.mark("layer6"))[0], abs=1)
    pull(page, shown.mark("handle4"), 3 * pitch)
    assert shown.state["h4"] == 1, "a halving stops at the next one"
    pull(page, shown.mark("handle5"), -9 * pitch)
    assert [shown.state[f"h{n}"] for n in (2, 3, 4, 5)] == [0, 0, 0, 0]
    assert "fast" in shown.box.locator(".lc-caption [aria-live]").inner_text()
    assert "h5=0" in page.url


def test_halvings_sizes_and_presets_by_keys(page, show):
    shown = show(page, viz.resolution_ladder())
    shown.mark("handle2").focus()
    assert "Halving 2 of 5, in layer 2" in shown.mark("handle2").get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    assert shown.state["h2"] == 1
    page.keyboard.press("ArrowRight")
    assert shown.state["h2"] == 1, "the third halving stands in the way"
    shown.mark("ruler_touch").focus()
    page.keyboard.press("ArrowRight")
    assert shown.state["size"] == 5
    assert "Input of 225 px" in shown.mark("ruler_touch").get_attribute("aria-label")
    shown.mark("preset2").focus()
    page.keyboard.press("Enter")
    assert [shown.state[f"h{n}"] for n in (2, 3, 4, 5)] == [3, 3, 3, 3]


def test_the_input_size_is_dragged_on_its_ruler(page, show):
    shown = show(page, viz.resolution_ladder())
    first, second = (middle(shown.mark(f"tick{i}"))[0] for i in (0, 1))
    y = middle(shown.mark("knob"))[1]
    page.mouse.move(middle(shown.mark("knob"))[0], y)
    page.mouse.down()
    page.mouse.move(second, y, steps=5)
    assert shown.state["size"] == 1
    page.mouse.move(first - 300, y, steps=3)
    page.mouse.up()
    assert shown.state["size"] == 0
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert "only padding" in shown.box.locator(".lc-warn [role=status]").inner_text()


def test_225_px_stays_closed_until_it_is_predicted(page, show):
    shown = show(page, viz.resolution_ladder(), "&ask=1")
    page.keyboard.press("ArrowRight")
    assert shown.state["size"] == 4
    page.mouse.click(*middle(shown.mark("tick7")))
    assert shown.state["size"] == 4
    shown.box.get_by_role("button", name="7×7").click()
    assert shown.state["size"] == 5
    assert "Not quite" in shown.box.locator(".lc-reply [aria-live]").inner_text()


def test_channels_and_map_of_a_convolution_are_dragged(page, show):
    scene = viz.factorisation()
    shown = show(page, scene, "&step=1")
    shown.settle()
    pull(page, shown.mark("corner"), 0, -1000)
    assert (shown.state["cin"], shown.state["cout"]) == (2, 0)
    shown.settle()
    assert "1/16 + 1/9" in shown.box.locator(".lc-caption [aria-live]").inner_text()
    pull(page, shown.mark("corner"), 1000, 1000)
    assert (shown.state["cin"], shown.state["cout"]) == (3, 4)
    shown.settle()
    corner, outline = middle(shown.mark("corner")), shown.mark("outline").bounding_box()
    assert outline
    assert corner == pytest.approx(
        (outline["x"] + outline["width"], outline["y"] + outline["height"]), abs=2
    )
    shown.mark("corner").focus()
    page.keyboard.press("ArrowLeft")
    assert (shown.state["cin"], shown.state["cout"]) == (2, 4)
    pull(page, shown.mark("map_knob"), -1000)
    assert shown.state["h"] == 0, "the knob lets the pointer through to the ruler"


@pytest.mark.parametrize("own", [False, True])
def test_every_factorisation_is_drawn_alike_by_javascript_and_python(page, show, own):
    scene = viz.factorisation(nn.Conv2d(3, 32, 3), 112) if own else viz.factorisation()
    shown = show(page, scene)
    last = {p["name"]: p["n"] - 1 for p in scene.spec["params"] if "n" in p}
    ends = [{name: value for name, value in last.items() if name != "step"}, {"cout": 0}]
    states = [clamp(scene.spec, {"step": s, "k": k, **end})
              for s in range(6) for k in range(4) for end in ends]  # fmt: skip
    agree(shown, scene, states)


def test_playing_takes_the_convolution_apart(page, show):
    shown = show(page, viz.factorisation())
    shown.box.locator(".lc-play").click()
    shown.wait("(view) => view.state.step >= 1")
    shown.box.locator(".lc-play").click()
    shown.settle()
    assert shown.mark("name1").text_content() == "pointwise 1×1"
    assert shown.mark("part1").is_visible() and not shown.mark("part2").is_visible()


def test_an_own_network_shows_where_it_does_not_run(page, show):
    head = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Flatten(), nn.Linear(8 * 16 * 16, 2))
    scene = viz.resolution_ladder(head, sizes=[32, 64])
    shown = show(page, scene)
    agree(shown, scene, [{"size": 0}, {"size": 1}])
    assert "lc-invalid" in shown.box.get_attribute("class")
