"""Lines that are taken by calls which have not begun: their caller, or the service, is awaited."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from switchboard.access.principal import Kind, Principal
from switchboard.access.rates import Rate, Rates
from switchboard.conversation.legs import Line, Minted
from switchboard.errors import LinesBusy, NotAllowed, ServerStopping
from switchboard.exchange.brief import Brief
from switchboard.exchange.placed import Placed
from switchboard.naming import NewId, new_call_id

STOPPING: Final = "This server is stopping; please try again in a moment."
NOBODY_WAITS: Final = "This call has ended or was never placed."


@dataclass(frozen=True, slots=True)
class Lines:
    """How many calls at once, and how long a placed one may wait for its caller."""

    calls: int = 20
    wait_s: float = 30.0
    user: int | None = None
    """Of one person who has signed in, at once."""
    address: int | None = None
    """Of strangers at one address, at once."""
    agent: int | None = None
    """Of one agent, at once."""
    kept: int = 0
    """Lines that strangers may not take: for people."""
    agent_rate: Rate | None = None
    """New calls of one agent."""


@dataclass(frozen=True, slots=True)
class _Wait:
    placed: Placed
    until: float = math.inf
    """Without end while the service is still being asked."""
    minted: Minted | None = field(default=None, repr=False)
    """What a front end was given to begin it with."""


class Held(Protocol):
    """Whatever holds a line."""

    @property
    def placed(self) -> Placed: ...


class Waiting:
    """Placed calls that wait. `live` says which have begun and hold a line each; `origin`, what the
    call that is being placed just now comes from, for whoever observes.

    Takes none before it is opened.
    """

    def __init__(
        self,
        lines: Lines,
        live: Callable[[], Collection[Held]],
        clock: Callable[[], float],
        origin: Callable[[], object] = lambda: None,
        new_id: NewId = new_call_id,
    ) -> None:
        self._lines = lines
        self._live = live
        self._origin = origin
        self._clock = clock
        self._new_id = new_id
        self._agents = Rates(lines.agent_rate, clock=clock) if lines.agent_rate else None
        self._waits: dict[str, _Wait] = {}
        """By the call's id."""
        self._opened = self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether calls may begin: the server has started, and does not stop."""
        return self._opened and not self._closed

    def open(self) -> None:
        """Take calls, unless it was closed before."""
        self._opened = True

    def __contains__(self, call_id: str) -> bool:
        self._forget_no_shows()
        return call_id in self._waits

    def __len__(self) -> int:
        self._forget_no_shows()
        return len(self._waits)

    @property
    def free(self) -> int:
        """How many calls could be reserved now."""
        return max(self._lines.calls - len(self._live()) - len(self), 0) if self.is_open else 0

    def reserve(
        self,
        principal: Principal,
        brief: Brief,
        *,
        line: Line | None = None,
        call_id: str | None = None,
        outgoing: bool = False,
    ) -> Placed:
        """Take a line for a call that is about to begin, until it is `cancel`led or a caller is
        `expect`ed. Raises `LinesBusy`, `TooOften`, or `ServerStopping` where none are taken."""
        self._forget_no_shows()
        if not self.is_open:
            raise ServerStopping(STOPPING)
        self._check_room(principal, brief.agent)
        placed = Placed(
            call_id or self._new_id(),
            principal,
            brief,
            line=line,
            outgoing=outgoing,
            origin=self._origin(),
        )
        self._waits[placed.call_id] = _Wait(placed)
        return placed

    def _check_room(self, principal: Principal, agent: str) -> None:
        lines = self._lines
        live = self._live()
        taken = len(live) + len(self._waits)
        if taken >= lines.calls:
            raise LinesBusy("All lines are busy; please try again in a moment.")
        stranger = principal.kind is Kind.ANONYMOUS
        if stranger and taken >= lines.calls - lines.kept:
            raise LinesBusy("The lines that are left are for people who have signed in.")
        # Counted one by one only where there are enough calls for it.
        if principal.kind is Kind.PERSON and lines.user is not None and taken >= lines.user:
            mine = sum(each.principal.id == principal.id for each in self._held())
            if mine >= lines.user:
                raise LinesBusy("You are on as many calls as you may be. End one first.")
        at_most = None if principal.address is None else lines.address
        if stranger and at_most is not None and taken >= at_most:
            beside = [each.principal for each in self._held()]
            strangers = [each for each in beside if each.kind is Kind.ANONYMOUS]
            if sum(each.address == principal.address for each in strangers) >= at_most:
                raise LinesBusy("There are as many calls from your address as there may be.")
        if lines.agent is not None and taken >= lines.agent:
            busy = sum(each.brief.agent == agent for each in self._held())
            if busy >= lines.agent:
                raise LinesBusy("This agent is on as many calls as it may be.")
        if self._agents is not None:
            self._agents.check(agent)

    def _held(self) -> Iterator[Placed]:
        """What each line is taken by."""
        return (each.placed for each in (*self._live(), *self._waits.values()))

    def expect(
        self, placed: Placed, wait_s: float | None = None, *, minted: Minted | None = None
    ) -> None:
        """From now on the caller has `wait_s` to come, the lines' own where it is not given."""
        wait_s = self._lines.wait_s if wait_s is None else wait_s
        self._waits[placed.call_id] = _Wait(placed, self._clock() + wait_s, minted)

    def minted(self, call_id: str) -> Minted | None:
        """What a front end was given to begin this call with, while it waits for it."""
        self._forget_no_shows()
        found = self._waits.get(call_id)
        return found.minted if found else None

    def take(self, call_id: str) -> tuple[Placed, float]:
        """A placed call that waits no longer, and until when it would have.

        Raises `NotAllowed` for one that does not wait.
        """
        self._forget_no_shows()
        found = self._waits.pop(call_id, None)
        if found is None:
            raise NotAllowed(NOBODY_WAITS)
        return found.placed, found.until

    def cancel(self, call_id: str) -> None:
        """Free the line of a placed call that nobody came for."""
        self._waits.pop(call_id, None)

    def close(self) -> None:
        """No more are taken. Those that wait may still begin."""
        self._closed = True

    def clear(self) -> None:
        """Those that wait never begin."""
        self._waits.clear()

    def _forget_no_shows(self) -> None:
        now = self._clock()
        for call_id in [k for k, wait in self._waits.items() if wait.until <= now]:
            self.cancel(call_id)
