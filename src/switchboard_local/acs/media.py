"""One media subscription: a WebSocket to the application, on which ACS is the client."""

import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final
from uuid import uuid4

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from switchboard_local.acs import frames
from switchboard_local.acs.bodies import MediaStreaming
from switchboard_local.acs.connection import Asked
from switchboard_local.acs.flow import Flow
from switchboard_local.acs.frames import AudioIn, Misfit
from switchboard_local.acs.playout import Playout
from switchboard_local.acs.sound import FRAME_MS, RATE, Resampler, Spoken, mixed
from switchboard_local.loopback import is_loopback

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES: Final = 1024 * 1024
MAX_WAITING_FRAMES: Final = 100
"""Two seconds. An application that reads no faster than that misses frames; it never gets late."""
COUNT_TICKS: Final = 25
"""How often, in frames, those who watch are told how many there were."""
MAX_SPEAKERS: Final = 4
"""In an unmixed stream."""


class Ended(Enum):
    """How a connection came to its end."""

    ASKED = "asked"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    """It never stood."""


@dataclass(frozen=True, slots=True)
class Dial:
    """How to reach the application's socket."""

    headers: Callable[[], Mapping[str, str]]
    trust: ssl.SSLContext
    timeout_s: float


@dataclass(slots=True)
class MediaStream:
    """The stream of one call; its playout outlives a broken connection."""

    options: MediaStreaming
    dial: Dial
    queue_s: float
    flow: Flow = field(default_factory=Flow)
    call: str = ""
    """`callConnectionId`."""
    id: str = field(default_factory=lambda: str(uuid4()))
    lost_frames: int = 0
    """Not sent, as the application did not read."""
    sent_frames: int = 0
    taken_frames: int = 0
    """The application's, of audio."""
    misfits: int = 0
    """Messages of the application's that were no frames."""
    asked: Asked | None = None
    """The request that closed it."""
    playout: Playout = field(init=False)
    _outbox: list[str] = field(default_factory=list[str])
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _socket: ClientConnection | None = None
    _asked: bool = False
    _passage: int = 0
    _ticks: int = 0
    _in: Resampler | None = None
    _out: dict[str, Resampler] = field(default_factory=dict[str, Resampler])

    def __post_init__(self) -> None:
        self.playout = Playout(self.frame_bytes, int(self.queue_s * self.rate) * 2)

    @property
    def rate(self) -> int:
        return 24_000 if self.options.audio_format == "pcm24KMono" else 16_000

    @property
    def frame_bytes(self) -> int:
        return self.rate * 2 * FRAME_MS // 1000

    @property
    def open(self) -> bool:
        return self._socket is not None

    def ms(self, size: int) -> float:
        """How long so many bytes of the stream last."""
        return size * 1000 / (self.rate * 2)

    @property
    def played_ms(self) -> float:
        """How much of the application's audio has been played, silences of its queue left out."""
        return self.ms(self.playout.played_bytes)

    @property
    def _counts(self) -> str:
        waiting_ms = self.ms(self.playout.waiting_bytes)
        return (
            f"{self.sent_frames:,} frames to the agent, {self.taken_frames:,} from it, "
            f"{waiting_ms:.0f} ms wait"
        )

    # The bridge's side

    def take(self, now_s: float) -> bytes | None:
        """20 ms of the application's, at the bridge's rate."""
        pcm = self.playout.take(now_s)
        if pcm is None or self.rate == RATE:
            return pcm
        if self._in is None:
            self._in = Resampler(self.rate, RATE)
        return self._in.push(pcm)

    def hear(self, spoken: list[Spoken]) -> None:
        """20 ms of the call; silent frames fill the gaps."""
        if self._socket is None:
            return
        self._ticks += 1
        if self._ticks % COUNT_TICKS == 0:
            self.flow.amend(self._passage, self._counts)
        at = datetime.now(UTC)
        if self.options.audio_channel_type == "mixed":
            self._send_audio("", mixed(spoken), at, silent=not spoken, participant=None)
            return
        for each in spoken[:MAX_SPEAKERS]:
            self._send_audio(each.raw_id, each.pcm, at, silent=False, participant=each.raw_id)

    def press(self, key: str) -> None:
        """A participant pressed a key."""
        if self.options.enable_dtmf_tones and self._socket is not None:
            self._put(frames.dtmf(key))
            self.flow.note("key", "to_agent", f"DtmfData {key}", call=self.call)

    # The connection

    async def run(self, opened: Callable[[], None]) -> Ended:
        """One connection, from its upgrade to its end. `opened` is called when it stands."""
        url = self.options.transport_url
        if not is_loopback(url) or not url.startswith(("ws://", "wss://")):
            return Ended.UNREACHABLE
        try:
            socket = await connect(
                url,
                additional_headers=dict(self.dial.headers()),
                ssl=self.dial.trust if url.startswith("wss://") else None,
                proxy=None,
                compression=None,
                open_timeout=self.dial.timeout_s,
                close_timeout=self.dial.timeout_s,
                max_size=MAX_MESSAGE_BYTES,
            )
        except (OSError, TimeoutError, WebSocketException) as reason:
            logger.info("media socket refused", extra={"reason": type(reason).__name__})
            return Ended.UNREACHABLE
        try:
            return await self._hold(socket, opened)
        finally:
            self._socket = None
            self._outbox.clear()
            self.flow.amend(self._passage, f"closed · {self._counts}")
            with anyio.CancelScope(shield=True), anyio.move_on_after(self.dial.timeout_s):
                await socket.close()

    def afresh(self) -> "MediaStream":
        """The same stream once more after it was closed; or this one, if it never was."""
        if not self._asked:
            return self
        again = MediaStream(self.options, self.dial, self.queue_s, self.flow, self.call)
        again.playout.played_bytes = self.playout.played_bytes
        return again

    def close(self) -> None:
        """End it in good form, once what waits is sent."""
        self._asked = True
        self._wake()

    def cut(self) -> None:
        """Break it, without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _hold(self, socket: ClientConnection, opened: Callable[[], None]) -> Ended:
        self._socket = socket
        self._outbox.append(frames.metadata(self.id, self.rate))
        title = f"media socket, {self.rate // 1000} kHz"
        self._passage = self.flow.note("media", "to_agent", title, call=self.call, note="open")
        opened()
        try:
            async with anyio.create_task_group() as tasks:

                async def read() -> None:
                    async for message in socket:
                        self._take(message)
                    tasks.cancel_scope.cancel()

                tasks.start_soon(read)
                await self._write(socket)
                tasks.cancel_scope.cancel()
        except* (ConnectionClosed, TimeoutError):
            pass
        return Ended.ASKED if self._asked else Ended.LOST

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            while self._outbox:
                waiting, self._outbox = self._outbox, []
                with anyio.fail_after(self.dial.timeout_s):
                    for frame in waiting:
                        await socket.send(frame)
                self.sent_frames += len(waiting)
            if self._asked:
                return
            await self._changed.wait()

    def _take(self, message: str | bytes) -> None:
        try:
            frame = frames.read(message)
        except Misfit as reason:
            self.misfits += 1
            logger.warning("misfit frame", extra={"reason": str(reason)})
            return
        if not self.options.enable_bidirectional:
            return  # as at the service: nothing that is sent is heard
        if isinstance(frame, AudioIn):
            self.taken_frames += 1
            self.playout.put(frame.pcm)
        else:
            stop = self.playout.stop(anyio.current_time())
            unheard = f"{self.ms(stop.dropped_bytes):.0f} ms left unheard"
            self.flow.note("stop", "to_carrier", "StopAudio", call=self.call, note=unheard)

    def _send_audio(
        self, who: str, pcm: bytes, at: datetime, *, silent: bool, participant: str | None
    ) -> None:
        if self.rate != RATE:
            pcm = self._out.setdefault(who, Resampler(RATE, self.rate)).push(pcm)
        self._put(frames.audio(pcm, at, silent=silent, participant=participant))

    def _put(self, frame: str) -> None:
        if len(self._outbox) >= MAX_WAITING_FRAMES:
            self.lost_frames += 1
            return
        self._outbox.append(frame)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
