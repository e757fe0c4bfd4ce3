"""A stand-in realtime model for the relay measurement: echoes audio, as cheaply as Python can.

It accepts any session, answers the first `response.create` with a reply that never ends, and sends
each `input_audio_buffer.append` back as a delta of that reply. It also plays the managed identity
endpoint, so that the product gets its token the way it does in Azure.

Usage: python -m bench.standin PORT
"""

import asyncio
import os
import sys
import time
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


async def converse(socket: ServerConnection) -> None:
    """One session."""
    decode = msgspec.json.Decoder(ClientEvent).decode
    reply = f"resp_{next(_NUMBERS)}"
    item = f"item_{reply}"
    session = {"id": f"sess_{reply}", "type": "realtime", "object": "realtime.session"}
    await _send(socket, "session.created", session=session)
    started = False
    async for frame in socket:
        event = decode(frame)
        if event.type == "input_audio_buffer.append":
            if started:
                delta = Delta("response.output_audio.delta", "e", reply, item, 0, 0, event.audio)
                await socket.send(_encode(delta), text=True)
        elif event.type == "session.update":
            await asyncio.sleep(_SESSION_S)
            await _send(socket, "session.updated", session=session)
        elif event.type == "response.create" and not started:
            started = True
            await _begin(socket, reply, item, (event.response or {}).get("metadata"))


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


def plain_http(_socket: ServerConnection, request: Request) -> Response | None:
    """Answer what is not a WebSocket: the managed identity's token, and `/health`."""
    if "/realtime" in request.path:
        return None
    body = _encode(
        {
            "access_token": "standin",
            "expires_on": str(int(time.time()) + 86_400),
            "resource": "standin",
            "token_type": "Bearer",
        }
    )
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    return Response(HTTPStatus.OK.value, "OK", headers, body)


async def main(port: int) -> None:
    """Serve until killed."""
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
