"""What a page may ask: the choices it has, a call, a call's socket."""

import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final, Protocol

import anyio
import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from switchboard.access.identity import Identify, address_of
from switchboard.access.origins import Origins
from switchboard.access.principal import Kind, Principal, Role
from switchboard.access.rates import Places, Rate, Rates
from switchboard.access.refusals import NotIdentified
from switchboard.access.standing import Standing, Verify, nobody_verifies
from switchboard.access.tickets import Redeemed, TicketKind, TicketOffice, looks_like_ticket
from switchboard.browser.leg import CALL_GONE, BrowserLeg, Close
from switchboard.browser.limits import SocketLimits
from switchboard.browser.placed import PlacedCall
from switchboard.browser.problems import Refusal, json_answer
from switchboard.browser.protocol import (
    SUBPROTOCOL,
    TICKET_PREFIX,
    CallPlaced,
    PageConfig,
    PhoneChoice,
    PlaceCall,
    Ready,
    SignInChoice,
    SignInOffer,
    You,
)
from switchboard.browser.reading import MAX_BODY_BYTES, MAX_OFFER_BODY_BYTES, body_of, understood
from switchboard.browser.slowly import refused_slowly
from switchboard.browser.webrtc.routes import RtcRoom, nowhere_else
from switchboard.conversation.legs import CallerLeg
from switchboard.errors import LinesBusy, NotAllowed, RecordsUnavailable

logger = logging.getLogger(__name__)

TICKET_SPENT: Final = Close(4401, "ticket spent")
ELSEWHERE: Final = Close(1013, "another server carries this call: try again")
TRY_AGAIN: Final = Close(1013, "try again later")
"""The same ticket may be good in a moment."""
_CALL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_place_call: Final = msgspec.json.Decoder(PlaceCall)


