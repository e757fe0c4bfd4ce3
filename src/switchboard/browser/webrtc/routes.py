"""Calls over WebRTC, as a page asks for them: an offer, an event stream, messages by POST."""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

import anyio
import msgspec
from anyio.abc import TaskGroup
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from switchboard.access.identity import Identify, address_of
from switchboard.access.origins import Origins
from switchboard.access.principal import Principal
from switchboard.access.rates import Rate, Rates
from switchboard.access.refusals import NotIdentified
from switchboard.access.standing import RAN_OUT, Standing, Verify, nobody_verifies
from switchboard.browser.codec import Misunderstood, decode
from switchboard.browser.problems import Refusal, json_answer
from switchboard.browser.protocol import (
    TICKET_HEADER,
    NewOffer,
    OfferAnswered,
    PlaceCall,
    RtcPlaced,
)
from switchboard.browser.reading import MAX_OFFER_BODY_BYTES, body_of, understood
from switchboard.browser.webrtc.leg import RtcLeg, RtcLimits
from switchboard.browser.webrtc.stream import EventStream
from switchboard.conversation.legs import CallerLeg
from switchboard.errors import LinesBusy, NotAllowed
from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES: Final = 16_384
TICKET_BYTES: Final = 32
ELSEWHERE: Final = "Another server carries this call. Try again: you may reach it."
_EVENT_ID: Final = re.compile(r"[0-9]{1,15}")
_new_offer: Final = msgspec.json.Decoder(NewOffer)


async def nowhere_else(_: str) -> bool:
    """There is only this replica."""
    return False


