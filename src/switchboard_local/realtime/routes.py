"""`GET /openai/v1/realtime`: the way into a realtime session."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, WebSocket
from fastapi.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from switchboard_local.engine.parts import Detectors
from switchboard_local.realtime.dialects import Dialect, Ga
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


@dataclass(frozen=True, slots=True)
class Host:
    """What the sessions of one local cloud share, whichever dialect they speak."""

    detectors: Detectors
    company: Company
    lines: Lines
    session_s: float
    """How long a session may last."""

    async def take(self, socket: WebSocket, refusal: TurnedAway | None, guest: "Guest") -> None:
        """Hold a session with `guest`, or turn them away. `refusal` is what their request lacks."""
        if self.company.faults.hang_upgrade:
            await anyio.sleep(self.session_s)
        refusal = self._forced() or refusal or self._full()
        if refusal is not None:
            logger.info("realtime upgrade refused", extra={"status": refusal.status})
            answer = JSONResponse(dict(refusal.body()), refusal.status)
            await socket.send_denial_response(answer)
            return
        with self.lines.one():
            await self._serve(socket, guest)

    def _forced(self) -> TurnedAway | None:
        forced = self.company.faults.refuse_upgrade
        return None if forced is None else TurnedAway(forced, str(forced), "Refused on purpose.")

    def _full(self) -> TurnedAway | None:
        return full(self.lines.limit) if self.lines.open >= self.lines.limit else None

    async def _serve(self, socket: WebSocket, guest: "Guest") -> None:
        offered: list[str] = socket.scope.get("subprotocols", [])
        # In a thread, as it may load a model; one at a time, as each thread keeps its own memory.
        detector = await anyio.to_thread.run_sync(self.detectors.open, limiter=self.lines.opening)
        session = RealtimeSession(
            guest.model, detector, new_id=fresh_id, expires_at=expiry(self.session_s)
        )
        guest.prepare(session)
        await socket.accept(subprotocol="realtime" if "realtime" in offered else None)
        farewell = await self._talk(socket, session, guest.dialect)
        with anyio.move_on_after(CLOSE_TIMEOUT_S), suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(farewell.code, farewell.reason)

    async def _talk(
        self, socket: WebSocket, session: RealtimeSession, dialect: Dialect
    ) -> Farewell:
        """Hold the session; how to close its socket."""
        farewell = BROKEN
        try:
            async with open_leg(socket, session, self.company, self.session_s, dialect) as leg:
                await leg.serve()
            farewell = leg.farewell
        except* Exception:
            # The last line of defence: a defect ends this session, with a trace, and no other.
            logger.exception("realtime session broke")
        finally:
            session.close()
        return farewell


@dataclass(frozen=True, slots=True)
class Guest:
    """Who opens a session."""

    model: str
    dialect: Dialect
    prepare: Callable[[RealtimeSession], object] = lambda _: None
    """What is to be settled before the session opens."""


def realtime_router(host: Host) -> APIRouter:
    """The GA dialect's way into a session."""
    router = APIRouter()

    @router.websocket("/openai/v1/realtime")
    async def realtime(socket: WebSocket) -> None:
        offered: list[str] = socket.scope.get("subprotocols", [])
        refusal = judge(socket.headers, socket.query_params, offered)
        await host.take(socket, refusal, Guest(socket.query_params.get("model", ""), Ga()))

    return router
