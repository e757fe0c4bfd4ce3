"""WebSocket messages read and written without a parser: most are one small frame by itself. Pure.

Whatever is odd (fragments, control frames, what is too long, broken or not all there) is left to
the library, which has the last word on it.
"""

import secrets
import struct
from collections.abc import Iterator
from types import GeneratorType
from typing import Final, NamedTuple, cast

from websockets.protocol import Protocol, State
from websockets.speedups import apply_mask

_TEXT_HEAD: Final = 0x81
"""Final, no reserved bit, text (RFC 6455, 5.2)."""
_BINARY_HEAD: Final = 0x82
_MASKED: Final = 0x80
_LONG: Final = 126
_TOO_LONG: Final = 65_536
_LONGEST: Final = 127
"""Eight bytes of length: such a frame is left to the parser."""
_KEY_BYTES: Final = 4
_LONG_MASKED: Final = bytes((_TEXT_HEAD, _MASKED | _LONG))
_LONG_PLAIN: Final = bytes((_TEXT_HEAD, _LONG))
_LEAST_BYTES: Final = 6
"""Of a client's frame: head and key. A server's shorter than four is left to the parser, too."""
_DRAWN_BYTES: Final = 4_096
_short_head: Final = struct.Struct("!BB").pack
_long_head: Final = struct.Struct("!BBH").pack
_masked_head: Final = struct.Struct("!BBH4s").pack
_longest_head: Final = struct.Struct("!BBQ").pack


class Whole(NamedTuple):
    """A message, and where the next one begins."""

    is_text: bool
    payload: bytes
    end: int


def whole_message(data: bytes, at: int, most_bytes: int) -> Whole | None:
    """The message of a client whose only frame begins at `at`, if all of it is there and nothing
    is odd."""
    if len(data) < at + _LEAST_BYTES:
        return None
    first, size = data[at], data[at + 1]
    if (first != _TEXT_HEAD and first != _BINARY_HEAD) or size < _MASKED:  # hot
        return None
    key_at = at + 2
    size -= _MASKED
    if size == _LONG:
        size, key_at = data[at + 2] << 8 | data[at + 3], at + 4
    elif size == _LONGEST:
        return None
    start = key_at + _KEY_BYTES
    end = start + size
    if end > len(data) or size > most_bytes:
        return None
    return Whole(first == _TEXT_HEAD, apply_mask(data[start:end], data[key_at:start]), end)


def whole_text(data: bytes, at: int) -> tuple[bytes, int] | None:
    """The same of a server's text, which no mask hides: it, and where the next message begins."""
    if len(data) < at + 4 or data[at] != _TEXT_HEAD:
        return None
    size, start = data[at + 1], at + 2
    if size == _LONG:
        size, start = data[at + 2] << 8 | data[at + 3], at + 4
    elif size >= _LONGEST:
        return None
    end = start + size
    return (data[start:end], end) if end <= len(data) else None


def lone_message(data: bytes) -> bytes | None:
    """The text of a client, where `data` is just that, and not very long: as audio comes."""
    head, size = data[:2], len(data)
    if head == _LONG_MASKED:
        if size > _KEY_BYTES and size == (data[2] << 8 | data[3]) + 8:
            return apply_mask(data[8:], data[4:8])
    elif (
        size >= _LEAST_BYTES
        and head[0] == _TEXT_HEAD
        and head[1] == size - _LEAST_BYTES + _MASKED < _MASKED + _LONG
    ):
        return apply_mask(data[6:], data[2:6])
    return None


def lone_text(data: bytes) -> bytes | None:
    """The same of a server."""
    size = len(data)
    if size > _KEY_BYTES and data[:2] == _LONG_PLAIN and size == (data[2] << 8 | data[3]) + 4:
        return data[4:]
    return None


def awaits_a_message(protocol: Protocol) -> bool:
    """Whether the library's parser has read all there was, and waits for a message's beginning."""
    # Only at a frame's beginning does it ask whether the stream has ended. Were it written
    # otherwise one day, everything would go through it again: tests/test_framing.py tells.
    waiting = cast("GeneratorType[None, None, None]", protocol.parser)
    while waiting.gi_yieldfrom is not None:
        waiting = cast("GeneratorType[None, None, None]", waiting.gi_yieldfrom)
    return (
        waiting.__name__ == "at_eof"
        and protocol.current_size is None
        and protocol.state is State.OPEN
    )


def masking_keys() -> Iterator[bytes]:
    """Four bytes each that nobody can foresee (RFC 6455, 5.3), drawn a thousand at a time; each is
    used once."""
    while True:
        for (key,) in struct.iter_unpack("4s", secrets.token_bytes(_DRAWN_BYTES)):
            yield key


def masked_frame(message: str | bytes, key: bytes) -> bytes:
    """One whole message as a client puts it on the wire: text for `str`."""
    if isinstance(message, str):
        return masked_text(message.encode(), key)
    return _head(_BINARY_HEAD, _MASKED, len(message)) + key + apply_mask(message, key)


def masked_text(payload: bytes, key: bytes) -> bytes:
    """The same of a text that is encoded already."""
    size = len(payload)
    if _LONG <= size < _TOO_LONG:
        return _masked_head(_TEXT_HEAD, _MASKED | _LONG, size, key) + apply_mask(payload, key)
    return _head(_TEXT_HEAD, _MASKED, size) + key + apply_mask(payload, key)


def plain_text(payload: bytes) -> bytes:
    """One whole text, encoded already, as a server puts it on the wire."""
    size = len(payload)
    if _LONG <= size < _TOO_LONG:
        return _long_head(_TEXT_HEAD, _LONG, size) + payload
    return _head(_TEXT_HEAD, 0, size) + payload


def _head(first: int, masked: int, size: int) -> bytes:
    if size < _LONG:
        return _short_head(first, masked | size)
    if size < _TOO_LONG:
        return _long_head(first, masked | _LONG, size)
    return _longest_head(first, masked | _LONGEST, size)
