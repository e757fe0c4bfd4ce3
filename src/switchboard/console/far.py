"""A call that another server carries: shown by a link to it, or as it is written down; acted on by
the bus; heard, and spoken in, by a link."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final

import anyio
import msgspec
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from switchboard.access.peers import is_fit
from switchboard.access.standing import Standing
from switchboard.console import protocol as wire
from switchboard.console.calldesk import (
    NO_TELEPHONE,
    NO_VOICES,
    NOW,
    CallOver,
    NotPossible,
)
from switchboard.console.joined import Joined
from switchboard.console.links import (
    BUSY,
    NO_ADDRESS,
    NOT_KNOWN,
    NOT_NOW,
    NOT_REACHED,
    NOT_UNDERSTOOD,
    Follow,
    Hear,
    Links,
    OutOfReach,
    Sit,
    told,
)
from switchboard.console.orders import DEED, Order, Reply
from switchboard.console.shown import detail_of, facts_of, live_facts
from switchboard.errors import LinesBusy
from switchboard.records.bus import Bus
from switchboard.records.history import history
from switchboard.records.operators import deeds_of
from switchboard.records.store import Store
from switchboard.records.whereabouts import Peer, Whereabouts

LOOK_S: Final = 2.0
"""Between two looks at what is written down."""
FIRST_S: Final = 5.0
OVER: Final = "This call has ended."
TOO_MANY: Final = "Enough people are listening to this call."
_reply: Final = msgspec.json.Decoder(Reply)


class Far:
    def __init__(
        self,
        store: Store,
        where: Whereabouts,
        bus: Bus,
        links: Links,
        *,
        title_of: Callable[[str], str],
        look_s: float = LOOK_S,
    ) -> None:
        self._store = store
        self._where = where
        self._bus = bus
        self._links = links
        self._title_of = title_of
        self._look_s = look_s

    async def holder(self, call_id: str) -> Peer | None:
        """The other server that carries this call."""
        return await self._where.holder(call_id)

    # -- looking ----------------------------------------------------------------------------

    async def detail(self, call_id: str, peer: Peer) -> wire.CallDetail | None:
        """The call as it stands; `None` where it is over meanwhile, or unknown."""
        try:
            async with self._links.open(peer, Follow(call_id)) as link:
                with anyio.move_on_after(FIRST_S):
                    async with aclosing(told(link)) as messages:
                        async for message in messages:
                            if isinstance(message, wire.DetailNow):
                                return message.detail
        except OutOfReach:
            pass
        return await self._written(call_id, peer)

    async def follow(self, call_id: str) -> AsyncGenerator[wire.StreamMessage | None]:
        """Its event stream, to its end, whichever way there is to it at the moment."""
        shown: wire.CallDetail | None = None
        while (peer := await self._where.holder(call_id)) is not None:
            try:
                async with (
                    self._links.open(peer, Follow(call_id)) as link,
                    aclosing(told(link)) as messages,
                ):
                    async for message in messages:
                        yield message
                        if isinstance(message, wire.Ended):
                            return
            except OutOfReach:
                pass
            detail = await self._written(call_id, peer)
            if detail is None or detail == shown:
                yield None
            else:
                shown = detail
                yield wire.DetailNow(detail, time.time())
            await anyio.sleep(self._look_s)
        if (past := await history(self._store, call_id)) is not None:
            yield wire.Ended(facts_of(past.call))

    async def _written(self, call_id: str, peer: Peer) -> wire.CallDetail | None:
        past = await history(self._store, call_id)
        if past is None:
            return None
        deeds = await deeds_of(self._store, call_id)
        detail = detail_of(past, deeds, self._title_of)
        return msgspec.structs.replace(
            detail, call=live_facts(past.call), live=True, can=_abilities(past.call.channel, peer)
        )

    # -- doing ------------------------------------------------------------------------------

    async def act(self, call_id: str, peer: Peer, order: Order) -> wire.Acted | None:
        """Have it done: as the other server shows it. Raises `CallOver`, `NotPossible`,
        `ReplicaSilent`."""
        body = msgspec.json.encode(order).decode()
        reply = _reply.decode(await self._bus.ask(call_id, peer.id, DEED, body))
        if reply.outcome == "over":
            raise CallOver(OVER)
        if reply.outcome == "not_possible":
            raise NotPossible(reply.why)
        return reply.acted

    async def can_listen(self, call_id: str, peer: Peer) -> wire.Can:
        """Raises `CallOver`."""
        past = await history(self._store, call_id)
        if past is None or past.call.ended_at is not None:
            raise CallOver(OVER)
        return _abilities(past.call.channel, peer).listen

    async def can_take_over(self, call_id: str, peer: Peer) -> wire.Can:
        """As the other server says, which knows who has it. Raises `CallOver`."""
        detail = await self.detail(call_id, peer)
        if detail is None or detail.can is None:
            raise CallOver(OVER)
        return detail.can.take_over

    @asynccontextmanager
    async def joining(
        self, socket: WebSocket, peer: Peer, wish: Hear | Sit, standing: Standing
    ) -> AsyncGenerator[Joined]:
        """An operator's socket and the call: to be accepted and `run`, for the other server has
        let them in. Raises `CallOver`, `NotPossible`, `LinesBusy` where it does not."""
        try:
            async with self._links.open(peer, wish) as link:
                yield Joined(socket, link, await _first(link), standing)
        except OutOfReach as why:
            raise NotPossible(str(why)) from why


def _abilities(channel: str, peer: Peer) -> wire.Abilities:
    """What can be done to a call that is only known as it is written down."""
    voices = NOW
    if channel == "webrtc":
        voices = wire.Can(False, NO_VOICES)
    elif peer.url is None or not is_fit(peer.url):
        voices = wire.Can(False, NO_ADDRESS)
    human = NOW if channel == "phone" else wire.Can(False, NO_TELEPHONE)
    return wire.Abilities(voices, human, voices, [])


async def _first(link: ClientConnection) -> str:
    """The first frame: the other server has let us in. Raises as `listen` does."""
    try:
        with anyio.fail_after(FIRST_S):
            return str(await link.recv())
    except TimeoutError:
        raise OutOfReach(NOT_REACHED) from None
    except ConnectionClosed as closed:
        match closed.rcvd:
            case Close(code=code, reason=why) if code == BUSY:
                raise LinesBusy(why or TOO_MANY) from None
            case Close(code=code, reason=why) if code == NOT_NOW:
                raise NotPossible(why) from None
            case Close(code=code) if code == NOT_UNDERSTOOD[0]:
                raise NotPossible(NOT_KNOWN) from None
            case _:
                raise CallOver(OVER) from None