class Exchange(Protocol):
    """What a page's room needs of the exchange."""

    async def book(self, principal: Principal) -> str | None: ...
    def place(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        call_id: str | None = None,
    ) -> str: ...
    def adopt(
        self,
        call_id: str,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
    ) -> bool: ...
    async def carry(self, call_id: str, leg: CallerLeg) -> None: ...
    def cancel(self, call_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class BrowserConfig:
    """What the page's room is told about itself."""

    reattach_s: float = 10.0
    """How long a call waits for a lost page."""
    max_sockets: int = 100
    place_rate: Rate = field(default=Rate(1, 40))
    """New calls of one person."""
    address_rate: Rate = field(default=Rate(2, 80))
    """New calls of one address, whoever they are."""
    stranger_rate: Rate | None = None
    """New calls of strangers at one address, where others sign in."""
    sign_in: SignInChoice | None = None
    """How a page signs people in, where it does."""
    sign_out: str | None = None
    """Where people sign out, if not by the page itself."""
    open_rate: Rate = field(default=Rate(5, 100))
    """Sockets of one address, good tickets or not."""
    socket: SocketLimits = field(default_factory=SocketLimits)


class BrowserRoom:
    """Serves pages. `page_config` is asked anew each time: agents change while we run."""

    def __init__(
        self,
        exchange: Exchange,
        tickets: TicketOffice,
        origins: Origins,
        *,
        page_config: Callable[[], PageConfig],
        title_of: Callable[[str], str],
        config: BrowserConfig | None = None,
        rtc: RtcRoom | None = None,
        phone: Callable[[Principal], PhoneChoice | None] = lambda _: None,
        verify: Verify = nobody_verifies,
        is_elsewhere: Callable[[str], Awaitable[bool]] = nowhere_else,
    ) -> None:
        """`rtc` takes the calls whose audio does not come here; `phone` says how somebody may use
        the telephone, if there is one; `verify` knows people by their tokens; `is_elsewhere`,
        whether another replica carries a call."""
        self._is_elsewhere = is_elsewhere
        self._exchange = exchange
        self._tickets = tickets
        self._origins = origins
        self._page_config = page_config
        self._title_of = title_of
        self._config = config or BrowserConfig()
        self._placing = Rates(self._config.place_rate)
        strangers = self._config.stranger_rate
        self._strangers = Rates(strangers or self._config.place_rate)
        self._addresses = Rates(self._config.address_rate)
        self._opening = Rates(self._config.open_rate)
        self._sockets = Places(self._config.max_sockets)
        self._rtc = rtc
        self._phone = phone
        self._verify = verify
        self._body_limit_bytes = MAX_BODY_BYTES if rtc is None else MAX_OFFER_BODY_BYTES

    def choices(self, principal: Principal) -> Response:
        """`GET /api/config`"""
        stranger = principal.kind is Kind.ANONYMOUS
        known = msgspec.structs.replace(
            self._page_config(),
            phone=self._phone(principal),
            you=self._you(principal),
            sign_in=self._config.sign_in if stranger else None,
        )
        return json_answer(msgspec.json.encode(known))

    def sign_in(self) -> Response:
        """`GET /api/sign-in`: the only thing here that is told to anybody."""
        return json_answer(msgspec.json.encode(SignInOffer(self._config.sign_in)))

    def _you(self, who: Principal) -> You | None:
        if who.kind is not Kind.PERSON:
            return None
        return You(who.name, Role.OPERATOR in who.roles, self._config.sign_out)

    async def place(self, request: Request, principal: Principal) -> Response:
        """`POST /api/calls`: reserve a line and hand out the ticket to its socket."""
        self._origins.check(request)
        self._check_rates(principal, address_of(request))
        wanted = understood(await body_of(request, self._body_limit_bytes), _place_call)
        self._check_choices(wanted)
        if wanted.offer is not None:
            return await self._place_offer(principal, wanted, wanted.offer)
        call_id = self._exchange.place(
            principal=principal,
            agent=wanted.agent,
            voice=wanted.voice,
            model=wanted.model,
            call_id=await self._exchange.book(principal),
        )
        try:
            ticket = await self._tickets.issue(
                call_id,
                principal,
                TicketKind.OPEN,
                PlacedCall(principal, wanted.agent, wanted.voice, wanted.model).facts,
            )
        except BaseException:
            self._exchange.cancel(call_id)  # nobody can come to it
            raise
        placed = CallPlaced(call_id, f"/api/calls/{call_id}/audio", ticket, self._tickets.open_s)
        return json_answer(msgspec.json.encode(placed), 201)

    def _check_rates(self, principal: Principal, address: str) -> None:
        """Raises `TooOften`. Of people each has a rate of their own, wherever they are; strangers
        have that of their address."""
        self._addresses.check(address)
        if principal.kind is Kind.ANONYMOUS:
            self._strangers.check(address)
        else:
            self._placing.check(principal.id)

    async def _place_offer(self, principal: Principal, wanted: PlaceCall, offer: str) -> Response:
        """The same over WebRTC, where this server and the model offer it."""
        known = self._page_config()
        model = wanted.model or next(a.model for a in known.agents if a.id == wanted.agent)
        can = {choice.id: choice.connections for choice in known.models}
        if self._rtc is None or "webrtc" not in can.get(model, known.connections):
            raise Refusal(400, "no_webrtc", "There is no WebRTC here for this model.")
        placed = await self._rtc.place(principal, wanted, offer)
        return json_answer(msgspec.json.encode(placed), 201)

    async def open(self, socket: WebSocket, call_id: str, principal: Principal | None) -> None:
        """`WS /api/calls/{id}/audio`: join a page to its call, until one of them leaves."""
        self._origins.check(socket)
        self._opening.check(address_of(socket))
        ticket = _shown_ticket(socket, call_id)
        with self._sockets.take():
            await socket.accept(SUBPROTOCOL)
            spent = await self._join(socket, call_id, principal, ticket)
        if spent is not None:  # nobody's place is taken while it waits
            await refused_slowly(socket)
            await self._turn_away(socket, call_id, spent)

    async def _join(
        self, socket: WebSocket, call_id: str, principal: Principal | None, ticket: str
    ) -> str | None:
        """What was wrong with its ticket, if anything was, in words: the page is to be told yet."""
        if await self._is_elsewhere(call_id):
            # Its ticket stays good: the page comes again by itself, and perhaps to the other one.
            await socket.close(*ELSEWHERE)
            return None
        placed: PlacedCall | None = None
        try:
            redeemed = await self._tickets.redeem(ticket, call_id, principal)
            if redeemed.kind is TicketKind.OPEN:
                placed = PlacedCall.read(redeemed.facts)
        except NotIdentified as refusal:
            return str(refusal)
        except RecordsUnavailable as away:
            await socket.close(TRY_AGAIN.code, TRY_AGAIN.reason)
            logger.warning("socket refused", extra={"call": call_id, "reason": str(away)})
            return None
        leg = self._leg(socket, call_id, redeemed)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leg.run)
            await self._carry(call_id, leg, placed)
        return None

    async def _turn_away(self, socket: WebSocket, call_id: str, spent: str) -> None:
        leg = self._leg(socket, call_id, Redeemed(TicketKind.OPEN, ""))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leg.run)
            await leg.refuse("ticket_spent", spent, TICKET_SPENT)

    def _leg(self, socket: WebSocket, call_id: str, redeemed: Redeemed) -> BrowserLeg:
        resumed = redeemed.kind is TicketKind.RESUME
        return BrowserLeg(
            socket,
            Ready(call_id, redeemed.resume, self._config.reattach_s, resumed),
            title_of=self._title_of,
            limits=self._config.socket,
            standing=Standing(redeemed.principal_id, redeemed.token_until, verify=self._verify),
            renewed=partial(self._tickets.renewed, call_id),
            signed_out=partial(self._revoke, call_id),
        )

    async def _carry(self, call_id: str, leg: BrowserLeg, placed: PlacedCall | None) -> None:
        """`placed` is there for the first socket of a call, which another replica may have
        placed."""
        try:
            if placed is not None:
                self._exchange.adopt(
                    call_id,
                    principal=placed.principal,
                    agent=placed.agent,
                    voice=placed.voice,
                    model=placed.model,
                )
            await self._exchange.carry(call_id, leg)
        except LinesBusy as busy:
            await leg.refuse("lines_busy", str(busy), CALL_GONE)
            await self._revoke(call_id)
            return
        except NotAllowed as refusal:
            await leg.refuse("call_gone", str(refusal), CALL_GONE)
            await self._revoke(call_id)
            return
        await leg.gone()
        if leg.is_over:
            await self._revoke(call_id)

    async def _revoke(self, call_id: str) -> None:
        # A ticket that stays behind opens nothing: its call is over.
        with suppress(RecordsUnavailable):
            await self._tickets.revoke(call_id)

    def _check_choices(self, wanted: PlaceCall) -> None:
        known = self._page_config()
        if wanted.agent not in {agent.id for agent in known.agents}:
            raise Refusal(404, "unknown_agent", "There is no such agent.")
        for name, value, offered in (
            ("voice", wanted.voice, known.voices),
            ("model", wanted.model, known.models),
        ):
            if value is not None and value not in {choice.id for choice in offered}:
                raise Refusal(400, f"unknown_{name}", f"This {name} is not on offer.")


