"""ACS's media socket as the caller's leg of a call.

The exchange iterates it and pushes into it; `run` reads, writes and watches. Whatever ends it does
so through `_finish`: the first reason counts. A lost socket is not a lost caller: ACS opens a new
one, which takes its place.
"""

import asyncio
import base64
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from typing import Final

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from switchboard.access.rates import Bucket
from switchboard.conversation.audio import PCM_24K, base64_ms
from switchboard.conversation.commands import CallerCommand, Note, Record, StopPlayout
from switchboard.conversation.events import (
    CallerAway,
    CallerEvent,
    CallerPressed,
    Heard,
    RecordingChanged,
    RecordingState,
)
from switchboard.conversation.legs import CallerAudio, Hear, LegCapabilities, ReplyAudio, Report
from switchboard.extensions import at_once, shortcut
from switchboard.phone.codec import (
    STOP_AUDIO,
    Key,
    Misheard,
    Sound,
    StreamOpened,
    audio_of,
    decode,
    encode,
)
from switchboard.phone.cutter import FRAME_BYTES
from switchboard.phone.limits import MediaLimits
from switchboard.phone.metronome import Metronome
from switchboard.phone.playout import Playout
from switchboard.phone.resample import SixteenKilohertz
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

REPLACED: Final = "replaced"
"""Why a leg is closed whose call goes on with another."""
ELSEWHERE: Final = "elsewhere"
"""Why one is closed whose call another server carries on."""
SILENCE: Final = base64.b64encode(bytes(FRAME_BYTES)).decode()
REPORT_S: Final = 0.1
"""How often is said what has been heard. A barge-in says it at once."""
TUNE: Final = "tune"
"""The tune's item: no reply's, so nobody asks how much of it was heard."""
TUNE_AHEAD_MS: Final = 1_000.0
REMEMBERED: Final = 64
"""Replies of which late audio would be known."""


