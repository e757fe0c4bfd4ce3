"""`GET /openai/v1/realtime`: the way into a realtime session."""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from switchboard_local.engine.parts import Detectors
from switchboard_local.realtime.doorway import TurnedAway, full, judge
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.socket import BROKEN, Company, Farewell, expiry, fresh_id, open_leg

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 5.0


@dataclass(slots=True)
class Lines:
    """How many sessions are open, and how many may be."""

    limit: int
    open: int = 0
    opening: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))

    @contextmanager
    def one(self) -> Generator[None]:
        """Hold one line."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


def realtime_router(
    detectors: Detectors, company: Company, lines: Lines, session_s: float
) -> APIRouter:
    """The realtime routes of one local cloud."""
    router = APIRouter()

    @router.websocket("/openai/v1/realtime")
    async def realtime(socket: WebSocket) -> None:
        if company.faults.hang_upgrade:
            await anyio.sleep(session_s)
        refusal = _refusal(socket, company, lines)
        if refusal is not None:
            logger.info("realtime upgrade refused", extra={"status": refusal.status})
            answer = JSONResponse(dict(refusal.body()), refusal.status)
            await socket.send_denial_response(answer)
            return
        with lines.one():
            await _serve(socket, detectors, company, lines, session_s)

    return router


def _refusal(socket: WebSocket, company: Company, lines: Lines) -> TurnedAway | None:
    forced = company.faults.refuse_upgrade
    if forced is not None:
        return TurnedAway(forced, str(forced), "Refused on purpose.")
    refusal = judge(socket.headers, socket.query_params, socket.scope.get("subprotocols", []))
    if refusal is None and lines.open >= lines.limit:
        return full(lines.limit)
    return refusal


async def _serve(
    socket: WebSocket, detectors: Detectors, company: Company, lines: Lines, session_s: float
) -> None:
    offered: list[str] = socket.scope.get("subprotocols", [])
    # In a thread, as it may load a model; one at a time, as each thread keeps memory of its own.
    detector = await anyio.to_thread.run_sync(detectors.open, limiter=lines.opening)
    session = RealtimeSession(
        socket.query_params["model"],
        detector,
        new_id=fresh_id,
        expires_at=expiry(session_s),
    )
    await socket.accept(subprotocol="realtime" if "realtime" in offered else None)
    farewell = await _talk(socket, session, company, session_s)
    with anyio.move_on_after(CLOSE_TIMEOUT_S), suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(farewell.code, farewell.reason)


async def _talk(
    socket: WebSocket, session: RealtimeSession, company: Company, session_s: float
) -> Farewell:
    """Hold the session; how to close its socket."""
    farewell = BROKEN
    try:
        async with open_leg(socket, session, company, session_s) as leg:
            await leg.serve()
        farewell = leg.farewell
    except* Exception:
        # The last line of defence: a defect ends this session, with a trace, and no other.
        logger.exception("realtime session broke")
    finally:
        session.close()
    return farewell