def browser_routes(room: BrowserRoom, identify: Identify) -> APIRouter:
    """The room's routes. Every one of them asks who is there, but the one that says how."""
    router = APIRouter(prefix="/api")

    @router.get("/sign-in")
    async def sign_in() -> Response:  # pyright: ignore[reportUnusedFunction]
        return room.sign_in()

    @router.get("/config")
    async def config(who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return room.choices(who)

    @router.post("/calls")
    async def place(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.place(request, who)

    @router.websocket("/calls/{call_id}/audio")
    async def audio(
        socket: WebSocket, call_id: str, who: Annotated[Principal | None, Depends(identify.holder)]
    ) -> None:  # pyright: ignore[reportUnusedFunction]
        await room.open(socket, call_id, who)

    return router


def _shown_ticket(socket: WebSocket, call_id: str) -> str:
    """The ticket a socket shows. Raises `Refusal` or `NotIdentified`; nothing is accepted yet."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    if SUBPROTOCOL not in offered:
        raise Refusal(400, "unknown_protocol", f"This socket speaks {SUBPROTOCOL}.")
    tickets = [
        name.removeprefix(TICKET_PREFIX) for name in offered if name.startswith(TICKET_PREFIX)
    ]
    if len(tickets) != 1 or not looks_like_ticket(tickets[0]) or not _CALL_ID.fullmatch(call_id):
        raise NotIdentified("This socket needs a ticket.")
    return tickets[0]
