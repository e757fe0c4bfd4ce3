"""A console's socket as an ear: both voices of a call, and nothing back."""

import logging
import time
from typing import Final

import anyio
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchboard.browser.leg import ABORT
from switchboard.browser.outbox import Outbox
from switchboard.console import protocol as wire

logger = logging.getLogger(__name__)

MOST_CHARS: Final = 4 * 1024 * 1024
"""About a minute of both voices."""
STALL_S: Final = 15.0
LONGEST_S: Final = 3_600.0
"""Who still listens may ask again."""
MOST_SAID: Final = 50
"""Frames of a page that has nothing to say here."""
TOO_SLOW: Final = (1013, "reading too slowly")
GOODBYE: Final = (1000, "the call has ended")
TIME_UP: Final = (1000, "time is up")
NOT_UNDERSTOOD: Final = (1008, "this socket only listens")


class SocketEar:
    """Queues what is to be heard; `run` sends it."""

    def __init__(
        self, socket: WebSocket, *, most_chars: int = MOST_CHARS, stall_s: float = STALL_S
    ) -> None:
        self._socket = socket
        self._stall_s = stall_s
        self._outbox = Outbox(most_chars)
        self._work = anyio.Event()
        self._closing: tuple[int, str] | None = None

    # -- the call's half --------------------------------------------------------------------

    def caller(self, audio: str) -> None:
        # It is spoken now: nothing queued is silenced by what the agent does.
        self._put(wire.Voice("caller", audio))

    def agent(self, audio: str) -> None:
        self._put(wire.Voice("agent", audio), audio=True)

    def hush(self) -> None:
        self._outbox.forget_audio()
        self._put(wire.Hush())

    def muted(self, muted: bool) -> None:
        self._put(wire.Muted(muted))

    def over(self) -> None:
        self._put(wire.Over())
        self._close(GOODBYE)

    # -- the route's half -------------------------------------------------------------------

    async def run(self) -> None:
        """Until the call has ended, the socket is gone, or the time is up."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch)
            with anyio.move_on_after(LONGEST_S) as life:
                await self._write()
            if life.cancelled_caught:
                await self._hang_up(TIME_UP)
            tasks.cancel_scope.cancel()

    def _put(self, message: wire.EarMessage, *, audio: bool = False) -> None:
        if self._closing is not None:
            return
        self._outbox.put(msgspec.json.encode(message).decode(), audio=audio)
        if self._outbox.is_full:
            self._outbox.clear()
            self._close(TOO_SLOW)
        self._work.set()

    def _close(self, why: tuple[int, str]) -> None:
        self._closing = self._closing or why
        self._work.set()

    async def _write(self) -> None:
        began = time.monotonic()
        try:
            while True:
                await self._work.wait()
                self._work = anyio.Event()
                while self._outbox:
                    with anyio.fail_after(self._stall_s):
                        await self._socket.send_text(self._outbox.take())
                if self._closing is not None:
                    await self._hang_up(self._closing)
                    return
        except TimeoutError:
            # Nobody reads: a polite close would wait behind what is stuck.
            abort = self._socket.scope.get("extensions", {}).get(ABORT)
            if abort is not None:
                abort["now"]()
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # it went while we were sending; servers disagree on how to say so
        logger.info("listener gone", extra={"after_s": round(time.monotonic() - began)})

    async def _watch(self) -> None:
        """Notice that the page has gone. It has nothing to say."""
        said = 0
        while (await self._socket.receive())["type"] != "websocket.disconnect":
            said += 1
            if said > MOST_SAID:
                self._close(NOT_UNDERSTOOD)
                return
        self._outbox.clear()
        self._close(GOODBYE)

    async def _hang_up(self, why: tuple[int, str]) -> None:
        with anyio.move_on_after(1, shield=True):
            await self._socket.close(*why)
