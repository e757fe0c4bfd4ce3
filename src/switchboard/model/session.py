"""The body of `session.update`, from our words into the dialect's."""

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
        "tools": [_tool(tool) for tool in spec.tools],
        "tool_choice": "auto",
    }
    if spec.max_output_tokens is not None:
        session["max_output_tokens"] = spec.max_output_tokens
    return _merged(session, spec.extra)


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


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def _merged(base: _Json, extra: _Json) -> dict[str, Any]:
    """`extra` laid over `base`, objects within objects."""
    merged = dict(base)
    for key, value in extra.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(cast(_Json, below), cast(_Json, value)) if both else value
    return merged
