"""What operators do, written down before it is done, and then what came of it."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from switchboard.browser.problems import Refusal
from switchboard.console import protocol as wire
from switchboard.console.answers import gone, not_possible
from switchboard.console.calldesk import CallOver, NotPossible
from switchboard.console.register import Register
from switchboard.console.watched import Watched
from switchboard.errors import LinesBusy, ReplicaSilent
from switchboard.records.operators import REFUSED, Deed, settle, write_down
from switchboard.records.store import Store

logger = logging.getLogger(__name__)


class Logbook:
    def __init__(self, store: Store, register: Register) -> None:
        self._store = store
        self._register = register

    async def write(self, deed: Deed, watched: Watched | None = None) -> "Entry":
        """`watched`: the call, where it is one of ours; whoever looks at it is shown the deed."""
        at = self._register.now_s()
        action_id = await write_down(self._store, deed, at)
        logger.info("operator acts", extra={"call": deed.call_id, "what": deed.kind})
        acted = wire.Acted(
            id=action_id,
            kind=deed.kind,  # pyright: ignore[reportArgumentType]  (ours, by `written`)
            by=deed.principal_name,
            at_ms=0.0 if watched is None else (at - watched.facts.began_at) * 1_000,
            text=deed.stored_text,
            tool=deed.tool_call_id,
            outcome="asked",
        )
        show = None if watched is None else partial(self._show, watched)
        return Entry(self._store, acted, at, show)

    def _show(self, watched: Watched, acted: wire.Acted) -> None:
        watched.acted(acted)
        self._register.tell(watched)


class Entry:
    """One deed, asked for. `at` is epoch seconds; whoever carries the call knows its own."""

    def __init__(
        self, store: Store, acted: wire.Acted, at: float, show: Callable[[wire.Acted], None] | None
    ) -> None:
        self._store = store
        self.acted = acted
        self.at = at
        self._show = show

    async def settle(self, outcome: str) -> wire.Acted:
        settled = msgspec.structs.replace(self.acted, outcome=outcome)
        if self._show is not None:
            self._show(settled)
        await settle(self._store, self.acted.id, outcome)
        return settled

    @asynccontextmanager
    async def or_refused(self) -> AsyncGenerator[None]:
        """Whatever the call does not take is settled as refused, and answered so."""
        try:
            yield
        except CallOver as over:
            await self.settle(REFUSED)
            raise gone() from over
        except NotPossible as why:
            await self.settle(REFUSED)
            raise not_possible(str(why)) from why
        except LinesBusy:
            await self.settle(REFUSED)
            raise
        except ReplicaSilent as silent:
            if not silent.maybe_done:  # else it stays asked: nobody knows
                await self.settle(REFUSED)
            raise Refusal(504, "server_silent", str(silent)) from silent


def written(deed: wire.Deed, call_id: str, by: tuple[str, str]) -> Deed:
    """A page's deed as it is written down. `by`: an operator's id and name."""
    text = deed.text if isinstance(deed, wire.Whisper | wire.Say) else None
    text = deed.to if isinstance(deed, wire.Human) else text
    tool = deed.tool if isinstance(deed, wire.Approve | wire.Refuse) else None
    return Deed(call_id, *by, str(deed.__struct_config__.tag), text, tool)
