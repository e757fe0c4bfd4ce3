from collections.abc import AsyncGenerator

import pytest

from switchboard_local.acs.people import Phone
from tests.local.acs.peers import CALLER, COLLEAGUE, Town, kept, town


@pytest.fixture
async def quick() -> AsyncGenerator[Town]:
    """A town where calls run ten times as fast as life."""
    async for there in kept(town()):
        yield there


@pytest.fixture
def caller(quick: Town) -> Phone:
    return quick.acs.phone(CALLER)


@pytest.fixture
def colleague(quick: Town) -> Phone:
    return quick.acs.phone(COLLEAGUE)