class PhoneLeg:
    """One media socket, accepted. `hang_up` ends the telephone call itself; it must not raise."""

    capabilities = LegCapabilities(paced=True)

    def __init__(
        self,
        socket: WebSocket,
        call_id: str,
        *,
        metronome: Metronome,
        hang_up: Callable[[str], Awaitable[None]],
        record: Callable[[Record], None] | None = None,
        latency_ms: float = 0.0,
        limits: MediaLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`record` has the call recorded, or not for now; `recording_changed` answers it."""
        self._record = record
        self._socket = socket
        self._call_id = call_id
        self._metronome = metronome
        self._hang_up = hang_up
        self._limits = limits or MediaLimits()
        self._clock = clock
        now = clock()
        self._playout = Playout(latency_ms=latency_ms)
        self._playout.hold(now)  # until the stream has said what it is
        self._narrow: SixteenKilohertz | None = None
        self._tune: str | None = None
        self._opened = False
        self._said: deque[CallerEvent | CallerAudio] = deque()
        self._outbox: deque[str] = deque()
        self._send_at_once = at_once(socket.scope)
        self._hand_over: Hear = _declines
        self._news = asyncio.Event()
        self._work = asyncio.Event()
        self._written = asyncio.Event()
        self._closing: str | None = None
        self._ended = False
        self._replies: deque[str] = deque(maxlen=REMEMBERED)
        self._silenced: deque[str] = deque(maxlen=REMEMBERED)
        self._report_at = now
        self._last_frame = now
        self._sending_since: float | None = None
        self._audio = Bucket(self._limits.audio_ms.per_second, self._limits.audio_ms.burst, now)
        self._keys = Bucket(self._limits.keys.per_second, self._limits.keys.burst, now)
        self._faults = Bucket(self._limits.faults.per_second, self._limits.faults.burst, now)

    # -- the exchange's half ----------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[CallerEvent | CallerAudio]:
        while True:
            while self._said:
                yield self._said.popleft()
            if self._closing is not None:
                break
            await self._news.wait()
            self._news.clear()
        if not self._ended:
            yield CallerAway()

    def straight(self, hear: Hear, report: Report) -> None:
        """From now on, hand over audio as it comes. What was heard is found while something is
        played or silenced, so it must wait."""
        del report
        self._hand_over = hear
        shortcut(self._socket.scope, self._hear_at_once)

    def play(self, reply: ReplyAudio) -> None:
        """Queue audio for the ear. A reply that has been silenced stays silent."""
        if self._closing is not None or reply.reply_id in self._silenced:
            return
        if reply.reply_id not in self._replies:
            self._replies.append(reply.reply_id)
        try:
            if not self._playout.put(reply.item_id, reply.audio):
                self._finish("too much to play")
                return
        except ValueError:
            logger.warning("a reply's audio is none", extra={"call": self._call_id})
            return
        self.beat()
        self._metronome.join(self.beat)

    def command(self, command: CallerCommand) -> None:
        match command:
            case StopPlayout():
                self._silence()
            case Record() if self._record is not None:
                self._record(command)
            case Record(on):
                self.recording_changed(RecordingState.FAILED if on else RecordingState.PAUSED)
            case _:
                pass

    def recording_changed(self, state: RecordingState) -> None:
        """What became of the recording."""
        self._say(RecordingChanged(state))

    def _silence(self) -> None:
        """Silence now, and say what was heard."""
        self._silenced.extend(self._replies)
        self._replies.clear()
        self._stop()

    def show(self, note: Note) -> None:
        """A telephone has no screen."""

    async def close(self, reason: str) -> None:
        """Hang up, unless another leg has taken over."""
        self._ended = True
        self._outbox.clear()
        self._finish(reason)
        with anyio.move_on_after(self._limits.close_s):
            await self._written.wait()
        if reason not in (REPLACED, ELSEWHERE):
            await self._hang_up(reason)

    # -- the carrier's half -----------------------------------------------------------------

    def hold(self) -> None:
        """The caller hears nothing from now on."""
        self._playout.hold(self._clock())

    def resume(self) -> None:
        """The caller hears us again."""
        if self._opened:
            self._playout.resume(self._clock())

    def wait_on(self, tune: str) -> None:
        """Play this, base64 PCM 24 kHz, again and again, until `wait_no_more`."""
        if self._closing is not None:
            return  # the leg that takes its place plays it
        self._tune = tune
        self.beat()
        self._metronome.join(self.beat)

    def wait_no_more(self) -> None:
        """The tune falls silent at once."""
        if self._tune is not None:
            self._tune = None
            self._stop()

    def _stop(self) -> None:
        """Nothing of what was sent is to be heard any more."""
        self._report(self._playout.stop(self._clock()))
        if self._tune is None:
            self._metronome.leave(self.beat)
        self._outbox.clear()
        self._send(STOP_AUDIO)

    # -- the route's half -------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether the call ended with this socket: not lost, not taken over by another."""
        return self._ended and self._closing != REPLACED

    async def run(self) -> None:
        """Read, write and watch, until the socket is done with."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(quietly, self._read)
                tasks.start_soon(quietly, partial(self._watch, tasks.cancel_scope))
                try:
                    await self._write()
                except (WebSocketDisconnect, RuntimeError, OSError):
                    # It went while we were sending; servers disagree on how to say so.
                    self._finish("lost")
                tasks.cancel_scope.cancel()
        finally:
            self._tune = None
            self._hand_over = _declines  # who holds us is held no more
            self._finish("lost")
            self._metronome.leave(self.beat)
            self._written.set()

    def beat(self) -> None:
        """Send what is due, and say what has been heard."""
        now = self._clock()
        if self._tune is not None and self._playout.waiting_ms < TUNE_AHEAD_MS:
            self._playout.put(TUNE, self._tune)
        room = self._limits.outbox_frames - len(self._outbox)
        for frame in self._playout.due(now, at_most=max(room, 0)):
            audio = self._narrow.to_ear(frame.audio) if self._narrow else frame.audio
            self._send(encode(audio))
        played = self._playout.has_played(now)
        if played or now >= self._report_at:
            self._report_at = now + REPORT_S
            self._report(self._playout.heard(now))
        if played and self._tune is None:
            self._metronome.leave(self.beat)

    # -- from the caller --------------------------------------------------------------------

    async def _read(self) -> None:
        while self._closing is None:
            message = await self._socket.receive()
            self._last_frame = self._clock()
            if message["type"] == "websocket.disconnect":
                self._finish("lost")
                return
            text = message.get("text")
            try:
                event = decode(text) if text is not None else None
                if event is not None:
                    self._act_on(event)
            except Misheard as fault:
                self._fault(str(fault))

    def _hear_at_once(self, frame: str | bytes) -> bool:
        """Whether this was audio of an open stream, and is heard. Nothing that came waits before
        it, neither to be read nor to be told."""
        if not self._opened or self._said or self._closing is not None or isinstance(frame, bytes):
            return False
        audio = audio_of(frame)
        if audio is None:
            return False
        self._last_frame = self._clock()
        if self._narrow:
            audio = self._narrow.from_ear(audio)
        ms = base64_ms(audio)
        if self._is_in_time(ms) and not self._hand_over(audio, ms):
            self._say(CallerAudio(audio))
        return True

    def _act_on(self, event: StreamOpened | Sound | Key) -> None:
        match event:
            case StreamOpened(stream):
                self._open(None if stream == PCM_24K else self._narrow or SixteenKilohertz())
            case Sound(audio):
                if not self._opened:
                    self._open(None)
                self._hear(audio)
            case Key(key):
                if self._keys.take(self._last_frame):
                    self._say(CallerPressed(key))

    def _open(self, narrow: SixteenKilohertz | None) -> None:
        self._narrow = narrow
        if not self._opened:
            self._opened = True
            self._playout.resume(self._clock())
            self.beat()

    def _hear(self, audio: str) -> None:
        if not audio:
            audio = SILENCE
        elif self._narrow:
            audio = self._narrow.from_ear(audio)
        if self._is_in_time(base64_ms(audio)):
            self._say(CallerAudio(audio))

    def _is_in_time(self, ms: float) -> bool:
        """Else it is no caller who speaks so fast."""
        return self._audio.take(self._last_frame, ms)

    def _say(self, event: CallerEvent | CallerAudio) -> None:
        self._said.append(event)
        if len(self._said) > self._limits.inbox_events:
            self._said.popleft()
        self._news.set()

    def _report(self, heard: Iterable[Heard]) -> None:
        for each in heard:
            self._say(each)

    def _fault(self, text: str) -> None:
        logger.warning("media frame refused", extra={"call": self._call_id, "reason": text})
        if not self._faults.take(self._last_frame):
            self._finish("hostile")

    # -- to the ear -------------------------------------------------------------------------

    def _send(self, frame: str) -> None:
        if self._closing is not None:
            return
        idle = not self._outbox and self._sending_since is None
        if not (idle and self._send_at_once(frame.encode())):
            self._outbox.append(frame)
            self._work.set()

    def _finish(self, reason: str) -> None:
        """Nothing more is read or queued."""
        if self._closing is not None:
            return
        self._closing = reason
        logger.info("media socket closing", extra={"call": self._call_id, "reason": reason})
        self._work.set()
        self._news.set()

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._outbox:
                self._sending_since = self._clock()
                await self._socket.send_text(self._outbox.popleft())
                self._sending_since = None
            if self._closing is not None:
                if self._closing != "lost":
                    await self._socket.close(1000, "done")
                return

    async def _watch(self, everything: anyio.CancelScope) -> None:
        """End a socket that says nothing, or takes nothing."""
        while self._closing is None:
            await anyio.sleep(min(1.0, self._limits.idle_s / 2))
            now = self._clock()
            stalled = self._sending_since and now - self._sending_since > self._limits.stall_s
            if stalled or now - self._last_frame > self._limits.idle_s:
                self._outbox.clear()
                self._finish("stalled" if stalled else "silent")
        await anyio.sleep(self._limits.close_s)
        everything.cancel()


def _declines(*_: object) -> bool:
    return False
