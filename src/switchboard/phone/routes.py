"""The addresses that the carrier and Event Grid know. Each asks who is there before it reads."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import anyio
import msgspec
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from switchboard.errors import CarrierUnavailable, LinesBusy, NotAllowed, RecordsUnavailable
from switchboard.phone.room import PhoneRoom
from switchboard.phone.webhooks import MAX_BODY_BYTES, Misposted
from switchboard.turns import Turns

logger = logging.getLogger(__name__)

BODY_S: Final = 10.0
DELIVERIES_A_MINUTE: Final = "*"
AGAIN_S: Final = "5"
"""The carrier is open a few seconds after the server is. Event Grid delivers again by itself."""


def phone_routes(room: PhoneRoom, turns: Turns) -> APIRouter:
    """`/api/phone/…`. What is asked goes on in its turn: to be routed was a step of its own."""
    router = APIRouter(prefix="/api/phone")

    @router.options("/incoming")
    async def handshake(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        with _noted("handshake"):
            origin = room.handshake(request)
        allowed = {
            "WebHook-Allowed-Origin": origin,
            "WebHook-Allowed-Rate": DELIVERIES_A_MINUTE,
            "Allow": "POST",
        }
        return Response(status_code=200, headers=allowed)

    @router.post("/incoming")
    async def incoming(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        await turns.wait()
        with _noted("incoming"):
            await room.check_delivery(request)
            code = await room.delivered(await body_of(request))
        answer = {} if code is None else {"validationResponse": code}
        return Response(msgspec.json.encode(answer), media_type="application/json")

    @router.post("/events/{call_id}")
    async def events(request: Request, call_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        await turns.wait()
        with _noted("events"):
            await room.check_carrier(request)
            await room.told(call_id, await body_of(request))
        return Response(status_code=200)

    @router.websocket("/media/{call_id}")
    async def media(socket: WebSocket, call_id: str) -> None:  # pyright: ignore[reportUnusedFunction]
        await turns.wait()
        with _noted("media"):
            await room.open(socket, call_id)

    return router


@contextmanager
def _noted(door: str) -> Generator[None]:
    """Whoever is refused is written down: at which door and why, and nothing that they showed."""
    try:
        yield
    except Misposted as fault:
        logger.warning("refused", extra={"door": door, "reason": str(fault)})
        raise HTTPException(400, "This is not understood") from None
    except (CarrierUnavailable, RecordsUnavailable) as reason:
        logger.warning("refused", extra={"door": door, "reason": str(reason)})
        raise HTTPException(503, "Come again", headers={"Retry-After": AGAIN_S}) from None
    except HTTPException as refusal:
        logger.warning("refused", extra={"door": door, "reason": refusal.detail})
        raise
    except (NotAllowed, LinesBusy) as refusal:
        logger.warning("refused", extra={"door": door, "reason": str(refusal)})
        raise


async def body_of(request: Request, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The whole body, if it is small and comes soon, and does not say that it is no JSON."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if not kind.lower().endswith("json"):
        raise HTTPException(415, "This is not understood")
    body = bytearray()
    try:
        with anyio.fail_after(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise HTTPException(413, "This is too large")
    except TimeoutError as late:
        raise HTTPException(408, "This took too long to arrive") from late
    return bytes(body)
