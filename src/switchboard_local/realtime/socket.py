"""The WebSocket leg of a realtime session, and the sideband of one that has another leg."""

from dataclasses import dataclass

import anyio
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from switchboard_local.realtime.client import Client
from switchboard_local.realtime.dialects import Dialect, Ga
from switchboard_local.realtime.farewell import EXPIRED, GONE, Farewell
from switchboard_local.realtime.live import SEND_TIMEOUT_S, Live, fresh_id
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.victim import Flow, Victim


@dataclass(slots=True)
class _Wire:
    """A client's socket."""

    socket: WebSocket
    client: Client
    flow: Flow

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
                await self.flow.passed()
                with anyio.fail_after(SEND_TIMEOUT_S):
                    await self.socket.send_text(event.decode())
        except TimeoutError:
            self.client.too_slow()
        except (WebSocketDisconnect, RuntimeError):
            return


async def serve(live: Live, socket: WebSocket, dialect: Dialect) -> None:
    """Be the session's own leg: until the client leaves, it expires, or a limit is passed."""
    wire = _Wire(socket, Client(live, live.close, dialect), live.flow)

    async def write() -> None:
        await wire.write()
        live.close(GONE)

    live.followers.append(wire.client)
    live.do(live.session.open())
    live.begin()
    live.tasks.start_soon(write)
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

        async def expire() -> None:
            refused = Refused("session_expired", "Your session has expired.")
            event_id = fresh_id("event")
            client.tell({"type": "error", "event_id": event_id, "error": refused.wire(None)})
            await client.outbox.drained()
            cut_off(EXPIRED)

        client = Client(live, cut_off, Ga())
        wire = _Wire(socket, client, Flow())
        victim = Victim(tasks, wire.flow, cut_off, expire)
        client.tell(live.session.introduction())
        live.followers.append(client)
        try:
            tasks.start_soon(victim.attend)
            with live.company.faults.exposed("sideband", victim.announce):
                if (fault := live.company.faults.strike_of("sideband", "dial")) is not None:
                    victim.strike(fault)
                tasks.start_soon(wire.write)
                tasks.start_soon(end_with_session)
                await wire.read()
                cut_off(GONE)
        finally:
            live.followers.remove(client)
    return farewell
