"""The past of a call, as a new model session is told it."""

from collections.abc import Iterator, Sequence
from typing import Final

from switchboard.conversation import wording
from switchboard.conversation.commands import (
    AddAgentText,
    AddCallerText,
    AddNote,
    AddToolCall,
    AddToolOutput,
    Command,
    ReplayTurn,
)
from switchboard.conversation.earshot import Earshot
from switchboard.conversation.history import Called, Entry, History, Role, Said

SHORT_CHARS: Final = 120
"""What is left of an entry too old to be told in full."""
MAX_COMMANDS: Final = 120
"""What a new session is told at once must fit into the queue that leads to it."""
ENTRY_CHARS: Final = 40
"""What an entry costs beside its words."""
MAX_ABRIDGED: Final = 40
"""Entries too old to be told in full of which a line is kept."""


def replay(
    history: History, earshot: Earshot, *, budget_chars: int, note_id: str
) -> Iterator[Command]:
    """Everything that was said and done, oldest first; calls and their outputs as pairs.

    The newest entries are told in full, up to about `budget_chars`; one note, `note_id`, is all
    that is left of those before them. A call that is still running gets a pending output.
    """
    entries = [entry for entry in history.entries() if _told(entry, earshot)]
    recent = _recent(entries, budget_chars)
    older = entries[: len(entries) - len(recent)]
    if older:
        lines = [line for entry in older[-MAX_ABRIDGED:] if (line := _short(entry))]
        yield AddNote(note_id, wording.abridged(lines))
    for entry in recent:
        if isinstance(entry, Called):
            yield AddToolCall(entry.item_id, entry.call_id, entry.name, entry.arguments)
            output = wording.STILL_RUNNING if entry.output is None else entry.output
            yield AddToolOutput(entry.call_id, output)
        else:
            yield _message(entry, earshot)


def _told(entry: Entry, earshot: Earshot) -> bool:
    """Whether there is anything to tell: what nobody heard never was."""
    if isinstance(entry, Called) or entry.heard_text:
        return True
    # The turn that is to be heard again will become an item of its own.
    return entry.role is Role.CALLER and entry.item_id != earshot.again


def _recent(entries: Sequence[Entry], budget_chars: int) -> Sequence[Entry]:
    """The newest entries; those since the caller's last words in any case, for they are still to
    be answered."""
    left, commands = budget_chars, MAX_COMMANDS
    newest = _newest_turn(entries)
    for at in range(len(entries) - 1, -1, -1):
        left -= _size(entries[at])
        commands -= 2 if isinstance(entries[at], Called) else 1
        if commands < 0 or (left < 0 and at < newest):
            return entries[at + 1 :]
    return entries


def _newest_turn(entries: Sequence[Entry]) -> int:
    """Where the caller's latest turn stands."""
    turns = (
        at
        for at in range(len(entries) - 1, -1, -1)
        if not isinstance(entry := entries[at], Called) and entry.role is Role.CALLER
    )
    return next(turns, len(entries))


def _size(entry: Entry) -> int:
    if isinstance(entry, Called):
        return ENTRY_CHARS + len(entry.arguments) + len(entry.output or "")
    return ENTRY_CHARS + len(entry.heard_text)


def _message(entry: Said, earshot: Earshot) -> Command:
    text = entry.heard_text
    match entry.role:
        case Role.AGENT:
            return AddAgentText(entry.item_id, text)
        case Role.SYSTEM:
            return AddNote(entry.item_id, text)
        case Role.CALLER:
            span = earshot.spans.get(entry.item_id)
            if text or span is None or span.to_ms is None:
                return AddCallerText(entry.item_id, text or wording.UNKNOWN_WORDS)
            return ReplayTurn(entry.item_id, span.from_ms, span.to_ms)


def _short(entry: Entry) -> str | None:
    if isinstance(entry, Called):
        name, given = wording.in_quotes(entry.name), wording.in_quotes(_cut(entry.arguments))
        return f"- tool {name} {given}: {wording.in_quotes(_cut(entry.output or 'running'))}"
    if not entry.heard_text:
        return None
    return f"- {entry.role}: {wording.in_quotes(_cut(entry.heard_text))}"


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHORT_CHARS else f"{flat[: SHORT_CHARS - 1]}…"
