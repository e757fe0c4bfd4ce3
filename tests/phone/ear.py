"""An ear that plays what it is sent at its own pace, as the carrier does: the judge of playout."""

import base64
from dataclasses import dataclass, field

from switchboard.phone.cutter import FRAME_BYTES, Frame

FRAME_US = 20_000


@dataclass
class Ear:
    """Counts in whole microseconds, so that nothing is rounded."""

    now_us: int = 0
    queue: list[Frame] = field(default_factory=list[Frame])
    playing_us: int = 0
    """How far into the first frame of the queue it is."""
    heard_us: dict[str, float] = field(default_factory=dict[str, float])
    longest_queue_us: int = 0
    held: bool = False

    @property
    def queued_us(self) -> int:
        return len(self.queue) * FRAME_US - self.playing_us

    def take(self, frame: Frame) -> None:
        assert len(base64.b64decode(frame.audio)) == FRAME_BYTES
        self.queue.append(frame)
        self.longest_queue_us = max(self.longest_queue_us, self.queued_us)

    def wait(self, us: int) -> None:
        """Let time pass."""
        self.now_us += us
        while us and self.queue and not self.held:
            step = min(us, FRAME_US - self.playing_us)
            frame = self.queue[0]
            begun, ended = self.playing_us, self.playing_us + step
            own_us = frame.ms * 1_000
            heard = min(ended, own_us) - min(begun, own_us)
            self.heard_us[frame.item_id] = self.heard_us.get(frame.item_id, 0.0) + heard
            us -= step
            self.playing_us = ended % FRAME_US
            if not self.playing_us:
                self.queue.pop(0)

    def stop(self) -> None:
        self.queue.clear()
        self.playing_us = 0

    def heard_ms(self, item_id: str) -> float:
        return self.heard_us.get(item_id, 0.0) / 1_000
