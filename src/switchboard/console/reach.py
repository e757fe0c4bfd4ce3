"""Where a live call is, and what can be done to it: by this server, or by another."""

from typing import Literal

from switchboard.console import protocol as wire
from switchboard.console.answers import gone, not_possible
from switchboard.console.asking import CALL_ID
from switchboard.console.calldesk import CallDesk, CallOver
from switchboard.console.far import Far
from switchboard.console.register import Register
from switchboard.console.watched import Watched
from switchboard.records.whereabouts import Peer

type Joining = Literal["listen", "take_over"]


class Reach:
    def __init__(self, register: Register, desk: CallDesk, far: Far) -> None:
        self.register = register
        self.desk = desk
        self.far = far

    async def find(self, call_id: str) -> Watched | None:
        """The call, where it is one of ours, as it is just now."""
        await self.register.settle()
        return self.register.find(call_id)

    async def peer(self, call_id: str) -> Peer | None:
        """The other server that carries this call."""
        return await self.far.holder(call_id) if CALL_ID.fullmatch(call_id) else None

    async def holder(self, call_id: str) -> Peer:
        """The same. Raises `Refusal` where none does."""
        if (peer := await self.peer(call_id)) is None:
            raise gone()
        return peer

    def can(self, call_id: str) -> wire.Abilities | None:
        """What can be done to a call of ours; nothing while it hangs up."""
        try:
            return self.desk.can(call_id)
        except CallOver:
            return None

    async def check(self, call_id: str, what: Joining) -> None:
        """Raises `Refusal` where that cannot be done to the call, wherever it is."""
        if await self.find(call_id) is None:
            can = await self._far_can(call_id, what)
        elif (abilities := self.can(call_id)) is None:
            raise gone()
        else:
            can = abilities.listen if what == "listen" else abilities.take_over
        if can.why is not None:
            raise not_possible(can.why)

    async def _far_can(self, call_id: str, what: Joining) -> wire.Can:
        asked = self.far.can_listen if what == "listen" else self.far.can_take_over
        try:
            return await asked(call_id, await self.holder(call_id))
        except CallOver as over:
            raise gone() from over
