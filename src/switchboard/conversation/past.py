"""What is known of a call that goes on here, and was another server's until that was lost.

It comes from the records: words as they were kept, without sound. What was running in the other
server is over, and nobody can say how far it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from switchboard.conversation import wording
from switchboard.conversation.commands import LineState, NoteLine, NoteTool, Speaker, ToolState
from switchboard.conversation.history import Called, Role
from switchboard.conversation.stage import Stage

_OPEN = (ToolState.RUNNING, ToolState.ASKING)


@dataclass(frozen=True, slots=True)
class Past:
    elapsed_s: float
    """Since the call began."""
    lines: Sequence[NoteLine] = ()
    tools: Sequence[NoteTool] = ()
    cost_usd: float = 0.0
    recorded: bool | None = None
    """Whether the carrier records the call; `None` where that was never begun."""

    @property
    def notes(self) -> Sequence[NoteLine | NoteTool]:
        """In the order in which they began."""
        return sorted([*self.lines, *self.tools], key=lambda note: note.began_ms)


def recall(stage: Stage, past: Past) -> None:
    """Have a conversation know it, as if it had been here all the while."""
    stage.began = stage.now - past.elapsed_s
    for note in past.notes:
        if isinstance(note, NoteLine):
            _recall_line(stage, note)
        else:
            item_id = stage.new_id("tool")
            output = _output(note)
            stage.history.called(Called(item_id, note.call_id, note.name, note.arguments, output))
    stage.turns = sum(line.speaker is Speaker.CALLER for line in past.lines)
    stage.recorded = stage.may_record = bool(past.recorded)


def settle(stage: Stage, past: Past) -> None:
    """Say of what was left open that it ended there."""
    for line in past.lines:
        stage.finish_line(line.item_id)
    for tool in past.tools:
        if tool.state in _OPEN:
            stage.emit(replace(tool, state=ToolState.ABANDONED, question=None))


def _recall_line(stage: Stage, note: NoteLine) -> None:
    role = Role.CALLER if note.speaker is Speaker.CALLER else Role.AGENT
    said = stage.history.said(note.item_id, role)
    said.text, said.heard_chars = note.text, note.heard_chars
    draft = stage.transcript.begin(note.item_id, note.speaker, note.began_ms)
    draft.text, draft.typed = note.text, note.typed
    draft.final = note.state is not LineState.PARTIAL


def _output(note: NoteTool) -> str:
    """What the model is told that the tool said. It was told so before, but for what was open."""
    match note.state:
        case ToolState.RUNNING:
            return wording.LOST_TOOL
        case ToolState.ASKING:
            return wording.NOT_ASKED
        case _:
            return note.result or wording.NOT_DONE
