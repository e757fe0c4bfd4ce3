"""Media sockets: each joined to its call, until one of them leaves."""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import anyio
from starlette.websockets import WebSocket

from switchboard.access.rates import Places
from switchboard.access.refusals import NotIdentified
from switchboard.conversation.commands import Record
from switchboard.errors import CarrierUnavailable, LinesBusy, NotAllowed
from switchboard.phone.around import Doors, Exchange, PhoneConfig
from switchboard.phone.callers import known_caller
from switchboard.phone.calls import PhoneCalls
from switchboard.phone.carrier import Connection
from switchboard.phone.handover import Handover
from switchboard.phone.leg import ELSEWHERE, REPLACED, PhoneLeg
from switchboard.phone.metronome import Metronome
from switchboard.phone.occasion import Fitting
from switchboard.phone.recovery import Recovery

logger = logging.getLogger(__name__)

WENT_WRONG: Final = 1011
CLOSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Come:
    """Media that have come."""

    call_id: str
    connection: Connection
    handover: Handover
    first: bool
    """The call's first: it may have been placed by another replica. Later ones may have been
    carried there."""


class Media:
    """`metronome` paces what they play; it must run beside."""

    def __init__(
        self,
        exchange: Exchange,
        doors: Doors,
        config: PhoneConfig,
        calls: PhoneCalls,
        fitting: Fitting,
        recovery: Recovery,
    ) -> None:
        self._recovery = recovery
        self.metronome = Metronome()
        self._exchange = exchange
        self._doors = doors
        self._config = config
        self._calls = calls
        self._fitting = fitting
        self._sockets = Places(config.max_sockets)

    async def open(self, socket: WebSocket, call_id: str) -> None:
        """Raises `NotIdentified`, `LinesBusy`, or `CarrierUnavailable` for a call that another
        server should have, before it is accepted."""
        await self._doors.acs.check(socket)
        named = socket.headers.getlist("x-ms-call-connection-id")
        tickets = socket.query_params.getlist("ticket")
        if len(named) != 1 or len(tickets) != 1:
            raise NotIdentified("This media socket belongs to no call.")
        with self._sockets.take(), self._at_hand(call_id):
            first = await self._doors.bindings.connection_of(call_id) is None
            if not self._exchange.holds(call_id) and not self._exchange.free():
                # Not ours, and nothing for it here: the carrier asks again, and may find another.
                raise CarrierUnavailable("There is no line for this call here.", retryable=True)
            facts = await self._doors.media.check(tickets[0], call_id, named[0])
            come = Come(call_id, Connection(named[0]), Handover.read(facts), first)
            await socket.accept()
            await self._join(socket, come)

    @contextmanager
    def _at_hand(self, call_id: str) -> Generator[None]:
        here = self._calls.here
        here[call_id] += 1
        try:
            yield
        finally:
            here[call_id] -= 1
            if not here[call_id]:
                del here[call_id]

    async def _join(self, socket: WebSocket, come: Come) -> None:
        calls, call_id, connection = self._calls, come.call_id, come.connection
        leg = self._leg(socket, call_id, connection)
        calls.legs[call_id] = leg
        calls.recordings.rejoined(call_id)
        calls.connections[call_id] = connection.id
        calls.answered.pop(call_id, None)
        calls.ringing.pop(call_id, None)
        calls.wait_no_more(call_id)
        over = False
        try:
            over = await self._carry(come, leg)
        except Exception:
            # A fault of ours with one socket is a lost socket: the carrier opens a new one.
            logger.exception("media failed", extra={"call": call_id})
            with anyio.move_on_after(CLOSE_S), suppress(RuntimeError, OSError):
                await socket.close(WENT_WRONG)
        finally:
            still = calls.legs.get(call_id) is leg
            if still:
                del calls.legs[call_id]
        if still and not over and call_id in calls.connections:
            await self._await_return(call_id, connection)

    async def _carry(self, come: Come, leg: PhoneLeg) -> bool:
        """Until the leg is no more the call's. Whether the call is over with it."""
        call_id, over = come.call_id, False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leg.run)
            try:
                if come.first:
                    self._adopt(call_id, come.handover)
                    await self._note_taken(call_id, come.handover)
                elif not self._exchange.holds(call_id):
                    await self._recovery.take(call_id, come.connection.id, come.handover)
                self._calls.lines.joined(call_id, come.connection.id, leg)
                await self._exchange.carry(call_id, leg)
            except (NotAllowed, LinesBusy):
                await leg.close("call_gone")
            over = leg.is_over
            if not over:
                # Another leg has taken over, or the socket was lost: it has no more to do.
                await leg.close(REPLACED)
        return over

    def _leg(self, socket: WebSocket, call_id: str, connection: Connection) -> PhoneLeg:
        calls, config = self._calls, self._config

        async def hang_up(reason: str) -> None:
            await calls.hang_up(call_id, connection.id, reason)

        def record(wish: Record) -> None:
            where = config.callback_url(call_id)
            calls.recordings.want(call_id, connection.id, where, on=wish.on, storage=wish.storage)

        return PhoneLeg(
            socket,
            call_id,
            metronome=self.metronome,
            hang_up=hang_up,
            record=record,
            latency_ms=config.latency_ms,
            limits=config.media,
        )

    def _adopt(self, call_id: str, handover: Handover) -> None:
        """Raises as the exchange does."""
        who = known_caller(handover.caller_id)
        adopted = self._exchange.adopt(
            call_id,
            principal=who,
            agent=handover.agent,
            line=self._calls.lines,
            fit=self._fitting(handover.occasion),
            outgoing=handover.outgoing,
        )
        if adopted:
            self._calls.lines.began(call_id, who, handover.raw_id)

    async def _note_taken(self, call_id: str, handover: Handover) -> None:
        """The media prove it, though the carrier's word may have been lost. They do not wait for
        a store that fails."""
        if handover.outgoing and self._calls.follower is not None:
            try:
                await self._calls.follower.taken(call_id)
            except Exception:
                # The caller is there, whatever the store says; the carrier's word comes, too.
                logger.exception("placed call not noted as taken", extra={"call": call_id})

    async def _await_return(self, call_id: str, connection: Connection) -> None:
        """A lost socket may come back. If it does not, nobody is left to hang up but us."""
        settled = self._calls.lost[call_id] = anyio.Event()
        with anyio.move_on_after(self._config.reattach_s) as waiting:
            await settled.wait()
        if not waiting.cancelled_caught:
            return
        if await self._calls.not_ours(call_id):
            await self._calls.let_go(call_id, ELSEWHERE)
        elif call_id in self._calls.connections:
            await self._calls.hang_up(call_id, connection.id)
