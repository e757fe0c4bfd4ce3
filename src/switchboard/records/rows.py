"""Notes as rows: which table, which key, which columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from switchboard.conversation.commands import (
    LineState,
    Note,
    NoteInterruption,
    NoteLatency,
    NoteLine,
    NoteTool,
    NoteUsage,
)
from switchboard.records.redaction.redactor import Growing
from switchboard.records.schema import Base, Interruption, Item, Reply, ToolCall

type Key = tuple[type[Base], tuple[str, ...]]
"""The same row, whatever is in it."""
type Batch = Mapping[Key, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """Columns to insert, or to update where the key is there already."""

    table: type[Base]
    key: tuple[str, ...]
    """What makes it the same row as another; two notes of one key are one row."""
    values: dict[str, Any]


def row_of(call_id: str, note: Note, at: float) -> Row | None:
    """The row a note of `at` becomes; `None` for what is only shown, like the floor."""
    match note:
        case NoteLine():
            return Row(*line_key(call_id, note), line_values(call_id, note))
        case NoteTool():
            return _row(ToolCall, call_id, "tool_call_id", note.call_id, _tool(note))
        case NoteInterruption():
            return _row(Interruption, call_id, "item_id", note.item_id, _interruption(note))
        case NoteLatency():
            return _row(Reply, call_id, "reply_id", note.reply_id, _latency(note, at))
        case NoteUsage():
            return _row(Reply, call_id, "reply_id", note.reply_id, _usage(note))
        case _:
            return None


def _row(table: type[Base], call_id: str, key_column: str, key: str, values: dict[str, Any]) -> Row:
    return Row(table, (call_id, key), {"call_id": call_id, key_column: key, **values})


def line_key(call_id: str, note: NoteLine) -> Key:
    """Of the row that a line becomes."""
    return Item, (call_id, note.item_id)


def line_values(call_id: str, note: NoteLine) -> dict[str, Any]:
    """What that row holds."""
    return {
        "call_id": call_id,
        "item_id": note.item_id,
        "speaker": note.speaker.value,
        "text": note.text,
        "state": note.state.value,
        "began_ms": note.began_ms,
        "heard_chars": note.heard_chars,
        "typed": note.typed,
        "growing": growing_of(note),  # no column: for whoever reads the text before it is stored
    }


def growing_of(note: NoteLine) -> Growing:
    """Whether more of its text is to come."""
    if note.state is LineState.PARTIAL:
        return Growing.SURELY
    return Growing.PERHAPS if note.growing else Growing.NOT


def _tool(note: NoteTool) -> dict[str, Any]:
    return {
        "name": note.name,
        "arguments": note.arguments,
        "state": note.state.value,
        "began_ms": note.began_ms,
        "result": note.result,
        "duration_ms": note.duration_ms,
    }


def _interruption(note: NoteInterruption) -> dict[str, Any]:
    return {"heard_ms": note.heard_ms, "received_ms": note.received_ms, "at_ms": note.at_ms}


def _latency(note: NoteLatency, at: float) -> dict[str, Any]:
    heard_after_ms = (
        0.0 if note.first_heard_ms is None else note.first_heard_ms - note.first_audio_ms
    )
    return {
        "first_audio_ms": note.first_audio_ms,
        "first_heard_ms": note.first_heard_ms,
        "answered_at": at - heard_after_ms / 1_000,  # the second note comes once it is heard
    }


def _usage(note: NoteUsage) -> dict[str, Any]:
    usage = note.usage
    return {
        "input_text": usage.input_text,
        "input_audio": usage.input_audio,
        "cached_text": usage.cached_text,
        "cached_audio": usage.cached_audio,
        "output_text": usage.output_text,
        "output_audio": usage.output_audio,
        "cost_usd": note.cost_usd,
    }
