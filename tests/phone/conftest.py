"""The town that is rung, for each test that asks for it."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from switchboard.records.store import Store, sqlite_url
from tests.local.acs.peers import kept
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud
from tests.model.identity import SECRET_HEADER
from tests.phone.ringing import Town, teller, town


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud, and the identity of this machine in it."""
    doubles = Doubles()
    doubles.mind.script = teller
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        yield cloud


@pytest.fixture
async def there(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Town]:
    async for place in kept(town(cloud, tmp_path)):
        yield place


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with Store(sqlite_url(tmp_path)).opened() as store:
        yield store
