"""What happened on one call, as far as anybody could notice."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from switchboard.conversation import commands as c


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool call at its end. `arguments` and `result` are JSON values, where they were JSON."""

    id: str
    name: str
    arguments: Any
    state: c.ToolState
    began_ms: float
    result: Any
    question: str | None
    duration_ms: float | None


@dataclass
class Evidence:
    """Collected from the call's notes. Milliseconds count from the call's beginning."""

    lines: dict[str, c.NoteLine] = field(default_factory=dict[str, c.NoteLine])
    tools: dict[str, Tool] = field(default_factory=dict[str, Tool])
    asked: set[str] = field(default_factory=set[str])
    """Tool calls that waited for consent, by id."""
    interruptions: list[c.NoteInterruption] = field(default_factory=list[c.NoteInterruption])
    latencies: dict[str, c.NoteLatency] = field(default_factory=dict[str, c.NoteLatency])
    floors: list[tuple[float, c.Floor]] = field(default_factory=list[tuple[float, c.Floor]])
    """Who had the floor from then on: milliseconds and who."""
    notices: list[str] = field(default_factory=list[str])
    cost_usd: float = 0.0
    unpriced: int = 0
    ended: str | None = None
    """Why the call ended, by the exchange's word."""
    seconds: float = 0.0
    heard: str | None = None
    """By voice: what a listener understood of the agent, as text."""
    said: list[str] = field(default_factory=list[str])
    """What the caller meant to say, line by line."""
    talk_over_s: float = 0.0
    """By voice: how long both spoke at once."""
    trouble: str | None = None
    """Why the conversation was broken off, if it was."""

    def note(self, note: c.Note, at_ms: float) -> None:
        match note:
            case c.NoteLine():
                self.lines[note.item_id] = note
            case c.NoteTool():
                self._tool(note)
            case c.NoteInterruption():
                self.interruptions.append(note)
            case c.NoteLatency():
                self.latencies[note.reply_id] = note
            case c.NoteUsage():
                self.cost_usd += note.cost_usd or 0.0
                self.unpriced += note.cost_usd is None
            case c.NoteFloor(floor):
                self.floors.append((at_ms, floor))
            case c.NoteNotice(code):
                self.notices.append(code)
            case _:
                """Whether it is recorded, or wished for, is for others to know."""

    def _tool(self, note: c.NoteTool) -> None:
        if note.state is c.ToolState.ASKING:
            self.asked.add(note.call_id)
        self.tools[note.call_id] = Tool(
            note.call_id,
            note.name,
            _json(note.arguments),
            note.state,
            note.began_ms,
            None if note.result is None else _json(note.result),
            note.question,
            note.duration_ms,
        )

    def transcript(self) -> list[c.NoteLine]:
        """The lines with words, in the order in which they were spoken."""
        said = (line for line in self.lines.values() if line.text)
        return sorted(said, key=lambda line: line.began_ms)

    def agent_said(self) -> list[str]:
        """What the caller heard of the agent: of a line that was cut, only so much."""
        return [
            line.text if line.heard_chars is None else line.text[: line.heard_chars]
            for line in self.transcript()
            if line.speaker is c.Speaker.AGENT
        ]

    def caller_said(self) -> list[str]:
        """What was understood of the caller."""
        return [each.text for each in self.transcript() if each.speaker is c.Speaker.CALLER]


def _json(text: str) -> Any:  # noqa: ANN401  (any JSON value)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
