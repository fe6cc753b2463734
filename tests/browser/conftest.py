"""A real Chromium for the browser tests, a page that must stay clean, and scenes opened in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_tools import FLAGS, Shown, watch
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from lightcourse.viz.demo import find_browser
from lightcourse.viz.scene import Scene

NO_BROWSER = "no Chromium, Chrome or Edge here: install one or set CHROMIUM to its path"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once; without one the tests are skipped and say why."""
    path = find_browser()
    if path is None:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts that are closed after the test."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        options = {"viewport": {"width": 1280, "height": 720}, "offline": True} | options
        made.append(chromium.new_context(**options))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """An offline page that may neither log an error nor ask for anything from a network."""
    opened = open_context().new_page()
    troubles = watch(opened)
    yield opened
    assert troubles == []


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., Shown]:
    """Write a scene as a page, open it, and wait until it is drawn."""

    def open_it(page: Page, scene: Scene, address: str = "", theme: str = "light") -> Shown:
        file = tmp_path / f"{scene.spec['id']}.html"
        file.write_text(scene.html(), encoding="utf-8")
        page.goto(f"{file.as_uri()}#theme={theme}{address}")
        page.wait_for_selector(".lc[data-settled]")
        return Shown(page)

    return open_it
