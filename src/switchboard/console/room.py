"""What operators may ask. Every answer is for the role `operator` only."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from switchboard.access.identity import address_of
from switchboard.access.origins import Origins
from switchboard.access.principal import Principal, Role
from switchboard.access.rates import Places, Rate, Rates
from switchboard.access.refusals import NotIdentified
from switchboard.access.tickets import looks_like_ticket
from switchboard.browser.problems import Refusal, json_answer
from switchboard.browser.reading import body_of, understood
from switchboard.browser.webrtc.stream import EventStream
from switchboard.console import protocol as wire
from switchboard.console.asking import asked_history, asked_overview
from switchboard.console.calldesk import CallDesk, CallOver, NotPossible
from switchboard.console.feed import Streams
from switchboard.console.listening import SocketEar
from switchboard.console.passes import Passes
from switchboard.console.register import Register
from switchboard.console.shown import detail_of, overview_of, past_of
from switchboard.console.watched import Watched
from switchboard.errors import LinesBusy, NotAllowed
from switchboard.records.figures import DAY_S, figures
from switchboard.records.history import history
from switchboard.records.operators import REFUSED, TAKEN, Deed, deeds_of, settle, write_down
from switchboard.records.past import PAGE, search
from switchboard.records.store import Store

logger = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 8_192
FIRST_DAY: Final = date(1970, 1, 1)
CALL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
GONE: Final = "This call has ended, so nothing was done."
_deed: Final = msgspec.json.Decoder(wire.Deed)


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """What the room is told about itself."""

    most_streams: int = 100
    most_ears: int = 16
    """People who listen in, in all."""
    ask_rate: Rate = field(default=Rate(20, 200))
    """Requests of one operator at one address."""
    act_rate: Rate = field(default=Rate(2, 20))
    """What one operator does to calls."""


class ConsoleRoom:
    """Serves operators. `agents` is asked anew each time: agents change while we run."""

    def __init__(
        self,
        register: Register,
        desk: CallDesk,
        store: Store,
        origins: Origins,
        *,
        agents: Callable[[], list[wire.AgentName]],
        title_of: Callable[[str], str],
        version: str,
        config: ConsoleConfig | None = None,
    ) -> None:
        config = config or ConsoleConfig()
        self._register = register
        self._desk = desk
        self._store = store
        self._origins = origins
        self._agents = agents
        self._title_of = title_of
        self._version = version
        self._asking = Rates(config.ask_rate)
        self._acting = Rates(config.act_rate)
        self._ears = Places(config.most_ears)
        self._passes = Passes()
        self.streams = Streams(config.most_streams)

    # -- looking ----------------------------------------------------------------------------

    def me(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/me`"""
        self._admit(request, who)
        return _answer(wire.Me(who.name, self._agents(), self._version))

    def live(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/live`: an event stream."""
        self._admit(request, who)
        self.streams.check()
        return EventStream(self.streams.stream(self._register.feed, self._register.now))

    def follow(self, request: Request, call_id: str, who: Principal) -> Response:
        """`GET /api/console/calls/{id}/events`: an event stream."""
        self._admit(request, who)
        watched = self._watched(call_id)
        self.streams.check()

        def now() -> wire.StreamMessage:
            if self._register.find(call_id) is not watched:  # it ended before its stream began
                return wire.Ended(watched.facts)
            at = self._register.now_s()
            return wire.DetailNow(watched.detail(self._can(call_id)), at)

        return EventStream(self.streams.stream(watched.feed, now))

    async def call(self, request: Request, call_id: str, who: Principal) -> Response:
        """`GET /api/console/calls/{id}`"""
        self._admit(request, who)
        watched = self._register.find(call_id)
        if watched is not None:
            return _answer(watched.detail(self._can(call_id)))
        past = await history(self._store, call_id) if CALL_ID.fullmatch(call_id) else None
        if past is None:
            raise _unknown()
        deeds = await deeds_of(self._store, call_id)
        return _answer(detail_of(past, deeds, self._title_of))

    async def history(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/history`"""
        self._admit(request, who)
        found = [past_of(each) for each in await search(self._store, asked_history(request))]
        last = found[-1].call if len(found) == PAGE else None
        return _answer(
            wire.History(found, None if last is None else f"{last.began_at!r}~{last.id}")
        )

    async def overview(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/overview`"""
        self._admit(request, who)
        asked = asked_overview(request)
        found = await figures(
            self._store, asked.since, asked.until, agent=asked.agent, zone_s=asked.zone_s
        )
        first = int((asked.since + asked.zone_s) // DAY_S)
        last = int((asked.until - 1 + asked.zone_s) // DAY_S)
        days = [(n, (FIRST_DAY + timedelta(n)).isoformat()) for n in range(first, last + 1)]
        return _answer(overview_of(found, days, self._title_of))

    # -- doing ------------------------------------------------------------------------------

    async def act(self, request: Request, call_id: str, who: Principal) -> Response:
        """`POST /api/console/calls/{id}/actions`: answered once the call has taken it."""
        self._origins.check(request)
        self._admit(request, who)
        self._acting.check(who.id)
        deed = understood(await body_of(request, MAX_BODY_BYTES), _deed)
        if isinstance(deed, wire.Whisper | wire.Say) and not deed.text.strip("\0 \t\r\n"):
            raise Refusal(400, "misunderstood", "There are no words in this.")
        watched = self._watched(call_id)
        acted = await self._write_down(watched, _written(deed, call_id, who))
        try:
            await self._desk.act(call_id, deed)
        except CallOver as over:
            await self._settle(watched, acted, REFUSED)
            raise Refusal(409, "call_over", GONE) from over
        except NotPossible as why:
            await self._settle(watched, acted, REFUSED)
            raise Refusal(409, "not_possible", str(why)) from why
        return _answer(await self._settle(watched, acted, TAKEN))

    async def let_listen(self, request: Request, call_id: str, who: Principal) -> Response:
        """`POST /api/console/calls/{id}/listeners`: the right to hear a call."""
        self._origins.check(request)
        self._admit(request, who)
        self._acting.check(who.id)
        self._watched(call_id)
        can = self._can(call_id)
        if can is None:
            raise Refusal(409, "call_over", GONE)
        if can.listen.why is not None:
            raise Refusal(409, "not_possible", can.listen.why)
        ticket = self._passes.issue(call_id, who.id)
        return _answer(wire.ListenTicket(f"/api/console/calls/{call_id}/audio", ticket), 201)

    async def listen(self, socket: WebSocket, call_id: str, who: Principal) -> None:
        """`WS /api/console/calls/{id}/audio`: hear a call until it ends or one leaves."""
        self._origins.check(socket)
        self._admit(socket, who)
        watched = self._watched(call_id)
        if not self._passes.redeem(_shown_ticket(socket), call_id, who.id):
            raise NotIdentified("This ticket has expired or was already used.")
        deed = Deed(call_id, who.id, who.name, "listen")
        with self._ears.take():
            acted = await self._write_down(watched, deed)
            try:
                ear = SocketEar(socket)
                with self._desk.listening(call_id, ear):
                    await self._settle(watched, acted, TAKEN)
                    await socket.accept(wire.LISTEN_PROTOCOL)
                    await ear.run()
            except (CallOver, NotPossible) as why:
                await self._settle(watched, acted, REFUSED)
                raise Refusal(409, "not_possible", str(why)) from why
            except LinesBusy:
                await self._settle(watched, acted, REFUSED)
                raise

    # -- within -----------------------------------------------------------------------------

    def _admit(self, connection: HTTPConnection, who: Principal) -> None:
        """Raises `NotAllowed` unless this is an operator at a page of ours, and `TooOften`."""
        if "origin" in connection.headers:  # a browser names none on a GET to its own
            self._origins.check(connection)
        if Role.OPERATOR not in who.roles:
            raise NotAllowed("The console is for operators.")
        self._asking.check(f"{who.id} {address_of(connection)}")

    def _can(self, call_id: str) -> wire.Abilities | None:
        """What can be done to a call; nothing while it hangs up."""
        try:
            return self._desk.can(call_id)
        except CallOver:
            return None

    def _watched(self, call_id: str) -> Watched:
        watched = self._register.find(call_id)
        if watched is None:
            raise Refusal(409, "call_over", GONE)
        return watched

    async def _write_down(self, watched: Watched, deed: Deed) -> wire.Acted:
        at = self._register.now_s()
        action_id = await write_down(self._store, deed, at)
        logger.info("operator acts", extra={"call": deed.call_id, "what": deed.kind})
        return wire.Acted(
            id=action_id,
            kind=deed.kind,  # pyright: ignore[reportArgumentType]  (ours, from `_written`)
            by=deed.principal_name,
            at_ms=(at - watched.facts.began_at) * 1_000,
            text=deed.text,
            tool=deed.tool_call_id,
            outcome="asked",
        )

    async def _settle(self, watched: Watched, acted: wire.Acted, outcome: str) -> wire.Acted:
        settled = msgspec.structs.replace(acted, outcome=outcome)
        watched.acted(settled)
        await settle(self._store, acted.id, outcome)
        return settled


def _written(deed: wire.Deed, call_id: str, who: Principal) -> Deed:
    text = deed.text if isinstance(deed, wire.Whisper | wire.Say) else None
    tool = deed.tool if isinstance(deed, wire.Approve | wire.Refuse) else None
    kind = str(deed.__struct_config__.tag)
    return Deed(call_id, who.id, who.name, kind, text, tool)


def _answer(value: msgspec.Struct, status: int = 200) -> Response:
    return json_answer(msgspec.json.encode(value), status)


def _unknown() -> Refusal:
    return Refusal(404, "no_such_call", "There is no such call, or it is kept no more.")


def _shown_ticket(socket: WebSocket) -> str:
    """Raises `NotIdentified`, `Refusal`; nothing is accepted yet."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    if wire.LISTEN_PROTOCOL not in offered:
        raise Refusal(400, "unknown_protocol", f"This socket speaks {wire.LISTEN_PROTOCOL}.")
    named = [each for each in offered if each.startswith(wire.LISTEN_TICKET)]
    tickets = [each.removeprefix(wire.LISTEN_TICKET) for each in named]
    if len(tickets) != 1 or not looks_like_ticket(tickets[0]):
        raise NotIdentified("This socket needs a ticket.")
    return tickets[0]
