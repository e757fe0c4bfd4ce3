"""What one response goes by: the session's settings, and `response.create`'s own over them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from switchboard_local.mind.parts import Request
from switchboard_local.realtime.history import Item
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.reply import Plan
from switchboard_local.realtime.session_object import Session, ToolByName, ToolChoice, VoiceId
from switchboard_local.realtime.usage import Prompt, Tokens, text_tokens
from switchboard_local.realtime.wire import ResponseAudioOut, ResponseParams


def plan_for(session: Session, params: ResponseParams | None) -> Plan:
    """The plan of a response. Raises `Refused`."""
    own = params or ResponseParams()
    audio = (own.audio.output if own.audio else None) or ResponseAudioOut()
    tools = session.tools if own.tools is None else own.tools
    choice = own.tool_choice or session.tool_choice
    _known(choice, [tool.name for tool in tools])
    return Plan(
        in_conversation=own.conversation != "none",
        aloud=(own.output_modalities or session.output_modalities) == ["audio"],
        format=audio.format or session.audio.output.format,
        voice=_voice(audio.voice or session.audio.output.voice),
        speed=session.audio.output.speed,
        instructions=session.instructions,
        response_instructions=own.instructions,
        tools=[tool.model_dump(mode="json") for tool in tools],
        tool_choice=choice.model_dump() if isinstance(choice, ToolByName) else choice,
        context=own.input,
        metadata=own.metadata,
        max_output_tokens=own.max_output_tokens or session.max_output_tokens,
    )


def request_for(plan: Plan, items: Sequence[Item]) -> Request:
    """What the mind reads."""
    return Request(
        instructions=plan.instructions,
        tools=plan.tools,
        tool_choice=plan.tool_choice,
        items=[item.for_mind() for item in items],
        response_instructions=plan.response_instructions,
    )


def prompt_of(plan: Plan, items: Sequence[Item]) -> Prompt:
    """The same, as it is counted: instructions and tools first, so that they can be cached."""
    instructions = plan.instructions + (plan.response_instructions or "")
    tools = json.dumps(plan.tools)
    return [
        (instructions, Tokens(text=text_tokens(instructions))),
        (tools, Tokens(text=text_tokens(tools))),
        *((item.id, item.tokens()) for item in items),
    ]


def rate_limits(used_tokens: int) -> list[Mapping[str, Any]]:
    """The first tier's, as if this session were alone in its minute."""
    requests, tokens = 200, 100_000
    left = max(0, tokens - used_tokens)
    return [
        {"name": "requests", "limit": requests, "remaining": requests - 1, "reset_seconds": 0.3},
        {
            "name": "tokens",
            "limit": tokens,
            "remaining": left,
            "reset_seconds": round(60 * (tokens - left) / tokens, 3),
        },
    ]


def _known(choice: ToolChoice, names: Sequence[str]) -> None:
    if isinstance(choice, ToolByName) and choice.name not in names:
        raise Refused(
            "invalid_value", f"There is no tool '{choice.name}'.", "response.tool_choice.name"
        )


def _voice(voice: str | VoiceId) -> str:
    return voice if isinstance(voice, str) else voice.id
