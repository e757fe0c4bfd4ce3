"""The town that is rung, for each test that asks for it."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.local.acs.peers import kept
from tests.local.realtime.doubles import Cloud
from tests.phone.ringing import Town, clouded, town


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud, and the identity of this machine in it."""
    with clouded(monkeypatch) as cloud:
        yield cloud


@pytest.fixture
async def there(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Town]:
    async for place in kept(town(cloud, tmp_path)):
        yield place
