"""The load: callers who speak 50 frames a second, in real time, and read what comes back."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import BAD_REQUEST, SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS
from typing import Any, Final, override

import msgspec
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,  # pyright: ignore[reportUnknownVariableType]  (its `kwargs` have no type)
)

from bench.fastmodel import HOST, TEXT
from bench.stamps import FRAME_S, LETTERS, REST_UP, audio_at, read, stamp

_TICKS: Final = 20
"""In one frame's time. Callers are spread over them, as independent ones are."""
_PLAYED_EVERY: Final = 5
"""Frames for one report of what has been played, as a page sends them: 100 ms."""
_PATIENCE_S: Final = 30.0
_AGAIN_S: Final = 0.1
_GOODBYE_S: Final = 15.0


@dataclass(slots=True)
class Tally:
    """What all callers saw during a window."""

    sent: int = 0
    received: int = 0
    disordered: int = 0
    trips_ns: list[int] = field(default_factory=list[int])
    pause_ns: int = 0
    """The longest time in which frames were under way and none came back."""
    last_ns: int = 0

    def came(self, sent_ns: int, now_ns: int) -> None:
        self.received += 1
        self.trips_ns.append(now_ns - sent_ns)
        pause = now_ns - max(self.last_ns, sent_ns)
        self.pause_ns = max(self.pause_ns, pause)
        self.last_ns = now_ns


class Caller(WSListener):
    """One caller. Subclasses know what is spoken with the other end."""

    up = b""
    """How a frame begins, up to the audio,"""
    up_end = b'"}'
    """and ends."""
    field = b"audio"
    """Where the audio is that comes back."""

    def __init__(self, call: int, step: int = 1) -> None:
        """`step`: how many frames up one comes back for."""
        self.call = call
        self.step = step
        self.transport: WSTransport | None = None
        self.sent = 0
        self.received = 0
        self.tally: Tally | None = None
        self.first = asyncio.Event()
        """Something came back."""
        self.ready = asyncio.Event()
        self.gone = asyncio.Event()
        self.flushed: asyncio.Future[int] | None = None
        """When it was told to be silent, in nanoseconds."""
        self.closed_with = "lost"
        """What the other end said when it went."""
        self._head = b""
        self._expected: int | None = None

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def talk(self) -> None:
        """Say one frame."""
        if self.transport is None:
            return
        letters = stamp(self.call, self.sent, time.perf_counter_ns())
        self.transport.send(TEXT, b"%b%b%b%b" % (self.up, letters, REST_UP, self.up_end))
        self.sent += 1
        if self.tally is not None:
            self.tally.sent += 1
        if self.sent % _PLAYED_EVERY == 0:
            self.report()

    def report(self) -> None:
        """Say what has been played, where that is done."""

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not TEXT:
            if frame.msg_type is WSMsgType.CLOSE:
                self.closed_with = f"{frame.get_close_code()} {frame.get_close_reason()}"
                transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        at = len(self._head)
        if not at or not payload.startswith(self._head):
            at = self.learn(payload)
            if not at:
                return
            self._head = payload[:at]
        now_ns = time.perf_counter_ns()
        _, number, sent_ns = read(payload[at : at + LETTERS])
        self.received += 1
        if self.received == 1:
            self.first.set()
        if (tally := self.tally) is not None:
            tally.came(sent_ns, now_ns)
            if self._expected is not None:
                tally.disordered += number != self._expected
        self._expected = number + self.step

    def learn(self, payload: bytes) -> int:
        """Where the audio of this message is; 0 where it has none."""
        raise NotImplementedError

    def silenced(self) -> None:
        """The other end wants silence."""
        if self.flushed is not None and not self.flushed.done():
            self.flushed.set_result(time.perf_counter_ns())
        self._expected = None  # what was under way is dropped

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        self.gone.set()


class Page(Caller):
    """Speaks the page's protocol."""

    up = b'{"type":"audio","audio":"'
    _item = b""

    @override
    def learn(self, payload: bytes) -> int:
        kind = msgspec.json.decode(payload)["type"]
        if kind == "audio":
            start = audio_at(payload, b"item")
            self._item = payload[start : payload.index(b'"', start)]
            return audio_at(payload, b"audio")
        if kind == "ready":
            self.ready.set()
        elif kind == "flush":
            self.silenced()
        return 0

    @override
    def report(self) -> None:
        if self._item and self.transport is not None:
            ms = self.received * self.step * FRAME_S * 1_000
            self.transport.send(TEXT, b'{"type":"played","item":"%b","ms":%.1f}' % (self._item, ms))


