"""A stand-in realtime model for the relay measurement: echoes audio, as cheaply as Python can.

It accepts any session, answers the first `response.create` with a reply that never ends, and sends
each `input_audio_buffer.append` back as a delta of that reply. Asked for `/speech` it says in every
session that the caller speaks, and replies anew. With STANDIN_WORDS_MS it says a word so often, in
every session, and takes turns with the caller. It also plays the managed identity endpoint, so
that the product gets its token the way it does in Azure.

Usage: python -m bench.standin PORT
"""

import asyncio
import gc
import os
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Any, Final

import msgspec
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

_NUMBERS: Final = count(1)
_SESSION_S: Final = int(os.environ.get("STANDIN_SESSION_MS", "0")) / 1_000
"""How long a session takes to be configured, as at a service that is far away."""
_WORDS_S: Final = int(os.environ.get("STANDIN_WORDS_MS", "0")) / 1_000
"""How often each session says a word of its reply; never, where it is nothing."""
_SAID: Final = (
    "Thank you for waiting. Your account has a balance of three hundred and twenty pounds, and the "
    "last payment to the electricity company was on Monday. Would you like me to tell you more "
    "about it, or is there anything else that I can do for you today?"
)
_WORDS: Final = [f"{word} " for word in _SAID.split(" ")]
_TURN_WORDS: Final = 12
"""Then it is the caller's turn."""
_encode: Final = msgspec.json.Encoder().encode


class ClientEvent(msgspec.Struct):
    """All that the stand-in wants to know of an event."""

    type: str
    audio: msgspec.Raw = msgspec.Raw(b'""')
    response: dict[str, Any] | None = None


class Delta(msgspec.Struct):
    """`response.output_audio.delta`, with the audio passed on as it came."""

    type: str
    event_id: str
    response_id: str
    item_id: str
    output_index: int
    content_index: int
    delta: msgspec.Raw


@dataclass(slots=True, eq=False)
class Session:
    """One session, and the reply that it makes now."""

    socket: ServerConnection
    reply: str = ""
    """Empty before the first."""

    @property
    def item(self) -> str:
        return f"item_{self.reply}"

    async def begin(self, metadata: object = None) -> None:
        self.reply = f"resp_{next(_NUMBERS)}"
        await _begin(self.socket, self.reply, self.item, metadata)

    async def speech(self, words: str = "") -> int:
        """The caller speaks, briefly: the reply is cancelled, and there is another. When that was
        said, in nanoseconds of this machine's clock."""
        turn, cut = f"item_{next(_NUMBERS)}", self.reply
        at_ns = time.perf_counter_ns()
        await self.send("input_audio_buffer.speech_started", item_id=turn, audio_start_ms=0)
        await self.send("input_audio_buffer.speech_stopped", item_id=turn, audio_end_ms=0)
        await self.send("input_audio_buffer.committed", item_id=turn, previous_item_id=None)
        if words:
            heard = "conversation.item.input_audio_transcription.completed"
            await self.send(heard, item_id=turn, transcript=words)
        over: dict[str, object] = {
            "id": cut,
            "object": "realtime.response",
            "status": "cancelled",
            "output": [],
        }
        await self.send("response.done", response=over)
        await self.begin()
        return at_ns

    async def say_words(self) -> None:
        """For as long as it is open: words of the reply, and now and then a turn of the caller."""
        for number in count(next(_NUMBERS)):  # each somewhere else
            await asyncio.sleep(_WORDS_S)
            if not self.reply:
                continue
            said = _WORDS[number % len(_WORDS)]
            word = {"response_id": self.reply, "item_id": self.item, "delta": said}
            await self.send("response.output_audio_transcript.delta", **word)
            if number % _TURN_WORDS == 0:
                whole = {"response_id": self.reply, "item_id": self.item, "transcript": ""}
                await self.send("response.output_audio_transcript.done", **whole)
                await self.speech("What comes after that, and how much is it?")

    async def send(self, kind: str, **fields: object) -> None:
        await _send(self.socket, kind, **fields)


_SESSIONS: Final[set[Session]] = set()
"""Those that are open."""


async def converse(socket: ServerConnection) -> None:
    """One session, to its end."""
    session = Session(socket)
    _SESSIONS.add(session)
    words = asyncio.ensure_future(session.say_words()) if _WORDS_S else None
    try:
        await _hold(session)
    finally:
        _SESSIONS.discard(session)
        if words is not None:
            words.cancel()


async def _hold(session: Session) -> None:
    decode = msgspec.json.Decoder(ClientEvent).decode
    name = f"sess_{next(_NUMBERS)}"
    about = {"id": name, "type": "realtime", "object": "realtime.session"}
    await session.send("session.created", session=about)
    async for frame in session.socket:
        event = decode(frame)
        if event.type == "input_audio_buffer.append":
            if reply := session.reply:
                audio = event.audio
                delta = Delta("response.output_audio.delta", "e", reply, session.item, 0, 0, audio)
                await session.socket.send(_encode(delta), text=True)
        elif event.type == "session.update":
            await asyncio.sleep(_SESSION_S)
            await session.send("session.updated", session=about)
        elif event.type == "response.create" and not session.reply:
            await session.begin((event.response or {}).get("metadata"))


async def _begin(socket: ServerConnection, reply: str, item: str, metadata: object) -> None:
    response: dict[str, object] = {
        "id": reply,
        "object": "realtime.response",
        "status": "in_progress",
        "conversation_id": "conv_1",
        "output": [],
        "metadata": metadata,
    }
    await _send(socket, "response.created", response=response)
    message: dict[str, object] = {
        "id": item,
        "object": "realtime.item",
        "type": "message",
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }
    await _send(
        socket, "response.output_item.added", response_id=reply, output_index=0, item=message
    )


async def _send(socket: ServerConnection, kind: str, **fields: object) -> None:
    event = {"type": kind, "event_id": f"event_{next(_NUMBERS)}", **fields}
    await socket.send(_encode(event), text=True)


async def plain_http(_socket: ServerConnection, request: Request) -> Response | None:
    """Answer what is not a WebSocket: the managed identity's token, `/speech`, and `/health`."""
    if "/realtime" in request.path:
        return None
    if request.path == "/speech":
        return _answer(_encode([await session.speech() for session in list(_SESSIONS)]))
    body = _encode(
        {
            "access_token": "standin",
            "expires_on": str(int(time.time()) + 86_400),
            "resource": "standin",
            "token_type": "Bearer",
        }
    )
    return _answer(body)


def _answer(body: bytes) -> Response:
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    return Response(HTTPStatus.OK.value, "OK", headers, body)


async def main(port: int) -> None:
    """Serve until killed."""
    gc.disable()  # our pauses would be taken for the product's
    async with serve(
        converse,
        "127.0.0.1",
        port,
        compression=None,
        ping_interval=None,
        process_request=plain_http,
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])), loop_factory=uvloop.new_event_loop)
