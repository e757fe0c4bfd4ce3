"""`/api/phone/calls`: have somebody rung, and ask how it went."""

from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from switchboard.access.identity import Identify
from switchboard.access.origins import Origins
from switchboard.access.principal import Principal
from switchboard.access.rates import Rate, Rates
from switchboard.phone.dialling import NotDialled
from switchboard.phone.outgoing import Outgoing, Wish, check_may_place
from switchboard.phone.routes import body_of
from switchboard.records.placed import PlacedCall

MAX_BODY_BYTES: Final = 16_384
MAX_CONTEXT_CHARS: Final = 4_000

type Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9 _.-]+\Z")]
type Fact = Annotated[str, Meta(max_length=1_000)]
type OperationId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{8,64}\Z")]


class PlaceTelephoneCall(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /api/phone/calls`"""

    to: Annotated[str, Meta(min_length=1, max_length=40)]
    """A telephone number with its country: `+44 20 7946 0018`."""
    agent: Annotated[str, Meta(min_length=1, max_length=64)]
    operation: OperationId
    """The caller's own id for this call. Sent again, it is the same call: nobody is rung twice."""
    context: Annotated[dict[Name, Fact], Meta(max_length=20)] = {}
    """Facts that the agent is told as data."""


class CarrierSaid(msgspec.Struct, frozen=True, rename="camel"):
    """The carrier's own result. `code` is like a SIP status."""

    code: int
    subcode: int


class TelephoneCall(msgspec.Struct, frozen=True, rename="camel"):
    """How a placed call stands. Times are epoch seconds."""

    call: str
    state: str
    """`booked`, `ringing`, `answered`; or over: `busy`, `no_answer`, `failed`, `machine`,
    `ended`."""
    agent: str
    placed_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    reason: str | None = None
    """Why it is over: `hung_up`, `declined`, `carrier`, `interrupted`, …"""
    carrier: CarrierSaid | None = None


_wanted: Final = msgspec.json.Decoder(PlaceTelephoneCall)


@dataclass(frozen=True, slots=True)
class PlacingLimits:
    """How often one principal may ask."""

    place: Rate = field(default=Rate(0.5, 20))
    look: Rate = field(default=Rate(5, 100))


def outgoing_routes(
    outgoing: Outgoing, origins: Origins, identify: Identify, limits: PlacingLimits | None = None
) -> APIRouter:
    """Both ask who is there, and whether they may have others rung."""
    router = APIRouter(prefix="/api/phone/calls")
    limits = limits or PlacingLimits()
    placing, looking = Rates(limits.place), Rates(limits.look)

    @router.post("")
    async def place(request: Request, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        origins.check(request)
        check_may_place(who)
        placing.check(who.id)
        wish = _understood(await body_of(request, MAX_BODY_BYTES))
        try:
            call = await outgoing.place(wish, who)
        except NotDialled as refusal:
            return _json({"code": refusal.why.value, "text": str(refusal)}, 403)
        return _json(_told(call), 201)

    @router.get("/{call_id}")
    async def look(call_id: str, who: Annotated[Principal, Depends(identify)]) -> Response:  # pyright: ignore[reportUnusedFunction]
        check_may_place(who)
        looking.check(who.id)
        call = await outgoing.find(call_id, who)
        if call is None:
            raise HTTPException(404, "There is no such call")
        return _json(_told(call))

    return router


def _understood(body: bytes) -> Wish:
    try:
        wanted = _wanted.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Its own words could quote the body.
        raise HTTPException(400, "This request is not understood") from None
    if sum(len(name) + len(fact) for name, fact in wanted.context.items()) > MAX_CONTEXT_CHARS:
        raise HTTPException(413, "This context is too large")
    return Wish(wanted.to, wanted.agent, wanted.operation, wanted.context)


def _told(call: PlacedCall) -> TelephoneCall:
    said = None if call.code is None else CarrierSaid(call.code, call.subcode or 0)
    return TelephoneCall(
        call.call_id,
        call.state.value,
        call.agent,
        call.at,
        call.answered_at,
        call.ended_at,
        call.reason,
        said,
    )


def _json(said: object, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(said),
        status,
        {"Cache-Control": "no-store"},
        media_type="application/json",
    )
