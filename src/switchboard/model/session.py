"""The body of `session.update`, from our words into the GA dialect's."""

from collections.abc import Mapping
from typing import Any, cast

from switchboard.conversation.audio import PCM_24K
from switchboard.conversation.session import SessionSpec, ToolSpec

type _Json = Mapping[str, Any]

_PCM: _Json = {"type": "audio/pcm", "rate": PCM_24K.rate_hz}


def session_object(spec: SessionSpec) -> dict[str, Any]:
    """The session as it goes on the wire. `model` is not in it: the socket's address fixed that."""
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": spec.instructions,
        "audio": {"input": _hearing(spec), "output": _speaking(spec)},
        "tools": [tool_object(tool) for tool in spec.tools],
        "tool_choice": "auto",
    }
    if spec.max_output_tokens is not None:
        session["max_output_tokens"] = spec.max_output_tokens
    return merged(session, spec.extra)


def media_session(spec: SessionSpec) -> dict[str, Any]:
    """The session of a client secret, for media over WebRTC: there the audio is Opus, whatever a
    format would say, and no address names the model."""
    session = session_object(spec)
    audio = {side: _without(part, "format") for side, part in session["audio"].items()}
    return {**session, "model": spec.model, "audio": audio}


def sideband_session(spec: SessionSpec) -> dict[str, Any]:
    """What a sideband may say of the same session. The voice is settled: after its first sound a
    service refuses even the one it has."""
    session = _without(media_session(spec), "model")
    return {**session, "audio": _without(session["audio"], "output")}


def _without(whole: _Json, name: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


def _hearing(spec: SessionSpec) -> dict[str, Any]:
    # Turn detection is said even when it is none: left out, the service's own default holds.
    hearing: dict[str, Any] = {"format": _PCM, "turn_detection": spec.turn_detection}
    if spec.transcription is not None:
        hearing["transcription"] = spec.transcription
    if spec.noise_reduction is not None:
        hearing["noise_reduction"] = {"type": spec.noise_reduction}
    return hearing


def _speaking(spec: SessionSpec) -> dict[str, Any]:
    speaking: dict[str, Any] = {"format": _PCM, "voice": spec.voice}
    if spec.speed != 1.0:
        speaking["speed"] = spec.speed
    return speaking


def tool_object(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def merged(base: _Json, extra: _Json) -> dict[str, Any]:
    """`extra` laid over `base`, objects within objects."""
    both = dict(base)
    for key, value in extra.items():
        below = both.get(key)
        nested = isinstance(below, Mapping) and isinstance(value, Mapping)
        both[key] = merged(cast(_Json, below), cast(_Json, value)) if nested else value
    return both
