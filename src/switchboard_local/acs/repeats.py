"""Repeatable requests: one that comes again with its id gets the answer that it got, and no more
happens (Repeatable Requests 1.0, OASIS)."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from switchboard_local.acs.refusals import bad

MAX_REMEMBERED: Final = 10_000
_MAX_ID: Final = 128


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request got."""

    target: str
    status: int
    body: bytes


@dataclass(slots=True)
class Repeats:
    """The oldest are forgotten first."""

    _known: OrderedDict[str, Answered] = field(default_factory=OrderedDict[str, Answered])

    def find(self, request_id: str | None, target: str) -> Answered | None:
        """The answer that this id got. Raises `AcsRefused` for an id that asked something else."""
        if request_id is None:
            return None
        if len(request_id) > _MAX_ID:
            raise bad("The repeatability id is too long.")
        answered = self._known.get(request_id)
        if answered is not None and answered.target != target:
            raise bad("The repeatability id has been used for another request.")
        return answered

    def note(self, request_id: str | None, answered: Answered) -> None:
        """Only what was done is noted: a refused request may come again and succeed."""
        if request_id is None:
            return
        self._known[request_id] = answered
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
