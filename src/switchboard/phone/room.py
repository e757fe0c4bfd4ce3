"""The telephone's room: answers calls, joins their media to them, and hears what became of them."""

import hashlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator
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
from switchboard.conversation.commands import Record
from switchboard.conversation.events import RecordingState
from switchboard.conversation.legs import CallerLeg, Line
from switchboard.errors import CarrierUnavailable, LinesBusy, NotAllowed
from switchboard.exchange.brief import Fit
from switchboard.phone.admission import Admission, CallerLimits
from switchboard.phone.callers import caller, known_caller
from switchboard.phone.carrier import Carrier, Connection, Refusal, Route
from switchboard.phone.handover import Handover
from switchboard.phone.leg import REPLACED, PhoneLeg
from switchboard.phone.limits import MediaLimits
from switchboard.phone.lines import PhoneLines
from switchboard.phone.metronome import Metronome
from switchboard.phone.occasion import Fitting, as_it_is
from switchboard.phone.permits import Permit, Permits
from switchboard.phone.recording import Recordings
from switchboard.phone.webhooks import (
    Filed,
    Incoming,
    Told,
    Validation,
    What,
    callbacks,
    grid_events,
    number_of,
)
from switchboard.records.recordings import RecordingTable
from switchboard.records.telephone import MediaTicketTable, SeenEvents

logger = logging.getLogger(__name__)

AGENT_HEADER: Final = "x-agent"
"""A caller's custom SIP header that asks for an agent."""
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
        line: Line,
        fit: Fit | None,
        wait_s: float | None,
        outgoing: bool,
    ) -> str: ...
    def begin(self, call_id: str) -> None: ...
    def adopt(
        self,
        call_id: str,
        *,
        principal: Principal,
        agent: str,
        line: Line,
        fit: Fit | None,
        outgoing: bool,
    ) -> bool: ...
    async def carry(self, call_id: str, leg: CallerLeg) -> None: ...
    async def end(self, call_id: str, reason: str) -> None: ...
    def cancel(self, call_id: str) -> None: ...


class Follower(Protocol):
    """Hears what becomes of calls, its own and others."""

    async def told(self, call_id: str, event: Told) -> None: ...
    async def over(self, call_id: str, reason: str) -> None: ...
    async def sweep(self) -> None: ...


