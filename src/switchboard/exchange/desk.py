"""An operator in the agent's place: a seat at a call, with an ear and a mouth. One at a time."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Protocol

from switchboard.conversation import events as e
from switchboard.conversation.audio import base64_ms
from switchboard.errors import LinesBusy
from switchboard.exchange.ears import Ear, Ears
from switchboard.exchange.over import ignored, never

AHEAD_S: Final = 0.6
"""How far the operator's voice may run ahead of the caller's ear: what was held up on the way and
comes all at once is dropped beyond that, or it would lag for the rest of the call."""


class Mouth(Protocol):
    """What an operator who has a call can do with it. Nothing here waits."""

    def speak(self, audio: str) -> None:
        """Base64 PCM 24 kHz mono for the caller's ear; dropped while it cannot be heard."""
        ...

    def hand_back(self, summary: str | None) -> None:
        """The agent goes on. `summary`: what was said meanwhile."""
        ...


class Voice(Protocol):
    """How the operator's voice gets to the caller."""

    def __call__(self, item_id: str, audio: str, /) -> None: ...


class Desk:
    """Of one call. `tell` is its conversation's, `is_open` whether an operator may be heard."""

    def __init__(
        self,
        tell: Callable[[e.Event], None],
        play: Voice,
        is_open: Callable[[], bool],
        ears: Ears,
        clock: Callable[[], float],
    ) -> None:
        self._tell = tell
        self._play = play
        self._is_open = is_open
        self._ears = ears
        self._clock = clock
        self._stretch = 0
        self.by: str | None = None
        """Who sits there now, by name."""

    @contextmanager
    def taking_over(self, seat: Ear, by: str) -> Generator[Mouth]:
        """Speak in the agent's place while the block runs. Raises `LinesBusy` if somebody does.

        Unless they hand it back, whoever leaves has lost their line, and may be back in a moment.
        """
        if self.by is not None:
            raise LinesBusy(f"This call is with {self.by}.")
        self.by = by
        self._stretch += 1
        mouth = _Mouth(self._speak, self._back, self._clock)
        try:
            with self._ears.listening(seat, always=True):
                self._tell(e.TakenOver(by))
                yield mouth
        finally:
            self.by = None
            if not mouth.handed_back:
                self._tell(e.OperatorAway())

    def hush(self) -> None:
        """What was queued for the ear is gone, and is known to a leg by its name."""
        self._stretch += 1

    def over(self) -> None:
        """The call has ended: nothing that is said or done here goes anywhere."""
        self._tell, self._play, self._is_open = ignored, ignored, never

    def _speak(self, seat_audio: str) -> bool:
        if not self._is_open():
            return False
        self._play(f"operator{self._stretch}", seat_audio)
        return True

    def _back(self, summary: str | None) -> None:
        self._tell(e.HandedBack(summary))


class _Mouth:
    def __init__(
        self,
        speak: Callable[[str], bool],
        back: Callable[[str | None], None],
        clock: Callable[[], float],
    ) -> None:
        self._speak = speak
        self._back = back
        self._clock = clock
        self._plays_until = 0.0
        self.handed_back = False

    def speak(self, audio: str) -> None:
        now = self._clock()
        until = max(self._plays_until, now)
        if self.handed_back or until - now > AHEAD_S or not self._speak(audio):
            return
        self._plays_until = until + base64_ms(audio) / 1_000

    def hand_back(self, summary: str | None) -> None:
        if not self.handed_back:
            self.handed_back = True
            self._back(summary)
