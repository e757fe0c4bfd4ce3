"""A bare relay on the fastest WebSockets Python has: picows on both sides, callbacks, slices.

A page's audio becomes `input_audio_buffer.append`, a delta becomes the page's `audio`,
`speech_started` becomes `flush`; telephones likewise. Everything else is dropped. Nothing is
bounded, checked or remembered: this is the floor, not a product.

Usage: python -m bench.relays.bare PORT MODEL_URL
"""

import asyncio
import ssl
import sys
from typing import Final, override

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,  # pyright: ignore[reportUnknownVariableType]  (its `kwargs` have no type)
    ws_create_server,  # pyright: ignore[reportUnknownVariableType]  (likewise)
)

from bench.relays.wording import APPEND, CREATE, FLUSH, STOP, audio_of

_SPEECH: Final = b"input_audio_buffer.speech_started"
_TEXT: Final = WSMsgType.TEXT


class Caller(WSListener):
    """The caller's side of one call."""

    def __init__(self, url: str, tls: ssl.SSLContext | None, *, is_phone: bool) -> None:
        self._url = url
        self._tls = tls
        self.is_phone = is_phone
        self.transport: WSTransport | None = None
        self._model: WSTransport | None = None
        self._dialling: asyncio.Task[None] | None = None

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._dialling = asyncio.ensure_future(self._dial())

    async def _dial(self) -> None:
        self._model, _ = await ws_connect(
            lambda: Model(self), self._url, ssl_context=self._tls, proxy=None
        )
        self._model.send(_TEXT, CREATE)
        if self.transport is not None and not self.is_phone:
            self.transport.send(_TEXT, b'{"type":"ready"}')

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        if self._model is not None and (audio := audio_of(payload, self.is_phone)):
            self._model.send(_TEXT, b'%b"%b"}' % (APPEND, audio))

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
        if self._model is not None:
            self._model.disconnect()


class Model(WSListener):
    """The model's side."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._is_phone = caller.is_phone

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
            return
        payload, caller = frame.get_payload_as_bytes(), self._caller.transport
        if caller is None:
            return
        if payload.startswith(b'{"type":"response.output_audio.delta"'):
            at = payload.rindex(b'"delta":"') + 9
            audio = payload[at : payload.index(b'"', at)]
            if self._is_phone:
                caller.send(_TEXT, b'{"kind":"AudioData","audioData":{"data":"%b"}}' % audio)
            else:
                item_at = payload.index(b'"item_id":"') + 11
                item = payload[item_at : payload.index(b'"', item_at)]
                caller.send(_TEXT, b'{"type":"audio","item":"%b","audio":"%b"}' % (item, audio))
        elif _SPEECH in payload[:60]:
            caller.send(_TEXT, STOP if self._is_phone else FLUSH)

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._caller.transport is not None:
            self._caller.transport.disconnect()


async def main(port: int, url: str) -> None:
    """Serve until killed."""
    tls = ssl.create_default_context() if url.startswith("wss:") else None

    def called(request: WSUpgradeRequest) -> WSListener:
        return Caller(url, tls, is_phone=request.path.startswith(b"/phone"))

    server = await ws_create_server(called, "127.0.0.1", port, backlog=2_048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]), loop_factory=uvloop.new_event_loop)
