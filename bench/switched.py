"""The product as it is, but that records are not noted from SIGUSR1 on, and again from SIGUSR2 on.

Usage: python -m bench.switched serve
"""

import signal
import sys
from types import FrameType

from switchboard import house
from switchboard.__main__ import main
from switchboard.conversation.commands import Note
from switchboard.records.recorder import Recorder


class Switched(Recorder):
    """Drops what is noted of calls while it is off. Their beginnings and ends it always takes: rows
    of calls that it never heard of could not be written afterwards."""

    on = True

    def note(self, call_id: str, note: Note, at: float) -> None:
        if Switched.on:
            super().note(call_id, note, at)


def _switch(number: int, _frame: FrameType | None) -> None:
    Switched.on = number == signal.SIGUSR2


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _switch)
    signal.signal(signal.SIGUSR2, _switch)
    house.Recorder = Switched
    sys.exit(main())
