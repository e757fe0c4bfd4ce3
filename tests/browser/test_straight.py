"""The short way of a page's socket: what it gives is what the long way gives, in the same order."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocket

from switchboard.browser import protocol as wire
from switchboard.browser.leg import BrowserLeg
from switchboard.browser.protocol import Ready
from switchboard.conversation.audio import base64_ms
from switchboard.conversation.commands import NoteNotice, StopPlayout
from switchboard.conversation.events import CallerEvent, Heard
from switchboard.conversation.legs import CallerAudio, ReplyAudio
from switchboard.extensions import AT_ONCE, SHORTCUT

FRAME = base64.b64encode(bytes(960)).decode()
GONE = {"type": "websocket.disconnect", "code": 1000}


@dataclass
class Socket:
    """A page's socket as our server offers it; `short` says whether it has the short ways."""

    short: bool
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Until then, whoever sends has to wait."""
    sent: list[str] = field(default_factory=list[str])
    waiting: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue[dict[str, Any]])
    taken: int = 0
    _take: Callable[[str], bool] = lambda _: False

    @property
    def scope(self) -> dict[str, Any]:
        ways = {SHORTCUT: {"to": self._shorten}, AT_ONCE: {"send": self._send_at_once}}
        return {"extensions": ways if self.short else {}}

    def say(self, frame: str) -> None:
        if self.waiting.empty() and self._take(frame):
            self.taken += 1
        else:
            self.waiting.put_nowait({"type": "websocket.receive", "text": frame})

    async def receive(self) -> dict[str, Any]:
        return await self.waiting.get()

    async def send_text(self, text: str) -> None:
        await self.ready.wait()
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.sent.append(f"{code} {reason}")

    def _shorten(self, to: Callable[[str], bool]) -> None:
        self._take = to

    def _send_at_once(self, text: bytes) -> bool:
        if not self.ready.is_set():
            return False
        self.sent.append(text.decode())
        return True


type Said = CallerEvent | CallerAudio
type Deed = Callable[[Socket, BrowserLeg], None]


async def lived(
    socket: Socket, deeds: Sequence[Deed], breathe: Sequence[bool], *, slow: bool = False
) -> list[Said]:
    """What the exchange hears of a socket on which this is done; between two deeds, or not, the
    loop turns."""
    if not slow:
        socket.ready.set()
    leg = BrowserLeg(cast("WebSocket", socket), Ready("c1", "r", 10, False), title_of=str)
    heard: list[Said] = []

    def hear(audio: str, ms: float) -> bool:
        assert ms == base64_ms(audio)
        heard.append(CallerAudio(audio))
        return True

    def report(event: Heard) -> bool:
        heard.append(event)
        return True

    async def listen() -> None:
        async for event in leg:
            heard.append(event)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(leg.run())
        tasks.create_task(listen())
        leg.straight(hear, report)
        await anyio.wait_all_tasks_blocked()
        for deed, breath in zip(deeds, breathe, strict=False):
            deed(socket, leg)
            if breath:
                await anyio.wait_all_tasks_blocked()
        socket.ready.set()
        await anyio.wait_all_tasks_blocked()
        socket.waiting.put_nowait(GONE)
    return heard


def page(message: wire.PageMessage) -> Deed:
    text = msgspec.json.encode(message).decode()
    return lambda socket, _: socket.say(text)


def raw(text: str) -> Deed:
    return lambda socket, _: socket.say(text)


SILENT = base64.b64encode(bytes(2)).decode()
deeds = st.sampled_from(
    [
        page(wire.AudioIn(FRAME)),
        page(wire.AudioIn(SILENT)),
        page(wire.Played("item_1", 40.0)),
        page(wire.TextIn("t1", "hello")),
        page(wire.Key("5")),
        page(wire.Ping(1.0)),
        raw('{"audio":"' + FRAME + '","type":"audio"}'),
        raw('{"type":"audio","audio":"no audio"}'),
        raw('{"type":"played","item":"item_1","ms":-1}'),
        raw("nonsense"),
        lambda _, leg: leg.play(ReplyAudio("r1", "item_1", FRAME)),
        lambda _, leg: leg.show(NoteNotice("notice", "é")),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
def test_both_ways_give_the_same(done: list[Deed], breathe: list[bool]) -> None:
    short, long = Socket(short=True), Socket(short=False)
    heard = asyncio.run(lived(short, done, breathe))
    # The long way needs the loop between two deeds, or answers to the page and what is shown to it
    # would meet in another order.
    assert heard == asyncio.run(lived(long, done, [True] * 12))
    if all(breathe):
        assert short.sent == long.sent
    assert sorted(short.sent) == sorted(long.sent)


async def test_audio_and_reports_take_the_short_way_and_only_they() -> None:
    socket = Socket(short=True)
    said = [page(wire.AudioIn(FRAME)), page(wire.Played("i", 1)), page(wire.Key("1"))]
    await lived(socket, said, [True] * 3)
    assert socket.taken == 2


async def test_what_waits_before_it_keeps_audio_in_its_place() -> None:
    socket = Socket(short=True)
    said = [page(wire.Key("1")), page(wire.AudioIn(FRAME)), page(wire.Key("2"))]
    heard = await lived(socket, said, [False] * 3)
    assert socket.taken == 0
    assert [type(event).__name__ for event in heard[:3]] == [
        "CallerPressed",
        "CallerAudio",
        "CallerPressed",
    ]


@pytest.mark.parametrize("short", [True, False])
async def test_a_barge_in_drops_the_audio_that_waits_and_nothing_else(short: bool) -> None:
    socket = Socket(short=short)
    await lived(
        socket,
        [
            lambda _, leg: leg.show(NoteNotice("before", "")),
            lambda _, leg: leg.play(ReplyAudio("r1", "item_1", FRAME)),
            lambda _, leg: leg.show(NoteNotice("between", "")),
            lambda _, leg: leg.command(StopPlayout()),
        ],
        [False] * 4,
        slow=True,
    )
    told = [msgspec.json.decode(text) for text in socket.sent]
    assert [message.get("code", message["type"]) for message in told] == [
        "ready",
        "before",
        "between",
        "flush",
    ]
