"""Who watches calls from outside: measurements and traces, say. Fed with what is noted anyway.

An observer never waits, never raises, and changes nothing; without one, `UNOBSERVED` does nothing.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from switchboard.conversation.commands import Note
from switchboard.conversation.legs import Dial


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is known of a call as it begins. Nothing of it says who calls."""

    call_id: str
    agent: str
    model: str
    service: str
    channel: str
    """`browser`, `webrtc` or `phone`."""
    direction: str
    """`in`, or `out`: we rang."""
    tools: frozenset[str] = frozenset()
    """Those that the model was told of."""


class Watch(Protocol):
    """On one call."""

    def noted(self, note: Note) -> None:
        """Something was noted, or has changed."""
        ...

    def watched(self, dial: Dial) -> Dial:
        """`dial`, and how long it takes or why it fails is seen."""
        ...

    def ended(self, reason: str) -> None:
        """The call is over; the last that is heard of it."""
        ...


class Observer(Protocol):
    """Of every call."""

    def origin(self) -> object:
        """What the call that is being placed just now comes from, to be given to `began`."""
        ...

    def began(self, call: Particulars, origin: object) -> Watch: ...


class _Unobserved:
    def origin(self) -> object:
        return None

    def began(self, call: Particulars, origin: object) -> Watch:
        del call, origin
        return UNWATCHED


class _Unwatched:
    def noted(self, note: Note) -> None:
        pass

    def watched(self, dial: Dial) -> Dial:
        return dial

    def ended(self, reason: str) -> None:
        pass


UNWATCHED: Final[Watch] = _Unwatched()
UNOBSERVED: Final[Observer] = _Unobserved()
