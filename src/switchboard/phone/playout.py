"""When each frame of a reply leaves for the ear, and what the ear has heard of it. Pure.

ACS plays what it is sent at the ear's own pace and reports nothing. So we send just ahead of the
ear, never more than `lead_ms`, and count: a frame begins to sound when the one before it ends, or,
after a pause, when it is sent. Time is an argument everywhere: seconds, monotonic.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from switchboard.conversation.audio import FRAME_MS
from switchboard.conversation.events import Heard
from switchboard.phone.cutter import Cutter, Frame

LEAD_MS: Final = 200.0
"""How much may lie unheard at the carrier: a barge-in loses no more, and a late tick costs nothing
until then."""
WAITING_MS: Final = 120_000.0
"""The longest stretch of replies that may wait to be played: longer than any reply is."""
_FRAME_S: Final = FRAME_MS / 1_000
_EPSILON_S: Final = 1e-9
_DRY_S: Final = 2 * _FRAME_S
"""So close to silence, less than a frame is better than nothing."""
_REMEMBERED: Final = 8
"""Items heard to their end of which more may come."""


@dataclass(slots=True)
class _Span:
    """A frame on its way: when it begins to sound, and how much of it is an item's."""

    item_id: str
    starts_at: float
    ms: float

    def heard_ms(self, now: float) -> float:
        return min(max((now - self.starts_at) * 1_000, 0.0), self.ms)


class Playout:
    """Replies on their way to one ear.

    `latency_ms` is how long a frame takes to the ear, beyond what we count: measured, not known.
    """

    def __init__(self, *, lead_ms: float = LEAD_MS, latency_ms: float = 0.0) -> None:
        self._lead_s = lead_ms / 1_000
        self._latency_s = latency_ms / 1_000
        self._cutter = Cutter()
        self._spans: deque[_Span] = deque()
        """Sent, and not yet known to be heard to the end."""
        self._plays_until = float("-inf")
        """When the ear will have played all that was sent."""
        self._heard: dict[str, float] = {}
        """Whole frames heard, milliseconds, of the items that are being played."""
        self._reported: dict[str, float] = {}
        self._held_at: float | None = None

    @property
    def waiting_ms(self) -> float:
        """What has not been sent yet."""
        return self._cutter.waiting_ms

    def has_played(self, now: float) -> bool:
        """Whether nothing is left to be sent or heard."""
        over = not self._spans or self._ear_time(now) >= self._plays_until - _EPSILON_S
        return over and not self.waiting_ms

    def put(self, item_id: str, audio: str) -> bool:
        """Add base64 PCM 24 kHz of an item. Says whether there was room.

        Raises `ValueError` for what is not base64.
        """
        if self.waiting_ms >= WAITING_MS:
            return False
        self._cutter.put(item_id, audio)
        return True

    def due(self, now: float, *, at_most: int = 1_000) -> Sequence[Frame]:
        """The frames to send now: as many as the ear has made room for since the last time."""
        frames: list[Frame] = []
        if self._held_at is not None:
            return frames
        while len(frames) < at_most:
            starts_at = max(self._plays_until, now)
            if starts_at + _FRAME_S > now + self._lead_s + _EPSILON_S:
                break
            frame = self._cutter.take(rest=starts_at - now <= _DRY_S)
            if frame is None:
                break
            frames.append(frame)
            self._spans.append(_Span(frame.item_id, starts_at, frame.ms))
            self._plays_until = starts_at + _FRAME_S
        return frames

    def heard(self, now: float) -> Sequence[Heard]:
        """What has been heard, in all, of each item of which more was since the last time."""
        news = [
            Heard(item_id, ms)
            for item_id, ms in self._totals(now).items()
            if ms > self._reported.get(item_id, 0.0)
        ]
        self._reported.update((each.item_id, each.ms) for each in news)
        return news

    def stop(self, now: float) -> Sequence[Heard]:
        """Nothing more will be heard of what was put until now.

        Says what was heard of it, even where that is nothing, or nothing new.
        """
        unheard = dict.fromkeys([*(span.item_id for span in self._spans), *self._cutter.item_ids])
        totals = self._totals(now)
        self._cutter.clear()
        self._spans.clear()
        self._heard.clear()
        self._reported.clear()
        self._plays_until = now
        return [Heard(item_id, totals.get(item_id, 0.0)) for item_id in {**totals, **unheard}]

    def hold(self, now: float) -> None:
        """The ear hears nothing from now on: the clock stands still."""
        if self._held_at is None:
            self._held_at = now

    def resume(self, now: float) -> None:
        """It goes on where it stopped."""
        if self._held_at is None:
            return
        pause_s, self._held_at = now - self._held_at, None
        for span in self._spans:
            span.starts_at += pause_s
        self._plays_until += pause_s

    def _ear_time(self, now: float) -> float:
        return (now if self._held_at is None else min(now, self._held_at)) - self._latency_s

    def _totals(self, now: float) -> dict[str, float]:
        """Milliseconds heard of each item that plays, or has lately played."""
        at = self._ear_time(now)
        while self._spans and at >= self._spans[0].starts_at + _FRAME_S - _EPSILON_S:
            span = self._spans.popleft()
            self._heard[span.item_id] = self._heard.get(span.item_id, 0.0) + span.ms
        while len(self._heard) > _REMEMBERED:
            self._heard.pop(oldest := next(iter(self._heard)))
            self._reported.pop(oldest, None)
        if not self._spans:
            return dict(self._heard)
        span = self._spans[0]
        begun_ms = self._heard.get(span.item_id, 0.0) + span.heard_ms(at)
        return {**self._heard, span.item_id: begun_ms}
