"""What one page may ask of one socket, and the counters that hold it to that."""

from dataclasses import dataclass, field

from switchboard.access.rates import Bucket, Rate
from switchboard.browser import protocol as wire
from switchboard.conversation.audio import FRAME_MS, base64_ms


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Per socket. The bursts let a page that was held up for some seconds catch up."""

    audio_ms: Rate = field(default=Rate(1_200, 18_000))
    """However short a frame is, it counts for 20: so this is 60 frames a second, too."""
    texts: Rate = field(default=Rate(2, 8))
    """Typed turns, and wishes for a human, which become such."""
    keys: Rate = field(default=Rate(5, 40))
    """Keys and answers to questions: each may become a turn of the caller."""
    others: Rate = field(default=Rate(40, 120))
    tokens: Rate = field(default=Rate(0.2, 6))
    """Fresh tokens: each is checked against its signature."""
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

        self._take_audio = bucket(limits.audio_ms).take
        self._texts = bucket(limits.texts)
        self._keys = bucket(limits.keys)
        self._others = bucket(limits.others)
        self._tokens = bucket(limits.tokens)
        self._faults = bucket(limits.faults)

    def admits(self, message: wire.PageMessage, now: float) -> bool:
        """Whether this message is within the page's rates."""
        match message:
            case wire.AudioIn(audio=audio):
                return self.admits_audio(base64_ms(audio), now)
            case wire.TextIn() | wire.Human():
                return self._texts.take(now)
            case wire.Key() | wire.Decide():
                return self._keys.take(now)
            case wire.Renew():
                return self._tokens.take(now)
            case wire.End():
                return True
            case _:
                return self.admits_report(now)

    def admits_audio(self, ms: float, now: float) -> bool:
        """Whether this much audio is within them."""
        return self._take_audio(now, ms if ms > FRAME_MS else FRAME_MS)

    def admits_report(self, now: float) -> bool:
        """Whether one more report of what was played is."""
        return self._others.take(now)

    def forgives(self, now: float) -> bool:
        """Count a fault; whether it can still be taken for a mistake."""
        return self._faults.take(now)
