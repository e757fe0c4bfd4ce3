"""The telephone's room: answers calls, joins their media to them, and hears what became of them."""

import hashlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

import anyio
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from switchboard.access.acs import AcsTokens
from switchboard.access.eventgrid import EventGridDoor
from switchboard.access.media import MediaTickets
from switchboard.access.principal import Principal
from switchboard.access.rates import Places
from switchboard.access.refusals import NotIdentified
from switchboard.conversation.legs import CallerLeg, Line
from switchboard.errors import CarrierUnavailable, LinesBusy, NotAllowed
from switchboard.phone.callers import caller, known_caller
from switchboard.phone.carrier import Carrier, Connection, Refusal, Route
from switchboard.phone.handover import Handover
from switchboard.phone.leg import REPLACED, PhoneLeg
from switchboard.phone.limits import MediaLimits
from switchboard.phone.lines import PhoneLines
from switchboard.phone.metronome import Metronome
from switchboard.phone.permits import Permits
from switchboard.phone.webhooks import Incoming, Told, Validation, What, callbacks, grid_events
from switchboard.records.telephone import MediaTicketTable, SeenEvents

logger = logging.getLogger(__name__)

SEEN_S: Final = 3_600.0
"""Event Grid and ACS deliver again for minutes, not for hours."""
MEDIA_S: Final = 20.0
"""An answered call whose media have not come by then never gets them."""
SWEEP_S: Final = 2.0
CLOSE_S: Final = 5.0
"""For hanging up on everybody, when the server stops."""
_OVER: Final = frozenset({What.DISCONNECTED, What.CREATE_FAILED, What.ANSWER_FAILED})


