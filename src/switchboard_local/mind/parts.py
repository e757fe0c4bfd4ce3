"""What a mind is: the realtime stand-in's stand-in for a language model."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from switchboard_local.engine.parts import PartInfo


@dataclass(frozen=True, slots=True)
class Request:
    """One reply to be made, in the terms of the GA realtime dialect."""

    instructions: str
    """The session's, or the response's own."""
    tools: Sequence[Mapping[str, Any]]
    """`{"type": "function", "name", "description", "parameters"}`"""
    tool_choice: str | Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]
    """The conversation so far, as realtime items, oldest first: `message` (roles `system`, `user`,
    `assistant`; content parts `input_text`, `input_audio` with `transcript`, `output_text`,
    `output_audio` with `transcript`), `function_call`, `function_call_output`."""
    response_instructions: str | None = None
    """`response.create`'s own instructions, where it has any: they outrank the session's."""


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of what the agent says, at best one sentence or clause."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool the agent wants run. `arguments` is JSON text."""

    name: str
    arguments: str


type Thought = Say | Call


class Mind(Protocol):
    """Makes replies. Holds nothing between them: all it knows is in the request."""

    info: PartInfo

    def reply(self, request: Request) -> AsyncIterator[Thought]:
        """What to say and which tools to call, in order. Closing the iterator stops the work."""
        ...
