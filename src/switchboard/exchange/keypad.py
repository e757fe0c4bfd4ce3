"""Where the keys of a private entry go: past the conversation, to the tool that waits for them.

hidden ──▶ open (the request was heard, or a key came first) ──▶ closed ──▶ as if nothing had been,
once the agent has spoken again: whoever keys on after the end is not heard by the model either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from switchboard.errors import ToolFailed
from switchboard.tools.private import Collected, Ending, PrivateKeys

MAX_DIGITS: Final = 32
AFTER_KEY_S: Final = 2.0
"""Keys that follow so soon belong to the entry, whatever became of it."""
DEAF_AFTER_S: Final = 0.5
"""The last key still sounds, and who reads aloud ends a little late."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    first_s: float = 20.0
    """For the first key, once the request was heard."""
    next_s: float = 6.0
    """For the next one. Where there are enough digits, so long a pause ends the entry."""
    longest_s: float = 90.0
    """For all of it."""


class CallKeypad:
    """That of one call. Never shows what was keyed: it has no repr of its own."""

    def __init__(self, clock: Callable[[], float], patience: Patience | None = None) -> None:
        self._clock = clock
        self._patience = patience or Patience()
        self._digits = bytearray()
        self._active = False
        self._opened = anyio.Event()
        self._pressed = anyio.Event()
        self._done = False
        self._closed = False
        self._collecting = False
        self._deaf = False
        self._deaf_until = float("-inf")
        self._last_key = float("-inf")
        self._agent_spoke = True

    # -- the call's half --------------------------------------------------------------------

    def hide(self) -> None:
        """A private entry is asked for: whatever is keyed from now on is its."""
        self.wipe()
        self._active, self._done, self._closed, self._agent_spoke = True, False, False, False
        self._opened, self._pressed = anyio.Event(), anyio.Event()

    def open(self) -> None:
        """The request was heard."""
        self._deaf = True
        self._opened.set()

    def close(self) -> None:
        """It has ended, or comes to nothing: what no tool has taken by now is forgotten."""
        self.wipe()
        if self._deaf:
            self._deaf_until = self._clock() + DEAF_AFTER_S
        self._active = self._deaf = False
        self._closed = True
        self._opened.set()
        self._pressed.set()

    def agent_speaks(self) -> None:
        """Something new is on its way to the ear: what is keyed then is an answer to that."""
        if not self._active:
            self._agent_spoke = True

    @property
    def hides(self) -> bool:
        """Whether a key that comes now is nobody's business."""
        if self._active or not self._agent_spoke:
            return True
        return self._clock() < self._last_key + AFTER_KEY_S

    @property
    def deaf(self) -> bool:
        """Whether the caller's voice goes nowhere now."""
        return self._deaf or self._clock() < self._deaf_until

    def press(self, key: str) -> bool:
        """A key that was hidden: a digit, `*` to begin anew, `#` to end. Says whether an entry is
        under way that it belongs to."""
        self._last_key = self._clock()
        if not self._active or self._done:
            return False
        self._deaf = True  # it may be said aloud, and its tone is heard
        if key == "#":
            self._done = True
        elif key == "*":
            self.wipe()
        elif len(self._digits) < MAX_DIGITS:
            self._digits += key.encode("ascii")
        self._pressed.set()
        return True

    def wipe(self) -> None:
        """Forget what was keyed."""
        PrivateKeys(self._digits).wipe()

    # -- the tool's half --------------------------------------------------------------------

    async def collect(self, *, least: int, most: int) -> Collected:
        """Wait for the digits: until `#`, until there are `most`, or for as long as is decent."""
        if not self._active or self._collecting:
            raise ToolFailed("One private entry at a time. Wait for the other one.")
        self._collecting = True
        try:
            with anyio.move_on_after(self._patience.longest_s):
                await self._wait(least, most)
            return self._collected(least)
        finally:
            self._collecting = False
            self.wipe()

    async def _wait(self, least: int, most: int) -> None:
        await self._opened.wait()
        while not self._done and not self._closed and len(self._digits) < most:
            self._pressed = anyio.Event()
            begun = bool(self._digits)
            with anyio.move_on_after(
                self._patience.next_s if begun else self._patience.first_s
            ) as waiting:
                await self._pressed.wait()
            if waiting.cancelled_caught:
                self._done = len(self._digits) >= least
                return
        self._done = True

    def _collected(self, least: int) -> Collected:
        digits, self._digits = self._digits, bytearray()
        keys = PrivateKeys(digits)
        if self._closed:
            ending = Ending.INTERRUPTED
        elif not digits:
            ending = Ending.NOTHING
        elif self._done or len(digits) >= least:
            ending = Ending.COMPLETE
        else:
            ending = Ending.UNFINISHED
        if ending is not Ending.COMPLETE:
            keys.wipe()
        self._done = True
        return Collected(ending, keys)
