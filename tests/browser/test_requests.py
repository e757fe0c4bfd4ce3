"""Requests whose head has no end, or takes for ever: raw bytes against the product's stack."""

import socket
from collections.abc import AsyncGenerator

import anyio
import pytest
from anyio.abc import SocketStream
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from switchboard.browser.requests import HEAD_BYTES, BoundedRequests
from tests.browser.peers import serving

type Address = tuple[str, int]
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SOON_S = 0.3


@pytest.fixture
async def door() -> AsyncGenerator[Address]:
    app = FastAPI()

    @app.get("/")
    async def here() -> str:
        return "here"

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @app.get("/slow")
    async def slow() -> StreamingResponse:
        async def words() -> AsyncGenerator[str]:
            yield "begun "
            await anyio.sleep(2 * SOON_S)
            yield "done"

        return StreamingResponse(words())

    listening = socket.create_server(("127.0.0.1", 0))
    async with serving(app, listening):
        yield listening.getsockname()


async def answer(client: SocketStream, *, until: bytes) -> bytes:
    said = b""
    with anyio.fail_after(20):
        while until not in said:
            said += await client.receive()
    return said


async def gone(client: SocketStream) -> bytes:
    """What is still said before the connection is cut."""
    said = b""
    with anyio.fail_after(20):
        try:
            while True:
                said += await client.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return said


def exactly(size: int) -> bytes:
    """A whole head of so many bytes."""
    start, end = HEAD + b"a: ", b"\r\n\r\n"
    return start + b"b" * (size - len(start) - len(end)) + end


@pytest.mark.parametrize(
    "start",
    [b"GET /", HEAD + b"a: ", HEAD + b"a", b"\r\n"],
    ids=["target", "value", "name", "before"],
)
async def test_a_head_without_end_is_refused(door: Address, start: bytes) -> None:
    more = b"\r\n" * HEAD_BYTES if start == b"\r\n" else b"b" * 2 * HEAD_BYTES
    async with await anyio.connect_tcp(*door) as client:
        await client.send(start + more)
        assert (await gone(client)).startswith(b"HTTP/1.1 431 ")


async def test_many_short_headers_are_as_long_as_one(door: Address) -> None:
    async with await anyio.connect_tcp(*door) as client:
        await client.send(HEAD + b"a: b\r\n" * (HEAD_BYTES // 6))
        assert (await gone(client)).startswith(b"HTTP/1.1 431 ")


async def test_the_limit_is_met_to_the_byte(door: Address) -> None:
    async with await anyio.connect_tcp(*door) as client:
        await client.send(exactly(HEAD_BYTES))
        assert b" 200 OK" in await answer(client, until=b'"here"')
        await client.send(exactly(HEAD_BYTES + 1))  # on an old connection as on a new one
        assert (await gone(client)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("after", [b"0\r\na: ", b"0\r\n", b"1;"], ids=["one", "many", "chunk"])
async def test_trailers_and_chunks_have_the_same_limit(door: Address, after: bytes) -> None:
    async with await anyio.connect_tcp(*door) as client:
        more = b"a: b\r\n" * HEAD_BYTES if after == b"0\r\n" else b"b" * 2 * HEAD_BYTES
        await client.send(CHUNKED + b"2\r\nhi\r\n" + after + more)
        assert await gone(client) == b""  # its answer may have begun


async def test_a_body_is_not_a_head(door: Address) -> None:
    size = 20 * HEAD_BYTES
    async with await anyio.connect_tcp(*door) as client:
        for _ in range(2):
            await client.send(
                b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
            )
            await answer(client, until=b"\r\n\r\n%d" % size)
        await client.send(CHUNKED + b"1000\r\n" + bytes(4096) + b"\r\n0\r\nof: age\r\n\r\n")
        await answer(client, until=b"\r\n\r\n4096")


async def test_requests_in_one_piece_are_answered_in_turn(door: Address) -> None:
    async with await anyio.connect_tcp(*door) as client:
        await client.send((HEAD + b"\r\n") * 3)
        said = b""
        while said.count(b'"here"') < 3:
            said += await answer(client, until=b'"here"')


@pytest.mark.parametrize("sent", [b"", b"\r\n", HEAD])
async def test_who_sends_no_whole_head_is_cut_off(
    door: Address, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedRequests, "head_s", SOON_S)
    async with await anyio.connect_tcp(*door) as client:
        if sent:
            await client.send(sent)
        assert await gone(client) == b""


@pytest.mark.parametrize("sent", [b"\r\n", HEAD])
async def test_an_old_connection_is_not_kept_with_half_a_head(
    door: Address, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedRequests, "head_s", SOON_S)
    async with await anyio.connect_tcp(*door) as client:
        await client.send(HEAD + b"\r\n")
        await answer(client, until=b'"here"')
        await client.send(sent)
        assert await gone(client) == b""


async def test_bytes_that_trickle_do_not_win_time(
    door: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedRequests, "head_s", SOON_S)
    async with await anyio.connect_tcp(*door) as client:
        with anyio.fail_after(20), pytest.raises(anyio.BrokenResourceError):
            while True:
                await client.send(b"\r\n")
                await anyio.sleep(SOON_S / 10)


async def test_an_answer_may_take_longer_than_a_head(
    door: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedRequests, "head_s", SOON_S)
    async with await anyio.connect_tcp(*door) as client:
        await client.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await answer(client, until=b"begun")
        await client.send(b"\r\n")  # as old clients do
        await answer(client, until=b"done")
        await client.send(HEAD + b"\r\n")
        await answer(client, until=b'"here"')
