"""What the caller of one call keys privately, from the first such request to the call's end."""

from collections.abc import Callable

from switchboard.conversation import commands as c
from switchboard.exchange.keypad import CallKeypad, Patience
from switchboard.tools.private import PrivateEntries


class CallKeys:
    """`keypad` is there once something was asked for."""

    def __init__(self, clock: Callable[[], float], patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self.keypad: CallKeypad | None = None
        self.entries = PrivateEntries(clock)

    @property
    def deaf(self) -> bool:
        """The caller's voice goes nowhere now."""
        return self.keypad is not None and self.keypad.deaf

    def take(self, command: c.HideKeys | c.OpenKeypad | c.CloseKeypad) -> bool:
        """Do what the conversation says. Whether it is the first time: from then on
        `entries.run` must run."""
        first = self.keypad is None
        if self.keypad is None:
            self.keypad = CallKeypad(self._clock, self._patience)
        match command:
            case c.HideKeys():
                self.keypad.hide()
            case c.OpenKeypad():
                self.keypad.open()
            case c.CloseKeypad():
                self.keypad.close()
        return first

    def wipe(self) -> None:
        """Nothing that was keyed survives."""
        self.entries.wipe()
        if self.keypad:
            self.keypad.close()
            self.keypad.wipe()
