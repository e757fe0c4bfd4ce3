"""A served house for each test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.console.house import Served, open_house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_house(tmp_path) as served:
        yield served
