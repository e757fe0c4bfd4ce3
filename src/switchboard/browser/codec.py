"""The page's wire: what it sends becomes events, what the call notes becomes messages. Pure."""

from collections.abc import Callable
from typing import Final

import msgspec

from switchboard.browser import protocol as wire
from switchboard.conversation.audio import is_pcm
from switchboard.conversation.commands import (
    Note,
    NoteFloor,
    NoteInterruption,
    NoteLatency,
    NoteLine,
    NoteNotice,
    NoteRecording,
    NoteTool,
    NoteUsage,
    NoteWish,
)

MAX_SHOWN_CHARS: Final = 65_536
"""A tool's result longer than this is shown cut: the record and the model have the whole."""

_decoder: Final = msgspec.json.Decoder(wire.PageMessage)
_audio_decoder: Final = msgspec.json.Decoder(wire.AudioIn)
_played_decoder: Final = msgspec.json.Decoder(wire.Played)
_PLAYED: Final = '{"type":"played",'
_AUDIO: Final = '{"type":"audio",'
"""How a page begins a frame of audio. Written otherwise, one is read as all else is."""
_encoder: Final = msgspec.json.Encoder()


class Misunderstood(Exception):
    """A frame that is no message of the protocol. The text is safe to send back."""


def decode(frame: str) -> wire.PageMessage:
    """The message in a text frame. Raises `Misunderstood`."""
    if len(frame) > wire.MAX_FRAME_BYTES:
        raise Misunderstood("This frame is too large.")
    try:
        message = _decoder.decode(frame)
    except msgspec.ValidationError as fault:
        raise Misunderstood(f"This message is not in the protocol: {fault}"[:300]) from fault
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as fault:
        raise Misunderstood("This frame is not JSON.") from fault
    match message:
        case wire.AudioIn(audio=audio) if not is_pcm(audio):
            raise Misunderstood("This audio is not base64 of 16-bit samples.")
        case wire.TextIn(text=text) if "\0" in text or not text.strip():
            raise Misunderstood("This text is empty.")
        case _:
            return message


def audio_of(frame: str) -> str | None:
    """The audio in a frame that has nothing else; `None` leaves it to `decode`."""
    if len(frame) > wire.MAX_FRAME_BYTES or not frame.startswith(_AUDIO):
        return None
    try:
        audio = _audio_decoder.decode(frame).audio
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    return audio if is_pcm(audio) else None


def played_of(frame: str) -> wire.Played | None:
    """Likewise, how much was played."""
    if not frame.startswith(_PLAYED):
        return None
    try:
        return _played_decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def encode(message: wire.ServerMessage) -> str:
    """The text frame of a message."""
    return encoded(message).decode()


def encoded(message: wire.ServerMessage) -> bytes:
    """The same in UTF-8, as it goes on the wire."""
    return _encoder.encode(message)


def message_of(note: Note, title_of: Callable[[str], str]) -> wire.ServerMessage | None:
    """What the page is shown of a note; `None` for what is not its business.

    `title_of` gives a tool's name in words.
    """
    match note:
        case NoteLine():
            return _line(note)
        case NoteTool():
            return _tool(note, title_of(note.name))
        case NoteFloor(floor):
            return wire.Floor(floor.value)
        case NoteInterruption():
            return wire.Interruption(note.item_id, note.heard_ms, note.at_ms)
        case NoteLatency():
            return wire.Latency(note.reply_id, note.first_audio_ms, note.first_heard_ms)
        case NoteNotice(code, text):
            return None if note.aside else wire.Notice(code, text)
        case NoteRecording(state, notice):
            return wire.Recording(state.value, notice)
        case NoteUsage() | NoteWish():
            return None


def _line(note: NoteLine) -> wire.Line:
    return wire.Line(
        id=note.item_id,
        speaker=note.speaker.value,
        text=note.text,
        state=note.state.value,
        began_ms=note.began_ms,
        heard_chars=note.heard_chars,
        typed=note.typed,
    )


def _tool(note: NoteTool, title: str) -> wire.Tool:
    return wire.Tool(
        id=note.call_id,
        name=note.name,
        title=title,
        state=note.state.value,
        began_ms=note.began_ms,
        arguments=_shown(note.arguments),
        result=None if note.result is None else _shown(note.result),
        duration_ms=note.duration_ms,
        question=note.question,
    )


def _shown(text: str) -> object:
    """JSON text as a value; the raw text, cut if need be, where it is none."""
    if len(text) > MAX_SHOWN_CHARS:
        return f"{text[:2_000]}…"
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
