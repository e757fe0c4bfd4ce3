"""The proxy does what its modes say: or what the others prove with it would be nothing."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.faults.proxy import NOISE, FaultProxy, Mode, fault_proxy

type Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1_000):
        writer.write(data)
    writer.close()


@pytest.fixture
async def proxy() -> AsyncGenerator[FaultProxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with fault_proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def dial(proxy: FaultProxy) -> Line:
    return await asyncio.open_connection("127.0.0.1", proxy.door)


async def heard(line: Line, said: bytes = b"hello") -> bytes:
    line[1].write(said)
    return await asyncio.wait_for(line[0].read(1_000_000), 10)


async def test_it_lets_through(proxy: FaultProxy) -> None:
    line = await dial(proxy)
    assert await heard(line) == b"hello"
    line[1].close()


async def test_whoever_comes_to_one_that_refuses_is_reset(proxy: FaultProxy) -> None:
    proxy.turn(Mode.REFUSE)
    line = await dial(proxy)
    with pytest.raises(ConnectionError):
        await heard(line)


async def test_a_machine_that_is_gone_answers_nobody_and_comes_back_without_a_memory(
    proxy: FaultProxy,
) -> None:
    old = await dial(proxy)
    assert await heard(old) == b"hello"
    proxy.turn(Mode.GONE)
    old[1].write(b"lost?")
    knocking = asyncio.create_task(dial(proxy))
    async with asyncio.timeout(10):
        while proxy.tried == 1:  # noqa: ASYNC110  (the kernel's own table)
            await asyncio.sleep(0.01)
    waiting = asyncio.create_task(old[0].read(10))
    done, _ = await asyncio.wait([knocking, waiting], timeout=0.5)
    assert not done
    proxy.turn(Mode.PASS)
    async with asyncio.timeout(10):
        new = await knocking  # it knocked again
        with pytest.raises(ConnectionError):
            await waiting
    assert await heard(new) == b"hello"
    for line in (old, new):
        line[1].close()


async def test_a_hole_swallows_all_and_gives_it_back_when_it_closes(proxy: FaultProxy) -> None:
    line = await dial(proxy)
    assert await heard(line) == b"hello"
    proxy.turn(Mode.HOLE)
    line[1].write(b"lost?")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line[0].read(10), 0.2)
    assert proxy.asked == len(b"lost?")
    proxy.turn(Mode.PASS)
    assert await asyncio.wait_for(line[0].read(10), 10) == b"lost?"
    line[1].close()


async def test_noise_is_all_that_is_heard(proxy: FaultProxy) -> None:
    proxy.turn(Mode.NOISE)
    line = await dial(proxy)
    assert await heard(line) == NOISE
    line[1].close()


async def test_a_slow_one_says_it_bit_by_bit(proxy: FaultProxy) -> None:
    proxy.turn(Mode.SLOW)
    line = await dial(proxy)
    assert len(await heard(line, bytes(500))) < 100
    line[1].close()


@pytest.mark.parametrize("reset", [True, False])
async def test_what_is_open_can_be_cut(proxy: FaultProxy, reset: bool) -> None:
    line = await dial(proxy)
    assert await heard(line) == b"hello"
    assert proxy.cut(reset=reset) == 1
    if reset:
        with pytest.raises(ConnectionError):
            await line[0].read(10)
    else:
        assert await line[0].read(10) == b""
    line[1].close()
