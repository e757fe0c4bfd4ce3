"""Calls that we place: rung within the rules, and followed to their end."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import anyio

from switchboard.access.principal import Kind, Principal, Role
from switchboard.conversation.legs import Line
from switchboard.errors import CarrierUnavailable, NotAllowed
from switchboard.phone.around import Places
from switchboard.phone.callers import caller
from switchboard.phone.handover import Handover
from switchboard.phone.occasion import Fitting, Occasion, as_it_is
from switchboard.phone.permits import Permit, Permits
from switchboard.phone.webhooks import Told, What
from switchboard.records.placed import OPEN, PlacedCall, PlacedTable, State

logger = logging.getLogger(__name__)

MARGIN_S: Final = 30.0
"""A line is kept this much longer than a telephone rings: the media come after the answer."""
TIDY_S: Final = 5.0
"""So long a call that could not be placed is put away, whatever becomes of whoever asked for it."""
MACHINE_REASONS: Final = frozenset({"answering_machine", "message_left"})
_OUTCOMES: Final = {
    486: State.BUSY,
    600: State.BUSY,
    408: State.NO_ANSWER,
    480: State.NO_ANSWER,
    487: State.NO_ANSWER,
}
"""How SIP says it; whatever else the carrier says is a failure."""


class Room(Protocol):
    """What it needs of the telephone's room."""

    @property
    def lines(self) -> Line:
        """What the carrier can do with its calls."""
        ...

    async def ring(self, call_id: str, permit: Permit, handover: Handover) -> None:
        """Have a telephone ring. Raises `CarrierUnavailable`."""
        ...

    async def abandon(self, call_id: str, reason: str) -> None:
        """Hang up on one that rings."""
        ...

    def answered(self, call_id: str) -> bool:
        """Somebody has taken one that rings; another replica was told. Whether we knew by now that
        it rings."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that somebody wants placed."""

    to: str = field(repr=False)
    """As typed, with its country: `+44 20 7946 0018`."""
    agent: str
    operation: str
    """The wisher's own id for it: asked again, it is the same call."""
    context: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingConfig:
    ring_s: float = 45.0
    """How long a telephone may ring."""
    caller_key: bytes = field(default=b"", repr=False)
    """What people's ids are made with."""


def may_place(who: Principal) -> bool:
    """Only the owner of this machine, and operators that an identity provider vouches for: a
    stranger who may talk to the agent may not have it ring others."""
    vouched = who.kind is Kind.PERSON and Role.OPERATOR in who.roles
    return who.kind is Kind.LOCAL or vouched


def check_may_place(who: Principal) -> None:
    """Raises `NotAllowed` for whoever may not place calls."""
    if not may_place(who):
        raise NotAllowed("You may not place telephone calls on this server.")


