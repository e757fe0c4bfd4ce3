"""What the exchange needs of whoever writes down what happens."""

from typing import Protocol

from switchboard.conversation.commands import Note
from switchboard.records.opening import Opening


class Ledger(Protocol):
    """Notes now and never waits. Times are epoch seconds."""

    def open_call(self, opening: Opening) -> None: ...

    def note(self, call_id: str, note: Note, at: float) -> None: ...

    def close_call(self, call_id: str, reason: str, ended_at: float) -> None: ...

    def let_go(self, call_id: str) -> None:
        """Another server carries the call: from now on what is noted of it here counts no more."""
        ...
