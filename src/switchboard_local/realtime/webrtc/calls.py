"""The WebRTC calls under way, and the one task group that owns them."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup, TaskStatus

from switchboard_local.realtime.host import Host
from switchboard_local.realtime.live import Live, fresh_id, open_live
from switchboard_local.realtime.playout import require_pcm
from switchboard_local.realtime.session import RealtimeSession
from switchboard_local.realtime.session_object import Session
from switchboard_local.realtime.webrtc import leg
from switchboard_local.realtime.webrtc.parts import Answer, Peer

logger = logging.getLogger(__name__)


class Calls:
    """Begins calls, finds them by their ids, and ends them all with the local cloud."""

    def __init__(self, host: Host, answer: Answer) -> None:
        self._host = host
        self._answer = answer
        self._calls: dict[str, Live] = {}
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Calls may be begun; those still under way end with the block."""
        async with anyio.create_task_group() as self._tasks:
            yield
            self._tasks.cancel_scope.cancel()

    def find(self, call_id: str) -> Live | None:
        return self._calls.get(call_id)

    async def begin(self, settings: Session, offer: str, *, filtered: bool) -> tuple[str, str]:
        """A new call's id, and the answer to its checked offer. Raises `Refused`."""
        assert self._tasks is not None, "no calls outside `open`"
        require_pcm(settings)
        call_id = fresh_id("rtc")
        return await self._tasks.start(self._hold, call_id, settings, offer, filtered)

    async def _hold(
        self,
        call_id: str,
        settings: Session,
        offer: str,
        filtered: bool,
        *,
        task_status: TaskStatus[tuple[str, str]],
    ) -> None:
        """One call, from its offer to its end. Raises `Refused` before it has begun."""
        with self._host.lines.one():
            peer = await self._answer(offer)
            try:
                session = await self._host.session(settings, played_here=True)
                await self._serve(call_id, session, peer, filtered, task_status)
            finally:
                await peer.aclose()

    async def _serve(
        self,
        call_id: str,
        session: RealtimeSession,
        peer: Peer,
        filtered: bool,
        task_status: TaskStatus[tuple[str, str]],
    ) -> None:
        host = self._host
        try:
            async with open_live(session, host.company, "calls", host.session_s) as live:
                self._calls[call_id] = live
                task_status.started((call_id, peer.answer))
                await leg.hold(live, peer, filtered=filtered)
        except* Exception:
            # The last line of defence: a defect ends this call, with a trace, and no other.
            logger.exception("WebRTC call broke")
        finally:
            self._calls.pop(call_id, None)
            session.close()
