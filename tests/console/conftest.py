"""A served house for each test; a gallery of scripted calls for each file, and a browser."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.gallery import Gallery
from tests.console.house import Served, open_house
from tests.page.conftest import CHROMIUM, FLAGS, FRONTEND, built_page

__all__ = ["built_page"]

AXE = FRONTEND / "node_modules/axe-core/axe.min.js"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_house(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def gallery(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    gallery = Gallery(built_page, AXE, tmp_path_factory.mktemp("day"))
    with gallery.serving():
        yield gallery


@pytest.fixture(scope="module")
def new_house(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """Nobody has called yet."""
    gallery = Gallery(built_page, AXE, tmp_path_factory.mktemp("new"), empty=True)
    with gallery.serving():
        yield gallery
