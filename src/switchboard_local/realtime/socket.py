"""The WebSocket leg of a realtime session, and the sideband of one that has another leg."""

from dataclasses import dataclass

import anyio
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from switchboard_local.realtime.client import Client
from switchboard_local.realtime.dialects import Dialect, Ga
from switchboard_local.realtime.live import GONE, SEND_TIMEOUT_S, Farewell, Live


@dataclass(slots=True)
class _Wire:
    """A client's socket."""

    socket: WebSocket
    client: Client

    async def read(self) -> None:
        """Until the client leaves."""
        while True:
            try:
                message = await self.socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if message["type"] == "websocket.disconnect":
                return
            await self.client.take(message.get("text"))

    async def write(self) -> None:
        """Until the client leaves, or does not read."""
        try:
            while True:
                event = await self.client.outbox.take()
                with anyio.fail_after(SEND_TIMEOUT_S):
                    await self.socket.send_text(event.decode())
        except TimeoutError:
            self.client.too_slow()
        except (WebSocketDisconnect, RuntimeError):
            return


async def serve(live: Live, socket: WebSocket, dialect: Dialect) -> None:
    """Be the session's own leg: until the client leaves, it expires, or a limit is passed."""
    wire = _Wire(socket, Client(live, live.close, dialect))

    async def write() -> None:
        await wire.write()
        live.close(GONE)

    live.followers.append(wire.client)
    live.do(live.session.open())
    live.tasks.start_soon(write)
    live.begin()
    await wire.read()
    live.close(GONE)


async def follow(live: Live, socket: WebSocket) -> Farewell:
    """Be a sideband: until the client leaves or is cut off, or the session ends."""
    farewell = GONE

    async with anyio.create_task_group() as tasks:

        def cut_off(how: Farewell) -> None:
            nonlocal farewell
            if not tasks.cancel_scope.cancel_called:
                farewell = how
            tasks.cancel_scope.cancel()

        async def end_with_session() -> None:
            await live.over.wait()
            cut_off(live.farewell)

        client = Client(live, cut_off, Ga())
        wire = _Wire(socket, client)
        client.tell(live.session.introduction())
        live.followers.append(client)
        try:
            tasks.start_soon(wire.write)
            tasks.start_soon(end_with_session)
            await wire.read()
            cut_off(GONE)
        finally:
            live.followers.remove(client)
    return farewell
