"""Hostile and slow sides: each is bounded, and no other connection notices."""

import resource
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from switchboard.access.rates import Rate
from switchboard.browser.proxy.early import EarlyMessages
from switchboard.browser.proxy.relay import RelayLimits
from switchboard.browser.proxy.routes import ProxyConfig
from switchboard.browser.sockets import MAX_FRAGMENTS
from tests.browser.proxy.peers import (
    MIB,
    Door,
    VoiceLive,
    closed,
    echo,
    listen,
    proxy,
    voice_live,
)

OPEN = Rate(1_000, 1_000)


def limited(**limits: float | Rate) -> ProxyConfig:
    return ProxyConfig(address_rate=OPEN, user_rate=OPEN, relay=RelayLimits(**limits))  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def undisturbed(door: Door, *, longest_s: float = 0.5) -> AsyncGenerator[None]:
    """Somebody else talks while the block runs, and never waits long for an answer.

    What counts is this process's work, both ends being in it: not what else the machine does.
    """
    async with door.dial("model=neighbour") as neighbour, anyio.create_task_group() as tasks:

        async def talk() -> None:
            number = 0
            while True:
                began = time.process_time()
                await neighbour.send(f"{number}")
                with anyio.fail_after(20):
                    assert await neighbour.recv() == f"{number}"
                assert time.process_time() - began < longest_s
                number += 1
                await anyio.sleep(0.02)

        tasks.start_soon(talk)
        yield
        tasks.cancel_scope.cancel()


async def at_rest(count: Callable[[], int]) -> int:
    """The count, once it has stood still for a while."""
    before = -1
    while (now := count()) != before:
        before = now
        await anyio.sleep(0.4)
    return now


def peak_mib() -> float:
    """The most memory this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_a_message_beyond_the_cap_ends_its_connection_with_1009() -> None:
    async with voice_live() as live, proxy(live) as door, undisturbed(door):
        async with door.dial() as client:
            await client.send("hello")
            await client.recv()
            with suppress(ConnectionClosed):
                await client.send(bytes(4 * MIB + 1))
            assert (await closed(client))[0] == 1009
        await door.until(lambda: 1009 in [code for code, _ in live.closed])
    assert not any(len(message) > 10 for message in live.heard)


async def test_the_cap_counts_fragments_together_and_how_many_there_are() -> None:
    async with voice_live() as live, proxy(live, limited(max_frame_bytes=100_000)) as door:
        async with door.dial() as client:
            with suppress(ConnectionClosed):
                await client.send([b"x" * 60_000, b"x" * 60_000])
            assert (await closed(client))[0] == 1009
        async with door.dial() as client:
            empty = b"\x00\x80\x00\x00\x00\x00"  # a continuation of nothing, masked with zeros
            client.transport.write(b"\x01\x80\x00\x00\x00\x00" + empty * (MAX_FRAGMENTS + 1))
            assert await closed(client) == (1009, "too many fragments")
    assert live.heard == []


async def test_a_message_of_the_service_beyond_the_cap_ends_it_with_1009() -> None:
    async def flood(_: VoiceLive, session: ServerConnection) -> None:
        await session.send(bytes(100_001))
        await session.wait_closed()

    async with voice_live(flood) as live, proxy(live, limited(max_frame_bytes=100_000)) as door:
        assert await door.ending() == (1009, "a message of the service is too large")
        await door.until(lambda: live.closed)
    assert live.closed[0][0] == 1009


async def test_no_client_may_send_more_than_the_page_before_it_is_accepted() -> None:
    """The cap is raised for the proxy's sockets, not for the process."""
    async with voice_live() as live, proxy(live) as door:
        with pytest.raises(InvalidStatus):
            async with door.dial("model=m", origin="https://evil.example"):
                pass
        async with door.dial() as client:
            await client.send(bytes(65_537))
            assert await client.recv() == bytes(65_537)


async def test_a_flood_before_the_service_is_there_is_held_back_and_then_arrives() -> None:
    chunk, chunks = b"x" * 65_536, 400  # 25 MiB, of which one may wait here
    async with (
        voice_live(listen, hold=True) as live,
        proxy(live, limited(early_bytes=MIB, messages=Rate(10_000, 10_000))) as door,
        door.dial() as client,
        anyio.create_task_group() as tasks,
    ):
        sent = 0

        async def flood() -> None:
            nonlocal sent
            for _ in range(chunks):
                await client.send(chunk)
                sent += 1

        tasks.start_soon(flood)
        await door.until(lambda: live.requests)
        await door.until(lambda: sent)
        assert await at_rest(lambda: sent) < chunks  # the rest waits at the client's
        live.answering.set()
        await door.until(lambda: len(live.heard) == chunks)


