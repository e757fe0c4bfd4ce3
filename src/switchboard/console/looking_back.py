"""Calls as they were, and what they came to."""

import time
from collections.abc import Callable, Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from switchboard.access.principal import Principal
from switchboard.browser.problems import Refusal
from switchboard.console import protocol as wire
from switchboard.console.answers import answer, not_possible, unknown
from switchboard.console.asking import CALL_ID, asked_history, asked_overview
from switchboard.console.gate import Gate
from switchboard.console.logbook import Logbook
from switchboard.console.reach import Reach
from switchboard.console.shown import after_of, detail_of, overview_of, past_of
from switchboard.records.after import AfterTable
from switchboard.records.deliveries import DeliveryTable
from switchboard.records.figures import DAY_S, figures
from switchboard.records.history import CallHistory, history
from switchboard.records.operators import REFUSED, TAKEN, Deed, deeds_of
from switchboard.records.past import PAGE, search
from switchboard.records.recordings import HERE
from switchboard.records.store import Store

FIRST_DAY: Final = date(1970, 1, 1)
NO_SOUND: Final = (
    "There is no sound of this call here: it was not recorded, or another server has it."
)
UNSTORED: Final = {"cache-control": "no-store"}


class LookingBack:
    """`sound_of` a call is where its recording lies, if that is here. `after`: of which agents
    calls are read once they are over; asked anew each time, for agents change while we run."""

    def __init__(
        self,
        gate: Gate,
        reach: Reach,
        logbook: Logbook,
        store: Store,
        *,
        title_of: Callable[[str], str],
        sound_of: Callable[[str], Path | None],
        after: Callable[[], Collection[str]],
    ) -> None:
        self._gate = gate
        self._reach = reach
        self._logbook = logbook
        self._store = store
        self._title_of = title_of
        self._sound_of = sound_of
        self._after = after
        self._read = AfterTable(store)
        self._deliveries = DeliveryTable(store)

    async def history(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/history`"""
        self._gate.admit(request, who)
        found = [past_of(each) for each in await search(self._store, asked_history(request))]
        last = found[-1].call if len(found) == PAGE else None
        return answer(wire.History(found, None if last is None else f"{last.began_at!r}~{last.id}"))

    async def overview(self, request: Request, who: Principal) -> Response:
        """`GET /api/console/overview`"""
        self._gate.admit(request, who)
        asked = asked_overview(request)
        found = await figures(
            self._store, asked.since, asked.until, agent=asked.agent, zone_s=asked.zone_s
        )
        first = int((asked.since + asked.zone_s) // DAY_S)
        last = int((asked.until - 1 + asked.zone_s) // DAY_S)
        days = [(n, (FIRST_DAY + timedelta(n)).isoformat()) for n in range(first, last + 1)]
        return answer(overview_of(found, days, self._title_of))

    async def detail(self, call_id: str) -> wire.CallDetail:
        """Raises `Refusal` for a call that is in no record."""
        past = await self._known(call_id)
        deeds = await deeds_of(self._store, call_id)
        audible = self._sound(past) is not None
        return detail_of(past, deeds, self._title_of, audible=audible)

    async def recording(self, request: Request, call_id: str, who: Principal) -> Response:
        """`GET /api/console/calls/{id}/recording`: WAV, whole or by ranges. Written down once a
        request, before anything is heard."""
        self._gate.admit(request, who)
        watched = await self._reach.find(call_id)
        past = await self._known(call_id)
        if watched is not None:
            raise unknown()
        if (sound := self._sound(past)) is None:
            raise Refusal(404, "no_recording", NO_SOUND)
        entry = await self._logbook.write(Deed(call_id, who.id, who.name, "replay"))
        await entry.settle(TAKEN)
        return FileResponse(sound, media_type="audio/wav", headers=UNSTORED)

    def _sound(self, past: CallHistory) -> Path | None:
        """Nothing without a row: its call was erased, and the file is on its way out."""
        row = past.recording
        return self._sound_of(past.call.id) if row is not None and row.kept == HERE else None

    async def after(self, request: Request, call_id: str, who: Principal) -> Response:
        """`GET /api/console/calls/{id}/after`"""
        self._gate.admit(request, who)
        return answer(await self._after_of(_checked(call_id)))

    async def tell_again(self, request: Request, call_id: str, who: Principal) -> Response:
        """`POST /api/console/calls/{id}/deliveries`: what the webhook has not got is sent now."""
        self._gate.admit_deed(request, who)
        if not await self._deliveries.of(_checked(call_id)):
            raise not_possible("There is no message for this agent's webhook.")
        entry = await self._logbook.write(Deed(call_id, who.id, who.name, "deliver"))
        sent = await self._deliveries.again(call_id, time.time())
        await entry.settle(TAKEN if sent else REFUSED)
        if not sent:
            raise not_possible("The webhook has it, or it is being sent now.")
        return answer(await self._after_of(call_id))

    async def _after_of(self, call_id: str) -> wire.After:
        row = await self._read.of(call_id)
        if row is not None:
            return after_of(row, await self._deliveries.of(call_id))
        past = await history(self._store, call_id)
        if past is None or past.call.agent not in self._after():
            return wire.After("none")
        awaited = await self._read.awaited(call_id, time.time())
        return wire.After("waiting" if awaited else "none")

    async def _known(self, call_id: str) -> CallHistory:
        past = await history(self._store, _checked(call_id))
        if past is None:
            raise unknown()
        return past


def _checked(call_id: str) -> str:
    if not CALL_ID.fullmatch(call_id):
        raise unknown()
    return call_id
