"""Scenes inside other people's pages: notebooks, editors, copies, and what they leave alone."""

import pytest
from browser_tools import Shown
from viz_sample import sample_scene

pytestmark = pytest.mark.browser


def notebook(page, *outputs: str, body: str = "") -> None:
    page.set_content(
        f"<!doctype html><html lang=en><title>t</title><body {body}>{''.join(outputs)}"
    )


def test_each_copy_of_an_output_works_alone(page):
    output = sample_scene().inline()
    notebook(page, output, "<style>button{border:9px solid red!important}</style>", output)
    first, second = (Shown(page, f".lightcourse-scene >> nth={i}") for i in (0, 1))
    second.wait("(view) => true")
    first.call("(view) => view.set({ step: 2 })")
    assert (first.state["step"], second.state["step"]) == (2, 0)
    width = first.box.locator(".lc-play").evaluate("(n) => getComputedStyle(n).borderTopWidth")
    assert width == "0px"  # the page's style does not reach in


def test_keys_stay_inside(page):
    notebook(page, "<input id=before>", sample_scene().inline())
    shown = Shown(page)
    shown.wait("(view) => true")
    page.evaluate(
        "window.leaks = []; document.addEventListener('keydown', (e) => leaks.push(e.key))"
    )
    assert shown.host.get_attribute("data-lm-suppress-shortcuts") == "true"
    shown.box.focus()
    for key in ("b", "a", "ArrowRight", "d", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("leaks") == [] and shown.state["step"] == 1
    page.focus("#before")  # and we take none from the page
    page.keyboard.press("ArrowRight")
    assert page.evaluate("leaks") == ["ArrowRight"] and shown.state["step"] == 1


@pytest.mark.parametrize(
    "before,after",
    [
        ('data-jp-theme-light="true"', "document.body.dataset.jpThemeLight = 'false'"),
        (
            "data-vscode-theme-kind=vscode-light",
            "document.body.dataset.vscodeThemeKind = 'vscode-dark'",
        ),
        ("", "document.documentElement.setAttribute('theme', 'dark')"),
    ],
    ids=["jupyterlab", "vscode", "colab"],
)  # fmt: skip
def test_the_host_s_theme_is_followed(page, before, after):
    notebook(page, sample_scene().inline(), body=before)
    shown = Shown(page)
    shown.wait("(view) => true")
    assert shown.box.get_attribute("data-theme") == "light"
    page.evaluate(after)
    page.wait_for_timeout(100)
    assert shown.box.get_attribute("data-theme") == "dark"


def test_the_system_s_theme_is_followed(open_context):
    page = open_context(color_scheme="dark").new_page()
    notebook(page, sample_scene().inline())
    page.wait_for_selector(".lc[data-theme=dark]")
    page.emulate_media(color_scheme="light")
    page.wait_for_selector(".lc[data-theme=light]")


def test_a_scene_that_cannot_be_drawn_says_so_and_keeps_its_picture(page):
    broken = sample_scene().inline().replace('"v":1,', '"v":99,', 1)
    notebook(page, broken)
    page.get_by_role("alert").wait_for()
    assert "another version of lightcourse" in page.get_by_role("alert").inner_text()
    assert page.locator("img").is_visible()
