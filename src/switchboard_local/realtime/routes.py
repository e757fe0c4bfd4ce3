"""`GET /openai/v1/realtime`: the way into a realtime session, or beside one, by WebSocket."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
from fastapi import APIRouter, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from switchboard_local.faults.kinds import Service
from switchboard_local.realtime import socket as legs
from switchboard_local.realtime.dialects import Dialect, Ga
from switchboard_local.realtime.doorway import TurnedAway, full, judge_upgrade, unknown_call
from switchboard_local.realtime.farewell import BROKEN, DROPPED, Farewell
from switchboard_local.realtime.host import Host, forced
from switchboard_local.realtime.live import Live, open_live
from switchboard_local.realtime.session_object import Session
from switchboard_local.wire import cut

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 5.0
MAX_FOLLOWERS: Final = 8
"""Of one call: its data channel and its sidebands."""

type FindCall = Callable[[str], Live | None]
"""The call of that id, while it lasts."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who opens a session: what it begins with, and how they put things."""

    settings: Session
    dialect: Dialect


def realtime_router(host: Host, find_call: FindCall) -> APIRouter:
    """The GA dialect's WebSocket routes."""
    router = APIRouter()

    @router.websocket("/openai/v1/realtime")
    async def realtime(socket: WebSocket) -> None:
        query = socket.query_params
        offered: list[str] = socket.scope.get("subprotocols", [])
        refusal = host.keeper.refusal(socket.headers, query)
        refusal = refusal or judge_upgrade(socket.headers, query, offered)
        if "call_id" in query:
            await join(host, socket, refusal or _sideband(find_call(query["call_id"])))
        else:
            await take(host, socket, "realtime", refusal or _guest(query["model"]))

    return router


async def take(host: Host, socket: WebSocket, service: Service, asked: Guest | TurnedAway) -> None:
    """Hold a session with a guest of `service`, or turn them away."""
    asked = await forced(host, service) or asked
    if isinstance(asked, Guest) and host.lines.full:
        asked = full(host.lines.limit)
    if isinstance(asked, TurnedAway):
        await _turn_away(socket, asked)
        return
    with host.lines.one():
        await _serve(host, socket, service, asked)


async def join(host: Host, socket: WebSocket, asked: Live | TurnedAway) -> None:
    """Let a sideband follow a call, or turn it away."""
    asked = await forced(host, "sideband") or asked
    if isinstance(asked, TurnedAway):
        await _turn_away(socket, asked)
        return
    await _accept(socket)
    await _close(socket, await _follow(asked, socket))


def _guest(model: str) -> Guest:
    return Guest(Session(type="realtime", model=model), Ga())


def _sideband(call: Live | None) -> Live | TurnedAway:
    if call is None:
        return unknown_call()
    if len(call.followers) >= MAX_FOLLOWERS:
        message = f"At most {MAX_FOLLOWERS} connections to a call at once."
        return TurnedAway(429, "429", message)
    return call


async def _turn_away(socket: WebSocket, refusal: TurnedAway) -> None:
    logger.info("realtime upgrade refused", extra={"status": refusal.status})
    answer = JSONResponse(dict(refusal.body()), refusal.status, dict(refusal.headers()))
    await socket.send_denial_response(answer)


async def _serve(host: Host, socket: WebSocket, service: Service, guest: Guest) -> None:
    session = await host.session(guest.settings)
    await _accept(socket)
    farewell = BROKEN
    try:
        async with open_live(session, host.company, service, host.session_s) as live:
            await legs.serve(live, socket, guest.dialect)
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
    if farewell == DROPPED:
        cut(socket)
        return
    with anyio.move_on_after(CLOSE_TIMEOUT_S), suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(farewell.code, farewell.reason)