type Choose = Callable[[str | None, str | None], str]
"""The agent for the number that was called, E.164, and for the one that the caller asks for. The
latter is the caller's to write: only agents that say so may be chosen by it."""


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """What the room is told about itself."""

    public_url: str
    """Where the carrier reaches us: `https://talk.example.com`."""
    choose: Choose
    """Who answers; asked anew for each call, as agents change while we run."""
    caller_key: bytes = field(default_factory=secrets.token_bytes, repr=False)
    """What callers' ids are made with; without one, they hold as long as this process."""
    reattach_s: float = 10.0
    latency_ms: float = 0.0
    max_sockets: int = 100
    callers: CallerLimits = field(default_factory=CallerLimits)
    media: MediaLimits = field(default_factory=MediaLimits)


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may come in by which door."""

    grid: EventGridDoor
    acs: AcsTokens
    media: MediaTickets
    bindings: MediaTicketTable
    seen: SeenEvents
    recordings: RecordingTable


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
        fitting: Fitting = as_it_is,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without `permits` nobody is rung."""
        self.follower: Follower | None = None
        """Whoever places calls: set once, before anything runs."""
        self._fitting = fitting
        self._exchange = exchange
        self.lines = PhoneLines(carrier, permits)
        self._carrier = carrier
        self._doors = doors
        self._config = config
        self._clock = clock
        self._metronome = Metronome()
        self._sockets = Places(config.max_sockets)
        self._admission = Admission(config.callers, clock=clock)
        self._legs: dict[str, PhoneLeg] = {}
        self._connections: dict[str, str] = {}
        """Telephone calls that nobody has hung up yet, by our own call."""
        self._answered: dict[str, tuple[str, float]] = {}
        """Connections whose media have not come yet, and when they were answered."""
        self._here = Counter[str]()
        """Media sockets of this replica, those that are only being looked at included."""
        self._recordings = Recordings(
            carrier, doors.recordings, self._recording_changed, clock=clock
        )
        self._ringing: dict[str, str | None] = {}
        """Calls that we place and nobody has answered; their connections, once they are known."""
        self._stopped = False
        self._lost: dict[str, anyio.Event] = {}
        """Calls whose media broke: set when they are back, or the call is over."""

    async def run(self) -> None:
        """Pace what is played, and give up calls whose media never come. In the end, hang up."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._metronome.run)
                tasks.start_soon(self._doors.media.run)
                tasks.start_soon(self._recordings.run)
                while True:
                    await anyio.sleep(SWEEP_S)
                    await self.sweep()
        finally:
            self._stopped = True
            with anyio.move_on_after(CLOSE_S, shield=True):
                await self._hang_up_all()

    async def _hang_up_all(self) -> None:
        """Whoever still holds a telephone must not be left listening to nothing."""
        async with anyio.create_task_group() as tasks:
            for call_id, connection_id in list(self._connections.items()):
                tasks.start_soon(self._hang_up, call_id, connection_id, "server_stopping")

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
                case Filed():
                    await self._recordings.filed(fact)
        return code

    async def _incoming(self, call: Incoming) -> None:
        now = self._clock()
        if call.is_stale(now):
            logger.info("incoming call is stale", extra={"event": call.event_id})
        elif await self._doors.seen.first(call.digest, now, for_s=SEEN_S):
            await self._answer(call)

    async def _answer(self, call: Incoming) -> None:
        refusal: Refusal = "busy"
        who, agent = caller(call.caller, self._config.caller_key), self._agent(call)
        handover = Handover(agent, who.id, call.caller)
        try:
            self._admission.check(call.caller)
            call_id = self._exchange.place(
                principal=who,
                agent=agent,
                voice=None,
                model=None,
                line=self.lines,
                fit=self._fitting(handover.occasion),
                wait_s=None,
                outgoing=False,
            )
        except (LinesBusy, NotAllowed) as reason:
            refusal = "busy" if isinstance(reason, LinesBusy) else "forbidden"
            logger.warning("incoming call refused", extra={"reason": refusal})
            await self._reject(call, refusal)
            return
        self._admission.enter(call_id, call.caller)
        self.lines.began(call_id, who, call.caller)
        self._exchange.begin(call_id)  # dialled while we answer, so that it greets at once
        try:
            route = await self._route(call_id, handover)
            connection = await self._carrier.answer(call.context, route)
        except CarrierUnavailable:
            await self._give_up(call_id, "not_answered")
            return
        except Exception:
            self._admission.leave(call_id)
            await self._exchange.end(call_id, "not_answered")
            self.lines.over(call_id)
            raise
        logger.info("incoming call answered", extra={"call": call_id})
        known = await self._doors.bindings.knows(call_id)
        if self._here[call_id]:
            return
        if not known:
            if self.lines.has(call_id):  # another replica was told that it is over
                await self._give_up(call_id, "hung_up")
            return
        self._connections[call_id] = connection.id
        self._answered[call_id] = (connection.id, self._clock())

    async def _reject(self, call: Incoming, refusal: Refusal) -> None:
        try:
            await self._carrier.reject(call.context, refusal)
        except CarrierUnavailable:
            return  # it is logged; the caller's own carrier gives up by itself

    def _agent(self, call: Incoming) -> str:
        return self._config.choose(number_of(call.called), call.headers.get(AGENT_HEADER))

    async def _route(self, call_id: str, handover: Handover) -> Route:
        ticket = await self._doors.media.issue(call_id, handover.query)
        base = self._base
        media = base.replace("https://", "wss://", 1).replace("http://", "ws://", 1)
        return Route(
            callback_url=self._callback_url(call_id),
            media_url=f"{media}/api/phone/media/{call_id}?ticket={ticket}&{handover.query}",
            operation=call_id,
        )

    @property
    def _base(self) -> str:
        return self._config.public_url.rstrip("/")

    def _callback_url(self, call_id: str) -> str:
        return f"{self._base}/api/phone/events/{call_id}"

    # -- a call is placed -------------------------------------------------------------------

    async def ring(self, call_id: str, permit: Permit, handover: Handover) -> None:
        """Have a telephone ring, for a call that the exchange has placed.

        Raises `CarrierUnavailable`.
        """
        route = await self._route(call_id, handover)
        self._ringing[call_id] = None
        self.lines.began(call_id, known_caller(handover.caller_id), handover.raw_id)
        with anyio.CancelScope(shield=True):  # or it might ring, and nobody know of it
            try:
                connection = await self._carrier.place(permit, route)
            except CarrierUnavailable:
                del self._ringing[call_id]
                self.lines.over(call_id)
                await self._doors.media.revoke(call_id)
                raise
            if call_id in self._ringing:
                self._ringing[call_id] = self._connections[call_id] = connection.id
            elif call_id not in self._connections:  # over before we were told that it rings
                await self._hang_up(call_id, connection.id)
            if self._stopped:
                await self._hang_up(call_id, connection.id, "server_stopping")

    async def abandon(self, call_id: str, reason: str) -> None:
        """Hang up on a telephone that rings. One that does not is let alone."""
        if (connection_id := self._ringing.get(call_id)) is not None:
            await self._hang_up(call_id, connection_id, reason)

    def answered(self, call_id: str) -> bool:
        """Somebody has taken a telephone that rang, and another replica was told: its media may
        come here or there. Whether the carrier has told us by now which call it is."""
        if call_id not in self._ringing:
            return True
        if (connection_id := self._ringing[call_id]) is None:
            return False
        del self._ringing[call_id]
        self._answered[call_id] = (connection_id, self._clock())
        return True

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
            for event in events:
                if event.what is What.CONNECTED:
                    await self._turn_away(call_id, event)
            return
        for event in events:
            if await self._is_ours(call_id, event):
                await self._act_on(call_id, event)

    async def _is_ours(self, call_id: str, event: Told) -> bool:
        waiting = self._answered.get(call_id)
        known = waiting[0] if waiting else self._ringing.get(call_id)
        known = known or await self._doors.bindings.connection_of(call_id)
        if known is not None and known != event.connection_id:
            logger.warning("callback of another call", extra={"call": call_id})
            return False
        return await self._is_new(call_id, event)

    async def _is_new(self, call_id: str, event: Told) -> bool:
        digest = hashlib.sha256(f"callback {call_id} {event.event_id}".encode()).hexdigest()
        return await self._doors.seen.first(digest, self._clock(), for_s=SEEN_S)

    async def _turn_away(self, call_id: str, event: Told) -> None:
        """The carrier has connected what we had given up, as when its answer was lost. Nobody is
        there, and nobody but us would end it."""
        connection_id = event.connection_id
        ours = connection_id in self._connections.values()
        if ours or await self._doors.bindings.carries(connection_id):
            return  # another call's
        if not await self._is_new(call_id, event):
            return
        logger.warning("nobody's call is hung up", extra={"call": call_id})
        try:
            await self._carrier.hang_up(connection_id)
        except CarrierUnavailable:
            logger.warning("telephone not hung up", extra={"call": call_id})

    async def _act_on(self, call_id: str, event: Told) -> None:
        logger.info(
            "carrier told",
            extra={"call": call_id, "what": event.what.value, "code": event.code},
        )
        if self.follower is not None:
            await self.follower.told(call_id, event)
        if await self.lines.told(call_id, event):
            await self._hang_up(call_id, event.connection_id)
        elif event.what in _OVER:
            if left := self.lines.left(call_id):
                await self.lines.settled(call_id)
            await self._give_up(call_id, left or "hung_up")
        elif event.what in (What.RECORDING, What.NOT_RECORDED):
            await self._recordings.told(call_id, event)
        elif event.what is What.CONNECTED and call_id in self._ringing:
            del self._ringing[call_id]
            self._connections[call_id] = event.connection_id
            self._answered[call_id] = (event.connection_id, self._clock())
        elif event.what is What.MEDIA_FAILED and call_id not in self._legs:
            await self._hang_up(call_id, event.connection_id)

    async def _give_up(self, call_id: str, reason: str) -> None:
        """The telephone call is over: so is ours."""
        self._connections.pop(call_id, None)
        self._answered.pop(call_id, None)
        self._ringing.pop(call_id, None)
        self._admission.leave(call_id)
        self._wait_no_more(call_id)
        await self._recordings.over(call_id)
        await self._exchange.end(call_id, reason)
        self.lines.over(call_id)
        await self._doors.media.revoke(call_id)
        if self.follower is not None:
            await self.follower.over(call_id, reason)

    async def _hang_up(self, call_id: str, connection_id: str, reason: str = "hung_up") -> None:
        """Our call is over, or never was: so is the telephone's, unless it is with a human."""
        await self._recordings.over(call_id)
        left = self.lines.left(call_id)
        if self.follower is not None:  # before the carrier tells of it, which knows no reason
            await self.follower.over(call_id, left or reason)
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
        if self.follower is not None:
            try:
                await self.follower.sweep()
            except Exception:
                logger.exception("placed calls not swept")

    async def _look_for_media(self, call_id: str) -> None:
        elsewhere = await self._doors.bindings.connection_of(call_id) is not None
        if call_id not in self._answered or self._here[call_id]:
            return  # they came while we looked
        connection_id, since = self._answered[call_id]
        if elsewhere:
            logger.info("media came to another replica", extra={"call": call_id})
            await self._leave_to_others(call_id)
        elif since <= self._clock() - MEDIA_S:
            logger.warning("media never came", extra={"call": call_id})
            await self._hang_up(call_id, connection_id)

    async def _leave_to_others(self, call_id: str) -> None:
        """Another replica carries it: nothing of it stays here."""
        del self._answered[call_id]
        self._connections.pop(call_id, None)
        self._admission.leave(call_id)
        await self._exchange.end(call_id, "elsewhere")
        self.lines.over(call_id)

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
            await self._hang_up(call_id, connection.id, leg.end_reason or "hung_up")

        def record(wish: Record) -> None:
            where = self._callback_url(call_id)
            self._recordings.want(call_id, connection.id, where, on=wish.on, storage=wish.storage)

        leg = PhoneLeg(
            socket,
            call_id,
            metronome=self._metronome,
            hang_up=hang_up,
            record=record,
            latency_ms=self._config.latency_ms,
            limits=self._config.media,
        )
        self._legs[call_id] = leg
        self._recordings.rejoined(call_id)
        self._connections[call_id] = connection.id
        self._answered.pop(call_id, None)
        self._ringing.pop(call_id, None)
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
        adopted = self._exchange.adopt(
            call_id,
            principal=who,
            agent=handover.agent,
            line=self.lines,
            fit=self._fitting(handover.occasion),
            outgoing=handover.outgoing,
        )
        if adopted:
            self.lines.began(call_id, who, handover.raw_id)

    async def _await_return(self, call_id: str, connection: Connection) -> None:
        """A lost socket may come back. If it does not, nobody is left to hang up but us."""
        settled = self._lost[call_id] = anyio.Event()
        with anyio.move_on_after(self._config.reattach_s) as waiting:
            await settled.wait()
        if waiting.cancelled_caught:
            await self._hang_up(call_id, connection.id)

    def _recording_changed(self, call_id: str, state: RecordingState) -> None:
        if leg := self._legs.get(call_id):
            leg.recording_changed(state)

    def _wait_no_more(self, call_id: str) -> None:
        if settled := self._lost.pop(call_id, None):
            settled.set()
