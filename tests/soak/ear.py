"""A page's speaker without a loudspeaker: what is queued plays as time passes."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Position:
    """How much of an item was played, in all."""

    item: str
    ms: float


@dataclass
class Ear:
    """Plays one item after the other. All times in milliseconds."""

    _queue: deque[tuple[str, float]] = field(default_factory=deque[tuple[str, float]])
    _item: str | None = None
    _played: float = 0.0

    @property
    def position(self) -> Position | None:
        """The item under the play head, or the last one that was."""
        return None if self._item is None else Position(self._item, self._played)

    @property
    def sounds(self) -> bool:
        return bool(self._queue)

    def push(self, item: str, ms: float) -> None:
        self._queue.append((item, ms))

    def play(self, ms: float) -> list[Position]:
        """Let time pass. What was played to its end, as far as it has come."""
        ended: list[Position] = []
        while ms > 0 and self._queue:
            ms = self._play_first(ms, ended)
            if not self._queue and (now := self.position):
                ended.append(now)
        return ended

    def flush(self) -> tuple[Position | None, set[str]]:
        """Silence. Where the play head stood, and the items it was taken from."""
        silenced = {item for item, _ in self._queue}
        self._queue.clear()
        return self.position, silenced

    def _play_first(self, ms: float, ended: list[Position]) -> float:
        """The time that is left over."""
        item, left = self._queue.popleft()
        if item != self._item:
            if self._item is not None:
                ended.append(Position(self._item, self._played))
            self._item, self._played = item, 0.0
        self._played += min(ms, left)
        if left > ms:
            self._queue.appendleft((item, left - ms))
        return max(0.0, ms - left)