async def test_a_flood_at_a_service_that_never_answers_ends_with_the_dial() -> None:
    async with (
        voice_live(hold=True) as live,
        proxy(live, limited(dial_s=0.5)) as door,
        door.dial() as client,
    ):
        with suppress(ConnectionClosed), anyio.fail_after(20):
            while True:
                await client.send(b"x" * 65_536)
        assert client.close_code in (4504, 1006)  # it may be cut off in mid-sentence
        await door.until(lambda: door.lines)
    assert door.lines[0]["code"] == 4504


async def test_early_messages_count_even_when_empty_and_one_large_one_is_kept() -> None:
    early = EarlyMessages(1_000)
    assert early.fits("x" * 5_000)
    count = 0
    while early.fits(""):
        early.keep("")
        count += 1
    assert count < 20
    while early:
        early.take()
    assert early.bytes == 0


async def test_a_client_that_reads_slowly_pauses_the_service_and_loses_nothing() -> None:
    sent = 0

    async def pour(_: VoiceLive, session: ServerConnection) -> None:
        nonlocal sent
        for number in range(300):
            await session.send(number.to_bytes(4) + bytes(100_000))
            sent = number + 1
        await session.wait_closed()

    async with voice_live(pour) as live, proxy(live) as door:
        before = peak_mib()
        async with door.dial(max_queue=1) as client:
            await door.until(lambda: sent)
            assert await at_rest(lambda: sent) < 300  # the rest waits at the service's
            for number in range(300):
                assert (await client.recv())[:4] == number.to_bytes(4)
        assert peak_mib() - before < 40


async def test_a_service_that_reads_slowly_pauses_the_client_and_loses_nothing() -> None:
    go = anyio.Event()

    async def dawdle(live: VoiceLive, session: ServerConnection) -> None:
        await go.wait()
        await listen(live, session)

    async with (
        voice_live(dawdle, receive_buffer=65_536) as live,
        proxy(live, limited(messages=Rate(10_000, 10_000))) as door,
        door.dial() as client,
        anyio.create_task_group() as tasks,
    ):
        sent = 0

        async def pour() -> None:
            nonlocal sent
            for number in range(300):
                await client.send(number.to_bytes(4) + bytes(100_000))
                sent = number + 1

        tasks.start_soon(pour)
        await door.until(lambda: sent)
        assert await at_rest(lambda: sent) < 300
        go.set()
        await door.until(lambda: len(live.heard) == 300)
    assert [message[:4] for message in live.heard] == [n.to_bytes(4) for n in range(300)]


async def test_small_messages_too_wait_at_the_client_while_the_service_reads_none() -> None:
    """They go a shorter way, which must not be a way round the pause."""
    go, size = anyio.Event(), 4_000

    async def dawdle(live: VoiceLive, session: ServerConnection) -> None:
        await go.wait()
        await listen(live, session)

    async with (
        voice_live(dawdle, receive_buffer=65_536) as live,
        proxy(live, limited(messages=Rate(100_000, 100_000))) as door,
        door.dial() as client,
        anyio.create_task_group() as tasks,
    ):
        sent = 0

        async def pour() -> None:
            nonlocal sent
            for number in range(8_000):
                await client.send(number.to_bytes(4) + bytes(size - 4))
                sent = number + 1
                await anyio.lowlevel.checkpoint()  # each by itself: none is left to the parser

        tasks.start_soon(pour)
        await door.until(lambda: sent)
        assert await at_rest(lambda: sent) < 8_000  # of 32 MB, sockets hold a few
        go.set()
        await door.until(lambda: len(live.heard) == 8_000)
    assert [message[:4] for message in live.heard] == [n.to_bytes(4) for n in range(8_000)]


async def test_a_client_that_never_reads_is_cut_off_and_nobody_else_notices() -> None:
    async def pour(live: VoiceLive, session: ServerConnection) -> None:
        if "neighbour" in live.path:
            return await echo(live, session)
        while True:
            await session.send(bytes(100_000))

    async with voice_live(pour) as live, proxy(live, limited(stall_s=0.5)) as door:
        async with undisturbed(door):
            await door.until(lambda: live.requests)
            live.requests.append(live.requests[0])
        async with door.dial("model=deaf", max_queue=1) as client:
            client.transport.pause_reading()
            await door.until(lambda: len(door.lines) == 2)
            client.transport.abort()
    assert (door.lines[1]["code"], door.lines[1]["ended_by"]) == (1013, "limit")


