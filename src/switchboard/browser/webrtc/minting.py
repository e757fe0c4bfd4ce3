"""Sessions for front ends of one's own: they offer by themselves, this server steers beside them.

Off unless asked for: whoever holds a client secret can read the session, prompt and tools included.
"""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Annotated, Final, Protocol

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from switchboard.access.identity import Identify, address_of
from switchboard.access.origins import Origins
from switchboard.access.principal import Principal
from switchboard.access.rates import Rate, Rates
from switchboard.access.refusals import NotIdentified
from switchboard.browser.problems import Refusal, json_answer
from switchboard.browser.protocol import (
    TICKET_HEADER,
    AttachCall,
    CallAttached,
    MintSession,
    SessionMinted,
)
from switchboard.browser.reading import body_of, understood
from switchboard.browser.webrtc.routes import TICKET_BYTES, RtcRoom, ticket_digest
from switchboard.conversation.legs import Minted

_mint: Final = msgspec.json.Decoder(MintSession)
_attach: Final = msgspec.json.Decoder(AttachCall)


class MintingExchange(Protocol):
    """What the room needs of the exchange."""

    async def place_session(
        self, *, principal: Principal, agent: str, voice: str | None, model: str | None
    ) -> tuple[str, Minted]: ...
    def attach(self, call_id: str, media_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session that nobody has attached yet."""

    principal_id: str
    ticket_digest: bytes
    until: float


class MintingRoom:
    """`attach_s` is how long the exchange keeps a line for a minted session."""

    def __init__(
        self,
        exchange: MintingExchange,
        legs: RtcRoom,
        origins: Origins,
        *,
        rate: Rate,
        attach_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exchange = exchange
        self._legs = legs
        self._origins = origins
        self._minting = Rates(rate)
        self._attaching = Rates(Rate(1, 20))
        self._attach_s = attach_s
        self._clock = clock
        self._waiting: dict[str, Waiting] = {}

    async def mint(self, request: Request, principal: Principal) -> Response:
        """`POST /api/session`"""
        self._origins.check(request)
        self._minting.check(principal.id)
        wanted = understood(await body_of(request), _mint)
        call_id, minted = await self._exchange.place_session(
            principal=principal, agent=wanted.agent, voice=wanted.voice, model=wanted.model
        )
        ticket, now = token_urlsafe(TICKET_BYTES), self._clock()
        # The exchange holds a line for each, so there are never many.
        self._waiting = {key: w for key, w in self._waiting.items() if w.until > now}
        until = now + self._attach_s
        self._waiting[call_id] = Waiting(principal.id, ticket_digest(ticket), until)
        answer = SessionMinted(
            secret=minted.secret,
            expires_at=minted.expires_at,
            url=minted.url,
            attach=f"/api/session/{call_id}/attach",
            attach_within_seconds=self._attach_s,
            ticket=ticket,
        )
        return json_answer(msgspec.json.encode(answer), 201)

    async def attach(self, request: Request, call_id: str, principal: Principal) -> Response:
        """`POST /api/session/{id}/attach`: our tools, rules and records, from now on."""
        self._origins.check(request)
        self._attaching.check(address_of(request))
        waiting = self._waiting.get(call_id)
        if waiting is None or waiting.principal_id != principal.id:
            raise Refusal(404, "no_such_session", "There is no such session, or not any more.")
        shown = request.headers.get(TICKET_HEADER, "")
        if not hmac.compare_digest(ticket_digest(shown), waiting.ticket_digest):
            raise NotIdentified("This is not the ticket to this session.")
        wanted = understood(await body_of(request), _attach)
        if self._waiting.pop(call_id, None) is None:
            raise Refusal(404, "no_such_session", "There is no such session, or not any more.")
        self._exchange.attach(call_id, wanted.call_id)
        ticket, below = self._legs.hold(call_id, principal), f"/api/calls/{call_id}"
        answer = CallAttached(call_id, f"{below}/events", f"{below}/messages", ticket)
        return json_answer(msgspec.json.encode(answer), 201)


def minting_routes(room: MintingRoom | None, identify: Identify) -> APIRouter:
    """The room's routes, which are nowhere to be found without a room. Each asks who is there."""
    router = APIRouter(prefix="/api/session")

    def there() -> MintingRoom:
        if room is None:
            raise Refusal(404, "not_found", "This server mints no sessions.")
        return room

    @router.post("")
    async def mint(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await there().mint(request, who)

    @router.post("/{call_id}/attach")
    async def attach(
        request: Request, call_id: str, who: Annotated[Principal, Depends(identify)]
    ) -> Response:  # pyright: ignore[reportUnusedFunction]
        return await there().attach(request, call_id, who)

    return router
