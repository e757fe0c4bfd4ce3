"""Client secrets, and calls over WebRTC: what browsers and their servers ask for over HTTP."""

import json
import logging
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from switchboard_local.realtime.checking import check
from switchboard_local.realtime.dialects import require_ga_rate
from switchboard_local.realtime.doorway import TurnedAway, bearer, full, judge, unknown_call
from switchboard_local.realtime.farewell import GONE
from switchboard_local.realtime.host import Host, forced
from switchboard_local.realtime.live import fresh_id
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.session_object import begun
from switchboard_local.realtime.webrtc.calls import Calls
from switchboard_local.realtime.webrtc.offer import MAX_OFFER_BYTES, checked
from switchboard_local.realtime.webrtc.secrets import (
    ExpiresAfter,
    SecretBook,
    SecretParams,
    session_wire,
)

logger = logging.getLogger(__name__)

PREFIX: Final = "/openai/v1/realtime"
MAX_PARAMS_BYTES: Final = 1024 * 1024


def webrtc_router(host: Host, secrets: SecretBook, calls: Calls | None) -> APIRouter:
    """The HTTP routes of one local cloud. `calls` is `None` where WebRTC cannot be had."""
    router = APIRouter(prefix=PREFIX)

    @router.post("/client_secrets")
    async def mint(request: Request) -> Response:
        refusal = await forced(host, "client_secrets") or _judge(request, host)
        if refusal is not None:
            return _turned_away(refusal)
        try:
            params = check(SecretParams, await _json(request))
            require_ga_rate({"session": params.session})
            session = begun(params.session)
            lifetime_s = (params.expires_after or ExpiresAfter()).seconds
            value, grant = secrets.mint(session, lifetime_s)
        except Refused as refused:
            return _refused(refused)
        shown = session_wire(session, fresh_id("sess"))
        answer = {"value": value, "expires_at": grant.expires_at, "session": shown}
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    @router.options("/calls")
    async def preflight(request: Request) -> Response:
        asked = request.headers.get("access-control-request-headers", "")
        allowed = {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": asked,
        }
        return Response(status_code=204, headers=_shared_with(request) | allowed)

    @router.post("/calls")
    async def call(request: Request) -> Response:
        answer = await _call(request, host, secrets, calls)
        answer.headers.update(_shared_with(request))
        return answer

    @router.post("/calls/{call_id}/hangup")
    async def hang_up(request: Request, call_id: str) -> Response:
        refusal = _judge(request, host)
        live = calls.find(call_id) if calls else None
        if refusal is not None or live is None:
            return _turned_away(refusal or unknown_call())
        live.close(GONE)
        return Response(status_code=200)

    return router


async def _call(request: Request, host: Host, secrets: SecretBook, calls: Calls | None) -> Response:
    refusal = await forced(host, "calls")
    refusal = refusal or judge(request.headers, request.query_params) or _no_call(request)
    if refusal is not None:
        return _turned_away(refusal)
    if calls is None:
        message = "This local cloud has no WebRTC: aiortc is not installed. Use the WebSocket."
        return _turned_away(TurnedAway(501, "webrtc_unavailable", message))
    grant = secrets.grant(bearer(request.headers.get("authorization", "")))
    if grant is None:
        message = "Access denied: the client secret is unknown, or has expired."
        return _turned_away(TurnedAway(401, "401", message))
    filtered = request.query_params.get("webrtcfilter") == "on"
    try:
        offer = checked(await _body(request, MAX_OFFER_BYTES))
        if host.lines.full:
            return _turned_away(full(host.lines.limit))
        call_id, answer = await calls.begin(grant.session, offer, filtered=filtered)
    except Refused as refused:
        return _refused(refused)
    return Response(
        answer,
        201,
        {"location": f"{PREFIX}/calls/{call_id}", "cache-control": "no-store"},
        "application/sdp",
    )


def _judge(request: Request, host: Host) -> TurnedAway | None:
    """What is wrong with a request of somebody's own server."""
    refusal = host.keeper.refusal(request.headers, request.query_params)
    return refusal or judge(request.headers, request.query_params)


def _no_call(request: Request) -> TurnedAway | None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/sdp":
        return TurnedAway(415, "unsupported_media_type", "Send the SDP offer as application/sdp.")
    return None


async def _json(request: Request) -> object:
    try:
        return json.loads(await _body(request, MAX_PARAMS_BYTES))
    except (ValueError, RecursionError):
        raise Refused("invalid_json", "The body is not JSON.") from None


async def _body(request: Request, limit_bytes: int) -> bytes:
    """All of it. Raises `Refused` as soon as it is too much."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > limit_bytes:
            raise Refused("request_too_large", f"At most {limit_bytes} bytes.")
    return body


def _turned_away(refusal: TurnedAway) -> Response:
    logger.info("realtime request refused", extra={"status": refusal.status})
    return JSONResponse(dict(refusal.body()), refusal.status, dict(refusal.headers()))


def _refused(refused: Refused) -> Response:
    return JSONResponse({"error": dict(refused.wire(None))}, 400)


def _shared_with(request: Request) -> dict[str, str]:
    """Lets a page of this machine, on another port, read the answer; others do not come so far."""
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "location",
        "vary": "origin",
    }
