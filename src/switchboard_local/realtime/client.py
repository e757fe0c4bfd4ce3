"""One client of a session: its frames in, its events out, and what it may not do."""

import logging
from collections.abc import Callable, Container
from typing import Final

import anyio
import anyio.lowlevel
import msgspec

from switchboard_local.realtime.dialects import Dialect, Event
from switchboard_local.realtime.farewell import TOO_FAST, TOO_SLOW, Farewell
from switchboard_local.realtime.live import Live
from switchboard_local.realtime.outbox import Outbox
from switchboard_local.realtime.pacing import Allowance
from switchboard_local.realtime.refusals import Refused
from switchboard_local.realtime.wire import Append, decode, event_id_of, parse

logger = logging.getLogger(__name__)


class Client:
    """Follows a session and steers it, by whatever wire its leg has.

    `cut_off` ends the leg: the session with it where the client is the caller, else only itself.
    `passes` are the kinds of events it is told of, by their GA names; `None` is all.
    """

    def __init__(
        self,
        live: Live,
        cut_off: Callable[[Farewell], None],
        dialect: Dialect,
        passes: Container[str] | None = None,
    ) -> None:
        self.outbox: Final = Outbox()
        self._live = live
        self._cut_off = cut_off
        self._dialect = dialect
        self._passes = passes
        self._allowance = Allowance()
        self._leaving = False

    def tell(self, event: Event) -> None:
        """One server event, without waiting."""
        if self._passes is not None and event["type"] not in self._passes:
            return
        said = self._dialect.outward(event)
        if said is not None and not self.outbox.put(msgspec.json.encode(said)):
            self.too_slow()

    async def take(self, text: str | None) -> None:
        """One frame. `None` is a binary one, of which the dialect has none."""
        if not self._live.over.is_set():
            await self._act(text)
        # A client that sends without pause must not keep the loop from the others.
        await anyio.lowlevel.checkpoint()

    def too_slow(self) -> None:
        """It does not read."""
        self._leave(TOO_SLOW, "realtime client does not read")

    def too_fast(self) -> None:
        """It sends without end."""
        self._leave(TOO_FAST, "realtime client floods")

    def _leave(self, how: Farewell, why: str) -> None:
        if not self._leaving:
            logger.warning(why)
            self._leaving = True
            self._cut_off(how)

    async def _act(self, text: str | None) -> None:
        event_id, live = None, self._live
        try:
            if text is None:
                raise Refused("invalid_event", "Events are JSON in text frames.")
            data = parse(text)
            event_id = event_id_of(data)
            event = decode(self._dialect.inward(data), len(text))
            if isinstance(event, Append):
                await live.hear(event)
                return
        except Refused as refused:
            self._spend()
            live.do(live.session.refuse(refused, event_id))
            return
        self._spend()
        live.do(live.session.apply(event))

    def _spend(self) -> None:
        """Count one event that is not audio."""
        if not self._allowance.spend(anyio.current_time()):
            self.too_fast()
