"""`WS /local/phone`: a telephone in other hands than this process's, a terminal's or a page's.

Text frames are JSON, binary ones 24 kHz mono PCM16. The telephone is told to `say` a text, to
`press` keys and to `hang_up`; binary frames are spoken as they are. It tells `ringing`, `answered`
or `unanswered`, `spoken` (once for everything it was to say), `words` (what its ears made of what
they heard) and `ended`; and passes on every 20 ms of sound. No service of Azure's has it.
"""

import logging
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import anyio
import msgspec
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastapi import APIRouter, Response, WebSocket
from msgspec import Meta
from starlette.websockets import WebSocketDisconnect

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.captions import Stretches
from switchboard_local.acs.people import NoAnswer, PhoneCall
from switchboard_local.acs.refusals import AcsRefused
from switchboard_local.engine.parts import Ears, Voice
from switchboard_local.loopback import from_here

logger = logging.getLogger(__name__)

PATH: Final = "/local/phone"
CALLER: Final = "+15550111"
MAX_WAITING: Final = 20
SEND_S: Final = 5.0

type Speech = str | bytes


class Wish(msgspec.Struct, frozen=True):
    """What the telephone is to do."""

    type: Literal["say", "press", "hang_up"]
    text: Annotated[str, Meta(max_length=2_000)] = ""
    keys: Annotated[str, Meta(pattern=r"^[0-9*#A-D]{0,64}\Z")] = ""


_wish: Final = msgspec.json.Decoder(Wish)


@dataclass(frozen=True, slots=True)
class Parts:
    """The voice that speaks for the caller, and the ears that put the agent's sound in words."""

    voice: Voice
    ears: Ears


def softphone_router(acs: Acs, parts: Parts) -> APIRouter:
    """One call for each socket: `?number=%2B15550100`, and `from` for another caller."""
    router = APIRouter()

    @router.websocket(PATH)
    async def phone(socket: WebSocket) -> None:
        if not from_here(socket.headers):
            await socket.send_denial_response(Response(status_code=403))
            return
        await socket.accept()
        try:
            await Softphone(socket, acs, parts).call()
        except* (WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            logger.info("softphone gone")

    return router


class Softphone:
    """One call. However it ends, the telephone is hung up."""

    def __init__(self, socket: WebSocket, acs: Acs, parts: Parts) -> None:
        self._socket = socket
        self._acs = acs
        self._parts = parts

    async def call(self) -> None:
        """Ring, talk, hang up."""
        put, speeches = anyio.create_memory_object_stream[Speech](MAX_WAITING)
        ringing: list[PhoneCall] = []
        async with put, speeches, anyio.create_task_group() as tasks:

            async def read() -> None:
                await self._read(put, ringing)
                tasks.cancel_scope.cancel()

            tasks.start_soon(read)
            if call := await self._ring():
                ringing.append(call)
                try:
                    await self._talk(call, speeches)
                finally:
                    call.hang_up()
                await self._tell("ended")
            await self._socket.close()
            tasks.cancel_scope.cancel()

    async def _ring(self) -> PhoneCall | None:
        query = self._socket.query_params
        await self._tell("ringing")
        try:
            phone = self._acs.phone(query.get("from", CALLER))
            call = await self._acs.dial(phone, query.get("number", ""))
        except NoAnswer as reason:
            await self._tell("unanswered", reason.outcome.value.message)
            return None
        except AcsRefused as reason:
            await self._tell("unanswered", str(reason))
            return None
        await self._tell("answered")
        return call

    async def _talk(self, call: PhoneCall, speeches: MemoryObjectReceiveStream[Speech]) -> None:
        put, stretches = anyio.create_memory_object_stream[bytes](MAX_WAITING)
        async with put, stretches, anyio.create_task_group() as tasks:
            tasks.start_soon(self._speak, call, speeches)
            tasks.start_soon(self._put_in_words, stretches)
            await self._hear(call, put)
            tasks.cancel_scope.cancel()

    async def _speak(self, call: PhoneCall, speeches: MemoryObjectReceiveStream[Speech]) -> None:
        async for speech in speeches:
            if isinstance(speech, bytes):
                call.say(speech)
            else:
                async for piece in self._parts.voice.speak(speech):
                    call.say(piece)
            await call.say_out(b"")
            await self._tell("spoken")

    async def _hear(self, call: PhoneCall, stretches: MemoryObjectSendStream[bytes]) -> None:
        cutter = Stretches()
        async for heard in call.listen():
            with anyio.fail_after(SEND_S):
                await self._socket.send_bytes(heard.pcm)
            stretch = cutter.push(heard.pcm)
            if stretch and stretches.statistics().current_buffer_used < MAX_WAITING:
                stretches.send_nowait(stretch)

    async def _put_in_words(self, stretches: MemoryObjectReceiveStream[bytes]) -> None:
        async for stretch in stretches:
            if words := await self._parts.ears.transcribe(stretch):
                await self._tell("words", words)

    async def _read(self, speeches: MemoryObjectSendStream[Speech], calls: list[PhoneCall]) -> None:
        """Until the other end goes, or says what is none of this."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                wish = message.get("bytes") or _wish.decode(message.get("text") or "")
                match wish:
                    case Wish(type="press", keys=keys) if calls:
                        calls[0].press(keys)
                    case Wish(type="hang_up"):
                        return
                    case Wish(type="say", text=text):
                        speeches.send_nowait(text)
                    case bytes():
                        speeches.send_nowait(wish)
                    case _:
                        pass
            except (msgspec.MsgspecError, anyio.WouldBlock, ValueError):
                return

    async def _tell(self, kind: str, text: str = "") -> None:
        said = msgspec.json.encode({"type": kind, "text": text}).decode()
        with anyio.fail_after(SEND_S):
            await self._socket.send_text(said)
