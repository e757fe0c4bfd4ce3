"""Deeds that come by the bus: an operator at another server does something to a call of ours."""

from typing import Final, Literal

import msgspec

from switchboard.console import protocol as wire
from switchboard.console.calldesk import CallDesk, CallOver, NotPossible
from switchboard.console.register import Register
from switchboard.console.watched import Watched

DEED: Final = "deed"
"""What it is called on the bus."""


class Order(msgspec.Struct, frozen=True):
    """A deed, which is written down already, with who does it; `None` where it has been done
    already, and is only to be shown."""

    deed: wire.Deed | None
    acted: wire.Acted
    at: float
    """Epoch seconds."""


class Reply(msgspec.Struct, frozen=True):
    """What came of it."""

    outcome: Literal["taken", "over", "not_possible"]
    why: str = ""
    acted: wire.Acted | None = None


_order: Final = msgspec.json.Decoder(Order)


class Orders:
    def __init__(self, register: Register, desk: CallDesk) -> None:
        self._register = register
        self._desk = desk

    async def obey(self, call_id: str, body: str) -> str:
        """Do it. Raises `MsgspecError` for an order of a newer server."""
        order = _order.decode(body)
        await self._register.settle()
        watched = self._register.find(call_id)
        if watched is None:
            return _said(Reply("over"))
        try:
            if order.deed is not None:
                await self._desk.act(call_id, order.deed)
        except CallOver:
            reply = Reply("over", acted=acted_here(order.acted, order.at, watched, "refused"))
        except NotPossible as why:
            refused = acted_here(order.acted, order.at, watched, "refused")
            reply = Reply("not_possible", str(why), refused)
        else:
            reply = Reply("taken", acted=acted_here(order.acted, order.at, watched, "taken"))
        if reply.acted is not None:
            watched.acted(reply.acted)
        return _said(reply)


def acted_here(
    acted: wire.Acted, at: float, watched: Watched, outcome: Literal["taken", "refused"]
) -> wire.Acted:
    """A deed as those see it who watch the call at the server that carries it."""
    at_ms = (at - watched.facts.began_at) * 1_000
    return msgspec.structs.replace(acted, at_ms=at_ms, outcome=outcome)


def _said(reply: Reply) -> str:
    return msgspec.json.encode(reply).decode()
