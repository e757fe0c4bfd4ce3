"""What a Voice Live client says of sessions, responses and items, in the GA dialect's words."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

from pydantic import Field

from switchboard_local.realtime.checking import Strict, check
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import MaxTokens, SemanticVad, Text, Tools
from switchboard_local.voice_live.session_object import (
    AzureSemanticVad,
    Effort,
    Metadata,
    Modalities,
    OutputFormat,
    ServerVad,
    Session,
    Temperature,
    Transcription,
    TurnDetection,
    Voice,
)

type Json = dict[str, Any]

_FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "pcm16_16000hz": {"type": "audio/pcm", "rate": 16_000},
    "pcm16_8000hz": {"type": "audio/pcm", "rate": 8_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}


class ResponseParams(Strict):
    """What one response does differently from its session.

    `cancel_previous` changes nothing: as on the service today, a second response is refused while
    one runs.
    """

    commit: bool | None = None
    cancel_previous: bool | None = None
    input_items: Annotated[list[dict[str, Any]], Field(max_length=512)] | None = None
    modalities: Modalities | None = None
    instructions: Text | None = None
    voice: Voice | None = None
    output_audio_format: OutputFormat | None = None
    tools: Tools | None = None
    tool_choice: str | dict[str, Any] | None = None
    temperature: Temperature | None = None
    max_output_tokens: MaxTokens | None = None
    reasoning_effort: Effort | None = None
    metadata: Metadata | None = None


_NOT_HERE: Final = frozenset(
    {
        "append_input_items",
        "pre_generated_assistant_message",
        "interim_response",
        "invoke_input",
    }
)
"""Parts of a response that the local cloud does not have."""


def session_as_ga(session: Session) -> Json:
    """All of it that the embedded engine goes by, whatever was said before."""
    return {
        "type": "realtime",
        "output_modalities": _modalities(session.modalities),
        "instructions": session.instructions,
        "audio": {"input": _hearing(session), "output": _speaking(session)},
        "tools": [tool.model_dump(mode="json") for tool in session.tools],
        "tool_choice": session.model_dump(mode="json")["tool_choice"],
        "max_output_tokens": session.max_response_output_tokens,
        "parallel_tool_calls": session.parallel_tool_calls,
        "include": session.include,
        "reasoning": _reasoning(session.reasoning_effort),
    }


def response_as_ga(response: Mapping[str, Any], session: Session, more: str | None) -> Json:
    """`response.create`'s own part; `more` are instructions beside those it goes by.

    Raises `Refused`.
    """
    for name in _NOT_HERE & response.keys():
        param = f"response.{name}"
        raise Refused("invalid_value", f"The local cloud has no '{param}'.", param)
    wanted = check(ResponseParams, dict(response), "response")
    ga: Json = {
        "conversation": None if wanted.commit is not False else "none",
        "input": None if wanted.input_items is None else [*map(item_as_ga, wanted.input_items)],
        "output_modalities": wanted.modalities and _modalities(wanted.modalities),
        "instructions": _instructions(wanted, session, more),
        "audio": _response_audio(wanted),
        "tools": wanted.tools and [tool.model_dump(mode="json") for tool in wanted.tools],
        "tool_choice": _tool_choice(wanted.tool_choice),
        "max_output_tokens": wanted.max_output_tokens,
        "metadata": wanted.metadata,
    }
    return {name: value for name, value in ga.items() if value is not None}


def item_as_ga(item: Mapping[str, Any]) -> Json:
    """An item; only what the agent said is called something else."""
    if item.get("role") != "assistant" or not isinstance(item.get("content"), list):
        return dict(item)
    parts = cast("list[object]", item["content"])
    return {**item, "content": [_part(part) for part in parts]}


def voice_name(voice: Voice) -> str:
    return voice if isinstance(voice, str) else voice.name


def _part(part: object) -> object:
    if not isinstance(part, dict):
        return part
    known = cast("Json", part)
    return {**known, "type": "output_text"} if known.get("type") == "text" else known


def _modalities(modalities: list[Literal["text", "audio"]]) -> list[str]:
    """What is said aloud has a transcript anyway."""
    return ["audio"] if "audio" in modalities else ["text"]


def _reasoning(effort: Effort | None) -> Json | None:
    """GA has no word for no effort at all."""
    return None if effort in (None, "none") else {"effort": effort}


def _hearing(session: Session) -> Json:
    known = session.input_audio_noise_reduction
    reduction = known and known.type in ("near_field", "far_field") and {"type": known.type}
    return {
        "format": _input_format(session),
        "turn_detection": _turns(session.turn_detection),
        "noise_reduction": reduction or None,
        "transcription": _transcription(session.input_audio_transcription),
    }


def _input_format(session: Session) -> Json:
    if session.input_audio_format != "pcm16":
        return dict(_FORMATS[session.input_audio_format])
    return {"type": "audio/pcm", "rate": session.input_rate_hz}


def _speaking(session: Session) -> Json:
    return {
        "format": dict(_FORMATS[session.output_audio_format]),
        "voice": voice_name(session.voice),
        "speed": _speed(session.voice),
    }


def _speed(voice: Voice) -> float:
    return float(getattr(voice, "rate", None) or 1.0)


def _turns(detection: TurnDetection | None) -> Json | None:
    match detection:
        case None:
            return None
        case SemanticVad():
            return detection.model_dump(mode="json")
        case ServerVad() | AzureSemanticVad():
            return _vad(detection)


def _vad(detection: ServerVad | AzureSemanticVad) -> Json:
    both = {
        "create_response": detection.create_response,
        "interrupt_response": detection.interrupt_response,
    }
    if detection.end_of_utterance_detection is not None:
        # The nearest the engine has: it too waits while a sentence sounds unfinished, not for long.
        return {"type": "semantic_vad", "eagerness": "high", **both}
    return {
        "type": "server_vad",
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "silence_duration_ms": detection.silence_duration_ms,
        "idle_timeout_ms": None,
        **both,
    }


def _transcription(wanted: Transcription | None) -> Json | None:
    if wanted is None:
        return None
    told = {
        "model": wanted.model,
        "language": wanted.language,
        "keywords": wanted.phrase_list,
    }
    return {name: value for name, value in told.items() if value is not None}


def _instructions(wanted: ResponseParams, session: Session, more: str | None) -> str | None:
    if more is None:
        return wanted.instructions
    return f"{wanted.instructions or session.instructions}\n\n{more}"


def _response_audio(wanted: ResponseParams) -> Json | None:
    out: Json = {}
    if wanted.output_audio_format is not None:
        out["format"] = dict(_FORMATS[wanted.output_audio_format])
    if wanted.voice is not None:
        out["voice"] = voice_name(wanted.voice)
    return {"output": out} if out else None


def _tool_choice(choice: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
    """A function may be named within an object of its own, as chat completions do it."""
    if not isinstance(choice, dict) or not isinstance(choice.get("function"), dict):
        return choice
    return {"type": "function", **choice["function"]}
