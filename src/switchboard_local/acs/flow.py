"""What passes between the carrier and the application, kept for people to watch: the newest only,
and without secrets.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import anyio

from switchboard_local.acs.masking import masked, masked_text

MAX_KEPT: Final = 500

type Kind = Literal["request", "callback", "event", "media", "stop", "key"]
"""A REST request, a callback, a delivery of Event Grid's, a media socket, StopAudio, DTMF."""
type Way = Literal["to_carrier", "to_agent"]


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing that passed, or goes on: a media socket's note changes while it is open."""

    id: int
    at_ms: int
    """When it began: milliseconds since 1970."""
    kind: Kind
    way: Way
    """`to_carrier`: the application sent it."""
    title: str
    call: str = ""
    """`callConnectionId`, where it is of a call."""
    status: int | None = None
    """How it was answered; 0 is not at all."""
    took_ms: float | None = None
    note: str = ""
    body: str = ""
    """JSON, masked."""


@dataclass(slots=True)
class Flow:
    """The newest `MAX_KEPT`. Whoever watches asks for what is new since a revision."""

    clock: Callable[[], float] = time.time
    revision: int = 0
    """Grows with everything that is noted or amended."""
    changed: anyio.Event = field(default_factory=anyio.Event)
    _kept: "OrderedDict[int, tuple[int, Passage]]" = field(
        default_factory=OrderedDict[int, tuple[int, Passage]]
    )
    _ids: int = 0

    def note(
        self,
        kind: Kind,
        way: Way,
        title: str,
        *,
        call: str = "",
        status: int | None = None,
        took_ms: float | None = None,
        note: str = "",
        body: bytes = b"",
    ) -> int:
        """Keep one; its id."""
        self._ids += 1
        shown, text = masked(body)
        passage = Passage(
            self._ids,
            int(self.clock() * 1000 - (took_ms or 0)),
            kind,
            way,
            masked_text(title),
            call or _call_of(shown),
            status,
            None if took_ms is None else round(took_ms, 1),
            masked_text(note),
            text,
        )
        self._keep(passage)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return self._ids

    def amend(self, passage_id: int, note: str) -> None:
        """Say how one goes on; one that is no longer kept is left alone."""
        kept = self._kept.get(passage_id)
        if kept is not None:
            self._keep(replace(kept[1], note=masked_text(note)))

    def since(self, revision: int) -> list[Passage]:
        """Those noted or amended after that, oldest first."""
        return [passage for at, passage in self._kept.values() if at > revision]

    def _keep(self, passage: Passage) -> None:
        self.revision += 1
        self._kept[passage.id] = (self.revision, passage)
        self.changed.set()
        self.changed = anyio.Event()


def _call_of(shown: object) -> str:
    """The call that a callback or an answer is about."""
    match shown:
        case [{"data": {"callConnectionId": str(call)}}] | {"callConnectionId": str(call)}:
            return call
        case {"answered": {"callConnectionId": str(call)}}:
            return call
        case _:
            return ""
