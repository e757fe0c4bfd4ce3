"""What the exchange needs of whoever writes down what happens."""

from typing import Protocol

from switchboard.conversation.commands import Note
from switchboard.records.redaction.kinds import FULL, Redaction


class Ledger(Protocol):
    """Notes now and never waits. Times are epoch seconds."""

    def open_call(
        self,
        call_id: str,
        *,
        principal_id: str,
        agent: str,
        model: str,
        voice: str,
        channel: str,
        began_at: float,
        direction: str = "in",
        redaction: Redaction = FULL,
    ) -> None: ...

    def note(self, call_id: str, note: Note, at: float) -> None: ...

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None: ...
