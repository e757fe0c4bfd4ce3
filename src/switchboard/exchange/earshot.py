"""The caller's latest audio, kept in case a new model session has to hear it."""

import base64
from binascii import Error as NotBase64
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from switchboard.conversation import commands as c
from switchboard.conversation import wording
from switchboard.conversation.earshot import KEPT_MS, LATELY_MS

MAX_FRAMES: Final = 4_000
"""However short a caller's frames are, no more of them are kept: those of 20 ms are 750."""
TIDY_MS: Final = 200.0
"""How often is looked for what nobody needs."""
_PIECE_MS: Final = 2_000.0
"""What is heard again is sent in pieces of about this length."""


class Earshot:
    """Frames as they came: base64 PCM, with where each ends in all of the caller's audio."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, float, str]] = deque(maxlen=MAX_FRAMES)
        """Start and end, milliseconds, and the audio."""
        self._heard_ms = 0.0
        self._tidy_at_ms = 0.0

    def hear(self, audio: str, ms: float, needed_from_ms: float) -> None:
        """Keep a frame of `ms`, and forget what nobody needs: all before `needed_from_ms`, but
        never the last moments, and never more than `KEPT_MS`; give or take `TIDY_MS`."""
        if ms <= 0:
            return
        began_ms = self._heard_ms
        self._heard_ms = now_ms = began_ms + ms
        self._frames.append((began_ms, now_ms, audio))
        if now_ms >= self._tidy_at_ms:
            self._tidy_at_ms = now_ms + TIDY_MS
            self._forget(max(now_ms - KEPT_MS, min(needed_from_ms, now_ms - LATELY_MS)))

    def _forget(self, before_ms: float) -> None:
        while self._frames[0][1] <= before_ms and len(self._frames) > 1:
            self._frames.popleft()

    def since(self, from_ms: float) -> Iterator[str]:
        """What was heard from this position on, in pieces."""
        piece: list[str] = []
        began_ms = from_ms
        for start_ms, end_ms, audio in self._frames:
            if end_ms <= from_ms:
                continue
            if piece and start_ms - began_ms >= _PIECE_MS:
                yield joined(piece)
                piece, began_ms = [], start_ms
            piece.append(audio)
        if piece:
            yield joined(piece)

    def between(self, from_ms: float, to_ms: float) -> str | None:
        """A stretch of it, or `None` where its beginning is kept no more."""
        if not self._frames or self._frames[0][0] > from_ms + LATELY_MS:
            return None
        frames = [a for start, end, a in self._frames if end > from_ms and start < to_ms]
        return joined(frames) if frames else None

    def again(self, command: c.ReplayTurn | c.ResendAudio) -> Iterator[c.ModelCommand]:
        """What gives a new session what the caller said to an old one."""
        match command:
            case c.ResendAudio(from_ms):
                for piece in self.since(from_ms):
                    yield c.AppendAudio(piece)
            case c.ReplayTurn(item_id, from_ms, to_ms):
                audio = self.between(from_ms, to_ms)
                if audio is None:
                    yield c.AddCallerText(item_id, wording.UNKNOWN_WORDS)
                else:
                    yield c.AddCallerAudio(item_id, audio)


def joined(frames: Sequence[str]) -> str:
    """One base64 text of many. Frames of 20 ms have no padding and need only be put together."""
    if not any(frame.endswith("=") for frame in frames):
        return "".join(frames)
    audio = bytearray()
    for frame in frames:
        try:
            audio += base64.b64decode(frame)
        except (NotBase64, ValueError):
            continue  # no audio: the service would have refused it too
    return base64.b64encode(audio).decode()
