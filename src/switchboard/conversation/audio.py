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

_BYTES_PER_MS: Final = PCM_24K.bytes_per_second // 1000
_CHARS_PER_MS: Final = _BYTES_PER_MS * 4 // 3

FRAME_MS: Final = 20
"""One frame on every caller leg."""

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PADDINGS: Final = (b"", b"=", b"==")


def base64_size_bytes(text: str) -> int:
    """Bytes that `text` decodes to, without decoding it."""
    return len(text) * 3 // 4 - text.count("=", -2)


def base64_ms(text: str) -> float:
    """How long base64 PCM 24 kHz lasts, in milliseconds, without decoding it."""
    if text[-1:] != "=":
        return len(text) / _CHARS_PER_MS
    return base64_size_bytes(text) / _BYTES_PER_MS


def is_pcm(audio: str) -> bool:
    """Whether `audio` is padded base64 of whole 16-bit samples, found without decoding it."""
    padding = audio.encode().translate(None, _ALPHABET)
    if not padding:
        return len(audio) % 8 == 0  # three bytes of four letters, two bytes a sample
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
