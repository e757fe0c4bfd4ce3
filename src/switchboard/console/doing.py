"""What operators do to live calls, and the right to sit in on them."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from switchboard.access.principal import Principal
from switchboard.browser.problems import Refusal
from switchboard.browser.reading import body_of, understood
from switchboard.console import protocol as wire
from switchboard.console.answers import answer
from switchboard.console.gate import Gate
from switchboard.console.logbook import Logbook, written
from switchboard.console.neighbours import Neighbours
from switchboard.console.orders import Order
from switchboard.console.reach import Reach
from switchboard.records.operators import TAKEN

MAX_BODY_BYTES: Final = 8_192
_deed: Final = msgspec.json.Decoder(wire.Deed)


class Doing:
    def __init__(self, gate: Gate, reach: Reach, logbook: Logbook, passes: Neighbours) -> None:
        self._gate = gate
        self._reach = reach
        self._logbook = logbook
        self._listeners = passes.listeners
        self._seats = passes.seats

    async def act(self, request: Request, call_id: str, who: Principal) -> Response:
        """`POST /api/console/calls/{id}/actions`: answered once the call has taken it."""
        self._gate.admit_deed(request, who)
        deed = understood(await body_of(request, MAX_BODY_BYTES), _deed)
        if isinstance(deed, wire.Whisper | wire.Say) and not deed.text.strip("\0 \t\r\n"):
            raise Refusal(400, "misunderstood", "There are no words in this.")
        watched = await self._reach.find(call_id)
        peer = None if watched is not None else await self._reach.holder(call_id)
        entry = await self._logbook.write(written(deed, call_id, (who.id, who.name)), watched)
        shown: wire.Acted | None = None
        async with entry.or_refused():
            if peer is None:
                await self._reach.desk.act(call_id, deed)
            else:
                shown = await self._reach.far.act(call_id, peer, Order(deed, entry.acted, entry.at))
        taken = await entry.settle(TAKEN)
        return answer(shown or taken)

    async def let_listen(self, request: Request, call_id: str, who: Principal) -> Response:
        """`POST /api/console/calls/{id}/listeners`: the right to hear a call."""
        self._gate.admit_deed(request, who)
        await self._reach.check(call_id, "listen")
        ticket = await self._listeners.issue_to(call_id, who)
        return answer(wire.ListenTicket(f"/api/console/calls/{call_id}/audio", ticket), 201)

    async def let_take_over(self, request: Request, call_id: str, who: Principal) -> Response:
        """`POST /api/console/calls/{id}/desk`: the right to take a call over."""
        self._gate.admit_deed(request, who)
        await self._reach.check(call_id, "take_over")
        ticket = await self._seats.issue_to(call_id, who)
        return answer(wire.DeskTicket(f"/api/console/calls/{call_id}/desk", ticket), 201)
