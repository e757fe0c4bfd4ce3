"""A response that lasts as long as a call: server-sent events."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, override

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from switchboard.quiet import quietly

logger = logging.getLogger(__name__)

STALL_S: Final = 20.0
"""One event that cannot be sent for so long means nobody reads."""


class EventStream(Response):
    """Sends `events` as they come, until they end, or the client is gone or does not read."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes]) -> None:
        # A proxy that collected the answer would hold the call's words back.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:

            async def write() -> None:
                await self._write(send)
                tasks.cancel_scope.cancel()

            tasks.start_soon(quietly, write)
            while (await receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

    async def _write(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        body = {"type": "http.response.body", "more_body": True}
        try:
            async with aclosing(self._events) as events:
                await send(start)
                async for event in events:
                    with anyio.fail_after(STALL_S):
                        await send({**body, "body": event})
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            logger.info("event stream not read")
