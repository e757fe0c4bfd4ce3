"""What one media socket may ask of us."""

from dataclasses import dataclass, field

from switchboard.access.rates import Rate


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Per socket. The bursts let a stream that was held up for some seconds catch up."""

    audio_ms: Rate = field(default=Rate(1_200, 18_000))
    keys: Rate = field(default=Rate(10, 40))
    faults: Rate = field(default=Rate(0.5, 10))
    """Beyond it, the other side is not mistaken but hostile, and is cut off."""
    inbox_events: int = 1_000
    """Beyond it the oldest is dropped: late speech is worse than lost speech."""
    outbox_frames: int = 16
    """Frames that may wait for the socket: a little more than the ear may be ahead."""
    idle_s: float = 60.0
    """Without any frame from ACS, which sends silence too."""
    stall_s: float = 5.0
    """One frame that cannot be sent for so long means nobody reads."""
    close_s: float = 1.0
    """For the last frames to leave."""
