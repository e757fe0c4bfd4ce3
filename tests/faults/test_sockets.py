"""Sockets that say nothing, or half of something: the server keeps serving, and they go."""

import logging
import resource
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteReceiveStream

from switchboard import descriptors
from switchboard.browser.requests import BoundedRequests
from tests.test_app import ROOT, Served, open_house, say


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@asynccontextmanager
async def half_open(home: Served, count: int) -> AsyncGenerator[ByteReceiveStream]:
    """So many connections of another process; what it says of them."""
    command = [sys.executable, "-m", "tests.faults.halves", str(home.port), str(count)]
    async with await anyio.open_process(command, cwd=ROOT, stderr=None) as halves:
        assert halves.stdout is not None
        try:
            await says(halves.stdout, b"open\n", 150)
            yield halves.stdout
        finally:
            if halves.returncode is None:
                halves.kill()


async def says(halves: ByteReceiveStream, wanted: bytes, within_s: float) -> None:
    with anyio.fail_after(within_s):
        assert await halves.receive() == wanted


async def survives(home: Served, count: int) -> None:
    placed = await home.place()
    async with home.dial(placed) as page, half_open(home, count) as halves:
        await say(page, "Meanwhile")
        assert (await home.http.get("/livez", timeout=60)).status_code == 200
        async with home.dial(await home.place()) as other:
            await say(other, "Let me in")
        await says(halves, b"gone\n", 120)
        await say(page, "And after", "t2")


async def test_hundreds_of_half_open_sockets_keep_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedRequests, "head_s", 3.0)
    async with open_house(tmp_path) as home:
        await survives(home, 400)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_ten_thousand_half_open_sockets_keep_nobody_out(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 11_000:
        pytest.skip("this machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 11_000), hard))
    try:
        async with open_house(tmp_path) as home:
            await survives(home, 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_process_without_open_files_says_so_and_serves_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "LOOK_S", 0.05)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def until_said(words: str) -> None:
        with anyio.fail_after(60):
            while words not in caplog.messages:  # noqa: ASYNC110  (a log has no event)
                await anyio.sleep(0.02)

    async with open_house(tmp_path) as home:
        placed = await home.place()
        async with home.dial(placed) as page:
            with caplog.at_level(logging.INFO):
                held = open_files()
                resource.setrlimit(resource.RLIMIT_NOFILE, (held + 2, hard))
                try:
                    await until_said("no open files are left")
                    await say(page, "Meanwhile")  # who is there stays
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                await until_said("open files are left again")
            await home.place()