class Outgoing:
    """Places calls. The room tells it what the carrier says of them."""

    def __init__(
        self,
        exchange: Places,
        room: Room,
        permits: Permits,
        table: PlacedTable,
        config: OutgoingConfig,
        *,
        fitting: Fitting = as_it_is,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._exchange = exchange
        self._room = room
        self._permits = permits
        self._table = table
        self._config = config
        self._fitting = fitting
        self._clock = clock
        self._ringing: dict[str, float] = {}
        """Calls of this replica that nobody has answered, and since when they ring."""
        self.on_over: Callable[[PlacedCall], Awaitable[None]] | None = None
        """Told of each call that is over."""

    async def place(self, wish: Wish, by: Principal) -> PlacedCall:
        """Ring somebody, or say what became of the same wish before.

        Whether `by` may at all is for the door to ask; the day's budget is theirs. Raises
        `NotDialled`, `LinesBusy`, `BudgetSpent`, or
        `NotAllowed` for an agent that there is not. What the carrier refuses is a failed call.
        """
        target = self._permits.understand(wish.to)  # or is refused, whatever the database knows
        if known := await self._permits.known(by, wish.operation):
            return await self.need(known)  # at whatever time it is asked again
        await self._permits.check(target, self._clock())
        other = caller(f"4:{target.number}", self._config.caller_key)
        occasion = Occasion(target.number, other.id, outgoing=True, context=wish.context)
        booked = await self._exchange.book(by)
        call_id = self._exchange.place(
            principal=other,
            agent=wish.agent,
            voice=None,
            model=None,
            line=self._room.lines,
            fit=self._fitting(occasion),
            wait_s=self._config.ring_s + MARGIN_S,
            outgoing=True,
            call_id=booked,
        )
        try:
            permit = await self._permits.ask(
                wish.to, call_id=call_id, principal=by, operation=wish.operation, agent=wish.agent
            )
        except BaseException:
            with anyio.move_on_after(TIDY_S, shield=True):  # whoever asked may have gone
                await self._exchange.end(call_id, "not_placed")
            raise
        if permit.again:  # asked for twice at once
            await self._exchange.end(call_id, "not_placed")
            return await self.need(permit.call_id)
        handover = Handover(
            wish.agent, other.id, f"4:{target.number}", outgoing=True, context=wish.context
        )
        await self._ring(call_id, permit, handover)
        return await self.need(call_id)

    async def _ring(self, call_id: str, permit: Permit, handover: Handover) -> None:
        self._ringing[call_id] = self._clock()
        try:
            await self._room.ring(call_id, permit, handover)
        except CarrierUnavailable as refusal:
            await self._over(call_id, State.FAILED, reason="carrier", code=refusal.status)
            await self._exchange.end(call_id, "not_placed")
            return
        except BaseException:
            with anyio.move_on_after(TIDY_S, shield=True):
                await self._over(call_id, State.FAILED, reason="not_placed")
                await self._exchange.end(call_id, "not_placed")
            raise
        if await self._table.move(call_id, State.RINGING, self._clock()):
            logger.info("telephone rings", extra={"call": call_id})

    async def need(self, call_id: str) -> PlacedCall:
        """How a call stands. Raises `NotAllowed` for one that was never placed."""
        call = await self._table.find(call_id)
        if call is None:
            raise NotAllowed("There is no such call.")
        return call

    async def find(self, call_id: str, by: Principal) -> PlacedCall | None:
        """How a call stands, for whoever placed it and for operators."""
        call = await self._table.find(call_id)
        if call is None or (call.principal_id != by.id and Role.OPERATOR not in by.roles):
            return None
        return call

    async def recover(self) -> None:
        """For the start: calls that a crash left open are over, and are not rung again."""
        left = await self._table.close_left_open(self._clock())
        if left:
            logger.warning("placed calls had been interrupted", extra={"calls": left})

    # -- what the room tells ----------------------------------------------------------------

    async def told(self, call_id: str, event: Told) -> None:
        """The carrier told something of a call."""
        match event.what:
            case What.CONNECTED:
                await self.taken(call_id, event.code)
            case What.CREATE_FAILED:
                state = _OUTCOMES.get(event.code, State.FAILED)
                declined = "declined" if event.code == 603 else None
                await self._over(
                    call_id, state, reason=declined, code=event.code, subcode=event.subcode
                )
            case What.DISCONNECTED:
                await self._gone(call_id, "hung_up", event.code, event.subcode)
            case _:
                pass

    async def taken(self, call_id: str, code: int | None = None) -> None:
        """Somebody has taken the call: the carrier told so, or its media have come."""
        self._ringing.pop(call_id, None)
        await self._table.move(call_id, State.ANSWERED, self._clock(), code=code)

    async def over(self, call_id: str, reason: str) -> None:
        """A call has ended, by whatever hand; called once or more often."""
        await self._gone(call_id, reason)

    async def sweep(self) -> None:
        """Hang up on telephones that ring too long, and see what another replica was told."""
        late = self._clock() - self._config.ring_s
        for call_id, since in list(self._ringing.items()):
            call = await self._table.find(call_id)
            if call_id not in self._ringing:
                continue  # told of it while we looked
            if call is None or call.state not in OPEN:
                del self._ringing[call_id]
                await self._room.abandon(call_id, "hung_up")
            elif call.state is State.ANSWERED:
                if self._room.answered(call_id):
                    del self._ringing[call_id]
            elif since <= late:
                logger.info("telephone rang too long", extra={"call": call_id})
                await self._room.abandon(call_id, "no_answer")

    async def _gone(
        self, call_id: str, reason: str, code: int | None = None, subcode: int | None = None
    ) -> None:
        call = await self._table.find(call_id)
        if call is None or call.state not in OPEN:
            return
        if reason in MACHINE_REASONS:
            state = State.MACHINE
        elif call.state is State.ANSWERED:
            state = State.ENDED
        else:
            unanswered = State.NO_ANSWER if reason == "no_answer" else State.FAILED
            state = _OUTCOMES.get(code or 0, unanswered)
        await self._over(call_id, state, reason=reason, code=code, subcode=subcode)

    async def _over(
        self,
        call_id: str,
        state: State,
        *,
        reason: str | None = None,
        code: int | None = None,
        subcode: int | None = None,
    ) -> None:
        self._ringing.pop(call_id, None)
        moved = await self._table.move(
            call_id, state, self._clock(), reason=reason, code=code, subcode=subcode
        )
        if moved:
            logger.info("placed call over", extra={"call": call_id, "state": state.value})
            if self.on_over is not None:
                await self.on_over(await self.need(call_id))
