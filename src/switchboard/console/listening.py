"""A console's socket as an ear: both voices of a call, and nothing back."""

import logging
import time
from functools import partial
from typing import Final

import anyio
import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchboard.access.renewal import Renewal
from switchboard.access.standing import Standing
from switchboard.browser.outbox import Outbox
from switchboard.console import protocol as wire
from switchboard.extensions import ABORT
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

type Close = tuple[int, str]
"""A WebSocket close code and its reason."""
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
SIGNED_OUT: Final = (4401, "nobody is signed in any more")
MAX_SAID_CHARS: Final = 20_000
_renew: Final = msgspec.json.Decoder(wire.Renew)


class SocketEar:
    """Queues what is to be heard; `run` sends it."""

    def __init__(
        self,
        socket: WebSocket,
        *,
        most_chars: int = MOST_CHARS,
        stall_s: float = STALL_S,
        standing: Standing | None = None,
        idle_s: float | None = None,
    ) -> None:
        """`standing` says whether somebody stands behind it; `idle_s` is how long the page may say
        nothing, where it has something to say."""
        self._renewal: Renewal | None = None
        if standing is not None and standing.runs_out:
            self._renewal = Renewal(
                standing,
                ask=lambda: self._put(wire.TokenWanted()),
                taken=self._token_taken,
                refused=lambda text: self._put(wire.TokenRefused(text)),
            )
        self._socket = socket
        self._idle_s = idle_s
        self._said = 0
        self._stall_s = stall_s
        self._outbox = Outbox(most_chars)
        self._work = anyio.Event()
        self._closing: Close | None = None

    # -- the call's half --------------------------------------------------------------------

    def caller(self, audio: str) -> None:
        # It is spoken now: nothing queued is silenced by what the agent does.
        self._put(wire.Voice("caller", audio))

    def agent(self, audio: str) -> None:
        self._put(wire.Voice("agent", audio), audio=True)

    def operator(self, audio: str) -> None:
        self._put(wire.Voice("operator", audio))

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
            tasks.start_soon(quietly, self._watch)
            if self._renewal is not None:
                tasks.start_soon(quietly, partial(self._stand, self._renewal))
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

    def said(self, text: str | None) -> Close | None:
        """Take a frame of the page's: it has little to say. Why the socket is to close, if so."""
        self._hear(text)
        self._said += 1
        return NOT_UNDERSTOOD if self._said > MOST_SAID else None

    def silent(self) -> Close:
        """The page said nothing for `idle_s`."""
        return GOODBYE

    def _close(self, why: Close) -> None:
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

    async def _stand(self, renewal: Renewal) -> None:
        text = await renewal.run()
        self._outbox.clear()
        self._put(wire.TokenRefused(text))
        self._close(SIGNED_OUT)

    async def _token_taken(self, until: float) -> None:
        self._put(wire.TokenTaken(until))

    def _hear(self, text: str | None) -> None:
        """A fresh token, perhaps; it has nothing else to say."""
        if text is None or len(text) > MAX_SAID_CHARS:
            return
        try:
            self.shows(_renew.decode(text))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return

    def shows(self, fresh: wire.Renew) -> None:
        """A fresh token: looked at by whoever waits for one."""
        if self._renewal is not None:
            self._renewal.offer(fresh.token)

    async def _watch(self) -> None:
        """Hear what the page says, and notice that it has gone."""
        while True:
            message = None
            with anyio.move_on_after(self._idle_s):
                message = await self._socket.receive()
            if message is None:
                self._close(self.silent())
                return
            if message["type"] == "websocket.disconnect":
                self._outbox.clear()
                self._close(GOODBYE)
                return
            if (why := self.said(message.get("text"))) is not None:
                self._close(why)
                return

    async def _hang_up(self, why: Close) -> None:
        with anyio.move_on_after(1, shield=True):
            await self._socket.close(*why)
