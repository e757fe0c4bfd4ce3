"""One local cloud for all evaluations that need no sound."""

from collections.abc import AsyncGenerator, Mapping

import pytest_asyncio

from switchboard.evals.cloud import local_cloud


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud() -> AsyncGenerator[Mapping[str, str]]:
    """The environment by which it is found."""
    async with local_cloud(by_voice=False, sessions=40) as found:
        yield found.environment
