"""Whole messages of a client, read without a parser: most are one small frame by itself. Pure."""

from typing import Final, NamedTuple

from websockets.speedups import apply_mask

_TEXT_HEAD: Final = 0x81
"""Final, no reserved bit, text (RFC 6455, 5.2)."""
_BINARY_HEAD: Final = 0x82
_MASKED: Final = 0x80
_LONG: Final = 126
_LONGEST: Final = 127
"""Eight bytes of length: such a frame is left to the parser."""
_KEY_BYTES: Final = 4


class Whole(NamedTuple):
    """A message, and where the next one begins."""

    is_text: bool
    payload: bytes
    end: int


def whole_message(data: bytes, at: int, most_bytes: int) -> Whole | None:
    """The message whose only frame begins at `at`, if all of it is there and nothing is odd.

    `None` leaves it to the parser: fragments, control frames, what is too long or broken.
    """
    if len(data) < at + 2 or data[at] not in (_TEXT_HEAD, _BINARY_HEAD):
        return None
    size, key_at = data[at + 1] - _MASKED, at + 2
    if size < 0 or size == _LONGEST:
        return None
    if size == _LONG:
        size, key_at = int.from_bytes(data[key_at : key_at + 2]), key_at + 2
    start = key_at + _KEY_BYTES
    end = start + size
    if end > len(data) or size > most_bytes:
        return None
    payload = apply_mask(data[start:end], data[key_at:start])
    return Whole(data[at] == _TEXT_HEAD, payload, end)