class RtcExchange(Protocol):
    """What the room needs of the exchange."""

    async def place_offer(
        self,
        *,
        principal: Principal,
        agent: str,
        voice: str | None,
        model: str | None,
        offer: str,
    ) -> tuple[str, str]: ...
    async def offered(self, call_id: str, offer: str) -> str: ...
    async def carry(self, call_id: str, leg: CallerLeg) -> None: ...
    async def end(self, call_id: str, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class RtcConfig:
    """What the room is told about itself."""

    ask_rate: Rate = field(default=Rate(20, 300))
    """Requests of one address, with a good ticket or not."""
    offer_rate: Rate = field(default=Rate(0.2, 5))
    """Fresh offers of one call."""
    limits: RtcLimits = field(default_factory=RtcLimits)


@dataclass(frozen=True, slots=True)
class Held:
    """A call over WebRTC, and who may reach it."""

    principal_id: str
    ticket_digest: bytes
    leg: RtcLeg


class RtcRoom:
    """Holds the legs of calls over WebRTC, in the task group of `run`."""

    def __init__(
        self,
        exchange: RtcExchange,
        origins: Origins,
        *,
        title_of: Callable[[str], str],
        config: RtcConfig | None = None,
        verify: Verify = nobody_verifies,
        is_elsewhere: Callable[[str], Awaitable[bool]] = nowhere_else,
    ) -> None:
        """`verify` knows people by their tokens; `is_elsewhere` says whether another replica
        carries a call."""
        self._verify = verify
        self._is_elsewhere = is_elsewhere
        self._exchange = exchange
        self._origins = origins
        self._title_of = title_of
        self._config = config or RtcConfig()
        self._asking = Rates(self._config.ask_rate)
        self._offering = Rates(self._config.offer_rate)
        self._calls: dict[str, Held] = {}
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Own the legs, until cancelled."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            await anyio.sleep_forever()

    async def place(self, principal: Principal, wanted: PlaceCall, offer: str) -> RtcPlaced:
        """`POST /api/calls` with an offer: the call begins, and does not wait for the stream."""
        if self._tasks is None:
            raise LinesBusy("This server is not ready; please try again in a moment.")
        call_id, answer = await self._exchange.place_offer(
            principal=principal,
            agent=wanted.agent,
            voice=wanted.voice,
            model=wanted.model,
            offer=offer,
        )
        ticket = self.hold(call_id, principal)
        below = f"/api/calls/{call_id}"
        return RtcPlaced(
            call_id, answer, f"{below}/events", f"{below}/messages", f"{below}/offers", ticket
        )

    def hold(self, call_id: str, principal: Principal) -> str:
        """Be the caller's leg of a call that has begun. Returns the ticket to it."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        standing = Standing(principal.id, principal.until, verify=self._verify)
        leg = RtcLeg(
            call_id, title_of=self._title_of, limits=self._config.limits, standing=standing
        )
        held = self._calls[call_id] = Held(principal.id, ticket_digest(ticket), leg)
        if self._tasks is not None:
            self._tasks.start_soon(self._carry, call_id, held)
        return ticket

    async def events(self, request: Request, call_id: str, principal: Principal | None) -> Response:
        """`GET /api/calls/{id}/events`"""
        # A browser names no origin on a GET to its own; the ticket, a header, no page can forge.
        if "origin" in request.headers:
            self._origins.check(request)
        leg = (await self._find(request, call_id, principal)).leg
        return EventStream(leg.stream(last_seen(request.headers.get("last-event-id", ""))))

    async def messages(
        self, request: Request, call_id: str, principal: Principal | None
    ) -> Response:
        """`POST /api/calls/{id}/messages`"""
        self._origins.check(request)
        leg = (await self._find(request, call_id, principal)).leg
        body = await body_of(request, MAX_MESSAGE_BYTES)
        try:
            leg.take(decode(body.decode()))
        except UnicodeDecodeError as fault:
            raise Refusal(400, "misunderstood", "This message is not JSON.") from fault
        except Misunderstood as fault:
            raise Refusal(400, "misunderstood", str(fault)) from fault
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    async def offers(self, request: Request, call_id: str, principal: Principal | None) -> Response:
        """`POST /api/calls/{id}/offers`"""
        self._origins.check(request)
        await self._find(request, call_id, principal)
        self._offering.check(call_id)
        wanted = understood(await body_of(request, MAX_OFFER_BODY_BYTES), _new_offer)
        answer = await self._exchange.offered(call_id, wanted.offer)
        return json_answer(msgspec.json.encode(OfferAnswered(answer)))

    async def _find(self, request: Request, call_id: str, principal: Principal | None) -> Held:
        """The call, for its own caller, whom its ticket shows where nothing else does. Raises
        `Refusal` to others, `NotIdentified`, `TooOften`."""
        self._asking.check(address_of(request))
        held = self._calls.get(call_id)
        if held is None and await self._is_elsewhere(call_id):
            raise Refusal(503, "elsewhere", ELSEWHERE)
        if held is None or (principal is not None and held.principal_id != principal.id):
            raise Refusal(404, "no_such_call", "There is no such call, or it has ended.")
        shown = request.headers.get(TICKET_HEADER, "")
        if not hmac.compare_digest(ticket_digest(shown), held.ticket_digest):
            raise NotIdentified("This is not the ticket to this call.")
        if held.leg.standing.is_over:
            raise NotIdentified(RAN_OUT)
        return held

    async def _carry(self, call_id: str, held: Held) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                if held.leg.standing.runs_out:
                    tasks.start_soon(quietly, held.leg.stand)
                await self._exchange.carry(call_id, held.leg)
                tasks.cancel_scope.cancel()
            await held.leg.gone()
            await held.leg.linger()
        except NotAllowed:
            await held.leg.close("ended")
        except Exception:
            # One call's fault must not end the others, which share this task group.
            logger.exception("leg failed", extra={"call": call_id})
            await self._exchange.end(call_id, "internal_error")
        finally:
            self._calls.pop(call_id, None)


def last_seen(event_id: str) -> int:
    """The number of the last event that a page has had; 0 for what is no number of ours."""
    return int(event_id) if _EVENT_ID.fullmatch(event_id) else 0


def ticket_digest(ticket: str) -> bytes:
    """What is kept of a ticket."""
    return hashlib.sha256(ticket.encode()).digest()


def rtc_routes(room: RtcRoom, identify: Identify) -> APIRouter:
    """The room's routes beside `POST /api/calls`. Every one of them asks who is there."""
    router = APIRouter(prefix="/api/calls/{call_id}")

    @router.get("/events")
    async def events(
        request: Request, call_id: str, who: Annotated[Principal | None, Depends(identify.holder)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.events(request, call_id, who)

    @router.post("/messages")
    async def messages(
        request: Request, call_id: str, who: Annotated[Principal | None, Depends(identify.holder)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.messages(request, call_id, who)

    @router.post("/offers")
    async def offers(
        request: Request, call_id: str, who: Annotated[Principal | None, Depends(identify.holder)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await room.offers(request, call_id, who)

    return router
