"""What goes through the proxy comes out as it went in, with our credentials at the door."""

import json
import os

import anyio
import pytest
from websockets.asyncio.server import ServerConnection

from switchboard.browser.proxy.relay import RelayLimits
from switchboard.browser.proxy.routes import ProxyConfig
from tests.browser.proxy.peers import (
    MIB,
    SERVER_TOKEN,
    VoiceLive,
    closed,
    jwt,
    listen,
    proxy,
    voice_live,
)

AVATAR = [
    json.dumps({"type": "session.avatar.connect", "client_sdp": "eyJ0eXBlIjoib2ZmZXIifQ=="}),
    '{ "type":"session.avatar.connecting",  "server_sdp" : "eyJ0eXBlIjoiYW5zd2VyIn0=" }',
    '{"type":"response.video.delta","delta":"' + "A" * 300_000 + '"}',
]
"""Odd spacing on purpose: nothing may be parsed and written anew."""


async def test_messages_pass_untouched_both_ways_text_as_text_and_bytes_as_bytes() -> None:
    said = ['{"type":"session.update"}', b"\x00\x01\xff", "naïve \U0001f600\x00", "", b"", *AVATAR]
    async with voice_live() as live, proxy(live) as door, door.dial() as client:
        for message in said:
            await client.send(message)
            assert await client.recv() == message
    assert live.heard == said


async def test_a_fragmented_message_arrives_whole() -> None:
    async with voice_live() as live, proxy(live) as door, door.dial() as client:
        await client.send(["a" * 70_000, "b" * 70_000])
        assert await client.recv() == "a" * 70_000 + "b" * 70_000


async def test_a_message_of_four_mebibytes_passes_both_ways() -> None:
    large = os.urandom(4 * MIB)
    async with voice_live() as live, proxy(live) as door, door.dial() as client:
        await client.send(large)
        assert await client.recv() == large


async def test_where_more_is_allowed_more_passes_both_ways() -> None:
    large = os.urandom(6 * MIB)
    config = ProxyConfig(relay=RelayLimits(max_frame_bytes=6 * MIB))
    async with voice_live() as live, proxy(live, config) as door, door.dial() as client:
        await client.send(large)
        assert await client.recv() == large


async def test_the_upgrade_bears_the_servers_token_in_a_header_and_nothing_of_the_client() -> None:
    query = "model=gpt%20realtime%2F1"
    async with voice_live() as live, proxy(live) as door, door.dial(query) as client:
        await client.send("hello")
        await client.recv()
    (request,) = live.requests
    assert request.path == "/voice-live/realtime?api-version=2026-07-15&model=gpt%20realtime%2F1"
    assert request.headers["Authorization"] == f"Bearer {SERVER_TOKEN}"
    assert "Origin" not in request.headers
    assert "Sec-WebSocket-Protocol" not in request.headers
    assert "Sec-WebSocket-Extensions" not in request.headers


@pytest.mark.parametrize(
    ("query", "upstream"),
    [
        ("model=gpt-realtime", "model=gpt-realtime"),
        ("agentName=Desk&projectName=front", "agent-name=Desk&agent-project-name=front"),
        (
            "projectName=front&agentVersion=3&conversationId=conv_1&agentName=Desk",
            "agent-name=Desk&agent-project-name=front&conversation-id=conv_1&agent-version=3",
        ),
        ("agentId=asst_1&projectName=front", "agent-id=asst_1&agent-project-name=front"),
        ("model=a%26api-key%3Dx", "model=a%26api-key%3Dx"),
    ],
)
async def test_each_mode_is_named_upstream_in_the_services_words(query: str, upstream: str) -> None:
    async with voice_live() as live, proxy(live) as door, door.dial(query) as client:
        await client.send("hello")
        await client.recv()
    assert live.path == f"/voice-live/realtime?api-version=2026-07-15&{upstream}"


async def test_what_is_said_before_the_service_is_there_arrives_first_and_in_order() -> None:
    async with (
        voice_live(listen, hold=True) as live,
        proxy(live) as door,
        door.dial() as client,
    ):
        for number in range(50):
            await client.send(f"early {number}")
        await door.until(lambda: live.requests)
        assert live.heard == []
        live.answering.set()
        for number in range(50):
            await client.send(f"late {number}")
        await door.until(lambda: len(live.heard) == 100)
    assert live.heard == [f"{when} {number}" for when in ("early", "late") for number in range(50)]


async def test_a_client_that_leaves_while_we_dial_leaves_nothing_behind() -> None:
    async with voice_live(hold=True) as live, proxy(live) as door:
        async with door.dial() as client:
            await door.until(lambda: live.requests)
            await client.close(1000)
        await door.until(lambda: door.lines)
        assert door.room.active() == 0
    assert (door.lines[0]["code"], door.lines[0]["ended_by"]) == (1000, "client")


# -- the user's own token -----------------------------------------------------------------------