class Straight(Caller):
    """Speaks the model's own dialect: directly to it, or through a splice."""

    up = b'{"type":"input_audio_buffer.append","audio":"'

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        transport.send(TEXT, b'{"type":"response.create"}')

    @override
    def learn(self, payload: bytes) -> int:
        kind = msgspec.json.decode(payload)["type"]
        if kind == "response.output_audio.delta":
            return audio_at(payload, b"delta")
        if kind == "response.output_item.added":
            self.ready.set()
        elif kind == "input_audio_buffer.speech_started":
            self.silenced()
        return 0


class Telephone(Caller):
    """Speaks as ACS does."""

    up = (
        b'{"kind":"AudioData","audioData":{"timestamp":"2026-11-26T10:00:00.000Z",'
        b'"participantRawID":"4:+15550111","data":"'
    )
    up_end = b'","silent":false}}'

    def __init__(self, call: int, step: int = 1, connection: str = "") -> None:
        super().__init__(call, step)
        self.connection = connection
        """What the carrier calls it."""

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        transport.send(
            TEXT,
            b'{"kind":"AudioMetadata","audioMetadata":{"subscriptionId":"s1","encoding":"PCM",'
            b'"sampleRate":24000,"channels":1,"length":960}}',
        )
        self.ready.set()

    @override
    def learn(self, payload: bytes) -> int:
        if msgspec.json.decode(payload)["kind"] == "StopAudio":
            self.silenced()
            return 0
        return audio_at(payload, b"data")


class _Later(Exception):
    """Try again later."""


class Desk:
    """Places calls with the product over a few connections that are kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._spare: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._agent = ""
        self.refused = 0
        """How often we were told to try again later."""

    async def place(self) -> dict[str, Any]:
        """The call, waiting for its page."""
        if not self._agent:
            self._agent = (await self._ask(b"GET", b"/api/config", b""))["defaultAgent"]
        body = msgspec.json.encode({"agent": self._agent})
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    return await self._ask(b"POST", b"/api/calls", body)
                except _Later:
                    self.refused += 1
                    await asyncio.sleep(_AGAIN_S)

    async def _ask(self, method: bytes, path: bytes, body: bytes) -> dict[str, Any]:
        line = self._kept() or await asyncio.open_connection(HOST, self._port)
        reader, writer = line
        writer.write(
            b"%b %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (method, path, self._port, self._port, len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        said = await reader.readexactly(int(sizes[0].partition(b":")[2]))
        self._spare.append(line)
        status = int(head.split(b" ", 2)[1])
        if status in (TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE):
            raise _Later
        if status >= BAD_REQUEST:
            raise RuntimeError(f"{path.decode()} was refused: {said.decode()[:500]}")
        return msgspec.json.decode(said)

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        while self._spare:
            line = self._spare.pop()
            if not line[0].at_eof():  # servers close what has been idle for some seconds
                return line
            line[1].close()
        return None

    def close(self) -> None:
        for _, writer in self._spare:
            writer.close()
        self._spare.clear()


async def connect[C: Caller](
    caller: C, port: int, target: str, headers: dict[str, str] | None = None
) -> C:
    """The caller, once the other end is ready for its audio."""
    url = f"ws://{HOST}:{port}{target}"
    async with asyncio.timeout(_PATIENCE_S):
        await ws_connect(
            lambda: caller, url, extra_headers=headers or {}, proxy=None,
            websocket_handshake_timeout=_PATIENCE_S,
        )  # fmt: skip
        await caller.ready.wait()
    return caller


async def connect_page(page: Page, desk: Desk, port: int) -> Page:
    """A page of the product's: its call placed, and its socket opened with the ticket."""
    call = await desk.place()
    return await connect(
        page,
        port,
        call["socket"],
        {
            "Origin": f"http://{HOST}:{port}",
            "Sec-WebSocket-Protocol": f"switchboard.v1, ticket.{call['ticket']}",
        },
    )


async def keep_talking(callers: Sequence[Caller]) -> None:
    """Each says a frame every 20 ms, until cancelled; what is late is said at once."""
    shifts = [callers[number::_TICKS] for number in range(_TICKS)]
    due = time.perf_counter()
    while True:
        for shift in shifts:
            due += FRAME_S / _TICKS
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            for caller in shift:
                caller.talk()
        await asyncio.sleep(0)  # however late we are, answers are looked at, too


async def leave(callers: Sequence[Caller]) -> None:
    """All hang up; whoever is not let go in time cuts the line."""
    for caller in callers:
        if caller.transport is not None:
            caller.transport.send_close(WSCloseCode.OK)
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await asyncio.gather(*(caller.gone.wait() for caller in callers))
    except TimeoutError:
        for caller in callers:
            if caller.transport is not None:
                caller.transport.disconnect(graceful=False)
