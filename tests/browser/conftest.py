"""A served browser room for each test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.browser.peers import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as served:
        yield served
