"""What relays say and read."""

from typing import Final

APPEND: Final = b'{"type":"input_audio_buffer.append","audio":'
CREATE: Final = b'{"type":"response.create"}'
FLUSH: Final = b'{"type":"flush"}'
STOP: Final = b'{"kind":"StopAudio","audioData":null,"stopAudio":{}}'
_PAGE: Final = b'{"type":"audio","audio":"'
_PHONE: Final = b'"data":"'


def audio_of(payload: bytes, is_phone: bool) -> bytes:
    """The base64 of a caller's frame, as it came; nothing where it is no audio."""
    if is_phone:
        at = payload.find(_PHONE) + len(_PHONE) if b"AudioData" in payload[:24] else 0
    else:
        at = len(_PAGE) if payload.startswith(_PAGE) else 0
    return payload[at : payload.index(b'"', at)] if at else b""
