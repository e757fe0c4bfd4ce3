"""The product on a local cloud of doubles, for each test."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.browser.webrtc.peers import Product, clerk, product
from tests.local.realtime.doubles import Cloud, Doubles, local_cloud
from tests.model.identity import SECRET_HEADER


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Generator[Cloud]:
    """A local cloud, and the identity of this machine in it."""
    doubles = Doubles()
    doubles.mind.script = clerk
    with local_cloud(doubles, identity_header=SECRET_HEADER) as cloud:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{cloud.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", SECRET_HEADER)
        yield cloud


@pytest.fixture
async def home(cloud: Cloud, tmp_path: Path) -> AsyncGenerator[Product]:
    async with product(tmp_path, f"http://127.0.0.1:{cloud.port}") as served:
        yield served
