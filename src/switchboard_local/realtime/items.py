"""Items as clients bring them, and as turns make them."""

from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable
from typing import Any

from switchboard_local.realtime.history import Item
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import Format
from switchboard_local.realtime.sound import PCM_BYTES_PER_MS, hearing
from switchboard_local.realtime.wire import FunctionCall, InputAudio, NewItem, UserMessage


def audio_bytes(text: str, param: str) -> bytes:
    """Audio from its base64. Raises `Refused`."""
    try:
        return b64decode(text, validate=True)
    except (BadBase64, ValueError):
        raise Refused("invalid_value", f"'{param}' is not base64.", param) from None


def brought(new: NewItem, item_id: str, call_id: str, format: Format) -> Item:
    """The item a client brings; the ids are for want of its own. Raises `Refused`."""
    body: dict[str, Any] = new.model_dump(mode="json", exclude_none=True)
    body = {"id": item_id, "object": "realtime.item"} | body | {"status": "completed"}
    if isinstance(new, FunctionCall):
        body.setdefault("call_id", call_id)
    item = Item(body)
    if isinstance(new, UserMessage):
        _take_audio(item, new, format)
    return item


def _take_audio(item: Item, new: UserMessage, format: Format) -> None:
    """Move audio from the body to where items keep it, as the engine hears it."""
    told: list[str] = []
    for index, part in enumerate(new.content):
        if not isinstance(part, InputAudio):
            continue
        wire = audio_bytes(part.audio or "", f"item.content[{index}].audio")
        pcm = hearing(format).feed(wire, last=True)
        item.audio[index] = pcm
        item.audio_ms += len(pcm) / PCM_BYTES_PER_MS
        item.body["content"][index] = {"type": "input_audio", "transcript": part.transcript}
        told.append(part.transcript or "")
    if any(told) or not item.audio_ms:
        item.words = " ".join(told)


def spoken(item_id: str, pcm: bytes) -> Item:
    """The item that a stretch of the input buffer becomes."""
    item = Item(
        {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
    )
    item.audio[0] = pcm
    item.audio_ms = len(pcm) / PCM_BYTES_PER_MS
    return item


def with_audio(item: Item, encode: Callable[[bytes], str]) -> dict[str, Any]:
    """`item` on the wire with its audio, as `conversation.item.retrieve` shows it."""
    body = item.wire()
    for index, pcm in item.audio.items():
        body["content"][index]["audio"] = encode(pcm)
    return body
