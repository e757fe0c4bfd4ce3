"""How a session's clients put things. The session itself thinks in the GA dialect."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, cast

from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.reply import SENTENCE_PLACED

type Event = Mapping[str, Any]

GA_RATE_HZ: Final = 24_000
_FORMATS: Final = (
    ("session", "audio", "input", "format"),
    ("session", "audio", "output", "format"),
    ("response", "audio", "output", "format"),
)


class Dialect(Protocol):
    """What one client speaks, both ways. One for each session: it may remember."""

    def inward(self, event: Event) -> Event:
        """A client event as the session knows it. Raises `Refused`."""
        ...

    def outward(self, event: Event) -> Sequence[Event]:
        """A server event as the client knows it: none for one that it has no word for."""
        ...


class Ga:
    """The session's own dialect: nothing to translate, but one rate of PCM only."""

    def inward(self, event: Event) -> Event:
        require_ga_rate(event)
        return event

    def outward(self, event: Event) -> Sequence[Event]:
        return () if event["type"] == SENTENCE_PLACED else (event,)


def require_ga_rate(event: Event) -> None:
    """Raises `Refused` where `event` asks for PCM of a rate that GA does not have."""
    for param, rate in _rates(event):
        if rate != GA_RATE_HZ:
            message = f"Invalid value for '{param}': audio/pcm has {GA_RATE_HZ} Hz only."
            raise Refused("invalid_value", message, param)


def _rates(event: Event) -> Iterator[tuple[str, object]]:
    """Every rate of audio that the event names, and where."""
    for path in _FORMATS:
        here: object = event
        for step in path:
            here = cast("Event", here).get(step) if isinstance(here, dict) else None
        if isinstance(here, dict) and "rate" in here:
            yield f"{'.'.join(path)}.rate", cast("Event", here)["rate"]
