"""The chat mind against a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from switchboard_local.mind.chat import UNREACHABLE, ChatMind
from switchboard_local.mind.parts import Call, Request, Say, Thought
from tests.local.mind.peers import heard, message, tool

BALANCE = tool("get_balance", "Tell the balance.", account={"type": "string"})


class Endpoint:
    """Answers every request with the same bytes, and remembers what it was asked."""

    def __init__(self, body: bytes, *, status: str = "200 OK", kind: str) -> None:
        self.body, self.status, self.kind = body, status, kind
        self.asked: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.stalls = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.splitlines()
            if "content-length" in line.lower()
        )
        self.heads.append(head)
        self.asked.append(json.loads(await reader.readexactly(length)))
        if self.stalls:
            await reader.read()  # until the caller gives up
            writer.close()
            return
        start = f"HTTP/1.1 {self.status}\r\ncontent-type: {self.kind}\r\nconnection: close\r\n\r\n"
        writer.write(start.encode())
        for at in range(0, len(self.body), 7):  # in odd pieces, as networks do
            writer.write(self.body[at : at + 7])
            await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(endpoint: Endpoint) -> AsyncGenerator[str]:
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        await server.wait_closed()


def stream(deltas: Sequence[dict[str, Any]]) -> Endpoint:
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Endpoint("".join([*lines, "data: [DONE]\n\n"]).encode(), kind="text/event-stream")


async def thoughts(mind: ChatMind, *items: dict[str, Any]) -> list[Thought]:
    request = Request("Be kind.", [BALANCE], "auto", items, "Say little.")
    return [thought async for thought in mind.reply(request)]


async def test_words_come_sentence_by_sentence() -> None:
    endpoint = stream([{"content": "Hel"}, {"content": "lo there. How"}, {"content": " are you?"}])
    async with serving(endpoint) as url:
        said = await thoughts(ChatMind(url), heard("hi"))
    assert said == [Say("Hello there."), Say("How are you?")]


async def test_calls_are_put_together_from_their_pieces() -> None:
    def piece(index: int, name: str, arguments: str) -> dict[str, Any]:
        function = {"name": name, "arguments": arguments}
        return {"tool_calls": [{"index": index, "function": function}]}

    endpoint = stream(
        [
            piece(0, "get_balance", ""),
            piece(1, "get_balance", '{"account":'),
            piece(0, "", '{"account": "a"}'),
            piece(1, "", '"b"}'),
        ]
    )
    async with serving(endpoint) as url:
        said = await thoughts(ChatMind(url), heard("hi"))
    assert said == [
        Call("get_balance", '{"account": "a"}'),
        Call("get_balance", '{"account":"b"}'),
    ]


async def test_the_conversation_is_put_as_chat_messages() -> None:
    endpoint = stream([{"content": "Done."}])
    call = {"type": "function_call", "call_id": "c", "name": "get_balance", "arguments": "{}"}
    pending = {**call, "call_id": "d"}
    output = {"type": "function_call_output", "call_id": "c", "output": '{"n": 1}'}
    async with serving(endpoint) as url:
        mind = ChatMind(url, model="small", key="sesame")
        await thoughts(mind, heard("hello"), message("assistant", "Yes?"), call, pending, output)
    asked = endpoint.asked[0]
    roles = [one["role"] for one in asked["messages"]]
    assert roles == [
        "system",
        "user",
        "assistant",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "system",
    ]
    assert asked["messages"][4] == {"role": "tool", "tool_call_id": "c", "content": '{"n": 1}'}
    assert "still running" in asked["messages"][6]["content"]
    assert asked["messages"][-1]["content"] == "Say little."
    assert asked["tools"][0]["function"]["name"] == "get_balance"
    assert (asked["model"], asked["stream"], asked["tool_choice"]) == ("small", True, "auto")
    assert "authorization: bearer sesame" in endpoint.heads[0].lower()


async def test_a_reply_in_one_piece_is_read_too() -> None:
    body = json.dumps({"choices": [{"message": {"content": "All in one."}}]}).encode()
    async with serving(Endpoint(body, kind="application/json")) as url:
        assert await thoughts(ChatMind(url), heard("hi")) == [Say("All in one.")]


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(b"no", status="500 Broken", kind="text/plain"),
        Endpoint(b"data: [1, 2]\n\n", kind="text/event-stream"),
        Endpoint(b"not json", kind="application/json"),
        Endpoint(b'data: {"error": {"message": "x"}}\n\n', kind="text/event-stream"),
        Endpoint(b"data: x" + b"y" * 1_100_000, kind="text/event-stream"),
    ],
)
async def test_a_faulty_endpoint_is_told_in_a_sentence(endpoint: Endpoint) -> None:
    async with serving(endpoint) as url:
        assert await thoughts(ChatMind(url), heard("hi")) == [Say(UNREACHABLE)]


async def test_an_endpoint_that_hangs_is_given_up() -> None:
    endpoint = stream([{"content": "late"}])
    endpoint.stalls = True
    async with serving(endpoint) as url:
        said = await thoughts(ChatMind(url, timeout_s=0.2), heard("hi"))
    assert said == [Say(UNREACHABLE)]


async def test_nobody_at_the_address_is_told_in_a_sentence() -> None:
    assert await thoughts(ChatMind("http://127.0.0.1:9"), heard("hi")) == [Say(UNREACHABLE)]


def test_the_key_is_not_shown() -> None:
    assert "sesame" not in repr(ChatMind("http://x", key="sesame"))
