"""A stand-in realtime model that costs little: picows, slices, and no process of its own.

It lives in the load generator's event loop, so that both read one clock. It opens a reply that
never ends at the first `response.create`, and then answers in its `pattern`. Beside it, a plain
HTTP port gives out tokens as a managed identity does, and takes whatever telemetry is sent.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal, cast, override

import msgspec
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,  # pyright: ignore[reportUnknownVariableType]  (its `kwargs` have no type)
)

from bench.stamps import DELTA_FRAMES, LETTERS, REST_DELTA, audio_at, read

type Pattern = Literal["echo", "mix", "listen"]
"""Each frame back at once; a delta of 200 ms for every tenth; nothing."""

HOST: Final = "127.0.0.1"
TEXT: Final = WSMsgType.TEXT
BURST_DELTAS: Final = 25
"""Five seconds."""
_APPEND: Final = b"input_audio_buffer.append"
_encode: Final = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Arrived:
    """What came of one call."""

    first: int = 0
    """The number of the first: those before it were said before there was a session."""
    frames: int = 0
    disordered: int = 0
    next: int = 0
    returned: int = 0
    """Sent back."""

    @property
    def skipped(self) -> int:
        """Of those that came before the last, so many are missing."""
        return self.next - self.first - self.frames

    def lost_of(self, sent: int) -> int:
        """How many of `sent` frames never came."""
        return sent - self.first - self.frames


@dataclass(slots=True)
class Service:
    """The model, and what arrived at it."""

    pattern: Pattern = "echo"
    arrived: dict[int, Arrived] = field(default_factory=dict[int, Arrived])
    sessions: dict[int, "Session"] = field(default_factory=dict[int, "Session"])
    """By the call whose audio came."""
    tls: ssl.SSLContext | None = None
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    url: str = ""
    secure_url: str = ""
    http_url: str = ""

    def took(self, call: int, number: int) -> Arrived:
        """Note a frame."""
        arrived = self.arrived.get(call)
        if arrived is None:
            arrived = self.arrived[call] = Arrived(number, next=number)
        arrived.frames += 1
        arrived.disordered += number != arrived.next
        arrived.next = number + 1
        return arrived


class _Told(msgspec.Struct):
    type: str
    response: dict[str, Any] | None = None


class Session(WSListener):
    """One session, and its reply."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reply = ""
        self._call: int | None = None
        self._append = b""
        """How this client's appends begin, up to the audio: learned from its first."""
        self._delta = b""
        """How ours begin."""
        self.transport: WSTransport | None = None

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._send("session.created", session=self._about)

    @property
    def _about(self) -> dict[str, Any]:
        return {"id": "sess_1", "type": "realtime", "object": "realtime.session"}

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not TEXT:
            if frame.msg_type is WSMsgType.CLOSE:
                transport.send_close()
                transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        at = len(self._append)
        if not at or not payload.startswith(self._append):
            if _APPEND not in payload[:60]:
                self._told(payload)
                return
            at = audio_at(payload, b"audio")
            self._append = payload[:at]
        self._heard(payload, at)

    def _heard(self, payload: bytes, at: int) -> None:
        letters = payload[at : at + LETTERS]
        call, number, _ = read(letters)
        service = self._service
        if self._call != call:
            self._call = call
            service.sessions[call] = self
        arrived = service.took(call, number)
        if self.transport is None or not self._reply:
            return
        if service.pattern == "echo":
            audio = payload[at : payload.index(b'"', at)]
            self.transport.send(TEXT, b'%b%b"}' % (self._delta, audio))
            arrived.returned += 1
        elif service.pattern == "mix" and number % DELTA_FRAMES == DELTA_FRAMES - 1:
            self.say(letters)
            arrived.returned += 1

    def say(self, letters: bytes) -> None:
        """200 ms of the reply's voice."""
        if self.transport is not None:
            self.transport.send(TEXT, b'%b%b%b"}' % (self._delta, letters, REST_DELTA))

    def _told(self, payload: bytes) -> None:
        event = msgspec.json.decode(payload, type=_Told)
        match event.type:
            case "session.update":
                self._send("session.updated", session=self._about)
            case "response.create" if not self._reply:
                self._begin((event.response or {}).get("metadata"))
            case _:
                pass

    def _begin(self, metadata: object = None) -> None:
        number = next(self._service.numbers)
        self._reply, item = f"resp_{number}", f"item_{number}"
        response: dict[str, Any] = {
            "id": self._reply,
            "object": "realtime.response",
            "status": "in_progress",
            "conversation_id": "conv_1",
            "output": [],
            "metadata": metadata,
        }
        message: dict[str, Any] = {
            "id": item,
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        self._delta = (
            f'{{"type":"response.output_audio.delta","event_id":"event_0",'
            f'"response_id":"{self._reply}","item_id":"{item}","output_index":0,'
            f'"content_index":0,"delta":"'
        ).encode()
        self._send("response.created", response=response)
        self._send(
            "response.output_item.added", response_id=self._reply, output_index=0, item=message
        )

    def speech(self) -> int:
        """The caller speaks, briefly: the reply is cancelled, and there is another. When that was
        said, in nanoseconds."""
        turn, cut = f"item_{next(self._service.numbers)}", self._reply
        at_ns = time.perf_counter_ns()
        self._send("input_audio_buffer.speech_started", item_id=turn, audio_start_ms=0)
        self._send("input_audio_buffer.speech_stopped", item_id=turn, audio_end_ms=0)
        self._send("input_audio_buffer.committed", item_id=turn, previous_item_id=None)
        over: dict[str, Any] = {
            "id": cut,
            "object": "realtime.response",
            "status": "cancelled",
            "output": [],
        }
        self._send("response.done", response=over)
        self._begin()
        return at_ns

    def _send(self, kind: str, **fields: object) -> None:
        if self.transport is not None:
            event = {"type": kind, "event_id": f"event_{next(self._service.numbers)}", **fields}
            self.transport.send(TEXT, _encode(event))

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        if self._call is not None and self._service.sessions.get(self._call) is self:
            del self._service.sessions[self._call]


class House(asyncio.Protocol):
    """Plain HTTP: the managed identity's token, and thanks for telemetry."""

    def __init__(self) -> None:
        self._data = b""
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    @override
    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            size = _size(head)
            if not end or len(rest) < size:
                return
            self._data = rest[size:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        body, kind = b"", b"application/x-protobuf"
        if b"/msi/token" in head[:80]:
            kind = b"application/json"
            body = _encode(
                {
                    "access_token": "standin",
                    "expires_on": str(int(time.time()) + 86_400),
                    "resource": "standin",
                    "token_type": "Bearer",
                }
            )
        said = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
        if self._transport is not None:
            self._transport.write(said % (kind, len(body), body))


def _size(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@asynccontextmanager
async def standing_in(tls: ssl.SSLContext | None) -> AsyncGenerator[Service]:
    """The model, plain and (with `tls`) secure, for as long as the block lasts."""
    service = Service(tls=tls)

    def called(request: WSUpgradeRequest) -> WSListener | None:
        return Session(service) if b"/realtime" in request.path else None

    servers = [await ws_create_server(called, HOST, 0, backlog=2_048)]
    if tls is not None:
        servers.append(await ws_create_server(called, HOST, 0, ssl=tls, backlog=2_048))
    servers.append(await asyncio.get_running_loop().create_server(House, HOST, 0))
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    service.url = f"http://{HOST}:{ports[0]}"
    service.secure_url = f"https://{HOST}:{ports[1]}" if tls is not None else ""
    service.http_url = f"http://{HOST}:{ports[-1]}"
    try:
        yield service
    finally:
        for server in servers:
            server.close()
