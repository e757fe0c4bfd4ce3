"""Who listens in on a call: both voices, past the conversation, and nothing while keys are taken
privately."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Protocol

from switchboard.errors import LinesBusy
from switchboard.exchange.over import always

MOST: Final = 4
"""Listeners of one call."""


class Ear(Protocol):
    """One listener. Nothing here may wait: a slow one drops what it cannot take."""

    def caller(self, audio: str) -> None:
        """Base64 PCM 24 kHz mono, as it was spoken."""
        ...

    def agent(self, audio: str) -> None:
        """The same of the agent's; it comes faster than it is spoken."""
        ...

    def operator(self, audio: str) -> None:
        """The same of an operator's who has the call. Not told to that operator."""
        ...

    def hush(self) -> None:
        """The agent was silenced: what was not heard yet never will be."""
        ...

    def muted(self, muted: bool) -> None:
        """From now on there is nothing to hear, or something again."""
        ...

    def over(self) -> None:
        """The call has ended."""
        ...


class Ears:
    """Of one call. `private` says whether nobody may hear it now."""

    def __init__(self, private: Callable[[], bool]) -> None:
        self._private = private
        self.any = False
        """Somebody listens."""
        self._ears: list[Ear] = []
        self._seats: list[Ear] = []
        """Those whose own voice it is that `operator` tells of."""
        self._muted = False

    @contextmanager
    def listening(self, ear: Ear, *, always: bool = False) -> Generator[None]:
        """Hear the call while the block runs. Raises `LinesBusy` when too many do, unless it is
        to be let in `always`."""
        if len(self._ears) >= MOST and not always:
            raise LinesBusy("Enough people are listening to this call.")
        if not self._ears:
            self._muted = False
        self._ears.append(ear)
        self.any = True
        if always:
            self._seats.append(ear)
        if self._muted:
            ear.muted(True)
        try:
            yield
        finally:
            self._ears.remove(ear)
            self.any = bool(self._ears)
            if always:
                self._seats.remove(ear)

    def caller(self, audio: str) -> None:
        if self._ears and not self._hidden():
            for ear in self._ears:
                ear.caller(audio)

    def agent(self, audio: str) -> None:
        if self._ears and not self._hidden():
            for ear in self._ears:
                ear.agent(audio)

    def operator(self, audio: str) -> None:
        if self._ears and not self._hidden():
            for ear in self._ears:
                if ear not in self._seats:
                    ear.operator(audio)

    def hush(self) -> None:
        for ear in self._ears:
            ear.hush()

    def over(self) -> None:
        self._private = always
        for ear in self._ears:
            ear.over()

    def _hidden(self) -> bool:
        muted = self._private()
        if muted is not self._muted:
            self._muted = muted
            for ear in self._ears:
                ear.muted(muted)
                if muted:
                    ear.hush()
        return muted
