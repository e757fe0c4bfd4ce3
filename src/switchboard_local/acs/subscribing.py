"""`POST /local/subscriptions`: have calls to a number of the resource's told to an application.

It stands in for the subscription that somebody makes in Azure, whose filter is the number. No
service of Azure's has it.
"""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta

from switchboard_local.acs.acs import Acs
from switchboard_local.acs.grid import HandshakeFailed, Subscription
from switchboard_local.loopback import from_here

PATH: Final = "/local/subscriptions"
MAX_BYTES: Final = 4_096


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told, and of which calls."""

    number: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{2,14}\Z")]
    url: Annotated[str, Meta(min_length=1, max_length=2_000)]

    def __repr__(self) -> str:
        return f"Wanted(number={self.number!r})"  # its URL holds a secret


_wanted: Final = msgspec.json.Decoder(Wanted)


def subscribing_router(acs: Acs) -> APIRouter:
    """Answers once the application has shaken hands: 204, else why not."""
    router = APIRouter()

    @router.post(PATH)
    async def subscribe(request: Request) -> Response:
        if not from_here(request.headers):
            return _no(403, "The local cloud answers programs of this machine only.")
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BYTES:
                return _no(413, f"A subscription takes at most {MAX_BYTES} bytes.")
        try:
            wanted = _wanted.decode(body)
        except msgspec.DecodeError as wrong:
            return _no(400, str(wrong))
        if wanted.number not in acs.config.numbers:
            return _no(400, "That number is none of the resource's.")
        try:
            await acs.grid.subscribe(Subscription(wanted.url, number=wanted.number))
        except HandshakeFailed as reason:
            return _no(409, str(reason))
        return Response(status_code=204)

    return router


def _no(status: int, message: str) -> Response:
    body = {"error": {"code": "BadRequest", "message": message}}
    return Response(msgspec.json.encode(body), status, media_type="application/json")
