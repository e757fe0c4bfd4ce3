"""What a session was told and may not have read: a line that is lost takes along what was on it.

The service reads in order, so a reply that it begins at our request proves what went before.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from switchboard.conversation.commands import (
    AddCallerText,
    AddNote,
    AddToolOutput,
    Command,
    RequestReply,
)

MAX_POSTED: Final = 64

type Addition = AddCallerText | AddNote | AddToolOutput


def _few() -> deque[Addition]:
    return deque(maxlen=MAX_POSTED)


@dataclass(slots=True)
class Posted:
    _asked_about: deque[Addition] = field(default_factory=_few)
    """Told before our latest request for a reply."""
    _since: deque[Addition] = field(default_factory=_few)

    def note(self, command: Command) -> None:
        """This was sent."""
        match command:
            case AddCallerText() | AddNote() | AddToolOutput():
                self._since.append(command)
            case RequestReply():
                self._asked_about += self._since
                self._since.clear()
            case _:
                pass

    def request_was_read(self) -> None:
        self._asked_about.clear()

    def take(self) -> list[Addition]:
        """All that may be lost, in order; none of it is kept here."""
        doubtful = [*self._asked_about, *self._since]
        self._asked_about.clear()
        self._since.clear()
        return doubtful
