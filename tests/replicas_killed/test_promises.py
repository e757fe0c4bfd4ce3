"""Two servers on one PostgreSQL keep their promises, measured as `make bench` does."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bench.replicas import killed, restarted


@pytest.mark.timeout(300)
async def test_when_a_server_is_killed_telephones_go_on_at_another(
    shared_url: str, tmp_path: Path
) -> None:
    found = await killed(shared_url, tmp_path, 2, 2)
    assert found["taken over"] == 2


@pytest.mark.timeout(300)
async def test_also_where_the_carrier_does_not_open_their_media_again(
    shared_url: str, tmp_path: Path
) -> None:
    found = await killed(shared_url, tmp_path, 2, 0, reopens=False)
    assert found["taken over"] == 2


@pytest.mark.timeout(300)
async def test_no_call_is_dropped_while_servers_are_restarted_one_after_the_other(
    shared_url: str, tmp_path: Path
) -> None:
    found = await restarted(shared_url, tmp_path, 2, 2)
    assert found["dropped"] == 0


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scene", [killed, restarted])
async def test_twenty_calls(
    shared_url: str, tmp_path: Path, scene: Callable[..., Awaitable[dict[str, Any]]]
) -> None:
    assert await scene(shared_url, tmp_path, 10, 10)
