"""A console's socket as a seat at a call: an ear, and the mouth of whoever has taken it over."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.websockets import WebSocket

from switchboard.access.rates import Bucket, Rate
from switchboard.access.standing import Standing
from switchboard.console import protocol as wire
from switchboard.console.listening import MOST_CHARS, STALL_S, Close, SocketEar
from switchboard.conversation.audio import FRAME_MS, base64_ms, is_pcm
from switchboard.exchange.desk import Mouth

HANDED_BACK: Final = (1000, "handed back")
IDLE: Final = (4408, "no frame for too long")
HOSTILE: Final = (1008, "too many faults")
_decoder: Final = msgspec.json.Decoder(wire.DeskMessage)


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """Of one socket. The bursts let a page that was held up for a moment catch up."""

    frame_chars: int = 16_384
    """About a quarter of a second of a voice."""
    audio_frames: Rate = field(default=Rate(60, 300))
    audio_ms: Rate = field(default=Rate(1_200, 6_000))
    others: Rate = field(default=Rate(2, 20))
    faults: Rate = field(default=Rate(0.5, 10))
    idle_s: float = 15.0
    """Without any frame from the page, which pings every 5 s."""


class SocketSeat(SocketEar):
    """`mouth` is given once the call has been taken over; what is said before goes nowhere."""

    def __init__(
        self,
        socket: WebSocket,
        *,
        limits: DeskLimits | None = None,
        standing: Standing | None = None,
        most_chars: int = MOST_CHARS,
        stall_s: float = STALL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits = limits or DeskLimits()
        super().__init__(
            socket,
            most_chars=most_chars,
            stall_s=stall_s,
            standing=standing,
            idle_s=limits.idle_s,
        )
        self._clock = clock
        self.mouth: Mouth | None = None
        now = clock()
        self._audio_frames = Bucket(limits.audio_frames.per_second, limits.audio_frames.burst, now)
        self._audio_ms = Bucket(limits.audio_ms.per_second, limits.audio_ms.burst, now)
        self._others = Bucket(limits.others.per_second, limits.others.burst, now)
        self._faults = Bucket(limits.faults.per_second, limits.faults.burst, now)
        self.summary: str | None = None
        """What the operator says was said, once they have handed the call back."""
        self.handed_back = False
        self.call_over = False

    def said(self, text: str | None) -> Close | None:
        """Take a frame of the page's. Why the socket is to close, if it is."""
        now = self._clock()
        message = self._understood(text)
        if message is None or not self._admits(message, now):
            return None if self._faults.take(now) else HOSTILE
        match message:
            case wire.Mic(audio=audio):
                if self.mouth is not None:
                    self.mouth.speak(audio)
            case wire.HandBack():
                self.summary = message.words
                self.handed_back = True
                if self.mouth is not None:
                    self.mouth.hand_back(self.summary)
                return HANDED_BACK
            case wire.Renew():
                self.shows(message)
            case wire.DeskPing():
                pass
        return None

    def over(self) -> None:
        self.call_over = True
        super().over()

    def silent(self) -> Close:
        return IDLE

    def _understood(self, text: str | None) -> wire.DeskMessage | None:
        if text is None or len(text) > self._limits.frame_chars:
            return None
        try:
            message = _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return None
        if isinstance(message, wire.Mic) and not is_pcm(message.audio):
            return None
        return message

    def _admits(self, message: wire.DeskMessage, now: float) -> bool:
        if not isinstance(message, wire.Mic):
            return self._others.take(now)
        ms = base64_ms(message.audio)
        # An empty frame still costs a frame; a long one costs its length.
        return self._audio_frames.take(now) and self._audio_ms.take(now, max(ms, FRAME_MS))
