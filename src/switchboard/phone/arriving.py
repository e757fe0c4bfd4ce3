"""Calls that come: what Event Grid delivers, and the answer to each."""

import logging
from collections.abc import Callable
from typing import Final

from switchboard.access.refusals import TooOften
from switchboard.errors import CarrierUnavailable, LinesBusy, NotAllowed, ServerStopping
from switchboard.phone.around import Doors, Exchange, PhoneConfig, route_of
from switchboard.phone.callers import caller
from switchboard.phone.calls import PhoneCalls
from switchboard.phone.carrier import Carrier, Connection, Refusal
from switchboard.phone.handover import Handover
from switchboard.phone.occasion import Fitting
from switchboard.phone.webhooks import Filed, Incoming, Validation, grid_events, number_of

logger = logging.getLogger(__name__)

AGENT_HEADER: Final = "x-agent"
"""A caller's custom SIP header that asks for an agent."""
ANSWERING_S: Final = 25.0
"""Longer than an answer takes, the carrier's time included; whoever has not answered by then never
does. Event Grid comes again soon enough for the caller to be still there."""
SEEN_S: Final = 3_600.0
"""Event Grid and ACS deliver again for minutes, not for hours."""


class Arrivals:
    """Each call that comes is answered once, or refused."""

    def __init__(
        self,
        exchange: Exchange,
        carrier: Carrier,
        doors: Doors,
        config: PhoneConfig,
        calls: PhoneCalls,
        fitting: Fitting,
        clock: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._carrier = carrier
        self._doors = doors
        self._config = config
        self._calls = calls
        self._fitting = fitting
        self._clock = clock

    async def delivered(self, body: bytes) -> str | None:
        """Answer the calls in a delivery. The code to give back where it asks for one.

        Raises `Misposted`, or `CarrierUnavailable` where it is to be delivered again.
        """
        code: str | None = None
        for fact in grid_events(body):
            match fact:
                case Validation():
                    code = fact.code
                case Incoming():
                    await self._incoming(fact)
                case Filed():
                    await self._calls.recordings.filed(fact)
        return code

    async def _incoming(self, call: Incoming) -> None:
        now = self._clock()
        if call.is_stale(now):
            logger.info("incoming call is stale", extra={"event": call.event_id})
            return
        if not self._carrier.is_open:  # before it counts as seen
            raise CarrierUnavailable("The telephone is not open.", retryable=True)
        await self._answer_once(call, now)

    async def _answer_once(self, call: Incoming, now: float) -> None:
        """Two answers to one call would be two calls of ours: so it is marked before it is
        answered, as begun. That alone proves nothing, as a process may die meanwhile: until it is
        marked as answered, Event Grid is asked to come again. Raises `CarrierUnavailable`."""
        seen, begun = self._doors.seen, call.begun_digest
        if await seen.has(call.digest, now):
            return
        if not await seen.first(begun, now, for_s=ANSWERING_S):
            raise CarrierUnavailable("This call is being answered.", retryable=True)
        try:
            await self._answer(call)
        except Exception:
            await seen.forget(begun)
            raise
        await seen.first(call.digest, self._clock(), for_s=SEEN_S)

    async def _answer(self, call: Incoming) -> None:
        handover = self._handover(call)
        try:
            call_id = await self._place(call, handover)
        except ServerStopping as reason:  # it rings on, and is delivered again, to another server
            raise CarrierUnavailable(str(reason), retryable=True) from None
        except (LinesBusy, NotAllowed) as reason:
            busy = isinstance(reason, LinesBusy | TooOften)
            refusal: Refusal = "busy" if busy else "forbidden"
            logger.warning("incoming call refused", extra={"reason": refusal})
            await self._reject(call, refusal)
            return
        self._exchange.begin(call_id)  # dialled while we answer, so that it greets at once
        calls = self._calls
        try:
            route = await route_of(call_id, handover, self._config, self._doors)
            connection = await self._carrier.answer(call.context, route)
        except CarrierUnavailable:
            await calls.give_up(call_id, "not_answered")
            return
        except BaseException:
            await calls.let_go(call_id, "not_answered")
            raise
        logger.info("incoming call answered", extra={"call": call_id})
        await self._await_media(call_id, connection)

    async def _await_media(self, call_id: str, connection: Connection) -> None:
        calls = self._calls
        known = await self._doors.bindings.knows(call_id)
        if calls.here[call_id]:
            return
        if known:
            calls.connections[call_id] = connection.id
            calls.answered[call_id] = (connection.id, self._clock())
        elif calls.lines.has(call_id):  # another replica was told that it is over
            await calls.give_up(call_id, "hung_up")

    def _handover(self, call: Incoming) -> Handover:
        agent = self._config.choose(number_of(call.called), call.headers.get(AGENT_HEADER))
        return Handover(agent, caller(call.caller, self._config.caller_key).id, call.caller)

    async def _place(self, call: Incoming, handover: Handover) -> str:
        """Our own call for it. Raises `LinesBusy` or `NotAllowed`."""
        calls, who = self._calls, caller(call.caller, self._config.caller_key)
        calls.admission.check(call.caller)
        booked = await self._exchange.book(who)
        call_id = self._exchange.place(
            principal=who,
            agent=handover.agent,
            voice=None,
            model=None,
            line=calls.lines,
            fit=self._fitting(handover.occasion),
            wait_s=None,
            outgoing=False,
            call_id=booked,
        )
        calls.admission.enter(call_id, call.caller)
        calls.lines.began(call_id, who, call.caller)
        return call_id

    async def _reject(self, call: Incoming, refusal: Refusal) -> None:
        try:
            await self._carrier.reject(call.context, refusal)
        except CarrierUnavailable:
            return  # it is logged; the caller's own carrier gives up by itself
