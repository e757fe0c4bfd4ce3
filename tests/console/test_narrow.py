"""Every page of the console on a telephone's screen, in both schemes."""

import pytest
from playwright.sync_api import Browser

from tests.console.gallery import Gallery
from tests.console.looking import look_at_every_empty_page, look_at_every_page

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(180)]

both = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
WIDTH = 390


@both
def test_every_page_is_accessible(browser: Browser, gallery: Gallery, dark: bool) -> None:
    look_at_every_page(browser, gallery, width=WIDTH, dark=dark)


@both
def test_so_is_every_empty_page(browser: Browser, new_house: Gallery, dark: bool) -> None:
    look_at_every_empty_page(browser, new_house, width=WIDTH, dark=dark)
