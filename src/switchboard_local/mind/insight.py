"""What a reader of sentences can tell of an argument, beyond its words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from switchboard_local.mind.catalogue import Slot


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a request that are an argument."""

    text: str
    chance: float
    """0 to 1."""


class Insight(Protocol):
    """A reader of sentences, as far as arguments go."""

    def choice(self, slot: Slot, text: str) -> Sequence[float]:
        """The chance that each choice of `slot` was meant; the last is that of none."""
        ...

    def span(self, slot: Slot, text: str) -> Span | None:
        """The words of `text` that are the argument; `None` where it is likelier not in it."""
        ...
