"""Operators on a live call, by sockets: who listens to it, and who has taken it over."""

from contextlib import suppress
from typing import Final

import anyio
from starlette.websockets import WebSocket

from switchboard.access.principal import Principal, Role
from switchboard.access.rates import Places
from switchboard.access.refusals import NotIdentified
from switchboard.access.standing import Standing, Verify
from switchboard.access.tickets import looks_like_ticket
from switchboard.browser.problems import Refusal
from switchboard.console import protocol as wire
from switchboard.console.calldesk import CallOver, NotPossible
from switchboard.console.gate import Gate
from switchboard.console.joined import Joined
from switchboard.console.links import Hear, Sit
from switchboard.console.listening import SocketEar
from switchboard.console.logbook import Logbook
from switchboard.console.neighbours import Neighbours
from switchboard.console.orders import Order
from switchboard.console.passes import Passes
from switchboard.console.reach import Reach
from switchboard.console.seat import SocketSeat
from switchboard.console.watched import Watched
from switchboard.errors import ReplicaSilent
from switchboard.records.operators import TAKEN, Deed
from switchboard.records.whereabouts import Peer

WRITE_S: Final = 5.0
"""For the last that is written of an operator who had a call."""


class Sitting:
    """`ears` and `desks`: how many may listen, and have taken a call over, in all. `verify` knows
    people by their tokens."""

    def __init__(
        self,
        gate: Gate,
        reach: Reach,
        logbook: Logbook,
        passes: Neighbours,
        *,
        ears: Places,
        desks: Places,
        verify: Verify,
    ) -> None:
        self._gate = gate
        self._reach = reach
        self._logbook = logbook
        self._listeners = passes.listeners
        self._seats = passes.seats
        self._ears = ears
        self._desks = desks
        self._verify = verify

    async def listen(self, socket: WebSocket, call_id: str, shown: Principal | None) -> None:
        """`WS /api/console/calls/{id}/audio`: hear a call until it ends or one leaves. The ticket
        says who comes, where the socket does not."""
        who = await self._let_in(socket, self._listeners, wire.LISTEN_PROTOCOL, call_id, shown)
        watched = await self._reach.find(call_id)
        standing = self._standing(who)
        deed = Deed(call_id, who.id, who.name, "listen")
        with self._ears.take():
            if watched is None:
                await self._join_far(socket, deed, standing, Hear)
                return
            entry = await self._logbook.write(deed, watched)
            async with entry.or_refused():
                ear = SocketEar(socket, standing=standing)
                with self._reach.desk.listening(call_id, ear):
                    await entry.settle(TAKEN)
                    await socket.accept(wire.LISTEN_PROTOCOL)
                    await ear.run()

    async def take_over(self, socket: WebSocket, call_id: str, shown: Principal | None) -> None:
        """`WS /api/console/calls/{id}/desk`: speak with the caller until it is handed back. The
        ticket says who comes, where the socket does not."""
        who = await self._let_in(socket, self._seats, wire.DESK_PROTOCOL, call_id, shown)
        watched = await self._reach.find(call_id)
        standing = self._standing(who)
        deed = Deed(call_id, who.id, who.name, "take_over")
        with self._desks.take():
            if watched is None:
                await self._join_far(socket, deed, standing, Sit)
                return
            entry = await self._logbook.write(deed, watched)
            seat = SocketSeat(socket, standing=standing)
            try:
                async with entry.or_refused():
                    with self._reach.desk.taking_over(call_id, seat, who.name) as seat.mouth:
                        await entry.settle(TAKEN)
                        await socket.accept(wire.DESK_PROTOCOL)
                        await seat.run()
            finally:
                if seat.mouth is not None:
                    with anyio.move_on_after(WRITE_S, shield=True):
                        await self._left(watched, seat, who)

    async def _left(self, watched: Watched, seat: SocketSeat, who: Principal) -> None:
        """The operator has the call no more. Why is written down, unless it has ended."""
        if seat.call_over:
            return
        kind = "hand_back" if seat.handed_back else "desk_lost"
        deed = Deed(watched.facts.id, who.id, who.name, kind, seat.summary)
        await (await self._logbook.write(deed, watched)).settle(TAKEN)

    async def _join_far(
        self, socket: WebSocket, deed: Deed, standing: Standing, topic: type[Hear] | type[Sit]
    ) -> None:
        """Listen to, or take over, a call of another server's."""
        far = self._reach.far
        peer = await self._reach.holder(deed.call_id)
        entry = await self._logbook.write(deed)
        wish = topic(deed.call_id, entry.acted, entry.at)
        joined: Joined | None = None
        try:
            async with entry.or_refused(), far.joining(socket, peer, wish, standing) as joined:
                await entry.settle(TAKEN)
                await socket.accept(wire.LISTEN_PROTOCOL if topic is Hear else wire.DESK_PROTOCOL)
                await joined.run()
        finally:
            if joined is not None and topic is Sit:
                with anyio.move_on_after(WRITE_S, shield=True):
                    await self._left_far(peer, joined, deed)

    async def _left_far(self, peer: Peer, joined: Joined, taken: Deed) -> None:
        """The same as `_left`. It is written down here, and shown by the server with the call."""
        if joined.call_over:
            return
        kind = "hand_back" if joined.handed_back else "desk_lost"
        text = joined.summary if joined.handed_back else None
        deed = Deed(taken.call_id, taken.principal_id, taken.principal_name, kind, text)
        entry = await self._logbook.write(deed)
        await entry.settle(TAKEN)
        with suppress(CallOver, NotPossible, ReplicaSilent):  # it has ended, or its server has
            await self._reach.far.act(deed.call_id, peer, Order(None, entry.acted, entry.at))

    async def _let_in(
        self,
        socket: WebSocket,
        passes: Passes,
        protocol: str,
        call_id: str,
        shown: Principal | None,
    ) -> Principal:
        self._gate.admit_unknown(socket)
        who = await passes.redeem_of(shown_ticket(socket, protocol), call_id, shown)
        if who is None:
            raise NotIdentified("This ticket has expired or was already used.")
        self._gate.admit(socket, who)
        return who

    def _standing(self, who: Principal) -> Standing:
        return Standing(who.id, who.until, role=Role.OPERATOR, verify=self._verify)


def shown_ticket(socket: WebSocket, protocol: str) -> str:
    """Raises `NotIdentified`, `Refusal`; nothing is accepted yet."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    if protocol not in offered:
        raise Refusal(400, "unknown_protocol", f"This socket speaks {protocol}.")
    named = [each for each in offered if each.startswith(wire.LISTEN_TICKET)]
    tickets = [each.removeprefix(wire.LISTEN_TICKET) for each in named]
    if len(tickets) != 1 or not looks_like_ticket(tickets[0]):
        raise NotIdentified("This socket needs a ticket.")
    return tickets[0]
