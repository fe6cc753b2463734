"""The sliding kernel in a real Chromium: hands on the picture and on the output, and its gate."""

import pytest
from browser_tools import middle

from lightcourse import viz

pytestmark = pytest.mark.browser


def side_of(shown):
    """Screen pixels of one of the 24 pixels of the photograph."""
    return shown.mark("photo").bounding_box()["width"] / 24


def cell_at(shown, mark, row, column):
    """The middle of one cell of the photograph or of the output, on the page."""
    box, side = shown.mark(mark).bounding_box(), side_of(shown)
    return box["x"] + (column + 0.5) * side, box["y"] + (row + 0.5) * side


def drag_to(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()


@pytest.mark.parametrize(
    ("padding", "stride", "dilation", "hand", "place"),
    [
        ("1", "1", "1", (5, 20), (5, 20)),
        ("0", "1", "1", (5, 20), (4, 19)),
        ("1", "2", "2", (5, 19), (2, 9)),
    ],
)
def test_the_window_follows_the_hand(page, show, padding, stride, dilation, hand, place):
    scene = viz.sliding_kernel().at(padding=padding, stride=stride, dilation=dilation, step=2)
    shown = show(page, scene)
    drag_to(page, middle(shown.mark("photo")), cell_at(shown, "photo", *hand))
    assert (shown.state["py"], shown.state["px"]) == place
    x, y = cell_at(shown, "photo", *hand)
    window = shown.mark("window").bounding_box()
    # the hand holds the window in its middle, to within half a step
    assert abs(window["x"] + window["width"] / 2 - x) <= int(stride) * side_of(shown) / 2 + 1
    assert abs(window["y"] + window["height"] / 2 - y) <= int(stride) * side_of(shown) / 2 + 1


def test_the_output_cell_follows_the_hand_on_the_output(page, show):
    shown = show(page, viz.sliding_kernel().at(padding="0", stride="2", step=3))
    drag_to(page, middle(shown.mark("ground")), cell_at(shown, "map", 10, 3))
    assert (shown.state["py"], shown.state["px"]) == (10, 3)
    drag_to(page, middle(shown.mark("ground")), cell_at(shown, "map", 40, -20))
    assert (shown.state["py"], shown.state["px"]) == (10, 0)  # outside: the nearest place


def test_arrows_move_the_window_by_one_place(page, show):
    shown = show(page, viz.sliding_kernel().at(stride="3", step=2, py=2, px=2))
    before = shown.mark("window").bounding_box()
    shown.mark("photo").focus()
    page.keyboard.press("ArrowRight")
    assert (shown.state["py"], shown.state["px"]) == (2, 3)
    after = shown.mark("window").bounding_box()
    assert after["x"] - before["x"] == pytest.approx(3 * side_of(shown), abs=0.5)


def test_a_product_says_how_it_was_made(page, show):
    shown = show(page, viz.sliding_kernel().at(step=1))
    page.mouse.move(*middle(shown.mark("product02")))
    words = [shown.mark(f"{name}02_s").text_content() for name in ("pixel", "weight", "product")]
    tip = shown.box.locator(".lc-tip.lc-on").inner_text()
    assert tip == f"{words[0]} × {words[1]} = {words[2]}"
    faded = shown.call("(view) => view.nodes.filter((n) => n.matches('.lc-fade')).length")
    assert faded == 4 * 8  # taps, pixels, weights and products of the eight other places


def test_the_size_stays_secret_until_the_guess(page, show):
    shown = show(page, viz.sliding_kernel().at(padding="0").predict(), "&ask=1")
    page.keyboard.press("End")
    assert shown.state["step"] == 2
    assert not shown.mark("map").is_visible() and not shown.mark("formula").is_visible()
    shown.box.get_by_role("button", name="a little smaller").click()
    assert shown.state["step"] == 3
    assert shown.box.locator(".lc-reply").inner_text().startswith("Right.")
    assert shown.mark("out_s").text_content() == "output, 22×22"


def test_what_pytorch_refuses_is_marked_and_explained(page, show):
    shown = show(page, viz.sliding_kernel().at(padding="same", stride="2", step=3))
    assert "RuntimeError" in shown.box.locator(".lc-warn").inner_text()
    assert "lc-invalid" in shown.box.get_attribute("class")
    assert not shown.mark("map").is_visible()
