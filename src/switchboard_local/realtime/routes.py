"""`GET /openai/v1/realtime`: the way into a realtime session, or beside one, by WebSocket."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import anyio
from fastapi import APIRouter, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from switchboard_local.realtime import socket as legs
from switchboard_local.realtime.doorway import TurnedAway, full, judge_upgrade, unknown_call
from switchboard_local.realtime.host import Host
from switchboard_local.realtime.live import BROKEN, Farewell, Live, open_live
from switchboard_local.realtime.session_object import Session

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 5.0
MAX_FOLLOWERS: Final = 8
"""Of one call: its data channel and its sidebands."""

type FindCall = Callable[[str], Live | None]
"""The call of that id, while it lasts."""


def realtime_router(host: Host, find_call: FindCall) -> APIRouter:
    """The WebSocket routes of one local cloud."""
    router = APIRouter()

    @router.websocket("/openai/v1/realtime")
    async def realtime(socket: WebSocket) -> None:
        if host.company.faults.hang_upgrade:
            await anyio.sleep(host.session_s)
        call_id = socket.query_params.get("call_id")
        call = None if call_id is None else find_call(call_id)
        refusal = _refusal(socket, host) or (
            _no_sideband(call) if call_id is not None else _no_line(host)
        )
        if refusal is not None:
            logger.info("realtime upgrade refused", extra={"status": refusal.status})
            answer = JSONResponse(dict(refusal.body()), refusal.status)
            await socket.send_denial_response(answer)
        elif call is not None:
            await _accept(socket)
            await _close(socket, await _follow(call, socket))
        else:
            with host.lines.one():
                await _serve(socket, host)

    return router


def _refusal(socket: WebSocket, host: Host) -> TurnedAway | None:
    forced = host.company.faults.refuse_upgrade
    if forced is not None:
        return TurnedAway(forced, str(forced), "Refused on purpose.")
    offered = socket.scope.get("subprotocols", [])
    return judge_upgrade(socket.headers, socket.query_params, offered)


def _no_line(host: Host) -> TurnedAway | None:
    return full(host.lines.limit) if host.lines.full else None


def _no_sideband(call: Live | None) -> TurnedAway | None:
    if call is None:
        return unknown_call()
    if len(call.followers) >= MAX_FOLLOWERS:
        message = f"At most {MAX_FOLLOWERS} connections to a call at once."
        return TurnedAway(429, "429", message)
    return None


async def _serve(socket: WebSocket, host: Host) -> None:
    settings = Session(type="realtime", model=socket.query_params["model"])
    session = await host.session(settings)
    await _accept(socket)
    farewell = BROKEN
    try:
        async with open_live(session, host.company, host.session_s) as live:
            await legs.serve(live, socket)
        farewell = live.farewell
    except* Exception:
        # The last line of defence: a defect ends this session, with a trace, and no other.
        logger.exception("realtime session broke")
    finally:
        session.close()
    await _close(socket, farewell)


async def _follow(call: Live, socket: WebSocket) -> Farewell:
    try:
        return await legs.follow(call, socket)
    except* Exception:
        logger.exception("sideband broke")
    return BROKEN


async def _accept(socket: WebSocket) -> None:
    offered: list[str] = socket.scope.get("subprotocols", [])
    await socket.accept(subprotocol="realtime" if "realtime" in offered else None)


async def _close(socket: WebSocket, farewell: Farewell) -> None:
    with anyio.move_on_after(CLOSE_TIMEOUT_S), suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(farewell.code, farewell.reason)
