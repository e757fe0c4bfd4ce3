"""What each frame of the load bears in its first letters: its call, its number, when it left."""

import base64
import binascii
import struct
from typing import Final, NamedTuple

FRAME_S: Final = 0.020
FRAME_BYTES: Final = 960
DELTA_FRAMES: Final = 10
"""A model's delta, where it is not an echo: 200 ms."""
_STAMP: Final = struct.Struct("<HIIQ")  # eighteen bytes are twenty-four letters, without padding
_MARK: Final = 0x5B5B
LETTERS: Final = 24
REST_UP: Final = base64.b64encode(bytes(FRAME_BYTES - _STAMP.size))
REST_DELTA: Final = base64.b64encode(bytes(DELTA_FRAMES * FRAME_BYTES - _STAMP.size))


class Stamp(NamedTuple):
    """Of one frame."""

    call: int
    number: int
    sent_ns: int


def stamp(call: int, number: int, sent_ns: int) -> bytes:
    """As the first letters of base64 audio."""
    packed = _STAMP.pack(_MARK, call, number, sent_ns)
    return binascii.b2a_base64(packed, newline=False)


def read(letters: bytes) -> Stamp:
    """Raises `ValueError` for letters that are none: the frame was cut in the wrong place."""
    try:
        mark, call, number, sent_ns = _STAMP.unpack(binascii.a2b_base64(letters))
    except (binascii.Error, struct.error) as fault:
        raise ValueError("That is no stamp.") from fault
    if mark != _MARK:
        raise ValueError("That is no stamp.")
    return Stamp(call, number, sent_ns)


def audio_at(payload: bytes, field: bytes) -> int:
    """Where the letters of the text field `field` begin; 0 where there is none.

    Spaces after the colon are allowed, as `json.dumps` writes them.
    """
    found = payload.find(b'"' + field + b'":')
    return payload.index(b'"', found + len(field) + 3) + 1 if found >= 0 else 0
