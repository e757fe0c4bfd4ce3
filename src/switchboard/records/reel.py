"""The sound of one call as a file: WAV, PCM 16-bit 24 kHz, the caller left and the agent right.

Each side's audio is laid down where it was heard; what is old enough to be complete is written, and
the file is whole after every write. Runs in a thread: everything here may block.
"""

import sys
import wave
from array import array
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final, Self

RATE: Final = 24_000
FRAMES_PER_MS: Final = RATE // 1_000
FRAME_BYTES: Final = 4
"""Both sides' samples of one moment."""
NEAR_FRAMES: Final = 200 * FRAMES_PER_MS
"""What is laid down that little before the end of what was is set behind it: clocks jitter."""
SWAP: Final = sys.byteorder == "big"


class Side(IntEnum):
    CALLER = 0
    AGENT = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Audio of one side, and when it began to be heard."""

    side: Side
    at_ms: float
    """Since the recording began."""
    audio: str
    """Base64 of PCM 24 kHz mono, of which the part from `skip_ms` on, `take_ms` long, is meant."""
    skip_ms: float = 0.0
    take_ms: float | None = None
    """`None`: to its end."""


class Reel:
    """Opens the file; `close` it. Raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        try:
            self._wave = wave.open(self._file, "wb")  # noqa: SIM115  (until `close`)
            self._wave.setparams((2, 2, RATE, 0, "NONE", "not compressed"))
            self._wave.writeframes(b"")
        except BaseException:  # raised again: nobody else would close it
            self._file.close()
            raise
        self._tracks = (array("h"), array("h"))
        self._written = 0
        """Frames."""

    @property
    def lasted_ms(self) -> float:
        return self._written / FRAMES_PER_MS

    @property
    def size_bytes(self) -> int:
        """About what the file takes."""
        return self._written * FRAME_BYTES

    def write(self, pieces: Sequence[Piece], until_ms: float) -> int:
        """Lay these down, and write everything before `until_ms`. Bytes it has grown by."""
        for piece in pieces:
            self._lay(piece)
        frames = round(until_ms * FRAMES_PER_MS) - self._written
        if frames <= 0:
            return 0
        both = array("h", bytes(frames * FRAME_BYTES))
        for side, track in zip(Side, self._tracks, strict=True):
            heard = track[:frames]
            both[side : 2 * len(heard) : 2] = heard
            del track[:frames]
        if SWAP:
            both.byteswap()
        self._wave.writeframes(both.tobytes())
        self._file.flush()
        self._written += frames
        return frames * FRAME_BYTES

    def close(self) -> None:
        """Once more is no mistake."""
        if not self._file.closed:
            self._wave.close()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lay(self, piece: Piece) -> None:
        samples = _samples(piece)
        track = self._tracks[piece.side]
        at = round(piece.at_ms * FRAMES_PER_MS) - self._written
        if at < 0:  # that much of it comes too late: it is silence already
            samples, at = samples[-at:], 0
        if len(track) - NEAR_FRAMES <= at < len(track):
            at = len(track)
        track.extend(array("h", bytes(2 * max(at - len(track), 0))))
        track[at : at + len(samples)] = samples


def _samples(piece: Piece) -> array[int]:
    try:
        pcm = b64decode(piece.audio)
    except NotBase64:
        return array("h")
    first = round(piece.skip_ms * FRAMES_PER_MS)
    last = None if piece.take_ms is None else first + round(piece.take_ms * FRAMES_PER_MS)
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    if SWAP:
        samples.byteswap()
    return samples[first:last]
