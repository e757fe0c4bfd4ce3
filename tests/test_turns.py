"""Requests take turns, so that audio goes between any two of them."""

import asyncio
import socket
import time

import httpx
from starlette.types import Message, Receive, Scope, Send

from switchboard.turns import InTurn, Turns


async def test_what_arrives_is_looked_at_between_any_two() -> None:
    turns, order = Turns(), list[str]()
    here, there = socket.socketpair()
    here.setblocking(False)
    loop = asyncio.get_running_loop()

    def heard() -> None:
        order.append(here.recv(1).decode())

    async def request(name: str) -> None:
        await turns.wait()
        order.append(name)
        there.send(name.lower().encode())  # a frame comes while this one works

    with here, there:
        loop.add_reader(here, heard)
        await asyncio.gather(*(request(name) for name in "ABC"))
        await asyncio.sleep(0.05)
        loop.remove_reader(here)
    assert "".join(order) == "AaBbCc"


async def test_whoever_is_gone_holds_nobody_up() -> None:
    turns = Turns()
    first, second, third = (asyncio.create_task(turns.wait()) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(first, third)
        await turns.wait()  # and it goes on after everybody has gone
    assert second.cancelled()


async def test_on_a_busy_loop_those_who_have_waited_long_go_on_together() -> None:
    turns, gone, rounds = Turns(), 0, 0
    loop = asyncio.get_running_loop()

    def busy() -> None:
        nonlocal rounds
        rounds += 1
        time.sleep(0.02)
        if gone < 40:
            loop.call_soon(busy)

    async def request() -> None:
        nonlocal gone
        await turns.wait()
        gone += 1

    busy()
    await asyncio.gather(*(request() for _ in range(40)))
    assert rounds < 60  # with two for each it would be eighty


async def test_a_request_waits_when_it_begins_is_read_and_is_answered() -> None:
    turns = Counting()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(InTurn(reading, turns)), base_url="http://here"
    ) as client:
        answer = await client.post("/", content=b"hello")
    assert answer.text == "hello"
    assert turns.count == 3


async def test_a_probe_waits_for_nobody() -> None:
    turns = Counting()
    app = InTurn(reading, turns, except_paths=["/health"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://here"
    ) as client:
        assert (await client.post("/health", content=b"well")).text == "well"
    assert turns.count == 0


async def test_a_socket_s_audio_never_waits_for_a_turn() -> None:
    turns = Counting()
    sent = list[str]()

    async def receive() -> Message:
        return {"type": "websocket.receive", "text": "audio"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await InTurn(talking, turns)({"type": "websocket", "path": "/"}, receive, send)
    assert sent == ["websocket.accept", *["websocket.send"] * 10]
    assert turns.count == 2  # one to begin, one to accept


class Counting(Turns):
    """Counts who waited."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def wait(self) -> None:
        self.count += 1
        await super().wait()


async def reading(_: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def talking(_: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})
    for _number in range(10):
        await receive()
        await send({"type": "websocket.send", "text": "audio"})
