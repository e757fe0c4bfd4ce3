"""What waits to be sent to a page: bounded, in order, audio forgettable."""

from collections import deque
from typing import Final


class Outbox:
    """Frames in the order they were put. The writer takes them; `is_full` says it is too slow."""

    def __init__(self, limit_chars: int) -> None:
        self._limit = limit_chars
        self.frames: Final[deque[tuple[str, bool]]] = deque()
        """Each with whether it is audio."""
        self._chars = 0

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def chars(self) -> int:
        """What waits, in characters: as good as bytes, for audio is all of it."""
        return self._chars

    @property
    def is_full(self) -> bool:
        return self._chars > self._limit

    def put(self, frame: str, *, audio: bool = False) -> None:
        self.frames.append((frame, audio))
        self._chars += len(frame)

    def take(self) -> str:
        frame, _ = self.frames.popleft()
        self._chars -= len(frame)
        return frame

    def forget_audio(self) -> None:
        """Drop the audio that nobody has heard and nobody shall."""
        kept = [frame for frame in self.frames if not frame[1]]
        self.clear()
        for frame, audio in kept:
            self.put(frame, audio=audio)

    def clear(self) -> None:
        self.frames.clear()
        self._chars = 0