class Exchange(Protocol):
    """What the telephone's room needs of the exchange."""

    def place(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        line: Line | None = None,
    ) -> str: ...
    def begin(self, call_id: str) -> None: ...
    def adopt(
        self, call_id: str, *, principal: Principal, agent: str, line: Line | None = None
    ) -> bool: ...
    async def carry(self, call_id: str, leg: CallerLeg) -> None: ...
    async def end(self, call_id: str, reason: str) -> None: ...
    def cancel(self, call_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """What the room is told about itself."""

    public_url: str
    """Where the carrier reaches us: `https://talk.example.com`."""
    agent: str
    """Who answers, where the number does not say. Callers do not choose: their headers are theirs
    to write."""
    agents: Mapping[str, str] = field(default_factory=dict[str, str])
    """Who answers by called number, E.164."""
    caller_key: bytes = field(default_factory=secrets.token_bytes, repr=False)
    """What callers' ids are made with; without one, they hold as long as this process."""
    reattach_s: float = 10.0
    latency_ms: float = 0.0
    max_sockets: int = 100
    media: MediaLimits = field(default_factory=MediaLimits)


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may come in by which door."""

    grid: EventGridDoor
    acs: AcsTokens
    media: MediaTickets
    bindings: MediaTicketTable
    seen: SeenEvents


class PhoneRoom:
    """Serves the carrier. `run` must run beside it."""

    def __init__(
        self,
        exchange: Exchange,
        carrier: Carrier,
        doors: Doors,
        config: PhoneConfig,
        *,
        permits: Permits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without `permits` nobody is rung."""
        self._exchange = exchange
        self.lines = PhoneLines(carrier, permits)
        self._carrier = carrier
        self._doors = doors
        self._config = config
        self._clock = clock
        self._metronome = Metronome()
        self._sockets = Places(config.max_sockets)
        self._legs: dict[str, PhoneLeg] = {}
        self._connections: dict[str, str] = {}
        """Telephone calls that nobody has hung up yet, by our own call."""
        self._answered: dict[str, tuple[str, float]] = {}
        """Connections whose media have not come yet, and when they were answered."""
        self._here = Counter[str]()
        """Media sockets of this replica, those that are only being looked at included."""
        self._lost: dict[str, anyio.Event] = {}
        """Calls whose media broke: set when they are back, or the call is over."""

    async def run(self) -> None:
        """Pace what is played, and give up calls whose media never come. In the end, hang up."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._metronome.run)
                tasks.start_soon(self._doors.media.run)
                while True:
                    await anyio.sleep(SWEEP_S)
                    await self.sweep()
        finally:
            with anyio.move_on_after(CLOSE_S, shield=True):
                await self._hang_up_all()

    async def _hang_up_all(self) -> None:
        """Whoever still holds a telephone must not be left listening to nothing."""
        async with anyio.create_task_group() as tasks:
            for call_id, connection_id in list(self._connections.items()):
                tasks.start_soon(self._hang_up, call_id, connection_id)

    def live(self) -> int:
        """Telephone calls that nobody has hung up yet."""
        return len(self._connections)

    # -- a call comes -----------------------------------------------------------------------

    async def check_delivery(self, connection: HTTPConnection) -> None:
        """Before a body is read. Raises `NotIdentified`."""
        await self._doors.grid.check(connection)

    def handshake(self, connection: HTTPConnection) -> str:
        """The origin that may deliver. Raises `NotIdentified`."""
        return self._doors.grid.check_handshake(connection)

    async def delivered(self, body: bytes) -> str | None:
        """Answer the calls in a delivery. The code to give back where it asks for one.

        Raises `Misposted`.
        """
        code: str | None = None
        for fact in grid_events(body):
            match fact:
                case Validation():
                    code = fact.code
                case Incoming():
                    await self._incoming(fact)
        return code

    async def _incoming(self, call: Incoming) -> None:
        now = self._clock()
        if call.is_stale(now):
            logger.info("incoming call is stale", extra={"event": call.event_id})
        elif await self._doors.seen.first(call.digest, now, for_s=SEEN_S):
            await self._answer(call)

    async def _answer(self, call: Incoming) -> None:
        refusal: Refusal = "busy"
        principal, agent = caller(call.caller, self._config.caller_key), self._agent(call)
        try:
            call_id = self._exchange.place(
                principal=principal, agent=agent, voice=None, model=None, line=self.lines
            )
        except (LinesBusy, NotAllowed) as reason:
            refusal = "busy" if isinstance(reason, LinesBusy) else "forbidden"
            logger.warning("incoming call refused", extra={"reason": refusal})
            await self._reject(call, refusal)
            return
        self.lines.began(call_id, principal, call.caller)
        self._exchange.begin(call_id)  # dialled while we answer, so that it greets at once
        try:
            route = await self._route(call_id, Handover(agent, principal.id, call.caller))
            connection = await self._carrier.answer(call.context, route)
        except CarrierUnavailable:
            await self._give_up(call_id, "not_answered")
            return
        except Exception:
            await self._exchange.end(call_id, "not_answered")
            self.lines.over(call_id)
            raise
        logger.info("incoming call answered", extra={"call": call_id})
        if not self._here[call_id] and await self._doors.bindings.knows(call_id):
            self._connections[call_id] = connection.id
            self._answered[call_id] = (connection.id, self._clock())

    async def _reject(self, call: Incoming, refusal: Refusal) -> None:
        try:
            await self._carrier.reject(call.context, refusal)
        except CarrierUnavailable:
            return  # it is logged; the caller's own carrier gives up by itself

    def _agent(self, call: Incoming) -> str:
        number = call.called.removeprefix("4:")
        return self._config.agents.get(number, self._config.agent)

    async def _route(self, call_id: str, handover: Handover) -> Route:
        ticket = await self._doors.media.issue(call_id, handover.query)
        base = self._config.public_url.rstrip("/")
        media = base.replace("https://", "wss://", 1).replace("http://", "ws://", 1)
        return Route(
            callback_url=f"{base}/api/phone/events/{call_id}",
            media_url=f"{media}/api/phone/media/{call_id}?ticket={ticket}&{handover.query}",
            operation=call_id,
        )

    # -- what became of it ------------------------------------------------------------------

    async def check_carrier(self, connection: HTTPConnection) -> None:
        """Raises `NotIdentified` unless ACS makes this request."""
        await self._doors.acs.check(connection)

    async def told(self, call_id: str, body: bytes) -> None:
        """Act upon callbacks: each once, in whatever order they come. None touches a call that is
        not the telephone's, or is no more. Raises `Misposted`."""
        events = callbacks(body)
        if not await self._doors.bindings.knows(call_id):
            logger.info("callback of no call", extra={"call": call_id})
            return
        for event in events:
            if await self._is_ours(call_id, event):
                await self._act_on(call_id, event)

    async def _is_ours(self, call_id: str, event: Told) -> bool:
        waiting = self._answered.get(call_id)
        known = waiting[0] if waiting else await self._doors.bindings.connection_of(call_id)
        if known is not None and known != event.connection_id:
            logger.warning("callback of another call", extra={"call": call_id})
            return False
        digest = hashlib.sha256(f"callback {call_id} {event.event_id}".encode()).hexdigest()
        return await self._doors.seen.first(digest, self._clock(), for_s=SEEN_S)

    async def _act_on(self, call_id: str, event: Told) -> None:
        logger.info(
            "carrier told",
            extra={"call": call_id, "what": event.what.value, "code": event.code},
        )
        if await self.lines.told(call_id, event):
            await self._hang_up(call_id, event.connection_id)
        elif event.what in _OVER:
            if left := self.lines.left(call_id):
                await self.lines.settled(call_id)
            await self._give_up(call_id, left or "hung_up")
        elif event.what is What.MEDIA_FAILED and call_id not in self._legs:
            await self._hang_up(call_id, event.connection_id)

    async def _give_up(self, call_id: str, reason: str) -> None:
        """The telephone call is over: so is ours."""
        self._connections.pop(call_id, None)
        self._answered.pop(call_id, None)
        self._wait_no_more(call_id)
        await self._exchange.end(call_id, reason)
        self.lines.over(call_id)
        await self._doors.media.revoke(call_id)

    async def _hang_up(self, call_id: str, connection_id: str) -> None:
        """Our call is over, or never was: so is the telephone's, unless it is with a human."""
        left = self.lines.left(call_id)
        if left is None:
            try:
                await self._carrier.hang_up(connection_id)
            except CarrierUnavailable:
                logger.warning("telephone not hung up", extra={"call": call_id})
        await self._give_up(call_id, left or "hung_up")

    async def sweep(self) -> None:
        """Clear away the calls whose media never came here. A fault with one stops nothing."""
        for call_id in list(self._answered):
            try:
                await self._look_for_media(call_id)
            except Exception:
                logger.exception("call not cleared away", extra={"call": call_id})

    async def _look_for_media(self, call_id: str) -> None:
        elsewhere = await self._doors.bindings.connection_of(call_id) is not None
        if call_id not in self._answered or self._here[call_id]:
            return  # they came while we looked
        connection_id, since = self._answered[call_id]
        if elsewhere:
            logger.info("media came to another replica", extra={"call": call_id})
            del self._answered[call_id]
            self._connections.pop(call_id, None)
            await self._exchange.end(call_id, "elsewhere")
            self.lines.over(call_id)
        elif since <= self._clock() - MEDIA_S:
            logger.warning("media never came", extra={"call": call_id})
            await self._hang_up(call_id, connection_id)

    # -- its media --------------------------------------------------------------------------

    async def open(self, socket: WebSocket, call_id: str) -> None:
        """Join a media socket to its call, until one of them leaves.

        Raises `NotIdentified` or `LinesBusy` before it is accepted.
        """
        await self.check_carrier(socket)
        named = socket.headers.getlist("x-ms-call-connection-id")
        tickets = socket.query_params.getlist("ticket")
        if len(named) != 1 or len(tickets) != 1:
            raise NotIdentified("This media socket belongs to no call.")
        handover = Handover.read(socket.query_params)
        with self._sockets.take(), self._at_hand(call_id):
            first = await self._doors.bindings.connection_of(call_id) is None
            await self._doors.media.check(tickets[0], call_id, named[0], handover.query)
            await socket.accept()
            await self._join(socket, call_id, Connection(named[0]), handover if first else None)

    @contextmanager
    def _at_hand(self, call_id: str) -> Generator[None]:
        self._here[call_id] += 1
        try:
            yield
        finally:
            self._here[call_id] -= 1
            if not self._here[call_id]:
                del self._here[call_id]

    async def _join(
        self,
        socket: WebSocket,
        call_id: str,
        connection: Connection,
        handover: Handover | None,
    ) -> None:
        """`handover` is there for the first media of a call, which may be another replica's."""

        async def hang_up() -> None:
            await self._hang_up(call_id, connection.id)

        leg = PhoneLeg(
            socket,
            call_id,
            metronome=self._metronome,
            hang_up=hang_up,
            latency_ms=self._config.latency_ms,
            limits=self._config.media,
        )
        self._legs[call_id] = leg
        self._connections[call_id] = connection.id
        self._answered.pop(call_id, None)
        self._wait_no_more(call_id)
        over = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leg.run)
            try:
                if handover is not None:
                    self._adopt(call_id, handover)
                self.lines.joined(call_id, connection.id, leg)
                await self._exchange.carry(call_id, leg)
            except (NotAllowed, LinesBusy):
                await leg.close("call_gone")
            over = leg.is_over
            if not over:
                # Another leg has taken over, or the socket was lost: it has no more to do.
                await leg.close(REPLACED)
        if self._legs.get(call_id) is leg:
            del self._legs[call_id]
            if not over and call_id in self._connections:
                await self._await_return(call_id, connection)

    def _adopt(self, call_id: str, handover: Handover) -> None:
        """Raises as the exchange does."""
        who = known_caller(handover.caller_id)
        if self._exchange.adopt(call_id, principal=who, agent=handover.agent, line=self.lines):
            self.lines.began(call_id, who, handover.raw_id)

    async def _await_return(self, call_id: str, connection: Connection) -> None:
        """A lost socket may come back. If it does not, nobody is left to hang up but us."""
        settled = self._lost[call_id] = anyio.Event()
        with anyio.move_on_after(self._config.reattach_s) as waiting:
            await settled.wait()
        if waiting.cancelled_caught:
            await self._hang_up(call_id, connection.id)

    def _wait_no_more(self, call_id: str) -> None:
        if settled := self._lost.pop(call_id, None):
            settled.set()