async def test_a_service_that_takes_nothing_ends_the_connection() -> None:
    async def deaf(live: VoiceLive, session: ServerConnection) -> None:
        session.transport.pause_reading()
        await live.over.wait()
        session.transport.abort()

    async with (
        voice_live(deaf, receive_buffer=65_536) as live,
        proxy(live, limited(stall_s=0.5)) as door,
        door.dial() as client,
    ):
        with suppress(ConnectionClosed), anyio.fail_after(20):
            while True:
                await client.send(bytes(100_000))
        await door.until(lambda: door.lines)
        live.over.set()
    assert (door.lines[0]["code"], door.lines[0]["ended_by"]) == (4504, "limit")


async def test_a_flood_of_tiny_messages_is_slowed_down_and_nobody_else_notices() -> None:
    async with (
        voice_live() as live,
        proxy(live, limited(messages=Rate(100, 200))) as door,
        undisturbed(door),
        door.dial("model=flood") as client,
        anyio.create_task_group() as tasks,
    ):
        began = anyio.current_time()
        tasks.start_soon(_flood, client)
        await anyio.sleep(1.5)
        await door.until(lambda: live.heard.count(b"!") >= 200)
        assert live.heard.count(b"!") < 250 + 100 * (anyio.current_time() - began)
        tasks.cancel_scope.cancel()
        client.transport.abort()


async def _flood(client: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            client.transport.write(b"\x82\x81\x00\x00\x00\x00!" * 1_000)
            await client.ping()
            await anyio.sleep(0.01)


@asynccontextmanager
async def mute(door: Door) -> AsyncGenerator[SocketStream]:
    """A client that answers no ping."""
    async with await anyio.connect_tcp("127.0.0.1", door.port) as client:
        await client.send(
            b"GET /ws?model=m HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            + f"Host: 127.0.0.1:{door.port}\r\nOrigin: {door.origin}\r\n\r\n".encode()
        )
        assert b" 101 " in await client.receive()
        yield client


async def test_a_slow_upload_that_no_pong_can_overtake_is_waited_for() -> None:
    async with (
        voice_live(listen) as live,
        proxy(live, ping_s=1) as door,
        mute(door) as client,
    ):
        await client.send(b"\x82\xfe" + (1_000).to_bytes(2) + bytes(4))
        for _ in range(20):
            await client.send(bytes(50))
            await anyio.sleep(0.2)
        await door.until(lambda: live.heard == [bytes(1_000)])


async def test_a_client_from_which_nothing_comes_at_all_is_given_up() -> None:
    async with voice_live() as live, proxy(live, ping_s=0.2) as door, mute(door):
        await door.until(lambda: door.lines)
    assert door.lines[0]["ended_by"] == "client"


async def test_a_hundred_at_once_come_and_go_and_leave_no_one_behind() -> None:
    config = ProxyConfig(max_connections=61, address_rate=OPEN, user_rate=OPEN)
    inside, codes, full = 0, list[int | None](), anyio.Event()

    async def knock() -> None:
        nonlocal inside
        async with door.dial() as client:
            with suppress(ConnectionClosed):
                await client.send("hello")
                assert await client.recv() == "hello"
                inside += 1
                await full.wait()
                await client.close()
            codes.append(client.close_code)

    async with voice_live() as live, proxy(live, config) as door:
        async with undisturbed(door, longest_s=5), anyio.create_task_group() as crowd:
            for _ in range(100):
                crowd.start_soon(knock)
            with anyio.fail_after(30):
                while inside + len(codes) < 100:  # noqa: ASYNC110  (plain facts)
                    await anyio.sleep(0.01)
            full.set()
        await door.until(lambda: door.room.active() == 0)
    assert (codes.count(1000), codes.count(1013)) == (60, 40)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 64,  # reserved bits
        b"\x81\x05hello",  # not masked
        b"\x88\x82\x00\x00\x00\x00\x03\xee",  # a close frame with 1006, which may not be sent
        b"\x81\x82\x00\x00\x00\x00\xff\xff",  # no UTF-8
        b"\x89\xfe\x00\x7e" + bytes(130),  # a control frame that is too long
    ],
)
async def test_broken_frames_end_their_connection_only(garbage: bytes) -> None:
    async with voice_live() as live, proxy(live) as door, undisturbed(door):
        async with door.dial("model=bad") as client:
            client.transport.write(garbage)
            assert (await closed(client))[0] in (1002, 1007)
        await door.until(lambda: door.lines)
        assert door.room.active() == 1
