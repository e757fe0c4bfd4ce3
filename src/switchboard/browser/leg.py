"""A page's socket as the caller's leg of a call.

The exchange iterates it and pushes into it; `run` is its writer and its watch. Whatever ends it
does so through `_finish`: the first reason counts.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

import anyio
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchboard.access.renewal import Renewal
from switchboard.access.standing import Standing
from switchboard.browser import protocol as wire
from switchboard.browser.codec import (
    Misunderstood,
    audio_of,
    decode,
    encoded,
    message_of,
    played_of,
)
from switchboard.browser.limits import Meter, SocketLimits
from switchboard.browser.outbox import Outbox
from switchboard.browser.wording import ended_text
from switchboard.conversation.audio import base64_ms
from switchboard.conversation.commands import CallerCommand, Note, StopPlayout
from switchboard.conversation.events import (
    CallerAway,
    CallerDecided,
    CallerEvent,
    CallerLeft,
    CallerPressed,
    CallerTyped,
    Heard,
    HumanWanted,
    WishWithdrawn,
)
from switchboard.conversation.legs import CallerAudio, Hear, LegCapabilities, ReplyAudio, Report
from switchboard.extensions import ABORT, at_once, shortcut
from switchboard.quiet import quietly
from switchboard.ticks import Ticks

logger = logging.getLogger(__name__)

WATCH_S: Final = 1.0
TOO_FAST: Final = ("too_fast", "This is more than the line can take.")
REPLACED: Final = "replaced"
"""Why a leg is closed whose call goes on with another."""


class Close(NamedTuple):
    """A WebSocket close code and its reason."""

    code: int
    reason: str


GOODBYE: Final = Close(1000, "goodbye")
NOT_TEXT: Final = Close(1003, "text frames only")
HOSTILE: Final = Close(1008, "too many faults")
TOO_SLOW: Final = Close(1013, "reading too slowly")
TOKEN_OVER: Final = Close(4401, "nobody is signed in any more")
CALL_GONE: Final = Close(4404, "call gone")
IDLE: Final = Close(4408, "no frame for too long")
SAID_GOODBYE: Final = {1000: "goodbye", 1001: "page_closed"}
"""Close codes of a page by which a person left. Anything else is a loss."""


class BrowserLeg:
    """One socket, accepted. `ready` is sent before anything else, once the call takes the leg."""

    capabilities = LegCapabilities(paced=False)

    def __init__(
        self,
        socket: WebSocket,
        ready: wire.Ready,
        *,
        title_of: Callable[[str], str],
        limits: SocketLimits | None = None,
        standing: Standing | None = None,
        renewed: Callable[[float], Awaitable[None]] | None = None,
        signed_out: Callable[[], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`standing` says whether somebody stands behind it; `renewed` hears until when, epoch
        seconds, whenever that changes; `signed_out` runs when nobody does any more, before the
        page is told."""
        self._socket = socket
        self._ready: wire.Ready | None = ready
        self._call_id = ready.call
        self._title_of = title_of
        self._limits = limits or SocketLimits()
        self._clock = clock
        self._meter = Meter(self._limits, clock())
        self._outbox = Outbox(self._limits.outbox_chars)
        self._send_at_once = at_once(socket.scope)
        self._hear: Hear = _declines
        self._report: Report = _declines
        self._work = asyncio.Event()
        self._written = asyncio.Event()
        self._closing: Close | None = None
        self._left: str | None = None
        self._ended: str | None = None
        self._is_gone = False
        self._writing = anyio.CancelScope()
        self._patience: Ticks | None = None
        """With the last frames."""
        self._last_frame = clock()
        self._sending_since: float | None = None
        self._reader: asyncio.Task[object] | None = None
        self._on_renewed = renewed
        self._on_signed_out = signed_out
        self._renewal: Renewal | None = None
        if standing is not None and standing.runs_out:
            self._renewal = Renewal(
                standing,
                ask=lambda: self._send(wire.TokenWanted()),
                taken=self._token_taken,
                refused=lambda text: self._send(wire.Refused("token", text, fatal=False)),
            )

    # -- the exchange's half ----------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[CallerEvent | CallerAudio]:
        self._greet()
        while self._closing is None and self._left is None:
            message = await self._receive()
            event = self._event_of(message) if message is not None else None
            if event is not None:
                yield event
        if self._left is not None:
            yield CallerLeft(self._left)
        elif self._ended is None:
            yield CallerAway()

    def straight(self, hear: Hear, report: Report) -> None:
        """From now on, hand over audio, and what was played, as it comes."""
        self._hear, self._report = hear, report
        shortcut(self._socket.scope, self._take_at_once)

    def play(self, reply: ReplyAudio) -> None:
        """Queue audio for the ear. A page that does not keep up is cut off."""
        self._put(encoded(wire.AudioOut(reply.item_id, reply.audio)), audio=True)

    def command(self, command: CallerCommand) -> None:
        """Silence now. The rest is for telephones."""
        if isinstance(command, StopPlayout):
            self._outbox.forget_audio()
            self._send(wire.Flush())

    def show(self, note: Note) -> None:
        """Tell the page."""
        message = message_of(note, self._title_of)
        if message is not None:
            self._send(message)

    async def close(self, reason: str) -> None:
        """Say why, and hang up; at most `close_s` seconds for the page to take it."""
        if self._closing is None:
            self._ended = reason
            self._outbox.forget_audio()
            self._send(wire.Ended(reason, ended_text(reason)))
            self._finish(GOODBYE)
        with anyio.move_on_after(self._limits.close_s):
            await self._written.wait()

    # -- the route's half -------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether the call ended with this socket: not lost, not taken over by another."""
        return self._left is not None or self._ended not in (None, REPLACED)

    async def run(self) -> None:
        """Send what is queued and watch for silence, until the socket is done with."""
        watch = Ticks(self._pause_s, self._watch)
        try:
            if self._renewal is None:
                await self._write_all()
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(quietly, partial(self._stand, self._renewal))
                await self._write_all()
                tasks.cancel_scope.cancel()
        finally:
            watch.stop()
            if self._patience is not None:
                self._patience.stop()
            # What holds us is held no more, or all of the call would wait for the collector.
            self._hear = self._report = _declines
            self._renewal = None

    async def _write_all(self) -> None:
        with anyio.CancelScope() as self._writing:
            try:
                await self._write()
            except (WebSocketDisconnect, RuntimeError, OSError):
                # It went while we were sending; servers disagree on how to say so.
                self._gone(1006)
        self._written.set()

    async def _stand(self, renewal: Renewal) -> None:
        """Until nobody stands behind this socket: then it goes, and the call waits as for any
        page that was lost."""
        text = await renewal.run()
        if self._on_signed_out is not None:
            # First, or a quick page comes back with its ticket while that is still good.
            with anyio.move_on_after(self._limits.close_s):
                await self._on_signed_out()
        self._refuse_frame("signed_out", text, TOKEN_OVER)

    async def _token_taken(self, until: float) -> None:
        if self._on_renewed is not None:
            await self._on_renewed(until)
        self._send(wire.TokenTaken(until))

    async def gone(self) -> None:
        """Wait for whoever ends this leg to say why; nobody does, so we do."""
        with anyio.move_on_after(self._limits.close_s):
            await self._written.wait()
        await self.close("ended")

    async def refuse(self, code: str, text: str, close: Close) -> None:
        """Turn the page away: this leg never became a call's."""
        self._ready = None
        self._send(wire.Refused(code, text, fatal=True))
        self._finish(close)
        with anyio.move_on_after(self._limits.close_s):
            await self._written.wait()

    # -- from the page ----------------------------------------------------------------------

    async def _receive(self) -> Message | None:
        """The next message; `None` when `_finish` broke the wait.

        Cancelling the wait by hand costs a tenth of a timeout for each frame.
        """
        self._reader = asyncio.current_task()
        try:
            return await self._socket.receive()
        except asyncio.CancelledError:
            if self._reader is None and self._closing is not None:
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()
                return None
            raise
        finally:
            self._reader = None

    def _take_at_once(self, frame: str | bytes) -> bool:
        """Whether this was audio, or what was played, and is taken. Nothing that the page said
        waits before it."""
        if self._closing is not None or self._left is not None or not isinstance(frame, str):
            return False
        audio = audio_of(frame)
        if audio is None:
            return self._report_at_once(frame)
        now, ms = self._clock(), base64_ms(audio)
        if not self._meter.admits_audio(ms, now):
            self._fault(*TOO_FAST, now)
            return True
        self._last_frame = now
        return self._hear(audio, ms)

    def _report_at_once(self, frame: str) -> bool:
        played = played_of(frame)
        if played is None:
            return False
        now = self._last_frame = self._clock()
        if not self._meter.admits_report(now):
            self._fault(*TOO_FAST, now)
            return True
        return self._report(Heard(played.item, played.ms))

    def _event_of(self, message: Message) -> CallerEvent | CallerAudio | None:
        now = self._last_frame = self._clock()
        if message["type"] == "websocket.disconnect":
            self._gone(message.get("code", 1005))
            return None
        text = message.get("text")
        if text is None:
            self._refuse_frame("not_text", "Only text frames are understood.", NOT_TEXT)
            return None
        try:
            page_message = decode(text)
        except Misunderstood as fault:
            self._fault("misunderstood", str(fault), now)
            return None
        if not self._meter.admits(page_message, now):
            self._fault(*TOO_FAST, now)
            return None
        return self._act_on(page_message)

    def _act_on(self, message: wire.PageMessage) -> CallerEvent | CallerAudio | None:
        match message:
            case wire.AudioIn(audio=audio):
                return CallerAudio(audio)
            case wire.Played(item=item, ms=ms):
                return Heard(item, ms)
            case wire.TextIn(id=item_id, text=text):
                return CallerTyped(item_id, text)
            case wire.Key(key=key):
                return CallerPressed(key)
            case wire.Decide(call=call, agreed=agreed):
                return CallerDecided(call, agreed)
            case wire.Human(withdraw=withdraw):
                return WishWithdrawn() if withdraw else HumanWanted()
            case wire.Ping() | wire.Renew() | wire.End():
                self._take(message)
        return None

    def _take(self, message: wire.Ping | wire.Renew | wire.End) -> None:
        """What is no business of the call's, or its end."""
        match message:
            case wire.Ping(at=at):
                self._send(wire.Pong(at))
            case wire.Renew(token=token):
                if self._renewal is not None:
                    self._renewal.offer(token)
            case wire.End():
                self._left = "goodbye"

    def _gone(self, code: int) -> None:
        self._is_gone = True
        self._outbox.clear()
        if self._closing is None:
            self._left = self._left or SAID_GOODBYE.get(code)
        self._finish(Close(code, "the page went"))

    def _fault(self, code: str, text: str, now: float) -> None:
        if self._meter.forgives(now):
            self._send(wire.Refused(code, text, fatal=False))
        else:
            self._refuse_frame(code, text, HOSTILE)

    def _refuse_frame(self, code: str, text: str, close: Close) -> None:
        self._send(wire.Refused(code, text, fatal=True))
        self._finish(close)

    # -- to the page ------------------------------------------------------------------------

    def _greet(self) -> None:
        if self._ready is not None:
            ready, self._ready = self._ready, None
            self._send(ready)

    def _send(self, message: wire.ServerMessage) -> None:
        self._put(encoded(message))

    def _put(self, frame: bytes, *, audio: bool = False) -> None:
        if self._ready is not None:
            self._greet()
        if self._closing is not None:
            return
        idle = self._sending_since is None and not self._outbox.frames
        if idle and self._send_at_once(frame):
            return
        self._outbox.put(frame.decode(), audio=audio)
        self._work.set()
        if self._outbox.is_full:
            self._cut_off(TOO_SLOW)

    def _cut_off(self, close: Close) -> None:
        """Nobody reads or nobody is there: what waits will not be missed."""
        self._outbox.clear()
        self._finish(close)

    def _finish(self, close: Close) -> None:
        """Nothing more is read or queued; what is queued is sent, then the socket closed."""
        if self._closing is not None:
            return
        self._closing = close
        if not self._written.is_set():
            self._patience = Ticks(self._limits.close_s, self._hang_up)
        logger.info("socket closing", extra={"call": self._call_id, "code": close.code})
        self._work.set()
        reader, self._reader = self._reader, None
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._outbox:
                self._sending_since = self._clock()
                await self._socket.send_text(self._outbox.take())
                self._sending_since = None
            if self._closing is not None:
                if not self._is_gone:
                    await self._socket.close(self._closing.code, self._closing.reason)
                return

    @property
    def _pause_s(self) -> float:
        return min(WATCH_S, self._limits.idle_s / 2)

    def _watch(self) -> float | None:
        """End a socket that says nothing, or takes nothing."""
        now = self._clock()
        if self._closing is not None:
            return None
        if now - self._last_frame > self._limits.idle_s:
            self._cut_off(IDLE)
        elif self._sending_since and now - self._sending_since > self._limits.stall_s:
            self._cut_off(TOO_SLOW)
        return self._pause_s

    def _hang_up(self) -> None:
        """The last frames did not leave in time: a polite close would wait behind them for ever."""
        abort = self._socket.scope.get("extensions", {}).get(ABORT)
        if abort is not None:
            abort["now"]()
        self._writing.cancel()


def _declines(*_: object) -> bool:
    return False