@pytest.mark.parametrize("place", ["subprotocol", "query"])
async def test_a_users_own_token_goes_upstream_in_the_header_only(place: str) -> None:
    token = jwt()
    query = "model=m" + (f"&token={token}" if place == "query" else "")
    protocols = ["switchboard.proxy.v1", f"token.{token}"] if place == "subprotocol" else []
    async with (
        voice_live() as live,
        proxy(live, own_tokens_only=True) as door,
        door.dial(query, protocols=protocols) as client,
    ):
        await client.send("hello")
        await client.recv()
        assert client.subprotocol == ("switchboard.proxy.v1" if protocols else None)
    assert live.bearer == f"Bearer {token}"
    assert token not in live.path
    assert token not in str([value for name, value in live.requests[0].headers.raw_items()
                             if name != "Authorization"])  # fmt: skip
    assert door.lines[-1]["identity"] == "user"


async def test_a_users_own_token_ends_the_connection_when_it_ends() -> None:
    async with voice_live(listen) as live, proxy(live) as door:
        async with door.dial(f"model=m&token={jwt(2)}") as client:
            with anyio.fail_after(20):
                assert await closed(client) == (4401, "the token has expired")
        await door.until(lambda: live.closed)
    assert live.closed == [(1001, "")]
    assert door.lines[0]["duration_s"] < 20


async def test_without_a_token_of_ones_own_the_server_may_lend_none() -> None:
    async with voice_live() as live, proxy(live, own_tokens_only=True) as door:
        status, problem = await door.refusal()
    assert (status, problem["text"]) == (401, "This server asks for your own token.")
    assert live.requests == []


# -- goodbyes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "heard"),
    [
        (1000, "bye", (1000, "bye")),
        (1001, "", (1001, "")),
        (1013, "later", (1013, "later")),
        (3000, "é" * 61, (3000, "é" * 61)),
        (4999, "mine", (4999, "mine")),
    ],
)
async def test_close_codes_and_reasons_are_carried_over_both_ways(
    code: int, reason: str, heard: tuple[int, str]
) -> None:
    async def hang_up(live: VoiceLive, session: ServerConnection) -> None:
        live.heard.append(await session.recv())
        if live.heard == ["you first"]:
            await session.close(code, reason)
        await session.wait_closed()

    async with voice_live(hang_up) as live, proxy(live) as door:
        async with door.dial() as client:
            await client.send("you first")
            assert await closed(client) == heard
        async with door.dial() as client:
            await client.send("after me")
            await door.until(lambda: len(live.heard) == 2)
            await client.close(code, reason)
        await door.until(lambda: len(live.closed) == 2)
    assert live.closed[1] == heard
    assert [line["ended_by"] for line in door.lines] == ["service", "client"]
    assert [line["code"] for line in door.lines] == [code, code]


async def test_a_goodbye_without_a_code_is_a_plain_goodbye() -> None:
    async def hang_up(live: VoiceLive, session: ServerConnection) -> None:
        live.heard.append(await session.recv())
        if live.heard == ["you first"]:
            session.transport.write(b"\x88\x00")  # a close frame with nothing in it
        await session.wait_closed()

    async with voice_live(hang_up) as live, proxy(live) as door:
        async with door.dial() as client:
            await client.send("you first")
            assert await closed(client) == (1000, "")
        async with door.dial() as client:
            await client.send("after me")
            await door.until(lambda: len(live.heard) == 2)
            client.transport.write(b"\x88\x80\x00\x00\x00\x00")
            await door.until(lambda: len(live.closed) == 2)
    assert live.closed[1] == (1000, "")


async def test_a_lost_service_and_a_lost_client_are_told_as_what_they_are() -> None:
    async def drop(_: VoiceLive, session: ServerConnection) -> None:
        if await session.recv() == "you first":
            session.transport.abort()
        await session.wait_closed()

    async with voice_live(drop) as live, proxy(live) as door:
        async with door.dial() as client:
            await client.send("you first")
            assert await closed(client) == (1014, "the service was lost")
        async with door.dial() as client:
            await client.send("after me")
            await door.until(lambda: len(live.requests) == 2)
            client.transport.abort()
            await door.until(lambda: len(live.closed) == 2)
    assert live.closed[1] == (1001, "the client was lost")
    assert door.lines[1]["code"] == 1006


async def test_one_line_is_written_down_at_the_end_and_it_holds_no_secret() -> None:
    token = jwt()
    async with voice_live() as live, proxy(live) as door:
        async with door.dial(f"agentName=a&projectName=p&token={token}") as client:
            await client.send("é" * 10)
            await client.recv()
        await door.until(lambda: door.lines)
    (line,) = door.lines
    assert line["principal"] == "local"
    facts = ("mode", "bytes_up", "bytes_down", "messages_up", "messages_down", "code", "ended_by")
    assert [line[fact] for fact in facts] == ["agent", 20, 20, 1, 1, 1000, "client"]
    assert 0 <= line["duration_s"] < 5
    assert token not in str(line)
    assert SERVER_TOKEN not in str(line)
