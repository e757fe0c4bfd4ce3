"""Voice Live's dialect, which is the beta one with more in it, to the session's GA and back.

Two pure functions carry all of it: `to_ga` takes what the client says, `from_ga` what it is told.
"""

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, Final, cast

from switchboard_local.realtime.dialects import Event
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.reply import SENTENCE_PLACED
from switchboard_local.realtime.words import word_ends
from switchboard_local.voice_live.as_ga import (
    item_as_ga,
    response_as_ga,
    session_as_ga,
    voice_name,
)
from switchboard_local.voice_live.session_object import Session, updated

type Json = dict[str, Any]

_NAMES: Final[Mapping[str, str]] = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
_UNSAID: Final = frozenset(
    {"conversation.created", "conversation.item.done", "rate_limits.updated"}
)
"""Server events for which Voice Live has no word."""
_PARTS: Final[Mapping[str, str]] = {"output_text": "text", "output_audio": "audio"}
_PLACE: Final = ("response_id", "item_id", "output_index", "content_index")
_FORMATS: Final[Mapping[tuple[str, int], str]] = {
    ("audio/pcm", 24_000): "pcm16",
    ("audio/pcm", 16_000): "pcm16_16000hz",
    ("audio/pcm", 8_000): "pcm16_8000hz",
    ("audio/pcmu", 0): "g711_ulaw",
    ("audio/pcma", 0): "g711_alaw",
}
_PARAMS: Final = (
    ("session.audio.output.voice", "session.voice"),
    ("session.audio.input.turn_detection", "session.turn_detection"),
    ("session.audio.input.transcription", "session.input_audio_transcription"),
    ("session.max_output_tokens", "session.max_response_output_tokens"),
    ("response.audio.output.voice", "response.voice"),
    ("response.audio.output.format", "response.output_audio_format"),
    ("response.output_modalities", "response.modalities"),
    ("response.input", "response.input_items"),
)
"""Where the session says something is wrong, and where the client put it."""


class VoiceLive:
    """One session's dialect: remembers how the client put its settings."""

    def __init__(self, session: Session) -> None:
        self._session = self._asked = session

    def inward(self, event: Event) -> Event:
        """The event as the session knows it. Raises `Refused`."""
        event, self._asked = to_ga(event, self._session)
        return event

    def outward(self, event: Event) -> Sequence[Event]:
        """The event as the client knows it, if it does."""
        kind = event["type"]
        if kind == "session.updated":
            self._session = self._asked
        if kind == SENTENCE_PLACED:
            asked = self._session.output_audio_timestamp_types
            return words_placed(event) if asked else ()
        said = from_ga(event, self._session)
        return () if said is None else (said,)


def to_ga(event: Event, session: Session) -> tuple[Event, Session]:
    """What a client says, in GA; and the settings, if the session agrees. Raises `Refused`."""
    match event.get("type"):
        case "session.update" if (patch := _object(event.get("session"))) is not None:
            asked = updated(session, patch)
            return {**event, "session": session_as_ga(asked)}, asked
        case "response.create":
            return _response_create(event, session), session
        case "conversation.item.create" if (item := _object(event.get("item"))) is not None:
            return {**event, "item": item_as_ga(item)}, session
        case "output_audio_buffer.clear":
            raise Refused("invalid_event", "output_audio_buffer.clear is for avatars.")
        case _:
            # What is malformed stays so: the session says what is wrong with it.
            return event, session


def from_ga(event: Event, session: Session) -> Event | None:
    """What the session says, in Voice Live's words; `None` where it has none."""
    kind = str(event["type"])
    if kind in _UNSAID:
        return None
    said: Json = {**event, "type": _NAMES.get(kind, kind)}
    match kind:
        case "session.created" | "session.updated":
            said["session"] = _session(event["session"], session)
        case "response.created" | "response.done":
            said["response"] = _response(event["response"], session)
        case "conversation.item.input_audio_transcription.completed":
            said.pop("usage", None)
        case "error":
            said["error"] = _error(event["error"])
        case _:
            if "item" in event:
                said["item"] = _item(event["item"])
    return said


def words_placed(event: Event) -> Sequence[Event]:
    """`response.audio_timestamp.delta` for each word of a sentence: its time shared out by length,
    as truncation does."""
    text, start_ms = str(event["text"]), float(event["start_ms"])
    ms_a_char = (float(event["end_ms"]) - start_ms) / max(len(text), 1)
    placed: list[Event] = []
    begin = 0
    for end in word_ends(text):
        word = text[begin:end].strip()
        first = end - len(word)
        placed.append(
            {
                **{name: event[name] for name in _PLACE},
                "type": "response.audio_timestamp.delta",
                "event_id": f"event_{token_hex(8)}",
                "audio_offset_ms": round(start_ms + first * ms_a_char),
                "audio_duration_ms": round(len(word) * ms_a_char),
                "text": word,
                "timestamp_type": "word",
            }
        )
        begin = end
    return placed


def _response_create(event: Event, session: Session) -> Event:
    plain = {name: value for name, value in event.items() if name != "additional_instructions"}
    more = event.get("additional_instructions")
    if not isinstance(more, str | None):
        param = "additional_instructions"
        raise Refused("invalid_value", f"Invalid value for '{param}': not text.", param)
    wanted = {} if event.get("response") is None else _object(event["response"])
    if wanted is not None:
        plain["response"] = response_as_ga(wanted, session, more)
    return plain


def _object(value: object) -> Json | None:
    return cast("Json", value) if isinstance(value, dict) else None


def _session(ga: Mapping[str, Any], session: Session) -> Json:
    return {"id": ga["id"], "expires_at": ga["expires_at"], **session.wire()}


def _response(ga: Mapping[str, Any], session: Session) -> Json:
    """The response object, flat."""
    moved = {"output_modalities", "audio", "output", "conversation_id"}
    out = ga["audio"]["output"]
    aloud = ga["output_modalities"] == ["audio"]
    return {name: value for name, value in ga.items() if name not in moved} | {
        "output": [_item(item) for item in ga["output"]],
        "conversation_id": ga["conversation_id"],
        "modalities": ["text", "audio"] if aloud else ["text"],
        "voice": _voice(out["voice"], session),
        "output_audio_format": _FORMATS[out["format"]["type"], out["format"].get("rate", 0)],
        "temperature": session.temperature,
    }


def _voice(name: str, session: Session) -> object:
    if name == voice_name(session.voice):
        return session.wire()["voice"]
    return {"type": "openai", "name": name}


def _item(item: Mapping[str, Any]) -> Json:
    if "content" not in item:
        return dict(item)
    parts: list[Json] = item["content"]
    named = [{**part, "type": _PARTS.get(part["type"], part["type"])} for part in parts]
    return {**item, "content": named}


def _error(error: Mapping[str, Any]) -> Json:
    param = error.get("param")
    if isinstance(param, str):
        for ga, ours in _PARAMS:
            if param.startswith(ga):
                return {**error, "param": ours + param.removeprefix(ga)}
    return dict(error)
