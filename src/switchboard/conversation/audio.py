"""Audio formats and durations. Audio itself stays base64 text wherever formats match."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Signed 16-bit little-endian mono."""

    rate_hz: int

    @property
    def bytes_per_second(self) -> int:
        return 2 * self.rate_hz

    def duration_ms(self, size_bytes: int) -> float:
        """How long `size_bytes` of this audio lasts, in milliseconds."""
        return size_bytes * 1000 / self.bytes_per_second

    def size_bytes(self, duration_ms: float) -> int:
        """Bytes of `duration_ms` of audio, rounded down to a whole sample."""
        return int(self.rate_hz * duration_ms / 1000) * 2


PCM_24K: Final = PcmFormat(24_000)
"""What the realtime services speak, and the page with them: 48,000 bytes a second."""

FRAME_MS: Final = 20
"""One frame on every caller leg."""

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PADDINGS: Final = (b"", b"=", b"==")


def base64_size_bytes(text: str) -> int:
    """Bytes that `text` decodes to, without decoding it."""
    return len(text) * 3 // 4 - text.count("=", -2)


def is_pcm(audio: str) -> bool:
    """Whether `audio` is padded base64 of whole 16-bit samples, found without decoding it."""
    padding = audio.encode().translate(None, _ALPHABET)
    return (
        len(audio) % 4 == 0
        and padding in _PADDINGS
        and audio.endswith(padding.decode())
        and base64_size_bytes(audio) % 2 == 0
    )


def silence_like(audio: str) -> str:
    """As much silence as there is sound in this base64 text."""
    padding = audio[-2:].count("=")
    return "A" * (len(audio) - padding) + "=" * padding
