"""What one page may ask of one socket, and the counters that hold it to that."""

from dataclasses import dataclass, field

from switchboard.access.rates import Bucket, Rate
from switchboard.browser import protocol as wire
from switchboard.conversation.audio import FRAME_MS, PCM_24K, base64_size_bytes


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Per socket. The bursts let a page that was held up for some seconds catch up."""

    audio_frames: Rate = field(default=Rate(60, 900))
    audio_ms: Rate = field(default=Rate(1_200, 18_000))
    texts: Rate = field(default=Rate(2, 8))
    """Typed turns, and wishes for a human, which become such."""
    keys: Rate = field(default=Rate(5, 40))
    """Keys and answers to questions: each may become a turn of the caller."""
    others: Rate = field(default=Rate(40, 120))
    faults: Rate = field(default=Rate(0.5, 10))
    """Beyond it, a page is not mistaken but hostile, and is cut off."""
    idle_s: float = 30.0
    """Without any frame from the page, which pings every 10 s."""
    stall_s: float = 15.0
    """One frame that cannot be sent for so long means nobody reads."""
    outbox_chars: int = 8 * 1024 * 1024
    """About two minutes of audio."""
    close_s: float = 1.0
    """For the last frames to leave."""


class Meter:
    """Counts what comes in on one socket."""

    def __init__(self, limits: SocketLimits, now: float) -> None:
        def bucket(rate: Rate) -> Bucket:
            return Bucket(rate.per_second, rate.burst, now)

        self._audio_frames = bucket(limits.audio_frames)
        self._audio_ms = bucket(limits.audio_ms)
        self._texts = bucket(limits.texts)
        self._keys = bucket(limits.keys)
        self._others = bucket(limits.others)
        self._faults = bucket(limits.faults)

    def admits(self, message: wire.PageMessage, now: float) -> bool:
        """Whether this message is within the page's rates."""
        match message:
            case wire.AudioIn(audio=audio):
                ms = PCM_24K.duration_ms(base64_size_bytes(audio))
                # An empty frame still costs a frame; a long one costs its length.
                return self._audio_frames.take(now) and self._audio_ms.take(now, max(ms, FRAME_MS))
            case wire.TextIn() | wire.Human():
                return self._texts.take(now)
            case wire.Key() | wire.Decide():
                return self._keys.take(now)
            case wire.End():
                return True
            case _:
                return self._others.take(now)

    def forgives(self, now: float) -> bool:
        """Count a fault; whether it can still be taken for a mistake."""
        return self._faults.take(now)
