"""The live calls of other servers: by a link to each, or as they are written down where there is
none. Only while somebody watches."""

import logging
from collections.abc import Iterable
from contextlib import aclosing
from typing import Final

import anyio

from switchboard.access.peers import is_fit
from switchboard.console import protocol as wire
from switchboard.console.feed import Feed
from switchboard.console.links import Links, Live, OutOfReach, told
from switchboard.console.shown import written_of
from switchboard.records.whereabouts import Peer, Whereabouts

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""Between two looks at who else there is, and at what is written down."""
AGAIN_S: Final = (0.5, 1.0, 2.0, 5.0)
"""Before a lost link is tried again."""


class Elsewhere:
    """`run` must run beside it."""

    def __init__(self, where: Whereabouts, links: Links, *, look_s: float = LOOK_S) -> None:
        self._where = where
        self._links = links
        self._look_s = look_s
        self._rows: dict[str, dict[str, wire.LiveCall]] = {}
        """By server and call."""
        self._linked: set[str] = set()
        self._followed: dict[str, anyio.CancelScope] = {}
        self.feed = Feed()
        """Who watches all of them."""

    def now(self) -> list[wire.LiveCall]:
        """What is known by now: nothing, where nobody has watched."""
        return [row for rows in self._rows.values() for row in rows.values()]

    async def run(self) -> None:
        """Look while somebody watches, until cancelled."""
        while True:
            await self.feed.watched()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._look)
                await self.feed.watched(by_somebody=False)
                tasks.cancel_scope.cancel()
            self._rows.clear()
            self._linked.clear()

    async def _look(self) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                while True:
                    try:
                        for peer in await self._survey():
                            tasks.start_soon(self._follow, peer)
                    except Exception as reason:  # noqa: BLE001  (a database that is away)
                        extra = {"error": type(reason).__name__}
                        logger.info("other servers are not looked up", extra=extra)
                    await anyio.sleep(self._look_s)
        finally:
            self._followed.clear()

    async def _survey(self) -> list[Peer]:
        """Who else there is; those that are to be followed from now on."""
        peers = await self._where.peers()
        apart = [peer.id for peer in peers if peer.id not in self._linked]
        written = await self._where.open_calls(apart)
        alive = {peer.id for peer in peers}
        for gone in self._followed.keys() - alive:
            self._followed[gone].cancel()
        for gone in self._rows.keys() - alive:
            self._set(gone, ())
        for each in apart:
            if each not in self._linked:  # it may have come while we looked
                own = (found for found in written if found.call.replica_id == each)
                self._set(each, map(written_of, own))
        return [p for p in peers if p.id not in self._followed and p.url and is_fit(p.url)]

    async def _follow(self, peer: Peer) -> None:
        with anyio.CancelScope() as scope:
            self._followed[peer.id] = scope
            tries = 0
            while True:
                if await self._listen(peer):
                    tries = 0
                await anyio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
                tries += 1
        self._followed.pop(peer.id, None)

    async def _listen(self, peer: Peer) -> bool:
        """Until the link is lost. Whether there was one."""
        try:
            async with self._links.open(peer, Live()) as link, aclosing(told(link)) as messages:
                async for message in messages:
                    self._take(peer.id, message)
        except OutOfReach:
            pass
        linked = peer.id in self._linked
        self._linked.discard(peer.id)  # from the next look on, what is written down
        return linked

    def _take(self, server: str, message: wire.StreamMessage | None) -> None:
        rows = self._rows.setdefault(server, {})
        match message:
            case wire.LiveNow(calls=calls):
                self._linked.add(server)
                self._set(server, calls)
            case wire.Row(row=row):
                rows[row.call.id] = row
                self.feed.tell(row.call.id, message)
            case wire.Gone(id=call_id):
                rows.pop(call_id, None)
                self.feed.tell(call_id, message)
            case _:
                pass

    def _set(self, server: str, calls: Iterable[wire.LiveCall]) -> None:
        """These are all calls of a server. Those who watch hear of what changed."""
        before = self._rows.get(server, {})
        now = self._rows[server] = {row.call.id: row for row in calls}
        for call_id in before.keys() - now.keys():
            self.feed.tell(call_id, wire.Gone(call_id))
        for call_id, row in now.items():
            if before.get(call_id) != row:
                self.feed.tell(call_id, wire.Row(row))
        if not now:
            del self._rows[server]
