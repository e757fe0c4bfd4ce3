"""Calls as they are, and who the console is for."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from switchboard.access.principal import Principal
from switchboard.access.standing import stream_end
from switchboard.browser.problems import Refusal
from switchboard.browser.webrtc.stream import EventStream
from switchboard.console import protocol as wire
from switchboard.console.answers import answer
from switchboard.console.elsewhere import Elsewhere
from switchboard.console.feed import Streams
from switchboard.console.gate import Gate
from switchboard.console.looking_back import LookingBack
from switchboard.console.reach import Reach


class Looking:
    """`agents` and `sheet_of` are asked anew each time: agents change while we run."""

    def __init__(
        self,
        gate: Gate,
        reach: Reach,
        elsewhere: Elsewhere,
        streams: Streams,
        past: LookingBack,
        *,
        agents: Callable[[], list[wire.AgentName]],
        sheet_of: Callable[[str], wire.AgentSheet | None],
        version: str,
    ) -> None:
        self._gate = gate
        self._reach = reach
        self._elsewhere = elsewhere
        self._streams = streams
        self._past = past
        self._agents = agents
        self._sheet_of = sheet_of
        self._version = version

    async def me(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/me`"""
        self._gate.admit(request, who)
        return answer(wire.Me(who.name, self._agents(), self._version))

    async def agent(self, request: Request, agent: str, who: Principal) -> Response:
        """`GET /api/console/agents/{id}`"""
        self._gate.admit(request, who)
        if (sheet := self._sheet_of(agent)) is None:
            raise Refusal(404, "unknown_agent", "There is no such agent (any more).")
        return answer(sheet)

    async def live(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/live`: an event stream."""
        self._gate.admit(request, who)
        here, there = self._reach.register, self._elsewhere
        await here.settle()
        self._streams.check()

        def now() -> wire.StreamMessage:
            known = here.now()
            return msgspec.structs.replace(known, calls=known.calls + there.now())

        return EventStream(self._streams.stream(here.feed, now, there.feed, until=who.until))

    async def follow(self, request: Request, call_id: str, who: Principal) -> Response:
        """`GET /api/console/calls/{id}/events`: an event stream."""
        self._gate.admit(request, who)
        watched = await self._reach.find(call_id)
        if watched is None:
            await self._reach.holder(call_id)
            self._streams.check()
            return EventStream(self._follow_far(call_id, who.until))
        self._streams.check()

        def now() -> wire.StreamMessage:
            register = self._reach.register
            if register.find(call_id) is not watched:  # it ended before its stream began
                return wire.Ended(watched.facts)
            return wire.DetailNow(watched.detail(self._reach.can(call_id)), register.now_s())

        return EventStream(self._streams.stream(watched.feed, now, until=who.until))

    async def _follow_far(self, call_id: str, until: float | None) -> AsyncGenerator[bytes]:
        end = stream_end(until, time.time())
        with self._streams.counted():
            async with aclosing(self._reach.far.follow(call_id)) as messages:
                async for message in messages:
                    yield self._streams.event(message)
                    if end is not None and time.time() >= end:
                        yield self._streams.event(wire.ComeBack())
                        return

    async def call(self, request: Request, call_id: str, who: Principal) -> Response:
        """`GET /api/console/calls/{id}`: here, at another server, or past."""
        self._gate.admit(request, who)
        watched = await self._reach.find(call_id)
        if watched is not None:
            return answer(watched.detail(self._reach.can(call_id)))
        if (peer := await self._reach.peer(call_id)) is not None:
            detail = await self._reach.far.detail(call_id, peer)
            if detail is not None:
                return answer(detail)
        return answer(await self._past.detail(call_id))
