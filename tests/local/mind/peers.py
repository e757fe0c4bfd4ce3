"""A caller for the mind's tests: speaks, answers tool calls, and remembers the whole history."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from switchboard_local.engine.parts import PartInfo
from switchboard_local.mind.offline import OfflineMind
from switchboard_local.mind.parts import Call, Request, Say

TODAY = date(2026, 11, 22)
"""A Sunday."""

type Answer = Callable[[dict[str, Any]], object]


def words_only_mind() -> OfflineMind:
    """The mind without embeddings: what every platform has."""
    return OfflineMind(PartInfo("mind", "words"), lambda: TODAY)


def tool(
    name: str, description: str, required: Sequence[str] = (), /, **slots: object
) -> dict[str, Any]:
    """A realtime function tool."""
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": slots, "required": list(required)},
    }


def message(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def heard(text: str) -> dict[str, Any]:
    """A spoken turn of the caller's."""
    part = {"type": "input_audio", "transcript": text}
    return {"type": "message", "role": "user", "content": [part]}


@dataclass
class Conversation:
    """One caller, one mind, tools that answer."""

    tools: Sequence[Mapping[str, Any]]
    answers: Mapping[str, Answer | object] = field(default_factory=dict[str, "Answer | object"])
    instructions: str = "You are Iris, the assistant of Alder Bank."
    mind: OfflineMind = field(default_factory=words_only_mind)
    items: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    calls: list[Call] = field(default_factory=list[Call])

    def hears(self, text: str) -> str:
        """The caller says `text`; what the agent says in the end. Tools answer in between."""
        self.items.append(heard(text))
        return self.goes_on()

    def goes_on(self, tool_choice: str = "auto") -> str:
        said: list[str] = []
        for _ in range(6):
            thoughts = self.mind.think(self.request(tool_choice))
            words = " ".join(thought.text for thought in thoughts if isinstance(thought, Say))
            said += [words] if words else []
            self.items += [message("assistant", words)] if words else []
            calls = [thought for thought in thoughts if isinstance(thought, Call)]
            for call in calls:
                self._run(call)
            if not calls:
                break
        return " ".join(said)

    def request(self, tool_choice: str = "auto") -> Request:
        return Request(self.instructions, self.tools, tool_choice, list(self.items))

    def _run(self, call: Call) -> None:
        called = f"call_{len(self.calls)}"
        self.calls.append(call)
        answer = self.answers.get(call.name, {"ok": True})
        output = answer(json.loads(call.arguments)) if callable(answer) else answer
        one = {"type": "function_call", "call_id": called, "name": call.name}
        self.items.append({**one, "arguments": call.arguments})
        done = {"type": "function_call_output", "call_id": called, "output": json.dumps(output)}
        self.items.append(done)

    @property
    def last_call(self) -> tuple[str, dict[str, Any]]:
        return self.calls[-1].name, json.loads(self.calls[-1].arguments)
