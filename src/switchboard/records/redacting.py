"""Rows on their way into the store: of what was said and done, without what is not to be kept.

Here and nowhere earlier: the page and the model see what was said, the database never does.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import anyio.to_thread

from switchboard.conversation.commands import Note, NoteLine, NoteNotice, NoteTool
from switchboard.records.behind import Behind
from switchboard.records.redaction.kinds import FULL, Redaction
from switchboard.records.redaction.redactor import Growing, Redactor
from switchboard.records.rows import Batch, Key, row_of
from switchboard.records.schema import Base, Call, Interruption, Item, Reply, ToolCall

logger = logging.getLogger(__name__)

LONG_CHARS: Final = 2_000
"""A longer text is read in a thread where calls speak beside it."""
KNOWN_CALLS: Final = 20_000
MAX_REASON: Final = 200
FAILED: Final = "[unread]"
"""What is stored of a text in which nobody could look for anything."""


def _line(values: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    clean = redactor.text(values["text"], values.get("growing", Growing.NOT))
    heard = values.get("heard_chars")
    return {
        "text": clean.text,
        "heard_chars": None if heard is None else clean.place(heard),
    }


def _tool(values: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    texts = {name: values[name] for name in ("arguments", "result") if values.get(name)}
    return {name: redactor.data(text) for name, text in texts.items()}


def _call(values: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    reason = values.get("end_reason")
    return {"end_reason": redactor.text(reason).text[:MAX_REASON]} if reason else {}


type _Clean = Callable[[dict[str, Any], Redactor], dict[str, Any]]

CLEAN: Final[dict[type[Base], _Clean]] = {Item: _line, ToolCall: _tool, Call: _call}
NO_TEXT: Final[frozenset[type[Base]]] = frozenset({Interruption, Reply})
"""Rows of ours that hold nothing anybody said."""
_TEXTS: Final = ("text", "arguments", "result", "end_reason")


class Redacting:
    """Knows by what rules each call is kept."""

    def __init__(self) -> None:
        self._rules: dict[str, Redaction] = {}
        self._redactors: dict[Redaction, Redactor] = {}

    def begin(self, call_id: str, rules: Redaction) -> None:
        """This call's texts are kept by these rules; one of which nobody said any, by all."""
        self._rules.pop(call_id, None)
        self._rules[call_id] = rules
        while len(self._rules) > KNOWN_CALLS:  # the oldest is long over
            del self._rules[next(iter(self._rules))]

    def rules_of(self, call_id: str) -> Redaction:
        """By which this call's texts are kept."""
        return self._rules.get(call_id, FULL)

    async def clean(self, batch: Batch) -> Batch:
        """The same rows as they may be stored. What they were stays as it is."""
        clean: dict[Key, dict[str, Any]] = {}
        behind = Behind()
        for key, values in batch.items():
            clean[key] = await self._row(key, values)
            await behind.rest()
        return clean

    async def note(self, call_id: str, note: Note) -> Note:
        """A note as it may be shown to whoever is not the caller: as it would be stored."""
        row = row_of(call_id, note, 0.0)
        match note:
            case NoteLine() if row is not None:
                clean = await self._row((row.table, row.key), row.values)
                return replace(note, text=clean["text"], heard_chars=clean["heard_chars"])
            case NoteTool(question=question) if row is not None:
                clean = await self._row((row.table, row.key), row.values)
                return replace(
                    note,
                    arguments=clean["arguments"],
                    result=clean["result"],
                    question=None if question is None else self.text(call_id, question),
                )
            case NoteNotice(code, text):
                return NoteNotice(code, self.text(call_id, text))
            case _:
                return note

    def text(self, call_id: str, text: str) -> str:
        """What may be stored of a short text."""
        return self._redactor(call_id).text(text[:LONG_CHARS]).text

    async def _row(self, key: Key, values: dict[str, Any]) -> dict[str, Any]:
        chars = sum(len(values.get(name) or "") for name in _TEXTS)
        if chars > LONG_CHARS:
            return await anyio.to_thread.run_sync(self.row_now, key, values)
        return self.row_now(key, values)

    def row_now(self, key: Key, values: dict[str, Any]) -> dict[str, Any]:
        """One row as it may be stored, for whoever keeps nobody waiting: a long text takes a
        while."""
        how = CLEAN.get(key[0])
        if how is None:
            return values
        copy = {name: value for name, value in values.items() if name != "growing"}
        try:
            copy |= how(values, self._redactor(key[1][0]))
        except Exception as reason:  # noqa: BLE001  (whatever it is, nothing unread is stored)
            extra = {"table": key[0].__tablename__, "error": type(reason).__name__}
            logger.error("text not read", extra=extra)
            copy |= {name: FAILED for name in _TEXTS if copy.get(name)}
        return copy

    def _redactor(self, call_id: str) -> Redactor:
        rules = self.rules_of(call_id)
        known = self._redactors.get(rules)
        if known is None:
            if len(self._redactors) >= 100:  # edits of the profiles, over months
                self._redactors.clear()
            known = self._redactors[rules] = Redactor(rules)
        return known
